import { INTERNAL_ERROR, METHOD_NOT_FOUND } from './core/jsonrpc.js'
import { isRpcError, ProtocolError } from './errors.js'
import type { RequestHandler } from './types/client.js'
import type { JsonRpcError, JsonRpcMessage, JsonRpcNotification, JsonRpcRequest, Params, Progress, RequestId } from './types/json-rpc.js'

/** Runs the handlers for the server's requests and sends what they return. */
export class InboundDispatch {
  readonly #send: (message: JsonRpcMessage) => void
  readonly #handlers = new Map<string, RequestHandler>()
  readonly #running = new Map<RequestId, AbortController>()

  constructor(send: (message: JsonRpcMessage) => void) {
    this.#send = send
    this.remove('ping')
  }

  set(method: string, handler: RequestHandler): void {
    this.#handlers.set(method, handler)
  }

  remove(method: string): void {
    this.#handlers.delete(method)
    // Every client must answer it (MCP 2025-11-25, basic/utilities/ping).
    if (method === 'ping') this.#handlers.set('ping', () => ({}))
  }

  /** Answers a question of the server that did not come as a request, but within the result of one. */
  async answer(method: string, params: Params | undefined, signal: AbortSignal): Promise<unknown> {
    const handler = this.#handlers.get(method)
    if (handler === undefined) {
      const hint = `Register one with setRequestHandler('${method}', ...).`
      throw new ProtocolError('INVALID_RESPONSE', `the server asks for ${method}, for which no handler is set`, { hint })
    }
    return await handler({ method, params }, { requestId: method, signal, sendProgress: () => undefined })
  }

  /** The server no longer wants this answer, or its socket is gone. */
  cancel(id: RequestId, reason: unknown): void {
    this.#running.get(id)?.abort(reason)
    this.#running.delete(id)
  }

  /** Runs the handler for a request and answers it. */
  async receive({ id, method, params }: JsonRpcRequest): Promise<void> {
    const handler = this.#handlers.get(method)
    if (handler === undefined) {
      this.#refuse(id, { code: METHOD_NOT_FOUND, message: `No handler for ${method}` })
      return
    }
    const controller = new AbortController()
    this.#running.set(id, controller)
    const { signal } = controller
    try {
      const result = await handler(
        { method, params },
        { requestId: id, signal, sendProgress: (report) => this.#sendProgress(controller, id, params, report) }
      )
      if (!isResult(result)) throw new TypeError('The request handler returned no object')
      if (!signal.aborted) {
        this.#running.delete(id)
        this.#send({ jsonrpc: '2.0', id, result: (result ?? {}) as Params })
      }
    } catch (error) {
      // Also when the result is no JSON: the server must not wait for ever.
      if (!signal.aborted) this.#refuse(id, errorOf(error))
    } finally {
      // An aborted request was forgotten before, and its id may be in use again.
      if (this.#running.get(id) === controller) this.#running.delete(id)
      // The layer below still waits for this answer, to know when the id is free.
      if (signal.aborted) this.#refuse(id, { code: INTERNAL_ERROR, message: 'Cancelled' })
    }
  }

  #refuse(id: RequestId, error: JsonRpcError): void {
    try {
      this.#send({ jsonrpc: '2.0', id, error })
    } catch {
      // Even what the handler threw can hold what is no JSON.
      this.#send({ jsonrpc: '2.0', id, error: { code: error.code, message: error.message } })
    }
  }

  #sendProgress(controller: AbortController, id: RequestId, params: Params | undefined, report: Progress): void {
    const progressToken = params?._meta?.progressToken
    // Neither after the answer nor after a cancellation (MCP 2025-11-25, basic/utilities/progress).
    if (progressToken === undefined || this.#running.get(id) !== controller) return
    const message: JsonRpcNotification = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, ...report } }
    this.#send(message)
  }
}

const isResult = (result: unknown): boolean => typeof result === 'object' || result === undefined

/** What a handler threw, as the server may see it: never a stack. */
function errorOf(error: unknown): JsonRpcError {
  if (isRpcError(error)) return { code: error.rpcCode, message: error.message, data: error.data }
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return {
    code: Number.isInteger(code) ? (code as number) : INTERNAL_ERROR,
    message: typeof message === 'string' ? message : 'The request handler failed'
  }
}
