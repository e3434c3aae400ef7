import type { OpenFrame, ResumeFailure } from '../wire/resume-frames.js'
import { FairSet } from './fair-set.js'

/** What the rules have to know of a session. */
export interface Resumable {
  /** Its name. */
  readonly id: string
  /** Whose it is, as a hash. */
  readonly principal: string
  /** Highest generation that has attached. */
  readonly generation: number
  /** How many frames were sent to the client. */
  readonly sent: number
  /** How many of them the client has acknowledged. */
  readonly acknowledged: number
  /** How many frames of the client have been received. */
  readonly received: number
  /** Whether its unacknowledged frames have ended so many sockets that they may be the cause: see "Poison" in docs/binding.md. */
  readonly isPoisoned: boolean
}

/** How the server answers an open frame. */
export type Verdict<S> =
  /** The client asked for no session: it gets a new one. */
  | { readonly action: 'begin' }
  /** The client gets its session back. */
  | { readonly action: 'attach'; readonly session: S }
  /** The client gets a new session in place of the one that it asked for. */
  | Failed<S>

/** Why a session is not resumed. */
export interface Failed<S> {
  /** Tells the kinds of verdicts apart. */
  readonly action: 'fail'
  /** What the client is told. */
  readonly reason: ResumeFailure
  /** How many of the client's frames had been received; `null`: that is not known, or not said. */
  readonly delivered: number | null
  /** The session that ends because of this. */
  readonly over?: S
}

/** What is left of a session that is over. */
interface Tombstone {
  readonly id: string
  readonly principal: string
  readonly reason: ResumeFailure
  readonly received: number
  readonly endedAt: number
}

/** How long a session that is over is remembered, in ms, and how many of them. */
export const TOMBSTONES = { ttl: 600_000, max: 10_000 } as const

const fail = (reason: ResumeFailure, delivered: number | null = null): Failed<never> => ({ action: 'fail', reason, delivered })

/**
 * All sessions of a server: decides which client gets which, and which one has to end when there are too many. Pure: time comes in with
 * each call.
 */
export class Sessions<S extends Resumable> {
  readonly #maxDetached: number
  readonly #live = new Map<string, S>()
  /** Those whose client is away. */
  readonly #detached = new FairSet<S>()
  /** The oldest comes first. */
  readonly #tombstones = new Map<string, Tombstone>()
  readonly #fairTombstones = new FairSet<Tombstone>()

  /** @param maxDetached - How many sessions may be kept whose client is away. */
  constructor(maxDetached: number) {
    this.#maxDetached = maxDetached
  }

  /** Those that are not over. */
  get live(): Iterable<S> {
    return this.#live.values()
  }

  /** How many of them have no socket. */
  get detachedCount(): number {
    return this.#detached.size
  }

  /** How many sessions that are over are remembered. */
  get tombstoneCount(): number {
    return this.#tombstones.size
  }

  /** The session with this name, unless it is over. */
  find(id: string): S | undefined {
    return this.#live.get(id)
  }

  /**
   * Decides about a client's open frame. Whoever asks for the session of somebody else is told the same as for one that never was.
   * @param epoch - The server's.
   * @param principal - The user that the socket belongs to, as a hash.
   */
  judge(open: OpenFrame, epoch: string, principal: string, now: number): Verdict<S> {
    if (open.session === null) return { action: 'begin' }
    // Before anything that depends on the session: this answer is the same for all of them.
    if (open.epoch !== epoch) return fail('epoch')
    const session = this.#live.get(open.session)
    if (session === undefined) return this.#judgeDead(open.session, principal, now)
    if (session.principal !== principal) return fail('unknown')
    // A late open frame, from a socket that its client has given up, must not take the session away from the client's next socket.
    if (open.generation <= session.generation) return fail('stale-generation')
    const { received } = open
    const isPossible = received <= session.sent && received >= session.acknowledged
    const isPoisoned = session.isPoisoned && received === session.acknowledged
    return isPossible && !isPoisoned ? { action: 'attach', session } : { ...fail('protocol', session.received), over: session }
  }

  /** A session begins, with a socket. */
  add(session: S): void {
    this.#live.set(session.id, session)
  }

  /** A session has a socket again. */
  attach(session: S): void {
    this.#detached.delete(session)
  }

  /** A session has lost its socket. @returns The session that has to end, if too many have no socket now. */
  detach(session: S): S | undefined {
    this.#detached.add(session)
    return this.#detached.size > this.#maxDetached ? this.#detached.first : undefined
  }

  /** A session is over. @param reason - What its client will be told; `undefined`: it is remembered elsewhere. */
  end(session: S, reason: ResumeFailure | undefined, now: number): void {
    this.#live.delete(session.id)
    this.#detached.delete(session)
    if (reason === undefined) return
    const { id, principal, received } = session
    const tombstone = { id, principal, reason, received, endedAt: now }
    this.#tombstones.set(id, tombstone)
    this.#fairTombstones.add(tombstone)
    this.#forget(now)
  }

  #judgeDead(id: string, principal: string, now: number): Failed<S> {
    this.#forget(now)
    const tombstone = this.#tombstones.get(id)
    return tombstone?.principal === principal ? fail(tombstone.reason, tombstone.received) : fail('unknown')
  }

  #forget(now: number): void {
    for (const tombstone of this.#tombstones.values()) {
      if (now - tombstone.endedAt < TOMBSTONES.ttl) break
      this.#remove(tombstone)
    }
    const { size, first } = this.#fairTombstones
    if (size > TOMBSTONES.max && first !== undefined) this.#remove(first)
  }

  #remove(tombstone: Tombstone): void {
    this.#tombstones.delete(tombstone.id)
    this.#fairTombstones.delete(tombstone)
  }
}
