import { inspect } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { isConnectionLostError, type ElicitResult } from '../../src/index.js'
import type { McpWebSocketClientOptions } from '../../src/types/options.js'
import { ALL_ANSWERED } from '../../src/wire/close-reasons.js'
import { RESUME_SUBPROTOCOL } from '../../src/wire/subprotocol.js'
import { settle } from '../helpers/fake-clock.js'
import { LEGACY_RESULT, type FakeSocket, type Message } from '../helpers/fake-network.js'
import { useClient, type Rig } from './use-client.js'

const LIMITS = { messages: 256, bytes: 1e6 }
const hello = (members: object = {}): object => ({
  'mcp.resume': 'hello',
  v: 1,
  resumed: false,
  session: 's1',
  epoch: 'e1',
  received: 0,
  ttlMs: 1000,
  limits: LIMITS,
  durability: 'process',
  ...members
})

const control = (socket: FakeSocket, kind: string): Record<string, unknown>[] =>
  (socket.sent as unknown as Record<string, unknown>[]).filter((frame) => frame['mcp.resume'] === kind)

const data = (socket: FakeSocket): Message[] => socket.sent.filter((frame) => 'jsonrpc' in frame)

/** The next dial, led to the open socket of a server that knows sessions. */
async function opened(rig: Rig): Promise<FakeSocket> {
  return (await rig.redial()).accept(RESUME_SUBPROTOCOL)
}

/** A client that is ready on a server that knows sessions; two frames were sent (initialize, initialized), one was received. */
async function useResumable(options: Partial<McpWebSocketClientOptions> = {}): Promise<Rig & { readonly socket: FakeSocket }> {
  const rig = useClient({ resume: true, protocol: 'legacy', reconnect: { jitter: false, initialDelay: 100 }, heartbeat: false, ...options })
  const connected = rig.client.connect()
  const socket = (await rig.network.last()).accept(RESUME_SUBPROTOCOL)
  socket.deliver(hello())
  socket.respond('initialize', LEGACY_RESULT)
  await connected
  return { ...rig, socket }
}

describe('the offer', () => {
  it('has mcp.v1.resume after mcp.v1 only if that is asked for', async () => {
    const plain = useClient()
    void plain.client.connect().catch(() => undefined)
    expect((await plain.network.last()).target.protocols).toEqual(['mcp.v1'])
    const rig = useClient({ resume: true, subprotocols: ['mcp'] })
    void rig.client.connect().catch(() => undefined)
    expect((await rig.network.last()).target.protocols).toEqual(['mcp.v1', RESUME_SUBPROTOCOL, 'mcp'])
  })

  it('is not made a second time to a server that rejects two names: it is dialled without at once, and for the rest of the life', async () => {
    const rig = useClient({ resume: true, reconnect: { jitter: false } })
    void rig.client.connect().catch(() => undefined)
    ;(await rig.network.last()).drop({ kind: 'http', status: 400 })
    const second = await rig.network.last()
    expect(rig.network.dials).toBe(2)
    expect(second.target.protocols).toEqual(['mcp.v1'])
    second.accept().respondError('server/discover', -32601)
    second.respond('initialize', LEGACY_RESULT)
    await settle()
    expect(rig.client.state).toBe('ready')
    expect(control(second, 'open')).toEqual([])
    second.drop()
    expect((await rig.redial()).target.protocols).toEqual(['mcp.v1'])
  })

  it.each([401, 403, 429, 503])('is made again after the status %s, which says nothing about it', async (status) => {
    const rig = useClient({ resume: true, reconnect: { jitter: false } })
    void rig.client.connect().catch(() => undefined)
    ;(await rig.network.last()).drop({ kind: 'http', status })
    await rig.redial()
    for (const { target } of rig.network.sockets) expect(target.protocols).toContain(RESUME_SUBPROTOCOL)
  })

  it.each([
    ['says nothing for 5 s', undefined],
    ['sends a message first', { jsonrpc: '2.0', id: 1, error: { code: -32600, message: 'Invalid request' } }],
    ['sends another control frame first', { 'mcp.resume': 'ack', received: 0 }],
    ['speaks a later version', hello({ v: 2 })]
  ])('X10: is not made again to a server that chose mcp.v1.resume and %s', async (_name, first) => {
    const rig = useClient({ resume: true, reconnect: { jitter: false } })
    void rig.client.connect().catch(() => undefined)
    const socket = (await rig.network.last()).accept(RESUME_SUBPROTOCOL)
    if (first) socket.deliver(first)
    else await rig.clock.advance(5000)
    const second = await rig.network.last()
    expect(socket.state).toBe('closed')
    expect(rig.network.dials).toBe(2)
    expect(second.target.protocols).toEqual(['mcp.v1'])
  })
})

