import { ProtocolError, RpcError } from '../errors.js'
import type { ClientCapabilities, Implementation, JsonRpcRequest, LoggingLevel, Params, ServerCapabilities } from '../types/common.js'
import type { RequestMeta } from '../types/modern.js'

/** The shape of MCP that a server speaks: 2026-07-28 ("modern", stateless), or all before it ("legacy", opens with `initialize`). */
export type Era = 'legacy' | 'modern'

/** Legacy revisions that the client speaks, newest first. */
export const LEGACY_VERSIONS: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']
/** Modern revisions that the client speaks, newest first. */
export const MODERN_VERSIONS: readonly string[] = ['2026-07-28']
const NEWEST_LEGACY = '2025-11-25'
const NEWEST_MODERN = '2026-07-28'

const META = 'io.modelcontextprotocol/'
const METHOD_NOT_FOUND = -32601
const UNSUPPORTED_VERSION = -32022
// HeaderMismatch, MissingRequiredClientCapability, UnsupportedProtocolVersion: only servers of the modern era know them.
const MODERN_ERRORS: ReadonlySet<number> = new Set([-32020, -32021, UNSUPPORTED_VERSION])

/** What the client says of itself in the handshake. */
export interface Introduction {
  readonly clientInfo: Implementation
  readonly capabilities: ClientCapabilities
}

/** What was agreed with the server. */
export interface Agreement {
  readonly era: Era
  readonly version: string
  readonly serverInfo: Implementation | undefined
  readonly capabilities: ServerCapabilities
  readonly instructions: string | undefined
}

/** Whether two agreements were made with what looks like the same server. */
export function sameServer(a: Agreement, b: Agreement): boolean {
  const face = ({ era, version, serverInfo, capabilities }: Agreement): string => JSON.stringify([era, version, serverInfo, capabilities])
  return face(a) === face(b)
}

/** What to do next in a handshake. */
export type HandshakeStep =
  /** Send this request; `probe`: only for the probe's short timeout, and a closure answers it too. */
  | { readonly do: 'ask'; readonly method: 'initialize' | 'server/discover'; readonly params: Params; readonly probe: boolean }
  | { readonly do: 'accept'; readonly agreement: Agreement }
  | { readonly do: 'refuse'; readonly error: ProtocolError }

/** What became of the last step's request. */
export type HandshakeAnswer =
  | { readonly result: unknown }
  | { readonly error: { readonly code: number; readonly message: string; readonly data?: unknown } }
  | { readonly timedOut: true }

/** The `_meta` members that every modern request carries (MCP 2026-07-28, basic/versioning). */
export function requestMeta(introduction: Introduction, logLevel?: LoggingLevel): RequestMeta {
  return {
    'io.modelcontextprotocol/protocolVersion': NEWEST_MODERN,
    'io.modelcontextprotocol/clientInfo': introduction.clientInfo,
    'io.modelcontextprotocol/clientCapabilities': introduction.capabilities,
    ...(logLevel && { 'io.modelcontextprotocol/logLevel': logLevel })
  }
}

/**
 * The request as its era wants it: with the members of {@link requestMeta} in `_meta`, or (`meta` undefined, legacy) without
 * any that an earlier era put there.
 */
export function stampRequest(request: JsonRpcRequest, meta: RequestMeta | undefined): JsonRpcRequest {
  const { params } = request
  if (meta !== undefined) return { ...request, params: { ...params, _meta: { ...params?._meta, ...meta } } }
  // The common case by far, on the path of every request to a legacy server.
  if (params?._meta === undefined || !(`${META}protocolVersion` in params._meta)) return request
  const kept = Object.entries(params._meta).filter(([key]) => !STAMPED.has(key))
  const { _meta, ...rest } = params
  return { ...request, params: kept.length === 0 ? rest : { ...rest, _meta: Object.fromEntries(kept) } }
}

const STAMPED: ReadonlySet<string> = new Set(['protocolVersion', 'clientInfo', 'clientCapabilities', 'logLevel'].map((key) => META + key))

