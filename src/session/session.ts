// The session layer: a pipe for messages that survives reconnects and knows MCP. It makes or replays the handshake on every new
// socket, restores what the journal remembers, keeps what is sent meanwhile in the outbox, decides what becomes of requests in flight
// at a drop, and watches the connection with a heartbeat. The client and the SDK transport call it, through a session host.

import { Connection, isUp, type ConnectionConfig, type ConnectionListener } from '../connection/connection.js'
import { REPLACED } from '../connection/closures.js'
import { SERVER_CLOSING, type Departure } from '../connection/departure.js'
import type { Command, LifecycleState } from '../connection/lifecycle.js'
import { UNRELATED, type Attachment } from '../connection/resumption.js'
import { ClosedError, HandshakeError, ProtocolError, type Closure, type Delivery, type McpWebSocketError } from '../errors.js'
import { decided } from '../lib/guarded.js'
import { SharedTimer, type Due } from '../lib/shared-timer.js'
import type { PendingRequest } from '../rpc/pending.js'
import { isWatched } from '../socket/node-socket.js'
import type { ClientStats, Reconnected, Resumed } from '../types/client.js'
import type { JsonRpcError, JsonRpcMessage, JsonRpcNotification, JsonRpcRequest, JsonRpcResponse, RequestId } from '../types/json-rpc.js'
import { INTERNAL_ERROR, isErrorResponse, isRequest, isResponse, type Malformed } from '../wire/json-rpc.js'
import { cancellation, cancelledId, INITIALIZE, PROGRESS } from '../wire/methods.js'
import type { Agreement, Era } from './agreement.js'
import { isOver, type EndState } from './events.js'
import type { HandshakeScript } from './handshake.js'
import { Heartbeat } from './heartbeat.js'
import { InFlight, tooLargeOf } from './in-flight.js'
import { InternalRequests } from './internal-requests.js'
import { Journal } from './journal.js'
import type { HeartbeatPolicy } from './liveness.js'
import { lostError, queueFullError, tooLargeError, unaddressedError } from './loss-errors.js'
import { Outage } from './outage.js'
import { mayWait, Outbox, type OutboxLimits, type Waiting } from './outbox.js'
import { CLOSING, Postponed, repeatAfter } from './postponed.js'
import { mayResend, type ResendPolicy } from './resend-policy.js'
import { ServerRequests, type ServerRequestLimits } from './server-requests.js'
import { SocketSetup } from './socket-setup.js'

/** Settings of a session; times in ms. */
export interface SessionConfig extends ServerRequestLimits {
  /** Settings of the connection below. */
  readonly connection: ConnectionConfig
  /** What comes first on every socket: a handshake of the session's own, or the replay of one that the layer above made. */
  readonly handshake: HandshakeScript
  /** How long a server may take to respond to the probe for its era. */
  readonly probeTimeout: number
  /** When a silent connection is probed and given up; `false`: never. */
  readonly heartbeat: HeartbeatPolicy | false
  /** What may wait while not connected; `false`: nothing. */
  readonly outbox: OutboxLimits | false
  /** What is sent again when the connection broke after it was sent. */
  readonly resend: ResendPolicy
  /** Adds to the text of a request what the era wants. Called when it is sent: while a request waits, its era may be unknown. */
  readonly stamp: (text: string, agreement: Agreement | undefined) => string
}

/** Is told what happens to a session. */
export interface SessionListener {
  /** The state changed. @param closure - What ended the socket, if that is why. */
  onState(to: LifecycleState, from: LifecycleState, closure: Closure | undefined): void
  /** The connection is ready again after an outage. */
  onReconnected(reconnected: Reconnected): void
  /** The connection is ready again after an outage, and nothing was lost: the server still has the session. */
  onResumed(resumed: Resumed): void
  /** A message came in for the layer above. @param request - The request that it responds to, if it is a response. */
  onMessage(message: JsonRpcMessage, request?: PendingRequest): void
  /** A request of the layer above ended without a response. */
  onFailed(request: PendingRequest, error: McpWebSocketError): void
  /** Something went wrong that belongs to no promise. */
  readonly onError: (error: Error) => void
}