describe('a socket with sessions', () => {
  it('I14: gets open first, and nothing else before hello', async () => {
    const rig = useClient({ resume: true, protocol: 'legacy' })
    void rig.client.connect().catch(() => undefined)
    void rig.client.listTools().catch(() => undefined)
    const socket = (await rig.network.last()).accept(RESUME_SUBPROTOCOL)
    expect(socket.sent).toEqual([
      { 'mcp.resume': 'open', v: 1, session: null, epoch: null, received: 0, generation: 1, limits: { messages: 256, bytes: 2 ** 23 } }
    ])
    socket.deliver(hello())
    expect(data(socket).map(({ method }) => method)).toEqual(['initialize'])
  })

  it('loses nothing of an array of messages whose first one has the program reconnect', async () => {
    const { client, socket } = await useResumable()
    const heard: string[] = []
    client.on('notification', ({ method }) => {
      heard.push(method)
      if (method === 'a') client.reconnect().catch(() => undefined)
    })
    const listed = client.request('tools/list')
    const [{ id } = {}] = data(socket).slice(-1)
    socket.deliver([
      { jsonrpc: '2.0', method: 'a' },
      { jsonrpc: '2.0', method: 'b' },
      { jsonrpc: '2.0', id, result: { tools: [] } }
    ])
    await expect(listed).resolves.toEqual({ tools: [] })
    expect(heard).toEqual(['a', 'b'])
  })

  it('gets an acknowledgement 1 s after a frame, at once after 64 frames, and none when nothing is owed', async () => {
    const { socket, clock } = await useResumable()
    expect(control(socket, 'ack')).toEqual([])
    await clock.advance(1000)
    expect(control(socket, 'ack')).toEqual([{ 'mcp.resume': 'ack', received: 1 }])
    await clock.advance(60_000)
    expect(control(socket, 'ack')).toHaveLength(1)
    for (let n = 0; n < 64; n++) socket.deliver({ jsonrpc: '2.0', method: 'notifications/message' })
    expect(control(socket, 'ack').at(-1)).toEqual({ 'mcp.resume': 'ack', received: 65 })
    expect(control(socket, 'ack')).toHaveLength(2)
  })

  it('gets an acknowledgement after half of the frames that the server keeps', async () => {
    const rig = useClient({ resume: true, protocol: 'legacy' })
    void rig.client.connect()
    const socket = (await rig.network.last()).accept(RESUME_SUBPROTOCOL)
    socket.deliver(hello({ limits: { messages: 4, bytes: 1000 } }))
    socket.respond('initialize', LEGACY_RESULT)
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/message' })
    expect(control(socket, 'ack')).toEqual([{ 'mcp.resume': 'ack', received: 2 }])
  })

  it('gets a pong with the count for a ping', async () => {
    const { socket } = await useResumable()
    socket.deliver({ 'mcp.resume': 'ping', received: 2 })
    expect(control(socket, 'pong')).toEqual([{ 'mcp.resume': 'pong', received: 1 }])
  })

  it('is probed by a ping of its own where the engine has none', async () => {
    const { socket, clock, client } = await useResumable({ heartbeat: { interval: 1000, timeout: 500 } })
    socket.canPing = false
    await clock.advance(1000)
    expect(control(socket, 'ping')).toHaveLength(1)
    expect(data(socket).map(({ method }) => method)).not.toContain('ping')
    await clock.advance(40)
    socket.deliver({ 'mcp.resume': 'pong', received: 2 })
    expect(client.stats().latency).toBe(40)
    await clock.advance(400)
    expect(client.state).toBe('ready')
  })

  it('gets end before it is closed', async () => {
    const { socket, client } = await useResumable()
    void client.close()
    expect(control(socket, 'end')).toHaveLength(1)
    expect(socket.sent.at(-1)).toEqual({ 'mcp.resume': 'end' })
  })

  it.each([
    ['acknowledges what was not sent', { 'mcp.resume': 'ack', received: 99 }],
    ['sends a second hello', hello()],
    ['sends a control frame that is none', { 'mcp.resume': 'dance' }]
  ])('I15: is dropped when the server %s, and the session is over', async (_name, frame) => {
    const rig = await useResumable()
    rig.socket.deliver(frame)
    expect(rig.socket.state).toBe('closed')
    expect(control(await opened(rig), 'open')).toMatchObject([{ session: null }])
  })
})

