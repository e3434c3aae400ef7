import { describe, expect, it } from 'vitest'
import { isRpcError } from '../../src/index.js'
import { ALL_ANSWERED } from '../../src/wire/close-reasons.js'
import { settle } from '../helpers/fake-clock.js'
import type { FakeSocket } from '../helpers/fake-network.js'
import { useClient } from './use-client.js'

const later = (retryAfterMs: number): object => ({ retryAfterMs })
const options = { protocol: 'legacy', heartbeat: false, reconnect: { jitter: false } } as const

describe('a request that the server is too busy for', () => {
  it('goes out again after the time that the server named, under the same id, and nobody hears of it', async () => {
    const rig = useClient(options)
    const socket = await rig.legacy()
    const call = rig.client.callTool({ name: 'any' })
    const first = socket.asked('tools/call')
    socket.respondError('tools/call', 10429, 'busy', later(1000))
    expect(rig.client.pendingCount).toBe(1)
    await rig.clock.advance(1000)
    expect(socket.methods.filter((method) => method === 'tools/call')).toHaveLength(1)
    // Half of the spread of 20 %, as chance is 0.5.
    await rig.clock.advance(100)
    expect(socket.methods.filter((method) => method === 'tools/call')).toHaveLength(2)
    expect(socket.asked('tools/call')).toEqual(first)
    socket.respond('tools/call', { content: [] })
    expect(await call).toEqual({ content: [] })
    expect(rig.client.stats()).toMatchObject({ resent: 0, lost: 0 })
  })

  it('times out as not sent, if its time is over before', async () => {
    const rig = useClient(options)
    const socket = await rig.legacy()
    const caught = rig.client.callTool({ name: 'any' }, { timeout: 500 }).catch((error: unknown) => error)
    socket.respondError('tools/call', -32023, 'slow down', later(10_000))
    await rig.clock.advance(500)
    expect(await caught).toMatchObject({ name: 'RequestTimeoutError', delivery: 'not-sent' })
    await rig.clock.advance(20_000)
    expect(socket.methods).not.toContain('notifications/cancelled')
    expect(socket.methods.filter((method) => method === 'tools/call')).toHaveLength(1)
  })

  it('is given up with the life, as not sent', async () => {
    const rig = useClient(options)
    const socket = await rig.legacy()
    const caught = rig.client.callTool({ name: 'any' }).catch((error: unknown) => error)
    socket.respondError('tools/call', 10429, 'busy', later(1000))
    void rig.client.close()
    expect(await caught).toMatchObject({ name: 'ClosedError', delivery: 'not-sent' })
  })

  it('goes out over the next connection, if this one breaks meanwhile', async () => {
    const rig = useClient(options)
    const socket = await rig.legacy()
    const call = rig.client.callTool({ name: 'any' })
    socket.respondError('tools/call', 10429, 'busy', later(1000))
    socket.drop()
    const next = await rig.relegacy()
    await rig.clock.advance(1000)
    next.respond('tools/call', { content: [] })
    await call
  })

  it('fails with the error of the server if it was sent twice: the first time it may have been executed', async () => {
    const rig = useClient(options)
    const socket = await rig.legacy()
    const caught = rig.client.listTools().catch((error: unknown) => error)
    socket.drop()
    const next = await rig.relegacy()
    next.respondError('tools/list', 10429, 'busy', later(1000))
    expect(await caught).toMatchObject({ rpcCode: 10429 })
  })

  it.each([
    ['the error does not say when to repeat it', {}, undefined],
    ['nothing may wait', { outbox: false as const }, later(1000)]
  ])('fails with the error of the server where %s', async (_name, changes, data) => {
    const rig = useClient({ ...options, ...changes })
    const socket = await rig.legacy()
    const caught = rig.client.callTool({ name: 'any' }).catch((error: unknown) => error)
    socket.respondError('tools/call', 10429, 'busy', data)
    const error = await caught
    expect(isRpcError(error) && error.rpcCode).toBe(10429)
  })
})

