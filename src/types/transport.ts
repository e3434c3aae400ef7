import type { RequestId } from './json-rpc.js'
import type { ConnectionOptions } from './options.js'

/** Options of {@link WebSocketClientTransport}: those of a connection. What concerns MCP itself is up to the SDK. */
export interface WebSocketClientTransportOptions extends ConnectionOptions {
  /**
   * Which side of MCP the SDK above is. `'server'`: an `McpServer`, whose client is at the other end. It dials for ever unless
   * `reconnect.maxRetries` says otherwise, keeps nothing for the next connection, and takes none of the options `outbox`, `resend` and
   * `resume`. See `docs/transport.md`.
   * @default 'client'
   *
   * @example
   * ```ts
   * await mcpServer.connect(new WebSocketClientTransport('wss://gateway.example.com/mcp', { role: 'server' }))
   * ```
   */
  readonly role?: 'client' | 'server' | undefined
  /**
   * Whether the SDK above takes notifications. Vercel's AI SDK takes none, and reports an error for each one, even for those after a
   * reconnect which say that a list may have changed. With `false`, none is delivered.
   * @default true
   */
  readonly notifications?: boolean | undefined
}

/** What the SDK says about a message that it sends. */
export interface SendOptions {
  /** The request of the other end whose handler sends the message. */
  readonly relatedRequestId?: RequestId | undefined
}