/**
 * What becomes of a message of the layer above.
 * - `down`: there is no socket; it waits.
 * - `detached`: there is no socket, but the server keeps the session: it waits, and what is in flight lives on.
 * - `setup`: the socket is open, but handshake and restores come first; it waits.
 * - `flushing`: the outbox is being emptied; it goes behind what waits there, limits or not.
 * - `open`: it goes straight to the socket, unless that is under backpressure.
 */
type Phase = 'down' | 'detached' | 'setup' | 'flushing' | 'open'

// In ms: within this time, or within `initialDelay` if that is less, hints cause at most one probe.
const HINT_PAUSE = 1000

/** A pipe for messages that survives reconnects. */
export class Session implements ConnectionListener {
  readonly onError: (error: Error) => void
  readonly #config: SessionConfig
  readonly #listener: SessionListener
  readonly #connection: Connection
  readonly #timer: SharedTimer
  readonly #journal = new Journal()
  readonly #inFlight: InFlight
  readonly #outbox: Outbox
  readonly #internal: InternalRequests
  readonly #serverRequests: ServerRequests
  readonly #setup: SocketSetup
  readonly #heartbeat: Heartbeat
  readonly #outage = new Outage()
  readonly #postponed: Postponed
  readonly #endOfListens: Due = { dueAt: 0, slot: -1, onDue: (now) => this.#deliverEnds(now) }
  #phase: Phase = 'down'
  /** Why there is no connection. */
  #lastFailure: McpWebSocketError | undefined
  /** What ended the last socket. */
  #lastClosure: Closure = REPLACED
  /** What the current socket has. */
  #attachment: Attachment = UNRELATED
  /** Era in which the requests that wait to be sent again were sent. */
  #eraAtDrop: Era | undefined
  /** Why this socket is about to be left: nothing new is sent over it. */
  #departure: Departure | undefined
  /**
   * Commands that arrive while a change of state is settled, from callers whose requests it ends. They are carried out once all have heard
   * of the change.
   */
  #deferredCommands: Command[] | undefined

  /** Does nothing before a command. */
  constructor(config: SessionConfig, listener: SessionListener) {
    const { clock, retry } = config.connection
    const { onError } = listener
    const connection = new Connection(config.connection, this)
    const timer = new SharedTimer(clock)
    this.onError = onError
    this.#config = config
    this.#listener = listener
    this.#connection = connection
    this.#timer = timer
    this.#inFlight = new InFlight(() => connection.isResumable)
    this.#outbox = new Outbox(config.outbox)
    this.#postponed = new Postponed(timer, clock, (requests) => this.#putBack(requests))
    this.#internal = new InternalRequests(connection, (id) => this.pending().some((request) => request.id === id))
    this.#serverRequests = new ServerRequests(config, connection, () => this.#internal.freeId(), listener)
    const onListenLost = (id: RequestId, error: McpWebSocketError): void => void this.#fail(id, error)
    this.#setup = new SocketSetup({ ...config, timer, onListenLost, onError }, connection, this.#internal, this.#journal)
    const probe = (): boolean => this.#setup.probe(() => this.onPong())
    const hintPause = Math.min(retry.initialDelay, HINT_PAUSE)
    this.#heartbeat = new Heartbeat(config.heartbeat, this.#inFlight, { connection, timer, clock, hintPause, probe, onError })
  }

  /** Where the lifecycle is. */
  get state(): LifecycleState {
    return this.#connection.state
  }

  /** The URL of the last dial, without secrets; `undefined` before the first. */
  get url(): string | undefined {
    return this.#connection.url
  }

  /** The subprotocol that the server chose. */
  get subprotocol(): string | undefined {
    return this.#connection.subprotocol
  }

  /** What was agreed with the server in this life; `undefined` before the first handshake. */
  get agreement(): Agreement | undefined {
    return this.#setup.agreement
  }

  /** How many messages wait for a connection. */
  get queuedCount(): number {
    return this.#outbox.length
  }

