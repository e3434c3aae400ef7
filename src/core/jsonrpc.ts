import type { JsonRpcErrorResponse, JsonRpcMessage, JsonRpcNotification, JsonRpcRequest, JsonRpcResponse } from '../types/json-rpc.js'

/** Standard error codes (JSON-RPC 2.0 section 5.1). */
export const PARSE_ERROR = -32700
/** The message is JSON but no valid request. */
export const INVALID_REQUEST = -32600
/** The method does not exist or no handler is registered for it. */
export const METHOD_NOT_FOUND = -32601
/** The parameters are invalid. */
export const INVALID_PARAMS = -32602
/** The handler failed. */
export const INTERNAL_ERROR = -32603

/** A frame, or one element of an array in it, that is no JSON-RPC message. */
export interface Malformed {
  /** What is wrong, without any part of the payload. */
  readonly problem: string
  /** Id of the request that it seems to answer: that request can be failed at once. */
  readonly id?: number | string
}

/** Whether the message asks for an answer. */
export const isRequest = (message: JsonRpcMessage): message is JsonRpcRequest => 'method' in message && 'id' in message
/** Whether the message is a notification. */
export const isNotification = (message: JsonRpcMessage): message is JsonRpcNotification => 'method' in message && !('id' in message)
/** Whether the message answers a request. */
export const isResponse = (message: JsonRpcMessage): message is JsonRpcResponse => !('method' in message)
/** Whether the response says that the request failed. */
export const isErrorResponse = (response: JsonRpcResponse): response is JsonRpcErrorResponse => 'error' in response

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

// Safe integers and strings only: beyond 2^53 - 1 two different ids become the same number in JSON.parse.
const isId = (id: unknown): id is number | string => typeof id === 'string' || Number.isSafeInteger(id)

/**
 * Reads one text frame: every valid message goes to `onMessage`, in order; whatever is none goes to `onMalformed`.
 * Liberal as the rules of behaviour ask: arrays are unpacked (batches of MCP 2025-03-26), surrounding white space and
 * extra members are accepted, and an empty frame means nothing.
 */
export function parseText(text: string, onMessage: (message: JsonRpcMessage) => void, onMalformed: (malformed: Malformed) => void): void {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Some relays answer a notification with an empty frame, and vendors end frames with a newline.
    if (text.trim() !== '') onMalformed({ problem: 'the frame is not JSON' })
    return
  }
  if (!Array.isArray(value)) return readMessage(value, onMessage, onMalformed)
  if (value.length === 0) onMalformed({ problem: 'the frame is an empty array' })
  for (const element of value as unknown[]) readMessage(element, onMessage, onMalformed)
}

function readMessage(value: unknown, onMessage: (message: JsonRpcMessage) => void, onMalformed: (malformed: Malformed) => void): void {
  const problem = findProblem(value)
  if (problem === undefined) onMessage(value as JsonRpcMessage)
  else onMalformed(isObject(value) && !('method' in value) && isId(value.id) ? { problem, id: value.id } : { problem })
}

/** Why the value is no JSON-RPC 2.0 message; `undefined` if it is one. */
function findProblem(value: unknown): string | undefined {
  if (!isObject(value)) return 'the frame is not a JSON object'
  if (value.jsonrpc !== '2.0') return 'the member "jsonrpc" is not "2.0"'
  if ('method' in value) {
    if (typeof value.method !== 'string') return 'the member "method" is not a string'
    if ('id' in value && !isId(value.id)) return 'the id of the request is neither a string nor a safe integer'
    if ('params' in value && !isObject(value.params)) return 'the member "params" is not an object'
    return undefined
  }
  const hasResult = 'result' in value
  if (hasResult === 'error' in value) return 'the response has not exactly one of "result" and "error"'
  if (hasResult) return isId(value.id) ? undefined : 'the id of the response is neither a string nor a safe integer'
  if (!isObject(value.error)) return 'the member "error" is not an object'
  // A peer that could not read a request answers with an error without an id, or with null.
  return value.id === undefined || value.id === null || isId(value.id)
    ? undefined
    : 'the id of the response is neither a string nor a safe integer'
}

/**
 * The message as the text of one frame.
 * @throws TypeError when it holds what JSON cannot (a BigInt, a cycle), naming the method.
 */
export function encodeMessage(message: JsonRpcMessage): string {
  try {
    return JSON.stringify(message)
  } catch (cause) {
    const what = 'method' in message ? `the parameters of ${message.method}` : 'the result'
    throw new TypeError(`${what} cannot be written as JSON: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
