import { hasCredentials, secretsOfHeaders } from './node-socket.js'
import { collectSecrets, isExposed, publicUrl } from './secrets.js'
import type { Target } from './web-socket.js'
import { asError } from '../lib/guarded.js'
import { BEARER_PREFIX, bearerSubprotocol, MCP_SUBPROTOCOL } from '../wire/subprotocol.js'
import { HandshakeError, isMcpWebSocketError } from '../errors.js'
import type { AuthOptions, Awaitable, HeadersOption, TokenContext, UrlOption } from '../types/options.js'

/** The options that a target is made of. */
export interface TargetOptions {
  /** The option `url`. */
  readonly url: UrlOption
  /** The option `auth`, with `via` resolved: anything but `'subprotocol'` means the header. */
  readonly auth?: AuthOptions | undefined
  /** The option `headers`. */
  readonly headers?: HeadersOption | undefined
  /** The option `subprotocols`: what to offer after `mcp.v1`. */
  readonly subprotocols: readonly string[]
}

/**
 * Reads a URL; `http:` and `https:` become `ws:` and `wss:` (WHATWG WebSockets, "establish a WebSocket connection"), and the fragment is
 * dropped, which some engines do not accept.
 * @throws TypeError that names the option but not the URL, since its query or userinfo may be secret.
 */
export function readUrl(value: string | URL): URL {
  try {
    // The URL of React Native has no setters.
    const url = new URL(new URL(value).href.replace(/^http/, 'ws').replace(/#.*/, ''))
    if (/^wss?:/.test(url.protocol)) return url
  } catch {
    // `URL` could not read it. The errors below fit that too, and do not repeat the value as the error of `URL` does.
  }
  if (urlWorks()) throw new TypeError('url must be an absolute URL with ws:, wss:, http: or https:')
  throw new TypeError('this engine has no complete URL class: load a polyfill first, such as react-native-url-polyfill')
}

/** Older versions of React Native have a `URL` most of whose members throw "not implemented". */
function urlWorks(): boolean {
  try {
    return new URL('ws://user@host').username === 'user'
  } catch {
    return false
  }
}

/**
 * Evaluates the options for one dial: calls the functions among them, and builds the URL, the headers and the offer.
 * @throws HandshakeError `INSECURE_TRANSPORT` if credentials would travel in plain text, before the function that provides the token is
 * called; `CONNECT_FAILED`, retryable, if a function fails or gives nothing usable.
 */
export async function resolveTarget(options: TargetOptions, context: TokenContext): Promise<Target> {
  const { auth } = options
  const url = await provide('url', options.url, readUrl)
  const exposed = isExposed(url) && !auth?.allowInsecure
  if (exposed && (auth || url.username || url.password)) throw insecure(url)
  // Headers are judged before the token is asked for: a provider must not issue a token that nothing may carry.
  const headers = await provide('headers', options.headers, (given): Record<string, string> => ({ ...given }))
  if (exposed && hasCredentials(headers)) throw insecure(url)
  const protocols = [MCP_SUBPROTOCOL, ...options.subprotocols]
  const bearers: string[] = []
  if (auth) {
    const token = await provide('auth.token', auth.token, checkToken, context)
    const bearer = bearerSubprotocol(token)
    bearers.push(token, bearer, bearer.slice(BEARER_PREFIX.length))
    if (auth.via === 'subprotocol') protocols.push(bearer)
    else headers.Authorization = `Bearer ${token}`
  }
  return { url, protocols, headers, secrets: collectSecrets(url, [...bearers, ...secretsOfHeaders(headers)]) }
}

function checkToken(token: unknown): string {
  if (typeof token === 'string' && /^.+$/.test(token)) return token
  throw new TypeError('it is not a line of text')
}

/** Reads the value of the option, or what its function returns. */
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
    throw new HandshakeError('CONNECT_FAILED', `the option ${name} failed: ${asError(cause).message}`, {
      cause,
      retryable: true,
      delivery: 'not-sent'
    })
  }
}

function insecure(url: URL): HandshakeError {
  return new HandshakeError('INSECURE_TRANSPORT', `credentials would travel in plain text to ${publicUrl(url)}`, {
    hint: 'Use wss://, or auth.allowInsecure in a trusted network.',
    delivery: 'not-sent'
  })
}
