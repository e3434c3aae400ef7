import type { LifecycleState } from '../connection/lifecycle.js'
import type { Clock, Timer } from '../lib/clock.js'
import type { Emitter } from '../lib/emitter.js'
import { isLate } from '../lib/shared-timer.js'
import { isOver, type ClientEvents } from './events.js'

// In ms. A shorter outage is no news for a person: a page would only flicker.
const NEWS_AFTER = 5000

/** Tells people of an outage: once, and only if it lasts; and of its end. */
export class OutageNotice {
  readonly #clock: Clock
  readonly #events: Emitter<ClientEvents>
  #timer: Timer | undefined
  #lostAt = 0
  #isTold = false

  /** @param events - Where `connection-lost` and `connection-restored` are emitted. */
  constructor(clock: Clock, events: Emitter<ClientEvents>) {
    this.#clock = clock
    this.#events = events
  }

  /** Whether people were told of an outage that has not ended. */
  get isTold(): boolean {
    return this.#isTold
  }

  /** The state changed. */
  onState(to: LifecycleState, from: LifecycleState): void {
    if (from.name === 'ready' && !isOver(to)) {
      this.#lostAt = this.#clock.now()
      this.#wait(this.#lostAt + NEWS_AFTER)
    } else if (to.name === 'ready' || isOver(to)) this.#end(to.name === 'ready')
  }

  /** @param dueAt - A timer that fires late shows that the page slept. It may connect at once now: wait again, but only once. */
  #wait(dueAt: number): void {
    this.#timer = this.#clock.after(NEWS_AFTER, () => (isLate(dueAt, this.#clock.now()) ? this.#wait(Infinity) : this.#tell()))
    this.#timer.rest(true)
  }

  #tell(): void {
    this.#isTold = true
    this.#events.emit('connection-lost', undefined)
  }

  #end(isBack: boolean): void {
    this.#timer?.cancel()
    if (this.#isTold && isBack) this.#events.emit('connection-restored', { downtime: Math.round(this.#clock.now() - this.#lostAt) })
    this.#isTold = false
  }
}
