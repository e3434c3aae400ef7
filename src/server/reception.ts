import { randomBytes } from 'node:crypto'
import type { Clock } from '../lib/clock.js'
import { SharedTimer, type Due } from '../lib/shared-timer.js'
import {
  encodeControl,
  helloFrame,
  isControl,
  readClientControl,
  type HelloFrame,
  type OpenFrame,
  type ResumeFailure
} from '../wire/resume-frames.js'
import type { Metrics } from './metrics.js'
import type { PeerLink } from './peer-link.js'
import { ResumableSession, type SessionConfig } from './resumable-session.js'
import { Sessions, type Verdict } from './sessions.js'
import type { RelayLink } from './relay.js'
import { SharedSessions, type Remains } from './shared-sessions.js'
import type { SessionStore } from '../types/session-store.js'
import type { MessageExtra } from './types.js'

/** How sessions are kept, and what is called for them. */
export interface ReceptionConfig<Info> {
  /** Measures how long a session is kept, and how long a client may take to open one. */
  readonly clock: Clock
  /** Where sessions count. */
  readonly metrics: Metrics
  /** See `ResumeOptions`. */
  readonly ttl: number
  /** See `ResumeOptions`. */
  readonly maxMessages: number
  /** See `ResumeOptions`. */
  readonly maxBytes: number
  /** See `ResumeOptions`. */
  readonly maxDetached: number
  /** How long a client may take to acknowledge something when there is no room for more, in ms. */
  readonly drainTimeout: number
  /** Where sessions are shared with other nodes. */
  readonly store?: SessionStore | undefined
  /** Called when the store is lost. */
  readonly onerror: (error: Error) => void
  /** A session begins: it needs an MCP server. */
  readonly onSession: (session: ResumableSession, info: Info) => void
}

/** The user that a socket belongs to. */
export interface Visitor<Info> {
  /** What the program is told of its client. */
  readonly info: Info
  /** The user, as a hash. */
  readonly principal: string
  /** Comes with each message. */
  readonly extra: MessageExtra | undefined
}

/** A socket whose client has not said yet which session it wants. */
interface Arrival<Info> extends Visitor<Info> {
  readonly link: PeerLink
  readonly due: Due
  /** Whether its open frame has come, and other nodes are being asked. */
  isDeciding: boolean
}

/** What a hello frame says about the session that the client asked for. */
type Outcome = Pick<HelloFrame, 'resumed' | 'reason' | 'delivered' | 'tail'>

/** How long a client may take to send its open frame, in ms. */
const OPEN_WITHIN = 10_000
// 256 bits: nobody guesses the name of a session.
const NAME_BYTES = 32

const newName = (): string => randomBytes(NAME_BYTES).toString('base64url')

/** Whether another node may know more about the session: this node does not know it, or it began in another epoch. */
const isElsewhere = ({ reason, delivered }: Remains): boolean => delivered === null && (reason === 'unknown' || reason === 'epoch')

/** Receives sockets with `mcp.v1.resume`, and gives each one the session that it asks for, or a new one. */
export class Reception<Info> {
  readonly #config: ReceptionConfig<Info>
  /** One timer for all sessions, because an idle session must cost nothing. */
  readonly #timer: SharedTimer
  readonly #sessions: Sessions<ResumableSession>
  readonly #sessionConfig: SessionConfig
  readonly #arrivals = new Set<Arrival<Info>>()
  readonly #shared: SharedSessions | undefined
  #epoch = newName()
  #isClosing = false

