import { describe, expect, it, vi } from 'vitest'
import { settle } from '../helpers/fake-clock.js'
import { useClient } from './use-client.js'
import { watch } from '../helpers/watch.js'

const LOST = { name: 'ConnectionLostError', code: 'CONNECTION_LOST', delivery: 'unknown' }

const SAFE: [string, Record<string, unknown> | undefined][] = [
  ['ping', undefined],
  ['tools/list', undefined],
  ['resources/list', { cursor: 'c' }],
  ['resources/templates/list', undefined],
  ['prompts/list', undefined],
  ['resources/read', { uri: 'a:1' }],
  ['prompts/get', { name: 'p' }],
  ['completion/complete', { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'a', value: 'b' } }],
  ['server/discover', undefined],
  ['logging/setLevel', { level: 'info' }],
  ['resources/subscribe', { uri: 'a:1' }],
  ['resources/unsubscribe', { uri: 'a:1' }]
]

describe('a safe request in flight at a drop', () => {
  it.each(SAFE)('%s is sent again with the same id and bytes', async (method, params) => {
    const rig = useClient()
    const first = await rig.legacy()
    const asked = watch(rig.client.request(method, params))
    const text = first.texts.at(-1)
    first.drop()
    const socket = await rig.relegacy()
    expect(socket.texts.at(-1)).toBe(text)
    socket.respond(method, { fine: true })
    await settle()
    expect(asked.value).toEqual({ fine: true })
    expect(rig.client.stats()).toMatchObject({ resent: 1, lost: 0 })
  })

  it('keeps id, progress token and bytes in the modern era, too', async () => {
    const rig = useClient()
    const first = await rig.modern()
    watch(rig.client.request('tools/list', { cursor: 'x', _meta: { mine: true } }, { onprogress: () => undefined }))
    const text = first.texts.at(-1)
    first.drop()
    const socket = await rig.remodern()
    expect(socket.texts).toHaveLength(2)
    expect(socket.texts.at(-1)).toBe(text)
  })

  it('keeps its bytes when the log level changed meanwhile', async () => {
    const rig = useClient()
    const first = await rig.modern()
    watch(rig.client.request('tools/list'))
    const text = first.texts.at(-1)
    first.drop()
    await rig.client.setLoggingLevel('debug')
    expect((await rig.remodern()).texts.at(-1)).toBe(text)
  })

  it('is sent again in the original order', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    for (const method of ['prompts/list', 'tools/list', 'resources/list']) watch(rig.client.request(method))
    first.drop()
    const socket = await rig.relegacy()
    expect(socket.methods.slice(2)).toEqual(['prompts/list', 'tools/list', 'resources/list'])
  })

  it('is counted as waiting until then', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    watch(rig.client.request('tools/list'))
    expect([rig.client.pendingCount, rig.client.queuedCount]).toEqual([1, 0])
    first.drop()
    expect([rig.client.pendingCount, rig.client.queuedCount]).toEqual([1, 1])
    await rig.relegacy()
    expect([rig.client.pendingCount, rig.client.queuedCount]).toEqual([1, 0])
  })

  it('is lost at a second drop', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    const asked = watch(rig.client.request('tools/list'))
    first.drop()
    ;(await rig.relegacy()).drop()
    await settle()
    expect(asked.error).toMatchObject(LOST)
    const third = await rig.relegacy()
    expect(third.methods).not.toContain('tools/list')
  })

  it('is not lost by dials that fail before it was sent again', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    const asked = watch(rig.client.request('tools/list'))
    first.drop()
    ;(await rig.redial()).drop()
    ;(await rig.redial()).accept().drop()
    await settle()
    expect(asked.settled).toBe(false)
    const socket = await rig.redial()
    socket.accept()
    socket.respondError('server/discover', -32601)
    socket.respond('initialize', { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'fake', version: '1' } })
    expect(socket.methods.at(-1)).toBe('tools/list')
  })

  it('keeps its original deadline', async () => {
    const rig = useClient({ reconnect: { jitter: false }, heartbeat: false })
    const first = await rig.legacy()
    const asked = watch(rig.client.request('tools/list', {}, { timeout: 10_000 }))
    await rig.clock.advance(6000)
    first.drop()
    await rig.relegacy()
    await rig.clock.advance(2999)
    expect(asked.settled).toBe(false)
    await rig.clock.advance(1)
    expect(asked.error).toMatchObject({ code: 'REQUEST_TIMEOUT', delivery: 'unknown' })
  })

  it('is not sent again when it times out or is aborted while it waits, and the server hears nothing of it', async () => {
    const rig = useClient({ reconnect: { jitter: false } })
    const first = await rig.legacy()
    const controller = new AbortController()
    const slow = watch(rig.client.request('tools/list', {}, { timeout: 500 }))
    const aborted = watch(rig.client.request('prompts/list', {}, { signal: controller.signal }))
    first.drop()
    controller.abort()
    await rig.clock.advance(500)
    expect(slow.error).toMatchObject({ code: 'REQUEST_TIMEOUT', delivery: 'unknown' })
    expect(aborted.error).toBe(controller.signal.reason)
    await rig.clock.advance(500)
    const socket = await rig.relegacy()
    expect(socket.methods).toEqual(['initialize', 'notifications/initialized'])
    expect(rig.client.queuedCount).toBe(0)
  })

  it('is lost, with the failure as its cause, when the client gives up', async () => {
    const rig = useClient({ reconnect: { maxRetries: 1 } })
    const first = await rig.legacy()
    const asked = watch(rig.client.request('tools/list'))
    first.drop()
    ;(await rig.redial()).drop()
    await settle()
    expect(asked.error).toMatchObject({ ...LOST, cause: { code: 'RETRIES_EXHAUSTED' } })
  })
})

