import { ConnectionLostError, HandshakeError, McpWebSocketError, ProtocolError, type Closure, type SubprotocolError } from '../errors.js'
import { asError } from '../lib/guarded.js'
import type { TokenContext } from '../types/options.js'

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
 * Why the next dial asks for a token. A dial that failed has the code 1006 only in an engine that hides the reason: there the token may be
 * to blame.
 */
export function reasonForToken({ kind, code, status }: Closure): TokenContext['reason'] {
  if (status === 401 || status === 403 || isUnauthorizedCode(code)) return 'unauthorized'
  return kind === 'network' && code === 1006 ? 'retry' : 'connect'
}

/** Whether this side ended the socket with a reason of its own. An error that only says how the connection ended is no such reason. */
const isDecidedHere = ({ error }: Closure): boolean => error !== undefined && error.name !== 'ConnectionLostError'

/**
 * Whether the closure of a socket can mean that the server did not understand the handshake. Codes that reject the client itself tell
 * nothing about the era, nor does a closure that this side decided on.
 */
export const tellsEra = (closure: Closure): boolean =>
  closure.kind === 'close' && !isDecidedHere(closure) && !isUnauthorizedCode(closure.code) && closure.code !== 4403

/**
 * Whether a dial may have failed only because the server named no subprotocol. In an engine that hides the reason, every failed dial may.
 * An engine that shows HTTP says so; where the option accepts a missing subprotocol, only Bun fails such a dial, because it checks the
 * subprotocol by itself.
 */
export const mayLackSubprotocol = ({ kind, error }: Closure, seesHttp: boolean): boolean =>
  seesHttp ? kind === 'subprotocol' && (error as SubprotocolError).received === undefined : kind === 'network'

/**
 * Whether a dial may have failed only because the server does not accept an offer of two subprotocols. Some compare the whole header with
 * the one name that they know.
 */
export const mayRejectOffer = ({ kind, status = 0, everReady }: Closure, seesHttp: boolean): boolean => {
  if (everReady) return false
  if (kind === 'http') return status >= 400 && status < 500 && status !== 401 && status !== 403 && !PASSING_STATUSES.includes(status)
  return kind === 'subprotocol' || (kind === 'network' && !seesHttp)
}

/**
 * Judges a closure (see the option `reconnect`): it is fatal if the next dial would end in the same way. A 401 or 403 counts as fatal
 * here; that a fresh token deserves one more dial is decided in the lifecycle.
 */
export const judgeClosure = (closure: Closure): Verdict => (isFatal(closure) ? 'fatal' : 'retry')

function isFatal(closure: Closure): boolean {
  const { kind, code = 1005, status = 0, everReady, error } = closure
  switch (kind) {
    case 'subprotocol':
      return true // a setting on one of the sides is wrong
    case 'http':
      // Redirects, 2xx and the other 4xx mean a wrong URL at first; later a deploy's ingress answers 404 for some seconds.
      return status === 401 || status === 403 || (!everReady && status < 500 && !PASSING_STATUSES.includes(status))
    case 'tls':
      return !everReady // a certificate that was good once may be in the middle of its renewal
    case 'close':
      // This side ended the socket: the handshake failed, perhaps only during a deploy. But a server that has changed does not change back.
      if (isDecidedHere(closure)) return !everReady || error?.code === 'SERVER_CHANGED'
      return FATAL_CODES.includes(code) || (code >= 4400 && code < 4500 && !PASSING_CLIENT_CODES.includes(code))
    default:
      // Not retryable: the server does not speak HTTP, credentials would travel in plain text, or this side has a fault. A dial changes
      // none of it.
      return error?.retryable === false
  }
}

/** The wait that the server asked for when it closed, in ms; 0 if it did not. */
export function askedDelay(closure: Closure, initialDelay: number): number {
  // 1013 "try again later" without a number: longer than an ordinary first retry.
  return closure.retryAfter ?? (closure.code === 1013 ? 2 * initialDelay : 0)
}

