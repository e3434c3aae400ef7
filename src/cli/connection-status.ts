import type { StateChange } from '../index.js'
import { showDuration } from './duration.js'
import { printableLine } from './printable.js'

/** What an error is called where a whole sentence is too long: the code of the system, or the error itself. */
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
 * @param verbose - Whether to say also what only those want to know who look for a fault.
 * @returns `undefined`: nothing.
 */
export function describeChange(change: StateChange, verbose: boolean): string | undefined {
  const { from, to } = change
  if (to === 'waiting') return `reconnecting in ${showDuration(change.delay)}: ${shortCause(change)}`
  if (verbose) return `${from} → ${to}`
  return undefined
}
