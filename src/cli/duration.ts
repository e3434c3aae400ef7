const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/**
 * Reads a time such as `500ms`, `30s`, `2m` or `1h`; a number without a unit is in ms, as everywhere in this package.
 * @returns The time in ms; `undefined` if the text is none, or not above 0.
 */
export function readDuration(text: string): number | undefined {
  const [, digits, unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim()) ?? []
  const ms = digits === undefined ? 0 : Number(digits) * (UNITS[unit] ?? 0)
  return ms > 0 ? ms : undefined
}

/** A time as people read it: `340 ms`, `3 s`, `2 min`. */
export function showDuration(ms: number): string {
  if (ms < 1000) return `${String(Math.round(ms))} ms`
  if (ms < 120_000) return `${String(Math.round(ms / 1000))} s`
  return `${String(Math.round(ms / 60_000))} min`
}