  /** The counts so far, as a copy. */
  get stats(): ClientStats {
    const { stats, bytesWaiting } = this.#connection
    return { ...stats, bytesWaiting: this.#outbox.size + bytesWaiting, ...this.#inFlight.oldest(this.#config.connection.clock.now()) }
  }

  /** Begins a life, dials anew, or ends the life. */
  command(type: Command): void {
    if (!this.#deferredCommands?.push(type)) this.#connection.command(type)
  }

  /** Takes a hint that the network or the page woke up: a probe, or the next dial, comes sooner. */
  onWake(): void {
    this.#heartbeat.hint()
    this.#connection.hurry()
  }

  /** Takes a hint that the network is gone: the connection is probed at once, and given up after `heartbeat.timeout`. */
  onOffline(): void {
    this.#heartbeat.hint(0)
  }

  /** The page is about to be frozen: an open socket would die unnoticed, or keep the page out of the back/forward cache. */
  onFreeze(): void {
    if (this.state.name === 'ready') this.#connection.drop({ kind: 'close', code: 1001, reason: 'the page was left', wasClean: true })
  }

  /**
   * Sends a request, or lets it wait for a connection.
   * @param request - Its record; its fate comes back through the listener.
   * @throws QueueFullError, ClosedError, the failure that ended the life, or TypeError if JSON cannot hold the params.
   */
  request(message: JsonRpcRequest, request: PendingRequest): void {
    request.text = this.#connection.encode(message)
    if (this.#canSend) this.#write(request)
    else this.#queue(request, message.method, request.resend === 'always')
  }

  /**
   * Sends a notification, or lets it wait for a connection. Drops it if it is about requests of a socket that is gone, or reports progress to
   * a server that does not read: that would fill the memory, and is out of date once it is read.
   * @throws As {@link request}.
   */
  notify(notification: JsonRpcNotification): void {
    const text = this.#connection.encode(notification)
    const isAboutSocket = !mayWait(notification)
    const isUnread = notification.method === PROGRESS && this.#phase === 'open' && !this.#connection.isDrained
    // A cancellation goes past everything that waits: it is about a request that was sent.
    if (isAboutSocket ? this.#reaches && !isUnread : this.#canSend) this.#connection.send(text)
    else if (!isAboutSocket) this.#queue({ text }, notification.method)
    else this.#assertAlive()
  }

  /** Sends a response over the socket that its request came from, or drops it. @throws TypeError if JSON cannot hold the result. */
  respond(response: JsonRpcResponse): void {
    this.#serverRequests.respond(response)
  }

  /**
   * Gives a request up and tells the server, if it can know of it.
   * @param notice - What to tell it; `null`: nothing.
   * @returns Whether it can have been executed.
   */
  cancel(request: PendingRequest, reason: string, notice: JsonRpcNotification | null = cancellation(request.id, reason)): Delivery {
    this.#outbox.remove(request)
    this.#postponed.remove(request)
    const hasEnded = this.#journal.isEnding(request.id)
    // Even if it waits: it may have been written before, or `#write` may be about to write it.
    const wasInFlight = this.#settle(request.id)
    if (!request.mayBeExecuted) return 'not-sent'
    if (hasEnded) this.#scheduleEnds()
    else if (notice && wasInFlight && this.#reaches && request.method !== INITIALIZE) this.notify(notice)
    return 'unknown'
  }

  /** The requests of the layer above that are not settled: in flight or waiting. */
  pending(): PendingRequest[] {
    return [...this.#inFlight.all(), ...this.#postponed.all, ...this.#outbox.requests]
  }

  /** Why requests get no response, if anything is known: `connect()` was never called, the last dial failed, or frames could not be read. */
  get explanation(): McpWebSocketError | undefined {
    const { state } = this
    if (state.name === 'idle') return new HandshakeError('CONNECT_FAILED', 'connect() was not called', { delivery: 'not-sent' })
    return this.#connection.unread ?? this.#lastFailure
  }

  get #canSend(): boolean {
    return this.#phase === 'open' && !this.#departure && this.#outbox.length === 0 && this.#connection.canWrite
  }

  /**
   * Whether a message about requests of the current socket reaches the server: over that socket, or later in a session that waits for one.
   */
  get #reaches(): boolean {
    return this.#phase === 'detached' || (this.#phase === 'open' && this.#connection.isWritable)
  }

  /** @throws What ended the life. */
  #assertAlive(): void {
    const { state } = this
    if (isOver(state)) throw state.name === 'failed' ? state.error : new ClosedError('not-sent')
  }

  /** @param isHandshake - No limit of the outbox holds for the handshake of the layer above. */
  #queue(waiting: Waiting, method: string, isHandshake = false): void {
    this.#assertAlive()
    // If messages wait only for an acknowledgement, the limits of the outbox do not apply: as many may wait as requests may be pending.
    const isPaced = this.#phase === 'open' && this.#connection.isPaced && this.#outbox.length < this.#config.maxPending
    if (isHandshake || this.#phase === 'flushing' || isPaced) this.#outbox.push(waiting)
    else if (!this.#outbox.add(waiting)) throw queueFullError(method)
    if (this.#phase === 'open' && !this.#departure) this.#connection.awaitDrain()
  }

  /** Writes a request, for the first time or again, and notes that it is in flight. */
  #write(request: PendingRequest): void {
    const { id, method, phase, resend, isLive } = request
    const isFirst = phase === 'queued'
    const isRepetition = phase === 'sent'
    this.#inFlight.add(request)
    if (isFirst) request.mayResend = this.#mayResend(request)
    // To the byte what was sent before, unless the server now speaks the other era.
    const isVerbatim = !isFirst && !request.renew((message) => this.#connection.encode(message)) && this.#eraAtDrop === this.agreement?.era
    // A callback of the program, `resend` or `continueWith`, may have given the request up, or ended the connection.
    if (!this.#inFlight.has(id)) return
    const { text = '' } = request
    const frame = isVerbatim ? (request.frame ?? text) : this.#config.stamp(text, this.agreement)
    if (!isRepetition) this.#journal.noteSent(request, frame)
    request.noteWritten(frame, this.#config.connection.clock.now())
    if (isRepetition) request.mayResend = resend === 'always' || isLive
    request.params = undefined
    request.frame = request.mayResend && frame !== text ? frame : undefined
    request.position = this.#connection.send(frame)
    request.onSent(!isFirst)
    const { diagnostics } = this.#config.connection
    if (isWatched(diagnostics)) diagnostics.publish({ url: this.url, kind: 'request', id, method, resent: !isFirst })
  }

  #mayResend(request: PendingRequest): boolean {
    const { resend } = this.#config
    if (typeof resend !== 'function') return mayResend(request, resend)
    return decided('resend', () => mayResend(request, resend), this.onError) ?? false
  }

  /** A request is over. @returns Its record, if it was in flight. */
  #settle(id: RequestId, confirmed = false): PendingRequest | undefined {
    const request = this.#land(id)
    this.#journal.noteEnd(id, confirmed)
    if (this.#departure) this.#leaveWhenIdle(this.#departure)
    return request
  }

  /** A request is no longer in flight. @returns Its record, if it was. */
  #land(id: RequestId): PendingRequest | undefined {
    const { awaits } = this.#inFlight
    const request = this.#inFlight.take(id)
    if (awaits && !this.#inFlight.awaits) this.#heartbeat.onCallsSettled()
    return request
  }

  /** Ends the request with this id, if it is in flight, with an error of our own. */
  #fail(id: RequestId, error: McpWebSocketError): boolean {
    const request = this.#settle(id)
    if (request) this.#listener.onFailed(request, error)
    return request !== undefined
  }

  onHeard(): void {
    this.#heartbeat.onHeard()
  }

  onPong(): void {
    const latency = this.#heartbeat.onResponse()
    if (latency !== undefined) this.noteLatency(latency)
  }

  /** The server answered a request at once. @param ms - How long that took. */
  noteLatency(ms: number): void {
    this.#connection.stats.latency = Math.round(ms)
  }

  onMessage(message: JsonRpcMessage): void {
    if (isResponse(message)) return this.#receiveResponse(message)
    if (isRequest(message)) return this.#serverRequests.receive(message, this.agreement?.era)
    const id = cancelledId(message)
    if (id === undefined) this.#listener.onMessage(message)
    else if (this.#journal.isListen(id)) this.#holdEnd(id, message)
    else this.#serverRequests.cancel(message, id)
  }

  #receiveResponse(response: JsonRpcResponse): void {
    const id = response.id ?? undefined
    if (id === undefined) return this.onError(unaddressedError(response, this.#connection.redact))
    if (this.#internal.deliver(id, response)) return
    const failed = isErrorResponse(response)
    if (!failed && this.#journal.isListen(id)) return this.#holdEnd(id, response)
    if (failed && this.#postpone(id, response.error)) return
    // Without a request it is a late response to one that was given up, which is normal.
    const request = this.#settle(id, !failed)
    if (!request) return
    if (failed) this.#setup.noteListenError(id, response)
    this.#listener.onMessage(response, request)
  }

  /**
   * The server has not executed a request, and says when it may be repeated: it waits until then, as long as its time is not over.
   * @returns Whether that is so.
   */
  #postpone(id: RequestId, error: JsonRpcError): boolean {
    const delay = this.#config.outbox ? repeatAfter(error) : undefined
    const request = this.#inFlight.get(id)
    // Not if it was sent twice: then it may have been executed the first time.
    if (delay === undefined || request?.phase !== 'sent') return false
    this.#land(id)
    request.phase = 'returned'
    this.#journal.noteReturned(id)
    if (error.code !== CLOSING) this.#postponed.add(request, delay)
    else {
      this.#outbox.putBack(request)
      this.onDeparture(SERVER_CLOSING)
    }
    return true
  }

  #putBack(requests: readonly PendingRequest[]): void {
    for (const request of requests) this.#outbox.putBack(request)
    if (this.#phase === 'open') this.#flush()
  }

  /** What is in flight may finish, and what comes now waits for the next connection. */
  onDeparture(departure: Departure): void {
    // Only `goaway` names a time: nothing else that makes the client leave may shorten it.
    if (!this.#departure?.delay || departure.delay) this.#departure = departure
    this.#leaveWhenIdle(this.#departure)
  }

  #leaveWhenIdle(departure: Departure): void {
    if (this.state.name === 'ready' && !this.#inFlight.hasCalls) this.#connection.leave(departure)
  }

  onMalformed({ problem, kind, id }: Malformed): void {
    this.#inFlight.noteUnread()
    const error = new ProtocolError('INVALID_RESPONSE', `the server sent an invalid message: ${problem}`)
    if (id !== undefined && kind !== 'request') {
      const response: JsonRpcResponse = { jsonrpc: '2.0', id, error: { code: INTERNAL_ERROR, message: error.message } }
      if (this.#internal.deliver(id, response) || this.#fail(id, error)) return
    }
    // Whoever sent it may wait for a response.
    if (id !== undefined && kind !== 'response') this.#serverRequests.rejectInvalid(id, problem, this.agreement?.era)
    this.onError(error)
  }

  /** The server ended a listen. It may be about to go away, so the end is believed only if the server stays connected for a second. */
  #holdEnd(id: RequestId, message: JsonRpcMessage): void {
    this.#journal.holdEnd(id, message, this.#config.connection.clock.now())
    this.#scheduleEnds()
  }

  #scheduleEnds(): void {
    this.#timer.set(this.#endOfListens, this.#journal.nextEndAt - this.#config.connection.clock.now())
  }

  #deliverEnds(now: number): void {
    for (const [id, message] of this.#journal.takeEnds(now)) {
      const request = this.#settle(id)
      this.#listener.onMessage(message, request)
    }
    this.#scheduleEnds()
  }

  onState(to: LifecycleState, from: LifecycleState, closure: Closure | undefined): void {
    const left = isUp(from) && !isUp(to)
    const deferred: Command[] = (this.#deferredCommands = [])
    this.#timer.idle = this.#config.connection.unref && 'life' in to && to.life.everReady
    if (left) this.#leaveSocket(from, to, closure)
    // Requests are settled before anybody hears of the state, because a listener may close or reconnect at once.
    if (isOver(to)) this.#endLife(to)
    else if (left && this.#phase !== 'detached') this.#triage(this.#lastClosure, null)
    this.#deferredCommands = undefined
    if (closure) this.#lastFailure = closure.error
    if (to.name === 'ready') {
      this.#phase = 'flushing'
      this.#lastFailure = undefined
      this.#heartbeat.start()
    }
    this.#listener.onState(to, from, closure)
    // A listener may have changed the state since: then only `close` still counts.
    for (const type of deferred) if (this.state === to || type === 'close') this.command(type)
    if (this.state === to && to.name === 'ready') this.#onReady(to)
  }

  onAttached(attachment: Attachment): void {
    this.#attachment = attachment
    if (attachment.resumed) return this.#connection.confirm()
    if (this.#phase === 'detached') this.#loseSession(attachment.delivered)
    this.#phase = 'setup'
    this.#setup.begin()
  }

  readonly onOver = (): void => this.#loseSession(null)

  /** @param to - The state that the connection enters. */
  #leaveSocket(from: LifecycleState, to: LifecycleState, closure: Closure | undefined): void {
    // If this socket never got the session, the requests in flight were lost with an earlier one: its closure stays.
    if (this.#phase !== 'detached' || !this.#connection.isDetached) this.#lastClosure = closure ?? REPLACED
    this.#departure = undefined
    this.#heartbeat.stop()
    if (from.name === 'ready') this.#outage.begin(this.#connection.stats, this.#config.connection.clock.now())
    if (this.#connection.isDetached) this.#phase = 'detached'
    else this.#abandonSocket(`connection ${to.name}`, closure)
  }

  /** Ends what belonged to the socket. */
  #abandonSocket(reason: string, closure: Closure | undefined): void {
    this.#phase = 'down'
    this.#internal.clear()
    this.#setup.closed(closure)
    this.#serverRequests.abandon(reason)
  }

  /** The session that waited for a socket is over: only now is it known which requests were lost with its last socket. */
  #loseSession(delivered: number | null): void {
    this.#abandonSocket('session lost', this.#lastClosure)
    this.#triage(this.#lastClosure, delivered)
  }

  /** Decides about the requests in flight, in the very task that handles the closure. */
  #triage(closure: Closure, delivered: number | null): void {
    const { resend, lost, tooLarge } = this.#inFlight.triage(closure, delivered)
    this.#eraAtDrop = this.agreement?.era
    this.#journal.forgetEnds()
    this.#scheduleEnds()
    for (const request of resend) this.#outbox.putBack(request)
    for (const request of lost) {
      this.#journal.noteEnd(request.id, false)
      this.#lose(request, request === tooLarge ? tooLargeError(closure, request) : lostError(closure))
    }
  }

  #onReady(ready: LifecycleState): void {
    const outage = this.#outage.end(this.#connection.stats, this.#config.connection.clock.now())
    const { resumed } = this.#attachment
    if (outage && resumed) this.#listener.onResumed({ downtime: outage.downtime, replayed: this.#attachment.replayed })
    else if (outage) this.#listener.onReconnected({ ...outage, resent: this.#outbox.resendCount, serverChanged: this.#setup.serverChanged })
    // A listener may have closed or dropped the connection meanwhile.
    if (this.state !== ready) return
    this.#flush()
    if (outage && !resumed)
      for (const message of this.#setup.missedNotifications) if (this.#phase === 'open') this.#listener.onMessage(message)
  }

  /** Sends first what was sent before, then what waited; what listeners send meanwhile went behind it into the outbox. */
  #flush(): void {
    for (const waiting of !this.#departure && this.#connection.canWrite ? this.#outbox.drain() : []) {
      if (!('phase' in waiting)) this.#connection.send(waiting.text)
      else {
        if (waiting.phase === 'sent') this.#connection.stats.resent++
        this.#write(waiting)
      }
      // A callback of the program, such as `trace`, may have ended the connection: the rest waits for the next connection.
      if (this.#phase === 'down' || this.#phase === 'detached') return
      if (!this.#connection.canWrite) break
    }
    this.#phase = 'open'
    if (this.#departure) this.#leaveWhenIdle(this.#departure)
    else if (this.#outbox.length > 0) this.#connection.awaitDrain()
  }

  readonly onDrain = (): void => this.#flush()

  #endLife(end: EndState): void {
    if (this.#phase === 'detached') this.#abandonSocket(`connection ${end.name}`, this.#lastClosure)
    // The server ended these listens before the life ended: no socket follows, so the ends are believed now.
    this.#deliverEnds(Infinity)
    const inFlight = this.#inFlight.takeAll()
    const tooLarge = end.name === 'failed' ? tooLargeOf(inFlight, end.closure) : undefined
    this.#outage.forget()
    this.#setup.reset()
    this.#journal.clear()
    for (const request of [...inFlight, ...this.#postponed.takeAll(), ...this.#outbox.drain()]) {
      if (!('phase' in request)) continue
      const wasSent = request.mayBeExecuted
      if (end.name !== 'failed') this.#lose(request, new ClosedError(wasSent ? 'unknown' : 'not-sent'))
      else if (request === tooLarge) this.#lose(request, tooLargeError(end.closure, request))
      else this.#lose(request, wasSent ? lostError(end.closure, end.error) : end.error)
    }
  }

  #lose(request: PendingRequest, error: McpWebSocketError): void {
    if (error.code !== 'CLOSED' && request.mayBeExecuted) this.#connection.stats.lost++
    this.#listener.onFailed(request, error)
  }
}
