import { describe, expect, it, vi } from 'vitest'
import { RpcError } from '../../src/errors.js'
import { settle } from '../helpers/fake-clock.js'
import type { FakeSocket, Message } from '../helpers/fake-network.js'
import { useClient } from './use-client.js'

const ROOTS = { roots: [{ uri: 'file:///a' }] }

async function ask(socket: FakeSocket, request: Partial<Message>): Promise<Message | undefined> {
  socket.deliver({ jsonrpc: '2.0', id: 5, ...request })
  await settle()
  return socket.sent.at(-1)
}

/** A handler that ends when the test says so. */
function slow<R>(): { finish: (result: R) => void; fail: (error: unknown) => void; promise: Promise<R> } {
  let finish: (result: R) => void = () => undefined
  let fail: (error: unknown) => void = () => undefined
  const promise = new Promise<R>((resolve, reject) => {
    finish = resolve
    fail = reject
  })
  return { finish: (result) => finish(result), fail: (error) => fail(error), promise }
}

describe('a request of the server', () => {
  it.each([
    ['roots/list', undefined, ROOTS],
    ['sampling/createMessage', { messages: [], maxTokens: 5 }, { model: 'm', role: 'assistant', content: { type: 'text', text: 'hi' } }],
    ['elicitation/create', { message: 'sure?', requestedSchema: { type: 'object', properties: {} } }, { action: 'decline' }]
  ])('is answered by its handler: %s', async (method, params, result) => {
    const rig = useClient()
    const handler = vi.fn(() => Promise.resolve(result))
    rig.client.setRequestHandler(method as 'roots/list', handler as never)
    const socket = await rig.legacy()
    expect(await ask(socket, { method, ...(params && { params }) })).toEqual({ jsonrpc: '2.0', id: 5, result })
    expect(handler).toHaveBeenCalledExactlyOnceWith({ method, params }, expect.objectContaining({ requestId: 5 }))
  })

  it.each([0, 1, 'a', '', 2 ** 53 - 1, -3])('keeps its id: %j', async (id) => {
    const rig = useClient()
    const socket = await rig.legacy()
    expect(await ask(socket, { id, method: 'ping' })).toEqual({ jsonrpc: '2.0', id, result: {} })
  })

  it('is answered without a handler when it is ping', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    expect(await ask(socket, { method: 'ping' })).toEqual({ jsonrpc: '2.0', id: 5, result: {} })
  })

  it('takes no handler that is no function, nor does a notification', () => {
    const { client } = useClient()
    expect(() => client.setRequestHandler('roots/list', undefined as never)).toThrow(/^the handler of roots\/list must be a function$/)
    expect(() => client.setNotificationHandler('a', {} as never)).toThrow(/^the handler of a must be a function$/)
  })

  it('P19: is answered with -32601 without a handler', async () => {
    const rig = useClient({ capabilities: { roots: {} } })
    const socket = await rig.legacy()
    expect(await ask(socket, { method: 'roots/list' })).toMatchObject({ jsonrpc: '2.0', id: 5, error: { code: -32601 } })
  })

  it('is answered with -32601 after its handler was removed', async () => {
    const rig = useClient()
    rig.client.setRequestHandler('roots/list', () => ROOTS)
    rig.client.removeRequestHandler('roots/list')
    const socket = await rig.legacy()
    expect(await ask(socket, { method: 'roots/list' })).toMatchObject({ error: { code: -32601 } })
  })

  it.each(['throws', 'rejects'])('is answered with -32603 and no stack when its handler %s', async (how) => {
    const rig = useClient()
    rig.client.setRequestHandler('roots/list', () => {
      if (how === 'throws') throw new Error('disk on fire')
      return Promise.reject(new Error('disk on fire'))
    })
    const socket = await rig.legacy()
    const response = await ask(socket, { method: 'roots/list' })
    expect(response).toEqual({ jsonrpc: '2.0', id: 5, error: { code: -32603, message: 'disk on fire' } })
    expect(socket.texts.at(-1)).not.toContain('server-requests.test')
    expect(rig.client.state).toBe('ready')
  })

  it.each([undefined, null, 'words', 42])('is answered with -32603 when its handler throws %j', async (thrown) => {
    const rig = useClient()
    rig.client.setRequestHandler('roots/list', () => Promise.reject(thrown as unknown as Error))
    const socket = await rig.legacy()
    const response = await ask(socket, { method: 'roots/list' })
    expect(response?.error?.code).toBe(-32603)
    expect(typeof response?.error?.message).toBe('string')
  })

  it('is answered with the code, message and data of an RpcError', async () => {
    const rig = useClient()
    rig.client.setRequestHandler('roots/list', () => {
      throw new RpcError(-1, 'user rejected', { by: 'me' })
    })
    const socket = await rig.legacy()
    expect(await ask(socket, { method: 'roots/list' })).toEqual({
      jsonrpc: '2.0',
      id: 5,
      error: { code: -1, message: 'user rejected', data: { by: 'me' } }
    })
  })

  it('P20: is answered with -32603 when the result is no JSON', async () => {
    const rig = useClient()
    rig.client.setRequestHandler('roots/list', () => ({ roots: [], big: 1n }))
    const socket = await rig.legacy()
    expect(await ask(socket, { method: 'roots/list' })).toMatchObject({ id: 5, error: { code: -32603 } })
    // The id is free again.
    expect(await ask(socket, { method: 'ping' })).toEqual({ jsonrpc: '2.0', id: 5, result: {} })
  })

  it('P21: is answered with -32600 while another one of the same id is running', async () => {
    const rig = useClient()
    const work = slow<typeof ROOTS>()
    rig.client.setRequestHandler('roots/list', () => work.promise)
    const socket = await rig.legacy()
    await ask(socket, { method: 'roots/list' })
    expect(await ask(socket, { method: 'ping' })).toMatchObject({ id: 5, error: { code: -32600 } })
    work.finish(ROOTS)
    await settle()
    expect(socket.sent.at(-1)).toEqual({ jsonrpc: '2.0', id: 5, result: ROOTS })
  })

  it('may be of any method', async () => {
    const rig = useClient()
    rig.client.setRequestHandler('vendor/x' as 'roots/list', () => ({ roots: [], fine: true }))
    const socket = await rig.legacy()
    expect(await ask(socket, { method: 'vendor/x' })).toMatchObject({ result: { fine: true } })
  })

  it('is neither answered nor handled in the modern era: the event error tells', async () => {
    const rig = useClient()
    const handler = vi.fn(() => ROOTS)
    rig.client.setRequestHandler('roots/list', handler)
    const socket = await rig.modern()
    const sent = socket.sent.length
    await ask(socket, { method: 'roots/list' })
    expect(socket.sent).toHaveLength(sent)
    expect(handler).not.toHaveBeenCalled()
    expect(rig.errors).toMatchObject([{ code: 'INVALID_RESPONSE' }])
  })
})

