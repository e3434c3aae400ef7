// The errors of every layer, and the closures that cause them. This file imports nothing, so that any layer can import it.

/** Stable identifier of a failure: compare it, or use a guard. Each code has a heading in `docs/errors.md` that says what to do. */
export type ErrorCode =
  | 'CONNECT_FAILED'
  | 'CONNECT_TIMEOUT'
  | 'HANDSHAKE_INVALID'
  | 'HANDSHAKE_TIMEOUT'
  | 'UNEXPECTED_STATUS'
  | 'TLS_FAILED'
  | 'INSECURE_TRANSPORT'
  | 'UNAUTHORIZED'
  | 'SUBPROTOCOL_MISMATCH'
  | 'CONNECTION_LOST'
  | 'HEARTBEAT_TIMEOUT'
  | 'MESSAGE_TOO_LARGE'
  | 'INITIALIZE_REFUSED'
  | 'INVALID_RESPONSE'
  | 'INVALID_OUTPUT'
  | 'SERVER_CHANGED'
  | 'RESTORE_FAILED'
  | 'TASK_CANCELLED'
  | 'REQUEST_TIMEOUT'
  | 'RPC_ERROR'
  | 'RETRIES_EXHAUSTED'
  | 'QUEUE_FULL'
  | 'CLOSED'
  | 'UNEXPECTED_ERROR'

/**
 * Whether a request that failed can have reached the server.
 *
 * - `not-sent`: it never left this program, so repeating it is always safe.
 * - `unknown`: it was written, and no response came. The server may have executed it: look before you repeat it.
 */
export type Delivery = 'not-sent' | 'unknown'

/**
 * What ended a connection, or an attempt to make one.
 *
 * - `close`: an open socket was closed, by a close frame or without one.
 * - `http`: the server rejected the upgrade. Node only; a browser reports `network`.
 * - `network`: the dial failed below HTTP, or what came back is not a valid answer to the upgrade.
 * - `tls`: the TLS handshake failed. Node only; a browser reports `network`.
 * - `timeout`: `connectTimeout` or `handshakeTimeout` ran out.
 * - `heartbeat`: the server fell silent and responded to no probe.
 * - `subprotocol`: the server chose no subprotocol, or one that was not offered.
 */
export type ClosureKind = 'close' | 'http' | 'network' | 'tls' | 'timeout' | 'heartbeat' | 'subprotocol'

/**
 * The end of one connection, or of one attempt that never became a connection. The option `reconnect.shouldReconnect` judges it,
 * and the event `state` and {@link ConnectionLostError} carry it.
 */
export interface Closure {
  /** What failed. The kind decides which of the other members have a value. */
  readonly kind: ClosureKind
  /** Close code (RFC 6455 section 7.4); 1006 if the connection broke without a close frame. */
  readonly code?: number | undefined
  /** Reason that the server gave with the close code; at most 123 bytes of UTF-8 on the wire. */
  readonly reason?: string | undefined
  /** HTTP status of a rejected upgrade. Node only: browsers hide it from every page. */
  readonly status?: number | undefined
  /** Wait that the server asked for, in ms (header `Retry-After`, or `retry-after=<seconds>` in a close reason). */
  readonly retryAfter?: number | undefined
  /** Whether both sides finished the closing handshake (RFC 6455 section 7.1.4). */
  readonly wasClean: boolean
  /** Whether the client was `ready` at least once since `connect()`. Some failures are fatal only before that. */
  readonly everReady: boolean
  /** The failure in the form in which `connect()` would reject with it. */
  readonly error?: McpWebSocketError | undefined
}

/** What every error of this package may carry beside its code and message. */
export interface ErrorDetails {
  /** The error below this one, for example a system error of Node. */
  readonly cause?: unknown
  /**
   * Whether the same call can succeed later although nothing is changed. It does not say that a repetition is safe: see `delivery`.
   * @default false
   */
  readonly retryable?: boolean | undefined
  /** Whether the request can have reached the server; after a failed dial it cannot. Absent if the server responded. */
  readonly delivery?: Delivery | undefined
  /** What to do about it, in one or two sentences for the person who runs the program. */
  readonly hint?: string | undefined
}

