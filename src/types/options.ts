import type { Closure } from '../errors.js'
import type { ClientCapabilities, Implementation } from './capabilities.js'
import type { Params, Progress } from './json-rpc.js'

/** What may be returned now or later. */
export type Awaitable<T> = T | Promise<T>

/** A WebSocket class, structurally: the browser's, `ws`, or a stand-in. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => object

/** Why a token is asked for: for a dial, or because the server refused the last one (HTTP 401, close code 4401). */
export interface TokenContext {
  /** Number of the dial, from 1. */
  readonly attempt: number
  readonly reason: 'connect' | 'unauthorized'
}

/** A Bearer token and how it travels. */
export interface AuthOptions {
  /** The token, or what provides it; a provider is called for every dial, within `connectTimeout`. */
  readonly token: string | ((context: TokenContext) => Awaitable<string>)
  /**
   * `header`: `Authorization: Bearer <token>`; the default, and only where the engine can set headers (Node).
   * `subprotocol`: last entry `mcp.bearer.<base64url>` of the offered subprotocols; for browsers.
   */
  readonly via?: 'header' | 'subprotocol'
  /** Send it over `ws://` to other hosts than this one. Default `false`. */
  readonly allowInsecure?: boolean
}

/** When and how often to dial again. Times in ms. */
export interface ReconnectOptions {
  /** Bound of the first delay. Default 1000. */
  readonly initialDelay?: number
  /** Cap of the bounds. Default 20 000. */
  readonly maxDelay?: number
  /** Growth from one bound to the next. Default 2. */
  readonly growFactor?: number
  /** Draw the delay at random below the bound. Default `true`. */
  readonly jitter?: boolean
  /** Consecutive retries, short-lived connections included. Default 10; `Infinity` is allowed. */
  readonly maxRetries?: number
  /** How long a connection must be `ready` before the count starts anew. Default 5000. */
  readonly resetAfter?: number
  /** Has the last word: `true` retries even what is fatal, `false` stops, `undefined` leaves it to the defaults. */
  readonly shouldReconnect?: (closure: Closure) => boolean | undefined
}

/** TLS settings, as `node:tls` takes them; Node only. */
export interface TlsOptions {
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[]
  readonly cert?: string | Uint8Array
  readonly key?: string | Uint8Array
  readonly servername?: string
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
  readonly rejectUnauthorized?: boolean
}

/** A place to dial, or what provides it. */
export type UrlOption = string | URL | (() => Awaitable<string | URL>)

/** HTTP headers of the upgrade request, or what provides them. */
export type HeadersOption = Readonly<Record<string, string>> | (() => Awaitable<Readonly<Record<string, string>>>)

/** Options of a connection; every entry of the package that connects takes them. Times in ms. */
export interface ConnectionOptions {
  /** Credentials. Default none. */
  readonly auth?: AuthOptions
  /** Further headers of the upgrade request; Node only; evaluated for every dial. */
  readonly headers?: HeadersOption
  /** Subprotocols offered after `mcp.v1`, for example `['mcp']` for servers built on the official v1 SDKs. Default `[]`. */
  readonly subprotocols?: readonly string[]
  /** What to do if the server names no subprotocol. Default `'fail'`. */
  readonly onMissingSubprotocol?: 'fail' | 'accept'
  /** Until one dial's socket is open, providers included. Default 10 000. */
  readonly connectTimeout?: number
  /** From the open socket until MCP is ready. Default 10 000. */
  readonly handshakeTimeout?: number
  /** How long `close()` waits for the server's close frame. Default 1000. */
  readonly closeTimeout?: number
  /** `false`: a lost connection ends the life. */
  readonly reconnect?: false | ReconnectOptions
  /** Probe a silent server after `interval` (25 000), give it up after `timeout` (10 000) more. `false`: never. */
  readonly heartbeat?: false | { readonly interval?: number; readonly timeout?: number }
  /** What may wait while not connected: `maxMessages` (1000), `maxBytes` (8 MiB). `false`: fail at once. */
  readonly outbox?: false | { readonly maxMessages?: number; readonly maxBytes?: number }
  /** What is sent again if the connection broke behind it. Default `'safe'`. */
  readonly resend?: 'safe' | 'never' | ((request: { readonly method: string; readonly params?: Params }) => boolean)
  /** Largest message accepted from the server, in bytes. Default 16 MiB. */
  readonly maxMessageBytes?: number
  /** Offer compression; Node only. Default `false`. */
  readonly perMessageDeflate?: boolean
  /** TLS settings; Node only. */
  readonly tls?: TlsOptions
  /** An `http.Agent` or `https.Agent`, for example of a proxy; Node only. */
  readonly agent?: object
  /** Sees every frame, for bug reports; credentials are never in a frame that the client writes by itself. */
  readonly trace?: (direction: 'in' | 'out', text: string) => void
  /** Another WebSocket class. Default: the engine's in browsers, `ws` in Node. */
  readonly WebSocket?: WebSocketConstructor
  /** Let the process end while the client is idle; Node only. Default `false`. */
  readonly unref?: boolean
}

/** Options of {@link McpWebSocketClient}. Times in ms; nested options merge with their defaults. */
export interface McpWebSocketClientOptions extends ConnectionOptions {
  /** Where to connect; a function is called for every dial. `ws:`, `wss:`, `http:` and `https:` are understood. */
  readonly url: UrlOption
  /** Name and version of the program, for the server. Default: this package's. */
  readonly clientInfo?: Implementation
  /** What the client can do for the server; nothing else is announced. Default `{}`. */
  readonly capabilities?: ClientCapabilities
  /** Era of MCP; `'auto'` asks the server. Default `'auto'`. */
  readonly protocol?: 'auto' | 'legacy' | 'modern'
  /** How long the server may take to answer the question for its era. Default 3000. */
  readonly probeTimeout?: number
  /** Default `timeout` of every request. Default 60 000; `Infinity` = none. */
  readonly requestTimeout?: number
  /** Most requests that may wait for an answer. Default 10 000. */
  readonly maxPending?: number
}

/** Options of one request; names as in the official SDK. Times in ms. */
export interface RequestOptions {
  /** Until the answer. Default: the client's `requestTimeout`; `Infinity` = none. */
  readonly timeout?: number
  /** Upper bound that no progress moves, and that spans the rounds of a multi round-trip request. Default none. */
  readonly maxTotalTimeout?: number
  /** Start `timeout` anew at every progress report. Default `false`. */
  readonly resetTimeoutOnProgress?: boolean
  /** Gives the request up; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Called for every progress report; asks the server to send them. */
  readonly onprogress?: (progress: Progress) => void
  /** Whether this request may be sent again if the connection broke behind it; wins over the client's option. */
  readonly resend?: boolean
}
