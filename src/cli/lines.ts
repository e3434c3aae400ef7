import { Buffer } from 'node:buffer'

/** What came in between two line breaks. */
export type Line =
  | { readonly kind: 'whole' | 'unfinished'; readonly text: string }
  /** It had more bytes than are kept. */
  | { readonly kind: 'too-long'; readonly bytes: number; readonly start: string; readonly end: string }

/** How long a message may be if no flag says, in bytes: that of the package, too. */
export const MAX_MESSAGE_BYTES = 16 * 2 ** 20
/** How much is kept of both ends of a line that is too long, in bytes: enough to find its id. */
const KEPT = 256
const BREAK = 0x0a

/** Cuts a stream of bytes into lines, and keeps no more of a line than it may. */
export class Lines {
  readonly #most: number
  #parts: Buffer[] = []
  #bytes = 0
  /** The beginning of a line that is too long; `undefined` while the line is not. */
  #start: Buffer | undefined
  #end = Buffer.alloc(0)

  /** @param most - How long a line may be, in bytes. */
  constructor(most: number) {
    this.#most = most
  }

  /** The lines that these bytes end. Empty ones are left out. */
  *push(chunk: Buffer): Generator<Line, void, undefined> {
    let from = 0
    for (let at = chunk.indexOf(BREAK); at !== -1; at = chunk.indexOf(BREAK, from)) {
      this.#add(chunk.subarray(from, at))
      from = at + 1
      yield* this.#take('whole')
    }
    this.#add(chunk.subarray(from))
  }

  /** What came behind the last line break. */
  *end(): Generator<Line, void, undefined> {
    yield* this.#take('unfinished')
  }

  #add(part: Buffer): void {
    if (part.length === 0) return
    this.#bytes += part.length
    if (this.#bytes <= this.#most) return void this.#parts.push(part)
    this.#start ??= Buffer.concat([...this.#parts, part]).subarray(0, KEPT)
    this.#end = Buffer.concat([this.#parts.length > 0 ? Buffer.concat(this.#parts) : this.#end, part]).subarray(-KEPT)
    this.#parts = []
  }

  *#take(kind: 'whole' | 'unfinished'): Generator<Line, void, undefined> {
    const [parts, bytes, start, end] = [this.#parts, this.#bytes, this.#start, this.#end]
    this.#parts = []
    this.#bytes = 0
    this.#start = undefined
    this.#end = Buffer.alloc(0)
    if (start !== undefined) yield { kind: 'too-long', bytes, start: start.toString(), end: end.toString() }
    else {
      const text = Buffer.concat(parts).toString().trim()
      if (text !== '') yield { kind, text }
    }
  }
}
