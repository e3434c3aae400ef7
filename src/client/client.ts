// The client layer: the public face of the package's main entry. It joins a session host with an RPC peer, and turns their facts into
// promises and events. It knows neither sockets nor retries.

import { ClosedError, RequestTimeoutError } from '../errors.js'
import { abort, throwIfAborted } from '../lib/abort.js'
import { deferred, type Deferred } from '../lib/deferred.js'
import { guarded } from '../lib/guarded.js'
import { isObject } from '../lib/is-object.js'
import { Middlewares } from '../rpc/middlewares.js'
import { checkCall, NO_OPTIONS, RpcPeer, type Call, type CallFlow } from '../rpc/rpc-peer.js'
import type { Agreement, Era } from '../session/agreement.js'
import type { ClientEvents, StateChange } from '../session/events.js'
import { Handshake, requestMeta } from '../session/handshake.js'
import { resolveClientOptions, type ClientConfig, type Ports } from '../session/options.js'
import { makeInspectable } from '../session/inspection.js'
import { PORTS, SessionHost } from '../session/session-host.js'
import type { StateName, LifecycleState } from '../connection/lifecycle.js'
import type { Implementation, ServerCapabilities } from '../types/capabilities.js'
import type {
  ClientNotifications,
  ClientRequests,
  ClientStats,
  NotificationHandler,
  RequestContext,
  RequestHandler,
  ServerNotifications,
  ServerRequests
} from '../types/client.js'
import type { ClientRequest, Middleware, ResultTypeHandler, ServerRequest } from '../types/extensions.js'
import type { JsonRpcNotification, Params, Result } from '../types/json-rpc.js'
import type { SubscribeParams, UnsubscribeParams } from '../types/legacy.js'
import type { SubscriptionFilter } from '../types/modern.js'
import type { Awaitable, Callback, McpWebSocketClientOptions, RequestOptions } from '../types/options.js'
import type { CallToolResult, LoggingLevel } from '../types/server-features.js'
import { CREATE_ELICITATION, LISTEN, PING, SET_LEVEL, SUBSCRIBE, UNSUBSCRIBE } from '../wire/methods.js'
import { checkCapability, checkHandler, sdkForm } from './calls.js'
import { applyDefaults } from './elicitation.js'
import { McpMethods } from './methods.js'
import { OutputSchemas } from './output-schemas.js'
import { withRequestMeta } from './request-meta.js'
import { ResultTypes } from './result-types.js'
import { Subscriptions, type Subscription } from './subscriptions.js'
import { TaskNews } from './task-news.js'
import { finishTask, TASK, TASKS_EXTENSION, type TaskHost } from './tasks.js'

