import { describe, expect, it } from 'vitest'
import { retryAfterOfHeader, retryAfterOfReason } from '../../src/socket/retry-after.js'

describe('retryAfterOfReason', () => {
  it.each([
    ['retry-after=5', 5000],
    ['retry-after=0', 0],
    ['Retry-After=30', 30_000],
    ['restarting; retry-after=12; sorry', 12_000],
    ['retry-after=999999999', 999_999_999_000],
    ['', undefined],
    ['try again later', undefined],
    ['retry-after=', undefined],
    ['retry-after=soon', undefined],
    ['retry-after=-5', undefined],
    ['retry-after=5s', undefined],
    ['noretry-after=5', undefined]
  ])('reads %j as %s ms', (reason, expected) => {
    expect(retryAfterOfReason(reason)).toBe(expected)
  })
})

describe('retryAfterOfHeader', () => {
  const now = Date.parse('2026-11-21T06:00:00Z')

  it.each([
    [undefined, undefined],
    ['0', 0],
    ['120', 120_000],
    [' 120 ', 120_000],
    ['99999999999', 99_999_999_999_000],
    ['9'.repeat(400), Infinity],
    ['Sat, 21 Nov 2026 06:01:30 GMT', 90_000],
    ['Sat, 21 Nov 2026 06:00:00 GMT', 0],
    ['Sat, 21 Nov 2026 05:00:00 GMT', 0],
    ['', undefined],
    ['soon', undefined],
    ['12 monkeys', undefined],
    ['in 120', undefined],
    ['not on Sat, 21 Nov 2026 06:01:30 GMT', undefined],
    ['xSat, 21 Nov 2026 06:01:30 GMT', undefined]
  ])('reads %j as %s ms', (value, expected) => {
    expect(retryAfterOfHeader(value, now)).toBe(expected)
  })
})