describe('a request that is not safe', () => {
  it('is rejected in the very task that handles the closure', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    const call = watch(rig.client.callTool({ name: 'x' }))
    expect(rig.client.pendingCount).toBe(1)
    first.drop()
    expect(rig.client.pendingCount).toBe(0)
    await settle()
    expect(rig.client.state).toBe('waiting')
    expect(call.error).toMatchObject({ ...LOST, retryable: true, closure: { kind: 'close', code: 1006, everReady: true } })
    expect((call.error as Error).message).toMatch(/unknown/)
  })

  it.each(['tasks/update', 'vendor/anything', 'sampling/createMessage'])('may be %s: what is not known is not repeated', async (method) => {
    const rig = useClient()
    const first = await rig.legacy()
    const asked = watch(rig.client.request(method))
    first.drop()
    await settle()
    expect(asked.error).toMatchObject(LOST)
    expect((await rig.relegacy()).methods).not.toContain(method)
  })

  it('is lost with HEARTBEAT_TIMEOUT when the server fell silent', async () => {
    const rig = useClient()
    await rig.legacy()
    const call = watch(rig.client.callTool({ name: 'x' }, { timeout: 1 }))
    await rig.clock.advance(1)
    expect(call.error).toMatchObject({ code: 'REQUEST_TIMEOUT' })
    await rig.clock.advance(40_000)
    expect(rig.states.some(({ closure }) => closure?.kind === 'heartbeat')).toBe(true)
  })

  it('is counted as lost', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    watch(rig.client.callTool({ name: 'x' }))
    first.drop()
    expect(rig.client.stats()).toMatchObject({ lost: 1, resent: 0 })
  })

  it('is not touched by a drop before it was sent', async () => {
    const rig = useClient()
    ;(await rig.legacy()).drop()
    const call = watch(rig.client.callTool({ name: 'x' }))
    ;(await rig.redial()).drop()
    ;(await rig.redial()).accept().drop()
    await settle()
    expect(call.settled).toBe(false)
  })
})

describe('the option resend', () => {
  it('of a request lets tools/call be sent again', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    const call = watch(rig.client.callTool({ name: 'x' }, { resend: true }))
    const text = first.texts.at(-1)
    first.drop()
    const socket = await rig.relegacy()
    expect(socket.texts.at(-1)).toBe(text)
    socket.respond('tools/call', { content: [] })
    await settle()
    expect(call.value).toEqual({ content: [] })
  })

  it('of a request keeps a safe one from being sent again', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    const asked = watch(rig.client.listTools({}, { resend: false }))
    first.drop()
    await settle()
    expect(asked.error).toMatchObject(LOST)
  })

  it('never of the client keeps all from being sent again, but a request may still differ', async () => {
    const rig = useClient({ resend: 'never' })
    const first = await rig.legacy()
    const list = watch(rig.client.request('tools/list'))
    watch(rig.client.request('prompts/list', undefined, { resend: true }))
    first.drop()
    await settle()
    expect(list.error).toMatchObject(LOST)
    expect((await rig.relegacy()).methods.slice(2)).toEqual(['prompts/list'])
  })

  it('of the client may be a predicate over method and params', async () => {
    const resend = vi.fn(({ params }: { method: string; params?: Record<string, unknown> | undefined }) => params?.name === 'twice')
    const rig = useClient({ resend })
    const first = await rig.legacy()
    const once = watch(rig.client.callTool({ name: 'once' }))
    watch(rig.client.callTool({ name: 'twice' }))
    const list = watch(rig.client.request('tools/list'))
    first.drop()
    await settle()
    expect([once.settled, list.settled]).toEqual([true, true])
    expect((await rig.relegacy()).sent.at(-1)?.params).toEqual({ name: 'twice' })
    expect(resend).toHaveBeenCalledWith({ method: 'tools/call', params: { name: 'once' } })
  })

  it('of a request wins over the predicate', async () => {
    const rig = useClient({ resend: () => true })
    const first = await rig.legacy()
    const call = watch(rig.client.callTool({ name: 'x' }, { resend: false }))
    first.drop()
    await settle()
    expect(call.error).toMatchObject(LOST)
  })

  it('is taken for no, and the event error tells, when the predicate throws', async () => {
    const problem = new Error('bad predicate')
    const rig = useClient({
      resend: () => {
        throw problem
      }
    })
    const first = await rig.legacy()
    const asked = watch(rig.client.request('tools/list'))
    first.drop()
    await settle()
    expect(asked.error).toMatchObject(LOST)
    expect(rig.errors).toEqual([problem])
  })
})

