/** A timer that was set. */
export interface Timer {
  /** Keeps the timer from firing; harmless after it fired. */
  cancel(): void
  /** A timer that rests does not keep a Node process alive by itself, but it still fires. */
  rest(resting: boolean): void
}

/** Time and chance, handed in so that tests own them. */
export interface Clock {
  /** Ms of a monotonic clock: a wall clock could jump. */
  now(): number
  /** A number in [0, 1). */
  random(): number
  /** Calls `fire` once, after `ms`. */
  after(ms: number, fire: () => void): Timer
}

// In ms. All engines keep the delay of a timer in 31 bits; a timer with a longer delay fires at once.
const LONGEST = 2 ** 31 - 1

// Without `performance` only the wall clock is left, whose jumps look like a sleep of the machine. Chosen once: every incoming frame asks
// for the time.
const time = typeof performance === 'undefined' ? Date : performance

/** The engine's clock. */
export const systemClock: Clock = {
  now: () => time.now(),
  random: () => Math.random(),
  after(ms, fire) {
    const handle: unknown = setTimeout(fire, Math.min(Math.max(ms, 0), LONGEST))
    return {
      cancel: () => clearTimeout(handle as number),
      // Only Node's timers have these.
      rest: (resting) => (handle as { ref?: () => void; unref?: () => void })[resting ? 'unref' : 'ref']?.()
    }
  }
}
