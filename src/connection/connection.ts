// The connection layer: one socket and one timer, kept in step with the lifecycle. It decides when to dial, to wait and to give up
// (by the rules in lifecycle.ts, closures.ts and backoff.ts), and turns frames into messages. It knows nothing of MCP: for it, a
// handshake is the time between the open socket and `confirm()`. The session calls it.

import { isMcpWebSocketError, type Closure, type ProtocolError } from '../errors.js'
import type { Clock } from '../lib/clock.js'
import { asError, decided, guarded } from '../lib/guarded.js'
import { SharedTimer, type Due } from '../lib/shared-timer.js'
import type { OpenSocket } from '../socket/open-socket.js'
import { isWatched } from '../socket/node-socket.js'
import { publicUrl, redact, redactStart } from '../socket/secrets.js'
import type { Socket, SocketClosure, SocketListener, SocketOptions, Target } from '../socket/web-socket.js'
import type { ClientStats } from '../types/client.js'
import type { JsonRpcMessage } from '../types/json-rpc.js'
import type { DiagnosticsChannel } from '../types/diagnostics.js'
import type { Callback, JsonOption, TokenContext } from '../types/options.js'
import { encodeMessage, parseText, type Malformed } from '../wire/json-rpc.js'
import { RESUME_SUBPROTOCOL } from '../wire/subprotocol.js'
import { askedDelay, lateClosure, tellsEra, unexpectedError, unreadError, withError } from './closures.js'
import { renewAfter, TOKEN_EXPIRES, type Departure } from './departure.js'
import {
  transition,
  type Command,
  type LifecycleEvent,
  type LifecycleState,
  type Redial,
  type RetryPolicy,
  type SocketClosed
} from './lifecycle.js'
import { Resumption, UNRELATED, type ResumptionHost, type ResumptionListener } from './resumption.js'

/** A smaller offer of subprotocols, to dial with if a dial with the whole offer failed. */
export interface Fallback {
  /** Kind of the dial that follows at once. */
  readonly redial: 'resume' | 'protocols'
  /** Whether a dial that ended like this should be repeated with this offer. */
  readonly isWorthIt: (closure: Closure) => boolean
  /** Makes this offer from the whole one. */
  readonly reduce: (protocols: readonly string[]) => readonly string[]
}

/** Settings of a connection; times in ms. */
export interface ConnectionConfig extends SocketOptions {
  /** When to dial again. */
  readonly retry: RetryPolicy
  /** How long a connection must be ready before its retries are counted anew. */
  readonly resetAfter: number
  /** The program's word about a closure. */
  readonly shouldReconnect?: ((closure: Closure) => boolean | undefined) | undefined
  /** Until a dial has an open socket, the program's providers included. */
  readonly connectTimeout: number
  /** From the open socket until `confirm()`. */
  readonly handshakeTimeout: number
  /** Whether a connection that was ready once keeps no process alive. */
  readonly unref: boolean
  /** Sees every frame. */
  readonly trace: Callback<[direction: 'in' | 'out', text: string]> | undefined
  /** Reads and writes JSON. */
  readonly json: JsonOption
  /** Bytes that may wait in the socket before `canWrite` is false. */
  readonly maxBuffered: number
  /** Whether the token comes from a provider, which can give another. */
  readonly refreshable: boolean
  /** What to offer where the whole offer is not accepted, in this order. */
  readonly fallbacks: readonly Fallback[]
  /** Whether sessions survive their socket, where the server knows how. */
  readonly resume: boolean
  /** Finds out where to dial. Rejects with errors of this package only. */
  readonly resolveTarget: (context: TokenContext) => Promise<Target>
  /** Dials. Throws errors of this package only. */
  readonly openSocket: OpenSocket
  /** Time and chance. */
  readonly clock: Clock
  /** Who watches from outside; `undefined` where the engine has no such thing. */
  readonly diagnostics?: DiagnosticsChannel | undefined
}

/** Is told what happens to a connection. */
export interface ConnectionListener extends ResumptionListener {
  /** The state changed. @param closure - What ended the socket, if that is why. */
  onState(to: LifecycleState, from: LifecycleState, closure: Closure | undefined): void
  /** A message came in. */
  onMessage(message: JsonRpcMessage): void
  /** Something came in that is not a message. */
  onMalformed(malformed: Malformed): void
  /** Something came in, whatever it is: a sign of life. */
  onHeard(): void
  /** The socket takes messages again; see {@link Connection.awaitDrain}. */
  onDrain(): void
  /** A callback of the program failed; the connection goes on. */
  readonly onError: (error: Error) => void
}

