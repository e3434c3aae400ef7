// What a program may pass: the options of a connection, of the client and of one request. All times are in ms, all sizes in bytes.
// `| undefined` on every optional member: programs may set `exactOptionalPropertyTypes`, and `undefined` means "not given" here.

import type { Closure } from '../errors.js'
import type { ClientCapabilities, Implementation } from './capabilities.js'
import type { Notification, Params, Progress, RequestId } from './json-rpc.js'
import type { JsonSchema } from './server-features.js'
import type { Task } from './tasks.js'

/** A value, or a promise of it. */
export type Awaitable<T> = T | Promise<T>

/** A function of the program that returns nothing, and may be async. What it throws or rejects with goes to the event `error`. */
export type Callback<Parameters extends unknown[]> = ((...parameters: Parameters) => void) | ((...parameters: Parameters) => Promise<void>)

/** A WebSocket class: the engine's own, `ws`, or any other with the same constructor and events. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => object

/** What a token provider is told, so that it can tell a first dial from a token that the server rejected. */
export interface TokenContext {
  /** Number of the dial, from 1. */
  readonly attempt: number
  /**
   * Why a token is asked for.
   *
   * - `unauthorized`: HTTP 401 or 403, or the close code 4401 or 3000. Get a fresh token: the last one was rejected.
   * - `retry`: the last dial failed in an engine that does not show why, as in every browser. It may have been the token.
   * - `connect`: any other dial.
   */
  readonly reason: 'connect' | 'unauthorized' | 'retry'
}

/** A token, and until when it is good. */
export interface ExpiringToken {
  /** The token. */
  readonly token: string
  /**
   * When it expires: a `Date`, or ms since 1970 as `Date.now()` counts them. The claim `exp` of a JWT counts seconds: multiply it by 1000.
   * Default: never, as far as the client knows.
   */
  readonly expiresAt?: number | Date | undefined
}

/**
 * A Bearer token and how it travels. It is never put into the query string, where logs would keep it and MCP forbids it
 * (MCP 2025-11-25, basic/authorization, "Access Token Usage").
 *
 * @example
 * ```ts
 * const client = new McpWebSocketClient({
 *   url: 'wss://mcp.example.com/ws',
 *   auth: { token: ({ reason }) => getToken({ fresh: reason === 'unauthorized' }) }
 * })
 * ```
 */
export interface AuthOptions {
  /**
   * The token, or a function that gets it. A function is called for every dial, within `connectTimeout`. After HTTP 401 or 403 it is
   * called once more at once; a fixed token gets no second chance, since it would be rejected again.
   *
   * If it returns `expiresAt` too, the client moves to a new connection, with a new token, 30 s before that, or after half of its life if
   * it lives for less than a minute: requests in flight finish first, new ones wait for the new connection, and it counts as no retry.
   */
  readonly token: string | ((context: TokenContext) => Awaitable<string | ExpiringToken>)
  /**
   * How the token travels.
   *
   * - `header`: `Authorization: Bearer <token>` (RFC 6750 section 2.1). Works only where the engine can set headers, which is Node.
   * - `subprotocol`: as the last offered subprotocol, see `prefix` and `docs/binding.md`. The server has to know it. Browsers have no other
   *   way: there, `header` throws a `TypeError`.
   * @default 'header'
   */
  readonly via?: 'header' | 'subprotocol' | undefined
  /**
   * How the token is written as a subprotocol: `mcp.bearer.` and its base64url, or `mcp.auth.` and the token as it is (SEP-1288,
   * modelcontextprotocol#1288), which then holds only letters, digits and ``!#$%&'*+-.^_`|~``.
   * @default 'mcp.bearer.'
   */
  readonly prefix?: 'mcp.bearer.' | 'mcp.auth.' | undefined
  /**
   * Allow credentials over `ws://` to another machine, where everyone on the way can read them. Without it such a dial fails with
   * `INSECURE_TRANSPORT` before a provider is called. It covers `headers` and the userinfo of the URL too.
   * @default false
   */
  readonly allowInsecure?: boolean | undefined
}

/**
 * When and how often to dial again. Before retry n the client waits a random time between 100 ms and
 * `min(maxDelay, initialDelay * growFactor ** (n - 1))`, so that the clients of a restarted server do not return all at once.
 * A longer `Retry-After` (RFC 9110 section 10.2.3) replaces that delay, up to 5 minutes.
 *
 * @example
 * ```ts
 * const client = new McpWebSocketClient({
 *   url: 'wss://mcp.example.com/ws',
 *   // This server also says 401 while its user database is away.
 *   reconnect: { maxRetries: Infinity, shouldReconnect: ({ status }) => (status === 401 ? true : undefined) }
 * })
 * ```
 */
