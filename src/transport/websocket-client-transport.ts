// The entry `./transport`: the official SDK's Transport on a session host. Messages of the SDK pass through as they are: it makes its own
// handshake, which is watched and replayed, and correlates its own requests.

import type { LifecycleState, StateName } from '../connection/lifecycle.js'
import { ClosedError, type McpWebSocketError } from '../errors.js'
import { deferred, type Deferred } from '../lib/deferred.js'
import { guarded } from '../lib/guarded.js'
import { checkOptions, completeOptions, type Rules } from '../lib/option-rules.js'
import { PendingRequest, PendingRequests } from '../rpc/pending.js'
import type { ClientEvents, StateChange } from '../session/events.js'
import { CONNECTION_RULES, resolveClientOptions, type Ports } from '../session/options.js'
import { makeInspectable } from '../session/inspection.js'
import { PORTS, SessionHost } from '../session/session-host.js'
import type { ClientStats } from '../types/client.js'
import type { JsonRpcMessage, JsonRpcNotification, JsonRpcRequest, RequestId } from '../types/json-rpc.js'
import type { Callback, UrlOption } from '../types/options.js'
import type { SendOptions, WebSocketClientTransportOptions } from '../types/transport.js'
import { isRequest, isResponse } from '../wire/json-rpc.js'
import { cancelledId, DISCOVER, INITIALIZE, INITIALIZED, LISTEN } from '../wire/methods.js'
import { orderedDelivery } from '../wire/ordered-delivery.js'
import { failureOf, tidyForSdk, untidy } from './messages.js'
import { RelayedHandshake } from './relayed-handshake.js'
import { nobodyError, SERVER_BUFFER, serverOptions, ServerSide } from './server-side.js'

/** The events of a transport: those of the client, less `notification`, which the SDK delivers. */
export type TransportEvents = Omit<ClientEvents, 'notification'>

// The SDK never responds to a request that was cancelled. So many of them are remembered, to tell a late response from the response to a
// later request with the same id.
const MOST_CANCELLED = 100

const OWN_RULES: Rules = { role: ['client', 'client', 'server'], notifications: [true, true, false] }

/** What the SDK sets before it calls `start()`. */
type Callbacks = Pick<WebSocketClientTransport, 'onclose' | 'onerror' | 'onmessage'>

/**
 * A transport for the `Client` of the official SDK, v1 and v2, that reconnects below it: the client learns of no lost
 * connection, only of the requests that were lost with it. With `role: 'server'` it is one for an `McpServer` that dials out.
 *
 * @example
 * ```ts
 * const client = new Client({ name: 'app', version: '1.0.0' })
 * await client.connect(new WebSocketClientTransport('wss://mcp.example.com/ws'))
 * ```
 */
