import { ProtocolError, RpcError } from '../errors.js'
import { membersOf } from '../lib/is-object.js'
import type { ClientCapabilities, Implementation, JsonRpcError, LoggingLevel, Params } from '../types/common.js'
import type { RequestMeta } from '../types/modern.js'
import { INVALID_PARAMS, jsonOf, METHOD_NOT_FOUND } from '../wire/json-rpc.js'
import { agreementOf, NEWEST_MODERN, type Agreement, type Era } from './agreement.js'

const NEWEST_LEGACY = '2025-11-25'

/** Legacy revisions that the client speaks, newest first. The oldest, a draft, has the messages of the one before it. */
export const LEGACY_VERSIONS: readonly string[] = [NEWEST_LEGACY, '2025-06-18', '2025-03-26', '2024-11-05', '2024-10-07']

const UNSUPPORTED_VERSION = -32022
// UnsupportedProtocolVersion, MissingRequiredClientCapability and HeaderMismatch: only servers of the modern era know them.
const isModernError = (code: number): boolean => code >= UNSUPPORTED_VERSION && code <= -32020

/** What the client says of itself in the handshake. */
export interface Introduction {
  /** Name and version of the program. */
  readonly clientInfo: Implementation
  /** What the program can do for the server. */
  readonly capabilities: ClientCapabilities
}

/** What an error about a failed handshake has to know of the connection. */
export interface HandshakePlace {
  /** The URL, without secrets; `undefined` before the first dial. */
  readonly url: string | undefined
  /** Takes secrets out of what the server says, before anybody is shown it. */
  readonly redact: (text: string) => string
}

/** What to do next in a handshake. */
export type HandshakeStep =
  /** Send this request. `probe`: wait for the short time of a probe only; a closure of the socket is a response to it too. */
  | { readonly do: 'request'; readonly method: 'initialize' | 'server/discover'; readonly params: Params; readonly probe: boolean }
  | { readonly do: 'accept'; readonly agreement: Agreement }
  | { readonly do: 'fail'; readonly error: ProtocolError }

/** What became of the last step's request: one of the members has a value. */
export interface HandshakeOutcome {
  /** The server's result. */
  readonly result?: unknown
  /** The error that it responded with. */
  readonly error?: JsonRpcError
  /** It did not respond to a probe in time. */
  readonly timedOut?: true
}

/** Says what comes first on every new socket: the client's own {@link Handshake}, or the replay of one that the layer above makes. */
export interface HandshakeScript {
  /** What the layer above has agreed on with the server, if that layer makes the handshake. */
  readonly agreed?: Agreement | undefined
  /** Whether the other end may not be asked for a sign of life: MCP 2026-07-28 knows no request to a client. */
  readonly isMute?: boolean
  /** The first step on a new socket; `undefined`: nothing comes first. */
  begin(): HandshakeStep | undefined
  /** The step after the last one. */
  next(outcome: HandshakeOutcome, place: HandshakePlace): HandshakeStep
  /** The socket is gone. @param tellsEra - Whether that can be the response to the last step: see `tellsEra` in closures.ts. */
  closed(tellsEra: boolean): void
  /** A new life may meet another server. */
  reset(): void
  /** What every request of the modern era carries in `_meta`. */
  requestMeta(): RequestMeta | undefined
}

/** The `_meta` members that every modern request carries (MCP 2026-07-28, basic/versioning). */
export function requestMeta({ clientInfo, capabilities }: Introduction, logLevel?: LoggingLevel): RequestMeta {
  return {
    'io.modelcontextprotocol/protocolVersion': NEWEST_MODERN,
    'io.modelcontextprotocol/clientInfo': clientInfo,
    'io.modelcontextprotocol/clientCapabilities': capabilities,
    ...(logLevel && { 'io.modelcontextprotocol/logLevel': logLevel })
  }
}

/**
 * The client's handshake on every new socket: finds the era of the server, remembers it, and probes again if that era turns out to be
 * wrong. Pure: it neither sends nor waits; `begin()` and `next()` say what to do. See
 * docs/decisions/0006-the-handshake-is-a-pure-machine.md.
 *
 * The era is found as MCP 2026-07-28, basic/versioning, says for channels like stdio: `server/discover` first; a result or a modern
 * error means modern; any other error, silence or a closure means legacy.
 */
export class Handshake implements HandshakeScript {
  readonly #introduction: Introduction
  readonly #protocol: 'auto' | Era
  /** The version that the last handshake agreed on or learned; it tells the era too. */
  #remembered: string | undefined
  /** The version in the request under way, `''` if there is none, for `next` and `closed`. */
  #offered = ''
  /** Whether `server/discover` was sent over this socket: twice would be a loop. */
  #probed = false
  /** Whether the server was silent about a probe: the next life does not wait for that again. */
  #ignoresProbe = false
  /** Whether a version was offered a second time over this socket. */
  #repeated = false

  /** @param protocol - The client's option: which eras may be spoken. */
  constructor(introduction: Introduction, protocol: 'auto' | Era) {
    this.#introduction = introduction
    this.#protocol = protocol
  }

  reset(): void {
    this.#remembered = this.#ignoresProbe ? NEWEST_LEGACY : undefined
  }

