/*
 * The layer `redis` is the entry `./redis`: a `SessionStore` for several machines. It knows nothing of the server, which calls it.
 * redis-link.ts is the way to Redis and knows when it is lost; scripts.ts is what is kept there; this file knows the sessions.
 */
import { systemClock, type Clock } from '../lib/clock.js'
import type {
  ClaimedSession,
  ClaimRejection,
  FoundSession,
  SessionStore,
  SessionStoreListener,
  StoredSession,
  StoreIdentity
} from '../types/session-store.js'
import { resolveRedisOptions, type RedisSessionStoreOptions } from './options.js'
import type { RedisClient } from './redis-client.js'
import { RedisLink } from './redis-link.js'
import { epochKeyOf, keysOf, nodeKeyOf, OUTCOMES, SCRIPTS, youthKeyOf, type ScriptName } from './scripts.js'

// In ms. How long a session that is over is kept, for a client that was away when it ended.
const TOMBSTONE = 600_000
const FORGOTTEN = 'Redis has forgotten this server'

/** A session that this node writes. */
interface OwnSession {
  readonly id: string
  readonly keys: readonly [meta: string, out: string]
  readonly ttl: number
  /** How long its keys live in Redis after each write, in ms. */
  readonly expiry: number
  generation: number
  /** When its expiry was set last, in ms of the clock. */
  freshAt: number
}

/** One `open`, until `close`. */
interface Opened {
  readonly node: string
  readonly listener: SessionStoreListener
  readonly link: RedisLink
  /** `undefined` until it was read from Redis. */
  epoch: string | undefined
  /** From then on every living node has had time to write again what Redis may have forgotten; in ms of the clock. */
  completeAt: number
}

/**
 * Keeps sessions in Redis 6.2 or later, or in Valkey, so that a client can come back to another server than the one that it left. Frames
 * that a client has not acknowledged lie in Redis until it has, or until the session ends; tokens never do.
 *
 * If Redis was restarted without its data, or emptied, the living servers write their sessions to it again, and the sessions go on. They
 * have one `lease` of time. Until then, a client whose session is not in Redis is sent away and comes back, because its server may only be
 * late.
 * @example
 * ```ts
 * import { createClient } from 'redis'
 *
 * const client = createClient({ url: 'redis://127.0.0.1:6379' })
 * client.on('error', (error) => log(error))
 * await client.connect()
 * const server = new McpWebSocketServer({ resume: { store: new RedisSessionStore(client) }, ...options })
 * ```
 */
export class RedisSessionStore implements SessionStore {
  readonly #client: RedisClient
  readonly #clock: Clock
  readonly #prefix: string
  readonly #lease: number
  readonly #sessions = new Map<string, OwnSession>()
  /** The scripts as Redis names them. */
  readonly #hashes = new Map<ScriptName, string>()
  #opened: Opened | undefined

  /**
   * Does nothing yet: see `open`.
   * @param client - Connected by the program, which also listens to its `error` and closes it, after the store.
   * @throws TypeError for something that is no client, for the client of a cluster, or naming the first option that is wrong.
   */
  constructor(client: RedisClient, options?: RedisSessionStoreOptions)
  /** @internal For tests: another clock. */
  constructor(client: RedisClient, options: RedisSessionStoreOptions, ports: { readonly clock: Clock })
  constructor(client: RedisClient, options: RedisSessionStoreOptions = {}, ports: { readonly clock: Clock } = { clock: systemClock }) {
    // A program without types may pass a URL.
    if (typeof (client as Partial<RedisClient> | null | undefined)?.duplicate !== 'function')
      throw new TypeError('client must be a client of the package redis, version 6: await createClient().connect()')
    // The client of a cluster takes commands in another form, and would fail only with the first one.
    if ('masters' in client) throw new TypeError('client must not be that of a cluster: give one of createClient()')
    const { prefix, lease } = resolveRedisOptions(options)
    this.#client = client
    this.#clock = ports.clock
    this.#prefix = prefix
    this.#lease = lease
  }

  get isReady(): boolean {
    return this.#opened?.link.isReady ?? false
  }

