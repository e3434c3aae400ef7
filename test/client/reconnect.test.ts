import { describe, expect, it, vi } from 'vitest'
import { isConnectionLostError, type Closure } from '../../src/errors.js'
import { settle } from '../helpers/fake-clock.js'
import { becomeLegacy, LEGACY_RESULT } from '../helpers/fake-network.js'
import { closeClean, useClient, type Rig } from './use-client.js'
import { watch } from '../helpers/watch.js'

/** The delays of so many drops in a row, each right after ready. */
async function delaysOf(rig: Rig, drops: number): Promise<(number | undefined)[]> {
  const delays: (number | undefined)[] = []
  await rig.legacy()
  for (let drop = 0; drop < drops; drop++) {
    ;(await rig.network.last()).drop()
    delays.push(rig.states.at(-1)?.delay)
    if (rig.client.state === 'waiting') await rig.relegacy()
  }
  return delays
}

describe('the delay before a retry', () => {
  it('doubles up to its cap without jitter', async () => {
    const rig = useClient({ reconnect: { jitter: false } })
    expect(await delaysOf(rig, 7)).toEqual([1000, 2000, 4000, 8000, 16_000, 20_000, 20_000])
  })

  it.each([
    [0, 100, 100],
    [0.5, 550, 1050],
    [1 - 2 ** -40, 1000, 2000]
  ])('lies between 100 ms and the bound with jitter: chance %d', async (chance, first, second) => {
    const rig = useClient()
    rig.clock.chance = chance
    const delays = await delaysOf(rig, 2)
    expect(delays[0]).toBeCloseTo(first, 3)
    expect(delays[1]).toBeCloseTo(second, 3)
  })

  it('follows initialDelay, growFactor and maxDelay', async () => {
    const rig = useClient({ reconnect: { jitter: false, initialDelay: 10, growFactor: 3, maxDelay: 50 } })
    expect(await delaysOf(rig, 4)).toEqual([10, 30, 50, 50])
  })

  it('is waited for: no dial before it is over', async () => {
    const rig = useClient({ reconnect: { jitter: false } })
    ;(await rig.legacy()).drop()
    await rig.clock.advance(999)
    expect(rig.network.dials).toBe(1)
    await rig.clock.advance(1)
    expect(rig.network.dials).toBe(2)
  })

  it('is what the server asks for, when that is longer, plus up to 20 %', async () => {
    const rig = useClient({ reconnect: { jitter: false } })
    ;(await rig.legacy()).drop({ code: 1013, retryAfter: 30_000 })
    expect(rig.states.at(-1)?.delay).toBe(33_000)
  })

  it('is never more than 5 min, whatever the server asks for', async () => {
    const rig = useClient()
    ;(await rig.legacy()).drop({ code: 1013, retryAfter: 86_400_000 })
    expect(rig.states.at(-1)?.delay).toBe(300_000)
  })

  it('is at least twice initialDelay after 1013 without a hint', async () => {
    const rig = useClient()
    rig.clock.chance = 0
    ;(await rig.legacy()).drop({ code: 1013 })
    expect(rig.states.at(-1)?.delay).toBeGreaterThanOrEqual(2000)
  })
})

describe('the count of retries', () => {
  it('ends in RetriesExhaustedError when connections are too short to count', async () => {
    const rig = useClient({ reconnect: { maxRetries: 3 } })
    await delaysOf(rig, 4)
    expect(rig.client.state).toBe('failed')
    expect(rig.states.at(-1)?.error).toMatchObject({ code: 'RETRIES_EXHAUSTED', attempts: 4 })
    expect((rig.states.at(-1)?.error?.cause as Error).name).toBe('ConnectionLostError')
    expect(rig.network.dials).toBe(4)
  })

  it('starts anew only after resetAfter of ready', async () => {
    const rig = useClient({ reconnect: { jitter: false } })
    await rig.legacy()
    await rig.clock.advance(4999)
    ;(await rig.network.last()).drop()
    expect(rig.states.at(-1)).toMatchObject({ delay: 1000, attempt: 2 })
    await rig.relegacy()
    await rig.clock.advance(4999)
    ;(await rig.network.last()).drop()
    expect(rig.states.at(-1)).toMatchObject({ delay: 2000, attempt: 3 })
    await rig.relegacy()
    await rig.clock.advance(5000)
    ;(await rig.network.last()).drop()
    expect(rig.states.at(-1)).toMatchObject({ delay: 1000, attempt: 1 })
  })

  it('allows maxRetries dials after a stable connection breaks', async () => {
    const rig = useClient({ reconnect: { maxRetries: 2, jitter: false } })
    await rig.legacy()
    await rig.clock.advance(5000)
    ;(await rig.network.last()).drop()
    ;(await rig.redial()).drop()
    ;(await rig.redial()).drop()
    expect(rig.client.state).toBe('failed')
    expect(rig.states.at(-1)?.error).toMatchObject({ attempts: 2 })
    expect(rig.network.dials).toBe(3)
  })

  it('has no end under Infinity', async () => {
    const rig = useClient({ reconnect: { maxRetries: Infinity, initialDelay: 1, maxDelay: 2 } })
    ;(await rig.legacy()).drop()
    for (let retry = 0; retry < 1100; retry++) {
      expect(rig.client.state).toBe('waiting')
      ;(await rig.redial()).drop()
    }
    expect(rig.states.at(-1)?.delay).toBe(2)
  })

  it('numbers the dials in the events from 1', async () => {
    const rig = useClient()
    watch(rig.client.connect())
    ;(await rig.network.last()).drop()
    ;(await rig.redial()).drop()
    expect(rig.states.map(({ to, attempt }) => [to, attempt])).toEqual([
      ['connecting', 1],
      ['waiting', 2],
      ['connecting', 2],
      ['waiting', 3]
    ])
  })
})

