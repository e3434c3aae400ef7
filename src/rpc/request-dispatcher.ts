import { INTERNAL_ERROR, METHOD_NOT_FOUND } from '../wire/json-rpc.js'
import { isRpcError, ProtocolError, RpcError } from '../errors.js'
import type { RequestHandler } from '../types/client.js'
import type { JsonRpcError, JsonRpcMessage, JsonRpcRequest, Params, RequestId } from '../types/json-rpc.js'

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
  async answer(question: unknown, signal: AbortSignal): Promise<unknown> {
    const { method: given, params } = (question ?? {}) as { method?: unknown; params?: Params }
    const method = typeof given === 'string' ? given : 'a question without a method'
    const handler = this.#handlers.get(method)
    if (!handler)
      throw new ProtocolError('INVALID_RESPONSE', `no handler is set for ${method}`, {
        hint: `Register one with setRequestHandler('${method}', ...).`
      })
    return await handler({ method, params }, { requestId: method, signal, sendProgress: () => undefined })
  }

  /** The server no longer wants this answer, or its socket is gone. */
  cancel(id: RequestId, reason: unknown): void {
    this.#running.get(id)?.abort(reason)
    this.#running.delete(id)
  }

  /** Runs the handler for a request and answers it. */
  async receive({ id, method, params }: JsonRpcRequest): Promise<void> {
    const controller = new AbortController()
    const { signal } = controller
    // An aborted request was forgotten before, and its id may be in use again.
    const isRunning = (): boolean => this.#running.get(id) === controller
    const progressToken = params?._meta?.progressToken
    const sendProgress = (report: object): void => {
      // Neither after the answer nor after a cancellation (MCP 2025-11-25, basic/utilities/progress).
      if (progressToken !== undefined && isRunning())
        this.#send({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, ...report } })
    }
    this.#running.set(id, controller)
    let answer: Answer
    try {
      const handler = this.#handlers.get(method) ?? refuse
      answer = { result: resultOf(await handler({ method, params }, { requestId: id, signal, sendProgress })) }
    } catch (error) {
      answer = { error: errorOf(error) }
    }
    if (isRunning()) this.#running.delete(id)
    // The layer below still waits for the answer to a cancelled request, to know when the id is free.
    this.#answer(id, signal.aborted ? { error: { code: INTERNAL_ERROR, message: 'Cancelled' } } : answer)
  }

  #answer(id: RequestId, answer: Answer): void {
    try {
      this.#send({ jsonrpc: '2.0', id, ...answer })
    } catch (thrown) {
      // What the handler returned or threw is no JSON: the server must not wait for ever.
      const { code, message } = 'error' in answer ? answer.error : errorOf(thrown)
      this.#send({ jsonrpc: '2.0', id, error: { code, message } })
    }
  }
}

type Answer = { readonly result: Params } | { readonly error: JsonRpcError }

const refuse: RequestHandler = ({ method }) => {
  throw new RpcError(METHOD_NOT_FOUND, `No handler for ${method}`)
}

function resultOf(returned: unknown): Params {
  if (typeof returned === 'object' || returned === undefined) return (returned ?? {}) as Params
  throw new TypeError('The request handler returned no object')
}

/** What a handler threw, which may be anything. Never a stack. */
function errorOf(error: unknown): JsonRpcError {
  if (isRpcError(error)) return { code: error.rpcCode, message: error.message, data: error.data }
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  return {
    code: Number.isInteger(code) ? (code as number) : INTERNAL_ERROR,
    message: typeof message === 'string' ? message : 'The request handler failed'
  }
}
