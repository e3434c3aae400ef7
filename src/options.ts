import type { ConnectionConfig } from './connection.js'
import type { Introduction } from './core/eras.js'
import { MCP_SUBPROTOCOL } from './core/subprotocol.js'
import type { Clock } from './io/clock.js'
import { headersWork, webSocketClass, type OpenSocket } from './io/socket.js'
import { readUrl, resolveTarget } from './io/target.js'
import type { SessionConfig } from './session.js'
import type { McpWebSocketClientOptions } from './types/options.js'
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

const MIB = 2 ** 20

const DEFAULTS = {
  clientInfo: { name: 'mcp-websocket-client', version: VERSION },
  capabilities: {},
  protocol: 'auto',
  subprotocols: [] as readonly string[],
  onMissingSubprotocol: 'fail',
  connectTimeout: 10_000,
  handshakeTimeout: 10_000,
  probeTimeout: 3000,
  closeTimeout: 1000,
  requestTimeout: 60_000,
  resend: 'safe',
  maxMessageBytes: 16 * MIB,
  maxPending: 10_000,
  perMessageDeflate: false,
  unref: false
} as const

/** Each of these may be `false`; what is given is merged with the defaults. */
const NESTED = {
  reconnect: { initialDelay: 1000, maxDelay: 20_000, growFactor: 2, jitter: true, maxRetries: 10, resetAfter: 5000 },
  heartbeat: { interval: 25_000, timeout: 10_000 },
  outbox: { maxMessages: 1000, maxBytes: 8 * MIB }
} as const

type Nested = { [Name in keyof typeof NESTED]: false | Required<Exclude<McpWebSocketClientOptions[Name], false | undefined>> }
type Complete = McpWebSocketClientOptions & Required<Pick<McpWebSocketClientOptions, keyof typeof DEFAULTS>> & Nested

/** Whether a value will do, and in words what will. */
type Rule = readonly [isRight: (value: unknown) => boolean, wanted: string]

const either = ([left, words]: Rule, [right, otherWords]: Rule): Rule => [
  (value) => left(value) || right(value),
  `${words}, or ${otherWords}`
]
const only = (...values: readonly unknown[]): Rule => [(value) => values.includes(value), `one of ${values.join(', ')}`]
const kind = (name: 'boolean' | 'function'): Rule => [(value) => typeof value === name, `a ${name}`]
const atLeast = (least: number): Rule => [
  (value) => Number.isSafeInteger(value) && Number(value) >= least,
  `a whole number of at least ${String(least)}`
]
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)
const object: Rule = [isObject, 'an object']
const objectOrFalse = either(only(false), object)
const ms: Rule = [(value) => typeof value === 'number' && value > 0 && value < Infinity, 'a positive number of ms']
const infinity = only(Infinity)
// RFC 6455 section 4.1: the elements of Sec-WebSocket-Protocol are tokens of RFC 2616, and none occurs twice.
const isToken = (name: unknown): boolean => typeof name === 'string' && /^[!#$%&'*+\-.^_`|~\w]+$/.test(name)
const areOffers = (value: unknown): boolean =>
  Array.isArray(value) && value.every(isToken) && new Set([MCP_SUBPROTOCOL, ...(value as string[])]).size > value.length

// A value of the wrong kind would be ignored, or worse: `subprotocols: 'mcp'` would offer m, c and p.
const RULES: Readonly<Record<string, Rule>> = {
  clientInfo: [
    (info) => isObject(info) && typeof info.name === 'string' && typeof info.version === 'string',
    'an object with name and version'
  ],
  capabilities: object,
  protocol: only('auto', 'legacy', 'modern'),
  auth: [(auth) => isObject(auth) && auth.token !== undefined, 'an object with auth.token'],
  'auth.token': either([(token) => typeof token === 'string' && token !== '', 'a non-empty string'], kind('function')),
  'auth.via': only('header', 'subprotocol'),
  'auth.allowInsecure': kind('boolean'),
  headers: either(object, kind('function')),
  subprotocols: [areOffers, `a list of different names without spaces or separators, ${MCP_SUBPROTOCOL} left out`],
  onMissingSubprotocol: only('fail', 'accept'),
  connectTimeout: ms,
  handshakeTimeout: ms,
  probeTimeout: ms,
  closeTimeout: ms,
  requestTimeout: either(ms, infinity),
  reconnect: objectOrFalse,
  'reconnect.initialDelay': ms,
  'reconnect.maxDelay': ms,
  'reconnect.growFactor': [(factor) => typeof factor === 'number' && factor >= 1 && factor < Infinity, 'a number of at least 1'],
  'reconnect.jitter': kind('boolean'),
  'reconnect.maxRetries': either(atLeast(0), infinity),
  'reconnect.resetAfter': ms,
  'reconnect.shouldReconnect': kind('function'),
  heartbeat: objectOrFalse,
  'heartbeat.interval': ms,
  'heartbeat.timeout': ms,
  outbox: objectOrFalse,
  'outbox.maxMessages': atLeast(0),
  'outbox.maxBytes': atLeast(0),
  resend: either(only('safe', 'never'), kind('function')),
  maxMessageBytes: atLeast(1),
  maxPending: atLeast(1),
  perMessageDeflate: kind('boolean'),
  tls: object,
  agent: object,
  trace: kind('function'),
  WebSocket: kind('function'),
  unref: kind('boolean')
}

const isGiven = ([, value]: readonly [string, unknown]): boolean => value !== undefined
const merge = (defaults: object, given: object): object => ({ ...defaults, ...Object.fromEntries(Object.entries(given).filter(isGiven)) })

/** The options with their defaults. @throws TypeError naming the first that is wrong. */
function complete(options: McpWebSocketClientOptions): Complete {
  const all = merge(DEFAULTS, options) as Record<string, unknown>
  for (const [name, defaults] of Object.entries(NESTED)) {
    const given = all[name] ?? {}
    all[name] = isObject(given) ? merge(defaults, given) : given
  }
  for (const [path, [isRight, wanted]] of Object.entries(RULES)) {
    const value = path.split('.').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], all)
    // A token is not shown, whatever else is wrong with it.
    if (value !== undefined && !isRight(value))
      throw new TypeError(`${path} must be ${wanted}; it is ${path.startsWith('auth') ? typeof value : show(value)}`)
  }
  return all as unknown as Complete
}

