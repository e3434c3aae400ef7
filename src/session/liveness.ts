import { isLate } from '../lib/shared-timer.js'

/** When a silent connection is probed, and when it is given up; in ms. */
export interface HeartbeatPolicy {
  /** Silence after which the server is probed. */
  readonly interval: number
  /** Further silence after which the connection is dead. */
  readonly timeout: number
}

/** The calls that keep a server too busy to respond to a probe: many servers handle one message at a time. */
export interface AwaitedCalls {
  /** From now on, the calls to wait for are those that are pending now, and none that is made later. */
  awaitCalls(): void
  /** Whether one of them is still pending. */
  readonly awaits: boolean
}

/** What to do after a look at the pulse. */
export type Beat =
  | { readonly action: 'rest'; /** When to look again, in ms of the clock; `Infinity`: never. */ readonly until: number }
  | { readonly action: 'probe' }
  | { readonly action: 'dead' }

// One probe may be overtaken by other traffic; a server that ignores two in a row does not know them.
const MOST_IGNORED = 2
// One late look shows a sleep, and two may. The timers of a hidden page are late all the time: with no limit it would never give up.
const MOST_LATE = 2

/**
 * What is known of the life of one connection, and what follows from it: see docs/decisions/0004-the-heartbeat-waits-for-calls.md.
 * Pure: time and byte counts come in with each call. Times are in ms of a monotonic clock.
 */
export class Pulse {
  readonly #policy: HeartbeatPolicy
  readonly #calls: AwaitedCalls
  #heardAt = 0
  /** When a probe went out, if nothing has come in since; `undefined` if none is out. */
  #probedAt: number | undefined
  /** The same, but kept until the response to the probe comes: for the latency, and to find out that the server ignores probes. */
  #askedAt: number | undefined
  #bytesAtProbe: number | undefined
  /** Probes in a row that the server did not respond to, although it sent other things meanwhile. */
  #ignored = 0
  /** Looks in a row, with nothing heard in between, that came too late for a verdict. */
  #late = 0
  /** Whether the verdict has already waited for the calls that were made while it waited for the first ones. */
  #waitedTwice = false

  /** @param calls - Those that the verdict has to wait for. */
  constructor(policy: HeartbeatPolicy, calls: AwaitedCalls) {
    this.#policy = policy
    this.#calls = calls
  }

  /** A new connection is ready. */
  begin(now: number): void {
    this.#ignored = 0
    this.#askedAt = undefined
    this.heard(now)
  }

  /** Something came in: life, whatever it is. */
  heard(now: number): void {
    this.#heardAt = now
    this.#late = 0
    this.#probedAt = undefined
    this.#waitedTwice = false
  }

  /** The response to a probe came in. @returns Its latency in ms; `undefined` if no probe is out. */
  responded(now: number): number | undefined {
    const askedAt = this.#askedAt
    this.#askedAt = undefined
    this.#ignored = 0
    this.heard(now)
    return askedAt === undefined ? undefined : Math.round(now - askedAt)
  }

  /** Whether the server ignores probes, so that its silence proves nothing. */
  get ignoresProbes(): boolean {
    return this.#ignored >= MOST_IGNORED
  }

  /** Whether a probe is out and nothing came in since. */
  get isProbing(): boolean {
    return this.#probedAt !== undefined
  }

  /**
   * One look at the pulse.
   * @param dueAt - When this look was planned: one that comes late proves only that this process slept or was blocked, so that it
   * ends in no verdict, only in a fresh probe; but not the third in a row.
   */
  look(now: number, dueAt: number, bytesRead: number | undefined): Beat {
    // A part of a large message is life too.
    if (this.isProbing && bytesRead !== this.#bytesAtProbe) this.heard(now)
    const { interval, timeout } = this.#policy
    const probedAt = this.#probedAt
    if (this.ignoresProbes) return { action: 'rest', until: Infinity }
    if (probedAt === undefined) {
      const quietAt = this.#heardAt + interval
      return now < quietAt ? { action: 'rest', until: quietAt } : { action: 'probe' }
    }
    const deadAt = probedAt + timeout
    // If a response comes meanwhile, the next probe must not be late: look again in time.
    const soon = now + Math.min(interval, timeout)
    if (now < deadAt) return { action: 'rest', until: Math.min(deadAt, soon) }
    if (isLate(dueAt, now) && this.#late++ < MOST_LATE) return { action: 'probe' }
    if (!this.#calls.awaits) return this.#waitsOnceMore() ? { action: 'probe' } : { action: 'dead' }
    // A call is pending: its own timeout bounds the wait, and its settlement asks for a fresh probe. Further probes meanwhile
    // decide nothing, but keep the connection alive in the eyes of a proxy with an idle limit.
    const againAt = Math.max(deadAt, probedAt + interval)
    return now < againAt ? { action: 'rest', until: Math.min(againAt, soon) } : { action: 'probe' }
  }

  /** A probe is about to go out. @returns When to look again, in ms of the clock; `undefined`: the server ignores probes, send none. */
  probe(now: number, bytesRead: number | undefined): number | undefined {
    this.#noteIgnored(now)
    if (this.ignoresProbes) return undefined
    if (!this.isProbing) this.#calls.awaitCalls()
    this.#probedAt = this.#askedAt = now
    this.#bytesAtProbe = bytesRead
    return now + Math.min(this.#policy.timeout, this.#policy.interval)
  }

  /**
   * Calls that were made since the first probe may keep the server just as busy, so the verdict waits for them too. Only once: otherwise a
   * program that calls all the time would hide a dead connection.
   */
  #waitsOnceMore(): boolean {
    if (this.#waitedTwice) return false
    this.#waitedTwice = true
    this.#calls.awaitCalls()
    return this.#calls.awaits
  }

  /** Counts the last probe as ignored, if its time is over and the server sent other things, but no response to it. */
  #noteIgnored(now: number): void {
    // A server that works on a call reads no probe until it is done.
    if (this.#askedAt === undefined || this.isProbing || this.#calls.awaits || now - this.#askedAt < this.#policy.timeout) return
    this.#askedAt = undefined
    this.#ignored++
  }
}
