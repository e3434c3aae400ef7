export { WebSocketClientTransport } from './websocket-client-transport.js'
export type { TransportEvents } from './websocket-client-transport.js'
export type { FailureData } from './messages.js'
export type { WebSocketClientTransportOptions } from '../types/transport.js'
