import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { JsonRpcMessage } from '../types/json-rpc.js'
import type { SessionStore } from '../types/session-store.js'
import type { ResumeFailure } from '../wire/resume-frames.js'
import type { Awaitable } from '../types/options.js'

/** What comes with a message, in the form in which the official SDKs hand it to handlers. */
export interface MessageExtra {
  /** What `authenticate` returned for this connection. */
  readonly authInfo?: unknown
}

/**
 * One accepted socket. It has the shape of the official SDKs' `Transport`, v1 and v2.
 *
 * Give each one an MCP server of its own: a server that is shared by two transports mixes up the responses to their clients.
 */
export interface ServerTransport {
  /** The subprotocol that was agreed; `undefined` if there is none, which `requireSubprotocol: false` allows. */
  readonly subprotocol: string | undefined
  /** Begins to read; what the client has sent before waits until then. @throws Error if called twice, or after the end. */
  start(): Promise<void>
  /**
   * Sends a message. Resolves once it is written, or kept for a client that is away.
   * @throws McpWebSocketError `CLOSED` if the connection has ended; TypeError for a message that cannot be written as JSON.
   */
  send(message: JsonRpcMessage): Promise<void>
  /**
   * Ends the connection, and its session. Resolves once the socket is gone, after at most 5 s.
   * @param end - What the client is told; 1000 if nothing is given.
   * @throws TypeError for a code or a reason that no close frame can carry, and nothing else.
   */
  close(end?: ConnectionEnd): Promise<void>
  /** Called with every message of the client, in order. */
  onmessage?: ((message: JsonRpcMessage, extra?: MessageExtra) => void) | undefined
  /** Called once, when the connection has ended for whatever reason. */
  onclose?: (() => void) | undefined
  /**
   * Called when the client of a resumable session is away: its socket is gone, and what is sent from now on is kept for it. Requests in
   * flight go on. `onclose` follows if it does not come back in time.
   */
  ondetach?: (() => void) | undefined
  /** Called when the client is back: it has got, or is about to get, all that was kept for it. */
  onattach?: (() => void) | undefined
  /** Called with errors that belong to no promise and do not end the connection by themselves. */
  onerror?: ((error: Error) => void) | undefined
}

/** What a client is told when its connection ends (RFC 6455 section 7.4). */
export interface ConnectionEnd {
  /** 1000, 1001, 1008, 1011, 1012, 1013, or from 3000 to 4999. @default 1000 */
  readonly code?: number | undefined
  /** For people; at most 123 bytes. @default '' */
  readonly reason?: string | undefined
}

/** Why an upgrade was rejected. */
export interface RejectionInfo {
  /** HTTP status of the response. */
  readonly status: number
  /** The text of the response, for example `Subprotocol required: mcp.v1`. It repeats nothing of the request. */
  readonly reason: string
}

/** The client of an accepted socket. */
export interface ConnectionInfo<Auth> {
  /** The upgrade request. A token that came as a subprotocol is no longer in it. */
  readonly request: IncomingMessage
  /** What `authenticate` returned; `undefined` if there is no `authenticate`. */
  readonly auth: Auth
}

/**
 * Options of {@link McpWebSocketServer}. Times are in ms, sizes in bytes.
 * @example
 * ```ts
 * const options: McpWebSocketServerOptions<{ user: string }> = {
 *   host: '0.0.0.0',
 *   port: 8080,
 *   allowedHosts: ['mcp.example.com'],
 *   allowedOrigins: ['https://app.example.com'],
 *   authenticate: (_request, token) => (isSameToken(token, process.env.MCP_TOKEN ?? '') ? { user: 'ada' } : undefined),
 *   onconnection: (transport) => makeMcpServer().connect(transport)
 * }
 * ```
 */
