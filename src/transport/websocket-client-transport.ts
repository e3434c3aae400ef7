import { isUp } from '../connection/connection.js'
import { guarded } from '../lib/guarded.js'
import { isErrorResponse, isRequest, isResponse } from '../wire/json-rpc.js'
import type { LifecycleState, StateName } from '../connection/lifecycle.js'
import { PendingRequests, type PendingRequest } from '../rpc/pending.js'
import { RelayedHandshake } from './relayed-handshake.js'
import { ClosedError, QueueFullError, type Closure, type McpWebSocketError } from '../errors.js'
import { deferred, type Deferred } from '../lib/deferred.js'
import { Emitter } from '../lib/emitter.js'
import { describeChange, type ClientEvents } from '../session/events.js'
import { cancelledId } from '../session/server-requests.js'
import { systemClock } from '../lib/clock.js'
import { orderedDelivery } from '../wire/ordered-delivery.js'
import { watchPage } from '../connection/page.js'
import { openSocket } from '../socket/open-socket.js'
import { checkOptions, resolveClientOptions, type Ports } from '../session/options.js'
import { Session } from '../session/session.js'
import type { ClientStats } from '../types/client.js'
import type { JsonRpcMessage, JsonRpcNotification, JsonRpcRequest, JsonRpcResponse, RequestId } from '../types/json-rpc.js'
import type { UrlOption } from '../types/options.js'
import type { WebSocketClientTransportOptions } from '../types/transport.js'
import { Farewells } from './farewells.js'
import { failureOf, tidyForSdk, untidy } from './messages.js'
import { Questions } from './questions.js'
import { relayed, type Relayed } from './relayed.js'

/** The events of a transport: those of the client, less `notification`, which is the SDK's to tell. */
export type TransportEvents = Omit<ClientEvents, 'notification'>

const PORTS: Ports = { clock: systemClock, openSocket }
const DISCOVER = 'server/discover'
const INITIALIZE = 'initialize'

/** What the SDK sets before it calls `start()`. */
type Callbacks = Pick<WebSocketClientTransport, 'onclose' | 'onerror' | 'onmessage'>

/**
 * A transport for the `Client` of the official SDK, v1 and v2, that reconnects below it: the client learns of no lost
 * connection, only of the requests that were lost with it.
 *
 * @example
 * ```ts
 * const client = new Client({ name: 'app', version: '1.0.0' })
 * await client.connect(new WebSocketClientTransport('wss://mcp.example.com/ws'))
 * ```
 */
