import { describe, expect, it } from 'vitest'
import { settle } from '../helpers/fake-clock.js'
import type { FakeSocket } from '../helpers/fake-network.js'
import { useClient } from './use-client.js'
import { watch } from '../helpers/watch.js'

const MIB = 2 ** 20

describe('a socket that is about to close', () => {
  it('is given nothing more: what is sent waits for the next one', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const before = socket.sent.length
    socket.buffered = Infinity
    const call = watch(rig.client.callTool({ name: 'x' }))
    await rig.client.notify('notifications/roots/list_changed')
    expect(rig.client.queuedCount).toBe(2)
    expect(socket.sent).toHaveLength(before)
    socket.drop({ code: 1001 })
    const next = await rig.relegacy()
    expect(next.methods.slice(-2)).toEqual(['tools/call', 'notifications/roots/list_changed'])
    next.respond('tools/call', { content: [] })
    await settle()
    expect(call.value).toEqual({ content: [] })
  })

  it('is given nothing more: the end of the life finds it unsent', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.buffered = Infinity
    const call = watch(rig.client.callTool({ name: 'x' }))
    socket.drop({ code: 1008 })
    await settle()
    expect(call.error).toMatchObject({ code: 'CONNECTION_LOST', delivery: 'not-sent' })
  })

  it('keeps to the limits of the outbox', async () => {
    const rig = useClient({ outbox: { maxMessages: 1 } })
    const socket = await rig.legacy()
    socket.buffered = Infinity
    await rig.client.notify('a')
    await expect(rig.client.notify('b')).rejects.toMatchObject({ code: 'QUEUE_FULL', delivery: 'not-sent' })
  })

  it('gets neither cancellations nor responses', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.callTool({ name: 'x' }, { timeout: 100 }))
    const before = socket.sent.length
    socket.buffered = Infinity
    socket.deliver({ jsonrpc: '2.0', id: 1, method: 'ping' })
    await rig.clock.advance(100)
    expect(asked.settled).toBe(true)
    expect(socket.sent).toHaveLength(before)
    expect(rig.client.state).toBe('ready')
  })
})

describe('a server that does not read', () => {
  it('gets no more than 8 MiB behind one another, however small the outbox: what comes then waits', async () => {
    const rig = useClient({ outbox: { maxBytes: 100 } })
    const socket = await rig.legacy()
    socket.buffered = 8 * MIB
    await rig.client.notify('fits')
    socket.buffered++
    const call = watch(rig.client.callTool({ name: 'x' }, { timeout: 500 }))
    await rig.clock.advance(100)
    expect([socket.methods.at(-1), rig.client.queuedCount]).toEqual(['fits', 1])
    socket.buffered = 0
    await rig.clock.advance(25)
    await rig.client.notify('behind it')
    expect(socket.methods.slice(-2)).toEqual(['tools/call', 'behind it'])
    socket.respond('tools/call', { content: [] })
    await settle()
    expect(call.value).toEqual({ content: [] })
  })

  it('is not overtaken by what is sent while others wait', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.buffered = 9 * MIB
    await rig.client.notify('first')
    socket.buffered = 0
    await rig.client.notify('second')
    expect(rig.client.queuedCount).toBe(2)
    await rig.clock.advance(25)
    expect(socket.methods.slice(-2)).toEqual(['first', 'second'])
  })

  it('fills the outbox, and then no more is taken', async () => {
    const rig = useClient({ outbox: { maxMessages: 1 } })
    const socket = await rig.legacy()
    socket.buffered = 9 * MIB
    await rig.client.notify('waits')
    await expect(rig.client.callTool({ name: 'x' })).rejects.toMatchObject({ code: 'QUEUE_FULL', delivery: 'not-sent' })
    expect(rig.client.pendingCount).toBe(0)
  })

  it('gets what waits after a reconnect, if it is replaced', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.buffered = 9 * MIB
    await rig.client.notify('waits')
    socket.drop()
    const next = await rig.relegacy()
    expect(next.methods.at(-1)).toBe('waits')
  })

  it('gets as much as outbox.maxBytes if that is more', async () => {
    const rig = useClient({ outbox: { maxBytes: 9 * MIB } })
    const socket = await rig.legacy()
    socket.buffered = 9 * MIB
    await rig.client.notify('fits')
    expect(socket.methods.at(-1)).toBe('fits')
  })

  it('hears of a cancellation all the same: it may stop what keeps the server', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.callTool({ name: 'x' }, { timeout: 100 }))
    socket.buffered = 9 * MIB
    await rig.clock.advance(100)
    expect(asked.error).toMatchObject({ code: 'REQUEST_TIMEOUT', delivery: 'unknown' })
    expect(socket.methods.slice(-2)).toEqual(['tools/call', 'notifications/cancelled'])
  })

  it('gets no reports of progress, which are worth nothing once they are old', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const report = (progress: number): Promise<void> => rig.client.notify('notifications/progress', { progressToken: 1, progress })
    await report(1)
    socket.buffered = 9 * MIB
    await report(2)
    socket.buffered = 0
    await report(3)
    const reports = socket.sent.filter(({ method }) => method === 'notifications/progress')
    expect(reports.map(({ params }) => params?.progress)).toEqual([1, 3])
  })

  it('is dropped if it goes on asking: the responses would fill the memory', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.buffered = 9 * MIB
    socket.deliver({ jsonrpc: '2.0', id: 1, method: 'ping' })
    await settle()
    expect(rig.states.at(-1)).toMatchObject({ to: 'waiting', closure: { code: 1006, reason: 'the server does not read our responses' } })
    expect(socket.state).toBe('closed')
  })
})

describe('requests of the server', () => {
  const ask = (socket: FakeSocket, id: number): void => socket.deliver({ jsonrpc: '2.0', id, method: 'slow' })

  it('beyond maxPending at once get an error response, and reach no handler', async () => {
    const rig = useClient({ maxPending: 2 })
    const socket = await rig.legacy()
    const finish: (() => void)[] = []
    rig.client.setRequestHandler('slow' as 'ping', () => new Promise((resolve) => finish.push(() => resolve({} as never))))
    for (const id of [1, 2, 3]) ask(socket, id)
    expect(finish).toHaveLength(2)
    expect(socket.sent.at(-1)).toMatchObject({ id: 3, error: { code: 1013 } })
    finish[0]?.()
    await settle()
    ask(socket, 4)
    expect(finish).toHaveLength(3)
  })

  it('of an earlier socket whose handlers still run are counted', async () => {
    const rig = useClient({ maxPending: 1 })
    const socket = await rig.legacy()
    rig.client.setRequestHandler('slow' as 'ping', () => new Promise(() => undefined))
    ask(socket, 1)
    socket.drop()
    const next = await rig.relegacy()
    ask(next, 1)
    expect(next.sent.at(-1)).toMatchObject({ id: 1, error: { code: 1013 } })
  })
})