export interface McpWebSocketServerOptions<Auth = undefined> {
  /**
   * An HTTP server that belongs to the program, with TLS or without. It is neither started nor closed, and its other paths are left
   * to its other listeners. Default: a server of our own.
   */
  readonly server?: HttpServer | HttpsServer | undefined
  /** Port of our own server; 0 takes any that is free. Not together with `server`. @default 0 */
  readonly port?: number | undefined
  /** Address to which our own server is bound. @default '127.0.0.1' */
  readonly host?: string | undefined
  /**
   * Path of the endpoint: a string, which is compared exactly; or a pattern, such as `/^\/tenants\/[^/]+\/ws$/`; or a function that
   * returns `true` for the paths of this server, and no promise. None of them sees the query. @default '/ws'
   */
  readonly path?: string | RegExp | ((pathname: string) => boolean) | undefined
  /**
   * Decides who may connect. Gets the upgrade request and its bearer token: `undefined` if it has none; cookies and client
   * certificates are in the request. `undefined`, `null`, `false`, `''` and 0 mean 401; a rejection means 503.
   *
   * If what it returns has a member `expiresAt`, as `AuthInfo` of the official SDK has (seconds since 1970, or a `Date`), the connection
   * ends with 4401 then: at once if nothing is in flight, else when that is settled or `expiryGrace` is over. A client of this package
   * comes back with a fresh token. A resumable session goes on meanwhile, and so does what is in flight on it.
   */
  readonly authenticate?: ((request: IncomingMessage, token: string | undefined) => Awaitable<Auth | undefined>) | undefined
  /** Has to be `true` where there is no `authenticate`, on loopback too: every program of the machine can connect. @default false */
  readonly allowUnauthenticated?: boolean | undefined
  /** When credentials have expired: how long requests in flight may go on, in ms. @default 30000 */
  readonly expiryGrace?: number | undefined
  /** How long `allowedOrigins` and `authenticate` may take together; after that the client gets 504. @default 10000 */
  readonly authTimeout?: number | undefined
  /**
   * Origins of pages that may connect, compared exactly; or a function, which is called for every upgrade that has an origin, and lets
   * it in if it returns `true`. It is called after all other checks and before `authenticate`, within `authTimeout`. `null` is the origin of
   * local files and of sandboxed frames, which any page can make. @default [] (no page may)
   */
  readonly allowedOrigins?: readonly string[] | ((origin: string, request: IncomingMessage) => Awaitable<boolean>) | undefined
  /**
   * Hosts under which this server is known: a name, which allows all its ports, or `name:port`.
   * Default: the loopback names and `host`; has to be given where the server is not bound to loopback.
   */
  readonly allowedHosts?: readonly string[] | undefined
  /** Whether a client that offers no known subprotocol gets 426. @default true */
  readonly requireSubprotocol?: boolean | undefined
  /** Subprotocols to accept beside `mcp.v1`: `['mcp']` for clients of the official v1 SDKs. @default [] */
  readonly extraSubprotocols?: readonly string[] | undefined
  /**
   * Lets clients of our package, and others that offer `mcp.v1.resume`, come back to their session after their socket broke: nothing is
   * lost, and nothing is executed twice. `true`: with all defaults. @default false
   */
  readonly resume?: ResumeOptions<Auth> | boolean | undefined
  /** When a silent client is pinged, and cut. `false`: never. @default { interval: 30000, timeout: 30000 } */
  readonly heartbeat?:
    | {
        /** Silence after which a client is pinged, in ms. */
        readonly interval?: number | undefined
        /** Further silence after which its connection is cut, in ms. */
        readonly timeout?: number | undefined
      }
    | false
    | undefined
  /** Longest message of a client; a longer one ends its connection with 1009. At most 512 MiB. @default 16 MiB */
  readonly maxMessageBytes?: number | undefined
  /** How many clients may be connected at a time, those that are being authenticated included; others get 503. @default 10000 */
  readonly maxConnections?: number | undefined
  /** How many requests may be in flight on one connection; others get the JSON-RPC error 10429. @default 100 */
  readonly maxInFlight?: number | undefined
  /** How much may wait for a slow reader; beyond that nothing more is read from it. @default 4 MiB */
  readonly maxBufferedBytes?: number | undefined
  /** How long a slow reader may take to come below `maxBufferedBytes`; then its connection ends with 1013. @default 30000 */
  readonly drainTimeout?: number | undefined
  /** Gives an accepted socket an MCP server of its own. If it throws or rejects, the connection ends with 1011. */
  readonly onconnection: (transport: ServerTransport, info: ConnectionInfo<Auth>) => unknown
  /** Called with every upgrade that is rejected, once its response is written. It may be async. @default none */
  readonly onrejected?: ((request: IncomingMessage, rejection: RejectionInfo) => unknown) | undefined
  /**
   * Called with what the other callbacks throw or reject with; with the same of a transport's callbacks, if the transport has no `onerror`;
   * if `onconnection` has not started its transport within 5 s; and if `resume.store` is lost. Never called for what a client does wrong.
   * It may be async. Default: each distinct error is a warning of the process, once.
   */
  readonly onerror?: ((error: Error) => void) | undefined
}

