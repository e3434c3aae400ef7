import { nanoid } from 'nanoid'
import { Aborts } from './aborts.js'
import type { Deadline } from './core/deadlines.js'
import { guarded } from './core/guarded.js'
import { isErrorResponse, isRequest, isResponse } from './core/jsonrpc.js'
import { PendingRequests, type PendingRequest } from './core/pending.js'
import { QueueFullError, RequestTimeoutError, RpcError, type Delivery } from './errors.js'
import { InboundDispatch } from './inbound-dispatch.js'
import { SharedTimer, type Clock } from './io/clock.js'
import type { JsonRpcMessage, JsonRpcNotification, JsonRpcResponse, Params, Progress, RequestId } from './types/json-rpc.js'
import type { RequestOptions } from './types/options.js'

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
}

/** Who is told what the peer meets with. */
export interface RpcPeerListener {
  onNotification(notification: JsonRpcNotification): void
  /** A callback of the program failed. */
  onTrouble(error: Error): void
}

/** A request with its promise: the one record that all layers share. */
export interface Call extends PendingRequest, Deadline {
  readonly promise: Promise<unknown>
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
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
  readonly #aborts: Aborts<Call>
  readonly #byToken = new Map<string | number, Call>()
  // Behind one relay several clients may share a server that tells them apart by token alone.
  readonly #tokenPrefix = nanoid(10)
  #nextId: number

