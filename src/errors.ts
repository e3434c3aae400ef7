/** Stable code of every error of this package; each is a heading in `docs/errors.md`. */
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
  | 'SERVER_CHANGED'
  | 'RESTORE_FAILED'
  | 'REQUEST_TIMEOUT'
  | 'RPC_ERROR'
  | 'RETRIES_EXHAUSTED'
  | 'QUEUE_FULL'
  | 'CLOSED'

/**
 * Whether a request that failed can have reached the server: `not-sent` is always safe to repeat, `unknown` means that
 * it may have been executed.
 */
export type Delivery = 'not-sent' | 'unknown'

/** What ended a connection or an attempt at one. */
export type ClosureKind = 'close' | 'http' | 'network' | 'tls' | 'timeout' | 'heartbeat' | 'subprotocol'

/**
 * The end of one connection, or of one attempt that never became a connection: what `shouldReconnect` judges and what
 * `state` events and {@link ConnectionLostError} carry.
 */
export interface Closure {
  /** `close`: a WebSocket close event of an open socket; the others name what failed instead. */
  readonly kind: ClosureKind
  /** Close code (RFC 6455 section 7.4). 1006 when the connection broke without a closing handshake. */
  readonly code?: number
  /** Reason that the server gave with the close code; at most 123 bytes of UTF-8 on the wire. */
  readonly reason?: string
  /** HTTP status of a refused upgrade. Node only: browsers hide it from every page. */
  readonly status?: number
  /** Wait that the server asked for, in ms (`Retry-After` header, or `retry-after=<seconds>` in a close reason). */
  readonly retryAfter?: number
  /** Whether both sides finished the closing handshake. */
  readonly wasClean: boolean
  /** Whether the client was `ready` at least once since `connect()`. */
  readonly everReady: boolean
  /** The failure in the form in which `connect()` would reject with it. */
  readonly error?: McpWebSocketError
}

/** What every error of this package may carry. */
export interface ErrorDetails {
  /** The error that lies below, for example a system error of Node. */
  readonly cause?: unknown
  /** Whether the same call can succeed later without a change. Default `false`. */
  readonly retryable?: boolean
  readonly delivery?: Delivery
  /** What to do about it, in one or two sentences. */
  readonly hint?: string
}

/** Only the members that have a value: an error shows what it knows, not a row of `undefined`. */
const defined = (members: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined))

/**
 * Base of every error of this package. Secrets never occur in it, so it may be logged whole.
 * Tell errors apart by `code` or with the guards below: `instanceof` fails when an ESM and a CJS copy meet.
 */
export class McpWebSocketError extends Error {
  // A literal, not `new.target.name`: minifiers rename classes.
  override readonly name: string = 'McpWebSocketError'
  declare readonly code: ErrorCode
  declare readonly retryable: boolean
  declare readonly delivery?: Delivery
  declare readonly hint?: string

  /** Every detail that has a value becomes a member; those of a refusal are declared by {@link HandshakeError}. */
  constructor(code: ErrorCode, message: string, details: RefusalDetails = {}) {
    const members = defined(details)
    super(message, members)
    Object.assign(this, { code, retryable: false }, members)
  }

  /** The error as plain data, for logs; the stack is left out, a cause is reduced to its name, code and message. */
  toJSON(): Record<string, unknown> {
    const { cause, message } = this
    const members = Object.assign<Record<string, unknown>, object>({}, this) as Record<string, unknown>
    if (cause instanceof Error) members.cause = { name: cause.name, code: (cause as { code?: unknown }).code, message: cause.message }
    return { ...members, message }
  }
}

/** What the server said when it refused the WebSocket upgrade (Node only). */
export interface RefusalDetails extends ErrorDetails {
  /** HTTP status. */
  readonly status?: number
  /** Start of the response body, at most 4 KiB. */
  readonly body?: string
  /** `Retry-After`, in ms. */
  readonly retryAfter?: number
  /** `WWW-Authenticate` as the server sent it. */
  readonly wwwAuthenticate?: string
}

/** An attempt to connect failed before MCP was ready. */
export class HandshakeError extends McpWebSocketError {
  override readonly name: string = 'HandshakeError'
  declare readonly status?: number
  declare readonly body?: string
  declare readonly retryAfter?: number
  declare readonly wwwAuthenticate?: string
}

