import { Connection, type ConnectionConfig } from './connection.js'
import { REPLACED } from './core/closures.js'
import type { Agreement, Era, Handshake } from './core/eras.js'
import { Flight } from './core/flight.js'
import { Journal } from './core/journal.js'
import { encodeMessage, isErrorResponse, isNotification, isRequest, isResponse, type Malformed } from './core/jsonrpc.js'
import { guarded } from './core/guarded.js'
import type { LifecycleState } from './core/lifecycle.js'
import { lostError, queueFullError, tooLargeError, unaddressedError } from './core/losses.js'
import { mayWait, Outbox, type OutboxLimits, type Waiting } from './core/outbox.js'
import type { PendingRequest } from './core/pending.js'
import { mayResend, type ResendPolicy } from './core/resend.js'
import { ClosedError, ProtocolError, type Closure, type Delivery, type McpWebSocketError } from './errors.js'
import { Greeting } from './greeting.js'
import { cancelledId, InboundTraffic } from './inbound-traffic.js'
import { OwnRequests } from './own-requests.js'
import type { Reconnected } from './types/client.js'
import type { JsonRpcMessage, JsonRpcRequest, JsonRpcResponse, RequestId } from './types/json-rpc.js'

/** Settings of a session; times in ms. */
export interface SessionConfig {
  readonly connection: ConnectionConfig
  /** The handshake to drive on every socket; `undefined`: the layer above sends its own. */
  readonly handshake: Handshake | undefined
  readonly probeTimeout: number
  readonly outbox: OutboxLimits | false
  readonly resend: ResendPolicy
  /** Gives a request what its era wants in `_meta`; on release, because a request that waits does not know its era yet. */
  readonly stamp: (request: JsonRpcRequest, agreement: Agreement | undefined) => JsonRpcRequest
}

/** Who is told what happens to a session. */
export interface SessionListener {
  onState(to: LifecycleState, from: LifecycleState, closure: Closure | undefined): void
  onReconnected(reconnected: Reconnected): void
  onMessage(message: JsonRpcMessage): void
  /** A request of the layer above ended without an answer. */
  onFailed(request: PendingRequest, error: McpWebSocketError): void
  onTrouble(error: Error): void
}

/** A message pipe that survives reconnects: knows what MCP needs on a new socket, and what becomes of what was under way. */
export class Session {
  readonly #config: SessionConfig
  readonly #listener: SessionListener
  readonly #connection: Connection
  readonly #journal = new Journal()
  readonly #flight = new Flight()
  readonly #inbound: InboundTraffic
  readonly #outbox: Outbox
  readonly #own: OwnRequests
  readonly #greeting: Greeting
  /** Whether messages may go straight to the socket: handshake, restores, resends and outbox went before. */
  #open = false
  /** The break that the next `ready` will mend. */
  #drop: { readonly at: number; readonly attempts: number; lost: number } | undefined
  #eraOfResends: Era | undefined
  readonly #totals = { reconnects: 0, resent: 0, lost: 0 }

