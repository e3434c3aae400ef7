// What passes between the client and the program: handlers with what they get, and the numbers that the client reports.

import type { CreateMessageParams, CreateMessageResult, ElicitParams, ElicitResult, ListRootsResult } from './client-features.js'
import type { CancelledParams, Notification, PageParams, Params, Progress, ProgressParams, RequestId, Result } from './json-rpc.js'
import type { SetLevelParams, SubscribeParams, UnsubscribeParams } from './legacy.js'
import type { AcknowledgedParams, DiscoverResult, ListenParams, ListenResult } from './modern.js'
import type { Callback } from './options.js'
import type { WithMeta } from './parts.js'
import type {
  CallToolParams,
  CallToolResult,
  CompleteParams,
  CompleteResult,
  GetPromptParams,
  GetPromptResult,
  ListPromptsResult,
  ListResourcesResult,
  ListResourceTemplatesResult,
  ListToolsResult,
  LoggingMessageParams,
  ReadResourceParams,
  ReadResourceResult,
  ResourceUpdatedParams
} from './server-features.js'
import type { ListTasksResult, Task, TaskParams, UpdateTaskParams } from './tasks.js'

/** What a request handler gets beside the request. */
export interface RequestContext {
  /** The id that the server gave to the request; in a multi round-trip request, which has no ids, the method. */
  readonly requestId: RequestId
  /**
   * Aborted when the response no longer matters, because the server cancelled the request or its connection is gone. Stop working then.
   * Its reason is an `AbortError` that says why.
   */
  readonly signal: AbortSignal
  /** Reports progress to the server; does nothing if the server did not ask for it. Source: MCP 2025-11-25, basic/utilities/progress. */
  readonly sendProgress: (report: Progress) => void
}

/**
 * Responds to the requests of one method. It returns the result as an object; nothing means an empty result. What it throws becomes an
 * error response: with `rpcCode` and `data` of an `RpcError`, with the `code` of another error if that is an integer, else with -32603. The
 * server gets the `message` and never the stack; the event `error` reports what became -32603.
 */
export type RequestHandler = (
  request: { readonly method: string; readonly params?: Params | undefined },
  context: RequestContext
) => unknown

/** The requests that a server may send to a client, with the params that they bring and the result that they want. */
export interface ServerRequests {
  /** Asks the user for data, in a form or on a web page. */
  'elicitation/create': { params: ElicitParams; result: ElicitResult }
  /** Asks the client's model for a message. */
  'sampling/createMessage': { params: CreateMessageParams; result: CreateMessageResult }
  /** Asks for the directories and files that the server may work in. */
  'roots/list': { params: WithMeta | undefined; result: ListRootsResult }
}

/** The notifications that a server may send to a client, with the params that they bring. */
export interface ServerNotifications {
  /** Something that the server logs. */
  'notifications/message': LoggingMessageParams
  /** How far a request has come. */
  'notifications/progress': ProgressParams
  /** The server gives a request of its own up. */
  'notifications/cancelled': CancelledParams
  /** A resource changed that the client subscribed to. */
  'notifications/resources/updated': ResourceUpdatedParams
  /** The list of resources changed. */
  'notifications/resources/list_changed': WithMeta | undefined
  /** The list of tools changed. */
  'notifications/tools/list_changed': WithMeta | undefined
  /** The list of prompts changed. */
  'notifications/prompts/list_changed': WithMeta | undefined
  /** The user has done what an elicitation in URL mode asked for. */
  'notifications/elicitation/complete': WithMeta & {
    /** `elicitationId` of the request. */
    elicitationId: string
  }
  /** The server grants a subscription, or a part of it. */
  'notifications/subscriptions/acknowledged': AcknowledgedParams
}

/**
 * The requests of MCP that a client may send, with their params and results; all but `initialize`, which the client sends by itself. To
 * give types to requests of your own, add them here. {@link ServerRequests}, {@link ServerNotifications} and {@link ClientNotifications}
 * are extended in the same way.
 *
 * @example
 * ```ts
 * declare module 'mcp-websocket-client' {
 *   interface ClientRequests {
 *     'vendor/search': { params: { text: string }; result: { hits: string[] } }
 *   }
 * }
 * const { hits } = await client.request('vendor/search', { text: 'mcp' })
 * ```
 */
