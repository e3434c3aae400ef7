// When the options of two renders mean the same client. A component writes its options as literals, which are new objects and functions at
// every render: that must not cost a connection.

import type { McpWebSocketClientOptions } from 'mcp-websocket-client'

type Members = Record<string, unknown>

/**
 * Options that are kept as they are: a class, which is called with `new`; and an object such as `JSON`, whose functions cannot be listed.
 */
const FIXED: ReadonlySet<string> = new Set(['WebSocket', 'json'])

const isPlain = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** Replaces values that are not compared: all functions count as equal, and so do all objects of classes. */
const comparable = (_name: string, value: unknown): unknown => {
  if (typeof value === 'function') return 'a function'
  if (typeof value === 'object' && value !== null && !isPlain(value) && !Array.isArray(value)) return 'an object'
  // JSON would make null of `Infinity`.
  return typeof value === 'number' ? String(value) : value
}

/** Equal for options that differ only in the identity of functions and objects. */
export const keyOf = (options: McpWebSocketClientOptions): string => JSON.stringify(options, comparable)

/**
 * A copy of options whose functions call those of the latest ones, so that a token function sees the props of the last render.
 * @param latest - Options with the same key.
 */
export const followed = (options: McpWebSocketClientOptions, latest: () => McpWebSocketClientOptions): McpWebSocketClientOptions =>
  // The client rejects a value that is no object.
  typeof options === 'object' ? (follow(options, latest) as Members & McpWebSocketClientOptions) : options

const follow = (options: object, latest: () => object): Members =>
  Object.fromEntries(
    Object.entries(options).map(([name, value]: [string, unknown]) => {
      if (FIXED.has(name)) return [name, value]
      // Called as a member, since a function may use its `this`.
      if (typeof value === 'function')
        return [name, (...args: unknown[]) => (latest() as Record<string, (...args: unknown[]) => unknown>)[name]?.(...args)]
      return [name, isPlain(value) ? follow(value, () => (latest() as Members)[name] as Members) : value]
    })
  )
