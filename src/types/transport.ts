import type { ConnectionOptions } from './options.js'

/** Options of {@link WebSocketClientTransport}: those of a connection. What concerns MCP itself is up to the SDK's `Client`. */
export type WebSocketClientTransportOptions = ConnectionOptions
