import { SharedTimer } from '../lib/shared-timer.js'
import type { SessionStore, SessionStoreListener } from '../types/session-store.js'
import { encodeControl, openFrame, type OpenFrame, type ResumeFailure } from '../wire/resume-frames.js'
import type { Metrics } from './metrics.js'
import type { PeerLink } from './peer-link.js'
import { RelayedSocket, RelayLink } from './relay.js'
import { BROKEN, readEnvelope, readOpening, RelayEnd, type RelayConfig, type RelayNames } from './relay-end.js'

/** What shared sessions need, and what is called for what comes from the store. */
export interface SharedSessionsConfig {
  /** Tells relays when something is due. */
  readonly timer: SharedTimer
  /** Counts that the store is lost. */
  readonly metrics: Metrics
  /** Makes the name of a relay. */
  readonly newName: () => string
  /** Another node asks for a session of this one, for a client that has come to it. */
  readonly onOpening: (link: RelayLink, open: OpenFrame, principal: string) => void
  /** Another node has claimed the session. */
  readonly onFenced: (session: string) => void
  /** The store can be reached again: all sessions have to be written to it anew. */
  readonly onRestored: () => void
  /** Called when the store is lost. */
  readonly onerror: (error: Error) => void
}

/** Where a session is that this node does not have. */
export type Whereabouts =
  /** At another node. */
  | { readonly node: string }
  /** Nowhere, or at a node that is gone. */
  | Remains

/** What is left of a session. */
export interface Remains {
  /** Why it is not resumed. */
  readonly reason: ResumeFailure
  /** How many frames of the client had been received. */
  readonly delivered: number | null
  /** Frames for the client that it does not have. */
  readonly tail?: readonly string[]
}

/** How long the node of a session may take to answer, in ms. */
const ANSWER_WITHIN = 3000
// In UTF-16 code units, for the names of a session and its epoch together. Servers make much shorter names. Longer ones were made up by a
// client, and must fill neither the store nor the way to other nodes.
const LONGEST_NAMES = 1024

const UNKNOWN: Remains = { reason: 'unknown', delivered: null }

/** Finds sessions of other nodes by way of the store, and connects clients with them. */
export class SharedSessions {
  readonly #store: SessionStore
  readonly #config: SharedSessionsConfig
  readonly #relayConfig: RelayConfig
  /** Relays whose session is at this node; and relays whose socket is. */
  readonly #inner = new Map<string, RelayLink>()
  readonly #outer = new Map<string, RelayedSocket>()
  #opened: Promise<string> | undefined
  #node = ''

  constructor(store: SessionStore, config: SharedSessionsConfig) {
    this.#store = store
    this.#config = config
    this.#relayConfig = { timer: config.timer, metrics: config.metrics, send: (node, text) => store.send(node, text) }
  }