export interface ReconnectOptions {
  /**
   * Upper bound of the first delay, in ms.
   * @default 1000
   */
  readonly initialDelay?: number | undefined
  /**
   * Upper bound of every delay, in ms. So this is also how long a server that is back may have to wait for this client.
   * @default 20_000
   */
  readonly maxDelay?: number | undefined
  /**
   * Growth from one bound to the next; at least 1.
   * @default 2
   */
  readonly growFactor?: number | undefined
  /**
   * Draw the delay at random below the bound. `false` waits for the bound itself.
   * @default true
   */
  readonly jitter?: boolean | undefined
  /**
   * Consecutive retries before the client gives up; short-lived connections count too. `Infinity` never gives up.
   * @default 10
   */
  readonly maxRetries?: number | undefined
  /**
   * How long a connection must be `ready` before the count starts anew, in ms. A server that accepts and drops at once thus meets
   * growing delays.
   * @default 5000
   */
  readonly resetAfter?: number | undefined
  /**
   * Has the last word about a closure: `true` retries even what is fatal, `false` gives up, `undefined` leaves it to the defaults.
   * `maxRetries` and `Retry-After` still hold. It has to decide at once: if it throws or returns a promise, the default holds and the
   * event `error` reports it.
   */
  readonly shouldReconnect?: ((closure: Closure) => boolean | undefined) | undefined
}

/**
 * How a connection that died without a word is noticed. Node sends ping frames, a browser sends the request `ping` (or
 * `server/discover` to a modern server). While calls are pending the verdict waits, since many servers handle one call at a time:
 * see `docs/decisions/0004-the-heartbeat-waits-for-calls.md`.
 */
export interface HeartbeatOptions {
  /**
   * Silence after which the server is probed, in ms. Keep it below the idle limit of proxies, often 60 s.
   * @default 25_000
   */
  readonly interval?: number | undefined
  /**
   * Further silence after which the connection is given up, in ms.
   * @default 10_000
   */
  readonly timeout?: number | undefined
}

/** How much may wait while there is no connection, or while the server does not read. Beyond it a request is rejected with `QUEUE_FULL`. */
export interface OutboxOptions {
  /**
   * Most messages that wait.
   * @default 1000
   */
  readonly maxMessages?: number | undefined
  /**
   * Sum of the lengths of the messages that wait, in characters of their JSON (bytes, if it is ASCII).
   * @default 8_388_608
   */
  readonly maxBytes?: number | undefined
}

/**
 * TLS settings, as `node:tls` takes them. Node only.
 *
 * @example
 * ```ts
 * const client = new McpWebSocketClient({ url: 'wss://mcp.internal/ws', tls: { ca: readFileSync('company-ca.pem') } })
 * ```
 */
export interface TlsOptions {
  /** Authorities to trust in place of the built-in ones, as PEM. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined
  /** The client's own certificate, as PEM, for servers that ask for one. */
  readonly cert?: string | Uint8Array | undefined
  /** The private key of `cert`, as PEM. */
  readonly key?: string | Uint8Array | undefined
  /** Certificate and private key in one file, as PKCS #12, in place of `cert` and `key`. */
  readonly pfx?: string | Uint8Array | undefined
  /** Decrypts `key` or `pfx`. */
  readonly passphrase?: string | undefined
  /** Name to send as SNI and to look for in the server's certificate. Default: the host of the URL. */
  readonly servername?: string | undefined
  /** Oldest version of TLS to accept. Default: Node's. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined
  /**
   * `false` accepts any certificate, and thus anybody in the middle: for tests only.
   * @default true
   */
  readonly rejectUnauthorized?: boolean | undefined
}

/** A place to dial, or a function that gives it. */
export type UrlOption = string | URL | (() => Awaitable<string | URL>)

/** HTTP headers: an object, pairs of name and value, a `Map` or a `Headers`. */
export type HeadersLike = Readonly<Record<string, string>> | Iterable<readonly [name: string, value: string]>

/** HTTP headers of the upgrade request, or a function that gives them. */
export type HeadersOption = HeadersLike | (() => Awaitable<HeadersLike>)

/**
 * Another parser and writer of JSON, for example one that keeps numbers beyond 2^53. This package converts ids, error codes and reports of
 * progress to numbers.
 */
