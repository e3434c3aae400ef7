import { Random } from '../../faults/chaos/random.js'
import { EventQueue } from './event-queue.js'

/** One client of a storm, as far as its redialling goes. */
export interface Redialler {
  /** The connection broke, or a dial failed. @returns Until the next dial, in ms; `undefined`: it gives up. */
  fail(random: number): number | undefined
  /** The wait is over: it dials. */
  dial(): void
}

/** How one kind of client redials. */
export interface Policy {
  readonly name: string
  /** After which a dial that gets no answer has failed, in ms. */
  readonly dialTimeout: number
  /** A client that has been connected for long. */
  make(): Redialler
}

/** What all clients of a storm meet; times in ms. */
export interface Weather {
  readonly clients: number
  /** How long no server listens. All connections break at its begin, within {@link SPREAD}. */
  readonly outage: number
  /** How many connections the server accepts in one ms. */
  readonly rate: number
  /** How many connections may wait to be accepted. `0`: what the server cannot take at once, it refuses. */
  readonly backlog: number
  readonly seed: number
}

/** What came of it. */
export interface Outcome {
  readonly dialsPerClient: number
  /** Most dials in 100 ms, while no server listened and after. */
  readonly peakAway: number
  readonly peakBack: number
  /** When half, and 99 % of all clients were connected again, in ms since the server listened; `undefined`: never. */
  readonly halfBack: number | undefined
  readonly nearlyAllBack: number | undefined
  /** Share of the clients that gave up. */
  readonly gaveUp: number
  /** Dials in each 100 ms. */
  readonly dials: readonly number[]
}

/** In ms: the connections of a server that dies do not all break in the same one. */
const SPREAD = 200
const BIN = 100
// In ms. A connection for which the queue of a listening socket has no place is not refused: the kernel of the client asks again, each
// time after twice as long (RFC 6298).
const ASKED_AGAIN_AFTER = [1000, 3000, 7000]

/** Lets all connections of a server break, and the clients redial: a simulation in which no time passes. */
export function storm(policy: Policy, weather: Weather): Outcome {
  return new Storm(policy, weather).run()
}

class Storm {
  readonly #weather: Weather
  readonly #dialTimeout: number
  readonly #random: Random
  readonly #clients: Redialler[]
  readonly #queue = new EventQueue()
  readonly #dials: number[] = []
  readonly #back: number[] = []
  #gaveUp = 0
  /** When the server is done with what waits. */
  #freeAt = 0

  constructor(policy: Policy, weather: Weather) {
    this.#weather = weather
    this.#dialTimeout = policy.dialTimeout
    this.#random = new Random(weather.seed)
    this.#clients = Array.from({ length: weather.clients }, () => policy.make())
  }

  run(): Outcome {
    for (const client of this.#clients) this.#queue.add(this.#random.next() * SPREAD, (now) => this.#fail(client, now))
    this.#queue.run()
    const { clients, outage } = this.#weather
    const firstBack = Math.floor(outage / BIN)
    const when = (share: number): number | undefined => this.#back[Math.ceil(clients * share) - 1]
    return {
      dialsPerClient: this.#dials.reduce((sum, count) => sum + count, 0) / clients,
      peakAway: Math.max(...this.#dials.slice(0, firstBack)),
      peakBack: Math.max(0, ...this.#dials.slice(firstBack)),
      halfBack: when(0.5),
      nearlyAllBack: when(0.99),
      gaveUp: this.#gaveUp / clients,
      dials: this.#dials
    }
  }

  #fail(client: Redialler, now: number): void {
    const delay = client.fail(this.#random.next())
    if (delay === undefined) this.#gaveUp++
    else this.#queue.add(now + delay, (at) => this.#dial(client, at))
  }

  #dial(client: Redialler, now: number): void {
    client.dial()
    const bin = Math.floor(now / BIN)
    while (this.#dials.length <= bin) this.#dials.push(0)
    this.#dials[bin]!++
    if (now < this.#weather.outage) this.#fail(client, now)
    else this.#knock(client, now, now, 0)
  }

  /** Asks the server, which listens, for a connection. @param times - How often it did before. */
  #knock(client: Redialler, now: number, dialledAt: number, times: number): void {
    const { rate, backlog, outage } = this.#weather
    const waiting = Math.max(0, this.#freeAt - now) * rate
    const again = ASKED_AGAIN_AFTER[times] ?? Infinity
    if (waiting < Math.max(1, backlog)) {
      this.#freeAt = Math.max(now, this.#freeAt) + 1 / rate
      this.#queue.add(this.#freeAt, (at) => void this.#back.push(at - outage))
    } else if (backlog === 0) this.#fail(client, now)
    else if (again < this.#dialTimeout) this.#queue.add(dialledAt + again, (at) => this.#knock(client, at, dialledAt, times + 1))
    else this.#queue.add(dialledAt + this.#dialTimeout, (at) => this.#fail(client, at))
  }
}
