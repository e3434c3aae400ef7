import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { asError } from '../lib/guarded.js'
import { encodeMessage, INTERNAL_ERROR, isRequest, isResponse, parseText } from '../wire/json-rpc.js'
import { McpWebSocketError } from '../errors.js'
import type { Clock, Timer } from '../lib/clock.js'
import { orderedDelivery } from '../wire/ordered-delivery.js'
import type { JsonRpcError, JsonRpcMessage, RequestId } from '../types/json-rpc.js'
import { callBack } from './call-back.js'
import { complaintAbout, REJECTIONS } from './complaints.js'
import type { Beating, Heartbeats } from './heartbeat.js'
import { cancelledBy, InFlight } from './in-flight.js'
import type { Metrics } from './metrics.js'
import type { CutReason, MessageExtra, RejectReason, ServerTransport } from './types.js'

/** What all connections of a server share. */
export interface PeerConfig {
  readonly clock: Clock
  readonly metrics: Metrics
  readonly heartbeats: Heartbeats
  readonly maxInFlight: number
  readonly maxBufferedBytes: number
  readonly drainTimeout: number
}

// One message may be longer than all that may wait: only what comes on top of such a wait is too much.
const HARD_LIMIT = 4

/** An accepted socket as a transport of MCP; keeps the limits of one connection. */
export class PeerSocket implements ServerTransport, Beating {
  onmessage: ServerTransport['onmessage']
  onclose: ServerTransport['onclose']
  onerror: ServerTransport['onerror']
  dueAt = 0
  heapIndex = -1
  heardAt = 0
  probedAt: number | undefined = undefined
  bytesSeen = 0
  readonly #ws: WebSocket
  readonly #stream: Socket
  readonly #config: PeerConfig
  readonly #extra: MessageExtra | undefined
  readonly #onGone: (peer: PeerSocket) => void
  readonly #inFlight = new InFlight()
  readonly #upwards = orderedDelivery((message) =>
    callBack(
      () => this.onmessage?.(message, this.#extra),
      (error) => this.#report(error)
    )
  )
  /** `closing`: nothing is read or sent any more, the closing handshake is under way. */
  #state: 'new' | 'started' | 'closing' | 'ended' = 'new'
  #draining = false
  #corked = false
  /** Bytes that waited when this turn of the loop began to write. */
  #leftOver = 0
  /** Set while the client does not read what it is sent. */
  #patience: Timer | undefined

