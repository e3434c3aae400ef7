import { describe, expect, test } from 'vitest'
import { median, percentile, present, ratio } from './statistics.js'

describe('the median', () => {
  test.each([
    { values: [3], is: 3 },
    { values: [9, 1, 5], is: 5 },
    { values: [4, 1, 3, 2], is: 2.5 },
    { values: [10, 9, 100], is: 10 }
  ])('of $values is $is', ({ values, is }) => expect(median(values)).toBe(is))

  test('of nothing is not a number', () => expect(median([])).toBeNaN())

  test('leaves the values in their order', () => {
    const values = [3, 1, 2]
    median(values)
    expect(values).toEqual([3, 1, 2])
  })
})

describe('the percentile', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i)

  test.each([
    { percent: 50, is: 50 },
    { percent: 99, is: 99 },
    { percent: 100, is: 100 },
    { percent: 0, is: 1 }
  ])('$percent of 1 to 100 is $is', ({ percent, is }) => expect(percentile(hundred, percent)).toBe(is))

  test('is a value that was measured, not one between two', () => expect(percentile([1, 1000], 50)).toBe(1))

  test('of nothing is not a number', () => expect(percentile([], 99)).toBeNaN())
})

describe('the ratio', () => {
  test('is the median of the ratios of each round', () => {
    // One round was four times slower for both.
    expect(ratio([20, 80, 22], [10, 40, 10])).toBe(2)
  })

  test('is not the ratio of the medians', () => {
    const [samples, floor] = [
      [10, 40, 40],
      [10, 10, 40]
    ]
    expect(median(samples) / median(floor)).toBe(4)
    expect(ratio(samples, floor)).toBe(1)
  })

  test('leaves out a round that lacks one of both, or whose floor is nothing', () => {
    expect(ratio([undefined, 6, 8, 9], [1, 2, undefined, 0])).toBe(3)
  })

  test('of rounds that have nothing in common is undefined', () => {
    expect(ratio([1, undefined], [undefined, 1])).toBeUndefined()
    expect(ratio([], [])).toBeUndefined()
  })
})

test('present() keeps a zero', () => expect(present([0, undefined, 2])).toEqual([0, 2]))
