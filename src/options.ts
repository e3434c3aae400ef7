import type { ConnectionConfig } from './connection.js'
import type { Introduction } from './core/eras.js'
import { MCP_SUBPROTOCOL } from './core/subprotocol.js'
import type { Clock } from './io/clock.js'
import { headersWork, webSocketClass, type OpenSocket } from './io/socket.js'
import { readUrl, resolveTarget } from './io/target.js'
import type { SessionConfig } from './session.js'
import type { ConnectionOptions, McpWebSocketClientOptions, ReconnectOptions, UrlOption } from './types/options.js'
import { VERSION } from './version.js'

/** The platform, handed in by the public entries; tests hand in another. */
export interface Ports {
  readonly clock: Clock
  readonly openSocket: OpenSocket
}

/** What a client is made of. */
export interface ClientConfig {
  readonly introduction: Introduction
  readonly protocol: 'auto' | 'legacy' | 'modern'
  readonly requestTimeout: number
  readonly maxPending: number
  readonly session: Omit<SessionConfig, 'handshake' | 'stamp'>
}

/** Options with their defaults. @throws TypeError naming the first option that is wrong. */
export function resolveClientOptions(options: McpWebSocketClientOptions, ports: Ports): ClientConfig {
  const { clientInfo = { name: 'mcp-websocket-client', version: VERSION }, capabilities = {}, protocol = 'auto' } = options
  oneOf('protocol', protocol, ['auto', 'legacy', 'modern'])
  checkKinds(options)
  check(
    'clientInfo',
    typeof clientInfo.name === 'string' && typeof clientInfo.version === 'string',
    'an object with name and version',
    JSON.stringify(clientInfo)
  )
  return {
    introduction: { clientInfo, capabilities },
    protocol,
    requestTimeout: options.requestTimeout === Infinity ? Infinity : ms('requestTimeout', options.requestTimeout, 60_000),
    maxPending: whole('maxPending', options.maxPending, 10_000, 1),
    session: resolveSessionOptions(options.url, options, ports, options.probeTimeout)
  }
}

/** The part of the options that every entry shares. @throws TypeError naming the first option that is wrong. */
export function resolveSessionOptions(
  url: UrlOption,
  options: ConnectionOptions,
  ports: Ports,
  probeTimeout?: number
): Omit<SessionConfig, 'handshake' | 'stamp'> {
  checkKinds(options)
  const { resend = 'safe', outbox = {} } = options
  if (typeof resend !== 'function') oneOf('resend', resend, ['safe', 'never'])
  const connection = resolveConnection(url, options, ports)
  return {
    connection,
    // A server that is silent about its era must leave time for the handshake of the other one.
    probeTimeout: Math.min(ms('probeTimeout', probeTimeout, 3000), connection.handshakeTimeout / 2),
    outbox: outbox && {
      maxMessages: whole('outbox.maxMessages', outbox.maxMessages, 1000),
      maxBytes: whole('outbox.maxBytes', outbox.maxBytes, 8 * MIB)
    },
    resend
  }
}

