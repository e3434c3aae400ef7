import { useRejectingServer, type RawResponse, type RawServer } from './raw-server.js'

/** The published schedule of retries; see the option `reconnect`. Times in ms. */
export interface Schedule {
  readonly initialDelay: number
  readonly maxDelay: number
  readonly growFactor: number
  readonly jitter: boolean
  readonly maxRetries: number
}

/** One dial that came when it should not have. */
export interface Violation {
  /** Which retry, from 1. */
  readonly retry: number
  readonly gap: number
  readonly atLeast: number
  readonly atMost: number
}

const LEAST_DELAY = 100
// Timers count whole milliseconds, and the server's clock reads later than the client's decision.
const EARLY = 2

/**
 * Holds the times at which dials came against the schedule. The rule is written out here once more, on purpose: a judge that
 * asked the accused would find no fault.
 * @param dials - When each dial came, in ms of one clock.
 * @param slack - How much later than due a dial may come on a loaded machine, in ms.
 */
export function judgeDials(dials: readonly number[], schedule: Schedule, slack = 2000): Violation[] {
  const violations: Violation[] = []
  let bound = schedule.initialDelay
  for (let retry = 1; retry < dials.length; retry++) {
    const gap = (dials[retry] ?? 0) - (dials[retry - 1] ?? 0)
    const atLeast = (schedule.jitter ? Math.min(LEAST_DELAY, bound) : bound) - EARLY
    const atMost = bound + slack
    if (gap < atLeast || gap > atMost || retry > schedule.maxRetries) violations.push({ retry, gap, atLeast, atMost })
    bound = Math.min(schedule.maxDelay, bound * schedule.growFactor)
  }
  return violations
}

/** A server that rejects every upgrade in the same way and judges when the next one comes. */
export interface Judge extends RawServer {
  verdict(schedule: Schedule, slack?: number): Violation[]
}

export async function useJudge(response: RawResponse = { status: 503 }): Promise<Judge> {
  const server = await useRejectingServer(response)
  return {
    ...server,
    verdict: (schedule, slack) =>
      judgeDials(
        server.dials.map(({ at }) => at),
        schedule,
        slack
      )
  }
}
