import type { StateChange } from '../../../src/index.js'
import type { Ledger } from './ledger.js'

/** The schedule of retries that a client was given; times in ms. */
export interface Schedule {
  readonly initialDelay: number
  readonly maxDelay: number
  readonly growFactor: number
  readonly jitter: boolean
  readonly maxRetries: number
  readonly resetAfter: number
}

// Timers count whole milliseconds.
const EARLY = 2

/** Holds the dials of one client to its schedule; how many retries were counted is known only at least. */
export class Pace {
  readonly #name: string
  readonly #schedule: Schedule
  readonly #ledger: Ledger
  #retries = 0
  /** The latest moment before the client was ready that is known for certain: the process may stand still at any time. */
  #notReadyAt = 0
  #wait: { readonly at: number; readonly delay: number } | undefined
  #hurried = false
  /** How often it may dial without a delay in this life: once for each question that only a dial can ask. */
  #redialsLeft: number
  readonly #redials: number
  #last: StateChange['to'] = 'idle'

  /** @param redials - How often a life may dial without a delay. */
  constructor(name: string, schedule: Schedule, ledger: Ledger, redials = 1) {
    this.#redials = this.#redialsLeft = redials
    this.#name = name
    this.#schedule = schedule
    this.#ledger = ledger
  }

  /** The program asks for a dial of its own: at once, and counted from the start. */
  hurry(startsLife: boolean): void {
    this.#hurried = true
    this.#retries = 0
    if (startsLife) this.#redialsLeft = this.#redials
  }

  /** @param drawnAt - When the client drew its last random number, as it does right before it waits. */
  onState({ from, to, delay = 0, closure }: StateChange, drawnAt: number): void {
    const now = performance.now()
    if (from !== this.#last) this.#violate(`a state ${to} came from ${from}, but it was ${this.#last}`)
    this.#last = to
    // An open socket closes, a dial fails: what closes in the middle of a dial is the socket before it, which should be mute.
    if (from === 'connecting' && closure?.kind === 'close') this.#violate('heard of the end of a socket that it had given up')
    if (from === 'ready' && now - this.#notReadyAt > this.#schedule.resetAfter - EARLY) this.#retries = 0
    if (to === 'initializing') this.#notReadyAt = now
    if (to !== 'waiting') return
    // Not counted if the connection was stable, which is not known for certain.
    if (closure.reason === 'the server is closing') {
      if (delay < (closure.retryAfter ?? 0))
        this.#violate(`dials ${String(delay)} ms after goaway, which asked for ${String(closure.retryAfter)}`)
      return
    }
    const { initialDelay, maxDelay, growFactor, jitter, maxRetries } = this.#schedule
    const retry = ++this.#retries
    if (retry > maxRetries) this.#violate(`retry ${String(retry)} of at most ${String(maxRetries)}`)
    const bound = Math.min(maxDelay, initialDelay * growFactor ** (retry - 1))
    const asked = closure.retryAfter ?? (closure.code === 1013 ? 2 * initialDelay : 0)
    const least = Math.max(jitter ? Math.min(100, bound) : bound, asked)
    // The event tells whole milliseconds, rounded up.
    const most = Math.ceil(Math.max(maxDelay, asked * 1.2))
    if (delay < least || delay > most)
      this.#violate(`retry ${String(retry)} waits ${String(delay)} ms, not ${String(least)} to ${String(most)}`)
    this.#wait = { at: drawnAt, delay }
  }

  /** The client opens a socket. */
  onDial(): void {
    const wait = this.#wait
    this.#wait = undefined
    if (this.#hurried) this.#hurried = false
    else if (wait) {
      const waited = performance.now() - wait.at
      if (waited < wait.delay - EARLY) this.#violate(`dialled after ${waited.toFixed(1)} ms instead of ${wait.delay.toFixed(1)}`)
    } else if (this.#redialsLeft-- === 0) this.#violate('dialled without a delay')
  }

  #violate(text: string): void {
    this.#ledger.violate(`${this.#name}: ${text}`)
  }
}
