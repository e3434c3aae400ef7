import type { Closure } from '../errors.js'
import type { RequestId } from '../types/json-rpc.js'
import { PendingRequests, type PendingRequest } from '../rpc/pending.js'

/** What a drop means for the requests that were in flight. */
export interface Triage {
  /** To be sent again, in their order. */
  readonly resend: readonly PendingRequest[]
  /** Given up: nobody knows whether they were executed. */
  readonly lost: readonly PendingRequest[]
  /** The lost one that was too large for the server (close code 1009): it is the cause, and would be again. */
  readonly tooLarge: PendingRequest | undefined
}

/** A listen ends only by somebody's will, never by a drop, and it is no call: nobody waits for its answer. */
const isCall = (request: PendingRequest): boolean => request.method !== 'subscriptions/listen'

/** The call that is taken to be the cause of close code 1009: the largest of those in flight. */
export function tooLargeOf(inFlight: readonly PendingRequest[], { code }: Closure): PendingRequest | undefined {
  return code === 1009 ? inFlight.filter(isCall).sort((a, b) => b.size - a.size)[0] : undefined
}

/** The requests of the layer above that were written and wait for an answer. */
export class Flight extends PendingRequests<PendingRequest> {
  readonly #awaited = new Set<PendingRequest>()

  override take(id: RequestId): PendingRequest | undefined {
    const request = super.take(id)
    if (request) this.#awaited.delete(request)
    return request
  }

  /** Removes and returns all, listens included. */
  override takeAll(): PendingRequest[] {
    this.#awaited.clear()
    return super.takeAll()
  }

  /** The calls that are open now are those to wait for, and none that is made later. */
  awaitCalls(): void {
    for (const request of this.all()) if (isCall(request)) this.#awaited.add(request)
  }

  /** Whether one of the calls to wait for is open. */
  get awaits(): boolean {
    return this.#awaited.size > 0
  }

  /** Sorts what was in flight after a drop that will be followed by a reconnect; listens stay. */
  triage(closure: Closure): Triage {
    const all = this.takeAll()
    const calls = all.filter(isCall)
    for (const request of all) if (!isCall(request)) this.add(request)
    const tooLarge = tooLargeOf(calls, closure)
    const again = (request: PendingRequest): boolean => request !== tooLarge && request.phase === 'sent' && request.text !== undefined
    return { resend: calls.filter(again), lost: calls.filter((request) => !again(request)), tooLarge }
  }
}
