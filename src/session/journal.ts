import type { PendingRequest } from '../rpc/pending.js'
import type { JsonRpcMessage, Params, RequestId } from '../types/json-rpc.js'
import { LISTEN, SET_LEVEL, SUBSCRIBE, UNSUBSCRIBE } from '../wire/methods.js'

// In ms. A server that shuts down ends its listens and then closes. So the end of a listen counts only if the server stays connected after
// it.
const END_BELIEVED_AFTER = 1000

/** A request about a state of the server (legacy era). A new socket must be told again what is set. */
export interface Restore {
  /** Sets the state; an unsubscription takes it away. */
  readonly method: typeof SET_LEVEL | typeof SUBSCRIBE | typeof UNSUBSCRIBE
  /** Its params, as they were sent. */
  readonly params: Params
}

/** The end of a listen that is held back: it is not delivered yet. */
interface HeldEnd {
  readonly message: JsonRpcMessage
  /** When to believe it, in ms of the clock. */
  readonly at: number
}

/** What the journal has to know of a request. */
type Noted = Pick<PendingRequest, 'id' | 'method' | 'params' | 'mayResend'>

/** A request about a state of the server that has no response yet. What a new socket must be told outlives it. */
interface Unconfirmed {
  readonly request: Noted
  readonly restore: Restore
}

/** The state that a request is about: the only level, or the subscription of a resource, by its URI. */
const stateOf = ({ method, params }: Restore): unknown => method === SET_LEVEL || params.uri

/**
 * Remembers what a new socket must be told again, by watching the traffic. A state of the server counts once the server has confirmed
 * it; what is in flight at a drop belongs to the resend policy. Live listens are remembered with their frame: they are sent again
 * verbatim, under the same id. See docs/decisions/0009-a-listen-that-ends-with-its-socket.md.
 */
export class Journal {
  readonly #confirmed = new Map<unknown, Restore>()
  readonly #unconfirmed = new Map<RequestId, Unconfirmed>()
  readonly #listens = new Map<RequestId, string>()
  readonly #ends = new Map<RequestId, HeldEnd>()

  /**
   * A request is written. A listen lives from now on, and an unsubscription counts from now on; all others count once the server has
   * confirmed them.
   * @param request - Has its params only when it is written for the first time.
   */
  noteSent(request: Noted, frame: string): void {
    const { id, method, params } = request
    if (method === LISTEN) this.#listens.set(id, frame)
    else if (params && (method === SET_LEVEL || method === SUBSCRIBE || method === UNSUBSCRIBE)) {
      const restore: Restore = { method, params }
      if (method === UNSUBSCRIBE) this.dropRestore(restore)
      // What an earlier request says to the contrary would undo after a drop what was asked for last.
      for (const [earlierId, earlier] of this.#unconfirmed)
        if (stateOf(earlier.restore) === stateOf(restore) && earlier.restore.method !== method) this.#outdate(earlierId, earlier)
      this.#unconfirmed.set(id, { request, restore })
    }
  }

  /** The server gave a request back, and it waits to be written again: if it is a listen, it does not live meanwhile. */
  noteReturned(id: RequestId): void {
    this.#listens.delete(id)
  }

  /** A request ended: by a result (`confirmed`), or because it failed, was lost or was given up. */
  noteEnd(id: RequestId, confirmed: boolean): void {
    if (this.#listens.size === 0 && this.#unconfirmed.size === 0) return
    this.#listens.delete(id)
    this.#ends.delete(id)
    const ended = this.#unconfirmed.get(id)
    if (confirmed && ended) this.#confirm(ended)
    this.#unconfirmed.delete(id)
  }

  #confirm(ended: Unconfirmed): void {
    const { restore } = ended
    if (restore.method !== UNSUBSCRIBE) this.#confirmed.set(stateOf(restore), restore)
    // The server may respond to an earlier request later: that level no longer counts, and after a drop it would undo this one.
    for (const [earlierId, earlier] of this.#unconfirmed) {
      if (earlier === ended || restore.method !== SET_LEVEL) return
      if (earlier.restore.method === SET_LEVEL) this.#outdate(earlierId, earlier)
    }
  }

  #outdate(id: RequestId, { request }: Unconfirmed): void {
    request.mayResend = false
    this.#unconfirmed.delete(id)
  }

  /** The server cannot restore this, or nobody wants it any more. */
  dropRestore(restore: Restore): void {
    this.#confirmed.delete(stateOf(restore))
  }

  /** Whether this request is a live listen. */
  isListen(id: RequestId): boolean {
    return this.#listens.has(id)
  }

  /** The server ended this listen with `message`. @returns When to believe it, in ms of the clock. */
  holdEnd(id: RequestId, message: JsonRpcMessage, now: number): number {
    const at = now + END_BELIEVED_AFTER
    this.#ends.set(id, { message, at })
    return at
  }

  /** Whether the server has ended this listen, but the end is held back. */
  isEnding(id: RequestId): boolean {
    return this.#ends.has(id)
  }

  /** When the first end that is held back is to be believed, in ms of the clock; `Infinity` if there is none. */
  get nextEndAt(): number {
    return Math.min(...[...this.#ends.values()].map(({ at }) => at))
  }

  /** Removes and returns the ends that are to be believed by `now`, with the ids of their listens. */
  takeEnds(now: number): [RequestId, JsonRpcMessage][] {
    const due = [...this.#ends].filter(([, { at }]) => at <= now)
    for (const [id] of due) this.#ends.delete(id)
    return due.map(([id, { message }]) => [id, message])
  }

  /** The socket is gone right after the server ended these listens: the server went away, so the listens live on. */
  forgetEnds(): void {
    this.#ends.clear()
  }

  /** The URIs whose updates may have been missed while there was no connection. */
  get subscribedUris(): string[] {
    return this.restores.flatMap(({ method, params }) => (method === SUBSCRIBE ? String(params.uri) : []))
  }

  /** What a legacy server must be told, sorted by method: the level first. The modern era has no such methods. */
  get restores(): Restore[] {
    return [...this.#confirmed.values()].sort((a, b) => a.method.localeCompare(b.method))
  }

  /** The live listens with their frames, oldest first. */
  get listens(): [RequestId, string][] {
    return [...this.#listens]
  }

  /** A new life begins with nothing. */
  clear(): void {
    for (const notes of [this.#confirmed, this.#unconfirmed, this.#listens, this.#ends]) notes.clear()
  }
}
