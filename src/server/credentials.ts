import { createHash, timingSafeEqual } from 'node:crypto'
import { AUTH_PREFIX, BEARER_PREFIX, isCredential } from '../wire/subprotocol.js'

/** The bearer token of an upgrade request (`undefined`: it has none), or why there is not exactly one that can be read. */
export type Credentials = { readonly token: string | undefined } | { readonly problem: 'unreadable' | 'ambiguous' }

/**
 * Reads the bearer token of an upgrade request: from the `Authorization` header, or from the `mcp.bearer.*` or `mcp.auth.*` entry among
 * the offered subprotocols. A request with two tokens is ambiguous (RFC 6750 section 2); clients of SEP-1288 that send one token in the
 * header and as `mcp.auth.*` have one. Other schemes are left to `authenticate`.
 */
export function readCredentials(authorization: string | undefined, offered: readonly string[]): Credentials {
  const entries = offered.filter(isCredential)
  const [scheme = '', ...rest] = (authorization ?? '').split(' ')
  const isBearer = scheme.toLowerCase() === 'bearer'
  const inHeader = rest.join(' ').trim()
  const [entry] = entries
  const isRepeated = isBearer && entry === AUTH_PREFIX + inHeader
  if (entries.length + Number(isBearer && !isRepeated) > 1) return { problem: 'ambiguous' }
  if (entry === undefined && !isBearer) return { token: undefined }
  const token = entry === undefined ? inHeader : readEntry(entry)
  return token === undefined || token === '' ? { problem: 'unreadable' } : { token }
}

/** The token of an entry among the subprotocols; `undefined` if it cannot be read. */
const readEntry = (entry: string): string | undefined =>
  entry.startsWith(AUTH_PREFIX) ? entry.slice(AUTH_PREFIX.length) : decode(entry.slice(BEARER_PREFIX.length))

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The text behind base64url without padding (RFC 4648 section 5); `undefined` for anything else. */
function decode(encoded: string): string | undefined {
  const bytes = Buffer.from(encoded, 'base64url')
  // `Buffer` skips characters that it cannot read: the input was well-formed only if it encodes to the same text again.
  if (bytes.toString('base64url') !== encoded) return undefined
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/**
 * Whether a token is the expected one. The comparison takes the same time for every token, so it tells nothing about the expected one, not
 * even its length.
 * @param given - The token that `authenticate` got.
 * @param expected - If it is empty or `undefined`, as from a variable that was not set, it equals no token.
 * @example
 * ```ts
 * authenticate: (_request, token) => (isSameToken(token, process.env.MCP_TOKEN) ? { user: 'ada' } : undefined)
 * ```
 */
export function isSameToken(given: string | undefined, expected: string | undefined): boolean {
  if (typeof given !== 'string' || typeof expected !== 'string') return false
  // Digests have the same length, which `timingSafeEqual` demands.
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given), digest(expected)) && expected !== ''
}
