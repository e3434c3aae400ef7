import type { Socket, SocketClosure, SocketListener, SocketOptions } from '../../src/socket/web-socket.js'
import type { OpenSocket } from '../../src/socket/open-socket.js'
import type { Target } from '../../src/socket/web-socket.js'
import { settle } from './fake-clock.js'

export interface Message {
  readonly jsonrpc: '2.0'
  readonly id?: number | string
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: unknown
  readonly error?: { code: number; message: string; data?: unknown }
}

/** One dial, seen from the server's side; the test decides what becomes of it. */
export class FakeSocket implements Socket {
  readonly target: Target
  readonly options: SocketOptions
  readonly sent: Message[] = []
  /** The frames of `sent`, as they were written. */
  readonly texts: string[] = []
  pings = 0
  /** Whether this engine can ping. */
  canPing = true
  bytesRead: number | undefined
  buffered = 0
  state: 'dialling' | 'open' | 'closing' | 'closed' = 'dialling'
  isUnref = false
  #listener: SocketListener | undefined

  constructor(target: Target, options: SocketOptions, listener: SocketListener) {
    this.target = target
    this.options = options
    this.#listener = listener
  }

  // What the client does.

  send(text: string): number {
    if (this.state !== 'open') throw new Error(`sent on a socket that is ${this.state}`)
    this.sent.push(JSON.parse(text) as Message)
    this.texts.push(text)
    return text.length
  }

  ping(): boolean {
    if (this.canPing) this.pings++
    return this.canPing
  }

  close(): void {
    this.state = 'closing'
  }

  discard(): void {
    this.state = 'closed'
    this.#listener = undefined
  }

  expire(): SocketClosure | undefined {
    return undefined
  }

  unref(): void {
    this.isUnref = true
  }

  // What the server, or the network, does.

  accept(subprotocol: string | undefined = 'mcp.v1'): this {
    this.state = 'open'
    this.#listener?.onOpened(subprotocol)
    return this
  }

  deliver(message: object | string): void {
    const text = typeof message === 'string' ? message : JSON.stringify(message)
    this.#listener?.onText(text, text.length)
  }

  pong(): void {
    this.#listener?.onPong()
  }

  drop(closure: Partial<SocketClosure> = {}): void {
    const listener = this.#listener
    this.discard()
    listener?.onClosed({ kind: 'close', code: 1006, wasClean: false, ...closure })
  }

  /** The last request of this method that the client sent. */
  asked(method: string): Message {
    const found = this.sent.findLast((message) => message.method === method)
    if (found === undefined)
      throw new Error(
        `the client sent no ${method}, but ${this.sent.map((message) => message.method ?? 'a response').join(', ') || 'nothing'}`
      )
    return found
  }

  /** Methods of what the client sent, in order; a response has none and counts as 'response'. */
  get methods(): string[] {
    return this.sent.map(({ method }) => method ?? 'response')
  }

  /** Responds to the last request of this method. */
  respond(method: string, result: unknown): void {
    this.deliver({ jsonrpc: '2.0', id: this.asked(method).id, result })
  }

  /** Responds to the last request of this method with an error. */
  respondError(method: string, code: number, message = 'no', data?: unknown): void {
    this.deliver({ jsonrpc: '2.0', id: this.asked(method).id, error: { code, message, data } })
  }
}

/** A network whose every dial waits for the test. */
export class FakeNetwork {
  readonly sockets: FakeSocket[] = []

  readonly openSocket: OpenSocket = (target, options, listener) => {
    const socket = new FakeSocket(target, options, listener)
    this.sockets.push(socket)
    return socket
  }

  get dials(): number {
    return this.sockets.length
  }

  /** Sockets that nobody closed or discarded. */
  get openCount(): number {
    return this.sockets.filter((socket) => socket.state !== 'closed').length
  }

  /** The latest dial; waits for the client's providers. */
  async last(): Promise<FakeSocket> {
    await settle()
    const socket = this.sockets.at(-1)
    if (socket === undefined) throw new Error('nobody dialled')
    return socket
  }
}

export const LEGACY_RESULT = {
  protocolVersion: '2025-11-25',
  capabilities: { tools: { listChanged: true }, resources: { subscribe: true } },
  serverInfo: { name: 'fake', version: '1' }
}

export const MODERN_RESULT = {
  resultType: 'complete',
  supportedVersions: ['2026-07-28'],
  capabilities: { tools: { listChanged: true } },
  _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'fake', version: '2' } }
}

/** Leads a dial to ready on a legacy server. */
export async function becomeLegacy(network: FakeNetwork, result: object = LEGACY_RESULT): Promise<FakeSocket> {
  const socket = (await network.last()).accept()
  if (socket.sent.some(({ method }) => method === 'server/discover')) socket.respondError('server/discover', -32601)
  socket.respond('initialize', result)
  await settle()
  return socket
}

/** Leads a dial to ready on a modern server. */
export async function becomeModern(network: FakeNetwork, result: object = MODERN_RESULT): Promise<FakeSocket> {
  const socket = (await network.last()).accept()
  socket.respond('server/discover', result)
  await settle()
  return socket
}
