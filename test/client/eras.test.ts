import { describe, expect, it } from 'vitest'
import { isProtocolError } from '../../src/errors.js'
import { settle } from '../helpers/fake-clock.js'
import { becomeLegacy, LEGACY_RESULT, MODERN_RESULT } from '../helpers/fake-network.js'
import { closeClean, useClient } from './use-client.js'
import { watch } from '../helpers/watch.js'

const META = 'io.modelcontextprotocol/'

describe('protocol: auto', () => {
  it('asks server/discover first', async () => {
    const rig = useClient({ clientInfo: { name: 'me', version: '3' }, capabilities: { roots: {} } })
    watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    expect(socket.sent).toEqual([
      {
        jsonrpc: '2.0',
        id: 2 ** 31 - 1,
        method: 'server/discover',
        params: {
          _meta: {
            [`${META}protocolVersion`]: '2026-07-28',
            [`${META}clientInfo`]: { name: 'me', version: '3' },
            [`${META}clientCapabilities`]: { roots: {} }
          }
        }
      }
    ])
  })

  it('takes a discover result for a modern server, which gets no initialize', async () => {
    const rig = useClient()
    const socket = await rig.modern({ ...MODERN_RESULT, instructions: 'hello' })
    expect(rig.client.era).toBe('modern')
    expect(rig.client.protocolVersion).toBe('2026-07-28')
    expect(rig.client.serverInfo).toEqual({ name: 'fake', version: '2' })
    expect(rig.client.instructions).toBe('hello')
    expect(socket.methods).toEqual(['server/discover'])
  })

  it.each([-32601, -32600, -32602, -32603, -32000, -32001, -32004, -32023])('takes error %i as that of a legacy server', async (code) => {
    const rig = useClient({ clientInfo: { name: 'me', version: '3' }, capabilities: { roots: {} } })
    watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    socket.respondError('server/discover', code)
    expect(socket.asked('initialize').params).toEqual({
      protocolVersion: '2025-11-25',
      capabilities: { roots: {} },
      clientInfo: { name: 'me', version: '3' }
    })
    socket.respond('initialize', LEGACY_RESULT)
    expect(socket.sent.at(-1)).toEqual({ jsonrpc: '2.0', method: 'notifications/initialized' })
    expect(rig.client.era).toBe('legacy')
  })

  it.each([-32020, -32021])('takes error %i as that of a modern server, and fails', async (code) => {
    const rig = useClient()
    const connected = watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    socket.respondError('server/discover', code)
    await settle()
    expect(socket.methods).not.toContain('initialize')
    expect(connected.error).toMatchObject({ code: 'INITIALIZE_REFUSED', cause: { rpcCode: code } })
  })

  it('goes on to the newest common legacy version when the server supports no modern one that we know', async () => {
    const rig = useClient()
    watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    socket.respondError('server/discover', -32022, 'unsupported', { supported: ['2099-01-01', '2025-06-18', '2025-03-26'] })
    expect(socket.asked('initialize').params?.protocolVersion).toBe('2025-06-18')
  })

  it('gives up when no version is common', async () => {
    const rig = useClient()
    const connected = watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    socket.respondError('server/discover', -32022, 'unsupported', { supported: ['2099-01-01'] })
    await settle()
    expect(connected.error).toMatchObject({ code: 'INITIALIZE_REFUSED' })
  })

  it.each([
    ['1 s, if the server is near', 0, 1000],
    ['ten times as long as the upgrade took', 200, 2000],
    ['probeTimeout at most: 3 s', 500, 3000]
  ])('takes silence for a legacy server after %s', async (_what, roundTrip, patience) => {
    const rig = useClient()
    watch(rig.client.connect())
    const dial = await rig.network.last()
    await rig.clock.advance(roundTrip)
    const socket = dial.accept()
    await rig.clock.advance(patience - 1)
    expect(socket.methods).toEqual(['server/discover'])
    await rig.clock.advance(1)
    expect(socket.methods).toEqual(['server/discover', 'initialize'])
    socket.respond('initialize', LEGACY_RESULT)
    expect(rig.client.era).toBe('legacy')
    expect(rig.network.dials).toBe(1)
  })

  it('does not wait for the same silence again in the next life', async () => {
    const rig = useClient()
    watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    await rig.clock.advance(1000)
    socket.respond('initialize', LEGACY_RESULT)
    await settle()
    await closeClean(rig)
    watch(rig.client.connect())
    expect((await rig.network.last()).accept().methods).toEqual(['initialize'])
  })

  it('waits for the probe as long as probeTimeout says', async () => {
    const rig = useClient({ probeTimeout: 50 })
    watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    await rig.clock.advance(50)
    expect(socket.methods).toEqual(['server/discover', 'initialize'])
  })

  it('ignores a response to the probe that comes too late', async () => {
    const rig = useClient()
    watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    await rig.clock.advance(3000)
    socket.respond('server/discover', MODERN_RESULT)
    expect(rig.client.state).toBe('initializing')
    socket.respond('initialize', LEGACY_RESULT)
    expect(rig.client.era).toBe('legacy')
    socket.respond('server/discover', MODERN_RESULT)
    expect(rig.client.era).toBe('legacy')
    expect(socket.methods).toEqual(['server/discover', 'initialize', 'notifications/initialized'])
    expect(rig.errors).toEqual([])
  })

  it('asks initialize when the response to the probe is no discover result', async () => {
    const rig = useClient()
    watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    socket.respond('server/discover', {})
    expect(socket.methods).toEqual(['server/discover', 'initialize'])
  })
})

