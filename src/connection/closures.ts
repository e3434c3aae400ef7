import { ConnectionLostError, HandshakeError, type Closure, type McpWebSocketError, type SubprotocolError } from '../errors.js'

/** What follows from a closure: dial again after a delay, or give up. */
export type Verdict = 'retry' | 'fatal'

// Close codes (RFC 6455 section 7.4.1 and the IANA registry) after which the same dial would end the same way. All others are retried,
// 1000 included: Go servers close with it whenever their handler ends, after errors and at restarts too. The reasons are in
// docs/decisions/0010-reconnect-after-every-closure.md.
const FATAL_CODES: readonly number[] = [
  1002, // one side broke the WebSocket protocol, and would again
  1003, // the server cannot read text frames, the only ones that the client sends
  1007, // a text frame was not UTF-8
  1008, // the server has a policy against this client
  1010 // the client requires an extension that the server does not have
]

// By custom, 4400-4499 mirror HTTP's client errors, and are as fatal. These three of them pass, as the statuses that they mirror do.
const PASSING_CLIENT_CODES: readonly number[] = [
  4401, // the token may be fresh at the next attempt
  4408, // the server waited too long for the client
  4429 // too many requests: later is fine
]

const PASSING_STATUSES: readonly number[] = [
  408, // the server waited too long for the request
  425, // too early: the server asks to repeat
  429 // too many requests: later is fine
]

/** Close codes that ask for other credentials: 4401 by custom, 3000 in the IANA registry. */
export const isUnauthorizedCode = (code: number | undefined): boolean => code === 4401 || code === 3000

/**
 * Whether the closure of a socket can mean that the server did not understand the handshake. Codes that reject the client itself tell
 * nothing about the era, nor does a closure that this side decided on.
 */
export const tellsEra = ({ kind, code, error }: Closure): boolean =>
  kind === 'close' && error === undefined && !isUnauthorizedCode(code) && code !== 4403

/**
 * Whether a dial may have failed only because the server named no subprotocol. An engine that hides the reason leaves that open. One that
 * shows HTTP says so; where the option accepts it, that happens only in Bun, which looks for the subprotocol by itself.
 */
export const mayLackSubprotocol = ({ kind, error }: Closure, seesHttp: boolean): boolean =>
  seesHttp ? kind === 'subprotocol' && (error as SubprotocolError).received === undefined : kind === 'network'

/**
 * Judges a closure (see the option `reconnect`): it is fatal if the next dial would end in the same way. A 401 counts as fatal here; that
 * a fresh token deserves one more dial is decided in the lifecycle.
 */
export const judgeClosure = (closure: Closure): Verdict => (isFatal(closure) ? 'fatal' : 'retry')

function isFatal({ kind, code = 1005, status = 0, everReady, error }: Closure): boolean {
  switch (kind) {
    case 'subprotocol':
      return true // a setting on one of the sides is wrong
    case 'http':
      // Redirects, 2xx and the other 4xx mean a wrong URL at first; later a deploy's ingress answers 404 for some seconds.
      return status === 401 || status === 403 || (!everReady && status < 500 && !PASSING_STATUSES.includes(status))
    case 'tls':
      return !everReady // a certificate that was good once may be in the middle of its renewal
    case 'close':
      // An error here is this side's: the handshake failed, perhaps for the time of a deploy. But a changed server never changes back.
      if (error) return !everReady || error.code === 'SERVER_CHANGED'
      return FATAL_CODES.includes(code) || (code >= 4400 && code < 4500 && !PASSING_CLIENT_CODES.includes(code))
    default:
      // A server that does not speak HTTP will not learn it; credentials stay forbidden over plain text.
      return error?.code === 'HANDSHAKE_INVALID' || error?.code === 'INSECURE_TRANSPORT'
  }
}

/** The wait that the server asked for when it closed, in ms; 0 if it did not. */
export function askedDelay(closure: Closure, initialDelay: number): number {
  // 1013 "try again later" without a number: longer than an ordinary first retry.
  return closure.retryAfter ?? (closure.code === 1013 ? 2 * initialDelay : 0)
}

/** The closure in words, for messages. */
export function describeClosure(closure: Closure): string {
  if (closure.kind === 'heartbeat') return 'the server fell silent'
  if (closure.error) return closure.error.message
  const reason = closure.reason ? ` ${JSON.stringify(closure.reason)}` : ''
  return closure.code === undefined ? 'the connection broke' : `the connection closed with code ${String(closure.code)}${reason}`
}

/** The error with which `connect()` rejects when this closure ends it. */
export const errorOfClosure = (closure: Closure): McpWebSocketError =>
  closure.error ??
  new ConnectionLostError(lostCode(closure), describeClosure(closure), closure, {
    retryable: judgeClosure(closure) === 'retry',
    delivery: 'not-sent'
  })

/** Code of the error for the requests that the closure took with it. */
export const lostCode = (closure: Closure): 'HEARTBEAT_TIMEOUT' | 'CONNECTION_LOST' =>
  closure.kind === 'heartbeat' ? 'HEARTBEAT_TIMEOUT' : 'CONNECTION_LOST'

/** The closure of a socket that `reconnect()` replaces. */
export const REPLACED: Closure = { kind: 'close', code: 1000, reason: 'reconnect', wasClean: true, everReady: true }

/** The closure of a dial, or of a handshake, that took longer than `ms`. */
export function lateClosure(code: 'CONNECT_TIMEOUT' | 'HANDSHAKE_TIMEOUT', ms: number): Omit<Closure, 'everReady'> {
  const problem = code === 'CONNECT_TIMEOUT' ? 'no connection' : 'connected, but MCP was not ready'
  const error = new HandshakeError(code, `${problem} within ${String(ms)} ms`, { retryable: true, delivery: 'not-sent' })
  return { kind: 'timeout', wasClean: false, error }
}
