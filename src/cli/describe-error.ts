import { isMcpWebSocketError } from '../index.js'
import { printable } from './printable.js'

/** The error as it is shown: what happened, and what to do about it. */
export function describeError(error: unknown): string {
  if (!isMcpWebSocketError(error)) return printable(error instanceof Error ? error.message : String(error))
  const { hint, delivery } = error
  const lines = [
    error.message,
    hint && `  hint: ${hint}`,
    delivery === 'unknown' && '  The request was sent and may have been executed: check before you repeat it.'
  ]
  return printable(lines.filter(Boolean).join('\n'))
}