describe('a closure instead of a response to the probe', () => {
  it.each([1000, 1002, 1006, 1008, 1011, 4400])('means legacy after code %i: one dial at once, uncounted', async (code) => {
    const rig = useClient()
    const connected = watch(rig.client.connect())
    ;(await rig.network.last()).accept().drop({ code })
    expect(rig.client.state).toBe('connecting')
    expect(rig.states.at(-1)?.attempt).toBe(1)
    const socket = (await rig.network.last()).accept()
    expect(rig.network.dials).toBe(2)
    expect(socket.methods).toEqual(['initialize'])
    socket.respond('initialize', LEGACY_RESULT)
    await settle()
    expect(connected).toMatchObject({ settled: true, error: undefined })
    expect(rig.client.era).toBe('legacy')
  })

  it('is redialled even when reconnect is false', async () => {
    const rig = useClient({ reconnect: false })
    const connected = watch(rig.client.connect())
    ;(await rig.network.last()).accept().drop()
    await becomeLegacy(rig.network)
    expect(connected).toMatchObject({ settled: true, error: undefined })
  })

  it('is redialled at once only once in a life', async () => {
    const rig = useClient()
    watch(rig.client.connect())
    ;(await rig.network.last()).accept().drop()
    // Legacy it is, they say; yet initialize is hung up on, too.
    ;(await rig.network.last()).accept().drop()
    expect(rig.client.state).toBe('waiting')
    const third = (await rig.redial()).accept()
    expect(third.methods).toEqual(['server/discover'])
    third.drop()
    expect(rig.client.state).toBe('waiting')
    expect(rig.network.dials).toBe(3)
  })

  it.each([4401, 3000])('is no verdict with the code %i: the next attempt probes again', async (code) => {
    const rig = useClient()
    watch(rig.client.connect())
    ;(await rig.network.last()).accept().drop({ code })
    expect(rig.client.state).toBe('waiting')
    const socket = (await rig.redial()).accept()
    expect(socket.methods).toEqual(['server/discover'])
  })

  it('is no verdict with the code 4403, which is fatal', async () => {
    const rig = useClient()
    watch(rig.client.connect())
    ;(await rig.network.last()).accept().drop({ code: 4403 })
    expect(rig.client.state).toBe('failed')
    expect(rig.network.dials).toBe(1)
  })

  it('is no verdict before the socket was open', async () => {
    const rig = useClient()
    watch(rig.client.connect())
    ;(await rig.network.last()).drop()
    expect(rig.client.state).toBe('waiting')
    expect((await rig.redial()).accept().methods).toEqual(['server/discover'])
  })

  it('is no verdict once the probe was answered', async () => {
    const rig = useClient()
    await rig.modern()
    ;(await rig.network.last()).drop()
    expect(rig.client.state).toBe('waiting')
    expect((await rig.redial()).accept().methods).toEqual(['server/discover'])
  })
})

describe('protocol: legacy', () => {
  it('asks initialize and never probes', async () => {
    const rig = useClient({ protocol: 'legacy' })
    const socket = await rig.legacy()
    expect(socket.methods).toEqual(['initialize', 'notifications/initialized'])
  })

  it('does not redial at once when initialize is hung up on', async () => {
    const rig = useClient({ protocol: 'legacy' })
    watch(rig.client.connect())
    ;(await rig.network.last()).accept().drop()
    expect(rig.client.state).toBe('waiting')
    expect((await rig.redial()).accept().methods).toEqual(['initialize'])
  })

  it('does not probe after -32601', async () => {
    const rig = useClient({ protocol: 'legacy' })
    const connected = watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    socket.respondError('initialize', -32601)
    await settle()
    expect(socket.methods).toEqual(['initialize'])
    expect(connected.error).toSatisfy(isProtocolError)
  })

  it('puts nothing into _meta', async () => {
    const rig = useClient({ protocol: 'legacy' })
    const socket = await rig.legacy()
    watch(rig.client.request('tools/list'))
    watch(rig.client.request('tools/call', { name: 'x' }))
    expect(socket.sent.slice(-2).map(({ params }) => params)).toEqual([undefined, { name: 'x' }])
  })
})

