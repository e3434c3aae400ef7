import { RetriesExhaustedError, type Closure, type McpWebSocketError } from '../errors.js'
import type { TokenContext } from '../types/options.js'
import { askedFor, backoffDelay, type BackoffPolicy } from './backoff.js'
import { askedDelay, judgeClosure, reasonForToken, withError } from './closures.js'

/**
 * The life of a client's connection.
 *
 * ```
 *          connect              socketOpened                 confirmed
 *   idle ───────────► connecting ───────────► initializing ───────────► ready ─┐ stabilized:
 *                     ▲  │  ▲                      │                    │  ▲   │ retries = 0
 *           timedOut  │  │  └── redial ◄───────────┤                    │  └───┘
 *                     │  │ socketClosed            │ socketClosed       │ socketClosed
 *                     │  ▼                         ▼                    ▼
 *                   waiting ◄──────────────────────┴────────────────────┘
 *                        │
 *                        └─► failed   (fatal, or the retries are used up)
 *
 *   reconnect: any living state ─► connecting     close: an open socket ─► closing ─► closed, else ─► closed
 *   left (after goaway): ready ─► waiting
 * ```
 *
 * A state carries exactly what is true in it. An event that means nothing in a state returns the same object.
 */
export type LifecycleState =
  | { readonly name: 'idle' }
  | { readonly name: 'connecting'; readonly life: Life }
  | { readonly name: 'initializing'; readonly life: Life }
  | { readonly name: 'ready'; readonly life: Life }
  | { readonly name: 'waiting'; readonly life: Life; readonly delay: number; readonly closure: Closure }
  | { readonly name: 'closing' }
  | { readonly name: 'closed' }
  | { readonly name: 'failed'; readonly error: McpWebSocketError; readonly closure: Closure }

/** Name of a state, as `client.state` shows it. */
export type StateName = 'idle' | 'connecting' | 'initializing' | 'ready' | 'waiting' | 'closing' | 'closed' | 'failed'

/** The dials that are neither counted nor delayed; each happens at most once in a life. */
export type Redial = 'era' | 'token' | 'resume' | 'protocols'

/** What a life (from `connect()` to `closed` or `failed`) remembers from one connection to the next. */
export interface Life {
  /** Number of the dial under way, from 1, since `connect()` or since the last stable connection; 0 while stable. */
  readonly attempt: number
  /** Consecutive retries; short-lived connections do not end the row, only a stable one does. */
  readonly retries: number
  /** Whether the client was `ready` once in this life. */
  readonly everReady: boolean
  /** Which uncounted redials were used: see docs/decisions/0005-uncounted-redials.md. */
  readonly redials: readonly Redial[]
  /** Why the next dial asks for a token. */
  readonly reason: TokenContext['reason']
  /** Whether a fresh token was asked for after a 401 or 403, since the last stable connection. */
  readonly refreshed: boolean
  /** How many dials in a row opened a socket on which the server said nothing, while it was never ready in this life. */
  readonly silences: number
}

/** What the owner of a connection wants: begin a life, unless one is under way; dial anew at once; end the life. */
export type Command = 'connect' | 'reconnect' | 'close'

/** What happens to a lifecycle. Commands are imperative, facts past tense. */
export type LifecycleEvent =
  | { readonly type: Command }
  | { readonly type: 'socketOpened' }
  /** The layer above finished its handshake. */
  | { readonly type: 'confirmed' }
  /** `ready` lasted for `resetAfter`. */
  | { readonly type: 'stabilized' }
  | SocketClosed
  /** A stable connection is left for another one, in the time that the server asked for: that is no retry. */
  | { readonly type: 'left'; readonly closure: Closure; readonly random: number }
  /** The wait is over, or the closing handshake took too long. */
  | { readonly type: 'timedOut' }

/** The socket, or the dial for one, is over. */
export interface SocketClosed {
  /** Tells this event from the others. */
  readonly type: 'socketClosed'
  /** How it ended. */
  readonly closure: Closure
  /** What the program's `shouldReconnect` returned: it wins over the default. */
  readonly override?: boolean | undefined
  /** This closure answers a question that only a dial could ask: dial again at once. */
  readonly redial?: Exclude<Redial, 'token'> | undefined
  /** Whether another token can be had. */
  readonly refreshable: boolean
  /** A number in [0, 1). */
  readonly random: number
}