  constructor(config: ReceptionConfig<Info>) {
    const { clock, metrics, ttl, maxMessages, maxBytes, maxDetached, drainTimeout, store, onerror } = config
    this.#config = config
    this.#timer = new SharedTimer(clock)
    // A client that is away does not keep the process alive.
    this.#timer.idle = true
    this.#sessions = new Sessions(maxDetached)
    this.#sessionConfig = {
      timer: this.#timer,
      metrics,
      ttl,
      limits: { messages: maxMessages, bytes: maxBytes },
      drainTimeout,
      store,
      onDetached: (session) => this.#onDetached(session),
      onOver: (session, reason) => this.#onOver(session, reason)
    }
    if (store === undefined) return
    this.#shared = new SharedSessions(store, {
      timer: this.#timer,
      metrics,
      newName,
      onOpening: (link, open, principal) => this.#onOpening(link, open, principal),
      onFenced: (id) => this.#sessions.find(id)?.fence(),
      onRestored: () => {
        for (const session of this.#sessions.live) session.writeAnew()
      },
      onerror
    })
  }

  /** Opens the store, if there is one. @throws What the store throws. */
  async open(): Promise<void> {
    if (this.#shared !== undefined) this.#epoch = await this.#shared.open()
  }

  /** Owns a new socket until its client has a session. */
  receive(link: PeerLink, visitor: Visitor<Info>): void {
    const due: Due = { dueAt: 0, slot: -1, onDue: () => this.#refuse(arrival, 'no open frame in time') }
    const arrival: Arrival<Info> = { ...visitor, link, due, isDeciding: false }
    this.#await(arrival)
    this.#timer.set(due, OPEN_WITHIN)
    link.resume()
  }

  /** Closes the sockets of clients that have no session here. */
  close(): void {
    this.#isClosing = true
    for (const arrival of this.#arrivals) this.#refuse(arrival, 'the server is closing', 1001)
    this.#shared?.closeRelays()
  }

  /** Closes the store. To be called when no session is left. Never rejects. */
  async end(): Promise<void> {
    await this.#shared?.close()
  }

  #await(arrival: Arrival<Info>): void {
    this.#arrivals.add(arrival)
    arrival.link.listen({
      onText: (text) => this.#onFirst(arrival, text),
      onError: () => undefined,
      onEnd: () => this.#leave(arrival)
    })
  }

  #leave(arrival: Arrival<Info>): void {
    this.#arrivals.delete(arrival)
    this.#timer.clear(arrival.due)
  }

  #refuse(arrival: Arrival<Info>, why: string, code = 1002): void {
    this.#leave(arrival)
    void arrival.link.close(code, why)
  }

  #onFirst(arrival: Arrival<Info>, text: string): void {
    const frame = isControl(text) ? readClientControl(text) : undefined
    if (frame?.['mcp.resume'] !== 'open' || arrival.isDeciding) return this.#refuse(arrival, 'not an open frame, or before the hello frame')
    this.#timer.clear(arrival.due)
    if (this.#shared === undefined) return this.#decide(arrival, frame)
    arrival.isDeciding = true
    const shared = this.#shared
    this.#attempt(arrival, () => this.#askStore(arrival, frame, shared))
  }

  #attempt(arrival: Arrival<Info>, ask: () => Promise<void>): void {
    ask().catch(() => this.#refuse(arrival, 'the store of sessions cannot be reached', 1013))
  }

  #decide(arrival: Arrival<Info>, open: OpenFrame): void {
    this.#leave(arrival)
    const verdict = this.#judge(open, arrival.principal)
    if (verdict.action === 'begin') return this.#begin(arrival, open)
    if (verdict.action === 'attach') return this.#attach(arrival, open, verdict.session)
    verdict.over?.fail()
    const { reason, delivered } = verdict
    this.#begin(arrival, open, { reason, delivered })
  }

  /** The client may leave during each wait: then nothing is left to do. */
  async #askStore(arrival: Arrival<Info>, open: OpenFrame, shared: SharedSessions): Promise<void> {
    this.#epoch = await shared.open()
    if (!this.#arrivals.has(arrival)) return
    const { link, principal } = arrival
    const verdict = this.#judge(open, principal)
    if (verdict.action !== 'fail' || !isElsewhere(verdict)) {
      this.#decide(arrival, open)
      return
    }
    const remains = await shared.find(open, principal)
    if (!this.#arrivals.has(arrival)) return
    this.#leave(arrival)
    if (!('node' in remains)) {
      this.#begin(arrival, open, remains.reason === 'unknown' ? { ...remains, reason: verdict.reason } : remains)
      return
    }
    const { node } = remains
    const onRefused = (refused: Remains): void =>
      this.#attempt(arrival, async () => {
        this.#await(arrival)
        const left = await shared.remainsOf(open, principal, refused)
        if (!this.#arrivals.has(arrival)) return
        this.#leave(arrival)
        this.#begin(arrival, open, left)
      })
    if (await shared.relay(link, node, open, principal, onRefused)) return
    // The node did not take the request, although it has said lately that it lives: it may be back soon. Once it counts as dead, its
    // session is claimed.
    this.#refuse(arrival, 'the session cannot be reached', 1013)
  }

  #judge(open: OpenFrame, principal: string): Verdict<ResumableSession> {
    return this.#sessions.judge(open, this.#epoch, principal, this.#config.clock.now())
  }

  /** A client has come to another node, which has authenticated its user, and asks for a session of this node. */
  #onOpening(link: RelayLink, open: OpenFrame, principal: string): void {
    const verdict = this.#judge(open, principal)
    if (verdict.action === 'attach') {
      this.#attach({ link, extra: undefined }, open, verdict.session)
      // The session lives until its last request is settled. The new socket has not been told yet that the server is closing.
      if (this.#isClosing) verdict.session.goAway(0)
      return
    }
    if (verdict.action === 'begin') return link.refuse('unknown', null)
    verdict.over?.fail()
    link.refuse(verdict.reason, verdict.delivered)
  }

  #attach({ link, extra }: Pick<Arrival<Info>, 'link' | 'extra'>, open: OpenFrame, session: ResumableSession): void {
    const { metrics } = this.#config
    this.#sessions.attach(session)
    metrics.resumesTotal++
    metrics.detachedSessions = this.#sessions.detachedCount
    session.attach(link, open, (received) => this.#hello(session, received, { resumed: true }), extra)
  }

  #begin({ link, principal, info }: Arrival<Info>, open: OpenFrame, remains?: Remains): void {
    const { metrics, onSession } = this.#config
    metrics.sessionsTotal++
    if (remains !== undefined) metrics.resumesFailed[remains.reason]++
    const { tail, ...loss } = remains ?? {}
    const session = new ResumableSession({ id: newName(), principal }, this.#sessionConfig)
    this.#sessions.add(session)
    session.attach(link, open, (received) =>
      this.#hello(session, received, { resumed: false, ...loss, ...(tail && { tail: tail.length }) })
    )
    // Frames of the session that is over: nothing keeps them if they get lost again.
    for (const text of tail ?? []) link.send(text, true).catch(() => undefined)
    onSession(session, info)
  }

  #hello({ id }: ResumableSession, received: number, outcome: Outcome): string {
    const { ttl, store } = this.#config
    const { limits } = this.#sessionConfig
    const durability = store?.isReady ? 'store' : 'process'
    const members = { session: id, epoch: this.#epoch, received, ttlMs: Math.ceil(ttl), limits, durability } as const
    return encodeControl(helloFrame({ ...outcome, ...members }))
  }

  #onDetached(session: ResumableSession): void {
    this.#sessions.detach(session)?.drop()
    this.#config.metrics.detachedSessions = this.#sessions.detachedCount
  }

  #onOver(session: ResumableSession, reason: ResumeFailure | undefined): void {
    this.#sessions.end(session, reason, this.#config.clock.now())
    this.#config.metrics.detachedSessions = this.#sessions.detachedCount
  }
}