export class WebSocketClientTransport {
  /** Called once when the transport is over: by `close()`, or because it gave up. */
  onclose?: () => void
  /** Called with trouble that belongs to no request, and with the error for which the transport gave up. */
  onerror?: (error: Error) => void
  onmessage?: (message: JsonRpcMessage) => void
  /** Always `undefined`: a WebSocket is its own session, and with an id here the SDK would skip its handshake. */
  readonly sessionId: undefined = undefined
  // v2 of the SDK knows a channel like stdio, on which silence after `server/discover` means the legacy era (MCP 2026-07-28,
  // basic/versioning), by these two members.
  /** Always `null`; see `docs/transport.md`. */
  readonly stderr: null = null
  /** Always `null`; see `docs/transport.md`. */
  readonly pid: null = null
  readonly #session: Session
  readonly #handshake = new RelayedHandshake()
  readonly #maxPending: number
  readonly #pending = new PendingRequests<Relayed>()
  readonly #farewells: Farewells
  readonly #questions = new Questions()
  readonly #upwards = orderedDelivery((message) =>
    guarded(
      () => this.onmessage?.(message),
      (error) => this.#trouble(error)
    )
  )
  readonly #events = new Emitter<TransportEvents>((error, event) => {
    // What a listener of `error` throws has nowhere to go.
    if (event !== 'error') this.#trouble(error)
  })
  #starting: Deferred<void> | undefined
  #closing: Deferred<void> | undefined
  #unwatchPage: (() => void) | undefined
  /** Whether `onclose` was called in this life. */
  #over = false
  /** The callbacks of the last life, for a `start()` without others. */
  #last: Callbacks = {}

  /** @throws TypeError naming the option that is wrong. */
  constructor(url: UrlOption, options: WebSocketClientTransportOptions = {}, ports: Ports = PORTS) {
    checkOptions(options)
    const { session, maxPending } = resolveClientOptions({ ...options, url }, ports)
    this.#maxPending = maxPending
    this.#farewells = new Farewells(ports.clock, (words) => this.#upwards.take(words))
    this.#session = new Session(
      { ...session, handshake: this.#handshake, stamp: (request) => this.#handshake.stamp(request) },
      {
        onState: (to, from, closure) => this.#onState(to, from, closure),
        onReconnected: (reconnected) => this.#events.emit('reconnected', reconnected),
        onMessage: (message) => this.#onMessage(message),
        onFailed: (request, error) => this.#onFailed(request, error),
        onTrouble: (error) => this.#trouble(error)
      }
    )
  }

  get state(): StateName {
    return this.#session.state.name
  }

  /** The subprotocol that the server really chose; `undefined` if none, or while not connected. */
  get subprotocol(): string | undefined {
    return this.#session.subprotocol
  }

  stats(): ClientStats {
    return this.#session.stats
  }

  /**
   * Connects, retrying as the option `reconnect` says; the SDK calls it from `connect()`.
   * @throws The failure that is fatal, `RetriesExhaustedError`, or `ClosedError`; before that `onerror` and `onclose` were called.
   */
  async start(): Promise<void> {
    // Not before `onclose`, which would end the new life.
    if (this.state !== 'idle' && !this.#over) throw new TypeError('start() was called before: connect() does that')
    this.#over = false
    const { onclose, onerror, onmessage } = this.#last
    this.onclose ??= onclose
    this.onerror ??= onerror
    this.onmessage ??= onmessage
    const { promise } = (this.#starting = deferred())
    this.#unwatchPage = watchPage(this.#session)
    this.#session.command('connect')
    return promise
  }

  /**
   * Sends a message; while not connected it waits.
   * @returns Resolves when the message is written or waits.
   * @throws QueueFullError, ClosedError, the failure that ended the life, or TypeError for what is no JSON.
   */
  async send(message: JsonRpcMessage): Promise<void> {
    if (isResponse(message)) this.#answer(untidy(message))
    else if (isRequest(message)) this.#request(message)
    else this.#notify(message)
    return Promise.resolve()
  }

  /** Closes the connection; `onclose` follows. Never rejects. */
  close(): Promise<void> {
    if (this.state === 'closed') return Promise.resolve()
    const { promise } = (this.#closing ??= deferred())
    this.#session.command('close')
    return promise
  }

  /** Accepted and not needed: no header carries the version. */
  setProtocolVersion(_version: string): void {
    // The handshake, which passes through, says it.
  }

  /** Accepted and not needed, as {@link setProtocolVersion}. */
  setSupportedProtocolVersions(_versions: string[]): void {
    // The handshake says them.
  }

  /** Registers a listener. One that throws harms nobody else: the error goes to `onerror`. */
  on<E extends keyof TransportEvents>(event: E, listener: (payload: TransportEvents[E]) => void): this {
    this.#events.on(event, listener)
    return this
  }

  once<E extends keyof TransportEvents>(event: E, listener: (payload: TransportEvents[E]) => void): this {
    this.#events.once(event, listener)
    return this
  }

  off<E extends keyof TransportEvents>(event: E, listener: (payload: TransportEvents[E]) => void): this {
    this.#events.off(event, listener)
    return this
  }

  #answer(response: JsonRpcResponse): void {
    this.#session.send(response)
    this.#questions.answer(response.id as RequestId)
  }

  #request(message: JsonRpcRequest): void {
    const { id } = message
    if (this.#pending.has(id)) throw new TypeError(`a request with the id ${JSON.stringify(id)} is pending`)
    if (this.#pending.size >= this.#maxPending)
      throw new QueueFullError('maxPending requests wait for an answer', 'Wait for answers, or raise maxPending.')
    if (this.#resendOf(message)) this.#forgetProbes()
    this.#submit(message)
    this.#handshake.noteRequest(message)
  }

  #submit(message: JsonRpcRequest): void {
    const request = relayed(message, this.#resendOf(message))
    this.#pending.add(request)
    try {
      this.#session.send(message, request)
    } catch (error) {
      this.#pending.take(request.id)
      throw error
    }
  }

  /** A first handshake that breaks off is begun again, whatever the policy says: it changes nothing. */
  #resendOf({ method }: JsonRpcRequest): Relayed['resend'] {
    if (method === INITIALIZE) return 'always'
    // Once: a server that hangs up on the question for its era again takes it for none.
    return method === DISCOVER && this.#handshake.agreed === undefined ? true : undefined
  }

  /** Who goes on to `initialize`, or asks for the era again, has given up the question; its silence must not count as a pending call. */
  #forgetProbes(): void {
    for (const request of this.#pending.takeAll()) {
      if (request.method === DISCOVER) this.#session.cancel(request, '', null)
      else this.#pending.add(request)
    }
  }

  #notify(message: JsonRpcNotification): void {
    // It never waits: a later socket is told right after its replay.
    if (message.method === 'notifications/initialized' && !this.#handshake.noteInitialized()) return
    const id = cancelledId(message)
    if (id !== undefined && this.#farewells.forget(id)) return
    const request = id === undefined ? undefined : this.#pending.take(id)
    if (request) this.#session.cancel(request, '', message)
    else this.#session.send(message)
  }

  #onMessage(message: JsonRpcMessage): void {
    let listen: JsonRpcRequest | undefined
    if (isResponse(message)) listen = this.#onResponse(message)
    else if (isRequest(message)) this.#questions.ask(message.id)
    else listen = this.#onNotification(message)
    const tidy = tidyForSdk(message)
    if (listen) this.#farewells.hold(listen, tidy)
    else this.#upwards.take(tidy)
  }

  /** @returns The listen that the server ends with this result, if it is one. */
  #onResponse(response: JsonRpcResponse): JsonRpcRequest | undefined {
    this.#handshake.noteResponse(response)
    const request = this.#pending.take(response.id as RequestId)
    return isErrorResponse(response) ? undefined : request?.listen
  }

  /** @returns The listen that the server ends with this `notifications/cancelled`, if it is one. */
  #onNotification(notification: JsonRpcNotification): JsonRpcRequest | undefined {
    const id = cancelledId(notification)
    if (id === undefined) return undefined
    const writeOff = this.#questions.cancel(id)
    // It goes nowhere: nobody waits for the answer.
    if (writeOff !== undefined) this.#session.send({ jsonrpc: '2.0', id: writeOff, result: {} })
    const request = this.#pending.take(id)
    if (request && !request.listen) this.#pending.add(request)
    return request?.listen
  }

  #onFailed({ id }: PendingRequest, error: McpWebSocketError): void {
    const request = this.#pending.take(id)
    // After close() the SDK itself rejects what is pending.
    if (request && error.code !== 'CLOSED') this.#upwards.take(failureOf(request, error))
  }

  #onState(to: LifecycleState, from: LifecycleState, closure: Closure | undefined): void {
    if (to.name === from.name) return
    const change = describeChange(to, from, closure)
    const { error } = change
    if (isUp(from) && !isUp(to)) this.#sortFarewells(to)
    if (to.name === 'ready') this.#starting?.resolve()
    // The callbacks come before the listeners, which may begin a new life; what the callbacks begin is told after this.
    this.#events.hold(() => {
      this.#events.emit('state', change)
      if (error) this.#events.emit('failed', error)
      if (to.name === 'closed') this.#events.emit('close', undefined)
      if (to.name === 'closed' || to.name === 'failed') this.#endLife(error)
    })
  }

  /** A server that says farewell and goes will be back: its listens are opened again. One that stayed, or stays away, meant it. */
  #sortFarewells({ name }: LifecycleState): void {
    for (const { request, words } of this.#farewells.takeAll()) {
      const isOver = name !== 'waiting' && name !== 'connecting'
      if (isOver || !this.#reopens(request)) this.#upwards.take(words)
    }
  }

  #reopens(listen: JsonRpcRequest): boolean {
    try {
      this.#submit(listen)
      return true
    } catch {
      // The outbox is full, or nothing may wait.
      return false
    }
  }

  #endLife(error: McpWebSocketError | undefined): void {
    this.#upwards.flush()
    this.#unwatchPage?.()
    this.#unwatchPage = undefined
    this.#pending.takeAll()
    this.#starting?.reject(error ?? new ClosedError('not-sent'))
    this.#starting = undefined
    if (error) this.#report(error)
    if (!this.#over) this.#callOnclose()
    if (error) return
    this.#closing?.resolve()
    this.#closing = undefined
  }

  #callOnclose(): void {
    this.#over = true
    const { onclose, onerror, onmessage } = this
    this.#last = { onclose, onerror, onmessage }
    // The SDK calls what it finds here besides its own: left in place, they would hear all of the next life a second time.
    this.onclose = this.onerror = this.onmessage = undefined
    guarded(
      () => onclose?.call(this),
      (thrown) => this.#trouble(thrown)
    )
  }

  #trouble(error: Error): void {
    this.#report(error)
    this.#events.emit('error', error)
  }

  /** What `onerror` itself throws has nowhere to go. */
  #report(error: Error): void {
    guarded(
      () => (this.onerror ?? this.#last.onerror)?.(error),
      () => undefined
    )
  }
}
