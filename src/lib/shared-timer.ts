import type { Clock, Timer } from './clock.js'
import { Deadlines, isLate, type Deadline } from './deadlines.js'

// In ms. Event loops run timers before they look at their sockets: after the loop was blocked, a response that came in time may still
// lie unread beside an expired deadline.
const PUNCTUAL = 20

/** Something that acts when it falls due. */
export interface Due extends Deadline {
  /** Its time has come. @param now - In ms of the clock. */
  onDue(now: number): void
}

/**
 * One timer of a clock, shared by everything that falls due in one object. While nothing is set, there is no timer.
 *
 * A timer that fires late shows that the process was blocked, or slept. Then nothing falls due at once: messages that came meanwhile
 * are read first, for one turn of the event loop, or after a sleep for the time `grace`.
 */
export class SharedTimer<T extends Deadline> {
  readonly #clock: Clock
  readonly #onDue: (item: T, now: number) => void
  readonly #grace: number
  readonly #deadlines = new Deadlines<T>()
  #timer: Timer | undefined
  /** When the timer fires; `-Infinity` while it waits for the end of a grace, which no earlier deadline may shorten. */
  #firesAt = Infinity
  #idle = false

  /**
   * @param onDue - Told of each item that falls due; it has no deadline any more.
   * @param grace - How long nothing falls due after a sleep, in ms.
   */
  constructor(clock: Clock, onDue: (item: T, now: number) => void, grace = 0) {
    this.#clock = clock
    this.#onDue = onDue
    this.#grace = grace
  }

  /** Whether a Node process may end although the timer is set. */
  set idle(idle: boolean) {
    if (this.#idle === idle) return
    this.#idle = idle
    this.#disarm()
    this.#arm()
  }

  /** Lets `item` fall due in `ms`, in place of an earlier time; `Infinity`: never. */
  set(item: T, ms: number): void {
    if (ms === Infinity) return this.clear(item)
    // Whole milliseconds: timers are no finer, and small integers need no memory of their own.
    this.#deadlines.set(item, Math.ceil(this.#clock.now() + ms))
    this.#arm()
  }

  /** `item` will not fall due. */
  clear(item: T): void {
    this.#deadlines.remove(item)
    // A timer that comes too early finds nothing due and sets itself anew: cheaper than to move it with every response.
    if (this.#deadlines.size === 0) this.#disarm()
  }

  #arm(): void {
    const dueAt = this.#deadlines.nextDueAt
    if (dueAt >= this.#firesAt) return
    this.#timer?.cancel()
    this.#firesAt = dueAt
    this.#set(dueAt - this.#clock.now())
  }

  #set(ms: number): void {
    this.#timer = this.#clock.after(ms, () => this.#fire(), this.#idle)
  }

  #disarm(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#firesAt = Infinity
  }

  #fire(): void {
    const plannedAt = this.#firesAt
    const firedAt = this.#clock.now()
    this.#disarm()
    if (plannedAt > -Infinity && firedAt - plannedAt > PUNCTUAL) {
      this.#firesAt = -Infinity
      return this.#set(isLate(plannedAt, firedAt) ? this.#grace : 0)
    }
    // Timers may fire a little early (they count whole milliseconds): half a millisecond ahead is due.
    const now = this.#clock.now()
    for (let item = this.#deadlines.takeDue(now + 0.5); item !== undefined; item = this.#deadlines.takeDue(now + 0.5))
      this.#onDue(item, now)
    this.#arm()
  }
}