function resolveConnection(url: UrlOption, options: ConnectionOptions, ports: Ports): ConnectionConfig {
  const { WebSocket, heartbeat = {}, onMissingSubprotocol = 'fail', subprotocols = [], perMessageDeflate = false, unref = false } = options
  const { tls, agent, trace, reconnect = {} } = options
  const { resetAfter, shouldReconnect } = reconnect || {}
  if (typeof url !== 'function') readUrl(url)
  oneOf('onMissingSubprotocol', onMissingSubprotocol, ['fail', 'accept'])
  // RFC 6455 section 4.1: elements of Sec-WebSocket-Protocol are tokens of RFC 2616.
  const isToken = (name: unknown): boolean => typeof name === 'string' && /^[!#$%&'*+\-.^_`|~\w]+$/.test(name)
  check('subprotocols', subprotocols.every(isToken), 'a list of names without spaces or separators', JSON.stringify(subprotocols))
  const offered = new Set([MCP_SUBPROTOCOL, ...subprotocols])
  check('subprotocols', offered.size > subprotocols.length, `without repetitions (${MCP_SUBPROTOCOL} is always offered)`, subprotocols)
  check('WebSocket', webSocketClass(WebSocket) !== undefined, 'given, as this engine has none', WebSocket)
  const canSetHeaders = headersWork(WebSocket)
  checkCredentials(options, canSetHeaders)
  const { auth, headers } = options
  return {
    clock: ports.clock,
    openSocket: ports.openSocket,
    resolveTarget: (context) => resolveTarget({ url, auth, headers, subprotocols }, context),
    retry: resolveRetry(reconnect),
    resetAfter: ms('reconnect.resetAfter', resetAfter, 5000),
    connectTimeout: ms('connectTimeout', options.connectTimeout, 10_000),
    handshakeTimeout: ms('handshakeTimeout', options.handshakeTimeout, 10_000),
    closeTimeout: ms('closeTimeout', options.closeTimeout, 1000),
    heartbeat: heartbeat && {
      interval: ms('heartbeat.interval', heartbeat.interval, 25_000),
      timeout: ms('heartbeat.timeout', heartbeat.timeout, 10_000)
    },
    unref,
    shouldReconnect,
    trace,
    refreshable: typeof auth?.token === 'function',
    // A token among the subprotocols would get lost with them.
    mayDropProtocols: !canSetHeaders && onMissingSubprotocol === 'accept' && auth?.via !== 'subprotocol',
    socket: {
      onMissingSubprotocol,
      maxMessageBytes: whole('maxMessageBytes', options.maxMessageBytes, 16 * MIB, 1),
      perMessageDeflate,
      tls,
      agent,
      WebSocket
    }
  }
}

function resolveRetry(reconnect: false | ReconnectOptions): ConnectionConfig['retry'] {
  const { initialDelay, maxDelay, growFactor = 2, jitter = true, maxRetries } = reconnect || {}
  check(
    'reconnect.growFactor',
    typeof growFactor === 'number' && growFactor >= 1 && growFactor < Infinity,
    'a number of at least 1',
    growFactor
  )
  return {
    enabled: reconnect !== false,
    initialDelay: ms('reconnect.initialDelay', initialDelay, 1000),
    maxDelay: ms('reconnect.maxDelay', maxDelay, 20_000),
    growFactor,
    jitter,
    maxRetries: maxRetries === Infinity ? Infinity : whole('reconnect.maxRetries', maxRetries, 10)
  }
}

/** Credentials that an engine would drop in silence are refused here: six of seven WebSocket classes ignore headers. */
function checkCredentials({ auth, headers }: ConnectionOptions, canSetHeaders: boolean): void {
  check(
    'headers',
    canSetHeaders || headers === undefined,
    'left out in this engine, which cannot set any: use auth.via "subprotocol" or cookies',
    'given'
  )
  if (auth === undefined) return
  const { token, via } = auth
  check(
    'auth.token',
    typeof token === 'function' || (typeof token === 'string' && token !== ''),
    'a non-empty string or a function',
    typeof token
  )
  if (via !== undefined) oneOf('auth.via', via, ['header', 'subprotocol'])
  check('auth.via', canSetHeaders || via === 'subprotocol', '"subprotocol" in this engine, which cannot set headers', via)
}

const MIB = 2 ** 20

type Kind = 'object' | 'function' | 'boolean' | 'list' | 'false'

const KINDS: Readonly<Record<string, readonly Kind[]>> = {
  clientInfo: ['object'],
  capabilities: ['object'],
  auth: ['object'],
  'auth.allowInsecure': ['boolean'],
  headers: ['object', 'function'],
  subprotocols: ['list'],
  reconnect: ['false', 'object'],
  'reconnect.jitter': ['boolean'],
  'reconnect.shouldReconnect': ['function'],
  heartbeat: ['false', 'object'],
  outbox: ['false', 'object'],
  perMessageDeflate: ['boolean'],
  tls: ['object'],
  agent: ['object'],
  trace: ['function'],
  WebSocket: ['function'],
  unref: ['boolean']
}

/** Values of the wrong kind would be ignored, or worse: `subprotocols: 'mcp'` would offer m, c and p. */
function checkKinds(options: object): void {
  for (const [path, kinds] of Object.entries(KINDS)) {
    const value = path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], options)
    const kind = Array.isArray(value)
      ? 'list'
      : value === false && kinds.includes('false')
        ? 'false'
        : value === null
          ? 'null'
          : typeof value
    check(path, value === undefined || kinds.includes(kind as Kind), `of the kind ${kinds.join(' or ')}`, kind)
  }
}

function check(option: string, right: boolean, wanted: string, value: unknown): void {
  if (!right) throw new TypeError(`${option} must be ${wanted}; it is ${String(value)}`)
}

function ms(option: string, value: number | undefined, fallback: number): number {
  const ms = value ?? fallback
  check(option, typeof ms === 'number' && ms > 0 && ms < Infinity, 'a positive number of ms', ms)
  return ms
}

function whole(option: string, value: number | undefined, fallback: number, least = 0): number {
  const count = value ?? fallback
  check(option, Number.isSafeInteger(count) && count >= least, `a whole number of at least ${String(least)}`, count)
  return count
}

function oneOf(option: string, value: string, allowed: readonly string[]): void {
  check(option, allowed.includes(value), `one of ${allowed.join(', ')}`, value)
}
