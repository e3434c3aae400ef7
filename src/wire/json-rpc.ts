import { asError, isObject } from '../lib/guarded.js'
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

export { isObject } from '../lib/guarded.js'

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
    if (text.trim() !== '') onMalformed({ problem: 'not JSON' })
    return
  }
  const elements: unknown[] = Array.isArray(value) ? value : [value]
  if (elements.length === 0) onMalformed({ problem: 'an empty array' })
  for (const element of elements) {
    const problem = findProblem(element)
    if (problem === undefined) onMessage(tidy(element as JsonRpcMessage))
    else onMalformed({ problem, id: answeredBy(element) })
  }
}

// Error messages are for people and models.
const LONGEST_MESSAGE = 8192

/** An error as this side may use it: what a peer sends may lack a code, or have anything for a message. */
function tidy(message: JsonRpcMessage): JsonRpcMessage {
  if (!isResponse(message) || !isErrorResponse(message)) return message
  const { code, message: words, data } = message.error as { code?: unknown; message?: unknown; data?: unknown }
  return {
    ...message,
    error: {
      code: Number.isSafeInteger(code) ? (code as number) : INTERNAL_ERROR,
      message: typeof words === 'string' ? words.slice(0, LONGEST_MESSAGE) : 'no message',
      data
    }
  }
}

/** A foreign value as JSON; `''` for `undefined`, and for what is nested so deeply that it cannot be written. */
export function jsonOf(value: unknown): string {
  try {
    const json: unknown = JSON.stringify(value)
    return typeof json === 'string' ? json : ''
  } catch {
    return ''
  }
}

/** Id of the request that the value, though no message, seems to answer. */
function answeredBy(value: unknown): number | string | undefined {
  return isObject(value) && value.method === undefined && isId(value.id) ? value.id : undefined
}

/** Why the value is no JSON-RPC 2.0 message; `undefined` if it is one. */
function findProblem(value: unknown): string | undefined {
  if (!isObject(value)) return 'not a JSON object'
  // JSON has no `undefined`: that is always a member that is not there.
  const { jsonrpc, id, method, params, result, error } = value
  if (jsonrpc !== '2.0') return '"jsonrpc" is not "2.0"'
  const isCall = method !== undefined
  if (isCall && typeof method !== 'string') return '"method" is not a string'
  if (isCall && params !== undefined && !isObject(params)) return '"params" is not an object'
  if (!isCall && !(result === undefined ? isObject(error) : error === undefined)) return 'not exactly one of "result" and an "error" object'
  // Notifications have no id. A peer that could not read a request answers with an error without an id, or with null.
  const mayLackId = isCall ? id === undefined : error !== undefined && (id ?? null) === null
  return mayLackId || isId(id) ? undefined : '"id" is not a string or safe integer'
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
    throw new TypeError(`${what} cannot be written as JSON: ${asError(cause).message}`, { cause })
  }
}
