import { transition, type LifecycleEvent, type LifecycleState, type RetryPolicy } from '../../../src/connection/lifecycle.js'
import { resolveClientOptions } from '../../../src/session/options.js'
import { PORTS } from '../../../src/session/session-host.js'
import type { Policy, Redialler } from './storm.js'

/** The defaults of this package. */
const DEFAULTS = resolveClientOptions({ url: 'ws://127.0.0.1/' }, PORTS).session.connection.retry

const STABLE: LifecycleState = {
  name: 'ready',
  life: { attempt: 0, retries: 0, everReady: true, redials: [], reason: 'connect', refreshed: false, silences: 0 }
}

/** A client of this package: its real lifecycle, with its real backoff. */
class Client implements Redialler {
  readonly #policy: RetryPolicy
  #state = STABLE

  constructor(policy: RetryPolicy) {
    this.#policy = policy
  }

  fail(random: number): number | undefined {
    const closure = { kind: 'network', code: 1006, wasClean: false, everReady: true } as const
    const state = this.#to({ type: 'socketClosed', closure, refreshable: false, random })
    return state.name === 'waiting' ? state.delay : undefined
  }

  dial(): void {
    this.#to({ type: 'timedOut' })
  }

  #to(event: LifecycleEvent): LifecycleState {
    return (this.#state = transition(this.#state, event, this.#policy))
  }
}

const ours = (name: string, changes: Partial<RetryPolicy> = {}): Policy => ({
  name,
  dialTimeout: 10_000,
  make: () => new Client({ ...DEFAULTS, ...changes })
})

/** A client that computes each delay, in ms, from the number of the retry, from 1, and the delay before; up to `most` of them. */
const formula = (
  name: string,
  delayOf: (retry: number, random: number, before: number) => number,
  most = Infinity,
  dialTimeout = 10_000
): Policy => ({
  name,
  dialTimeout,
  make() {
    let [retry, delay] = [0, 0]
    return {
      fail: (random) => (++retry > most ? undefined : (delay = delayOf(retry, random, delay))),
      dial: () => undefined
    }
  }
})

/** This package, and beside it what others do by default. The formulas of the other packages are those of their published code. */
export const POLICIES = {
  ours: ours('this package'),
  patient: ours('this package, maxRetries: Infinity', { maxRetries: Infinity }),
  unjittered: ours('this package, jitter: false', { jitter: false, maxRetries: Infinity }),
  fixed: formula('rpc-websockets 10: every second, 5 times', () => 1000, 5),
  fixedForEver: formula('every second, for ever', () => 1000),
  partysocket: formula('partysocket 1.3: 3 s · 1.3ⁿ up to 10 s', (retry) => Math.min(10_000, 3000 * 1.3 ** (retry - 1)), Infinity, 4000),
  decorrelated: formula('decorrelated jitter, 1 s to 20 s', (_retry, random, before) =>
    Math.min(20_000, 1000 + random * (Math.max(1000, before) * 3 - 1000))
  )
} satisfies Record<string, Policy>
