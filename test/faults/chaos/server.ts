import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import type { Ledger } from './ledger.js'
import type { Random } from './random.js'

/** In `_meta` of a message: which one it is, and what the server shall do about it. */
export const KEY = 'chaos/key'
export const PLAN = 'chaos/plan'

/** What the server does about a request. */
export interface Plan {
  /** Ms until the response. */
  readonly wait: number
  /** Progress reports before it. */
  readonly reports: number
  readonly outcome: 'result' | 'error' | 'never'
}

/** How the server lies, to prove that the ledger sees it. */
export type Lie = 'swap' | 'gap'

interface Message {
  readonly id?: number | string
  readonly method?: string
  readonly params?: {
    readonly uri?: string
    readonly requestId?: number
    readonly notifications?: { readonly resourceSubscriptions?: readonly string[] }
    readonly _meta?: { readonly [KEY]?: string; readonly [PLAN]?: Plan; readonly progressToken?: string }
  }
}

interface Peer {
  readonly number: number
  readonly socket: WebSocket
  readonly stream: Socket
  /** Ids of the requests that came over this socket. */
  readonly ids: Set<number | string>
  /** Ids of the server's requests that wait for a response. */
  readonly asked: Set<number | string>
  /** What the client subscribed to, by the id of its listen in the modern era, else by the URI. */
  readonly subscribed: Map<unknown, readonly string[]>
  readonly timers: Set<NodeJS.Timeout>
  lastNumber: number
  notified: number
}

