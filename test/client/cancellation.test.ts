import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { McpWebSocketClient } from '../../src/client/client.js'
import type { RequestOptions } from '../../src/types/options.js'
import { settle } from '../helpers/fake-clock.js'
import { useClient } from './use-client.js'
import { watch } from '../helpers/watch.js'

describe('a signal', () => {
  it('rejects with its reason and tells the server', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const controller = new AbortController()
    const asked = watch(rig.client.callTool({ name: 'x' }, { signal: controller.signal }))
    const { id } = socket.asked('tools/call')
    const reason = new Error('the user went away')
    controller.abort(reason)
    await settle()
    expect(asked.error).toBe(reason)
    expect(socket.sent.at(-1)).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: id, reason: 'the user went away' }
    })
    expect(rig.client.pendingCount).toBe(0)
  })

  it('rejects with a DOMException when it gives no reason', async () => {
    const rig = useClient()
    await rig.legacy()
    const controller = new AbortController()
    const asked = watch(rig.client.request('tools/list', {}, { signal: controller.signal }))
    controller.abort()
    await settle()
    expect(asked.error).toMatchObject({ name: 'AbortError' })
  })

  it.each(['a word', 42, { why: 1 }])('may have any reason: %j', async (reason) => {
    const rig = useClient()
    const socket = await rig.legacy()
    const controller = new AbortController()
    const asked = watch(rig.client.request('tools/list', {}, { signal: controller.signal }))
    controller.abort(reason)
    await settle()
    expect(asked.error).toBe(reason)
    expect(typeof socket.sent.at(-1)?.params?.reason).toBe('string')
  })

  it('that is aborted already rejects, and nothing is sent', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const sent = socket.sent.length
    const reason = new Error('no')
    await expect(rig.client.request('tools/list', {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(socket.sent).toHaveLength(sent)
    expect(rig.client.pendingCount).toBe(0)
  })

  it('may be that of a polyfill', async () => {
    const rig = useClient()
    await rig.legacy()
    const signal = Object.assign(new EventTarget(), { aborted: false }) as AbortSignal
    const asked = watch(rig.client.callTool({ name: 'x' }, { signal }))
    signal.dispatchEvent(new Event('abort'))
    await settle()
    expect(asked.error).toMatchObject({ name: 'AbortError' })
  })

  const calls: [string, (client: McpWebSocketClient, options: RequestOptions) => Promise<unknown>][] = [
    ['callTool', (client, options) => client.callTool({ name: 'x' }, options)],
    ['listTools', (client, options) => client.listTools({}, options)],
    ['subscribeResource', (client, options) => client.subscribeResource({ uri: 'a:1' }, options)],
    ['ping', (client, options) => client.ping(options)],
    ['listen', (client, options) => client.listen({}, options)],
    ['resumeTask', (client, options) => client.resumeTask('1', options)]
  ]

  it.each(calls)('that is none is rejected, and nothing is sent or left: %s', async (_name, call) => {
    const rig = useClient()
    const options = { signal: new AbortController() as unknown as AbortSignal }
    const problem = new TypeError('signal must be an AbortSignal')
    await expect(call(rig.client, options)).rejects.toThrow(problem)
    expect([rig.client.pendingCount, rig.client.queuedCount, rig.clock.pendingCount]).toEqual([0, 0, 0])
    const socket = await rig.modern()
    const sent = socket.sent.length
    await expect(call(rig.client, options)).rejects.toThrow(problem)
    expect([rig.client.pendingCount, socket.sent.length]).toEqual([0, sent])
  })

  it('that aborts after the response changes nothing', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const controller = new AbortController()
    const asked = watch(rig.client.request('tools/list', {}, { signal: controller.signal }))
    socket.respond('tools/list', { tools: [] })
    controller.abort()
    await settle()
    expect(asked.value).toEqual({ tools: [] })
    expect(socket.methods).not.toContain('notifications/cancelled')
  })

  it('ends all its requests, and no others', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const { signal, abort } = ((controller) => ({ signal: controller.signal, abort: () => controller.abort() }))(new AbortController())
    const own = [1, 2, 3].map(() => watch(rig.client.request('tools/list', {}, { signal })))
    const other = watch(rig.client.request('prompts/list'))
    abort()
    await settle()
    expect(own.every(({ error }) => error === signal.reason)).toBe(true)
    expect(other.settled).toBe(false)
    expect(socket.methods.filter((method) => method === 'notifications/cancelled')).toHaveLength(3)
  })

  it('A10: has one listener, however many requests share it, and none when they are settled', async () => {
    const rig = useClient({ maxPending: 10_000 })
    const socket = await rig.legacy()
    const { signal } = new AbortController()
    const asked = Array.from({ length: 10_000 }, () => rig.client.request('tools/list', {}, { signal }))
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    for (const { id, method } of socket.sent) if (method === 'tools/list') socket.deliver({ jsonrpc: '2.0', id, result: {} })
    await Promise.all(asked)
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('has no listener left after a timeout, an error response, a drop, a failure to send, and close()', async () => {
    const rig = useClient({ maxPending: 3 })
    const socket = await rig.legacy()
    const { signal } = new AbortController()
    const listeners = (): number => getEventListeners(signal, 'abort').length
    watch(rig.client.request('a', {}, { signal, timeout: 10 }))
    await rig.clock.advance(10)
    expect(listeners()).toBe(0)
    watch(rig.client.request('b', {}, { signal }))
    socket.respondError('b', -32000)
    expect(listeners()).toBe(0)
    watch(rig.client.request('c', { big: 1n }, { signal }))
    expect(listeners()).toBe(0)
    watch(rig.client.callTool({ name: 'd' }, { signal }))
    socket.drop()
    await settle()
    expect(listeners()).toBe(0)
    watch(rig.client.request('e', {}, { signal }))
    await rig.client.close()
    expect(listeners()).toBe(0)
  })

  it('of connect() has no listener left', async () => {
    const rig = useClient()
    const { signal } = new AbortController()
    const connected = rig.client.connect({ signal })
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    await rig.legacy()
    await connected
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('may be shared by several clients', async () => {
    const one = useClient()
    const two = useClient()
    const controller = new AbortController()
    const asked = [one, two].map(({ client }) => watch(client.request('tools/list', {}, { signal: controller.signal })))
    controller.abort()
    await settle()
    expect(asked.every(({ settled }) => settled)).toBe(true)
  })
})
