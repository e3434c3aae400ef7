/**
 * A set of what belongs to users, for a limit that holds for all of them together: where it is reached, the users give who have most, so
 * that nobody makes room at the cost of others. Every operation takes the same time, however many there are. Pure.
 */
export class FairSet<T extends { readonly principal: string }> {
  readonly #shares = new Map<string, Set<T>>()
  /** The shares by their size. The last place is never empty. */
  readonly #bySize: (Set<Set<T>> | undefined)[] = []
  #size = 0

  /** How many there are. */
  get size(): number {
    return this.#size
  }

  /** The one to remove first: of those of a user who has most, the one that was added first. */
  get first(): T | undefined {
    const [share] = this.#bySize.at(-1) ?? []
    const [first] = share ?? []
    return first
  }

  /** Adds one that is not in the set. */
  add(item: T): void {
    const share = this.#shares.get(item.principal) ?? new Set()
    this.#shares.set(item.principal, share)
    this.#change(share, () => share.add(item))
  }

  /** Removes one, if it is in the set. */
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
