import { asError, guarded } from '../lib/guarded.js'
import { encodeMessage, INTERNAL_ERROR, isRequest, isResponse, parseText, type Malformed } from '../wire/json-rpc.js'
import { McpWebSocketError } from '../errors.js'
import { ALL_ANSWERED } from '../wire/close-reasons.js'
import { cancelledId } from '../wire/methods.js'
import { orderedDelivery } from '../wire/ordered-delivery.js'
import type { JsonRpcError, JsonRpcMessage, RequestId } from '../types/json-rpc.js'
import { malformedResponse, REQUEST_ERRORS } from './error-responses.js'
import { InFlight } from './in-flight.js'
import type { Metrics } from './metrics.js'
import type { PeerLink } from './peer-link.js'
import type { ConnectionEnd, CutReason, MessageExtra, RejectReason, ServerTransport } from './types.js'

/** What all peers of a server share. */
export interface PeerConfig {
  /** Where messages and requests count. */
  readonly metrics: Metrics
  /** Called with what callbacks of a transport throw or reject with, if its `onerror` cannot be told. */
  readonly onFailed: (error: Error) => void
  /** How many requests of the client may be in flight. */
  readonly maxInFlight: number
}

const ended = (): McpWebSocketError => new McpWebSocketError('CLOSED', 'the connection has ended', { delivery: 'not-sent' })
// The codes that a program may choose (RFC 6455 section 7.4, and the IANA registry). The other ones that an endpoint may send blame the
// client.
const END_CODES: ReadonlySet<number> = new Set([1000, 1001, 1008, 1011, 1012, 1013])
const LONGEST_REASON = 123

function problemOfEnd(code: number, reason: string): string | undefined {
  const isOwn = Number.isInteger(code) && code >= 3000 && code <= 4999
  if (!isOwn && !END_CODES.has(code)) return 'code must be 1000, 1001, 1008, 1011, 1012, 1013, or from 3000 to 4999'
  return typeof reason === 'string' && Buffer.byteLength(reason) <= LONGEST_REASON
    ? undefined
    : 'reason must be a string of at most 123 bytes'
}

/**
 * One client as a `Transport`. It enforces the limit that concerns messages: requests in flight. The program gets it; `McpWebSocketServer`
 * calls the members that `ServerTransport` does not have.
 */
export class Peer implements ServerTransport {
  onmessage: ServerTransport['onmessage']
  onclose: ServerTransport['onclose']
  onerror: ServerTransport['onerror']
  ondetach: ServerTransport['ondetach']
  onattach: ServerTransport['onattach']
  readonly #link: PeerLink
  readonly #config: PeerConfig
  #extra: MessageExtra | undefined
  readonly #onEnded: (peer: Peer) => void
  readonly #inFlight = new InFlight()
  readonly #delivery = orderedDelivery((message) => this.#call(() => this.onmessage?.(message, this.#extra)))
  /** `closing`: the link is about to end; nothing is delivered or sent any more. */
  #state: 'new' | 'started' | 'closing' | 'ended' = 'new'
  /** Set once the connection takes no further requests: how it ends when those in flight are settled. */
  #lastClose: readonly [code: number, reason: string] | undefined

  /**
   * @param extra - Comes with each message.
   * @param onEnded - Called once, when the link has ended for whatever reason.
   */
  constructor(link: PeerLink, config: PeerConfig, extra: MessageExtra | undefined, onEnded: (peer: Peer) => void) {
    this.#link = link
    this.#config = config
    this.#extra = extra
    this.#onEnded = onEnded
    link.listen({
      onText: (text, bytes) => this.#onText(text, bytes),
      onError: (error) => this.#reportError(error),
      onEnd: () => this.#end(),
      onDetach: () => this.#call(() => this.ondetach?.()),
      onAttach: (newExtra) => {
        this.#extra = newExtra ?? this.#extra
        this.#call(() => this.onattach?.())
      }
    })
  }

  get subprotocol(): string | undefined {
    return this.#link.subprotocol
  }

  /** Whether it was neither started nor ended. */
  get isNew(): boolean {
    return this.#state === 'new'
  }

