/**
 * A set of items that belong to users, for one limit on all of them together. When the limit is reached, a user who has most has to give
 * one up, so that nobody can take the place of others. Every operation takes the same time, however many items there are. Pure.
 */
export class FairSet<T extends { readonly principal: string }> {
  readonly #shares = new Map<string, Set<T>>()
  /** The shares by their size. The last place is never empty. */
  readonly #bySize: (Set<Set<T>> | undefined)[] = []
  #size = 0

  /** How many items there are. */
  get size(): number {
    return this.#size
  }

  /** The item to remove first: the oldest one of a user who has most. */
  get first(): T | undefined {
    const [share] = this.#bySize.at(-1) ?? []
    const [first] = share ?? []
    return first
  }

  /** Adds an item that is not in the set. */
  add(item: T): void {
    const share = this.#shares.get(item.principal) ?? new Set()
    this.#shares.set(item.principal, share)
    this.#change(share, () => share.add(item))
  }

  /** Removes an item, if it is in the set. */
  delete(item: T): void {
    const share = this.#shares.get(item.principal)
    if (!share?.has(item)) return
    this.#change(share, () => share.delete(item))
    if (share.size === 0) this.#shares.delete(item.principal)
  }

  #change(share: Set<T>, change: () => unknown): void {
    this.#bySize[share.size]?.delete(share)
    this.#size -= share.size
    change()
    this.#size += share.size
    if (share.size > 0) (this.#bySize[share.size] ??= new Set()).add(share)
    while (this.#bySize.length > 0 && !this.#bySize.at(-1)?.size) this.#bySize.pop()
  }
}
