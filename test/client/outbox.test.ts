import { describe, expect, it } from 'vitest'
import type { McpWebSocketClient } from '../../src/client/client.js'
import type { RequestOptions } from '../../src/types/options.js'
import { settle } from '../helpers/fake-clock.js'
import { LEGACY_RESULT } from '../helpers/fake-network.js'
import { closeClean, useClient } from './use-client.js'
import { watch } from '../helpers/watch.js'

const FULL = { name: 'QueueFullError', code: 'QUEUE_FULL', delivery: 'not-sent', retryable: true }

describe('what is sent while not connected', () => {
  it('waits in idle, and dials nothing', async () => {
    const rig = useClient()
    const asked = watch(rig.client.request('tools/list'))
    await rig.clock.advance(100)
    expect([rig.network.dials, rig.client.state, rig.client.queuedCount, rig.client.pendingCount]).toEqual([0, 'idle', 1, 1])
    const socket = await rig.legacy()
    socket.respond('tools/list', { tools: [] })
    await settle()
    expect(asked.value).toEqual({ tools: [] })
    expect(rig.client.queuedCount).toBe(0)
  })

  it('waits while connecting, initializing and waiting', async () => {
    const rig = useClient()
    watch(rig.client.connect())
    watch(rig.client.request('a'))
    const first = (await rig.network.last()).accept()
    watch(rig.client.request('b'))
    expect(first.methods).toEqual(['server/discover'])
    first.respond('server/discover', {})
    first.respond('initialize', LEGACY_RESULT)
    expect(first.methods.slice(-2)).toEqual(['a', 'b'])
    first.drop()
    watch(rig.client.request('c'))
    expect((await rig.relegacy()).methods.at(-1)).toBe('c')
  })

  it('leaves first in, first out, requests and notifications alike', async () => {
    const rig = useClient()
    watch(rig.client.request('a'))
    await rig.client.notify('notifications/b')
    watch(rig.client.callTool({ name: 'c' }))
    await rig.client.notify('notifications/d', { x: 1 })
    const socket = await rig.legacy()
    expect(socket.methods.slice(3)).toEqual(['a', 'notifications/b', 'tools/call', 'notifications/d'])
  })

  it('is not counted as attempted: it stays through failed dials', async () => {
    const rig = useClient()
    const call = watch(rig.client.callTool({ name: 'x' }))
    watch(rig.client.connect())
    ;(await rig.network.last()).drop()
    ;(await rig.redial()).drop()
    await settle()
    expect(call.settled).toBe(false)
    const socket = (await rig.redial()).accept()
    socket.respondError('server/discover', -32601)
    socket.respond('initialize', LEGACY_RESULT)
    expect(socket.methods.at(-1)).toBe('tools/call')
  })

  it('A16: is what it was when it was sent, whatever becomes of the object', async () => {
    const rig = useClient()
    const args = { value: 1 }
    watch(rig.client.callTool({ name: 'x', arguments: args }))
    args.value = 2
    expect((await rig.legacy()).asked('tools/call').params).toEqual({ name: 'x', arguments: { value: 1 } })
  })

  it('rejects at once when it is no JSON', async () => {
    const rig = useClient()
    const asked = watch(rig.client.callTool({ name: 'x', arguments: { big: 1n } }))
    const told = watch(rig.client.notify('notifications/x', { big: 1n }))
    await settle()
    expect(asked.error).toBeInstanceOf(TypeError)
    expect((asked.error as Error).message).toContain('tools/call')
    expect(told.error).toBeInstanceOf(TypeError)
    expect([rig.client.pendingCount, rig.client.queuedCount]).toEqual([0, 0])
  })
})

