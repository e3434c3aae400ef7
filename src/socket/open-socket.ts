import IsomorphicWebSocket from 'isomorphic-ws'
import { asError } from '../lib/guarded.js'
import { HandshakeError } from '../errors.js'
import type { WebSocketConstructor } from '../types/options.js'
import { canSetHeaders, openNodeSocket } from './node-socket.js'
import { publicUrl } from './secrets.js'
import { StandardSocket, type Socket, type SocketListener, type SocketOptions, type Target, type WebSocketLike } from './web-socket.js'

// The layer `socket`: one dial goes in, and an open socket or a closure comes out. It is the only code that knows the platform: which
// WebSocket there is, how engines differ, what their errors mean. It knows neither the messages of MCP nor reconnection nor the state of
// a client, and keeps nothing from one dial to the next. The connection calls it: `resolveTarget` (target.ts) says where to dial and with
// what, `openSocket` dials, and from then on a `Socket` takes commands while a `SocketListener` is told the facts. No error and no closure
// that leaves this layer holds a secret of its dial (secrets.ts).

/** Opens a socket; {@link openSocket} is the real one, tests hand in others. */
export type OpenSocket = (target: Target, options: SocketOptions, listener: SocketListener) => Socket

/** The WebSocket class to use: the given one, or that of `isomorphic-ws`. @throws TypeError naming the option, if there is none. */
function webSocketClass(given: WebSocketConstructor | undefined): WebSocketConstructor {
  const imported = IsomorphicWebSocket as { default?: unknown } | undefined
  // Some bundlers hand over the module instead of its default export.
  const found = imported?.default ?? imported
  // isomorphic-ws reads the global once, at import. A global that was set later (a mock, a polyfill) wins over it, but not over ws.
  const known = canSetHeaders(found) ? found : ((globalThis as { WebSocket?: unknown }).WebSocket ?? found)
  const chosen = given ?? known
  if (typeof chosen === 'function') return chosen as WebSocketConstructor
  throw new TypeError('WebSocket must be given: this engine has none')
}

/**
 * Whether headers can be set: by what the class can do, not by the name of the runtime.
 * @throws TypeError if there is no WebSocket class, given or not.
 */
export const headersWork = (given: WebSocketConstructor | undefined): boolean => canSetHeaders(webSocketClass(given))

/**
 * Opens a WebSocket of this engine.
 * @throws HandshakeError `CONNECT_FAILED` where the engine forbids the dial, as a page on `https:` may not dial `ws:`; anything else that
 * the WebSocket class throws is passed on, because it is no failed dial.
 */
export const openSocket: OpenSocket = (target, options, listener) => {
  try {
    const WebSocketClass = webSocketClass(options.WebSocket)
    const nodeSocket = openNodeSocket(WebSocketClass, target, options, listener)
    if (nodeSocket) return nodeSocket
    return new StandardSocket(new WebSocketClass(target.url.href, [...target.protocols]) as WebSocketLike, target, options, listener)
  } catch (cause) {
    const { name, message } = asError(cause)
    if (name !== 'SecurityError') throw cause
    throw new HandshakeError('CONNECT_FAILED', `no connection to ${publicUrl(target.url)}: ${message}`, { cause, delivery: 'not-sent' })
  }
}
