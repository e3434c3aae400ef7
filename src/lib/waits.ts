import type { Clock } from './clock.js'
import type { Deadline } from './deadlines.js'
import { deferred } from './deferred.js'
import { SharedTimer } from './shared-timer.js'

/** What ends a wait before its owner does: its time is over, or this signal fired. */
export type WaitEnd = 'deadline' | AbortSignal

/** What bounds {@link Waits.until}. */
export interface WaitLimits {
  /** Each of them ends the wait: the promise rejects with the signal's reason. */
  readonly signals?: readonly (AbortSignal | undefined)[]
  /** How long to wait, in ms. @default Infinity */
  readonly ms?: number
  /** Makes the error for a wait that took too long. Without it the end of the time is no failure, and the promise resolves. */
  readonly late?: () => unknown
}

/** A wait of {@link Waits.until}. */
class Pause implements Deadline {
  dueAt = 0
  heapIndex = -1
  readonly onOver: (by: WaitEnd) => void

  constructor(onOver: (by: WaitEnd) => void) {
    this.onOver = onOver
  }
}

/**
 * All that one object waits for, on one timer and with one listener for each signal, however many waits share it (Node warns about
 * more than ten). A wait ends by its owner, at its deadline, or when its signal fires; this is the only such mechanism here.
 *
 * `T` are the records of those who wait in great numbers; for a single promise there is {@link Waits.until}.
 */
export class Waits<T extends Deadline> {
  readonly #clock: Clock
  readonly #onOver: (item: T, by: WaitEnd, now: number) => void
  readonly #timer: SharedTimer<T | Pause>
  readonly #watched = new Map<AbortSignal, Set<T | Pause>>()

  /**
   * @param onOver - Told that the time of an item is over, or that its signal fired. It has to call `end` for the item.
   * @param grace - How long nothing falls due after the process slept, in ms: see {@link SharedTimer}.
   */
  constructor(clock: Clock, onOver: (item: T, by: WaitEnd, now: number) => void, grace?: number) {
    this.#clock = clock
    this.#onOver = onOver
    this.#timer = new SharedTimer(clock, (item, now) => this.#finish(item, 'deadline', now), grace)
  }

  /**
   * Begins a wait.
   * @param ms - `Infinity`: without a deadline.
   * @param signal - Ends the wait at once if it has fired already.
   */
  begin(item: T, ms: number, signal?: AbortSignal): void {
    this.#timer.set(item, ms)
    if (signal) this.#watch(item, signal)
  }

  /** Moves the deadline of a wait to `ms` from now; `Infinity` takes it away. */
  setDeadline(item: T, ms: number): void {
    this.#timer.set(item, ms)
  }

  /** The owner has what it waited for, or gave up: neither the deadline nor the signal matters any more. */
  end(item: T, signal?: AbortSignal): void {
    this.#timer.clear(item)
    if (signal) this.#unwatch(item, signal)
  }

  /**
   * Waits for `work`, within limits.
   * @param work - Hears of an early end by the signal that it is given, but need not heed it.
   * @returns Settles when `work` does, when a signal fires, or when the time is over, whichever comes first.
   */
  until<R>(work: (over: AbortSignal) => Promise<R>, { signals = [], ms = Infinity, late }: WaitLimits): Promise<R | undefined> {
    const { promise, resolve, reject } = deferred<R | undefined>()
    const controller = new AbortController()
    const pause = new Pause((by) => {
      if (by !== 'deadline') reject(by.reason)
      else if (late) reject(late())
      else resolve(undefined)
      controller.abort(by === 'deadline' ? undefined : by.reason)
    })
    this.#timer.set(pause, ms)
    for (const signal of signals) if (signal) this.#watch(pause, signal)
    if (!controller.signal.aborted) work(controller.signal).then(resolve, reject)
    return promise.finally(() => {
      this.#timer.clear(pause)
      for (const signal of signals) if (signal) this.#unwatch(pause, signal)
    })
  }

  #finish(item: T | Pause, by: WaitEnd, now: number): void {
    if (item instanceof Pause) item.onOver(by)
    else this.#onOver(item, by, now)
  }

  readonly #onAbort = (event: Event): void => {
    const signal = event.target as AbortSignal
    for (const item of this.#watched.get(signal) ?? []) this.#finish(item, signal, this.#clock.now())
  }

  #watch(item: T | Pause, signal: AbortSignal): void {
    if (signal.aborted) return this.#finish(item, signal, this.#clock.now())
    const items = this.#watched.get(signal)
    if (items) items.add(item)
    else {
      this.#watched.set(signal, new Set([item]))
      signal.addEventListener('abort', this.#onAbort)
    }
  }

  #unwatch(item: T | Pause, signal: AbortSignal): void {
    const items = this.#watched.get(signal)
    items?.delete(item)
    if (items?.size !== 0) return
    this.#watched.delete(signal)
    signal.removeEventListener('abort', this.#onAbort)
  }
}
