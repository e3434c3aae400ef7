import { collectSecrets, hasCredentials, isExposed, publicUrl } from '../core/credentials.js'
import { bearerSubprotocol, MCP_SUBPROTOCOL } from '../core/subprotocol.js'
import { HandshakeError, isMcpWebSocketError } from '../errors.js'
import type { AuthOptions, HeadersOption, TokenContext, UrlOption } from '../types/options.js'

/** Where to dial, and with what. */
export interface Target {
  readonly url: URL
  /** Subprotocols to offer, `mcp.v1` first, credentials last. */
  readonly protocols: readonly string[]
  /** Headers to add to the upgrade request; empty where the engine cannot set any. */
  readonly headers: Readonly<Record<string, string>>
  /** What nothing that comes out of this dial may show. */
  readonly secrets: readonly string[]
}

/** The options that a target is made of. */
export interface TargetOptions {
  readonly url: UrlOption
  readonly auth?: AuthOptions
  readonly headers?: HeadersOption
  readonly subprotocols: readonly string[]
}

/**
 * Reads a URL; `http:` and `https:` become `ws:` and `wss:` (WHATWG WebSockets, "establish"). The fragment is dropped.
 * @throws TypeError naming the option, without the URL's query.
 */
export function readUrl(value: string | URL): URL {
  let url: URL
  try {
    url = new URL(value)
  } catch {
    throw new TypeError('url is not an absolute URL, for example wss://example.com/ws')
  }
  if (url.protocol === 'http:' || url.protocol === 'https:') url = new URL(url.href.replace(/^http/, 'ws'))
  if (url.protocol !== 'ws:' && url.protocol !== 'wss:')
    throw new TypeError(`url has the scheme ${url.protocol} but must have ws:, wss:, http: or https:`)
  url.hash = ''
  return url
}

/**
 * Evaluates the options of one dial, providers included.
 * @throws HandshakeError `INSECURE_TRANSPORT` before any provider of secrets runs; `CONNECT_FAILED` if one fails.
 */
export async function resolveTarget(options: TargetOptions, context: TokenContext): Promise<Target> {
  const { auth, subprotocols } = options
  const { url: where } = options
  const url = typeof where === 'function' ? await provide('url', async () => readUrl(await where())) : readUrl(where)
  const exposed = isExposed(url) && !auth?.allowInsecure
  if (exposed && (auth || url.username || url.password)) throw insecure(url)
  // Static headers are judged before the token provider runs.
  const given = typeof options.headers === 'function' ? await provide('headers', options.headers) : (options.headers ?? {})
  if (exposed && hasCredentials(given)) throw insecure(url)
  const token = auth === undefined ? undefined : await readToken(auth, context)
  const protocols = [MCP_SUBPROTOCOL, ...subprotocols]
  const headers: Record<string, string> = { ...given }
  const bearers: string[] = []
  if (token !== undefined && auth?.via === 'subprotocol') {
    bearers.push(token, bearerSubprotocol(token))
    protocols.push(bearerSubprotocol(token))
  } else if (token !== undefined) {
    bearers.push(token)
    headers.Authorization = `Bearer ${token}`
  }
  return { url, protocols, headers, secrets: collectSecrets(url, headers, bearers) }
}

async function readToken(auth: AuthOptions, context: TokenContext): Promise<string> {
  const { token } = auth
  const value = typeof token === 'function' ? await provide('auth.token', () => token(context)) : token
  if (typeof value !== 'string' || value === '' || /[\r\n]/.test(value))
    throw providerError('auth.token', 'it gave no token (a non-empty line of text)')
  return value
}

async function provide<T>(option: string, provider: () => T): Promise<Awaited<T>> {
  try {
    return await provider()
  } catch (cause) {
    throw isMcpWebSocketError(cause) ? cause : providerError(option, cause instanceof Error ? cause.message : 'it threw', cause)
  }
}

function providerError(option: string, problem: string, cause?: unknown): HandshakeError {
  return new HandshakeError('CONNECT_FAILED', `the option ${option} failed: ${problem}`, { cause, retryable: true, delivery: 'not-sent' })
}

function insecure(url: URL): HandshakeError {
  return new HandshakeError('INSECURE_TRANSPORT', `credentials would travel in plain text to ${publicUrl(url)}`, {
    hint: 'Use wss://, or set auth.allowInsecure if the network is trusted.',
    delivery: 'not-sent'
  })
}
