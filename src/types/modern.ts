// What only the modern era has: discovery, `_meta` in place of a handshake, subscriptions, and requests of several rounds.

import type {
  ClientCapabilities,
  CreateMessageParams,
  CreateMessageResult,
  ElicitParams,
  ElicitResult,
  Implementation,
  ListRootsResult,
  LoggingLevel,
  ProgressToken,
  RequestId,
  ServerCapabilities
} from './common.js'
import type { OpenResult, WithMeta } from './parts.js'

/** The stateless revision. Source: MCP 2026-07-28, basic/versioning. */
export type ModernProtocolVersion = '2026-07-28'

/**
 * `params._meta` of every request: what a handshake settles in the legacy era. Without `logLevel` the server may not log.
 * Source: MCP 2026-07-28, basic, "_meta".
 */
export type RequestMeta = {
  'io.modelcontextprotocol/protocolVersion': ModernProtocolVersion
  'io.modelcontextprotocol/clientCapabilities': ClientCapabilities
  'io.modelcontextprotocol/clientInfo'?: Implementation | undefined
  'io.modelcontextprotocol/logLevel'?: LoggingLevel | undefined
  progressToken?: ProgressToken | undefined
  [key: string]: unknown
}

/**
 * How long a result may be kept, in ms (0 = not at all), and whether users may share it.
 * Source: MCP 2026-07-28, server/utilities/caching.
 */
export type CacheHints = { ttlMs: number; cacheScope: 'public' | 'private' }

/**
 * What a server says of itself; its name is in `_meta['io.modelcontextprotocol/serverInfo']`, if anywhere. The cache hints are required of
 * servers, yet a reader has to take their absence as "do not keep". Source: MCP 2026-07-28, server/discover.
 */
export type DiscoverResult = OpenResult & { [Hint in keyof CacheHints]?: CacheHints[Hint] | undefined } & {
  supportedVersions: string[]
  capabilities: ServerCapabilities
  instructions?: string | undefined
}

/** What a subscription covers; `resourceSubscriptions` are URIs. Source: MCP 2026-07-28, basic/patterns/subscriptions. */
export type SubscriptionFilter = {
  toolsListChanged?: boolean | undefined
  promptsListChanged?: boolean | undefined
  resourcesListChanged?: boolean | undefined
  resourceSubscriptions?: string[] | undefined
}

/** Params of `subscriptions/listen`: what the client wants to hear of. Source: MCP 2026-07-28, basic/patterns/subscriptions. */
export type ListenParams = WithMeta & { notifications: SubscriptionFilter }

/**
 * Params of `notifications/subscriptions/acknowledged`: the part of the filter that the server honours.
 * Source: MCP 2026-07-28, basic/patterns/subscriptions.
 */
export type AcknowledgedParams = ListenParams

/** The server's graceful end of a subscription. Source: MCP 2026-07-28, basic/patterns/subscriptions. */
export type ListenResult = {
  _meta: { 'io.modelcontextprotocol/subscriptionId': RequestId; [key: string]: unknown }
  [key: string]: unknown
}

/**
 * Something that the server needs from the client before it can respond; a legacy server sends a request for it.
 * Source: MCP 2026-07-28, basic/patterns/mrtr.
 */
export type InputRequest =
  | { method: 'sampling/createMessage'; params: CreateMessageParams }
  | { method: 'elicitation/create'; params: ElicitParams }
  | { method: 'roots/list'; params?: WithMeta | undefined }

/** The client's response to an input request: the bare result. Source: MCP 2026-07-28, basic/patterns/mrtr. */
export type InputResponse = CreateMessageResult | ElicitResult | ListRootsResult

/**
 * In place of the result: the client is to send the same request again, under a new id, with `InputRetryParams`.
 * Source: MCP 2026-07-28, basic/patterns/mrtr.
 */
export type InputRequiredResult = OpenResult & {
  resultType: 'input_required'
  inputRequests?: { [key: string]: InputRequest } | undefined
  requestState?: string | undefined
}

/**
 * What the repeated request adds to its params: responses under the server's keys, and its `requestState` unchanged.
 * Source: MCP 2026-07-28, basic/patterns/mrtr.
 */
export type InputRetryParams = {
  inputResponses?: { [key: string]: InputResponse } | undefined
  requestState?: string | undefined
}
