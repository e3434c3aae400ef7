import { BEARER_PREFIX } from '../wire/subprotocol.js'
import { readCredentials } from './credentials.js'

/** What a server asks of an upgrade request. */
export interface HandshakePolicy {
  readonly path: string
  readonly allowedHosts: readonly string[]
  readonly allowedOrigins: readonly string[]
  /** In order of preference. */
  readonly subprotocols: readonly string[]
  readonly requireSubprotocol: boolean
  /** Whether credentials are looked at. */
  readonly authenticates: boolean
}

/** An upgrade request, as Node shows it. */
export interface UpgradeRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[]
}

/** An HTTP answer that is no upgrade. Its text is constant: nothing of the request is in it. */
export interface Refusal {
  readonly status: number
  /** Phrase of the status line. */
  readonly reason: string
  readonly body: string
  readonly headers: Readonly<Record<string, string>>
}

/** What is left to do for a request that may come in. */
export interface Admissible {
  readonly token: string | undefined
  /** The subprotocols that were offered, without the token among them. */
  readonly offered: readonly string[]
}

const refusal = (status: number, reason: string, body: string, headers: Refusal['headers'] = {}): Refusal => ({
  status,
  reason,
  body,
  headers
})

/** RFC 9110 section 15.5.22: a 426 names the protocol to upgrade to, and `Connection` names that header. */
const UPGRADE: Refusal['headers'] = { Upgrade: 'websocket' }

type RefusalName =
  | 'malformed'
  | 'manySubprotocols'
  | 'twoTokens'
  | 'unauthorized'
  | 'host'
  | 'origin'
  | 'path'
  | 'upgrade'
  | 'headers'
  | 'version'
  | 'subprotocol'
  | 'full'
  | 'closing'
  | 'authentication'
  | 'authenticationTimeout'

/** Every answer that is no upgrade. */
export const REFUSALS: Readonly<Record<RefusalName, Refusal>> = {
  malformed: refusal(400, 'Bad Request', 'Not a WebSocket handshake'),
  manySubprotocols: refusal(400, 'Bad Request', 'Sec-WebSocket-Protocol cannot be read'),
  twoTokens: refusal(400, 'Bad Request', 'More than one token'),
  unauthorized: refusal(401, 'Unauthorized', 'Unauthorized', { 'WWW-Authenticate': 'Bearer' }),
  host: refusal(403, 'Forbidden', 'Host not allowed'),
  origin: refusal(403, 'Forbidden', 'Origin not allowed'),
  path: refusal(404, 'Not Found', 'Not Found'),
  upgrade: refusal(426, 'Upgrade Required', 'This is a WebSocket endpoint', UPGRADE),
  headers: refusal(431, 'Request Header Fields Too Large', 'Too many headers'),
  version: refusal(426, 'Upgrade Required', 'WebSocket version 13 required', { ...UPGRADE, 'Sec-WebSocket-Version': '13' }),
  subprotocol: refusal(426, 'Upgrade Required', 'Subprotocol required', UPGRADE),
  full: refusal(503, 'Service Unavailable', 'Too many connections', { 'Retry-After': '5' }),
  closing: refusal(503, 'Service Unavailable', 'The server is closing', { 'Retry-After': '1' }),
  authentication: refusal(503, 'Service Unavailable', 'Authentication is not available', { 'Retry-After': '5' }),
  authenticationTimeout: refusal(504, 'Gateway Timeout', 'Authentication took too long', { 'Retry-After': '5' })
}

/** Whether the request is for this path; the query does not matter. */
export const isForPath = (url: string | undefined, path: string): boolean => url?.split('?', 1)[0] === path

/**
 * Judges an upgrade request by all that can be known without asking anybody: what is cheap and needs no secret comes first
 * (404, 403, 400 and 426, 401).
 */
export function judgeUpgrade({ method, url, headers, rawHeaders }: UpgradeRequest, policy: HandshakePolicy): Refusal | Admissible {
  if (!isForPath(url, policy.path)) return REFUSALS.path
  // Beyond 2000 Node drops headers in silence.
  if (rawHeaders.length > 2 * MOST_HEADERS) return REFUSALS.headers
  const { host, origin, cookie, authorization } = headers
  if (typeof host !== 'string' || !isAllowedHost(host, policy.allowedHosts)) return REFUSALS.host
  if (origin !== undefined && !policy.allowedOrigins.includes(String(origin))) return REFUSALS.origin
  const malformed = findMalformed({ method, headers, rawHeaders })
  if (malformed !== undefined) return malformed
  const offered = readOffer(headers['sec-websocket-protocol'])
  if (offered === undefined) return REFUSALS.manySubprotocols
  if (policy.requireSubprotocol && selectSubprotocol(offered, policy.subprotocols) === undefined) return REFUSALS.subprotocol
  const admissible = { token: undefined, offered: offered.filter((name) => !name.startsWith(BEARER_PREFIX)) }
  if (!policy.authenticates) return admissible
  if (isRepeated('authorization', rawHeaders)) return REFUSALS.twoTokens
  const credentials = readCredentials(authorization === undefined ? undefined : String(authorization), offered)
  if ('problem' in credentials) return credentials.problem === 'ambiguous' ? REFUSALS.twoTokens : REFUSALS.unauthorized
  // Cookies prove nothing about who asks, unless the browser says which page does (CWE-1385).
  if (origin === undefined && cookie !== undefined && credentials.token === undefined) return REFUSALS.origin
  return { ...admissible, token: credentials.token }
}

/** The subprotocol to answer with: the server's favourite among those that are offered. */
export const selectSubprotocol = (offered: readonly string[], supported: readonly string[]): string | undefined =>
  supported.find((name) => offered.includes(name))

/** A name without a port stands for all its ports; names are compared as DNS does, without regard to case. */
function isAllowedHost(host: string, allowed: readonly string[]): boolean {
  const given = host.toLowerCase()
  const name = given.replace(/:\d*$/, '')
  return allowed.some((each) => each === given || each === name)
}

/** What RFC 6455 section 4.2.1 asks of every client. */
function findMalformed({ method, headers, rawHeaders }: UpgradeRequest): Refusal | undefined {
  const { upgrade, 'sec-websocket-key': key, 'sec-websocket-version': version } = headers
  if (isRepeated('host', rawHeaders)) return REFUSALS.malformed
  if (method !== 'GET' || String(upgrade).toLowerCase() !== 'websocket') return REFUSALS.malformed
  if (typeof key !== 'string' || !/^[+/0-9A-Za-z]{22}==$/.test(key)) return REFUSALS.malformed
  return version === '13' ? undefined : REFUSALS.version
}

/** Of two Node shows the first, while a proxy in front may have judged the last (RFC 9112 section 3.2). */
const isRepeated = (name: string, rawHeaders: UpgradeRequest['rawHeaders']): boolean =>
  rawHeaders.filter((each, index) => index % 2 === 0 && each.toLowerCase() === name).length > 1

const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/
const MOST_SUBPROTOCOLS = 100
// Browsers send about 15, and each proxy adds a few.
const MOST_HEADERS = 200

/** The offer of subprotocols; `undefined` if it cannot be read: no tokens, one twice, or more than anybody needs. */
function readOffer(header: string | readonly string[] | undefined): string[] | undefined {
  if (header === undefined) return []
  const offered = String(header)
    .split(',', MOST_SUBPROTOCOLS + 1)
    .map((name) => name.trim())
  const isFine =
    offered.length <= MOST_SUBPROTOCOLS && new Set(offered).size === offered.length && offered.every((name) => TOKEN.test(name))
  return isFine ? offered : undefined
}
