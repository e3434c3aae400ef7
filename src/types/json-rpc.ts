// JSON-RPC 2.0 as MCP narrows it: ids are never null in a request, params are always an object.
// `| undefined` on optional members: programs may set `exactOptionalPropertyTypes`, and the SDK's types say so too.
// Type aliases, not interfaces: only an alias is assignable to an index signature, so only an alias can be handed over as `Params`.

/** Any JSON value. Source: RFC 8259. */
export type JsonValue = string | number | boolean | null | JsonObject | JsonValue[]

/** A JSON object whose members are JSON values. Source: RFC 8259. */
export type JsonObject = { [key: string]: JsonValue }

/** The contents of a `_meta` member; keys with a `modelcontextprotocol` or `mcp` prefix belong to the protocol. Source: MCP 2025-11-25, basic, "_meta". */
export type Meta = { [key: string]: unknown }

/** The params of any request or notification: an object, never an array. Source: MCP 2025-11-25, basic, "Messages". */
export type Params = {
  _meta?: Meta | undefined
  [key: string]: unknown
}

/** What every result is at least: an open object, to which servers may add members. Source: MCP 2025-11-25, basic, "Responses". */
export type Result = {
  _meta?: Meta | undefined
  [key: string]: unknown
}

/** Names a request within one direction of a session; a string or an integer, never reused. Source: MCP 2025-11-25, basic, "Requests". */
export type RequestId = string | number

/** A message that asks for an answer. Source: MCP 2025-11-25, basic, "Requests". */
export type JsonRpcRequest = {
  jsonrpc: '2.0'
  id: RequestId
  method: string
  params?: Params | undefined
}

/** A message that gets no answer. Source: MCP 2025-11-25, basic, "Notifications". */
export type JsonRpcNotification = {
  jsonrpc: '2.0'
  method: string
  params?: Params | undefined
}

/** The answer to a request that succeeded. Source: MCP 2025-11-25, basic, "Result Responses". */
export type JsonRpcResult = {
  jsonrpc: '2.0'
  id: RequestId
  result: Result
}

/** The error member of an error response; `code` is an integer. Source: JSON-RPC 2.0, 5.1. */
export type JsonRpcError = {
  code: number
  message: string
  data?: unknown
}

/** The answer to a request that failed; `id` is null or absent when the peer could not read the request's id. Source: JSON-RPC 2.0, 5; MCP 2025-11-25, basic, "Error Responses". */
export type JsonRpcErrorResponse = {
  jsonrpc: '2.0'
  id?: RequestId | null | undefined
  error: JsonRpcError
}

/** Either answer to a request. Source: JSON-RPC 2.0, 5. */
export type JsonRpcResponse = JsonRpcResult | JsonRpcErrorResponse

/** Whatever may travel in one text frame. Source: MCP 2025-11-25, basic, "Messages". */
export type JsonRpcMessage = JsonRpcRequest | JsonRpcNotification | JsonRpcResponse

/** A notification without its envelope, as handlers and events carry it. Source: MCP 2025-11-25, basic, "Notifications". */
export type Notification = {
  method: string
  params?: Params | undefined
}

/** Ties progress notifications to a request; unique among the sender's active requests. Source: MCP 2025-11-25, basic/utilities/progress. */
export type ProgressToken = string | number

/** How far a request has come: `progress` grows from one notification to the next, `total` is in the same unit and may be unknown. Source: MCP 2025-11-25, basic/utilities/progress. */
export type Progress = {
  progress: number
  total?: number
  message?: string
}

/** Params of `notifications/progress`. Source: MCP 2025-11-25, basic/utilities/progress. */
export type ProgressParams = Progress & {
  progressToken: ProgressToken
  _meta?: Meta | undefined
}

/** Params of `notifications/cancelled`; `requestId` is absent only for 2025-11-25 tasks. Source: MCP 2025-11-25, basic/utilities/cancellation. */
export type CancelledParams = {
  requestId?: RequestId
  reason?: string
  _meta?: Meta | undefined
}

/** Params of a list request: the opaque cursor of the page before (`""` is a cursor too), absent for the first page. Source: MCP 2025-11-25, server/utilities/pagination. */
export type PageParams = {
  cursor?: string
  _meta?: Meta | undefined
}

/** The 2025-11-25 wish to run a request as a task that the receiver keeps for `ttl` ms. Source: MCP 2025-11-25, basic/utilities/tasks (experimental). */
export type TaskMetadata = {
  ttl?: number
}
