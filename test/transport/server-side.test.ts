import { describe, expect, it } from 'vitest'
import { serverOptions } from '../../src/transport/server-side.js'
import type { WebSocketClientTransportOptions } from '../../src/transport/index.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { LEGACY_RESULT, type FakeSocket } from '../helpers/fake-network.js'
import { INITIALIZE, INITIALIZED, META, useTransport, type Rig } from './use-transport.js'

const JITTERLESS = { initialDelay: 100, jitter: false } as const

const useServer = (options: WebSocketClientTransportOptions = {}): Rig =>
  useTransport({ role: 'server', reconnect: JITTERLESS, ...options })

const call = (id: number): object => ({ jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'slow' } })
const cancelled = (requestId: number | string, reason = 'connection waiting'): object => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId, reason }
})
const progress = { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } }

/** The client at the other end makes its handshake. */
async function greet(rig: Rig, socket: FakeSocket): Promise<void> {
  socket.deliver(INITIALIZE)
  await rig.send({ jsonrpc: '2.0', id: rig.messages.at(-1)!.id, result: LEGACY_RESULT })
  socket.deliver(INITIALIZED)
}

async function greeted(rig: Rig): Promise<FakeSocket> {
  const socket = await rig.start()
  await greet(rig, socket)
  rig.messages.length = 0
  return socket
}

