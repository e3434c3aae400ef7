import type { Duplex } from 'node:stream'
import { endOfFrame, startOfPayload, TEXT_FRAME } from './frame-header.js'
import { OPEN, type WebSocketLike } from './web-socket.js'

// In bytes. A longer frame costs so much by itself that `ws` may read it.
const LONGEST_FRAME = 16_384
// Stands for bytes that are not UTF-8. A server may also have sent this very character.
const REPLACEMENT = '\ufffd'

type DataListener = (chunk: Buffer) => void

/**
 * Reads small text frames directly from the stream below `ws`, because `ws` makes several objects for each frame. All else is left to `ws`,
 * byte for byte: long and binary messages, pings, the closing handshake, and what breaks the protocol, for which `ws` then fails the
 * connection. Each frame is read by only one of the two, and in order. See docs/decisions/0012-small-frames.md.
 */
export class FrameReader {
  readonly #stream: Duplex
  readonly #socket: Pick<WebSocketLike, 'readyState'>
  readonly #longest: number
  readonly #onText: (text: string, bytes: number) => void
  /** What `ws` reads with. */
  readonly #wsListener: DataListener | undefined
  #isRetired: boolean
  /** The start of a frame whose end is still to come. */
  #held: Buffer | undefined
  /** Bytes that are still to come of the frame that `ws` is reading. */
  #left = 0

  /**
   * Takes the place of `ws` at the stream, unless others listen there as well.
   * @param stream - Shows frames and nothing else; none of them was read yet.
   * @param socket - The WebSocket above it.
   * @param maxMessageBytes - What is longer is left to `ws`.
   * @param onText - Is told each text, and its length in bytes.
   */
  constructor(
    stream: Duplex,
    socket: Pick<WebSocketLike, 'readyState'>,
    maxMessageBytes: number,
    onText: (text: string, bytes: number) => void
  ) {
    this.#stream = stream
    this.#socket = socket
    this.#longest = Math.min(maxMessageBytes, LONGEST_FRAME)
    this.#onText = onText
    const [listener, ...others] = stream.listeners('data') as DataListener[]
    this.#wsListener = listener
    this.#isRetired = listener === undefined || others.length > 0
    if (listener && !this.#isRetired) stream.off('data', listener).on('data', this.#onData)
  }

  /** Leaves all that is still to come to `ws`. */
  retire(): void {
    if (this.#isRetired || !this.#wsListener) return
    this.#isRetired = true
    this.#stream.off('data', this.#onData).on('data', this.#wsListener)
    // At the end of the stream, `ws` takes no more.
    if (this.#held && this.#socket.readyState === OPEN) this.#leave(this.#held)
  }

  readonly #onData = (bytes: Buffer): void => {
    const chunk = this.#held ? Buffer.concat([this.#held, bytes]) : bytes
    this.#held = undefined
    // Whether `ws` rejects a frame is known only after this tick. So all that follows a frame for `ws` in this chunk is left to `ws` too.
    const start = this.#left > 0 ? 0 : this.#readTexts(chunk)
    let end = start + this.#left
    while (end < chunk.length && !this.#isRetired) {
      const next = endOfFrame(chunk, end)
      if (Number.isNaN(next)) this.retire()
      else if (next === undefined || (next > chunk.length && this.#isSmallText(chunk, end, next))) break
      else end = next
    }
    if (this.#isRetired) return this.#leave(chunk.subarray(start))
    this.#left = Math.max(0, end - chunk.length)
    if (end < chunk.length) this.#held = chunk.subarray(end)
    this.#leave(chunk.subarray(start, end))
  }

  /** Reads small texts, up to the first frame that is none. @returns Where that begins. */
  #readTexts(chunk: Buffer): number {
    let start = 0
    while (start < chunk.length && !this.#isRetired && this.#socket.readyState === OPEN) {
      const end = endOfFrame(chunk, start)
      if (end === undefined || !(end <= chunk.length) || !this.#isSmallText(chunk, start, end)) break
      const payload = startOfPayload(chunk, start)
      const text = chunk.toString('utf8', payload, end)
      if (text.includes(REPLACEMENT)) break
      start = end
      this.#onText(text, end - payload)
    }
    return start
  }

  #isSmallText(chunk: Buffer, start: number, end: number): boolean {
    return chunk[start] === TEXT_FRAME && end - start <= this.#longest
  }

  #leave(bytes: Buffer): void {
    if (bytes.length > 0) this.#wsListener?.call(this.#stream, bytes)
  }
}
