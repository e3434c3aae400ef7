import { applyDefaults } from './elicitation.js'
import { asError, checkHandler, guarded } from '../lib/guarded.js'
import { Handshake, requestMeta, stampRequest, type Era } from '../session/handshake.js'
import type { LifecycleState, StateName } from '../connection/lifecycle.js'
import { ClosedError, RequestTimeoutError, type Closure } from '../errors.js'
import { Emitter } from '../lib/emitter.js'
import { deferred, type Deferred } from '../lib/deferred.js'
import { describeChange, type ClientEvents } from '../session/events.js'
import type { ClientStats, NotificationHandler, RequestContext, RequestHandler, ServerRequests } from '../types/client.js'
import { systemClock, type Clock } from '../lib/clock.js'
import { watchPage } from '../connection/page.js'
import { openSocket } from '../socket/open-socket.js'
import { McpMethods } from './methods.js'
import { resolveClientOptions, type ClientConfig, type Ports } from '../session/options.js'
import { mayTakeRounds, runRounds } from './input-rounds.js'
import { RpcPeer } from '../rpc/rpc-peer.js'
import { Session } from '../session/session.js'
import { Subscriptions, type Subscription } from './subscriptions.js'
import { Waiters } from '../lib/waiters.js'
import type { Implementation, ServerCapabilities } from '../types/capabilities.js'
import type { JsonRpcNotification, Params, Result } from '../types/json-rpc.js'
import type { SubscriptionFilter } from '../types/modern.js'
import type { Awaitable, McpWebSocketClientOptions, RequestOptions } from '../types/options.js'
import type { LoggingLevel } from '../types/server-features.js'

const PORTS: Ports = { clock: systemClock, openSocket }

const ignore = (): void => undefined

const isOver = (state: StateName): boolean => ['closing', 'closed', 'failed'].includes(state)

/**
 * A client of an MCP server over WebSocket that reconnects by itself.
 *
 * @example
 * ```ts
 * const client = new McpWebSocketClient({ url: 'ws://127.0.0.1:8080/ws' })
 * await client.connect()
 * const { tools } = await client.listTools()
 * await client.close()
 * ```
 */
