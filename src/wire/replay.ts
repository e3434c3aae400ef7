import type { ReplayLimits } from './resume-frames.js'

// What each end of a resumable session remembers: what it has sent and the other end has not acknowledged, and how much it has received.
// Both classes count data frames from the beginning of the session. A position is the number of a frame, from 1; it is never sent. They
// have no effect but on their own memory.

const lower = (one: ReplayLimits, other: ReplayLimits): ReplayLimits => ({
  messages: Math.min(one.messages, other.messages),
  bytes: Math.min(one.bytes, other.bytes)
})

/** Frames that were sent and may have to be sent again. */
export class ReplayBuffer {
  #limits: ReplayLimits
  #sent = 0
  /** The frames that are not acknowledged, behind `#unused` places that were emptied. */
  #frames: string[] = []
  #unused = 0
  #size = 0

  /** @param limits - What may be kept. */
  constructor(limits: ReplayLimits) {
    this.#limits = limits
  }

  /** How many frames were sent: the position of the last one. */
  get sent(): number {
    return this.#sent
  }

  /** How many of them the other end has acknowledged. */
  get acknowledged(): number {
    return this.#sent - this.length
  }

  /** How many frames are kept. */
  get length(): number {
    return this.#frames.length - this.#unused
  }

  /** How long they are together, in UTF-16 code units. */
  get size(): number {
    return this.#size
  }

  /** Whether nothing more may be sent until the other end acknowledges something. */
  get isFull(): boolean {
    return this.isBeyond(1)
  }

  /** Whether at least `times` times as much is kept as one of the limits allows, in frames or in length. */
  isBeyond(times: number): boolean {
    return this.length >= times * this.#limits.messages || this.isLargerThan(times)
  }

  /** Whether what is kept is at least `times` times as long as the limit of bytes allows. */
  isLargerThan(times: number): boolean {
    return this.#size >= times * this.#limits.bytes
  }

  /** The other end told its limits: the lower ones apply. */
  narrow(limits: ReplayLimits): void {
    this.#limits = lower(this.#limits, limits)
  }

  /** A frame is sent. @returns Its position. */
  push(text: string): number {
    this.#frames.push(text)
    this.#size += text.length
    return ++this.#sent
  }

  /**
   * The other end has received the frames up to `position`; it may say so again.
   * @returns `false` if it cannot have: it names more than was sent, or less than it acknowledged before.
   */
  acknowledge(position: number): boolean {
    const count = position - this.acknowledged
    if (count < 0 || count > this.length) return false
    const from = this.#unused
    this.#unused += count
    for (let index = from; index < this.#unused; index++) {
      this.#size -= (this.#frames[index] as string).length
      this.#frames[index] = ''
    }
    // Moving the rest after every acknowledgement would cost more than everything else here.
    if (this.#unused * 2 >= this.#frames.length) {
      this.#frames = this.#frames.slice(this.#unused)
      this.#unused = 0
    }
    return true
  }

  /** The frames that have to be sent again, in their order. */
  get unacknowledged(): readonly string[] {
    return this.#frames.slice(this.#unused)
  }
}

/** How many times the limits may be kept at most: an end cannot stop the program above it, which may go on sending. */
export const HARD_LIMIT = 4

// An acknowledgement is due after so many frames, or so many UTF-16 code units of text, or after `ACKNOWLEDGE_WITHIN`. To read one costs
// as much CPU as to read a message: one after every 16 frames would make every request 4 % dearer.
const MOST_FRAMES = 64
const MOST_SIZE = 256 * 1024

/** How long the acknowledgement of a received frame may take, in ms. */
export const ACKNOWLEDGE_WITHIN = 1000

/** Counts what was received, and knows when to acknowledge it. */
export class Receipts {
  #limits: ReplayLimits
  #received = 0
  #told = 0
  #size = 0

  /** @param limits - What this end keeps of what it sends. */
  constructor(limits: ReplayLimits) {
    this.#limits = limits
  }

  /** How many frames were received: the position of the last one. */
  get received(): number {
    return this.#received
  }

  /**
   * The other end told its limits. It stops sending at the lower ones, so an acknowledgement must be due before: else both ends would wait
   * for each other.
   */
  narrow(limits: ReplayLimits): void {
    this.#limits = lower(this.#limits, limits)
  }

  /** A frame came in. @returns Whether an acknowledgement is due at once. */
  note(length: number): boolean {
    this.#received++
    this.#size += length
    const { messages, bytes } = this.#limits
    return this.#received - this.#told >= Math.min(MOST_FRAMES, messages / 2) || this.#size >= Math.min(MOST_SIZE, bytes / 2)
  }

  /** The other end is told. @returns How many frames were received. */
  tell(): number {
    this.#told = this.#received
    this.#size = 0
    return this.#received
  }
}
