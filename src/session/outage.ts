import type { ConnectionStats } from '../connection/connection.js'
import type { Reconnected } from '../types/client.js'

/** The time between the loss of a connection and the next `ready`, however many dials it takes. */
export class Interruption {
  #start: { readonly stats: ConnectionStats; readonly at: number } | undefined

  /** A ready connection was lost; or an interruption goes on. @param now - In ms. */
  begin(stats: ConnectionStats, now: number): void {
    this.#start ??= { stats: { ...stats }, at: now }
  }

  /** It does not end: the life does. */
  forget(): void {
    this.#start = undefined
  }

  /** The connection is ready. @returns What to tell, if there was an interruption. */
  end(stats: ConnectionStats, now: number): Pick<Reconnected, 'attempts' | 'downtime' | 'lost'> | undefined {
    const start = this.#start
    this.#start = undefined
    if (!start) return undefined
    stats.reconnects++
    return { attempts: stats.attempts - start.stats.attempts, downtime: now - start.at, lost: stats.lost - start.stats.lost }
  }
}
