import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { McpWebSocketError } from '../errors.js'
import type { Clock, Timer } from '../lib/clock.js'
import type { Heartbeats, Pulse } from './heartbeat.js'
import type { Metrics } from './metrics.js'
import type { LinkListener, PeerLink } from './peer-link.js'
import type { CutReason } from './types.js'

/** What all sockets of a server share. */
export interface SocketConfig {
  /** Measures `drainTimeout`. */
  readonly clock: Clock
  /** Where the connection counts. */
  readonly metrics: Metrics
  /** Finds out whether the client is still there. */
  readonly heartbeats: Heartbeats
  /** How many bytes may wait for the client before nothing more is read from it. */
  readonly maxBufferedBytes: number
  /** How long more than that may wait, in ms. */
  readonly drainTimeout: number
}

// Times `maxBufferedBytes`. A message is sent however long it is, unless more than this waits before it.
const HARD_LIMIT = 4

/** One accepted socket. It enforces the limits that have nothing to do with messages: bytes that wait for the client, and silence. */
export class PeerSocket implements PeerLink {
  readonly #ws: WebSocket
  readonly #stream: Socket
  readonly #config: SocketConfig
  readonly #pulse: Pulse
  #listener: LinkListener | undefined
  /** `closing`: the closing handshake of RFC 6455 is under way; nothing is received or sent any more. */
  #state: 'open' | 'closing' | 'ended' = 'open'
  #reads = false
  #corked = false
  /** Bytes that waited when this turn of the event loop began to write. */
  #bufferedBefore = 0
  /** Set under backpressure: while the client does not read what it is sent. */
  #drainTimer: Timer | undefined

