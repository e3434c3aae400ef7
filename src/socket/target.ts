import { collectSecrets, hasCredentials, isExposed, publicUrl } from './secrets.js'
import { asError } from '../lib/guarded.js'
import { bearerSubprotocol, MCP_SUBPROTOCOL } from '../wire/subprotocol.js'
import { HandshakeError, isMcpWebSocketError } from '../errors.js'
import type { AuthOptions, Awaitable, HeadersOption, TokenContext, UrlOption } from '../types/options.js'

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
 * @throws TypeError naming the option, without the URL: its query or userinfo may be secret.
 */
export function readUrl(value: string | URL): URL {
  try {
    const url = new URL(new URL(value).href.replace(/^http/, 'ws'))
    url.hash = ''
    if (/^wss?:/.test(url.href)) return url
  } catch {
    // What is no URL at all needs no other words.
  }
  throw new TypeError('url must be an absolute URL with ws:, wss:, http: or https:')
}

/**
 * Evaluates the options of one dial, providers included.
 * @throws HandshakeError `INSECURE_TRANSPORT` before any provider of secrets runs; `CONNECT_FAILED` if one fails.
 */
export async function resolveTarget(options: TargetOptions, context: TokenContext): Promise<Target> {
  const { auth } = options
  const url = await provide('url', options.url, readUrl)
  const exposed = isExposed(url) && !auth?.allowInsecure
  if (exposed && (auth || url.username || url.password)) throw insecure(url)
  // Static headers are judged before the token provider runs.
  const headers = await provide('headers', options.headers, (given): Record<string, string> => ({ ...given }))
  if (exposed && hasCredentials(headers)) throw insecure(url)
  const protocols = [MCP_SUBPROTOCOL, ...options.subprotocols]
  const bearers: string[] = []
  if (auth) {
    const token = await provide('auth.token', auth.token, checkToken, context)
    const bearer = bearerSubprotocol(token)
    bearers.push(token, bearer, bearer.slice(bearer.lastIndexOf('.') + 1))
    if (auth.via === 'subprotocol') protocols.push(bearer)
    else headers.Authorization = `Bearer ${token}`
  }
  return { url, protocols, headers, secrets: collectSecrets(url, headers, bearers) }
}

function checkToken(token: unknown): string {
  if (typeof token === 'string' && /^.+$/.test(token)) return token
  throw new TypeError('it is not a line of text')
}

/** Reads what the option holds, or what its provider gives. */
async function provide<Given, Read>(
  name: string,
  option: Given | ((context: TokenContext) => Awaitable<Given>),
  read: (given: Given) => Read,
  context?: TokenContext
): Promise<Read> {
  try {
    return read(await (typeof option === 'function' ? (option as (context?: TokenContext) => Awaitable<Given>)(context) : option))
  } catch (cause) {
    if (isMcpWebSocketError(cause)) throw cause
    const message = `the option ${name} failed: ${asError(cause).message}`
    throw new HandshakeError('CONNECT_FAILED', message, { cause, retryable: true, delivery: 'not-sent' })
  }
}

function insecure(url: URL): HandshakeError {
  return new HandshakeError('INSECURE_TRANSPORT', `credentials would travel in plain text to ${publicUrl(url)}`, {
    hint: 'Use wss://, or auth.allowInsecure in a trusted network.',
    delivery: 'not-sent'
  })
}
