import type { McpWebSocketClientOptions } from '../../../src/index.js'
import { useFaultProxy, type Direction, type FaultProxy, type Link } from '../kit/fault-proxy.js'
import { Actor } from './actor.js'
import { Ledger, SLACK } from './ledger.js'
import { Random } from './random.js'
import { ChaosServer, type Lie } from './server.js'
import { pause } from '../../helpers/pause.js'

/** What a run is made of. */
export interface ChaosOptions {
  readonly seed: number
  readonly seconds: number
  /** Lies of the server, and options of the clients that the ledger does not know of: what it has to find. */
  readonly lie?: Lie
  readonly changes?: Partial<McpWebSocketClientOptions>
}

/** What a run found; `events` are the last ones before its end. */
export interface Report {
  readonly seed: number
  readonly violations: readonly string[]
  readonly events: readonly string[]
  /** How often things happened, so that a quiet run does not pass for a good one. */
  readonly counts: Readonly<Record<string, number>>
}

// 1002, 1003, 1007, 1008 and most of 44xx are the end of a life; the program begins another one.
const CODES = [undefined, 1000, 1001, 1009, 1011, 1012, 1013, 4000, 4401, 4429, 3000, 1008, 4403] as const

/** Everything at once, drawn from a seed: clients that never rest, a network and a server that never stay whole. */
export async function runChaos({ seed, seconds, lie, changes }: ChaosOptions): Promise<Report> {
  const random = new Random(seed)
  const ledger = new Ledger()
  const server = new ChaosServer(String(seed), seed % 2 === 0 ? 'legacy' : 'modern', ledger, random, lie)
  const port = await server.start()
  const weather = new Weather(ledger, server, random)
  const proxy = await useFaultProxy(
    port,
    (link) => weather.onLink(link),
    () => random.next()
  )
  const names = ['a', 'b', 'c'].slice(0, random.between(1, 3))
  const actors = names.map(
    (name) => new Actor(name, `${proxy.url}?run=${String(seed)}`, ledger, new Random(random.between(0, 2 ** 31)), changes)
  )
  const programs = actors.map((actor) => actor.run())
  const end = performance.now() + seconds * 1000
  while (performance.now() < end && ledger.violations.length === 0) {
    await weather.change(proxy)
    await pause(random.between(2, 80))
  }
  for (const actor of actors) actor.stop()
  await Promise.all(programs)
  await weather.clear(proxy)
  if (ledger.violations.length === 0) {
    await Promise.all(actors.map((actor) => actor.finish()))
    const over = performance.now() + SLACK
    while (proxy.links.some(({ closed }) => !closed) && performance.now() < over) await pause(5)
    if (proxy.links.some(({ closed }) => !closed)) ledger.violate('a socket is still open after close()')
  } else await Promise.all(actors.map(({ client }) => client.close()))
  await server.kill()
  return { seed, violations: ledger.violations, events: ledger.events, counts: { dials: proxy.links.length, ...ledger.counts } }
}

/** What happens to the network and the server. */
class Weather {
  readonly #ledger: Ledger
  readonly #server: ChaosServer
  readonly #random: Random
  /** Links that nothing can heal. */
  readonly #holes = new Set<Link>()
  /** Links of which a side may wait for ever: they kept bytes back, or changed one. */
  readonly #stalled = new Set<Link>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #clear = false

  constructor(ledger: Ledger, server: ChaosServer, random: Random) {
    this.#ledger = ledger
    this.#server = server
    this.#random = random
  }