describe('a call whose connection breaks', () => {
  it('lives on, and has its result from the next connection, executed once', async () => {
    const rig = await useResumable()
    const resumed = vi.fn()
    rig.client.on('resumed', resumed)
    const call = rig.client.callTool({ name: 'slow' })
    const { id } = rig.socket.asked('tools/call')
    rig.socket.deliver({ 'mcp.resume': 'ack', received: 3 })
    rig.socket.drop()
    expect(rig.client.state).toBe('waiting')
    expect(rig.client.pendingCount).toBe(1)
    const next = await opened(rig)
    expect(control(next, 'open')).toMatchObject([{ session: 's1', epoch: 'e1', received: 1, generation: 2 }])
    next.deliver(hello({ resumed: true, received: 3 }))
    expect(rig.client.state).toBe('ready')
    expect(data(next)).toEqual([])
    next.deliver({ jsonrpc: '2.0', id, result: { content: [] } })
    expect(await call).toEqual({ content: [] })
    expect(resumed).toHaveBeenCalledExactlyOnceWith({ downtime: 100, replayed: 0 })
    expect(rig.reconnections).toEqual([])
    expect(rig.client.stats()).toMatchObject({ lost: 0, resent: 0, reconnects: 1 })
  })

  it('is sent again where the server has not received it, before what waited', async () => {
    const rig = await useResumable()
    const call = rig.client.callTool({ name: 'slow' })
    rig.socket.drop()
    const list = rig.client.listTools()
    const next = await opened(rig)
    next.deliver(hello({ resumed: true, received: 2 }))
    expect(data(next).map(({ method }) => method)).toEqual(['tools/call', 'tools/list'])
    expect(next.asked('tools/call')).toEqual(rig.socket.asked('tools/call'))
    next.respond('tools/call', { content: [] })
    next.respond('tools/list', { tools: [] })
    await Promise.all([call, list])
  })

  it('reports its progress and answers the server as if nothing had happened', async () => {
    const rig = await useResumable()
    let respond: (result: ElicitResult) => void = () => undefined
    const aborted = vi.fn()
    rig.client.setRequestHandler('elicitation/create', (_request, { signal }) => {
      signal.addEventListener('abort', aborted)
      return new Promise<ElicitResult>((resolve) => {
        respond = resolve
      })
    })
    const onprogress = vi.fn()
    const call = rig.client.callTool({ name: 'slow' }, { onprogress })
    const { id, params } = rig.socket.asked('tools/call')
    const { progressToken } = params?._meta as { progressToken: string }
    rig.socket.deliver({ jsonrpc: '2.0', id: 7, method: 'elicitation/create', params: { message: '?', requestedSchema: {} } })
    rig.socket.drop()
    respond({ action: 'decline' })
    await settle()
    const next = await opened(rig)
    next.deliver(hello({ resumed: true, received: 3 }))
    expect(data(next)).toEqual([{ jsonrpc: '2.0', id: 7, result: { action: 'decline' } }])
    expect(aborted).not.toHaveBeenCalled()
    next.deliver({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress: 1 } })
    next.deliver({ jsonrpc: '2.0', id, result: { content: [] } })
    await call
    expect(onprogress).toHaveBeenCalledExactlyOnceWith({ progress: 1 })
  })

  it('X12, X13: times out while there is no connection, and the server hears of it afterwards', async () => {
    const rig = await useResumable({ reconnect: { jitter: false, initialDelay: 1000 } })
    const call = rig.client.callTool({ name: 'slow' }, { timeout: 200 })
    const caught = call.catch((error: unknown) => error)
    rig.socket.drop()
    await rig.clock.advance(200)
    expect(await caught).toMatchObject({ name: 'RequestTimeoutError', delivery: 'unknown' })
    const next = await opened(rig)
    next.deliver(hello({ resumed: true, received: 3 }))
    expect(data(next)).toMatchObject([{ method: 'notifications/cancelled' }])
  })

  it('X4, X5: survives a socket that breaks before hello, and a replay that is interrupted', async () => {
    const rig = await useResumable()
    const calls = [1, 2, 3].map((n) => rig.client.callTool({ name: `slow ${String(n)}` }))
    rig.socket.drop()
    ;(await opened(rig)).drop()
    const third = await opened(rig)
    expect(control(third, 'open')).toMatchObject([{ session: 's1', generation: 3 }])
    third.deliver(hello({ resumed: true, received: 3 }))
    expect(data(third)).toHaveLength(2)
    third.drop()
    const fourth = await opened(rig)
    fourth.deliver(hello({ resumed: true, received: 4 }))
    expect(data(fourth)).toHaveLength(1)
    for (const { id } of [...data(rig.socket), ...data(fourth)]) fourth.deliver({ jsonrpc: '2.0', id, result: { content: [] } })
    await Promise.all(calls)
  })

  it('X11, I17: is given up once the same frame has ended three sockets more than its first', async () => {
    const rig = await useResumable()
    const caught = rig.client.callTool({ name: 'poison' }).catch((error: unknown) => error)
    await loseSockets(rig)
    const last = await opened(rig)
    last.deliver(hello({ resumed: true, received: 2 }))
    expect(await caught).toMatchObject({
      delivery: 'unknown',
      closure: { reason: expect.stringMatching(/^the same message was lost/) as string }
    })
    expect(control(last, 'end')).toHaveLength(1)
    expect(control(await opened(rig), 'open')).toMatchObject([{ session: null }])
  })

  it('X11: goes on if the server had received that frame, and its acknowledgement was lost', async () => {
    const rig = await useResumable()
    const call = rig.client.callTool({ name: 'x' })
    await loseSockets(rig)
    const last = await opened(rig)
    last.deliver(hello({ resumed: true, received: 3 }))
    last.deliver({ jsonrpc: '2.0', id: rig.socket.asked('tools/call').id, result: { content: [] } })
    expect(await call).toEqual({ content: [] })
  })

  /** Loses five sockets; from the second on the client knows that the server has two frames, and not the third. */
  async function loseSockets(rig: Rig & { readonly socket: FakeSocket }): Promise<void> {
    rig.socket.drop()
    for (let time = 1; time < 5; time++) {
      const socket = await opened(rig)
      socket.deliver(hello({ resumed: true, received: 2 }))
      socket.drop()
    }
  }
})