/** The closure in words, for messages. @param where - The URL, without secrets. */
export function describeClosure({ error, kind, code, reason }: Closure, where = 'the server'): string {
  if (error) return error.message
  if (kind === 'heartbeat') return `${where} fell silent`
  const end = code === undefined ? 'broke' : `closed with code ${String(code)}`
  return `the connection to ${where} ${end}${reason ? ` ${JSON.stringify(reason)}` : ''}`
}

const DROPPED_HINT =
  'The server closed the connection before MCP was ready: it may want another subprotocol, credentials, or another first message, or not speak MCP here.'

/**
 * The closure with its error: the one with which `connect()` rejects when this closure ends it.
 * @param where - The URL, without secrets.
 * @param cause - What may explain the closure.
 */
export function withError(closure: Closure, where?: string, cause?: McpWebSocketError): Closure & { readonly error: McpWebSocketError } {
  const { error } = closure
  if (error) return { ...closure, error }
  const retryable = judgeClosure(closure) === 'retry'
  // A server that hangs up on the first message most likely does so every time. With 1011 it says that it failed, whatever was sent.
  const hint = cause?.hint ?? (closure.kind === 'close' && closure.code !== 1011 && !closure.everReady ? DROPPED_HINT : undefined)
  const details = { retryable, delivery: 'not-sent', cause, hint } as const
  const end = describeClosure(closure, where)
  return { ...closure, error: new ConnectionLostError(lostCode(closure), cause ? `${end}; ${cause.message}` : end, closure, details) }
}

/**
 * The error of an exception that no server caused: the engine lacks something, or there is a bug. Another dial would not help.
 * @param where - The URL, without secrets.
 */
export const unexpectedError = (cause: unknown, where = 'the server'): McpWebSocketError =>
  new McpWebSocketError('UNEXPECTED_ERROR', `no connection to ${where}: ${asError(cause).message}`, {
    cause,
    hint: 'This is no failure of the network: the engine lacks something, or a WebSocket class, an agent or this package has a bug.',
    delivery: 'not-sent'
  })

/** The error for frames that could not be read. @param start - How the last one began, without secrets. */
export const unreadError = (count: number, start: string): ProtocolError =>
  new ProtocolError(
    'INVALID_RESPONSE',
    `${String(count)} frame${count === 1 ? '' : 's'} of the server could not be read; the last began with ${JSON.stringify(start)}`,
    { hint: 'Is this an MCP server? A gateway, or another protocol, may have sent that.' }
  )

/** Code of the loss error for a request whose connection ended with this closure. */
export const lostCode = (closure: Closure): 'HEARTBEAT_TIMEOUT' | 'CONNECTION_LOST' =>
  closure.kind === 'heartbeat' ? 'HEARTBEAT_TIMEOUT' : 'CONNECTION_LOST'

/** The closure of a socket that `reconnect()` replaces. */
export const REPLACED: Closure = { kind: 'close', code: 1000, reason: 'reconnect', wasClean: true, everReady: true }

const UNREACHED_HINT = 'A firewall? Or does a function in the options hang?'
const SILENCE_HINT =
  'The server accepts WebSockets but does not respond to MCP: is the path right, and does it speak MCP over WebSocket? It may want another subprotocol.'

/**
 * The closure of a dial, or of a handshake, that took longer than `ms`.
 * @param where - The URL, without secrets.
 * @param cause - What may explain it.
 */
export function lateClosure(
  code: 'CONNECT_TIMEOUT' | 'HANDSHAKE_TIMEOUT',
  ms: number,
  where = 'the server',
  cause?: McpWebSocketError
): Omit<Closure, 'everReady'> {
  const isDial = code === 'CONNECT_TIMEOUT'
  const problem = `${isDial ? 'no connection to' : 'connected, but MCP was not ready at'} ${where} within ${String(ms)} ms`
  const hint = isDial ? UNREACHED_HINT : (cause?.hint ?? SILENCE_HINT)
  const message = cause ? `${problem}; ${cause.message}` : problem
  const error = new HandshakeError(code, message, { retryable: true, delivery: 'not-sent', cause, hint })
  return { kind: 'timeout', wasClean: false, error }
}