describe('protocol: modern', () => {
  it('never asks initialize', async () => {
    const rig = useClient({ protocol: 'modern' })
    const connected = watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    socket.respondError('server/discover', -32601)
    await settle()
    expect(socket.methods).toEqual(['server/discover'])
    expect(connected.error).toMatchObject({ code: 'INITIALIZE_REFUSED', cause: { rpcCode: -32601 } })
  })

  it('waits for handshakeTimeout, not for probeTimeout', async () => {
    const rig = useClient({ protocol: 'modern', reconnect: false })
    const connected = watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    await rig.clock.advance(9999)
    expect(socket.methods).toEqual(['server/discover'])
    await rig.clock.advance(1)
    expect(connected.error).toMatchObject({ code: 'HANDSHAKE_TIMEOUT' })
  })

  it('takes a closure for a lost attempt', async () => {
    const rig = useClient({ protocol: 'modern' })
    watch(rig.client.connect())
    ;(await rig.network.last()).accept().drop()
    expect(rig.client.state).toBe('waiting')
    expect((await rig.redial()).accept().methods).toEqual(['server/discover'])
  })
})

describe('the version of a legacy server', () => {
  it.each(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '2024-10-07'])('may be %s by its counter-offer', async (version) => {
    const rig = useClient({ protocol: 'legacy' })
    await rig.legacy({ ...LEGACY_RESULT, protocolVersion: version })
    expect(rig.client.protocolVersion).toBe(version)
  })

  it('may not be one that we do not know', async () => {
    const rig = useClient({ protocol: 'legacy' })
    const connected = watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    socket.respond('initialize', { ...LEGACY_RESULT, protocolVersion: '2023-01-01' })
    await settle()
    expect(connected.error).toMatchObject({ code: 'INITIALIZE_REFUSED' })
    expect(socket.methods).not.toContain('notifications/initialized')
  })

  it('is asked for with older ones, newest first, when the server answers with an error', async () => {
    const rig = useClient({ protocol: 'legacy' })
    watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    const asked: unknown[] = []
    for (let rung = 0; rung < 4; rung++) {
      asked.push(socket.asked('initialize').params?.protocolVersion)
      if (rung < 3) socket.respondError('initialize', -32602, 'Unsupported protocol version')
    }
    expect(asked).toEqual(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'])
    expect(new Set(socket.sent.map(({ id }) => id)).size).toBe(4)
    socket.respond('initialize', { ...LEGACY_RESULT, protocolVersion: '2024-11-05' })
    expect(rig.client.protocolVersion).toBe('2024-11-05')
  })

  it('cannot be agreed when the server rejects them all', async () => {
    const rig = useClient({ protocol: 'legacy' })
    const connected = watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    for (let rung = 0; rung < 5; rung++) socket.respondError('initialize', -32602, 'Unsupported protocol version')
    await settle()
    expect(socket.methods).toHaveLength(5)
    expect(connected.error).toMatchObject({ code: 'INITIALIZE_REFUSED', cause: { rpcCode: -32602 } })
  })

  it('is not asked for again when the error is about something else', async () => {
    const rig = useClient({ protocol: 'legacy' })
    const connected = watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    socket.respondError('initialize', -32000, 'license expired')
    await settle()
    expect(socket.methods).toEqual(['initialize'])
    expect(connected.error).toMatchObject({ code: 'INITIALIZE_REFUSED' })
  })
})

