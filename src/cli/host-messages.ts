import type { JsonRpcErrorResponse, JsonRpcMessage, RequestId } from '../transport/index.js'
import type { Line } from './lines.js'
import { isObject } from './members.js'

// The messages that a program reads and writes on standard input and output: JSON-RPC, one message a line (MCP, basic/transports, stdio).

// JSON-RPC 2.0 section 5.1.
const PARSE_ERROR = -32700
const INVALID_REQUEST = -32600
/** Something went wrong that is not the fault of whoever made the request. */
export const INTERNAL_ERROR = -32603

const isId = (id: unknown): id is RequestId => typeof id === 'string' || Number.isSafeInteger(id)

/** Whether the value is a request, a notification or a response. */
function isMessage(value: unknown): value is JsonRpcMessage {
  if (!isObject(value) || value.jsonrpc !== '2.0') return false
  const { id, method, params, result, error } = value
  // Some answer `null` where nothing is to be said: what that means is up to whoever asked.
  if (method === undefined) return isObject(error) || (isId(id) && result !== undefined)
  return typeof method === 'string' && (id === undefined || isId(id)) && (params === undefined || isObject(params))
}

/** The error response for a line, or a part of one, that is not a message. */
export const errorResponse = (id: RequestId | null, code: number, message: string): JsonRpcErrorResponse => ({
  jsonrpc: '2.0',
  id,
  error: { code, message }
})

/** What a line holds: messages, and error responses to whatever is none. */
export interface Read {
  /** In their order. */
  readonly messages: readonly JsonRpcMessage[]
  /** For the program that wrote the line. */
  readonly errors: readonly JsonRpcErrorResponse[]
  /** For the other end, which waits for a response: sent in place of one that is not valid. */
  readonly lost: readonly JsonRpcErrorResponse[]
}

/** Reads a line. @param parse - Reads JSON. */
export function readLine(line: Line, parse: (text: string) => unknown): Read {
  if (line.kind === 'too-long') {
    const { bytes, start, end } = line
    const words = `the message has ${String(bytes)} bytes, more than --max-message-bytes allows`
    return failed(errorResponse(idOf(start, end), INVALID_REQUEST, words), RESPONSE_START.test(start))
  }
  let value: unknown
  try {
    value = parse(line.text)
  } catch {
    const unfinished = line.kind === 'unfinished'
    return failed(errorResponse(null, PARSE_ERROR, unfinished ? 'the input ended within a message' : 'the line is not JSON'))
  }
  // Batches of MCP 2025-03-26; no other revision has them.
  const all = Array.isArray(value) && value.length > 0 ? (value as unknown[]) : [value]
  const others = all
    .filter((each) => !isMessage(each))
    .map((each) => {
      const id = isObject(each) && isId(each.id) ? each.id : null
      const error = errorResponse(id, INVALID_REQUEST, 'the line is JSON, but not a message of JSON-RPC 2.0')
      return failed(error, isObject(each) && each.method === undefined)
    })
  return { messages: all.filter(isMessage), errors: others.flatMap(({ errors }) => errors), lost: others.flatMap(({ lost }) => lost) }
}

function failed(response: JsonRpcErrorResponse, isResponse = false): Read {
  const { id, error } = response
  const lost = isResponse && isId(id) ? [errorResponse(id, INTERNAL_ERROR, `the response was lost: ${error.message}`)] : []
  return { messages: [], errors: [response], lost }
}

/**
 * How a response begins. It matches only members of the message itself, never those of an inner object. Needed because requests of both
 * sides may have the same id.
 */
const RESPONSE_START = /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*|"id"\s*:\s*(?:\d+|"[^"\\]*")\s*,\s*)*"(?:result|error)"\s*:/

/**
 * The id of a message that was too long, from its beginning and its end. It is found as the first member, as the second behind `jsonrpc`,
 * or as the last: in these places it cannot be part of a text or of an inner object.
 */
function idOf(start: string, end: string): RequestId | null {
  const [, found] =
    /^\s*\{\s*(?:"jsonrpc"\s*:\s*"2\.0"\s*,\s*)?"id"\s*:\s*(\d+|"[^"\\]*")\s*,/.exec(start) ??
    /[^\\]"id"\s*:\s*(\d+|"[^"\\]*")\s*\}\s*$/.exec(end) ??
    []
  const id: unknown = found === undefined ? null : JSON.parse(found)
  return isId(id) ? id : null
}
