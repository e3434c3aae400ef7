import { isObject } from '../lib/is-object.js'
import type { JsonRpcMessage, RequestId } from '../types/json-rpc.js'

// A listen lasts as long as its connection: nobody waits for its response.
const ENDLESS = 'subscriptions/listen'

/** The id of the request that a message cancels; `undefined` if the message is not a cancellation. */
export const cancelledBy = (message: JsonRpcMessage): RequestId | undefined =>
  'method' in message && message.method === 'notifications/cancelled' && isObject(message.params)
    ? (message.params.requestId as RequestId)
    : undefined

/** The requests of one client that its MCP server has not responded to yet. */
export class InFlight {
  /** Made by the first request, as an idle connection should weigh little. */
  #methods: Map<RequestId, string> | undefined
  #endless = 0

  /** How many there are. */
  get size(): number {
    return this.#methods?.size ?? 0
  }

  /** How many there are whose client waits for a response: all but `subscriptions/listen`. */
  get calls(): number {
    return this.size - this.#endless
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
    if (method === ENDLESS) this.#endless++
    return 'added'
  }

  /** The id of the listen that a message of the server ends. Any other id that a server cancels is that of a request of its own. */
  listenEndedBy(message: JsonRpcMessage): RequestId | undefined {
    const id = cancelledBy(message)
    return id !== undefined && this.#methods?.get(id) === ENDLESS ? id : undefined
  }

  /** Removes a request that was responded to or cancelled. @returns Whether it was in flight. */
  settle(id: RequestId): boolean {
    const method = this.#methods?.get(id)
    if (method === undefined) return false
    this.#methods?.delete(id)
    if (method === ENDLESS) this.#endless--
    return true
  }
}
