import { INVALID_REQUEST, isObject, PARSE_ERROR } from '../wire/json-rpc.js'
import type { JsonRpcError, JsonRpcErrorResponse } from '../types/json-rpc.js'
import type { RejectReason } from './types.js'

/**
 * The errors of requests that no MCP server gets to see. Their codes lie outside the range that JSON-RPC reserves (-32768 to -32000), so that
 * no client takes them for an error of the protocol.
 */
export const REJECTIONS: Readonly<Record<RejectReason, JsonRpcError>> = {
  busy: { code: 10429, message: 'Too many requests in flight on this connection', data: { retryAfterMs: 1000 } },
  duplicate: { code: INVALID_REQUEST, message: 'A request with this id is in flight' },
  closing: { code: 10503, message: 'The server is closing; the request was not executed', data: { retryAfterMs: 1000 } }
}

/**
 * The answer to a frame in which something is no message (JSON-RPC 2.0 section 5.1); `undefined` for what looks like an answer
 * or a notification: nobody waits for an answer to these. The connection goes on either way.
 * @param problem - What is wrong, without any part of the frame.
 */
export function complaintAbout(text: string, problem: string): JsonRpcErrorResponse | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { jsonrpc: '2.0', id: null, error: { code: PARSE_ERROR, message: 'Parse error' } }
  }
  // Which element of an array it is nobody knows here, and no revision in use has arrays.
  const { id, method, result, error } = isObject(value) ? value : {}
  if (method === undefined && (result !== undefined || error !== undefined)) return undefined
  if (typeof method === 'string' && id === undefined) return undefined
  const isId = typeof id === 'string' || Number.isSafeInteger(id)
  return {
    jsonrpc: '2.0',
    id: isId ? (id as string | number) : null,
    error: { code: INVALID_REQUEST, message: `Invalid request: ${problem}` }
  }
}
