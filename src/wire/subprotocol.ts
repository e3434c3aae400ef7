import { SubprotocolError } from '../errors.js'
import { btoaUtf8 } from './base64.js'

/** The subprotocol that is always offered first. */
export const MCP_SUBPROTOCOL = 'mcp.v1'

/** What precedes a token in the list of subprotocols; such an entry is never chosen. */
export const BEARER_PREFIX = 'mcp.bearer.'

/** The token as a subprotocol entry, for engines that cannot set headers: base64url of its UTF-8 bytes, no padding. */
export function bearerSubprotocol(token: string): string {
  return BEARER_PREFIX + btoaUtf8(token).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

/** The offer without credentials, fit to be shown. */
export const publicOffer = (offered: readonly string[]): string[] => offered.filter((name) => !name.startsWith(BEARER_PREFIX))

/**
 * Judges what the server chose (RFC 6455 section 4.1, step 6 of the checks). Engines differ: Firefox and Deno open
 * the socket although nothing, or something never offered, was chosen.
 * @param received - `undefined` or `''` if the server named none.
 * @returns The error to fail the attempt with, or `undefined` if the choice is acceptable.
 */
export function judgeSubprotocol(
  offered: readonly string[],
  received: string | undefined,
  missing: 'fail' | 'accept'
): SubprotocolError | undefined {
  const names = publicOffer(offered)
  if (received ? names.includes(received) : missing === 'accept' || offered.length === 0) return undefined
  // Some servers send back the whole offer.
  const shown = received?.replace(/(mcp\.bearer\.)[\w-]+/g, '$1[redacted]')
  const [problem, hint] = shown
    ? [`the subprotocol ${JSON.stringify(shown)}, which was not offered`, 'If it carries MCP, add it to the option subprotocols.']
    : [
        'no subprotocol',
        "If it is an MCP server, set onMissingSubprotocol: 'accept'; a proxy may also have dropped Sec-WebSocket-Protocol."
      ]
  const details = { offered: names, received: shown || undefined, hint, delivery: 'not-sent' } as const
  return new SubprotocolError(`the server chose ${problem}`, details)
}
