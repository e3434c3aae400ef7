import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { asError, guarded } from '../lib/guarded.js'
import { encodeMessage, INTERNAL_ERROR, isRequest, isResponse, parseText } from '../wire/json-rpc.js'
import { McpWebSocketError } from '../errors.js'
import type { Clock, Timer } from '../lib/clock.js'
import { cancelledId } from '../wire/methods.js'
import { orderedDelivery } from '../wire/ordered-delivery.js'
import type { JsonRpcError, JsonRpcMessage, RequestId } from '../types/json-rpc.js'
import { malformedResponse, REQUEST_ERRORS } from './error-responses.js'
import type { Heartbeats, Pulse } from './heartbeat.js'
import { InFlight } from './in-flight.js'
import type { Metrics } from './metrics.js'
import type { CutReason, MessageExtra, RejectReason, ServerTransport } from './types.js'

/** What all connections of a server share. */
export interface PeerConfig {
  /** Measures `drainTimeout`. */
  readonly clock: Clock
  /** Where the connection counts. */
  readonly metrics: Metrics
  /** Called with what callbacks of a transport throw or reject with, if its `onerror` cannot be told. */
  readonly onFailed: (error: Error) => void
  /** Finds out whether the client is still there. */
  readonly heartbeats: Heartbeats
  /** How many requests of the client may be in flight. */
  readonly maxInFlight: number
  /** How many bytes may wait for the client before nothing more is read from it. */
  readonly maxBufferedBytes: number
  /** How long that may last, in ms. */
  readonly drainTimeout: number
}

// Times `maxBufferedBytes`. A message is sent however long it is, unless more than this waits before it.
const HARD_LIMIT = 4

const ENDED = 'the connection has ended'

/**
 * One accepted socket as a `Transport`. It keeps the limits of its connection: requests in flight, bytes that wait for the client,
 * and silence. The program gets it; `McpWebSocketServer` calls the members that `ServerTransport` does not have.
 */
export class PeerSocket implements ServerTransport {
  onmessage: ServerTransport['onmessage']
  onclose: ServerTransport['onclose']
  onerror: ServerTransport['onerror']
  readonly #ws: WebSocket
  readonly #stream: Socket
  readonly #config: PeerConfig
  readonly #extra: MessageExtra | undefined
  readonly #onGone: (peer: PeerSocket) => void
  readonly #pulse: Pulse
  readonly #inFlight = new InFlight()
  readonly #delivery = orderedDelivery((message) =>
    guarded(
      () => this.onmessage?.(message, this.#extra),
      (error) => this.#reportFailure(error)
    )
  )
  /** `closing`: the closing handshake of RFC 6455 is under way; nothing is delivered or sent any more. */
  #state: 'new' | 'started' | 'closing' | 'ended' = 'new'
  /** Whether the connection takes no further requests, and ends when those in flight are settled. */
  #closesWhenIdle = false
  #corked = false
  /** Bytes that waited when this turn of the event loop began to write. */
  #bufferedBefore = 0
  /** Set under backpressure: while the client does not read what it is sent. */
  #drainTimer: Timer | undefined

