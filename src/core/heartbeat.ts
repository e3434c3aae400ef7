/** When a silent connection is asked for a sign of life, and when it is given up; in ms. */
export interface HeartbeatPolicy {
  /** Silence after which the server is probed. */
  readonly interval: number
  /** Further silence after which the connection is dead. */
  readonly timeout: number
}

/** What is known of a connection's life. Times in ms of a monotonic clock. */
export interface Pulse {
  /** When the last inbound byte came. */
  readonly heardAt: number
  /** When the probe went out that nothing came in since; `undefined` if none is out. */
  readonly probedAt: number | undefined
  /** Whether calls wait for an answer: servers that handle one at a time answer no probe meanwhile. */
  readonly busy: boolean
}

/** What to do now, and when to look again. */
export interface Beat {
  readonly action: 'none' | 'probe' | 'dead'
  readonly nextAt: number
}

/**
 * One look at the pulse (rules of behaviour 5 and 6).
 * @param dueAt - When this look was planned: one that comes late proves only that this process slept or was blocked, so
 * it never ends in a verdict, only in a fresh probe.
 */
export function beat(pulse: Pulse, policy: HeartbeatPolicy, now: number, dueAt: number): Beat {
  const { heardAt, probedAt, busy } = pulse
  if (probedAt === undefined) {
    const quietAt = heardAt + policy.interval
    return now < quietAt ? { action: 'none', nextAt: quietAt } : { action: 'probe', nextAt: now + policy.timeout }
  }
  const deadAt = probedAt + policy.timeout
  if (now < deadAt) return { action: 'none', nextAt: deadAt }
  // A call is pending: its own timeout bounds the wait, and its settlement asks for a fresh probe.
  if (busy) return { action: 'none', nextAt: Infinity }
  return now - dueAt > LATE ? { action: 'probe', nextAt: now + policy.timeout } : { action: 'dead', nextAt: Infinity }
}

// Timers of a healthy process on a loaded machine come some tens of ms late, seldom hundreds.
const LATE = 1000