describe('on every new socket', () => {
  it('handshake, restores, state ready, event reconnected, resends and outbox follow in this order', async () => {
    const rig = useClient()
    const first = await rig.legacy({ ...LEGACY_RESULT, capabilities: { resources: { subscribe: true }, logging: {} } })
    watch(rig.client.setLoggingLevel('info'))
    first.respond('logging/setLevel', {})
    watch(rig.client.subscribeResource({ uri: 'a:1' }))
    first.respond('resources/subscribe', {})
    watch(rig.client.subscribeResource({ uri: 'a:2' }))
    first.respond('resources/subscribe', {})
    watch(rig.client.readResource({ uri: 'r:1' }))
    watch(rig.client.request('tools/list'))
    first.drop()
    watch(rig.client.callTool({ name: 'queued' }))
    await rig.client.notify('notifications/roots/list_changed')
    const told: string[] = []
    const socket = (await rig.redial()).accept()
    rig.client.on('state', ({ to }) => {
      told.push(`${to} after ${socket.methods.at(-1) ?? ''}`)
      watch(rig.client.getPrompt({ name: 'from the listener' }))
    })
    rig.client.on('reconnected', () => told.push(`reconnected after ${socket.methods.at(-1) ?? ''}`))
    socket.respond('initialize', LEGACY_RESULT)
    expect(socket.sent.map(({ method, params }) => [method, params?.uri ?? params?.name ?? params?.level])).toEqual([
      ['initialize', undefined],
      ['notifications/initialized', undefined],
      ['logging/setLevel', 'info'],
      ['resources/subscribe', 'a:1'],
      ['resources/subscribe', 'a:2'],
      ['resources/read', 'r:1'],
      ['tools/list', undefined],
      ['tools/call', 'queued'],
      ['notifications/roots/list_changed', undefined],
      ['prompts/get', 'from the listener']
    ])
    expect(told).toEqual(['ready after resources/subscribe', 'reconnected after resources/subscribe'])
  })

  it('nothing waits for the responses to the restores', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    watch(rig.client.subscribeResource({ uri: 'a:1' }))
    first.respond('resources/subscribe', {})
    first.drop()
    const socket = await rig.relegacy()
    expect(rig.client.state).toBe('ready')
    expect(rig.client.pendingCount).toBe(0)
    expect(socket.methods.at(-1)).toBe('resources/subscribe')
  })

  it('messages of the server are dispatched from the handshake on', async () => {
    const rig = useClient()
    ;(await rig.legacy()).drop()
    const socket = (await rig.redial()).accept()
    socket.deliver({ jsonrpc: '2.0', id: 7, method: 'ping' })
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 } })
    await settle()
    expect(rig.client.state).toBe('initializing')
    expect(socket.sent.at(-1)).toEqual({ jsonrpc: '2.0', id: 7, result: {} })
    expect(rig.notifications.map(({ method }) => method)).toEqual(['notifications/message'])
  })

  it('notifications/initialized is sent once', async () => {
    const rig = useClient()
    ;(await rig.legacy()).drop()
    const socket = await rig.relegacy()
    expect(socket.methods).toEqual(['initialize', 'notifications/initialized'])
  })

  it('no listener makes anything overtake the outbox', async () => {
    const rig = useClient()
    for (let n = 0; n < 3; n++) watch(rig.client.callTool({ name: `queued ${String(n)}` }))
    rig.client.on('state', ({ to }) => {
      if (to === 'ready') watch(rig.client.callTool({ name: 'eager' }))
    })
    const socket = await rig.legacy()
    expect(socket.sent.flatMap(({ method, params }) => (method === 'tools/call' ? [params?.name] : []))).toEqual([
      'queued 0',
      'queued 1',
      'queued 2',
      'eager'
    ])
  })

  it('a listener that closes the client lets nothing more out', async () => {
    const rig = useClient()
    ;(await rig.legacy()).drop()
    const queued = watch(rig.client.callTool({ name: 'x' }))
    rig.client.on('reconnected', () => void rig.client.close())
    const socket = await rig.relegacy()
    expect(socket.methods).not.toContain('tools/call')
    expect(queued.error).toMatchObject({ code: 'CLOSED', delivery: 'not-sent' })
  })
})

