// JSON-RPC 2.0 as MCP narrows it: the id of a request is never null, and params are always an object.

import type { WithMeta } from './parts.js'

export type { Meta } from './parts.js'

/** Any JSON value. Source: RFC 8259. */
export type JsonValue = string | number | boolean | null | JsonObject | JsonValue[]

/** A JSON object whose members are JSON values. Source: RFC 8259. */
export type JsonObject = { [key: string]: JsonValue }

/** The params of any request or notification: an object, never an array. Source: MCP 2025-11-25, basic, "Messages". */
export type Params = WithMeta & { [key: string]: unknown }

/** What every result is at least: an open object, to which servers may add members. Source: MCP 2025-11-25, basic, "Responses". */
export type Result = WithMeta & { [key: string]: unknown }

/** Names a request within one direction of a session; a string or an integer, never reused. Source: MCP 2025-11-25, basic, "Requests". */
export type RequestId = string | number

/** A notification without its envelope, as handlers and events carry it. Source: MCP 2025-11-25, basic, "Notifications". */
export type Notification = {
  /** What happened, for example `notifications/progress`. */
  method: string
  /** What there is to say about it. */
  params?: Params | undefined
}

/** A message that gets no response. Source: MCP 2025-11-25, basic, "Notifications". */
export type JsonRpcNotification = Notification & {
  /** Version of JSON-RPC. */
  jsonrpc: '2.0'
}

/** A message that asks for a response. Source: MCP 2025-11-25, basic, "Requests". */
export type JsonRpcRequest = JsonRpcNotification & {
  /** Ties the response to the request. */
  id: RequestId
}

/** The response to a request that succeeded. Source: MCP 2025-11-25, basic, "Result Responses". */
export type JsonRpcResult = {
  /** Version of JSON-RPC. */
  jsonrpc: '2.0'
  /** The id of the request. */
  id: RequestId
  /** What the request asked for. */
  result: Result
}

/** The error member of an error response; `code` is an integer. Source: JSON-RPC 2.0, 5.1. */
export type JsonRpcError = {
  /** Kind of error; an integer. */
  code: number
  /** What went wrong, in one sentence. */
  message: string
  /** More about it, in a form of the sender. */
  data?: unknown
}

/**
 * The response to a request that failed; `id` is null or absent when the peer could not read the id of the request.
 * Source: JSON-RPC 2.0, 5; MCP 2025-11-25, basic, "Error Responses".
 */
export type JsonRpcErrorResponse = {
  /** Version of JSON-RPC. */
  jsonrpc: '2.0'
  /** The id of the request, if the peer could read it. */
  id?: RequestId | null | undefined
  /** What went wrong. */
  error: JsonRpcError
}

/** Either response to a request. Source: JSON-RPC 2.0, 5. */
export type JsonRpcResponse = JsonRpcResult | JsonRpcErrorResponse

/** Whatever may travel in one text frame. Source: MCP 2025-11-25, basic, "Messages". */
export type JsonRpcMessage = JsonRpcRequest | JsonRpcNotification | JsonRpcResponse

/** Ties progress reports to a request; unique among the sender's active requests. Source: MCP 2025-11-25, basic/utilities/progress. */
export type ProgressToken = string | number

/**
 * How far a request has come: `progress` grows from one report to the next, `total` is in the same unit and may be unknown.
 * Source: MCP 2025-11-25, basic/utilities/progress.
 */
export type Progress = {
  /** How much is done; grows with each report. */
  progress: number
  /** How much there is to do, in the unit of `progress`, if that is known. */
  total?: number | undefined
  /** What is being done, for people. */
  message?: string | undefined
}

/** Params of `notifications/progress`. Source: MCP 2025-11-25, basic/utilities/progress. */
export type ProgressParams = WithMeta &
  Progress & {
    /** The token that the request carried. */
    progressToken: ProgressToken
  }

/**
 * Params of `notifications/cancelled`; `requestId` is absent only for 2025-11-25 tasks.
 * Source: MCP 2025-11-25, basic/utilities/cancellation.
 */
export type CancelledParams = WithMeta & {
  /** The request that is no longer wanted. */
  requestId?: RequestId | undefined
  /** Why, for logs and people. */
  reason?: string | undefined
}

/**
 * Params of a list request: the opaque cursor of the page before (`""` is a cursor too), absent for the first page.
 * Source: MCP 2025-11-25, server/utilities/pagination.
 */
export type PageParams = WithMeta & {
  /** `nextCursor` of the page before. */
  cursor?: string | undefined
}

/**
 * Asks the receiver to run a request as a task, which it keeps for `ttl` ms.
 * Source: MCP 2025-11-25, basic/utilities/tasks (experimental, gone in 2026-07-28).
 */
export type TaskMetadata = {
  /** How long the task is kept after its creation, in ms. */
  ttl?: number | undefined
}
