import { ProtocolError, RequestTimeoutError } from './errors.js'
import type { Clock } from './io/clock.js'
import type { RpcPeer } from './rpc-peer.js'
import type { Params, Result } from './types/json-rpc.js'
import type { RequestOptions } from './types/options.js'

/** What a multi round-trip request needs from its client. */
export interface RoundsHost {
  /** Sends the request anew, under a new id. */
  ask(params: Params): Promise<unknown>
  /** Has the registered handler answer one input request of the server. */
  answer(method: string, params: Params | undefined): Promise<unknown>
  /** Waits; rejects when the flow is given up. */
  pause(ms: number): Promise<void>
}

const MULTI_ROUND: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])
const MOST_ROUNDS = 10
// A server that sends only its state asks to be called again: at once would be a busy loop.
const STATE_ONLY_PAUSE = 250

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** Whether the server may answer this request with questions instead of a result (MCP 2026-07-28, basic/patterns/mrtr). */
export const mayTakeRounds = (method: string): boolean => MULTI_ROUND.has(method)

/** Whether the server wants input, or another round, before it answers (MCP 2026-07-28, basic/patterns/mrtr). */
export const isInputRequired = (result: unknown): boolean => isObject(result) && result.resultType === 'input_required'

/**
 * Answers the server's questions round by round, until the request has its result.
 * @throws ProtocolError after ten rounds, or for a result of an unknown type.
 */
export async function completeRounds(first: unknown, params: Params | undefined, host: RoundsHost): Promise<unknown> {
  let result = first
  for (let round = 0; isInputRequired(result); round++) {
    if (round === MOST_ROUNDS)
      throw new ProtocolError('INVALID_RESPONSE', `the server asked for input ${String(MOST_ROUNDS)} times and still has no result`)
    const { inputRequests, requestState } = result as Result
    const asked = isObject(inputRequests) ? Object.entries(inputRequests) : []
    if (asked.length === 0) await host.pause(STATE_ONLY_PAUSE)
    const answers = await Promise.all(asked.map(async ([key, request]) => [key, await answerOne(request, host)] as const))
    result = await host.ask({
      ...params,
      ...(asked.length > 0 && { inputResponses: Object.fromEntries(answers) }),
      // To the byte, and absent if the server gave none.
      ...(requestState !== undefined && { requestState })
    })
  }
  return checkResultType(result)
}

/** A result without `resultType` is complete (older servers); one of an unknown type must not pass for a result. */
export function checkResultType(result: unknown): unknown {
  const type = isObject(result) ? result.resultType : undefined
  if (type === undefined || type === 'complete') return result
  throw new ProtocolError('INVALID_RESPONSE', `the server answered with a result of the unknown type ${JSON.stringify(type)}`)
}

function answerOne(request: unknown, host: RoundsHost): Promise<unknown> {
  if (!isObject(request) || typeof request.method !== 'string')
    throw new ProtocolError('INVALID_RESPONSE', 'the server asked for input without naming a method')
  return host.answer(request.method, isObject(request.params) ? request.params : undefined)
}

/** What a flow of rounds is made of. */
export interface Flow {
  readonly method: string
  readonly params: Params | undefined
  readonly options: RequestOptions
  /** When the first leg was sent, in ms of the clock. */
  readonly startedAt: number
  /** Ends the flow with the life of the client. */
  readonly life: AbortSignal
}

/** Completes a result on a peer, if the server asks for that: the legs, the handlers' answers, and the limits of the whole. */
export async function runRounds(first: unknown, flow: Flow, peer: RpcPeer, clock: Clock): Promise<unknown> {
  if (!isInputRequired(first)) return checkResultType(first)
  const { method, params, options, life, startedAt } = flow
  const { maxTotalTimeout = Infinity } = options
  const controller = new AbortController()
  const { signal } = controller
  const left = (): number => startedAt + maxTotalTimeout - clock.now()
  const callOff = peer.after(left(), () => controller.abort(new RequestTimeoutError(method, maxTotalTimeout, 'unknown')))
  const sources = options.signal ? [options.signal, life] : [life]
  const onAbort = (event: Event): void => controller.abort((event.target as AbortSignal).reason)
  for (const source of sources) {
    if (source.aborted) controller.abort(source.reason)
    source.addEventListener('abort', onAbort)
  }
  try {
    return await completeRounds(first, params, {
      // A leg is a request like any other: how it ends, and whether it was delivered, the peer knows best.
      ask: (next) => peer.call(method, next, options, startedAt).promise,
      answer: (asked, input) => orAborted(peer.inbound.answer(asked, input, signal), signal),
      pause: (ms) => {
        let resume = (): void => undefined
        const stop = peer.after(ms, () => resume())
        return orAborted(new Promise<void>((resolve) => (resume = resolve)), signal).finally(stop)
      }
    })
  } finally {
    callOff()
    for (const source of sources) source.removeEventListener('abort', onAbort)
  }
}

/** A handler may wait for a human, and never hear of the signal: the flow itself must end. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onEnd = (): void => reject(signal.reason)
    if (signal.aborted) onEnd()
    signal.addEventListener('abort', onEnd, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onEnd))
  })
}
