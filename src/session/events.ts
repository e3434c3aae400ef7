import type { LifecycleState, StateName } from '../connection/lifecycle.js'
import type { Closure, McpWebSocketError } from '../errors.js'
import type { Reconnected } from '../types/client.js'
import type { Params } from '../types/json-rpc.js'

/** Payload of the event `state`. */
export interface StateChange {
  readonly from: StateName
  readonly to: StateName
  /** Number of the dial under way or to come, from 1; in `connecting`, `initializing` and `waiting`. */
  readonly attempt?: number
  /** Ms until the next dial; in `waiting`. */
  readonly delay?: number
  /** What ended the connection or the dial, if that is why the state changed. */
  readonly closure?: Closure
  /** Why the client gave up; in `failed`. */
  readonly error?: McpWebSocketError
}

/** The payload of `state` for a change of the lifecycle. */
export function describeChange(to: LifecycleState, from: LifecycleState, closure: Closure | undefined): StateChange {
  const attempt = 'life' in to && to.name !== 'ready' ? to.life.attempt : undefined
  const delay = to.name === 'waiting' ? to.delay : undefined
  const error = to.name === 'failed' ? to.error : undefined
  return { from: from.name, to: to.name, attempt, delay, closure, error }
}

/** The events of a client and their payloads. A server can cause `notification` and `error`, and no other by its words. */
export interface ClientEvents {
  state: StateChange
  /** Ready again after a lost connection. */
  reconnected: Reconnected
  /** Every notification of the server, also those that a handler takes. */
  notification: { readonly method: string; readonly params?: Params }
  /** Trouble that no promise could report. The client goes on. */
  error: Error
  /** The client gave up; `connect()` starts a new life. */
  failed: McpWebSocketError
  /** The client was closed by its program. */
  close: undefined
}