describe('a server that is about to close', () => {
  it('gets nothing new: what is in flight finishes, and the rest goes to the next connection at once, without a counted retry', async () => {
    const rig = useClient(options)
    const socket = await rig.legacy()
    await rig.clock.advance(5000)
    const slow = rig.client.callTool({ name: 'slow' })
    const { id } = socket.asked('tools/call')
    const refused = rig.client.callTool({ name: 'refused' })
    socket.respondError('tools/call', 10503, 'closing', later(1000))
    const waiting = rig.client.callTool({ name: 'waiting' })
    const sent = socket.sent.length
    expect(rig.client.state).toBe('ready')
    socket.deliver({ jsonrpc: '2.0', id, result: { content: [] } })
    await slow
    expect(socket.sent).toHaveLength(sent)
    expect(rig.states.at(-1)).toMatchObject({ from: 'ready', to: 'connecting', attempt: 1 })
    const next = (await rig.network.last()).accept()
    next.respond('initialize', { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'fake', version: '1' } })
    await settle()
    const calls = next.sent.filter(({ method }) => method === 'tools/call')
    expect(calls.map(({ params }) => params?.name)).toEqual(['refused', 'waiting'])
    for (const call of calls) next.deliver({ jsonrpc: '2.0', id: call.id, result: { content: [] } })
    await Promise.all([refused, waiting])
    expect(rig.reconnections).toMatchObject([{ lost: 0, attempts: 1 }])
  })

  it('is left after a delay if it says so within 5 s after every connection: it cannot make the client dial in a circle', async () => {
    const rig = useClient(options)
    let socket = await rig.legacy()
    const call = rig.client.callTool({ name: 'any' })
    for (const delay of [1000, 2000, 4000]) {
      socket.respondError('tools/call', 10503, 'closing', later(0))
      expect(rig.states.at(-1)).toMatchObject({ to: 'waiting', delay })
      socket = await rig.relegacy()
    }
    socket.respond('tools/call', { content: [] })
    await call
  })

  it('may close first: what waits goes to the next connection all the same', async () => {
    const rig = useClient(options)
    const socket = await rig.legacy()
    const slow = rig.client.callTool({ name: 'slow' }).catch((error: unknown) => error)
    const refused = rig.client.callTool({ name: 'refused' })
    socket.respondError('tools/call', 10503, 'closing', later(1000))
    socket.drop({ code: 1001 })
    expect(await slow).toMatchObject({ delivery: 'unknown' })
    const next = await rig.relegacy()
    next.respond('tools/call', { content: [] })
    await refused
  })
  it('has not received what it closed without a response to, if it says that all that it received was answered', async () => {
    const rig = useClient(options)
    const socket = await rig.legacy()
    const call = rig.client.callTool({ name: 'crossed' })
    socket.drop({ code: 1001, reason: ALL_ANSWERED })
    const next = await rig.relegacy()
    next.respond('tools/call', { content: [] })
    await call
    expect(rig.client.stats()).toMatchObject({ lost: 0, resent: 0 })
  })

  it('is not believed where a response of it could not be read', async () => {
    const rig = useClient(options)
    const socket = await rig.legacy()
    const call = rig.client.callTool({ name: 'garbled' }).catch((error: unknown) => error)
    socket.deliver('{"jsonrpc":"2.0","id":')
    socket.drop({ code: 1001, reason: ALL_ANSWERED })
    expect(await call).toMatchObject({ delivery: 'unknown' })
    // That was the last socket: of this one it is believed.
    const later = rig.client.callTool({ name: 'crossed' })
    const next = await rig.relegacy()
    next.drop({ code: 1001, reason: ALL_ANSWERED })
    const last = await rig.relegacy()
    last.respond('tools/call', { content: [] })
    await later
  })
})

describe('a listen that the server is too busy for', () => {
  const ID = 'io.modelcontextprotocol/subscriptionId'
  const options = { heartbeat: false, reconnect: { jitter: false } } as const
  const listens = ({ methods }: FakeSocket): number => methods.filter((method) => method === 'subscriptions/listen').length

  it('is opened once on the next connection, if this one is about to be closed', async () => {
    const rig = useClient(options)
    const socket = await rig.modern()
    const listening = rig.client.listen({ toolsListChanged: true })
    socket.respondError('subscriptions/listen', 10503, 'closing', later(100))
    const next = await rig.remodern()
    expect(listens(next)).toBe(1)
    const { id } = next.asked('subscriptions/listen')
    const params = { _meta: { [ID]: id }, notifications: {} }
    next.deliver({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params })
    await listening
    next.drop()
    expect(listens(await rig.remodern())).toBe(1)
  })

  it('is forgotten with the caller who waits no longer', async () => {
    const rig = useClient(options)
    const socket = await rig.modern()
    const caught = rig.client.listen({ toolsListChanged: true }, { timeout: 50 }).catch((error: unknown) => error)
    socket.respondError('subscriptions/listen', 10429, 'busy', later(5000))
    await rig.clock.advance(50)
    expect(await caught).toMatchObject({ delivery: 'not-sent' })
    socket.drop()
    expect(listens(await rig.remodern())).toBe(0)
  })
})

it('a change of the log level that was postponed is restored as if it had been confirmed at once', async () => {
  const rig = useClient(options)
  const socket = await rig.legacy()
  const changed = rig.client.setLoggingLevel('info')
  socket.respondError('logging/setLevel', 10429, 'busy', later(100))
  await rig.clock.advance(200)
  socket.respond('logging/setLevel', {})
  await changed
  socket.drop()
  expect((await rig.relegacy()).asked('logging/setLevel').params).toEqual({ level: 'info' })
})
