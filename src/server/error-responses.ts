import { isObject } from '../lib/is-object.js'
import { INVALID_REQUEST, isRequestId, PARSE_ERROR } from '../wire/json-rpc.js'
import type { JsonRpcError, JsonRpcErrorResponse } from '../types/json-rpc.js'
import type { RejectReason } from './types.js'

/**
 * The errors of requests that never reach an MCP server. The codes 10429 and 10503 lie outside the range that JSON-RPC reserves
 * (-32768 to -32000, JSON-RPC 2.0 section 5.1), so that no client takes them for an error of the protocol.
 */
export const REQUEST_ERRORS: Readonly<Record<RejectReason, JsonRpcError>> = {
  busy: { code: 10429, message: 'Too many requests in flight on this connection', data: { retryAfterMs: 1000 } },
  duplicate: { code: INVALID_REQUEST, message: 'A request with this id is in flight' },
  closing: { code: 10503, message: 'The server is closing; the request was not executed', data: { retryAfterMs: 1000 } }
}

/**
 * The error response to a frame that is not a message, or that holds an element which is not (JSON-RPC 2.0 section 5.1).
 * @param problem - Why it is not a message, without any part of the frame.
 * @returns `undefined` for what looks like a response or a notification: its sender waits for nothing.
 */
export function malformedResponse(text: string, problem: string): JsonRpcErrorResponse | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { jsonrpc: '2.0', id: null, error: { code: PARSE_ERROR, message: 'Parse error' } }
  }
  // An array gets an error without an id: which of its elements is wrong is not known here, and no revision in use has arrays.
  const { id, method, result, error } = isObject(value) ? value : {}
  if (method === undefined && (result !== undefined || error !== undefined)) return undefined
  if (typeof method === 'string' && id === undefined) return undefined
  return {
    jsonrpc: '2.0',
    id: isRequestId(id) ? id : null,
    error: { code: INVALID_REQUEST, message: `Invalid request: ${problem}` }
  }
}
