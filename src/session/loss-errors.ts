import { describeClosure, lostCode } from '../connection/closures.js'
import { ConnectionLostError, ProtocolError, QueueFullError, type Closure, type McpWebSocketError } from '../errors.js'
import type { PendingRequest } from '../rpc/pending.js'
import type { JsonRpcResponse } from '../types/json-rpc.js'
import { isErrorResponse } from '../wire/json-rpc.js'

/**
 * The error of a request whose connection broke after it was sent, in words that a model can act on.
 * @param cause - The failure that ended the life, if the life has ended.
 */
export function lostError(closure: Closure, cause?: McpWebSocketError): ConnectionLostError {
  const message = `${describeClosure(closure)}; whether the request was executed is unknown: check before you repeat it`
  return new ConnectionLostError(lostCode(closure), message, closure, { delivery: 'unknown', cause })
}

/** The error of the request that probably caused close code 1009. */
export function tooLargeError(closure: Closure, { method, size }: PendingRequest): ConnectionLostError {
  const message = `${describeClosure(closure)}: a message was too large, probably ${method} (${String(size)} characters); it is not repeated`
  return new ConnectionLostError('MESSAGE_TOO_LARGE', message, closure, {
    delivery: 'unknown',
    hint: 'Send less, or raise the limit: maxMessageBytes here, or that of the server.'
  })
}

/** The error for a response without an id: what servers send when they could not even read a request. */
export function unaddressedError(response: JsonRpcResponse, redact: (text: string) => string): ProtocolError {
  const words = isErrorResponse(response) ? redact(response.error.message) : 'a result'
  return new ProtocolError('INVALID_RESPONSE', `the server sent a response without an id: ${words}`)
}

/** The error of a message for which the outbox has no place. */
export const queueFullError = (method: string): QueueFullError =>
  new QueueFullError(
    `no place for ${method} in the outbox: not connected, or the server does not read`,
    'Wait for the connection or for responses, or raise the option outbox.'
  )

/** The error of a state of the server, or a listen, that a new socket could not get back. @param problem - Why, without secrets. */
export const restoreFailedError = (method: string, problem: string): ProtocolError =>
  new ProtocolError('RESTORE_FAILED', `${method} could not be restored: ${problem}`, { hint: 'Ask for it again if it matters.' })