  /**
   * Owns `ws` from now on.
   * @param stream - The TCP or TLS socket below `ws`.
   * @param extra - Comes with each message.
   * @param onGone - Called once, when the socket is gone for whatever reason.
   */
  constructor(ws: WebSocket, stream: Socket, config: PeerConfig, extra: MessageExtra | undefined, onGone: (peer: PeerSocket) => void) {
    this.#ws = ws
    this.#stream = stream
    this.#config = config
    this.#extra = extra
    this.#onGone = onGone
    // Before `start` the program has not set `onmessage`.
    ws.pause()
    this.#pulse = config.heartbeats.watch({
      get bytesRead() {
        return stream.bytesRead
      },
      ping: () => this.#ping(),
      cut: () => this.cut('heartbeat')
    })
    const heard = (): void => config.heartbeats.heard(this.#pulse)
    ws.on('message', (data: Buffer) => this.#onText(data))
    ws.on('ping', heard)
    ws.on('pong', heard)
    ws.on('error', (error) => this.#reportError(error))
    ws.on('close', () => {
      this.#end()
      this.#onGone(this)
    })
  }

  get subprotocol(): string | undefined {
    return this.#ws.protocol || undefined
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
      // Without any response the client would wait for ever.
      if (settled !== undefined && isResponse(message))
        this.#respondWithError(settled, { code: INTERNAL_ERROR, message: 'The result cannot be written as JSON' })
      return Promise.reject(asError(thrown))
    } finally {
      if (settled !== undefined) this.#settle(settled)
    }
  }

  close(): Promise<void> {
    return this.finish(1000, '')
  }

  /** Starts the closing handshake, behind what was sent before. Resolves once the socket is gone; never rejects. */
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

  /** Takes no further requests, lets those in flight finish, and then ends the connection with 1001. */
  closeWhenIdle(): void {
    this.#closesWhenIdle = true
    if (this.#inFlight.calls === 0) void this.finish(1001, 'the server is closing')
  }

  /** Ends the connection at once, without a closing handshake. */
  terminate(): void {
    this.#ws.terminate()
    this.#end()
  }

  /** Ends the connection because of what its client does, or because `onconnection` failed. */
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
    heartbeats.heard(this.#pulse)
    if (this.#isOver) return
    metrics.bytesReceived += data.length
    const text = data.toString()
    let hasResponded = false
    parseText(
      text,
      (message) => this.#receive(message),
      (malformed) => {
        metrics.malformedMessages++
        // An array has room for millions of malformed elements: one response a frame is enough.
        if (hasResponded) return
        hasResponded = true
        const response = malformedResponse(malformed)
        if (response !== undefined) this.#send(response)
        this.#reportError(new Error(`the client sent an invalid message: ${malformed.problem}`))
      }
    )
  }

  #receive(message: JsonRpcMessage): void {
    // One frame may hold many messages, and the first one may have ended the connection.
    if (this.#isOver) return
    const { metrics } = this.#config
    metrics.messagesReceived++
    if (isRequest(message)) {
      const rejected = this.#addRequest(message.id, message.method)
      if (rejected !== undefined) {
        metrics.requestsRejected[rejected]++
        return this.#respondWithError(message.id, REQUEST_ERRORS[rejected])
      }
    } else {
      // The MCP server sends no response to a request that was cancelled: nothing else would settle it.
      const cancelled = cancelledId(message)
      if (cancelled !== undefined) this.#settle(cancelled)
    }
    this.#delivery.take(message)
  }

  /** @returns Why the request is rejected; `undefined`: it is in flight now. */
  #addRequest(id: RequestId, method: string): RejectReason | undefined {
    if (this.#closesWhenIdle) return 'closing'
    const added = this.#inFlight.add(id, method, this.#config.maxInFlight)
    if (added !== 'added') return added
    this.#config.metrics.requestsInFlight++
    return undefined
  }

  #settle(id: RequestId): void {
    // `#end` has subtracted all that was left. It may have come before: to send the response may have ended the connection.
    if (this.#state === 'ended' || !this.#inFlight.settle(id)) return
    this.#config.metrics.requestsInFlight--
    if (this.#closesWhenIdle) this.closeWhenIdle()
  }

  #respondWithError(id: RequestId, error: JsonRpcError): void {
    this.#send({ jsonrpc: '2.0', id, error })
  }

  /** Sends a message that is not the MCP server's. If that fails, the client is gone and misses nothing. */
  #send(message: JsonRpcMessage): void {
    this.#write(JSON.stringify(message)).catch(() => undefined)
  }

  #ping(): void {
    if (!this.#isOver) this.#ws.ping()
  }

  #write(text: string, isSolicited = false): Promise<void> {
    const { metrics, maxBufferedBytes } = this.#config
    if (this.#isOver) return Promise.resolve()
    // Backpressure stops the requests of a slow reader, but not what its MCP server sends unasked: that needs a limit of its own.
    // The responses of one turn of the loop do not count against it: the client asked for all of them, and cannot have read any yet.
    const buffered = isSolicited && this.#corked ? this.#bufferedBefore : this.#ws.bufferedAmount
    if (buffered > HARD_LIMIT * maxBufferedBytes) {
      this.cut('slow-reader')
      // The closing handshake would keep all that waits in memory until it is over.
      this.#ws.terminate()
      return Promise.reject(new McpWebSocketError('CLOSED', 'the client reads too slowly'))
    }
    metrics.messagesSent++
    metrics.bytesSent += Buffer.byteLength(text)
    this.#cork()
    const written = new Promise<void>((resolve, reject) => {
      this.#ws.send(text, (error) => {
        this.#releaseBackpressure()
        if (error) reject(error)
        else resolve()
      })
    })
    if (this.#ws.bufferedAmount > maxBufferedBytes) this.#applyBackpressure()
    return written
  }

  /** Collects what one turn of the event loop sends into one write: a write for each response costs more than all the rest. */
  #cork(): void {
    if (this.#corked) return
    this.#corked = true
    this.#bufferedBefore = this.#ws.bufferedAmount
    this.#stream.cork()
    process.nextTick(() => {
      this.#corked = false
      this.#stream.uncork()
    })
  }

  /** A client that does not read gets no more requests in, and is cut if it does not catch up within `drainTimeout`. */
  #applyBackpressure(): void {
    if (this.#drainTimer !== undefined || this.#isOver) return
    this.#ws.pause()
    // While nothing is read from the client, no pong is heard, and the ping waits behind all the rest: only this timer can judge.
    this.#config.heartbeats.stop(this.#pulse)
    this.#drainTimer = this.#config.clock.after(this.#config.drainTimeout, () => this.cut('slow-reader'))
  }

  /** Called after every write: reads from the client again once it has caught up. */
  #releaseBackpressure(): void {
    if (this.#drainTimer === undefined || this.#ws.bufferedAmount > this.#config.maxBufferedBytes) return
    this.#drainTimer.cancel()
    this.#drainTimer = undefined
    this.#config.heartbeats.resume(this.#pulse)
    if (this.#state === 'started') this.#ws.resume()
  }

  #reportError(error: Error): void {
    guarded(
      () => this.onerror?.(error),
      (failure) => this.#config.onFailed(failure)
    )
  }

  /** Reports a bug in a callback of the program: unlike a client's mistakes it must not get lost. */
  #reportFailure(error: Error): void {
    if (this.onerror === undefined) this.#config.onFailed(error)
    else this.#reportError(error)
  }

  #end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#drainTimer?.cancel()
    this.#config.heartbeats.stop(this.#pulse)
    this.#config.metrics.requestsInFlight -= this.#inFlight.size
    this.#delivery.flush()
    guarded(
      () => this.onclose?.(),
      (error) => this.#reportFailure(error)
    )
  }
}
