import type { JsonRpcRequest, RequestId } from '../types/json-rpc.js'

/**
 * The server's requests that the upper layer works on. A request belongs to the socket that it came over: when that is
 * gone, its answer is worthless, and the new socket may use its id anew.
 */
export class InboundRequests {
  /** Id that the upper layer knows -> id on the wire; `undefined`: the answer is still to come, and will be dropped. */
  readonly #wireIds = new Map<RequestId, RequestId | undefined>()
  /** The way back, for those whose answer is still wanted. */
  readonly #upperIds = new Map<RequestId, RequestId>()

  /** How many the upper layer works on, those included whose answer will be dropped. */
  get size(): number {
    return this.#wireIds.size
  }

  /**
   * Notes an inbound request and gives it the id under which it goes up: its own, unless the upper layer still works on
   * one of that id from an earlier socket.
   */
  open(request: JsonRpcRequest, freeId: () => RequestId): JsonRpcRequest {
    const id = this.#wireIds.has(request.id) ? freeId() : request.id
    this.#wireIds.set(id, request.id)
    this.#upperIds.set(request.id, id)
    return id === request.id ? request : { ...request, id }
  }

  /** Id on the wire for the answer to `id`; `undefined`: the answer comes too late, drop it. */
  wireId(id: RequestId): RequestId | undefined {
    return this.#wireIds.get(id)
  }

  /** The upper layer is done with `id`. */
  close(id: RequestId): void {
    this.cancel(id)
    this.#wireIds.delete(id)
  }

  /** The server no longer wants the answer to `id`. @returns Whether one was to come. */
  cancel(id: RequestId): boolean {
    const wireId = this.wireId(id)
    if (wireId === undefined) return false
    this.#upperIds.delete(wireId)
    this.#wireIds.set(id, undefined)
    return true
  }

  /** Id that the upper layer knows for the request that the server names by `wireId`. */
  upperId(wireId: RequestId): RequestId | undefined {
    return this.#upperIds.get(wireId)
  }

  /** The socket is gone. @returns The ids of the requests whose work is now in vain. */
  abandon(): RequestId[] {
    return [...this.#wireIds.keys()].filter((id) => this.cancel(id))
  }
}
