/**
 * Reads `retry-after=<seconds>` out of a close reason: WebSocket has no such field, so this package defines one (docs/binding.md).
 * @returns The wait in ms; `undefined` if the reason asks for none.
 */
export function retryAfterOfReason(reason: string): number | undefined {
  const match = /\bretry-after=(\d+)\b/i.exec(reason)
  return match ? Number(match[1]) * 1000 : undefined
}

/**
 * Reads a `Retry-After` header (RFC 9110 section 10.2.3): seconds, or a date.
 * @param now - Wall-clock time in ms, since a date is one of the server's wall clock.
 * @returns The wait in ms, 0 for a date that has passed; `undefined` for a header that is missing or not readable.
 */
export function retryAfterOfHeader(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\s*\d+\s*$/.test(value)) return Number(value) * 1000
  // Every form of an HTTP date begins with the day of the week. `Date.parse` alone finds a date in nearly any text ("maybe 3000").
  const date = /^\s*(mon|tue|wed|thu|fri|sat|sun)/i.test(value) ? Date.parse(value) : NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
