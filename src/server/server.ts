/*
 * The layer `server` is the entry `./server`, for Node only: it accepts WebSockets and hands each one to the program as a `Transport`
 * of MCP. It is independent of the client's layers: it may import `lib`, `wire`, `types` and `errors` only. It knows JSON-RPC, and of MCP
 * no more than what its limits need (see in-flight.ts); The program makes the MCP servers, with the SDK of its choice.
 *
 * The path of a connection: http-binding.ts takes the upgrade request, upgrade.ts judges it (pure), authentication.ts asks the program, and
 * ws accepts the socket, which then belongs to peer-socket.ts. Each step may end in a rejected upgrade instead. peer.ts makes the socket a
 * `Transport` of MCP. With `mcp.v1.resume` there is a resumable-session.ts between the two, which reception.ts finds or makes.
 */
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws'
import { isMcpWebSocketError } from '../errors.js'
import { deferred, type Deferred } from '../lib/deferred.js'
import { asError, guarded } from '../lib/guarded.js'
import { systemClock, type Clock, type Timer } from '../lib/clock.js'
import { authenticateUpgrade, type Authentication } from './authentication.js'
import {
  judgeUpgrade,
  REJECTED_UPGRADES,
  selectSubprotocol,
  withoutCredentials,
  type AcceptableUpgrade,
  type RejectedUpgrade
} from './upgrade.js'
import { EXPIRED, EXPIRED_REASON, Expiries, expiryOf } from './expiry.js'
import { Faults } from './faults.js'
import { Heartbeats } from './heartbeat.js'
import { HttpBinding, rejectUpgrade } from './http-binding.js'
import { formatMetrics, Metrics } from './metrics.js'
import { isLoopbackAddress, resolveServerOptions, type ServerConfig } from './options.js'
import { Peer, type PeerConfig } from './peer.js'
import { RESUME_SUBPROTOCOL } from '../wire/subprotocol.js'
import type { PeerLink } from './peer-link.js'
import { hashPrincipal } from './principal.js'
import { Reception } from './reception.js'
import { PeerSocket, type SocketConfig } from './peer-socket.js'
import type { ConnectionInfo, McpWebSocketServerOptions, MessageExtra, ServerMetrics } from './types.js'

// In ms. A closing socket is destroyed after this time. Not shorter: some clients learn the close code only when the stream ends.
const CLOSE_TIMEOUT = 5000
// How many pieces a client may split a message into: plenty for 16 MiB, and so few that the pieces themselves weigh little.
const MAX_FRAGMENTS = 4096
const MAX_CHUNKS = 32_768
// In ms. If the program has not started a transport after this time, `onerror` is told. Clients of this package wait for 10 s.
const START_WITHIN = 5000
// In ms. The clients of a closing server must not reach the other servers all at once: they spread over 1 ms for each client, but not over
// more than this. After 5 s without a connection, clients tell people.
const MOST_SPREAD = 3000
// The default time that `close` gives to requests in flight, in ms.
const GRACE = 10_000

/**
 * Serves MCP over WebSocket: accepts sockets, rejects the upgrades of clients that may not connect, and hands each connection to an
 * MCP server of its own, which the program makes in `onconnection`.
 * @example
 * ```ts
 * const server = new McpWebSocketServer({
 *   port: 8080,
 *   authenticate: (_request, token) => (isSameToken(token, process.env.MCP_TOKEN ?? '') ? { user: 'ada' } : undefined),
 *   onconnection: (transport) => makeMcpServer().connect(transport)
 * })
 * await server.listen()
 * process.once('SIGTERM', () => void server.close())
 * ```
 */
export class McpWebSocketServer<Auth = undefined> {
  readonly #config: ServerConfig<Auth>
  readonly #clock: Clock
  readonly #binding: HttpBinding
  readonly #upgrades: WebSocketServer
  readonly #metrics = new Metrics()
  readonly #faults: Faults
  readonly #shared: PeerConfig & SocketConfig
  readonly #peers = new Set<Peer>()
  readonly #expiries: Expiries
  /** Finds or makes the sessions; `undefined` where there are none. */
  readonly #reception: Reception<ConnectionInfo<Auth>> | undefined
  /** Sockets that are open, or about to close. */
  readonly #sockets = new Set<PeerSocket>()
  /** Sockets whose upgrade the program is being asked about, with their requests. */
  readonly #authenticating = new Map<Duplex, IncomingMessage>()
  #state: 'new' | 'listening' | 'closing' = 'new'
  #closed: Promise<void> | undefined
  /** Set by `close`: resolves once no socket and no session is left. */
  #onAllGone: (() => void) | undefined

