import type { JsonRpcResponse } from '../types/json-rpc.js'
import { ConnectionLostError, ProtocolError, QueueFullError, type Closure, type McpWebSocketError } from '../errors.js'
import { describeClosure, lostCode } from '../connection/closures.js'
import { isErrorResponse } from '../wire/json-rpc.js'
import type { PendingRequest } from '../rpc/pending.js'

/**
 * The error of a request whose connection broke behind it, in words that a model can act on.
 * @param cause - The failure that ended the life, if it did.
 */
export function lostError(closure: Closure, cause?: McpWebSocketError): ConnectionLostError {
  const message = `${describeClosure(closure)}; whether the request was executed is unknown: check before you repeat it`
  return new ConnectionLostError(lostCode(closure), message, closure, { delivery: 'unknown', cause })
}

/** The error of the request that is taken to be the cause of close code 1009. */
export function tooLargeError(closure: Closure, request: PendingRequest): ConnectionLostError {
  const message = `${describeClosure(closure)}: a message was too large, probably ${request.method} (${String(request.size)} characters); it is not repeated`
  return new ConnectionLostError('MESSAGE_TOO_LARGE', message, closure, {
    delivery: 'unknown',
    hint: 'Send less, or raise the limit of the server (of this side: maxMessageBytes).'
  })
}

/** The trouble with a response without an id: the usual answer to what the server could not even read. */
export function unaddressedError(response: JsonRpcResponse, clean: (text: string) => string): ProtocolError {
  const words = isErrorResponse(response) ? clean(response.error.message) : 'a result'
  return new ProtocolError('INVALID_RESPONSE', `the server sent a response without an id: ${words}`)
}

/** The error of a message that may not wait. */
export const queueFullError = (method: string): QueueFullError =>
  new QueueFullError(
    `not connected, or the server does not read, and the outbox has no place for ${method}`,
    'Wait for the connection or for answers, or raise the option outbox.'
  )
