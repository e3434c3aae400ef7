import type { LifecycleState, StateName } from '../connection/lifecycle.js'
import type { Closure, McpWebSocketError } from '../errors.js'
import type { Reconnected, Resumed } from '../types/client.js'
import type { Params } from '../types/json-rpc.js'

/** What a change of the state tells beside its name. */
interface ChangeFacts {
  /** Number of the dial under way or to come, from 1. */
  readonly attempt: number
  /** Time until the next dial, in ms. */
  readonly delay: number
  /** What ended the connection or the dial, if that is why the state changed. */
  readonly closure: Closure
  /** Why the client gave up. */
  readonly error: McpWebSocketError
}

/** A change to one of the states `To`, which always tells `Known`, and perhaps a closure. */
type ChangeTo<To extends StateName, Known extends keyof ChangeFacts = never> = {
  /** The state that was left. */
  readonly from: StateName
  /** The state that was entered. */
  readonly to: To
} & Pick<ChangeFacts, Known> & {
    readonly [Name in Exclude<keyof ChangeFacts, Known>]?: (Name extends 'closure' ? Closure : never) | undefined
  }

/**
 * Payload of the event `state`. The new state, `to`, tells the kinds apart: `connecting` and `initializing` have the `attempt`, `waiting`
 * has the `delay` and the `closure` too, and `failed` has the `error` and the `closure`.
 */
export type StateChange =
  | ChangeTo<'connecting' | 'initializing', 'attempt'>
  | ChangeTo<'waiting', 'attempt' | 'delay' | 'closure'>
  | ChangeTo<'failed', 'error' | 'closure'>
  | ChangeTo<'idle' | 'ready' | 'closing' | 'closed'>

/** A state in which the life has ended, or is about to. */
export type EndState = Extract<LifecycleState, { readonly name: 'closing' | 'closed' | 'failed' }>

/** Whether the life has ended, or is about to. */
export const isOver = (state: LifecycleState): state is EndState =>
  state.name === 'closing' || state.name === 'closed' || state.name === 'failed'

/** The payload of `state` for a change of the lifecycle. */
export function describeChange(to: LifecycleState, from: LifecycleState, closure: Closure | undefined): StateChange {
  const attempt = 'life' in to && to.name !== 'ready' ? to.life.attempt : undefined
  const delay = to.name === 'waiting' ? Math.ceil(to.delay) : undefined
  const error = to.name === 'failed' ? to.error : undefined
  return { from: from.name, to: to.name, attempt, delay, closure, error } as StateChange
}

/** The events of a client and their payloads. What a server says can cause `notification` and `error`, and no other event. */
export interface ClientEvents {
  /** The state changed. */
  state: StateChange
  /** The client is ready again after an outage, on a connection that begins anew. */
  reconnected: Reconnected
  /** The client is ready again after an outage, and nothing was lost: see the option `resume`. */
  resumed: Resumed
  /** The server sent a notification; a handler may have taken it too. */
  notification: {
    /** What happened, for example `notifications/tools/list_changed`. */
    readonly method: string
    /** What the server says about it. */
    readonly params?: Params | undefined
  }
  /**
   * There has been no connection for 5 s, after there was one. Emitted once for each such outage, to tell people; shorter ones are no news
   * for them.
   */
  'connection-lost': undefined
  /** The end of an outage that `connection-lost` told of. */
  'connection-restored': {
    /** How long the outage lasted, in ms. */
    readonly downtime: number
  }
  /** Something went wrong that belongs to no promise. The client goes on. */
  error: Error
  /** The client gave up; `connect()` starts a new life. */
  failed: McpWebSocketError
  /** The program closed the client. */
  close: undefined
}
