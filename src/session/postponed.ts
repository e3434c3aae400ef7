import type { PendingRequest } from '../rpc/pending.js'
import type { JsonRpcError } from '../types/json-rpc.js'
import { membersOf } from './agreement.js'

/** The server is about to close; this server of this package says so. */
export const CLOSING = 10503

// Errors of requests that were certainly not executed, if they say when to repeat them: too many at once and closing, as the server of this
// package says it, and the rate limit of modelcontextprotocol#3304.
const NOT_EXECUTED: readonly number[] = [10429, CLOSING, -32023]
// In ms. A server that says 0 to everything would be asked without a pause.
const LEAST_DELAY = 100

/** After how many ms the request may be repeated, if the error says that it was not executed and when to come back. */
export function repeatAfter({ code, data }: JsonRpcError): number | undefined {
  const { retryAfterMs } = membersOf(data)
  if (!NOT_EXECUTED.includes(code) || typeof retryAfterMs !== 'number' || !(retryAfterMs >= 0)) return undefined
  return Math.max(LEAST_DELAY, retryAfterMs)
}

/** Requests that the server wants to have later. */
export class Postponed {
  readonly #dueAt = new Map<PendingRequest, number>()

  /** All of them, in the order in which they were postponed. */
  get all(): PendingRequest[] {
    return [...this.#dueAt.keys()]
  }

  /** When the first one may be sent, in ms of the clock; `Infinity` if there is none. */
  get nextAt(): number {
    return Math.min(...this.#dueAt.values())
  }

  /** Takes a request in. @param at - When it may be sent, in ms of the clock. */
  add(request: PendingRequest, at: number): void {
    this.#dueAt.set(request, at)
  }

  /** Forgets a request, such as one that timed out. */
  remove(request: PendingRequest): void {
    this.#dueAt.delete(request)
  }

  /** Removes and returns those that may be sent by `now`. */
  take(now: number): PendingRequest[] {
    const due = this.all.filter((request) => Number(this.#dueAt.get(request)) <= now)
    for (const request of due) this.remove(request)
    return due
  }
}
