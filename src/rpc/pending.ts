import type { RequestId } from '../types/json-rpc.js'

/** One outbound request from `send` to settlement: one record, which every layer that has to do with it shares. */
export interface PendingRequest {
  readonly id: RequestId
  readonly method: string
  /** `queued`: never written. `sent`: written once. `resent`: written twice, which is the most. */
  phase: 'queued' | 'sent' | 'resent'
  /**
   * The request's frame, kept while it waits and, once sent, only if it may be sent again: a request that may not is
   * given up by a drop and needs no copy.
   */
  text: string | undefined
  /** Length of the frame that was sent, in UTF-16 code units: finds the largest request when the server says 1009. */
  size: number
  /** The caller's option `resend`; `'always'`: not only once, as for a handshake that the layer above makes. */
  readonly resend: boolean | 'always' | undefined
}

/** The requests that wait for an answer, in the order in which they were made. */
export class PendingRequests<T extends PendingRequest> {
  readonly #byId = new Map<RequestId, T>()

  get size(): number {
    return this.#byId.size
  }

  add(request: T): void {
    this.#byId.set(request.id, request)
  }

  has(id: RequestId): boolean {
    return this.#byId.has(id)
  }

  /** Removes and returns the request; `undefined` if it settled before, or never was. Ids match by type too: 1 is not "1". */
  take(id: RequestId): T | undefined {
    const request = this.#byId.get(id)
    this.#byId.delete(id)
    return request
  }

  /** All, oldest first. */
  all(): IterableIterator<T> {
    return this.#byId.values()
  }

  /** Removes and returns all, oldest first. */
  takeAll(): T[] {
    const all = [...this.#byId.values()]
    this.#byId.clear()
    return all
  }
}
