import type { McpWebSocketClient, McpWebSocketClientOptions } from 'mcp-websocket-client'
import { useEffect, useState } from 'react'
import { keyOf } from './followed-options.js'
import { OwnedClient } from './owned-client.js'
import { useMcpState, type McpState } from './use-mcp-state.js'
import { useMcpTools, type McpTools } from './use-mcp-tools.js'

/** What {@link useMcpClient} returns. */
export interface UseMcpClientResult extends McpState, McpTools {
  /** The client: call tools with it. Another one when the options change. */
  readonly client: McpWebSocketClient
  /** Why there is no connection, or else why the tools could not be read; `undefined` if all is well. */
  readonly error: Error | undefined
  /** Dials at once, also after the client gave up. Never throws: what comes of it shows in `state` and `error`. */
  readonly reconnect: () => void
}

/**
 * A client that lives as long as the component: it connects after the first render, and is closed when the component is unmounted.
 * Options are compared by value: there is a new client only when an option has another value. Functions may be new at every render; the
 * client calls those of the last one. On a server nothing is dialled.
 *
 * @throws TypeError naming the option that is wrong.
 * @example
 * ```ts
 * const { client, state, tools, error, reconnect } = useMcpClient({ url: 'wss://mcp.example.com/ws' })
 * ```
 */
export function useMcpClient(options: McpWebSocketClientOptions): UseMcpClientResult {
  // State and not a memo, which hot reload and React itself may forget.
  const [kept, setKept] = useState(() => new OwnedClient(options))
  let owned = kept
  if (owned.key !== keyOf(options)) setKept((owned = new OwnedClient(options)))
  useEffect(() => {
    owned.options = options
  })
  useEffect(() => owned.mount(), [owned])
  const { client, reconnect } = owned
  const state = useMcpState(client)
  const { tools, error } = useMcpTools(client)
  return { ...state, client, tools, error: state.error ?? error, reconnect }
}
