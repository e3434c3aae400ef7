import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { isForPath, REJECTED_UPGRADES, type Path, type RejectedUpgrade } from './upgrade.js'

/** Where a server listens. */
export interface BindingConfig {
  /** The program's HTTP server; without one, the binding makes its own on `host` and `port`. */
  readonly server: HttpServer | HttpsServer | undefined
  /** Address of the own server. */
  readonly host: string
  /** Port of the own server; 0: any that is free. */
  readonly port: number
  /** Path of the endpoint. */
  readonly path: Path
}

/** Called with every upgrade request for this server's path, and with those for other paths to which nobody else would respond. */
export type OnUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** All bindings to one HTTP server, in the order of their `listen()`. An upgrade gets 404 only if none of them has its path. */
const bindingsOf = new WeakMap<HttpServer | HttpsServer, Set<HttpBinding>>()

// In ms. Node lets a client that sends its request byte by byte go on for minutes.
const LIMITS = { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 5000 }

// Connections that may wait to be accepted. After a restart all clients come back at once. Node's default is 511, and a client that finds
// no place asks again only after 1, 3 and 7 s. Systems allow less where they have a lower limit, such as Linux's somaxconn.
const BACKLOG = 4096

/** The HTTP server below an `McpWebSocketServer`: its own one, or one that belongs to the program and that others may use too. */
export class HttpBinding {
  readonly #config: BindingConfig
  readonly #server: HttpServer | HttpsServer
  readonly #isOwn: boolean
  readonly #onUpgrade: OnUpgrade
  /** Whether this binding responds to plain requests. */
  #responds = false
  /** Settles when an own server listens, or fails to. */
  #opening: Promise<unknown> | undefined

  constructor(config: BindingConfig, onUpgrade: OnUpgrade) {
    this.#config = config
    this.#isOwn = config.server === undefined
    this.#server = config.server ?? createServer(LIMITS)
    this.#onUpgrade = onUpgrade
  }

  /** Where the HTTP server listens; `undefined` while it does not, and if it listens on a pipe. */
  get address(): AddressInfo | undefined {
    const address = this.#server.address()
    return typeof address === 'object' ? (address ?? undefined) : undefined
  }

  /** Begins to take upgrades. @throws What Node throws, for example `EADDRINUSE`; Error if another binding has the path. */
  async listen(): Promise<void> {
    const { host, port, path } = this.#config
    // The other binding would get all upgrades. Whether patterns and functions overlap cannot be checked.
    if (typeof path === 'string' && this.#ownerOf(path))
      throw new Error(`path ${path} of this HTTP server belongs to another McpWebSocketServer`)
    // A request hangs if nobody listens for requests. If the program does, plain requests are left to it.
    this.#responds = this.#server.listenerCount('request') === this.#responding.length
    bindingsOf.set(this.#server, new Set(this.#all).add(this))
    this.#server.on('upgrade', this.#route)
    if (this.#responds) this.#server.on('request', this.#respond)
    if (!this.#isOwn) return
    this.#opening = once(this.#server, 'listening')
    this.#server.listen({ port, host, backlog: BACKLOG })
    try {
      await this.#opening
    } catch (thrown) {
      this.#detach()
      throw thrown
    }
  }

  /** Takes no more upgrades, and closes an own server. Resolves when its last socket is gone. */
  async close(): Promise<void> {
    this.#detach()
    // Node cannot close a server that is about to listen.
    if (!this.#server.listening) await this.#opening?.catch(() => undefined)
    if (!this.#isOwn || !this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  #detach(): void {
    this.#server.off('upgrade', this.#route)
    this.#server.off('request', this.#respond)
    bindingsOf.get(this.#server)?.delete(this)
  }

  readonly #route: OnUpgrade = (request, socket, head) => {
    const owner = this.#ownerOf(request.url)
    if (owner === this || (owner === undefined && this.#rejectsOthers)) this.#onUpgrade(request, socket, head)
  }

  /**
   * Whether this binding has to reject upgrades for paths that belong to no binding: nobody else would, and the client would wait. If
   * the program listens for upgrades too, that is its task; among several bindings it is the first one's.
   */
  get #rejectsOthers(): boolean {
    const all = this.#all
    return all[0] === this && this.#server.listenerCount('upgrade') === all.length
  }

  /** All bindings to this HTTP server. */
  get #all(): HttpBinding[] {
    return [...(bindingsOf.get(this.#server) ?? [])]
  }

  /** Those of them that respond to plain requests. */
  get #responding(): HttpBinding[] {
    return this.#all.filter((binding) => binding.#responds)
  }

  /** The binding to which a path belongs: the first one, if patterns or functions of several accept it. */
  #ownerOf(url: string | undefined): HttpBinding | undefined {
    return this.#all.find((binding) => isForPath(url, binding.#config.path))
  }

  /** Responds to a plain request. The connection stays open for the next request, if the client wants. */
  readonly #respond = ({ url }: IncomingMessage, response: ServerResponse): void => {
    const responding = this.#responding
    // The first binding responds for all of them, and no binding does once the program has a listener of its own.
    if (responding[0] !== this || this.#server.listenerCount('request') > responding.length) return
    const { status, body, headers } = this.#ownerOf(url) ? REJECTED_UPGRADES.upgrade : REJECTED_UPGRADES.path
    // RFC 9110 section 7.8: whoever sends `Upgrade` names it in `Connection`.
    const connection = 'Upgrade' in headers ? { Connection: `upgrade, ${response.shouldKeepAlive ? 'keep-alive' : 'close'}` } : {}
    response.writeHead(status, { 'Content-Type': 'text/plain', 'Content-Length': body.length, ...headers, ...connection }).end(body)
  }
}

/** Responds to an upgrade request with something other than 101, and hangs up. */
export function rejectUpgrade(socket: Duplex, { status, reason, body, headers }: RejectedUpgrade): void {
  if (!socket.writable) return void socket.destroy()
  const all = {
    ...headers,
    Connection: 'Upgrade' in headers ? 'upgrade, close' : 'close',
    'Content-Type': 'text/plain',
    'Content-Length': String(body.length)
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  // A client that does not hang up by itself would hold the socket open.
  socket.once('finish', () => socket.destroy())
  socket.end(`HTTP/1.1 ${String(status)} ${reason}\r\n${lines.join('')}\r\n${body}`)
}
