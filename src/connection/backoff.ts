/** How long to wait before a retry; all times in ms. */
export interface BackoffPolicy {
  /** Bound of the first delay. */
  readonly initialDelay: number
  /** No bound grows beyond it. */
  readonly maxDelay: number
  /** Factor from one bound to the next, at least 1. */
  readonly growFactor: number
  /** Whether the delay is drawn at random below the bound, so that clients that fell together do not return together. */
  readonly jitter: boolean
}

// Even a full-jitter delay never comes close to 0: a loop without any pause would hammer a server that drops at once.
const LEAST_DELAY = 100
// In ms. A longer wait that a server asks for is a mistake, or an attack: one header would silence a client for years.
const MOST_ASKED = 300_000
const ASKED_SPREAD = 0.2

/**
 * Delay before retry `n` (from 1): full jitter between {@link LEAST_DELAY} and an exponentially growing bound
 * (AWS Architecture Blog, "Exponential Backoff And Jitter").
 * @param random - A number in [0, 1).
 * @param asked - What the server asked for, in ms; it replaces the delay when larger: see {@link askedFor}.
 */
export function backoffDelay(n: number, policy: BackoffPolicy, random: number, asked = 0): number {
  // growFactor^(n-1) reaches Infinity with `maxRetries: Infinity`; min() makes that the cap, but 0 * Infinity would be NaN.
  const growth = Math.min(policy.growFactor ** (n - 1), Number.MAX_VALUE)
  const bound = Math.min(policy.maxDelay, policy.initialDelay * growth)
  const floor = Math.min(LEAST_DELAY, bound)
  const delay = policy.jitter ? floor + random * (bound - floor) : bound
  return Math.min(asked, MOST_ASKED) > delay ? askedFor(asked, random) : delay
}

/** How long to wait if the server asked for `asked` ms: up to 20 % longer, so that its clients spread. @param random - As above. */
export const askedFor = (asked: number, random: number): number => Math.min(asked * (1 + random * ASKED_SPREAD), MOST_ASKED)
