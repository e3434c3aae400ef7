import { McpWebSocketError } from '../errors.js'
import type { Due, SharedTimer } from '../lib/shared-timer.js'
import type { SessionStore } from '../types/session-store.js'
import { ENDING_CODES, SERVICE_RESTART } from '../wire/close-reasons.js'
import { ACKNOWLEDGE_WITHIN, HARD_LIMIT, Receipts, ReplayBuffer } from '../wire/replay.js'
import { encodeControl, isControl, readClientControl, receiptText } from '../wire/resume-frames.js'
import type { OpenFrame, ReceiptFrame, ReplayLimits, ResumeFailure } from '../wire/resume-frames.js'
import { RESUME_SUBPROTOCOL } from '../wire/subprotocol.js'
import type { Metrics } from './metrics.js'
import type { LinkListener, PeerLink } from './peer-link.js'
import type { Resumable } from './sessions.js'
import type { CutReason, MessageExtra } from './types.js'

/** What all sessions of a server share. */
export interface SessionConfig {
  /** Tells sessions when an acknowledgement is due, or their time is over. */
  readonly timer: SharedTimer
  /** Counts the sessions that are cut while their client is away. */
  readonly metrics: Metrics
  /** How long a session is kept for a client that is away, in ms. */
  readonly ttl: number
  /** How much is kept of what is sent. */
  readonly limits: ReplayLimits
  /** How long a client may take to acknowledge something when there is no room for more, in ms. */
  readonly drainTimeout: number
  /** The store in which the session is kept, too. */
  readonly store: SessionStore | undefined
  /** The session has lost its socket. */
  readonly onDetached: (session: ResumableSession) => void
  /** The session is over. @param reason - What its client will be told; `undefined`: another node has claimed it. */
  readonly onOver: (session: ResumableSession, reason: ResumeFailure | undefined) => void
}

/** Names of a session that begins. */
export interface SessionNames {
  /** See {@link Resumable}. */
  readonly id: string
  /** See {@link Resumable}. */
  readonly principal: string
}

/** Close code of a socket whose session another socket has got. */
const DISPLACED = 4409
/** How many sockets in a row may end after the same frames were replayed, without the client having received any of them. */
const MOST_LOSSES = 3

/** A frame of the client that has to wait; it is not counted as received yet. */
type Held = readonly [text: string, bytes: number]

/**
 * A session of `mcp.v1.resume`: a way to one client that goes on when a socket ends and another one takes its place. Each frame is handed
 * up once, and each frame that is sent is kept until the client acknowledges it.
 */
export class ResumableSession implements PeerLink, LinkListener, Resumable {
  readonly id: string
  readonly principal: string
  readonly #config: SessionConfig
  readonly #buffer: ReplayBuffer
  readonly #receipts: Receipts
  #listener: LinkListener | undefined
  #generation = 0
  /** The socket; `undefined` while the client is away. */
  #link: PeerLink | undefined
  #isNew = true
  #isOver = false
  /** Whether the transport above was started, and wants messages. */
  #reads = false
  #held: Held[] = []
  #heldSize = 0
  /** With a socket: when the next acknowledgement is due. Without one: when the session expires. */
  readonly #due: Due = {
    dueAt: 0,
    slot: -1,
    onDue: () => (this.#link === undefined ? this.#end('expired', 1006, '') : this.#acknowledge())
  }
  /** Whether the hard limit was exceeded in an earlier turn of the loop. */
  #isSurpassed = false
  /** Set while the client acknowledges nothing although there is no room for more. Made when it is needed: few sessions do. */
  #stalled: Due | undefined
  /**
   * How many frames were acknowledged when frames were last replayed; and how many sockets have ended since, without any more being
   * acknowledged.
   */
  #replayedFrom = -1
  #losses = 0

  constructor({ id, principal }: SessionNames, config: SessionConfig) {
    this.id = id
    this.principal = principal
    this.#config = config
    this.#buffer = new ReplayBuffer(config.limits)
    this.#receipts = new Receipts(config.limits)
  }

  get generation(): number {
    return this.#generation
  }

  get sent(): number {
    return this.#buffer.sent
  }

  get acknowledged(): number {
    return this.#buffer.acknowledged
  }

  get received(): number {
    return this.#receipts.received
  }

  get isPoisoned(): boolean {
    return this.#losses >= MOST_LOSSES && this.#buffer.acknowledged === this.#replayedFrom
  }

  get subprotocol(): string {
    return RESUME_SUBPROTOCOL
  }

  /** Frames are taken while the client is away, too. */
  get isOpen(): boolean {
    return !this.#isOver
  }

