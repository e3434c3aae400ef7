import type { Writable } from 'node:stream'
import { MASKED, TEXT_FRAME, TWO_BYTES_FOLLOW } from './frame-header.js'
import { OPEN, type WebSocketLike } from './web-socket.js'

const MASK_LENGTH = 4
const LONGEST_HEADER = 4 + MASK_LENGTH
// In UTF-16 code units, each of which takes up to 3 bytes. A longer text costs so much by itself that `ws` may write it.
const LONGEST_TEXT = 2048
// In bytes, a multiple of 4. Frames are written into it one behind the other; bytes that were handed to the stream are never overwritten.
// Every client has one, so it is no larger than needed.
const BLOCK = 16_384
// In bytes: some tens of small requests. With larger pieces the server would idle while this side writes, and this side while the server
// works.
const MOST_WAITING = 4096
// Random masks that were drawn in advance, for all writers: drawing one by one would cost more than everything else here.
const masks = new Int32Array(2048)
const maskBytes = new Uint8Array(masks.buffer)
let lastMask = masks.length

/** @returns The place of a mask in `masks`; its bytes begin at four times that in `maskBytes`. */
function drawMask(): number {
  if (++lastMask < masks.length) return lastMask
  crypto.getRandomValues(masks)
  return (lastMask = 0)
}

/**
 * Writes text frames directly into the stream below `ws`. With `ws`, a small request costs a system call, which takes most of its time;
 * here the frames of one tick leave together, in pieces of at most 4 KiB. Pings, closing and long messages stay with `ws`, and come after a
 * {@link flush}. See docs/decisions/0012-small-frames.md.
 *
 * Nothing is written once the socket is closing, as nothing may follow a close frame (RFC 6455 section 5.5.1).
 */
export class FrameWriter {
  readonly #stream: Writable
  readonly #socket: Pick<WebSocketLike, 'readyState'>
  #block: Buffer | undefined
  #words = new Int32Array(0)
  /** Where the bytes begin that the stream does not have yet, and where they end. */
  #start = 0
  #end = 0
  #flushes = false

  /** @param stream - Takes nothing but whole frames. @param socket - The WebSocket above it. */
  constructor(stream: Writable, socket: Pick<WebSocketLike, 'readyState'>) {
    this.#stream = stream
    this.#socket = socket
  }

  /** Bytes that the stream does not have yet. */
  get waiting(): number {
    return this.#end - this.#start
  }

  /** Takes a text, to be written before the end of this tick. @returns Its length in bytes; `undefined` if it is too long. */
  write(text: string): number | undefined {
    if (text.length > LONGEST_TEXT) return undefined
    let block = this.#block
    if (block === undefined || this.#end + LONGEST_HEADER + 3 * text.length > BLOCK) block = this.#renewBlock()
    const frame = this.#end
    // The header has room for the length that an ASCII text would have; a text that turns out longer moves.
    let payload = frame + MASK_LENGTH + (text.length < TWO_BYTES_FOLLOW ? 2 : 4)
    const length = block.write(text, payload)
    if (length >= TWO_BYTES_FOLLOW) {
      if (text.length < TWO_BYTES_FOLLOW) block.copyWithin((payload += 2), payload - 2, payload - 2 + length)
      block[frame + 1] = MASKED | TWO_BYTES_FOLLOW
      block[frame + 2] = length >> 8
      block[frame + 3] = length
    } else block[frame + 1] = MASKED | length
    block[frame] = TEXT_FRAME
    this.#end = payload + length
    this.#maskFrom(payload, block)
    if (this.waiting >= MOST_WAITING) this.flush()
    else if (!this.#flushes) {
      this.#flushes = true
      // A microtask first: Node runs ticks before the microtasks of a callback. With a tick alone, what is written while a chunk is read,
      // such as an acknowledgement, would leave in a system call of its own, before the requests that follow from the responses in that
      // chunk.
      queueMicrotask(this.#onMicrotask)
    }
    return length
  }

  /** Hands the stream what waits. */
  flush(): void {
    if (this.waiting === 0) return
    const bytes = this.#block?.subarray(this.#start, this.#end)
    this.#start = this.#end
    if (this.#socket.readyState === OPEN && this.#stream.writable) this.#stream.write(bytes)
  }

  readonly #onMicrotask = (): void => process.nextTick(this.#onTickEnd)

  readonly #onTickEnd = (): void => {
    this.#flushes = false
    this.flush()
  }

  #renewBlock(): Buffer {
    this.flush()
    const block = Buffer.allocUnsafeSlow(BLOCK)
    this.#block = block
    this.#words = new Int32Array(block.buffer)
    this.#start = this.#end = 0
    return block
  }

  /**
   * Masks the payload, which begins at `from` and is the last in the block, with a mask that nobody can predict (RFC 6455 section 5.3).
   * The mask is aligned to multiples of four in the block, so that four bytes are masked at once. The key in the header is the mask, turned
   * so that it begins at the first byte of the payload.
   */
  #maskFrom(from: number, block: Buffer): void {
    const drawn = drawMask()
    const mask = masks[drawn] ?? 0
    const byteAt = (at: number): number => maskBytes[4 * drawn + (at & 3)] ?? 0
    const key = from - MASK_LENGTH
    for (let at = key; at < from; at++) block[at] = byteAt(at)
    const words = this.#words
    const end = this.#end
    const lastWord = end >> 2
    let at = from
    for (; at < end && (at & 3) !== 0; at++) block[at] = (block[at] ?? 0) ^ byteAt(at)
    for (let word = at >> 2; word < lastWord; word++) words[word] = (words[word] ?? 0) ^ mask
    for (at = Math.max(at, lastWord << 2); at < end; at++) block[at] = (block[at] ?? 0) ^ byteAt(at)
  }
}
