import { ClosedError, isClosedError, ProtocolError } from '../errors.js'
import { deferred, type Deferred } from '../lib/deferred.js'
import type { Call, RpcPeer } from '../rpc/rpc-peer.js'
import type { JsonRpcNotification, Result } from '../types/json-rpc.js'
import type { SubscriptionFilter } from '../types/modern.js'
import type { RequestOptions } from '../types/options.js'

/** How a subscription ended: by `close()` of it or of the client, by the server's farewell, or by its refusal. */
export type SubscriptionEnd = 'local' | 'graceful' | 'remote'

/** A live `subscriptions/listen` (MCP 2026-07-28). A lost connection does not end it: it is opened again with the next one. */
export interface Subscription {
  /** The part of the filter that the server honours. */
  readonly honoredFilter: SubscriptionFilter
  /** Resolves when the subscription is over; never rejects. */
  readonly closed: Promise<SubscriptionEnd>
  /** Ends it and tells the server. */
  close(): void
}

const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId'
// A server that shuts down says farewell to its listens and then closes: only the farewell of a server that stays counts.
const FAREWELL = 1000

interface Live {
  call: Call
  readonly filter: SubscriptionFilter
  honored: SubscriptionFilter | undefined
  readonly opened: Deferred<Subscription>
  readonly ended: Deferred<SubscriptionEnd>
  /** Since the server's farewell: calls off the end that it announced. */
  stay: (() => void) | undefined
}

/** The client's subscriptions of the modern era. */
export class Subscriptions {
  readonly #peer: RpcPeer
  readonly #isReady: () => boolean
  readonly #live = new Set<Live>()
  /** Those that stand for `resources/subscribe`: one listen for each URI. */
  readonly #byUri = new Map<string, Promise<Subscription>>()

  constructor(peer: RpcPeer, isReady: () => boolean) {
    this.#peer = peer
    this.#isReady = isReady
  }

  /** Opens a subscription; `options.timeout` bounds the wait for the server's acknowledgement. */
  listen(filter: SubscriptionFilter, options?: RequestOptions): Promise<Subscription> {
    const opened = deferred<Subscription>()
    const call = this.#call(filter, options)
    const live: Live = { call, filter, honored: undefined, opened, ended: deferred(), stay: undefined }
    this.#live.add(live)
    this.#follow(live)
    return opened.promise
  }

  /** Opens the listen for this URI, unless it is open. */
  async openResource(uri: string, options?: RequestOptions): Promise<Result> {
    const opening = this.#byUri.get(uri) ?? this.listen({ resourceSubscriptions: [uri] }, options)
    this.#byUri.set(uri, opening)
    const forget = (): void => {
      if (this.#byUri.get(uri) === opening) this.#byUri.delete(uri)
    }
    void opening.then(({ closed }) => closed).then(forget, forget)
    await opening
    return {}
  }

  /** Ends the listen for this URI, also one that is still opening. */
  async closeResource(uri: string): Promise<Result> {
    const opening = this.#byUri.get(uri)
    this.#byUri.delete(uri)
    const subscription = await opening
    subscription?.close()
    return {}
  }

  /** A notification came in, perhaps about a subscription as such. */
  onNotification({ method, params }: JsonRpcNotification): void {
    if (method === 'notifications/cancelled')
      this.#peer.fail(this.#find(params?.requestId)?.call.id, new ProtocolError('INVALID_RESPONSE', 'the server ended the subscription'))
    if (method !== 'notifications/subscriptions/acknowledged') return
    const live = this.#find(params?._meta?.[SUBSCRIPTION_ID])
    if (!live) return
    live.honored = params?.notifications ?? {}
    this.#peer.waitForever(live.call)
    live.opened.resolve(this.#handle(live))
  }

  /** A new socket is ready: a farewell before it was its server's death, and what that bade farewell is opened again. */
  onReady(): void {
    for (const live of this.#live) {
      if (!live.stay) continue
      live.stay()
      live.stay = undefined
      live.call = this.#call(live.filter, { timeout: Infinity })
      this.#follow(live)
    }
  }

  /** The life of the client is over. */
  onEnded(): void {
    for (const live of this.#live) if (live.stay) this.#end(live, 'graceful')
  }

  #call(filter: SubscriptionFilter, options: RequestOptions | undefined): Call {
    return this.#peer.call('subscriptions/listen', { notifications: filter }, options)
  }

  #find(id: unknown): Live | undefined {
    return [...this.#live].find(({ call }) => call.id === id)
  }

  /** What the program has of it. */
  #handle(live: Live): Subscription {
    return {
      get honoredFilter() {
        return live.honored ?? {}
      },
      closed: live.ended.promise,
      close: () => {
        this.#peer.abandon(live.call, 'closed', () => new ClosedError())
        this.#end(live, 'local')
      }
    }
  }

  #follow(live: Live): void {
    live.call.promise.then(
      () => {
        // While there is no connection it is left open: the next one, or the end of the life, decides.
        const leave = (): void => {
          if (this.#isReady()) this.#end(live, 'graceful')
        }
        if (live.honored) live.stay = this.#peer.after(FAREWELL, leave)
        else this.#end(live, 'remote', new ProtocolError('INVALID_RESPONSE', 'the server ended the subscription unacknowledged'))
      },
      (error: unknown) => this.#end(live, isClosedError(error) ? 'local' : 'remote', error)
    )
  }

  /** Of several ends the first counts, and an error only before the subscription was opened. */
  #end(live: Live, end: SubscriptionEnd, error?: unknown): void {
    this.#live.delete(live)
    live.stay?.()
    live.opened.reject(error)
    live.ended.resolve(end)
  }
}
