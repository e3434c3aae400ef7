import { nanoid } from 'nanoid'
import { Aborts } from '../lib/abort-watcher.js'
import type { Deadline } from '../lib/deadlines.js'
import { guarded } from '../lib/guarded.js'
import { isErrorResponse, isObject, isRequest, isResponse } from '../wire/json-rpc.js'
import { PendingRequests, type PendingRequest } from './pending.js'
import { QueueFullError, RequestTimeoutError, RpcError, type Delivery } from '../errors.js'
import { InboundDispatch } from './request-dispatcher.js'
import type { Clock } from '../lib/clock.js'
import { deferred, type Deferred } from '../lib/deferred.js'
import { SharedTimer } from '../lib/shared-timer.js'
import type { JsonRpcErrorResponse, JsonRpcMessage, JsonRpcNotification, JsonRpcResponse, Params, RequestId } from '../types/json-rpc.js'
import type { RequestOptions } from '../types/options.js'

/** What carries the messages; it survives reconnects. */
export interface MessagePipe {
  /** @throws What kept the message from being sent or queued. */
  send(message: JsonRpcMessage, request?: PendingRequest): void
  cancel(request: PendingRequest, reason: string): Delivery
}

/** Settings of a peer; times in ms. */
export interface RpcPeerConfig {
  readonly clock: Clock
  readonly requestTimeout: number
  readonly maxPending: number
  /** How long answers may still come in after the process slept, before they count as too late. */
  readonly grace: number
}

/** Who is told what the peer meets with. */
export interface RpcPeerListener {
  onNotification(notification: JsonRpcNotification): void
  /** A callback of the program failed. */
  onTrouble(error: Error): void
}

/** A request with its promise: the one record that all layers share. */
export interface Call extends PendingRequest, Deadline, Deferred<unknown> {
  /** The request's options, kept only if one of them matters after the request was sent. */
  readonly options: RequestOptions | undefined
  readonly timeout: number
  /** When `maxTotalTimeout` is over; `undefined` = never. */
  readonly endsAt: number | undefined
  /** Under which the server reports progress, if it was asked to. */
  token: string | number | undefined
}

/** Something to do later on the peer's one timer. */
interface Errand extends Deadline {
  readonly run: () => void
}

/** The conversation: requests with deadline, progress and cancellation; dispatch of what comes in. Knows no socket. */
export class RpcPeer {
  readonly inbound: InboundDispatch
  readonly #pipe: MessagePipe
  readonly #config: RpcPeerConfig
  readonly #listener: RpcPeerListener
  readonly #pending = new PendingRequests<Call>()
  readonly #timer: SharedTimer<Call | Errand>
  readonly #aborts: Aborts<Call | ((reason: unknown) => void)>
  readonly #byToken = new Map<string | number, Call>()
  // Behind one relay several clients may share a server that tells them apart by token alone.
  readonly #tokenPrefix = nanoid(10)
  #nextId: number