const show = (value: unknown): string => (isObject(value) || Array.isArray(value) ? JSON.stringify(value) : String(value))

/** What a client is made of, from its options. @throws TypeError naming the first option that is wrong. */
export function resolveClientOptions(options: McpWebSocketClientOptions, ports: Ports): ClientConfig {
  const all = complete(options)
  const { clientInfo, capabilities, outbox, resend, probeTimeout, handshakeTimeout } = all
  const connection = resolveConnection(all, ports)
  return {
    ...all,
    introduction: { clientInfo, capabilities },
    // A server that is silent about its era must leave time for the handshake of the other one.
    session: { connection, outbox, resend, probeTimeout: Math.min(probeTimeout, handshakeTimeout / 2) }
  }
}

function resolveConnection(all: Complete, ports: Ports): ConnectionConfig {
  const { url, auth, headers, trace, reconnect, onMissingSubprotocol, maxMessageBytes, perMessageDeflate, tls, agent, WebSocket } = all
  if (typeof url !== 'function') readUrl(url)
  if (webSocketClass(WebSocket) === undefined) throw new TypeError('WebSocket must be given: this engine has none')
  const canSetHeaders = headersWork(WebSocket)
  // Credentials that an engine would drop in silence are refused: six of seven WebSocket classes ignore headers.
  if (!canSetHeaders && headers) throw new TypeError('headers cannot be set in this engine: use auth with via: "subprotocol", or cookies')
  if (!canSetHeaders && auth && auth.via !== 'subprotocol')
    throw new TypeError('auth.via must be "subprotocol" in this engine, which cannot set headers')
  const retry = reconnect || NESTED.reconnect
  return {
    ...all,
    ...ports,
    trace,
    resolveTarget: (context) => resolveTarget(all, context),
    retry: { ...retry, enabled: reconnect !== false },
    resetAfter: retry.resetAfter,
    shouldReconnect: reconnect ? reconnect.shouldReconnect : undefined,
    refreshable: typeof auth?.token === 'function',
    // A token among the subprotocols would get lost with them.
    mayDropProtocols: !canSetHeaders && onMissingSubprotocol === 'accept' && auth?.via !== 'subprotocol',
    socket: { onMissingSubprotocol, maxMessageBytes, perMessageDeflate, tls, agent, WebSocket }
  }
}
