import type { ConnectionConfig } from '../connection/connection.js'
import type { Introduction } from './handshake.js'
import { isObject } from '../wire/json-rpc.js'
import { MCP_SUBPROTOCOL } from '../wire/subprotocol.js'
import type { Clock } from '../lib/clock.js'
import { headersWork, type OpenSocket } from '../socket/open-socket.js'
import { readUrl, resolveTarget } from '../socket/target.js'
import type { SessionConfig } from './session.js'
import type { McpWebSocketClientOptions, ReconnectOptions } from '../types/options.js'
import { VERSION } from '../version.js'

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
  readonly grace: number
  readonly session: Omit<SessionConfig, 'handshake' | 'stamp'>
}

type Options = McpWebSocketClientOptions
/** Options without a default. */
type Bare = 'auth' | 'headers' | 'tls' | 'agent' | 'trace' | 'WebSocket'
type Nested = 'reconnect' | 'heartbeat' | 'outbox'
type Given<Name extends Nested> = Exclude<Options[Name], false | undefined>
type Complete = Required<Omit<Options, Bare | Nested>> & { [Name in Bare]: Options[Name] } & {
  [Name in Nested]: false | (Required<Omit<Given<Name>, 'shouldReconnect'>> & Pick<ReconnectOptions, 'shouldReconnect'>)
}

type Values = Readonly<Record<string, unknown>>
/** The default of an option, and what is accepted: words for a kind of values, or one value. */
type Rules = Readonly<Record<string, readonly [fallback: unknown, ...accepted: readonly (string | number | boolean)[]]>>

const isNumber = (value: unknown, least: number): boolean => Number.isFinite(value) && Number(value) >= least
const isCount = (value: unknown, least: number): boolean => Number.isSafeInteger(value) && isNumber(value, least)
// RFC 6455 section 4.1: the elements of Sec-WebSocket-Protocol are tokens of RFC 2616, and none occurs twice.
const isToken = (name: unknown): boolean => typeof name === 'string' && /^[!#$%&'*+\-.^_`|~\w]+$/.test(name)
const areOffers = (value: unknown): boolean =>
  Array.isArray(value) && value.every(isToken) && new Set([MCP_SUBPROTOCOL, ...(value as string[])]).size > value.length

const OBJECT = 'an object'
const FUNCTION = 'a function'
const STRING = 'a string'
const TEXT = 'a non-empty string'
const MS = 'a positive number'
const FACTOR = 'a number of at least 1'
const COUNT = 'a whole number of at least 0'
const POSITIVE = 'a whole number of at least 1'
const OFFERS = `a list of different tokens other than ${MCP_SUBPROTOCOL}`

const KINDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  [OBJECT]: isObject,
  [FUNCTION]: (value) => typeof value === 'function',
  [STRING]: (value) => typeof value === 'string',
  [TEXT]: (value) => typeof value === 'string' && value !== '',
  [MS]: (value) => isNumber(value, Number.MIN_VALUE),
  [FACTOR]: (value) => isNumber(value, 1),
  [COUNT]: (value) => isCount(value, 0),
  [POSITIVE]: (value) => isCount(value, 1),
  [OFFERS]: areOffers
}

const MIB = 2 ** 20
const LEAST_BUFFERED = 8 * MIB
/** No default: the option may be left out. */
const NONE = undefined
/** No default either, and nothing that is accepted: the option must be given. */
const NEEDED = null

const RECONNECT: Rules = {
  initialDelay: [1000, MS],
  maxDelay: [20_000, MS],
  growFactor: [2, FACTOR],
  jitter: [true, true, false],
  maxRetries: [10, COUNT, Infinity],
  resetAfter: [5000, MS],
  shouldReconnect: [NONE, FUNCTION]
}

// A value of the wrong kind would be ignored, or worse: `subprotocols: 'mcp'` would offer m, c and p.
const RULES: Rules = {
  clientInfo: [{ name: 'mcp-websocket-client', version: VERSION }, OBJECT],
  capabilities: [{}, OBJECT],
  protocol: ['auto', 'auto', 'legacy', 'modern'],
  auth: [NONE, OBJECT],
  headers: [NONE, OBJECT, FUNCTION],
  subprotocols: [[], OFFERS],
  onMissingSubprotocol: ['fail', 'fail', 'accept'],
  connectTimeout: [10_000, MS],
  handshakeTimeout: [10_000, MS],
  probeTimeout: [3000, MS],
  closeTimeout: [1000, MS],
  requestTimeout: [60_000, MS, Infinity],
  reconnect: [{}, OBJECT, false],
  heartbeat: [{}, OBJECT, false],
  outbox: [{}, OBJECT, false],
  resend: ['safe', 'safe', 'never', FUNCTION],
  maxMessageBytes: [16 * MIB, POSITIVE],
  maxPending: [10_000, POSITIVE],
  perMessageDeflate: [false, false, true],
  tls: [NONE, OBJECT],
  agent: [NONE, OBJECT],
  trace: [NONE, FUNCTION],
  WebSocket: [NONE, FUNCTION],
  unref: [false, false, true]
}

