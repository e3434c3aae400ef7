import { describe, expect, it } from 'vitest'
import { renewAfter } from '../../src/connection/departure.js'

describe('a token', () => {
  it.each([
    [3_600_000, 3_570_000],
    [60_000, 30_000],
    [10_000, 5000]
  ])('that is good for %i ms is renewed after %i ms', (lifetime, expected) => {
    expect(renewAfter(lifetime)).toBe(expected)
  })

  it.each([undefined, 0, -1])('that is good for ever, or expired already, is not renewed (%s)', (lifetime) => {
    expect(renewAfter(lifetime)).toBe(Infinity)
  })
})