describe('a server that ends the session', () => {
  it('says so before it closes: the calls are failed with the connection, and the next one has a new session', async () => {
    const rig = await useResumable()
    const caught = rig.client.callTool({ name: 'first' }).catch((error: unknown) => error)
    rig.socket.deliver({ 'mcp.resume': 'end' })
    expect(rig.client.pendingCount).toBe(1)
    rig.socket.drop({ code: 1001 })
    expect(await caught).toMatchObject({ delivery: 'unknown' })
    expect(control(await opened(rig), 'open')).toMatchObject([{ session: null }])
  })

  it('is left at once after goaway, if the connection was stable, and keeps no session', async () => {
    const rig = await useResumable()
    await rig.clock.advance(5000)
    const call = rig.client.callTool({ name: 'slow' })
    rig.socket.deliver({ 'mcp.resume': 'goaway', retryAfterMs: 0 })
    const waiting = rig.client.listTools()
    expect(rig.client.state).toBe('ready')
    rig.socket.respond('tools/call', { content: [] })
    await call
    const next = (await rig.network.last()).accept(RESUME_SUBPROTOCOL)
    expect(rig.network.dials).toBe(2)
    expect(control(rig.socket, 'end')).toHaveLength(1)
    expect(control(next, 'open')).toMatchObject([{ session: null }])
    next.deliver(hello({ session: 's2' }))
    next.respond('initialize', LEGACY_RESULT)
    next.respond('tools/list', { tools: [] })
    await waiting
  })

  it('is left after the time that goaway names', async () => {
    const rig = await useResumable()
    await rig.clock.advance(5000)
    rig.clock.chance = 0.5
    rig.socket.deliver({ 'mcp.resume': 'goaway', retryAfterMs: 1000 })
    const { to, delay } = rig.states.at(-1) ?? {}
    expect({ to, delay }).toEqual({ to: 'waiting', delay: 1100 })
    expect(control(rig.socket, 'end')).toHaveLength(1)
    await rig.clock.advance(1099)
    expect(rig.network.dials).toBe(1)
    await rig.clock.advance(1)
    expect(rig.states.at(-1)).toMatchObject({ to: 'connecting', attempt: 1 })
    expect(control((await rig.network.last()).accept(RESUME_SUBPROTOCOL), 'open')).toMatchObject([{ session: null }])
  })

  it('is left after that time, too, if the server gives back a request that crossed its goaway', async () => {
    const rig = await useResumable()
    await rig.clock.advance(5000)
    rig.clock.chance = 0.5
    const call = rig.client.callTool({ name: 'slow' })
    const crossed = rig.client.listTools()
    rig.socket.deliver({ 'mcp.resume': 'goaway', retryAfterMs: 2000 })
    rig.socket.respondError('tools/list', 10503, 'closing', { retryAfterMs: 1000 })
    rig.socket.respond('tools/call', { content: [] })
    await call
    expect(rig.states.at(-1)).toMatchObject({ to: 'waiting', delay: 2200 })
    await rig.clock.advance(2200)
    const next = (await rig.network.last()).accept(RESUME_SUBPROTOCOL)
    next.deliver(hello({ session: 's2' }))
    next.respond('initialize', LEGACY_RESULT)
    next.respond('tools/list', { tools: [] })
    await crossed
  })

  it('is left with the delay of a retry, if the connection was not stable', async () => {
    const rig = await useResumable()
    rig.socket.deliver({ 'mcp.resume': 'goaway', retryAfterMs: 3 })
    expect(rig.states.at(-1)).toMatchObject({ to: 'waiting', delay: 100, attempt: 2 })
  })
})

