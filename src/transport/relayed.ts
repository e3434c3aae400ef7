import type { PendingRequest } from '../rpc/pending.js'
import type { JsonRpcRequest } from '../types/json-rpc.js'

/** A request of the SDK that waits for its answer. */
export interface Relayed extends PendingRequest {
  /** The whole of a listen, which may have to be opened again. */
  readonly listen: JsonRpcRequest | undefined
}

/** The record of a request that was not sent yet. */
export const relayed = (message: JsonRpcRequest, resend: Relayed['resend']): Relayed => {
  const { id, method } = message
  const listen = method === 'subscriptions/listen' ? message : undefined
  return { id, method, phase: 'queued', text: undefined, size: 0, resend, listen }
}