describe('the event reconnected', () => {
  it('counts dials, time, and what became of the requests in flight', async () => {
    const rig = useClient({ reconnect: { jitter: false } })
    const first = await rig.legacy()
    watch(rig.client.request('tools/list'))
    watch(rig.client.callTool({ name: 'a' }))
    watch(rig.client.callTool({ name: 'b' }))
    first.drop()
    ;(await rig.redial()).drop()
    await rig.redial()
    await rig.clock.advance(40)
    await becomeLegacy(rig.network)
    expect(rig.reconnections).toEqual([{ attempts: 2, downtime: 3040, resent: 1, lost: 2, serverChanged: false }])
  })

  it('does not come at the first connection', async () => {
    const rig = useClient()
    await rig.legacy()
    expect(rig.reconnections).toEqual([])
  })

  it.each([
    ['name', { serverInfo: { name: 'other', version: '1' } }],
    ['version', { serverInfo: { name: 'fake', version: '2' } }],
    ['capabilities', { capabilities: {} }],
    ['protocol version', { protocolVersion: '2025-06-18' }]
  ])('says that the server changed when it has another %s', async (_what, change) => {
    const rig = useClient()
    ;(await rig.legacy()).drop()
    await rig.relegacy({ ...LEGACY_RESULT, ...change })
    expect(rig.reconnections.at(-1)?.serverChanged).toBe(true)
  })

  it('comes with the new agreement already in force', async () => {
    const rig = useClient()
    ;(await rig.legacy()).drop()
    const seen: unknown[] = []
    rig.client.on('reconnected', () => seen.push(rig.client.serverInfo))
    await rig.relegacy({ ...LEGACY_RESULT, serverInfo: { name: 'other', version: '9' } })
    expect(seen).toEqual([{ name: 'other', version: '9' }])
  })
})

describe('what a gap may have swallowed', () => {
  it('is told by synthetic notifications after a legacy handshake', async () => {
    const rig = useClient()
    const capabilities = { tools: { listChanged: true }, prompts: { listChanged: true }, resources: { subscribe: true } }
    const handled: unknown[] = []
    rig.client.setNotificationHandler('notifications/tools/list_changed', ({ method }) => handled.push(method))
    const first = await rig.legacy({ ...LEGACY_RESULT, capabilities })
    watch(rig.client.subscribeResource({ uri: 'a:1' }))
    first.respond('resources/subscribe', {})
    first.drop()
    await rig.relegacy({ ...LEGACY_RESULT, capabilities })
    expect(rig.notifications).toEqual([
      { method: 'notifications/tools/list_changed', params: undefined },
      { method: 'notifications/prompts/list_changed', params: undefined },
      { method: 'notifications/resources/updated', params: { uri: 'a:1' } }
    ])
    expect(handled).toEqual(['notifications/tools/list_changed'])
  })

  it('is nothing at the first connection', async () => {
    const rig = useClient()
    await rig.legacy()
    expect(rig.notifications).toEqual([])
  })

  it('is nothing of the kinds that the server does not announce', async () => {
    const rig = useClient()
    ;(await rig.legacy({ ...LEGACY_RESULT, capabilities: { tools: {} } })).drop()
    await rig.relegacy({ ...LEGACY_RESULT, capabilities: { tools: {} } })
    expect(rig.notifications).toEqual([])
  })

  it('is not synthesised for a modern server', async () => {
    const rig = useClient()
    ;(await rig.modern()).drop()
    await rig.remodern()
    expect(rig.notifications).toEqual([])
  })
})

