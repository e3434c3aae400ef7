import { INVALID_REQUEST, isObject, PARSE_ERROR } from '../core/jsonrpc.js'
import type { JsonRpcErrorResponse } from '../types/json-rpc.js'

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