describe('the limits of the outbox', () => {
  it('are maxMessages: the newest is rejected', async () => {
    const rig = useClient({ outbox: { maxMessages: 2 } })
    const kept = [watch(rig.client.request('a')), watch(rig.client.request('b'))]
    const overflow = watch(rig.client.request('c'))
    await settle()
    expect(overflow.error).toMatchObject(FULL)
    expect(kept.map(({ settled }) => settled)).toEqual([false, false])
    expect(rig.client.pendingCount).toBe(2)
    expect((await rig.legacy()).methods.slice(-2)).toEqual(['a', 'b'])
  })

  it('are maxBytes', async () => {
    const rig = useClient({ outbox: { maxBytes: 500 } })
    watch(rig.client.callTool({ name: 'x'.repeat(300) }))
    const overflow = watch(rig.client.callTool({ name: 'x'.repeat(300) }))
    const small = watch(rig.client.callTool({ name: 'y' }))
    await settle()
    expect(overflow.error).toMatchObject(FULL)
    expect(small.settled).toBe(false)
  })

  it('hold for notifications, too', async () => {
    const rig = useClient({ outbox: { maxMessages: 1 } })
    await rig.client.notify('notifications/a')
    await expect(rig.client.notify('notifications/b')).rejects.toMatchObject(FULL)
  })

  it('are 1000 messages by default', async () => {
    const rig = useClient()
    for (let n = 0; n < 1000; n++) await rig.client.notify('notifications/x')
    await expect(rig.client.notify('notifications/x')).rejects.toMatchObject(FULL)
    expect(rig.client.queuedCount).toBe(1000)
  })

  it('count neither the handshake nor the restores nor what is sent again', async () => {
    const rig = useClient({ outbox: { maxMessages: 1 } })
    const first = await rig.legacy()
    watch(rig.client.setLoggingLevel('info'))
    first.respond('logging/setLevel', {})
    watch(rig.client.request('tools/list'))
    watch(rig.client.request('prompts/list'))
    first.drop()
    watch(rig.client.request('a'))
    const socket = await rig.relegacy()
    expect(socket.methods).toEqual(['initialize', 'notifications/initialized', 'logging/setLevel', 'tools/list', 'prompts/list', 'a'])
  })

  it('are free again after the outbox was sent', async () => {
    const rig = useClient({ outbox: { maxMessages: 1 } })
    watch(rig.client.request('a'))
    const socket = await rig.legacy()
    socket.respond('a', {})
    socket.drop()
    const again = watch(rig.client.request('b'))
    await settle()
    expect(again.settled).toBe(false)
  })
})

describe('outbox: false', () => {
  it('rejects requests and notifications at once', async () => {
    const rig = useClient({ outbox: false })
    await expect(rig.client.request('tools/list')).rejects.toMatchObject(FULL)
    await expect(rig.client.notify('notifications/x')).rejects.toMatchObject(FULL)
    expect(rig.client.pendingCount).toBe(0)
  })

  it('changes nothing while the client is ready', async () => {
    const rig = useClient({ outbox: false })
    const socket = await rig.legacy()
    watch(rig.client.request('tools/list'))
    expect(socket.methods.at(-1)).toBe('tools/list')
  })

  it('lets what was in flight be sent again', async () => {
    const rig = useClient({ outbox: false })
    const first = await rig.legacy()
    watch(rig.client.request('tools/list'))
    first.drop()
    expect((await rig.relegacy()).methods.at(-1)).toBe('tools/list')
  })
})

describe('a queued request that is given up', () => {
  it('by its timeout is removed, and the server hears nothing of it', async () => {
    const rig = useClient()
    const asked = watch(rig.client.callTool({ name: 'x' }, { timeout: 100 }))
    await rig.clock.advance(100)
    expect(asked.error).toMatchObject({ code: 'REQUEST_TIMEOUT', delivery: 'not-sent' })
    expect([rig.client.queuedCount, rig.client.pendingCount]).toEqual([0, 0])
    expect((await rig.legacy()).methods).toEqual(['server/discover', 'initialize', 'notifications/initialized'])
  })

  it('by its signal is removed, and the server hears nothing of it', async () => {
    const rig = useClient()
    const controller = new AbortController()
    const asked = watch(rig.client.callTool({ name: 'x' }, { signal: controller.signal }))
    controller.abort(new Error('enough'))
    await settle()
    expect(asked.error).toBe(controller.signal.reason)
    expect(rig.client.queuedCount).toBe(0)
    expect((await rig.legacy()).methods).toEqual(['server/discover', 'initialize', 'notifications/initialized'])
  })

  it('frees its place for another', async () => {
    const rig = useClient({ outbox: { maxMessages: 1 } })
    const controller = new AbortController()
    watch(rig.client.request('a', {}, { signal: controller.signal }))
    controller.abort()
    const next = watch(rig.client.request('b'))
    await settle()
    expect(next.settled).toBe(false)
  })

  it('keeps its deadline from when it was made', async () => {
    const rig = useClient()
    const asked = watch(rig.client.request('tools/list', {}, { timeout: 1000 }))
    await rig.clock.advance(600)
    await rig.legacy()
    await rig.clock.advance(399)
    expect(asked.settled).toBe(false)
    await rig.clock.advance(1)
    expect(asked.error).toMatchObject({ code: 'REQUEST_TIMEOUT', delivery: 'unknown' })
  })
})