  constructor(pipe: MessagePipe, config: RpcPeerConfig, listener: RpcPeerListener) {
    this.#pipe = pipe
    this.#config = config
    this.#listener = listener
    this.inbound = new InboundDispatch((message) => pipe.send(message))
    this.#timer = new SharedTimer(config.clock, (due, now) => {
      if ('run' in due) due.run()
      else this.#expire(due, now)
    })
    this.#aborts = new Aborts((call, reason) => {
      this.#give(call, () => reason, reason instanceof Error ? reason.message : 'aborted')
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
      checkTimeouts(options)
      signal?.throwIfAborted()
      if (this.#pending.size >= this.#config.maxPending)
        throw new QueueFullError(`${String(this.#pending.size)} requests wait for an answer`, 'Wait for some of them, or raise maxPending.')
      this.#pipe.send({ jsonrpc: '2.0', id: call.id as number, method, ...this.#withToken(call, params) }, call)
    } catch (error) {
      this.#forgetToken(call)
      call.reject(error)
      return call
    }
    // Sent before it is noted, in one turn: had that thrown, nothing would be left behind.
    this.#pending.add(call)
    this.#arm(call, call.timeout)
    if (signal) this.#aborts.watch(signal, call)
    return call
  }

  notify(method: string, params: Params | undefined): void {
    this.#pipe.send({ jsonrpc: '2.0', method, ...(params && { params }) })
  }

  /** A message came in. */
  receive(message: JsonRpcMessage): void {
    if (isResponse(message)) this.#receiveResponse(message)
    else if (isRequest(message)) void this.inbound.receive(message)
    else this.#receiveNotification(message)
  }

  /** Ends a request without an answer. */
  fail(id: RequestId, error: unknown): void {
    const call = this.#take(id)
    call?.reject(error)
  }

  /** Gives a request up and tells the server; its promise rejects with `reason`. */
  abandon(call: Call, reason: unknown, words: string): void {
    this.#give(call, () => reason, words)
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

  /** Lets something that comes before a request wait, with the request's own patience. */
  async within<T>(method: string, options: RequestOptions | undefined, wait: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { signal, timeout = this.#config.requestTimeout } = options ?? {}
    const patience = new AbortController()
    const onAbort = (): void => patience.abort(signal?.reason)
    const callOff = this.after(timeout, () => patience.abort(new RequestTimeoutError(method, timeout, 'not-sent')))
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort)
    try {
      patience.signal.throwIfAborted()
      return await wait(patience.signal)
    } finally {
      callOff()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #record(method: string, options: RequestOptions, startedAt: number): Call {
    const { maxTotalTimeout, signal } = options
    const timeout = options.timeout ?? this.#config.requestTimeout
    let resolve: Call['resolve'] = ignore
    let reject: Call['reject'] = ignore
    const promise = new Promise<unknown>((onResolve, onReject) => {
      resolve = onResolve
      reject = onReject
    })
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
      timeout,
      endsAt: maxTotalTimeout === undefined ? undefined : startedAt + maxTotalTimeout,
      token: undefined
    }
  }

  #arm(call: Call, timeout: number): void {
    const left = call.endsAt === undefined ? Infinity : call.endsAt - this.#config.clock.now()
    this.#timer.set(call, Math.min(timeout, left))
  }

  #withToken(call: Call, params: Params | undefined): { params?: Params } {
    if (!wantsProgress(call.options)) return params === undefined ? {} : { params }
    const own = params?._meta?.progressToken
    const progressToken = typeof own === 'string' || typeof own === 'number' ? own : `${this.#tokenPrefix}.${String(call.id)}`
    call.token = progressToken
    this.#byToken.set(progressToken, call)
    return { params: { ...params, _meta: { ...params?._meta, progressToken } } }
  }

  #forgetToken(call: Call): void {
    const { token } = call
    // Two requests may carry the same token of the program's own choice.
    if (token !== undefined && this.#byToken.get(token) === call) this.#byToken.delete(token)
  }

  #take(id: RequestId): Call | undefined {
    const call = this.#pending.take(id)
    if (call === undefined) return undefined
    this.#timer.clear(call)
    if (call.options?.signal) this.#aborts.unwatch(call.options.signal, call)
    this.#forgetToken(call)
    return call
  }

  /** Gives up a request that the pipe still knows. */
  #give(call: Call, errorOf: (delivery: Delivery) => unknown, reason: string): void {
    if (this.#take(call.id) === undefined) return
    call.reject(errorOf(this.#pipe.cancel(call, reason)))
  }

  #expire(call: Call, now: number): void {
    const total = call.endsAt !== undefined && call.endsAt <= now + 1
    const limit = total ? (call.options?.maxTotalTimeout ?? call.timeout) : call.timeout
    this.#give(call, (delivery) => new RequestTimeoutError(call.method, limit, delivery), `no answer within ${String(limit)} ms`)
  }

  #receiveResponse(response: JsonRpcResponse): void {
    const call = response.id === undefined || response.id === null ? undefined : this.#take(response.id)
    if (call === undefined) return
    if (isErrorResponse(response)) call.reject(rpcErrorOf(response))
    else call.resolve(response.result)
  }

  #receiveNotification(notification: JsonRpcNotification): void {
    const { method, params } = notification
    if (method === 'notifications/progress') this.#receiveProgress(params)
    if (method === 'notifications/cancelled') this.inbound.cancel(params?.requestId as RequestId, params?.reason)
    this.#listener.onNotification(notification)
  }

  #receiveProgress(params: Params | undefined): void {
    const call = this.#byToken.get(params?.progressToken as string | number)
    const { onprogress, resetTimeoutOnProgress } = call?.options ?? {}
    if (call === undefined || typeof params?.progress !== 'number') return
    if (resetTimeoutOnProgress) this.#arm(call, call.timeout)
    const { progress, total, message } = params as Params & Progress
    const report = { progress, ...(total !== undefined && { total }), ...(message !== undefined && { message }) }
    guarded(
      () => onprogress?.(report),
      (error) => this.#listener.onTrouble(error)
    )
  }
}

const ignore = (): void => undefined

const wantsProgress = (options: RequestOptions | undefined): boolean =>
  options?.onprogress !== undefined || options?.resetTimeoutOnProgress === true

// Other peers' errors are foreign data: the code may be missing or a string, the message anything.
const LONGEST_MESSAGE = 8192

function rpcErrorOf({ error }: { readonly error: { code: unknown; message: unknown; data?: unknown } }): RpcError {
  const code = Number.isInteger(error.code) ? (error.code as number) : -32603
  const message = typeof error.message === 'string' ? error.message.slice(0, LONGEST_MESSAGE) : 'the server gave no message'
  return new RpcError(code, message, error.data)
}

function checkTimeouts(options: RequestOptions): void {
  for (const name of ['timeout', 'maxTotalTimeout'] as const) {
    const value = options[name]
    if (value !== undefined && !(value > 0))
      throw new TypeError(`${name} must be a positive number of ms, or Infinity for none; it is ${String(value)}`)
  }
}
