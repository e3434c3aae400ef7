import type { Clock } from '../lib/clock.js'
import { isObject } from '../lib/is-object.js'
import { SharedTimer, type Due } from '../lib/shared-timer.js'
import type { PeerLink } from './peer-link.js'

// Any time until the year 5000 in seconds is smaller, and any since 1973 in ms is larger.
const MOST_SECONDS = 1e11
/** Close code that asks for another token. */
export const EXPIRED = 4401
/** The reason that goes with {@link EXPIRED}. */
export const EXPIRED_REASON = 'the token has expired'

/**
 * When credentials expire, in ms since 1970.
 * @param auth - What `authenticate` returned.
 * @returns `undefined` if it does not say.
 * @throws TypeError if it says something that is no time.
 */
export function expiryOf(auth: unknown): number | undefined {
  const expiresAt = isObject(auth) ? auth.expiresAt : undefined
  if (expiresAt === undefined) return undefined
  const at = expiresAt instanceof Date ? expiresAt.getTime() / 1000 : expiresAt
  if (typeof at === 'number' && at < MOST_SECONDS) return at * 1000
  throw new TypeError('expiresAt of what authenticate returns must be a Date, or seconds since 1970: divide ms by 1000')
}

/** Ends the sockets whose credentials have expired. */
export class Expiries {
  readonly #timer: SharedTimer
  readonly #grace: number
  readonly #dues = new Map<PeerLink, Due>()

  /** @param grace - How long requests in flight may go on, in ms. */
  constructor(clock: Clock, grace: number) {
    this.#timer = new SharedTimer(clock)
    this.#timer.idle = true
    this.#grace = grace
  }

  /**
   * Watches a socket until {@link forget}.
   * @param lifetime - How long its credentials are good, in ms; `undefined`: for ever.
   * @param onExpired - Ends the socket as soon as nothing is in flight on it; it is closed in any case when the grace is over.
   */
  watch(socket: PeerLink, lifetime: number | undefined, onExpired: () => void): void {
    if (lifetime === undefined) return
    let isExpired = false
    const onDue = (): void => {
      if (isExpired) return void socket.close(EXPIRED, EXPIRED_REASON)
      isExpired = true
      this.#timer.set(due, this.#grace)
      onExpired()
    }
    const due: Due = { dueAt: 0, slot: -1, onDue }
    this.#dues.set(socket, due)
    this.#timer.set(due, lifetime)
  }

  /** The socket is gone. */
  forget(socket: PeerLink): void {
    const due = this.#dues.get(socket)
    if (due) this.#timer.clear(due)
    this.#dues.delete(socket)
  }
}
