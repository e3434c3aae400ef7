import type { JsonOption } from '../index.js'
import type { JsonRpcMessage } from '../transport/index.js'
import { isObject } from './host-messages.js'

/** What a message was read from. */
interface Origin {
  readonly text: string
  readonly id: unknown
  readonly method: unknown
}

/**
 * JSON that remembers from which text a message was read: a message that passes through unchanged is written as it came, with numbers
 * that are too long for JavaScript, and without the cost of writing it anew. It is the option `json` of the transport.
 */
export class RawTexts implements JsonOption {
  /** By the result or the params, which the transport hands on as they are, also where it tidies up what is around them. */
  readonly #origins = new WeakMap<object, Origin>()
  /** By the message itself, for those of the host. */
  readonly #texts = new WeakMap<object, string>()

  /** Reads the text of a message. */
  readonly parse = (text: string): unknown => {
    const value: unknown = JSON.parse(text)
    if (!isObject(value)) return value
    const { id, method, result, params } = value
    const content = result ?? params
    if (isObject(content)) this.#origins.set(content, { text, id, method })
    this.#texts.set(value, text)
    return value
  }

  /** Writes what the transport sends. */
  readonly stringify = (value: unknown): string => (isObject(value) ? this.#texts.get(value) : undefined) ?? JSON.stringify(value)

  /** A message of the transport as one line. */
  lineOf(message: JsonRpcMessage): string {
    const { id, method, result, params } = message as Readonly<Record<string, unknown>>
    const content = result ?? params
    const origin = isObject(content) ? this.#origins.get(content) : undefined
    // The transport may have given it another id. A server may write its JSON over several lines.
    const isSame = origin !== undefined && origin.id === id && origin.method === method && !/[\r\n]/.test(origin.text)
    return isSame ? origin.text : JSON.stringify(message)
  }
}
