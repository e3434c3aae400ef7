import type {
  ClaimedSession,
  ClaimRejection,
  FoundSession,
  SessionStore,
  SessionStoreListener,
  StoredSession,
  StoreIdentity
} from '../../src/types/session-store.js'

interface Entry {
  session: StoredSession
  /** `undefined`: the session is over. */
  node: string | undefined
  readonly frames: Map<number, string>
  acknowledged: number
  delivered: number | null
  claimedWith: number | undefined
}

/** What the stores of several servers share: as a database would, but a test decides what goes wrong. */
export class MemoryHub {
  readonly entries = new Map<string, Entry>()
  readonly listeners = new Map<string, SessionStoreListener>()
  /** Nodes that have not said lately that they live. */
  readonly dead = new Set<string>()
  /** Texts between nodes, in their order. */
  readonly texts: string[] = []
  /** Decides which of them get lost. */
  loses: (text: string) => boolean = () => false
  /** Answers to a text come after that. */
  answer: Promise<unknown> = Promise.resolve()
  /** Nobody answers. */
  isDown = false
  /** What nodes that open it are told. */
  epoch = 'shared'
  #nodes = 0

  /** A store for one more server. */
  store(): MemoryStore {
    return new MemoryStore(this, `node-${String(++this.#nodes)}`)
  }
}

/** A `SessionStore` of one server. */
export class MemoryStore implements SessionStore {
  readonly node: string
  readonly #hub: MemoryHub
  isReady = false
  isClosed = false
  #listener: SessionStoreListener | undefined

  constructor(hub: MemoryHub, node: string) {
    this.#hub = hub
    this.node = node
  }

  open(listener: SessionStoreListener): Promise<StoreIdentity> {
    if (this.#hub.isDown) return Promise.reject(new Error('the store is down'))
    this.#listener = listener
    this.#hub.listeners.set(this.node, listener)
    this.isReady = true
    return Promise.resolve({ node: this.node, epoch: this.#hub.epoch })
  }

  close(): Promise<void> {
    this.isClosed = true
    this.#hub.listeners.delete(this.node)
    return Promise.resolve()
  }

  create(session: StoredSession): void {
    if (!this.isReady) return
    this.#hub.entries.set(session.id, {
      session,
      node: this.node,
      frames: new Map(),
      acknowledged: 0,
      delivered: null,
      claimedWith: undefined
    })
  }

  attach(session: string, generation: number): void {
    this.#write(session, (entry) => (entry.session = { ...entry.session, generation }))
  }

  append(session: string, position: number, text: string): void {
    this.#write(session, ({ frames }) => frames.set(position, text))
  }

  acknowledge(session: string, position: number): void {
    this.#write(session, (entry) => (entry.acknowledged = position))
  }

  end(session: string, received: number, keepsFrames = false): void {
    this.#write(session, (entry) => {
      entry.node = undefined
      entry.delivered = received
      if (!keepsFrames) entry.frames.clear()
    })
  }

  find(session: string): Promise<FoundSession | undefined> {
    if (this.#hub.isDown) return Promise.reject(new Error('the store is down'))
    const entry = this.#hub.entries.get(session)
    if (entry === undefined) return Promise.resolve(undefined)
    const { node } = entry
    const isNodeAlive = node !== undefined && !this.#hub.dead.has(node)
    return Promise.resolve({ ...entry.session, node, isNodeAlive })
  }

  claim({ id, principal, generation }: StoredSession, received: number): Promise<ClaimedSession | ClaimRejection> {
    if (this.#hub.isDown) return Promise.reject(new Error('the store is down'))
    const entry = this.#hub.entries.get(id)
    if (entry === undefined) return Promise.resolve('unknown')
    if (entry.session.principal !== principal) return Promise.resolve('principal')
    if (generation <= Math.max(entry.session.generation, entry.claimedWith ?? -1)) return Promise.resolve('stale-generation')
    const owner = entry.node
    entry.node = undefined
    entry.claimedWith = generation
    if (owner !== undefined) this.#hub.listeners.get(owner)?.onFenced(id)
    const tail: string[] = []
    for (let text = entry.frames.get(received + 1); text !== undefined; text = entry.frames.get(received + tail.length + 1)) tail.push(text)
    return Promise.resolve({ tail, delivered: entry.delivered })
  }

  send(node: string, text: string): Promise<boolean> {
    if (this.#hub.isDown) return Promise.reject(new Error('the store is down'))
    const listener = this.#hub.listeners.get(node)
    if (listener === undefined) return Promise.resolve(false)
    this.#hub.texts.push(text)
    if (!this.#hub.loses(text)) queueMicrotask(() => listener.onMessage(text))
    return this.#hub.answer.then(() => true)
  }

  /** The store cannot be reached, and forgets all. */
  lose(): void {
    this.isReady = false
    this.#hub.entries.clear()
    this.#listener?.onLost(new Error('lost'))
  }

  /** The store can be reached again. */
  restore(): void {
    this.isReady = true
    this.#listener?.onRestored()
  }

  #write(session: string, change: (entry: Entry) => void): void {
    const entry = this.#hub.entries.get(session)
    if (this.isReady && entry?.node === this.node) change(entry)
  }
}
