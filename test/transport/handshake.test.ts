import { describe, expect, it } from 'vitest'
import { LEGACY_RESULT, type FakeSocket } from '../helpers/fake-network.js'
import { INITIALIZE, INITIALIZED, META, useTransport } from './use-transport.js'

const idsOf = ({ sent }: FakeSocket): unknown[] => sent.flatMap(({ id, method }) => (method === undefined || id === undefined ? [] : [id]))

describe('a legacy handshake', () => {
  it('passes as it is, and nothing is added', async () => {
    const rig = useTransport()
    const socket = await rig.start()
    expect(socket.sent).toEqual([])
    await rig.send(INITIALIZE)
    expect(socket.texts).toEqual([JSON.stringify(INITIALIZE)])
    socket.respond('initialize', LEGACY_RESULT)
    expect(rig.messages).toEqual([{ jsonrpc: '2.0', id: 0, result: LEGACY_RESULT }])
    await rig.send(INITIALIZED)
    expect(socket.sent).toEqual([INITIALIZE, INITIALIZED])
  })

  it('is replayed once on every later socket under an id of its own, for the version that was negotiated', async () => {
    const rig = useTransport()
    const agreed = { ...LEGACY_RESULT, protocolVersion: '2025-06-18' }
    let socket = await rig.legacy(agreed)
    const ids = new Set<unknown>()
    for (let round = 0; round < 5; round++) {
      socket = await rig.redial(socket)
      const [replay, ...others] = socket.sent
      expect(replay).toEqual({ ...INITIALIZE, id: replay?.id, params: { ...INITIALIZE.params, protocolVersion: '2025-06-18' } })
      expect(others).toEqual([])
      ids.add(replay?.id)
      socket.respond('initialize', agreed)
      expect(socket.sent).toEqual([replay, INITIALIZED])
    }
    expect(ids.size).toBe(5)
    expect([...ids].every((id) => Number.isSafeInteger(id) && Number(id) > 2 ** 30)).toBe(true)
    // The SDK never hears of it.
    expect(rig.messages.filter(({ id }) => id !== undefined)).toEqual([])
  })

  it('comes before everything else on a new socket: level and subscriptions, resends, what waited, what is new', async () => {
    const rig = useTransport()
    const first = await rig.legacy()
    await rig.request(1, 'logging/setLevel', { level: 'error' })
    first.respond('logging/setLevel', {})
    await rig.request(2, 'resources/subscribe', { uri: 'test://a' })
    first.respond('resources/subscribe', {})
    await rig.request(3, 'resources/subscribe', { uri: 'test://b' })
    first.respond('resources/subscribe', {})
    await rig.request(4, 'resources/unsubscribe', { uri: 'test://b' })
    first.respond('resources/unsubscribe', {})
    await rig.request(5, 'tools/list')
    await rig.request(6, 'prompts/list')
    first.drop()
    await rig.request(7, 'tools/call', { name: 'waits' })
    const second = await rig.redial(first)
    await rig.request(8, 'tools/call', { name: 'new' })
    expect(second.methods).toEqual(['initialize'])
    second.respond('initialize', LEGACY_RESULT)
    await rig.request(9, 'tools/call', { name: 'newer' })
    expect(second.methods).toEqual([
      'initialize',
      'notifications/initialized',
      'logging/setLevel',
      'resources/subscribe',
      'tools/list',
      'prompts/list',
      'tools/call',
      'tools/call',
      'tools/call'
    ])
    expect(second.sent.slice(2, 4)).toMatchObject([{ params: { level: 'error' } }, { params: { uri: 'test://a' } }])
    expect(idsOf(second).slice(3)).toEqual([5, 6, 7, 8, 9])
    expect(second.texts[4]).toBe(first.texts.find((text) => text.includes('tools/list')))
    // The responses to internal requests stay below.
    for (const { id, method } of second.sent)
      if (id !== undefined && method !== 'initialize') second.deliver({ jsonrpc: '2.0', id, result: {} })
    expect(rig.messages.filter(({ result }) => result !== undefined).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  })

  it('tells the SDK what a gap may have swallowed', async () => {
    const rig = useTransport()
    const first = await rig.legacy()
    await rig.request(1, 'resources/subscribe', { uri: 'test://a' })
    first.respond('resources/subscribe', {})
    await rig.relegacy(first)
    expect(rig.messages.slice(1)).toEqual([
      { jsonrpc: '2.0', method: 'notifications/tools/list_changed' },
      { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'test://a' } }
    ])
  })

  it('reports a restore that gets an error response, and forgets it', async () => {
    const rig = useTransport()
    const first = await rig.legacy()
    await rig.request(1, 'resources/subscribe', { uri: 'test://a' })
    first.respond('resources/subscribe', {})
    const second = await rig.relegacy(first)
    second.respondError('resources/subscribe', -32603, 'gone')
    expect(rig.calls).toMatchObject([{ code: 'RESTORE_FAILED' }])
    expect(rig.errors).toEqual(rig.calls)
    const third = await rig.relegacy(second)
    expect(third.methods).toEqual(['initialize', 'notifications/initialized'])
  })

  it.each([
    ['null', null, { error: { code: 1002 } }],
    ['no object', 'words', { error: { code: 1002 } }],
    ['an object without a version', { capabilities: {} }, { result: { capabilities: {} } }]
  ])('with a result that is %s reaches the SDK, and is not replayed', async (_what, result, expected) => {
    const rig = useTransport()
    const socket = await rig.start()
    await rig.send(INITIALIZE)
    socket.respond('initialize', result)
    expect(rig.messages).toMatchObject([{ id: 0, ...expected }])
    expect(rig.calls).toEqual([])
    expect((await rig.redial(socket)).sent).toEqual([])
  })

  it('that breaks off before the response is begun again, as it was said, on every socket until it is answered', async () => {
    const rig = useTransport({ resend: 'never' })
    let socket = await rig.start()
    await rig.send(INITIALIZE)
    for (let round = 0; round < 3; round++) {
      socket = await rig.redial(socket)
      expect(socket.sent).toEqual([INITIALIZE])
    }
    socket.respond('initialize', LEGACY_RESULT)
    await rig.send(INITIALIZED)
    expect(socket.sent).toEqual([INITIALIZE, INITIALIZED])
    expect(rig.messages).toHaveLength(1)
  })

  it('that breaks off after the response is finished by the replay: notifications/initialized of the SDK does not wait', async () => {
    const rig = useTransport()
    const first = await rig.start()
    await rig.send(INITIALIZE)
    first.respond('initialize', LEGACY_RESULT)
    first.drop()
    await rig.send(INITIALIZED)
    const second = await rig.relegacy(first)
    expect(second.methods).toEqual(['initialize', 'notifications/initialized'])
    await rig.send(INITIALIZED)
    expect(second.methods).toEqual(['initialize', 'notifications/initialized'])
  })

  it('that gets an error response at first is for the SDK to handle', async () => {
    const rig = useTransport()
    const socket = await rig.start()
    await rig.send(INITIALIZE)
    socket.respondError('initialize', -32602, 'no')
    expect(rig.messages).toMatchObject([{ id: 0, error: { code: -32602 } }])
    const next = await rig.redial(socket)
    expect(next.sent).toEqual([])
    expect(rig.transport.state).toBe('ready')
  })

  it('waits though nothing else may: it does not count against the outbox', async () => {
    const rig = useTransport({ outbox: false })
    const first = await rig.start()
    first.drop()
    await rig.send(INITIALIZE)
    await expect(rig.request(1, 'ping')).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    expect((await rig.redial(first)).sent).toEqual([INITIALIZE])
  })
})

