import type { ConnectionConfig, Fallback } from '../connection/connection.js'
import type { Introduction } from './handshake.js'
import { AUTH_PREFIX, BEARER_PREFIX, isCredential, isHttpToken, MCP_SUBPROTOCOL, RESUME_SUBPROTOCOL } from '../wire/subprotocol.js'
import type { Clock } from '../lib/clock.js'
import { isObject } from '../lib/is-object.js'
import {
  checkOptions,
  completeOptions,
  COUNT,
  FACTOR,
  FUNCTION,
  LINE,
  listOf,
  MS,
  NONE,
  OBJECT,
  POSITIVE,
  REQUIRED,
  STRING,
  type Filled,
  type Kind,
  type Rules
} from '../lib/option-rules.js'
import { headersWork, type OpenSocket } from '../socket/open-socket.js'
import { mayLackSubprotocol, mayRejectOffer } from '../connection/closures.js'
import { carryToken, offerOf, readUrl, resolveTarget } from '../socket/target.js'
import { readHeaders } from '../socket/node-socket.js'
import type { SessionConfig } from './session.js'
import type { DiagnosticsChannel } from '../types/diagnostics.js'
import type { CompileSchema, JsonOption, McpWebSocketClientOptions, ReconnectOptions } from '../types/options.js'
import { VERSION } from '../version.js'

/** The platform, handed in by the public entries; tests hand in another. */
export interface Ports {
  /** Time and chance. */
  readonly clock: Clock
  /** Dials. */
  readonly openSocket: OpenSocket
  /** Who watches from outside: see `docs/extending.md`. */
  readonly diagnostics?: DiagnosticsChannel | undefined
}

/** What a client is made of. */
export interface ClientConfig {
  /** What the client says of itself. */
  readonly introduction: Introduction
  /** Reads and writes JSON. */
  readonly json: JsonOption
  /** The eras that may be spoken. */
  readonly protocol: 'auto' | 'legacy' | 'modern'
  /** The deadline of a request whose options name none, in ms. */
  readonly requestTimeout: number
  /** Most requests that may be pending at once. */
  readonly maxPending: number
  /** Whether the timeouts of requests stand still while the server asks the user. */
  readonly pauseTimeouts: boolean
  /** Compiles what tools promise to return. */
  readonly validateOutput: CompileSchema | undefined
  /** How long nothing times out after the process slept, in ms. */
  readonly grace: number
  /** Settings of the session, without what the entries add themselves. */
  readonly session: Omit<SessionConfig, 'handshake' | 'stamp'>
}

type Options = McpWebSocketClientOptions
/** Options without a default. */
type Bare = 'validateOutput' | 'auth' | 'headers' | 'offer' | 'tls' | 'agent' | 'trace' | 'WebSocket'
type Nested = 'reconnect' | 'heartbeat' | 'outbox'
type Given<Name extends Nested> = Exclude<Options[Name], false | undefined>
type Complete = Filled<Omit<Options, Bare | Nested>> & { [Name in Bare]: Options[Name] } & {
  [Name in Nested]: false | (Filled<Omit<Given<Name>, 'shouldReconnect'>> & Pick<ReconnectOptions, 'shouldReconnect'>)
}

// RFC 6455 section 4.1: the elements of Sec-WebSocket-Protocol are tokens of RFC 2616, and none occurs twice.
const OFFERS = listOf(`a list of different tokens other than ${MCP_SUBPROTOCOL}`, (name) => name !== MCP_SUBPROTOCOL && isHttpToken(name))
const MIB = 2 ** 20
const LEAST_BUFFERED = 8 * MIB

const RECONNECT: Rules = {
  initialDelay: [1000, MS],
  maxDelay: [20_000, MS],
  growFactor: [2, FACTOR],
  jitter: [true, true, false],
  maxRetries: [10, COUNT, Infinity],
  resetAfter: [5000, MS],
  shouldReconnect: [NONE, FUNCTION]
}

// Other members, such as `title` and `icons`, are passed on to the server unchecked.
const IMPLEMENTATION: Kind = [
  'an object with the strings name and version',
  (value) => isObject(value) && typeof value.name === 'string' && typeof value.version === 'string'
]

const AUTH: Rules = {
  token: [REQUIRED, LINE, FUNCTION],
  via: ['header', 'header', 'subprotocol'],
  prefix: [BEARER_PREFIX, BEARER_PREFIX, AUTH_PREFIX],
  allowInsecure: [false, false, true]
}

const isJson = (value: unknown): boolean => isObject(value) && typeof value.parse === 'function' && typeof value.stringify === 'function'

/**
 * What all entries that connect accept. A value of the wrong kind would be ignored, or worse: `subprotocols: 'mcp'` would offer m, c
 * and p.
 */
