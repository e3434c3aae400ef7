import { ProtocolError, RequestTimeoutError } from '../errors.js'
import type { Call, RpcPeer } from '../rpc/rpc-peer.js'
import type { ResultFlow, ResultTypeHandler } from '../types/extensions.js'
import type { Params, Result } from '../types/json-rpc.js'
import type { JsonOption } from '../types/options.js'
import { jsonOf } from '../wire/json-rpc.js'
import { CALL_TOOL } from '../wire/methods.js'
import { TASK } from './tasks.js'

const MOST_ROUNDS = 10
// In ms. A server that asks for no input, but only sends its state, wants the request again. Without a pause that would be a busy loop.
const STATE_ONLY_PAUSE = 250

/** What flows work with. */
export interface FlowHost {
  /** Sends the requests, and runs the handlers. */
  readonly peer: RpcPeer
  /** The signal that ends the current life of the client; made when it is asked for. */
  lifeOf(): AbortSignal
  /** Reads the params of a request from its text; it wrote them, too. */
  readonly json: JsonOption
  /** Most handlers that one result may run at once. */
  readonly maxPending: number
}

/** The request that a flow goes on with: a call, or what stands for one. */
export type Origin = Pick<Call, 'method' | 'options' | 'endsAt' | 'text'>

/** Knows what to do with a result that is not the last word (MCP 2026-07-28, basic, "Results"). */
export class ResultTypes {
  readonly #host: FlowHost
  readonly #handlers = new Map<string, ResultTypeHandler>([['input_required', respondWithInput]])

  /** Knows multi round trips, and nothing else yet. */
  constructor(host: FlowHost) {
    this.#host = host
  }

  /** Sets the handler for a type, in place of an earlier one. */
  accept(type: string, handler: ResultTypeHandler): void {
    this.#handlers.set(type, handler)
  }

  /** What the caller of a request gets for its result: the result itself if it is complete, or has no type. */
  readonly settle = (origin: Origin, result: unknown): unknown =>
    this.#typeOf(result, origin) === 'complete' ? result : this.#settle(result as Result, this.flowOf(origin))

  /** Goes on with a request. */
  flowOf({ method, options, endsAt, text = '{}' }: Origin): ResultFlow {
    const { peer, json, maxPending } = this.#host
    const { dispatcher, waits } = peer
    const { timeout, maxTotalTimeout = Infinity, signal, onsent } = options
    const signals = [signal, this.#host.lifeOf()]
    const late = (): Error => new RequestTimeoutError(method, maxTotalTimeout, 'unknown')
    // A handler may wait for a human and ignore its signal, so the flow enforces its limits itself.
    const until = <R>(work: (over: AbortSignal) => Promise<R>, ms = Infinity): Promise<R | undefined> => {
      const left = endsAt === undefined ? Infinity : endsAt - peer.now()
      return waits.until(work, { signals, ms: Math.min(ms, left), ...(left <= ms && { late }) })
    }
    return {
      method,
      options,
      get params() {
        return (json.parse(text) as { params?: Params }).params ?? {}
      },
      // A later request is a request like any other: the peer bounds it, and knows whether it was delivered.
      request: (later, params, own = later === method ? options : { timeout, maxTotalTimeout, signal, onsent }) =>
        peer.call(later, params, own, { endsAt }) as Promise<Result>,
      respond: async (inputRequests) => {
        const requests = Object.entries(inputRequests)
        if (requests.length > maxPending)
          throw new ProtocolError('INVALID_RESPONSE', `the server asked for ${String(requests.length)} inputs at once`, {
            hint: 'Raise the option maxPending, if that is right.'
          })
        const respond = (over: AbortSignal): Promise<[string, unknown][]> =>
          Promise.all(requests.map(async ([key, request]) => [key, await dispatcher.runForInput(request, over)]))
        return Object.fromEntries((await until(respond)) ?? [])
      },
      wait: (ms, sooner = never()) => until(() => sooner, ms)
    }
  }

  /** In 2025-11-25, whose results have no type, a task is known by its shape. */
  #typeOf(result: unknown, { method }: { readonly method: string }): unknown {
    const { resultType, task, content } = (result ?? {}) as Result
    return resultType ?? (task && !content && method === CALL_TOOL && this.#handlers.has(TASK) ? TASK : 'complete')
  }

  async #settle(first: Result, flow: ResultFlow): Promise<unknown> {
    let result = first
    for (let round = 0; ; round++) {
      const type = this.#typeOf(result, flow)
      if (type === 'complete') return result
      const handler = this.#handlers.get(type as string)
      // A result of an unknown type must not be taken for a complete one.
      if (!handler) throw new ProtocolError('INVALID_RESPONSE', `the server's result is of the unknown type ${jsonOf(type).slice(0, 200)}`)
      if (round === MOST_ROUNDS)
        throw new ProtocolError('INVALID_RESPONSE', `the server asked for input ${String(MOST_ROUNDS)} times and still has no result`)
      const next = (await handler(result, flow)) as Result
      if (next === result) return result
      result = next
    }
  }
}

/** Runs the handlers for the server's input requests, and repeats the request with what they return (MCP 2026-07-28, basic/patterns/mrtr). */
const respondWithInput: ResultTypeHandler = async ({ inputRequests, requestState }, flow) => {
  const asks = Object.keys(inputRequests ?? {}).length > 0
  if (!asks) await flow.wait(STATE_ONLY_PAUSE)
  const inputResponses = asks && (await flow.respond(inputRequests as object))
  // The state goes back unchanged; if the server gave none, the member is absent.
  return flow.request(flow.method, {
    ...flow.params,
    ...(inputResponses && { inputResponses }),
    ...(requestState !== undefined && { requestState })
  })
}

const never = (): Promise<void> => new Promise(() => undefined)
