import { describe, expect, it } from 'vitest'
import { ProtocolError, RpcError } from '../../src/errors.js'
import { RequestDispatcher, type ResponsePipe } from '../../src/rpc/request-dispatcher.js'
import type { RequestContext } from '../../src/types/client.js'
import type { JsonRpcNotification, JsonRpcRequest, JsonRpcResponse, Params, RequestId } from '../../src/types/json-rpc.js'
import { encodeMessage } from '../../src/wire/json-rpc.js'
import { settle } from '../helpers/fake-clock.js'

/** A pipe that keeps what it is given, if JSON can hold it. */
class FakePipe implements ResponsePipe {
  readonly sent: unknown[] = []

  respond(response: JsonRpcResponse): void {
    this.sent.push(JSON.parse(encodeMessage(response)))
  }

  notify(notification: JsonRpcNotification): void {
    this.sent.push(JSON.parse(encodeMessage(notification)))
  }
}

function rig(): { pipe: FakePipe; dispatcher: RequestDispatcher; errors: Error[] } {
  const pipe = new FakePipe()
  const errors: Error[] = []
  return { pipe, dispatcher: new RequestDispatcher(pipe, (problem) => errors.push(problem)), errors }
}

const requestOf = (method: string, params?: Params, id: RequestId = 1): JsonRpcRequest => ({ jsonrpc: '2.0', id, method, params })
const result = (value: unknown, id: RequestId = 1): unknown => ({ jsonrpc: '2.0', id, result: value })
const error = (value: object, id: RequestId = 1): unknown => ({ jsonrpc: '2.0', id, error: value })

describe('a dispatcher without handlers', () => {
  it('responds to ping, and to nothing else', async () => {
    const { pipe, dispatcher } = rig()
    await dispatcher.receive(requestOf('ping'))
    await dispatcher.receive(requestOf('roots/list', undefined, 'b'))
    expect(pipe.sent).toEqual([result({}), error({ code: -32601, message: 'No handler for roots/list' }, 'b')])
  })

  it('responds to ping again after a handler for it was removed', async () => {
    const { pipe, dispatcher } = rig()
    dispatcher.set('ping', () => ({ mine: true }))
    await dispatcher.receive(requestOf('ping'))
    dispatcher.remove('ping')
    await dispatcher.receive(requestOf('ping'))
    expect(pipe.sent).toEqual([result({ mine: true }), result({})])
  })

  it('finds no handler in the names of what every object has', async () => {
    const { pipe, dispatcher } = rig()
    await dispatcher.receive(requestOf('toString'))
    expect(pipe.sent).toMatchObject([{ error: { code: -32601 } }])
  })
})

describe('a handler', () => {
  it('gets method and params, and nothing else of the message', async () => {
    const { dispatcher } = rig()
    const given: unknown[] = []
    dispatcher.set('a', (request, { requestId }) => void given.push(request, requestId))
    await dispatcher.receive({ ...requestOf('a', { x: 1 }, 'id'), extra: true } as JsonRpcRequest)
    expect(given).toEqual([{ method: 'a', params: { x: 1 } }, 'id'])
  })

  it('runs in the turn in which the request came', () => {
    const { dispatcher } = rig()
    let ran = false
    dispatcher.set('a', () => void (ran = true))
    void dispatcher.receive(requestOf('a'))
    expect(ran).toBe(true)
  })

  it.each([
    ['nothing', undefined],
    ['null', null]
  ])('that returns %s has an empty result', async (_name, returned) => {
    const { pipe, dispatcher } = rig()
    dispatcher.set('a', () => returned)
    await dispatcher.receive(requestOf('a'))
    expect(pipe.sent).toEqual([result({})])
  })

  it.each([['words'], [42], [true], [1n], [Symbol('s')], [() => ({})]])('that returns no object fails: %s', async (returned) => {
    const { pipe, dispatcher } = rig()
    dispatcher.set('a', () => Promise.resolve(returned))
    await dispatcher.receive(requestOf('a'))
    expect(pipe.sent).toEqual([error({ code: -32603, message: 'The request handler did not return an object' })])
  })

  it.each([
    [
      'an RpcError',
      new RpcError(-32001, 'no such thing', { uri: 'a:1' }),
      { code: -32001, message: 'no such thing', data: { uri: 'a:1' } }
    ],
    ['an RpcError whose code JSON cannot hold', new RpcError(10n as never, 'x', 1), { code: -32603, message: 'x', data: 1 }],
    ['an RpcError whose code is no integer', new RpcError(1.5, 'x'), { code: -32603, message: 'x' }],
    [
      'an RpcError of another package',
      Object.assign(new Error('theirs'), { name: 'RpcError', code: -32050, data: 1 }),
      { code: -32050, message: 'theirs', data: 1 }
    ],
    ['one without a code', Object.assign(new Error('theirs'), { name: 'RpcError' }), { code: -32603, message: 'theirs' }],
    ['an error with a code', Object.assign(new Error('later'), { code: 1013, data: 'kept back' }), { code: 1013, message: 'later' }],
    ['an error of the system', Object.assign(new Error('gone'), { code: 'ENOENT' }), { code: -32603, message: 'gone' }],
    ['nothing', undefined, { code: -32603, message: 'The request handler failed' }],
    ['a message that is no text', { message: 7 }, { code: -32603, message: 'The request handler failed' }]
  ])('that throws %s makes an error response', async (_name, thrown, expected) => {
    const { pipe, dispatcher } = rig()
    dispatcher.set('a', () => {
      throw thrown
    })
    await dispatcher.receive(requestOf('a'))
    expect(pipe.sent).toEqual([error(expected)])
  })

  it('that throws what cannot even be read makes an error response, and no rejection', async () => {
    const { pipe, dispatcher } = rig()
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    dispatcher.set('a', () => Promise.reject(proxy))
    await expect(dispatcher.receive(requestOf('a'))).resolves.toBeUndefined()
    expect(pipe.sent).toEqual([error({ code: -32603, message: 'The request handler failed' })])
  })
})

