// What only the legacy era has: the `initialize` handshake, and the requests whose work subscriptions and `_meta` do in the modern era.

import type { ClientCapabilities, Implementation, LoggingLevel, ServerCapabilities } from './common.js'
import type { OpenResult, WithMeta } from './parts.js'

/** The revisions that open with the `initialize` handshake, newest first. Source: MCP, specification/versioning. */
export type LegacyProtocolVersion = '2025-11-25' | '2025-06-18' | '2025-03-26' | '2024-11-05' | '2024-10-07'

/** Params of `initialize`: what the client speaks, can do and is. Source: MCP 2025-11-25, basic/lifecycle, "Initialization". */
export type InitializeParams = WithMeta & { protocolVersion: string; capabilities: ClientCapabilities; clientInfo: Implementation }

/**
 * The server's side of the handshake; `protocolVersion` may differ from the one asked for.
 * Source: MCP 2025-11-25, basic/lifecycle, "Initialization".
 */
export type InitializeResult = OpenResult & {
  protocolVersion: string
  capabilities: ServerCapabilities
  serverInfo: Implementation
  instructions?: string | undefined
}

/** Params of `logging/setLevel`: the least severity to be sent. Source: MCP 2025-11-25, server/utilities/logging. */
export type SetLevelParams = WithMeta & { level: LoggingLevel }

/** Params of `resources/subscribe`. Source: MCP 2025-11-25, server/resources, "Subscriptions". */
export type SubscribeParams = WithMeta & { uri: string }

/** Params of `resources/unsubscribe`. Source: MCP 2025-11-25, server/resources, "Subscriptions". */
export type UnsubscribeParams = SubscribeParams
