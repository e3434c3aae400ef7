import { inspect } from 'node:util'

/** Everything that a log could show of these values. */
export const everythingShown = (...values: unknown[]): string =>
  values.map((value) => [inspect(value, { depth: 10 }), JSON.stringify(value), String(value)].join('\n')).join('\n')
