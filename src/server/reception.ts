import { randomBytes } from 'node:crypto'
import type { Clock } from '../lib/clock.js'
import { SharedTimer, type Due } from '../lib/shared-timer.js'
import {
  encodeControl,
  helloFrame,
  isControl,
  readControl,
  type HelloFrame,
  type OpenFrame,
  type ResumeFailure
} from '../wire/resume-frames.js'
import type { Metrics } from './metrics.js'
import type { PeerLink } from './peer-link.js'
import { ResumableSession, type SessionConfig } from './resumable-session.js'
import { Sessions } from './sessions.js'
import type { MessageExtra } from './types.js'

/** How sessions are kept, and who is told of them. */
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
  /** A session begins: it needs an MCP server. */
  readonly onSession: (session: ResumableSession, info: Info) => void
}

/** Whose a socket is. */
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
}

/** What a hello says of a session that could not be resumed. */
interface Loss {
  readonly reason: ResumeFailure
  readonly delivered: number | null
}

/** What a hello says of the session that the client asked for. */
type Outcome = Pick<HelloFrame, 'resumed' | 'reason' | 'delivered'>

/** How long a client may take to send its open frame, in ms. */
const OPEN_WITHIN = 10_000
// 256 bits: nobody guesses the name of a session.
const NAME_BYTES = 32

const newName = (): string => randomBytes(NAME_BYTES).toString('base64url')

/** Receives sockets with `mcp.v1.resume`, and gives each one the session that it asks for, or a new one. */
export class Reception<Info> {
  readonly #config: ReceptionConfig<Info>
  /** One for all sessions, as an idle one must cost nothing. */
  readonly #timer: SharedTimer
  readonly #sessions: Sessions<ResumableSession>
  readonly #sessionConfig: SessionConfig
  readonly #arrivals = new Set<Arrival<Info>>()
  readonly #epoch = newName()

  constructor(config: ReceptionConfig<Info>) {
    const { clock, metrics, ttl, maxMessages, maxBytes, maxDetached, drainTimeout } = config
    this.#config = config
    this.#timer = new SharedTimer(clock)
    // No process has to live on for clients that are away.
    this.#timer.idle = true
    this.#sessions = new Sessions(maxDetached)
    this.#sessionConfig = {
      timer: this.#timer,
      metrics,
      ttl,
      limits: { messages: maxMessages, bytes: maxBytes },
      drainTimeout,
      store: undefined,
      onDetached: (session) => this.#onDetached(session),
      onOver: (session, reason) => this.#onOver(session, reason)
    }
  }

  /** Owns a new socket until its client has a session. */
  receive(link: PeerLink, visitor: Visitor<Info>): void {
    const due: Due = { dueAt: 0, slot: -1, onDue: () => this.#refuse(arrival, 'no open frame in time') }
    const arrival: Arrival<Info> = { ...visitor, link, due }
    this.#arrivals.add(arrival)
    link.listen({
      onText: (text) => this.#onFirst(arrival, text),
      onError: () => undefined,
      onEnd: () => this.#leave(arrival)
    })
    this.#timer.set(due, OPEN_WITHIN)
    link.resume()
  }

  /** Sends away the clients that have no session yet. */
  close(): void {
    for (const arrival of this.#arrivals) void arrival.link.close(1001, 'the server is closing')
  }

  #leave(arrival: Arrival<Info>): void {
    this.#arrivals.delete(arrival)
    this.#timer.clear(arrival.due)
  }

  #refuse(arrival: Arrival<Info>, why: string): void {
    this.#leave(arrival)
    void arrival.link.close(1002, why)
  }

  #onFirst(arrival: Arrival<Info>, text: string): void {
    const frame = isControl(text) ? readControl(text) : undefined
    if (frame?.['mcp.resume'] !== 'open') return this.#refuse(arrival, 'not an open frame')
    this.#decide(arrival, frame)
  }

  #decide(arrival: Arrival<Info>, open: OpenFrame): void {
    const verdict = this.#sessions.judge(open, this.#epoch, arrival.principal, this.#config.clock.now())
    this.#leave(arrival)
    if (verdict.action === 'begin') return this.#begin(arrival, open)
    if (verdict.action === 'attach') return this.#attach(arrival, open, verdict.session)
    verdict.over?.fail()
    const { reason, delivered } = verdict
    this.#begin(arrival, open, { reason, delivered })
  }

  #attach({ link, extra }: Arrival<Info>, open: OpenFrame, session: ResumableSession): void {
    const { metrics } = this.#config
    this.#sessions.attach(session)
    metrics.resumesTotal++
    metrics.detachedSessions = this.#sessions.detachedCount
    session.attach(link, open, (received) => this.#hello(session, received, { resumed: true }), extra)
  }

  #begin({ link, principal, info }: Arrival<Info>, open: OpenFrame, loss?: Loss): void {
    const { metrics, onSession } = this.#config
    metrics.sessionsTotal++
    if (loss !== undefined) metrics.resumesFailed[loss.reason]++
    const session = new ResumableSession({ id: newName(), principal }, this.#sessionConfig)
    this.#sessions.add(session)
    session.attach(link, open, (received) => this.#hello(session, received, { resumed: false, ...loss }))
    onSession(session, info)
  }

  #hello({ id }: ResumableSession, received: number, outcome: Outcome): string {
    const { ttl } = this.#config
    const { limits } = this.#sessionConfig
    const members = { session: id, epoch: this.#epoch, received, ttlMs: Math.ceil(ttl), limits, durability: 'process' } as const
    return encodeControl(helloFrame({ ...outcome, ...members }))
  }

  #onDetached(session: ResumableSession): void {
    const longest = this.#sessions.detach(session)
    longest?.drop()
    this.#config.metrics.detachedSessions = this.#sessions.detachedCount
  }

  #onOver(session: ResumableSession, reason: ResumeFailure | undefined): void {
    this.#sessions.end(session, reason, this.#config.clock.now())
    this.#config.metrics.detachedSessions = this.#sessions.detachedCount
  }
}
