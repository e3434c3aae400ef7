/**
 * The client, with the errors of the package and the shapes of MCP. For browsers and Node.
 *
 * @packageDocumentation
 */

export { McpWebSocketClient } from './client/client.js'
export {
  ClosedError,
  ConnectionLostError,
  HandshakeError,
  isClosedError,
  isConnectionLostError,
  isHandshakeError,
  isMcpWebSocketError,
  isProtocolError,
  isQueueFullError,
  isRequestTimeoutError,
  isRetriesExhaustedError,
  isRpcError,
  isSubprotocolError,
  isUnauthorizedError,
  McpWebSocketError,
  ProtocolError,
  QueueFullError,
  RequestTimeoutError,
  RetriesExhaustedError,
  RpcError,
  SubprotocolError,
  UnauthorizedError
} from './errors.js'
export type { Closure, ClosureKind, Delivery, ErrorCode, ErrorDetails, RejectedUpgradeDetails } from './errors.js'
export type { Era } from './session/agreement.js'
export type { StateName } from './connection/lifecycle.js'
export type { ClientEvents, StateChange } from './session/events.js'
export type {
  ClientNotifications,
  ClientRequests,
  ClientStats,
  NotificationHandler,
  Reconnected,
  Resumed,
  RequestContext,
  RequestHandler,
  ServerNotifications,
  ServerRequests
} from './types/client.js'
export type { ClientRequest, Middleware, ResultFlow, ResultTypeHandler, ServerRequest } from './types/extensions.js'
export type { Subscription, SubscriptionEnd } from './client/subscriptions.js'
export type * from './types/common.js'
export type { DiagnosticEvent } from './types/diagnostics.js'
export type * from './types/legacy.js'
export type * from './types/modern.js'
export type * from './types/tasks.js'
export type {
  AuthOptions,
  Awaitable,
  Callback,
  CompileSchema,
  ConnectionOptions,
  ExpiringToken,
  HeadersLike,
  HeadersOption,
  HeartbeatOptions,
  JsonOption,
  McpWebSocketClientOptions,
  OutboxOptions,
  OutputValidator,
  ReconnectOptions,
  RequestOptions,
  SentRequest,
  TlsOptions,
  TokenContext,
  UrlOption,
  WebSocketConstructor
} from './types/options.js'
