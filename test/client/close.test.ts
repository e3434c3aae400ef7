import { describe, expect, it } from 'vitest'
import { isClosedError } from '../../src/errors.js'
import { settle } from '../helpers/fake-clock.js'
import { closeClean, useClient } from './use-client.js'
import { watch } from '../helpers/watch.js'

describe('close', () => {
  it('ends in closed from idle', async () => {
    const rig = useClient()
    await rig.client.close()
    expect(rig.client.state).toBe('closed')
    expect(rig.network.dials).toBe(0)
  })

  it('ends in closed from connecting, at once', async () => {
    const rig = useClient()
    watch(rig.client.connect())
    await rig.network.last()
    await rig.client.close()
    expect([rig.client.state, rig.network.openCount, rig.clock.pendingCount]).toEqual(['closed', 0, 0])
  })

  it('ends in closed while a provider works, and what it gives is not used', async () => {
    let give: (url: string) => void = () => undefined
    const rig = useClient({ url: () => new Promise<string>((resolve) => (give = resolve)) })
    watch(rig.client.connect())
    await rig.client.close()
    give('ws://127.0.0.1/')
    await settle()
    expect([rig.client.state, rig.network.dials]).toEqual(['closed', 0])
  })

  it('is told after the change that called it, when the function url calls it', async () => {
    let leaves = false
    const rig = useClient({
      url: () => {
        if (leaves) void rig.client.close()
        return 'ws://127.0.0.1/ws'
      }
    })
    await rig.legacy()
    leaves = true
    const reconnected = watch(rig.client.reconnect())
    await settle()
    expect(rig.states.slice(-2).map(({ from, to }) => [from, to])).toEqual([
      ['ready', 'connecting'],
      ['connecting', 'closed']
    ])
    expect(rig.client.lastChange?.to).toBe('closed')
    expect(reconnected.error).toMatchObject({ code: 'CLOSED' })
    expect(rig.clock.pendingCount).toBe(0)
    leaves = false
    await rig.legacy()
    expect(rig.reconnections).toEqual([])
  })

  it('ends in closed from initializing, with a closing handshake', async () => {
    const rig = useClient()
    watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    const closed = watch(rig.client.close())
    expect([rig.client.state, socket.state]).toEqual(['closing', 'closing'])
    socket.drop({ code: 1000, wasClean: true })
    await settle()
    expect([closed.settled, rig.client.state]).toEqual([true, 'closed'])
  })

  it('ends in closed from ready, at the close event', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const closed = watch(rig.client.close())
    await settle()
    expect([rig.client.state, closed.settled]).toEqual(['closing', false])
    socket.drop({ code: 1000, wasClean: true })
    await settle()
    expect([rig.client.state, closed.settled, rig.clock.pendingCount]).toEqual(['closed', true, 0])
  })

  it('A3: ends in closed from waiting, and dials no more', async () => {
    const rig = useClient()
    ;(await rig.legacy()).drop()
    await rig.client.close()
    expect([rig.client.state, rig.clock.pendingCount]).toEqual(['closed', 0])
    await rig.clock.advance(100_000)
    expect(rig.network.dials).toBe(1)
  })

  it('ends in closed from failed', async () => {
    const rig = useClient({ reconnect: false })
    ;(await rig.legacy()).drop()
    expect(rig.client.state).toBe('failed')
    await rig.client.close()
    expect(rig.client.state).toBe('closed')
  })

  it('resolves at once from closed', async () => {
    const rig = useClient()
    await rig.client.close()
    await rig.client.close()
    expect(rig.states).toHaveLength(1)
  })

  it('is what asyncDispose does', async () => {
    const rig = useClient()
    await rig.client[Symbol.asyncDispose]()
    expect(rig.client.state).toBe('closed')
  })

  it('waits for closeTimeout and then drops the socket', async () => {
    const rig = useClient({ closeTimeout: 300 })
    const socket = await rig.legacy()
    const closed = watch(rig.client.close())
    await rig.clock.advance(299)
    expect([closed.settled, socket.state]).toEqual([false, 'closing'])
    await rig.clock.advance(1)
    expect([closed.settled, socket.state, rig.client.state]).toEqual([true, 'closed', 'closed'])
    expect(rig.clock.pendingCount).toBe(0)
  })

  it('is shared by concurrent calls', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const calls = [rig.client.close(), rig.client.close()]
    expect(calls[0]).toBe(calls[1])
    socket.drop({ code: 1000 })
    await Promise.all(calls)
    expect(rig.states.filter(({ to }) => to === 'closed')).toHaveLength(1)
  })

  it('never rejects, whatever ends the socket', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const closed = watch(rig.client.close())
    socket.drop({ code: 1008 })
    await settle()
    expect(closed).toMatchObject({ settled: true, error: undefined })
    expect(rig.client.state).toBe('closed')
  })

  it('emits state and close, in this order, once', async () => {
    const rig = useClient()
    const order: string[] = []
    await rig.legacy()
    rig.client.on('state', ({ to }) => order.push(to))
    rig.client.on('close', () => order.push('close!'))
    await closeClean(rig)
    expect(order).toEqual(['closing', 'closed', 'close!'])
  })
})

