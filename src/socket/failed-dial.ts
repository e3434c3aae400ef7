import type { IncomingMessage } from 'node:http'
import { retryAfterOfHeader } from './retry-after.js'
import { publicUrl, redact, redactStart } from './secrets.js'
import { hintForStatus, hintForSystemError, isLocalTlsFailure } from './hints.js'
import { isCredential, judgeSubprotocol } from '../wire/subprotocol.js'
import { HandshakeError, UnauthorizedError, type ErrorDetails } from '../errors.js'
import { oversize, type SocketClosure, type Target } from './web-socket.js'

// The one place where the errors of Node and of `ws` become closures with errors of this package. Node only, and pure.

/**
 * How much of the body of a rejected upgrade is read, in bytes, and kept, in characters. People read the body in an error, where its
 * beginning is enough, and a hostile server could send one that never ends.
 */
export const MOST_BODY = 4096

/** The part of Node's response that says how the server rejected the upgrade. */
export type RejectedUpgrade = Pick<IncomingMessage, 'statusCode' | 'statusMessage' | 'headers' | 'complete'>

/**
 * The closure of an upgrade that the server answered with another status than 101.
 * @param body - What was read of the body; all of it if the response is complete and this is shorter than {@link MOST_BODY}.
 * @param now - Wall-clock time in ms, for a `Retry-After` that is a date.
 */
export function closureOfRejectedUpgrade(response: RejectedUpgrade, body: Uint8Array, target: Target, now: number): SocketClosure {
  const { headers, statusCode: status = 0, statusMessage } = response
  // Node takes a 101 for an ordinary response if it lacks a header that RFC 6455 section 4.2.2 demands.
  if (status === 101) return brokenUpgrade(target, 'no Upgrade or Connection header came with the 101')
  const redacted = (text: string | undefined): string | undefined => text && redact(text, target.secrets)
  const isWhole = response.complete && body.length < MOST_BODY
  // `stream` leaves out a last character that was cut. Otherwise U+FFFD would stand behind a secret that was cut, and hide its beginning.
  const text = new TextDecoder().decode(body, { stream: !isWhole })
  const retryAfter = retryAfterOfHeader(headers['retry-after'], now)
  const location = redacted(headers.location)
  const shown = (isWhole ? redact : redactStart)(text, target.secrets).slice(0, MOST_BODY)
  const line = firstWords(shown)
  const words = line === statusMessage ? '' : line
  const details = {
    status,
    body: shown,
    retryAfter,
    wwwAuthenticate: redacted(headers['www-authenticate']),
    hint: hintForStatus(status, carriesCredentials(target), location && originOf(location, target.url), words),
    retryable: status >= 500 || status === 408 || status === 425 || status === 429,
    delivery: 'not-sent'
  } as const
  const statusLine = `HTTP ${String(status)} ${redacted(statusMessage) ?? ''}`.trimEnd()
  const message = `${publicUrl(target.url)} answered the WebSocket upgrade with ${statusLine}${words && `: ${words}`}`
  const isUnauthorized = status === 401 || status === 403
  const error = isUnauthorized ? new UnauthorizedError(message, details) : new HandshakeError('UNEXPECTED_STATUS', message, details)
  return { kind: 'http', status, retryAfter, wasClean: false, error }
}

/**
 * Whether the dial carries anything that may tell the server who dials: credentials of HTTP, a token in the offer, or a header or a member
 * of the query that is named like a key.
 */
const carriesCredentials = ({ url, headers, protocols }: Target): boolean =>
  url.username !== '' ||
  protocols.some(isCredential) ||
  [...Object.keys(headers), ...url.searchParams.keys()].some((name) => /auth|cookie|key|secret|token/i.test(name))

const LONGEST_WORDS = 200

/** The first line of a body that is made for people; `''` if that is a web page, or long. */
function firstWords(body: string): string {
  const [line = ''] = body.trim().split(/[\r\n]/, 1)
  return /^[^<].*\w/.test(line) && line.length <= LONGEST_WORDS ? line.trimEnd() : ''
}

