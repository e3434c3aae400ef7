import type { Closure } from '../errors.js'
import type { RequestId } from '../types/json-rpc.js'
import { PendingRequests, type PendingRequest } from './pending.js'

/** What a drop means for the requests that were in flight. */
export interface Triage {
  /** To be sent again, in their order. */
  readonly resend: readonly PendingRequest[]
  /** Given up: nobody knows whether they were executed. */
  readonly lost: readonly PendingRequest[]
  /** The one that was too large for the server (close code 1009): it is the cause, and would be again. */
  readonly tooLarge: PendingRequest | undefined
}

/** A listen ends only by somebody's will, never by a drop, and it is no call: nobody waits for its answer. */
const isListen = (request: PendingRequest): boolean => request.method === 'subscriptions/listen'

/** The requests of the layer above that were written and wait for an answer. */
export class Flight {
  readonly #requests = new PendingRequests<PendingRequest>()
  #calls = 0

  /** How many calls are open: requests other than listens. */
  get calls(): number {
    return this.#calls
  }

  has(id: RequestId): boolean {
    return this.#requests.has(id)
  }

  add(request: PendingRequest): void {
    this.#requests.add(request)
    if (!isListen(request)) this.#calls++
  }

  take(id: RequestId): PendingRequest | undefined {
    const request = this.#requests.take(id)
    if (request !== undefined && !isListen(request)) this.#calls--
    return request
  }

  /** Removes and returns all, listens included. */
  takeAll(): PendingRequest[] {
    this.#calls = 0
    return this.#requests.takeAll()
  }

  /** Sorts what was in flight after a drop that will be followed by a reconnect; listens stay. */
  triage(closure: Closure): Triage {
    const calls = this.takeAll().filter((request) => {
      if (isListen(request)) this.#requests.add(request)
      return !isListen(request)
    })
    const tooLarge =
      closure.code === 1009 ? calls.reduce<PendingRequest | undefined>((a, b) => (a && a.size >= b.size ? a : b), undefined) : undefined
    const again = (request: PendingRequest): boolean => request !== tooLarge && request.phase === 'sent' && request.text !== undefined
    return { resend: calls.filter(again), lost: calls.filter((request) => request !== tooLarge && !again(request)), tooLarge }
  }
}