describe('a session whose replay is interrupted', () => {
  it('by a reconnect() in trace is resumed on the next socket, and no call is lost', async () => {
    let interrupts = false
    const rig: Rig & { readonly socket: FakeSocket } = await useResumable({
      trace: (direction, text) => {
        if (!interrupts || direction === 'in' || !text.includes('tools/call')) return
        interrupts = false
        void rig.client.reconnect()
      }
    })
    const call = rig.client.callTool({ name: 'slow' })
    rig.socket.drop()
    const second = await opened(rig)
    interrupts = true
    second.deliver(hello({ resumed: true, received: 2 }))
    const third = (await rig.network.last()).accept(RESUME_SUBPROTOCOL)
    expect(control(third, 'open')).toMatchObject([{ session: 's1' }])
    third.deliver(hello({ resumed: true, received: 2 }))
    third.respond('tools/call', { content: [] })
    expect(await call).toEqual({ content: [] })
  })
})

describe('a session that is over', () => {
  const lostWith = async (rig: Rig, members: object): Promise<FakeSocket> => {
    const next = await opened(rig)
    next.deliver(hello({ session: 's2', epoch: 'e2', ...members }))
    return next
  }

  it('I8: fails what may have been executed, and sends what certainly was not', async () => {
    const rig = await useResumable()
    const first = rig.client.callTool({ name: 'first' }).catch((error: unknown) => error)
    const second = rig.client.callTool({ name: 'second' })
    rig.socket.drop()
    const next = await lostWith(rig, { reason: 'expired', delivered: 3 })
    expect(isConnectionLostError(await first)).toBe(true)
    expect(await first).toMatchObject({ delivery: 'unknown' })
    next.respond('initialize', LEGACY_RESULT)
    expect(next.asked('tools/call').params).toEqual({ name: 'second' })
    next.respond('tools/call', { content: [] })
    expect(await second).toEqual({ content: [] })
    expect(rig.reconnections).toMatchObject([{ lost: 1, resent: 1 }])
    expect(rig.client.stats().resent).toBe(0)
  })

  it('X7: fails everything where the server has forgotten it', async () => {
    const rig = await useResumable()
    const caught = rig.client.callTool({ name: 'first' }).catch((error: unknown) => error)
    rig.socket.drop()
    await lostWith(rig, { reason: 'epoch', delivered: null })
    expect(await caught).toMatchObject({ delivery: 'unknown' })
  })

  it('fails what its own socket carried, whatever later sockets said that never had it', async () => {
    const rig = await useResumable()
    const caught = rig.client.callTool({ name: 'first' }).catch((error: unknown) => error)
    rig.socket.drop()
    // Would let a call go out again if it had been said to this one.
    ;(await opened(rig)).drop({ code: 1001, reason: ALL_ANSWERED })
    const next = await lostWith(rig, { reason: 'unknown', delivered: null })
    expect(await caught).toMatchObject({ delivery: 'unknown' })
    next.respond('initialize', LEGACY_RESULT)
    expect(next.methods).not.toContain('tools/call')
  })

  it('is over too where the next server knows no sessions', async () => {
    const rig = await useResumable()
    const caught = rig.client.callTool({ name: 'first' }).catch((error: unknown) => error)
    rig.socket.drop()
    ;(await rig.redial()).accept('mcp.v1')
    expect(await caught).toMatchObject({ delivery: 'unknown' })
  })

  it.each([1000, 1002, 1003, 1007, 1008, 1009])('is over at once after close code %s', async (code) => {
    const rig = await useResumable()
    const caught = rig.client.callTool({ name: 'first' }).catch((error: unknown) => error)
    rig.socket.drop({ code })
    expect(await caught).toMatchObject({ delivery: 'unknown' })
  })

  it.each([1001, 1005, 1006, 1011, 1012, 1013, 1014, 4408, 4429])('goes on after close code %s', async (code) => {
    const rig = await useResumable()
    const call = rig.client.callTool({ name: 'first' })
    rig.socket.drop({ code })
    const next = await opened(rig)
    next.deliver(hello({ resumed: true, received: 2 }))
    next.respond('tools/call', { content: [] })
    await call
  })

  it('is given up by the client after twice the time for which the server keeps it', async () => {
    const rig = await useResumable({ reconnect: { jitter: false, initialDelay: 5000 } })
    const caught = rig.client.callTool({ name: 'first' }).catch((error: unknown) => error)
    rig.socket.drop()
    await rig.clock.advance(1999)
    expect(rig.client.pendingCount).toBe(1)
    await rig.clock.advance(1)
    expect(await caught).toMatchObject({ delivery: 'unknown' })
  })

  it('first delivers what its machine had written before it was gone, then fails the rest', async () => {
    const rig = await useResumable()
    const first = rig.client.callTool({ name: 'first' })
    const second = rig.client.callTool({ name: 'second' }).catch((error: unknown) => error)
    const [one] = data(rig.socket).filter(({ method }) => method === 'tools/call')
    rig.socket.drop()
    const next = await opened(rig)
    next.deliver(hello({ session: 's2', reason: 'owner-gone', delivered: null, tail: 1 }))
    expect(rig.client.pendingCount).toBe(2)
    next.deliver({ jsonrpc: '2.0', id: one?.id, result: { content: ['written'] } })
    expect(await first).toEqual({ content: ['written'] })
    expect(await second).toMatchObject({ delivery: 'unknown' })
    next.respond('initialize', LEGACY_RESULT)
    await settle()
    expect(rig.client.state).toBe('ready')
  })

  it('is asked for again if the connection breaks before all of that is read', async () => {
    const rig = await useResumable()
    void rig.client.callTool({ name: 'first' }).catch(() => undefined)
    rig.socket.drop()
    const next = await opened(rig)
    next.deliver(hello({ session: 's2', reason: 'owner-gone', delivered: null, tail: 2 }))
    next.deliver({ jsonrpc: '2.0', method: 'notifications/message' })
    next.drop()
    expect(control(await opened(rig), 'open')).toMatchObject([{ session: 's1', received: 2 }])
  })
})