const INFO = { name: 'chaos', version: '1' }
const CAPABILITIES = { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} }
const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId'
const GARBAGE = [
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

/** A small MCP server that dies and rises, writes everything down, and now and then says something of its own. */
export class ChaosServer {
  era: 'legacy' | 'modern'
  /** Responses to the next upgrades, in place of 101. */
  readonly rejections: { readonly status: number; readonly retryAfter: number | undefined }[] = []
  readonly #run: string
  readonly #ledger: Ledger
  readonly #random: Random
  readonly #lie: Lie | undefined
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'mcp.v1' })
  readonly #streams = new Set<Socket>()
  readonly #peers = new Set<Peer>()
  #http: Server | undefined
  #count = 0
  #nextId = 1
  #lastKey = ''

  /** @param run - The query of its own clients: a port that is free while it is down may be another run's a moment later. */
  constructor(run: string, era: 'legacy' | 'modern', ledger: Ledger, random: Random, lie: Lie | undefined) {
    this.#run = run
    this.era = era
    this.#ledger = ledger
    this.#random = random
    this.#lie = lie
  }

  /** Listens. @returns The port. */
  async start(): Promise<number> {
    const http = createServer((_request, response) => response.writeHead(426).end())
    http.on('connection', (stream) => {
      this.#streams.add(stream)
      stream.on('close', () => this.#streams.delete(stream))
      stream.on('error', () => undefined)
    })
    http.on('upgrade', (request, stream: Socket, head) => this.#upgrade(request, stream, head))
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    this.#http = http
    return (http.address() as AddressInfo).port
  }

  /** Dies as a process does that is killed: nobody is told anything but by the network. */
  async kill(): Promise<void> {
    const http = this.#http
    this.#http = undefined
    if (!http) return
    // A reset of a socket that is about to send its end would leak its handle (Node 20).
    for (const stream of this.#streams) {
      if (stream.writableEnded) stream.destroy()
      else stream.resetAndDestroy()
    }
    http.close()
    await once(http, 'close')
  }

  get isUp(): boolean {
    return this.#http !== undefined
  }

  /** Closes one of the sockets in order. */
  close(code: number | undefined, reason: string): void {
    this.#random.pick([...this.#peers])?.socket.close(code, reason)
  }

  /** Sends what is no message, or none that anybody waits for. */
  babble(): void {
    const socket = this.#random.pick([...this.#peers])?.socket
    for (let i = this.#random.between(1, 4); i > 0; i--) socket?.send(this.#random.pick(GARBAGE) ?? '')
    if (this.#random.chance(0.3)) socket?.send(Buffer.from([0xff, 0xfe, 0x00]))
  }

  /** Tells every client something, or, in the legacy era, asks it. */
  speak(): void {
    for (const peer of this.#peers) this.#speakTo(peer)
  }

  #speakTo(peer: Peer): void {
    if (this.era === 'legacy' && this.#random.chance(0.3)) {
      const id = this.#nextId++
      peer.asked.add(id)
      return this.#send(peer, { id, method: this.#random.chance(0.5) ? 'ping' : 'roots/list' })
    }
    const news = Array.from({ length: this.#random.between(1, 5) }, () => this.#news(peer))
    // A batch, as some servers send: the order holds there too.
    if (this.#random.chance(0.2)) peer.socket.send(JSON.stringify(news.map((message) => ({ jsonrpc: '2.0', ...message }))))
    else for (const message of news) this.#send(peer, message)
  }

  #news(peer: Peer): object {
    if (this.#lie === 'gap' && this.#random.chance(0.1)) peer.notified++
    return { method: 'notifications/chaos', params: { socket: peer.number, number: ++peer.notified } }
  }

  #upgrade(request: IncomingMessage, stream: Socket, head: Buffer): void {
    if (!request.url?.endsWith(`?run=${this.#run}`)) return void stream.destroy()
    const rejection = this.rejections.shift()
    if (rejection) {
      const { status, retryAfter } = rejection
      const header = retryAfter === undefined ? '' : `Retry-After: ${String(retryAfter)}\r\n`
      stream.end(`HTTP/1.1 ${String(status)} Because\r\n${header}Content-Length: 0\r\nConnection: close\r\n\r\n`)
      return
    }
    this.#sockets.handleUpgrade(request, stream, head, (socket) => this.#accept(socket, stream))
  }

  #accept(socket: WebSocket, stream: Socket): void {
    const peer: Peer = {
      number: ++this.#count,
      socket,
      stream,
      ids: new Set(),
      asked: new Set(),
      subscribed: new Map(),
      timers: new Set(),
      lastNumber: 0,
      notified: 0
    }
    this.#peers.add(peer)
    this.#ledger.note(`server: socket ${String(peer.number)} open`)
    socket.on('error', () => undefined)
    socket.on('message', (data: Buffer) => this.#receive(peer, data.toString()))
    socket.on('close', (code) => {
      this.#ledger.note(`server: socket ${String(peer.number)} closed with ${String(code)}`)
      for (const timer of peer.timers) clearTimeout(timer)
      this.#peers.delete(peer)
    })
  }

  #receive(peer: Peer, text: string): void {
    let message: Message
    try {
      message = JSON.parse(text) as Message
    } catch {
      if (!this.#ledger.corrupted) this.#ledger.violate(`the client sent what is no JSON: ${text}`)
      return peer.socket.terminate()
    }
    const { id, method, params } = message
    if (method === undefined) {
      if (!peer.asked.delete(id ?? ''))
        this.#ledger.violate(`socket ${String(peer.number)} got a response to what it had not asked: ${text}`)
      return
    }
    const key = params?._meta?.[KEY]
    if (key !== undefined) this.#enter(peer, key)
    if (id !== undefined) {
      peer.ids.add(id)
      this.#respond(peer, id, message, key)
    } else if (method === 'notifications/cancelled') {
      const requestId = params?.requestId ?? 0
      peer.subscribed.delete(requestId)
      if (!peer.ids.has(requestId)) this.#ledger.violate(`socket ${String(peer.number)} was told of a request that never came: ${text}`)
    }
  }

  /** Messages of a client are numbered: on each socket they come in this order, what is sent again first. */
  #enter(peer: Peer, key: string): void {
    this.#ledger.executed(key, peer.number)
    const number = Number(key.slice(key.indexOf('.') + 1))
    if (number <= peer.lastNumber)
      this.#ledger.violate(`${key} came on socket ${String(peer.number)} after number ${String(peer.lastNumber)}`)
    peer.lastNumber = number
  }

  #respond(peer: Peer, id: number | string, { method, params }: Message, key: string | undefined): void {
    const result = (members: object): void => this.#send(peer, { id, result: { resultType: 'complete', ...members } })
    if (key !== undefined) return this.#execute(peer, id, key, params?._meta)
    const isModern = this.era === 'modern'
    if (method === 'server/discover' && isModern)
      return result({
        supportedVersions: ['2026-07-28'],
        capabilities: CAPABILITIES,
        _meta: { 'io.modelcontextprotocol/serverInfo': INFO }
      })
    if (method === 'initialize' && !isModern) return result({ protocolVersion: '2025-11-25', capabilities: CAPABILITIES, serverInfo: INFO })
    if (method === 'subscriptions/listen' && isModern) {
      const { notifications = {} } = params ?? {}
      peer.subscribed.set(id, notifications.resourceSubscriptions ?? [])
      const acknowledged = { notifications, _meta: { [SUBSCRIPTION_ID]: id } }
      return this.#send(peer, { method: 'notifications/subscriptions/acknowledged', params: acknowledged })
    }
    if (method === 'resources/subscribe') peer.subscribed.set(params?.uri, [params?.uri ?? ''])
    if (method === 'resources/unsubscribe') peer.subscribed.delete(params?.uri)
    if (/^resources|^logging|^ping/.test(method ?? '')) return result({})
    this.#send(peer, { id, error: { code: -32601, message: `no method ${method ?? ''}` } })
  }

  #execute(peer: Peer, id: number | string, key: string, meta: NonNullable<Message['params']>['_meta']): void {
    const { wait, reports, outcome } = meta?.[PLAN] ?? { wait: 0, reports: 0, outcome: 'result' }
    for (let progress = 1; progress <= reports; progress++)
      this.#send(peer, { method: 'notifications/progress', params: { progressToken: meta?.progressToken, progress } })
    if (outcome === 'never') return
    const echo = this.#lie === 'swap' && this.#random.chance(0.2) ? this.#lastKey : key
    this.#lastKey = key
    const respond = (): void => {
      const subscribed = [...peer.subscribed.values()].flat()
      if (outcome === 'error') this.#send(peer, { id, error: { code: -32000, message: 'no', data: { key: echo } } })
      else this.#send(peer, { id, result: { resultType: 'complete', _meta: { [KEY]: echo, subscribed } } })
    }
    if (wait === 0) return respond()
    const timer = setTimeout(() => {
      peer.timers.delete(timer)
      respond()
    }, wait)
    peer.timers.add(timer)
  }

  #send(peer: Peer, message: object): void {
    if (peer.socket.readyState === peer.socket.OPEN) peer.socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }))
  }
}