export interface JsonOption {
  /** Reads the text of a message. @throws If it is not JSON. */
  readonly parse: (text: string) => unknown
  /** Writes a message as JSON. */
  readonly stringify: (value: unknown) => string
}

/** Options of a connection. Every entry of the package that connects takes them; nested options merge with their defaults. */
export interface ConnectionOptions {
  /** Credentials. Default: none, which leaves cookies to the browser. */
  readonly auth?: AuthOptions | undefined
  /**
   * Further headers of the upgrade request. Node only: elsewhere they throw a `TypeError`, since no page can set headers. A function
   * is called for every dial, within `connectTimeout`. Their values are redacted in every error.
   *
   * @example
   * ```ts
   * const client = new McpWebSocketClient({ url: 'wss://mcp.example.com/ws', headers: async () => ({ cookie: await readCookie() }) })
   * ```
   */
  readonly headers?: HeadersOption | undefined
  /**
   * Subprotocols to offer after `mcp.v1`, which always comes first. `['mcp']` reaches servers built on the official v1 SDKs.
   * @default []
   */
  readonly subprotocols?: readonly string[] | undefined
  /**
   * The whole list of subprotocols to offer, in place of `mcp.v1` and `subprotocols`: for servers that take exactly one other offer
   * (`['mcp']`), or none (`[]`). A token of `auth.via: 'subprotocol'` still comes last.
   * @default ['mcp.v1']
   *
   * @example
   * ```ts
   * // The server of the official Kotlin SDK takes no other offer, and names nothing back.
   * const client = new McpWebSocketClient({ url: 'ws://127.0.0.1:8080/mcp', offer: ['mcp'], onMissingSubprotocol: 'accept' })
   * ```
   */
  readonly offer?: readonly string[] | undefined
  /**
   * Offer `mcp.v1.resume` after `mcp.v1`. With a server that knows it, such as the `./server` entry of this package, a call survives its
   * connection: what is in flight is neither lost nor executed twice. With any other server it is as if this option were off. See
   * `docs/resume.md`.
   * @default false
   *
   * @example
   * ```ts
   * const client = new McpWebSocketClient({ url: 'wss://mcp.example.com/ws', resume: true })
   * client.on('resumed', ({ downtime }) => console.log(`back after ${downtime} ms, nothing was lost`))
   * ```
   */
  readonly resume?: boolean | undefined
  /**
   * What to do with a server that opens the socket without naming a subprotocol. `fail` rejects with `SUBPROTOCOL_MISMATCH`, because
   * such a server may speak anything: see `docs/decisions/0002-the-missing-subprotocol.md`. `accept` goes on; a browser, which fails
   * such a dial by itself, dials again without subprotocols.
   * @default 'fail'
   */
  readonly onMissingSubprotocol?: 'fail' | 'accept' | undefined
  /**
   * Time until the socket of one dial is open, in ms. The functions given as `url`, `headers` and `auth.token` run within it.
   * @default 10_000
   */
  readonly connectTimeout?: number | undefined
  /**
   * Time from the open socket until MCP is ready, in ms.
   * @default 10_000
   */
  readonly handshakeTimeout?: number | undefined
  /**
   * How long `close()` waits for the server's half of the closing handshake, in ms; then the socket is abandoned.
   * @default 1000
   */
  readonly closeTimeout?: number | undefined
  /** When to dial again. `false` never does: a lost connection, and a failed first dial, end in `failed` with their own error. */
  readonly reconnect?: false | ReconnectOptions | undefined
  /**
   * When to probe a silent server. `false` never does: a dead connection is then noticed only by the operating system, after minutes.
   *
   * @example
   * ```ts
   * const client = new McpWebSocketClient({ url: 'wss://mcp.example.com/ws', heartbeat: { interval: 15_000 } })
   * ```
   */
  readonly heartbeat?: false | HeartbeatOptions | undefined
  /**
   * What may wait for a connection. `false` rejects every request at once where there is none.
   *
   * @example
   * ```ts
   * const client = new McpWebSocketClient({ url: 'wss://mcp.example.com/ws', outbox: { maxMessages: 50 } })
   * ```
   */
  readonly outbox?: false | OutboxOptions | undefined
  /**
   * What is sent again, once, if the connection broke after it was sent. `safe` means what does no harm when it runs twice: `ping`,
   * lists, reads, completions, subscriptions. It never means `tools/call`: only the caller knows what a tool does, see
   * `docs/decisions/0003-nothing-is-executed-twice.md`. A function decides for each request, at once; `true` sends it again. If it
   * throws or returns a promise, that means no, and the event `error` reports it.
   * @default 'safe'
   *
   * @example
   * ```ts
   * const READ_ONLY = new Set(['search', 'read-file'])
   * const client = new McpWebSocketClient({
   *   url: 'wss://mcp.example.com/ws',
   *   resend: ({ method, params }) => method !== 'tools/call' || READ_ONLY.has(String(params?.name))
   * })
   * ```
   */
  readonly resend?: 'safe' | 'never' | ((request: { readonly method: string; readonly params?: Params | undefined }) => boolean) | undefined
  /**
   * Another parser and writer of JSON in place of the engine's.
   * @default JSON
   *
   * @example
   * ```ts
   * import { parse, stringify } from 'lossless-json'
   *
   * const client = new McpWebSocketClient({ url: 'wss://mcp.example.com/ws', json: { parse, stringify: (value) => stringify(value) ?? '' } })
   * ```
   */
  readonly json?: JsonOption | undefined
  /**
   * Largest message to accept from the server, in bytes. A larger one ends the connection with 1009 (RFC 6455 section 7.4.1).
   * @default 16_777_216
   */
  readonly maxMessageBytes?: number | undefined
  /**
   * Most requests that may be pending at once, in flight or waiting; the next one is rejected with `QUEUE_FULL`. The same limit holds for
   * requests of the server that run at once, and for the inputs that one result may ask for.
   * @default 10_000
   */
  readonly maxPending?: number | undefined
  /**
   * Offer compression (RFC 7692). Node only; browsers decide for themselves. It costs memory for every connection.
   * @default false
   */
  readonly perMessageDeflate?: boolean | undefined
  /** TLS settings. Node only. */
  readonly tls?: TlsOptions | undefined
  /** An `http.Agent` or `https.Agent`, for example one that dials through a proxy. Node only. */
  readonly agent?: object | undefined
  /**
   * Called with every frame, for bug reports. Credentials travel in the upgrade, and are never in a frame that the client makes by itself.
   * What your program sends is shown unchanged.
   *
   * @example
   * ```ts
   * const client = new McpWebSocketClient({
   *   url: 'wss://mcp.example.com/ws',
   *   trace: (direction, text) => console.error(direction === 'in' ? '<' : '>', text)
   * })
   * ```
   */
  readonly trace?: Callback<[direction: 'in' | 'out', text: string]> | undefined
  /**
   * Another WebSocket class. A class that cannot set headers makes Node work like a browser. Default: the engine's own in browsers,
   * `ws` in Node.
   *
   * @example
   * ```ts
   * const client = new McpWebSocketClient({ url: 'ws://127.0.0.1:8080/ws', WebSocket: globalThis.WebSocket })
   * ```
   */
  readonly WebSocket?: WebSocketConstructor | undefined
  /**
   * Keep the process alive only until the client was ready for the first time, and then while a request is pending. Node only.
   * @default false
   */
  readonly unref?: boolean | undefined
}

