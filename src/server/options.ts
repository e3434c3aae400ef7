import { constants } from 'node:buffer'
import {
  checkOptions,
  completeOptions,
  COUNT,
  FUNCTION,
  LINE,
  listOf,
  MS,
  NONE,
  POSITIVE,
  REQUIRED,
  type Filled,
  type Kind,
  type Rules
} from '../lib/option-rules.js'
import { AUTH_PREFIX, BEARER_PREFIX, isCredential, isHttpToken, MCP_SUBPROTOCOL, RESUME_SUBPROTOCOL } from '../wire/subprotocol.js'
import type { HeartbeatPolicy } from './heartbeat.js'
import type { UpgradePolicy } from './upgrade.js'
import type { BindingConfig } from './http-binding.js'
import type { McpWebSocketServerOptions, ResumeOptions } from './types.js'

type Options<Auth> = McpWebSocketServerOptions<Auth>
/** Options without a default. */
type Bare = 'server' | 'authenticate' | 'allowedHosts' | 'onrejected' | 'onerror'
type Complete<Auth> = Filled<Omit<Options<Auth>, Bare | 'heartbeat' | 'resume'>> &
  Pick<Options<Auth>, Bare> & { readonly heartbeat: HeartbeatPolicy | false; readonly resume: ResumePolicy<Auth> | false }

/** How sessions are kept, complete. */
export type ResumePolicy<Auth> = Filled<Omit<ResumeOptions<Auth>, 'principal' | 'store'>> & Pick<ResumeOptions<Auth>, 'principal' | 'store'>

/** What a server is made of, from its options. */
export interface ServerConfig<Auth> extends Complete<Auth> {
  /** Where it listens. */
  readonly binding: BindingConfig
  /** What it asks of an upgrade request. */
  readonly upgrade: UpgradePolicy
}

const MIB = 2 ** 20
const LOOPBACK_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

/** Whether only this machine can reach the address. */
export const isLoopbackAddress = (address: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/.test(address)

const isWithin = (value: unknown, least: number, most: number): boolean =>
  Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most

/**
 * Whether it is an origin as browsers write it. `*` is none: it would let every page in. So does `null`, but local files and sandboxed
 * frames have no other origin.
 */
function isOrigin(value: string): boolean {
  if (value === 'null' || value === 'file://') return true
  if (!/^[a-z][a-z\d+.-]*:\/\/[^\s/?#@*]+$/.test(value)) return false
  return !/^https?:/.test(value) || (URL.canParse(value) && new URL(value).origin === value)
}

const HTTP_SERVER: Kind = [
  'an http.Server or https.Server',
  (value) => typeof (value as { on?: unknown } | null | undefined)?.on === 'function'
]
const PORT: Kind = ['a whole number from 0 to 65535', (value) => isWithin(value, 0, 65_535)]
const PATH: Kind = [
  'a string that begins with a slash, without a query',
  (value) => typeof value === 'string' && /^\/[^?#\s]*$/.test(value)
]
const PATTERN: Kind = ['a RegExp', (value) => value instanceof RegExp]
const ORIGINS = listOf('a list of different origins, each written as browsers do: https://example.com', isOrigin)
const HOSTS = listOf('a list of different names, each with or without a port', (value) =>
  /^(\[[\da-f:.]+\]|[a-z\d_.-]+)(:\d+)?$/i.test(value)
)
const SUBPROTOCOLS = listOf(
  `a list of different tokens other than ${MCP_SUBPROTOCOL}, ${RESUME_SUBPROTOCOL}, ${BEARER_PREFIX}* and ${AUTH_PREFIX}*`,
  (value) => isHttpToken(value) && value !== MCP_SUBPROTOCOL && value !== RESUME_SUBPROTOCOL && !isCredential(value)
)
// A longer message does not fit into a string, and ws ignores limits from 2 GiB on.
const MESSAGE_BYTES: Kind = [
  `a whole number from 1 to ${String(constants.MAX_STRING_LENGTH)}`,
  (value) => isWithin(value, 1, constants.MAX_STRING_LENGTH)
]

const STORE: Kind = ['a SessionStore', (value) => typeof (value as { open?: unknown } | null | undefined)?.open === 'function']

const RESUME_RULES: Rules = {
  ttl: [120_000, MS],
  maxMessages: [256, POSITIVE],
  maxBytes: [8 * MIB, POSITIVE],
  maxDetached: [1000, COUNT],
  principal: [NONE, FUNCTION],
  store: [NONE, STORE]
}

const RULES: Rules = {
  server: [NONE, HTTP_SERVER],
  port: [0, PORT],
  host: ['127.0.0.1', LINE],
  path: ['/ws', FUNCTION, PATTERN, PATH],
  authenticate: [NONE, FUNCTION],
  allowUnauthenticated: [false, true, false],
  authTimeout: [10_000, POSITIVE],
  expiryGrace: [30_000, MS],
  allowedOrigins: [[], FUNCTION, ORIGINS],
  allowedHosts: [NONE, HOSTS],
  requireSubprotocol: [true, true, false],
  extraSubprotocols: [[], SUBPROTOCOLS],
  resume: [false, true, false, RESUME_RULES],
  heartbeat: [{}, { interval: [30_000, MS], timeout: [30_000, MS] }, false],
  maxMessageBytes: [16 * MIB, MESSAGE_BYTES],
  maxConnections: [10_000, POSITIVE],
  maxInFlight: [100, POSITIVE],
  maxBufferedBytes: [4 * MIB, POSITIVE],
  drainTimeout: [30_000, POSITIVE],
  onconnection: [REQUIRED, FUNCTION],
  onrejected: [NONE, FUNCTION],
  onerror: [NONE, FUNCTION]
}

/** What a server is made of, from its options. @throws TypeError naming the first option that is wrong. */
export function resolveServerOptions<Auth>(options: Options<Auth>): ServerConfig<Auth> {
  checkOptions(options, RULES)
  // `true` stands for an object without any member.
  const resume = options.resume === true ? {} : options.resume
  const all = completeOptions({ ...options, resume }, RULES) as unknown as Complete<Auth>
  const { server, host, port, path, authenticate, allowUnauthenticated, allowedHosts, allowedOrigins } = all
  if (server !== undefined && options.port !== undefined) throw new TypeError('port must be left out where a server is given')
  if (authenticate === undefined && !allowUnauthenticated)
    throw new TypeError('allowUnauthenticated must be true where there is no authenticate: every client is served')
  // A page can point a name of its own at this server (DNS rebinding). Then Origin and Host agree, and only a list of hosts helps
  // (CVE-2025-66414).
  if (allowedHosts === undefined && server === undefined && !isLoopbackAddress(host))
    throw new TypeError('allowedHosts must be given where host is not a loopback address')
  // A server that is bound to 127.0.0.2 is known under that address too.
  const own = host.includes(':') ? `[${host}]` : host
  const hosts = allowedHosts ?? (server ? LOOPBACK_HOSTS : [...LOOPBACK_HOSTS, own])
  return {
    ...all,
    binding: { server, host, port, path },
    upgrade: {
      path,
      allowedHosts: hosts.map((each) => each.toLowerCase()),
      allowedOrigins: typeof allowedOrigins === 'function' ? undefined : [...allowedOrigins],
      subprotocols: [...(all.resume === false ? [] : [RESUME_SUBPROTOCOL]), MCP_SUBPROTOCOL, ...all.extraSubprotocols],
      requireSubprotocol: all.requireSubprotocol,
      authenticates: authenticate !== undefined
    }
  }
}