/** The counts of a client since it was made. The session adds to them. */
export type ConnectionStats = { -readonly [Count in keyof Omit<ClientStats, 'bytesWaiting' | 'oldestRequest'>]: ClientStats[Count] }

/** Whether a state has an open socket that messages go over. */
export const isUp = ({ name }: LifecycleState): boolean => name === 'initializing' || name === 'ready'

// No engine tells when its buffer is empty: how often to look, in ms.
const DRAIN_CHECK = 25
// In ms. If the token is about to expire during a handshake, the connection looks again after this time.
const RENEWAL_CHECK = 1000
// At most one dial in this time because of hints, in ms; less if `initialDelay` is less.
const HINT_PAUSE = 1000
// Characters of a frame that could not be read; enough to recognise what sent it.
const SHOWN_START = 40

/** Keeps one socket and one timer in step with the lifecycle; turns frames into messages. */
export class Connection implements SocketListener {
  /** The counts so far. */
  readonly stats: ConnectionStats = { attempts: 0, reconnects: 0, sent: 0, received: 0, bytesSent: 0, bytesReceived: 0, resent: 0, lost: 0 }
  /** Whether a closure of this socket would tell the era of the server: then the next dial follows at once. */
  eraRedial = false
  /** How long the upgrade of the current socket took, in ms: a measure of how far away the server is. */
  roundTrip = 0
  readonly #config: ConnectionConfig
  readonly #listener: ConnectionListener
  readonly #timer: SharedTimer
  /** The time limit of the state; in `ready`, the moment from which the connection counts as stable. */
  readonly #limit: Due = { dueAt: 0, slot: -1, onDue: () => this.#onLimit() }
  /** The token of this socket is about to expire. */
  readonly #renewal: Due = { dueAt: 0, slot: -1, onDue: () => this.#onRenewalDue() }
  /** The next look at a socket under backpressure. */
  readonly #drainCheck: Due = { dueAt: 0, slot: -1, onDue: () => this.#checkDrain() }
  #state: LifecycleState = { name: 'idle' }
  #socket: Socket | undefined
  #subprotocol: string | undefined
  readonly #resumption: Resumption | undefined
  /** Number of the fallback with which dials are made, from 1; 0: with the whole offer. */
  #fallback = 0
  /** Whether a socket opened with this fallback: then it is kept. */
  #isProven = false
  #secrets: readonly string[] = []
  #url: string | undefined
  /** The frame that is being read. */
  #frame = ''
  /** Whether something in it is not a message. */
  #isFaulty = false
  /** Frames of the current socket that could not be read. */
  #unread = 0
  /** How the last of them began, secrets included. */
  #unreadStart = ''
  #dialledAt = 0

  /** Does nothing before a command. */
  constructor(config: ConnectionConfig, listener: ConnectionListener) {
    this.#config = config
    this.#listener = listener
    this.#timer = new SharedTimer(config.clock)
    this.#resumption = config.resume ? this.#makeResumption() : undefined
  }

  #makeResumption(): Resumption {
    const host: ResumptionHost = {
      timer: this.#timer,
      write: (text) => this.#write(text),
      drop: (closure) => this.#end(closure),
      onMisunderstood: (reason) => this.#redialWithout(reason),
      onDrain: () => this.#timer.has(this.#drainCheck) && this.#checkDrain()
    }
    return new Resumption(host, this.#listener)
  }

  /** Where the lifecycle is. */
  get state(): LifecycleState {
    return this.#state
  }

  /** The URL of the last dial, without secrets; `undefined` before the first. */
  get url(): string | undefined {
    return this.#url
  }

  /** The subprotocol that the server chose; `undefined` if it named none, or while there is no socket. */
  get subprotocol(): string | undefined {
    return this.#subprotocol
  }

  /** Bytes that came in over this socket, parts of messages included; `undefined` where the engine does not tell. */
  get bytesRead(): number | undefined {
    return this.#socket?.bytesRead
  }

  /** Whether there is a socket that is open and not about to close. */
  get isWritable(): boolean {
    return this.#buffered < Infinity
  }

  /** Whether the server reads fast enough: not much waits in the socket. */
  get isDrained(): boolean {
    return this.#buffered <= this.#config.maxBuffered
  }

  /** Whether the socket takes more messages: it is open, and the server reads and acknowledges fast enough. */
  get canWrite(): boolean {
    return this.isDrained && !this.#resumption?.isFull
  }

  /** Whether nothing but a missing acknowledgement can hold back what is sent: there is a session, and the server reads fast enough. */
  get isPaced(): boolean {
    return this.isResumable && this.isDrained
  }