export class McpWebSocketClient extends McpMethods {
  readonly #config: ClientConfig
  readonly #clock: Clock
  readonly #session: Session
  readonly #peer: RpcPeer
  readonly #subscriptions: Subscriptions
  readonly #events = new Emitter<ClientEvents>((error, event) => {
    // What a listener of `error` throws has nowhere to go.
    if (event !== 'error') this.#trouble(error)
  })
  readonly #notificationHandlers = new Map<string, NotificationHandler>()
  /** Callers of `connect()`. */
  readonly #connecting = new Waiters()
  /** Those who wait for the era. */
  readonly #readiness = new Waiters()
  #closing: Deferred<void> | undefined
  /** Fires when the life ends: what no pending request stands for ends with it. */
  #life = new AbortController()
  #logLevel: LoggingLevel | undefined
  #unwatchPage: (() => void) | undefined
  /** How often the program called `close()`. */
  #closes = 0

  /** @throws TypeError naming the option that is wrong. */
  constructor(options: McpWebSocketClientOptions, ports: Ports = PORTS) {
    super()
    const config = resolveClientOptions(options, ports)
    const { introduction } = config
    this.#config = config
    this.#clock = ports.clock
    const onTrouble = (error: unknown): void => this.#trouble(error)
    this.#session = new Session(
      {
        ...config.session,
        handshake: new Handshake(introduction, config.protocol),
        stamp: (request, agreement) =>
          stampRequest(request, agreement?.era === 'modern' ? requestMeta(introduction, this.#logLevel) : undefined)
      },
      {
        onState: (to, from, closure) => this.#onState(to, from, closure),
        onReconnected: (reconnected) => this.#events.emit('reconnected', reconnected),
        onMessage: (message) => this.#peer.receive(message),
        onFailed: (request, error) => this.#peer.fail(request.id, error),
        onTrouble
      }
    )
    this.#peer = new RpcPeer(
      this.#session,
      { ...config, clock: ports.clock },
      {
        onNotification: (notification) => this.#onNotification(notification),
        onTrouble
      }
    )
    this.#subscriptions = new Subscriptions(this.#peer, () => this.state === 'ready')
  }

  get state(): StateName {
    return this.#session.state.name
  }

  /** Version of MCP that was agreed; like the rest of what was agreed, it stays through a lost connection. */
  get protocolVersion(): string | undefined {
    return this.#session.agreement?.version
  }

  get era(): Era | undefined {
    return this.#session.agreement?.era
  }

  get serverInfo(): Implementation | undefined {
    return this.#session.agreement?.serverInfo
  }

  get serverCapabilities(): ServerCapabilities | undefined {
    return this.#session.agreement?.capabilities
  }

  /** What the server wants a model to know about it. */
  get instructions(): string | undefined {
    return this.#session.agreement?.instructions
  }

  /** The subprotocol that the server really chose; `undefined` if none, or while not connected. */
  get subprotocol(): string | undefined {
    return this.#session.subprotocol
  }

  /** Requests that wait for an answer. */
  get pendingCount(): number {
    return this.#peer.pendingCount
  }

  /** Messages that wait for a connection. */
  get queuedCount(): number {
    return this.#session.queuedCount
  }

  stats(): ClientStats {
    return this.#session.stats
  }

  /**
   * Connects, if need be, and resolves when the client is `ready`.
   * @throws The failure that is fatal, `RetriesExhaustedError`, `ClosedError`, or the reason of `signal`.
   */
  async connect({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#start('connect', signal)
  }

  /** Drops the connection and dials at once, with the retries counted anew; from `idle`, `closed` or `failed` it connects. */
  async reconnect(): Promise<void> {
    return this.#start('reconnect')
  }

  /** Closes the connection and ends everything: pending requests reject with `ClosedError`. Never rejects. */
  close(): Promise<void> {
    this.#closes++
    if (this.state === 'closed') return Promise.resolve()
    const { promise } = (this.#closing ??= deferred())
    this.#session.command('close')
    return promise
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * Sends a request; while not connected it waits in the outbox.
   * @throws RpcError for the server's refusal; RequestTimeoutError, ConnectionLostError, QueueFullError, ClosedError, the signal's
   * reason, or TypeError for what is no request.
   */
  request<R = Result>(method: string, params?: Params, options: RequestOptions = {}): Promise<R> {
    const { promise } = this.#peer.call(method, params, options)
    if (!mayTakeRounds(method)) return promise as Promise<R>
    // Later rounds say what the first one said, whatever becomes of the caller's object; legacy servers ask for none.
    const said = this.era === 'legacy' ? undefined : guarded(() => JSON.parse(JSON.stringify(params)) as Params, ignore)
    const flow = { method, params: said, options, startedAt: this.#clock.now(), life: this.#life.signal }
    return promise.then((result) => runRounds(result, flow, this.#peer)) as Promise<R>
  }

  /** Sends a notification. @returns Resolves when it is written or queued. */
  async notify(method: string, params?: Params): Promise<void> {
    this.#peer.notify(method, params)
    return Promise.resolve()
  }

  /**
   * Answers the server's requests of this method; also its questions within multi round-trip requests. Works before `connect()`.
   * @throws TypeError for a handler that is no function.
   */
  setRequestHandler<M extends keyof ServerRequests>(
    method: M,
    handler: (
      request: { readonly method: M; readonly params: ServerRequests[M]['params'] },
      context: RequestContext
    ) => Awaitable<ServerRequests[M]['result']>
  ): void
  setRequestHandler(method: string, handler: RequestHandler): void
  setRequestHandler(method: string, handler: (request: never, context: RequestContext) => unknown): void {
    checkHandler(method, handler)
    const answer = handler as RequestHandler
    const completes = method === 'elicitation/create' && this.#config.introduction.capabilities.elicitation?.form?.applyDefaults === true
    const completed: RequestHandler = async (request, context) => applyDefaults(request.params, await answer(request, context))
    this.#peer.inbound.set(method, completes ? completed : answer)
  }

  removeRequestHandler(method: string): void {
    this.#peer.inbound.remove(method)
  }

  /**
   * Takes the server's notifications of this method; one handler for each. Works before `connect()`.
   * @throws TypeError for a handler that is no function.
   */
  setNotificationHandler(method: string, handler: NotificationHandler): void {
    checkHandler(method, handler)
    this.#notificationHandlers.set(method, handler)
  }

  removeNotificationHandler(method: string): void {
    this.#notificationHandlers.delete(method)
  }

  /** Opens a subscription of the modern era; see {@link Subscription}. `options.timeout` bounds the wait for its acknowledgement. */
  listen(filter: SubscriptionFilter, options?: RequestOptions): Promise<Subscription> {
    return this.#subscriptions.listen(filter, options)
  }

  /** Registers a listener. One that throws harms nobody else: the error goes to `error`. */
  on<E extends keyof ClientEvents>(event: E, listener: (payload: ClientEvents[E]) => void): this {
    this.#events.on(event, listener)
    return this
  }

  once<E extends keyof ClientEvents>(event: E, listener: (payload: ClientEvents[E]) => void): this {
    this.#events.once(event, listener)
    return this
  }

  off<E extends keyof ClientEvents>(event: E, listener: (payload: ClientEvents[E]) => void): this {
    this.#events.off(event, listener)
    return this
  }

  /** Sets the least severe log level that the server sends; in the modern era it travels with every request. */
  setLoggingLevel(level: LoggingLevel, options?: RequestOptions): Promise<Result> {
    this.#logLevel = level
    return this.#inEra('logging/setLevel', { level }, options, () => Promise.resolve({}))
  }

  /** Asks for `notifications/resources/updated` of a resource; asked anew after every reconnect. */
  subscribeResource({ uri }: { readonly uri: string }, options?: RequestOptions): Promise<Result> {
    return this.#inEra('resources/subscribe', { uri }, options, () => this.#subscriptions.openResource(uri, options))
  }

  /** Ends what {@link subscribeResource} began. */
  unsubscribeResource({ uri }: { readonly uri: string }, options?: RequestOptions): Promise<Result> {
    return this.#inEra('resources/unsubscribe', { uri }, options, () => this.#subscriptions.closeResource(uri))
  }

  /** A request of the legacy era with another form in the modern one: it waits until the era is known. */
  #inEra(method: string, params: Params, options: RequestOptions | undefined, modern: () => Promise<Result>): Promise<Result> {
    const act = (): Promise<Result> => (this.era === 'modern' ? modern() : this.request(method, params, options))
    if (this.era || isOver(this.state)) return act()
    const { signal, timeout = this.#config.requestTimeout } = options ?? {}
    const late = (): Error => new RequestTimeoutError(method, timeout, 'not-sent')
    const wait = (over: AbortSignal): Promise<void> => this.#readiness.wait(over)
    return this.#peer.within([signal, this.#life.signal], wait, this.#clock.now() + timeout, late).then(act)
  }

  async #start(command: 'connect' | 'reconnect', signal?: AbortSignal): Promise<void> {
    if (this.state === 'closing') {
      // A new life begins when the old one is over, unless somebody closes the client again meanwhile.
      const closes = this.#closes
      await this.#closing?.promise
      if (closes !== this.#closes) throw new ClosedError('not-sent')
    }
    signal?.throwIfAborted()
    if (command === 'connect' && this.state === 'ready') return
    if (this.#life.signal.aborted) this.#life = new AbortController()
    this.#unwatchPage ??= watchPage(this.#session)
    this.#session.command(command)
    const onLeave = (): void => {
      // Nobody waits for this dial any more, and it never served anybody.
      const { state } = this.#session
      if (this.#connecting.size === 0 && 'life' in state && !state.life.everReady) void this.close()
    }
    return this.#peer.within([signal, this.#life.signal], (over) => this.#connecting.wait(over, onLeave))
  }

  #onState(to: LifecycleState, from: LifecycleState, closure: Closure | undefined): void {
    if (to.name === from.name) return
    const change = describeChange(to, from, closure)
    const { error } = change
    // First of all: a listener may begin a new life.
    if (isOver(to.name)) this.#endLife(error ?? new ClosedError('not-sent'))
    this.#events.emit('state', change)
    if (to.name === 'ready') {
      this.#subscriptions.onReady()
      this.#connecting.resolve()
      this.#readiness.resolve()
    }
    if (error) this.#events.emit('failed', error)
    if (to.name !== 'closed') return
    this.#closing?.resolve()
    this.#closing = undefined
    this.#events.emit('close', undefined)
  }

  #endLife(error: Error): void {
    this.#life.abort(error)
    this.#unwatchPage?.()
    this.#unwatchPage = undefined
    this.#logLevel = undefined
    this.#subscriptions.onEnded()
  }

  #onNotification(notification: JsonRpcNotification): void {
    const { method, params } = notification
    this.#subscriptions.onNotification(notification)
    const handle = (): void => this.#notificationHandlers.get(method)?.({ method, params })
    guarded(handle, (error) => this.#trouble(error))
    this.#events.emit('notification', { method, params })
  }

  #trouble(error: unknown): void {
    this.#events.emit('error', asError(error))
  }
}
