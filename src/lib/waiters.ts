/** Those who wait for one event. */
export class Waiters {
  readonly #waiting = new Set<() => void>()

  get size(): number {
    return this.#waiting.size
  }

  /**
   * @param signal - Takes this one out of the row; whoever fires it settles the wait.
   * @param onLeave - Told of that.
   */
  wait(signal: AbortSignal, onLeave?: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve)
      signal.addEventListener('abort', () => {
        this.#waiting.delete(resolve)
        onLeave?.()
      })
    })
  }

  /** The event came. */
  resolve(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
