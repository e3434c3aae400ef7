import type { Connection } from '../connection/connection.js'
import type { JsonRpcResponse, Params, RequestId } from '../types/json-rpc.js'

// Counts down, while the layer above counts its ids up from less than 10^9: they meet only after a billion requests.
const FIRST_ID = 2 ** 31 - 1

/** The session's own requests on the current socket: handshake, restores, probes. The layer above never sees them. */
export class InternalRequests {
  readonly #connection: Connection
  readonly #isTaken: (id: RequestId) => boolean
  readonly #pending = new Map<RequestId, (response: JsonRpcResponse) => void>()
  #nextId = FIRST_ID

  /** @param isTaken - Whether a request of the layer above has this id. */
  constructor(connection: Connection, isTaken: (id: RequestId) => boolean) {
    this.#connection = connection
    this.#isTaken = isTaken
  }

  /** Sends a request. @returns Its id, for `forget`. */
  send(method: string, params: Params | undefined, onResponse: (response: JsonRpcResponse) => void): number {
    const id = this.freeId()
    this.#pending.set(id, onResponse)
    this.#connection.send(this.#connection.encode({ jsonrpc: '2.0', id, method, ...(params && { params }) }))
    return id
  }

  /** An id that no request has. */
  freeId(): number {
    while (this.#isTaken(this.#nextId)) this.#nextId--
    return this.#nextId--
  }

  /** Hands a response to whoever sent the request. @returns Whether it was a request of the session. */
  deliver(id: RequestId, response: JsonRpcResponse): boolean {
    // On the path of every response, although an internal request is hardly ever pending.
    const onResponse = this.#pending.size === 0 ? undefined : this.#pending.get(id)
    if (onResponse === undefined) return false
    this.#pending.delete(id)
    onResponse(response)
    return true
  }

  /** The response to this request no longer matters; one that comes counts as late. */
  forget(id: RequestId): void {
    this.#pending.delete(id)
  }

  /** The socket is gone, and with it every response. */
  clear(): void {
    this.#pending.clear()
  }
}