export interface ClientRequests {
  /** Asks for a sign of life (legacy era). */
  ping: { params: WithMeta | undefined; result: Result }
  /** Asks what the server can do (modern era). */
  'server/discover': { params: WithMeta | undefined; result: DiscoverResult }
  /** Lists one page of the tools. */
  'tools/list': { params: PageParams | undefined; result: ListToolsResult }
  /** Calls a tool. */
  'tools/call': { params: CallToolParams; result: CallToolResult }
  /** Lists one page of the resources. */
  'resources/list': { params: PageParams | undefined; result: ListResourcesResult }
  /** Lists one page of the templates of resources. */
  'resources/templates/list': { params: PageParams | undefined; result: ListResourceTemplatesResult }
  /** Reads a resource. */
  'resources/read': { params: ReadResourceParams; result: ReadResourceResult }
  /** Asks to be told of changes of a resource (legacy era). */
  'resources/subscribe': { params: SubscribeParams; result: Result }
  /** Ends a `resources/subscribe` (legacy era). */
  'resources/unsubscribe': { params: UnsubscribeParams; result: Result }
  /** Lists one page of the prompts. */
  'prompts/list': { params: PageParams | undefined; result: ListPromptsResult }
  /** Gets a prompt, filled in with arguments. */
  'prompts/get': { params: GetPromptParams; result: GetPromptResult }
  /** Asks for completions of an argument. */
  'completion/complete': { params: CompleteParams; result: CompleteResult }
  /** Sets the least severe log level that the server sends (legacy era). */
  'logging/setLevel': { params: SetLevelParams; result: Result }
  /** Asks for notifications; the response is their end (modern era). */
  'subscriptions/listen': { params: ListenParams; result: ListenResult }
  /** Lists one page of the tasks (2025-11-25). */
  'tasks/list': { params: PageParams | undefined; result: ListTasksResult }
  /** Asks where a task is. */
  'tasks/get': { params: TaskParams; result: Task }
  /** Waits for the result of a task (2025-11-25). */
  'tasks/result': { params: TaskParams; result: Result }
  /** Gives a task up. */
  'tasks/cancel': { params: TaskParams; result: Result }
  /** Gives a task its input (extension of 2026-07-28). */
  'tasks/update': { params: UpdateTaskParams; result: Result }
}

/** The notifications that a client may send, with their params; see {@link ClientRequests}. */
export interface ClientNotifications {
  /** The roots changed (legacy era). */
  'notifications/roots/list_changed': WithMeta | undefined
}

/** Called with every notification of one method. What it throws or rejects with goes to the event `error`. */
export type NotificationHandler = Callback<[notification: Readonly<Notification>]>

/** Numbers about a client, counted since it was made. */
export interface ClientStats {
  /** How often the client dialled. */
  readonly attempts: number
  /** How many outages ended in a ready connection. */
  readonly reconnects: number
  /** Messages sent. */
  readonly sent: number
  /** Messages received. */
  readonly received: number
  /** Bytes of the text frames sent. */
  readonly bytesSent: number
  /** Bytes of the text frames received. */
  readonly bytesReceived: number
  /** Requests that were sent a second time, because the connection broke before their response came. */
  readonly resent: number
  /** Requests that failed because the connection broke before their response came. */
  readonly lost: number
  /** Bytes that wait to be sent, in the outbox and in the socket; an outbox counts characters, which is the same for ASCII. */
  readonly bytesWaiting: number
  /** How long the oldest request in flight has waited for its response, in whole ms; absent while none is in flight. */
  readonly oldestRequest?: number | undefined
  /** Round trip of the last heartbeat probe or `ping()` that the server responded to, in ms; absent before the first one. */
  readonly latency?: number | undefined
}

/** What happened in an outage in which nothing was lost, because the server kept the session. */
export interface Resumed {
  /** How long the outage lasted, in ms. */
  readonly downtime: number
  /** How many messages were sent again, because the server had not received them. */
  readonly replayed: number
}

/** What happened in an outage: from the loss of a ready connection to the next `ready`. */
export interface Reconnected {
  /** How often the client dialled to get the new connection. */
  readonly attempts: number
  /** How long the outage lasted, in ms. */
  readonly downtime: number
  /** Requests in flight that are sent again on the new connection. */
  readonly resent: number
  /** Requests in flight that failed with a loss error. */
  readonly lost: number
  /** Whether the server's name, version, capabilities or version of MCP differ from before. If so, read its lists anew. */
  readonly serverChanged: boolean
}