  requestMeta(): RequestMeta {
    return requestMeta(this.#introduction)
  }

  begin(): HandshakeStep {
    this.#probed = this.#repeated = false
    return this.#request(this.#remembered ?? (this.#protocol === 'legacy' ? NEWEST_LEGACY : NEWEST_MODERN))
  }

  next(outcome: HandshakeOutcome, place: HandshakePlace): HandshakeStep {
    const offered = this.#offered
    this.#offered = ''
    const { error, timedOut } = outcome
    if (timedOut) this.#ignoresProbe = true
    // A server may reject its first request with a list that contains the offered version. Then the same version is offered once more.
    if (!this.#repeated && error?.code === UNSUPPORTED_VERSION && supportedOf(error.data)?.includes(offered)) {
      this.#repeated = true
      return this.#request(offered)
    }
    return LEGACY_VERSIONS.includes(offered) ? this.#afterInitialize(outcome, offered, place) : this.#afterDiscover(outcome, place)
  }

  closed(tellsEra: boolean): void {
    const offered = this.#offered
    this.#offered = ''
    if (!offered || !tellsEra || this.#protocol !== 'auto') return
    // A closure in place of a response to the probe means legacy, and so does one after a failed probe: some servers take no second
    // first message. A legacy server that hangs up on `initialize` alone may have been replaced by a modern one: probe on the next
    // socket.
    this.#remembered = this.#probed ? NEWEST_LEGACY : undefined
  }

  #request(version: string): HandshakeStep {
    this.#offered = version
    if (version !== NEWEST_MODERN)
      return { do: 'request', method: 'initialize', params: { protocolVersion: version, ...this.#introduction }, probe: false }
    this.#probed = true
    return { do: 'request', method: 'server/discover', params: { _meta: this.requestMeta() }, probe: this.#protocol === 'auto' }
  }

  #afterDiscover(outcome: HandshakeOutcome, place: HandshakePlace): HandshakeStep {
    const { error } = outcome
    const result = membersOf(outcome.result)
    // `undefined`: the server knows nothing of the method, so that any legacy version may do.
    const supported = error && isModernError(error.code) ? (supportedOf(error.data) ?? []) : listOf(result.supportedVersions)
    if (!error && supported?.includes(NEWEST_MODERN)) return this.#accept(NEWEST_MODERN, result)
    const version = firstOf(LEGACY_VERSIONS, supported)
    if (version === undefined || this.#protocol === 'modern') return failHandshake('server/discover', outcome, supported, place)
    return this.#request(version)
  }

  #afterInitialize(outcome: HandshakeOutcome, offered: string, place: HandshakePlace): HandshakeStep {
    const { error } = outcome
    const result = membersOf(outcome.result)
    const version = LEGACY_VERSIONS.find((known) => known === result.protocolVersion)
    if (version !== undefined) return this.#accept(version, result)
    const next = error && this.#versionAfter(error, offered)
    if (next !== undefined) return this.#request(next)
    // What was agreed before no longer holds.
    if (error) this.#remembered = undefined
    return failHandshake('initialize', outcome, result.protocolVersion, place)
  }

  /** The version to offer after `initialize` failed with this error, if there is one. */
  #versionAfter(error: JsonRpcError, offered: string): string | undefined {
    if (isAboutEra(error) && this.#protocol === 'auto' && !this.#probed) return NEWEST_MODERN
    // Some servers respond to a version that they do not know with an error in place of a counter-offer: offer older ones.
    const older = LEGACY_VERSIONS.slice(LEGACY_VERSIONS.indexOf(offered) + 1)
    return isAboutVersion(error) ? firstOf(older, supportedOf(error.data)) : undefined
  }

  #accept(version: string, result: Record<string, unknown>): HandshakeStep {
    this.#remembered = version
    if (version === NEWEST_MODERN) this.#ignoresProbe = false
    return { do: 'accept', agreement: agreementOf(version, result) }
  }
}

/** Whether a server that fails `initialize` with this error may speak the modern era. */
export const isAboutEra = ({ code }: JsonRpcError): boolean => code === METHOD_NOT_FOUND || code === UNSUPPORTED_VERSION

/**
 * Whether a server that fails `initialize` with this error does not know the version: GoMCP says it in `data` of an internal error
 * (-32603), others in the message or by -32602, -32600.
 */
export const isAboutVersion = ({ code, message, data }: JsonRpcError): boolean =>
  code === UNSUPPORTED_VERSION || code === INVALID_PARAMS || /version|supported/i.test(jsonOf([message, data]))

const LONGEST_LIST = 200

/**
 * The step after an outcome that ends the handshake.
 * @param versions - What the server supports, where it said so.
 */
export function failHandshake(
  method: string,
  { error, timedOut }: HandshakeOutcome,
  versions: unknown,
  { url = 'the server', redact }: HandshakePlace
): HandshakeStep {
  let problem = `sent an invalid response to ${method}`
  if (error) problem = `rejected ${method}: ${error.message}`
  else if (timedOut) problem = `did not respond to ${method}`
  else if (versions !== undefined) problem = `supports only ${jsonOf(versions).slice(0, LONGEST_LIST)}`
  const cause = error && new RpcError(error.code, redact(error.message), redactData(error.data, redact))
  const hint = 'Is this an MCP server? Is the option protocol right?'
  return {
    do: 'fail',
    error: new ProtocolError('INITIALIZE_REFUSED', `${url} ${redact(problem)}`, { cause, hint, delivery: 'not-sent' })
  }
}

function redactData(data: unknown, redact: HandshakePlace['redact']): unknown {
  const json = jsonOf(data)
  return redact(json) === json ? data : '[redacted]'
}

const listOf = (value: unknown): unknown[] | undefined => (Array.isArray(value) ? value : undefined)

/** The versions that an error names as supported. */
const supportedOf = (data: unknown): unknown[] | undefined => listOf(membersOf(data).supported)

/** The first version that the server supports; where it did not say, any may do. */
const firstOf = (versions: readonly string[], supported: unknown[] | undefined): string | undefined =>
  versions.find((version) => supported?.includes(version) ?? true)
