import { ProtocolError, type Delivery, type McpWebSocketError } from '../errors.js'
import type { PendingRequest } from '../rpc/pending.js'
import type { JsonRpcErrorResponse, JsonRpcMessage, JsonRpcResponse } from '../types/json-rpc.js'
import { isErrorResponse, isRequest, isResponse } from '../wire/json-rpc.js'
import { isObject } from '../lib/is-object.js'
import { CANCELLED } from '../wire/methods.js'

// Outside of the range that JSON-RPC reserves. As WebSocket close codes, 1006 means that the connection broke, and 1002 that the peer broke
// the protocol.
const LOST = 1006
const BROKEN = 1002

/** The `data` of an error response that this package makes itself, in place of a response that will never come. */
export interface FailureData {
  /** Code of the error, see `docs/errors.md`. */
  readonly reason: string
  /** Whether the request can have reached the server. */
  readonly delivery: Delivery
}

/** The error response for a request that ended without a response. */
export function failureOf({ id, phase }: Pick<PendingRequest, 'id' | 'phase'>, error: McpWebSocketError): JsonRpcErrorResponse {
  const delivery = error.delivery ?? (phase === 'queued' || phase === 'returned' ? 'not-sent' : 'unknown')
  // Whether the connection broke or fell silent makes no difference to the caller. `MESSAGE_TOO_LARGE` does: the request itself was the
  // cause.
  const reason = error.code === 'HEARTBEAT_TIMEOUT' ? 'CONNECTION_LOST' : error.code
  // Not if only another token or address helps: a model would repeat the call in vain.
  const advice = error.retryable ? ', it can safely be repeated' : ''
  const message = error.message + (delivery === 'not-sent' ? `; the request was not sent${advice}` : '')
  const data: FailureData = { reason, delivery }
  return { jsonrpc: '2.0', id, error: { code: error.code === 'INVALID_RESPONSE' ? BROKEN : LOST, message, data } }
}

/**
 * The id under which a request with the id 0 is delivered. Many servers begin with 0, and v1 of the SDK ignores the cancellation of that
 * id.
 */
const ZERO = 'mcp-websocket-client:0'

/**
 * The message as the SDK's strict schemas want it: without further members, and with an object for a result. The SDK silently drops any
 * other.
 */
export function tidyForSdk(message: JsonRpcMessage): JsonRpcMessage {
  if (isResponse(message)) return tidyResponse(message)
  const { method } = message
  const params = message.params && { params: message.params }
  if (isRequest(message)) return { jsonrpc: '2.0', id: message.id === 0 ? ZERO : message.id, method, ...params }
  if (method === CANCELLED && message.params?.requestId === 0)
    return { jsonrpc: '2.0', method, params: { ...message.params, requestId: ZERO } }
  return { jsonrpc: '2.0', method, ...params }
}

function tidyResponse(response: JsonRpcResponse): JsonRpcResponse {
  if (isErrorResponse(response)) return { jsonrpc: '2.0', id: response.id, error: response.error }
  const { id, result } = response
  if (isObject(result)) return { jsonrpc: '2.0', id, result }
  return failureOf({ id, phase: 'sent' }, new ProtocolError('INVALID_RESPONSE', 'the server responded with a result that is not an object'))
}

/** The SDK's response, under the id that the server gave its request. */
export function untidy(response: JsonRpcResponse): JsonRpcResponse {
  return response.id === ZERO ? { ...response, id: 0 } : response
}
