import { McpWebSocketClient } from '../../../src/client/client.js'
import { isMcpWebSocketError } from '../../../src/errors.js'
import type { Clock, Timer } from '../../../src/lib/clock.js'
import { Metrics } from '../../../src/server/metrics.js'
import type { LinkListener, PeerLink } from '../../../src/server/peer-link.js'
import { Peer } from '../../../src/server/peer.js'
import { Reception } from '../../../src/server/reception.js'
import type { ResumableSession } from '../../../src/server/resumable-session.js'
import type { Socket, SocketListener } from '../../../src/socket/web-socket.js'
import type { JsonRpcMessage, RequestId } from '../../../src/types/json-rpc.js'
import { openFrame, encodeControl, type HelloFrame } from '../../../src/wire/resume-frames.js'
import { RESUME_SUBPROTOCOL } from '../../../src/wire/subprotocol.js'
import { FakeClock, settle } from '../../helpers/fake-clock.js'
import { LEGACY_RESULT } from '../../helpers/fake-network.js'
import { MemoryHub, type MemoryStore } from '../../helpers/memory-store.js'

// The real client and the real sessions of two servers, which share a store, on a clock and on sockets that a program of the test moves:
// every frame waits until it is delivered, and each end of a socket notices its end at a time of its own.

/** The limit of what a server keeps, and how long it keeps a session. */
export const LIMITS = { messages: 6, ttl: 50 } as const

/** What the fences of a socket are good for: without them the invariants have to fail. */
export interface Fences {
  /** A socket that the client has given up is mute. */
  client: boolean
  /** A socket whose session another one has is mute. */
  server: boolean
}

/** One socket: two queues of frames, and two ends. A number is the close code of a close frame. */
class Wire implements PeerLink {
  readonly subprotocol = RESUME_SUBPROTOCOL
  readonly up: (string | number)[] = []
  readonly down: (string | number)[] = []
  /** Nothing that is written from now on arrives. */
  isCut = false
  /** The server that it leads to. */
  readonly node: Node
  #client: SocketListener | undefined
  #server: LinkListener | undefined
  readonly #fences: Fences
  #hasServer = true
  #isClosing = false

  constructor(client: SocketListener, node: Node, fences: Fences) {
    this.#client = client
    this.node = node
    this.#fences = fences
  }

