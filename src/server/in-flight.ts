import { isObject } from '../wire/json-rpc.js'
import type { JsonRpcMessage, RequestId } from '../types/json-rpc.js'

// A listen lasts as long as its connection: nobody waits for its answer.
const ENDLESS = 'subscriptions/listen'

/** The id that a message cancels, if it is a cancellation. */
export const cancelledBy = (message: JsonRpcMessage): RequestId | undefined =>
  'method' in message && message.method === 'notifications/cancelled' && isObject(message.params)
    ? (message.params.requestId as RequestId)
    : undefined

/** The requests of one client that its MCP server has not answered yet. An idle connection has no table. */
export class InFlight {
  #methods: Map<RequestId, string> | undefined
  #endless = 0

  /** All of them. */
  get size(): number {
    return this.#methods?.size ?? 0
  }

  /** Those that somebody waits for. */
  get calls(): number {
    return this.size - this.#endless
  }

  /** Notes a request, unless its id is in use or there are too many. */
  admit(id: RequestId, method: string, most: number): 'admitted' | 'duplicate' | 'busy' {
    if (this.#methods?.has(id)) return 'duplicate'
    if (this.size >= most) return 'busy'
    this.#methods ??= new Map()
    this.#methods.set(id, method)
    if (method === ENDLESS) this.#endless++
    return 'admitted'
  }

  /** The listen that a message of the server ends. Any other id that a server cancels is one of its own. */
  listenEndedBy(message: JsonRpcMessage): RequestId | undefined {
    const id = cancelledBy(message)
    return id !== undefined && this.#methods?.get(id) === ENDLESS ? id : undefined
  }

  /** The request was answered, or cancelled. @returns Whether it was in flight. */
  settle(id: RequestId): boolean {
    const method = this.#methods?.get(id)
    if (method === undefined) return false
    this.#methods?.delete(id)
    if (method === ENDLESS) this.#endless--
    return true
  }
}
