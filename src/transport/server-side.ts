import { QueueFullError } from '../errors.js'
import { isObject } from '../lib/is-object.js'
import type { JsonRpcRequest } from '../types/json-rpc.js'
import type { ConnectionOptions, ReconnectOptions } from '../types/options.js'
import { RelayedHandshake, speaksModern } from './relayed-handshake.js'

/**
 * Most bytes that a server may have waiting in its socket: beyond that, a response ends the connection. More than a client's, because
 * results are larger than requests, and a server has no outbox.
 */
export const SERVER_BUFFER: number = 64 * 2 ** 20

/**
 * What `role: 'server'` makes of the options. Nothing is kept for the next socket, because the client at the other end begins anew on each
 * one. Retries never end by default, because nobody would call `connect()` again.
 * @throws TypeError for options about what is kept.
 */
export function serverOptions({ reconnect = {}, ...options }: ConnectionOptions): ConnectionOptions {
  const kept = (['outbox', 'resend', 'resume'] as const).find((name) => options[name] !== undefined)
  if (kept !== undefined) throw new TypeError(`leave ${kept} out: with role "server", nothing is kept for the next connection`)
  const { maxRetries = Infinity }: ReconnectOptions = isObject(reconnect) ? reconnect : {}
  return { ...options, reconnect: isObject(reconnect) ? { ...reconnect, maxRetries } : reconnect, outbox: false, resend: 'never' }
}

/** The error of a server's request while no client is connected. */
export const nobodyError = (method: string): QueueFullError =>
  new QueueFullError(`the client that ${method} is for is not connected`, 'Ask again when a client has made its next request.')

/** The layer above is a server: it makes no handshake, but waits for the one of its client, on every socket anew. */
export class ServerSide extends RelayedHandshake {
  #isModern = false

  override get keeps(): boolean {
    return false
  }

  override get isMute(): boolean {
    return this.#isModern
  }

  override noteReceived(request: JsonRpcRequest): void {
    this.#isModern ||= speaksModern(request)
  }

  override closed(): void {
    this.#isModern = false
  }
}