it('X14: a session is kept in memory only: another client has a session of its own, and nothing shows the name', async () => {
  const rig = await useResumable()
  const other = useClient({ resume: true, protocol: 'legacy' })
  void other.client.connect().catch(() => undefined)
  const socket = (await other.network.last()).accept(RESUME_SUBPROTOCOL)
  expect(control(socket, 'open')).toMatchObject([{ session: null, epoch: null }])
  expect(inspect(rig.client, { depth: Infinity })).not.toContain('s1')
})

it('everything is failed as ever when the client gives up or is closed while it is detached', async () => {
  const rig = await useResumable({ reconnect: { jitter: false, maxRetries: 1 } })
  const caught = rig.client.callTool({ name: 'first' }).catch((error: unknown) => error)
  rig.socket.drop()
  ;(await rig.redial()).drop({ kind: 'network' })
  expect(rig.client.state).toBe('failed')
  expect(await caught).toMatchObject({ delivery: 'unknown' })
  const other = await useResumable()
  const second = other.client.callTool({ name: 'first' }).catch((error: unknown) => error)
  other.socket.drop()
  await other.client.close()
  expect(await second).toMatchObject({ name: 'ClosedError', delivery: 'unknown' })
})

it('I5: what the server does not acknowledge stops the client at the limit, and goes out as it is acknowledged', async () => {
  const rig = useClient({ resume: true, protocol: 'legacy' })
  void rig.client.connect()
  const socket = (await rig.network.last()).accept(RESUME_SUBPROTOCOL)
  socket.deliver(hello({ limits: { messages: 4, bytes: 1e6 } }))
  socket.respond('initialize', LEGACY_RESULT)
  await settle()
  for (let n = 0; n < 5; n++) void rig.client.callTool({ name: 'any' }).catch(() => undefined)
  expect(data(socket)).toHaveLength(4)
  expect(rig.client.queuedCount).toBe(3)
  socket.deliver({ 'mcp.resume': 'ack', received: 3 })
  await rig.clock.advance(0)
  expect(data(socket)).toHaveLength(7)
})

