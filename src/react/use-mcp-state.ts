import type { McpWebSocketClient, StateChange, StateName } from 'mcp-websocket-client'
import { useCallback, useSyncExternalStore } from 'react'

/** The state of a client, for a component to show. */
export interface McpState {
  /** Where the client is in its life: see `docs/lifecycle.md`. */
  readonly state: StateName
  /** Number of the dial under way or to come, from 1; `undefined` in any other state. */
  readonly attempt: number | undefined
  /** In `waiting`: the whole delay before the next dial, in ms, counted from the beginning of the state. */
  readonly delay: number | undefined
  /** Whether there has been no connection for more than 5 s, after there was one: an outage of which people should be told. */
  readonly isConnectionLost: boolean
  /** Why there is no connection: what ended the last one or the last dial, or why the client gave up; `undefined` once it is ready. */
  readonly error: Error | undefined
}

/** What is shown on a server, and on a page until it is hydrated: no effect has run, so nothing was dialled. */
const IDLE: McpState = { state: 'idle', attempt: undefined, delay: undefined, isConnectionLost: false, error: undefined }

const EVENTS = ['state', 'connection-lost', 'connection-restored'] as const

/** What was last read of each client: React wants the same object until something has changed. */
const lastRead = new WeakMap<McpWebSocketClient, { readonly change: StateChange | undefined; readonly value: McpState }>()

function read(client: McpWebSocketClient): McpState {
  const { lastChange: change, isConnectionLost } = client
  const last = lastRead.get(client)
  if (last?.change === change && last?.value.isConnectionLost === isConnectionLost) return last.value
  const { to: state = client.state, attempt, delay, closure } = change ?? {}
  // The state of a dial has no error: keep that of the state `waiting` before it, which has the same number.
  const isDialing = attempt !== undefined && attempt === last?.value.attempt
  const error = change?.error ?? closure?.error ?? (isDialing ? last.value.error : undefined)
  const value = { state, attempt, delay, isConnectionLost, error }
  lastRead.set(client, { change, value })
  return value
}

/**
 * The state of a client that was made elsewhere. The component is rendered again at every change; the client is neither connected nor
 * closed.
 *
 * @example
 * ```ts
 * const { state, isConnectionLost } = useMcpState(client)
 * ```
 */
export function useMcpState(client: McpWebSocketClient): McpState {
  const subscribe = useCallback(
    (notify: () => void) => {
      for (const event of EVENTS) client.on(event, notify)
      return () => {
        for (const event of EVENTS) client.off(event, notify)
      }
    },
    [client]
  )
  return useSyncExternalStore(
    subscribe,
    () => read(client),
    () => IDLE
  )
}