  /** Opens the store, unless it is open. @returns Its epoch. @throws What the store throws; the next call tries again. */
  open(): Promise<string> {
    this.#opened ??= this.#open().catch((thrown: unknown) => {
      this.#opened = undefined
      throw thrown
    })
    return this.#opened
  }

  /** Closes the store, if it was opened. Never rejects. */
  async close(): Promise<void> {
    const isOpen = await this.#opened?.then(
      () => true,
      () => false
    )
    if (isOpen) await this.#store.close()
  }

  /** Closes the sockets of clients whose sessions are at other nodes. */
  closeRelays(): void {
    for (const relayed of [...this.#outer.values()]) relayed.close(1001, 'the server is closing')
  }

  /** Looks for a session that this node does not have. @throws If the store cannot be reached. */
  async find({ session, epoch, generation, received }: OpenFrame, principal: string): Promise<Whereabouts> {
    const id = session ?? ''
    if (id.length + (epoch ?? '').length > LONGEST_NAMES) return UNKNOWN
    const found = await this.#store.find(id)
    // Whoever asks for the session of somebody else is told the same as for one that never was.
    if (found?.principal !== principal) return UNKNOWN
    const { node, isNodeAlive } = found
    if (node !== undefined && node !== this.#node && isNodeAlive) return { node }
    return this.#claim(id, principal, generation, received)
  }

  /**
   * What is left of a session that its node did not resume. It may have ended since it was found, and left frames for its client.
   * @throws If the store cannot be reached.
   */
  async remainsOf({ session, generation, received }: OpenFrame, principal: string, refused: Remains): Promise<Remains> {
    // A node that says how much was received knows that the session is over. Any other answer says nothing about what is left.
    if (refused.delivered === null) return refused
    const remains = await this.#claim(session ?? '', principal, generation, received)
    return remains.tail?.length ? remains : refused
  }

  /**
   * Passes the frames of a socket to the node of its session, and back, until either ends.
   * @param onRefused - The session is not resumed: the socket is the caller's again.
   * @returns Whether that node was there; if not, the socket is the caller's again.
   * @throws If the store cannot be reached.
   */
  relay(link: PeerLink, node: string, open: OpenFrame, principal: string, onRefused: (remains: Remains) => void): Promise<boolean> {
    const relay = this.#config.newName()
    const relayed = new RelayedSocket(link, this.#namesOf(relay, node), this.#relayConfig, {
      onRefused: (reason, delivered) => onRefused({ reason, delivered }),
      onGone: () => void this.#outer.delete(relay)
    })
    this.#outer.set(relay, relayed)
    const { session, epoch, generation, received, limits } = open
    const { messages, bytes } = limits
    // Only the members that this version knows: others may be of any length.
    const known = openFrame({ session, epoch, generation, received, limits: { messages, bytes } })
    return relayed.open({ open: encodeControl(known), principal }, ANSWER_WITHIN)
  }

  async #open(): Promise<string> {
    const { metrics, onFenced, onRestored, onerror } = this.#config
    const listener: SessionStoreListener = {
      onMessage: (text) => this.#onMessage(text),
      onFenced,
      onLost: (error) => {
        metrics.storeLost = 1
        onerror(error)
        this.#breakRelays()
      },
      onRestored: () => {
        metrics.storeLost = 0
        onRestored()
      }
    }
    const { node, epoch } = await this.#store.open(listener)
    this.#node = node
    return epoch
  }

  /** While the store is lost, nothing that the other ends say arrives, not even that they leave. */
  #breakRelays(): void {
    for (const relayed of [...this.#inner.values(), ...this.#outer.values()]) void relayed.close(BROKEN.close, BROKEN.words)
  }

  /** Takes what is left of a session whose node is gone. @throws If the store cannot be reached. */
  async #claim(id: string, principal: string, generation: number, received: number): Promise<Remains> {
    const claimed = await this.#store.claim({ id, principal, generation }, received)
    if (claimed === 'stale-generation') return { reason: claimed, delivered: null }
    if (typeof claimed === 'string') return UNKNOWN
    return { reason: 'owner-gone', ...claimed }
  }

  #namesOf(relay: string, to: string): RelayNames {
    return { relay, from: this.#node, to }
  }

  #onMessage(text: string): void {
    const envelope = readEnvelope(text)
    if (envelope === undefined) return
    const { relay, node, n, part } = envelope
    const known = this.#outer.get(relay) ?? this.#inner.get(relay)
    if (known !== undefined) return known.take(envelope)
    const opening = n === 1 && part ? readOpening(part) : undefined
    const names = this.#namesOf(relay, node)
    if (opening !== undefined) {
      const link = new RelayLink(names, this.#relayConfig, () => void this.#inner.delete(relay))
      this.#inner.set(relay, link)
      link.take(envelope)
      return this.#config.onOpening(link, opening.open, opening.principal)
    }
    // The other end does not know yet that the relay is over: tell it, unless this was its last part.
    const isLast = part !== undefined && ('close' in part || 'reason' in part)
    const ignore = (): void => undefined
    if (!isLast) new RelayEnd(names, this.#relayConfig, { onPart: ignore, onBroken: ignore }).end(BROKEN)
  }
}
