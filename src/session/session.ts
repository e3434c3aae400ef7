import { Connection, isUp, type ConnectionConfig, type ConnectionListener, type ConnectionStats } from '../connection/connection.js'
import { REPLACED } from '../connection/closures.js'
import type { Agreement, Era, HandshakeScript } from './handshake.js'
import { Flight, tooLargeOf } from './in-flight.js'
import { Journal } from './journal.js'
import { encodeMessage, INTERNAL_ERROR, isErrorResponse, isRequest, isResponse, type Malformed } from '../wire/json-rpc.js'
import { guarded } from '../lib/guarded.js'
import type { Command, LifecycleState } from '../connection/lifecycle.js'
import { lostError, queueFullError, tooLargeError, unaddressedError } from './loss-errors.js'
import { mayWait, Outbox, type OutboxLimits, type Waiting } from './outbox.js'
import type { PendingRequest } from '../rpc/pending.js'
import { mayResend, type ResendPolicy } from './resend-policy.js'
import { ClosedError, ProtocolError, type Closure, type Delivery, type McpWebSocketError } from '../errors.js'
import { Greeting } from './socket-setup.js'
import { cancellation, cancelledId, InboundTraffic } from './server-requests.js'
import type { PageListener } from '../connection/page.js'
import { Interruption } from './outage.js'
import { OwnRequests } from './internal-requests.js'
import type { Reconnected } from '../types/client.js'
import type { JsonRpcMessage, JsonRpcNotification, JsonRpcRequest, JsonRpcResponse, RequestId } from '../types/json-rpc.js'

/** Settings of a session; times in ms. */
export interface SessionConfig {
  readonly connection: ConnectionConfig
  /** What comes first on every socket: a handshake of the session's own, or the replay of one that the layer above made. */
  readonly handshake: HandshakeScript
  readonly probeTimeout: number
  readonly outbox: OutboxLimits | false
  /** Most requests of the server that are worked on at once. */
  readonly maxPending: number
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
  readonly onTrouble: (error: Error) => void
}

/** A message pipe that survives reconnects: knows what MCP needs on a new socket, and what becomes of what was under way. */
export class Session implements ConnectionListener, PageListener {
  readonly onTrouble: (error: Error) => void
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
  readonly #interruption = new Interruption()
  #eraOfResends: Era | undefined
  /** While a change of state is settled, commands of who learns what it cost: first all hear of the change. */
  #commands: Command[] | undefined