  /** Whether a session waits for its next socket, so that what was sent is not lost. */
  get isDetached(): boolean {
    return this.#resumption?.isDetached ?? false
  }

  /** Whether what is sent survives the end of the socket. */
  get isResumable(): boolean {
    return this.#resumption?.isConfirmed ?? false
  }

  /** Bytes that wait in the socket. */
  get bytesWaiting(): number {
    const { buffered = 0 } = this.#socket ?? {}
    return buffered < Infinity ? buffered : 0
  }

  get #buffered(): number {
    return this.#resumption?.isOpening ? Infinity : (this.#socket?.buffered ?? Infinity)
  }

  /** Begins a life, dials anew, or ends the life: see {@link Command}. */
  command(type: Command): void {
    this.#dispatch({ type })
  }

  /** The session is done with what comes first on a socket: the connection is ready. */
  confirm(): void {
    this.#resumption?.confirm()
    this.#dispatch({ type: 'confirmed' })
  }

  /** Ends the socket, or the dial for one, at once: what follows depends on the closure, as if the server had caused it. */
  drop(closure: SocketClosure): void {
    this.#end(closure)
  }

  /**
   * Moves from this socket to a new one. From a stable connection, that counts as no retry. From any other it is a closure, with the delay of
   * a retry: a server that always says that it is about to close must not be dialled without a pause.
   */
  leave({ reason, delay, endsSession }: Departure): void {
    const state = this.#state
    const facts: SocketClosure = { kind: 'close', code: 1001, reason, wasClean: true, retryAfter: delay || undefined }
    if (state.name !== 'ready' || state.life.attempt > 0) return this.#end(facts)
    if (endsSession) this.#resumption?.end()
    if (delay === 0) return this.command('reconnect')
    const closure = withError({ ...facts, everReady: true }, this.#url)
    this.#dispatch({ type: 'left', closure, random: this.#config.clock.random() })
  }

  /**
   * Takes a hint that the network or the page woke up: a wait for the next dial ends. However many hints come, there is at most one
   * dial in `initialDelay`, or in a second if that is less; a wait that the server asked for stands.
   */
  hurry(): void {
    const { clock, retry } = this.#config
    const state = this.#state
    if (state.name !== 'waiting' || askedDelay(state.closure, retry.initialDelay) > 0) return
    const at = Math.max(clock.now(), this.#dialledAt + Math.min(retry.initialDelay, HINT_PAUSE))
    if (at < this.#limit.dueAt) this.#timer.set(this.#limit, at - clock.now())
  }

  /** The error for the frames of this socket that could not be read, if there were any. */
  get unread(): ProtocolError | undefined {
    return this.#unread > 0 ? unreadError(this.#unread, redactStart(this.#unreadStart, this.#secrets)) : undefined
  }

  /** The text without the secrets of the current dial, which servers like to quote. */
  readonly redact = (text: string): string => redact(text, this.#secrets)

  /** Sends a ping frame. @returns `false` where neither the engine nor the subprotocol has one, or there is no socket. */
  ping(): boolean {
    return this.#socket?.ping() || this.#resumption?.ping() || false
  }

  /** Asks for `onDrain` once `canWrite` is true again. */
  awaitDrain(): void {
    if (!this.#timer.has(this.#drainCheck)) this.#timer.set(this.#drainCheck, DRAIN_CHECK)
  }

  #checkDrain(): void {
    this.#timer.clear(this.#drainCheck)
    if (this.canWrite) this.#listener.onDrain()
    else this.awaitDrain()
  }

  /** The message as the text of one frame. @throws TypeError that names the method, if JSON cannot hold the message. */
  encode(message: JsonRpcMessage): string {
    return encodeMessage(message, this.#config.json)
  }

  /**
   * Sends one frame. To be called only while a socket has its session, or while a session waits for a socket: then the frame waits too.
   * @returns Its position in the session, for {@link Attachment}; 0 without sessions.
   */
  send(text: string): number {
    const writes = this.#resumption?.record(text) ?? true
    const position = this.#resumption?.sent ?? 0
    if (writes) this.#write(text)
    return position
  }

  /** There is no socket for a frame: it waits for the next one, if a session survives until then. */
  keep(text: string): void {
    this.#resumption?.record(text)
  }

  #write(text: string): void {
    this.stats.sent++
    this.stats.bytesSent += this.#socket?.send(text) ?? 0
    // Only now: the callback may send something, which has to come later.
    this.#trace('out', text)
  }

  #trace(direction: 'in' | 'out', text: string): void {
    const { trace, diagnostics } = this.#config
    if (trace) void guarded(() => trace(direction, text), this.#listener.onError)
    if (isWatched(diagnostics)) diagnostics.publish({ url: this.#url, kind: 'frame', direction, text })
  }

  #dispatch(event: LifecycleEvent): void {
    const from = this.#state
    const to = transition(from, event, this.#config.retry)
    if (to === from) return
    this.#state = to
    if (to.name === 'ready' && from.name === 'ready') return
    const closure = 'closure' in event ? event.closure : undefined
    this.#enter(to, closure)
    this.#listener.onState(to, from, closure)
    // Only now: the callback `url` of the program may change the state, which has to be told after this change.
    if (to.name === 'connecting' && this.#state === to) void this.#dial(to)
  }

  /** Makes socket and timer agree with the state: the only place where they change. */
  #enter(state: LifecycleState, closure: Closure | undefined): void {
    const { connectTimeout: connecting, handshakeTimeout: initializing, resetAfter: ready, closeTimeout: closing, unref } = this.#config
    const limits: Partial<Record<LifecycleState['name'], number>> = { connecting, initializing, ready, closing }
    const { name } = state
    this.#timer.clear(this.#drainCheck)
    this.#timer.set(this.#limit, name === 'waiting' ? state.delay : (limits[name] ?? Infinity))
    this.#timer.idle = unref && 'life' in state && state.life.everReady
    if (name === 'ready') {
      if (unref) this.#socket?.unref()
    } else if (name === 'closing') {
      this.#resumption?.end()
      this.#socket?.close(1000, '')
    } else if (name !== 'initializing') {
      this.#discard()
      if (name === 'connecting' || name === 'waiting') this.#resumption?.detach(closure)
      else this.#forget()
    }
  }

  /** The next life begins with nothing. */
  #forget(): void {
    this.#resumption?.forget()
    this.#fallback = 0
    this.#isProven = false
  }

  async #dial(state: Extract<LifecycleState, { name: 'connecting' }>): Promise<void> {
    const { attempt, reason } = state.life
    this.stats.attempts++
    this.#dialledAt = this.#config.clock.now()
    try {
      const target = await this.#config.resolveTarget({ attempt: Math.max(1, attempt), reason })
      // The connection was closed, or dialled anew, while the providers worked.
      if (this.#state !== state) return
      this.#secrets = target.secrets
      this.#url = publicUrl(target.url)
      this.#timer.set(this.#renewal, renewAfter(target.lifetime))
      this.#dialledAt = this.#config.clock.now()
      const fallback = this.#config.fallbacks[this.#fallback - 1]
      const offer = fallback ? { ...target, protocols: fallback.reduce(target.protocols) } : target
      this.#socket = this.#config.openSocket(offer, this.#config, this)
    } catch (cause) {
      if (this.#state !== state) return
      this.#end({ kind: 'network', wasClean: false, error: isMcpWebSocketError(cause) ? cause : unexpectedError(cause, this.#url) })
    }
  }

  /** The socket is open. */
  onOpened(subprotocol: string | undefined): void {
    this.#subprotocol = subprotocol
    this.roundTrip = this.#config.clock.now() - this.#dialledAt
    this.#isProven = this.#fallback > 0
    this.#listener.onHeard()
    this.#dispatch({ type: 'socketOpened' })
    // A listener may have ended the connection.
    if (this.#state.name === 'initializing') this.#attach(subprotocol)
  }

  #attach(subprotocol: string | undefined): void {
    if (this.#resumption && subprotocol === RESUME_SUBPROTOCOL) return this.#resumption.open()
    // The server may have been replaced by one that knows no sessions.
    this.#resumption?.forget()
    this.#listener.onAttached(UNRELATED)
  }

  /** A frame came in. */
  onText(text: string, bytes: number): void {
    this.stats.bytesReceived += bytes
    this.#trace('in', text)
    this.#listener.onHeard()
    // The callback `trace` may have ended the connection. With a session, the server then sends this frame again.
    if (!isUp(this.#state)) return
    if (this.#resumption?.receive(text) === false) return
    this.#beginFrame(text)
    // A safety net: nothing that a server sends may end the process, even if a layer above has a bug.
    try {
      parseText(text, this.#onMessage, this.#onMalformed, this.#config.json)
    } catch (thrown) {
      this.#listener.onError(asError(thrown))
    }
    this.#frame = ''
    this.#resumption?.delivered()
  }

  #beginFrame(text: string): void {
    this.#frame = text
    this.#isFaulty = false
  }

  /** A frame came in that is not text. */
  onUndecodable(): void {
    this.#beginFrame('')
    this.#onMalformed({ problem: 'the binary frame is not UTF-8', kind: 'text' })
  }

  /** A ping frame of the server came in. */
  onHeard(): void {
    this.#listener.onHeard()
  }

  /** The response to a ping frame came in. */
  onPong(): void {
    this.#listener.onPong()
  }

  /** The socket, or the dial for one, is over. */
  onClosed(closure: SocketClosure): void {
    this.#end(closure)
  }

  /**
   * Whether messages that come in are delivered. After close() none is: ws would still deliver, browsers do not. In a session that waits
   * for a socket they are: one message of an array may have caused a reconnect, and the server will not send the rest again, because the
   * whole frame counts as received.
   */
  get #isHeard(): boolean {
    return isUp(this.#state) || this.isDetached
  }

  readonly #onMessage = (message: JsonRpcMessage): void => {
    this.stats.received++
    if (this.#isHeard) this.#listener.onMessage(message)
  }

  readonly #onMalformed = (malformed: Malformed): void => {
    if (!this.#isFaulty) {
      this.#isFaulty = true
      this.#unread++
      this.#unreadStart = this.#frame.slice(0, SHOWN_START)
    } else if (malformed.id === undefined) {
      // An array has room for millions of them: only the first is reported, and those that may belong to a request.
      return
    }
    if (this.#isHeard) this.#listener.onMalformed(malformed)
  }

  /** @param wanted - The dial that follows at once. */
  #end(facts: SocketClosure, wanted?: 'resume'): void {
    const state = this.#state
    if (state.name === 'closing') return this.#dispatch({ type: 'timedOut' })
    if (!('life' in state)) return
    const closure = withError({ ...facts, everReady: state.life.everReady }, this.#url, state.name === 'ready' ? undefined : this.unread)
    const redial = wanted ?? this.#redialAfter(closure, state.life.redials)
    const override = redial ? undefined : decided('shouldReconnect', () => this.#config.shouldReconnect?.(closure), this.#listener.onError)
    // `shouldReconnect` may have called `reconnect()` or `close()`: that decides, and the closure does not concern the new dial.
    if (this.#state !== state) return this.#state.name === 'closing' ? this.#dispatch({ type: 'timedOut' }) : undefined
    this.#dispatch({
      type: 'socketClosed',
      closure,
      override,
      redial,
      refreshable: this.#config.refreshable,
      random: this.#config.clock.random()
    })
  }

  #redialAfter(closure: Closure, used: readonly Redial[]): SocketClosed['redial'] {
    if (this.eraRedial && tellsEra(closure)) return used.includes('era') ? undefined : 'era'
    const { fallbacks } = this.#config
    const before = fallbacks[this.#fallback - 1]
    if (this.#state.name !== 'connecting' || this.#isProven) return undefined
    const next = fallbacks.findIndex(({ isWorthIt }, index) => index >= this.#fallback && isWorthIt(closure))
    const { redial } = fallbacks[next] ?? {}
    // A page cannot see why a dial failed: until one opens, dials with each offer take turns.
    if (redial || before?.isWorthIt(closure)) this.#fallback = next + 1
    return redial && !used.includes(redial) ? redial : undefined
  }

  /** The server chose `mcp.v1.resume` without knowing it: it is dialled without, from now on. */
  #redialWithout(reason: string): void {
    this.#fallback = 1
    this.#isProven = true
    this.#end(
      { kind: 'close', code: 1006, reason: `the server does not speak ${RESUME_SUBPROTOCOL}: ${reason}`, wasClean: false },
      'resume'
    )
  }

  #discard(): void {
    this.#timer.clear(this.#renewal)
    this.#socket?.discard()
    this.#socket = undefined
    this.#subprotocol = undefined
    this.#unread = 0
    this.eraRedial = false
  }

  #onRenewalDue(): void {
    if (this.#state.name === 'ready') this.#listener.onDeparture(TOKEN_EXPIRES)
    else this.#timer.set(this.#renewal, RENEWAL_CHECK)
  }

  #onLimit(): void {
    const { name } = this.#state
    if (name === 'ready') this.#dispatch({ type: 'stabilized' })
    else if (name === 'connecting')
      this.#end(this.#socket?.expire() ?? lateClosure('CONNECT_TIMEOUT', this.#config.connectTimeout, this.#url))
    else if (name === 'initializing') this.#end(lateClosure('HANDSHAKE_TIMEOUT', this.#config.handshakeTimeout, this.#url, this.unread))
    else this.#dispatch({ type: 'timedOut' })
  }
}
