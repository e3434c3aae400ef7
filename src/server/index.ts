export { McpWebSocketServer } from './server.js'
export { isSameToken } from './credentials.js'
export type {
  ConnectionInfo,
  CutReason,
  McpWebSocketServerOptions,
  MessageExtra,
  RejectReason,
  ServerMetrics,
  ServerTransport
} from './types.js'