describe('reconnect()', () => {
  it('drops the connection, dials at once and resolves at ready', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    const again = watch(rig.client.reconnect())
    expect(first.state).toBe('closed')
    await settle()
    expect(rig.network.dials).toBe(2)
    expect(again.settled).toBe(false)
    await becomeLegacy(rig.network)
    expect(again).toMatchObject({ settled: true, error: undefined })
    expect(rig.reconnections).toHaveLength(1)
  })

  it('resets the count of retries and ends the wait', async () => {
    const rig = useClient({ reconnect: { jitter: false } })
    await delaysOf(rig, 3)
    ;(await rig.network.last()).drop()
    expect(rig.states.at(-1)?.delay).toBe(8000)
    watch(rig.client.reconnect())
    const socket = await becomeLegacy(rig.network)
    socket.drop()
    expect(rig.states.at(-1)?.delay).toBe(1000)
  })

  it('treats what was in flight like a drop', async () => {
    const rig = useClient()
    await rig.legacy()
    const safe = watch(rig.client.request('tools/list'))
    const call = watch(rig.client.callTool({ name: 'x' }))
    watch(rig.client.reconnect())
    await settle()
    expect(call.error).toMatchObject({ code: 'CONNECTION_LOST', delivery: 'unknown' })
    const socket = await becomeLegacy(rig.network)
    socket.respond('tools/list', { tools: [] })
    await settle()
    expect(safe.value).toEqual({ tools: [] })
  })

  it.each(['idle', 'closed', 'failed'])('is connect() from %s', async (state) => {
    const rig = useClient({ reconnect: false })
    if (state !== 'idle') await rig.legacy()
    if (state === 'closed') await closeClean(rig)
    if (state === 'failed') (await rig.network.last()).drop()
    expect(rig.client.state).toBe(state)
    const again = watch(rig.client.reconnect())
    await becomeLegacy(rig.network)
    expect(again).toMatchObject({ settled: true, error: undefined })
    expect(rig.client.state).toBe('ready')
  })

  it('dials anew while a dial is under way', async () => {
    const rig = useClient()
    const connected = watch(rig.client.connect())
    const first = await rig.network.last()
    const again = watch(rig.client.reconnect())
    await settle()
    expect(first.state).toBe('closed')
    await becomeLegacy(rig.network)
    expect([connected.settled, again.settled, rig.network.dials]).toEqual([true, true, 2])
  })
})

describe('shouldReconnect', () => {
  it('retries even what is fatal when it says true', async () => {
    const rig = useClient({ reconnect: { shouldReconnect: () => true } })
    ;(await rig.legacy()).drop({ code: 1008 })
    expect(rig.client.state).toBe('waiting')
  })

  it('stops what would be retried when it says false', async () => {
    const rig = useClient({ reconnect: { shouldReconnect: () => false } })
    ;(await rig.legacy()).drop({ code: 1006 })
    expect(rig.client.state).toBe('failed')
    expect(rig.states.at(-1)?.error).toSatisfy(isConnectionLostError)
  })

  it('leaves it to the rules when it says undefined', async () => {
    const rig = useClient({ reconnect: { shouldReconnect: () => undefined } })
    ;(await rig.legacy()).drop({ code: 1006 })
    expect(rig.client.state).toBe('waiting')
    ;(await rig.redial()).accept().drop({ code: 1008 })
    expect(rig.client.state).toBe('failed')
  })

  it('A18: has the rules decide, and the event error tell, when it throws', async () => {
    const problem = new Error('bad callback')
    const rig = useClient({
      reconnect: {
        shouldReconnect: () => {
          throw problem
        }
      }
    })
    ;(await rig.legacy()).drop()
    expect(rig.client.state).toBe('waiting')
    expect(rig.errors).toEqual([problem])
  })

  it('is given the closure', async () => {
    const shouldReconnect = vi.fn<(closure: Closure) => undefined>()
    const rig = useClient({ reconnect: { shouldReconnect } })
    watch(rig.client.connect())
    ;(await rig.network.last()).drop()
    ;(await rig.redial()).accept().respond('server/discover', { supportedVersions: ['2026-07-28'], capabilities: {} })
    ;(await rig.network.last()).drop({ code: 1012, reason: 'restart', wasClean: true })
    expect(shouldReconnect.mock.calls.map(([closure]) => closure)).toMatchObject([
      { kind: 'close', code: 1006, everReady: false },
      { kind: 'close', code: 1012, reason: 'restart', wasClean: true, everReady: true }
    ])
  })

  it('moves neither the cap nor what the server asks for', async () => {
    const rig = useClient({ reconnect: { maxRetries: 1, jitter: false, shouldReconnect: () => true } })
    ;(await rig.legacy()).drop({ code: 1008, retryAfter: 10_000 })
    expect(rig.states.at(-1)?.delay).toBe(11_000)
    ;(await rig.redial()).drop({ code: 1008 })
    expect(rig.states.at(-1)?.error).toMatchObject({ code: 'RETRIES_EXHAUSTED' })
  })
})

describe('reconnect: false', () => {
  it('ends the life with the lost connection', async () => {
    const rig = useClient({ reconnect: false })
    const socket = await rig.legacy()
    const call = watch(rig.client.request('tools/list'))
    socket.drop()
    await settle()
    expect(rig.client.state).toBe('failed')
    expect(rig.states.at(-1)?.error).toMatchObject({ code: 'CONNECTION_LOST' })
    expect(call.error).toMatchObject({ code: 'CONNECTION_LOST', delivery: 'unknown' })
    expect(rig.network.dials).toBe(1)
  })
})