/** Options of {@link McpWebSocketClient}. A wrong value throws a `TypeError` that names the option, when the client is made. */
export interface McpWebSocketClientOptions extends ConnectionOptions {
  /** Where to connect: `ws:`, `wss:`, `http:` or `https:`. A function is called for every dial, within `connectTimeout`. */
  readonly url: UrlOption
  /** Name and version of your program, for the server's logs. Default: those of this package. */
  readonly clientInfo?: Implementation | undefined
  /**
   * What the client can do for the server. Only this is announced: a handler without its capability is a `TypeError`, and a capability
   * without a handler makes the client respond with -32601.
   * @default {}
   *
   * @example
   * ```ts
   * const client = new McpWebSocketClient({ url: 'ws://127.0.0.1:8080/ws', capabilities: { roots: {} } })
   * client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///project', name: 'project' }] }))
   * ```
   */
  readonly capabilities?: ClientCapabilities | undefined
  /**
   * Era of MCP: `legacy` is every revision up to 2025-11-25, `modern` is 2026-07-28, and `auto` finds out, which costs one round trip
   * or `probeTimeout`. Source: MCP 2026-07-28, basic/versioning.
   * @default 'auto'
   */
  readonly protocol?: 'auto' | 'legacy' | 'modern' | undefined
  /**
   * How long the server may take at most to respond to `server/discover` before it counts as legacy, in ms; never more than half of
   * `handshakeTimeout`. A server that is near has less time: ten times as long as the upgrade took, but at least 1000.
   * @default 3000
   */
  readonly probeTimeout?: number | undefined
  /**
   * The `timeout` of every request that has none of its own, in ms. `Infinity` waits for ever.
   * @default 60_000
   */
  readonly requestTimeout?: number | undefined
  /**
   * Let every `timeout` stand still while a handler of `elicitation/create` runs: the server waits for the user too. A server of the
   * legacy era asks in the middle of a call. `maxTotalTimeout` runs on.
   * @default true
   */
  readonly pauseTimeouts?: boolean | undefined
  /**
   * Compiles the `outputSchema` of a tool, with a library of your choice; `callTool` then rejects with a {@link ProtocolError} of the code
   * `INVALID_OUTPUT` if a result breaks its schema. Default: none, so that no result is checked. See `docs/options.md`.
   *
   * @example
   * ```ts
   * const validateOutput: CompileSchema = (schema) => new Ajv2020({ strict: false, validateSchema: false }).compile(schema)
   * const client = new McpWebSocketClient({ url: 'ws://127.0.0.1:8080/ws', validateOutput })
   * ```
   */
  readonly validateOutput?: CompileSchema | undefined
}

