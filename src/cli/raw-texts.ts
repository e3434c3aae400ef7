import type { JsonOption } from '../index.js'
import type { JsonRpcMessage } from '../transport/index.js'
import { isObject } from './members.js'

/** What an object was read from. */
interface Origin {
  /** The object that has this record. A copy has the record too, but may differ from the text. */
  readonly of: object
  readonly text: string
  readonly id?: unknown
  readonly method?: unknown
}

/** A symbol, which no member of JSON can have as its name. A `WeakMap` would do too, but costs more than reading the message. */
const ORIGIN = Symbol('origin')

interface Marked {
  [ORIGIN]?: Origin
}

/** Where the object was read from, if it is still what was read. */
function originOf(value: unknown): Origin | undefined {
  const origin = isObject(value) ? (value as Marked)[ORIGIN] : undefined
  return origin?.of === value ? origin : undefined
}

/**
 * JSON that remembers from which text a message was read: a message that passes through unchanged is written as it came, with numbers
 * that are too long for JavaScript, and without the cost of writing it anew. It is the option `json` of the transport.
 */
export class RawTexts implements JsonOption {
  /**
   * Reads a message of the server. The text is remembered at the result or the params: the transport hands these on as they are, even if it
   * changes the message around them.
   */
  readonly parse = (text: string): unknown => {
    const value: unknown = JSON.parse(text)
    if (!isObject(value)) return value
    const { id, method, result, params } = value
    const content = result ?? params
    if (isObject(content)) (content as Marked)[ORIGIN] = { of: content, text, id, method }
    return value
  }

  /** Reads a message of the host, which goes to the transport as it is. */
  readonly read = (text: string): unknown => {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) (value as Marked)[ORIGIN] = { of: value, text }
    return value
  }

  /** Writes what the transport sends. */
  readonly stringify = (value: unknown): string => originOf(value)?.text ?? JSON.stringify(value)

  /** A message of the transport as one line. */
  lineOf(message: JsonRpcMessage): string {
    const { id, method, result, params } = message as Readonly<Record<string, unknown>>
    const origin = originOf(result ?? params)
    // The transport may have given it another id. A server may write its JSON over several lines.
    const isSame = origin !== undefined && origin.id === id && origin.method === method && !/[\r\n]/.test(origin.text)
    return isSame ? origin.text : JSON.stringify(message)
  }
}