  async open(listener: SessionStoreListener): Promise<StoreIdentity> {
    if (this.#opened) throw new Error('open() was called before')
    const node = crypto.randomUUID()
    const link = new RedisLink(this.#client, this.#clock, {
      channel: nodeKeyOf(this.#prefix, node),
      beat: this.#beat,
      prepare: () => this.#prepare(opened),
      onText: (text) => listener.onMessage(text),
      onBeat: () => this.#onBeat(opened),
      onLost: (error) => {
        // The server writes anew what is left of them.
        this.#sessions.clear()
        listener.onLost(error)
      },
      onRestored: () => listener.onRestored()
    })
    const opened: Opened = { node, listener, link, epoch: undefined, completeAt: 0 }
    this.#opened = opened
    try {
      await link.open()
    } catch (thrown) {
      if (this.#opened === opened) this.#opened = undefined
      throw thrown
    }
    return { node, epoch: opened.epoch ?? '' }
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    this.#sessions.clear()
    await opened?.link.close(['DEL', nodeKeyOf(this.#prefix, opened.node)])
  }

  create({ id, principal, generation }: StoredSession, ttl: number): void {
    if (!this.isReady) return
    // The keys are written again after half of the ttl, at the next beat. The client may leave, and the node die, just before that; the
    // keys then have to live for a whole ttl more, and for the lease in which the death is not noticed.
    const expiry = 1.5 * ttl + this.#beat + this.#lease
    const session: OwnSession = { id, keys: keysOf(this.#prefix, id), ttl, expiry, generation, freshAt: 0 }
    this.#sessions.set(id, session)
    this.#write(session, 'create', principal, String(generation))
  }

  attach(id: string, generation: number): void {
    const session = this.#sessions.get(id)
    if (session === undefined) return
    session.generation = generation
    this.#write(session, 'attach', String(generation))
  }

  append(id: string, position: number, text: string): void {
    const session = this.#sessions.get(id)
    if (session) this.#write(session, 'append', String(position), text)
  }

  acknowledge(id: string, position: number): void {
    const session = this.#sessions.get(id)
    if (session) this.#write(session, 'acknowledge', String(position + 1))
  }

  end(id: string, received: number, keepsFrames = false): void {
    const session = this.#sessions.get(id)
    if (session === undefined) return
    this.#write({ ...session, expiry: TOMBSTONE + this.#lease }, 'end', String(received), keepsFrames ? 'keep' : '')
    this.#sessions.delete(id)
  }

  async find(id: string): Promise<FoundSession | undefined> {
    const opened = this.#reachable()
    const { link } = opened
    const [meta] = keysOf(this.#prefix, id)
    const [reply, isKnown] = await Promise.all([
      link.ask(['HMGET', meta, 'principal', 'generation', 'node']),
      link.ask(['EXISTS', nodeKeyOf(this.#prefix, opened.node)])
    ])
    const [principal, generation, node] = reply as (string | null)[]
    if (typeof principal !== 'string') {
      if (isKnown !== 1) link.fail(new Error(FORGOTTEN))
      this.#complete()
      return undefined
    }
    const found = { id, principal, generation: Number(generation) }
    if (!node) return { ...found, node: undefined, isNodeAlive: false }
    const isNodeAlive = (await link.ask(['EXISTS', nodeKeyOf(this.#prefix, node)])) === 1
    return { ...found, node, isNodeAlive }
  }

  async claim({ id, principal, generation }: StoredSession, received: number): Promise<ClaimedSession | ClaimRejection> {
    const { link } = this.#complete()
    const args = ['2', ...keysOf(this.#prefix, id), principal, String(generation), String(received)]
    const reply = await link.ask(['EVALSHA', this.#hashOf('claim'), ...args], ['EVAL', SCRIPTS.claim, ...args])
    if (typeof reply === 'string') return reply as ClaimRejection
    const [delivered, tail] = reply as [string | null, string[]]
    return { tail, delivered: delivered === null ? null : Number(delivered) }
  }

  async send(node: string, text: string): Promise<boolean> {
    return Number(await this.#reachable().link.ask(['PUBLISH', nodeKeyOf(this.#prefix, node), text])) > 0
  }

  /** Ms between two signs of life. */
  get #beat(): number {
    return this.#lease / 3
  }

  #reachable(): Opened {
    if (this.#opened?.link.isReady) return this.#opened
    throw new Error('Redis cannot be reached')
  }

  /** A node that seems dead may only take longer than this one to come back to Redis. @throws If Redis may not know everything yet. */
  #complete(): Opened {
    const opened = this.#reachable()
    if (this.#clock.now() >= opened.completeAt) return opened
    throw new Error('Redis was lost, and other servers may still have to write to it')
  }

  #hashOf(script: ScriptName): string {
    return this.#hashes.get(script) ?? ''
  }

  /**
   * Sends one command; all of the same turn are written together. If Redis has lost its scripts it counts as lost: a frame that is sent
   * again with its script would come behind later ones.
   */
  #write(session: OwnSession, script: ScriptName, ...args: readonly string[]): void {
    const opened = this.#opened
    if (opened === undefined) return
    session.freshAt = this.#clock.now()
    const expiry = String(Math.ceil(session.expiry))
    opened.link.write(['EVALSHA', this.#hashOf(script), '2', ...session.keys, opened.node, expiry, ...args], (outcome) => {
      if (outcome !== OUTCOMES.done) this.#onRefused(opened, session, outcome)
    })
  }

  /** Redis has rejected a write. For a session that is over here, nobody is told. */
  #onRefused({ link, listener }: Opened, session: OwnSession, outcome: unknown): void {
    if (this.#sessions.get(session.id) !== session) return
    if (outcome !== OUTCOMES.fenced) return link.fail(new Error('Redis has forgotten a session'))
    this.#sessions.delete(session.id)
    listener.onFenced(session.id)
  }

  /** Brings Redis into the state that this node needs, whatever it was before: with the scripts, an epoch and a fresh lease. */
  async #prepare(opened: Opened): Promise<void> {
    const { link } = opened
    const names = Object.keys(SCRIPTS) as ScriptName[]
    const [epochKey, youthKey] = [epochKeyOf(this.#prefix), youthKeyOf(this.#prefix)]
    // Before the epoch, so that a node which finds the epoch finds this too.
    if ((await link.ask(['EXISTS', epochKey])) === 0) await link.ask(['SET', youthKey, '1', 'PX', String(this.#lease)])
    const [, epoch, youth, , ...hashes] = await Promise.all([
      link.ask(['SET', epochKey, opened.epoch ?? crypto.randomUUID(), 'NX']),
      link.ask(['GET', epochKey]),
      link.ask(['PTTL', youthKey]),
      this.#renew(opened),
      ...names.map((name) => link.ask(['SCRIPT', 'LOAD', SCRIPTS[name]]))
    ])
    // A negative PTTL: the memory is not young. A node that had lost Redis waits for a whole lease, because it cannot know whether the
    // others have it back.
    const left = Math.max(Number(youth), opened.epoch === undefined ? 0 : this.#lease)
    if (left > 0) opened.completeAt = this.#clock.now() + left
    opened.epoch ??= String(epoch)
    for (const [i, name] of names.entries()) this.#hashes.set(name, String(hashes[i]))
  }

  #renew({ node, link }: Opened, ...condition: readonly string[]): Promise<unknown> {
    return link.ask(['SET', nodeKeyOf(this.#prefix, node), '1', 'PX', String(this.#lease), ...condition])
  }

  #onBeat(opened: Opened): void {
    const { link } = opened
    // If the lease of this node is not there, Redis was emptied, or other nodes have counted this one as gone. Then all has to be written
    // again, even by a node that has nothing else to write right now.
    this.#renew(opened, 'XX').then(
      (reply) => {
        if (reply === null) link.fail(new Error(FORGOTTEN))
      },
      // The link reports it.
      () => undefined
    )
    const now = this.#clock.now()
    for (const session of this.#sessions.values())
      if (now - session.freshAt >= session.ttl / 2) this.#write(session, 'attach', String(session.generation))
  }
}
