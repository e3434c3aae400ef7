import type { Closure } from '../errors.js'
import type { SocketClosure } from '../socket/web-socket.js'
import { SERVER_CLOSING, type Departure } from './departure.js'
import type { Due, SharedTimer } from '../lib/shared-timer.js'
import { ENDING_CODES } from '../wire/close-reasons.js'
import { ACKNOWLEDGE_WITHIN, HARD_LIMIT, Receipts, ReplayBuffer } from '../wire/replay.js'
import {
  encodeControl,
  isControl,
  openFrame,
  readServerControl,
  receiptText,
  type HelloFrame,
  type ReplayLimits
} from '../wire/resume-frames.js'

/** Which session a new socket has: that of the socket before it, or a new one. A socket without resumption always has a new one. */
export type Attachment =
  | { readonly resumed: true; /** How many frames were sent again. */ readonly replayed: number }
  | {
      readonly resumed: false
      /** How many frames of the session before the server had received; `null`: it does not know. */
      readonly delivered: number | null
    }

/** What a socket has that knows nothing of sessions. */
export const UNRELATED: Attachment = { resumed: false, delivered: null }

/** The surroundings of a resumption. */
export interface ResumptionHost {
  /** The timer of its owner. */
  readonly timer: SharedTimer
  /** Writes one frame to the socket. */
  write(text: string): void
  /** Ends the socket. */
  drop(closure: SocketClosure): void
  /** The server chose `mcp.v1.resume` and does not speak it: it has to be dialled without. */
  onMisunderstood(reason: string): void
  /** The server has acknowledged something: more may be sent. */
  onDrain(): void
}

/** Is told what happens to a session. */
export interface ResumptionListener {
  /** The socket is open, and has this session. Nothing may be sent before. */
  onAttached(attachment: Attachment): void
  /** The session that waited for a socket is over. */
  onOver(): void
  /** The response to a ping came in. */
  onPong(): void
  /** The socket has to be left, when nothing is in flight. If it is called more than once, the last call that names a delay counts. */
  onDeparture(departure: Departure): void
}

/** What the client keeps of what it sends; the server's own limits may be lower. */
const LIMITS: ReplayLimits = { messages: 256, bytes: 8 * 2 ** 20 }

// In ms. A server that chose the subprotocol knows it, so that a longer silence shows that it chose without looking.
const HELLO_WITHIN = 5000
// Times the server's `ttlMs`. The server decides when a session is over; this only bounds the memory of a client that finds no server.
const KEPT_FOR = 2
// A socket may die by chance while it carries a frame. So many in a row without the server getting the frame are no chance.
const MOST_LOSSES = 3

/**
 * The client's side of `mcp.v1.resume`, by which a session survives its socket. It opens or resumes a session on every new socket, keeps
 * what was sent until the server has acknowledged it, and acknowledges what comes in. See docs/binding.md, section 12.
 */
export class Resumption {
  /**
   * - `absent`: the socket knows no sessions, or there is no socket and nothing to resume.
   * - `opening`: the session was asked for.
   * - `ending`: the tail of a session that is over comes in; then the new one begins.
   * - `attached`: the socket has the session.
   * - `detached`: there is no socket, and the session waits for the next one.
   */
  #phase: 'absent' | 'opening' | 'ending' | 'attached' | 'detached' = 'absent'
  readonly #host: ResumptionHost
  readonly #listener: ResumptionListener
  readonly #acknowledgement: Due = { dueAt: 0, slot: -1, onDue: () => this.#acknowledge('ack') }
  /** The end of the wait for `hello`. */
  readonly #helloLimit: Due = { dueAt: 0, slot: -1, onDue: () => this.#host.onMisunderstood('no hello') }
  /** The end of the time for which the session is kept without a socket. */
  readonly #keptLimit: Due = { dueAt: 0, slot: -1, onDue: () => this.#onKeptLimit() }
  #generation = 0
  #hello: HelloFrame | undefined
  /** The hello frame of the new session, which begins when the tail of the one before is read. */
  #nextHello: HelloFrame | undefined
  #tail = 0
  #buffer = new ReplayBuffer(LIMITS)
  #receipts = new Receipts(LIMITS)
  #isConfirmed = false
  /** How many sockets in a row ended while the frame at this position was the next one that the server had to receive. */
  #losses = { count: 0, at: 0 }

  /** Does nothing before a socket is open. */
  constructor(host: ResumptionHost, listener: ResumptionListener) {
    this.#host = host
    this.#listener = listener
  }

