// The JSON-RPC layer: a conversation of requests, responses and notifications. It knows ids, deadlines, progress and cancellation,
// and neither sockets nor reconnects: messages go down into a pipe and come up through `receive`. The client calls it.

import { nanoid } from 'nanoid/non-secure'
import { ProtocolError, RequestTimeoutError, RpcError, type Delivery, type McpWebSocketError } from '../errors.js'
import { reasonOf, throwIfAborted } from '../lib/abort.js'
import type { Clock } from '../lib/clock.js'
import { guarded } from '../lib/guarded.js'
import { Waits, type Waiter } from '../lib/waits.js'
import type {
  JsonRpcMessage,
  JsonRpcNotification,
  JsonRpcRequest,
  JsonRpcResponse,
  Params,
  ProgressToken,
  RequestId
} from '../types/json-rpc.js'
import type { RequestOptions } from '../types/options.js'
import { isErrorResponse, isRequest, isResponse, SUBSCRIPTION_ID } from '../wire/json-rpc.js'
import { isObject } from '../lib/is-object.js'
import { cancelledId, CREATE_ELICITATION, PROGRESS } from '../wire/methods.js'
import { checkPending, PendingRequest } from './pending.js'
import { prepareParams } from './prepare-params.js'
import { RequestDispatcher } from './request-dispatcher.js'

/** What carries the messages down; it survives reconnects. */
export interface MessagePipe {
  /** Sends a request, or lets it wait. @throws What kept it from being sent or queued. */
  request(message: JsonRpcRequest, request: PendingRequest): void
  /** Sends a notification, or lets it wait. @throws What kept it from being sent or queued. */
  notify(notification: JsonRpcNotification): void
  /** Sends a response to the socket that its request came over, or drops it. @throws TypeError for what JSON cannot hold. */
  respond(response: JsonRpcResponse): void
  /**
   * Gives a request up and tells the server why.
   * @param notice - `null`: the server is not told.
   * @returns Whether the server can have executed it.
   */
  cancel(request: PendingRequest, reason: string, notice?: null): Delivery
  /** The requests that were given to it and neither failed nor had a response. */
  pending(): Iterable<PendingRequest>
  /** Why a request may have got no response, if anything is known. */
  readonly explanation: McpWebSocketError | undefined
}

/** Settings of a peer; times in ms. */
export interface RpcPeerConfig {
  /** Time and chance. */
  readonly clock: Clock
  /** The deadline of a request whose options name none. */
  readonly requestTimeout: number
  /** Most requests that may be pending at once. */
  readonly maxPending: number
  /** Whether the timeouts of calls stand still while a handler of `elicitation/create` runs: the server waits for the user too. */
  readonly pauseTimeouts: boolean
  /** How long responses may still come in after the process slept, before their requests count as timed out. */
  readonly grace: number
}

/** Is told what the peer meets with. */
export interface RpcPeerListener {
  /** A request was written whose option `onsent` wants to know. */
  onSent(call: Call, resent: boolean): void
  /** A notification came in. */
  onNotification(notification: JsonRpcNotification): void
  /** A callback of the program failed. */
  onError(error: Error): void
}

/** What a call belongs to. */
export interface CallFlow {
  /** When `maxTotalTimeout` is over, in ms of the clock; without it the time counts from now. */
  readonly endsAt?: number | undefined
  /** Called with the result. @returns What the caller gets: the result, or a promise of a later one. Default: the result. */
  readonly onResult?: (call: Call, result: unknown) => unknown
  /** Called with the record before the request is sent. */
  readonly onCall?: (call: Call) => void
}

/** No options. Made once: this is on the path of every request, and each keeps its options while it is pending. */
export const NO_OPTIONS: RequestOptions = {}
const NO_FLOW: CallFlow = {}

/** Settles the promise of a call. */
type Resolve = (result: unknown) => void

/** A pending request that somebody waits for. There may be many at once, so that each member has to be worth its memory. */
export class Call extends PendingRequest implements Waiter {
  dueAt = 0
  slot = -1
  declare readonly options: RequestOptions
  /** When `maxTotalTimeout` is over, in ms of the clock; `undefined`: never. */
  readonly endsAt: number | undefined
  /** Called with the result, for what the caller gets. */
  readonly onResult: CallFlow['onResult']
  /** The last notification that belongs to it; only of a live request. */
  lastEvent: JsonRpcNotification | undefined
  /** The token under which the server reports progress, if it was asked to. */
  token: ProgressToken | undefined
  /** Resolves the promise of whoever made the call; `undefined` once it has a response or failed. */
  resolve: Resolve | undefined
  readonly #peer: RpcPeer