/** The parameters of a call after the method: the params, which may be left out if they may be `undefined`, and `More`. */
type Rest<P, More extends unknown[]> = undefined extends P ? [params?: P, ...More] : [params: P, ...More]

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
  readonly #host: SessionHost
  readonly #peer: RpcPeer
  readonly #middlewares = new Middlewares<ClientRequest>()
  readonly #resultTypes: ResultTypes
  readonly #finishTask: ResultTypeHandler
  // Made once: this is on the path of every request.
  readonly #flow: CallFlow
  readonly #subscriptions: Subscriptions
  readonly #taskNews: TaskNews
  readonly #notificationHandlers = new Map<string, NotificationHandler>()
  /** Settles at the next `ready`. */
  #nextReady: Deferred<void> | undefined
  /** Callers of `connect()` that wait for it. */
  #waitingCallers = 0
  /** Requests that wait until the era is known. */
  #waitingForEra = 0
  /** Aborts when the life ends. While the client is `closing` it belongs to the next life, if somebody has asked for one. */
  #life: AbortController | undefined
  #logLevel: LoggingLevel | undefined
  /** What the client writes into `_meta` of a modern request, as JSON without braces; made anew when the log level changes. */
  #requestMeta: string | undefined

  /**
   * Makes a client. It dials nothing yet: see {@link connect}.
   * @throws TypeError naming the option that is wrong.
   */
  constructor(options: McpWebSocketClientOptions)
  /** @internal For tests: another platform. */
  constructor(options: McpWebSocketClientOptions, ports: Ports)
  constructor(options: McpWebSocketClientOptions, ports: Ports = PORTS) {
    super()
    const config = resolveClientOptions(options, ports)
    this.#config = config
    const handshake = new Handshake(config.introduction, config.protocol)
    const session = { ...config.session, handshake, stamp: (text: string, agreement?: Agreement) => this.#stamp(text, agreement) }
    this.#host = new SessionHost(session, {
      onState: (to, ended) => this.#onState(to, ended),
      onMessage: (message, request) => this.#peer.receive(message, request),
      onFailed: (request, error) => this.#peer.fail(request, error)
    })
    this.#peer = new RpcPeer(
      this.#host.session,
      { ...config, clock: ports.clock },
      {
        onSent: (call, resent) => this.#onSent(call, resent),
        onNotification: (notification) => this.#onNotification(notification),
        onError: this.#report
      }
    )
    const lifeOf = (): AbortSignal => this.#lifeSignal
    this.#resultTypes = new ResultTypes({ peer: this.#peer, json: config.json, maxPending: config.maxPending, lifeOf })
    this.#flow = { onResult: this.#resultTypes.settle }
    const tell: TaskHost['tell'] = ({ options }, task) => void guarded(() => options.ontask?.(task), this.#report)
    this.#taskNews = new TaskNews({
      agreement: () => this.#host.session.agreement,
      listen: (filter, own) =>
        this.#subscriptions.listen(filter, own, (params, given, flow) => this.#peer.call(LISTEN, params, given, flow))
    })
    const watch: TaskHost['watch'] = (taskId) => this.#taskNews.watch(taskId)
    this.#finishTask = finishTask({ random: () => ports.clock.random(), isOver: () => this.#host.isOver, tell, watch })
    const { extensions, tasks } = config.introduction.capabilities
    if (tasks ?? extensions?.[TASKS_EXTENSION]) this.#resultTypes.accept(TASK, this.#finishTask)
    this.#subscriptions = new Subscriptions(this.#peer, (params, options, flow) => this.#send(LISTEN, params, options, flow))
    if (config.validateOutput) this.outputs = new OutputSchemas(config.validateOutput, this.#host.events)
    makeInspectable(this, 'McpWebSocketClient', this.#host, () => ({ pending: this.pendingCount, queued: this.queuedCount }))
  }

  /** Where the client is in its life: see `docs/lifecycle.md`. */
  get state(): StateName {
    return this.#host.state
  }

  /** What the last event `state` told, for whoever comes later than the event; `undefined` in a client that was never connected. */
  get lastChange(): StateChange | undefined {
    return this.#host.lastChange
  }

  /** Whether there is an outage that `connection-lost` told of: there has been no connection for more than 5 s, after there was one. */
  get isConnectionLost(): boolean {
    return this.#host.isConnectionLost
  }

  /**
   * Version of MCP that was agreed on; `undefined` before the first handshake. Like everything that was agreed on, it stays during an
   * outage.
   */
  get protocolVersion(): string | undefined {
    return this.#host.session.agreement?.version
  }

  /** The URL of the last dial, without query, userinfo and other secrets; `undefined` before the first. */
  get url(): string | undefined {
    return this.#host.session.url
  }

  /** Era of the server; `undefined` before the first handshake. */
  get era(): Era | undefined {
    return this.#host.session.agreement?.era
  }

  /** Name and version of the server, if it gave them. */
  get serverInfo(): Implementation | undefined {
    return this.#host.session.agreement?.serverInfo
  }

  /** What the server can do; `undefined` before the first handshake. */
  get serverCapabilities(): ServerCapabilities | undefined {
    return this.#host.session.agreement?.capabilities
  }

  /** What the server wants a model to know about it. */
  get instructions(): string | undefined {
    return this.#host.session.agreement?.instructions
  }

  /** The subprotocol that the server really chose; `undefined` if it chose none, or while not connected. */
  get subprotocol(): string | undefined {
    return this.#host.session.subprotocol
  }

  /** How many requests wait for a response, those included that wait for a connection. */
  get pendingCount(): number {
    return this.#peer.pendingCount
  }

  /** How many messages wait for a connection. */
  get queuedCount(): number {
    return this.#host.session.queuedCount
  }

  /** Counts since the client was made, as a copy. */
  stats(): ClientStats {
    return this.#host.stats()
  }

  /**
   * Every change of the state from now on, in order, as the event `state` tells it; ends with `closed`, or when the loop is left.
   * @example
   * ```ts
   * for await (const { to } of client.states()) console.log(to)
   * ```
   */
  states(): AsyncGenerator<StateChange, void, undefined> {
    return this.#host.states()
  }

  /**
   * Connects, if need be, and resolves when the client is `ready`. After `failed` or `closed` it starts a new life.
   * @param options - `signal` ends the wait of this caller; if nobody else waits and the client was never ready, it is closed.
   * @throws The failure that is fatal, RetriesExhaustedError, ClosedError, or the reason of `signal`.
   */
  async connect({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    return this.#start('connect', signal)
  }

  /**
   * Drops the connection and dials at once, with the retries counted anew; from `idle`, `closed` or `failed` it connects.
   * @returns Resolves when the client is `ready`.
   * @throws As {@link connect}.
   */
  async reconnect(): Promise<void> {
    return this.#start('reconnect')
  }

  /**
   * Closes the connection and ends everything: pending requests reject with ClosedError, handlers are aborted.
   * @returns Resolves when the socket is gone, at the latest after `closeTimeout`. Never rejects; all callers share one promise.
   */
  close(): Promise<void> {
    // Somebody may have called `connect()` while this life was closing: that call rejects, and no new life begins.
    if (this.state === 'closing') this.#endLife(new ClosedError('not-sent'))
    return this.#host.close()
  }

  /** The same as {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /**
   * Sends a request; while not connected it waits in the outbox.
   * @throws RpcError for the server's error response; RequestTimeoutError, ConnectionLostError, QueueFullError, ClosedError, the reason
   * of the signal, or TypeError for a wrong method, params or option.
   * @example
   * ```ts
   * const { tools } = await client.request('tools/list', {}, { timeout: 5000 })
   * ```
   */
  request<M extends keyof ClientRequests>(
    method: M,
    ...rest: Rest<ClientRequests[M]['params'], [options?: RequestOptions]>
  ): Promise<ClientRequests[M]['result']>
  request<R = Result, M extends string = string>(
    method: M extends keyof ClientRequests ? never : M,
    params?: Params,
    options?: RequestOptions
  ): Promise<R>
  request<R = Result>(method: string, params?: Params, options?: RequestOptions): Promise<R> {
    const given: unknown = method
    if (isObject(given)) return Promise.reject(sdkForm('request', `'${String(given.method)}', params, options`))
    return this.#send(method, params, options, this.#flow) as Promise<R>
  }

  /**
   * Sends a notification; while not connected it waits in the outbox.
   * @returns Resolves when it is written or queued.
   * @throws QueueFullError, ClosedError, the failure that ended the life, or TypeError for a wrong method or params, or a capability
   * that the option `capabilities` lacks.
   */
  notify<M extends keyof ClientNotifications>(method: M, ...rest: Rest<ClientNotifications[M], []>): Promise<void>
  notify<M extends string>(method: M extends keyof ClientNotifications ? never : M, params?: Params): Promise<void>
  async notify(method: string, params?: Params): Promise<void> {
    checkCapability(method, this.#config.introduction.capabilities)
    this.#peer.notify(method, params)
    return Promise.resolve()
  }

  /**
   * Sets the handler for the server's requests of this method, and for its input requests within multi round-trip requests. Works
   * before `connect()`. What the handler throws becomes an error response; the event `error` reports it, unless it has a code of its own.
   * @throws TypeError for a handler that is not a function, for a schema in place of the method, and for a method of MCP whose capability
   * is not in the option `capabilities`: the server would never ask.
   * @example
   * ```ts
   * client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///home/me/project' }] }))
   * ```
   */
  setRequestHandler<M extends keyof ServerRequests>(
    method: M,
    handler: (
      request: { readonly method: M; readonly params: ServerRequests[M]['params'] },
      context: RequestContext
    ) => Awaitable<ServerRequests[M]['result']>
  ): void
  setRequestHandler<M extends string>(method: M extends keyof ServerRequests ? never : M, handler: RequestHandler): void
  setRequestHandler(method: string, handler: (request: never, context: RequestContext) => unknown): void {
    const { capabilities } = this.#config.introduction
    checkHandler('setRequestHandler', method, handler)
    checkCapability(method, capabilities)
    const respond = handler as RequestHandler
    const completes = method === CREATE_ELICITATION && capabilities.elicitation?.form?.applyDefaults === true
    const respondCompleted: RequestHandler = async (request, context) => applyDefaults(request.params, await respond(request, context))
    this.#peer.dispatcher.set(method, completes ? respondCompleted : respond)
  }

  /** Removes the handler for this method: the server is told that the method is not found. */
  removeRequestHandler(method: string): void {
    this.#peer.dispatcher.remove(method)
  }

  /**
   * Sets the handler for the server's notifications of this method, in place of an earlier one. Works before `connect()`.
   * @throws TypeError for a handler that is not a function, and for a schema in place of the method.
   */
  setNotificationHandler<M extends keyof ServerNotifications>(
    method: M,
    handler: Callback<[notification: { readonly method: M; readonly params: ServerNotifications[M] }]>
  ): void
  setNotificationHandler<M extends string>(method: M extends keyof ServerNotifications ? never : M, handler: NotificationHandler): void
  setNotificationHandler(method: string, handler: Callback<[notification: never]>): void {
    checkHandler('setNotificationHandler', method, handler)
    this.#notificationHandlers.set(method, handler as NotificationHandler)
  }

  /** Removes the handler for notifications of this method. */
  removeNotificationHandler(method: string): void {
    this.#notificationHandlers.delete(method)
  }

  /**
   * Puts middleware around every request that the program makes, inside of the middleware that was put there before. A flow of several
   * requests, such as a multi round-trip request, goes through it only once; the option `onsent` of the request tells of each of them.
   * @returns Takes it away.
   * @throws TypeError for what is no function.
   * @example
   * ```ts
   * client.use(async (request, next) => {
   *   const startedAt = performance.now()
   *   const onsent: RequestOptions['onsent'] = ({ id, resent }) => console.log(request.method, id, resent ? 'again' : '')
   *   return next({ ...request, options: { ...request.options, onsent } }).finally(() => console.log(performance.now() - startedAt))
   * })
   * ```
   */
  use(middleware: Middleware): () => void {
    return this.#middlewares.add(middleware)
  }

  /**
   * Puts middleware around the handlers for the server's requests, inside of the middleware that was put there before.
   * @returns Takes it away.
   * @throws TypeError for what is no function.
   * @example
   * ```ts
   * client.useForServerRequests((request, next) => span(`${request.method} from the server`, () => next(request)))
   * ```
   */
  useForServerRequests(middleware: Middleware<ServerRequest>): () => void {
    return this.#peer.dispatcher.middlewares.add(middleware)
  }

  /**
   * Sets what is done with results of this `resultType`. Without a handler, a type that the client does not know rejects with
   * `INVALID_RESPONSE`. A handler for a type that it does know, such as `input_required`, replaces what the client does by itself.
   * @param handler - Gets the result, and the means to go on with the request. The caller of the request gets what it returns.
   * @throws TypeError for a handler that is no function.
   * @example
   * ```ts
   * client.acceptResultType('vendor/later', async ({ ticket }, flow) => {
   *   await flow.wait(5000)
   *   return flow.request('vendor/collect', { ticket })
   * })
   * ```
   */
  acceptResultType(type: string, handler: ResultTypeHandler): void {
    checkHandler('acceptResultType', type, handler)
    this.#resultTypes.accept(type, handler)
  }

  /**
   * Opens a subscription of the modern era; see {@link Subscription}.
   * @param options - `timeout` bounds the wait for the server's acknowledgement.
   * @throws As {@link request}, if the server does not acknowledge the subscription.
   */
  async listen(filter: SubscriptionFilter, options?: RequestOptions): Promise<Subscription> {
    checkCall(LISTEN, filter, options)
    return this.#subscriptions.listen(filter, options)
  }

  /** Registers a listener, which may be async. What it throws or rejects with goes to the event `error`; the other listeners are called all the same. */
  on<E extends keyof ClientEvents>(event: E, listener: Callback<[payload: ClientEvents[E]]>): this {
    this.#host.events.on(event, listener)
    return this
  }

  /** Registers a listener for the next event of this name only. */
  once<E extends keyof ClientEvents>(event: E, listener: Callback<[payload: ClientEvents[E]]>): this {
    this.#host.events.once(event, listener)
    return this
  }

  /** Removes a listener. */
  off<E extends keyof ClientEvents>(event: E, listener: Callback<[payload: ClientEvents[E]]>): this {
    this.#host.events.off(event, listener)
    return this
  }

  /**
   * Asks the server for a sign of life. The modern era has no `ping`: there it is `server/discover`. The round trip becomes `latency` of
   * {@link stats}, unless the request waited for a connection.
   * @returns Resolves with an empty object.
   */
  async ping(options?: RequestOptions): Promise<Result> {
    const isReady = this.state === 'ready'
    const { attempts } = this.stats()
    const startedAt = this.#peer.now()
    await this.#inEra(PING, undefined, options, () => this.discover(options))
    if (isReady && this.stats().attempts === attempts) this.#host.session.noteLatency(this.#peer.now() - startedAt)
    return {}
  }

  /** Sets the least severe log level that the server sends; in the modern era it travels with every request. */
  setLoggingLevel(level: LoggingLevel, options?: RequestOptions): Promise<Result> {
    this.#logLevel = level
    this.#requestMeta = undefined
    return this.#inEra(SET_LEVEL, { level }, options, () => Promise.resolve({}))
  }

  /**
   * Asks for `notifications/resources/updated` of a resource; the client asks again after every reconnect.
   * @throws RpcError or, in the modern era, ProtocolError if the server declines; and as {@link request}.
   */
  subscribeResource(params: SubscribeParams, options?: RequestOptions): Promise<Result> {
    return this.#inEra(SUBSCRIBE, params, options, () => this.#subscriptions.openResource(params.uri, options))
  }

  /** Ends what {@link subscribeResource} began. */
  unsubscribeResource(params: UnsubscribeParams, options?: RequestOptions): Promise<Result> {
    return this.#inEra(UNSUBSCRIBE, params, options, () => this.#subscriptions.closeResource(params.uri))
  }

  /**
   * Finishes a task that `callTool` began, for example before the program was restarted: waits for its end, and gives it the input that it
   * asks for.
   * @param taskId - The id that the option `ontask` told.
   * @param options - As of `callTool`; an abort cancels the task.
   * @returns The result of the tool.
   * @throws RpcError if the task failed, or the server does not know it; McpWebSocketError `TASK_CANCELLED`; and as {@link request}.
   */
  async resumeTask<R = CallToolResult>(taskId: string, options: RequestOptions = {}): Promise<R> {
    const method = 'tasks/result'
    if (typeof taskId !== 'string') throw new TypeError('taskId must be a string')
    checkCall(method, undefined, options)
    const finish = ({ options: given }: ClientRequest): Promise<unknown> =>
      this.#finishTask({ taskId }, this.#resultTypes.flowOf({ method, options: given, endsAt: this.endOf(given), text: undefined }))
    return this.#middlewares.run({ method, params: { taskId }, options }, finish) as Promise<R>
  }

  protected override send<R>(method: string, params: Params | undefined, options: RequestOptions | undefined, endsAt?: number): Promise<R> {
    return this.#send(method, params, options, { ...this.#flow, endsAt }) as Promise<R>
  }

  protected override endOf(options: RequestOptions = {}): number | undefined {
    return this.#peer.endOf(options)
  }

  // Made when it is needed, and dropped with the life, as is `#nextReady`: workerd forbids an `AbortController` in the scope of a module,
  // where a client may be constructed. It also lets no request of a Worker use a controller or a promise that another request made.
  get #lifeSignal(): AbortSignal {
    return (this.#life ??= new AbortController()).signal
  }

  #untilReady(): Promise<void> {
    return (this.#nextReady ??= deferred()).promise
  }

  #endLife(reason: Error): void {
    const life = this.#life
    this.#life = this.#nextReady = undefined
    if (life) abort(life, reason)
  }

  /** Sends a request of the legacy era, or does what replaces it in the modern era. Waits until the era is known. */
  async #inEra(
    method: string,
    params: Params | undefined,
    options: RequestOptions | undefined,
    modern: () => Promise<Result>
  ): Promise<Result> {
    checkCall(method, params, options)
    // Who asks at `ready` comes after those who waited for it, because what was asked for last counts.
    if ((this.era === undefined || this.#waitingForEra) && !this.#host.isOver) {
      const { signal, timeout = this.#config.requestTimeout, maxTotalTimeout = timeout } = options ?? {}
      const ms = Math.min(timeout, maxTotalTimeout)
      const late = (): Error => new RequestTimeoutError(method, ms, 'not-sent', this.#host.session.explanation)
      const known = (): Promise<void> => (this.era && !this.#nextReady ? Promise.resolve() : this.#untilReady())
      this.#waitingForEra++
      try {
        await this.#peer.waits.until(known, { signals: [signal, this.#lifeSignal], ms, late })
      } finally {
        this.#waitingForEra--
      }
    }
    return this.era === 'modern' ? modern() : this.request(method, params, options)
  }

  async #start(command: 'connect' | 'reconnect', signal?: AbortSignal): Promise<void> {
    throwIfAborted(signal)
    const signals = [signal, this.#lifeSignal]
    const { closing } = this.#host
    // The next life begins when this one is over, unless somebody closes the client again meanwhile.
    if (closing) await this.#peer.waits.until(() => closing, { signals })
    throwIfAborted(signal)
    if (command === 'connect' && this.state === 'ready') return
    this.#host.begin(command)
    const onLeave = (): void => {
      // Nobody waits for this dial any more, and the client was never ready: end it.
      const { state } = this.#host.session
      if (--this.#waitingCallers === 0 && 'life' in state && !state.life.everReady) void this.close()
    }
    // Not run if a listener has already ended the life that has just begun.
    const becomeReady = async (over: AbortSignal): Promise<void> => {
      this.#waitingCallers++
      over.addEventListener('abort', onLeave)
      await this.#untilReady()
      // The wait may have ended between `ready` and now: then this caller has left already.
      if (!over.aborted) this.#waitingCallers--
      over.removeEventListener('abort', onLeave)
    }
    return this.#peer.waits.until(becomeReady, { signals })
  }

  #onState(to: LifecycleState, ended: Error | undefined): void {
    // Only while `ready` does one call follow another within microseconds.
    this.#peer.waits.lingers = to.name === 'ready'
    if (ended) {
      this.#endLife(ended)
      this.#logLevel = this.#requestMeta = undefined
    }
    if (to.name !== 'ready') return
    this.#nextReady?.resolve()
    this.#nextReady = undefined
  }

  #stamp(text: string, agreement: Agreement | undefined): string {
    if (agreement?.era !== 'modern') return text
    this.#requestMeta ??= JSON.stringify(requestMeta(this.#config.introduction, this.#logLevel)).slice(1, -1)
    return withRequestMeta(text, this.#requestMeta, this.#config.json)
  }

  #onNotification(notification: JsonRpcNotification): void {
    const { method, params } = notification
    this.#subscriptions.onNotification(notification)
    this.#taskNews.onNotification(notification)
    const handler = this.#notificationHandlers.get(method)
    if (handler) void guarded(() => handler({ method, params }), this.#report)
    this.#host.events.emit('notification', { method, params })
  }

  #onSent({ id, method, options }: Call, resent: boolean): void {
    const { era, protocolVersion } = this
    void guarded(() => options.onsent?.({ id, method, resent, era, protocolVersion }), this.#report)
  }

  #send(method: string, params: Params | undefined, options: RequestOptions = NO_OPTIONS, flow: CallFlow): Promise<unknown> {
    // Params or options that are no objects go straight to the peer, which rejects them: middleware would make objects of them by copying.
    if (this.#middlewares.isEmpty || !isObject(options) || (params !== undefined && !isObject(params)))
      return this.#peer.call(method, params, options, flow)
    return this.#middlewares.run({ method, params, options }, (request) =>
      this.#peer.call(request.method, request.params, request.options, flow)
    )
  }

  readonly #report = (error: Error): void => this.#host.report(error)
}
