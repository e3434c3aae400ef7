import { QueueFullError } from '../errors.js'
import { Turnover } from '../lib/turnover.js'
import type { JsonRpcRequest, Params, RequestId } from '../types/json-rpc.js'

/** Whether the caller wants a request to be sent again after a drop. */
export interface ResendOption {
  /** `'always'`: not only once, as for a handshake that the layer above makes. */
  readonly resend?: boolean | 'always' | undefined
}

/**
 * One request that we make, from the call to its settlement. There is one record for each, and every layer that has to do with the
 * request writes its part of it.
 */
export class PendingRequest {
  /** Names the request on the wire. */
  readonly id: RequestId
  /** What it asks for: the member `method` of the message. */
  readonly method: string
  /**
   * `queued`: never written. `sent`: written once. `returned`: written, but the server has certainly not executed it: it waits as if it had
   * never been written. `resent`: written a second time, although the server may have executed it; it is never written a third time.
   */
  phase: 'queued' | 'sent' | 'returned' | 'resent' = 'queued'
  /** The number of its frame in a session that survives its connection; 0 where there is none. */
  position = 0
  /** When it was written last, in whole ms of the clock. */
  sentAt = 0
  /** The request as text, without what the era adds to it: it may have to be sent again. */
  text: string | undefined
  /** Whether the request may be sent again after a drop. */
  mayResend = false
  /**
   * The text that was sent, if it differs from `text`. Kept only if the request may be sent again, because it is repeated byte for byte.
   */
  frame: string | undefined
  /** The params as the caller gave them, for the rules that look at them; only while the request has never been written. */
  params: Params | undefined
  /** Length of the frame that was sent, in UTF-16 code units: tells the largest request when the server closes with 1009. */
  size = 0
  /** The caller's options. */
  readonly options: ResendOption

  /** A record for a request that has not been written yet; see the members. */
  constructor(id: RequestId, method: string, params: Params | undefined, options: ResendOption = {}) {
    this.id = id
    this.method = method
    this.params = params
    this.options = options
  }

  /** The caller's option `resend`. */
  get resend(): ResendOption['resend'] {
    return this.options.resend
  }

  /** It is about to be written. @param now - In ms of the clock. */
  noteWritten(frame: string, now: number): void {
    this.phase = this.phase === 'sent' && this.resend !== 'always' && !this.isLive ? 'resent' : 'sent'
    this.size = frame.length
    // A whole number needs no memory of its own, and there may be many.
    this.sentAt = Math.round(now)
  }

  /** It was written. @param resent - Not for the first time. */
  onSent(_resent: boolean): void {
    // Only a call has somebody to tell.
  }

  /** Whether its response is the end of a stream: nobody waits for it, and after a reconnect the stream goes on. */
  get isLive(): boolean {
    return false
  }

  /** It is about to be written again. @returns Whether `text` is another one now. */
  renew(_textOf: (message: JsonRpcRequest) => string): boolean {
    return false
  }

  /** Whether the server may have executed it. */
  get mayBeExecuted(): boolean {
    return this.phase === 'sent' || this.phase === 'resent'
  }
}

/** @throws QueueFullError if `count` requests are pending, and no more are allowed. */
export function checkPending(count: number, most: number): void {
  if (count >= most)
    throw new QueueFullError('maxPending requests wait for a response', 'Wait for some of them, or raise the option maxPending.')
}

/** The requests that wait for a response, in the order in which they were made. */
export class PendingRequests {
  #byId = new Map<RequestId, PendingRequest>()
  readonly #turnover = new Turnover()
  readonly #most: number

  /** @param most - How many may be pending at once. */
  constructor(most: number = Infinity) {
    this.#most = most
  }

  /** How many are pending. */
  get size(): number {
    return this.#byId.size
  }

  /** Takes a request in. @throws QueueFullError if `most` are pending. */
  add(request: PendingRequest): void {
    checkPending(this.#byId.size, this.#most)
    if (this.#turnover.next(this.#byId.size)) this.#byId = new Map(this.#byId)
    this.#byId.set(request.id, request)
  }

  /** Whether a request with this id is pending. */
  has(id: RequestId): boolean {
    return this.#byId.has(id)
  }

  /** The request with this id, if it is pending. Ids match by type too: 1 is not "1". */
  get(id: RequestId): PendingRequest | undefined {
    return this.#byId.get(id)
  }

  /** Removes and returns the request; `undefined` if it settled before, or never was. */
  take(id: RequestId): PendingRequest | undefined {
    const request = this.#byId.get(id)
    this.#byId.delete(id)
    return request
  }

  /** All, oldest first. */
  all(): IterableIterator<PendingRequest> {
    return this.#byId.values()
  }

  /** Removes and returns all, oldest first. */
  takeAll(): PendingRequest[] {
    const all = [...this.#byId.values()]
    this.#byId.clear()
    return all
  }
}