  /**
   * Opens nothing yet: see `listen`.
   * @throws TypeError naming the first option that is wrong.
   */
  constructor(options: McpWebSocketServerOptions<Auth>)
  /** @internal For tests: another clock. */
  constructor(options: McpWebSocketServerOptions<Auth>, ports: { readonly clock: Clock })
  constructor(options: McpWebSocketServerOptions<Auth>, ports: { readonly clock: Clock } = { clock: systemClock }) {
    const resolved = resolveServerOptions(options)
    this.#faults = new Faults(resolved.onerror, (text) => process.emitWarning(text, 'McpWebSocketServerWarning'))
    const config = this.#guardPath(resolved)
    this.#config = config
    this.#clock = ports.clock
    this.#binding = new HttpBinding(config.binding, (request, socket, head) => this.#onUpgrade(request, socket, head))
    // ws knows `closeTimeout`, but its types do not yet.
    const upgrades: ServerOptions & { readonly closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      // Compression costs memory, lets a short message inflate to a huge one, and can reveal secrets by the compressed length.
      perMessageDeflate: false,
      maxPayload: config.maxMessageBytes,
      maxFragments: MAX_FRAGMENTS,
      maxBufferedChunks: MAX_CHUNKS,
      closeTimeout: CLOSE_TIMEOUT,
      handleProtocols: (offered) => selectSubprotocol([...offered], config.upgrade.subprotocols) ?? false
    }
    this.#upgrades = new WebSocketServer(upgrades)
    const heartbeats = new Heartbeats(ports.clock, config.heartbeat)
    const onFailed = (error: Error): void => this.#faults.report('a callback of a transport failed', error)
    this.#shared = { ...config, clock: ports.clock, metrics: this.#metrics, heartbeats, onFailed }
    this.#expiries = new Expiries(ports.clock, config.expiryGrace)
    if (config.resume === false) return
    this.#reception = new Reception({
      ...config.resume,
      clock: ports.clock,
      metrics: this.#metrics,
      drainTimeout: config.drainTimeout,
      onerror: (error) => this.#faults.report('resume.store failed', error),
      onSession: (session, info) => this.#serve(session, info)
    })
  }

  /**
   * Begins to accept connections. Resolves when our own server listens. The option `server` is used as it is: upgrades are taken
   * from now on, whenever the program lets it listen. May be called once, or again after it failed.
   * @throws What Node throws, for example `EADDRINUSE`; what `resume.store` throws if it cannot be reached; Error if `close` was called
   * before or meanwhile, or if another `McpWebSocketServer` has the path on this HTTP server; TypeError if the HTTP server is bound to an
   * address other than loopback, and `allowedHosts` was not given.
   */
  async listen(): Promise<void> {
    if (this.#state !== 'new') throw new Error(`listen() was called ${this.#state === 'listening' ? 'before' : 'after close()'}`)
    const bound = this.#binding.address
    if (bound !== undefined && !isLoopbackAddress(bound.address) && this.#config.allowedHosts === undefined)
      throw new TypeError('allowedHosts must be given where the server is not bound to a loopback address')
    this.#state = 'listening'
    try {
      if (this.#sharesSessions) await this.#reception?.open()
      if (!this.#isClosed) await this.#binding.listen()
    } catch (thrown) {
      if (!this.#isClosed) this.#state = 'new'
      throw thrown
    }
    if (this.#isClosed) throw new Error('close() was called before it listened')
  }

  /**
   * Judges one upgrade request and accepts or rejects it, as if it had come over `server`: for a router that gets all upgrades of its
   * HTTP server. The checks are the same, that of `path` included. It works without `listen()`, and then needs neither `server` nor
   * `port`. Takes ownership of `socket`. Never throws.
   * @param head - What Node has read beyond the request.
   * @example
   * ```ts
   * http.on('upgrade', (request, socket, head) => {
   *   if (request.url?.startsWith('/mcp')) mcp.handleUpgrade(request, socket, head)
   *   else others.handleUpgrade(request, socket, head, onSocket)
   * })
   * ```
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#onUpgrade(request, socket, head)
  }

  /** Where the HTTP server listens; `undefined` while it does not. */
  address(): AddressInfo | undefined {
    return this.#binding.address
  }

  /**
   * Accepts no further connections, and responds to new requests with error 10503. Lets requests in flight finish, and ends each
   * connection with 1001 once no request is in flight on it (`subscriptions/listen` does not count). Resolves when the last socket is gone
   * and the port of our own server is free. A second call returns the first promise; the `grace` that ends first counts.
   * @param grace - In ms; connections that are left then are cut. `Infinity`: they are not. @default 10000
   * @throws TypeError for a wrong `grace`, and nothing else.
   */
  close({ grace = GRACE }: { readonly grace?: number } = {}): Promise<void> {
    if (typeof grace !== 'number' || !(grace >= 0)) return Promise.reject(new TypeError('grace must be a number of ms, 0 or more'))
    if (this.#closed === undefined) {
      const { promise, resolve, reject }: Deferred<void> = deferred()
      // First of all, because it calls callbacks of the program, which may call `close` too.
      this.#closed = promise
      this.#close().then(resolve, reject)
    }
    const timer = this.#clock.after(grace, () => {
      for (const peer of this.#peers) peer.terminate()
      for (const socket of this.#sockets) socket.terminate()
    })
    void this.#closed.then(() => timer.cancel())
    return this.#closed
  }

  /** The same as `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** What the server has counted so far: a copy. */
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
    for (const [socket, request] of this.#authenticating) this.#reject(request, socket, REJECTED_UPGRADES.closing)
    const gone = new Promise<void>((resolve) => {
      this.#onAllGone = resolve
    })
    const spread = Math.min(this.#peers.size, MOST_SPREAD)
    for (const peer of this.#peers) peer.closeWhenIdle(Math.floor(this.#clock.random() * spread))
    this.#reception?.close()
    if (!this.#isEmpty) await gone
    await unbound
    await this.#reception?.end()
  }

  /** Whether `close` was called, perhaps while something else was awaited. */
  get #isClosed(): boolean {
    return this.#closed !== undefined
  }

  get #sharesSessions(): boolean {
    const { resume } = this.#config
    return resume !== false && resume.store !== undefined
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Before anything else: an `error` event without a listener would end the process.
    socket.on('error', () => socket.destroy())
    const verdict = judgeUpgrade(request, this.#config.upgrade)
    redactOffer(request)
    if ('status' in verdict) return this.#reject(request, socket, verdict)
    const { maxConnections, authenticate, allowedOrigins } = this.#config
    if (this.#state === 'closing') return this.#reject(request, socket, REJECTED_UPGRADES.closing)
    if (this.#sockets.size + this.#authenticating.size >= maxConnections) return this.#reject(request, socket, REJECTED_UPGRADES.full)
    if (authenticate === undefined && typeof allowedOrigins !== 'function') return this.#accept(request, socket, head, undefined as Auth)
    void this.#authenticate(request, socket, head, verdict)
  }

  async #authenticate(request: IncomingMessage, socket: Duplex, head: Buffer, { token }: AcceptableUpgrade): Promise<void> {
    this.#authenticating.set(socket, request)
    const { authenticate, authTimeout, allowedOrigins } = this.#config
    const isAllowedOrigin = typeof allowedOrigins === 'function' ? allowedOrigins : undefined
    const onFailed = (callback: string, error: Error): void => this.#faults.report(`${callback} failed, and the client gets 503`, error)
    const config = { clock: this.#clock, isAllowedOrigin, authenticate, authTimeout, onFailed }
    const authentication: Authentication<Auth> = await authenticateUpgrade(request, token, head, config)
    // If it is not in the map any more, `close()` was called meanwhile, and has rejected the upgrade.
    if (!this.#authenticating.delete(socket)) return
    if (authentication === 'left') socket.destroy()
    else if ('rejected' in authentication) this.#reject(request, socket, authentication.rejected)
    else this.#accept(request, socket, head, authentication.auth)
  }

  #accept(request: IncomingMessage, socket: Duplex, head: Buffer, auth: Auth): void {
    guarded(
      () => this.#upgrades.handleUpgrade(request, socket, head, (ws) => this.#connect(ws, request, auth)),
      // ws throws if another listener has already accepted this upgrade: the socket belongs to that listener.
      (error) => this.#faults.report('an upgrade cannot be accepted', error)
    )
  }

  #connect(ws: WebSocket, request: IncomingMessage, auth: Auth): void {
    const socket = new PeerSocket(ws, request.socket, this.#shared, (gone) => this.#onGone(gone))
    this.#sockets.add(socket)
    this.#metrics.connections++
    this.#metrics.connectionsTotal++
    const expiresAt = expiryOf(auth)
    const lifetime = expiresAt && expiresAt - Date.now()
    if (this.#reception === undefined || socket.subprotocol !== RESUME_SUBPROTOCOL) {
      const peer = this.#serve(socket, { request, auth })
      return this.#expiries.watch(socket, lifetime, () => peer.closeWhenIdle(0, EXPIRED, EXPIRED_REASON))
    }
    this.#receive(this.#reception, socket, { request, auth })
    // The socket ends at once: its session goes on without it, and so do the requests in flight.
    this.#expiries.watch(socket, lifetime, () => void socket.close(EXPIRED, EXPIRED_REASON))
  }

  #receive(reception: Reception<ConnectionInfo<Auth>>, socket: PeerSocket, info: ConnectionInfo<Auth>): void {
    const { resume } = this.#config
    try {
      const principal = hashPrincipal(info.auth, resume === false ? undefined : resume.principal)
      reception.receive(socket, { info, principal, extra: extraOf(info) })
    } catch (thrown) {
      this.#faults.report('resume.principal failed, and the connection ends with 1011', asError(thrown))
      socket.cut('failed')
    }
  }

  /** Gives a client an MCP server. */
  #serve(link: PeerLink, info: ConnectionInfo<Auth>): Peer {
    let timer: Timer | undefined
    const peer = new Peer(link, this.#shared, extraOf(info), (ended) => {
      timer?.cancel()
      this.#peers.delete(ended)
      this.#onLess()
    })
    this.#peers.add(peer)
    // The executor turns a synchronous throw into a rejection.
    new Promise((resolve) => resolve(this.#config.onconnection(peer, info))).catch((thrown: unknown) => {
      // The client has hung up while the program was still at it: that is no fault.
      if (peer.isOver && isMcpWebSocketError(thrown) && thrown.code === 'CLOSED') return
      this.#faults.report('onconnection failed, and the connection ends with 1011', asError(thrown))
      peer.cut('failed')
    })
    // Most programs have started the transport by now: they need no timer.
    if (peer.isNew) {
      timer = this.#clock.after(START_WITHIN, () => this.#onNotStarted(peer))
      timer.rest(true)
    }
    return peer
  }

  #onNotStarted(peer: Peer): void {
    if (!peer.isNew) return
    const problem = `onconnection has not started its transport within ${String(START_WITHIN / 1000)} s`
    const remedy = 'call connect(transport) of an MCP server, or transport.start()'
    this.#faults.report('a client waits in vain', new Error(`${problem}: ${remedy}`))
  }

  #onGone(socket: PeerSocket): void {
    this.#sockets.delete(socket)
    this.#expiries.forget(socket)
    this.#metrics.connections--
    this.#onLess()
  }

  #onLess(): void {
    if (this.#isEmpty) this.#onAllGone?.()
  }

  /** Whether nobody is connected, and no session waits for its client. */
  get #isEmpty(): boolean {
    return this.#sockets.size === 0 && this.#peers.size === 0
  }

  #reject(request: IncomingMessage, socket: Duplex, rejected: RejectedUpgrade): void {
    this.#authenticating.delete(socket)
    this.#metrics.rejectedUpgrade(rejected.status)
    rejectUpgrade(socket, rejected)
    guarded(
      () => this.#config.onrejected?.(request, { status: rejected.status, reason: rejected.body }),
      (error) => this.#faults.report('onrejected failed', error)
    )
  }

  /** Guards a `path` that is a function: Node calls it in an event listener, where anything that it throws would end the process. */
  #guardPath(config: ServerConfig<Auth>): ServerConfig<Auth> {
    const { path } = config
    if (typeof path !== 'function') return config
    const onFailed = (error: Error): void => this.#faults.report('path failed, and the client gets 404', error)
    const guardedPath = (pathname: string): boolean => {
      let isOurs = false
      guarded(() => {
        const returned: unknown = path(pathname)
        isOurs = returned === true
        // Every promise would count as true.
        if (typeof returned !== 'boolean') onFailed(new TypeError('path must return true or false'))
        return returned
      }, onFailed)
      return isOurs
    }
    return {
      ...config,
      binding: { ...config.binding, path: guardedPath },
      upgrade: { ...config.upgrade, path: guardedPath }
    }
  }
}

const extraOf = ({ auth }: ConnectionInfo<unknown>): MessageExtra | undefined => (auth === undefined ? undefined : { authInfo: auth })

/** Takes the token out of the offer before the program sees the request: subprotocols end up in logs. */
function redactOffer({ headers, rawHeaders }: IncomingMessage): void {
  const offer = headers['sec-websocket-protocol']
  if (offer === undefined) return
  const shown = withoutCredentials(offer)
  if (shown === '') delete headers['sec-websocket-protocol']
  else headers['sec-websocket-protocol'] = shown
  for (let index = 0; index < rawHeaders.length; index += 2)
    if (rawHeaders[index]?.toLowerCase() === 'sec-websocket-protocol') rawHeaders[index + 1] = shown
}
