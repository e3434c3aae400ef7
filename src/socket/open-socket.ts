import IsomorphicWebSocket from 'isomorphic-ws'
import { asError } from '../lib/guarded.js'
import { HandshakeError } from '../errors.js'
import type { WebSocketConstructor } from '../types/options.js'
import { canSetHeaders, NodeSocket } from './node-socket.js'
import { PlainSocket, type Socket, type SocketListener, type SocketOptions, type WebSocketLike } from './web-socket.js'
import type { Target } from './target.js'

/** Opens a socket; `openSocket` below is the real one, tests hand in others. */
export type OpenSocket = (target: Target, options: SocketOptions, listener: SocketListener) => Socket

/** The WebSocket class to use: the given one, or that of `isomorphic-ws`. @throws TypeError naming the option, if there is none. */
function webSocketClass(given: WebSocketConstructor | undefined): WebSocketConstructor {
  const imported = IsomorphicWebSocket as { default?: unknown } | undefined
  // Some bundlers hand over the module instead of its default export.
  const found = imported?.default ?? imported
  // isomorphic-ws reads the global once, at import: a later one (a mock, a polyfill) counts more, but not more than ws.
  const known = canSetHeaders(found) ? found : ((globalThis as { WebSocket?: unknown }).WebSocket ?? found)
  const chosen = given ?? known
  if (typeof chosen === 'function') return chosen as WebSocketConstructor
  throw new TypeError('WebSocket must be given: this engine has none')
}

/** Whether headers can be set: by capability of the class, not by the name of the runtime. */
export const headersWork = (given: WebSocketConstructor | undefined): boolean => canSetHeaders(webSocketClass(given))

/** Opens a WebSocket of this engine. @throws HandshakeError when the engine refuses the very call. */
export const openSocket: OpenSocket = (target, options, listener) => {
  try {
    const WebSocketClass = webSocketClass(options.WebSocket)
    if (canSetHeaders(WebSocketClass)) return new NodeSocket(WebSocketClass, target, options, listener)
    return new PlainSocket(new WebSocketClass(target.url.href, [...target.protocols]) as WebSocketLike, target, options, listener)
  } catch (cause) {
    const message = `the WebSocket refused the call: ${asError(cause).message}`
    throw new HandshakeError('CONNECT_FAILED', message, { cause, delivery: 'not-sent' })
  }
}
