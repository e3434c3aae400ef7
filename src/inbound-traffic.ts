import type { Connection } from './connection.js'
import type { Era } from './core/eras.js'
import { InboundRequests } from './core/inbound.js'
import { encodeMessage, INVALID_REQUEST } from './core/jsonrpc.js'
import { ProtocolError } from './errors.js'
import type { OwnRequests } from './own-requests.js'
import type { JsonRpcMessage, JsonRpcNotification, JsonRpcRequest, JsonRpcResponse, RequestId } from './types/json-rpc.js'

/** Who works on the server's requests. */
export interface InboundListener {
  onMessage(message: JsonRpcMessage): void
  onTrouble(error: Error): void
}

/** The id that a `notifications/cancelled` names. */
export const cancelledId = ({ method, params }: JsonRpcNotification): RequestId | undefined =>
  method === 'notifications/cancelled' ? (params?.requestId as RequestId | undefined) : undefined

/** The server's requests and their answers: each belongs to the socket that it came over. */
export class InboundTraffic {
  readonly #connection: Connection
  readonly #own: OwnRequests
  readonly #listener: InboundListener
  readonly #requests = new InboundRequests()

  constructor(connection: Connection, own: OwnRequests, listener: InboundListener) {
    this.#connection = connection
    this.#own = own
    this.#listener = listener
  }

  /** A request came in. */
  receive(request: JsonRpcRequest, era: Era | undefined): void {
    if (era === 'modern') {
      // 2026-07-28 knows no requests from the server, and forbids to answer any.
      const message = `the server sent the request ${request.method}, which MCP 2026-07-28 forbids`
      this.#listener.onTrouble(new ProtocolError('INVALID_RESPONSE', message))
    } else if (this.#requests.upperId(request.id) === undefined) {
      this.#listener.onMessage(this.#requests.open(request, () => this.#own.freeId()))
    } else {
      const error = { code: INVALID_REQUEST, message: 'A request with this id is still running' }
      this.#connection.send(encodeMessage({ jsonrpc: '2.0', id: request.id, error }))
    }
  }

  /** Sends an answer to the socket that its request came from, or nowhere. */
  answer(response: JsonRpcResponse): void {
    const { id } = response
    if (id === undefined || id === null) return
    const wireId = this.#requests.wireId(id)
    // What cannot be encoded is not an answer yet: the layer above answers again, with an error.
    const text = encodeMessage({ ...response, id: wireId } as JsonRpcResponse)
    this.#requests.close(id)
    if (wireId !== undefined) this.#connection.send(text)
  }

  /** The server gives `wireId` up: its `notifications/cancelled` goes up with the id that the layer above knows. */
  cancel(notification: JsonRpcNotification, wireId: RequestId): void {
    const requestId = this.#requests.upperId(wireId) ?? wireId
    if (this.#requests.wireId(requestId) === wireId) this.#requests.cancel(requestId)
    this.#listener.onMessage({ ...notification, params: { ...notification.params, requestId } })
  }

  /** The socket is gone: what is under way is cancelled, and late answers will be dropped. */
  abandon(reason: string): void {
    for (const requestId of this.#requests.abandon()) {
      this.#listener.onMessage({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId, reason } })
    }
  }
}
