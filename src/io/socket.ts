import IsomorphicWebSocket from 'isomorphic-ws'
import { HandshakeError } from '../errors.js'
import type { WebSocketConstructor } from '../types/options.js'
import { canSetHeaders, NodeSocket } from './node-socket.js'
import { PlainSocket, type Socket, type SocketListener, type SocketOptions, type WebSocketLike } from './plain-socket.js'
import type { Target } from './target.js'

/** Opens a socket; `openSocket` below is the real one, tests hand in others. */
export type OpenSocket = (target: Target, options: SocketOptions, listener: SocketListener) => Socket

/**
 * The WebSocket class to use: the given one, or that of `isomorphic-ws`.
 * @returns `undefined` in an engine without any.
 */
export function webSocketClass(given: WebSocketConstructor | undefined): WebSocketConstructor | undefined {
  if (given) return given
  const imported: unknown = IsomorphicWebSocket
  // Some bundlers hand over the module instead of its default export.
  const found = typeof imported === 'function' ? imported : (imported as { default?: unknown } | undefined)?.default
  if (typeof found === 'function' && canSetHeaders(found as WebSocketConstructor)) return found as WebSocketConstructor
  // isomorphic-ws reads the global once, at import: a later one (a mock, a polyfill) counts more.
  const current: unknown = (globalThis as { WebSocket?: unknown }).WebSocket ?? found
  return typeof current === 'function' ? (current as WebSocketConstructor) : undefined
}

/** Whether headers can be set: by capability of the class, not by the name of the runtime. */
export function headersWork(given: WebSocketConstructor | undefined): boolean {
  const WebSocketClass = webSocketClass(given)
  return WebSocketClass !== undefined && canSetHeaders(WebSocketClass)
}

/** Opens a WebSocket of this engine. @throws HandshakeError when the engine refuses the very call. */
export const openSocket: OpenSocket = (target, options, listener) => {
  const WebSocketClass = webSocketClass(options.WebSocket)
  if (WebSocketClass === undefined) {
    throw new HandshakeError('CONNECT_FAILED', 'this engine has no WebSocket', {
      hint: 'Pass a class as the option WebSocket.',
      delivery: 'not-sent'
    })
  }
  try {
    if (canSetHeaders(WebSocketClass)) return new NodeSocket(WebSocketClass, target, options, listener)
    return new PlainSocket(new WebSocketClass(target.url.href, [...target.protocols]) as WebSocketLike, target, options, listener)
  } catch (cause) {
    throw new HandshakeError(
      'CONNECT_FAILED',
      `the WebSocket refused the call: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause, delivery: 'not-sent' }
    )
  }
}
