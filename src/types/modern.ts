import type {
  ClientCapabilities,
  CreateMessageParams,
  CreateMessageResult,
  ElicitParams,
  ElicitResult,
  Implementation,
  ListRootsResult,
  LoggingLevel,
  Meta,
  ProgressToken,
  RequestId,
  ServerCapabilities
} from './common.js'

/** The stateless revision. Source: MCP 2026-07-28, basic/versioning. */
export type ModernProtocolVersion = '2026-07-28'

/** `params._meta` of every request: what a handshake used to settle. Without `logLevel` the server may not log. Source: MCP 2026-07-28, basic, "_meta". */
export type RequestMeta = {
  'io.modelcontextprotocol/protocolVersion': ModernProtocolVersion
  'io.modelcontextprotocol/clientCapabilities': ClientCapabilities
  'io.modelcontextprotocol/clientInfo'?: Implementation
  'io.modelcontextprotocol/logLevel'?: LoggingLevel
  progressToken?: ProgressToken
  [key: string]: unknown
}

/** How long a result may be kept, in ms (0 = not at all), and whether it may be shared between users. Source: MCP 2026-07-28, server/utilities/caching. */
export type CacheHints = {
  ttlMs: number
  cacheScope: 'public' | 'private'
}

/**
 * What a server says of itself; its name is in `_meta['io.modelcontextprotocol/serverInfo']`, if anywhere. The cache hints are required of
 * servers, yet a reader has to take their absence as "do not keep". Source: MCP 2026-07-28, server/discover.
 */
export type DiscoverResult = Partial<CacheHints> & {
  supportedVersions: string[]
  capabilities: ServerCapabilities
  instructions?: string
  _meta?: Meta
  [key: string]: unknown
}

/** What a subscription covers; `resourceSubscriptions` are URIs. Source: MCP 2026-07-28, basic/patterns/subscriptions. */
export type SubscriptionFilter = {
  toolsListChanged?: boolean
  promptsListChanged?: boolean
  resourcesListChanged?: boolean
  resourceSubscriptions?: string[]
}

/** Params of `subscriptions/listen`: what the client wants to hear of. Source: MCP 2026-07-28, basic/patterns/subscriptions. */
export type ListenParams = {
  notifications: SubscriptionFilter
  _meta?: Meta
}

/** Params of `notifications/subscriptions/acknowledged`: the part of the filter that the server honours. Source: MCP 2026-07-28, basic/patterns/subscriptions. */
export type AcknowledgedParams = {
  notifications: SubscriptionFilter
  _meta?: Meta
}

/** The server's graceful end of a subscription. Source: MCP 2026-07-28, basic/patterns/subscriptions. */
export type ListenResult = {
  _meta: {
    'io.modelcontextprotocol/subscriptionId': RequestId
    [key: string]: unknown
  }
  [key: string]: unknown
}

/** Something the server needs from the client before it can answer: what legacy servers ask for by requests of their own. Source: MCP 2026-07-28, basic/patterns/mrtr. */
export type InputRequest =
  | { method: 'sampling/createMessage'; params: CreateMessageParams }
  | { method: 'elicitation/create'; params: ElicitParams }
  | { method: 'roots/list'; params?: { _meta?: Meta } }

/** The client's answer to an input request: the bare result. Source: MCP 2026-07-28, basic/patterns/mrtr. */
export type InputResponse = CreateMessageResult | ElicitResult | ListRootsResult

/** Instead of an answer: the same request is to be sent again, under a new id, with `InputRetryParams`. Source: MCP 2026-07-28, basic/patterns/mrtr. */
export type InputRequiredResult = {
  resultType: 'input_required'
  inputRequests?: { [key: string]: InputRequest }
  requestState?: string
  _meta?: Meta
  [key: string]: unknown
}

/** What the repeated request adds to its params: answers under the server's keys, and its `requestState` unchanged. Source: MCP 2026-07-28, basic/patterns/mrtr. */
export type InputRetryParams = {
  inputResponses?: { [key: string]: InputResponse }
  requestState?: string
}
