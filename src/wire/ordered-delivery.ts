import { isResponse } from './json-rpc.js'
import type { JsonRpcMessage } from '../types/json-rpc.js'

/** A queue in front of an official SDK. */
export interface InTurn {
  take(message: JsonRpcMessage): void
  /** Hands on what waits, as nothing will follow. */
  flush(): void
}

/**
 * Hands messages to an official SDK so that it takes them in their order, however many are read in one turn of the loop. It runs its
 * handlers a microtask later, but settles a request at once: a report of progress would come after the answer behind it, to nobody.
 * So an answer waits for the handlers of what came before it, and what follows waits behind it.
 */
export function inTurn(handOn: (message: JsonRpcMessage) => void): InTurn {
  const waiting: JsonRpcMessage[] = []
  // The first of them that was not handed on: `shift()` would move all the others, and one frame holds hundreds of thousands.
  let first = 0
  // Messages whose handler has not run yet.
  let unheard = 0
  const run = (isEnd?: boolean): void => {
    for (let next = waiting[first]; next && (isEnd || !unheard || !isResponse(next)); next = waiting[first]) {
      if (++first === waiting.length) waiting.length = first = 0
      handOn(next)
      if (isResponse(next)) continue
      unheard++
      // Behind the SDK's own microtask, which is in the queue by now.
      queueMicrotask(() => {
        unheard--
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