  /** Whether the session was ready once: one whose handshake broke off is not worth resuming. */
  get isConfirmed(): boolean {
    return this.#isConfirmed
  }

  /** Whether the socket is open, but has no session yet. */
  get isOpening(): boolean {
    return this.#phase === 'opening' || this.#phase === 'ending'
  }

  /** Whether there is a session whose messages survive: without a socket, or on one that has not got it yet. */
  get isDetached(): boolean {
    return this.#phase === 'detached' || (this.isOpening && this.#isConfirmed)
  }

  /** Whether nothing more may be sent for now. */
  get isFull(): boolean {
    return this.#phase === 'attached' && this.#buffer.isFull
  }

  /** The position of the frame that was sent last. */
  get sent(): number {
    return this.#buffer.sent
  }

  /** A socket is open that knows sessions. */
  open(): void {
    const { session = null, epoch = null } = (this.#isConfirmed && this.#hello) || {}
    if (session === null) this.#begin()
    this.#phase = 'opening'
    this.#host.timer.set(this.#helloLimit, HELLO_WITHIN)
    this.#generation++
    const { received } = this.#receipts
    this.#host.write(encodeControl(openFrame({ session, epoch, received, generation: this.#generation, limits: LIMITS })))
  }

  /** The session is ready: from now on it is worth resuming. */
  confirm(): void {
    // Not if a callback of the program, such as `trace`, has dropped the socket meanwhile: then the session waits for the next one.
    this.#isConfirmed ||= this.#phase === 'attached'
  }

  /** Notes that a data frame is sent. @returns Whether it has to be written to the socket. */
  record(text: string): boolean {
    if (this.#phase === 'absent') return true
    const isAttached = this.#phase === 'attached'
    if (!isAttached && !this.#isConfirmed) return false
    // Requests wait while the buffer is full, but cancellations and responses do not: a hard limit protects the memory. While there is a
    // socket only the size counts, because the server cannot acknowledge a burst of small frames before its end.
    const isTooMuch = isAttached ? this.#buffer.isLargerThan(HARD_LIMIT) : this.#buffer.isBeyond(HARD_LIMIT)
    if (!isTooMuch) this.#buffer.push(text)
    else if (isAttached) this.#giveUp('the server acknowledged nothing of what was sent')
    else this.#lose()
    return isAttached && !isTooMuch
  }

  /** A frame came in. @returns Whether it is one with messages, which have to be delivered, followed by a call of `delivered`. */
  receive(text: string): boolean {
    if (this.#phase === 'absent') return true
    if (isControl(text)) {
      this.#receiveControl(readServerControl(text))
      return false
    }
    if (this.#phase === 'opening') {
      this.#host.onMisunderstood('a message before hello')
      return false
    }
    if (this.#receipts.note(text.length)) this.#acknowledge('ack')
    else if (!this.#host.timer.has(this.#acknowledgement)) this.#host.timer.set(this.#acknowledgement, ACKNOWLEDGE_WITHIN)
    return true
  }

  /** The messages of a frame were delivered. */
  delivered(): void {
    if (this.#phase === 'ending' && --this.#tail === 0) this.#beginNext()
  }

  /** Asks for a sign of life. @returns Whether that is possible. */
  ping(): boolean {
    if (this.#phase !== 'attached') return false
    this.#acknowledge('ping')
    return true
  }

  /** The socket is gone, and the connection goes on. @param closure - How it ended; `undefined`: it was replaced. */
  detach(closure: Closure | undefined): void {
    if (this.#phase === 'absent' || this.#phase === 'detached') return
    // Only such a closure can be the work of a frame: silence comes from the network, and a replacement from the program.
    if (this.#phase === 'attached' && closure?.kind === 'close') this.#countLoss()
    this.#settle()
    if (!this.#isConfirmed || (closure?.code !== undefined && ENDING_CODES.includes(closure.code))) return this.forget()
    this.#phase = 'detached'
    if (!this.#host.timer.has(this.#keptLimit)) this.#host.timer.set(this.#keptLimit, KEPT_FOR * (this.#hello?.ttlMs ?? 0))
  }

  /** The life ends, and with it the session: the server need not keep it. */
  end(): void {
    if (this.#phase === 'attached') this.#host.write(encodeControl({ 'mcp.resume': 'end' }))
    this.forget()
  }

  /** There is nothing to resume any more. */
  forget(): void {
    this.#settle()
    this.#phase = 'absent'
    this.#begin()
  }

  /** Clears what belonged to the socket. */
  #settle(): void {
    this.#host.timer.clear(this.#helloLimit)
    this.#host.timer.clear(this.#acknowledgement)
    this.#nextHello = undefined
    this.#tail = 0
  }

  #begin(): void {
    this.#host.timer.clear(this.#keptLimit)
    this.#hello = undefined
    this.#isConfirmed = false
    this.#buffer = new ReplayBuffer(LIMITS)
    this.#receipts = new Receipts(LIMITS)
    this.#losses = { count: 0, at: 0 }
  }

  #onKeptLimit(): void {
    // The server is being asked right now, and it decides.
    if (this.isOpening) this.#host.timer.set(this.#keptLimit, HELLO_WITHIN)
    else this.#lose()
  }

  #lose(): void {
    this.forget()
    this.#listener.onOver()
  }

  #receiveControl(frame: ReturnType<typeof readServerControl>): void {
    if (this.#phase === 'opening') {
      if (frame?.['mcp.resume'] === 'hello') this.#receiveHello(frame)
      else this.#host.onMisunderstood('no hello')
    } else if (frame === undefined || frame['mcp.resume'] === 'hello') this.#violate('an invalid control frame')
    else if ('received' in frame) this.#receiveReceipt(frame['mcp.resume'], frame.received)
    else if (frame['mcp.resume'] === 'goaway') this.#listener.onDeparture({ ...SERVER_CLOSING, delay: frame.retryAfterMs ?? 0 })
    // `end`: the close frame that follows says why.
    else this.#isConfirmed = false
  }

  #receiveHello(hello: HelloFrame): void {
    this.#host.timer.clear(this.#helloLimit)
    if (!hello.resumed) {
      this.#nextHello = hello
      this.#tail = hello.tail ?? 0
      this.#phase = 'ending'
      if (this.#tail === 0) this.#beginNext()
      return
    }
    const isOurs = this.#isConfirmed && hello.session === this.#hello?.session && hello.epoch === this.#hello.epoch
    if (!isOurs || !this.#buffer.acknowledge(hello.received)) return this.#violate('a hello that does not fit')
    if (this.#isPoisoned) return this.#giveUp('the same message was lost with too many connections: it may be what ends them')
    this.#phase = 'attached'
    this.#host.timer.clear(this.#keptLimit)
    this.#receipts.tell()
    const frames = this.#buffer.unacknowledged
    for (const frame of frames) this.#host.write(frame)
    this.#listener.onAttached({ resumed: true, replayed: frames.length })
  }

  /** The session before is over, and the new one begins. */
  #beginNext(): void {
    const hello = this.#nextHello as HelloFrame
    const hadSession = this.#isConfirmed
    this.#settle()
    this.#begin()
    this.#hello = hello
    this.#buffer.narrow(hello.limits)
    this.#receipts.narrow(hello.limits)
    this.#phase = 'attached'
    this.#listener.onAttached(hadSession ? { resumed: false, delivered: hello.delivered ?? null } : UNRELATED)
  }

  #receiveReceipt(kind: 'ack' | 'ping' | 'pong', received: number): void {
    if (this.#phase === 'ending') return
    const wasFull = this.#buffer.isFull
    if (!this.#buffer.acknowledge(received)) return this.#violate('an acknowledgement of what was not sent')
    if (kind === 'ping') this.#acknowledge('pong')
    else if (kind === 'pong') this.#listener.onPong()
    if (wasFull && !this.#buffer.isFull) this.#host.onDrain()
  }

  /** The two ends do not agree on what was sent: nothing can be resumed from that. */
  #violate(what: string): void {
    this.#giveUp(`the server sent ${what}`)
  }

  /** Ends the session and its socket. */
  #giveUp(reason: string): void {
    this.#isConfirmed = false
    this.#host.write(encodeControl({ 'mcp.resume': 'end' }))
    this.#host.drop({ kind: 'close', code: 1006, reason, wasClean: false })
  }

  #acknowledge(kind: 'ack' | 'ping' | 'pong'): void {
    this.#host.timer.clear(this.#acknowledgement)
    if (this.#phase === 'attached') this.#host.write(receiptText(kind, this.#receipts.tell()))
  }

  /** The frame that the server has to receive next may have ended the socket. */
  #countLoss(): void {
    const at = this.#buffer.acknowledged + 1
    this.#losses = { count: at === this.#losses.at ? this.#losses.count + 1 : 1, at }
  }

  /** Whether the frame that the server has to receive next was lost with too many sockets. */
  get #isPoisoned(): boolean {
    const { count, at } = this.#losses
    return count > MOST_LOSSES && this.#buffer.length > 0 && at === this.#buffer.acknowledged + 1
  }
}
