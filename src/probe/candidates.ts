import { isConnectionLostError, isHandshakeError, isSubprotocolError } from '../errors.js'
import { isCredential, isHttpToken, MCP_SUBPROTOCOL } from '../wire/subprotocol.js'
import type { ProbeChange, ProbeOptions } from './types.js'

// What is worth a try after a failure. Pure.

/** The paths at which most servers serve MCP. */
const PATHS = ['/ws', '/mcp', '/mcp/ws', '/']

/** The name that the official SDKs of v1 offer and take. */
const SDK_SUBPROTOCOL = 'mcp'

/**
 * Other offers, in the order in which they are tried. The first works with most servers that want a name other than `mcp.v1`, the last ones
 * with servers that compare the whole offer.
 */
const OTHER_OFFERS: readonly ProbeChange[] = [
  { subprotocols: [SDK_SUBPROTOCOL] },
  { offer: [SDK_SUBPROTOCOL] },
  { offer: [SDK_SUBPROTOCOL], onMissingSubprotocol: 'accept' },
  { offer: [], onMissingSubprotocol: 'accept' }
]

const withPath = (url: URL, path: string): string => {
  const other = new URL(url)
  other.pathname = path
  return other.href
}

const withScheme = (url: URL, scheme: 'ws:' | 'wss:'): string => {
  const other = new URL(url)
  other.protocol = scheme
  return other.href
}

/** Whether the options hold anything that must not travel in plain text. */
const hasSecrets = ({ auth, headers }: ProbeOptions, url: URL): boolean =>
  auth !== undefined || headers !== undefined || url.username !== '' || url.password !== '' || url.search !== ''

/** A subprotocol that the server names in words: `Subprotocol required: acme.v2`. */
const namedIn = (body: string): readonly string[] =>
  [...body.matchAll(/(?:subprotocol|sec-websocket-protocol)[^:\n]{0,40}:\s*"?([\w.+-]+)/gi)].map(([, name = '']) => name)

function afterStatus(status: number, body: string, url: URL, options: ProbeOptions): readonly ProbeChange[] {
  const paths = PATHS.filter((path) => path !== url.pathname).map((path) => ({ url: withPath(url, path) }))
  const named = namedIn(body)
    .filter((name) => isHttpToken(name) && !name.startsWith(MCP_SUBPROTOCOL) && !isCredential(name))
    .map((name): ProbeChange => ({ subprotocols: [name] }))
  const byToken: readonly ProbeChange[] = options.auth && options.auth.via !== 'subprotocol' ? [{ via: 'subprotocol' }] : []
  if (status === 401) return byToken
  if (status === 403) return [...byToken, ...paths]
  if (status === 426 || status === 400) return [...named, ...OTHER_OFFERS, ...byToken]
  if (status === 407 || status === 429 || status >= 500) return []
  return paths
}

/**
 * The changes that may help, the most likely first. None of them sends credentials to another host, or in plain text where the URL said
 * otherwise.
 * @param error - Why the last attempt failed.
 */
export function candidatesAfter(error: unknown, url: URL, options: ProbeOptions): readonly ProbeChange[] {
  if (isSubprotocolError(error)) {
    const { received } = error
    if (received === undefined) return [{ onMissingSubprotocol: 'accept' }]
    // Some servers repeat the whole offer. If it is one name, the answer is right.
    if (!isHttpToken(received)) return [{ offer: [MCP_SUBPROTOCOL] }]
    // It chose what is always offered, or a token: neither can be added to the offer.
    if (received.startsWith(MCP_SUBPROTOCOL) || isCredential(received)) return []
    return [{ subprotocols: [received] }, { offer: [received] }]
  }
  if (isConnectionLostError(error)) return [...OTHER_OFFERS, { protocol: 'legacy' }]
  if (!isHandshakeError(error)) return []
  const { code, status, body = '', message } = error
  if (status !== undefined) return afterStatus(status, body, url, options)
  if (code === 'HANDSHAKE_TIMEOUT') return [...OTHER_OFFERS.slice(1), { protocol: 'legacy' }]
  const speaksPlain = code === 'TLS_FAILED' && /wrong version number/i.test(message)
  if (speaksPlain) return hasSecrets(options, url) ? [] : [{ url: withScheme(url, 'ws:') }]
  // A server with TLS hangs up on plain text, or answers in bytes that are no HTTP.
  const speaksTls = code === 'HANDSHAKE_INVALID' || /ECONNRESET|socket hang up/.test(message)
  return speaksTls && url.protocol === 'ws:' ? [{ url: withScheme(url, 'wss:') }] : []
}
