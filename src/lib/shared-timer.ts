import type { Clock, Timer } from './clock.js'
import { Deadlines, isLate, type Deadline } from './deadlines.js'

// In ms. Event loops run timers before they look at their sockets: behind a block an answer lies beside an expired deadline.
const PUNCTUAL = 20

/**
 * One timer of a clock, shared by everything that falls due in one object; nothing set, no timer.
 *
 * A timer that comes late tells that the process was blocked, or slept: then nothing is due at once. What the sockets hold from
 * that time is heard first: for one turn of the event loop, and after a sleep for a while of `grace`.
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

  /** @param grace - In ms. */
  constructor(clock: Clock, onDue: (item: T, now: number) => void, grace = 0) {
    this.#clock = clock
    this.#onDue = onDue
    this.#grace = grace
  }

  /** Whether the timer keeps the process alive; holds from the next time that it is armed. */
  set idle(idle: boolean) {
    if (this.#idle === idle) return
    this.#idle = idle
    this.#disarm()
    this.#arm()
  }

  /** Lets `item` fall due in `ms`, in place of an earlier wish; `Infinity` = never. */
  set(item: T, ms: number): void {
    if (ms === Infinity) return this.clear(item)
    // Whole milliseconds: timers are no finer, and small integers need no memory of their own.
    this.#deadlines.set(item, Math.ceil(this.#clock.now() + ms))
    this.#arm()
  }

  /** `item` will not fall due. */
  clear(item: T): void {
    this.#deadlines.remove(item)
    // A timer that comes too early finds nothing due and sets itself anew: cheaper than to move it at every answer.
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
