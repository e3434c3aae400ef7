// A copy of n items follows at the earliest when 64 + 2n were added since the last one: then it costs less than adding them did.
const LEAST = 64

/**
 * Tells when to replace a Map or Set by a copy. For one that lives long, while its items come and go.
 *
 * V8 stores a Map in a table, and links each table to the one that replaces it. If a full garbage collection meets one of them, all
 * later tables survive every minor collection until the next full one, and so do the items that were in them. That costs more CPU than the
 * Map itself. No table is linked to that of a copy.
 */
export class Turnover {
  #count = 0

  /** An item is about to be added. @param size - How many there are. @returns Whether a copy is due. */
  next(size: number): boolean {
    if (++this.#count <= LEAST + 2 * size) return false
    this.#count = 0
    return true
  }
}
