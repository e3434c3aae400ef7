import type { Connection } from '../connection/connection.js'
import type { Era } from './handshake.js'
import { InboundRequests } from './server-request-ids.js'
import { encodeMessage, INVALID_REQUEST } from '../wire/json-rpc.js'
import type { Outbox } from './outbox.js'
import { ProtocolError } from '../errors.js'
import type { OwnRequests } from './internal-requests.js'
import type { JsonRpcMessage, JsonRpcNotification, JsonRpcRequest, JsonRpcResponse, RequestId } from '../types/json-rpc.js'

/** Who works on the server's requests. */
export interface InboundListener {
  onMessage(message: JsonRpcMessage): void
  onTrouble(error: Error): void
}

// Outside of what JSON-RPC reserves; "try again later", as the WebSocket close code of this number says.
const BUSY = 1013

/** Settings of the inbound traffic. */
export interface InboundConfig {
  /** Most requests that are worked on at once; the server hears of each one beyond that it came too early. */
  readonly maxPending: number
}

/** The id that a `notifications/cancelled` names. */
export const cancelledId = ({ method, params }: JsonRpcNotification): RequestId | undefined =>
  method === 'notifications/cancelled' ? (params?.requestId as RequestId | undefined) : undefined

/** Says that a request is given up. */
export const cancellation = (requestId: RequestId, reason: string): JsonRpcNotification => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId, reason }
})

/** The server's requests and their answers: each belongs to the socket that it came over. */
export class InboundTraffic {
  readonly #config: InboundConfig
  readonly #connection: Connection
  readonly #own: OwnRequests
  readonly #outbox: Outbox
  readonly #listener: InboundListener
  readonly #requests = new InboundRequests()

  /** @param outbox - Knows how much may wait behind a socket. */
  constructor(config: InboundConfig, connection: Connection, own: OwnRequests, outbox: Outbox, listener: InboundListener) {
    this.#config = config
    this.#connection = connection
    this.#own = own
    this.#outbox = outbox
    this.#listener = listener
  }

  /** A request came in. */
  receive(request: JsonRpcRequest, era: Era | undefined): void {
    if (era === 'modern') {
      // 2026-07-28 knows no requests from the server, and forbids to answer any.
      const message = `the server sent the request ${request.method}, which MCP 2026-07-28 forbids`
      this.#listener.onTrouble(new ProtocolError('INVALID_RESPONSE', message))
    } else if (this.#requests.upperId(request.id) !== undefined) {
      this.#refuse(request.id, INVALID_REQUEST, 'A request with this id is still running')
    } else if (this.#requests.size >= this.#config.maxPending) this.#refuse(request.id, BUSY, 'Too many requests at once')
    else this.#listener.onMessage(this.#requests.open(request, () => this.#own.freeId()))
  }

  #refuse(id: RequestId, code: number, message: string): void {
    this.#write(encodeMessage({ jsonrpc: '2.0', id, error: { code, message } }))
  }

  /** Sends an answer to the socket that its request came from, or nowhere. */
  answer(response: JsonRpcResponse): void {
    const { id } = response
    if (id === undefined || id === null) return
    const wireId = this.#requests.wireId(id)
    // What cannot be encoded is not an answer yet: the layer above answers again, with an error.
    const text = encodeMessage({ ...response, id: wireId } as JsonRpcResponse)
    this.#requests.close(id)
    if (wireId !== undefined) this.#write(text)
  }

  #write(text: string): void {
    const { backlog } = this.#connection
    if (this.#outbox.hasRoomBehind(backlog)) this.#connection.send(text)
    // It asks without end and does not read: what was written for it would fill the memory.
    else if (backlog < Infinity)
      this.#connection.onClosed({ kind: 'close', code: 1006, reason: 'the server reads no answers', wasClean: false })
  }

  /** The server gives `wireId` up: its `notifications/cancelled` goes up with the id that the layer above knows. */
  cancel(notification: JsonRpcNotification, wireId: RequestId): void {
    const requestId = this.#requests.upperId(wireId) ?? wireId
    if (this.#requests.wireId(requestId) === wireId) this.#requests.cancel(requestId)
    this.#listener.onMessage({ ...notification, params: { ...notification.params, requestId } })
  }

  /** The socket is gone: what is under way is cancelled, and late answers will be dropped. */
  abandon(reason: string): void {
    for (const requestId of this.#requests.abandon()) this.#listener.onMessage(cancellation(requestId, reason))
  }
}
