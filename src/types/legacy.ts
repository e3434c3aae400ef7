import type { ClientCapabilities, Implementation, LoggingLevel, Meta, ServerCapabilities } from './common.js'

/** The revisions that open with the `initialize` handshake, newest first. Source: MCP, specification/versioning. */
export type LegacyProtocolVersion = '2025-11-25' | '2025-06-18' | '2025-03-26' | '2024-11-05'

/** Params of `initialize`: what the client speaks, can do and is. Source: MCP 2025-11-25, basic/lifecycle, "Initialization". */
export type InitializeParams = {
  protocolVersion: string
  capabilities: ClientCapabilities
  clientInfo: Implementation
  _meta?: Meta
}

/** The server's side of the handshake; `protocolVersion` may differ from the one asked for. Source: MCP 2025-11-25, basic/lifecycle, "Initialization". */
export type InitializeResult = {
  protocolVersion: string
  capabilities: ServerCapabilities
  serverInfo: Implementation
  instructions?: string
  _meta?: Meta
  [key: string]: unknown
}

/** Params of `logging/setLevel`: the least severity to be sent. Source: MCP 2025-11-25, server/utilities/logging. */
export type SetLevelParams = {
  level: LoggingLevel
  _meta?: Meta
}

/** Params of `resources/subscribe`. Source: MCP 2025-11-25, server/resources, "Subscriptions". */
export type SubscribeParams = {
  uri: string
  _meta?: Meta
}

/** Params of `resources/unsubscribe`. Source: MCP 2025-11-25, server/resources, "Subscriptions". */
export type UnsubscribeParams = {
  uri: string
  _meta?: Meta
}