it('what waits for an acknowledgement on a connection that stands is no matter of the outbox', async () => {
  const rig = useClient({ resume: true, protocol: 'legacy', outbox: { maxMessages: 1 } })
  void rig.client.connect()
  const socket = (await rig.network.last()).accept(RESUME_SUBPROTOCOL)
  socket.deliver(hello({ limits: { messages: 4, bytes: 1e6 } }))
  socket.respond('initialize', LEGACY_RESULT)
  await settle()
  const calls = Array.from({ length: 5 }, () => rig.client.callTool({ name: 'any' }))
  socket.deliver({ 'mcp.resume': 'ack', received: 4 })
  await rig.clock.advance(0)
  socket.deliver({ 'mcp.resume': 'ack', received: 7 })
  await rig.clock.advance(0)
  for (const { id } of data(socket).filter(({ method }) => method === 'tools/call'))
    socket.deliver({ jsonrpc: '2.0', id, result: { content: [] } })
  expect(await Promise.all(calls)).toHaveLength(5)
})

it('no more than maxPending messages wait for acknowledgements', async () => {
  const rig = await useResumable({ maxPending: 4, outbox: { maxMessages: 1 } })
  for (let n = 0; n < 256 - 2 + 4; n++) await rig.client.notify('notifications/mine')
  expect(rig.client.queuedCount).toBe(4)
  await expect(rig.client.notify('notifications/mine')).rejects.toMatchObject({ code: 'QUEUE_FULL', delivery: 'not-sent' })
})
