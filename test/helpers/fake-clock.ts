import type { Clock, Timer } from '../../src/lib/clock.js'

interface Planned {
  readonly at: number
  readonly fire: () => void
  isResting: boolean
}

/** A clock that stands still until a test moves it; chance is what the test says. */
export class FakeClock implements Clock {
  /** What `random()` returns. */
  chance = 0.5
  #now = 1000
  readonly #planned = new Set<Planned>()

  /** Timers that are set: 0 after a test, or something was left behind. */
  get pendingCount(): number {
    return this.#planned.size
  }

  /** Those of them that keep a Node process alive. */
  get holdCount(): number {
    return [...this.#planned].filter(({ isResting }) => !isResting).length
  }

  now(): number {
    return this.#now
  }

  random(): number {
    return this.chance
  }

  after(ms: number, fire: () => void): Timer {
    const planned = { at: this.#now + Math.max(0, ms), fire, isResting: false }
    this.#planned.add(planned)
    return {
      cancel: () => void this.#planned.delete(planned),
      rest: (resting) => {
        planned.isResting = resting
      }
    }
  }

  /** Lets time pass, firing what falls due in order; promise callbacks run in between. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      await settle()
      const next = [...this.#planned].filter((planned) => planned.at <= end).sort((a, b) => a.at - b.at)[0]
      if (next === undefined) break
      this.#now = Math.max(this.#now, next.at)
      this.#planned.delete(next)
      next.fire()
    }
    this.#now = end
    await settle()
  }

  /** The process sleeps: time passes and no timer fires until it wakes, when all that are due fire late. */
  async sleep(ms: number): Promise<void> {
    this.#now += ms
    await this.advance(0)
  }
}

/** Lets everything run that waits only for promises. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}
