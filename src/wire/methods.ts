import { isRequestId } from './json-rpc.js'
import { isObject } from '../lib/is-object.js'
import type { JsonRpcMessage, JsonRpcNotification, RequestId } from '../types/json-rpc.js'

// The methods of MCP that the code treats specially. Each is a constant, and not a member of a table, so that a bundle holds only those
// that it uses.

/** Opens a conversation. Source: MCP 2025-11-25, basic/lifecycle, "Initialization". */
export const INITIALIZE = 'initialize'
/** Ends the handshake that `initialize` began. Source: MCP 2025-11-25, basic/lifecycle, "Initialization". */
export const INITIALIZED = 'notifications/initialized'
/** Asks a server which versions and capabilities it has. Source: MCP 2026-07-28, server/discover. */
export const DISCOVER = 'server/discover'
/** Asks for a sign of life. Source: MCP 2025-11-25, basic/utilities/ping. */
export const PING = 'ping'
/** Gives a request up. Source: MCP 2025-11-25, basic/utilities/cancellation. */
export const CANCELLED = 'notifications/cancelled'
/** Tells how far a request has come. Source: MCP 2025-11-25, basic/utilities/progress. */
export const PROGRESS = 'notifications/progress'
/** Asks for notifications as long as the connection lasts. Source: MCP 2026-07-28, basic/patterns/subscriptions. */
export const LISTEN = 'subscriptions/listen'
/** Tells which part of a `subscriptions/listen` the server grants. Source: MCP 2026-07-28, basic/patterns/subscriptions. */
export const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged'
/** Sets the level of log messages. Source: MCP 2025-11-25, server/utilities/logging. */
export const SET_LEVEL = 'logging/setLevel'
/** Asks to be told when a resource changes. Source: MCP 2025-11-25, server/resources, "Subscriptions". */
export const SUBSCRIBE = 'resources/subscribe'
/** Ends a `resources/subscribe`. Source: MCP 2025-11-25, server/resources, "Subscriptions". */
export const UNSUBSCRIBE = 'resources/unsubscribe'
/** Calls a tool. Source: MCP 2025-11-25, server/tools, "Calling Tools". */
export const CALL_TOOL = 'tools/call'
/** Asks the user a question through the client. Source: MCP 2025-11-25, client/elicitation. */
export const CREATE_ELICITATION = 'elicitation/create'
/** Asks the client's model for a message. Source: MCP 2025-11-25, client/sampling. */
export const CREATE_MESSAGE = 'sampling/createMessage'
/** Asks for the directories and files that the server may work in. Source: MCP 2025-11-25, client/roots. */
export const LIST_ROOTS = 'roots/list'
/** Tells that the roots changed. Source: MCP 2025-11-25, client/roots. */
export const ROOTS_LIST_CHANGED = 'notifications/roots/list_changed'

/**
 * The notification that a request is given up.
 * @param reason - Words for logs and people; the receiver may show them.
 */
export const cancellation = (requestId: RequestId, reason: string): JsonRpcNotification => ({
  jsonrpc: '2.0',
  method: CANCELLED,
  params: { requestId, reason }
})

/** The id of the request that the message gives up; `undefined` if it is not a cancellation, or names no valid id. */
export function cancelledId(message: JsonRpcMessage): RequestId | undefined {
  if (!('method' in message) || message.method !== CANCELLED || !isObject(message.params)) return undefined
  const { requestId } = message.params
  return isRequestId(requestId) ? requestId : undefined
}
