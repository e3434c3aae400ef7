import { jsonOf } from '../wire/json-rpc.js'
import { ProtocolError, RequestTimeoutError } from '../errors.js'
import type { RpcPeer } from '../rpc/rpc-peer.js'
import type { Params, Result } from '../types/json-rpc.js'
import type { RequestOptions } from '../types/options.js'

const MULTI_ROUND = ['tools/call', 'prompts/get', 'resources/read']
const MOST_ROUNDS = 10
// A server that sends only its state asks to be called again: at once would be a busy loop.
const STATE_ONLY_PAUSE = 250

/** Whether the server may answer this request with questions instead of a result (MCP 2026-07-28, basic/patterns/mrtr). */
export const mayTakeRounds = (method: string): boolean => MULTI_ROUND.includes(method)

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

/**
 * Answers the server's questions round by round, until the request has its result.
 * @throws ProtocolError after ten rounds, or for a result of an unknown type.
 */
export async function runRounds(first: unknown, { method, params, options, startedAt, life }: Flow, peer: RpcPeer): Promise<unknown> {
  const { signal, maxTotalTimeout = Infinity } = options
  const late = (): Error => new RequestTimeoutError(method, maxTotalTimeout, 'unknown')
  let result = first as Result | undefined
  for (let round = 0; result?.resultType === 'input_required'; round++) {
    if (round === MOST_ROUNDS) throw new ProtocolError('INVALID_RESPONSE', 'the server asks for input without end')
    const { inputRequests, requestState } = result
    const questions = Object.entries(inputRequests ?? {})
    // A handler may wait for a human, and never hear of its signal: the flow itself must end.
    const answers = await peer.within([signal, life], (over) => answerAll(questions, peer, over), startedAt + maxTotalTimeout, late)
    const next = {
      ...params,
      ...(questions.length > 0 && { inputResponses: Object.fromEntries(answers) }),
      // To the byte, and absent if the server gave none.
      ...(requestState !== undefined && { requestState })
    }
    // A leg is a request like any other: how it ends, and whether it was delivered, the peer knows best.
    result = (await peer.call(method, next, options, startedAt).promise) as Result | undefined
  }
  // A result without `resultType` is complete (older servers); one of an unknown type must not pass for a result.
  const type = result?.resultType ?? 'complete'
  if (type === 'complete') return result
  throw new ProtocolError('INVALID_RESPONSE', `the server's result is of the unknown type ${jsonOf(type).slice(0, 200)}`)
}

async function answerAll(
  questions: readonly (readonly [string, unknown])[],
  peer: RpcPeer,
  signal: AbortSignal
): Promise<(readonly [string, unknown])[]> {
  if (questions.length === 0) await new Promise<void>((resolve) => signal.addEventListener('abort', peer.after(STATE_ONLY_PAUSE, resolve)))
  return Promise.all(questions.map(async ([key, question]) => [key, await peer.inbound.answer(question, signal)] as const))
}
