import type { ConnectionOptions } from './options.js'

/** Options of {@link WebSocketClientTransport}: those of the client that are not about MCP. Times in ms. */
export interface WebSocketClientTransportOptions extends ConnectionOptions {
  /** Most requests that may wait for an answer. Default 10 000. */
  readonly maxPending?: number
}
