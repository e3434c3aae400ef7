/**
 * The server: it accepts sockets and hands each to an MCP server of the official SDK. For Node.
 *
 * @packageDocumentation
 */

export { McpWebSocketServer } from './server.js'
export { isSameToken } from './credentials.js'
export type {
  JsonRpcError,
  JsonRpcErrorResponse,
  JsonRpcMessage,
  JsonRpcNotification,
  JsonRpcRequest,
  JsonRpcResponse,
  JsonRpcResult,
  RequestId
} from '../types/json-rpc.js'
export type {
  ClaimedSession,
  ClaimRejection,
  FoundSession,
  SessionStore,
  SessionStoreListener,
  StoredSession,
  StoreIdentity
} from '../types/session-store.js'
export type { ResumeFailure } from '../wire/resume-frames.js'
export type {
  ConnectionEnd,
  ConnectionInfo,
  CutReason,
  McpWebSocketServerOptions,
  MessageExtra,
  RejectionInfo,
  RejectReason,
  ResumeOptions,
  ServerMetrics,
  ServerTransport
} from './types.js'
