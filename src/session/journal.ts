import type { JsonRpcRequest, Params, RequestId } from '../types/json-rpc.js'
import type { Era } from './handshake.js'

const SET_LEVEL = 'logging/setLevel'
const SUBSCRIBE = 'resources/subscribe'

/** What must be said again on a new socket. */
export interface Restore {
  readonly method: typeof SET_LEVEL | typeof SUBSCRIBE
  readonly params: Params
}

/** What a wish is about: one with the same key takes its place. */
const keyOf = ({ method, params }: Restore): string => (method === SUBSCRIBE ? `${method} ${String(params.uri)}` : method)

/**
 * Remembers what a new socket must be told again, by watching the traffic (design: the handshake is just traffic).
 * A state of the server counts once the server confirmed it; what is in flight at a drop is the resend policy's.
 */
export class Journal {
  readonly #confirmed = new Map<string, Restore>()
  readonly #unconfirmed = new Map<RequestId, Restore>()
  /** Live `subscriptions/listen` requests with their frames: sent again verbatim, under the same id. */
  readonly #listens = new Map<RequestId, string>()

  /** A request is written: a subscription ends with the wish, a listen begins with it; the rest waits for the answer. */
  noteSent({ id, method, params = {} }: JsonRpcRequest, text: string): void {
    if (method === SET_LEVEL || method === SUBSCRIBE) this.#unconfirmed.set(id, { method, params })
    else if (method === 'resources/unsubscribe') this.#forget(keyOf({ method: SUBSCRIBE, params }))
    else if (method === 'subscriptions/listen') this.#listens.set(id, text)
  }

  /** A request ended: answered with a result, or (`confirmed` false) refused, lost or given up. */
  noteEnd(id: RequestId, confirmed: boolean): void {
    this.#listens.delete(id)
    const wish = this.#unconfirmed.get(id)
    if (wish === undefined) return
    this.#unconfirmed.delete(id)
    if (confirmed) this.#confirmed.set(keyOf(wish), wish)
  }

  /** The server refused to restore this. */
  dropRestore(restore: Restore): void {
    this.#confirmed.delete(keyOf(restore))
  }

  isListen(id: RequestId): boolean {
    return this.#listens.has(id)
  }

  /** The URIs whose updates a gap may have swallowed. */
  get subscribedUris(): string[] {
    return this.restores('legacy').flatMap(({ method, params }) => (method === SUBSCRIBE ? String(params.uri) : []))
  }

  /** Nobody wants this any more, also if its request is still under way. */
  #forget(key: string): void {
    this.#confirmed.delete(key)
    for (const [id, wish] of this.#unconfirmed) if (keyOf(wish) === key) this.#unconfirmed.delete(id)
  }

  /** What a server of this era must be told, sorted by method: the level first. The other era has no such methods. */
  restores(era: Era): Restore[] {
    return era === 'modern' ? [] : [...this.#confirmed.values()].sort((a, b) => a.method.localeCompare(b.method))
  }

  /** The live listens, oldest first. */
  listens(): [RequestId, string][] {
    return [...this.#listens]
  }

  /** A new life begins with nothing. */
  clear(): void {
    for (const notes of [this.#confirmed, this.#unconfirmed, this.#listens]) notes.clear()
  }
}
