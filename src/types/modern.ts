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
  /** Version of MCP that the client speaks. */
  'io.modelcontextprotocol/protocolVersion': ModernProtocolVersion
  /** What the client can do. */
  'io.modelcontextprotocol/clientCapabilities': ClientCapabilities
  /** Who the client is. */
  'io.modelcontextprotocol/clientInfo'?: Implementation | undefined
  /** The least severe log level to be sent for this request. */
  'io.modelcontextprotocol/logLevel'?: LoggingLevel | undefined
  /** Asks for reports of the progress, which will carry this token. */
  progressToken?: ProgressToken | undefined
  [key: string]: unknown
}

/**
 * How long a result may be kept, in ms (0 = not at all), and whether users may share it.
 * Source: MCP 2026-07-28, server/utilities/caching.
 */
export type CacheHints = {
  /** How long the result may be kept, in ms; 0 means not at all. */
  ttlMs: number
  /** Whether users may share it. */
  cacheScope: 'public' | 'private'
}

/**
 * What a server says of itself; its name is in `_meta['io.modelcontextprotocol/serverInfo']`, if anywhere. The cache hints are required of
 * servers, yet a reader has to take their absence as "do not keep". Source: MCP 2026-07-28, server/discover.
 */
export type DiscoverResult = OpenResult & { [Hint in keyof CacheHints]?: CacheHints[Hint] | undefined } & {
  /** The versions of MCP that the server speaks. */
  supportedVersions: string[]
  /** What the server offers. */
  capabilities: ServerCapabilities
  /** What a model should know about the server. */
  instructions?: string | undefined
}

/** What a subscription covers; `resourceSubscriptions` are URIs. Source: MCP 2026-07-28, basic/patterns/subscriptions. */
export type SubscriptionFilter = {
  /** Tell when the tools change. */
  toolsListChanged?: boolean | undefined
  /** Tell when the prompts change. */
  promptsListChanged?: boolean | undefined
  /** Tell when the list of resources changes. */
  resourcesListChanged?: boolean | undefined
  /** Tell when one of these resources changes; URIs. */
  resourceSubscriptions?: string[] | undefined
  /** Tell when one of these tasks changes. Source: extension `io.modelcontextprotocol/tasks`. */
  taskIds?: string[] | undefined
}

/** Params of `subscriptions/listen`: what the client wants to hear of. Source: MCP 2026-07-28, basic/patterns/subscriptions. */
export type ListenParams = WithMeta & {
  /** What to tell of. */
  notifications: SubscriptionFilter
}

/**
 * Params of `notifications/subscriptions/acknowledged`: the part of the filter that the server honours.
 * Source: MCP 2026-07-28, basic/patterns/subscriptions.
 */
export type AcknowledgedParams = ListenParams

/** The server's graceful end of a subscription. Source: MCP 2026-07-28, basic/patterns/subscriptions. */
export type ListenResult = {
  /** Metadata, by name. */
  _meta: {
    /** The id of the request that began the subscription. */
    'io.modelcontextprotocol/subscriptionId': RequestId
    [key: string]: unknown
  }
  [key: string]: unknown
}

/**
 * Something that the server needs from the client before it can respond; a legacy server sends a request for it.
 * Source: MCP 2026-07-28, basic/patterns/mrtr.
 */
export type InputRequest =
  | {
      /** What is needed. */
      method: 'sampling/createMessage'
      /** The same params as in a request of a legacy server. */
      params: CreateMessageParams
    }
  | {
      /** What is needed. */
      method: 'elicitation/create'
      /** The same params as in a request of a legacy server. */
      params: ElicitParams
    }
  | {
      /** What is needed. */
      method: 'roots/list'
      /** The same params as in a request of a legacy server. */
      params?: WithMeta | undefined
    }

/** The client's response to an input request: the bare result. Source: MCP 2026-07-28, basic/patterns/mrtr. */
export type InputResponse = CreateMessageResult | ElicitResult | ListRootsResult

/**
 * In place of the result: the client is to send the same request again, under a new id, with `InputRetryParams`.
 * Source: MCP 2026-07-28, basic/patterns/mrtr.
 */
export type InputRequiredResult = OpenResult & {
  /** Tells it from a final result. */
  resultType: 'input_required'
  /** What the server needs, under keys of its choice. */
  inputRequests?: { [key: string]: InputRequest } | undefined
  /** What the client has to send back unchanged. */
  requestState?: string | undefined
}

/**
 * What the repeated request adds to its params: responses under the server's keys, and its `requestState` unchanged.
 * Source: MCP 2026-07-28, basic/patterns/mrtr.
 */
export type InputRetryParams = {
  /** The responses, under the server's keys. */
  inputResponses?: { [key: string]: InputResponse } | undefined
  /** `requestState` of the result, unchanged. */
  requestState?: string | undefined
}
