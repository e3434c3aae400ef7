import { ProtocolError, RequestTimeoutError } from '../errors.js'
import type { Call, RpcPeer } from '../rpc/rpc-peer.js'
import type { Params, Result } from '../types/json-rpc.js'
import type { JsonOption } from '../types/options.js'
import { jsonOf } from '../wire/json-rpc.js'

const MAY_ASK_FOR_INPUT: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read'])
const MOST_ROUNDS = 10
// In ms. A server that sends only its state wants the request again: at once would be a busy loop.
const STATE_ONLY_PAUSE = 250

/** What a flow of input rounds works with. */
export interface InputHost {
  /** Sends the legs, and runs the handlers. */
  readonly peer: RpcPeer
  /** Ends the flow with the life of the client. */
  readonly life: AbortSignal
  /** What wrote the request. */
  readonly json: JsonOption
}

/** Whether the server may respond to this request with input requests in place of a result (MCP 2026-07-28, basic/patterns/mrtr). */
export const mayAskForInput = (method: string): boolean => MAY_ASK_FOR_INPUT.has(method)

/** Whether the result is the last word: one without `resultType` is complete (older servers). */
export const isComplete = (result: unknown): boolean => ((result as Result | undefined)?.resultType ?? 'complete') === 'complete'

/**
 * Runs the handlers for the server's input requests, round by round, until the request has its result.
 * @param first - The result of the first leg, which may be input requests.
 * @param call - The first leg. Later legs repeat its params as they were sent, whatever the caller did to its object meanwhile. Of its
 * options `timeout` bounds each leg, and `maxTotalTimeout` all of them.
 * @param host - What the flow works with.
 * @throws ProtocolError after ten rounds, or for a result of an unknown type; what a leg or a handler rejects with.
 */
export async function runInputRounds(first: unknown, call: Call, { peer, life, json }: InputHost): Promise<unknown> {
  const { method, options, endsAt = Infinity, text = '{}' } = call
  const { signal, maxTotalTimeout = Infinity } = options
  const late = (): Error => new RequestTimeoutError(method, maxTotalTimeout, 'unknown')
  let result = first as Result | undefined
  const params = result?.resultType === 'input_required' ? (json.parse(text) as { params?: Params }).params : undefined
  for (let round = 0; result?.resultType === 'input_required'; round++) {
    if (round === MOST_ROUNDS)
      throw new ProtocolError('INVALID_RESPONSE', `the server asked for input ${String(MOST_ROUNDS)} times and still has no result`)
    const { inputRequests, requestState } = result
    const requests = Object.entries(inputRequests ?? {})
    const signals = [signal, life]
    if (requests.length === 0) await peer.waits.until(never, { signals, ms: STATE_ONLY_PAUSE })
    // A handler may wait for a human, and never hear of its signal: the flow itself must end.
    const ms = endsAt - peer.now()
    const responses = await peer.waits.until((over) => respondAll(requests, peer, over), { signals, ms, late })
    const next = {
      ...params,
      ...(requests.length > 0 && { inputResponses: Object.fromEntries(responses ?? []) }),
      // To the byte, and absent if the server gave none.
      ...(requestState !== undefined && { requestState })
    }
    // A leg is a request like any other: how it ends, and whether it was delivered, the peer knows best.
    result = (await peer.call(method, next, options, { endsAt: call.endsAt }).promise) as Result | undefined
  }
  // One of an unknown type must not pass for a result.
  if (isComplete(result)) return result
  throw new ProtocolError('INVALID_RESPONSE', `the server's result is of the unknown type ${jsonOf(result?.resultType).slice(0, 200)}`)
}

const never = (): Promise<void> => new Promise(() => undefined)

async function respondAll(
  requests: readonly (readonly [string, unknown])[],
  peer: RpcPeer,
  signal: AbortSignal
): Promise<(readonly [string, unknown])[]> {
  return Promise.all(requests.map(async ([key, request]) => [key, await peer.dispatcher.runForInput(request, signal)] as const))
}