describe('a server that is another one after a reconnect', () => {
  it.each([
    ['speaks another version', { ...LEGACY_RESULT, protocolVersion: '2024-11-05' }],
    ['lost a capability', { ...LEGACY_RESULT, capabilities: { tools: {}, resources: { subscribe: true } } }]
  ])('ends the transport when it %s', async (_what, result) => {
    const rig = useTransport()
    const first = await rig.legacy()
    await rig.request(1, 'tools/list')
    first.drop()
    await rig.request(2, 'tools/call', { name: 'waits' })
    const second = await rig.redial(first)
    second.respond('initialize', result)
    expect(rig.transport.state).toBe('failed')
    expect(rig.calls).toMatchObject([{ code: 'SERVER_CHANGED' }, 'close'])
    expect(rig.messages.map(({ id, error }) => [id, error?.code, error?.data])).toEqual([
      [1, 1006, { reason: 'CONNECTION_LOST', delivery: 'unknown' }],
      [2, 1006, { reason: 'SERVER_CHANGED', delivery: 'not-sent' }]
    ])
    await expect(rig.request(3, 'ping')).rejects.toMatchObject({ code: 'SERVER_CHANGED' })
  })

  it('ends the transport when it speaks the modern era', async () => {
    const rig = useTransport()
    const second = await rig.redial(await rig.legacy())
    second.respondError('initialize', -32601)
    expect(rig.calls).toMatchObject([{ code: 'SERVER_CHANGED' }, 'close'])
  })

  it('is accepted when only its name differs', async () => {
    const rig = useTransport()
    await rig.relegacy(await rig.legacy(), { ...LEGACY_RESULT, serverInfo: { name: 'other', version: '9' } })
    expect(rig.reconnections).toMatchObject([{ attempts: 1, serverChanged: true }])
    expect(rig.calls).toEqual([])
  })

  it('is tried again when it responds with another error, or is silent', async () => {
    const rig = useTransport({ handshakeTimeout: 500 })
    const second = await rig.redial(await rig.legacy())
    second.respondError('initialize', -32603, 'still starting')
    expect(rig.transport.state).toBe('waiting')
    const third = await rig.redial(second)
    await rig.clock.advance(500)
    expect(rig.transport.state).toBe('waiting')
    const fourth = await rig.relegacy(third)
    expect(fourth.methods).toEqual(['initialize', 'notifications/initialized'])
    expect(rig.calls).toEqual([])
  })

  it('is tried again when shouldReconnect says so', async () => {
    const rig = useTransport({ reconnect: { shouldReconnect: ({ error }) => error?.code === 'SERVER_CHANGED' || undefined } })
    const second = await rig.redial(await rig.legacy())
    second.respondError('initialize', -32601)
    expect(rig.transport.state).toBe('waiting')
  })
})