describe('close code 1009', () => {
  it('fails the largest request in flight and sends the other safe ones again', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    const small = watch(rig.client.request('prompts/get', { name: 'p' }))
    const large = watch(rig.client.request('prompts/get', { name: 'p'.repeat(5000) }))
    const call = watch(rig.client.callTool({ name: 'x' }))
    first.drop({ code: 1009 })
    await settle()
    expect(large.error).toMatchObject({ name: 'ConnectionLostError', code: 'MESSAGE_TOO_LARGE', retryable: false, delivery: 'unknown' })
    expect(call.error).toMatchObject(LOST)
    expect(rig.client.state).toBe('waiting')
    const socket = await rig.relegacy()
    expect(socket.methods.slice(2)).toEqual(['prompts/get'])
    socket.respond('prompts/get', { messages: [] })
    await settle()
    expect(small.value).toEqual({ messages: [] })
  })

  it('fails the largest even if it may be sent again', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    const large = watch(rig.client.callTool({ name: 'x' }, { resend: true }))
    first.drop({ code: 1009 })
    await settle()
    expect(large.error).toMatchObject({ code: 'MESSAGE_TOO_LARGE' })
    expect((await rig.relegacy()).methods).not.toContain('tools/call')
  })

  it('names the largest too where nothing reconnects', async () => {
    const rig = useClient({ reconnect: false })
    const first = await rig.legacy()
    const small = watch(rig.client.callTool({ name: 'x' }))
    const large = watch(rig.client.callTool({ name: 'x'.repeat(5000) }))
    first.drop({ code: 1009 })
    await settle()
    expect(rig.client.state).toBe('failed')
    expect(large.error).toMatchObject({ code: 'MESSAGE_TOO_LARGE', retryable: false, delivery: 'unknown' })
    expect(small.error).toMatchObject(LOST)
  })

  it('spares a listen', async () => {
    const rig = useClient()
    const first = await rig.modern()
    const listening = watch(rig.client.listen({ resourceSubscriptions: ['a'.repeat(1000)] }))
    first.drop({ code: 1009 })
    await settle()
    expect(listening.settled).toBe(false)
    expect((await rig.remodern()).methods).toEqual(['server/discover', 'subscriptions/listen'])
  })
})

describe('a response', () => {
  it('that comes twice settles the request once', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.request('tools/list'))
    socket.respond('tools/list', { tools: [1] })
    socket.respond('tools/list', { tools: [2] })
    await settle()
    expect(asked.value).toEqual({ tools: [1] })
    expect(rig.errors).toEqual([])
  })

  it('settles requests in any order', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const first = watch(rig.client.request('a'))
    const second = watch(rig.client.request('b'))
    socket.respond('b', { b: 1 })
    await settle()
    expect([first.settled, second.value]).toEqual([false, { b: 1 }])
    socket.respond('a', { a: 1 })
    await settle()
    expect(first.value).toEqual({ a: 1 })
  })

  it('that is an error rejects with RpcError', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.callTool({ name: 'x' }))
    socket.respondError('tools/call', -32602, 'no such tool', { tool: 'x' })
    await settle()
    expect(asked.error).toMatchObject({
      name: 'RpcError',
      code: 'RPC_ERROR',
      rpcCode: -32602,
      message: 'no such tool',
      data: { tool: 'x' }
    })
  })

  it('without delivery is never marked as not sent', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.callTool({ name: 'x' }))
    socket.respondError('tools/call', -32000)
    await settle()
    expect((asked.error as { delivery?: string }).delivery).not.toBe('not-sent')
  })
})