describe('values that JSON cannot hold', () => {
  it('become an error response that says so, when they are in a result', async () => {
    const { pipe, dispatcher } = rig()
    dispatcher.set('a', () => ({ size: 1n }))
    await dispatcher.receive(requestOf('a'))
    expect(pipe.sent).toMatchObject([
      { id: 1, error: { code: -32603, message: expect.stringMatching(/^the result cannot be written as JSON/) as string } }
    ])
  })

  it('are left out of an error, which keeps its code and message', async () => {
    const { pipe, dispatcher } = rig()
    dispatcher.set('a', () => {
      throw new RpcError(7, 'too large', { size: 1n })
    })
    await dispatcher.receive(requestOf('a'))
    expect(pipe.sent).toEqual([error({ code: 7, message: 'too large' })])
  })
})

describe('a cancellation', () => {
  it('aborts the handler with its reason, and the response says so to the layer below', async () => {
    const { pipe, dispatcher } = rig()
    let signal: AbortSignal | undefined
    dispatcher.set('a', (_request, context) => {
      signal = context.signal
      return new Promise((resolve) => signal?.addEventListener('abort', () => resolve({ late: true })))
    })
    const received = dispatcher.receive(requestOf('a'))
    dispatcher.cancel(1, 'no longer needed')
    expect(signal?.reason).toBeInstanceOf(Error)
    expect(signal?.reason).toMatchObject({ name: 'AbortError', message: 'no longer needed' })
    await received
    expect(pipe.sent).toEqual([error({ code: -32603, message: 'Cancelled' })])
  })

  it.each([undefined, '', 7, { toString: 1 }])(
    'with the reason %j aborts the handler with an error that has words of its own',
    async (reason) => {
      const { dispatcher } = rig()
      let signal: AbortSignal | undefined
      dispatcher.set('a', (_request, context) => void (signal = context.signal))
      const received = dispatcher.receive(requestOf('a'))
      dispatcher.cancel(1, reason)
      await received
      expect(signal?.reason).toMatchObject({ name: 'AbortError', message: 'This operation was aborted' })
    }
  )

  it('of one request leaves another that runs under the same id alone', async () => {
    const { pipe, dispatcher } = rig()
    const contexts: RequestContext[] = []
    const finish: (() => void)[] = []
    dispatcher.set('a', (_request, context) => {
      contexts.push(context)
      return new Promise<object>((resolve) => finish.push(() => resolve({ run: finish.length })))
    })
    const token = { _meta: { progressToken: 't' } }
    void dispatcher.receive(requestOf('a', token))
    dispatcher.cancel(1, 'socket gone')
    void dispatcher.receive(requestOf('a', token))
    finish[0]?.()
    await settle()
    contexts[1]?.sendProgress({ progress: 1 })
    dispatcher.cancel(1, 'now this one')
    expect(contexts.map(({ signal }) => (signal.reason as Error).message)).toEqual(['socket gone', 'now this one'])
    expect(pipe.sent).toMatchObject([{ error: { message: 'Cancelled' } }, { method: 'notifications/progress' }])
    finish[1]?.()
    await settle()
  })

  it('of an unknown id, and after the response, does nothing', async () => {
    const { pipe, dispatcher } = rig()
    let signal: AbortSignal | undefined
    dispatcher.set('a', (_request, context) => void (signal = context.signal))
    dispatcher.cancel(1, 'too early')
    await dispatcher.receive(requestOf('a'))
    dispatcher.cancel(1, 'too late')
    expect(signal?.aborted).toBe(false)
    expect(pipe.sent).toEqual([result({})])
  })
})