describe('the modern era', () => {
  const modern = (id: number | string, method: string, params: object = {}): object => ({
    jsonrpc: '2.0',
    id,
    method,
    params: { _meta: META, ...params }
  })
  const LISTEN = modern('listen:0', 'subscriptions/listen', { notifications: { toolsListChanged: true } })

  it('replays nothing but the live listens, to the byte', async () => {
    const rig = useTransport()
    const first = await rig.start()
    await rig.send(modern('server-discover-probe-1', 'server/discover'))
    first.respond('server/discover', { supportedVersions: ['2026-07-28'], capabilities: {} })
    await rig.send(LISTEN)
    await rig.send(modern('listen:1', 'subscriptions/listen', { notifications: {} }))
    await rig.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'listen:1' } })
    await rig.send(modern(0, 'tools/call', { name: 'a' }))
    let socket = first
    for (let round = 0; round < 3; round++) {
      socket = await rig.redial(socket)
      expect(socket.texts).toEqual([JSON.stringify(LISTEN)])
    }
    expect(rig.transport.state).toBe('ready')
    expect(rig.messages.map(({ id }) => id)).toEqual(['server-discover-probe-1', 0])
  })

  it('delivers the error response to a listen', async () => {
    const rig = useTransport()
    const first = await rig.start()
    await rig.send(LISTEN)
    const second = await rig.redial(first)
    second.respondError('subscriptions/listen', -32601, 'no')
    expect(rig.messages).toEqual([{ jsonrpc: '2.0', id: 'listen:0', error: { code: -32601, message: 'no' } }])
    expect(rig.calls).toMatchObject([{ code: 'RESTORE_FAILED' }])
    expect((await rig.redial(second)).sent).toEqual([])
  })

  it('sends the era probe again after a drop, once, and takes a second drop as the outcome', async () => {
    const rig = useTransport({ resend: 'never' })
    const probe = modern('server-discover-probe-1', 'server/discover')
    const first = await rig.start()
    await rig.send(probe)
    const second = await rig.redial(first)
    expect(second.sent).toEqual([probe])
    const third = await rig.redial(second)
    expect(third.sent).toEqual([])
    expect(rig.messages).toMatchObject([{ id: 'server-discover-probe-1', error: { code: 1006 } }])
  })

  it('drops the era probe when the SDK sends it again: a server that is silent about the first has no call pending', async () => {
    const rig = useTransport()
    const first = await rig.start()
    await rig.send(modern('server-discover-probe-1', 'server/discover'))
    await rig.send(modern('server-discover-probe-2', 'server/discover'))
    first.respond('server/discover', { supportedVersions: ['2026-07-28'], capabilities: {} })
    first.deliver({ jsonrpc: '2.0', id: 'server-discover-probe-1', result: {} })
    expect(rig.messages.map(({ id }) => id)).toEqual(['server-discover-probe-2'])
    await rig.send(modern(0, 'tools/list'))
    // After an agreement, two requests of a program are two.
    await rig.send(modern(1, 'server/discover'))
    const second = await rig.redial(first)
    expect(idsOf(second)).toEqual([0, 1])
  })

  it('drops the era probe when the SDK goes on with initialize: a late response is ignored, and silence is no pending call', async () => {
    const rig = useTransport()
    const socket = await rig.start()
    await rig.send(modern('server-discover-probe-1', 'server/discover'))
    await rig.send(INITIALIZE)
    socket.respond('initialize', LEGACY_RESULT)
    await rig.send(INITIALIZED)
    expect(socket.methods).toEqual(['server/discover', 'initialize', 'notifications/initialized'])
    socket.respond('server/discover', { supportedVersions: ['2026-07-28'] })
    expect(rig.messages.map(({ id }) => id)).toEqual([0])
    await rig.clock.advance(25_000)
    expect(socket.pings).toBe(1)
    socket.pong()
  })

  it('lets no request of the server pass', async () => {
    const rig = useTransport()
    const socket = await rig.start()
    await rig.send(modern(0, 'tools/list'))
    socket.deliver({ jsonrpc: '2.0', id: 1, method: 'roots/list' })
    expect(rig.messages).toEqual([])
    expect(rig.calls).toMatchObject([{ code: 'INVALID_RESPONSE' }])
  })
})

describe('where pings cannot be sent', () => {
  it('an internal request of the era probes the server', async () => {
    for (const [era, request, method, params] of [
      ['legacy', INITIALIZE, 'ping', undefined],
      ['modern', { jsonrpc: '2.0', id: 0, method: 'tools/list', params: { _meta: META } }, 'server/discover', { _meta: META }]
    ] as const) {
      const rig = useTransport()
      const socket = await rig.start()
      socket.canPing = false
      await rig.send(request)
      socket.respond(request.method, LEGACY_RESULT)
      await rig.clock.advance(25_000)
      const probe = socket.asked(method)
      expect(probe, era).toEqual({ jsonrpc: '2.0', id: probe.id, method, ...(params && { params }) })
      rig.messages.length = 0
      socket.respondError(method, -32601)
      await rig.clock.advance(20_000)
      expect(rig.transport.state).toBe('ready')
      expect(rig.messages).toEqual([])
    }
  })
})