/**
 * The client's handshake on every new socket: finds the era of the server, remembers it, and asks again when the memory
 * proves wrong. Pure: it neither sends nor waits; `begin()` and `next()` say what to do.
 *
 * Detection follows MCP 2026-07-28, basic/versioning, for channels like stdio: `server/discover` first; a result or a
 * modern error means modern; any other error, silence or a closure means legacy.
 */
export class Handshake {
  readonly #introduction: Introduction
  readonly #protocol: 'auto' | Era
  #remembered: { readonly era: Era; readonly version: string } | undefined
  /** The question under way, for `next` and `closed`. */
  #asked: 'initialize' | 'server/discover' | undefined
  /** Legacy versions not yet offered on this socket. */
  #ladder: string[] = []
  /** Whether this socket was asked `server/discover`: twice would be a loop. */
  #probed = false

  constructor(introduction: Introduction, protocol: 'auto' | Era) {
    this.#introduction = introduction
    this.#protocol = protocol
  }

  /** Forgets what was learned: a new life may meet another server. */
  reset(): void {
    this.#remembered = undefined
  }

  /** The first step on a new socket. */
  begin(): HandshakeStep {
    this.#ladder = [...LEGACY_VERSIONS]
    this.#probed = false
    const era = this.#remembered?.era ?? (this.#protocol === 'auto' ? 'modern' : this.#protocol)
    return era === 'legacy' ? this.#initialize(this.#remembered?.version ?? NEWEST_LEGACY) : this.#discover()
  }

  /** The step after the answer to the last one. */
  next(answer: HandshakeAnswer): HandshakeStep {
    const asked = this.#asked
    this.#asked = undefined
    return asked === 'initialize' ? this.#afterInitialize(answer) : this.#afterDiscover(answer)
  }

  /**
   * The socket is gone.
   * @param tellsEra - Whether the closure can be the answer to the last step, see `tellsEra` in closures.ts.
   */
  closed(tellsEra: boolean): void {
    const asked = this.#asked
    this.#asked = undefined
    if (asked === undefined || !tellsEra || this.#protocol !== 'auto') return
    // A closure instead of an answer to the probe means legacy, and so does one after a refused probe: some servers take
    // no second first message. A legacy server that hangs up on `initialize` alone may have been replaced by a modern one:
    // probe on the next socket.
    this.#remembered = this.#probed ? { era: 'legacy', version: NEWEST_LEGACY } : undefined
  }

  #discover(): HandshakeStep {
    this.#probed = true
    this.#asked = 'server/discover'
    const params = { _meta: requestMeta(this.#introduction) }
    return { do: 'ask', method: 'server/discover', params, probe: this.#protocol === 'auto' }
  }

  #initialize(version: string): HandshakeStep {
    this.#asked = 'initialize'
    this.#ladder = this.#ladder.slice(this.#ladder.indexOf(version) + 1)
    const { clientInfo, capabilities } = this.#introduction
    return { do: 'ask', method: 'initialize', params: { protocolVersion: version, capabilities, clientInfo }, probe: false }
  }

  #afterDiscover(answer: HandshakeAnswer): HandshakeStep {
    if ('result' in answer) {
      const { result } = answer
      if (isDiscoverResult(result)) {
        const version = MODERN_VERSIONS.find((known) => result.supportedVersions.includes(known))
        if (version !== undefined) return this.#accept('modern', version, result, serverInfoOf(result))
        return this.#fallBack(result.supportedVersions, `the server supports only ${result.supportedVersions.join(', ')}`)
      }
      return this.#fallBack(LEGACY_VERSIONS, 'the answer to server/discover is no discover result')
    }
    if ('timedOut' in answer) return this.#fallBack(LEGACY_VERSIONS, 'the server did not answer server/discover')
    const { code, message, data } = answer.error
    const cause = new RpcError(code, message, data)
    if (code === UNSUPPORTED_VERSION) return this.#fallBack(supportedOf(data), `the server refused the protocol version: ${message}`, cause)
    if (MODERN_ERRORS.has(code)) return refuse(`the server refused server/discover: ${message}`, cause)
    return this.#fallBack(LEGACY_VERSIONS, `the server refused server/discover: ${message}`, cause)
  }

  /** To `initialize` with the newest version in `supported` that the client speaks, if the option `protocol` allows it. */
  #fallBack(supported: readonly string[], problem: string, cause?: RpcError): HandshakeStep {
    const version = LEGACY_VERSIONS.find((known) => supported.includes(known))
    if (this.#protocol === 'modern' || version === undefined) return refuse(problem, cause)
    return this.#initialize(version)
  }

  #afterInitialize(answer: HandshakeAnswer): HandshakeStep {
    if ('timedOut' in answer) return refuse('the server did not answer initialize')
    if ('error' in answer) return this.#afterRefusal(answer.error)
    const { result } = answer
    if (!isInitializeResult(result)) return refuse('the answer to initialize is no initialize result')
    const version = result.protocolVersion
    if (!LEGACY_VERSIONS.includes(version)) {
      return refuse(`the server wants the protocol version ${JSON.stringify(version)}; supported are ${LEGACY_VERSIONS.join(', ')}`)
    }
    return this.#accept('legacy', version, result, result.serverInfo)
  }

