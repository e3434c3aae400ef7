import type { ConnectionConfig } from './connection.js'
import type { Introduction } from './core/eras.js'
import type { Clock } from './io/clock.js'
import { headersWork, webSocketClass, type OpenSocket } from './io/socket.js'
import { readUrl, resolveTarget } from './io/target.js'
import type { SessionConfig } from './session.js'
import type { ConnectionOptions, McpWebSocketClientOptions, UrlOption } from './types/options.js'
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
  return {
    introduction: { clientInfo, capabilities },
    protocol,
    requestTimeout: duration('requestTimeout', options.requestTimeout ?? 60_000, true),
    maxPending: count('maxPending', options.maxPending ?? 10_000, 1),
    session: resolveSessionOptions(options.url, options, ports, options.probeTimeout)
  }
}

/** The part of the options that every entry shares. @throws TypeError naming the first option that is wrong. */
export function resolveSessionOptions(
  url: UrlOption,
  options: ConnectionOptions,
  ports: Ports,
  probeTimeout = 3000
): Omit<SessionConfig, 'handshake' | 'stamp'> {
  const { resend = 'safe', outbox = {} } = options
  if (typeof resend !== 'function') oneOf('resend', resend, ['safe', 'never'])
  return {
    connection: resolveConnection(url, options, ports),
    probeTimeout: duration('probeTimeout', probeTimeout),
    outbox:
      outbox === false
        ? false
        : {
            maxMessages: count('outbox.maxMessages', outbox.maxMessages ?? 1000),
            maxBytes: count('outbox.maxBytes', outbox.maxBytes ?? 8 * 2 ** 20)
          },
    resend
  }
}

function resolveConnection(url: UrlOption, options: ConnectionOptions, ports: Ports): ConnectionConfig {
  const {
    heartbeat = {},
    onMissingSubprotocol = 'fail',
    subprotocols = [],
    unref = false,
    shouldReconnect,
    trace
  } = { ...options, shouldReconnect: options.reconnect ? options.reconnect.shouldReconnect : undefined }
  if (typeof url !== 'function') readUrl(url)
  oneOf('onMissingSubprotocol', onMissingSubprotocol, ['fail', 'accept'])
  for (const name of subprotocols) token('subprotocols', name)
  optionalFunction('reconnect.shouldReconnect', shouldReconnect)
  optionalFunction('trace', trace)
  if (webSocketClass(options.WebSocket) === undefined)
    throw new TypeError('this engine has no WebSocket: pass a class as the option WebSocket')
  const canSetHeaders = headersWork(options.WebSocket)
  const { auth, headers } = checkCredentials(options, canSetHeaders)
  return {
    clock: ports.clock,
    openSocket: ports.openSocket,
    resolveTarget: (context) => resolveTarget({ url, auth, headers, subprotocols }, context),
    retry: resolveRetry(options.reconnect),
    resetAfter: duration('reconnect.resetAfter', (options.reconnect || {}).resetAfter ?? 5000),
    connectTimeout: duration('connectTimeout', options.connectTimeout ?? 10_000),
    handshakeTimeout: duration('handshakeTimeout', options.handshakeTimeout ?? 10_000),
    closeTimeout: duration('closeTimeout', options.closeTimeout ?? 1000),
    heartbeat:
      heartbeat === false
        ? false
        : {
            interval: duration('heartbeat.interval', heartbeat.interval ?? 25_000),
            timeout: duration('heartbeat.timeout', heartbeat.timeout ?? 10_000)
          },
    unref,
    shouldReconnect,
    trace,
    refreshable: typeof auth?.token === 'function',
    // A token among the subprotocols would get lost with them.
    mayDropProtocols: !canSetHeaders && onMissingSubprotocol === 'accept' && auth?.via !== 'subprotocol',
    socket: {
      onMissingSubprotocol,
      maxMessageBytes: count('maxMessageBytes', options.maxMessageBytes ?? 16 * 2 ** 20, 1),
      perMessageDeflate: options.perMessageDeflate ?? false,
      tls: options.tls,
      agent: options.agent,
      WebSocket: options.WebSocket
    }
  }
}

function resolveRetry(reconnect: ConnectionOptions['reconnect']): ConnectionConfig['retry'] {
  const { initialDelay = 1000, maxDelay = 20_000, growFactor = 2, jitter = true, maxRetries = 10 } = reconnect || {}
  if (!(growFactor >= 1 && growFactor < Infinity)) wrong('reconnect.growFactor', 'a number of at least 1', growFactor)
  return {
    initialDelay: duration('reconnect.initialDelay', initialDelay),
    maxDelay: duration('reconnect.maxDelay', maxDelay),
    growFactor,
    jitter,
    enabled: reconnect !== false,
    maxRetries: maxRetries === Infinity ? Infinity : count('reconnect.maxRetries', maxRetries)
  }
}

/** Credentials that an engine would drop in silence are refused here: six of seven WebSocket classes ignore headers. */
function checkCredentials({ auth, headers }: ConnectionOptions, canSetHeaders: boolean): Pick<ConnectionOptions, 'auth' | 'headers'> {
  if (headers !== undefined && !canSetHeaders)
    throw new TypeError('headers cannot be set on a WebSocket in this engine: use auth with via: "subprotocol", or cookies')
  if (auth === undefined) return { headers }
  if (typeof auth.token !== 'function' && (typeof auth.token !== 'string' || auth.token === ''))
    wrong('auth.token', 'a non-empty string or a function', typeof auth.token)
  if (auth.via !== undefined) oneOf('auth.via', auth.via, ['header', 'subprotocol'])
  if (canSetHeaders || auth.via === 'subprotocol') return { auth, headers }
  throw new TypeError(
    'auth.via must be "subprotocol" in this engine, which cannot set headers; the server must understand mcp.bearer.<base64url>'
  )
}

function wrong(option: string, wanted: string, value: unknown): never {
  throw new TypeError(`${option} must be ${wanted}; it is ${String(value)}`)
}

function duration(option: string, ms: unknown, mayBeInfinite = false): number {
  if (typeof ms === 'number' && ms > 0 && (mayBeInfinite || ms < Infinity)) return ms
  return wrong(option, mayBeInfinite ? 'a positive number of ms, or Infinity' : 'a positive number of ms', ms)
}

function count(option: string, value: unknown, least = 0): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= least
    ? value
    : wrong(option, `a whole number of at least ${String(least)}`, value)
}

function oneOf(option: string, value: unknown, allowed: readonly string[]): void {
  if (!allowed.includes(value as string))
    wrong(option, `one of ${allowed.map((each) => JSON.stringify(each)).join(', ')}`, JSON.stringify(value))
}

/** RFC 6455 section 4.1: elements of Sec-WebSocket-Protocol are tokens of RFC 2616. */
function token(option: string, value: unknown): void {
  if (typeof value !== 'string' || !/^[!#$%&'*+\-.^_`|~\w]+$/.test(value))
    wrong(option, 'a list of names without spaces or separators', JSON.stringify(value))
}

function optionalFunction(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') wrong(option, 'a function', typeof value)
}
