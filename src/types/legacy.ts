// What only the legacy era has: the `initialize` handshake, and the requests that the modern era replaces by subscriptions and `_meta`.

import type { ClientCapabilities, Implementation, LoggingLevel, ServerCapabilities } from './common.js'
import type { OpenResult, WithMeta } from './parts.js'

/** The revisions that open with the `initialize` handshake, newest first. Source: MCP, specification/versioning. */
export type LegacyProtocolVersion = '2025-11-25' | '2025-06-18' | '2025-03-26' | '2024-11-05' | '2024-10-07'

/** Params of `initialize`: what the client speaks, can do and is. Source: MCP 2025-11-25, basic/lifecycle, "Initialization". */
export type InitializeParams = WithMeta & {
  /** The newest version that the client speaks. */
  protocolVersion: string
  /** What the client can do. */
  capabilities: ClientCapabilities
  /** Who the client is. */
  clientInfo: Implementation
}

/**
 * The server's side of the handshake; `protocolVersion` may differ from the one asked for.
 * Source: MCP 2025-11-25, basic/lifecycle, "Initialization".
 */
export type InitializeResult = OpenResult & {
  /** The version that both will speak. */
  protocolVersion: string
  /** What the server offers. */
  capabilities: ServerCapabilities
  /** Who the server is. */
  serverInfo: Implementation
  /** What a model should know about the server. */
  instructions?: string | undefined
}

/** Params of `logging/setLevel`: the least severity to be sent. Source: MCP 2025-11-25, server/utilities/logging. */
export type SetLevelParams = WithMeta & {
  /** The least severe level to be sent. */
  level: LoggingLevel
}

/** Params of `resources/subscribe`. Source: MCP 2025-11-25, server/resources, "Subscriptions". */
export type SubscribeParams = WithMeta & {
  /** The address of the resource. */
  uri: string
}

/** Params of `resources/unsubscribe`. Source: MCP 2025-11-25, server/resources, "Subscriptions". */
export type UnsubscribeParams = SubscribeParams