function originOf(location: string, base: URL): string {
  try {
    return publicUrl(new URL(location, base))
  } catch {
    return 'an unreadable address'
  }
}

/**
 * The closure of a dial that failed without an HTTP status: below HTTP, or behind a 101.
 * @param failure - What `ws` reported.
 * @param upgraded - Whether the server answered 101.
 * @param chosen - The subprotocol that it named in that answer.
 */
export function closureOfFailedDial(failure: unknown, target: Target, upgraded: boolean, chosen: string | undefined): SocketClosure {
  const { message, code } = factsOf(failure)
  const where = publicUrl(target.url)
  if (upgraded) {
    const shown = chosen && redact(chosen, target.secrets)
    const error = /subprotocol/i.test(message) ? judgeSubprotocol(target.protocols, shown, 'fail', where) : undefined
    return error ? { kind: 'subprotocol', wasClean: false, error } : brokenUpgrade(target, message, failure)
  }
  if (code.startsWith('HPE_')) return invalidHandshake(target, `${where} does not answer with HTTP: ${message}`, failure)
  const hint = hintForSystemError(code, message)
  if (isTlsCode(code) || isLocalTlsFailure(code, message))
    return failed('tls', 'TLS_FAILED', target, `no secure connection to ${where}: ${message}`, { cause: failure, hint })
  return failed('network', 'CONNECT_FAILED', target, `no connection to ${where}: ${message}`, { cause: failure, hint, retryable: true })
}

const brokenUpgrade = (target: Target, problem: string, cause?: unknown): SocketClosure =>
  invalidHandshake(target, `${publicUrl(target.url)} answered the upgrade in a way that breaks RFC 6455: ${problem}`, cause)

function invalidHandshake(target: Target, text: string, failure: unknown): SocketClosure {
  const { message, code } = factsOf(failure)
  // Node's parser adds the raw bytes of the answer to its errors, and with them the credentials that a server quotes.
  const cause = code.startsWith('HPE_') ? Object.assign(new Error(message), { code }) : failure
  return failed('network', 'HANDSHAKE_INVALID', target, text, { cause, hint: 'Is this the port of a WebSocket server?' })
}

function failed(
  kind: 'network' | 'tls',
  code: 'CONNECT_FAILED' | 'HANDSHAKE_INVALID' | 'TLS_FAILED',
  { secrets }: Target,
  text: string,
  details: ErrorDetails
): SocketClosure {
  return { kind, wasClean: false, error: new HandshakeError(code, redact(text, secrets), { ...details, delivery: 'not-sent' }) }
}

/**
 * The closure of an open socket on which `ws` found a fault, in place of the bare 1006 that `ws` reports then.
 * @returns `undefined` if the failure is not a fault that `ws` found: the connection broke.
 */
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

// An error of OpenSSL: what Node was doing, thread, number, library ($1), function, reason ($2), and the place in its source.
const OPENSSL = /^(?:\w+ EPROTO )?(?:[\dA-F]+:)?error:[\dA-F]+:([^:]*):[^:]*:([^:]+)(?::[^]*)?$/

/** The message of an error with no more of OpenSSL's words than the reason and its library. */
export const readable = (message: string): string => message.replace(OPENSSL, '$2 ($1)')

function factsOf(failure: unknown): { message: string; code: string } {
  if (!(failure instanceof Error)) return { message: typeof failure === 'string' ? failure : 'unknown failure', code: '' }
  // Node tries several addresses at once (RFC 8305) and reports one error for each, in an error whose own message is empty.
  const first: unknown = failure instanceof AggregateError ? failure.errors[0] : undefined
  const { code } = failure as { code?: unknown }
  const message = failure.message || (first instanceof Error ? first.message : failure.name)
  return { message: readable(message), code: typeof code === 'string' ? code : '' }
}

const isTlsCode = (code: string): boolean => /^(CERT_|CRL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|HOSTNAME_|ERR_TLS|ERR_SSL|EPROTO$)/.test(code)
