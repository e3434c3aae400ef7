// Timers of a healthy process on a loaded machine come some tens of ms late, seldom hundreds.
const LATE = 1000

/** Whether what was due at `dueAt` comes so late that the process must have slept, or was blocked. */
export const isLate = (dueAt: number, now: number): boolean => now - dueAt > LATE

/** Something that falls due. Only the table below writes `heapIndex`. */
export interface Deadline {
  /** When it falls due, in ms of a monotonic clock. */
  dueAt: number
  /** Place in the heap; -1 while it has no deadline. */
  heapIndex: number
}

/**
 * Deadlines in the order in which they fall due, so that one timer can serve them all: a binary heap whose items know their place.
 * Setting the latest deadline costs O(1), which is the rule when all timeouts have the same length; everything else costs O(log n).
 */
export class Deadlines<T extends Deadline> {
  readonly #heap: T[] = []

  /** How many are set. */
  get size(): number {
    return this.#heap.length
  }

  /** When the first falls due; `Infinity` if none is set. */
  get nextDueAt(): number {
    return this.#heap[0]?.dueAt ?? Infinity
  }

  /** Sets or moves the deadline of `item`. */
  set(item: T, dueAt: number): void {
    const earlier = dueAt < item.dueAt
    item.dueAt = dueAt
    if (item.heapIndex === -1) {
      this.#place(item, this.#heap.length)
      this.#rise(item)
    } else if (earlier) this.#rise(item)
    else this.#sink(item)
  }

  /** Forgets the deadline of `item`, if it has one. */
  remove(item: T): void {
    const index = item.heapIndex
    if (index === -1) return
    item.heapIndex = -1
    const last = this.#heap.pop()
    if (last === undefined || last === item) return
    this.#place(last, index)
    this.#rise(last)
    this.#sink(last)
  }

  /** Takes out one item that is due at `now`, the earliest first. */
  takeDue(now: number): T | undefined {
    const first = this.#heap[0]
    if (first === undefined || first.dueAt > now) return undefined
    this.remove(first)
    return first
  }

  #place(item: T, index: number): void {
    this.#heap[index] = item
    item.heapIndex = index
  }

  #rise(item: T): void {
    while (item.heapIndex > 0) {
      const index = item.heapIndex
      const parent = this.#heap[(index - 1) >> 1]
      if (parent === undefined || parent.dueAt <= item.dueAt) return
      this.#place(item, parent.heapIndex)
      this.#place(parent, index)
    }
  }

  #sink(item: T): void {
    for (;;) {
      const index = item.heapIndex
      const left = this.#heap[2 * index + 1]
      const right = this.#heap[2 * index + 2]
      const child = left !== undefined && right !== undefined && right.dueAt < left.dueAt ? right : left
      if (child === undefined || child.dueAt >= item.dueAt) return
      this.#place(item, child.heapIndex)
      this.#place(child, index)
    }
  }
}
