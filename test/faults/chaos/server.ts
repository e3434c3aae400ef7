import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Ledger } from './ledger.js'
import { ChaosMcp, type Era, type Lie, type Message, type Peer } from './mcp.js'
import type { Random } from './random.js'

/** What the weather does to a server. */
export interface Target {
  /** Responses to the next upgrades, in place of 101. */
  readonly rejections: { readonly status: number; readonly retryAfter: number | undefined }[]
  readonly isUp: boolean
  /** Listens. @returns The port. */
  start(): Promise<number>
  /** Dies as a process does that is killed: nobody is told anything but by the network. */
  kill(): Promise<void>
  /** Another release, which speaks the other era from its next start on. */
  changeEra(): void
  /** Closes one of the sockets in order. */
  close(code: number | undefined, reason: string): void
  /** Sends what is not a message, or one that nobody waits for. */
  babble(): void
  /** Tells every client something. */
  speak(): void
}

export const GARBAGE = [
  '',
  '[]',
  'no JSON',
  '42',
  'null',
  '{"jsonrpc":"2.0"}',
  '{"jsonrpc":"2.0","id":7,"result":{}}',
  '{"id":null,"error":{}}',
  '{'
]

/** An HTTP server that can be killed, and can reject upgrades. */
export class ChaosHttp {
  readonly rejections: { readonly status: number; readonly retryAfter: number | undefined }[] = []
  readonly streams = new Set<Socket>()
  readonly #run: string
  readonly #onUpgrade: (request: IncomingMessage, stream: Socket, head: Buffer) => void
  #http: Server | undefined

  /** @param run - The query of its own clients: a port that is free while it is down may be another run's a moment later. */
  constructor(run: string, onUpgrade: (request: IncomingMessage, stream: Socket, head: Buffer) => void) {
    this.#run = run
    this.#onUpgrade = onUpgrade
  }

  async start(port = 0): Promise<number> {
    const http = createServer((_request, response) => response.writeHead(426).end())
    http.on('connection', (stream) => {
      this.streams.add(stream)
      stream.on('close', () => this.streams.delete(stream))
      stream.on('error', () => undefined)
    })
    http.on('upgrade', (request, stream: Socket, head) => this.#upgrade(request, stream, head))
    http.listen(port, '127.0.0.1')
    await once(http, 'listening')
    this.#http = http
    return (http.address() as AddressInfo).port
  }

  async kill(): Promise<void> {
    const http = this.#http
    this.#http = undefined
    if (!http) return
    // A reset of a socket that is about to send its end would leak its handle (Node 20).
    for (const stream of this.streams) {
      if (stream.writableEnded) stream.destroy()
      else stream.resetAndDestroy()
    }
    http.close()
    await once(http, 'close')
  }

  get isUp(): boolean {
    return this.#http !== undefined
  }

  #upgrade(request: IncomingMessage, stream: Socket, head: Buffer): void {
    if (new URL(request.url ?? '', 'ws://any').searchParams.get('run') !== this.#run) return void stream.destroy()
    const rejection = this.rejections.shift()
    if (!rejection) return this.#onUpgrade(request, stream, head)
    const { status, retryAfter } = rejection
    const header = retryAfter === undefined ? '' : `Retry-After: ${String(retryAfter)}\r\n`
    stream.end(`HTTP/1.1 ${String(status)} Because\r\n${header}Content-Length: 0\r\nConnection: close\r\n\r\n`)
  }
}

/** A small MCP server that dies and rises, speaks WebSocket by hand, and now and then says something of its own. */
export class ChaosServer implements Target {
  readonly #ledger: Ledger
  readonly #random: Random
  readonly #mcp: ChaosMcp
  readonly #http: ChaosHttp
  readonly #upgrades = new WebSocketServer({ noServer: true, handleProtocols: () => 'mcp.v1' })
  readonly #sockets = new Map<Peer, WebSocket>()

  constructor(run: string, era: Era, ledger: Ledger, random: Random, lie: Lie | undefined) {
    this.#ledger = ledger
    this.#random = random
    this.#mcp = new ChaosMcp(era, ledger, random, lie)
    this.#http = new ChaosHttp(run, (request, stream, head) => {
      this.#upgrades.handleUpgrade(request, stream, head, (socket) => this.#accept(socket))
    })
  }

  get rejections(): Target['rejections'] {
    return this.#http.rejections
  }

  get isUp(): boolean {
    return this.#http.isUp
  }

  start(): Promise<number> {
    return this.#http.start()
  }

  kill(): Promise<void> {
    return this.#http.kill()
  }

  changeEra(): void {
    this.#mcp.era = this.#mcp.era === 'legacy' ? 'modern' : 'legacy'
  }

  close(code: number | undefined, reason: string): void {
    this.#random.pick([...this.#sockets.values()])?.close(code, reason)
  }

  babble(): void {
    const socket = this.#random.pick([...this.#sockets.values()])
    for (let i = this.#random.between(1, 4); i > 0; i--) socket?.send(this.#random.pick(GARBAGE) ?? '')
    if (this.#random.chance(0.3)) socket?.send(Buffer.from([0xff, 0xfe, 0x00]))
  }

  speak(): void {
    this.#mcp.speak()
  }

  #accept(socket: WebSocket): void {
    const peer = this.#mcp.add((message) => {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message))
    })
    this.#sockets.set(peer, socket)
    this.#ledger.note(`server: socket ${String(peer.number)} open`)
    socket.on('error', () => undefined)
    socket.on('message', (data: Buffer) => this.#receive(peer, socket, data.toString()))
    socket.on('close', (code) => {
      this.#ledger.note(`server: socket ${String(peer.number)} closed with ${String(code)}`)
      this.#sockets.delete(peer)
      this.#mcp.remove(peer)
    })
  }

  #receive(peer: Peer, socket: WebSocket, text: string): void {
    let message: Message
    try {
      message = JSON.parse(text) as Message
    } catch {
      if (!this.#ledger.corrupted) this.#ledger.violate(`the client sent what is no JSON: ${text}`)
      return socket.terminate()
    }
    this.#mcp.receive(peer, message)
  }
}
