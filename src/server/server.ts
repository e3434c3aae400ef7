import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws'
import { asError, guarded } from '../lib/guarded.js'
import { systemClock, type Clock } from '../lib/clock.js'
import { admit, type Admission } from './admission.js'
import { callBack } from './call-back.js'
import { judgeUpgrade, REFUSALS, selectSubprotocol, type Admissible, type Refusal } from './upgrade.js'
import { Heartbeats } from './heartbeat.js'
import { HttpBinding, refuse } from './http-binding.js'
import { formatMetrics, Metrics } from './metrics.js'
import { isLoopbackAddress, resolveServerOptions, type ServerConfig } from './options.js'
import { PeerSocket, type PeerConfig } from './peer-socket.js'
import type { McpWebSocketServerOptions, ServerMetrics } from './types.js'

// A closing socket is abandoned after this long, in ms: clients learn the close code only when the stream ends.
const CLOSE_TIMEOUT = 5000
// What a client may split a message into. Plenty for 16 MiB, and few enough that the pieces weigh little by themselves.
const MOST_FRAGMENTS = 4096
const MOST_CHUNKS = 32_768
// In ms.
const GRACE = 10_000

/**
 * Serves MCP over WebSocket: accepts sockets, keeps out who must not come in, and hands each connection to an MCP server of its
 * own. Knows nothing of MCP servers: they are made in `onconnection`, by whichever SDK.
 */
export class McpWebSocketServer<Auth = undefined> {
  readonly #config: ServerConfig<Auth>
  readonly #clock: Clock
  readonly #binding: HttpBinding
  readonly #upgrades: WebSocketServer
  readonly #metrics = new Metrics()
  readonly #peerConfig: PeerConfig
  readonly #peers = new Set<PeerSocket>()
  /** Sockets whose credentials are being looked at. */
  readonly #waiting = new Set<Duplex>()
  #state: 'new' | 'listening' | 'closing' = 'new'
  #closed: Promise<void> | undefined
  #onAllGone: (() => void) | undefined

  /**
   * Does nothing yet: see `listen`.
   * @param ports - For tests: another clock.
   * @throws TypeError naming the first option that is wrong.
   */
  constructor(options: McpWebSocketServerOptions<Auth>, ports: { readonly clock: Clock } = { clock: systemClock }) {
    const config = resolveServerOptions(options)
    this.#config = config
    this.#clock = ports.clock
    this.#binding = new HttpBinding(config.binding, (request, socket, head) => this.#onUpgrade(request, socket, head))
    // `closeTimeout` is younger than the types of ws.
    const upgrades: ServerOptions & { readonly closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      // Compression costs memory, opens the door to bombs, and tells lengths of secrets.
      perMessageDeflate: false,
      maxPayload: config.maxMessageBytes,
      maxFragments: MOST_FRAGMENTS,
      maxBufferedChunks: MOST_CHUNKS,
      closeTimeout: CLOSE_TIMEOUT,
      handleProtocols: (offered) => selectSubprotocol([...offered], config.handshake.subprotocols) ?? false
    }
    this.#upgrades = new WebSocketServer(upgrades)
    const heartbeats = new Heartbeats(ports.clock, config.heartbeat)
    this.#peerConfig = { ...config, clock: ports.clock, metrics: this.#metrics, heartbeats }
  }

