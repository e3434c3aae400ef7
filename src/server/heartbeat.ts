import type { HeartbeatPolicy } from '../session/liveness.js'
import type { Clock } from '../lib/clock.js'
import { SharedTimer } from '../lib/shared-timer.js'

/** One connection as the heartbeat sees it. The heartbeat writes the members that are not `readonly`. */
export interface Beating {
  dueAt: number
  heapIndex: number
  /** When the last frame came. */
  heardAt: number
  /** When the ping went out that nothing came in since. */
  probedAt: number | undefined
  /** `bytesRead` at the last look. */
  bytesSeen: number
  /** Inbound bytes so far. */
  readonly bytesRead: number
  /** Sends a ping (RFC 6455 section 5.5.2), which every client answers by itself. */
  ping(): void
  /** The client is gone. */
  die(): void
}

/** Ends connections whose client is silent for `interval`, and for `timeout` after a ping; one timer serves them all. */
export class Heartbeats {
  readonly #clock: Clock
  readonly #policy: HeartbeatPolicy | false
  readonly #timer: SharedTimer<Beating>

  /** @param policy - `false`: no beat at all. */
  constructor(clock: Clock, policy: HeartbeatPolicy | false) {
    this.#clock = clock
    this.#policy = policy
    this.#timer = new SharedTimer(clock, (peer, now) => this.#look(peer, now), policy === false ? 0 : policy.timeout)
  }

  /** A connection begins. */
  add(peer: Beating): void {
    if (this.#policy === false) return
    this.hear(peer)
    peer.bytesSeen = peer.bytesRead
    this.#timer.set(peer, this.#policy.interval)
  }

  /** A connection has ended. */
  remove(peer: Beating): void {
    this.#timer.clear(peer)
  }

  /** Something came in: life, whatever it is. The timer stays: it finds out when it fires. */
  hear(peer: Beating): void {
    peer.heardAt = this.#clock.now()
    peer.probedAt = undefined
  }

  #look(peer: Beating, now: number): void {
    if (this.#policy === false) return
    // A part of a large message is life too.
    if (peer.bytesRead !== peer.bytesSeen && peer.probedAt !== undefined) this.hear(peer)
    peer.bytesSeen = peer.bytesRead
    // `SharedTimer` has seen to it that what came while this process stood still was heard first.
    const { interval, timeout } = this.#policy
    const isDue = now >= (peer.probedAt === undefined ? peer.heardAt + interval : peer.probedAt + timeout)
    const action = !isDue ? 'none' : peer.probedAt === undefined ? 'probe' : 'dead'
    const nextAt = isDue
      ? now + timeout
      : peer.probedAt === undefined
        ? peer.heardAt + interval
        : Math.min(peer.probedAt + timeout, now + Math.min(interval, timeout))
    if (action === 'dead') return peer.die()
    if (action === 'probe') {
      peer.probedAt = now
      peer.ping()
    }
    this.#timer.set(peer, nextAt - now)
  }
}
