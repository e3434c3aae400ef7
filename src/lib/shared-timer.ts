import type { Clock, Timer } from './clock.js'

// In ms. Event loops run timers before they look at their sockets: after the loop was blocked, a response may have come in time and still
// be unread when its deadline fires.
const PUNCTUAL = 20
// In ms. In a healthy process on a loaded machine, timers fire some tens of ms late, seldom hundreds.
const LATE = 1000
// To look at an item costs some tens of ns. The timer waits at least 1 ms for this many items, so that looking takes less than 3 % of the
// time.
const ITEMS_PER_MS = 1000

/** Whether a timer that was due at `dueAt` fires so late that the process must have slept, or was blocked. */
export const isLate = (dueAt: number, now: number): boolean => now - dueAt > LATE

/** Something that acts when it falls due. */
export interface Due {
  /** When it falls due, in ms of the clock; `Infinity`: never. Only the timer writes it. */
  dueAt: number
  /** Its index in the timer's list; -1 while it is not set. Only the timer writes it. An item belongs to one timer only. */
  slot: number
  /** Its time has come. @param now - In ms of the clock. */
  onDue(now: number): void
}

/**
 * One timer of a clock, shared by everything that falls due in one object. While nothing is set, there is no timer, unless it lingers.
 *
 * A timer that fires late shows that the process was blocked, or slept. Then nothing falls due at once: messages that came meanwhile
 * are read first, for one turn of the event loop, or after a sleep for the time `grace`.
 *
 * The items are not sorted: most are cleared long before they fall due, so that only the timer looks at all of them, when it fires.
 */
export class SharedTimer {
  readonly #clock: Clock
  readonly #grace: number
  readonly #items: Due[] = []
  #timer: Timer | undefined
  /** When the timer fires; `-Infinity` during a grace, because no deadline may end that sooner. */
  #firesAt = Infinity
  #idle = false
  #lingers = false

  /** @param grace - How long nothing falls due after a sleep, in ms. */
  constructor(clock: Clock, grace = 0) {
    this.#clock = clock
    this.#grace = grace
  }

  /** Whether a Node process may end although the timer is set. */
  set idle(idle: boolean) {
    this.#idle = idle
    this.#rest()
  }

  /**
   * Whether the clock's timer stays, at rest, while nothing is set, instead of being cancelled. So items that come one after another do not
   * each need a new timer.
   */
  set lingers(lingers: boolean) {
    this.#lingers = lingers
    this.#release()
  }

  /** Lets `item` fall due in `ms`, instead of at the time that was set before; `Infinity`: never. */
  set(item: Due, ms: number): void {
    // Whole milliseconds: timers are no finer, and small integers need no memory of their own.
    item.dueAt = Math.ceil(this.#clock.now() + ms)
    if (ms === Infinity) return this.clear(item)
    if (item.slot === -1) item.slot = this.#items.push(item) - 1
    if (this.#items.length === 1) this.#rest()
    this.#arm(item.dueAt)
  }

  /** Whether `item` will fall due. */
  has(item: Due): boolean {
    return item.slot !== -1
  }

  /** `item` will not fall due. */
  clear(item: Due): void {
    // The timer stays as it is: if it fires and nothing is due, it sets itself anew. That is cheaper than moving it with every response.
    if (this.#remove(item)) this.#release()
  }

  /** Nobody needs the clock's timer if nothing is set. */
  #release(): void {
    if (this.#items.length > 0) return
    if (this.#lingers) this.#rest()
    else this.#disarm()
  }

  /** @returns Whether the item was set. */
  #remove(item: Due): boolean {
    const { slot } = item
    if (slot === -1) return false
    // The last one takes its place.
    const last = this.#items.pop()
    if (last !== undefined && last !== item) {
      this.#items[slot] = last
      last.slot = slot
    }
    item.slot = -1
    return true
  }

  #arm(at: number): void {
    if (at >= this.#firesAt) return
    this.#timer?.cancel()
    this.#firesAt = at
    this.#wait(at - this.#clock.now())
  }

  #armForFirst(): void {
    let first = Infinity
    for (const { dueAt } of this.#items) if (dueAt < first) first = dueAt
    this.#arm(Math.max(first, this.#clock.now() + Math.floor(this.#items.length / ITEMS_PER_MS)))
  }

  #wait(ms: number): void {
    this.#timer = this.#clock.after(ms, () => this.#fire())
    this.#rest()
  }

  #rest(): void {
    this.#timer?.rest(this.#idle || this.#items.length === 0)
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
      return this.#wait(isLate(plannedAt, firedAt) ? this.#grace : 0)
    }
    // Timers may fire a little early (they count whole milliseconds): half a millisecond ahead is due.
    const isDue = ({ dueAt }: Due): boolean => dueAt <= firedAt + 0.5
    const due = this.#items.filter(isDue).sort((a, b) => a.dueAt - b.dueAt)
    // Asked again, because an item that falls due may clear or move others.
    for (const item of due) if (isDue(item) && this.#remove(item)) item.onDue(firedAt)
    this.#armForFirst()
  }
}