  /**
   * Begins to accept connections. Resolves when the own server listens; a given server is listened to at once, whenever it is
   * started. Once only.
   * @throws What Node throws, for example `EADDRINUSE`, after which it may be called again; Error if `close` was called meanwhile;
   * TypeError for a given server off loopback without `allowedHosts`; Error if another `McpWebSocketServer` has its path.
   */
  async listen(): Promise<void> {
    if (this.#state !== 'new') throw new Error(`listen() was called ${this.#state === 'listening' ? 'before' : 'after close()'}`)
    const bound = this.#binding.address
    if (bound !== undefined && !isLoopbackAddress(bound.address) && !this.#config.knowsHosts)
      throw new TypeError('allowedHosts must be given where the server is not bound to a loopback address')
    this.#state = 'listening'
    try {
      await this.#binding.listen()
    } catch (thrown) {
      if (this.#closed === undefined) this.#state = 'new'
      throw thrown
    }
    if (this.#closed !== undefined) throw new Error('close() was called before it listened')
  }

  /** Where it listens; `undefined` while it does not. */
  address(): AddressInfo | undefined {
    return this.#binding.address
  }

  /**
   * Accepts nobody any more; lets requests in flight finish, while new ones are answered with error 10503; ends each connection
   * with 1001 once nothing is in flight on it. Resolves when the last socket is gone and an own server's port is free. Once only: a
   * second call returns the first promise, and hurries if its `grace` ends before that of the first.
   * @param grace - In ms, after which what is left is cut. Default 10 000; `Infinity` = never.
   * @throws TypeError for a wrong `grace`, and nothing else.
   */
  close({ grace = GRACE }: { readonly grace?: number } = {}): Promise<void> {
    if (typeof grace !== 'number' || !(grace >= 0)) return Promise.reject(new TypeError('grace must be a number of ms, 0 or more'))
    this.#closed ??= this.#close()
    const timer = this.#clock.after(grace, () => {
      for (const peer of this.#peers) peer.terminate()
    })
    void this.#closed.then(() => timer.cancel())
    return this.#closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What was counted so far. */
  metrics(): ServerMetrics {
    return this.#metrics.snapshot()
  }

  /** The same in Prometheus' text format: `text/plain; version=0.0.4`. */
  metricsText(): string {
    return formatMetrics(this.#metrics)
  }

  async #close(): Promise<void> {
    this.#state = 'closing'
    const unbound = this.#binding.close()
    for (const socket of this.#waiting) this.#refuse(socket, REFUSALS.closing)
    const gone = new Promise<void>((resolve) => {
      this.#onAllGone = resolve
    })
    for (const peer of this.#peers) peer.drain()
    if (this.#peers.size > 0) await gone
    await unbound
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Before anything else: an error without a listener would end the process.
    socket.on('error', () => socket.destroy())
    const verdict = judgeUpgrade(request, this.#config.handshake)
    if ('status' in verdict) return this.#refuse(socket, verdict)
    if (this.#peers.size + this.#waiting.size >= this.#config.maxConnections) return this.#refuse(socket, REFUSALS.full)
    hideToken(request, verdict.offered)
    if (!this.#config.handshake.authenticates) return this.#accept(request, socket, head, undefined as Auth)
    void this.#authenticate(request, socket, head, verdict)
  }

  async #authenticate(request: IncomingMessage, socket: Duplex, head: Buffer, { token }: Admissible): Promise<void> {
    this.#waiting.add(socket)
    const { authenticate, authTimeout } = this.#config
    const onerror = (error: Error): void => this.#report(error)
    const admission: Admission<Auth> = await admit(request, token, head, { clock: this.#clock, authenticate, authTimeout, onerror })
    // Not there any more: `close()` was called meanwhile, and has answered.
    if (!this.#waiting.delete(socket)) return
    if (admission === 'left') socket.destroy()
    else if ('refusal' in admission) this.#refuse(socket, admission.refusal)
    else this.#accept(request, socket, head, admission.auth)
  }

  #accept(request: IncomingMessage, socket: Duplex, head: Buffer, auth: Auth): void {
    guarded(
      () => this.#upgrades.handleUpgrade(request, socket, head, (ws) => this.#welcome(ws, request, auth)),
      // Somebody else who listens for upgrades has taken it: the socket is theirs now.
      (error) => this.#report(error)
    )
  }

  #welcome(ws: WebSocket, request: IncomingMessage, auth: Auth): void {
    const extra = auth === undefined ? undefined : { authInfo: auth }
    const peer = new PeerSocket(ws, request.socket, this.#peerConfig, extra, (gone) => this.#onGone(gone))
    this.#peers.add(peer)
    this.#metrics.connections++
    this.#metrics.connectionsTotal++
    // A synchronous throw is a rejection too.
    new Promise((resolve) => resolve(this.#config.onconnection(peer, { request, auth }))).catch((thrown: unknown) => {
      this.#report(asError(thrown))
      peer.cut('failed')
    })
  }

  #onGone(peer: PeerSocket): void {
    this.#peers.delete(peer)
    this.#metrics.connections--
    if (this.#peers.size === 0) this.#onAllGone?.()
  }

  #refuse(socket: Duplex, refusal: Refusal): void {
    this.#waiting.delete(socket)
    this.#metrics.refused(refusal.status)
    refuse(socket, refusal)
  }

  #report(error: Error): void {
    callBack(
      () => this.#config.onerror(error),
      () => undefined
    )
  }
}

/** Takes the token out of the offer before anybody else sees the request: subprotocols get logged. */
function hideToken(request: IncomingMessage, offered: readonly string[]): void {
  const { headers, rawHeaders } = request
  if (headers['sec-websocket-protocol'] === undefined) return
  const shown = offered.join(', ')
  if (shown === '') delete headers['sec-websocket-protocol']
  else headers['sec-websocket-protocol'] = shown
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (rawHeaders[index]?.toLowerCase() === 'sec-websocket-protocol') rawHeaders[index + 1] = shown
}
