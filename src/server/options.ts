import { constants } from 'node:buffer'
import { isObject } from '../wire/json-rpc.js'
import { BEARER_PREFIX, MCP_SUBPROTOCOL } from '../wire/subprotocol.js'
import type { HeartbeatPolicy } from '../session/liveness.js'
import type { HandshakePolicy } from './upgrade.js'
import type { BindingConfig } from './http-binding.js'
import type { McpWebSocketServerOptions } from './types.js'

/** What a server is made of, from its options. */
export interface ServerConfig<Auth> {
  readonly binding: BindingConfig
  readonly handshake: HandshakePolicy
  readonly heartbeat: HeartbeatPolicy | false
  /** Whether `allowedHosts` was given: the default holds on loopback only. */
  readonly knowsHosts: boolean
  readonly authenticate: McpWebSocketServerOptions<Auth>['authenticate']
  readonly authTimeout: number
  readonly maxMessageBytes: number
  readonly maxConnections: number
  readonly maxInFlight: number
  readonly maxBufferedBytes: number
  readonly drainTimeout: number
  readonly onconnection: McpWebSocketServerOptions<Auth>['onconnection']
  readonly onerror: (error: Error) => void
}

const MIB = 2 ** 20
const LOOPBACK_HOSTS: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

/** Whether only this machine can reach the address. */
export const isLoopbackAddress = (address: string): boolean => /^(localhost|127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/.test(address)

/** @throws TypeError naming the option. */
function want(isRight: boolean, name: string, wanted: string): void {
  if (!isRight) throw new TypeError(`${name} must be ${wanted}`)
}

function count(options: object, name: string, fallback: number, least = 1): number {
  const { [name]: value = fallback } = options as Readonly<Record<string, unknown>>
  want(Number.isSafeInteger(value) && Number(value) >= least, name, `a whole number of at least ${String(least)}`)
  return Number(value)
}

function flag(value: unknown, name: string, fallback: boolean): boolean {
  want(value === undefined || typeof value === 'boolean', name, 'true or false')
  return value === undefined ? fallback : value === true
}

function callback(value: unknown, name: string): void {
  want(value === undefined || typeof value === 'function', name, 'a function')
}

function list(value: unknown, name: string, wanted: string, isRight: (each: string) => boolean): readonly string[] {
  const isList = Array.isArray(value) && new Set(value).size === value.length
  want(isList && value.every((each) => typeof each === 'string' && isRight(each)), name, wanted)
  return [...(value as string[])]
}

/** As browsers write it: `null` and `*` would open the door to every page. */
function isOrigin(value: string): boolean {
  if (!/^[a-z][a-z\d+.-]*:\/\/[^\s/?#@*]+$/.test(value)) return false
  return !/^https?:/.test(value) || (URL.canParse(value) && new URL(value).origin === value)
}

const isHost = (value: string): boolean => /^(\[[\da-f:.]+\]|[a-z\d_.-]+)(:\d+)?$/i.test(value)
const isSubprotocol = (value: string): boolean =>
  /^[!#$%&'*+\-.^_`|~\w]+$/.test(value) && value !== MCP_SUBPROTOCOL && !value.startsWith(BEARER_PREFIX)

/** What a server is made of, from its options. @throws TypeError naming the first option that is wrong. */
export function resolveServerOptions<Auth>(options: McpWebSocketServerOptions<Auth>): ServerConfig<Auth> {
  want(isObject(options), 'options', 'an object')
  const { authenticate, onconnection, onerror = () => undefined } = options
  const maxMessageBytes = count(options, 'maxMessageBytes', 16 * MIB)
  // What is longer fits in no string; and from 2 GiB on ws knows no limit at all.
  want(maxMessageBytes <= constants.MAX_STRING_LENGTH, 'maxMessageBytes', `at most ${String(constants.MAX_STRING_LENGTH)}`)
  const binding = resolveBinding(options)
  callback(authenticate, 'authenticate')
  callback(onerror, 'onerror')
  want(typeof onconnection === 'function', 'onconnection', 'a function')
  const isOpen = flag(options.allowUnauthenticated, 'allowUnauthenticated', false)
  want(authenticate !== undefined || isOpen, 'allowUnauthenticated', 'true where there is no authenticate: whoever connects is served')
  return {
    binding,
    handshake: resolveHandshake(options as McpWebSocketServerOptions<unknown>, binding),
    knowsHosts: options.allowedHosts !== undefined,
    heartbeat: resolveHeartbeat(options.heartbeat),
    authenticate,
    onconnection,
    onerror,
    authTimeout: count(options, 'authTimeout', 10_000),
    maxMessageBytes,
    maxConnections: count(options, 'maxConnections', 10_000),
    maxInFlight: count(options, 'maxInFlight', 100),
    maxBufferedBytes: count(options, 'maxBufferedBytes', 4 * MIB),
    drainTimeout: count(options, 'drainTimeout', 30_000)
  }
}

function resolveBinding({ server, host = '127.0.0.1', path = '/ws', ...rest }: Pick<McpWebSocketServerOptions, Where>): BindingConfig {
  want(server === undefined || typeof (server as { on?: unknown } | null)?.on === 'function', 'server', 'an http.Server or https.Server')
  want(server === undefined || rest.port === undefined, 'port', 'left out where a server is given')
  const port = count(rest, 'port', 0, 0)
  want(port < 65_536, 'port', 'less than 65536')
  want(typeof host === 'string' && host !== '', 'host', 'a non-empty string')
  want(typeof path === 'string' && /^\/[^?#\s]*$/.test(path), 'path', 'a string that begins with a slash, without a query')
  return { server, host, port, path }
}

type Where = 'server' | 'host' | 'port' | 'path'

function resolveHandshake(
  { allowedHosts, allowedOrigins = [], extraSubprotocols = [], requireSubprotocol, authenticate }: McpWebSocketServerOptions<unknown>,
  { server, host, path }: BindingConfig
): HandshakePolicy {
  // Behind a name that anybody can register, Origin and Host agree: only a list tells (CVE-2025-66414).
  want(
    allowedHosts !== undefined || server !== undefined || isLoopbackAddress(host),
    'allowedHosts',
    `given where host is not a loopback address`
  )
  // Under 127.0.0.2 a server is known by that address, and by no other.
  const own = host.includes(':') ? `[${host}]` : host
  const known = allowedHosts ?? (server ? LOOPBACK_HOSTS : [...new Set([...LOOPBACK_HOSTS, own])])
  const hosts = list(known, 'allowedHosts', 'a list of different names, each with or without a port', isHost)
  const wanted = `a list of different tokens other than ${MCP_SUBPROTOCOL} and ${BEARER_PREFIX}*`
  return {
    path,
    allowedHosts: hosts.map((each) => each.toLowerCase()),
    allowedOrigins: list(
      allowedOrigins,
      'allowedOrigins',
      'a list of different origins, each written as browsers do: https://example.com',
      isOrigin
    ),
    subprotocols: [MCP_SUBPROTOCOL, ...list(extraSubprotocols, 'extraSubprotocols', wanted, isSubprotocol)],
    requireSubprotocol: flag(requireSubprotocol, 'requireSubprotocol', true),
    authenticates: authenticate !== undefined
  }
}

function resolveHeartbeat(heartbeat: McpWebSocketServerOptions['heartbeat'] = {}): HeartbeatPolicy | false {
  if (heartbeat === false) return false
  want(typeof heartbeat === 'object' && (heartbeat as object | null) !== null, 'heartbeat', 'an object or false')
  const { interval = 30_000, timeout = 30_000 } = heartbeat
  const isTime = (ms: unknown): boolean => Number.isFinite(ms) && Number(ms) > 0
  want(isTime(interval), 'heartbeat.interval', 'a positive number')
  want(isTime(timeout), 'heartbeat.timeout', 'a positive number')
  return { interval, timeout }
}
