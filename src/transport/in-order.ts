import { isNotification, isResponse } from '../core/jsonrpc.js'
import type { JsonRpcMessage } from '../types/json-rpc.js'

/**
 * Hands messages of one task to the SDK so that it works on them in their order: it does so with a response at once, with a
 * notification a microtask later, and the progress in front of an answer would find nobody.
 */
export function inOrder(hand: (message: JsonRpcMessage) => void): (message: JsonRpcMessage) => void {
  /** Whether there was a notification in this task. */
  let isBehind = false
  return (message) => {
    if (isBehind && isResponse(message)) return queueMicrotask(() => hand(message))
    hand(message)
    if (!isNotification(message)) return
    isBehind = true
    queueMicrotask(() => {
      isBehind = false
    })
  }
}