/** When to retry. */
export interface RetryPolicy extends BackoffPolicy {
  /** `false`: no retry at all; `connect()` rejects with the failure of the attempt itself. */
  readonly enabled: boolean
  /** Consecutive retries before giving up; 0 = none, `Infinity` = for ever. */
  readonly maxRetries: number
}

const FIRST: Life = { attempt: 1, retries: 0, everReady: false, redials: [], reason: 'connect', refreshed: false, silences: 0 }
// A server that was never ready and is silent that often does not speak MCP: all retries would take minutes.
const MOST_SILENCES = 4

/** The next state. Pure: chance and time come in with the events. */
export function transition(state: LifecycleState, event: LifecycleEvent, policy: RetryPolicy): LifecycleState {
  if ('life' in state) return alive(state, event, policy)
  const { type } = event
  if (state.name === 'closing') return type === 'socketClosed' || type === 'timedOut' ? { name: 'closed' } : state
  if (type === 'connect' || type === 'reconnect') return { name: 'connecting', life: FIRST }
  return type === 'close' && state.name !== 'closed' ? { name: 'closed' } : state
}

type Alive = Extract<LifecycleState, { life: Life }>

function alive(state: Alive, event: LifecycleEvent, policy: RetryPolicy): LifecycleState {
  const { name, life } = state
  switch (event.type) {
    case 'connect':
      return state
    case 'reconnect':
      return { name: 'connecting', life: { ...life, attempt: 1, retries: 0 } }
    case 'close':
      return { name: name === 'initializing' || name === 'ready' ? 'closing' : 'closed' }
    case 'timedOut':
      return name === 'waiting' ? { name: 'connecting', life } : state
    case 'socketOpened':
      return name === 'connecting' ? { name: 'initializing', life } : state
    case 'confirmed':
      return name === 'initializing' ? { name: 'ready', life: { ...life, everReady: true, reason: 'connect' } } : state
    case 'stabilized':
      return name === 'ready' && life.attempt !== 0 ? { name, life: { ...life, attempt: 0, retries: 0, refreshed: false } } : state
    case 'left': {
      const { closure, random } = event
      if (name !== 'ready') return state
      return { name: 'waiting', life: { ...life, attempt: 1, retries: 0 }, delay: askedFor(closure.retryAfter ?? 0, random), closure }
    }
    case 'socketClosed':
      return name === 'waiting' ? state : afterClosure(life, event, policy)
  }
}

function afterClosure(before: Life, event: SocketClosed, policy: RetryPolicy): LifecycleState {
  const { closure, override } = event
  // Starlette, and what is built on it, says 403 to a token that has expired.
  const rejected = closure.status === 401 || closure.status === 403
  const refresh = rejected && event.refreshable && !before.refreshed
  const life: Life = {
    ...before,
    reason: reasonForToken(closure),
    refreshed: before.refreshed || refresh,
    silences: closure.error?.code === 'HANDSHAKE_TIMEOUT' && !before.everReady ? before.silences + 1 : 0
  }
  const redial = event.redial ?? (refresh && override !== false ? 'token' : undefined)
  if (redial && !life.redials.includes(redial)) return { name: 'connecting', life: { ...life, redials: [...life.redials, redial] } }
  const wanted = policy.enabled && (override ?? (refresh || judgeClosure(closure) === 'retry'))
  if (wanted && life.retries < policy.maxRetries && life.silences < MOST_SILENCES) {
    const retries = life.retries + 1
    const delay = backoffDelay(retries, policy, event.random, askedDelay(closure, policy.initialDelay))
    return { name: 'waiting', life: { ...life, retries, attempt: life.attempt + 1 }, delay, closure }
  }
  const { error } = withError(closure)
  // Where no retry was wanted there was nothing to exhaust: the caller wants the failure itself.
  return { name: 'failed', error: wanted ? new RetriesExhaustedError(life.attempt, error) : error, closure }
}
