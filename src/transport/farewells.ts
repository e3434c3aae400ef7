import type { Clock, Timer } from '../lib/clock.js'
import type { JsonRpcMessage, JsonRpcRequest, RequestId } from '../types/json-rpc.js'

// In ms. A server that shuts down says farewell to its listens and then closes: only the farewell of a server that stays counts.
const PATIENCE = 1000

interface Farewell {
  readonly request: JsonRpcRequest
  /** With which the server ended the listen. */
  readonly words: JsonRpcMessage
  readonly timer: Timer
}

/** Ends of `subscriptions/listen` that are held back until it is clear whether the server ended the listen, or itself. */
export class Farewells {
  readonly #clock: Clock
  readonly #onBelieved: (words: JsonRpcMessage) => void
  readonly #held = new Map<RequestId, Farewell>()

  /** @param onBelieved - Takes the words of a server that stayed. */
  constructor(clock: Clock, onBelieved: (words: JsonRpcMessage) => void) {
    this.#clock = clock
    this.#onBelieved = onBelieved
  }

  /** The server ended this listen. */
  hold(request: JsonRpcRequest, words: JsonRpcMessage): void {
    const timer = this.#clock.after(PATIENCE, () => {
      this.forget(request.id)
      this.#onBelieved(words)
    })
    this.#held.set(request.id, { request, words, timer })
  }

  /** The layer above ended this listen itself. @returns Whether its end was held back. */
  forget(id: RequestId): boolean {
    this.#held.get(id)?.timer.cancel()
    return this.#held.delete(id)
  }

  /** The socket is gone. @returns The listens that its server ended just before, oldest first. */
  takeAll(): Farewell[] {
    const all = [...this.#held.values()]
    for (const { request } of all) this.forget(request.id)
    return all
  }
}
