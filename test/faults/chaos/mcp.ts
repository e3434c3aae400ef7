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
export type Lie = 'swap' | 'gap' | 'twice'

export type Era = 'legacy' | 'modern'

/** A message of a client. */
export interface Message {
  readonly id?: number | string
  readonly method?: string
  readonly params?: {
    readonly uri?: string
    readonly requestId?: number
    readonly notifications?: { readonly resourceSubscriptions?: readonly string[] }
    readonly _meta?: { readonly [KEY]?: string; readonly [PLAN]?: Plan; readonly progressToken?: string }
  }
}

/** A client, as long as the server knows it: for one socket, or for one session. */
export interface Peer {
  readonly number: number
  /** Sends a message, or a batch of them, if there is still a way to send it. */
  readonly send: (message: object) => void
  /** Ids of the requests that came. */
  readonly ids: Set<number | string>
  /** Ids of the server's requests that wait for a response. */
  readonly asked: Set<number | string>
  /** What the client subscribed to, by the id of its listen in the modern era, else by the URI. */
  readonly subscribed: Map<unknown, readonly string[]>
  readonly timers: Set<NodeJS.Timeout>
  lastNumber: number
  notified: number
}

/** Where it is written down what the server does. */
export type Book = Pick<Ledger, 'note' | 'violate' | 'executed'>

const INFO = { name: 'chaos', version: '1' }
const CAPABILITIES = { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} }
const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId'

function counter(): () => number {
  let count = 0
  return () => ++count
}

/** What a small MCP server says, whatever carries it; it writes everything down. */
export class ChaosMcp {
  era: Era
  readonly peers = new Set<Peer>()
  readonly #book: Book
  readonly #random: Random
  readonly #lie: Lie | undefined
  readonly #nextNumber: () => number
  #nextId = 1
  #lastKey = ''
  readonly #seen = new Set<string>()

  /** @param nextNumber - Numbers its clients: later ones are higher, on all servers. */
  constructor(era: Era, book: Book, random: Random, lie?: Lie, nextNumber = counter()) {
    this.era = era
    this.#book = book
    this.#random = random
    this.#lie = lie
    this.#nextNumber = nextNumber
  }

  /** A client is there. */
  add(send: Peer['send']): Peer {
    const peer: Peer = {
      number: this.#nextNumber(),
      send,
      ids: new Set(),
      asked: new Set(),
      subscribed: new Map(),
      timers: new Set(),
      lastNumber: 0,
      notified: 0
    }
    this.peers.add(peer)
    return peer
  }

  /** A client is gone for good. */
  remove(peer: Peer): void {
    for (const timer of peer.timers) clearTimeout(timer)
    this.peers.delete(peer)
  }

  /** Tells every client something, or, in the legacy era, asks it. */
  speak(): void {
    for (const peer of this.peers) this.#speakTo(peer)
  }

  /** Takes a message of a client. */
  receive(peer: Peer, message: Message): void {
    const { id, method, params } = message
    if (method === undefined) {
      if (!peer.asked.delete(id ?? ''))
        this.#book.violate(`socket ${String(peer.number)} got a response to what it had not asked: ${JSON.stringify(message)}`)
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
      if (!peer.ids.has(requestId))
        this.#book.violate(`socket ${String(peer.number)} was told of a request that never came: ${JSON.stringify(message)}`)
    }
  }

  #speakTo(peer: Peer): void {
    if (this.era === 'legacy' && this.#random.chance(0.3)) {
      const id = this.#nextId++
      peer.asked.add(id)
      return this.#send(peer, { id, method: this.#random.chance(0.5) ? 'ping' : 'roots/list' })
    }
    const news = Array.from({ length: this.#random.between(1, 5) }, () => this.#news(peer))
    // A batch, as some servers send: the order holds there too.
    if (this.#random.chance(0.2)) peer.send(news.map((message) => ({ jsonrpc: '2.0', ...message })))
    else for (const message of news) this.#send(peer, message)
  }

  #news(peer: Peer): object {
    if (this.#lie === 'gap' && this.#random.chance(0.1)) peer.notified++
    return { method: 'notifications/chaos', params: { socket: peer.number, number: ++peer.notified } }
  }

  /**
   * Messages of a client are numbered: on each socket they come in this order, what is sent again first. What a server that was about to
   * close has returned waited longer than what it left without an answer.
   */
  #enter(peer: Peer, key: string): void {
    this.#book.executed(key, peer.number)
    if (this.#lie === 'twice' && this.#random.chance(0.2)) this.#book.executed(key, peer.number)
    const number = Number(key.slice(key.indexOf('.') + 1))
    if (number <= peer.lastNumber && !this.#seen.has(key))
      this.#book.violate(`${key} came on socket ${String(peer.number)} after number ${String(peer.lastNumber)}`)
    peer.lastNumber = number
    this.#seen.add(key)
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
    peer.send({ jsonrpc: '2.0', ...message })
  }
}
