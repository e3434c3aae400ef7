import type { PendingRequest } from './pending.js'

/** How much may wait while not connected. */
export interface OutboxLimits {
  readonly maxMessages: number
  /** Sum of the frames' UTF-16 code units; equal to bytes for ASCII. */
  readonly maxBytes: number
}

/** One message that waits for a connection. */
export interface Waiting {
  readonly text: string
  /** The request, if the message is one. */
  readonly request?: PendingRequest
}

/** Messages that wait for a connection, first in, first out, within limits. */
export class Outbox {
  readonly #limits: OutboxLimits | false
  // A Set keeps the order and forgets a timed-out request in O(1).
  readonly #waiting = new Set<Waiting>()
  readonly #byRequest = new Map<PendingRequest, Waiting>()
  #size = 0

  /** @param limits - `false`: nothing may wait. */
  constructor(limits: OutboxLimits | false) {
    this.#limits = limits
  }

  get length(): number {
    return this.#waiting.size
  }

  /** Takes the message in, or refuses it: the newest loses, so that what was promised first is kept. */
  add(waiting: Waiting): boolean {
    const limits = this.#limits
    if (limits === false || this.#waiting.size >= limits.maxMessages || this.#size + waiting.text.length > limits.maxBytes) return false
    this.#waiting.add(waiting)
    if (waiting.request) this.#byRequest.set(waiting.request, waiting)
    this.#size += waiting.text.length
    return true
  }

  /** Removes the message of a request that settled while it waited. */
  remove(request: PendingRequest): void {
    const waiting = this.#byRequest.get(request)
    if (waiting !== undefined) this.#forget(waiting)
  }

  /** Removes and returns the oldest. */
  take(): Waiting | undefined {
    for (const waiting of this.#waiting) {
      this.#forget(waiting)
      return waiting
    }
    return undefined
  }

  #forget(waiting: Waiting): void {
    this.#waiting.delete(waiting)
    if (waiting.request) this.#byRequest.delete(waiting.request)
    this.#size -= waiting.text.length
  }
}