  /** Made by {@link RpcPeer.call}. */
  constructor(
    peer: RpcPeer,
    id: number,
    method: string,
    params: Params | undefined,
    options: RequestOptions,
    { endsAt, onResult }: CallFlow,
    resolve: Resolve
  ) {
    super(id, method, params, options)
    this.endsAt = endsAt ?? peer.endOf(options)
    this.onResult = onResult
    this.resolve = resolve
    this.#peer = peer
  }

  /** Time for the response, in ms; progress may start it anew. */
  get timeout(): number {
    return this.options.timeout ?? this.#peer.requestTimeout
  }

  override get isLive(): boolean {
    return this.options.continueWith !== undefined
  }

  override renew(textOf: (message: JsonRpcRequest) => string): boolean {
    const { id, method, options, lastEvent, token } = this
    const next = (): string | undefined => {
      const params = prepareParams(options.continueWith?.(lastEvent))
      checkCall(method, params)
      return params && textOf({ jsonrpc: '2.0', id, method, params: withToken(params, token) })
    }
    const text = guarded(next, (error) => this.#peer.listener.onError(error))
    this.text = text ?? this.text
    return text !== undefined
  }

  override onSent(resent: boolean): void {
    if (this.options.onsent) this.#peer.listener.onSent(this, resent)
  }

  onDue(now: number): void {
    const { endsAt = Infinity, timeout, options } = this
    this.#peer.expire(this, endsAt <= now + 1 ? (options.maxTotalTimeout ?? timeout) : timeout)
  }

  onAbort(signal: AbortSignal): void {
    const reason = reasonOf(signal)
    this.#peer.abandon(this, reason instanceof Error ? reason.message : 'aborted', () => reason)
  }
}

/** One end of a JSON-RPC conversation. */
export class RpcPeer {
  /** Handles the server's requests. */
  readonly dispatcher: RequestDispatcher
  /** All that this end waits for. */
  readonly waits: Waits
  readonly #pipe: MessagePipe
  readonly #config: RpcPeerConfig
  /** Is told what the peer meets with. */
  readonly listener: RpcPeerListener
  #pendingCount = 0
  /** Requests of the server to ask the user that have no response yet, by their ids. While there are any, timeouts stand still. */
  readonly #elicitations = new Map<RequestId, JsonRpcRequest>()
  /** The time that each call had left when the timeouts stopped, in ms. */
  readonly #left = new Map<Call, number>()
  readonly #byToken = new Map<ProgressToken, Call>()
  // Behind one relay several clients may share a server that tells them apart by token alone.
  #tokenPrefix: string | undefined
  readonly #live = new Map<unknown, Call>()
  #lastId = 0

  /** @param pipe - Carries the messages; what comes up from it has to be handed to `receive`. */
  constructor(pipe: MessagePipe, config: RpcPeerConfig, listener: RpcPeerListener) {
    this.#pipe = pipe
    this.#config = config
    this.listener = listener
    this.dispatcher = new RequestDispatcher(pipe, (error) => listener.onError(error))
    this.waits = new Waits(config.clock, config.grace)
  }

  /** The deadline of a request whose options name none, in ms. */
  get requestTimeout(): number {
    return this.#config.requestTimeout
  }

  /** How many requests wait for a response. */
  get pendingCount(): number {
    return this.#pendingCount
  }

  /** The time, in ms of the clock. */
  now(): number {
    return this.#config.clock.now()
  }

  /** When the options' `maxTotalTimeout` is over, if it counts from now; in ms of the clock. */
  endOf({ maxTotalTimeout }: RequestOptions): number | undefined {
    return maxTotalTimeout === undefined ? undefined : this.now() + maxTotalTimeout
  }

  /**
   * Sends a request.
   * @param flow - What the request belongs to, if it is one of several round trips.
   * @returns Settles exactly once.
   */
  call(method: string, params: Params | undefined, options: RequestOptions = NO_OPTIONS, flow: CallFlow = NO_FLOW): Promise<unknown> {
    return new Promise((resolve) => {
      checkCall(method, params, options)
      this.#begin(new Call(this, this.#nextId(), method, prepareParams(params), options, flow, resolve), flow)
    })
  }

