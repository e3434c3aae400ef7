import { ProtocolError, RpcError } from '../errors.js'
import type { ClientCapabilities, Implementation, JsonRpcRequest, LoggingLevel, Params, ServerCapabilities } from '../types/common.js'
import type { RequestMeta } from '../types/modern.js'
import { INVALID_PARAMS, isObject, jsonOf, METHOD_NOT_FOUND } from '../wire/json-rpc.js'

/** The shape of MCP that a server speaks: 2026-07-28 ("modern", stateless), or all before it ("legacy", opens with `initialize`). */
export type Era = 'legacy' | 'modern'

const NEWEST_LEGACY = '2025-11-25'
const NEWEST_MODERN = '2026-07-28'

/** Legacy revisions that the client speaks, newest first. */
export const LEGACY_VERSIONS: readonly string[] = [NEWEST_LEGACY, '2025-06-18', '2025-03-26', '2024-11-05']
/** Modern revisions that the client speaks, newest first. */
export const MODERN_VERSIONS: readonly string[] = [NEWEST_MODERN]

const UNSUPPORTED_VERSION = -32022
// From UnsupportedProtocolVersion over MissingRequiredClientCapability to HeaderMismatch: only servers of the modern era know them.
const isModernError = (code: number): boolean => code >= UNSUPPORTED_VERSION && code <= -32020

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
  const face = (agreement: Agreement): string => unordered({ ...agreement, instructions: undefined })
  return face(a) === face(b)
}

// Deeper than any capability lies. Every level costs a copy of what is below it, and a peer may nest without end.
const DEEPEST = 10

/** JSON without regard to order: servers exist that write members and lists in that of a hash table, another one every time. */
function unordered(value: unknown, depth = 0): string {
  if (depth >= DEEPEST) return jsonOf(value)
  const inner = (item: unknown): string => unordered(item, depth + 1)
  if (Array.isArray(value)) return `[${value.map(inner).sort().join()}]`
  if (!isObject(value)) return jsonOf(value)
  const members = Object.keys(value).map((name) => `${jsonOf(name)}:${inner(value[name])}`)
  return `{${members.sort().join()}}`
}

/** Takes secrets out of what the server says. */
export type Clean = (text: string) => string

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

/** Says what comes first on every new socket: the client's own {@link Handshake}, or one that the layer above makes. */
export interface HandshakeScript {
  /** What was agreed in the traffic of the layer above, where that makes the handshake. */
  readonly agreed?: Agreement
  /** The first step on a new socket; `undefined`: nothing comes first. */
  begin(): HandshakeStep | undefined
  /** The step after the answer to the last one; `clean` takes secrets out of what the server says, before it is shown. */
  next(answer: HandshakeAnswer, clean: Clean): HandshakeStep
  /** The socket is gone; `tellsEra`: whether that can be the answer to the last step, see `tellsEra` in closures.ts. */
  closed(tellsEra: boolean): void
  /** A new life may meet another server. */
  reset(): void
}

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
  if (params?._meta === undefined) return request
  const given = Object.entries(params._meta)
  const kept = given.filter(([key]) => !STAMPED.includes(key))
  if (kept.length === given.length) return request
  return { ...request, params: { ...params, _meta: kept.length === 0 ? undefined : Object.fromEntries(kept) } }
}

// Pure, so that bundlers leave it out of the transport, which stamps nothing.
const STAMPED: readonly string[] = /* @__PURE__ */ Object.keys(
  /* @__PURE__ */ requestMeta({ clientInfo: { name: '', version: '' }, capabilities: {} }, 'info')
)

/** The error of an answer. */
export interface Refusal {
  readonly code: number
  readonly message: string
  readonly data?: unknown
}

/** Any {@link HandshakeAnswer}, in a form that needs no telling apart. */
interface Answer {
  readonly result?: unknown
  readonly error?: Refusal
  readonly timedOut?: true
}

/**
 * The client's handshake on every new socket: finds the era of the server, remembers it, and asks again when the memory
 * proves wrong. Pure: it neither sends nor waits; `begin()` and `next()` say what to do.
 *
 * Detection follows MCP 2026-07-28, basic/versioning, for channels like stdio: `server/discover` first; a result or a
 * modern error means modern; any other error, silence or a closure means legacy.
 */
export class Handshake implements HandshakeScript {
  readonly #introduction: Introduction
  readonly #protocol: 'auto' | Era
  /** The version that the last handshake agreed on or learned; it tells the era too. */
  #remembered: string | undefined
  /** The version in the question under way, `''` if none is, for `next` and `closed`. */
  #offered = ''
  /** Whether this socket was asked `server/discover`: twice would be a loop. */
  #probed = false

  constructor(introduction: Introduction, protocol: 'auto' | Era) {
    this.#introduction = introduction
    this.#protocol = protocol
  }

  reset(): void {
    this.#remembered = undefined
  }

  begin(): HandshakeStep {
    this.#probed = false
    return this.#ask(this.#remembered ?? (this.#protocol === 'legacy' ? NEWEST_LEGACY : NEWEST_MODERN))
  }

  next(answer: HandshakeAnswer, clean: Clean = (text) => text): HandshakeStep {
    const offered = this.#offered
    this.#offered = ''
    return LEGACY_VERSIONS.includes(offered) ? this.#afterInitialize(answer, offered, clean) : this.#afterDiscover(answer, clean)
  }

