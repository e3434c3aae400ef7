import type { RequestId } from '../types/json-rpc.js'

// A late answer to a question is told from one to a later question of the same id as long as the question is remembered.
const MOST_IN_VAIN = 100

/**
 * The server's requests that the SDK works on. The SDK never answers what was cancelled, so that somebody must write it off
 * in the end, or it would count as under way for ever.
 */
export class Questions {
  readonly #open = new Set<RequestId>()
  /** Cancelled and not answered, oldest first. */
  readonly #inVain = new Set<RequestId>()

  /** The request with this id goes up. */
  ask(id: RequestId): void {
    this.#open.add(id)
  }

  /** The SDK answers. */
  answer(id: RequestId): void {
    this.#open.delete(id)
    this.#inVain.delete(id)
  }

  /** The server, or the loss of its socket, cancels. @returns The id to write off, if there are too many. */
  cancel(id: RequestId): RequestId | undefined {
    if (this.#open.delete(id)) this.#inVain.add(id)
    if (this.#inVain.size <= MOST_IN_VAIN) return undefined
    const [oldest] = this.#inVain
    this.#inVain.delete(oldest as RequestId)
    return oldest
  }
}
