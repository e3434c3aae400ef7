import type { CreateMessageParams, CreateMessageResult, ElicitParams, ElicitResult, ListRootsResult } from './client-features.js'
import type { Meta, Params, Progress, RequestId } from './json-rpc.js'

/** What a request handler learns beside the request. */
export interface RequestContext {
  readonly requestId: RequestId
  /** Fires when the answer no longer matters: the server cancelled, or its connection is gone. */
  readonly signal: AbortSignal
  /** Reports progress, if the server asked for it; otherwise does nothing. */
  readonly sendProgress: (report: Progress) => void
}

/** Answers a request of the server; what it throws becomes a JSON-RPC error (an `RpcError` with its own code). */
export type RequestHandler = (request: { readonly method: string; readonly params?: Params }, context: RequestContext) => unknown

/** The requests that a server may send, with what they bring and what they want. */
export interface ServerRequests {
  'elicitation/create': { params: ElicitParams; result: ElicitResult }
  'sampling/createMessage': { params: CreateMessageParams; result: CreateMessageResult }
  'roots/list': { params: { _meta?: Meta } | undefined; result: ListRootsResult }
}

/** Takes the notifications of one method. */
export type NotificationHandler = (notification: { readonly method: string; readonly params?: Params }) => void

/** Numbers about a client since it was made; sizes in bytes, `latency` in ms. */
export interface ClientStats {
  readonly attempts: number
  readonly reconnects: number
  readonly sent: number
  readonly received: number
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly resent: number
  readonly lost: number
  readonly latency?: number
}

/** What a reconnect did. */
export interface Reconnected {
  /** Dials since the connection broke. */
  readonly attempts: number
  /** Ms without a ready connection. */
  readonly downtime: number
  /** Requests in flight that were sent again. */
  readonly resent: number
  /** Requests in flight that failed. */
  readonly lost: number
  /** Whether the server's name, version or capabilities differ from before. */
  readonly serverChanged: boolean
}