  closed(tellsEra: boolean): void {
    const offered = this.#offered
    this.#offered = ''
    if (!offered || !tellsEra || this.#protocol !== 'auto') return
    // A closure instead of an answer to the probe means legacy, and so does one after a refused probe: some servers take
    // no second first message. A legacy server that hangs up on `initialize` alone may have been replaced by a modern one:
    // probe on the next socket.
    this.#remembered = this.#probed ? NEWEST_LEGACY : undefined
  }

  #ask(version: string): HandshakeStep {
    this.#offered = version
    if (version !== NEWEST_MODERN)
      return { do: 'ask', method: 'initialize', params: { protocolVersion: version, ...this.#introduction }, probe: false }
    this.#probed = true
    return { do: 'ask', method: 'server/discover', params: { _meta: requestMeta(this.#introduction) }, probe: this.#protocol === 'auto' }
  }

  #afterDiscover(answer: Answer, clean: Clean): HandshakeStep {
    const { error } = answer
    const result = membersOf(answer.result)
    // `undefined`: a server that knows nothing of the question, so any legacy version may do.
    const supported = error && isModernError(error.code) ? (supportedOf(error.data) ?? []) : listOf(result.supportedVersions)
    if (!error && supported?.includes(NEWEST_MODERN)) return this.#accept(NEWEST_MODERN, result)
    const version = firstOf(LEGACY_VERSIONS, supported)
    if (version === undefined || this.#protocol === 'modern') return refuse('server/discover', answer, supported, clean)
    return this.#ask(version)
  }

  #afterInitialize(answer: Answer, offered: string, clean: Clean): HandshakeStep {
    const { error } = answer
    const result = membersOf(answer.result)
    const version = LEGACY_VERSIONS.find((known) => known === result.protocolVersion)
    if (version !== undefined) return this.#accept(version, result)
    const next = error && this.#versionAfter(error, offered)
    if (next !== undefined) return this.#ask(next)
    // What was agreed before no longer holds.
    if (error) this.#remembered = undefined
    return refuse('initialize', answer, result.protocolVersion, clean)
  }

  /** What to ask for after `initialize` was refused, if anything. */
  #versionAfter(refusal: Refusal, offered: string): string | undefined {
    if (isAboutEra(refusal) && this.#protocol === 'auto' && !this.#probed) return NEWEST_MODERN
    // Some servers answer a version that they do not know with an error instead of a counter-offer: ask with older ones.
    const older = LEGACY_VERSIONS.slice(LEGACY_VERSIONS.indexOf(offered) + 1)
    return isAboutVersion(refusal) ? firstOf(older, supportedOf(refusal.data)) : undefined
  }

  #accept(version: string, result: Record<string, unknown>): HandshakeStep {
    this.#remembered = version
    return { do: 'accept', agreement: agreementOf(version, result) }
  }
}

/** Whether a server that refuses `initialize` in this way may speak the modern era. */
export const isAboutEra = ({ code }: Refusal): boolean => code === METHOD_NOT_FOUND || code === UNSUPPORTED_VERSION

/**
 * Whether a server that refuses `initialize` in this way does not know the version: GoMCP says it in `data` of an internal
 * error (-32603), others in the message or by -32602, -32600.
 */
export const isAboutVersion = ({ code, message, data }: Refusal): boolean =>
  code === UNSUPPORTED_VERSION || code === INVALID_PARAMS || /version|supported/i.test(jsonOf([message, data]))

/** What the result of `initialize` or `server/discover` agrees to. */
export function agreementOf(version: string, result: Record<string, unknown>): Agreement {
  const serverInfo = result.serverInfo ?? membersOf(result._meta)['io.modelcontextprotocol/serverInfo']
  return {
    era: version === NEWEST_MODERN ? 'modern' : 'legacy',
    version,
    serverInfo: isObject(serverInfo) ? (serverInfo as unknown as Implementation) : undefined,
    capabilities: membersOf(result.capabilities),
    instructions: typeof result.instructions === 'string' ? result.instructions : undefined
  }
}

/**
 * The step after an answer that ends the handshake.
 * @param versions - What the server supports, where it said so.
 */
export function refuse(method: string, { error, timedOut }: Answer, versions: unknown, clean: Clean): HandshakeStep {
  let problem = `the answer to ${method} is invalid`
  if (error) problem = `the server refused ${method}: ${error.message}`
  else if (timedOut) problem = `the server did not answer ${method}`
  else if (versions !== undefined) problem = `the server supports only ${jsonOf(versions).slice(0, LONGEST_LIST)}`
  const cause = error && new RpcError(error.code, clean(error.message), cleanData(error.data, clean))
  const hint = 'Is this an MCP server? Does it fit the option protocol?'
  return { do: 'refuse', error: new ProtocolError('INITIALIZE_REFUSED', clean(problem), { cause, hint, delivery: 'not-sent' }) }
}

const LONGEST_LIST = 200

function cleanData(data: unknown, clean: Clean): unknown {
  const json = jsonOf(data)
  return clean(json) === json ? data : '[redacted]'
}

/** The members of what should be an object, none of anything else. */
export const membersOf = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {})

const listOf = (value: unknown): unknown[] | undefined => (Array.isArray(value) ? value : undefined)

/** The versions that an error names as supported. */
const supportedOf = (data: unknown): unknown[] | undefined => listOf(membersOf(data).supported)

/** The first version that the server supports; where it did not say, any may do. */
const firstOf = (versions: readonly string[], supported: unknown[] | undefined): string | undefined =>
  versions.find((version) => supported?.includes(version) ?? true)