describe('progress of a handler', () => {
  it('is sent when the server asked for it', async () => {
    const rig = useClient()
    rig.client.setRequestHandler('roots/list', (_request, context) => {
      context.sendProgress({ progress: 1, total: 2, message: 'half' })
      return ROOTS
    })
    const socket = await rig.legacy()
    await ask(socket, { method: 'roots/list', params: { _meta: { progressToken: 'p' } } })
    expect(socket.sent.slice(-2)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 'p', progress: 1, total: 2, message: 'half' } },
      { jsonrpc: '2.0', id: 5, result: ROOTS }
    ])
  })

  it('is not sent when the server did not', async () => {
    const rig = useClient()
    rig.client.setRequestHandler('roots/list', (_request, context) => {
      context.sendProgress({ progress: 1 })
      return ROOTS
    })
    const socket = await rig.legacy()
    await ask(socket, { method: 'roots/list' })
    expect(socket.methods).not.toContain('notifications/progress')
  })

  it('is not sent after the response', async () => {
    const rig = useClient()
    let later: (report: { progress: number }) => void = () => undefined
    rig.client.setRequestHandler('roots/list', (_request, context) => {
      later = (report) => context.sendProgress(report)
      return ROOTS
    })
    const socket = await rig.legacy()
    await ask(socket, { method: 'roots/list', params: { _meta: { progressToken: 'p' } } })
    later({ progress: 1 })
    expect(socket.methods.at(-1)).toBe('response')
  })
})

describe('a request that the server cancels', () => {
  it('P22: is aborted and not answered, whatever the handler returns', async () => {
    const rig = useClient()
    const work = slow<typeof ROOTS>()
    let signal: AbortSignal | undefined
    rig.client.setRequestHandler('roots/list', (_request, context) => {
      signal = context.signal
      return work.promise
    })
    const socket = await rig.legacy()
    await ask(socket, { method: 'roots/list' })
    const sent = socket.sent.length
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5, reason: 'never mind' } })
    expect(signal?.aborted).toBe(true)
    expect(signal?.reason).toMatchObject({ name: 'AbortError', message: 'never mind' })
    work.finish(ROOTS)
    await settle()
    expect(socket.sent).toHaveLength(sent)
  })

  it('is not answered when the handler throws at the abort', async () => {
    const rig = useClient()
    rig.client.setRequestHandler('roots/list', (_request, { signal }) => {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new Error('aborted')))
      })
    })
    const socket = await rig.legacy()
    await ask(socket, { method: 'roots/list' })
    const sent = socket.sent.length
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } })
    await settle()
    expect(socket.sent).toHaveLength(sent)
  })

  it('P23: harms nobody when it is unknown', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    for (const requestId of [77, 'x', null, undefined, {}])
      socket.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } })
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled' })
    expect(rig.errors).toEqual([])
    expect(rig.client.state).toBe('ready')
  })
})