export const CONNECTION_RULES: Rules = {
  auth: [NONE, AUTH],
  headers: [NONE, ['an object', (value) => typeof value === 'object'], FUNCTION],
  subprotocols: [[], OFFERS],
  offer: [NONE, listOf('a list of different tokens', isHttpToken)],
  resume: [false, false, true],
  onMissingSubprotocol: ['fail', 'fail', 'accept'],
  connectTimeout: [10_000, MS],
  handshakeTimeout: [10_000, MS],
  closeTimeout: [1000, MS],
  reconnect: [{}, RECONNECT, false],
  heartbeat: [{}, { interval: [25_000, MS], timeout: [10_000, MS] }, false],
  outbox: [{}, { maxMessages: [1000, COUNT], maxBytes: [8 * MIB, COUNT] }, false],
  resend: ['safe', 'safe', 'never', FUNCTION],
  json: [JSON, ['an object with the functions parse and stringify', isJson]],
  maxMessageBytes: [16 * MIB, POSITIVE],
  maxPending: [10_000, POSITIVE],
  perMessageDeflate: [false, false, true],
  tls: [NONE, OBJECT],
  agent: [NONE, OBJECT],
  trace: [NONE, FUNCTION],
  WebSocket: [NONE, FUNCTION],
  unref: [false, false, true]
}

const RULES: Rules = {
  ...CONNECTION_RULES,
  url: [REQUIRED, STRING, OBJECT, FUNCTION],
  clientInfo: [{ name: 'mcp-websocket-client', version: VERSION }, IMPLEMENTATION],
  capabilities: [{}, OBJECT],
  protocol: ['auto', 'auto', 'legacy', 'modern'],
  probeTimeout: [3000, MS],
  requestTimeout: [60_000, MS, Infinity],
  pauseTimeouts: [true, true, false],
  validateOutput: [NONE, FUNCTION]
}

/** What a client is made of, from its options. @throws TypeError naming the first option that is wrong. */
export function resolveClientOptions(options: McpWebSocketClientOptions, ports: Ports): ClientConfig {
  // The browser's own class takes the URL as a string.
  if (typeof options === 'string') throw new TypeError("options must be an object: { url: '…' }")
  checkOptions(options, RULES)
  // The program's own object: if `token` is a getter, every dial reads it anew.
  const all = { ...completeOptions(options, RULES), auth: options.auth } as Complete
  const { clientInfo, capabilities, probeTimeout, handshakeTimeout, heartbeat } = all
  return {
    ...all,
    introduction: { clientInfo, capabilities },
    // After a sleep the connection is probed, and nothing times out before the verdict: a lost connection explains more than a timeout.
    grace: heartbeat ? heartbeat.timeout : all.connectTimeout,
    // At most half: if the server does not respond to the probe, the handshake of the other era needs time too.
    session: {
      ...all,
      connection: resolveConnection(all, ports),
      probeTimeout: Math.min(probeTimeout, handshakeTimeout / 2),
      // The dispatcher responds to a cancelled request too, once its handler ends: until then the request counts.
      mostCancelled: Infinity
    }
  }
}

function resolveConnection(all: Complete, ports: Ports): ConnectionConfig {
  const { url, auth, headers, reconnect } = all
  if (all.offer && (all.resume || all.subprotocols.length > 0))
    throw new TypeError('offer is the whole list: leave subprotocols and resume out')
  if (typeof url !== 'function') readUrl(url)
  const canSetHeaders = headersWork(all.WebSocket)
  // Six of seven WebSocket classes ignore headers: credentials must not get lost without a word.
  if (!canSetHeaders && (headers || (auth && auth.via !== 'subprotocol')))
    throw new TypeError('this engine cannot set headers: use auth.via "subprotocol" instead')
  // Checked here, because a value that no header can hold would fail at every dial.
  const given = typeof headers === 'function' ? undefined : readHeaders(headers)
  if (auth && typeof auth.token !== 'function') carryToken(auth, auth.token, given)
  const offer = offerOf(all)
  // A dial without subprotocols would lose a token that is one of them.
  const carriesToken = auth?.via === 'subprotocol' || offer.some(isCredential)
  const mayBeBare = all.onMissingSubprotocol === 'accept' && offer.length > 0 && !carriesToken
  const retry = reconnect || (completeOptions({}, RECONNECT) as Exclude<Complete['reconnect'], false>)
  return {
    ...all,
    ...ports,
    ...retry,
    resolveTarget: (context) => resolveTarget(all, context),
    retry: { ...retry, enabled: reconnect !== false },
    // Never less: one large message on its way does not mean that the server does not read, even if the outbox is small.
    maxBuffered: Math.max(LEAST_BUFFERED, all.outbox ? all.outbox.maxBytes : 0),
    refreshable: typeof auth?.token === 'function',
    fallbacks: [...(all.resume ? [withoutResume(canSetHeaders)] : []), ...(mayBeBare ? [withoutProtocols(canSetHeaders)] : [])]
  }
}

/** @param seesHttp - Whether the engine shows why an upgrade was rejected. */
const withoutResume = (seesHttp: boolean): Fallback => ({
  redial: 'resume',
  isWorthIt: (closure) => mayRejectOffer(closure, seesHttp),
  reduce: (protocols) => protocols.filter((name) => name !== RESUME_SUBPROTOCOL)
})

const withoutProtocols = (seesHttp: boolean): Fallback => ({
  redial: 'protocols',
  isWorthIt: (closure) => mayLackSubprotocol(closure, seesHttp),
  reduce: () => []
})
