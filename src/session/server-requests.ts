import type { Connection } from '../connection/connection.js'
import { ProtocolError } from '../errors.js'
import type { JsonRpcMessage, JsonRpcNotification, JsonRpcRequest, JsonRpcResponse, RequestId } from '../types/json-rpc.js'
import { INVALID_REQUEST } from '../wire/json-rpc.js'
import { cancellation } from '../wire/methods.js'
import type { Era } from './agreement.js'
import { ServerRequestIds } from './server-request-ids.js'

/** Works on the server's requests. */
export interface ServerRequestListener {
  /** A request goes up, or the notification that cancels it. */
  onMessage(message: JsonRpcMessage): void
  /** The server broke the protocol. */
  onError(error: Error): void
}

/** Limits of the server's requests. */
export interface ServerRequestLimits {
  /** Most that the layer above works on at once. */
  readonly maxPending: number
  /** Most that were cancelled and are remembered until the layer above responds. */
  readonly mostCancelled: number
}

// Outside of the range that JSON-RPC reserves; means "try again later", as the WebSocket close code of this number does.
const BUSY = 1013

/** The server's requests and our responses: each belongs to the socket that it came over. */
export class ServerRequests {
  readonly #most: number
  readonly #ids: ServerRequestIds
  readonly #connection: Connection
  readonly #freeId: () => RequestId
  readonly #listener: ServerRequestListener

  /**
   * @param limits - How many requests the layer above works on at once: the server is told to come again later with each one beyond
   * that. And how many cancelled ones are remembered, see {@link ServerRequestIds}.
   * @param freeId - An id that no request has, in either direction.
   */
  constructor(limits: ServerRequestLimits, connection: Connection, freeId: () => RequestId, listener: ServerRequestListener) {
    this.#most = limits.maxPending
    this.#ids = new ServerRequestIds(limits.mostCancelled)
    this.#connection = connection
    this.#freeId = freeId
    this.#listener = listener
  }

  /** A request came in. */
  receive(request: JsonRpcRequest, era: Era | undefined): void {
    const { id, method } = request
    if (era === 'modern') {
      // 2026-07-28 has no requests from the server, and forbids to respond to any.
      this.#listener.onError(new ProtocolError('INVALID_RESPONSE', `the server sent the request ${method}, which MCP 2026-07-28 forbids`))
    } else if (this.#ids.upperId(id) !== undefined) this.#reject(id, INVALID_REQUEST, 'A request with this id is still running')
    else if (this.#ids.size >= this.#most) this.#reject(id, BUSY, 'Too many requests at once')
    else this.#listener.onMessage(this.#ids.open(request, this.#freeId))
  }

  /** Sends a response over the socket that its request came from, or drops it. @throws TypeError for what JSON cannot hold. */
  respond(response: JsonRpcResponse): void {
    // An error response to nobody has none, and so no id on the wire either.
    const id = response.id as RequestId
    const wireId = this.#ids.wireId(id)
    // If this throws, nothing was sent yet: the layer above responds again, with an error.
    const text = this.#connection.encode({ ...response, id: wireId } as JsonRpcResponse)
    this.#ids.close(id)
    if (wireId !== undefined) this.#write(text)
  }

  /** The server gives `wireId` up: its `notifications/cancelled` goes up with the id that the layer above knows. */
  cancel(notification: JsonRpcNotification, wireId: RequestId): void {
    const requestId = this.#ids.upperId(wireId) ?? wireId
    if (this.#ids.wireId(requestId) === wireId) this.#ids.cancel(requestId)
    this.#listener.onMessage({ ...notification, params: { ...notification.params, requestId } })
  }

  /** The socket is gone: the requests that the layer above works on are cancelled, and late responses will be dropped. */
  abandon(reason: string): void {
    for (const requestId of this.#ids.abandon()) this.#listener.onMessage(cancellation(requestId, reason))
  }

  /** A request came in that is not valid, but its id can be read (JSON-RPC 2.0 section 5.1). */
  rejectInvalid(id: RequestId, problem: string, era: Era | undefined): void {
    if (era !== 'modern') this.#reject(id, INVALID_REQUEST, `Invalid request: ${problem}`)
  }

  #reject(id: RequestId, code: number, message: string): void {
    this.#write(this.#connection.encode({ jsonrpc: '2.0', id, error: { code, message } }))
  }

  #write(text: string): void {
    if (this.#connection.isDrained) this.#connection.send(text)
    else if (!this.#connection.isWritable) this.#connection.keep(text)
    // The server goes on asking and does not read: the responses would fill the memory.
    else this.#connection.drop({ kind: 'close', code: 1006, reason: 'the server does not read our responses', wasClean: false })
  }
}
