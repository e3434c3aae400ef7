import type { JsonRpcMessage } from '../types/json-rpc.js'

/**
 * Hands messages up in order. The SDK hears of progress a microtask later, but of an answer at once, and then knows its
 * token no more: what came in behind progress in the same turn has to wait for that.
 */
export class Delivery {
  readonly #hand: (message: JsonRpcMessage) => void
  /** What waits; `undefined` while nothing must. */
  #behind: JsonRpcMessage[] | undefined

  /** @param hand - Takes a message; throws nothing. */
  constructor(hand: (message: JsonRpcMessage) => void) {
    this.#hand = hand
  }

  deliver(message: JsonRpcMessage): void {
    if (this.#behind) return void this.#behind.push(message)
    this.#hand(message)
    if (!('method' in message && message.method === 'notifications/progress')) return
    this.#behind = []
    queueMicrotask(() => this.#catchUp())
  }

  /** Hands up all that waits, now: nobody listens later. */
  flush(): void {
    while (this.#behind) this.#catchUp()
  }

  #catchUp(): void {
    const behind = this.#behind ?? []
    this.#behind = undefined
    for (const message of behind) this.deliver(message)
  }
}
