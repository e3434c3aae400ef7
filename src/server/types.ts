import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { JsonRpcMessage } from '../types/json-rpc.js'
import type { Awaitable } from '../types/options.js'

/** What comes with a message, as handlers of the official SDKs see it. */
export interface MessageExtra {
  /** What `authenticate` returned for this connection. */
  readonly authInfo?: unknown
}

/**
 * One accepted socket: the `Transport` of the official SDKs, v1 and v2, by its shape.
 * One MCP server belongs to it, and to no other: a shared one would mix up the answers of its clients.
 */
export interface ServerTransport {
  /** Begins to read; what the client sent before waits until then. @throws Error if called twice, or after the end. */
  start(): Promise<void>
  /** Resolves once the message is written. Rejects when the connection has ended. */
  send(message: JsonRpcMessage): Promise<void>
  /** Ends the connection with 1000. Resolves once it is gone, after at most 5 s; never rejects. */
  close(): Promise<void>
  /** Told every message of the client. */
  onmessage?: ((message: JsonRpcMessage, extra?: MessageExtra) => void) | undefined
  /** Told once, when the connection has ended for whatever reason. */
  onclose?: (() => void) | undefined
  /** Told of trouble that ends nothing by itself. */
  onerror?: ((error: Error) => void) | undefined
}

/** What is known of an accepted socket. */
export interface ConnectionInfo<Auth> {
  /** The upgrade request. A token that came as a subprotocol is no longer in it. */
  readonly request: IncomingMessage
  /** What `authenticate` returned; `undefined` without one. */
  readonly auth: Auth
}

/** Options of {@link McpWebSocketServer}; times in ms. Wrong values throw a `TypeError` that names the option. */
export interface McpWebSocketServerOptions<Auth = undefined> {
  /** A server that belongs to the program, with TLS or without: it is neither started nor closed, and its other paths are left alone. */
  readonly server?: HttpServer | HttpsServer
  /** Port of an own server. Default 0: any that is free. Not together with `server`. */
  readonly port?: number
  /** Address to which the own server is bound. Default `127.0.0.1`. */
  readonly host?: string
  /** Path of the endpoint, compared exactly. Default `/ws`. */
  readonly path?: string
  /**
   * Decides who may come in. Gets the upgrade request and its bearer token (`undefined` if there is none: cookies and client
   * certificates are in the request). `undefined`, `null` and `false` mean 401; a rejection means 503.
   */
  readonly authenticate?: (request: IncomingMessage, token: string | undefined) => Awaitable<Auth | undefined>
  /** Has to be `true` where there is no `authenticate`, on loopback too: every program of this machine can connect. */
  readonly allowUnauthenticated?: boolean
  /** How long `authenticate` may take; then 504. Default 10 000. */
  readonly authTimeout?: number
  /** Origins of pages that may connect, compared exactly. Default none: no page may. */
  readonly allowedOrigins?: readonly string[]
  /** Hosts under which this server is known: a name, with any port, or `name:port`. Default the loopback names and `host`, on loopback. */
  readonly allowedHosts?: readonly string[]
  /** Whether who offers no known subprotocol is answered 426. Default `true`. */
  readonly requireSubprotocol?: boolean
  /** Subprotocols that are accepted beside `mcp.v1`, for example `mcp`. */
  readonly extraSubprotocols?: readonly string[]
  /** Silence after which a client is pinged, and further silence after which it is gone. Default 30 000 each; `false` = never. */
  readonly heartbeat?: { readonly interval?: number; readonly timeout?: number } | false
  /** Longest message of a client, in bytes; a longer one ends its connection with 1009. Default 16 MiB, at most 512 MiB. */
  readonly maxMessageBytes?: number
  /** Most connections at one time, handshakes included; further ones are answered 503. Default 10 000. */
  readonly maxConnections?: number
  /** Most requests in flight on one connection; further ones are answered with error 10429. Default 100. */
  readonly maxInFlight?: number
  /** Bytes that wait for a slow reader, from which on nothing more is read from it. Default 4 MiB. */
  readonly maxBufferedBytes?: number
  /** How long a slow reader may take to come below `maxBufferedBytes`; then it is cut, with 1013. Default 30 000. */
  readonly drainTimeout?: number
  /** Gives the accepted socket an MCP server of its own. If it throws or rejects, the connection ends with 1011. */
  readonly onconnection: (transport: ServerTransport, info: ConnectionInfo<Auth>) => unknown
  /** Told what `authenticate` and `onconnection` failed with. */
  readonly onerror?: (error: Error) => void
}

/** What a server counted since it was made. */
export interface ServerMetrics {
  /** Open now. */
  readonly connections: number
  readonly connectionsTotal: number
  /** Refused upgrades, by HTTP status. */
  readonly handshakesRefused: Readonly<Record<number, number>>
  /** Requests of clients that are not answered yet. */
  readonly requestsInFlight: number
  /** Requests that never reached an MCP server: too many at once, an id in use, a server that closes. */
  readonly requestsRejected: Readonly<Record<RejectReason, number>>
  readonly messagesReceived: number
  readonly messagesSent: number
  /** Payload, without what frames and TLS add. */
  readonly bytesReceived: number
  readonly bytesSent: number
  /** Frames, or elements of arrays, that were no message. */
  readonly malformedMessages: number
  /** Connections that this server cut: silent ones, slow readers, those whose `onconnection` failed. */
  readonly connectionsCut: Readonly<Record<CutReason, number>>
}

/** Why a request was rejected before any MCP server saw it. */
export type RejectReason = 'busy' | 'duplicate' | 'closing'

/** Why the server ended a connection. */
export type CutReason = 'heartbeat' | 'slow-reader' | 'failed'
