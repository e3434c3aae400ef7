import { askedDelay, lateClosure, tellsEra } from './closures.js'
import { redact } from '../socket/secrets.js'
import { guarded } from '../lib/guarded.js'
import type { HeartbeatPolicy } from '../session/liveness.js'
import type { Deadline } from '../lib/deadlines.js'
import { parseText, type Malformed } from '../wire/json-rpc.js'
import { transition, type Command, type LifecycleEvent, type LifecycleState, type Redial, type RetryPolicy } from './lifecycle.js'
import { ProtocolError, type Closure, type McpWebSocketError } from '../errors.js'
import { Heartbeat } from '../session/heartbeat.js'
import type { Clock } from '../lib/clock.js'
import { SharedTimer } from '../lib/shared-timer.js'
import type { Socket, SocketClosure, SocketListener, SocketOptions } from '../socket/web-socket.js'
import type { OpenSocket } from '../socket/open-socket.js'
import type { Target } from '../socket/target.js'
import type { ClientStats } from '../types/client.js'
import type { JsonRpcMessage } from '../types/json-rpc.js'
import type { TokenContext } from '../types/options.js'

/** Settings of a connection; times in ms. */
export interface ConnectionConfig {
  readonly retry: RetryPolicy
  readonly resetAfter: number
  readonly connectTimeout: number
  readonly handshakeTimeout: number
  readonly closeTimeout: number
  readonly heartbeat: HeartbeatPolicy | false
  readonly unref: boolean
  readonly shouldReconnect: ((closure: Closure) => boolean | undefined) | undefined
  readonly trace: ((direction: 'in' | 'out', text: string) => void) | undefined
  readonly socket: SocketOptions
  /** Whether the token comes from a provider, which can give another. */
  readonly refreshable: boolean
  /** Whether a dial that failed is worth one without subprotocols: in browsers, if a missing one is accepted. */
  readonly mayDropProtocols: boolean
  /** Rejects with errors of this package only. */
  readonly resolveTarget: (context: TokenContext) => Promise<Target>
  /** Throws errors of this package only. */
  readonly openSocket: OpenSocket
  readonly clock: Clock
}

// Between two looks at the buffer of a socket, in ms.
const ROOM_PAUSE = 25
// With hints, in ms.
const MOST_PATIENCE = 1000

/** Who is told what happens to a connection. */
export interface ConnectionListener {
  /** @param closure - What ended the socket, if that is why the state changed. */
  onState(to: LifecycleState, from: LifecycleState, closure: Closure | undefined): void
  onMessage(message: JsonRpcMessage): void
  onMalformed(malformed: Malformed): void
  /** The time given to `expectWithin` is over. */
  onStepDue(): void
  /** Time to look whether the socket has room: see `expectRoom`. */
  onRoomDue(): void
  /** The server is silent: the calls that are open now are those that keep it `busy`, if any do. */
  onSilence(): void
  /** The server is silent and this engine cannot send pings: a request must ask for a sign of life. */
  onProbeDue(): void
  /** A callback of the program failed; the connection goes on. */
  readonly onTrouble: (error: Error) => void
}

/** The counts of a client, from its birth on; the session counts here too. */
export type ConnectionStats = { -readonly [Count in keyof ClientStats]: ClientStats[Count] }

/** Whether there is an open socket that messages go over. */
export const isUp = ({ name }: LifecycleState): boolean => name === 'initializing' || name === 'ready'

/** Keeps one socket and one timer in step with the lifecycle state; turns frames into messages. */
export class Connection implements SocketListener {
  readonly stats: ConnectionStats = { attempts: 0, reconnects: 0, sent: 0, received: 0, bytesSent: 0, bytesReceived: 0, resent: 0, lost: 0 }
  /** Whether a closure of this socket now answers the question for the server's era: dial again at once. */
  eraRedial = false
  readonly #config: ConnectionConfig
  readonly #listener: ConnectionListener
  readonly #timer: SharedTimer<Deadline>
  /** The end of what the state waits for; while `ready`, that the connection counts as stable. */
  readonly #limit: Deadline = { dueAt: 0, heapIndex: -1 }
  /** While `initializing`, the patience with one step of the handshake; while `ready`, the next look at the pulse. */
  readonly #watch: Deadline = { dueAt: 0, heapIndex: -1 }
  /** While messages wait for a server that reads slowly. */
  readonly #room: Deadline = { dueAt: 0, heapIndex: -1 }
  #state: LifecycleState = { name: 'idle' }
  #socket: Socket | undefined
  #subprotocol: string | undefined
  /** Whether this dial goes without subprotocols; `maybe` until one such dial opened. */
  #bare: 'no' | 'maybe' | 'yes' = 'no'
  #secrets: readonly string[] = []
  /** When the network was last tried, by a dial or upon a hint. */
  #triedAt = 0
  readonly #heartbeat: Heartbeat