  start(): Promise<void> {
    if (this.#state === 'started') return Promise.reject(new Error('the transport was started before'))
    if (this.#state !== 'new') return Promise.reject(ended())
    this.#state = 'started'
    this.#link.resume()
    return Promise.resolve()
  }

  send(message: JsonRpcMessage): Promise<void> {
    if (this.isOver) return Promise.reject(ended())
    const settled = isResponse(message) ? (message.id ?? undefined) : this.#inFlight.listenEndedBy(message)
    try {
      return this.#link.send(encodeMessage(message), isResponse(message))
    } catch (thrown) {
      // Without any response the client would wait for ever.
      if (settled !== undefined && isResponse(message))
        this.#respondWithError(settled, { code: INTERNAL_ERROR, message: 'The result cannot be written as JSON' })
      return Promise.reject(asError(thrown))
    } finally {
      if (settled !== undefined) this.#settle(settled)
    }
  }

  close({ code = 1000, reason = '' }: ConnectionEnd = {}): Promise<void> {
    const problem = problemOfEnd(code, reason)
    return problem === undefined ? this.#finish(code, reason) : Promise.reject(new TypeError(problem))
  }

  /**
   * Takes no further requests, lets those in flight finish, and then ends the connection. If it is called more than once, the first call
   * counts.
   * @param retryAfterMs - Least time until the client dials, in ms.
   */
  closeWhenIdle(retryAfterMs: number = 0, code: number = 1001, reason: string = ALL_ANSWERED): void {
    if (!this.#lastClose) this.#link.goAway(retryAfterMs)
    this.#lastClose ??= [code, reason]
    if (this.#inFlight.calls === 0) void this.#finish(...this.#lastClose)
  }

  /** Ends the connection at once, without a closing handshake. */
  terminate(): void {
    this.#link.terminate()
  }

  /** Ends the connection because of what its client does, or because `onconnection` failed. */
  cut(reason: CutReason): void {
    this.#link.cut(reason)
  }

  /** Ends the link. Resolves once it is gone; never rejects. */
  #finish(code: number, reason: string): Promise<void> {
    if (this.#state === 'new' || this.#state === 'started') this.#state = 'closing'
    return this.#link.close(code, reason)
  }

  /** Whether nothing is delivered or sent any more. */
  get isOver(): boolean {
    return this.#state === 'closing' || this.#state === 'ended' || !this.#link.isOpen
  }

  #onText(text: string, bytes: number): void {
    const { metrics } = this.#config
    metrics.bytesReceived += bytes
    let hasResponded = false
    parseText(
      text,
      (message) => this.#receive(message),
      (malformed) => {
        metrics.malformedMessages++
        this.#settleMalformed(malformed)
        // An array has room for millions of malformed elements: one response a frame is enough.
        if (hasResponded) return
        hasResponded = true
        const response = malformedResponse(malformed)
        if (response !== undefined) this.#send(response)
        this.#reportError(new Error(`the client sent an invalid message: ${malformed.problem}`))
      }
    )
  }

  /** If a malformed frame was meant as a response, the MCP server gets an error in its place: otherwise it would wait for its timeout. */
  #settleMalformed({ problem, kind, id }: Malformed): void {
    if (kind !== 'response' || id === undefined || this.isOver) return
    this.#delivery.take({ jsonrpc: '2.0', id, error: { code: INTERNAL_ERROR, message: `The client sent an invalid response: ${problem}` } })
  }

  #receive(message: JsonRpcMessage): void {
    // One frame may hold many messages, and the first one may have ended the connection.
    if (this.isOver) return
    const { metrics } = this.#config
    metrics.messagesReceived++
    if (isRequest(message)) {
      const rejected = this.#addRequest(message.id, message.method)
      if (rejected !== undefined) {
        metrics.requestsRejected[rejected]++
        return this.#respondWithError(message.id, REQUEST_ERRORS[rejected])
      }
    } else {
      // The MCP server sends no response to a cancelled request, so the cancellation settles it.
      const cancelled = cancelledId(message)
      if (cancelled !== undefined) this.#settle(cancelled)
    }
    this.#delivery.take(message)
  }

  /** @returns Why the request is rejected; `undefined`: it is in flight now. */
  #addRequest(id: RequestId, method: string): RejectReason | undefined {
    if (this.#lastClose) return 'closing'
    const added = this.#inFlight.add(id, method, this.#config.maxInFlight)
    if (added !== 'added') return added
    this.#config.metrics.requestsInFlight++
    return undefined
  }

  #settle(id: RequestId): void {
    // Once it has ended, `#end` has subtracted all requests. Sending the response may itself have ended the connection.
    if (this.#state === 'ended' || !this.#inFlight.settle(id)) return
    this.#config.metrics.requestsInFlight--
    if (this.#lastClose) this.closeWhenIdle()
  }

  #respondWithError(id: RequestId, error: JsonRpcError): void {
    this.#send({ jsonrpc: '2.0', id, error })
  }

  /** Sends a message that is not the MCP server's. If that fails, the client is gone and misses nothing. */
  #send(message: JsonRpcMessage): void {
    if (!this.isOver) this.#link.send(JSON.stringify(message), false).catch(() => undefined)
  }

  /** Calls a callback of the program. */
  #call(callback: () => unknown): void {
    guarded(callback, (error) => this.#reportFailure(error))
  }

  #reportError(error: Error): void {
    guarded(
      () => this.onerror?.(error),
      (failure) => this.#config.onFailed(failure)
    )
  }

  /** Reports a bug in a callback of the program: unlike a client's mistakes it must not get lost. */
  #reportFailure(error: Error): void {
    if (this.onerror === undefined) this.#config.onFailed(error)
    else this.#reportError(error)
  }

  #end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#config.metrics.requestsInFlight -= this.#inFlight.size
    this.#delivery.flush()
    this.#call(() => this.onclose?.())
    this.#onEnded(this)
  }
}
