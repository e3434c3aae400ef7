import { isHttpToken } from '../wire/subprotocol.js'

// Headers as programs give them. Node only: no browser sets headers.

// The upgrade itself sets these (RFC 6455 section 4.1): a value of the program would be dropped.
const RESERVED = /^(connection|upgrade|sec-websocket-.*)$/i

/**
 * Checks that the value can stand in a header (RFC 9110 section 5.5). An empty one is most likely a mistake.
 * @throws TypeError that says what it must be.
 */
export function checkFieldValue(name: string, value: unknown): string {
  if (typeof value === 'string' && /^[\t\x20-\x7E\x80-\xFF]+$/.test(value)) return value
  throw new TypeError(`${name} must be a non-empty string without line breaks, and without characters beyond U+00FF`)
}

/**
 * Reads the headers of an upgrade: an object, or anything that gives pairs, such as a `Map` or a `Headers`.
 * @throws TypeError that names the header, but never its value, for everything that would get lost or fail later.
 */
export function readHeaders(given: unknown = {}): Record<string, string> {
  const headers = new Map<string, [name: string, value: string]>()
  for (const entry of entriesOf(given)) {
    const [name, value] = entry as [unknown, unknown]
    if (typeof name !== 'string' || !isHttpToken(name))
      throw new TypeError('headers must have names that HTTP allows (RFC 9110 section 5.1)')
    if (RESERVED.test(name)) throw new TypeError(`headers.${name} belongs to the upgrade; for subprotocols there is the option offer`)
    if (headers.has(name.toLowerCase())) throw new TypeError(`headers.${name} is given twice`)
    headers.set(name.toLowerCase(), [name, checkFieldValue(`headers.${name}`, value)])
  }
  return Object.fromEntries(headers.values())
}

function entriesOf(given: unknown): unknown[] {
  if (typeof given === 'object' && given !== null && !('then' in given)) {
    if (!(Symbol.iterator in given)) return Object.entries(given)
    const entries = [...(given as Iterable<unknown>)]
    if (entries.every((entry) => Array.isArray(entry) && entry.length === 2)) return entries
  }
  throw new TypeError('headers must be an object, pairs of name and value, a Map or a Headers; for a promise, pass a function')
}
