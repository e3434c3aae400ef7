/** What happens when, without waiting for it: runs everything in the order of its time. */
export class EventQueue {
  // A binary heap: a child comes no sooner than its parent.
  readonly #heap: { readonly at: number; readonly run: (at: number) => void }[] = []

  /** Lets `run` happen at a time that has not come yet. */
  add(at: number, run: (at: number) => void): void {
    const heap = this.#heap
    const added = { at, run }
    let place = heap.push(added) - 1
    while (place > 0) {
      const above = (place - 1) >> 1
      if (heap[above]!.at <= at) break
      heap[place] = heap[above]!
      place = above
    }
    heap[place] = added
  }

  /** Runs all that was added, and what that adds. */
  run(): void {
    for (let next = this.#take(); next; next = this.#take()) next.run(next.at)
  }

  #take(): { readonly at: number; readonly run: (at: number) => void } | undefined {
    const heap = this.#heap
    const first = heap[0]
    const last = heap.pop()
    if (heap.length === 0 || last === undefined) return first
    let place = 0
    for (;;) {
      let below = 2 * place + 1
      if (below >= heap.length) break
      if (below + 1 < heap.length && heap[below + 1]!.at < heap[below]!.at) below++
      if (heap[below]!.at >= last.at) break
      heap[place] = heap[below]!
      place = below
    }
    heap[place] = last
    return first
  }
}