  /** @param onGone - Called once, when the socket is gone for whatever reason. */
  constructor(ws: WebSocket, stream: Socket, config: PeerConfig, extra: MessageExtra | undefined, onGone: (peer: PeerSocket) => void) {
    this.#ws = ws
    this.#stream = stream
    this.#config = config
    this.#extra = extra
    this.#onGone = onGone
    // What comes before `start` would find nobody.
    ws.pause()
    const hear = (): void => config.heartbeats.hear(this)
    ws.on('message', (data: Buffer) => this.#onText(data))
    ws.on('ping', hear)
    ws.on('pong', hear)
    ws.on('error', (error) => this.#report(error))
    ws.on('close', () => {
      this.#end()
      this.#onGone(this)
    })
    config.heartbeats.add(this)
  }

  get bytesRead(): number {
    return this.#stream.bytesRead
  }

  start(): Promise<void> {
    if (this.#state !== 'new') return Promise.reject(new Error(this.#state === 'started' ? 'the transport was started before' : ENDED))
    this.#state = 'started'
    this.#ws.resume()
    return Promise.resolve()
  }

  send(message: JsonRpcMessage): Promise<void> {
    if (this.#isOver) return Promise.reject(new McpWebSocketError('CLOSED', ENDED, { delivery: 'not-sent' }))
    const settled = isResponse(message) ? (message.id ?? undefined) : this.#inFlight.listenEndedBy(message)
    try {
      return this.#write(encodeMessage(message), isResponse(message))
    } catch (thrown) {
      // The client would wait for ever.
      if (settled !== undefined && isResponse(message))
        this.#refuse(settled, { code: INTERNAL_ERROR, message: 'The result cannot be written as JSON' })
      return Promise.reject(asError(thrown))
    } finally {
      if (settled !== undefined) this.#settle(settled)
    }
  }

  close(): Promise<void> {
    return this.finish(1000, '')
  }

  /** Ends the connection in order, behind what was sent. Resolves once it is gone; never rejects. */
  finish(code: number, reason: string): Promise<void> {
    if (this.#ws.readyState === this.#ws.CLOSED) return Promise.resolve()
    const gone = new Promise<void>((resolve) => {
      this.#ws.once('close', () => resolve())
    })
    if (this.#state === 'new' || this.#state === 'started') {
      this.#state = 'closing'
      this.#ws.close(code, reason)
      // The client's half of the closing handshake has to be read.
      this.#ws.resume()
    }
    return gone
  }

  /** Takes no further requests, lets those in flight finish, and ends the connection with 1001. */
  drain(): void {
    this.#draining = true
    if (this.#inFlight.calls === 0) void this.finish(1001, 'the server is closing')
  }

  /** Ends the connection at once, and with it what its MCP server works on. */
  terminate(): void {
    this.#ws.terminate()
    this.#end()
  }

  ping(): void {
    if (this.#isOver) return
    this.#ws.ping()
  }

  die(): void {
    this.cut('heartbeat')
  }

  /** Ends the connection because of its client, or of what serves it. */
  cut(reason: CutReason): void {
    if (this.#state === 'ended') return
    this.#config.metrics.connectionsCut[reason]++
    if (reason === 'heartbeat') return this.terminate()
    void (reason === 'failed' ? this.finish(1011, 'internal error') : this.finish(1013, 'reads too slowly'))
    this.#end()
  }

  get #isOver(): boolean {
    return this.#state === 'closing' || this.#state === 'ended' || this.#ws.readyState !== this.#ws.OPEN
  }

  #onText(data: Buffer): void {
    const { metrics, heartbeats } = this.#config
    heartbeats.hear(this)
    if (this.#isOver) return
    metrics.bytesReceived += data.length
    const text = data.toString()
    let isToldOff = false
    parseText(
      text,
      (message) => this.#receive(message),
      ({ problem }) => {
        metrics.malformedMessages++
        // An array has room for millions of them, and each complaint reads the whole frame: one a frame is enough.
        if (isToldOff) return
        isToldOff = true
        const complaint = complaintAbout(text, problem)
        if (complaint !== undefined) this.#tell(complaint)
        this.#report(new Error(`the client sent what is no message: ${problem}`))
      }
    )
  }

  #receive(message: JsonRpcMessage): void {
    // One frame may hold many messages, and the first may be the end.
    if (this.#isOver) return
    const { metrics } = this.#config
    metrics.messagesReceived++
    if (isRequest(message)) {
      const rejected = this.#admit(message.id, message.method)
      if (rejected !== undefined) {
        metrics.requestsRejected[rejected]++
        return this.#refuse(message.id, REJECTIONS[rejected])
      }
    } else {
      // No answer will come.
      const cancelled = cancelledBy(message)
      if (cancelled !== undefined) this.#settle(cancelled)
    }
    this.#upwards.take(message)
  }

  #admit(id: RequestId, method: string): RejectReason | undefined {
    if (this.#draining) return 'closing'
    const admitted = this.#inFlight.admit(id, method, this.#config.maxInFlight)
    if (admitted !== 'admitted') return admitted
    this.#config.metrics.requestsInFlight++
    return undefined
  }

  #settle(id: RequestId): void {
    // The end has already taken off what was left, and the answer itself may have been the end.
    if (this.#state === 'ended' || !this.#inFlight.settle(id)) return
    this.#config.metrics.requestsInFlight--
    if (this.#draining) this.drain()
  }

  #refuse(id: RequestId, error: JsonRpcError): void {
    this.#tell({ jsonrpc: '2.0', id, error })
  }

  /** Says something on behalf of no MCP server: if it cannot be said, there is nobody left to hear it. */
  #tell(message: JsonRpcMessage): void {
    this.#write(JSON.stringify(message)).catch(() => undefined)
  }

  #write(text: string, isAnswer = false): Promise<void> {
    const { metrics, maxBufferedBytes } = this.#config
    if (this.#isOver) return Promise.resolve()
    // What is read is bounded by now, but what a server tells by itself is not. The answers of one turn of the loop were all asked
    // for, and nobody could have read any of them yet.
    const waiting = isAnswer && this.#corked ? this.#leftOver : this.#ws.bufferedAmount
    if (waiting > HARD_LIMIT * maxBufferedBytes) {
      this.cut('slow-reader')
      // What waits would be kept until the closing handshake is over.
      this.#ws.terminate()
      return Promise.reject(new McpWebSocketError('CLOSED', 'the client reads too slowly'))
    }
    metrics.messagesSent++
    metrics.bytesSent += Buffer.byteLength(text)
    this.#cork()
    const written = new Promise<void>((resolve, reject) => {
      this.#ws.send(text, (error) => {
        this.#relax()
        if (error) reject(error)
        else resolve()
      })
    })
    if (this.#ws.bufferedAmount > maxBufferedBytes) this.#throttle()
    return written
  }

  /** What one turn of the loop sends travels in one write: a write for each answer costs more than all the rest. */
  #cork(): void {
    if (this.#corked) return
    this.#corked = true
    this.#leftOver = this.#ws.bufferedAmount
    this.#stream.cork()
    process.nextTick(() => {
      this.#corked = false
      this.#stream.uncork()
    })
  }

  /** Who does not read cannot ask for more, and not for ever. */
  #throttle(): void {
    if (this.#patience !== undefined || this.#isOver) return
    this.#ws.pause()
    // Nothing is heard of whom we do not read, and the ping waits behind the rest: this timer judges, and no other.
    this.#config.heartbeats.remove(this)
    this.#patience = this.#config.clock.after(this.#config.drainTimeout, () => this.cut('slow-reader'))
  }

  #relax(): void {
    if (this.#patience === undefined || this.#ws.bufferedAmount > this.#config.maxBufferedBytes) return
    this.#patience.cancel()
    this.#patience = undefined
    this.#config.heartbeats.add(this)
    if (this.#state === 'started') this.#ws.resume()
  }

  #report(error: Error): void {
    callBack(
      () => this.onerror?.(error),
      () => undefined
    )
  }

  #end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#patience?.cancel()
    this.#config.heartbeats.remove(this)
    this.#config.metrics.requestsInFlight -= this.#inFlight.size
    this.#upwards.flush()
    callBack(
      () => this.onclose?.(),
      (error) => this.#report(error)
    )
  }
}

const ENDED = 'the connection has ended'
