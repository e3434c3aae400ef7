import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { JsonRpcMessage } from '../../../src/index.js'
import { systemClock, type Clock, type Timer } from '../../../src/lib/clock.js'
import { McpWebSocketServer, type ServerMetrics, type ServerTransport, type SessionStore } from '../../../src/server/index.js'
import type { Ledger } from './ledger.js'
import { ChaosMcp, type Book, type Era, type Lie, type Message } from './mcp.js'
import type { Random } from './random.js'
import { ChaosHttp, GARBAGE, type Target } from './server.js'

/** Where it is written down as well why a session may end. */
export type SessionBook = Book & Pick<Ledger, 'excuse'>

/** How a server keeps sessions. */
export interface ResumeSettings {
  readonly ttl: number
  readonly maxMessages: number
  readonly store?: SessionStore
  readonly lie?: Lie | undefined
  /** See `ChaosMcp`. */
  readonly nextNumber?: () => number
  /** A session of a client begins. */
  readonly onSession?: (name: string) => void
}

/** The time of the server, which may jump. */
class JumpingClock implements Clock {
  #ahead = 0

  random(): number {
    return systemClock.random()
  }

  now(): number {
    return systemClock.now() + this.#ahead
  }

  after(ms: number, fire: () => void): Timer {
    return systemClock.after(ms, fire)
  }

  jump(ms: number): void {
    this.#ahead += ms
  }
}

/** Close codes after which no session goes on, or no client. */
const FINAL: readonly (number | undefined)[] = [1000, 1002, 1003, 1007, 1008, 1009, 4403]
// Timers count whole milliseconds.
const EARLY = 5

const nameOf = (request: IncomingMessage, parameter: string): string | undefined =>
  new URL(request.url ?? '', 'ws://any').searchParams.get(parameter) ?? undefined

/** A WebSocket frame of a server. */
const frameOf = (opcode: number, payload: Buffer): Buffer => Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload])

/** The server of this package with resumable sessions, behind an HTTP server that can be killed. */
export class ResumeServer implements Target {
  readonly #book: SessionBook
  readonly #random: Random
  readonly #settings: ResumeSettings
  readonly #mcp: ChaosMcp
  readonly #http: ChaosHttp
  readonly #clock = new JumpingClock()
  /** Streams that carry WebSocket, with the names of their clients. */
  readonly #streams = new Map<Socket, string>()
  /** The ways to send to the clients. */
  readonly #ways = new Set<(message: object) => void>()
  /** The session of each client that began last. */
  readonly #latest = new Map<string, ServerTransport>()
  #server: McpWebSocketServer<{ user: string }> | undefined

