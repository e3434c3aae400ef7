/** Reads `retry-after=<seconds>` out of a close reason; the result is in ms. */
export function retryAfterOfReason(reason: string): number | undefined {
  const seconds = /\bretry-after=(\d+)\b/i.exec(reason)?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1000
}

/**
 * Reads a `Retry-After` header (RFC 9110 section 10.2.3): seconds or a date; the result is in ms.
 * @param now - Wall-clock time in ms: the date is one of the server's wall clock.
 */
export function retryAfterOfHeader(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000
  // Every form of an HTTP date begins with the day of the week; engines find a date in nearly anything ("maybe 3000").
  const date = /^\s*(mon|tue|wed|thu|fri|sat|sun)/i.test(value) ? Date.parse(value) : NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