/** The server refused the credentials (HTTP 401 or 403). */
export class UnauthorizedError extends HandshakeError {
  override readonly name = 'UnauthorizedError'

  constructor(message: string, details: RefusalDetails = {}) {
    super('UNAUTHORIZED', message, details)
  }
}

/** The server answered the upgrade with another subprotocol than those offered, or with none. */
export class SubprotocolError extends McpWebSocketError {
  override readonly name = 'SubprotocolError'
  /** The subprotocols that were offered, credentials left out. */
  declare readonly offered: readonly string[]
  /** What the server answered; `undefined` if it named none. */
  declare readonly received: string | undefined

  constructor(message: string, details: ErrorDetails & { offered: readonly string[]; received: string | undefined }) {
    super('SUBPROTOCOL_MISMATCH', message, details)
    this.offered = details.offered
    this.received = details.received
  }
}

/** The connection broke while the request was under way, or an open connection was lost. */
export class ConnectionLostError extends McpWebSocketError {
  override readonly name = 'ConnectionLostError'
  declare readonly closure: Closure

  constructor(
    code: 'CONNECTION_LOST' | 'HEARTBEAT_TIMEOUT' | 'MESSAGE_TOO_LARGE',
    message: string,
    closure: Closure,
    details: ErrorDetails = {}
  ) {
    super(code, message, { retryable: code !== 'MESSAGE_TOO_LARGE', ...details })
    this.closure = closure
  }
}

/** No answer within the request's `timeout` or `maxTotalTimeout`. */
export class RequestTimeoutError extends McpWebSocketError {
  override readonly name = 'RequestTimeoutError'
  declare readonly method: string
  /** The limit that ran out, in ms. */
  declare readonly timeout: number

  constructor(method: string, timeout: number, delivery: Delivery) {
    const state = delivery === 'not-sent' ? 'it was never sent' : 'it may have been executed'
    super('REQUEST_TIMEOUT', `${method} got no answer within ${String(timeout)} ms: ${state}`, { delivery, retryable: true })
    this.method = method
    this.timeout = timeout
  }
}

/** The peer answered the request with a JSON-RPC error. */
export class RpcError extends McpWebSocketError {
  override readonly name = 'RpcError'
  /** The peer's error code (JSON-RPC 2.0 section 5.1; MCP adds its own). */
  declare readonly rpcCode: number
  declare readonly data?: unknown

  /** Throw one from a request handler to answer with this code, message and data. */
  constructor(rpcCode: number, message: string, data?: unknown) {
    super('RPC_ERROR', message)
    this.rpcCode = rpcCode
    if (data !== undefined) this.data = data
  }
}

/** The peer broke the protocol, or it can no longer do what was agreed. */
export class ProtocolError extends McpWebSocketError {
  override readonly name = 'ProtocolError'
}

/** The retry cap was reached; `cause` is the failure of the last attempt. */
export class RetriesExhaustedError extends McpWebSocketError {
  override readonly name = 'RetriesExhaustedError'
  /** Dials since `connect()`, or since the last stable connection broke. */
  declare readonly attempts: number

  constructor(attempts: number, cause: McpWebSocketError | undefined) {
    super('RETRIES_EXHAUSTED', `gave up after ${String(attempts)} attempts: ${cause?.message ?? 'no connection stayed'}`, {
      cause,
      retryable: true,
      delivery: 'not-sent',
      hint: cause?.hint
    })
    this.attempts = attempts
  }
}

/** A limit of this client was reached (`outbox`, `maxPending`); the request was not sent. */
export class QueueFullError extends McpWebSocketError {
  override readonly name = 'QueueFullError'

  constructor(message: string, hint: string) {
    super('QUEUE_FULL', message, { delivery: 'not-sent', retryable: true, hint })
  }
}

/** The client was closed by its own program. */
export class ClosedError extends McpWebSocketError {
  override readonly name = 'ClosedError'

  constructor(delivery?: Delivery) {
    super('CLOSED', 'the client was closed', { delivery })
  }
}

const isNamed = (value: unknown, ...names: string[]): boolean => value instanceof Error && names.includes(value.name)

/** Whether `value` is any error of this package. */
export const isMcpWebSocketError = (value: unknown): value is McpWebSocketError =>
  value instanceof Error && 'retryable' in value && typeof (value as { code?: unknown }).code === 'string'
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
