import { bundle, useChild, type Child } from '../../helpers/child.js'
import { freePort } from '../../helpers/free-port.js'
import { useRedisServer, type RedisServer } from '../../helpers/redis-server.js'
import type { Ledger } from './ledger.js'
import type { Era } from './mcp.js'
import type { Random } from './random.js'
import type { Target } from './server.js'

/** What a node is started with. */
export interface NodeSettings {
  readonly run: string
  readonly era: Era
  readonly seed: number
  readonly ttl: number
  readonly lease: number
  readonly redis: string
  readonly port: number
}

/** What a node tells. */
export type Told =
  | [kind: 'note' | 'violate' | 'left' | 'began', text: string]
  | [kind: 'executed', key: string, socket: number]
  | [kind: 'excuse', name: string, why: string]
  | [kind: 'listens']

/** A process that is one of the servers. */
interface Node {
  readonly port: number
  child: Child | undefined
  left: string
}

/** How long a node that says nothing counts as alive, in ms. */
const LEASE = 3000
const NOTHING = JSON.stringify({ connections: 0, detachedSessions: 0, requestsInFlight: 0, peers: 0 })

/** Several servers that share their sessions by a real Redis, each a process that can be killed, or stand still. */
export class Nodes implements Target {
  readonly rejections: Target['rejections'] = []
  readonly #run: string
  readonly #era: Era
  readonly #ttl: number
  readonly #ledger: Ledger
  readonly #random: Random
  readonly #nodes: readonly Node[]
  readonly #redis: RedisServer
  /** The node that has the session of a client. */
  readonly #owners = new Map<string, Node>()
  #turn = 0

  private constructor(run: string, era: Era, ttl: number, ledger: Ledger, random: Random, nodes: readonly Node[], redis: RedisServer) {
    this.#run = run
    this.#era = era
    this.#ttl = ttl
    this.#ledger = ledger
    this.#random = random
    this.#nodes = nodes
    this.#redis = redis
  }

  /** Starts Redis; the nodes are started by `start`. */
  static async make(count: number, run: string, era: Era, ttl: number, ledger: Ledger, random: Random): Promise<Nodes> {
    const redis = await useRedisServer()
    const nodes: Node[] = []
    while (nodes.length < count) nodes.push({ port: await freePort(), child: undefined, left: '' })
    return new Nodes(run, era, ttl, ledger, random, nodes, redis)
  }

  get isUp(): boolean {
    return this.#nodes.every(({ child }) => child !== undefined)
  }

  /** Whether no client has left anything. */
  get isEmpty(): boolean {
    return this.#nodes.every(({ left }) => left === NOTHING)
  }

  /** What is left of clients. */
  get left(): string {
    return this.#nodes.map(({ left }) => left).join(', ')
  }

  /** The port of the next node: one after the other, whether it is there or not. */
  nextPort(): number {
    return this.#nodes[this.#turn++ % this.#nodes.length]?.port ?? 0
  }

  async start(): Promise<number> {
    await Promise.all(this.#nodes.filter(({ child }) => child === undefined).map((node) => this.#startNode(node)))
    return this.nextPort()
  }

  /** Kills one of the nodes. */
  async kill(): Promise<void> {
    const node = this.#random.pick(this.#nodes.filter(({ child }) => child !== undefined))
    const child = node?.child
    if (!node || !child) return
    node.child = undefined
    this.#excuse(node, 'its node was killed')
    await child.kill()
    // What the node has told with its last words.
    this.#excuse(node, 'its node was killed')
  }

  async end(): Promise<void> {
    for (const { child } of this.#nodes) await child?.kill()
  }

  /** Redis dies, and comes back with nothing. */
  async killRedis(pause: () => Promise<void>): Promise<void> {
    await this.#redis.kill()
    await pause()
    await this.#redis.start()
  }

  /** One of the nodes stands still for a while, as a machine that sleeps. */
  async freeze(pause: () => Promise<void>): Promise<void> {
    const node = this.#random.pick(this.#nodes.filter(({ child }) => child !== undefined))
    const pid = node?.child?.pid
    if (!node || pid === undefined) return
    const startedAt = performance.now()
    process.kill(pid, 'SIGSTOP')
    await pause()
    if (performance.now() - startedAt > LEASE / 2) this.#excuse(node, 'its node stood still')
    process.kill(pid, 'SIGCONT')
  }

  changeEra(): void {
    // The nodes are of one release.
  }

  close(): void {
    // Only the network ends sockets.
  }

  babble(): void {
    // What nodes say makes sense.
  }

  speak(): void {
    // They do so by themselves.
  }

  async #startNode(node: Node): Promise<void> {
    const script = await bundle(new URL('./node.ts', import.meta.url))
    const settings: NodeSettings = {
      run: this.#run,
      era: this.#era,
      seed: this.#random.between(0, 2 ** 31),
      ttl: this.#ttl,
      lease: LEASE,
      redis: this.#redis.url,
      port: node.port
    }
    const child = useChild(script, [JSON.stringify(settings)])
    node.child = child
    await new Promise<void>((resolve) => void this.#read(node, child, resolve))
  }

  async #read(node: Node, child: Child, onListens: () => void): Promise<void> {
    try {
      for (;;) {
        const told = JSON.parse(await child.nextLine()) as Told
        if (told[0] === 'listens') onListens()
        else this.#take(node, told)
      }
    } catch {
      // It has ended.
      if (node.child === child && child.complaints !== '') this.#ledger.violate(`a node ended: ${child.complaints}`)
      onListens()
    }
  }

  #take(node: Node, told: Exclude<Told, ['listens']>): void {
    const [kind, text] = told
    if (kind === 'executed') this.#ledger.executed(text, told[2])
    else if (kind === 'excuse') this.#ledger.excuse(text, told[2])
    else if (kind === 'note') this.#ledger.note(`${String(node.port)} ${text}`)
    else if (kind === 'violate') this.#ledger.violate(text)
    else if (kind === 'left') node.left = text
    else this.#owners.set(text, node)
  }

  #excuse(node: Node, why: string): void {
    for (const [name, owner] of this.#owners) if (owner === node) this.#ledger.excuse(name, why)
  }
}
