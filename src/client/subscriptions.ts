import { ClosedError, isClosedError, ProtocolError } from '../errors.js'
import { deferred, type Deferred } from '../lib/deferred.js'
import type { Call, CallFlow, RpcPeer } from '../rpc/rpc-peer.js'
import { restoreFailedError } from '../session/loss-errors.js'
import type { JsonRpcNotification, Params, Result } from '../types/json-rpc.js'
import type { SubscriptionFilter } from '../types/modern.js'
import type { RequestOptions } from '../types/options.js'
import { SUBSCRIPTION_ID } from '../wire/json-rpc.js'
import { ACKNOWLEDGED, LISTEN } from '../wire/methods.js'

/**
 * How a subscription ended. `local`: `close()` of the subscription or of the client, or the caller's signal. `graceful`: the server sent a
 * result. `remote`: anything else, such as an error response of the server or a cancellation.
 */
export type SubscriptionEnd = 'local' | 'graceful' | 'remote'

/** A live `subscriptions/listen` (MCP 2026-07-28). A lost connection does not end it: it is opened again with the next one. */
export interface Subscription {
  /** The part of the filter that the server honours. */
  readonly honoredFilter: SubscriptionFilter
  /** Resolves when the subscription is over; never rejects. */
  readonly closed: Promise<SubscriptionEnd>
  /** Ends the subscription and tells the server. */
  close(): void
}

interface Live {
  /** Its request; absent until middleware hands it on. */
  call?: Call
  /** What was asked for; a program in plain JavaScript may leave it out. */
  readonly filter: SubscriptionFilter | undefined
  honored?: SubscriptionFilter
  readonly opened: Deferred<Subscription>
  readonly ended: Deferred<SubscriptionEnd>
}

/** A listen that stands for `resources/subscribe`. */
interface SharedListen {
  /** Ends the opening, when nobody waits for it any more. */
  readonly over: AbortController
  /** How many have asked for it and not given up. */
  callers: number
  /** What all of them wait for. */
  readonly opened: Deferred<Subscription>
}

/** Sends a `subscriptions/listen`. */
export type SendListen = (params: Params, options: RequestOptions | undefined, flow: CallFlow) => Promise<unknown>

/** The client's subscriptions of the modern era. The session restores them on every new socket. */
export class Subscriptions {
  readonly #peer: RpcPeer
  readonly #send: SendListen
  readonly #live = new Set<Live>()
  /** Those that stand for `resources/subscribe`: one listen for each URI. */
  readonly #byUri = new Map<string, SharedListen>()

  /** @param peer - Ends the listens. @param send - Sends them. */
  constructor(peer: RpcPeer, send: SendListen) {
    this.#peer = peer
    this.#send = send
  }

  /**
   * Opens a subscription; `options.timeout` bounds the wait for the server's acknowledgement.
   * @param send - Sends the request, if it is not to be sent as one of the program.
   * @param opened - Is settled, for those who wait for it already.
   */
  listen(
    filter: SubscriptionFilter,
    options?: RequestOptions,
    send: SendListen = this.#send,
    opened: Deferred<Subscription> = deferred()
  ): Promise<Subscription> {
    const live: Live = { filter, opened, ended: deferred() }
    this.#live.add(live)
    send({ notifications: filter }, { ...options, continueWith: () => undefined }, { onCall: (call) => void (live.call = call) }).then(
      () => this.#end(live, live.honored ? 'graceful' : 'remote', failedBy('did not acknowledge the subscription')),
      (error: unknown) => this.#end(live, options?.signal?.aborted || isClosedError(error) ? 'local' : 'remote', error)
    )
    return opened.promise
  }

  /** Opens the listen for this URI, unless it is open. @throws ProtocolError if the server declines. */
  async openResource(uri: string, options?: RequestOptions): Promise<Result> {
    const shared: SharedListen = this.#byUri.get(uri) ?? { over: new AbortController(), callers: 0, opened: deferred() }
    const forget = (): void => {
      if (this.#byUri.get(uri) === shared) this.#byUri.delete(uri)
    }
    // A caller's signal ends that caller's wait, but not an open subscription: in this it is like that of `resources/subscribe`. A call right
    // after the last abort, as React's StrictMode causes, opens a listen of its own.
    const open = (over: AbortSignal): Promise<Subscription> => {
      this.#byUri.set(uri, shared)
      over.addEventListener('abort', () => {
        if (--shared.callers > 0) return
        forget()
        shared.over.abort()
      })
      // Middleware, or `trace`, may call for the same URI meanwhile: it waits with the first caller.
      if (shared.callers++ === 0)
        void this.listen({ resourceSubscriptions: [uri] }, { ...options, signal: shared.over.signal }, undefined, shared.opened)
      return shared.opened.promise
    }
    const subscription = (await this.#peer.waits.until(open, { signals: [options?.signal] })) as Subscription
    void subscription.closed.then(forget)
    // A server declines by an acknowledgement that leaves the URI out.
    if (urisOf(subscription.honoredFilter).includes(uri)) return {}
    subscription.close()
    throw failedBy(`declined ${uri}`)
  }

  /** Ends the listen for this URI, also one that is still opening. */
  async closeResource(uri: string): Promise<Result> {
    const shared = this.#byUri.get(uri)
    this.#byUri.delete(uri)
    const subscription = await shared?.opened.promise
    subscription?.close()
    return {}
  }

  /** A notification came in, perhaps about a subscription as such. */
  onNotification({ method, params }: JsonRpcNotification): void {
    if (method !== ACKNOWLEDGED) return
    const live = [...this.#live].find(({ call }) => call?.id === params?._meta?.[SUBSCRIPTION_ID])
    const { call } = live ?? {}
    if (!live || !call) return
    const before = urisOf(live.honored)
    live.honored = params?.notifications ?? {}
    const now = urisOf(live.honored)
    live.opened.resolve({
      get honoredFilter() {
        return live.honored as SubscriptionFilter
      },
      closed: live.ended.promise,
      close: () => {
        this.#peer.abandon(call, 'closed', () => new ClosedError())
        this.#end(live, 'local')
      }
    })
    // After a reconnect it is acknowledged anew, and the server may honour less than before.
    for (const uri of urisOf(live.filter))
      if (before.includes(uri) && !now.includes(uri)) {
        if (this.#byUri.get(uri)?.opened === live.opened) void this.closeResource(uri)
        this.#peer.listener.onError(restoreFailedError(LISTEN, `the server declined ${uri}`))
      }
  }

  /** The first end counts. An error reaches the program only if the subscription was not open yet. */
  #end(live: Live, end: SubscriptionEnd, error?: unknown): void {
    this.#live.delete(live)
    live.opened.reject(error)
    live.ended.resolve(end)
  }
}

/** The URIs in a filter. In what a server sends, the member may be anything. */
const urisOf = (filter: SubscriptionFilter | undefined): readonly string[] => [filter?.resourceSubscriptions ?? []].flat()

const failedBy = (deed: string): ProtocolError => new ProtocolError('INVALID_RESPONSE', `the server ${deed}`)