describe('the era of the server on reconnect', () => {
  it('is remembered: a legacy server is not probed again, and is asked for the version of before', async () => {
    const rig = useClient()
    ;(await rig.legacy({ ...LEGACY_RESULT, protocolVersion: '2025-03-26' })).drop()
    const socket = (await rig.redial()).accept()
    expect(socket.methods).toEqual(['initialize'])
    expect(socket.asked('initialize').params?.protocolVersion).toBe('2025-03-26')
  })

  it.each([-32601, -32022])('is asked for once when a legacy replay is answered with %i', async (code) => {
    const rig = useClient()
    ;(await rig.legacy()).drop()
    const socket = (await rig.redial()).accept()
    socket.respondError('initialize', code)
    expect(socket.methods).toEqual(['initialize', 'server/discover'])
    socket.respond('server/discover', MODERN_RESULT)
    expect(rig.client.era).toBe('modern')
    expect(rig.reconnections.at(-1)?.serverChanged).toBe(true)
  })

  it('is not asked for twice on one socket', async () => {
    const rig = useClient()
    ;(await rig.legacy()).drop()
    const socket = (await rig.redial()).accept()
    socket.respondError('initialize', -32601)
    socket.respondError('server/discover', -32601)
    socket.respondError('initialize', -32601)
    expect(socket.methods).toEqual(['initialize', 'server/discover', 'initialize'])
    expect(['waiting', 'failed']).toContain(rig.client.state)
  })

  it('is asked for on the next socket when a legacy replay is hung up on', async () => {
    const rig = useClient()
    ;(await rig.legacy()).drop()
    ;(await rig.redial()).accept().drop()
    expect((await rig.redial()).accept().methods).toEqual(['server/discover'])
  })

  it('is modern first after a modern one, and anything but a modern response leads to initialize', async () => {
    const rig = useClient()
    ;(await rig.modern()).drop()
    const socket = (await rig.redial()).accept()
    expect(socket.methods).toEqual(['server/discover'])
    socket.respondError('server/discover', -32601)
    socket.respond('initialize', LEGACY_RESULT)
    expect(rig.client.era).toBe('legacy')
  })

  it('stays as it is while the connection is down', async () => {
    const rig = useClient()
    ;(await rig.modern()).drop()
    expect([rig.client.state, rig.client.era, rig.client.protocolVersion]).toEqual(['waiting', 'modern', '2026-07-28'])
    expect(rig.client.subprotocol).toBeUndefined()
  })
})

describe('_meta of the modern era', () => {
  const meta = {
    [`${META}protocolVersion`]: '2026-07-28',
    [`${META}clientInfo`]: { name: 'me', version: '3' },
    [`${META}clientCapabilities`]: { roots: {} }
  }
  const options = { clientInfo: { name: 'me', version: '3' }, capabilities: { roots: {} } }

  it('is on every request', async () => {
    const rig = useClient(options)
    const socket = await rig.modern()
    watch(rig.client.listTools())
    watch(rig.client.callTool({ name: 'x' }))
    watch(rig.client.ping())
    watch(rig.client.listen({ toolsListChanged: true }))
    expect(socket.methods.slice(1)).toEqual(['tools/list', 'tools/call', 'server/discover', 'subscriptions/listen'])
    for (const { params } of socket.sent) expect(params?._meta).toEqual(meta)
    expect(socket.asked('tools/call').params?.name).toBe('x')
  })

  it('is on requests that were queued before the era was known', async () => {
    const rig = useClient(options)
    watch(rig.client.callTool({ name: 'x', _meta: { mine: 1 } }))
    const socket = await rig.modern()
    expect(socket.asked('tools/call').params).toEqual({ name: 'x', _meta: { mine: 1, ...meta } })
  })

  it('is not on queued requests when the server proves legacy', async () => {
    const rig = useClient(options)
    watch(rig.client.callTool({ name: 'x', _meta: { mine: 1 } }))
    const socket = await rig.legacy()
    expect(socket.asked('tools/call').params).toEqual({ name: 'x', _meta: { mine: 1 } })
  })

  it('keeps what the caller put there', async () => {
    const rig = useClient(options)
    const socket = await rig.modern()
    watch(rig.client.request('tools/call', { name: 'x', _meta: { mine: 1, progressToken: 'mine' } }, { onprogress: () => undefined }))
    expect(socket.asked('tools/call').params?._meta).toEqual({ mine: 1, progressToken: 'mine', ...meta })
  })

  it('is not on notifications', async () => {
    const rig = useClient(options)
    const socket = await rig.modern()
    await rig.client.notify('notifications/x', { a: 1 })
    expect(socket.sent.at(-1)).toEqual({ jsonrpc: '2.0', method: 'notifications/x', params: { a: 1 } })
  })

  it('follows the era when the server is replaced by one of the other era', async () => {
    const rig = useClient(options)
    ;(await rig.modern()).drop()
    watch(rig.client.request('tools/list'))
    const legacy = await rig.relegacy()
    expect(legacy.asked('tools/list').params?._meta).toBeUndefined()
    legacy.respond('tools/list', { tools: [] })
    legacy.drop()
    watch(rig.client.request('prompts/list'))
    const socket = (await rig.redial()).accept()
    socket.respondError('initialize', -32601)
    socket.respond('server/discover', MODERN_RESULT)
    expect(socket.asked('prompts/list').params?._meta).toEqual(meta)
  })
})