describe('what close() rejects', () => {
  it('is what was sent, with the delivery unknown', async () => {
    const rig = useClient()
    await rig.legacy()
    const call = watch(rig.client.callTool({ name: 'x' }))
    const list = watch(rig.client.request('tools/list'))
    void rig.client.close()
    expect(rig.client.pendingCount).toBe(0)
    await settle()
    expect(rig.client.state).toBe('closing')
    for (const { error } of [call, list]) expect(error).toMatchObject({ name: 'ClosedError', code: 'CLOSED', delivery: 'unknown' })
  })

  it('is what was queued, as not sent', async () => {
    const rig = useClient()
    const queued = watch(rig.client.callTool({ name: 'x' }))
    await rig.client.close()
    await settle()
    expect(queued.error).toMatchObject({ code: 'CLOSED', delivery: 'not-sent' })
    expect(rig.client.queuedCount).toBe(0)
  })

  it('is what waits to be sent again, with the delivery unknown', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const list = watch(rig.client.request('tools/list'))
    socket.drop()
    await rig.client.close()
    await settle()
    expect(list.error).toMatchObject({ code: 'CLOSED', delivery: 'unknown' })
  })

  it('is every caller of connect()', async () => {
    const rig = useClient()
    const callers = [watch(rig.client.connect()), watch(rig.client.connect())]
    await rig.client.close()
    await settle()
    for (const { error } of callers) expect(error).toSatisfy(isClosedError)
  })
})

describe('after close()', () => {
  it('handlers of the server are aborted, and their responses go nowhere', async () => {
    const rig = useClient()
    let signal: AbortSignal | undefined
    let finish: (result: { roots: [] }) => void = () => undefined
    rig.client.setRequestHandler('roots/list', (_request, context) => {
      signal = context.signal
      return new Promise((resolve) => (finish = resolve))
    })
    const socket = await rig.legacy()
    socket.deliver({ jsonrpc: '2.0', id: 1, method: 'roots/list' })
    const sent = socket.sent.length
    void rig.client.close()
    expect(signal?.aborted).toBe(true)
    finish({ roots: [] })
    await settle()
    expect(socket.sent).toHaveLength(sent)
  })

  it('what the socket still brings is not heard', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    void rig.client.close()
    const sent = socket.sent.length
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 } })
    socket.deliver({ jsonrpc: '2.0', id: 1, method: 'ping' })
    await settle()
    expect(rig.notifications).toEqual([])
    expect(socket.sent).toHaveLength(sent)
  })

  it('no timer and no socket is left, whatever was under way', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    watch(rig.client.callTool({ name: 'x' }, { maxTotalTimeout: 9999, onprogress: () => undefined }))
    watch(rig.client.listen({ toolsListChanged: true }))
    watch(rig.client.request('tools/list'))
    socket.drop()
    watch(rig.client.request('queued'))
    await rig.client.close()
    expect([rig.clock.pendingCount, rig.network.openCount, rig.client.pendingCount, rig.client.queuedCount]).toEqual([0, 0, 0, 0])
  })

  it('the heartbeat of the next life does not take the old calls for its own', async () => {
    const rig = useClient()
    await rig.legacy()
    watch(rig.client.callTool({ name: 'x' }))
    await closeClean(rig)
    await rig.legacy()
    await rig.clock.advance(35_000)
    expect(rig.client.state).toBe('waiting')
    expect(rig.states.at(-1)?.closure?.kind).toBe('heartbeat')
  })

  it('the next life knows nothing of the journal of the old one', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    watch(rig.client.subscribeResource({ uri: 'a:1' }))
    first.respond('resources/subscribe', {})
    watch(rig.client.setLoggingLevel('info'))
    first.respond('logging/setLevel', {})
    await closeClean(rig)
    const second = await rig.legacy()
    second.drop()
    const third = await rig.relegacy()
    expect(second.methods).toEqual(['server/discover', 'initialize', 'notifications/initialized'])
    expect(third.methods).toEqual(['initialize', 'notifications/initialized'])
  })

  it('the next life knows nothing of the log level of the old one in the modern era', async () => {
    const rig = useClient()
    await rig.modern()
    await rig.client.setLoggingLevel('debug')
    await closeClean(rig)
    const socket = await rig.modern()
    watch(rig.client.request('tools/list'))
    expect(socket.asked('tools/list').params?._meta).not.toHaveProperty(['io.modelcontextprotocol/logLevel'])
  })
})
