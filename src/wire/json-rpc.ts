import { asError } from '../lib/guarded.js'
import { isObject } from '../lib/is-object.js'
import type { JsonOption } from '../types/options.js'
import type { JsonRpcErrorResponse, JsonRpcMessage, JsonRpcRequest, JsonRpcResponse } from '../types/json-rpc.js'

// The layer `wire` holds what the two ends of a connection agree on: how a text frame becomes messages (this file), the names of the
// methods, the subprotocol, and what one has to know about texts and their order on the way to an SDK. All of it is pure, except the queue
// in ordered-delivery.ts and the counters in replay.ts. It knows the types of MCP, but no socket and no session. Client and server use it
// alike: the connection, the session and the server entry parse and encode with it, and the layers above them ask it what kind a message
// is.

/** The text is not JSON (JSON-RPC 2.0 section 5.1, as the codes below). */
export const PARSE_ERROR = -32700
/** The text is JSON but not a valid request. */
export const INVALID_REQUEST = -32600
/** The method does not exist, or no handler is registered for it. */
export const METHOD_NOT_FOUND = -32601
/** The parameters are invalid. */
export const INVALID_PARAMS = -32602
/** The handler failed. */
export const INTERNAL_ERROR = -32603

/** In `_meta`: the id of the `subscriptions/listen` that a notification belongs to. Source: MCP 2026-07-28, basic/patterns/subscriptions. */
export const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId'

/** A frame, or one element of an array in it, that is not a JSON-RPC message. */
export interface Malformed {
  /** What is wrong, without any part of the text. */
  readonly problem: string
  /** What the sender seems to have meant. `text`: it is not even JSON; `unknown`: no member tells. */
  readonly kind: 'text' | 'request' | 'notification' | 'response' | 'unknown'
  /** The id, if it can be read: of the request to respond to, or of the request that this seems to respond to. */
  readonly id?: number | string | undefined
}

/** Whether the message is a request: it has an id, and its receiver has to respond. */
export const isRequest = (message: JsonRpcMessage): message is JsonRpcRequest => 'method' in message && 'id' in message
/** Whether the message is the response to a request. */
export const isResponse = (message: JsonRpcMessage): message is JsonRpcResponse => !('method' in message)
/** Whether the response is an error response: the request failed. */
export const isErrorResponse = (response: JsonRpcResponse): response is JsonRpcErrorResponse => 'error' in response

/**
 * Whether the value can be the id of a request: a string or a safe integer. Beyond 2^53 - 1, `JSON.parse` makes the same number of
 * two different ids.
 */
export const isRequestId = (id: unknown): id is number | string => typeof id === 'string' || Number.isSafeInteger(id)

// What surrounds the JSON in some frames and means nothing: white space, a byte order mark, NUL, a record separator (RFC 7464).
const isPadding = (character = ''): boolean => /[\s\0\x1e]/.test(character)

/** The text without padding. Not by one regular expression: with many spaces inside of the text, it would take quadratic time. */
function withoutPadding(text: string): string {
  let start = 0
  let end = text.length
  while (isPadding(text[start])) start++
  while (end > start && isPadding(text[end - 1])) end--
  return text.slice(start, end)
}

/**
 * Reads one text frame: every valid message goes to `onMessage`, in order, and everything else to `onMalformed`.
 * Reading is liberal, since servers in the field are not strict (docs/decisions/0011-receive-liberally-send-strictly.md): arrays are
 * unpacked (batches of MCP 2025-03-26); padding around the JSON, `null` in place of a missing member, and unknown members are accepted; an
 * empty frame is ignored.
 */
export function parseText(
  text: string,
  onMessage: (message: JsonRpcMessage) => void,
  onMalformed: (malformed: Malformed) => void,
  json: JsonOption = JSON
): void {
  let value: unknown
  try {
    value = json.parse(text)
  } catch {
    const core = withoutPadding(text)
    // Some relays send an empty frame in reply to a notification, and some servers send a newline by itself.
    if (core === '') return
    if (core === text) return onMalformed({ problem: 'not JSON', kind: 'text' })
    return parseText(core, onMessage, onMalformed, json)
  }
  if (!Array.isArray(value)) return judge(value, onMessage, onMalformed, json)
  if (value.length === 0) onMalformed({ problem: 'an empty array', kind: 'unknown' })
  for (const element of value as unknown[]) judge(element, onMessage, onMalformed, json)
}

/** Says of one value whether it is a message. */
function judge(
  value: unknown,
  onMessage: (message: JsonRpcMessage) => void,
  onMalformed: (malformed: Malformed) => void,
  json: JsonOption
): void {
  const given = withoutNulls(json === JSON ? value : withPlainNumbers(value))
  const problem = findProblem(given)
  if (problem === undefined) onMessage(tidy(given as JsonRpcMessage))
  else onMalformed({ problem, ...meaningOf(given) })
}

