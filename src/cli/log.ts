import type { Output } from './io.js'

// In bytes. Whoever is so far behind does not read, and what nobody reads must not fill the memory.
const MOST_UNREAD = 2 ** 20

/** Says things on standard error, one or more lines each. Nobody has to read them: what finds no place is left out, and counted. */
export function logTo(stderr: Output): (words: string) => void {
  let leftOut = 0
  return (words) => {
    if (stderr.writableLength > MOST_UNREAD) {
      leftOut++
      return
    }
    if (leftOut > 0) stderr.write(`(left out here, as nobody read it: ${String(leftOut)} messages)\n`)
    leftOut = 0
    stderr.write(`${words}\n`)
  }
}