describe('a request whose connection drops', () => {
  it('is aborted, and the program may close there; the loss comes before the end', async () => {
    const rig = useClient({ capabilities: { roots: {} } })
    const states: string[] = []
    rig.client.setRequestHandler('roots/list', (_request, { signal }) => {
      signal.addEventListener('abort', () => void rig.client.close())
      return slow<never>().promise
    })
    const socket = await rig.legacy()
    socket.deliver({ jsonrpc: '2.0', id: 5, method: 'roots/list' })
    await settle()
    rig.client.on('state', ({ from, to }) => states.push(`${from} ${to}`))
    socket.drop()
    expect(states).toEqual(['ready waiting', 'waiting closed'])
    expect(rig.client.state).toBe('closed')
  })

  it('is aborted, and its late response goes nowhere', async () => {
    const rig = useClient()
    const work = slow<typeof ROOTS>()
    let signal: AbortSignal | undefined
    rig.client.setRequestHandler('roots/list', (_request, context) => {
      signal = context.signal
      return work.promise
    })
    const first = await rig.legacy()
    await ask(first, { method: 'roots/list' })
    first.drop()
    expect(signal?.aborted).toBe(true)
    const socket = await rig.relegacy()
    work.finish(ROOTS)
    await settle()
    expect(socket.methods).toEqual(['initialize', 'notifications/initialized'])
    expect(rig.client.queuedCount).toBe(0)
  })

  it('does not stand in the way of a new one with the same id on the new socket', async () => {
    const rig = useClient()
    const works = [slow<typeof ROOTS>(), slow<typeof ROOTS>()]
    const ids: unknown[] = []
    rig.client.setRequestHandler('roots/list', (_request, { requestId }) => works[ids.push(requestId) - 1]!.promise)
    const first = await rig.legacy()
    await ask(first, { method: 'roots/list' })
    first.drop()
    const socket = await rig.relegacy()
    await ask(socket, { method: 'roots/list' })
    expect(ids).toHaveLength(2)
    expect(ids[1]).not.toBe(ids[0])
    works[0]!.finish({ roots: [] })
    await settle()
    expect(socket.methods.at(-1)).toBe('notifications/initialized')
    works[1]!.finish(ROOTS)
    await settle()
    expect(socket.sent.at(-1)).toEqual({ jsonrpc: '2.0', id: 5, result: ROOTS })
  })

  it('lets the new one be cancelled under the id that the server knows', async () => {
    const rig = useClient()
    const signals: AbortSignal[] = []
    rig.client.setRequestHandler('roots/list', (_request, { signal }) => {
      signals.push(signal)
      return new Promise<typeof ROOTS>(() => undefined)
    })
    const first = await rig.legacy()
    await ask(first, { method: 'roots/list' })
    first.drop()
    const socket = await rig.relegacy()
    await ask(socket, { method: 'roots/list' })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } })
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true])
  })
})

describe('notifications of the server', () => {
  it('go to their handler and to the event, in order', async () => {
    const rig = useClient()
    const seen: unknown[] = []
    rig.client.setNotificationHandler('notifications/message', ({ params }) => seen.push(params.data))
    const socket = await rig.legacy()
    for (const data of [1, 2, 3]) socket.deliver({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data } })
    expect(seen).toEqual([1, 2, 3])
    expect(rig.notifications.map(({ params }) => params?.data)).toEqual([1, 2, 3])
  })

  it('no longer go to a handler that was removed', async () => {
    const rig = useClient()
    const handler = vi.fn()
    rig.client.setNotificationHandler('notifications/message', handler)
    rig.client.removeNotificationHandler('notifications/message')
    const socket = await rig.legacy()
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/message', params: {} })
    expect(handler).not.toHaveBeenCalled()
  })

  it('reach the event even if their handler throws: the event error tells', async () => {
    const rig = useClient()
    const problem = new Error('bad handler')
    rig.client.setNotificationHandler('notifications/message', () => {
      throw problem
    })
    const socket = await rig.legacy()
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/message', params: {} })
    expect(rig.errors).toEqual([problem])
    expect(rig.notifications).toHaveLength(1)
  })

  it('cannot spoof the events of the lifecycle', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const told = rig.states.length
    for (const method of ['state', 'failed', 'close', 'error', 'reconnected', 'constructor', '__proto__'])
      socket.deliver({ jsonrpc: '2.0', method, params: { to: 'closed' } })
    expect([rig.states.length, rig.errors.length, rig.reconnections.length]).toEqual([told, 0, 0])
    expect(rig.notifications).toHaveLength(7)
  })
})