describe('the side of a server', () => {
  it('says nothing by itself, on any socket, and takes a handshake on each', async () => {
    const rig = useServer()
    let socket = await greeted(rig)
    expect(socket.methods).toEqual(['response'])
    for (let round = 0; round < 3; round++) {
      socket = await rig.redial(socket)
      expect(socket.sent).toEqual([])
      await greet(rig, socket)
      expect(socket.sent).toEqual([{ jsonrpc: '2.0', id: 0, result: LEGACY_RESULT }])
    }
    expect(rig.messages.map(({ method }) => method)).not.toContain('notifications/tools/list_changed')
    expect(rig.errors).toEqual([])
  })

  it('dials for ever', async () => {
    const rig = useServer()
    let socket = await greeted(rig)
    for (let dial = 0; dial < 40; dial++) {
      socket.drop()
      await rig.clock.advance(Math.ceil(rig.states.at(-1)?.delay ?? 0))
      socket = await rig.network.last()
    }
    expect(rig.transport.state).toBe('connecting')
    expect(rig.calls).toEqual([])
    socket.accept()
    await greet(rig, socket)
    expect(socket.methods).toEqual(['response'])
  })

  it('drops the response to a request of an old socket, and tells the handler that it was cancelled', async () => {
    const rig = useServer()
    const first = await greeted(rig)
    first.deliver(call(7))
    const second = await rig.redial(first)
    expect(rig.messages).toEqual([call(7), cancelled(7)])
    // The next client counts its ids as the last one did.
    second.deliver(call(7))
    const { id } = rig.messages.at(-1)!
    expect(id).not.toBe(7)
    await rig.send({ jsonrpc: '2.0', id: 7, result: { of: 'first' } })
    expect(second.sent).toEqual([])
    await rig.send({ jsonrpc: '2.0', id: id!, result: { of: 'second' } })
    expect(second.sent).toEqual([{ jsonrpc: '2.0', id: 7, result: { of: 'second' } }])
  })

  it('drops what the handler of such a request still sends, and only that', async () => {
    const rig = useServer()
    const first = await greeted(rig)
    first.deliver(call(7))
    first.deliver(call(0))
    const upper = rig.messages.at(-1)!.id!
    await rig.transport.send(progress as never, { relatedRequestId: 7 })
    expect(first.methods.at(-1)).toBe('notifications/progress')
    const second = await rig.redial(first)
    for (const relatedRequestId of [7, upper]) {
      await rig.transport.send(progress as never, { relatedRequestId })
      const asking = rig.transport.send({ jsonrpc: '2.0', id: 1, method: 'roots/list' }, { relatedRequestId })
      expect(await rejectionOf(asking)).toMatchObject({ code: 'QUEUE_FULL', delivery: 'not-sent' })
    }
    expect(second.sent).toEqual([])
    second.deliver(call(8))
    await rig.transport.send(progress as never, { relatedRequestId: 8 })
    expect(second.sent).toEqual([progress])
    // A client that gives a request up wants to hear of it no more.
    second.deliver(cancelled(8))
    await rig.transport.send(progress as never, { relatedRequestId: 8 })
    expect(second.sent).toEqual([progress])
  })

  it('remembers a hundred such requests, and forgets one whose id comes again', async () => {
    const rig = useServer()
    const socket = await greeted(rig)
    const of = (relatedRequestId: number): Promise<void> => rig.transport.send(progress as never, { relatedRequestId })
    for (let id = 1; id <= 101; id++) {
      socket.deliver(call(id))
      socket.deliver(cancelled(id))
    }
    socket.sent.length = 0
    await of(2)
    expect(socket.sent).toEqual([])
    await of(1)
    expect(socket.sent).toEqual([progress])
    socket.deliver(call(1))
    await of(1)
    expect(socket.sent).toEqual([progress, progress])
  })

  it('tells an outage from nothing that could wait: a notification is dropped, a request rejects', async () => {
    const rig = useServer()
    const first = await greeted(rig)
    first.drop()
    await rig.send({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
    expect(await rejectionOf(rig.request(1, 'sampling/createMessage'))).toMatchObject({
      name: 'QueueFullError',
      code: 'QUEUE_FULL',
      delivery: 'not-sent',
      message: 'the client that sampling/createMessage is for is not connected'
    })
    await rig.clock.advance(100)
    const second = (await rig.network.last()).accept()
    expect(second.sent).toEqual([])
    expect(rig.transport.stats()).toMatchObject({ reconnects: 1, resent: 0 })
  })

  it('repeats no request of its own, also none that would be safe', async () => {
    const rig = useServer()
    const first = await greeted(rig)
    await rig.request(1, 'ping')
    await rig.request(2, 'roots/list')
    const second = await rig.redial(first)
    expect(second.sent).toEqual([])
    const lost = { code: 1006, data: { reason: 'CONNECTION_LOST', delivery: 'unknown' } }
    expect(rig.messages).toMatchObject([
      { id: 1, error: lost },
      { id: 2, error: lost }
    ])
  })

  it('has room for large results in the socket, and ends a connection that reads none of them', async () => {
    const rig = useServer()
    const socket = await greeted(rig)
    socket.deliver(call(1))
    socket.deliver(call(2))
    socket.deliver(call(3))
    socket.buffered = 60 * 2 ** 20
    await rig.send({ jsonrpc: '2.0', id: 1, result: {} })
    await rig.send({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' })
    expect(socket.methods.slice(-2)).toEqual(['response', 'notifications/tools/list_changed'])
    socket.buffered = 65 * 2 ** 20
    await rig.send({ jsonrpc: '2.0', id: 2, result: {} })
    expect(rig.transport.state).toBe('waiting')
  })

  it('asks a legacy client for a sign of life where there are no ping frames', async () => {
    const rig = useServer({ heartbeat: { interval: 1000, timeout: 500 } })
    const socket = await greeted(rig)
    socket.canPing = false
    await rig.clock.advance(1000)
    expect(socket.methods.at(-1)).toBe('ping')
    await rig.clock.advance(500)
    expect(rig.transport.state).toBe('waiting')
  })

  it('asks a modern client nothing, as MCP 2026-07-28 has no requests to clients, and forgets the era with the socket', async () => {
    const rig = useServer({ heartbeat: { interval: 1000, timeout: 500 } })
    const first = await rig.start()
    first.canPing = false
    first.deliver({ jsonrpc: '2.0', id: 1, method: 'server/discover', params: { _meta: META } })
    await rig.clock.advance(20_000)
    expect(rig.transport.state).toBe('ready')
    expect(first.sent).toEqual([])
    const second = await rig.redial(first)
    second.canPing = false
    await rig.clock.advance(1000)
    expect(second.methods).toEqual(['ping'])
  })
})

describe('serverOptions', () => {
  it('dial for ever unless the program says how often, and keep nothing', () => {
    expect(serverOptions({})).toEqual({ reconnect: { maxRetries: Infinity }, outbox: false, resend: 'never' })
    expect(serverOptions({ reconnect: { maxRetries: undefined, jitter: false } }).reconnect).toEqual({
      maxRetries: Infinity,
      jitter: false
    })
    expect(serverOptions({ reconnect: { maxRetries: 3 } }).reconnect).toEqual({ maxRetries: 3 })
    expect(serverOptions({ reconnect: false }).reconnect).toBe(false)
  })

  it.each([['outbox', false] as const, ['resend', 'never'] as const, ['resume', true] as const])('have no %s', (name, value) => {
    expect(() => useServer({ [name]: value })).toThrow(
      new TypeError(`leave ${name} out: with role "server", nothing is kept for the next connection`)
    )
  })

  it('are checked as those of a client are', () => {
    expect(() => useServer({ reconnect: 5 as never })).toThrow('reconnect must be')
    expect(() => useTransport({ role: 'sever' as never })).toThrow(new TypeError('role must be client or server'))
  })
})
