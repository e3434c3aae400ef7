import type { IncomingMessage } from 'node:http'
import { retryAfterOfHeader } from './retry-after.js'
import { publicUrl, redact, redactStart } from './secrets.js'
import { hintForStatus, hintForSystemError } from './hints.js'
import { judgeSubprotocol } from '../wire/subprotocol.js'
import { HandshakeError, UnauthorizedError } from '../errors.js'
import { oversize, type SocketClosure } from './web-socket.js'
import type { Target } from './target.js'

// The one place where Node's and ws' errors become ours.

// A refusal is shown to people: more than its beginning helps nobody, and a hostile server would never end it.
/** How much of the body of a refusal is read, in bytes, and kept, in characters. */
export const MOST_BODY = 4096

/** The closure of an upgrade that the server answered with something else than 101. */
export function closureOfRefusal(response: IncomingMessage, body: Buffer, target: Target): SocketClosure {
  const status = response.statusCode ?? 0
  // Node sees no upgrade in it: a header that RFC 6455 demands is missing.
  if (status === 101) return brokenUpgrade(target, 'no Upgrade or Connection header came with the 101')
  const text = body.toString()
  const clean = (text: string | undefined): string | undefined => (text === undefined ? undefined : redact(text, target.secrets))
  const retryAfter = retryAfterOfHeader(response.headers['retry-after'], Date.now())
  const wwwAuthenticate = clean(response.headers['www-authenticate'])
  const location = clean(response.headers.location)
  const details = {
    status,
    body: redactStart(text, target.secrets, body.length < MOST_BODY ? MOST_BODY : Math.min(MOST_BODY, text.length)),
    retryAfter,
    wwwAuthenticate,
    hint: hintForStatus(status, location && originOf(location, target.url)),
    retryable: status >= 500 || status === 408 || status === 425 || status === 429,
    delivery: 'not-sent'
  } as const
  const message =
    `${publicUrl(target.url)} answered the WebSocket upgrade with HTTP ${String(status)} ${clean(response.statusMessage) ?? ''}`.trimEnd()
  const refused = status === 401 || status === 403
  const error = refused ? new UnauthorizedError(message, details) : new HandshakeError('UNEXPECTED_STATUS', message, details)
  return { kind: 'http', status, retryAfter, wasClean: false, error }
}

function originOf(location: string, base: URL): string {
  try {
    return publicUrl(new URL(location, base))
  } catch {
    return 'an unreadable address'
  }
}

/**
 * The closure of a dial that failed below HTTP, or after it.
 * @param upgraded - Whether the server answered 101.
 * @param answered - The subprotocol that it named.
 */
export function closureOfFailure(failure: unknown, target: Target, upgraded: boolean, answered: string | undefined): SocketClosure {
  const clean = (text: string | undefined): string | undefined => text && redact(text, target.secrets)
  const { message, code } = factsOf(failure)
  const where = publicUrl(target.url)
  if (upgraded) {
    const error = /subprotocol/i.test(message) ? judgeSubprotocol(target.protocols, clean(answered), 'fail') : undefined
    if (error) return { kind: 'subprotocol', wasClean: false, error }
    return brokenUpgrade(target, message, failure)
  }
  if (code.startsWith('HPE_')) return networkClosure('HANDSHAKE_INVALID', `${where} does not answer with HTTP: ${message}`, target, failure)
  if (!isTlsCode(code)) return networkClosure('CONNECT_FAILED', `no connection to ${where}: ${message}`, target, failure)
  const hint = hintForSystemError(code, message)
  return {
    kind: 'tls',
    wasClean: false,
    error: new HandshakeError('TLS_FAILED', `no secure connection to ${where}: ${message}`, { cause: failure, hint, delivery: 'not-sent' })
  }
}

const brokenUpgrade = (target: Target, problem: string, cause?: unknown): SocketClosure =>
  networkClosure(
    'HANDSHAKE_INVALID',
    `${publicUrl(target.url)} answered the upgrade in a way that breaks RFC 6455: ${problem}`,
    target,
    cause
  )

function networkClosure(errorCode: 'HANDSHAKE_INVALID' | 'CONNECT_FAILED', text: string, target: Target, cause: unknown): SocketClosure {
  const { message, code } = factsOf(cause)
  const retryable = errorCode === 'CONNECT_FAILED'
  const hint = retryable ? hintForSystemError(code, message) : 'Is this the port of a WebSocket server?'
  // Node's parser puts the raw bytes of the answer into its errors, credentials that were quoted back too.
  const shown = code.startsWith('HPE_') ? Object.assign(new Error(message), { code }) : cause
  const error = new HandshakeError(errorCode, redact(text, target.secrets), { cause: shown, hint, retryable, delivery: 'not-sent' })
  return { kind: 'network', wasClean: false, error }
}

/** The closure of an open socket on which ws found a fault, instead of the bare 1006 that it reports. */
export function closureOfWsError(failure: unknown, maxMessageBytes: number): SocketClosure | undefined {
  const { code } = factsOf(failure)
  if (!code.startsWith('WS_ERR_')) return undefined
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return oversize(maxMessageBytes)
  return {
    kind: 'close',
    code: code === 'WS_ERR_INVALID_UTF8' ? 1007 : 1002,
    reason: `the server broke the WebSocket protocol (${code})`,
    wasClean: false
  }
}

function factsOf(failure: unknown): { message: string; code: string } {
  if (!(failure instanceof Error)) return { message: typeof failure === 'string' ? failure : 'unknown failure', code: '' }
  // Happy eyeballs: one failure per address, an empty message for all of them.
  const first: unknown = failure instanceof AggregateError ? failure.errors[0] : undefined
  const { code } = failure as { code?: unknown }
  return { message: failure.message || (first instanceof Error ? first.message : failure.name), code: typeof code === 'string' ? code : '' }
}

const isTlsCode = (code: string): boolean => /^(CERT_|CRL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_|ERR_TLS|ERR_SSL|EPROTO$)/.test(code)
