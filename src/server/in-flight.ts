import { cancelledId, LISTEN } from '../wire/methods.js'
import type { JsonRpcMessage, RequestId } from '../types/json-rpc.js'

/** The requests of one client that its MCP server has not responded to yet. */
export class InFlight {
  /** Made by the first request, as an idle connection should weigh little. */
  #methods: Map<RequestId, string> | undefined
  #listens = 0

  /** How many there are. */
  get size(): number {
    return this.#methods?.size ?? 0
  }

  /**
   * How many of them are calls: requests whose response the client waits for. A `subscriptions/listen` lasts as long as its connection, so
   * it is none.
   */
  get calls(): number {
    return this.size - this.#listens
  }

  /**
   * Adds a request, unless its id is in use or there are too many.
   * @param max - How many there may be.
   */
  add(id: RequestId, method: string, max: number): 'added' | 'duplicate' | 'busy' {
    if (this.#methods?.has(id)) return 'duplicate'
    if (this.size >= max) return 'busy'
    this.#methods ??= new Map()
    this.#methods.set(id, method)
    if (method === LISTEN) this.#listens++
    return 'added'
  }

  /** The id of the listen that the server ends with this message. Any other id that a server cancels belongs to a request of its own. */
  listenEndedBy(message: JsonRpcMessage): RequestId | undefined {
    const id = cancelledId(message)
    return id !== undefined && this.#methods?.get(id) === LISTEN ? id : undefined
  }

  /** Removes a request that was responded to or cancelled. @returns Whether it was in flight. */
  settle(id: RequestId): boolean {
    const method = this.#methods?.get(id)
    if (method === undefined) return false
    this.#methods?.delete(id)
    if (method === LISTEN) this.#listens--
    return true
  }
}
