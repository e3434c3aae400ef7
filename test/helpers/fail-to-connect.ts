import { expect } from 'vitest'
import { isRetriesExhaustedError, type HandshakeError, type McpWebSocketClientOptions, type McpWebSocketError } from '../../src/index.js'
import { rejectionOf } from './rejection-of.js'
import { useClient, type Observed } from './use-client.js'

type Failure = McpWebSocketError &
  Partial<Pick<HandshakeError, 'status' | 'body' | 'wwwAuthenticate'>> & { readonly cause?: NodeJS.ErrnoException }

/** A client whose `connect()` rejected. */
export interface FailedConnect extends Observed {
  /** With what it rejected: what is not fatal shows as `RetriesExhaustedError`. */
  readonly error: Failure
  /** The failure of the last attempt itself. */
  readonly failure: Failure
}

/** Connects in vain, with two quick retries. */
export async function failToConnect(options: McpWebSocketClientOptions): Promise<FailedConnect> {
  const observed = useClient({ reconnect: { initialDelay: 5, maxDelay: 20, maxRetries: 2 }, ...options })
  const error = (await rejectionOf(observed.client.connect())) as Failure
  expect(observed.client.state).toBe('failed')
  return { ...observed, error, failure: isRetriesExhaustedError(error) ? (error.cause as Failure) : error }
}
