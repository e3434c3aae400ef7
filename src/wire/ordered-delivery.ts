import { isResponse } from './json-rpc.js'
import type { JsonRpcMessage } from '../types/json-rpc.js'

/** The queue that {@link orderedDelivery} puts in front of an official SDK. */
export interface OrderedDelivery {
  /** Delivers the message, at once if its turn has come, else behind those that wait. */
  take(message: JsonRpcMessage): void
  /** Delivers all that wait at once: the connection is over, and no handler is worth waiting for. */
  flush(): void
}

/**
 * Delivers messages to an official SDK one after another, in an order that its program sees too, even if one frame held all of them. The
 * SDKs run the handler of a notification a microtask after it was delivered, but settle a request at once: a response right behind a
 * progress report would overtake it, and the SDK drops progress for a request that is settled. So a response waits until the handlers of
 * all messages before it have run, and whatever follows waits behind it.
 */
export function orderedDelivery(deliver: (message: JsonRpcMessage) => void): OrderedDelivery {
  const waiting: JsonRpcMessage[] = []
  // Index of the first message that was not delivered: `shift()` would move all the others, and one frame can hold hundreds of thousands.
  let first = 0
  // How many messages were delivered whose handlers have not run yet.
  let unhandled = 0
  const run = (isEnd?: boolean): void => {
    for (let next = waiting[first]; next && (isEnd || !unhandled || !isResponse(next)); next = waiting[first]) {
      if (++first === waiting.length) waiting.length = first = 0
      deliver(next)
      if (isResponse(next)) continue
      unhandled++
      // The SDK queued its own microtask while the message was delivered, so this one runs after the handler.
      queueMicrotask(() => {
        unhandled--
        run()
      })
    }
  }
  return {
    take: (message) => {
      waiting.push(message)
      run()
    },
    flush: () => run(true)
  }
}
