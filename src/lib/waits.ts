import { abort, reasonOf } from './abort.js'
import type { Clock } from './clock.js'
import { deferred } from './deferred.js'
import { SharedTimer, type Due } from './shared-timer.js'

/** Somebody who waits: acts when the time is over, or when a signal fires. Both have to call {@link Waits.end}. */
export interface Waiter extends Due {
  /** The signal fired. */
  onAbort(signal: AbortSignal): void
}

/** What bounds {@link Waits.until}. */
export interface WaitLimits {
  /** Each of them ends the wait: the promise rejects with the signal's reason. */
  readonly signals?: readonly (AbortSignal | undefined)[]
  /** How long to wait, in ms. @default Infinity */
  readonly ms?: number
  /** Makes the error for a wait that took too long. Without it the end of the time is no failure, and the promise resolves. */
  readonly late?: () => unknown
}

/**
 * All that one object waits for, on one timer and with one listener for each signal, however many waits share it (Node warns about
 * more than ten). A wait ends by its owner, at its deadline, or when its signal fires; this is the only such mechanism here.
 *
 * Those who wait in great numbers are waiters themselves; for a single promise there is {@link Waits.until}.
 */
export class Waits {
  readonly #timer: SharedTimer
  readonly #watched = new Map<AbortSignal, Set<Waiter>>()

  /** @param grace - How long nothing falls due after the process slept, in ms: see {@link SharedTimer}. */
  constructor(clock: Clock, grace?: number) {
    this.#timer = new SharedTimer(clock, grace)
  }

  /** Whether the timer lingers between two waits: see {@link SharedTimer.lingers}. */
  set lingers(lingers: boolean) {
    this.#timer.lingers = lingers
  }

  /**
   * Begins a wait.
   * @param ms - `Infinity`: without a deadline.
   * @param signal - Ends the wait at once if it has fired already.
   */
  begin(waiter: Waiter, ms: number, signal?: AbortSignal): void {
    this.#timer.set(waiter, ms)
    if (signal?.aborted) waiter.onAbort(signal)
    else if (signal) this.#watch(waiter, signal)
  }

  /** Moves the deadline of a wait to `ms` from now; `Infinity` takes it away. */
  setDeadline(waiter: Waiter, ms: number): void {
    this.#timer.set(waiter, ms)
  }

  /** The owner has what it waited for, or gave up: neither the deadline nor the signal matters any more. */
  end(waiter: Waiter, signal?: AbortSignal): void {
    this.#timer.clear(waiter)
    const waiters = signal && this.#watched.get(signal)
    waiters?.delete(waiter)
    if (waiters?.size !== 0) return
    this.#watched.delete(signal as AbortSignal)
    signal?.removeEventListener('abort', this.#onAbort)
  }

  /**
   * Waits for `work`, within limits.
   * @param work - Hears of an early end by the signal that it is given, but need not heed it. It fires too when the work itself fails, for
   * those parts of it that go on.
   * @returns Settles when `work` does, when a signal fires, or when the time is over, whichever comes first.
   */
  until<R>(work: (over: AbortSignal) => Promise<R>, { signals = [], ms = Infinity, late }: WaitLimits): Promise<R | undefined> {
    const { promise, resolve, reject } = deferred<R | undefined>()
    const controller = new AbortController()
    const fail = (reason: unknown): void => {
      reject(reason)
      abort(controller, reason)
    }
    const waiter: Waiter = {
      dueAt: 0,
      slot: -1,
      onDue: () => {
        if (late) reject(late())
        else resolve(undefined)
        controller.abort()
      },
      onAbort: (signal) => fail(reasonOf(signal))
    }
    this.begin(waiter, ms)
    for (const signal of signals) this.begin(waiter, ms, signal)
    if (!controller.signal.aborted) work(controller.signal).then(resolve, fail)
    return promise.finally(() => {
      this.end(waiter)
      for (const signal of signals) this.end(waiter, signal)
    })
  }

  readonly #onAbort = (event: Event): void => {
    const signal = event.target as AbortSignal
    for (const waiter of this.#watched.get(signal) ?? []) waiter.onAbort(signal)
  }

  #watch(waiter: Waiter, signal: AbortSignal): void {
    const waiters = this.#watched.get(signal)
    if (waiters) waiters.add(waiter)
    else {
      this.#watched.set(signal, new Set([waiter]))
      signal.addEventListener('abort', this.#onAbort)
    }
  }
}