describe('progress', () => {
  const context = async (
    params?: Params
  ): Promise<{ pipe: FakePipe; dispatcher: RequestDispatcher; given: RequestContext; end: () => void }> => {
    const { pipe, dispatcher } = rig()
    return new Promise((resolve) => {
      dispatcher.set('a', (_request, given) => new Promise((end) => resolve({ pipe, dispatcher, given, end: () => end({}) })))
      void dispatcher.receive(requestOf('a', params))
    })
  }

  it.each(['t', 0])('is reported under the token of the request: %j', async (progressToken) => {
    const { pipe, given, end } = await context({ _meta: { progressToken } })
    given.sendProgress({ progress: 1, total: 2 })
    expect(pipe.sent).toEqual([{ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress: 1, total: 2 } }])
    end()
  })

  it('is not reported without a token', async () => {
    const { pipe, given, end } = await context({ _meta: {} })
    given.sendProgress({ progress: 1 })
    expect(pipe.sent).toEqual([])
    end()
  })

  it('is not reported after the response', async () => {
    const { pipe, given, end } = await context({ _meta: { progressToken: 't' } })
    end()
    await settle()
    given.sendProgress({ progress: 1 })
    expect(pipe.sent).toEqual([result({})])
  })

  it('is not reported after a cancellation', async () => {
    const { pipe, dispatcher, given, end } = await context({ _meta: { progressToken: 't' } })
    dispatcher.cancel(1, 'enough')
    given.sendProgress({ progress: 1 })
    expect(pipe.sent).toEqual([])
    end()
  })
})

describe('an input request', () => {
  const signal = new AbortController().signal

  it('runs the handler of its method, and its result is handed back', async () => {
    const { pipe, dispatcher } = rig()
    dispatcher.set('a', ({ method, params }, { requestId }) => ({ method, params, requestId }))
    await expect(dispatcher.runForInput({ method: 'a', params: { x: 1 } }, signal)).resolves.toEqual({
      method: 'a',
      params: { x: 1 },
      requestId: 'a'
    })
    expect(pipe.sent).toEqual([])
  })

  it('fails with what the handler throws', async () => {
    const { dispatcher } = rig()
    const problem = new Error('declined')
    dispatcher.set('a', () => {
      throw problem
    })
    await expect(dispatcher.runForInput({ method: 'a' }, signal)).rejects.toBe(problem)
  })

  it.each([[{ method: 'b' }], [{ method: 7 }], [undefined], [null], ['b']])('that has no handler fails: %j', async (inputRequest) => {
    const { dispatcher } = rig()
    await expect(dispatcher.runForInput(inputRequest, signal)).rejects.toBeInstanceOf(ProtocolError)
  })
})

describe('a handler that fails', () => {
  it.each([
    ['throws', () => Promise.reject(new Error('on fire')), 'on fire'],
    ['throws no error', () => Promise.reject('words'), 'words'],
    ['throws an RpcError with no usable code', () => Promise.reject(new RpcError(10n as never, 'on ice')), 'on ice'],
    ['returns no object', () => 'word', 'The request handler did not return an object'],
    ['returns what JSON cannot hold', () => ({ big: 1n }), /BigInt/]
  ])('is reported too, when it %s', async (_how, handler, message) => {
    const { pipe, dispatcher, errors } = rig()
    dispatcher.set('a', handler)
    await dispatcher.receive(requestOf('a'))
    expect(pipe.sent).toMatchObject([{ error: { code: -32603 } }])
    expect(errors).toHaveLength(1)
    expect(errors[0]?.message).toMatch(message)
  })

  it('is not reported when it chose its response, or was aborted', async () => {
    const { dispatcher, errors } = rig()
    dispatcher.set('a', () => Promise.reject(new RpcError(-1, 'user rejected')))
    await dispatcher.receive(requestOf('a'))
    dispatcher.set(
      'b',
      (_request, { signal }) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('late'))))
    )
    const done = dispatcher.receive(requestOf('b'))
    dispatcher.cancel(1, 'never mind')
    await done
    expect(errors).toEqual([])
  })
})