  #begin(call: Call, flow: CallFlow): void {
    const { id, method, options } = call
    const othersCount = this.#pendingCount++
    flow.onCall?.(call)
    if (call.isLive) this.#live.set(id, call)
    try {
      checkPending(othersCount, this.#config.maxPending)
      this.waits.begin(call, this.#timeLeft(call), options.signal)
      this.#pipe.request({ jsonrpc: '2.0', id, method, params: this.#withToken(call) }, call)
    } catch (error) {
      // Does nothing if a callback of the program, such as `trace`, has ended the client meanwhile, and the call with it.
      this.fail(call, error)
    }
  }

  /** Sends a notification. @throws TypeError for a wrong method or params, and what the pipe throws. */
  notify(method: string, params: Params | undefined): void {
    checkCall(method, params)
    this.#pipe.notify({ jsonrpc: '2.0', method, params })
  }

  /** Takes a message that came in. @param request - The request that it responds to, if it is a response. */
  receive(message: JsonRpcMessage, request?: PendingRequest): void {
    if (isResponse(message)) this.#receiveResponse(message, request)
    else if (isRequest(message)) void this.#receiveRequest(message)
    else this.#receiveNotification(message)
  }

  /** Ends a request without a response. */
  fail(request: PendingRequest | undefined, error: unknown): void {
    if (request instanceof Call) this.#settle(request)?.(Promise.reject(error))
  }

  /** Gives a request up whose time is over. @param limit - How long it was, in ms. */
  expire(call: Call, limit: number): void {
    const { explanation } = this.#pipe
    const late = (delivery: Delivery): Error => new RequestTimeoutError(call.method, limit, delivery, explanation)
    this.abandon(call, `no response within ${String(limit)} ms`, late)
  }

  /** Gives a request up, and tells the server why. */
  abandon(call: Call, reason: string, errorOf: (delivery: Delivery) => unknown): void {
    this.#settle(call)?.(Promise.reject(errorOf(this.#pipe.cancel(call, reason))))
  }

  /**
   * The random start keeps two clients behind one relay from using the same ids (docs/decisions/0001-positive-integer-ids.md). It is drawn at
   * the first request: some platforms run the module once and copy its memory, or forbid chance outside of a request.
   */
  #nextId(): number {
    this.#lastId ||= 1e8 - 1 + Math.floor(this.#config.clock.random() * 9e8)
    return ++this.#lastId
  }

  #tokenOf(id: RequestId): string {
    this.#tokenPrefix ??= nanoid(10)
    return `${this.#tokenPrefix}.${String(id)}`
  }

