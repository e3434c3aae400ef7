import { isErrorResponse, isObject, isRequest, isResponse } from '../wire/json-rpc.js'
import type { PendingRequest } from '../rpc/pending.js'
import { ProtocolError, type Delivery, type McpWebSocketError } from '../errors.js'
import type { JsonRpcErrorResponse, JsonRpcMessage, JsonRpcResponse } from '../types/json-rpc.js'

// Outside of what JSON-RPC reserves; as WebSocket close codes, "the connection broke" and "the peer broke the protocol".
const LOST = 1006
const BROKEN = 1002

/** What the `data` of an error response says that this package made itself, in place of an answer that will never come. */
export interface FailureData {
  /** Code of the error, see `docs/errors.md`. */
  readonly reason: string
  /** Whether the request can have reached the server. */
  readonly delivery: Delivery
}

/** The answer to a request that ended without one. */
export function failureOf({ id, phase }: Pick<PendingRequest, 'id' | 'phase'>, error: McpWebSocketError): JsonRpcErrorResponse {
  const delivery = error.delivery ?? (phase === 'queued' ? 'not-sent' : 'unknown')
  // Whether the connection broke or fell silent makes no difference here; that the request was its cause does.
  const reason = error.code === 'HEARTBEAT_TIMEOUT' ? 'CONNECTION_LOST' : error.code
  const message = delivery === 'not-sent' ? `${error.message}; the request was not sent, it can safely be repeated` : error.message
  const data: FailureData = { reason, delivery }
  return { jsonrpc: '2.0', id, error: { code: error.code === 'INVALID_RESPONSE' ? BROKEN : LOST, message, data } }
}

/** The server's first request often has the id 0, for which v1 of the SDK takes no cancellation: it goes up under this one. */
const ZERO = 'mcp-websocket-client:0'

/** What the SDK's strict schemas take of a message: no further members, results that are objects; else it would be dropped unheard. */
export function tidyForSdk(message: JsonRpcMessage): JsonRpcMessage {
  if (isResponse(message)) return tidyResponse(message)
  const { method } = message
  const params = message.params && { params: message.params }
  if (isRequest(message)) return { jsonrpc: '2.0', id: message.id === 0 ? ZERO : message.id, method, ...params }
  if (method === 'notifications/cancelled' && message.params?.requestId === 0)
    return { jsonrpc: '2.0', method, params: { ...message.params, requestId: ZERO } }
  return { jsonrpc: '2.0', method, ...params }
}

function tidyResponse(response: JsonRpcResponse): JsonRpcResponse {
  if (isErrorResponse(response)) return { jsonrpc: '2.0', id: response.id, error: response.error }
  const { id, result } = response
  if (isObject(result)) return { jsonrpc: '2.0', id, result }
  return failureOf({ id, phase: 'sent' }, new ProtocolError('INVALID_RESPONSE', 'the server answered with a result that is no object'))
}

/** The SDK's answer under the id that the server gave its request. */
export function untidy(response: JsonRpcResponse): JsonRpcResponse {
  return response.id === ZERO ? { ...response, id: 0 } : response
}
