import { isCredential, isHttpToken } from '../wire/subprotocol.js'
import { readCredentials } from './credentials.js'

/** Which paths belong to a server: one path, all that match a pattern, or all for which a function returns `true`. */
export type Path = string | RegExp | ((pathname: string) => boolean)

/** What a server asks of an upgrade request. */
export interface UpgradePolicy {
  /** Path of the endpoint. */
  readonly path: Path
  /** In lower case, each with or without a port. */
  readonly allowedHosts: readonly string[]
  /** As browsers write them. `undefined`: the program decides about each origin later, since it may take its time. */
  readonly allowedOrigins: readonly string[] | undefined
  /** The subprotocols that the server speaks, in order of preference. */
  readonly subprotocols: readonly string[]
  /** Whether the client has to offer one of them. */
  readonly requireSubprotocol: boolean
  /** Whether the server reads credentials. */
  readonly authenticates: boolean
}

/** The parts of Node's `IncomingMessage` that decide about an upgrade. */
export interface UpgradeRequest {
  /** HTTP method. */
  readonly method?: string | undefined
  /** Version of HTTP. */
  readonly httpVersion: string
  /** Target of the request: path and query, perhaps behind scheme and host. */
  readonly url?: string | undefined
  /** Names in lower case; of a header that came twice, Node drops one or joins both. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** Names and values, alternating, as they came. */
  readonly rawHeaders: readonly string[]
}

/** An HTTP response to an upgrade request other than 101. Its text repeats no part of the request. */
export interface RejectedUpgrade {
  /** HTTP status. */
  readonly status: number
  /** Phrase of the status line. */
  readonly reason: string
  /** Plain text, in ASCII. */
  readonly body: string
  /** Headers beside those that every such response has. */
  readonly headers: Readonly<Record<string, string>>
}

/** A valid upgrade request, which is not authenticated yet. */
export interface AcceptableUpgrade {
  /** Its bearer token. */
  readonly token: string | undefined
}

const rejected = (status: number, reason: string, body: string, headers: RejectedUpgrade['headers'] = {}): RejectedUpgrade => ({
  status,
  reason,
  body,
  headers
})

/** RFC 9110 section 15.5.22: a 426 names the protocol to upgrade to, and `Connection` names that header. */
const UPGRADE: RejectedUpgrade['headers'] = { Upgrade: 'websocket' }

type Rejection =
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

/** Every response to an upgrade request other than 101. */
export const REJECTED_UPGRADES: Readonly<Record<Rejection, RejectedUpgrade>> = {
  malformed: rejected(400, 'Bad Request', 'Not a WebSocket upgrade'),
  manySubprotocols: rejected(400, 'Bad Request', 'Sec-WebSocket-Protocol cannot be read'),
  twoTokens: rejected(400, 'Bad Request', 'More than one token'),
  unauthorized: rejected(401, 'Unauthorized', 'Unauthorized', { 'WWW-Authenticate': 'Bearer' }),
  host: rejected(403, 'Forbidden', 'Host not allowed'),
  origin: rejected(403, 'Forbidden', 'Origin not allowed'),
  path: rejected(404, 'Not Found', 'Not Found'),
  upgrade: rejected(426, 'Upgrade Required', 'This is a WebSocket endpoint', UPGRADE),
  headers: rejected(431, 'Request Header Fields Too Large', 'Too many headers'),
  version: rejected(426, 'Upgrade Required', 'WebSocket version 13 required', { ...UPGRADE, 'Sec-WebSocket-Version': '13' }),
  subprotocol: rejected(426, 'Upgrade Required', 'Subprotocol required', UPGRADE),
  full: rejected(503, 'Service Unavailable', 'Too many connections', { 'Retry-After': '5' }),
  closing: rejected(503, 'Service Unavailable', 'The server is closing', { 'Retry-After': '1' }),
  authentication: rejected(503, 'Service Unavailable', 'Authentication is not available', { 'Retry-After': '5' }),
  authenticationTimeout: rejected(504, 'Gateway Timeout', 'Authentication took too long', { 'Retry-After': '5' })
}