  /**
   * Takes a socket in place of the one before.
   * @param hello - The text of the hello frame, with what was received.
   * @param extra - Comes with each message from now on; `undefined`: the one from before stays.
   */
  attach(link: PeerLink, { generation, received, limits }: OpenFrame, hello: (received: number) => string, extra?: MessageExtra): void {
    const { timer, store } = this.#config
    this.#displace()
    timer.clear(this.#due)
    this.#generation = generation
    this.#link = link
    link.listen(this)
    this.#buffer.narrow(limits)
    this.#receipts.narrow(limits)
    link.sendControl(hello(this.#receipts.tell()))
    if (this.#isNew) {
      this.#isNew = false
      return store?.create({ id: this.id, principal: this.principal, generation }, this.#config.ttl)
    }
    store?.attach(this.id, generation)
    this.#onAcknowledged(received)
    this.#replay(link)
    // Writing all of it may have been too much for the socket, and have ended it.
    if (this.#isAway) return
    this.#judgeRoom()
    this.#listener?.onAttach?.(extra)
  }

  /** After the store was lost: writes everything that it should know of this session. */
  writeAnew(): void {
    const { store, ttl } = this.#config
    const { id, principal, generation, acknowledged } = this
    store?.create({ id, principal, generation }, ttl)
    this.#buffer.unacknowledged.forEach((text, index) => store?.append(id, acknowledged + index + 1, text))
  }

  listen(listener: LinkListener | undefined): void {
    this.#listener = listener
  }

  resume(): void {
    this.#reads = true
    this.#takeHeld()
  }

  pause(): void {
    this.#reads = false
  }

  send(text: string, isSolicited: boolean): Promise<void> {
    if (this.#isOver) return Promise.resolve()
    if (this.#link === undefined && this.#buffer.isFull) this.#end('overflow', 1013, '')
    if (!this.isOpen) return Promise.reject(new McpWebSocketError('CLOSED', 'the client reads too slowly'))
    const isTooMuch = this.#isTooMuch(isSolicited)
    const position = this.#buffer.push(text)
    this.#config.store?.append(this.id, position, text)
    // From here on the frame is kept: if the socket ends, it is sent again.
    if (this.#link === undefined) return Promise.resolve()
    if (isTooMuch) {
      this.#link.cut('slow-reader')
      return Promise.resolve()
    }
    this.#judgeRoom()
    return this.#link.send(text, isSolicited).catch(() => undefined)
  }

  sendControl(text: string): void {
    this.#link?.sendControl(text)
  }

  goAway(retryAfterMs: number): void {
    this.sendControl(encodeControl({ 'mcp.resume': 'goaway', retryAfterMs }))
  }

  close(code: number, reason: string): Promise<void> {
    if (!this.#isOver) {
      // The close frame alone may get lost with its socket. Then the client would come back for a session that is over.
      this.sendControl(encodeControl({ 'mcp.resume': 'end' }))
      this.#markOver('unknown', true)
      if (this.#isAway) this.#listener?.onEnd(code)
    }
    return this.#link?.close(code, reason) ?? Promise.resolve()
  }

  cut(reason: CutReason): void {
    if (this.#isOver && this.#link === undefined) return
    this.#markOver('unknown')
    if (this.#link !== undefined) return this.#link.cut(reason)
    this.#config.metrics.connectionsCut[reason]++
    this.#listener?.onEnd(1011)
  }

  terminate(): void {
    const wasOver = this.#isOver
    this.#markOver('unknown', true)
    if (this.#link !== undefined) this.#link.terminate()
    else if (!wasOver) this.#listener?.onEnd(1006)
  }

  /** Ends the session, because there are too many sessions without a socket. */
  drop(): void {
    this.#end('overflow', 1013, '')
  }

  /** The client and this server do not agree on what was sent. */
  fail(): void {
    this.#end('protocol', 1002, 'not a frame that may come here')
  }

  /** Ends the session, because another node has claimed it. A client that is connected here is sent away, and has to ask that node. */
  fence(): void {
    this.#end(undefined, SERVICE_RESTART, 'another node has the session')
  }

  /** A frame came in over the socket. */
  onText(text: string, bytes: number): void {
    if (this.#isOver) return
    if (isControl(text)) return this.#onControl(text)
    if (!this.#isHolding && this.#held.length === 0) return this.#take(text, bytes)
    // No request is taken in while there is no room for its response. The socket is still read, because acknowledgements come the same way.
    // A client that respects the limits stops by itself.
    const { messages, bytes: size } = this.#config.limits
    if (this.#held.length >= messages || this.#heldSize >= size) return this.#link?.cut('slow-reader')
    this.#held.push([text, bytes])
    this.#heldSize += text.length
  }

  /** Something went wrong with the socket that does not end it by itself. */
  onError(error: Error): void {
    this.#listener?.onError(error)
  }

  /** The socket is gone. */
  onEnd(code: number): void {
    this.#link = undefined
    this.#dropHeld()
    if (this.#isOver) return this.#listener?.onEnd(code)
    // The replayed frames may have ended the socket. This is not reached if the client came back before the end was noticed: that was
    // silence, which comes from the network. How much the client has received it says when it comes back, because its last acknowledgement
    // may have been lost with the socket. Not counted either if another node says that it has lost this one: the client may have got
    // nothing because this process stood still.
    if (code !== SERVICE_RESTART && this.#buffer.acknowledged === this.#replayedFrom) this.#losses++
    if (ENDING_CODES.includes(code)) return this.#end(code === 1000 ? 'unknown' : 'protocol', code, '')
    this.#judgeRoom()
    this.#config.timer.set(this.#due, this.#config.ttl)
    this.#listener?.onDetach?.()
    // The program may have ended it.
    if (this.isOpen) this.#config.onDetached(this)
  }

  /** Whether there is no socket. A getter, as a socket may end while it is written to. */
  get #isAway(): boolean {
    return this.#link === undefined
  }

  get #isHolding(): boolean {
    return !this.#reads || this.#buffer.isFull
  }

  /**
   * Whether a client that is there has left too much unacknowledged, so that it would fill the memory. Only the size counts: no client can
   * acknowledge a burst of small messages before its end. Responses of one turn of the loop do not count yet: the client asked for all of
   * them, and cannot have acknowledged any.
   */
  #isTooMuch(isSolicited: boolean): boolean {
    if (!this.#buffer.isLargerThan(HARD_LIMIT)) {
      this.#isSurpassed = false
      return false
    }
    if (!isSolicited || this.#isSurpassed) return true
    setImmediate(() => (this.#isSurpassed = true))
    return false
  }

  /** A frame counts as received before it is handed up: whatever follows from it, it must not come a second time. */
  #take(text: string, bytes: number): void {
    if (this.#receipts.note(text.length)) this.#acknowledge()
    else if (!this.#config.timer.has(this.#due)) this.#config.timer.set(this.#due, ACKNOWLEDGE_WITHIN)
    this.#listener?.onText(text, bytes)
  }

  #takeHeld(): void {
    while (!this.#isOver && !this.#isHolding) {
      const next = this.#held.shift()
      if (next === undefined) return
      this.#heldSize -= next[0].length
      this.#take(...next)
    }
  }

  #onControl(text: string): void {
    const frame = readClientControl(text)
    switch (frame?.['mcp.resume']) {
      case 'ack':
      case 'pong':
        return void this.#onAcknowledged(frame.received)
      case 'ping':
        if (this.#onAcknowledged(frame.received)) this.#acknowledge('pong')
        return
      case 'end':
        return this.#end('unknown', 1000, '')
      default:
        return this.fail()
    }
  }

  /** @returns Whether the client can have received that much; if not, the session has ended. */
  #onAcknowledged(position: number): boolean {
    const before = this.#buffer.acknowledged
    if (!this.#buffer.acknowledge(position)) {
      this.fail()
      return false
    }
    if (position > before) this.#config.store?.acknowledge(this.id, position)
    this.#judgeRoom()
    this.#takeHeld()
    return true
  }

  #acknowledge(kind: ReceiptFrame['mcp.resume'] = 'ack'): void {
    // What was taken in for a ping may have ended the socket: then the session has begun to expire.
    if (this.#isAway) return
    this.#config.timer.clear(this.#due)
    this.sendControl(receiptText(kind, this.#receipts.tell()))
  }

  /** A client that is there and makes no room is cut, as a slow reader is. */
  #judgeRoom(): void {
    const { timer, drainTimeout } = this.#config
    if (!this.#buffer.isFull || this.#link === undefined) {
      if (this.#stalled !== undefined) timer.clear(this.#stalled)
      return
    }
    this.#stalled ??= { dueAt: 0, slot: -1, onDue: () => this.#link?.cut('slow-reader') }
    if (!timer.has(this.#stalled)) timer.set(this.#stalled, drainTimeout)
  }

  #replay(link: PeerLink): void {
    const frames = this.#buffer.unacknowledged
    if (frames.length === 0) return
    if (this.#buffer.acknowledged !== this.#replayedFrom) this.#losses = 0
    this.#replayedFrom = this.#buffer.acknowledged
    // A write that fails ends the socket, and then they are sent again.
    for (const text of frames) link.send(text, true).catch(() => undefined)
  }

  /** Gives up the old socket. Whatever still comes from there has no effect: the client sends it again. */
  #displace(): void {
    const link = this.#link
    this.#link = undefined
    this.#dropHeld()
    this.#judgeRoom()
    link?.listen(undefined)
    void link?.close(DISPLACED, 'displaced')
  }

  #dropHeld(): void {
    this.#held = []
    this.#heldSize = 0
  }

  /** Ends the session at once, for both the client and the transport, with or without a socket. */
  #end(reason: ResumeFailure | undefined, code: number, words: string): void {
    if (this.#isOver) return
    this.#markOver(reason)
    const link = this.#link
    this.#link = undefined
    link?.listen(undefined)
    void link?.close(code, words)
    this.#listener?.onEnd(code)
  }

  /** @param keepsFrames - Whether the client may come back to another node for what it does not have yet. */
  #markOver(reason: ResumeFailure | undefined, keepsFrames = false): void {
    if (this.#isOver) return
    this.#isOver = true
    const { timer, store, onOver } = this.#config
    timer.clear(this.#due)
    if (this.#stalled !== undefined) timer.clear(this.#stalled)
    this.#dropHeld()
    if (reason !== undefined) store?.end(this.id, this.received, keepsFrames)
    onOver(this, reason)
  }
}
