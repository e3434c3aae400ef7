import { checkFieldValue, hasCredentials, readHeaders, secretsOfHeaders } from './node-socket.js'
import { collectSecrets, isExposed, publicUrl } from './secrets.js'
import type { Target } from './web-socket.js'
import { asError } from '../lib/guarded.js'
import { isObject } from '../lib/is-object.js'
import { isCredential, MCP_SUBPROTOCOL, RESUME_SUBPROTOCOL, tokenSubprotocol } from '../wire/subprotocol.js'
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
  /** The option `offer`: what to offer in place of both. */
  readonly offer?: readonly string[] | undefined
  /** The option `resume`: whether to offer `mcp.v1.resume` too. */
  readonly resume?: boolean | undefined
}

/**
 * Reads a URL; `http:` and `https:` become `ws:` and `wss:` (WHATWG WebSockets, "establish a WebSocket connection"), and the fragment is
 * dropped, which some engines do not accept.
 * @throws TypeError that names the option but not the URL, since its query or userinfo may be secret.
 */
export function readUrl(value: string | URL): URL {
  if (isObject(value) && 'url' in value) throw new TypeError('url must come before options')
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

/** The subprotocols that the options name, in their order; an entry may be a token. */
export const offerOf = ({ offer, subprotocols, resume }: Pick<TargetOptions, 'offer' | 'subprotocols' | 'resume'>): readonly string[] =>
  // `mcp.v1` comes first: a server that takes the first name without looking then takes one that it may know.
  offer ?? [MCP_SUBPROTOCOL, ...(resume ? [RESUME_SUBPROTOCOL] : []), ...subprotocols]

/** What a dial carries beside its URL. */
interface Carried {
  readonly headers: Readonly<Record<string, string>>
  /** The token as an entry of the offer. */
  readonly entry?: string
  readonly token?: string
  /** See {@link Target}. */
  readonly lifetime?: number | undefined
}

// Any time since 1973 in ms is larger, and any until the year 5000 in seconds is smaller.
const LEAST_MS = 1e11

/** How long the token is good from `now` on, both in ms. @throws TypeError if `expiresAt` is no time. */
export function lifetimeOf(expiresAt: unknown, now: number): number | undefined {
  if (expiresAt === undefined) return undefined
  const at = expiresAt instanceof Date ? expiresAt.getTime() : expiresAt
  if (typeof at === 'number' && at >= LEAST_MS) return at - now
  throw new TypeError('expiresAt of the token must be a Date, or ms since 1970: multiply seconds by 1000')
}

/**
 * Puts the token where the option `auth` wants it.
 * @param token - What the program gave, whatever it is.
 * @param headers - The headers of the program.
 * @throws TypeError if it cannot stand there.
 */
export function carryToken({ via, prefix }: AuthOptions, token: unknown, headers: Readonly<Record<string, string>> = {}): Carried {
  if (typeof token !== 'string' || !/^.+$/.test(token)) throw new TypeError('auth.token must be a non-empty string without line breaks')
  if (via === 'subprotocol') return { headers, entry: tokenSubprotocol(token, prefix), token }
  const bearer = `Bearer ${checkFieldValue('auth.token', token)}`
  return { headers: readHeaders([...Object.entries(headers), ['Authorization', bearer]]), token }
}

/**
 * Evaluates the options for one dial: calls the functions among them, and builds the URL, the headers and the offer.
 * @throws HandshakeError `INSECURE_TRANSPORT` if credentials would travel in plain text, before the function that provides the token is
 * called; `CONNECT_FAILED` if a function fails, which is retryable, or returns what nobody can use, which is not.
 */
export async function resolveTarget(options: TargetOptions, context: TokenContext): Promise<Target> {
  const { auth } = options
  const offer = offerOf(options)
  const url = await provide('url', options.url, readUrl)
  const credentials = offer.filter(isCredential)
  const exposed = isExposed(url) && !auth?.allowInsecure
  if (exposed && (auth || credentials.length > 0 || url.username || url.password)) throw insecure(url)
  // Headers are judged before the token is asked for: a provider must not issue a token that nothing may carry.
  const headers = await provide('headers', options.headers, readHeaders, url)
  if (exposed && hasCredentials(headers)) throw insecure(url)
  const carry = (given: unknown): Carried => {
    const { token, expiresAt } = isObject(given) ? given : { token: given }
    return { ...carryToken(auth as AuthOptions, token, headers), lifetime: lifetimeOf(expiresAt, Date.now()) }
  }
  const carried: Carried = auth ? await provide('auth.token', auth.token, carry, url, context) : { headers }
  const { entry, token, lifetime } = carried
  if (entry) credentials.push(entry)
  // A server may quote the token in either form, whichever way it travelled.
  const forms = token ? [token, tokenSubprotocol(token), ...credentials] : credentials
  const secrets = [...forms.flatMap((each) => [each, each.replace(/^mcp\.\w+\./, '')]), ...secretsOfHeaders(carried.headers)]
  const protocols = [...offer.filter((name) => !isCredential(name)), ...credentials]
  return { url, protocols, headers: carried.headers, secrets: collectSecrets(url, secrets), lifetime }
}

/** Reads the value of the option, or what its function returns. @param url - Where the dial goes, if that is known. */
async function provide<Given, Read>(
  name: string,
  option: Given | ((context: TokenContext) => Awaitable<Given>),
  read: (given: Given) => Read,
  url?: URL,
  context?: TokenContext
): Promise<Read> {
  // What a function throws may pass, for example when its service is away. A wrong value that it returns is wrong the next time too.
  let retryable = true
  try {
    const given = await (typeof option === 'function' ? (option as (context?: TokenContext) => Awaitable<Given>)(context) : option)
    retryable = false
    return read(given)
  } catch (cause) {
    if (isMcpWebSocketError(cause)) throw cause
    const message = `no connection${url ? ` to ${publicUrl(url)}` : ''}: the option ${name} failed: ${asError(cause).message}`
    throw new HandshakeError('CONNECT_FAILED', message, { cause, retryable, delivery: 'not-sent' })
  }
}

function insecure(url: URL): HandshakeError {
  return new HandshakeError('INSECURE_TRANSPORT', `credentials would travel in plain text to ${publicUrl(url)}`, {
    hint: 'Use wss://, or auth.allowInsecure in a trusted network.',
    delivery: 'not-sent'
  })
}
