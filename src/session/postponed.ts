import type { Clock } from '../lib/clock.js'
import { membersOf } from '../lib/is-object.js'
import type { Due, SharedTimer } from '../lib/shared-timer.js'
import type { PendingRequest } from '../rpc/pending.js'
import type { JsonRpcError } from '../types/json-rpc.js'

/** The error code with which a server of this package says that it is about to close. */
export const CLOSING = 10503

// Codes which say that a request was not executed, if the error also says when to repeat it: "too many at once" and "closing" of this
// package's server, and the rate limit of modelcontextprotocol#3304.
const NOT_EXECUTED: readonly number[] = [10429, CLOSING, -32023]
// In ms. Without it, a server that always says 0 would be asked without a pause.
const LEAST_DELAY = 100
// A request waits longer than its delay by up to this part of it.
const SPREAD = 0.2

/** After how many ms the request may be repeated, if the error says that it was not executed and when to come back. */
export function repeatAfter({ code, data }: JsonRpcError): number | undefined {
  const { retryAfterMs } = membersOf(data)
  if (!NOT_EXECUTED.includes(code) || typeof retryAfterMs !== 'number' || !(retryAfterMs >= 0)) return undefined
  return Math.max(LEAST_DELAY, retryAfterMs)
}

/** Requests that the server wants to have later. */
export class Postponed implements Due {
  dueAt = 0
  slot = -1
  readonly #timer: SharedTimer
  readonly #clock: Clock
  readonly #onDue: (requests: readonly PendingRequest[]) => void
  readonly #dueAt = new Map<PendingRequest, number>()

  /** @param onDue - Called with those whose time has come. */
  constructor(timer: SharedTimer, clock: Clock, onDue: (requests: readonly PendingRequest[]) => void) {
    this.#timer = timer
    this.#clock = clock
    this.#onDue = onDue
  }

  /** All of them, in the order in which they were postponed. */
  get all(): PendingRequest[] {
    return [...this.#dueAt.keys()]
  }

  /** Takes a request in. @param delay - For how long at least, in ms. */
  add(request: PendingRequest, delay: number): void {
    // Not all at once: they were too many.
    const now = this.#clock.now()
    const wait = delay * (1 + this.#clock.random() * SPREAD)
    this.#dueAt.set(request, now + wait)
    if (!this.#timer.has(this) || now + wait < this.dueAt) this.#timer.set(this, wait)
  }

  /** Forgets a request, such as one that timed out. The timer is left as it is: at worst it finds nothing due. */
  remove(request: PendingRequest): void {
    this.#dueAt.delete(request)
  }

  /** Removes and returns all. */
  takeAll(): PendingRequest[] {
    return this.#take(Infinity)
  }

  onDue(now: number): void {
    // Timers may fire a little early.
    this.#onDue(this.#take(now + 1))
  }

  /** Looks at all of them, but only when the timer fires: many may be postponed in one turn. */
  #take(until: number): PendingRequest[] {
    const due: PendingRequest[] = []
    let nextAt = Infinity
    for (const [request, at] of this.#dueAt)
      if (at <= until) due.push(request)
      else nextAt = Math.min(nextAt, at)
    for (const request of due) this.#dueAt.delete(request)
    this.#timer.set(this, nextAt - this.#clock.now())
    return due
  }
}
