/** Watches abort signals with one listener each, however many items share one: Node warns about ten. */
export class Aborts<T> {
  readonly #onAborted: (item: T, reason: unknown) => void
  readonly #watched = new Map<AbortSignal, Set<T>>()
  readonly #listener = (event: Event): void => {
    const signal = event.target as AbortSignal
    for (const item of this.#watched.get(signal) ?? []) this.#onAborted(item, signal.reason)
  }

  /** @param onAborted - Has to see to it that the item is unwatched. */
  constructor(onAborted: (item: T, reason: unknown) => void) {
    this.#onAborted = onAborted
  }

  /** `item` is given up when the signal fires, or now if it has fired. */
  watch(signal: AbortSignal, item: T): void {
    if (signal.aborted) return this.#onAborted(item, signal.reason)
    const items = this.#watched.get(signal)
    if (items) items.add(item)
    else {
      this.#watched.set(signal, new Set([item]))
      signal.addEventListener('abort', this.#listener)
    }
  }

  /** `item` is settled: its signal no longer matters. */
  unwatch(signal: AbortSignal, item: T): void {
    const items = this.#watched.get(signal)
    items?.delete(item)
    if (items?.size !== 0) return
    this.#watched.delete(signal)
    signal.removeEventListener('abort', this.#listener)
  }
}