/** The rules of what is in an option that is an object. */
const MEMBERS: Readonly<Record<string, Rules>> = {
  clientInfo: { name: [NEEDED, STRING], version: [NEEDED, STRING] },
  auth: { token: [NEEDED, TEXT, FUNCTION], via: ['header', 'header', 'subprotocol'], allowInsecure: [false, false, true] },
  reconnect: RECONNECT,
  heartbeat: { interval: [25_000, MS], timeout: [10_000, MS] },
  outbox: { maxMessages: [1000, COUNT], maxBytes: [8 * MIB, COUNT] }
}

/** The given options with their defaults. @throws TypeError naming the first that is wrong, but not its value: it may be secret. */
function complete(given: Values, rules: Rules, prefix = ''): Values {
  const all: Record<string, unknown> = { ...given }
  for (const [name, [fallback, ...accepted]] of Object.entries(rules)) {
    const { [name]: value = fallback } = given
    const isRight = accepted.some((each) => KINDS[String(each)]?.(value) ?? value === each)
    if (value !== undefined && !isRight) throw new TypeError(`${prefix}${name} must be ${accepted.join(' or ')}`)
    const members = MEMBERS[prefix + name]
    all[name] = members && isObject(value) ? complete(value, members, `${name}.`) : value
  }
  return all
}

/** @throws TypeError for what a program without types may pass in place of options. */
export function checkOptions(options: unknown): void {
  if (!isObject(options)) throw new TypeError('options must be an object')
}

/** What a client is made of, from its options. @throws TypeError naming the first option that is wrong. */
export function resolveClientOptions(options: McpWebSocketClientOptions, ports: Ports): ClientConfig {
  checkOptions(options)
  // A token that is a getter is asked anew at every dial.
  const all = { ...complete({ ...options }, RULES), auth: options.auth } as Complete
  const { clientInfo, capabilities, probeTimeout, handshakeTimeout, heartbeat } = all
  return {
    ...all,
    introduction: { clientInfo, capabilities },
    // After a sleep the connection is probed: its verdict, a loss, says more about a request than that time is over.
    grace: heartbeat ? heartbeat.timeout : all.connectTimeout,
    // A server that is silent about its era must leave time for the handshake of the other one.
    session: {
      ...all,
      connection: resolveConnection(all, ports),
      probeTimeout: Math.min(probeTimeout, handshakeTimeout / 2),
      // Handlers end some time after they were cancelled: until then they count.
      mostCancelled: Infinity
    }
  }
}

function resolveConnection(all: Complete, ports: Ports): ConnectionConfig {
  const { url, auth, headers, reconnect, onMissingSubprotocol, maxMessageBytes, perMessageDeflate, closeTimeout, tls, agent, WebSocket } =
    all
  if (typeof url !== 'function') readUrl(url)
  const canSetHeaders = headersWork(WebSocket)
  // Credentials that an engine would drop in silence are refused: six of seven WebSocket classes ignore headers.
  if (!canSetHeaders && (headers || (auth && auth.via !== 'subprotocol')))
    throw new TypeError('this engine cannot set headers: use auth.via "subprotocol" instead')
  const retry = reconnect || (complete({}, RECONNECT) as Exclude<Complete['reconnect'], false>)
  return {
    ...all,
    ...ports,
    resolveTarget: (context) => resolveTarget(all, context),
    retry: { ...retry, enabled: reconnect !== false },
    resetAfter: retry.resetAfter,
    // A large message on its way is no sign of a server that does not read, however small the outbox.
    maxBuffered: Math.max(LEAST_BUFFERED, all.outbox ? all.outbox.maxBytes : 0),
    shouldReconnect: retry.shouldReconnect,
    refreshable: typeof auth?.token === 'function',
    // A token, which is among the subprotocols here, would get lost with them.
    mayDropProtocols: !canSetHeaders && onMissingSubprotocol === 'accept' && !auth,
    socket: { onMissingSubprotocol, maxMessageBytes, perMessageDeflate, closeTimeout, tls, agent, WebSocket }
  }
}