/** How sessions are kept for clients that are away. */
export interface ResumeOptions<Auth = unknown> {
  /** How long, in ms. @default 120000 */
  readonly ttl?: number | undefined
  /** How many messages are kept of what a client has not acknowledged. @default 256 */
  readonly maxMessages?: number | undefined
  /** How long they may be together. @default 8 MiB */
  readonly maxBytes?: number | undefined
  /**
   * How many sessions are kept whose client is away; beyond that one ends: of the user who has most of them, the one that has been away for
   * longest.
   * @default 1000
   */
  readonly maxDetached?: number | undefined
  /**
   * Names the user, from what `authenticate` returned: a session is given back only to the user to whom it belongs. Default: all of what
   * `authenticate` returned, as JSON. It has to be given if that changes while the user stays the same, for example because it holds a
   * token.
   */
  readonly principal?: ((auth: Auth) => string) | undefined
  /** Shares the sessions with other machines, so that clients may come back to any of them. Default: memory of this process. */
  readonly store?: SessionStore | undefined
}

/** What a server has counted since it was made; messages and bytes are those of WebSocket frames with JSON-RPC in them. */
export interface ServerMetrics {
  /** Connections that are open now. */
  readonly connections: number
  /** Connections that were accepted. */
  readonly connectionsTotal: number
  /** Rejected upgrades, by HTTP status. */
  readonly handshakesRefused: Readonly<Record<number, number>>
  /** Requests of clients that no response was sent to yet. */
  readonly requestsInFlight: number
  /** Requests that never reached an MCP server, by reason. */
  readonly requestsRejected: Readonly<Record<RejectReason, number>>
  /** JSON-RPC messages from clients. */
  readonly messagesReceived: number
  /** JSON-RPC messages to clients. */
  readonly messagesSent: number
  /** Payload from clients, without what frames and TLS add. */
  readonly bytesReceived: number
  /** Payload to clients, without what frames and TLS add. */
  readonly bytesSent: number
  /** Frames, or elements of arrays, that were not JSON-RPC messages. */
  readonly malformedMessages: number
  /** Connections that this server cut, by reason. */
  readonly connectionsCut: Readonly<Record<CutReason, number>>
  /** Sessions whose client is away now. */
  readonly detachedSessions: number
  /** Resumable sessions that began. */
  readonly sessionsTotal: number
  /** How often a client got its session back. */
  readonly resumesTotal: number
  /** How often it did not, by reason. */
  readonly resumesFailed: Readonly<Record<ResumeFailure, number>>
  /** 1 while the store of sessions cannot be reached, else 0. */
  readonly storeLost: number
}

/** Why a request never reached an MCP server: too many were in flight, its id was in use, or the server is closing. */
export type RejectReason = 'busy' | 'duplicate' | 'closing'

/** Why the server cut a connection: its client was silent, or read too slowly, or its `onconnection` failed. */
export type CutReason = 'heartbeat' | 'slow-reader' | 'failed'
