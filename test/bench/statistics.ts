/** The value in the middle, or the mean of the two in the middle; `NaN` of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  if (sorted.length === 0) return NaN
  if (!Number.isInteger(middle)) return sorted[Math.floor(middle)]!
  return (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The smallest value that `percent` of all values do not exceed (nearest rank); `NaN` of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  if (values.length === 0) return NaN
  const sorted = Float64Array.from(values).sort()
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!
}

/** What was measured in each round; `undefined` where there is nothing. */
export type Samples = readonly (number | undefined)[]

/** The samples that are there. */
export const present = (samples: Samples): number[] => samples.filter((sample) => sample !== undefined)

/**
 * The median of the ratios of each round. What slows a whole round down, such as another program, slows the floor as well: a ratio of
 * medians would compare a slow round with a fast one.
 * @returns `undefined` if no round has both.
 */
export function ratio(samples: Samples, floor: Samples): number | undefined {
  const ratios = present(samples.map((sample, round) => (sample === undefined || !floor[round] ? undefined : sample / floor[round])))
  return ratios.length === 0 ? undefined : median(ratios)
}
