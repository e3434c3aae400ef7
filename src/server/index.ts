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
  ConnectionInfo,
  CutReason,
  McpWebSocketServerOptions,
  MessageExtra,
  RejectionInfo,
  RejectReason,
  ServerMetrics,
  ServerTransport
} from './types.js'
