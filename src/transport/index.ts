/**
 * The transport for the `Client` or the `McpServer` of the official SDK, v1 and v2. For browsers and Node.
 *
 * @packageDocumentation
 */

export { WebSocketClientTransport } from './websocket-client-transport.js'
export type { TransportEvents } from './websocket-client-transport.js'
export type { StateChange } from '../session/events.js'
export type { Resumed } from '../types/client.js'
export type { FailureData } from './messages.js'
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
export type { SendOptions, WebSocketClientTransportOptions } from '../types/transport.js'
