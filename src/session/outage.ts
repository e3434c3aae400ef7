import type { ConnectionStats } from '../connection/connection.js'
import type { Reconnected } from '../types/client.js'

/** The time from the loss of a ready connection to the next `ready`, however many dials it takes. */
export class Outage {
  #start: { readonly stats: ConnectionStats; readonly at: number } | undefined

  /** A ready connection was lost; an outage that goes on is not begun anew. @param now - In ms of the clock. */
  begin(stats: ConnectionStats, now: number): void {
    this.#start ??= { stats: { ...stats }, at: now }
  }

  /** The life ends, and with it the outage. */
  forget(): void {
    this.#start = undefined
  }

  /** The connection is ready. @returns What the outage cost, if there was one. */
  end(stats: ConnectionStats, now: number): Pick<Reconnected, 'attempts' | 'downtime' | 'lost'> | undefined {
    const start = this.#start
    this.#start = undefined
    if (!start) return undefined
    stats.reconnects++
    return { attempts: stats.attempts - start.stats.attempts, downtime: Math.round(now - start.at), lost: stats.lost - start.stats.lost }
  }
}
