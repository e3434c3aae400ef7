import type { JsonRpcRequest, Params, RequestId } from '../types/json-rpc.js'
import type { Era } from './eras.js'

/** What must be said again on a new socket. */
export interface Restore {
  readonly method: 'logging/setLevel' | 'resources/subscribe'
  readonly params: Params
}

/**
 * Remembers what a new socket must be told again, by watching the traffic (design: the handshake is just traffic).
 * A state of the server counts once the server confirmed it; what is in flight at a drop is the resend policy's.
 */
export class Journal {
  #level: Params | undefined
  readonly #subscriptions = new Map<string, Params>()
  /** Live `subscriptions/listen` requests with their frames: sent again verbatim, under the same id. */
  readonly #listens = new Map<RequestId, string>()
  readonly #unconfirmed = new Map<RequestId, Restore>()

  /** A request is written: a subscription ends with the wish, a listen begins with it; the rest waits for the answer. */
  noteSent(request: JsonRpcRequest, text: string): void {
    const { id, method, params = {} } = request
    if (method === 'logging/setLevel' || method === 'resources/subscribe') this.#unconfirmed.set(id, { method, params })
    else if (method === 'resources/unsubscribe') this.#forget(String(params.uri))
    else if (method === 'subscriptions/listen') this.#listens.set(id, text)
  }

  /** A request ended: answered with a result, or (`confirmed` false) refused, lost or given up. */
  noteEnd(id: RequestId, confirmed: boolean): void {
    this.#listens.delete(id)
    const wish = this.#unconfirmed.get(id)
    if (wish === undefined) return
    this.#unconfirmed.delete(id)
    if (!confirmed) return
    if (wish.method === 'logging/setLevel') this.#level = wish.params
    else this.#subscriptions.set(String(wish.params.uri), wish.params)
  }

  /** The server refused to restore this. */
  dropRestore(restore: Restore): void {
    if (restore.method === 'logging/setLevel') this.#level = undefined
    else this.#subscriptions.delete(String(restore.params.uri))
  }

  isListen(id: RequestId): boolean {
    return this.#listens.has(id)
  }

  /** The URIs whose updates a gap may have swallowed. */
  get subscribedUris(): string[] {
    return [...this.#subscriptions.keys()]
  }

  /** Nobody wants this resource any more, also if its subscribe is still under way. */
  #forget(uri: string): void {
    this.#subscriptions.delete(uri)
    for (const [id, { method, params }] of this.#unconfirmed) {
      if (method === 'resources/subscribe' && String(params.uri) === uri) this.#unconfirmed.delete(id)
    }
  }

  /** What a server of this era must be told; the other era has no such methods. */
  restores(era: Era): Restore[] {
    if (era === 'modern') return []
    const subscriptions = [...this.#subscriptions.values()].map((params): Restore => ({ method: 'resources/subscribe', params }))
    return this.#level ? [{ method: 'logging/setLevel', params: this.#level }, ...subscriptions] : subscriptions
  }

  /** The live listens, oldest first. */
  listens(): [RequestId, string][] {
    return [...this.#listens]
  }

  /** A new life begins with nothing. */
  clear(): void {
    this.#level = undefined
    this.#subscriptions.clear()
    this.#listens.clear()
    this.#unconfirmed.clear()
  }
}
