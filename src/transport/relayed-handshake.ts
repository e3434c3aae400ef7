import { ProtocolError } from '../errors.js'
import { agreementOf, type Agreement } from '../session/agreement.js'
import {
  failHandshake,
  isAboutEra,
  isAboutVersion,
  type HandshakeOutcome,
  type HandshakeScript,
  type HandshakeStep,
  type HandshakePlace
} from '../session/handshake.js'
import type { JsonRpcRequest, JsonRpcResponse, Params } from '../types/json-rpc.js'
import type { RequestMeta } from '../types/modern.js'
import { isErrorResponse } from '../wire/json-rpc.js'
import { isObject, membersOf } from '../lib/is-object.js'

// No capability is nested this deeply, and a peer may nest without end.
const DEEPEST = 10
const PREFIX = 'io.modelcontextprotocol/'
const VERSION = `${PREFIX}protocolVersion`

/**
 * A handshake that the layer above makes: watched when it is made, replayed on every later socket. The layer above never
 * learns of a replay, so that its result must keep what the first one promised. Pure, as {@link Handshake} is.
 */
export class RelayedHandshake implements HandshakeScript {
  /** The last `initialize`; it is worth a replay once it has a result. */
  #initialize: JsonRpcRequest | undefined
  #agreed: Agreement | undefined
  /** The members of `_meta` that the modern requests of the layer above carry. */
  #meta: RequestMeta | undefined
  /** Whether this socket still waits for the `notifications/initialized` of the layer above. */
  #unconfirmed = false

  get agreed(): Agreement | undefined {
    return this.#agreed
  }

  /** Whether what is sent without a connection may wait for the next one. */
  get keeps(): boolean {
    return true
  }

  get isMute(): boolean {
    return false
  }

  /** The other end sent a request. */
  noteReceived(_request: JsonRpcRequest): void {
    // A request of a server tells nothing about the handshake.
  }

  /** The layer above sends a request. */
  noteRequest(request: JsonRpcRequest): void {
    const { method, params } = request
    if (method === 'initialize') this.#initialize = request
    const meta = params?._meta ?? {}
    const version = meta[VERSION]
    if (typeof version !== 'string') return
    this.#meta = Object.fromEntries(Object.entries(meta).filter(([key]) => key.startsWith(PREFIX))) as RequestMeta
    // A modern request other than the probe for the era shows that the layer above has decided for the modern era.
    if (method !== 'server/discover') this.#agreed ??= { ...agreementOf(version, {}), era: 'modern' }
  }

  /** A response goes to the layer above. */
  noteResponse(response: JsonRpcResponse): void {
    if (this.#initialize === undefined || response.id !== this.#initialize.id || isErrorResponse(response)) return
    const { protocolVersion } = membersOf(response.result)
    // A result without a version agrees on nothing.
    if (typeof protocolVersion !== 'string') return
    this.#agreed = agreementOf(protocolVersion, response.result)
    this.#unconfirmed = true
  }

  /**
   * The layer above sends `notifications/initialized`.
   * @returns Whether this socket needs it: a later one was told so at its replay.
   */
  noteInitialized(): boolean {
    const needed = this.#unconfirmed
    this.#unconfirmed = false
    return needed
  }

  requestMeta(): RequestMeta | undefined {
    return this.#meta
  }

  begin(): HandshakeStep | undefined {
    const agreement = this.#agreed
    if (agreement === undefined) return undefined
    if (agreement.era === 'modern') return { do: 'accept', agreement }
    const params: Params = { ...this.#initialize?.params, protocolVersion: agreement.version }
    return { do: 'request', method: 'initialize', params, probe: false }
  }

  next(outcome: HandshakeOutcome, place: HandshakePlace): HandshakeStep {
    const { error } = outcome
    const members = membersOf(outcome.result)
    const version = members.protocolVersion
    if (error ? !isAboutEra(error) && !isAboutVersion(error) : typeof version !== 'string')
      // A failure, and not a change of the server: it may be over after a deploy.
      return failHandshake('initialize', outcome, undefined, place)
    const before = this.#agreed as Agreement
    if (version !== before.version)
      return changed(place.redact(`it no longer speaks ${before.version}${error ? `: ${error.message}` : ''}`))
    const agreement = agreementOf(before.version, members)
    const lost = lostMember(before.capabilities, agreement.capabilities)
    return lost === undefined ? { do: 'accept', agreement } : changed(`it lost the capability ${lost}`)
  }

  closed(): void {
    this.#unconfirmed = false
  }

  reset(): void {
    this.#initialize = this.#agreed = this.#meta = undefined
    this.#unconfirmed = false
  }
}

/** Whether a request has the `_meta` of the modern era. */
export const speaksModern = ({ params }: JsonRpcRequest): boolean => typeof params?._meta?.[VERSION] === 'string'

function changed(what: string): HandshakeStep {
  const message = `after a reconnect the server is another one: ${what}`
  return {
    do: 'fail',
    error: new ProtocolError('SERVER_CHANGED', message, { hint: 'Connect again, for a handshake with the new server.' })
  }
}

/** The path of the first member that was promised and is gone; `undefined` if none is. New members do no harm. */
function lostMember(before: object, now: unknown, depth = 0): string | undefined {
  if (depth >= DEEPEST) return undefined
  const kept = membersOf(now)
  for (const [name, value] of Object.entries(before) as [string, unknown][]) {
    const { [name]: left = false } = kept
    if (value !== false && left === false) return name
    if (!isObject(value)) continue
    const below = lostMember(value, left, depth + 1)
    if (below !== undefined) return `${name}.${below}`
  }
  return undefined
}
