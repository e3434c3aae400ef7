import { INVALID_REQUEST, PARSE_ERROR, type Malformed } from '../wire/json-rpc.js'
import type { JsonRpcError, JsonRpcErrorResponse } from '../types/json-rpc.js'
import type { RejectReason } from './types.js'

/**
 * The errors of requests that never reach an MCP server. The codes 10429 and 10503 lie outside the range that JSON-RPC reserves
 * (-32768 to -32000, JSON-RPC 2.0 section 5.1), so that no client takes them for an error of the protocol.
 */
export const REQUEST_ERRORS: Readonly<Record<RejectReason, JsonRpcError>> = {
  busy: { code: 10429, message: 'Too many requests in flight on this connection', data: { retryAfterMs: 1000 } },
  duplicate: { code: INVALID_REQUEST, message: 'A request with this id is in flight' },
  closing: { code: 10503, message: 'The connection is about to close; the request was not executed', data: { retryAfterMs: 1000 } }
}

/**
 * The error response to a frame that is not a message, or to an array with an element that is not one (JSON-RPC 2.0 section 5.1).
 * @returns `undefined` for what looks like a response or a notification: its sender waits for nothing.
 */
export function malformedResponse({ problem, kind, id }: Malformed): JsonRpcErrorResponse | undefined {
  if (kind === 'text') return { jsonrpc: '2.0', id: null, error: { code: PARSE_ERROR, message: 'Parse error' } }
  if (kind === 'response' || kind === 'notification') return undefined
  return { jsonrpc: '2.0', id: id ?? null, error: { code: INVALID_REQUEST, message: `Invalid request: ${problem}` } }
}
