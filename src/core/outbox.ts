import type { JsonRpcNotification } from '../types/json-rpc.js'
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

/** Whether a notification still means something on another socket than the one whose requests it is about. */
export const mayWait = ({ method }: JsonRpcNotification): boolean =>
  method !== 'notifications/cancelled' && method !== 'notifications/progress'

/** Messages that wait for a connection: first what was sent before and is sent again, then the rest, each in its order. */
export class Outbox {
  readonly #limits: OutboxLimits | false
  /** Requests that were sent once; they were let in before, so no limit counts them. */
  readonly #resends = new Set<PendingRequest>()
  // A Set keeps the order and forgets a timed-out request in O(1).
  readonly #waiting = new Set<Waiting>()
  readonly #byRequest = new Map<PendingRequest, Waiting>()
  #size = 0

  /** @param limits - `false`: nothing may wait. */
  constructor(limits: OutboxLimits | false) {
    this.#limits = limits
  }

  /** How many messages wait. */
  get length(): number {
    return this.#waiting.size + this.#resends.size
  }

  /** How many of them were sent before. */
  get resendCount(): number {
    return this.#resends.size
  }

  /** Takes the message in, or refuses it: the newest loses, so that what was promised first is kept. */
  add(waiting: Waiting): boolean {
    const limits = this.#limits
    if (limits === false || this.#waiting.size >= limits.maxMessages || this.#size + waiting.text.length > limits.maxBytes) return false
    this.push(waiting)
    return true
  }

  /** Takes the message in, limits or not: it goes out in this very turn, behind what waits already. */
  push(waiting: Waiting): void {
    this.#waiting.add(waiting)
    if (waiting.request) this.#byRequest.set(waiting.request, waiting)
    this.#size += waiting.text.length
  }

  /** A request that was in flight waits to be sent again. */
  putBack(request: PendingRequest): void {
    this.#resends.add(request)
  }

  /** Forgets a request that settled while it waited. */
  remove(request: PendingRequest): void {
    this.#resends.delete(request)
    const waiting = this.#byRequest.get(request)
    if (waiting !== undefined) this.#forget(waiting)
  }

  /** Removes and returns the next to go. */
  take(): Waiting | undefined {
    for (const request of this.#resends) {
      this.#resends.delete(request)
      return { text: request.text ?? '', request }
    }
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