  /**
   * Owns `ws` from now on.
   * @param stream - The TCP or TLS socket below `ws`.
   * @param onGone - Called once, when the socket is gone for whatever reason.
   */
  constructor(ws: WebSocket, stream: Socket, config: SocketConfig, onGone: (socket: PeerSocket) => void) {
    this.#ws = ws
    this.#stream = stream
    this.#config = config
    // Until somebody listens and is ready for it.
    ws.pause()
    this.#pulse = config.heartbeats.watch({
      get bytesRead() {
        return stream.bytesRead
      },
      ping: () => this.#ping(),
      cut: () => this.cut('heartbeat')
    })
    const heard = (): void => config.heartbeats.heard(this.#pulse)
    ws.on('message', (data: Buffer) => {
      heard()
      if (this.isOpen) this.#listener?.onText(data.toString(), data.length)
    })
    ws.on('ping', heard)
    ws.on('pong', heard)
    let isBroken = false
    ws.on('error', (error: NodeJS.ErrnoException) => {
      isBroken ||= error.code?.startsWith('WS_ERR_') ?? false
      this.#listener?.onError(error)
    })
    ws.on('close', (code) => {
      // If ws itself closed the socket because of what came in, it reports no close code.
      this.#end(isBroken ? 1002 : code)
      onGone(this)
    })
  }

  get subprotocol(): string | undefined {
    return this.#ws.protocol || undefined
  }

  get isOpen(): boolean {
    return this.#state === 'open' && this.#ws.readyState === this.#ws.OPEN
  }

  listen(listener: LinkListener | undefined): void {
    this.#listener = listener
  }

  resume(): void {
    this.#reads = true
    if (this.#drainTimer === undefined) this.#ws.resume()
  }

  pause(): void {
    this.#reads = false
    this.#ws.pause()
  }

  send(text: string, isSolicited: boolean): Promise<void> {
    const { metrics } = this.#config
    if (!this.isOpen) return Promise.resolve()
    // Backpressure stops the requests of a slow reader, but not what its MCP server sends unasked: that needs a limit of its own.
    // The responses of one turn of the loop do not count against it: the client asked for all of them, and cannot have read any yet.
    const buffered = isSolicited && this.#corked ? this.#bufferedBefore : this.#ws.bufferedAmount
    if (this.#isCutAt(buffered)) return Promise.reject(new McpWebSocketError('CLOSED', 'the client reads too slowly'))
    metrics.messagesSent++
    metrics.bytesSent += Buffer.byteLength(text)
    return this.#write(text)
  }

  sendControl(text: string): void {
    // A client may cause any number of control frames.
    if (this.isOpen && !this.#isCutAt(this.#ws.bufferedAmount)) this.#write(text).catch(() => undefined)
  }

  goAway(): void {
    // Plain `mcp.v1` has no way to say it.
  }

  close(code: number, reason: string): Promise<void> {
    if (this.#ws.readyState === this.#ws.CLOSED) return Promise.resolve()
    const gone = new Promise<void>((resolve) => {
      this.#ws.once('close', () => resolve())
    })
    if (this.#state === 'open') {
      this.#state = 'closing'
      this.#ws.close(code, reason)
      // The client's half of the closing handshake has to be read.
      this.#ws.resume()
    }
    return gone
  }

  cut(reason: CutReason): void {
    if (this.#state === 'ended') return
    this.#config.metrics.connectionsCut[reason]++
    if (reason === 'heartbeat') return this.terminate()
    const [code, words] = reason === 'failed' ? ([1011, 'internal error'] as const) : ([1013, 'reads too slowly'] as const)
    void this.close(code, words)
    this.#end(code)
  }

  terminate(): void {
    this.#ws.terminate()
    this.#end(1006)
  }

  #write(text: string): Promise<void> {
    this.#cork()
    const written = new Promise<void>((resolve, reject) => {
      this.#ws.send(text, (error) => {
        this.#releaseBackpressure()
        if (error) reject(error)
        else resolve()
      })
    })
    if (this.#ws.bufferedAmount > this.#config.maxBufferedBytes) this.#applyBackpressure()
    return written
  }

  /** Cuts a client for which too many bytes wait. @returns Whether it did. */
  #isCutAt(buffered: number): boolean {
    if (buffered <= HARD_LIMIT * this.#config.maxBufferedBytes) return false
    this.cut('slow-reader')
    // The closing handshake would keep all that waits in memory until it is over.
    this.#ws.terminate()
    return true
  }

  #ping(): void {
    if (this.isOpen) this.#ws.ping()
  }

  /** Collects what one turn of the event loop sends into one write: a write for each response costs more than all the rest. */
  #cork(): void {
    if (this.#corked) return
    this.#corked = true
    this.#bufferedBefore = this.#ws.bufferedAmount
    this.#stream.cork()
    // A microtask first: Node runs ticks before the microtasks of a callback. With a tick alone, an acknowledgement that is sent while a
    // chunk is read would leave before the responses to the requests in that chunk, most of which come from promises.
    queueMicrotask(() => process.nextTick(this.#uncork))
  }

  readonly #uncork = (): void => {
    this.#corked = false
    this.#stream.uncork()
  }

  /** Nothing more is read from a client that does not read; it is cut if it does not catch up within `drainTimeout`. */
  #applyBackpressure(): void {
    if (this.#drainTimer !== undefined || !this.isOpen) return
    this.#ws.pause()
    // While nothing is read from the client, no pong can be heard, and a ping would wait behind all the rest. Only this timer can judge.
    this.#config.heartbeats.stop(this.#pulse)
    this.#drainTimer = this.#config.clock.after(this.#config.drainTimeout, () => this.cut('slow-reader'))
  }

  /** Called after every write: reads from the client again once it has caught up. */
  #releaseBackpressure(): void {
    if (this.#drainTimer === undefined || this.#ws.bufferedAmount > this.#config.maxBufferedBytes) return
    this.#drainTimer.cancel()
    this.#drainTimer = undefined
    this.#config.heartbeats.resume(this.#pulse)
    if (this.#state === 'open' && this.#reads) this.#ws.resume()
  }

  #end(code: number): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#drainTimer?.cancel()
    // The writes that fail now must not wake the heartbeat.
    this.#drainTimer = undefined
    this.#config.heartbeats.stop(this.#pulse)
    this.#listener?.onEnd(code)
  }
}
