import type { McpWebSocketClient } from 'mcp-websocket-client'
import { useSyncExternalStore } from 'react'
import { ToolList, UNKNOWN, type McpTools } from './tool-list.js'

export type { McpTools }

/** One list for each client, however many components show it. */
const lists = new WeakMap<McpWebSocketClient, ToolList>()

function listOf(client: McpWebSocketClient): ToolList {
  const list = lists.get(client) ?? new ToolList(client)
  lists.set(client, list)
  return list
}

/**
 * The tools of the server that a client is connected to. They are read when the client is ready, and again after every reconnect and
 * every `list_changed`; several components share what is read.
 *
 * @example
 * ```ts
 * const { tools } = useMcpTools(client)
 * ```
 */
export function useMcpTools(client: McpWebSocketClient): McpTools {
  const { watch, read } = listOf(client)
  return useSyncExternalStore(watch, read, () => UNKNOWN)
}