/** One writing of a request to a socket: what the option `onsent` of a request is called with. */
export interface SentRequest {
  /** The id on the wire. A request that is sent again keeps it. */
  readonly id: RequestId
  /** The method; in a flow of several requests, such as a task, each has its own. */
  readonly method: string
  /** Whether it was written before: its connection broke, or the server gave it back. */
  readonly resent: boolean
  /** Era of the server. */
  readonly era: 'legacy' | 'modern' | undefined
  /** Version of MCP that was agreed with the server. */
  readonly protocolVersion: string | undefined
}

/** Whether a value fits its schema: `true`; anything else means that it does not, and a string says why. */
export type OutputValidator = (value: unknown) => boolean | string

/** Makes a validator. What it throws rejects the call of the tool before it is sent. */
export type CompileSchema = (schema: JsonSchema) => OutputValidator

/**
 * Options of one request. The names are those of the official SDK, and `resend`.
 *
 * @example
 * ```ts
 * await client.callTool(
 *   { name: 'index', arguments: { path: '/docs' } },
 *   { timeout: 30_000, resetTimeoutOnProgress: true, maxTotalTimeout: 600_000, signal: AbortSignal.timeout(900_000) }
 * )
 * ```
 */
export interface RequestOptions {
  /**
   * Time until the response, in ms; the time in the outbox counts. `Infinity` waits for ever. Default: `requestTimeout` of the client.
   * In a multi round-trip request it bounds each leg, and not the handlers that the client runs in between; see `pauseTimeouts` too.
   */
  readonly timeout?: number | undefined
  /**
   * Upper bound for the whole request, in ms: progress does not extend it, and it covers all rounds of a multi round-trip request. Default:
   * none.
   */
  readonly maxTotalTimeout?: number | undefined
  /**
   * Start `timeout` anew at every progress report, which asks the server to send them.
   * @default false
   */
  readonly resetTimeoutOnProgress?: boolean | undefined
  /** Gives the request up: the promise rejects with the signal's reason, and the server is told if the request was sent. */
  readonly signal?: AbortSignal | undefined
  /** Called for every progress report, which asks the server to send them. Source: MCP 2025-11-25, basic/utilities/progress. */
  readonly onprogress?: Callback<[progress: Progress]> | undefined
  /**
   * Makes the request live: its response is the end of a stream, and until then the server sends notifications that belong to it, by
   * `_meta['io.modelcontextprotocol/subscriptionId']` or `requestId` in their params. Such a request is sent again after every
   * reconnect, under the same id and with the params that this function returns; `undefined`: with the same. `timeout` bounds the wait for
   * the first notification only.
   * @example
   * ```ts
   * await client.request('events/stream', { name: 'orders' }, {
   *   continueWith: (last) => ({ name: 'orders', cursor: last?.params?.cursor })
   * })
   * ```
   */
  readonly continueWith?: ((lastEvent: Notification | undefined) => Params | undefined) | undefined
  /**
   * Called with the task that the server made of the request, and with every change of its status. Keep `taskId` to finish the task after
   * a restart of the program.
   */
  readonly ontask?: Callback<[task: Task]> | undefined
  /**
   * Called each time the request is written to a socket, which happens a second time when it is resent. In a flow of several requests,
   * such as a multi round-trip request or a task, it is called for each of them.
   */
  readonly onsent?: Callback<[sent: SentRequest]> | undefined
  /**
   * Whether this request may be sent again if the connection broke after it was sent. It wins over `resend` of the client. Set it to
   * `true` for a tool that does no harm when it runs twice.
   */
  readonly resend?: boolean | undefined
}
