import type { Clock } from '../lib/clock.js'
import { SharedTimer, type Due } from '../lib/shared-timer.js'

/** When a silent client is pinged, and when it is given up. */
export interface HeartbeatPolicy {
  /** Silence after which a ping goes out, in ms. */
  readonly interval: number
  /** Further silence after which the connection is cut, in ms. */
  readonly timeout: number
}

/** What the heartbeat needs from a connection. */
export interface Beating {
  /** Bytes received so far. */
  readonly bytesRead: number
  /** Sends a ping (RFC 6455 section 5.5.2); every client sends the pong by itself. */
  ping(): void
  /** Ends the connection, as its client was silent for too long. */
  cut(): void
}

/** The silence of a client so far; times in ms of a monotonic clock. */
export interface Silence {
  /** When the last frame came in. */
  readonly heardAt: number
  /** When the last ping went out, if nothing has come in since; `undefined` while no ping is out. */
  readonly pingedAt: number | undefined
}

/** What to do about a silent client. */
export interface Verdict {
  /** `wait`: it has not been silent for long enough. */
  readonly action: 'wait' | 'ping' | 'cut'
  /** How long to wait before the next look, in ms. */
  readonly again: number
}

/** Decides about a client that is silent. Pure: time comes in with each call. */
export function judgeSilence({ heardAt, pingedAt }: Silence, { interval, timeout }: HeartbeatPolicy, now: number): Verdict {
  const dueAt = pingedAt === undefined ? heardAt + interval : pingedAt + timeout
  if (now < dueAt) return { action: 'wait', again: dueAt - now }
  return pingedAt === undefined ? { action: 'ping', again: timeout } : { action: 'cut', again: Infinity }
}

/** The heartbeat's record of one connection. Its owner keeps it and hands it back; only `Heartbeats` reads and writes it. */
export interface Pulse extends Silence, Due {
  /** Whose pulse it is. */
  readonly connection: Beating
  /** See {@link Silence}. */
  heardAt: number
  /** See {@link Silence}. */
  pingedAt: number | undefined
  /** `bytesRead` at the last look. */
  bytesSeen: number
}

/** Cuts the connections whose client is silent for `interval`, and for `timeout` after a ping. One timer serves them all. */
export class Heartbeats {
  readonly #clock: Clock
  readonly #policy: HeartbeatPolicy | false
  readonly #timer: SharedTimer

  /** @param policy - `false`: no connection is ever pinged or cut. */
  constructor(clock: Clock, policy: HeartbeatPolicy | false) {
    this.#clock = clock
    this.#policy = policy
    this.#timer = new SharedTimer(clock, policy === false ? 0 : policy.timeout)
  }

  /** Begins to watch a connection. */
  watch(connection: Beating): Pulse {
    const onDue = (now: number): void => this.#look(pulse, now)
    const pulse: Pulse = { connection, heardAt: 0, pingedAt: undefined, bytesSeen: 0, dueAt: 0, slot: -1, onDue }
    this.resume(pulse)
    return pulse
  }

  /** Watches the connection again, as if something had just come in. */
  resume(pulse: Pulse): void {
    if (this.#policy === false) return
    this.heard(pulse)
    pulse.bytesSeen = pulse.connection.bytesRead
    this.#timer.set(pulse, this.#policy.interval)
  }

  /** Stops watching the connection, for now or for good. */
  stop(pulse: Pulse): void {
    this.#timer.clear(pulse)
  }

  /** A frame came in: any frame is a sign of life. The timer is not moved: that would cost more than a look that finds nothing due. */
  heard(pulse: Pulse): void {
    pulse.heardAt = this.#clock.now()
    pulse.pingedAt = undefined
  }

  /** After this process stood still, `SharedTimer` waits before it calls this, so that what has come in meanwhile is heard first. */
  #look(pulse: Pulse, now: number): void {
    if (this.#policy === false) return
    const { bytesRead } = pulse.connection
    // A part of a long message is a sign of life too, although no frame is complete.
    if (bytesRead !== pulse.bytesSeen && pulse.pingedAt !== undefined) this.heard(pulse)
    pulse.bytesSeen = bytesRead
    const { action, again } = judgeSilence(pulse, this.#policy, now)
    if (action === 'cut') return pulse.connection.cut()
    if (action === 'ping') {
      pulse.pingedAt = now
      pulse.connection.ping()
    }
    this.#timer.set(pulse, again)
  }
}
