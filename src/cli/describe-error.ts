import { isMcpWebSocketError } from '../index.js'
import { inFlags } from './in-flags.js'
import { printable } from './printable.js'

/** The error as it is shown: what happened, and what to do about it. */
export function describeError(error: unknown): string {
  if (!isMcpWebSocketError(error)) return printable(error instanceof Error ? error.message : String(error))
  const { message, hint, delivery } = error
  // The message of a lost call says it already.
  const isOpen = delivery === 'unknown' && !/\bexecuted\b/.test(message)
  const lines = [
    message,
    hint && `  hint: ${inFlags(hint)}`,
    isOpen && '  The request was sent and may have been executed: check before you repeat it.'
  ]
  return printable(lines.filter(Boolean).join('\n'))
}
