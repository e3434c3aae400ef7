import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { isForPath, REFUSALS, type Refusal } from './upgrade.js'

/** Where a server is bound. */
export interface BindingConfig {
  /** `undefined`: an own one, on `host` and `port`. */
  readonly server: HttpServer | HttpsServer | undefined
  readonly host: string
  readonly port: number
  readonly path: string
}

/** Told every upgrade that is for this server, or for nobody. */
export type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** All bindings to one HTTP server: together they know what is for none of them. */
const bindingsOf = new WeakMap<HttpServer | HttpsServer, Set<HttpBinding>>()

// Who sends its request byte by byte has this long, in ms; Node's own limits are minutes.
const LIMITS = { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 5000 }

/** The HTTP server below: an own one, or one that belongs to the program. */
export class HttpBinding {
  readonly #config: BindingConfig
  readonly #server: HttpServer | HttpsServer
  readonly #isOwn: boolean
  readonly #onUpgrade: OnUpgrade
  /** Whether it answers plain requests. */
  #answers = false
  /** Settles when an own server listens, or cannot. */
  #opening: Promise<unknown> | undefined

  constructor(config: BindingConfig, onUpgrade: OnUpgrade) {
    this.#config = config
    this.#isOwn = config.server === undefined
    this.#server = config.server ?? createServer(LIMITS)
    this.#onUpgrade = onUpgrade
  }

  /** Where the HTTP server listens; `undefined` while it does not, and on a pipe. */
  get address(): AddressInfo | undefined {
    const address = this.#server.address()
    return typeof address === 'object' ? (address ?? undefined) : undefined
  }

  /** Begins to hear upgrades. @throws What Node throws, for example `EADDRINUSE`; Error if the path is taken. */
  async listen(): Promise<void> {
    const { host, port, path } = this.#config
    // Both would accept each upgrade, and the second would throw.
    if (this.#isForAny(path)) throw new Error(`path ${path} of this HTTP server belongs to another McpWebSocketServer`)
    // Without any listener Node would never answer.
    this.#answers = this.#server.listenerCount('request') === this.#answering.length
    bindingsOf.set(this.#server, new Set(this.#all).add(this))
    this.#server.on('upgrade', this.#route)
    if (this.#answers) this.#server.on('request', this.#answer)
    if (!this.#isOwn) return
    this.#opening = once(this.#server, 'listening')
    this.#server.listen(port, host)
    try {
      await this.#opening
    } catch (thrown) {
      this.#detach()
      throw thrown
    }
  }

  /** Hears no more upgrades; an own server stops to listen. Resolves when its last socket is gone. */
  async close(): Promise<void> {
    this.#detach()
    // A server that is about to listen cannot be closed before it does.
    if (!this.#server.listening) await this.#opening?.catch(() => undefined)
    if (!this.#isOwn || !this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  #detach(): void {
    this.#server.off('upgrade', this.#route)
    this.#server.off('request', this.#answer)
    bindingsOf.get(this.#server)?.delete(this)
  }

  readonly #route: OnUpgrade = (request, socket, head) => {
    if (isForPath(request.url, this.#config.path) || this.#isLeftTo(request.url)) this.#onUpgrade(request, socket, head)
  }

  /** Whether an upgrade for another path is for nobody, and this binding the one to say so: somebody has to, or it would hang. */
  #isLeftTo(url: string | undefined): boolean {
    const all = this.#all
    return !this.#isForAny(url) && all[0] === this && this.#server.listenerCount('upgrade') === all.length
  }

  /** All bindings to this HTTP server. */
  get #all(): HttpBinding[] {
    return [...(bindingsOf.get(this.#server) ?? [])]
  }

  /** Those of them that had nobody beside them to answer plain requests. */
  get #answering(): HttpBinding[] {
    return this.#all.filter((binding) => binding.#answers)
  }

  #isForAny(url: string | undefined): boolean {
    return this.#all.some((binding) => isForPath(url, binding.#config.path))
  }

  /** A request without an upgrade. The connection stays open for the next one, if the client wants. */
  readonly #answer = ({ url }: IncomingMessage, response: ServerResponse): void => {
    const answering = this.#answering
    // One answer is enough, and it is not ours where the program has come to listen by itself.
    if (answering[0] !== this || this.#server.listenerCount('request') > answering.length) return
    const { status, body, headers } = this.#isForAny(url) ? REFUSALS.upgrade : REFUSALS.path
    // RFC 9110 section 7.8: `Connection` names the `Upgrade` header.
    const connection = 'Upgrade' in headers ? { Connection: `upgrade, ${response.shouldKeepAlive ? 'keep-alive' : 'close'}` } : {}
    response.writeHead(status, { 'Content-Type': 'text/plain', 'Content-Length': body.length, ...headers, ...connection }).end(body)
  }
}

/** Answers an upgrade with something else, and hangs up. */
export function refuse(socket: Duplex, { status, reason, body, headers }: Refusal): void {
  if (!socket.writable) return void socket.destroy()
  const all = {
    ...headers,
    Connection: 'Upgrade' in headers ? 'upgrade, close' : 'close',
    'Content-Type': 'text/plain',
    'Content-Length': String(body.length)
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  // Who does not hang up by itself is not waited for.
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${String(status)} ${reason}\r\n${lines.join('')}\r\n${body}`)
}