  constructor(config: ConnectionConfig, listener: ConnectionListener) {
    this.#config = config
    this.#listener = listener
    this.#timer = new SharedTimer(config.clock, (due, now) => this.#onDue(due, now))
    this.#heartbeat = new Heartbeat(config.heartbeat, {
      clock: config.clock,
      bytesRead: () => this.#socket?.bytesRead,
      probe: () => {
        this.#triedAt = config.clock.now()
        if (this.#socket?.ping() === false) listener.onProbeDue()
      },
      onSilence: () => listener.onSilence(),
      schedule: (ms) => this.expectWithin(ms),
      die: () => this.onClosed({ kind: 'heartbeat', code: 1006, wasClean: false }),
      onIgnored: () => listener.onTrouble(ignoredError())
    })
  }

  get state(): LifecycleState {
    return this.#state
  }

  /** What the server chose; `undefined` if it named none, or while there is no socket. */
  get subprotocol(): string | undefined {
    return this.#subprotocol
  }

  command(type: Command): void {
    this.#dispatch({ type })
  }

  /** The layer above is done with its handshake: the connection is ready. */
  confirm(): void {
    this.#dispatch({ type: 'confirmed' })
  }

  /** The text without the secrets of the current dial, which servers like to quote. */
  readonly clean = (text: string): string => redact(text, this.#secrets)

  /** The layer above cannot work with this server. */
  refuse(error: Closure['error']): void {
    this.onClosed({ kind: 'close', wasClean: false, error })
  }

  /**
   * A hint that the network or the page woke up: probe, or dial without waiting on. However many hints come, they act at most
   * once in `initialDelay`, or in a second if that is less; a wait that the server asked for stands.
   */
  hurry(): void {
    const { clock, retry } = this.#config
    const now = clock.now()
    const ms = Math.max(0, this.#triedAt + Math.min(retry.initialDelay, MOST_PATIENCE) - now)
    const state = this.#state
    if (state.name === 'ready') this.#heartbeat.probeIn(ms)
    else if (state.name === 'waiting' && askedDelay(state.closure, retry.initialDelay) === 0 && now + ms < this.#limit.dueAt)
      this.#timer.set(this.#limit, ms)
  }

  /** The page is about to be frozen: an open socket would die unnoticed, or keep the page out of the back/forward cache. */
  suspend(): void {
    if (this.#state.name === 'ready') this.onClosed({ kind: 'close', code: 1001, reason: 'the page was left', wasClean: true })
  }

  /** Whether calls that were open at `onSilence` still wait for an answer; see rules of behaviour 5. */
  set busy(busy: boolean) {
    this.#heartbeat.busy = busy
  }

  /** Asks for `onStepDue` in `ms`, in place of an earlier wish. */
  expectWithin(ms: number): void {
    this.#timer.set(this.#watch, ms)
  }

  /** Asks for `onRoomDue` in a moment: no engine tells when its buffer is empty. */
  expectRoom(): void {
    if (this.#room.heapIndex === -1) this.#timer.set(this.#room, ROOM_PAUSE)
  }

  /** Bytes that were written and have not left; `Infinity` once the socket takes no more, as it is about to close. */
  get backlog(): number {
    return this.#socket?.buffered ?? Infinity
  }

  /** Writes one frame; only while a socket is open (`initializing`, `ready`). */
  send(text: string): void {
    this.#trace('out', text)
    this.stats.sent++
    this.stats.bytesSent += this.#socket?.send(text) ?? 0
  }

  #trace(direction: 'in' | 'out', text: string): void {
    const { trace } = this.#config
    if (trace) guarded(() => trace(direction, text), this.#listener.onTrouble)
  }

  #dispatch(event: LifecycleEvent): void {
    const from = this.#state
    const to = transition(from, event, this.#config.retry)
    if (to === from) return
    this.#state = to
    if (to.name === 'ready' && from.name === 'ready') return
    this.#enter(to)
    this.#listener.onState(to, from, event.type === 'socketClosed' ? event.closure : undefined)
  }

  /** Makes socket and timer agree with the state: the only place where they change. */
  #enter(state: LifecycleState): void {
    const { connectTimeout: connecting, handshakeTimeout: initializing, resetAfter: ready, closeTimeout: closing, unref } = this.#config
    const limits: Partial<Record<LifecycleState['name'], number>> = { connecting, initializing, ready, closing }
    const { name } = state
    this.#heartbeat.stop()
    this.#timer.clear(this.#watch)
    this.#timer.clear(this.#room)
    this.#timer.set(this.#limit, name === 'waiting' ? state.delay : (limits[name] ?? Infinity))
    this.#timer.idle = unref && 'life' in state && state.life.everReady
    if (name === 'ready') {
      if (unref) this.#socket?.unref()
      this.#heartbeat.start()
    } else if (name === 'closing') this.#socket?.close(1000, '')
    else if (name !== 'initializing') {
      this.#discard()
      if (name === 'connecting') void this.#dial({ attempt: Math.max(1, state.life.attempt), reason: state.life.reason })
      else if (name !== 'waiting') this.#bare = 'no'
    }
  }

  async #dial(context: TokenContext): Promise<void> {
    const state = this.#state
    this.stats.attempts++
    this.#triedAt = this.#config.clock.now()
    try {
      const target = await this.#config.resolveTarget(context)
      // Closed, or dialled anew, while the providers worked.
      if (this.#state !== state) return
      this.#secrets = target.secrets
      const { openSocket, socket } = this.#config
      this.#socket = openSocket(this.#bare === 'no' ? target : { ...target, protocols: [] }, socket, this)
    } catch (cause) {
      if (this.#state !== state) return
      this.onClosed({ kind: 'network', wasClean: false, error: cause as McpWebSocketError })
    }
  }

  /** The socket is open. */
  onOpened(subprotocol: string | undefined): void {
    this.#subprotocol = subprotocol
    if (this.#bare === 'maybe') this.#bare = 'yes'
    this.onHeard()
    this.#dispatch({ type: 'socketOpened' })
  }

  /** A text frame came in. */
  onText(text: string, bytes: number): void {
    this.stats.bytesReceived += bytes
    this.#trace('in', text)
    this.onHeard()
    // The last net: what a server sends must not end the process, whatever was forgotten above.
    guarded(() => parseText(text, this.#onMessage, this.#onMalformed), this.#listener.onTrouble)
  }

  /** A frame came in that is no text. */
  onUndecodable(): void {
    this.#onMalformed({ problem: 'the binary frame is not UTF-8' })
  }

  /** Something came in, whatever it is. */
  onHeard(): void {
    this.#heartbeat.hear()
  }

  /** The answer to a probe came in: a pong, or the answer to a request that asked for life. */
  onPong(): void {
    const latency = this.#heartbeat.pong()
    if (latency !== undefined) this.stats.latency = latency
  }

  readonly #onMessage = (message: JsonRpcMessage): void => {
    this.stats.received++
    // After close() nothing happens; ws would still deliver, browsers do not.
    if (isUp(this.#state)) this.#listener.onMessage(message)
  }

  readonly #onMalformed = (malformed: Malformed): void => {
    if (isUp(this.#state)) this.#listener.onMalformed(malformed)
  }

  /** The socket, or the dial for one, is over. */
  onClosed(facts: SocketClosure): void {
    const state = this.#state
    if (state.name === 'closing') return this.#dispatch({ type: 'timedOut' })
    if (!('life' in state)) return
    const closure: Closure = { ...facts, everReady: state.life.everReady }
    const redial = this.#redialAfter(closure, state.life.redials)
    this.#dispatch({
      type: 'socketClosed',
      closure,
      wish: redial ? undefined : guarded(() => this.#askProgram(closure), this.#listener.onTrouble),
      redial,
      refreshable: this.#config.refreshable,
      random: this.#config.clock.random()
    })
  }

  #askProgram(closure: Closure): boolean | undefined {
    const wish: unknown = this.#config.shouldReconnect?.(closure)
    // A promise would always mean yes, and NaN no.
    if (wish === undefined || typeof wish === 'boolean') return wish
    throw new TypeError('shouldReconnect must return true, false or undefined')
  }

  #redialAfter(closure: Closure, used: readonly Redial[]): 'era' | 'protocols' | undefined {
    if (this.eraRedial && tellsEra(closure)) return used.includes('era') ? undefined : 'era'
    const unopened = this.#state.name === 'connecting' && closure.kind === 'network'
    if (!this.#config.mayDropProtocols || !unopened || this.#bare === 'yes') return undefined
    // A page cannot see why a dial failed: until one opens, dials with and without subprotocols take turns.
    this.#bare = this.#bare === 'no' ? 'maybe' : 'no'
    return used.includes('protocols') ? undefined : 'protocols'
  }

  #discard(): void {
    this.#socket?.discard()
    this.#socket = undefined
    this.#subprotocol = undefined
    this.eraRedial = false
  }

  #onDue(due: Deadline, now: number): void {
    const { name } = this.#state
    if (due === this.#room) this.#listener.onRoomDue()
    else if (due === this.#watch) {
      if (name === 'ready') this.#heartbeat.look(now, due.dueAt)
      else this.#listener.onStepDue()
    } else if (name === 'ready') this.#dispatch({ type: 'stabilized' })
    else if (name === 'connecting') this.onClosed(this.#socket?.expire() ?? lateClosure('CONNECT_TIMEOUT', this.#config.connectTimeout))
    else if (name === 'initializing') this.onClosed(lateClosure('HANDSHAKE_TIMEOUT', this.#config.handshakeTimeout))
    else this.#dispatch({ type: 'timedOut' })
  }
}

const ignoredError = (): ProtocolError =>
  new ProtocolError('INVALID_RESPONSE', 'the server answers no probe, though it speaks: the heartbeat is off for this connection', {
    hint: 'A connection that dies is now noticed by a request that times out only. `heartbeat: false` says so from the start.'
  })
