import { isConnectionLostError, isHandshakeError, isMcpWebSocketError, isSubprotocolError } from '../errors.js'
import { NGINX_LINES } from '../socket/hints.js'
import { publicUrl } from '../socket/secrets.js'
import type { ProbeChange, ProbeOptions } from './types.js'

// What a report says. Pure.

/** Why an attempt failed, in words. @param malformed - The beginning of a frame that was not JSON-RPC, if one came. */
export function causeOf(error: unknown, malformed: string | undefined): string {
  const message = error instanceof Error ? error.message : String(error)
  if (malformed !== undefined) return `The server sends frames that are no JSON-RPC: ${JSON.stringify(malformed)} (${message})`
  if (isConnectionLostError(error)) return `The server accepts the connection and drops it at once: ${message}`
  return message
}

/** What happened when the hint of an error was followed, and led to another fault. */
export interface Followed {
  /** What the hint asks for. */
  readonly change: ProbeChange
  /** The fault that came then. */
  readonly error: unknown
  /** See {@link causeOf}. */
  readonly malformed: string | undefined
}

/** Says what happened then, so that nobody is told to do what has just failed. */
function afterHint({ change, error, malformed }: Followed): string {
  const isMute = malformed !== undefined || (isHandshakeError(error) && error.code === 'HANDSHAKE_TIMEOUT')
  const fault = isMute
    ? 'the socket opens, but nobody answers MCP: this is probably not an MCP server'
    : `another fault follows: ${causeOf(error, malformed)}`
  return `With ${wordsOf(change).join(', ')} ${fault}.`
}

/**
 * What to do about it: the error's own hint if it has one, and what helps.
 * @param change - What helps.
 * @param followed - What came of the hint, if that was tried and did not help.
 */
export function remedyOf(
  error: unknown,
  malformed: string | undefined,
  change: ProbeChange | undefined,
  followed?: Followed
): string | undefined {
  if (change === undefined && followed !== undefined && isSubprotocolError(error)) return afterHint(followed)
  const helps = change === undefined ? undefined : `It works with: ${wordsOf(change).join(', ')}.`
  if (malformed !== undefined) return helps ?? 'This is another protocol than MCP, or a server that wraps its messages: check the URL.'
  if (isConnectionLostError(error)) {
    const likely =
      'It wants something else: credentials (auth.token or headers), another subprotocol, or the first message of another protocol.'
    // With 1011 the server says that the fault is its own.
    return helps ?? (error.closure.code === 1011 ? 'The server failed: see its log.' : likely)
  }
  const hint = isMcpWebSocketError(error) ? error.hint : undefined
  const isProxy = isHandshakeError(error) && error.status === 426 && change === undefined
  const lines = isProxy ? `In nginx, the location of this server needs:\n${NGINX_LINES.map((line) => `  ${line}`).join('\n')}` : undefined
  return [hint, helps, lines].filter(Boolean).join('\n') || undefined
}

/** The changes as members of the options. */
export function wordsOf({ url, via, subprotocols, offer, onMissingSubprotocol, protocol }: ProbeChange): readonly string[] {
  const list = (names: readonly string[]): string => `[${names.map((name) => `'${name}'`).join(', ')}]`
  return [
    ...(url === undefined ? [] : [`url: '${publicUrl(new URL(url))}'`]),
    ...(via === undefined ? [] : [`auth.via: '${via}'`]),
    ...(subprotocols ? [`subprotocols: ${list(subprotocols)}`] : []),
    ...(offer ? [`offer: ${list(offer)}`] : []),
    ...(onMissingSubprotocol === 'accept' ? [`onMissingSubprotocol: '${onMissingSubprotocol}'`] : []),
    ...(protocol && protocol !== 'auto' ? [`protocol: '${protocol}'`] : [])
  ]
}

/** The options of the program, with the change applied. */
function settled(options: ProbeOptions, change: ProbeChange): ProbeChange {
  const { subprotocols, onMissingSubprotocol, protocol } = options
  const { via: _, url: __, ...members } = change
  // A whole offer leaves no place for more names.
  const offer = change.subprotocols ? undefined : (change.offer ?? options.offer)
  return { subprotocols: offer ? undefined : subprotocols, onMissingSubprotocol, protocol, ...members, offer }
}

/** Equal for changes that make the same dial. */
export function keyOf(options: ProbeOptions, change: ProbeChange): string {
  const { subprotocols = [], offer, onMissingSubprotocol = 'fail', protocol = 'auto' } = settled(options, change)
  return JSON.stringify([change.url, change.via ?? options.auth?.via, subprotocols, offer, onMissingSubprotocol, protocol])
}

/** The line of TypeScript that makes a client which connects. */
export function typescriptOf(url: URL, options: ProbeOptions, change: ProbeChange): string {
  const { auth, headers, tls, agent } = options
  const via = change.via ?? (auth?.via === 'subprotocol' ? auth.via : undefined)
  const members = [
    `url: '${publicUrl(url)}${url.search === '' ? '' : '?…'}'`,
    ...(auth ? [`auth: { token${via ? `, via: '${via}'` : ''}${auth.allowInsecure ? ', allowInsecure: true' : ''} }`] : []),
    ...(headers ? ['headers'] : []),
    ...(tls ? ['tls'] : []),
    ...(agent ? ['agent'] : []),
    ...wordsOf(settled(options, change))
  ]
  return `const client = new McpWebSocketClient({ ${members.join(', ')} })`
}

/** The same as flags of `mcp-ws`. Values that may be secret, and files, are left out: whoever gave them knows them. */
export function flagsOf(url: URL, options: ProbeOptions, change: ProbeChange): readonly string[] {
  const { subprotocols = [], offer, onMissingSubprotocol, protocol = 'auto' } = settled(options, change)
  const via = change.via ?? options.auth?.via
  return [
    `${publicUrl(url)}${url.search === '' ? '' : '?…'}`,
    ...(via === 'subprotocol' ? ['--token-via', via] : []),
    ...(options.auth?.allowInsecure ? ['--allow-insecure'] : []),
    ...(options.tls?.servername ? ['--servername', options.tls.servername] : []),
    ...(options.tls?.rejectUnauthorized === false ? ['--insecure-tls'] : []),
    ...subprotocols.flatMap((name) => ['--subprotocol', name]),
    ...(offer ? ['--offer', offer.join(',')] : []),
    ...(onMissingSubprotocol === 'accept' ? ['--accept-missing-subprotocol'] : []),
    ...(protocol === 'auto' ? [] : ['--protocol', protocol])
  ]
}
