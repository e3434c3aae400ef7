import { EventEmitter } from 'eventemitter3'
import { guarded } from './guarded.js'

type Guarded<Events> = (payload: unknown, event: keyof Events) => void

/**
 * An event emitter on which a listener can harm neither the others nor whoever emits. Events are delivered in the order in which they
 * happened: an event that a listener causes is delivered only after the current one has reached all listeners.
 *
 * `Events` maps the name of each event to the type of its payload.
 */
export class Emitter<Events extends object> {
  readonly #emitter = new EventEmitter()
  readonly #onFailed: (error: Error, event: keyof Events) => void
  /** The function that eventemitter3 calls for each listener. Without it, `emit` would stop at the first listener that throws. */
  readonly #guards = new WeakMap<object, Guarded<Events>>()
  readonly #queue: (readonly [event: string, payload: unknown])[] = []
  #delivering = false

  /** @param onFailed - Told what a listener threw or rejected with, and at which event. */
  constructor(onFailed: (error: Error, event: keyof Events) => void) {
    this.#onFailed = onFailed
  }

  /** Registers a listener. */
  on<E extends keyof Events & string>(event: E, listener: (payload: Events[E]) => unknown): void {
    this.#emitter.on(event, this.#guard(listener))
  }

  /** Registers a listener for the next event of this name only. */
  once<E extends keyof Events & string>(event: E, listener: (payload: Events[E]) => unknown): void {
    this.#emitter.once(event, this.#guard(listener))
  }

  /** Removes a listener, however it was registered. */
  off<E extends keyof Events & string>(event: E, listener: (payload: Events[E]) => unknown): void {
    this.#emitter.off(event, this.#guard(listener))
  }

  /** Delivers an event, or queues it behind the one that is being delivered. Never throws. */
  emit<E extends keyof Events & string>(event: E, payload: Events[E]): void {
    if (this.#delivering) this.#queue.push([event, payload])
    else {
      this.#delivering = true
      this.#emitter.emit(event, payload, event)
      this.#delivering = false
      this.#deliver()
    }
  }

  /** Runs `work` before any listener hears of the events that it emits. `work` must not throw. */
  hold(work: () => void): void {
    const wasDelivering = this.#delivering
    this.#delivering = true
    work()
    this.#delivering = wasDelivering
    this.#deliver()
  }

  #deliver(): void {
    if (this.#delivering) return
    this.#delivering = true
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#emitter.emit(next[0], next[1], next[0])
    this.#delivering = false
  }

  #guard(listener: (payload: never) => unknown): Guarded<Events> {
    if (typeof listener !== 'function') throw new TypeError('listener must be a function')
    let guard = this.#guards.get(listener)
    if (guard === undefined) {
      guard = (payload, event) =>
        guarded(
          () => listener(payload as never),
          (error) => this.#onFailed(error, event)
        )
      this.#guards.set(listener, guard)
    }
    return guard
  }
}
