import { isRpcError, ProtocolError, RpcError } from '../errors.js'
import { abort, abortError } from '../lib/abort.js'
import type { RequestContext, RequestHandler } from '../types/client.js'
import type { ServerRequest } from '../types/extensions.js'
import type { JsonRpcError, JsonRpcNotification, JsonRpcRequest, JsonRpcResponse, Params, RequestId } from '../types/json-rpc.js'
import { asError } from '../lib/guarded.js'
import { INTERNAL_ERROR, METHOD_NOT_FOUND } from '../wire/json-rpc.js'
import { PING, PROGRESS } from '../wire/methods.js'
import { Middlewares } from './middlewares.js'

/** Carries what a dispatcher sends: responses, and reports of progress. */
export interface ResponsePipe {
  /** Sends a response. @throws TypeError for what JSON cannot hold. */
  respond(response: JsonRpcResponse): void
  /** Sends a notification. */
  notify(notification: JsonRpcNotification): void
}

/** Runs the program's handlers for the server's requests, and responds with what they return or throw. */
export class RequestDispatcher {
  /** What stands around the handlers. */
  readonly middlewares: Middlewares<ServerRequest> = new Middlewares()
  readonly #pipe: ResponsePipe
  readonly #onError: (error: Error) => void
  readonly #handlers = new Map<string, RequestHandler>()
  readonly #running = new Map<RequestId, AbortController>()

  /**
   * Knows how to respond to `ping`, and nothing else yet.
   * @param onError - Called with the error of a handler that failed: the error response goes to the server only, and the program would
   * learn nothing.
   */
  constructor(pipe: ResponsePipe, onError: (error: Error) => void) {
    this.#pipe = pipe
    this.#onError = onError
    this.remove(PING)
  }

  /** Sets the handler for a method, in place of an earlier one. */
  set(method: string, handler: RequestHandler): void {
    this.#handlers.set(method, handler)
  }

  /** Removes the handler for a method: from now on the server is told that the method is not found. */
  remove(method: string): void {
    this.#handlers.delete(method)
    // Every client must respond to it (MCP 2025-11-25, basic/utilities/ping).
    if (method === PING) this.#handlers.set(PING, () => ({}))
  }

  /**
   * Runs the handler for an input request: one that did not come as a request, but within the result of one
   * (MCP 2026-07-28, basic/patterns/mrtr).
   * @throws ProtocolError if no handler is set; else what the handler throws.
   */
  async runForInput(inputRequest: unknown, signal: AbortSignal): Promise<unknown> {
    const { method: given, params } = (inputRequest ?? {}) as { method?: unknown; params?: Params }
    const method = typeof given === 'string' ? given : 'an input request without a method'
    const handler = this.#handlers.get(method)
    if (!handler)
      throw new ProtocolError('INVALID_RESPONSE', `no handler is set for ${method}`, {
        hint: `Register one with setRequestHandler('${method}', ...).`
      })
    return resultOf(await this.#run(handler, { method, params }, { requestId: method, signal, sendProgress: () => undefined }))
  }

  /**
   * Aborts a handler: the server no longer wants the response, or its socket is gone.
   * @param reason - Why, in words. They become the message of the signal's reason, the error with which `fetch` and others reject.
   */
  cancel(id: RequestId, reason: unknown): void {
    const controller = this.#running.get(id)
    if (controller) abort(controller, abortError(reason))
    this.#running.delete(id)
  }

  /** Runs the handler for a request and responds. Never rejects. */
  async receive({ id, method, params }: JsonRpcRequest): Promise<void> {
    const controller = new AbortController()
    const { signal } = controller
    // An aborted request was forgotten before, and its id may be in use again.
    const isRunning = (): boolean => this.#running.get(id) === controller
    const progressToken = params?._meta?.progressToken
    const sendProgress = (report: object): void => {
      // Neither after the response nor after a cancellation (MCP 2025-11-25, basic/utilities/progress).
      if (progressToken !== undefined && isRunning())
        this.#pipe.notify({ jsonrpc: '2.0', method: PROGRESS, params: { progressToken, ...report } })
    }
    this.#running.set(id, controller)
    let outcome: Outcome
    try {
      const handler = this.#handlers.get(method) ?? methodNotFound
      outcome = { result: resultOf(await this.#run(handler, { method, params }, { requestId: id, signal, sendProgress })) }
    } catch (thrown) {
      outcome = { error: errorOf(thrown) }
      // Not reported: any other code, which the handler chose on purpose; and whatever a handler throws after it was aborted.
      if (outcome.error.code === INTERNAL_ERROR && !signal.aborted) this.#onError(asError(thrown))
    }
    if (isRunning()) this.#running.delete(id)
    // The layer below still waits for the response to a cancelled request, to know when the id is free.
    this.#respond(id, signal.aborted ? { error: { code: INTERNAL_ERROR, message: 'Cancelled' } } : outcome)
  }

  #run(handler: RequestHandler, request: Parameters<RequestHandler>[0], context: RequestContext): unknown {
    if (this.middlewares.isEmpty) return handler(request, context)
    return this.middlewares.run({ ...request, context }, async ({ context: own, ...handed }) => await handler(handed, own))
  }

  #respond(id: RequestId, outcome: Outcome): void {
    try {
      this.#pipe.respond({ jsonrpc: '2.0', id, ...outcome })
    } catch (thrown) {
      // JSON cannot hold what the handler returned or threw; the server must not wait for ever.
      this.#onError(asError(thrown))
      const { code, message } = 'error' in outcome ? outcome.error : errorOf(thrown)
      this.#pipe.respond({ jsonrpc: '2.0', id, error: { code, message } })
    }
  }
}

type Outcome = { readonly result: Params } | { readonly error: JsonRpcError }

const methodNotFound: RequestHandler = ({ method }) => {
  throw new RpcError(METHOD_NOT_FOUND, `No handler for ${method}`)
}

function resultOf(returned: unknown): Params {
  if (typeof returned === 'object' || returned === undefined) return (returned ?? {}) as Params
  throw new TypeError('The request handler did not return an object')
}

const HANDLER_FAILED: JsonRpcError = { code: INTERNAL_ERROR, message: 'The request handler failed' }

/** The error to respond with for what a handler threw, which may be anything. It never holds a stack. */
function errorOf(error: unknown): JsonRpcError {
  try {
    const { rpcCode, code, message, data } = (error ?? {}) as Partial<Record<'rpcCode' | 'code' | 'message' | 'data', unknown>>
    // The error may be an RpcError of another package, which has the code in `code`.
    const chosen = rpcCode ?? code
    return {
      code: Number.isSafeInteger(chosen) ? (chosen as number) : HANDLER_FAILED.code,
      message: typeof message === 'string' ? message : HANDLER_FAILED.message,
      ...(isRpcError(error) && { data })
    }
  } catch {
    // A proxy, or a getter that throws. The server must get a response, and Node ends the process at a rejection that nobody handles.
    return HANDLER_FAILED
  }
}