  #withToken(call: Call): Params | undefined {
    const { params } = call
    if (!wantsProgress(call.options)) return params
    const own = params?._meta?.progressToken
    const progressToken = typeof own === 'string' || typeof own === 'number' ? own : this.#tokenOf(call.id)
    call.token = progressToken
    this.#byToken.set(progressToken, call)
    return withToken(params, progressToken)
  }

  /**
   * Ends the call: it waits for nothing any more.
   * @returns The function that resolves its promise; `undefined` if the call was over before. A call that failed is resolved with a
   * rejected promise: most succeed, so that a second function for each would only cost memory.
   */
  #settle(call: Call): Resolve | undefined {
    const { resolve } = call
    if (!resolve) return undefined
    call.resolve = undefined
    this.#pendingCount--
    this.waits.end(call, call.options.signal)
    this.#live.delete(call.id)
    this.#forgetToken(call)
    return resolve
  }

  async #receiveRequest(request: JsonRpcRequest): Promise<void> {
    const { id, method } = request
    if (method === CREATE_ELICITATION && this.#config.pauseTimeouts) {
      if (!this.#isPaused) for (const call of this.#calls()) this.#left.set(call, call.dueAt - this.now())
      this.#elicitations.set(id, request)
      this.#resetDeadlines()
    }
    await this.dispatcher.receive(request)
    // After a cancellation, another request may have this id.
    if (this.#elicitations.get(id) === request) this.#endElicitation(id)
  }

  #endElicitation(id: RequestId): void {
    if (!this.#elicitations.delete(id) || this.#isPaused) return
    this.#resetDeadlines()
    this.#left.clear()
  }

  get #isPaused(): boolean {
    return this.#elicitations.size > 0
  }

  /** Time for the response of a call, in ms from now. @param left - What is left of its `timeout`, in ms. */
  #timeLeft({ timeout, endsAt, lastEvent }: Call, left = timeout): number {
    // After the first event of a live request, its response is the end of the stream, which may take for ever.
    if (lastEvent) return Infinity
    const ms = this.#isPaused ? Infinity : left
    // The clock is asked only if it matters: this is on the path of every request.
    return endsAt === undefined ? ms : Math.min(ms, endsAt - this.now())
  }

  *#calls(): Iterable<Call> {
    for (const request of this.#pipe.pending()) if (request instanceof Call) yield request
  }

  #resetDeadlines(): void {
    for (const call of this.#calls()) this.waits.setDeadline(call, this.#timeLeft(call, this.#left.get(call)))
  }

  #receiveResponse(response: JsonRpcResponse, call: PendingRequest | undefined): void {
    if (!(call instanceof Call)) return
    if (isErrorResponse(response)) return this.fail(call, new RpcError(response.error.code, response.error.message, response.error.data))
    const { onResult } = call
    this.#settle(call)?.(onResult ? this.#goOn(call, onResult(call, response.result)) : response.result)
  }

  /**
   * After a result that is not the last word, the server may go on reporting progress under the token of the request (MCP 2025-11-25,
   * tasks).
   */
  #goOn(call: Call, outcome: unknown): unknown {
    if (call.token === undefined || !(outcome instanceof Promise)) return outcome
    this.#byToken.set(call.token, call)
    const forget = (): void => this.#forgetToken(call)
    outcome.then(forget, forget)
    return outcome
  }

  #forgetToken(call: Call): void {
    // The program may choose the same token for two requests: then it belongs to the later one.
    if (call.token !== undefined && this.#byToken.get(call.token) === call) this.#byToken.delete(call.token)
  }

  #receiveNotification(notification: JsonRpcNotification): void {
    const { method, params } = notification
    const cancelled = cancelledId(notification)
    if (cancelled !== undefined) {
      this.dispatcher.cancel(cancelled, params?.reason)
      this.#endElicitation(cancelled)
    } else if (method === PROGRESS) this.#receiveProgress(params)
    if (this.#live.size > 0) this.#receiveEvent(notification, cancelled)
    this.listener.onNotification(notification)
  }

  /** @param cancelled - What the server ends, if the notification says so. */
  #receiveEvent(notification: JsonRpcNotification, cancelled: RequestId | undefined): void {
    const { params } = notification
    const live = this.#live.get(params?._meta?.[SUBSCRIPTION_ID] ?? params?.requestId)
    if (!live) return
    if (cancelled !== undefined) {
      // There will be no response: without this it would be sent again after the next drop.
      this.#pipe.cancel(live, '', null)
      return this.fail(live, new ProtocolError('INVALID_RESPONSE', `the server cancelled ${live.method}`))
    }
    live.lastEvent = notification
    this.waits.setDeadline(live, this.#timeLeft(live))
  }

  #receiveProgress(params: Params | undefined): void {
    const call = this.#byToken.get(params?.progressToken as ProgressToken)
    if (!call || typeof params?.progress !== 'number') return
    const { onprogress, resetTimeoutOnProgress } = call.options
    if (resetTimeoutOnProgress && call.resolve) {
      this.#left.delete(call)
      this.waits.setDeadline(call, this.#timeLeft(call))
    }
    const { progressToken: _token, _meta, progress, ...rest } = params
    void guarded(
      () => onprogress?.({ progress, ...rest }),
      (error) => this.listener.onError(error)
    )
  }
}

/** The params with the token of their request, if it has one. */
function withToken(params: Params | undefined, progressToken: ProgressToken | undefined): Params | undefined {
  if (progressToken === undefined) return params
  const { _meta, ...rest } = params ?? {}
  // `_meta` comes first, where whoever adds to the request's text finds it.
  return { _meta: { ..._meta, progressToken }, ...rest }
}

const wantsProgress = (options: RequestOptions): boolean => options.onprogress !== undefined || options.resetTimeoutOnProgress === true

/**
 * Checks the arguments of a request; called before its options are read or copied. The names of the options are not checked: this is on the
 * path of every request.
 * @throws TypeError for what a program without types may pass, and the reason of a signal that fired.
 */
export function checkCall(method: unknown, params: unknown = NO_OPTIONS, options: RequestOptions = NO_OPTIONS): void {
  if (typeof method !== 'string') throw new TypeError('method must be a string')
  const wrong = isObject(params) ? !isObject(options) && 'options' : 'params'
  // Names the method: the program may have called `callTool`, and passed no method itself.
  if (wrong) throw new TypeError(`the ${wrong} of ${method} must be an object`)
  checkTimeout('timeout', options.timeout)
  checkTimeout('maxTotalTimeout', options.maxTotalTimeout)
  throwIfAborted(options.signal)
}

function checkTimeout(name: string, value: number | string | undefined): void {
  if (value === undefined || (typeof value === 'number' && value > 0)) return
  // A text compares like a number, but in a sum it is appended: such a deadline is over at once.
  throw new TypeError(`${name} must be a positive number of ms, not the ${typeof value} ${String(value)}`)
}