  constructor(config: SessionConfig, listener: SessionListener) {
    this.#config = config
    this.#listener = listener
    this.onTrouble = listener.onTrouble
    this.#outbox = new Outbox(config.outbox)
    this.#connection = new Connection(config.connection, this)
    this.#own = new OwnRequests(this.#connection, (id) => this.#flight.has(id) || this.#outbox.holds(id))
    this.#inbound = new InboundTraffic(config, this.#connection, this.#own, this.#outbox, listener)
    this.#greeting = new Greeting(config, this.#connection, this.#own, this.#journal, {
      onListenRefused: (id, error) => this.#fail(id, error),
      onTrouble: this.onTrouble
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

  get stats(): ConnectionStats {
    return { ...this.#connection.stats }
  }

  command(type: Command): void {
    if (!this.#commands?.push(type)) this.#connection.command(type)
  }

  onWake(): void {
    this.#connection.hurry()
  }

  onFreeze(): void {
    this.#connection.suspend()
  }

  /**
   * Sends a message, or lets it wait for a connection.
   * @param request - The record of `message`, if it is a request; its fate comes back through the listener.
   * @throws QueueFullError, ClosedError, the failure that ended the life, or TypeError for what is no JSON.
   */
  send(message: JsonRpcMessage, request?: PendingRequest): void {
    if (isResponse(message)) return this.#inbound.answer(message)
    // A cancellation goes past what waits: it is about what was sent.
    const mayQueue = isRequest(message) || mayWait(message)
    if (this.#open && (mayQueue ? this.#outbox.length === 0 && this.#hasRoom : this.#connection.backlog < Infinity)) {
      if (request && isRequest(message)) return this.#fly(request, this.#config.stamp(message, this.agreement))
      return this.#connection.send(encodeMessage(message))
    }
    const { state } = this
    if (state.name === 'failed') throw state.error
    if (state.name === 'closing' || state.name === 'closed') throw new ClosedError('not-sent')
    if (!mayQueue) return
    const text = encodeMessage(message)
    if (request) request.text = text
    const waiting = request ?? { text }
    // While the outbox is emptied, what joins it waits for no connection; and no limit is one of the handshake.
    if ((state.name === 'ready' && !this.#open) || request?.resend === 'always') this.#outbox.push(waiting)
    else if (!this.#outbox.add(waiting)) throw queueFullError(message.method)
    if (this.#open) this.#connection.expectRoom()
  }

  get #hasRoom(): boolean {
    return this.#outbox.hasRoomBehind(this.#connection.backlog)
  }

  /**
   * Gives a request up and tells the server, if it can know of it.
   * @param notice - What to tell it; `null`: nothing.
   * @returns Whether it can have been executed.
   */
  cancel(request: PendingRequest, reason: string, notice: JsonRpcNotification | null = cancellation(request.id, reason)): Delivery {
    this.#outbox.remove(request)
    if (request.phase === 'queued') return 'not-sent'
    const known = this.#settle(request.id)
    if (notice && known && this.#open && request.method !== 'initialize') this.send(notice)
    return 'unknown'
  }

  /** Writes a request and notes that it is in flight. */
  #fly(request: PendingRequest, message: JsonRpcRequest, text = encodeMessage(message)): void {
    const again = request.phase !== 'queued' && request.resend !== 'always'
    request.phase = again ? 'resent' : 'sent'
    request.size = text.length
    request.text = !again && this.#mayResend(message, request) ? text : undefined
    this.#flight.add(request)
    this.#journal.noteSent(message, text)
    this.#connection.send(text)
  }

  #mayResend({ method, params }: JsonRpcRequest, { resend }: PendingRequest): boolean {
    return guarded(() => mayResend(method, params, resend, this.#config.resend), this.onTrouble) ?? false
  }

  /** A request is over. @returns It, if it was in flight. */
  #settle(id: RequestId, confirmed = false): PendingRequest | undefined {
    const request = this.#flight.take(id)
    this.#journal.noteEnd(id, confirmed)
    this.#connection.busy = this.#flight.awaits
    return request
  }

  /** A message came in. */
  onMessage(message: JsonRpcMessage): void {
    if (isResponse(message)) return this.#receiveResponse(message)
    if (isRequest(message)) return this.#inbound.receive(message, this.agreement?.era)
    const requestId = cancelledId(message)
    if (requestId === undefined) return this.#listener.onMessage(message)
    // The server may also end a listen of ours in this way.
    if (this.#journal.isListen(requestId)) this.#settle(requestId)
    this.#inbound.cancel(message, requestId)
  }

  #receiveResponse(response: JsonRpcResponse): void {
    const id = response.id ?? undefined
    if (id === undefined) return this.onTrouble(unaddressedError(response, this.#connection.clean))
    const refused = isErrorResponse(response)
    // Late answers to what was given up are normal; they end here.
    if (this.#own.answer(id, response) || !this.#settle(id, !refused)) return
    if (refused) this.#greeting.noteRefusal(id, response)
    this.#listener.onMessage(response)
  }

  /** A frame came in that is no message. */
  onMalformed({ problem, id }: Malformed): void {
    const error = new ProtocolError('INVALID_RESPONSE', `the server sent no JSON-RPC message: ${problem}`)
    const refusal = { code: INTERNAL_ERROR, message: error.message }
    if (id !== undefined && this.#own.answer(id, { jsonrpc: '2.0', id, error: refusal })) return
    if (id === undefined || !this.#fail(id, error)) this.onTrouble(error)
  }

  /** The server is silent about a step of the handshake. */
  onStepDue(): void {
    this.#greeting.onProbeTimeout()
  }

  /** The server is silent. */
  onSilence(): void {
    this.#flight.awaitCalls()
    this.#connection.busy = this.#flight.awaits
  }

  /** A request must ask for a sign of life. */
  onProbeDue(): void {
    this.#greeting.askForLife()
  }

  /** Ends the request with this id, if it is in flight, with an error of our own. */
  #fail(id: RequestId, error: McpWebSocketError): boolean {
    const request = this.#settle(id)
    if (request) this.#listener.onFailed(request, error)
    return request !== undefined
  }

  /** The connection is in another state. */
  onState(to: LifecycleState, from: LifecycleState, closure: Closure | undefined): void {
    const left = isUp(from) && !isUp(to)
    const commands: Command[] = (this.#commands = [])
    if (left) this.#leaveSocket(from, to, closure)
    // What was under way is settled before anybody hears of the state, as listeners may close or reconnect at once.
    if (to.name === 'failed' || to.name === 'closing' || to.name === 'closed') this.#endLife(to)
    else if (left) this.#triage(closure ?? REPLACED)
    this.#commands = undefined
    this.#listener.onState(to, from, closure)
    for (const type of commands) this.command(type)
    if (this.state !== to) return
    if (to.name === 'initializing') this.#greeting.begin()
    else if (to.name === 'ready') this.#onReady(to)
  }

  /** What belonged to the socket ends with it. */
  #leaveSocket(from: LifecycleState, to: LifecycleState, closure: Closure | undefined): void {
    this.#open = false
    this.#own.clear()
    this.#greeting.closed(closure)
    if (from.name === 'ready') this.#interruption.begin(this.#connection.stats, this.#config.connection.clock.now())
    this.#inbound.abandon(`connection ${to.name}`)
  }

  /** Decides about the requests in flight, in the very task that handles the closure. */
  #triage(closure: Closure): void {
    const { resend, lost, tooLarge } = this.#flight.triage(closure)
    this.#eraOfResends = this.agreement?.era
    this.#connection.busy = false
    for (const request of resend) this.#outbox.putBack(request)
    for (const request of lost) {
      this.#journal.noteEnd(request.id, false)
      this.#lose(request, request === tooLarge ? tooLargeError(closure, request) : lostError(closure))
    }
  }

  #onReady(ready: LifecycleState): void {
    const mended = this.#interruption.end(this.#connection.stats, this.#config.connection.clock.now())
    if (mended) this.#listener.onReconnected({ ...mended, resent: this.#outbox.resendCount, serverChanged: this.#greeting.serverChanged })
    // A listener may have closed or dropped the connection meanwhile.
    if (this.state !== ready) return
    this.#flush()
    if (mended) for (const message of this.#greeting.swallowed()) if (this.#open) this.#listener.onMessage(message)
  }

  /** First what was sent before, then what waited; what listeners send meanwhile went behind it into the outbox. */
  #flush(): void {
    for (const waiting of this.#outbox.drain()) this.#release(waiting)
    this.#open = true
  }

  /** The socket may have room again for what waits behind a server that reads slowly. */
  onRoomDue(): void {
    if (this.#hasRoom) this.#flush()
    else this.#connection.expectRoom()
  }

  #release(waiting: Waiting): void {
    const { text = '' } = waiting
    if (!('phase' in waiting)) return this.#connection.send(text)
    const message = JSON.parse(text) as JsonRpcRequest
    const isResend = waiting.phase === 'sent'
    if (isResend) this.#connection.stats.resent++
    // To the byte what was sent before, unless the server now speaks the other era.
    if (isResend && this.#eraOfResends === this.agreement?.era) this.#fly(waiting, message, text)
    else this.#fly(waiting, this.#config.stamp(message, this.agreement))
  }

  #endLife(end: LifecycleState): void {
    const inFlight = this.#flight.takeAll()
    const tooLarge = end.name === 'failed' ? tooLargeOf(inFlight, end.closure) : undefined
    this.#connection.busy = false
    this.#interruption.forget()
    this.#greeting.reset()
    this.#journal.clear()
    for (const request of [...inFlight, ...this.#outbox.drain()]) {
      if (!('phase' in request)) continue
      const sent = request.phase !== 'queued'
      if (end.name !== 'failed') this.#lose(request, new ClosedError(sent ? 'unknown' : 'not-sent'))
      else if (request === tooLarge) this.#lose(request, tooLargeError(end.closure, request))
      else this.#lose(request, sent ? lostError(end.closure, end.error) : end.error)
    }
  }

  #lose(request: PendingRequest, error: McpWebSocketError): void {
    if (error.code !== 'CLOSED' && request.phase !== 'queued') this.#connection.stats.lost++
    this.#listener.onFailed(request, error)
  }
}
