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
  /** Makes the error for a wait that took too long. Without it a timeout is no failure, and the promise resolves with `undefined`. */
  readonly late?: () => unknown
}

/**
 * Everything that one object waits for. It needs one timer, and one listener for each signal even if many waits share the signal (Node
 * warns about more than ten listeners). A wait ends when its owner ends it, at its deadline, or when its signal fires. No other code here
 * combines these three.
 *
 * To wait for a single promise, use {@link Waits.until}. Objects of which there are many, such as requests, are waiters themselves.
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
   * @param work - Gets a signal that fires when the wait ends early, and may ignore it. The signal also fires when the work itself fails,
   * for parts of it that still run.
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
