import { isLate } from '../lib/deadlines.js'

/** When a silent connection is asked for a sign of life, and when it is given up; in ms. */
export interface HeartbeatPolicy {
  /** Silence after which the server is probed. */
  readonly interval: number
  /** Further silence after which the connection is dead. */
  readonly timeout: number
}

/** What is known of the life of one connection. Times in ms of a monotonic clock. */
export interface Pulse {
  /** When the last inbound byte came. */
  readonly heardAt: number
  /** When the probe went out that nothing came in since; `undefined` if none is out. */
  readonly probedAt: number | undefined
  /** Whether calls that the verdict waits for are open: servers that handle one at a time answer no probe meanwhile. */
  readonly busy: boolean
  /** How many probes in a row the server did not answer, although it spoke meanwhile. */
  readonly ignored: number
}

// One probe may be overtaken by other traffic; a server that ignores two knows no probes.
const MOST_IGNORED = 2

/** Whether this server answers no probes, so that its silence proves nothing. */
export const knowsNoProbes = ({ ignored }: Pulse): boolean => ignored >= MOST_IGNORED

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
  if (knowsNoProbes(pulse)) return { action: 'none', nextAt: Infinity }
  if (probedAt === undefined) {
    const quietAt = heardAt + policy.interval
    return now < quietAt ? { action: 'none', nextAt: quietAt } : { action: 'probe', nextAt: now + policy.timeout }
  }
  const deadAt = probedAt + policy.timeout
  // An answer that comes in between must not put off the next probe.
  const soon = now + Math.min(policy.interval, policy.timeout)
  if (now < deadAt) return { action: 'none', nextAt: Math.min(deadAt, soon) }
  if (isLate(dueAt, now)) return { action: 'probe', nextAt: now + policy.timeout }
  if (!busy) return { action: 'dead', nextAt: Infinity }
  // A call is open: its own timeout bounds the wait, and its settlement asks for a fresh probe. Further probes meanwhile
  // decide nothing, but keep the connection alive in the eyes of a proxy with an idle limit.
  const againAt = Math.max(deadAt, probedAt + policy.interval)
  return now < againAt ? { action: 'none', nextAt: Math.min(againAt, soon) } : { action: 'probe', nextAt: now + policy.timeout }
}
