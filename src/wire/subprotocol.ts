import { SubprotocolError } from '../errors.js'
import { btoaUtf8 } from './base64.js'

/** The subprotocol of this binding, always offered first (docs/binding.md, section 1). */
export const MCP_SUBPROTOCOL = 'mcp.v1'

/** The prefix of a token in the list of subprotocols. A server must never choose such an entry: it would repeat the token. */
export const BEARER_PREFIX = 'mcp.bearer.'

/** The prefix of a token that stands in the list as it is: the form of SEP-1288 (modelcontextprotocol#1288). */
export const AUTH_PREFIX = 'mcp.auth.'

/** Whether an entry in the list of subprotocols is a token and no subprotocol. */
export const isCredential = (name: string): boolean => name.startsWith(BEARER_PREFIX) || name.startsWith(AUTH_PREFIX)

/**
 * The token as an entry in the list of subprotocols, for engines that cannot set headers: base64url (RFC 4648 section 5) of its UTF-8
 * bytes, without padding.
 */
export function bearerSubprotocol(token: string): string {
  return BEARER_PREFIX + btoaUtf8(token).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/**
 * Judges the server's choice of a subprotocol (RFC 6455 section 4.1, step 6 of the client's checks). It cannot be left to the engines:
 * Firefox and Deno open the socket even if the server chose nothing, or a name that was not offered.
 * @param offered - The offer, credentials included; these are left out of the error.
 * @param received - The server's choice; `undefined` or `''` if it named none.
 * @param missing - Whether a server may name none: the option `onMissingSubprotocol`.
 * @returns The error to fail the attempt with, or `undefined` if the choice is acceptable.
 */
export function judgeSubprotocol(
  offered: readonly string[],
  received: string | undefined,
  missing: 'fail' | 'accept'
): SubprotocolError | undefined {
  const names = offered.filter((name) => !name.startsWith(BEARER_PREFIX))
  if (received ? names.includes(received) : missing === 'accept' || offered.length === 0) return undefined
  // Some servers name the whole offer as their choice, the token included.
  const shown = received?.replace(/(mcp\.bearer\.)[\w-]+/g, '$1[redacted]')
  const [problem, hint] = shown
    ? [`the subprotocol ${JSON.stringify(shown)}, which was not offered`, 'If it carries MCP, add it to the option subprotocols.']
    : [
        'no subprotocol',
        "If it is an MCP server, set onMissingSubprotocol: 'accept'; a proxy may also have dropped Sec-WebSocket-Protocol."
      ]
  return new SubprotocolError(`the server chose ${problem}`, {
    offered: names,
    received: shown || undefined,
    hint,
    delivery: 'not-sent'
  })
}