  /** The client's end. */
  readonly socket: Socket = {
    bytesRead: undefined,
    buffered: 0,
    send: (text) => {
      if (!this.isCut) this.up.push(text)
      return text.length
    },
    ping: () => true,
    close: (code) => void this.up.push(code),
    discard: () => {
      this.isCut = true
      if (this.#fences.client) this.#client = undefined
    },
    expire: () => undefined,
    unref: () => undefined
  }

  accept(): void {
    this.#client?.onOpened(RESUME_SUBPROTOCOL)
  }

  // The server's end.

  get isOpen(): boolean {
    return this.#hasServer && !this.#isClosing
  }

  listen(listener: LinkListener | undefined): void {
    if (listener !== undefined || this.#fences.server) this.#server = listener
  }

  resume(): void {
    // Frames wait for the test anyway.
  }

  pause(): void {
    // They do so already.
  }

  send(text: string): Promise<void> {
    this.sendControl(text)
    return Promise.resolve()
  }

  sendControl(text: string): void {
    if (!this.isCut && this.isOpen) this.down.push(text)
  }

  /** Nothing is heard any more, and the end comes later. */
  async close(code: number): Promise<void> {
    this.down.push(code)
    this.#isClosing = true
    await Promise.resolve()
    this.noticeOnServer(code)
  }

  goAway(): void {
    this.sendControl('{"mcp.resume":"goaway"}')
  }

  cut(): void {
    this.terminate()
  }

  terminate(): void {
    this.noticeOnServer()
  }

  // The network.

  /** Hands the next frame to the server. */
  deliverUp(): void {
    const frame = this.up.shift()
    if (frame === undefined || !this.isOpen) return
    if (typeof frame === 'number') this.noticeOnServer(frame)
    else this.#server?.onText(frame, frame.length)
  }

  /** Hands the next frame to the client. */
  deliverDown(): void {
    const frame = this.down.shift()
    if (typeof frame === 'number') this.noticeOnClient(frame)
    else if (frame !== undefined) this.#client?.onText(frame, frame.length)
  }

  noticeOnServer(code = 1006): void {
    if (!this.#hasServer) return
    this.#hasServer = false
    this.#server?.onEnd(code)
  }

  noticeOnClient(code = 1006): void {
    const client = this.#client
    if (this.#fences.client) this.#client = undefined
    client?.onClosed({ kind: 'close', code, wasClean: code !== 1006 })
  }

  /** The process of the server is gone. */
  die(): void {
    this.isCut = true
    this.#hasServer = false
    this.#server = undefined
  }
}

/** A request that a server works on. */
interface Work {
  readonly peer: Peer
  readonly node: Node
  readonly id: RequestId
}

/** One server. */
interface Node {
  readonly reception: Reception<undefined>
  readonly store: MemoryStore
  readonly metrics: Metrics
  readonly peers: Map<Peer, ResumableSession>
  /** End with the process. */
  readonly timers: Set<Timer>
  isAlive: boolean
}

/** What became of a call. */
export type Outcome = 'ok' | 'not-sent' | 'unknown' | 'closed'

/** Everything that a program of the test moves, with the ledger of what happened. */
export class World {
  readonly clock = new FakeClock()
  readonly hub = new MemoryHub()
  readonly client: McpWebSocketClient
  readonly wires: Wire[] = []
  readonly nodes: Node[] = []
  readonly work: Work[] = []
  readonly outcomes = new Map<string, Outcome>()
  /** Keys of the calls that a server executed, and where. */
  readonly executed = new Map<string, Peer>()
  readonly violations: string[] = []
  /** Calls that were made. */
  calls = 0
  /** Sessions that were resumed, and why others were not. */
  readonly metrics: Metrics[] = []
  readonly #fences: Fences
  /** Number of the last notification that each session sent, and that the client has from it. */
  readonly #told = new Map<string, number>()
  readonly #heard = new Map<string, number>()
  readonly #names = new Map<Peer, string>()
  /** How much the sessions kept whose client is away, when it left. */
  readonly #keptAtDetach = new Map<ResumableSession, number>()
  /** When the client was ready last, in ms of the clock. */
  #readyUntil = 0
  /** The node that the next dial reaches. */
  #nextNode = 0

  constructor(fences: Fences) {
    this.#fences = fences
    this.nodes.push(this.#makeNode(), this.#makeNode())
    this.client = new McpWebSocketClient(
      {
        url: 'ws://127.0.0.1/ws',
        protocol: 'legacy',
        resume: true,
        heartbeat: false,
        requestTimeout: Infinity,
        closeTimeout: 5,
        reconnect: { initialDelay: 1, maxDelay: 1, jitter: false, maxRetries: Infinity }
      },
      {
        clock: this.clock,
        openSocket: (_target, _options, listener) => this.#open(listener)
      }
    )
    this.client.on('notification', ({ method, params }) => {
      if (method === 'notifications/message') this.#hear(String(params?.session), Number(params?.n))
    })
    this.client.on('state', ({ from }) => {
      if (from === 'ready') this.#readyUntil = this.clock.now()
    })
    this.client.on('error', (error) => this.violations.push(`the client reports ${error.message}`))
  }

  #makeNode(): Node {
    const metrics = new Metrics()
    this.metrics.push(metrics)
    const store = this.hub.store()
    const peers: Node['peers'] = new Map()
    const timers = new Set<Timer>()
    const after: Clock['after'] = (ms, fire) => {
      const timer = this.clock.after(ms, () => {
        timers.delete(timer)
        fire()
      })
      timers.add(timer)
      return timer
    }
    const reception = new Reception<undefined>({
      clock: { now: () => this.clock.now(), random: () => this.clock.random(), after },
      metrics,
      ttl: LIMITS.ttl,
      maxMessages: LIMITS.messages,
      maxBytes: 1e6,
      maxDetached: 4,
      drainTimeout: 1e9,
      store,
      onerror: () => undefined,
      onSession: (session) => this.#serve(node, session)
    })
    const node: Node = { reception, store, metrics, peers, timers, isAlive: true }
    return node
  }

  #open(listener: SocketListener): Socket {
    const node = this.nodes[this.#nextNode % this.nodes.length] as Node
    const wire = new Wire(listener, node, this.#fences)
    this.wires.push(wire)
    queueMicrotask(() => {
      node.reception.receive(wire, { info: undefined, principal: 'ada', extra: undefined })
      wire.accept()
    })
    return wire.socket
  }

  /** The MCP server of one session: it works on a call until the test lets it respond. */
  #serve(node: Node, session: ResumableSession): void {
    const peer = new Peer(session, { metrics: node.metrics, onFailed: () => undefined, maxInFlight: 1000 }, undefined, () =>
      node.peers.delete(peer)
    )
    node.peers.set(peer, session)
    this.#names.set(peer, session.id)
    peer.ondetach = () => void this.#keptAtDetach.set(session, session.sent - session.acknowledged)
    peer.onattach = () => void this.#keptAtDetach.delete(session)
    peer.onmessage = (message) => this.#receive(node, peer, message)
    void peer.start()
  }

  #receive(node: Node, peer: Peer, message: JsonRpcMessage): void {
    if (!('method' in message) || !('id' in message)) return
    const { id, method, params } = message
    if (method === 'initialize') return void peer.send({ jsonrpc: '2.0', id, result: LEGACY_RESULT })
    const key = String(params?.name)
    if (this.executed.has(key)) this.violations.push(`I1 ${key} was executed twice`)
    this.executed.set(key, peer)
    if (this.outcomes.get(key) === 'not-sent') this.violations.push(`I8 ${key} was executed, and was said to be not sent`)
    this.work.push({ peer, node, id })
  }

  #hear(session: string, n: number): void {
    const before = this.#heard.get(session) ?? 0
    if (n !== before + 1) this.violations.push(`I2 notification ${String(n)} came after ${String(before)}`)
    this.#heard.set(session, n)
  }

  /** The client makes a call. */
  request(): void {
    const key = `k${String(++this.calls)}`
    this.client.callTool({ name: key }).then(
      () => this.#settle(key, 'ok'),
      (error: unknown) => {
        const delivery = isMcpWebSocketError(error) ? error.delivery : undefined
        const isClosed = isMcpWebSocketError(error) && error.code === 'CLOSED'
        this.#settle(key, isClosed ? 'closed' : delivery === 'not-sent' ? 'not-sent' : 'unknown')
      }
    )
  }

  #settle(key: string, outcome: Outcome): void {
    if (this.outcomes.has(key)) this.violations.push(`I7 ${key} settled twice`)
    this.outcomes.set(key, outcome)
    const peer = this.executed.get(key)
    if (outcome === 'ok' && !peer) this.violations.push(`${key} has a result, and was never executed`)
    if (outcome === 'not-sent' && peer) this.violations.push(`I8 ${key} is said to be not sent, and was executed`)
    // A session that lives loses nothing, unless its client was away for longer than it keeps its own half.
    const hasGivenUp = this.clock.now() - this.#readyUntil >= 2 * LIMITS.ttl
    if (outcome === 'unknown' && !hasGivenUp && peer && this.nodes.some((node) => node.isAlive && node.peers.has(peer)))
      this.violations.push(`${key} is given up, and its session lives`)
  }

  /** A server responds to a call. */
  finish(index: number): void {
    const [work] = this.work.splice(index % Math.max(1, this.work.length), 1)
    if (work?.node.peers.has(work.peer))
      void work.peer.send({ jsonrpc: '2.0', id: work.id, result: { content: [] } }).catch(() => undefined)
  }

  /** The newest session tells something unasked. */
  notify(): void {
    const peer = this.nodes.flatMap(({ isAlive, peers }) => (isAlive ? [...peers.keys()] : [])).at(-1)
    if (peer === undefined) return
    const session = String(this.#names.get(peer))
    const n = (this.#told.get(session) ?? 0) + 1
    this.#told.set(session, n)
    void peer.send({ jsonrpc: '2.0', method: 'notifications/message', params: { session, n } }).catch(() => undefined)
  }

  /** The client loses its socket and dials this node. */
  async reconnect(node: number): Promise<void> {
    this.#nextNode = node
    this.wires.at(-1)?.noticeOnClient()
    await this.clock.advance(1)
  }

  /** The process of a server is gone, and another one takes its place. */
  crash(index: number): void {
    const at = index % this.nodes.length
    const node = this.nodes[at] as Node
    node.isAlive = false
    for (const timer of node.timers) timer.cancel()
    this.hub.dead.add(node.store.node)
    this.hub.listeners.delete(node.store.node)
    node.store.isReady = false
    for (const wire of this.wires) if (wire.node === node) wire.die()
    this.nodes[at] = this.#makeNode()
  }

  /** Somebody else asks for every session there is, at one node. @returns What he was told. */
  async hijack(index: number): Promise<void> {
    const node = this.nodes[index % this.nodes.length] as Node
    for (const { id } of this.nodes.flatMap(({ peers }) => [...peers.values()])) {
      const wire = new Wire(
        { onOpened: () => undefined, onText: () => undefined, onClosed: () => undefined } as unknown as SocketListener,
        node,
        this.#fences
      )
      node.reception.receive(wire, { info: undefined, principal: 'mallory', extra: undefined })
      const open = openFrame({ session: id, epoch: 'shared', received: 0, generation: 1e6, limits: { messages: 6, bytes: 1e6 } })
      wire.up.push(encodeControl(open))
      wire.deliverUp()
      await settle()
      const hello = typeof wire.down[0] === 'string' ? (JSON.parse(wire.down[0]) as HelloFrame) : undefined
      if (hello?.resumed) this.violations.push('I10 resumed under another principal')
      if (wire.down.length > 1 || (hello?.delivered ?? null) !== null) this.violations.push('I10 told something of another session')
      wire.noticeOnServer(1000)
    }
  }

  /** What must hold at any time. */
  check(): void {
    for (const { isAlive, peers } of this.nodes)
      if (isAlive)
        for (const session of peers.values()) {
          const { sent, acknowledged } = session
          if (acknowledged > sent) this.violations.push('I4 more was acknowledged than sent')
          const kept = this.#keptAtDetach.get(session)
          if (sent - acknowledged > Math.max(LIMITS.messages, kept ?? 4 * LIMITS.messages))
            this.violations.push('I5 the buffer of a server is beyond its limit')
        }
    const [violation] = this.violations
    if (violation !== undefined) throw new Error(violation)
  }

  /** All is well again: what is pending has to settle. */
  async heal(): Promise<void> {
    this.hub.loses = () => false
    this.hub.isDown = false
    await this.reconnect(0)
    for (let turn = 0; turn < 400; turn++) {
      for (const wire of this.wires) {
        wire.deliverUp()
        wire.deliverDown()
      }
      if (turn % 3 === 0) this.finish(0)
      await settle()
      this.check()
      if (turn % 20 === 19) await this.clock.advance(turn % 100 === 99 ? 1000 : 1)
      if (turn > 40 && this.outcomes.size === this.calls) break
    }
    if (this.outcomes.size < this.calls) this.violations.push(`I3 ${String(this.calls - this.outcomes.size)} calls never settled`)
    this.check()
  }

  /** The client is closed and all time is over: nothing is left. */
  async end(): Promise<void> {
    await Promise.all([this.client.close(), this.clock.advance(1000)])
    for (const wire of this.wires) wire.noticeOnServer()
    await this.clock.advance(100_000)
    for (const { isAlive, peers } of this.nodes)
      if (isAlive && peers.size > 0) this.violations.push(`I12 ${String(peers.size)} sessions are left`)
    for (const { isAlive, metrics } of this.nodes)
      if (isAlive && metrics.detachedSessions > 0) this.violations.push('I12 a session is left in the table')
    if (this.clock.pendingCount > 0) this.violations.push(`I12 ${String(this.clock.pendingCount)} timers are left`)
    this.check()
  }
}
