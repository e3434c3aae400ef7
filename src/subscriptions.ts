import { ClosedError, isClosedError, ProtocolError } from './errors.js'
import type { Call, RpcPeer } from './rpc-peer.js'
import type { JsonRpcNotification, Result } from './types/json-rpc.js'
import type { SubscriptionFilter } from './types/modern.js'
import type { RequestOptions } from './types/options.js'

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
  /** Settles `listen()`. */
  readonly opened: (error?: unknown) => void
  readonly ended: (end: SubscriptionEnd) => void
  /** Calls off the end that a farewell announced. */
  stay: (() => void) | undefined
}

/** The client's subscriptions of the modern era. */
export class Subscriptions {
  readonly #peer: RpcPeer
  readonly #live = new Set<Live>()
  /** Those whose farewell turned out to be the server's death. */
  readonly #lapsed = new Set<Live>()

  constructor(peer: RpcPeer) {
    this.#peer = peer
  }

  /** Opens a subscription; `options.timeout` bounds the wait for the server's acknowledgement. */
  listen(filter: SubscriptionFilter, options: RequestOptions): Promise<Subscription> {
    return new Promise((resolve, reject) => {
      let ended: Live['ended'] = () => undefined
      const closed = new Promise<SubscriptionEnd>((onEnd) => {
        ended = onEnd
      })
      const live: Live = {
        call: this.#open(filter, options),
        filter,
        honored: undefined,
        ended,
        stay: undefined,
        opened: (error) => {
          if (error !== undefined) reject(error)
          else
            resolve({
              get honoredFilter() {
                return live.honored ?? {}
              },
              closed,
              close: () => this.#close(live)
            })
        }
      }
      this.#live.add(live)
      this.#follow(live)
    })
  }

  /** A notification came in; true for those that are about a subscription as such. */
  onNotification({ method, params }: JsonRpcNotification): void {
    if (method === 'notifications/cancelled') {
      const live = this.#find(params?.requestId)
      if (live) this.#peer.fail(live.call.id, new ProtocolError('INVALID_RESPONSE', 'the server ended the subscription'))
    }
    if (method !== 'notifications/subscriptions/acknowledged') return
    const live = this.#find(params?._meta?.[SUBSCRIPTION_ID])
    if (live === undefined) return
    const first = live.honored === undefined
    live.honored = params?.notifications ?? {}
    this.#peer.waitForever(live.call)
    if (first) live.opened()
  }

  /** The socket is gone: a farewell that came just before was its death, not the subscription's. */
  onDropped(): void {
    for (const live of this.#live) {
      if (live.stay === undefined) continue
      live.stay()
      live.stay = undefined
      this.#lapsed.add(live)
    }
  }

  /** A new socket is ready: what a dying server bade farewell is opened again. */
  onReady(): void {
    for (const live of this.#lapsed) {
      live.call = this.#open(live.filter, { timeout: Infinity })
      this.#follow(live)
    }
    this.#lapsed.clear()
  }

  /** The life of the client is over. */
  onEnded(): void {
    for (const live of this.#live) if (live.stay || this.#lapsed.has(live)) this.#end(live, 'graceful')
  }

  #open(filter: SubscriptionFilter, options: RequestOptions): Call {
    return this.#peer.call('subscriptions/listen', { notifications: filter }, options)
  }

  #find(id: unknown): Live | undefined {
    for (const live of this.#live) if (live.call.id === id) return live
    return undefined
  }

  #follow(live: Live): void {
    const { call } = live
    call.promise.then(
      () => {
        if (live.honored === undefined)
          return this.#end(
            live,
            'graceful',
            new ProtocolError('INVALID_RESPONSE', 'the server ended the subscription before it acknowledged it')
          )
        live.stay = this.#peer.after(FAREWELL, () => this.#end(live, 'graceful'))
      },
      (error: unknown) => this.#end(live, isClosedError(error) ? 'local' : 'remote', error)
    )
  }

  #close(live: Live): void {
    if (!this.#live.has(live)) return
    this.#peer.abandon(live.call, new ClosedError(), 'the subscription was closed')
    this.#end(live, 'local')
  }

  #end(live: Live, end: SubscriptionEnd, error?: unknown): void {
    if (!this.#live.delete(live)) return
    live.stay?.()
    this.#lapsed.delete(live)
    if (live.honored === undefined) live.opened(error ?? new ClosedError())
    live.ended(end)
  }
}

/** Subscriptions that stand for `resources/subscribe` in the modern era: one listen for each URI. */
export class ResourceSubscriptions {
  readonly #subscriptions: Subscriptions
  readonly #byUri = new Map<string, Promise<Subscription>>()

  constructor(subscriptions: Subscriptions) {
    this.#subscriptions = subscriptions
  }

  /** Opens the listen for this URI, unless it is open. */
  async open(uri: string, options: RequestOptions = {}): Promise<Result> {
    const opening = this.#byUri.get(uri) ?? this.#subscriptions.listen({ resourceSubscriptions: [uri] }, options)
    this.#byUri.set(uri, opening)
    const forget = (): void => {
      if (this.#byUri.get(uri) === opening) this.#byUri.delete(uri)
    }
    try {
      const { closed } = await opening
      void closed.then(forget)
      return {}
    } catch (error) {
      forget()
      throw error
    }
  }

  /** Ends the listen for this URI, also one that is still opening. */
  async close(uri: string): Promise<Result> {
    const opening = this.#byUri.get(uri)
    this.#byUri.delete(uri)
    const subscription = await opening
    subscription?.close()
    return {}
  }
}
