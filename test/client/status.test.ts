import { describe, expect, it, vi } from 'vitest'
import { WebSocketClientTransport } from '../../src/transport/websocket-client-transport.js'
import { FakeClock, settle } from '../helpers/fake-clock.js'
import { FakeNetwork } from '../helpers/fake-network.js'
import { useClient, type Rig } from './use-client.js'

const options = { protocol: 'legacy', heartbeat: false, reconnect: { jitter: false, initialDelay: 3000, growFactor: 1 } } as const

/** A client that is ready, and what people are told. */
async function useWatched(): Promise<Rig & { readonly news: unknown[]; readonly socket: Awaited<ReturnType<Rig['legacy']>> }> {
  const rig = useClient(options)
  const news: unknown[] = []
  rig.client.on('connection-lost', () => news.push('lost'))
  rig.client.on('connection-restored', (restored) => news.push(restored))
  return { ...rig, news, socket: await rig.legacy() }
}

describe('people', () => {
  it('hear nothing of an outage of less than 5 s', async () => {
    const { news, socket, clock, relegacy } = await useWatched()
    socket.drop()
    await relegacy()
    await clock.advance(60_000)
    expect(news).toEqual([])
  })

  it('hear once of an outage that lasts, however many dials fail, and of its end', async () => {
    const { news, socket, clock, redial, relegacy } = await useWatched()
    socket.drop()
    ;(await redial()).drop({ kind: 'network' })
    await clock.advance(1999)
    expect(news).toEqual([])
    await clock.advance(1)
    expect(news).toEqual(['lost'])
    ;(await redial()).drop({ kind: 'network' })
    await relegacy()
    expect(news).toEqual(['lost', { downtime: 11_000 }])
  })

  it.each([
    ['closes the client', (rig: Rig) => void rig.client.close()],
    ['dials anew', (rig: Rig) => void rig.client.reconnect().catch(() => undefined)]
  ])('hear of no end if the program %s before the 5 s are over and nothing comes back', async (_what, act) => {
    const rig = await useWatched()
    rig.socket.drop()
    act(rig)
    await rig.client.close()
    await rig.clock.advance(60_000)
    expect(rig.news).toEqual([])
  })

  it('hear of no end if the client is closed after they heard of the outage', async () => {
    const rig = await useWatched()
    rig.socket.drop()
    await rig.clock.advance(2999)
    await rig.redial()
    await rig.clock.advance(5000)
    await rig.client.close()
    expect(rig.news).toEqual(['lost'])
  })
})

describe('whoever comes later than an event', () => {
  it('finds what the last event `state` told', async () => {
    const { client, states, socket } = await useWatched()
    expect(client.lastChange).toEqual({ from: 'initializing', to: 'ready' })
    socket.drop()
    expect(client.lastChange).toMatchObject({ to: 'waiting', attempt: 2, delay: 3000, closure: { code: 1006 } })
    expect(client.lastChange).toBe(states.at(-1))
  })

  it('finds nothing in a client that was never connected', () => {
    const { client } = useClient(options)
    expect([client.lastChange, client.isConnectionLost]).toEqual([undefined, false])
  })

  it('finds whether people were told of an outage that has not ended', async () => {
    const { client, socket, clock, redial, relegacy } = await useWatched()
    socket.drop()
    await redial()
    expect(client.isConnectionLost).toBe(false)
    await clock.advance(2000)
    expect(client.isConnectionLost).toBe(true)
    const seen: boolean[] = []
    client.on('connection-restored', () => seen.push(client.isConnectionLost))
    ;(await redial()).drop({ kind: 'network' })
    await relegacy()
    expect(seen).toEqual([false])
  })

  it('finds no outage once the client is closed', async () => {
    const rig = await useWatched()
    rig.socket.drop()
    await rig.clock.advance(2999)
    await rig.redial()
    await rig.clock.advance(5000)
    const seen: boolean[] = []
    rig.client.on('state', () => seen.push(rig.client.isConnectionLost))
    await rig.client.close()
    expect(seen).toEqual([false])
  })
})

describe('states()', () => {
  it('tells every change in order, also those that come while nobody waits, and ends with closed', async () => {
    const rig = useClient(options)
    const changes = rig.client.states()
    const socket = await rig.legacy()
    socket.drop()
    await rig.relegacy()
    rig.network.sockets.at(-1)?.close()
    void rig.client.close()
    rig.network.sockets.at(-1)?.drop({ code: 1000 })
    await settle()
    const seen: string[] = []
    for await (const { to } of changes) seen.push(to)
    expect(seen).toEqual(rig.states.map(({ to }) => to))
    expect(seen.at(-1)).toBe('closed')
  })

  it('waits for the next change, and hears nothing once the loop is left', async () => {
    const rig = useClient(options)
    const seen = vi.fn()
    const watching = (async () => {
      for await (const { to } of rig.client.states()) {
        seen(to)
        if (to === 'ready') break
      }
    })()
    const socket = await rig.legacy()
    await watching
    socket.drop()
    await settle()
    expect(seen.mock.calls.flat()).toEqual(['connecting', 'initializing', 'ready'])
  })
})

describe('stats()', () => {
  it('tell how long the oldest call in flight has waited; a listen is no call', async () => {
    const { client, clock, socket } = await useWatched()
    expect(client.stats().oldestRequest).toBeUndefined()
    void client.callTool({ name: 'slow' }).catch(() => undefined)
    await clock.advance(1500)
    void client.listTools().catch(() => undefined)
    expect(client.stats().oldestRequest).toBe(1500)
    socket.respond('tools/call', { content: [] })
    expect(client.stats().oldestRequest).toBe(0)
  })

  it('tell what waits to be sent', async () => {
    const { client, socket } = await useWatched()
    expect(client.stats().bytesWaiting).toBe(0)
    socket.buffered = 100
    expect(client.stats().bytesWaiting).toBe(100)
    socket.drop()
    expect(client.stats().bytesWaiting).toBe(0)
    void client.listTools().catch(() => undefined)
    expect(client.stats().bytesWaiting).toBeGreaterThan(40)
  })
})

it('a transport tells its states in the same way', async () => {
  const network = new FakeNetwork()
  const clock = new FakeClock()
  const transport = new WebSocketClientTransport('ws://127.0.0.1/ws', { heartbeat: false }, { clock, openSocket: network.openSocket })
  const changes = transport.states()
  const started = transport.start()
  const socket = (await network.last()).accept()
  await started
  void transport.close()
  socket.drop({ code: 1000 })
  const seen: string[] = []
  for await (const { to } of changes) seen.push(to)
  expect(seen).toEqual(['connecting', 'initializing', 'ready', 'closing', 'closed'])
  expect(clock.pendingCount).toBe(0)
})
