import { SubprotocolError } from '../errors.js'
import { btoaUtf8 } from './base64.js'

/** The subprotocol of this binding, always offered first (docs/binding.md, section 1). */
export const MCP_SUBPROTOCOL = 'mcp.v1'

/** The same binding with sessions that survive their connection (docs/binding.md, section 12). */
export const RESUME_SUBPROTOCOL = 'mcp.v1.resume'

/** The prefix of a token in the list of subprotocols. A server must never choose such an entry: it would repeat the token. */
export const BEARER_PREFIX = 'mcp.bearer.'

/** The prefix of a token that stands in the list as it is: the form of SEP-1288 (modelcontextprotocol#1288). */
export const AUTH_PREFIX = 'mcp.auth.'

/** What precedes a token in the list of subprotocols. */
export type TokenPrefix = typeof BEARER_PREFIX | typeof AUTH_PREFIX

/** Whether an entry in the list of subprotocols is a token and no subprotocol. */
export const isCredential = (name: string): boolean => name.startsWith(BEARER_PREFIX) || name.startsWith(AUTH_PREFIX)

/** Whether the name is a token of HTTP, as the names of headers and subprotocols have to be (RFC 9110 section 5.6.2). */
export const isHttpToken = (name: string): boolean => /^[!#$%&'*+\-.^_`|~\w]+$/.test(name)

/**
 * The token as an entry in the list of subprotocols, for engines that cannot set headers.
 * @param prefix - `mcp.bearer.` precedes base64url (RFC 4648 section 5) of the token's UTF-8 bytes, without padding; `mcp.auth.` the token
 * itself.
 * @throws TypeError with the prefix `mcp.auth.`, if the token holds a character that no subprotocol may have.
 */
export function tokenSubprotocol(token: string, prefix: TokenPrefix = BEARER_PREFIX): string {
  if (prefix === BEARER_PREFIX) return prefix + btoaUtf8(token).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
  if (isHttpToken(token)) return prefix + token
  throw new TypeError('auth.token holds a character that no subprotocol may have: use auth.prefix "mcp.bearer."')
}

/**
 * Judges the server's choice of a subprotocol (RFC 6455 section 4.1, step 6 of the client's checks). It cannot be left to the engines:
 * Firefox and Deno open the socket even if the server chose nothing, or a name that was not offered.
 * @param offered - The offer, credentials included; these are left out of the error.
 * @param received - The server's choice; `undefined` or `''` if it named none.
 * @param missing - Whether a server may name none: the option `onMissingSubprotocol`.
 * @param where - The URL, without secrets.
 * @returns The error to fail the attempt with, or `undefined` if the choice is acceptable.
 */
export function judgeSubprotocol(
  offered: readonly string[],
  received: string | undefined,
  missing: 'fail' | 'accept',
  where: string
): SubprotocolError | undefined {
  const names = offered.filter((name) => !isCredential(name))
  if (received ? names.includes(received) : missing === 'accept' || names.length === 0) return undefined
  // Some servers name the whole offer as their choice, the token included.
  const shown = received?.replace(/(mcp\.(bearer|auth)\.)[^\s,]+/g, '$1[redacted]')
  const choice = shown ? `the subprotocol ${JSON.stringify(shown)}, which was not offered` : 'no subprotocol'
  return new SubprotocolError(`${where} chose ${choice} (offered: ${names.join(', ') || 'none'})`, {
    offered: names,
    received: shown || undefined,
    hint: hintFor(names, shown),
    delivery: 'not-sent'
  })
}

function hintFor(offered: readonly string[], received: string | undefined): string {
  if (!received) return "If it is an MCP server, set onMissingSubprotocol: 'accept'; a proxy may also have dropped Sec-WebSocket-Protocol."
  if (!isHttpToken(received))
    return 'The server repeats what was offered in place of choosing: leave the option subprotocols out, and send a token as a header.'
  const [option, names] = offered[0] === MCP_SUBPROTOCOL ? ['subprotocols', offered.slice(1)] : ['offer', offered]
  return `If it carries MCP, set ${option}: [${[...names, received].map((name) => `'${name}'`).join(', ')}].`
}