  constructor(run: string, era: Era, book: SessionBook, random: Random, settings: ResumeSettings) {
    this.#book = book
    this.#random = random
    this.#settings = settings
    this.#mcp = new ChaosMcp(era, book, random, settings.lie, settings.nextNumber)
    this.#http = new ChaosHttp(run, (request, stream, head) => {
      this.#streams.set(stream, nameOf(request, 'client') ?? '')
      stream.on('close', () => this.#streams.delete(stream))
      this.#server?.handleUpgrade(request, stream, head)
    })
  }

  get rejections(): Target['rejections'] {
    return this.#http.rejections
  }

  get isUp(): boolean {
    return this.#http.isUp
  }

  start(port?: number): Promise<number> {
    const { ttl, maxMessages, store } = this.#settings
    const server: McpWebSocketServer<{ user: string }> = new McpWebSocketServer<{ user: string }>(
      {
        authenticate: (request) => ({ user: nameOf(request, 'client') ?? '' }),
        resume: { ttl, maxMessages, principal: ({ user }) => user, store },
        heartbeat: { interval: 150, timeout: 200 },
        maxInFlight: 10_000,
        onconnection: (transport, { request }) => this.#serve(server, transport, nameOf(request, 'as') ?? nameOf(request, 'client') ?? ''),
        onerror: (error) => this.#book.note(`server: ${error.message}`)
      },
      { clock: this.#clock }
    )
    this.#server = server
    return this.#http.start(port)
  }

  async kill(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    this.#book.excuse(undefined, 'the server was killed')
    await this.#http.kill()
    await server?.close({ grace: 0 })
  }

  /** Is replaced by the next release: what is in flight may finish. */
  async drain(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    this.#book.excuse(undefined, 'the server was closed')
    await server?.close({ grace: 200 })
    this.#book.excuse(undefined, 'the server was closed')
    await this.#http.kill()
  }

  changeEra(): void {
    this.#mcp.era = this.#mcp.era === 'legacy' ? 'modern' : 'legacy'
  }

  /** The server does not know of it, as if a proxy had said it. */
  close(code: number | undefined, reason: string): void {
    const payload = code === undefined ? Buffer.alloc(0) : Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)])
    this.#write(8, payload, FINAL.includes(code) ? `closed with ${String(code)}` : undefined)
  }

  /** The MCP server ends a session. */
  end(): void {
    const [name, transport] = this.#random.pick([...this.#latest]) ?? []
    if (name === undefined) return
    this.#book.excuse(name, 'the MCP server ended it')
    void transport?.close()
  }

  babble(): void {
    const send = this.#random.pick([...this.#ways])
    const garbage = GARBAGE.filter((text) => /^[[{].*[\]}]$/.test(text)).map((text) => JSON.parse(text) as object)
    for (const message of garbage) if (this.#random.chance(0.3)) send?.(message)
    // A text that the server does not know of would be counted at one end only, and so push out another.
    if (this.#random.chance(0.3)) this.#write(2, Buffer.from([0xff, 0xfe, 0x00]), undefined)
    else if (this.#random.chance(0.1)) this.#write(1, Buffer.from('{"mcp.resume":"odd"}'), 'a control frame that nobody sent')
  }

  speak(): void {
    this.#mcp.speak()
  }

  /** Time goes on, as after a sleep. */
  jump(ms: number): void {
    this.#clock.jump(ms)
  }

  /** What is left of clients, and what was counted. */
  get left(): Pick<ServerMetrics, 'connections' | 'detachedSessions' | 'requestsInFlight'> & { readonly peers: number } {
    const { connections, detachedSessions, requestsInFlight } = this.#server?.metrics() ?? {
      connections: 0,
      detachedSessions: 0,
      requestsInFlight: 0
    }
    return { connections, detachedSessions, requestsInFlight, peers: this.#mcp.peers.size }
  }

  /** Whether no client has left anything. */
  get isEmpty(): boolean {
    return Object.values(this.left).every((count) => count === 0)
  }

  #write(opcode: number, payload: Buffer, excuse: string | undefined): void {
    const [stream, name] = this.#random.pick([...this.#streams]) ?? []
    if (excuse !== undefined && name !== undefined) this.#book.excuse(name, excuse)
    stream?.write(frameOf(opcode, payload))
  }

  #serve(server: McpWebSocketServer<{ user: string }>, transport: ServerTransport, name: string): void {
    let sent = 0
    let awaySince: number | undefined
    const send = (message: object): void => {
      sent++
      transport.send(message as JsonRpcMessage).catch(() => undefined)
    }
    const peer = this.#mcp.add(send)
    this.#book.note(`server: session ${String(peer.number)} of ${name} begins`)
    this.#settings.onSession?.(name)
    this.#ways.add(send)
    this.#latest.set(name, transport)
    transport.onmessage = (message) => {
      if (server === this.#server || !this.#http.isUp) this.#mcp.receive(peer, message as Message)
    }
    transport.ondetach = () => {
      awaySince = this.#clock.now()
      this.#book.note(`server: ${name} is away from session ${String(peer.number)}`)
    }
    transport.onattach = () => {
      awaySince = undefined
      this.#book.note(`server: ${name} is back in session ${String(peer.number)}`)
    }
    transport.onclose = () => {
      this.#book.note(`server: session ${String(peer.number)} of ${name} ends`)
      this.#mcp.remove(peer)
      this.#ways.delete(send)
      if (this.#latest.get(name) !== transport || server !== this.#server) return
      this.#latest.delete(name)
      if (awaySince === undefined) return
      if (this.#clock.now() - awaySince >= this.#settings.ttl - EARLY) this.#book.excuse(name, 'it was away too long')
      else if (sent >= this.#settings.maxMessages) this.#book.excuse(name, 'there was too much to keep')
    }
    void transport.start()
  }
}