  #afterRefusal(error: { code: number; message: string; data?: unknown }): HandshakeStep {
    const { code, message, data } = error
    if ((code === METHOD_NOT_FOUND || code === UNSUPPORTED_VERSION) && this.#protocol === 'auto' && !this.#probed) return this.#discover()
    // Some servers answer a version that they do not know with an error instead of a counter-offer: ask with older ones.
    const offered = supportedOf(data)
    const older = this.#ladder.find((version) => offered.length === 0 || offered.includes(version))
    if (older !== undefined && isAboutVersion(error)) return this.#initialize(older)
    // What was agreed before no longer holds.
    this.#remembered = undefined
    return refuse(`the server refused initialize: ${message}`, new RpcError(code, message, data))
  }

  #accept(era: Era, version: string, result: Record<string, unknown>, serverInfo: Implementation | undefined): HandshakeStep {
    this.#remembered = { era, version }
    const capabilities = isObject(result.capabilities) ? (result.capabilities as ServerCapabilities) : {}
    const instructions = typeof result.instructions === 'string' ? result.instructions : undefined
    return { do: 'accept', agreement: { era, version, serverInfo, capabilities, instructions } }
  }
}

function refuse(problem: string, cause?: RpcError): HandshakeStep {
  const hint = 'Is this an MCP server, and does it speak the era that the option protocol asks for?'
  return { do: 'refuse', error: new ProtocolError('INITIALIZE_REFUSED', problem, { cause, hint, delivery: 'not-sent' }) }
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const isDiscoverResult = (value: unknown): value is Record<string, unknown> & { supportedVersions: string[] } =>
  isObject(value) && Array.isArray(value.supportedVersions)

const isInitializeResult = (value: unknown): value is Record<string, unknown> & { protocolVersion: string; serverInfo?: Implementation } =>
  isObject(value) && typeof value.protocolVersion === 'string'

function serverInfoOf(result: Record<string, unknown>): Implementation | undefined {
  const info = isObject(result._meta) ? result._meta[`${META}serverInfo`] : undefined
  return isObject(info) ? (info as unknown as Implementation) : undefined
}

function supportedOf(data: unknown): string[] {
  const supported = isObject(data) ? data.supported : undefined
  return Array.isArray(supported) ? supported.filter((version) => typeof version === 'string') : []
}

// GoMCP says it in `data` of an internal error (-32603), others in the message or by -32602, -32600.
function isAboutVersion(error: { code: number; message: string; data?: unknown }): boolean {
  return (
    /version/i.test(error.message) ||
    /version|supported/i.test(JSON.stringify(error.data ?? '')) ||
    error.code === -32602 ||
    error.code === UNSUPPORTED_VERSION
  )
}
