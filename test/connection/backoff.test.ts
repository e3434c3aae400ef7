import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffDelay, type BackoffPolicy } from '../../src/connection/backoff.js'

const JITTERED: BackoffPolicy = { initialDelay: 1000, maxDelay: 20_000, growFactor: 2, jitter: true }
const FIXED: BackoffPolicy = { ...JITTERED, jitter: false }
const FIVE_MINUTES = 300_000

// The bound, computed step by step instead of by a power.
function boundOf(n: number, { initialDelay, maxDelay, growFactor }: BackoffPolicy): number {
  let bound = initialDelay
  for (let step = 1; step < n && bound < maxDelay; step++) bound *= growFactor
  return Math.min(bound, maxDelay)
}

const duration = fc.double({ min: 1, max: 1e6, noNaN: true })
const policies: fc.Arbitrary<BackoffPolicy> = fc.record({
  initialDelay: duration,
  maxDelay: duration,
  growFactor: fc.double({ min: 1, max: 100, noNaN: true }),
  jitter: fc.boolean()
})
const chances = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('backoffDelay without jitter', () => {
  it.each([
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [4, 8000],
    [5, 16_000],
    [6, 20_000],
    [7, 20_000],
    [1_000_000, 20_000]
  ])('waits before retry %i for the bound of %i ms, whatever chance says', (n, bound) => {
    expect([0, 0.5, 0.99].map((random) => backoffDelay(n, FIXED, random))).toEqual([bound, bound, bound])
  })

  it('takes maxDelay from the first retry on when initialDelay is larger', () => {
    expect(backoffDelay(1, { ...FIXED, initialDelay: 50_000 }, 0)).toBe(20_000)
  })

  it('stays at initialDelay with the growth factor 1', () => {
    expect(backoffDelay(500, { ...FIXED, growFactor: 1 }, 0)).toBe(1000)
  })

  it('waits less than 100 ms when the bound is less', () => {
    expect(backoffDelay(1, { ...FIXED, initialDelay: 20 }, 0)).toBe(20)
  })
})

describe('backoffDelay with jitter', () => {
  it.each([
    { n: 1, random: 0, delay: 100 },
    { n: 1, random: 0.5, delay: 550 },
    { n: 1, random: 0.75, delay: 775 },
    { n: 3, random: 0, delay: 100 },
    { n: 3, random: 0.5, delay: 2050 },
    { n: 50, random: 0.5, delay: 10_050 },
    { n: 1_000_000, random: 0, delay: 100 }
  ])('waits $delay ms before retry $n when chance says $random', ({ n, random, delay }) => {
    expect(backoffDelay(n, JITTERED, random)).toBe(delay)
  })

  it('waits exactly the bound when that is below 100 ms', () => {
    expect([0, 0.5, 0.99].map((random) => backoffDelay(1, { ...JITTERED, initialDelay: 60 }, random))).toEqual([60, 60, 60])
  })

  it('spreads evenly over [min(100, bound), bound]', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), policies, chances, (n, policy, random) => {
        const bound = boundOf(n, policy)
        const floor = Math.min(100, bound)
        const expected = policy.jitter ? floor + random * (bound - floor) : bound
        expect(Math.abs(backoffDelay(n, policy, random) - expected)).toBeLessThanOrEqual(1e-9 * bound)
      })
    )
  })

  it('never leaves [min(100, bound), maxDelay] up to retry 1 000 000', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), policies, chances, (n, policy, random) => {
        const delay = backoffDelay(n, policy, random)
        expect(delay).toBeGreaterThanOrEqual(Math.min(100, policy.initialDelay, policy.maxDelay))
        expect(delay).toBeLessThanOrEqual(policy.maxDelay)
      })
    )
  })

  it('never shrinks from one bound to the next', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), policies, (n, policy) => {
        const fixed = { ...policy, jitter: false }
        expect(backoffDelay(n + 1, fixed, 0)).toBeGreaterThanOrEqual(backoffDelay(n, fixed, 0))
      })
    )
  })
})

describe('backoffDelay with a Retry-After', () => {
  it.each([
    { asked: 0, random: 0, delay: 1000, why: 'none' },
    { asked: 999, random: 0.5, delay: 1000, why: 'a smaller one' },
    { asked: 1000, random: 0.5, delay: 1000, why: 'an equal one' },
    { asked: 2000, random: 0, delay: 2000, why: 'a larger one' },
    { asked: 2000, random: 0.5, delay: 2200, why: 'a larger one, spread' },
    { asked: 100_000, random: 0.5, delay: 110_000, why: 'one beyond maxDelay' },
    { asked: 290_000, random: 0.5, delay: FIVE_MINUTES, why: 'one whose spread passes five minutes' },
    { asked: 86_400_000, random: 0, delay: FIVE_MINUTES, why: 'one of a day' },
    { asked: Infinity, random: 0.5, delay: FIVE_MINUTES, why: 'an endless one' }
  ])('is $delay ms after $why ($asked ms)', ({ asked, random, delay }) => {
    expect(backoffDelay(1, FIXED, random, asked)).toBeCloseTo(delay, 6)
  })

  it('is never earlier than the server asked for, at most 20 % later, and never beyond five minutes', () => {
    const asks = fc.double({ min: 1, max: 1e9, noNaN: true })
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), policies, chances, asks, (n, policy, random, asked) => {
        const own = backoffDelay(n, policy, random)
        const delay = backoffDelay(n, policy, random, asked)
        const least = Math.min(asked, FIVE_MINUTES)
        if (least <= own) expect(delay).toBe(own)
        else {
          expect(delay).toBeGreaterThanOrEqual(least)
          expect(delay).toBeLessThanOrEqual(Math.min(least * 1.2, FIVE_MINUTES))
        }
      })
    )
  })
})