export class WebSocketClientTransport {
  /** Called once when the transport is over: by `close()`, or because it gave up. */
  onclose?: (() => void) | undefined
  /** Called with errors that belong to no request, and with the error for which the transport gave up. */
  onerror?: ((error: Error) => void) | undefined
  /** Called with every message for the SDK. */
  onmessage?: ((message: JsonRpcMessage) => void) | undefined
  /** Always `undefined`: a WebSocket is its own session, and with an id here the SDK would skip its handshake. */
  readonly sessionId: undefined = undefined
  // By these two members, v2 of the SDK recognises a channel like stdio, where silence after `server/discover` means the legacy era (MCP
  // 2026-07-28, basic/versioning).
  /** Always `null`; see `docs/transport.md`. */
  readonly stderr: null = null
  /** Always `null`; see `docs/transport.md`. */
  readonly pid: null = null
  // Only for a transport with this member does Vercel's AI SDK ask the server for its era. After a second of silence it takes the server
  // for legacy.
  /** Always `true`; see `docs/transport.md`. */
  readonly supportsProtocolVersionDiscovery = true as const
  readonly #host: SessionHost
  readonly #handshake: RelayedHandshake
  readonly #pending: PendingRequests
  readonly #takesNotifications: boolean
  readonly #upwards = orderedDelivery((message) =>
    guarded(
      () => this.onmessage?.(message),
      (error) => this.#host.report(error)
    )
  )
  /** Requests that the other end cancelled, or whose connection is gone: whatever their handlers still send is dropped. */
  readonly #givenUp = new Set<RequestId>()
  #starting: Deferred<void> | undefined
  /** Whether `onclose` was called in this life. */
  #over = false
  /** The callbacks of the last life, for a `start()` before which no others were set. */
  #last: Callbacks = {}

  /**
   * Makes a transport. It dials nothing yet: the SDK starts it.
   * @throws TypeError naming the option that is wrong.
   */
  constructor(url: UrlOption, options?: WebSocketClientTransportOptions)
  /** @internal For tests: another platform. */
  constructor(url: UrlOption, options: WebSocketClientTransportOptions | undefined, ports: Ports)
  constructor(url: UrlOption, options: WebSocketClientTransportOptions = {}, ports: Ports = PORTS) {
    // Options that concern MCP itself are rejected: they would have no effect here, because the SDK's `Client` has them.
    checkOptions(options, { ...CONNECTION_RULES, ...OWN_RULES })
    const { role, notifications, ...given } = options
    const isServer = completeOptions({ role, notifications }, OWN_RULES).role === 'server'
    this.#takesNotifications = notifications !== false
    const { session, maxPending } = resolveClientOptions({ ...(isServer ? serverOptions(given) : given), url }, ports)
    const connection = isServer ? { ...session.connection, maxBuffered: SERVER_BUFFER } : session.connection
    this.#handshake = isServer ? new ServerSide() : new RelayedHandshake()
    this.#pending = new PendingRequests(maxPending)
    this.#host = new SessionHost(
      { ...session, connection, handshake: this.#handshake, stamp: (text) => text, mostCancelled: MOST_CANCELLED },
      {
        onState: (to, ended) => this.#onState(to, ended),
        onMessage: (message) => this.#onMessage(message),
        onFailed: (request, error) => this.#onFailed(request, error),
        onError: (error) => this.#report(error)
      }
    )
    makeInspectable(this, 'WebSocketClientTransport', this.#host, () => ({ pending: this.#pending.size }))
  }

  /** Where the transport is in its life: see `docs/lifecycle.md`. */
  get state(): StateName {
    return this.#host.state
  }

  /** The subprotocol that the server really chose; `undefined` if it chose none, or while not connected. */
  get subprotocol(): string | undefined {
    return this.#host.session.subprotocol
  }

  /** Counts since the transport was made, as a copy. */
  stats(): ClientStats {
    return this.#host.stats()
  }

  /**
   * Every change of the state from now on, in order, as the event `state` tells it; ends with `closed`, or when the loop is left.
   * @example
   * ```ts
   * for await (const { to } of transport.states()) console.log(to)
   * ```
   */
  states(): AsyncGenerator<StateChange, void, undefined> {
    return this.#host.states()
  }

  /**
   * Connects, retrying as the option `reconnect` says. The SDK calls it from `connect()`.
   * @throws The failure that is fatal, RetriesExhaustedError, or ClosedError; before that `onerror` and `onclose` were called.
   */
  async start(): Promise<void> {
    // Not between the end of a life and its `onclose`, which would then end the new life.
    if (this.state !== 'idle' && !this.#over) throw new TypeError('start() was called before: connect() does that')
    this.#over = false
    const { onclose, onerror, onmessage } = this.#last
    this.onclose ??= onclose
    this.onerror ??= onerror
    this.onmessage ??= onmessage
    const { promise } = (this.#starting = deferred())
    this.#host.begin('connect')
    return promise
  }

  /**
   * Sends a message. While not connected it waits; with `role: 'server'` it is dropped, and a request is rejected.
   * @param options - Set by the SDK. What a handler sends for a request whose connection is gone is dropped.
   * @returns Resolves when the message is written or waits.
   * @throws QueueFullError, ClosedError, the failure that ended the life, or TypeError if JSON cannot hold the message.
   */
  async send(message: JsonRpcMessage, options?: SendOptions): Promise<void> {
    if (isResponse(message)) this.#host.session.respond(untidy(message))
    else if (isRequest(message)) this.#request(message, this.#reaches(options))
    else this.#notify(message, this.#reaches(options))
    return Promise.resolve()
  }

  /** Closes the connection; `onclose` follows. Never rejects. */
  close(): Promise<void> {
    return this.#host.close()
  }

  /** The SDK calls it; there is nothing to do, since no header carries the version. */
  setProtocolVersion(_version: string): void {
    // The handshake says it, and passes through this transport.
  }

  /** The SDK calls it; there is nothing to do, as in {@link setProtocolVersion}. */
  setSupportedProtocolVersions(_versions: string[]): void {
    // The handshake says them.
  }

  /** Registers a listener, which may be async. What it throws or rejects with goes to `onerror`; the other listeners are called all the same. */
  on<E extends keyof TransportEvents>(event: E, listener: Callback<[payload: TransportEvents[E]]>): this {
    this.#host.events.on(event, listener)
    return this
  }

  /** Registers a listener for the next event of this name only. */
  once<E extends keyof TransportEvents>(event: E, listener: Callback<[payload: TransportEvents[E]]>): this {
    this.#host.events.once(event, listener)
    return this
  }

  /** Removes a listener. */
  off<E extends keyof TransportEvents>(event: E, listener: Callback<[payload: TransportEvents[E]]>): this {
    this.#host.events.off(event, listener)
    return this
  }

  /** Whether a message can still reach the client or server that it is for. */
  #reaches({ relatedRequestId }: SendOptions = {}): boolean {
    if (relatedRequestId !== undefined && this.#givenUp.has(relatedRequestId)) return false
    return this.#handshake.keeps || this.state === 'ready'
  }

  #request(message: JsonRpcRequest, reaches: boolean): void {
    const { id, method, params } = message
    if (!reaches) throw nobodyError(method)
    if (this.#pending.has(id)) throw new TypeError(`a request with the id ${JSON.stringify(id)} is pending`)
    const resend = this.#resendOf(message)
    const request = new PendingRequest(id, method, params, { resend })
    this.#pending.add(request)
    try {
      if (resend) this.#forgetProbes(id)
      this.#host.session.request(message, request)
    } catch (error) {
      this.#pending.take(id)
      throw error
    }
    this.#handshake.noteRequest(message)
  }

  /** A first handshake that breaks off is begun again, whatever the policy says: it does no harm when it runs twice. */
  #resendOf({ method }: JsonRpcRequest): PendingRequest['resend'] {
    if (method === INITIALIZE) return 'always'
    // Only once: a server that hangs up on the probe twice does not know it, and that is the answer.
    return method === DISCOVER && this.#handshake.agreed === undefined ? true : undefined
  }

  /** An SDK that goes on to `initialize`, or probes again, has given up its probe: the silence after it must not count as a pending call. */
  #forgetProbes(newId: RequestId): void {
    for (const request of [...this.#pending.all()]) {
      if (request.method !== DISCOVER || request.id === newId) continue
      this.#pending.take(request.id)
      this.#host.session.cancel(request, '', null)
    }
  }

  #notify(message: JsonRpcNotification, reaches: boolean): void {
    // It never waits for a later socket: the replay of the handshake includes it.
    if (message.method === INITIALIZED && !this.#handshake.noteInitialized()) return
    const id = cancelledId(message)
    const request = id === undefined ? undefined : this.#pending.take(id)
    if (request) this.#host.session.cancel(request, '', message)
    else if (reaches) this.#host.session.notify(message)
  }

  #onMessage(message: JsonRpcMessage): void {
    if (isResponse(message)) {
      this.#handshake.noteResponse(message)
      this.#pending.take(message.id as RequestId)
    }
    const tidy = tidyForSdk(message)
    if (isRequest(tidy)) {
      this.#givenUp.delete(tidy.id)
      this.#handshake.noteReceived(tidy)
    } else if (!isResponse(message)) {
      this.#noteCancelled(message, cancelledId(tidy))
      if (!this.#takesNotifications) return
    }
    this.#upwards.take(tidy)
  }

  /** The server may end a listen with `notifications/cancelled`; any other id that it names belongs to a request of its own. */
  #noteCancelled(notification: JsonRpcNotification, upperId: RequestId | undefined): void {
    const id = cancelledId(notification)
    if (id === undefined || upperId === undefined) return
    const request = this.#pending.take(id)
    if (request?.method === LISTEN) return
    if (request) this.#pending.add(request)
    this.#givenUp.add(upperId)
    const [oldest] = this.#givenUp
    if (oldest !== undefined && this.#givenUp.size > MOST_CANCELLED) this.#givenUp.delete(oldest)
  }

  #onFailed({ id }: PendingRequest, error: McpWebSocketError): void {
    const request = this.#pending.take(id)
    // After close() the SDK itself rejects what is pending.
    if (request && error.code !== 'CLOSED') this.#upwards.take(failureOf(request, error))
  }

  #onState({ name }: LifecycleState, ended: Error | undefined): void {
    if (name === 'ready') this.#starting?.resolve()
    // Not while it is closing: messages may still come in.
    if (name === 'closed' || name === 'failed') this.#endLife(name === 'failed' ? ended : undefined)
  }

  #endLife(failure: Error | undefined): void {
    this.#upwards.flush()
    this.#pending.takeAll()
    this.#starting?.reject(failure ?? new ClosedError('not-sent'))
    this.#starting = undefined
    if (failure) this.#report(failure)
    if (!this.#over) this.#callOnclose()
  }

  #callOnclose(): void {
    this.#over = true
    const { onclose, onerror, onmessage } = this
    this.#last = { onclose, onerror, onmessage }
    // The SDK also calls the callbacks that it finds here. If its own stayed, they would be called twice for everything in the next life.
    this.onclose = this.onerror = this.onmessage = undefined
    guarded(
      () => onclose?.call(this),
      (thrown) => this.#host.report(thrown)
    )
  }

  /** What `onerror` itself throws has nowhere to go. */
  #report(error: Error): void {
    guarded(
      () => (this.onerror ?? this.#last.onerror)?.(error),
      () => undefined
    )
  }
}