describe('what depends on the era', () => {
  const asks: [string, (client: McpWebSocketClient, options: RequestOptions) => Promise<unknown>][] = [
    ['setLoggingLevel', (client, options) => client.setLoggingLevel('info', options)],
    ['subscribeResource', (client, options) => client.subscribeResource({ uri: 'a:1' }, options)],
    ['unsubscribeResource', (client, options) => client.unsubscribeResource({ uri: 'a:1' }, options)]
  ]

  it.each(asks)('has its deadline while it waits, too: %s', async (_name, ask) => {
    const rig = useClient()
    const asked = watch(ask(rig.client, { timeout: 100 }))
    await rig.clock.advance(100)
    expect(asked.error).toMatchObject({ code: 'REQUEST_TIMEOUT', delivery: 'not-sent' })
    expect((await rig.legacy()).methods).toEqual(['server/discover', 'initialize', 'notifications/initialized'])
  })

  it.each(asks)('is given up by its signal while it waits, and the dial goes on: %s', async (_name, ask) => {
    const rig = useClient()
    const connected = watch(rig.client.connect())
    const controller = new AbortController()
    const asked = watch(ask(rig.client, { signal: controller.signal }))
    await settle()
    controller.abort()
    await settle()
    expect(asked.error).toBe(controller.signal.reason)
    await rig.legacy()
    expect(connected).toMatchObject({ settled: true, error: undefined })
  })

  it.each(asks)('rejects with ClosedError, as not sent, when the client is closed: %s', async (_name, ask) => {
    const rig = useClient()
    const asked = watch(ask(rig.client, {}))
    await closeClean(rig)
    expect(asked.error).toMatchObject({ code: 'CLOSED', delivery: 'not-sent' })
    await expect(ask(rig.client, {})).rejects.toMatchObject({ code: 'CLOSED', delivery: 'not-sent' })
  })
})

describe('what belongs to a socket', () => {
  it.each(['notifications/cancelled', 'notifications/progress'])('is not queued: %s', async (method) => {
    const rig = useClient()
    await rig.client.notify(method, { requestId: 1, progressToken: 1, progress: 1 })
    expect(rig.client.queuedCount).toBe(0)
    expect((await rig.legacy()).methods).not.toContain(method)
  })

  it('takes no place in a full outbox', async () => {
    const rig = useClient({ outbox: false })
    await expect(rig.client.notify('notifications/cancelled', { requestId: 1 })).resolves.toBeUndefined()
  })
})

describe('what is sent at the end of a life', () => {
  it('rejects with ClosedError in closed', async () => {
    const rig = useClient()
    await rig.legacy()
    await closeClean(rig)
    await expect(rig.client.request('tools/list')).rejects.toMatchObject({ code: 'CLOSED', delivery: 'not-sent' })
    await expect(rig.client.notify('notifications/x')).rejects.toMatchObject({ code: 'CLOSED' })
  })

  it('rejects with ClosedError in closing', async () => {
    const rig = useClient()
    await rig.legacy()
    void rig.client.close()
    await expect(rig.client.request('tools/list')).rejects.toMatchObject({ code: 'CLOSED', delivery: 'not-sent' })
  })

  it('rejects with the failure in failed', async () => {
    const rig = useClient({ reconnect: false })
    ;(await rig.legacy()).drop({ code: 1011 })
    const { error } = rig.states.at(-1)!
    expect(error).toBeDefined()
    await expect(rig.client.request('tools/list')).rejects.toBe(error)
    await expect(rig.client.notify('notifications/x')).rejects.toBe(error)
  })

  it('rejects with the failure when it was queued before', async () => {
    const rig = useClient({ reconnect: { maxRetries: 1 } })
    ;(await rig.legacy()).drop()
    const queued = watch(rig.client.callTool({ name: 'x' }))
    ;(await rig.redial()).drop()
    await settle()
    expect(queued.error).toBe(rig.states.at(-1)?.error)
    expect(queued.error).toMatchObject({ code: 'RETRIES_EXHAUSTED', delivery: 'not-sent' })
  })

  it('is forgotten by the next life', async () => {
    const rig = useClient()
    watch(rig.client.callTool({ name: 'x' }))
    await closeClean(rig)
    expect((await rig.legacy()).methods).not.toContain('tools/call')
  })
})

describe('maxPending', () => {
  it('rejects the request beyond it', async () => {
    const rig = useClient({ maxPending: 2 })
    const socket = await rig.legacy()
    watch(rig.client.request('a'))
    watch(rig.client.request('b'))
    await expect(rig.client.request('c')).rejects.toMatchObject(FULL)
    expect(socket.methods).not.toContain('c')
    socket.respond('a', {})
    watch(rig.client.request('d'))
    expect(socket.methods.at(-1)).toBe('d')
  })
})
