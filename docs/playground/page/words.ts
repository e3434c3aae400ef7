// How the page says things.

import { isMcpWebSocketError, type CallToolResult, type ContentBlock, type StateChange } from 'mcp-websocket-client'

/** A time in ms, as people say it. */
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`

/** A number of bytes, as people say it. */
export const bytes = (count: number): string => (count < 1000 ? `${String(count)} B` : `${(count / 1000).toFixed(1)} kB`)

/** What is known about a failure: errors of the package carry more than a message, without secrets. */
export interface Failure {
  readonly message: string
  readonly code?: string | undefined
  readonly delivery?: string | undefined
  readonly hint?: string | undefined
}

/** What to show of whatever was thrown. */
export function failureOf(error: unknown): Failure {
  if (isMcpWebSocketError(error)) return { message: error.message, code: error.code, delivery: error.delivery, hint: error.hint }
  return { message: error instanceof Error ? error.message : String(error) }
}

/** One sentence for a change of the state, for the line that screen readers announce. */
export function sentenceFor(change: StateChange): string {
  switch (change.to) {
    case 'waiting':
      return `No connection. Attempt ${String(change.attempt)} in ${seconds(change.delay)}.`
    case 'connecting':
      return `Dialing, attempt ${String(change.attempt)}.`
    case 'initializing':
      return 'The socket is open, the handshake is under way.'
    case 'ready':
      return 'Connected.'
    case 'failed':
      return 'The client gave up.'
    case 'closing':
      return 'Closing.'
    case 'closed':
      return 'Closed.'
    case 'idle':
      return 'Not connected yet.'
  }
}

/** The result of a tool, as text. */
export const textOf = ({ content, structuredContent }: CallToolResult): string =>
  content.length === 0 ? JSON.stringify(structuredContent) : content.map(textOfBlock).join('\n')

const textOfBlock = (block: ContentBlock): string => {
  if (block.type === 'text') return block.text
  if (block.type === 'resource_link') return block.uri
  return `(${block.type})`
}