  constructor(config: SessionConfig, listener: SessionListener) {
    this.#config = config
    this.#listener = listener
    this.#outbox = new Outbox(config.outbox)
    this.#connection = new Connection(config.connection, {
      onState: (to, from, closure) => this.#onState(to, from, closure),
      onMessage: (message) => this.#receive(message),
      onMalformed: (malformed) => this.#onMalformed(malformed),
      onStepDue: () => this.#greeting.onProbeTimeout(),
      onProbeDue: () => this.#greeting.askForLife(),
      onTrouble: (error) => listener.onTrouble(error)
    })
    this.#own = new OwnRequests(
      (text) => this.#connection.send(text),
      (id) => this.#flight.has(id)
    )
    this.#inbound = new InboundTraffic(this.#connection, this.#own, listener)
    this.#greeting = new Greeting(config, this.#connection, this.#own, this.#journal, {
      onListenRefused: (id, error) => this.#fail(id, error),
      onTrouble: (error) => listener.onTrouble(error)
    })
  }

  get state(): LifecycleState {
    return this.#connection.state
  }

  get subprotocol(): string | undefined {
    return this.#connection.subprotocol
  }

  /** What was agreed with the server in this life; `undefined` before the first handshake. */
  get agreement(): Agreement | undefined {
    return this.#greeting.agreement
  }

  /** Messages that wait for a connection. */
  get queuedCount(): number {
    return this.#outbox.length
  }

  get stats(): Connection['stats'] & { reconnects: number; resent: number; lost: number } {
    return { ...this.#connection.stats, ...this.#totals }
  }

  connect(): void {
    this.#connection.connect()
  }

  reconnect(): void {
    this.#connection.reconnect()
  }

  close(): void {
    this.#connection.close()
  }

  hurry(): void {
    this.#connection.hurry()
  }

  /**
   * Sends a message, or lets it wait for a connection.
   * @param request - The record of `message`, if it is a request; its fate comes back through the listener.
   * @throws QueueFullError, ClosedError, the failure that ended the life, or TypeError for what is no JSON.
   */
  send(message: JsonRpcMessage, request?: PendingRequest): void {
    if (isResponse(message)) return this.#inbound.answer(message)
    if (this.#open) {
      if (request === undefined || !isRequest(message)) return this.#connection.send(encodeMessage(message))
      return this.#fly(request, this.#config.stamp(message, this.agreement))
    }
    const { state } = this
    if (state.name === 'failed') throw state.error
    if (state.name === 'closing' || state.name === 'closed') throw new ClosedError('not-sent')
    if (isNotification(message) && !mayWait(message)) return
    const waiting = { text: encodeMessage(message), request }
    if (state.name === 'ready') return this.#outbox.push(waiting)
    if (!this.#outbox.add(waiting)) throw queueFullError(message.method)
  }

  /** Gives a request up and tells the server, if it can know of it. @returns Whether it can have been executed. */
  cancel(request: PendingRequest, reason: string): Delivery {
    this.#outbox.remove(request)
    if (request.phase === 'queued') return 'not-sent'
    const known = this.#flight.take(request.id)
    this.#settled(request.id, false)
    const params = { requestId: request.id, reason }
    if (known && this.#open && request.method !== 'initialize') this.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params })
    return 'unknown'
  }

  /** Writes a request and notes that it is in flight. */
  #fly(request: PendingRequest, message: JsonRpcRequest, text = encodeMessage(message)): void {
    const again = request.phase !== 'queued'
    request.phase = again ? 'resent' : 'sent'
    request.size = text.length
    request.text = !again && this.#mayResend(message, request) ? text : undefined
    this.#flight.add(request)
    if (this.#flight.calls === 1) this.#connection.busy = true
    this.#journal.noteSent(message, text)
    this.#connection.send(text)
  }

  #mayResend({ method, params }: JsonRpcRequest, { resend }: PendingRequest): boolean {
    const policy = (): boolean => mayResend(method, params, resend, this.#config.resend)
    return guarded(policy, (error) => this.#listener.onTrouble(error)) ?? false
  }

  #settled(id: RequestId, confirmed: boolean): void {
    this.#journal.noteEnd(id, confirmed)
    if (this.#flight.calls === 0) this.#connection.busy = false
  }

  #receive(message: JsonRpcMessage): void {
    if (isResponse(message)) return this.#receiveResponse(message)
    if (isRequest(message)) return this.#inbound.receive(message, this.agreement?.era)
    const requestId = cancelledId(message)
    // The server may also end a listen of ours in this way.
    if (requestId !== undefined && this.#journal.isListen(requestId)) {
      this.#flight.take(requestId)
      this.#settled(requestId, false)
    }
    this.#listener.onMessage(this.#inbound.renumber(message))
  }

  #receiveResponse(response: JsonRpcResponse): void {
    const id = response.id ?? undefined
    if (id === undefined) return this.#listener.onTrouble(unaddressedError(response))
    if (this.#own.answer(id, response)) return
    // Late answers to what was given up are normal; they end here.
    if (this.#flight.take(id) === undefined) return
    if (isErrorResponse(response)) this.#greeting.noteRefusal(id, response)
    this.#settled(id, !isErrorResponse(response))
    this.#listener.onMessage(response)
  }

  #onMalformed({ problem, id }: Malformed): void {
    const error = new ProtocolError('INVALID_RESPONSE', `the server sent what is no JSON-RPC message: ${problem}`)
    if (id === undefined || !this.#fail(id, error)) this.#listener.onTrouble(error)
  }

  /** Ends the request with this id, if it is in flight, with an error of our own. */
  #fail(id: RequestId, error: McpWebSocketError): boolean {
    const request = this.#flight.take(id)
    if (request === undefined) return false
    this.#settled(id, false)
    this.#listener.onFailed(request, error)
    return true
  }

  #onState(to: LifecycleState, from: LifecycleState, closure: Closure | undefined): void {
    const wasUp = from.name === 'initializing' || from.name === 'ready'
    const isUp = to.name === 'initializing' || to.name === 'ready'
    if (wasUp && !isUp) this.#leaveSocket(from, to, closure)
    // What was under way is settled before anybody hears of the state, as listeners may close or reconnect at once.
    if (to.name === 'failed') this.#endLife((delivery) => (delivery === 'unknown' ? lostError(to.closure, to.error) : to.error))
    else if (to.name === 'closing' || to.name === 'closed') this.#endLife((delivery) => new ClosedError(delivery))
    else if (wasUp && !isUp) this.#triage(closure ?? REPLACED)
    this.#listener.onState(to, from, closure)
    if (this.state !== to) return
    if (to.name === 'initializing') this.#greeting.begin()
    else if (to.name === 'ready') this.#onReady(to)
  }

  /** What belonged to the socket ends with it. */
  #leaveSocket(from: LifecycleState, to: LifecycleState, closure: Closure | undefined): void {
    const { connection } = this.#config
    this.#open = false
    this.#own.clear()
    this.#greeting.closed(closure)
    this.#drop ??= from.name === 'ready' ? { at: connection.clock.now(), attempts: this.#connection.stats.attempts, lost: 0 } : undefined
    this.#inbound.abandon(`connection ${to.name}`)
  }

  /** Decides about the requests in flight, in the very task that handles the closure. */
  #triage(closure: Closure): void {
    const { resend, lost: gone, tooLarge } = this.#flight.triage(closure)
    this.#eraOfResends = this.agreement?.era
    this.#connection.busy = false
    for (const request of resend) this.#outbox.putBack(request)
    for (const request of tooLarge ? [tooLarge, ...gone] : gone) {
      this.#journal.noteEnd(request.id, false)
      if (this.#drop) this.#drop.lost++
      this.#lose(request, request === tooLarge ? tooLargeError(closure, request) : lostError(closure))
    }
  }

  #onReady(ready: LifecycleState): void {
    const drop = this.#drop
    this.#drop = undefined
    if (drop) {
      const { clock } = this.#config.connection
      const { serverChanged } = this.#greeting
      this.#totals.reconnects++
      const attempts = this.#connection.stats.attempts - drop.attempts
      this.#listener.onReconnected({
        attempts,
        downtime: clock.now() - drop.at,
        resent: this.#outbox.resendCount,
        lost: drop.lost,
        serverChanged
      })
    }
    // A listener may have closed or dropped the connection meanwhile.
    if (this.state !== ready) return
    this.#flush()
    if (drop) for (const message of this.#greeting.swallowed()) if (this.#open) this.#listener.onMessage(message)
  }

  /** First what was sent before, then what waited; what listeners send meanwhile went behind it into the outbox. */
  #flush(): void {
    for (let waiting = this.#outbox.take(); waiting !== undefined; waiting = this.#outbox.take()) this.#release(waiting)
    this.#open = true
  }

  #release({ text, request }: Waiting): void {
    if (request === undefined) return this.#connection.send(text)
    const message = JSON.parse(text) as JsonRpcRequest
    const isResend = request.phase === 'sent'
    if (isResend) this.#totals.resent++
    // To the byte what was sent before, unless the server now speaks the other era.
    if (isResend && this.#eraOfResends === this.agreement?.era) return this.#fly(request, message, text)
    this.#fly(request, this.#config.stamp(message, this.agreement))
  }

  #endLife(errorOf: (delivery: Delivery) => McpWebSocketError): void {
    const inFlight = this.#flight.takeAll()
    this.#connection.busy = false
    this.#drop = undefined
    this.#greeting.reset()
    this.#journal.clear()
    for (const request of inFlight) this.#lose(request, errorOf('unknown'))
    for (let waiting = this.#outbox.take(); waiting !== undefined; waiting = this.#outbox.take()) {
      const { request } = waiting
      if (request) this.#lose(request, errorOf(request.phase === 'queued' ? 'not-sent' : 'unknown'))
    }
  }

  #lose(request: PendingRequest, error: McpWebSocketError): void {
    if (error.code !== 'CLOSED' && request.phase !== 'queued') this.#totals.lost++
    this.#listener.onFailed(request, error)
  }
}
