// Characters that would steer the terminal (C0, DEL, C1: ECMA-48), and those that turn the direction of text, so that it reads as
// something else (Unicode Technical Report 36). A tab and a line break do no harm.
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

const escaped = (character: string): string => {
  const code = character.charCodeAt(0)
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
}

/**
 * The text of a server as a terminal may show it: characters that would steer the terminal are written as escapes, such as `\x1b`.
 * @param text - Whatever the server sent; anything but a string becomes an empty one.
 */
export const printable = (text: unknown): string =>
  typeof text === 'string' ? text.replaceAll('\r\n', '\n').replace(STEERING, escaped) : ''

/** The same on one line. @param most - In characters; what is longer ends with `…`. */
export function printableLine(text: unknown, most = Infinity): string {
  const line = printable(text).trim().replace(/\s+/g, ' ')
  return line.length > most ? `${line.slice(0, most - 1)}…` : line
}

/** JSON as a terminal may show it: what `JSON.stringify` leaves of such characters is escaped, and it stays the same JSON. */
export const printableJson = (value: unknown, indent?: number): string =>
  (JSON.stringify(value, null, indent) || 'null').replace(
    // `JSON.stringify` escapes line breaks in texts, so those that are left belong to the indentation.
    STEERING,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  )