  constructor(pipe: MessagePipe, config: RpcPeerConfig, listener: RpcPeerListener) {
    this.#pipe = pipe
    this.#config = config
    this.#listener = listener
    this.inbound = new InboundDispatch((message) => pipe.send(message))
    this.#timer = new SharedTimer(
      config.clock,
      (due, now) => {
        if ('run' in due) due.run()
        else this.#expire(due, now)
      },
      config.grace
    )
    this.#aborts = new Aborts((item, reason) => {
      if (typeof item === 'function') item(reason)
      else this.abandon(item, reason instanceof Error ? reason.message : 'aborted', () => reason)
    })
    // A random start: two clients behind one relay never use the same ids (rules of behaviour 8).
    this.#nextId = 1e8 + Math.floor(config.clock.random() * 9e8)
  }

  get pendingCount(): number {
    return this.#pending.size
  }

  /**
   * Sends a request.
   * @param startedAt - When the flow began that it belongs to: `maxTotalTimeout` counts from there.
   * @returns Its record, whose promise settles exactly once.
   */
  call(method: string, params: Params | undefined, options: RequestOptions = {}, startedAt: number = this.#config.clock.now()): Call {
    const call = this.#record(method, options, startedAt)
    const { signal } = options
    try {
      checkCall(method, params)
      checkTimeouts(options)
      signal?.throwIfAborted()
      if (this.#pending.size >= this.#config.maxPending)
        throw new QueueFullError('maxPending requests wait for an answer', 'Wait for some of them, or raise maxPending.')
      const withToken = this.#withToken(call, params)
      this.#pending.add(call)
      this.#pipe.send({ jsonrpc: '2.0', id: call.id as number, method, params: withToken }, call)
    } catch (error) {
      this.#take(call.id)
      call.reject(error)
    }
    // It was refused; or a callback of the program, such as `trace`, ended the client meanwhile.
    if (!this.#pending.has(call.id)) return call
    this.#arm(call, call.timeout)
    if (signal) this.#aborts.watch(signal, call)
    return call
  }

  notify(method: string, params: Params | undefined): void {
    checkCall(method, params)
    this.#pipe.send({ jsonrpc: '2.0', method, params })
  }

  /** A message came in. */
  receive(message: JsonRpcMessage): void {
    if (isResponse(message)) this.#receiveResponse(message)
    else if (isRequest(message)) void this.inbound.receive(message)
    else this.#receiveNotification(message)
  }

  /** Ends a request without an answer. */
  fail(id: RequestId | undefined, error: unknown): void {
    this.#take(id)?.reject(error)
  }

  /** Gives a request up, and tells the server why. */
  abandon(call: Call, reason: string, errorOf: (delivery: Delivery) => unknown): void {
    if (this.#take(call.id)) call.reject(errorOf(this.#pipe.cancel(call, reason)))
  }

  /** Lets a request wait without a deadline from now on: its answer is the end of a subscription. */
  waitForever(call: Call): void {
    this.#timer.clear(call)
  }

  /** Runs something later. @returns What calls it off. */
  after(ms: number, run: () => void): () => void {
    const errand: Errand = { run, dueAt: 0, heapIndex: -1 }
    this.#timer.set(errand, ms)
    return () => this.#timer.clear(errand)
  }

  /**
   * Lets something run that is no request: the promise settles when that does, when a signal fires, or at `endsAt`.
   * @param work - Hears of an early end by its signal, but need not heed it.
   */
  within<T>(
    signals: readonly (AbortSignal | undefined)[],
    work: (over: AbortSignal) => Promise<T>,
    endsAt: number = Infinity,
    late: () => unknown = ignore
  ): Promise<T> {
    const { promise, resolve, reject } = deferred<T>()
    const controller = new AbortController()
    const end = (reason: unknown): void => {
      reject(reason)
      controller.abort(reason)
    }
    const callOff = this.after(endsAt - this.#config.clock.now(), () => end(late()))
    for (const signal of signals) if (signal) this.#aborts.watch(signal, end)
    if (!controller.signal.aborted) work(controller.signal).then(resolve, reject)
    return promise.finally(() => {
      callOff()
      for (const signal of signals) if (signal) this.#aborts.unwatch(signal, end)
    })
  }

  #record(method: string, options: RequestOptions, startedAt: number): Call {
    const { maxTotalTimeout, signal } = options
    const { promise, resolve, reject } = deferred<unknown>()
    return {
      id: this.#nextId++,
      method,
      phase: 'queued',
      text: undefined,
      size: 0,
      resend: options.resend,
      dueAt: 0,
      heapIndex: -1,
      promise,
      resolve,
      reject,
      options: signal || maxTotalTimeout !== undefined || wantsProgress(options) ? options : undefined,
      timeout: options.timeout ?? this.#config.requestTimeout,
      endsAt: maxTotalTimeout === undefined ? undefined : startedAt + maxTotalTimeout,
      token: undefined
    }
  }

  #arm(call: Call, timeout: number): void {
    const left = call.endsAt === undefined ? Infinity : call.endsAt - this.#config.clock.now()
    this.#timer.set(call, Math.min(timeout, left))
  }

  #withToken(call: Call, params: Params | undefined): Params | undefined {
    if (!wantsProgress(call.options)) return params
    const own = params?._meta?.progressToken
    const progressToken = typeof own === 'string' || typeof own === 'number' ? own : `${this.#tokenPrefix}.${String(call.id)}`
    call.token = progressToken
    this.#byToken.set(progressToken, call)
    return { ...params, _meta: { ...params?._meta, progressToken } }
  }

  #forgetToken(call: Call): void {
    const token = call.token as string
    // Two requests may carry the same token of the program's own choice.
    if (this.#byToken.get(token) === call) this.#byToken.delete(token)
  }

  #take(id: RequestId | undefined): Call | undefined {
    const call = this.#pending.take(id as RequestId)
    if (!call) return undefined
    this.#timer.clear(call)
    if (call.options?.signal) this.#aborts.unwatch(call.options.signal, call)
    this.#forgetToken(call)
    return call
  }

  #expire(call: Call, now: number): void {
    const { endsAt = Infinity, method, options, timeout } = call
    const limit = (endsAt <= now + 1 ? options?.maxTotalTimeout : undefined) ?? timeout
    this.abandon(call, `no answer within ${String(limit)} ms`, (delivery) => new RequestTimeoutError(method, limit, delivery))
  }

  #receiveResponse(response: JsonRpcResponse): void {
    const call = this.#take(response.id as RequestId)
    if (isErrorResponse(response)) call?.reject(rpcErrorOf(response))
    else call?.resolve(response.result)
  }

  #receiveNotification(notification: JsonRpcNotification): void {
    const { method, params } = notification
    if (method === 'notifications/progress') this.#receiveProgress(params)
    if (method === 'notifications/cancelled') this.inbound.cancel(params?.requestId as RequestId, params?.reason)
    this.#listener.onNotification(notification)
  }

  #receiveProgress(params: Params | undefined): void {
    const call = this.#byToken.get(params?.progressToken as string | number)
    if (!call || typeof params?.progress !== 'number') return
    const { onprogress, resetTimeoutOnProgress } = call.options ?? {}
    if (resetTimeoutOnProgress) this.#arm(call, call.timeout)
    const { progressToken: _token, _meta, progress, ...rest } = params
    guarded(
      () => onprogress?.({ progress, ...rest }),
      (error) => this.#listener.onTrouble(error)
    )
  }
}

const ignore = (): void => undefined

const wantsProgress = (options: RequestOptions | undefined): boolean =>
  options?.onprogress !== undefined || options?.resetTimeoutOnProgress === true

const rpcErrorOf = ({ error }: JsonRpcErrorResponse): RpcError => new RpcError(error.code, error.message, error.data)

function checkCall(method: unknown, params: unknown = {}): void {
  if (typeof method !== 'string' || !isObject(params))
    throw new TypeError('method must be a string, and params, if there are any, an object')
}

function checkTimeouts(options: RequestOptions): void {
  for (const name of ['timeout', 'maxTotalTimeout'] as const) {
    const value = options[name]
    if (value !== undefined && !(value > 0)) throw new TypeError(`${name} must be a positive number of ms, not ${String(value)}`)
  }
}