/** Scheme and host of a target in absolute form, which every server has to take (RFC 9112 section 3.2.2). */
const ABSOLUTE = /^https?:\/\/([^/?#]*)/i

/** Whether the request is for this path; its query does not matter. */
export function isForPath(url: string | undefined, path: Path): boolean {
  const [pathname] = url?.replace(ABSOLUTE, '').split('?', 1) ?? []
  if (pathname === undefined) return false
  if (typeof path === 'function') return path(pathname)
  // Not `test`: with the flag g or y it would begin where it ended the last time.
  return typeof path === 'string' ? pathname === path : pathname.search(path) !== -1
}

/** The response to a client that offers no subprotocol of this server. It names them, so that people know which one to set. */
const subprotocolRequired = (names: readonly string[]): RejectedUpgrade => ({
  ...REJECTED_UPGRADES.subprotocol,
  body: `${REJECTED_UPGRADES.subprotocol.body}: ${names.join(', ')}`
})

/**
 * Judges an upgrade request by all that is known without `authenticate`. The order is that of docs/server.md: checks that are cheap
 * and need no secret come first (404, 431, 403, 400 and 426, 401).
 */
export function judgeUpgrade(request: UpgradeRequest, policy: UpgradePolicy): RejectedUpgrade | AcceptableUpgrade {
  const { url, headers, rawHeaders } = request
  if (!isForPath(url, policy.path)) return REJECTED_UPGRADES.path
  // Node silently drops headers beyond 2000, and the request would be judged without them.
  if (rawHeaders.length > 2 * MAX_HEADERS) return REJECTED_UPGRADES.headers
  const { host, origin, cookie, authorization } = headers
  const [, hostInTarget = host] = ABSOLUTE.exec(url ?? '') ?? []
  if (![host, hostInTarget].every((each) => isAllowedHost(each, policy.allowedHosts))) return REJECTED_UPGRADES.host
  if (origin !== undefined && policy.allowedOrigins?.includes(String(origin)) === false) return REJECTED_UPGRADES.origin
  const malformed = findMalformed(request)
  if (malformed !== undefined) return malformed
  const offered = readOffer(headers['sec-websocket-protocol'])
  if (offered === undefined) return REJECTED_UPGRADES.manySubprotocols
  if (policy.requireSubprotocol && selectSubprotocol(offered, policy.subprotocols) === undefined)
    return subprotocolRequired(policy.subprotocols)
  const acceptable = { token: undefined }
  if (!policy.authenticates) return acceptable
  if (isRepeated('authorization', rawHeaders)) return REJECTED_UPGRADES.twoTokens
  const credentials = readCredentials(authorization === undefined ? undefined : String(authorization), offered)
  if ('problem' in credentials) return credentials.problem === 'ambiguous' ? REJECTED_UPGRADES.twoTokens : REJECTED_UPGRADES.unauthorized
  // A browser sends its cookies for every page, so they count only with an `Origin` that names the page (CWE-1385). `null` names none: it
  // is the origin of sandboxed frames, which any page can make.
  if ((origin === undefined || origin === 'null') && cookie !== undefined && credentials.token === undefined)
    return REJECTED_UPGRADES.origin
  return { token: credentials.token }
}

/** The subprotocol to choose: the server's favourite among those that are offered. */
export const selectSubprotocol = (offered: readonly string[], supported: readonly string[]): string | undefined =>
  supported.find((name) => offered.includes(name))

/**
 * The offer without its tokens. If the offer cannot be read, everything from the first token on is removed, because it may be part of a
 * token.
 * @param header - The value of `Sec-WebSocket-Protocol`.
 */
export function withoutCredentials(header: string): string {
  const names = header.split(',').map((name) => name.trim())
  const first = names.findIndex(isCredential)
  if (first === -1) return header
  return (readOffer(header)?.filter((name) => !isCredential(name)) ?? names.slice(0, first)).join(', ')
}

/** A name without a port allows all its ports. Names are compared as DNS does, without regard to case. */
function isAllowedHost(host: UpgradeRequest['headers'][string], allowed: readonly string[]): boolean {
  if (typeof host !== 'string') return false
  const given = host.toLowerCase()
  const name = given.replace(/:\d*$/, '')
  return allowed.some((each) => each === given || each === name)
}

/** The response to a request that lacks what RFC 6455 section 4.2.1 demands of every client; `undefined` if it lacks nothing. */
function findMalformed({ method, httpVersion, headers, rawHeaders }: UpgradeRequest): RejectedUpgrade | undefined {
  const { upgrade, 'sec-websocket-key': key, 'sec-websocket-version': version } = headers
  if (isRepeated('host', rawHeaders)) return REJECTED_UPGRADES.malformed
  // Node leaves a body to whoever takes the socket: its bytes would be read as frames.
  const hasBody = (headers['content-length'] ?? '0') !== '0' || headers['transfer-encoding'] !== undefined
  if (httpVersion !== '1.1' || hasBody) return REJECTED_UPGRADES.malformed
  if (method !== 'GET' || String(upgrade).toLowerCase() !== 'websocket') return REJECTED_UPGRADES.malformed
  if (typeof key !== 'string' || !/^[+/0-9A-Za-z]{22}==$/.test(key)) return REJECTED_UPGRADES.malformed
  return version === '13' ? undefined : REJECTED_UPGRADES.version
}

/** Whether a header came twice. Node shows the first one, while a proxy in front may have judged the last (RFC 9112 section 3.2). */
const isRepeated = (name: string, rawHeaders: UpgradeRequest['rawHeaders']): boolean =>
  rawHeaders.filter((each, index) => index % 2 === 0 && each.toLowerCase() === name).length > 1

const MAX_SUBPROTOCOLS = 100
// Browsers send about 15 headers, and each proxy adds a few.
const MAX_HEADERS = 200

/** The subprotocols of an offer; `undefined` if a name is not a token or comes twice, or if there are too many. */
function readOffer(header: string | readonly string[] | undefined): string[] | undefined {
  if (header === undefined) return []
  const offered = String(header)
    .split(',', MAX_SUBPROTOCOLS + 1)
    .map((name) => name.trim())
  const isReadable = offered.length <= MAX_SUBPROTOCOLS && new Set(offered).size === offered.length && offered.every(isHttpToken)
  return isReadable ? offered : undefined
}
