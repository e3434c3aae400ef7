import type { Closure } from '../errors.js'
import { PendingRequests, type PendingRequest } from '../rpc/pending.js'
import type { RequestId } from '../types/json-rpc.js'
import { ALL_ANSWERED } from '../wire/close-reasons.js'
import { LISTEN } from '../wire/methods.js'
import type { AwaitedCalls } from './liveness.js'

/** What a drop means for the requests that were in flight. */
export interface Triage {
  /** To be sent again, in their order. Those that were certainly not executed have the phase `returned`. */
  readonly resend: readonly PendingRequest[]
  /** Given up: whether the server executed them is unknown. */
  readonly lost: readonly PendingRequest[]
  /** The lost one that was too large for the server (close code 1009): it caused the closure, and would again. */
  readonly tooLarge: PendingRequest | undefined
}

/** A drop does not end a listen: the journal has it sent again. */
const isListen = ({ method }: PendingRequest): boolean => method === LISTEN

/** Neither a listen nor any other live request is a call: nobody waits for its response. */
const isCall = (request: PendingRequest): boolean => !isListen(request) && !request.isLive

/** The call that probably caused close code 1009: the largest of those in flight. */
export function tooLargeOf(inFlight: readonly PendingRequest[], { code }: Closure): PendingRequest | undefined {
  return code === 1009 ? inFlight.filter(isCall).sort((a, b) => b.size - a.size)[0] : undefined
}

/** The requests of the layer above that were written and wait for a response. */
export class InFlight extends PendingRequests implements AwaitedCalls {
  readonly #awaited = new Set<PendingRequest>()
  readonly #survives: () => boolean
  #hasUnread = false

  /** @param survives - Whether a drop would lose no call now: then no verdict about the connection has to wait for calls. */
  constructor(survives: () => boolean = () => false) {
    super()
    this.#survives = survives
  }

  override take(id: RequestId): PendingRequest | undefined {
    const request = super.take(id)
    if (request && this.#awaited.size > 0) this.#awaited.delete(request)
    return request
  }

  /** Removes and returns all, listens included. */
  override takeAll(): PendingRequest[] {
    this.#awaited.clear()
    return super.takeAll()
  }

  awaitCalls(): void {
    if (this.#survives()) return
    for (const request of this.all()) if (isCall(request)) this.#awaited.add(request)
  }

  get awaits(): boolean {
    return this.#awaited.size > 0
  }

  /** Something came in that could not be read, and that may have been a response. */
  noteUnread(): void {
    this.#hasUnread = true
  }

  /** How long the call that was written first has waited, in whole ms; nothing if there is none. */
  oldest(now: number): { readonly oldestRequest?: number } {
    for (const request of this.all()) if (isCall(request)) return { oldestRequest: Math.max(0, Math.round(now) - request.sentAt) }
    return {}
  }

  /** Whether anybody waits for a response. */
  get hasCalls(): boolean {
    for (const request of this.all()) if (isCall(request)) return true
    return false
  }

  /**
   * Sorts what was in flight, after a drop that a reconnect will follow; listens stay.
   * @param delivered - How many frames of the session that is over the server had received, if it said so.
   */
  triage(closure: Closure, delivered: number | null = null): Triage {
    const all = this.takeAll()
    const others = all.filter((request) => !isListen(request))
    for (const request of all) if (isListen(request)) this.add(request)
    // Everything unanswered has crossed the close frame of such a server, unless this side could not read a response.
    const isAllAnswered = closure.code === 1001 && closure.reason === ALL_ANSWERED && !this.#hasUnread
    this.#hasUnread = false
    const isUnseen = ({ position }: PendingRequest): boolean => isAllAnswered || (delivered !== null && position > delivered)
    // Not if it was sent twice: then it may have been executed the first time.
    for (const request of others) if (request.phase === 'sent' && isUnseen(request)) request.phase = 'returned'
    const tooLarge = tooLargeOf(others, closure)
    const again = (request: PendingRequest): boolean =>
      !request.mayBeExecuted || (request !== tooLarge && request.phase === 'sent' && request.mayResend)
    return { resend: others.filter(again), lost: others.filter((request) => !again(request)), tooLarge }
  }
}
