interface Waiter {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Those who wait for one event; each may lose patience by a signal of its own. */
export class Waiters {
  readonly #waiting = new Set<Waiter>()

  get size(): number {
    return this.#waiting.size
  }

  /** @param onLeave - Told when the signal took this one out of the row. */
  wait(signal: AbortSignal | undefined, onLeave?: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(waiter)
        reject(signal?.reason)
        onLeave?.()
      }
      const done = (): void => signal?.removeEventListener('abort', onAbort)
      const waiter: Waiter = {
        resolve: () => {
          done()
          resolve()
        },
        reject: (error) => {
          done()
          reject(error)
        }
      }
      this.#waiting.add(waiter)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** The event came. */
  resolve(): void {
    for (const waiter of this.#takeAll()) waiter.resolve()
  }

  /** It will not come. */
  reject(error: unknown): void {
    for (const waiter of this.#takeAll()) waiter.reject(error)
  }

  #takeAll(): Waiter[] {
    const all = [...this.#waiting]
    this.#waiting.clear()
    return all
  }
}
