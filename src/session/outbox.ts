import { Turnover } from '../lib/turnover.js'
import type { PendingRequest } from '../rpc/pending.js'
import type { JsonRpcNotification } from '../types/json-rpc.js'
import { CANCELLED, PROGRESS } from '../wire/methods.js'

/** How much may wait while not connected. */
export interface OutboxLimits {
  /** Most messages. */
  readonly maxMessages: number
  /** Sum of the messages' UTF-16 code units; equal to bytes for ASCII. */
  readonly maxBytes: number
}

/** One message that waits for a connection: a request, or the text of a notification. */
export type Waiting = PendingRequest | { readonly text: string }

const sizeOf = ({ text = '' }: Waiting): number => text.length

/** Whether a notification may wait for another socket. A cancellation or a progress report concerns a request of its own socket. */
export const mayWait = ({ method }: JsonRpcNotification): boolean => method !== CANCELLED && method !== PROGRESS

/** Messages that wait for a connection: first those that were sent before and are sent again, then the rest, each in its order. */
export class Outbox {
  readonly #limits: OutboxLimits | false
  /** Requests that were sent before. No limit counts them, because they were accepted once already. */
  readonly #resends = new Set<Waiting>()
  // A Set keeps the order and forgets a timed-out request in O(1).
  #waiting = new Set<Waiting>()
  readonly #turnover = new Turnover()
  #size = 0

  /** @param limits - `false`: nothing may wait. */
  constructor(limits: OutboxLimits | false) {
    this.#limits = limits
  }

  /** How many messages wait. */
  get length(): number {
    return this.#waiting.size + this.#resends.size
  }

  /** The length of all of them together, in UTF-16 code units, except those that were sent before. */
  get size(): number {
    return this.#size
  }

  /** How many of them were sent before. */
  get resendCount(): number {
    return this.#resends.size
  }

  /** Takes the message in if the limits allow it. So the newest message is rejected, and what was accepted before is kept. */
  add(waiting: Waiting): boolean {
    const limits = this.#limits
    const fits = limits && this.#waiting.size < limits.maxMessages && this.#size + sizeOf(waiting) <= limits.maxBytes
    if (fits) this.push(waiting)
    return fits
  }

  /** Takes the message in, limits or not. */
  push(waiting: Waiting): void {
    if (this.#turnover.next(this.#waiting.size)) this.#waiting = new Set(this.#waiting)
    this.#waiting.add(waiting)
    this.#size += sizeOf(waiting)
  }

  /** A request that was in flight waits to be sent again. */
  putBack(request: PendingRequest): void {
    this.#resends.add(request)
  }

  /** Forgets a message, such as a request that settled while it waited. @returns Whether it waited. */
  remove(waiting: Waiting): boolean {
    if (!this.#waiting.delete(waiting)) return this.#resends.delete(waiting)
    this.#size -= sizeOf(waiting)
    return true
  }

  /** The requests that wait. */
  get requests(): PendingRequest[] {
    return [...this.#resends, ...this.#waiting].filter((waiting) => 'phase' in waiting)
  }

  /** Removes and returns one after the other, including those that are added meanwhile. */
  *drain(): Iterable<Waiting> {
    while (this.length > 0)
      for (const waiting of this.#resends.size > 0 ? this.#resends : this.#waiting)
        // What was removed meanwhile may still be in a Set that was copied meanwhile.
        if (this.remove(waiting)) yield waiting
  }
}