/** What the server said when it rejected the upgrade (Node only: browsers hide all of it). Credentials are redacted. */
export interface RejectedUpgradeDetails extends ErrorDetails {
  /** HTTP status. */
  readonly status?: number | undefined
  /** Start of the response body, at most 4 KiB. */
  readonly body?: string | undefined
  /** Wait that the header `Retry-After` asks for, in ms. */
  readonly retryAfter?: number | undefined
  /** The header `WWW-Authenticate`, as the server sent it. */
  readonly wwwAuthenticate?: string | undefined
}

/** Only the members that have a value: an error shows what it knows, and never a row of `undefined`. */
const defined = (members: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

/**
 * Base of every error of this package. Secrets are redacted in all of them, so you may log them whole.
 *
 * Tell errors apart by `code` or by the guards below. `instanceof` fails when a program loads both the ES module and the
 * CommonJS build of this package; the guards compare `name`, which is the same in both.
 *
 * @example
 * ```ts
 * try {
 *   await client.callTool({ name: 'report' })
 * } catch (error) {
 *   if (!isMcpWebSocketError(error)) throw error
 *   console.error(error.code, error.message, error.hint ?? '')
 * }
 * ```
 */
export class McpWebSocketError extends Error implements ErrorDetails {
  /** Name of the class. It is a literal and not `new.target.name`, because minifiers rename classes. */
  override readonly name: string = 'McpWebSocketError'
  /** Which failure this is; stable from version to version. */
  declare readonly code: ErrorCode
  declare readonly retryable: boolean
  declare readonly delivery?: Delivery
  declare readonly hint?: string
  /** Where this failure is described: the heading of its code, in a page of this package. */
  declare readonly docs: string

  /**
   * Every detail that has a value becomes a member. Those of a rejected upgrade are accepted here too, so that
   * {@link HandshakeError} needs no constructor of its own.
   */
  constructor(code: ErrorCode, message: string, details: RejectedUpgradeDetails = {}) {
    const members = defined(details)
    super(message, members)
    const docs = `node_modules/mcp-websocket-client/docs/errors.md#${code.toLowerCase()}`
    Object.assign(this, { code, retryable: false, ...members, docs })
  }

  /** The error for people: what happened, what to do about it, and whether a request can have been executed; a line each. */
  override toString(): string {
    const { hint, delivery } = this
    return [super.toString(), hint && `  hint: ${hint}`, delivery && `  delivery: ${delivery}`].filter(Boolean).join('\n')
  }

  /** The error as plain data, for logs. The stack is left out, and a cause is reduced to its name, code and message. */
  toJSON(): Record<string, unknown> {
    const { cause, message } = this
    // `cause` and `message` are not enumerable, as on every Error. A cause that is not an Error may not survive JSON: it stays out.
    const json: Record<string, unknown> = Object.assign<Record<string, unknown>, object, object>({}, this, { message })
    if (cause instanceof Error) json.cause = { name: cause.name, code: (cause as { code?: unknown }).code, message: cause.message }
    return json
  }
}

/**
 * An attempt to connect failed before MCP was ready: the dial, the TLS handshake, the upgrade, or the wait for the server's first
 * response. The client retries most of them by itself; `connect()` rejects with one that a retry cannot fix.
 *
 * @example
 * ```ts
 * client.on('failed', (error) => {
 *   if (isHandshakeError(error) && error.status === 404) console.error('Nothing answers at this path. Check the URL.')
 * })
 * ```
 */
export class HandshakeError extends McpWebSocketError implements RejectedUpgradeDetails {
  override readonly name: string = 'HandshakeError'
  declare readonly code:
    | 'CONNECT_FAILED'
    | 'CONNECT_TIMEOUT'
    | 'HANDSHAKE_INVALID'
    | 'HANDSHAKE_TIMEOUT'
    | 'UNEXPECTED_STATUS'
    | 'TLS_FAILED'
    | 'INSECURE_TRANSPORT'
    | 'UNAUTHORIZED'
  declare readonly status?: number
  declare readonly body?: string
  declare readonly retryAfter?: number
  declare readonly wwwAuthenticate?: string
}

/**
 * The server rejected the credentials (HTTP 401 or 403). Retrying with the same ones is pointless: sign in again, then call
 * `connect()`. Node only; a browser hides the status, so that a rejected upgrade is a {@link HandshakeError} there.
 *
 * @example
 * ```ts
 * await client.connect().catch(async (error: unknown) => {
 *   if (!isUnauthorizedError(error)) throw error
 *   await signIn()
 *   await client.connect()
 * })
 * ```
 */
export class UnauthorizedError extends HandshakeError {
  override readonly name = 'UnauthorizedError'
  declare readonly code: 'UNAUTHORIZED'

  /** Makes the error, with what the server said. */
  constructor(message: string, details?: RejectedUpgradeDetails) {
    super('UNAUTHORIZED', message, details)
  }
}

/**
 * The server opened the socket with a subprotocol that was not offered, or without one. It is fatal at once, because a retry meets
 * the same server; the options that help are named in `hint`.
 *
 * @example
 * ```ts
 * await client.connect().catch((error: unknown) => {
 *   if (isSubprotocolError(error) && error.received === undefined) console.error("Set onMissingSubprotocol: 'accept'")
 *   throw error
 * })
 * ```
 */
export class SubprotocolError extends McpWebSocketError {
  override readonly name = 'SubprotocolError'
  declare readonly code: 'SUBPROTOCOL_MISMATCH'
  /** The subprotocols that were offered, in order. The one that carries a token is left out. */
  declare readonly offered: readonly string[]
  /** The subprotocol that the server chose; `undefined` if it named none. */
  declare readonly received: string | undefined

  /** Makes the error, with the subprotocols of both sides. */
  constructor(message: string, details: ErrorDetails & { readonly offered: readonly string[]; readonly received: string | undefined }) {
    super('SUBPROTOCOL_MISMATCH', message, details)
    this.offered = details.offered
    // Set even if it is `undefined`: that says that the server named none.
    this.received = details.received
  }
}

/**
 * The connection broke while a request was in flight, or it broke for good. The client reconnects by itself; what it cannot know is
 * whether the server executed the request, see `delivery`.
 *
 * @example
 * ```ts
 * await client.callTool({ name: 'pay', arguments: { order } }).catch(async (error: unknown) => {
 *   if (!isConnectionLostError(error) || error.delivery !== 'unknown') throw error
 *   // The next request waits for the reconnect.
 *   return client.callTool({ name: 'order-status', arguments: { order } }, { resend: true })
 * })
 * ```
 */
export class ConnectionLostError extends McpWebSocketError {
  override readonly name = 'ConnectionLostError'
  declare readonly code: 'CONNECTION_LOST' | 'HEARTBEAT_TIMEOUT' | 'MESSAGE_TOO_LARGE'
  /** How the connection ended. */
  declare readonly closure: Closure

  /** Makes the error of a connection that ended with this closure. */
  constructor(code: ConnectionLostError['code'], message: string, closure: Closure, details?: ErrorDetails) {
    // A message that was too large is too large the next time as well.
    super(code, message, { retryable: code !== 'MESSAGE_TOO_LARGE', ...details })
    this.closure = closure
  }
}

/**
 * No response came within the request's `timeout` or `maxTotalTimeout`. If the request was sent, the server is told by
 * `notifications/cancelled`, yet it may have finished the work before.
 *
 * @example
 * ```ts
 * await client.callTool({ name: 'index' }, { timeout: 30_000 }).catch((error: unknown) => {
 *   if (isRequestTimeoutError(error)) console.error(`${error.method} took more than ${String(error.timeout)} ms`)
 *   throw error
 * })
 * ```
 */
export class RequestTimeoutError extends McpWebSocketError {
  override readonly name = 'RequestTimeoutError'
  declare readonly code: 'REQUEST_TIMEOUT'
  /** The method of the request, for example `tools/call`. */
  declare readonly method: string
  /** The limit that ran out, in ms. */
  declare readonly timeout: number

  /**
   * Makes the error of a request whose time is over.
   * @param cause - What may explain the timeout: its message and its hint are added to those of this error.
   */
  constructor(method: string, timeout: number, delivery: Delivery, cause?: McpWebSocketError) {
    const state = delivery === 'not-sent' ? 'it was never sent' : 'it may have been executed'
    const why = cause ? `; ${cause.message}` : ''
    const details = { delivery, retryable: true, cause, hint: cause?.hint }
    super('REQUEST_TIMEOUT', `${method} got no response within ${String(timeout)} ms: ${state}${why}`, details)
    this.method = method
    this.timeout = timeout
  }
}

/**
 * The peer sent an error response. Its own code is `rpcCode`; `code` is always `RPC_ERROR`, and failures on this side never use
 * this class. Throw one from a request handler to send the server an error response with a code of your choice.
 *
 * @example
 * ```ts
 * client.setRequestHandler('sampling/createMessage', () => {
 *   throw new RpcError(-1, 'The user rejected the request')
 * })
 * const isUnknownMethod = (error: unknown): boolean => isRpcError(error) && error.rpcCode === -32601
 * ```
 */
export class RpcError extends McpWebSocketError {
  override readonly name = 'RpcError'
  declare readonly code: 'RPC_ERROR'
  /** The peer's error code (JSON-RPC 2.0 section 5.1; MCP adds its own). */
  declare readonly rpcCode: number
  /** What the peer added to the error, as it came. */
  declare readonly data?: unknown

  /** Makes the error that a request handler throws, or that the peer sent. */
  constructor(rpcCode: number, message: string, data?: unknown) {
    super('RPC_ERROR', message)
    this.rpcCode = rpcCode
    if (data !== undefined) this.data = data
  }
}

/**
 * The server broke the protocol, or it can no longer do what was agreed. It is a defect of the server, or a URL that leads to
 * another kind of server: record the frames with the option `trace` and report them there.
 *
 * @example
 * ```ts
 * client.on('error', (error) => {
 *   if (isProtocolError(error) && error.code === 'RESTORE_FAILED') console.warn('A subscription is gone:', error.message)
 * })
 * ```
 */
export class ProtocolError extends McpWebSocketError {
  override readonly name = 'ProtocolError'
  declare readonly code: 'INITIALIZE_REFUSED' | 'INVALID_RESPONSE' | 'INVALID_OUTPUT' | 'SERVER_CHANGED' | 'RESTORE_FAILED'
  /** Of `INVALID_OUTPUT`: the result of the tool, as it came. The tool was executed. */
  declare readonly result?: unknown
}

/**
 * The client gave up, because it has made `reconnect.maxRetries` retries in a row without success; or, before it was ever ready, because
 * the server accepted several sockets in a row and never answered MCP. `cause` is the failure of the last attempt. The client stays
 * `failed` until `connect()` is called again, which starts with all retries.
 *
 * @example
 * ```ts
 * client.on('failed', (error) => {
 *   if (isRetriesExhaustedError(error)) showRetryButton(`No connection after ${String(error.attempts)} attempts`)
 * })
 * ```
 */
export class RetriesExhaustedError extends McpWebSocketError {
  override readonly name = 'RetriesExhaustedError'
  declare readonly code: 'RETRIES_EXHAUSTED'
  /** How often the client dialled since `connect()`, or since the last stable connection broke. */
  declare readonly attempts: number

  /** Makes the error. @param attempts - How many dials were made. @param cause - Why the last one failed. */
  constructor(attempts: number, cause: McpWebSocketError | undefined) {
    const message = `gave up after ${String(attempts)} attempt${attempts === 1 ? '' : 's'}: ${cause?.message ?? 'no connection lasted'}`
    super('RETRIES_EXHAUSTED', message, { cause, retryable: true, delivery: 'not-sent', hint: cause?.hint })
    this.attempts = attempts
  }
}

/**
 * A limit of this client was reached (`outbox` or `maxPending`), and the request was not sent. Wait, or send less at once.
 *
 * @example
 * ```ts
 * await client.notify('notifications/progress-of-mine').catch((error: unknown) => {
 *   // Not worth waiting for: the next report says more.
 *   if (!isQueueFullError(error)) throw error
 * })
 * ```
 */
export class QueueFullError extends McpWebSocketError {
  override readonly name = 'QueueFullError'
  declare readonly code: 'QUEUE_FULL'

  /** Makes the error of the limit that `message` names. */
  constructor(message: string, hint: string) {
    super('QUEUE_FULL', message, { delivery: 'not-sent', retryable: true, hint })
  }
}

/**
 * Your program closed the client: what was pending rejects with this error, and so does what is asked for afterwards. If the closing
 * was meant, there is nothing to do.
 *
 * @example
 * ```ts
 * poll().catch((error: unknown) => {
 *   if (!isClosedError(error)) throw error
 * })
 * ```
 */
export class ClosedError extends McpWebSocketError {
  override readonly name = 'ClosedError'
  declare readonly code: 'CLOSED'

  /** Makes the error; `delivery` only if it is about a request. */
  constructor(delivery?: Delivery) {
    super('CLOSED', 'the client was closed', { delivery })
  }
}

const isNamed = (value: unknown, ...names: string[]): boolean => value instanceof Error && names.includes(value.name)

/** Whether `value` is any error of this package. */
export const isMcpWebSocketError = (value: unknown): value is McpWebSocketError =>
  value instanceof Error && 'docs' in value && typeof (value as { code?: unknown }).code === 'string'
/** Whether `value` is a {@link HandshakeError} (an {@link UnauthorizedError} is one). */
export const isHandshakeError = (value: unknown): value is HandshakeError => isNamed(value, 'HandshakeError', 'UnauthorizedError')
/** Whether `value` is an {@link UnauthorizedError}. */
export const isUnauthorizedError = (value: unknown): value is UnauthorizedError => isNamed(value, 'UnauthorizedError')
/** Whether `value` is a {@link SubprotocolError}. */
export const isSubprotocolError = (value: unknown): value is SubprotocolError => isNamed(value, 'SubprotocolError')
/** Whether `value` is a {@link ConnectionLostError}. */
export const isConnectionLostError = (value: unknown): value is ConnectionLostError => isNamed(value, 'ConnectionLostError')
/** Whether `value` is a {@link RequestTimeoutError}. */
export const isRequestTimeoutError = (value: unknown): value is RequestTimeoutError => isNamed(value, 'RequestTimeoutError')
/** Whether `value` is an {@link RpcError}. */
export const isRpcError = (value: unknown): value is RpcError => isNamed(value, 'RpcError')
/** Whether `value` is a {@link ProtocolError}. */
export const isProtocolError = (value: unknown): value is ProtocolError => isNamed(value, 'ProtocolError')
/** Whether `value` is a {@link RetriesExhaustedError}. */
export const isRetriesExhaustedError = (value: unknown): value is RetriesExhaustedError => isNamed(value, 'RetriesExhaustedError')
/** Whether `value` is a {@link QueueFullError}. */
export const isQueueFullError = (value: unknown): value is QueueFullError => isNamed(value, 'QueueFullError')
/** Whether `value` is a {@link ClosedError}. */
export const isClosedError = (value: unknown): value is ClosedError => isNamed(value, 'ClosedError')
