import type { JsonRpcRequest, RequestId } from '../types/json-rpc.js'
import { LISTEN } from '../wire/methods.js'

/**
 * The ids of the server's requests that the layer above works on. A request belongs to the socket that it came over: when that is gone,
 * a response is worthless, and the new socket may use the id anew.
 */
export class ServerRequestIds {
  readonly #mostCancelled: number
  /** Id that the layer above knows -> id on the wire; `undefined`: a response is still to come, and will be dropped. */
  readonly #wireIds = new Map<RequestId, RequestId | undefined>()
  /** Id on the wire -> id that the layer above knows; only for requests whose response is still wanted. */
  readonly #upperIds = new Map<RequestId, RequestId>()
  /** Requests that were cancelled and to which the layer above has not responded, oldest first. */
  readonly #cancelled = new Set<RequestId>()

  /**
   * @param mostCancelled - How many cancelled requests without a response are remembered. The official SDKs never respond to what was
   * cancelled: without a bound their requests would count as under way for ever.
   */
  constructor(mostCancelled: number) {
    this.#mostCancelled = mostCancelled
  }

  /** How many requests the layer above works on, including those whose response will be dropped. */
  get size(): number {
    return this.#wireIds.size
  }

  /**
   * Notes a request of the server, and gives it the id under which it is delivered: its own, unless the layer above still works on a
   * request with that id from an earlier socket. A listen always keeps its own, as its notifications name it.
   */
  open(request: JsonRpcRequest, freeId: () => RequestId): JsonRpcRequest {
    if (request.method === LISTEN) this.close(request.id)
    const id = this.#wireIds.has(request.id) ? freeId() : request.id
    this.#wireIds.set(id, request.id)
    this.#upperIds.set(request.id, id)
    return id === request.id ? request : { ...request, id }
  }

  /** Id on the wire for the response to `id`; `undefined`: the response comes too late, drop it. */
  wireId(id: RequestId): RequestId | undefined {
    return this.#wireIds.get(id)
  }

  /** Id that the layer above knows for the request that the server names by `wireId`. */
  upperId(wireId: RequestId): RequestId | undefined {
    return this.#upperIds.get(wireId)
  }

  /** The layer above is done with `id`. */
  close(id: RequestId): void {
    this.#forgetWireId(id)
    this.#wireIds.delete(id)
    this.#cancelled.delete(id)
  }

  /** The server no longer wants the response to `id`. @returns Whether one was to come. */
  cancel(id: RequestId): boolean {
    if (!this.#forgetWireId(id)) return false
    this.#cancelled.add(id)
    const [oldest] = this.#cancelled
    if (this.#cancelled.size > this.#mostCancelled) this.close(oldest as RequestId)
    return true
  }

  /** The socket is gone. @returns The ids of the requests whose work is now in vain. */
  abandon(): RequestId[] {
    return [...this.#wireIds.keys()].filter((id) => this.cancel(id))
  }

  #forgetWireId(id: RequestId): boolean {
    const wireId = this.wireId(id)
    if (wireId === undefined) return false
    this.#upperIds.delete(wireId)
    this.#wireIds.set(id, undefined)
    return true
  }
}