  /** A dial: some meet with bad luck from their first byte on. */
  onLink(link: Link): void {
    const random = this.#random
    if (this.#clear || !random.chance(0.2)) return
    random.weighted<() => void>([
      // In the middle of the upgrade, of the handshake, or of a frame.
      [
        3,
        () => link.after(random.chance(0.5) ? 'up' : 'down', random.between(1, 1500), () => link.cut(random.chance(0.5) ? 'rst' : 'fin'))
      ],
      [1, () => link.after(random.chance(0.5) ? 'up' : 'down', random.between(1, 1500), () => this.#swallow(link))],
      [1, () => this.#for(link, { slice: 1 })],
      [1, () => this.#lag(link)],
      [1, () => this.#for(link, { stall: true })]
    ])()
  }

  /** One more thing goes wrong. */
  async change(proxy: FaultProxy): Promise<void> {
    const random = this.#random
    const server = this.#server
    const link = random.pick(proxy.links.filter((each) => !each.closed && !this.#holes.has(each)))
    const deeds: (readonly [number, string, (() => void | Promise<void>) | undefined])[] = [
      [12, 'speak', () => server.speak()],
      [4, 'babble', () => server.babble()],
      [5, 'cut', link && (() => link.cut(random.chance(0.5) ? 'rst' : 'fin'))],
      [2, 'swallow', link && (() => this.#swallow(link))],
      [3, 'stall', link && (() => this.#for(link, { stall: true }))],
      [3, 'lag', link && (() => this.#lag(link))],
      [2, 'slice', link && (() => this.#for(link, { slice: random.between(1, 3) }))],
      [1, 'corrupt', link && (() => this.#corrupt(link))],
      [3, 'close', () => server.close(random.pick(CODES), random.chance(0.05) ? 'retry-after=1' : '')],
      [2, 'resets', () => this.#resetDials(proxy)],
      [1, 'statuses', () => this.#rejectUpgrades()],
      [2, 'kill', () => this.#restart(proxy)]
    ]
    const [what, deed] = random.weighted(deeds.map(([weight, name, act]) => [weight, [name, act] as const] as const))
    if (!deed) return
    this.#ledger.count(what)
    this.#ledger.note(`weather: ${what}`)
    await deed()
  }

  /** All is well again, and stays so. */
  async clear(proxy: FaultProxy): Promise<void> {
    this.#ledger.note('weather: clear')
    this.#clear = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
    this.#server.rejections.length = 0
    proxy.resetting = false
    for (const link of [...this.#holes, ...this.#stalled]) link.cut('rst')
    for (const link of proxy.links) {
      link.after('up', Infinity, () => undefined)
      link.after('down', Infinity, () => undefined)
      for (const direction of ['up', 'down'] as const) link.set(direction, {})
    }
    if (!this.#server.isUp) proxy.target = await this.#server.start()
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms)
    this.#timers.add(timer)
  }

  #direction(): Direction {
    return this.#random.chance(0.5) ? 'up' : 'down'
  }

  /** A fault of one direction that passes. */
  #for(link: Link, fault: Parameters<Link['set']>[1]): void {
    const direction = this.#direction()
    if (fault.stall) this.#stalled.add(link)
    link.set(direction, fault)
    this.#later(this.#random.between(10, 500), () => this.#holes.has(link) || link.set(direction, {}))
  }

  /** Bytes travel in fits and starts. */
  #lag(link: Link, times = this.#random.between(1, 10)): void {
    if (times === 0 || this.#clear || this.#holes.has(link)) return
    const direction = this.#direction()
    this.#stalled.add(link)
    link.set(direction, { stall: true })
    this.#later(this.#random.between(1, 100), () => {
      if (!this.#holes.has(link)) link.set(direction, {})
      this.#lag(link, times - 1)
    })
  }

  #swallow(link: Link): void {
    this.#holes.add(link)
    link.blackhole()
    // The rest of it, if the client did not leave before.
    this.#later(this.#random.between(50, 1000), () => link.cut('rst'))
  }

  /** One byte to come is turned over in its highest bit: never again JSON, UTF-8 or the right frame. */
  #corrupt(link: Link): void {
    this.#ledger.corrupted = true
    // A length that is turned over makes its reader wait for bytes that never come.
    this.#stalled.add(link)
    let left = this.#random.between(0, 200)
    link.set(this.#direction(), { corrupt: (byte) => (left-- === 0 ? byte ^ 0x80 : byte) })
  }

  #resetDials(proxy: FaultProxy): void {
    proxy.resetting = true
    this.#later(this.#random.between(20, 300), () => (proxy.resetting = false))
  }

  #rejectUpgrades(): void {
    const { rejections } = this.#server
    const status = this.#random.pick([503, 503, 429, 500, 502, 404, 401, 302]) ?? 503
    const retryAfter = this.#random.pick([undefined, 0, this.#random.chance(0.2) ? 1 : 0])
    for (let count = this.#random.between(1, 3); count > 0; count--) rejections.push({ status, retryAfter })
  }

  async #restart(proxy: FaultProxy): Promise<void> {
    const server = this.#server
    await server.kill()
    // Now and then another release comes up, which speaks the other era.
    if (this.#random.chance(0.1)) server.era = server.era === 'legacy' ? 'modern' : 'legacy'
    await pause(this.#random.between(0, 250))
    proxy.target = await server.start()
  }
}
