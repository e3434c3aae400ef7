import { createHash, timingSafeEqual } from 'node:crypto'
import { BEARER_PREFIX } from '../wire/subprotocol.js'

/** What a handshake says about who comes. */
export type Credentials = { readonly token: string | undefined } | { readonly problem: 'unreadable' | 'ambiguous' }

/**
 * The bearer token of a handshake, from the `Authorization` header or from the one `mcp.bearer.*` entry of the offer. Two at a
 * time are refused (RFC 6750 section 2). Other schemes are left to `authenticate`.
 */
export function readCredentials(authorization: string | undefined, offered: readonly string[]): Credentials {
  const entries = offered.filter((name) => name.startsWith(BEARER_PREFIX))
  const [scheme = '', ...rest] = (authorization ?? '').split(' ')
  const isBearer = scheme.toLowerCase() === 'bearer'
  if (entries.length + Number(isBearer) > 1) return { problem: 'ambiguous' }
  const [entry] = entries
  if (entry === undefined && !isBearer) return { token: undefined }
  const token = entry === undefined ? rest.join(' ').trim() : decode(entry.slice(BEARER_PREFIX.length))
  return token === undefined || token === '' ? { problem: 'unreadable' } : { token }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** The text behind base64url without padding (RFC 4648 section 5); `undefined` for anything else. */
function decode(encoded: string): string | undefined {
  const bytes = Buffer.from(encoded, 'base64url')
  // Buffer skips what it cannot read: only what comes back the same was well-formed.
  if (bytes.toString('base64url') !== encoded) return undefined
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}

/**
 * Whether a token is the expected one. How long the comparison takes tells nothing about the expected one, not even its length.
 * @param given - As `authenticate` got it.
 * @param expected - An empty one is nobody's: it comes from a variable that was not set.
 */
export function isSameToken(given: string | undefined, expected: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(given ?? ''), digest(expected)) && given !== undefined && expected !== ''
}