/** The message with numbers where this package compares them: another parser may write each number as an object, or as a BigInt. */
function withPlainNumbers(value: unknown): unknown {
  if (!isObject(value)) return value
  const all = { ...value }
  if ('id' in all) all.id = plain(all.id)
  if (isObject(all.error)) all.error = { ...all.error, code: plain(all.error.code), data: plainMembers(all.error.data) }
  if ('params' in all) all.params = plainMembers(all.params)
  return all
}

/** Returns the same object if there is nothing to convert: the parser may remember which text it was read from. */
function plainMembers(value: unknown): unknown {
  if (!isObject(value)) return value
  const members = Object.entries(value).map(([name, member]) => {
    if (name === '_meta') return [name, plainMembers(member)] as const
    return [name, COMPARED.has(name) ? plain(member) : member] as const
  })
  return members.some(([name, member]) => member !== value[name]) ? Object.fromEntries(members) : value
}

const COMPARED: ReadonlySet<string> = new Set(['requestId', 'progressToken', 'progress', 'total', 'retryAfterMs', SUBSCRIPTION_ID])

const plain = (value: unknown): unknown => (isObject(value) || typeof value === 'bigint' ? Number(value) : value)

/** The value without members that are `null` and carry nothing: some servers write every member that they know of. */
function withoutNulls(value: unknown): unknown {
  if (!isObject(value)) return value
  const { method, params, result, error } = value
  if (method !== null && params !== null && result !== null && error !== null) return value
  // `"method": null` means nothing in a response, and is a mistake anywhere else. `"result": null` without an error is a result.
  const isResponse = result !== undefined || error !== undefined
  const empty = [
    params === null && 'params',
    error === null && 'error',
    error && result === null && 'result',
    isResponse && method === null && 'method'
  ]
  if (!empty.some(Boolean)) return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => !empty.includes(name)))
}

/** What the value seems to be, although it is not a valid message. */
function meaningOf(value: unknown): Pick<Malformed, 'kind' | 'id'> {
  const { id, method, result, error } = isObject(value) ? value : {}
  const known = isRequestId(id) ? { id } : {}
  if (method === undefined) return { kind: result === undefined && error === undefined ? 'unknown' : 'response', ...known }
  return { kind: typeof method === 'string' && id === undefined ? 'notification' : 'request', ...known }
}

// In characters: an error message is for people and models, and a longer one would only fill logs and contexts.
const LONGEST_MESSAGE = 8192

/** The message with an error that the layers above can rely on: a peer may leave out the code, or send anything as the message. */
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

/**
 * A value of unknown origin as JSON, without ever throwing: `''` for `undefined`, and for a value that cannot be written, such as one
 * that is nested too deeply.
 */
export function jsonOf(value: unknown): string {
  try {
    // `JSON.stringify` returns `undefined` for some values, although its type does not say so.
    return JSON.stringify(value, (_name, member: unknown) => (typeof member === 'bigint' ? String(member) : member)) || ''
  } catch {
    return ''
  }
}

/** Why the value is not a JSON-RPC 2.0 message; `undefined` if it is one. */
function findProblem(value: unknown): string | undefined {
  if (!isObject(value)) return 'not a JSON object'
  // JSON cannot hold `undefined`, so `undefined` always means that the member is missing.
  const { jsonrpc, id, method, params, result, error } = value
  if (jsonrpc !== '2.0') return '"jsonrpc" is not "2.0"'
  const isCall = method !== undefined
  if (isCall && typeof method !== 'string') return '"method" is not a string'
  if (isCall && params !== undefined && !isObject(params)) return '"params" is not an object'
  if (!isCall && !(result === undefined ? isObject(error) : error === undefined)) return 'not exactly one of "result" and an "error" object'
  // A notification has no id. A peer that could not read a request sends an error response without an id, or with null.
  const mayLackId = isCall ? id === undefined : error !== undefined && (id ?? null) === null
  return mayLackId || isRequestId(id) ? undefined : '"id" is not a string or safe integer'
}

/**
 * Writes the message as the text of one frame.
 * @throws TypeError that names the method, when the message holds a value that JSON cannot (a BigInt, a cycle).
 */
export function encodeMessage(message: JsonRpcMessage, json: JsonOption = JSON): string {
  try {
    return json.stringify(message)
  } catch (cause) {
    const what = 'method' in message ? `the parameters of ${message.method}` : 'the result'
    throw new TypeError(`${what} cannot be written as JSON: ${asError(cause).message}`, { cause })
  }
}
