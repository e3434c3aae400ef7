/** Watches abort signals with one listener each, however many requests share one: Node warns about ten. */
export class Aborts<T> {
  readonly #onAborted: (item: T, reason: unknown) => void
  readonly #watched = new Map<AbortSignal, { readonly items: Set<T>; readonly listener: () => void }>()

  constructor(onAborted: (item: T, reason: unknown) => void) {
    this.#onAborted = onAborted
  }

  /** `item` is given up when the signal fires. */
  watch(signal: AbortSignal, item: T): void {
    const watched = this.#watched.get(signal)
    if (watched) {
      watched.items.add(item)
      return
    }
    const items = new Set([item])
    const listener = (): void => {
      this.#watched.delete(signal)
      for (const each of items) this.#onAborted(each, signal.reason)
    }
    this.#watched.set(signal, { items, listener })
    signal.addEventListener('abort', listener, { once: true })
  }

  /** `item` is settled: its signal no longer matters. */
  unwatch(signal: AbortSignal, item: T): void {
    const watched = this.#watched.get(signal)
    if (watched === undefined) return
    watched.items.delete(item)
    if (watched.items.size > 0) return
    this.#watched.delete(signal)
    signal.removeEventListener('abort', watched.listener)
  }
}
