import type { StateChange } from '../index.js'
import { showDuration } from './duration.js'
import { printableLine } from './printable.js'

/** The cause in a few words: the system's error code or the HTTP status if there is one, else the error. */
function shortCause({ closure }: StateChange): string {
  if (closure === undefined) return 'connection lost'
  const { error, code, reason, status } = closure
  const systemCode = (error?.cause as { code?: unknown } | undefined)?.code
  if (typeof systemCode === 'string') return systemCode
  if (status !== undefined) return `HTTP ${String(status)}`
  if (error !== undefined) return printableLine(error.message, 200)
  return code === undefined ? closure.kind : `closed with ${String(code)}${reason ? ` ${printableLine(reason, 100)}` : ''}`
}

/**
 * What to say about a change of the state.
 * @param verbose - Whether to say more, for somebody who looks for a fault.
 * @returns `undefined`: nothing.
 */
export function describeChange(change: StateChange, verbose: boolean): string | undefined {
  const { from, to } = change
  if (to === 'waiting') return `reconnecting in ${showDuration(change.delay)}: ${shortCause(change)}`
  if (verbose) return `${from} → ${to}`
  return undefined
}
