import { describe, expect, test } from 'vitest'
import { McpWebSocketServer } from '../../src/server/index.js'
import type { Clock } from '../../src/lib/clock.js'
import { deferred } from '../../src/lib/deferred.js'
import type { ReplayLimits } from '../../src/wire/resume-frames.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { MemoryHub, type MemoryStore } from '../helpers/memory-store.js'
import { until } from '../helpers/until.js'
import { anOpen, comeBack, dialForResume, LIMITS, note, numbers, openSession, receipt, recordEvents } from './resume-client.js'
import { bearer, hold, useServer, type Held, type Served } from './use-server.js'

interface Node extends Served<string> {
  readonly store: MemoryStore
  readonly held: Held[]
  readonly events: string[]
}

/** One of several servers that share their sessions. */
async function useNode(hub: MemoryHub, clock?: Clock): Promise<Node> {
  const store = hub.store()
  const held: Held[] = []
  const events: string[] = []
  const served = await useServer<string>(
    {
      resume: { store },
      heartbeat: false,
      authenticate: (_request, token = 'ada') => token,
      onconnection: (transport) => {
        recordEvents(transport, events)
        held.push(hold(transport))
      }
    },
    clock
  )
  return { ...served, store, held, events }
}

/** Two nodes, and a client of the first one whose socket broke while its request was in flight. */
async function useTwo(clock?: Clock) {
  const hub = new MemoryHub()
  const [a, b] = [await useNode(hub, clock), await useNode(hub, clock)]
  const client = await openSession(a.url)
  client.request(1, 'hold')
  await until(() => a.held[0]!.ids.length === 1, 'the request')
  client.ws.terminate()
  await until(() => a.events.includes('detach'), 'the loss')
  return { hub, a, b, first: client.first }
}

describe('a client that comes to another node', () => {
  test('is relayed to the node that has its session, and back', async () => {
    const { a, b, first } = await useTwo()
    await a.held[0]!.transport.send(note(1))
    const client = await openSession(b.url, comeBack(first))
    expect(client.first).toMatchObject({ resumed: true, session: first.session, epoch: 'shared', durability: 'store', received: 1 })
    await client.received(1)
    client.request(2, 'ping')
    await a.held[0]!.release(1)
    await client.received(3)
    expect(client.responses()).toEqual([undefined, 1, 2])
    client.send(receipt('ping', 3))
    await until(() => client.control().at(-1)?.['mcp.resume'] === 'pong', 'a pong')
    expect([a.events, b.transports]).toEqual([['detach', 'attach'], []])
    expect(a.server.metrics()).toMatchObject({ connections: 0, detachedSessions: 0, resumesTotal: 1 })
    client.ws.close(1001)
    await until(() => a.events.length === 3, 'the loss')
    // It may come back to either.
    const home = await openSession(a.url, comeBack(first, 3, 3))
    expect(home.first.resumed).toBe(true)
    const away = await openSession(b.url, comeBack(first, 4, 3))
    expect(away.first.resumed).toBe(true)
    expect(await home.closed).toBe(4409)
    away.ws.close(1000)
    await until(() => a.events.includes('close'), 'the end')
  })

  test('is relayed also when one of the nodes opened a store that had another memory; what is nowhere has the reason epoch', async () => {
    const hub = new MemoryHub()
    const a = await useNode(hub)
    hub.epoch = 'later'
    const b = await useNode(hub)
    const { ws, first } = await openSession(a.url)
    ws.terminate()
    await until(() => a.events.includes('detach'), 'the loss')
    const client = await openSession(b.url, comeBack(first))
    expect(client.first).toMatchObject({ resumed: true, session: first.session, epoch: 'shared' })
    const made = await openSession(b.url, comeBack({ ...first, session: 'made up' }))
    expect(made.first).toMatchObject({ resumed: false, reason: 'epoch', delivered: null, epoch: 'later' })
  })

  test.each([
    ['the first text of the server', (text: string) => text.includes('node-1') && text.includes('hello')],
    ['a text of the client', (text: string) => text.includes('node-2') && text.includes('ping')],
    ['a text of the MCP server', (text: string) => text.includes('node-1') && text.includes('result')]
  ])('is sent back with 1012 when %s gets lost, and loses nothing', async (_what, isLost) => {
    const clock = new FakeClock()
    const { hub, a, b, first } = await useTwo(clock)
    let lost = 0
    hub.loses = (text) => isLost(text) && ++lost === 1
    const client = await dialForResume(b.url)
    client.send({ ...anOpen(comeBack(first)) })
    await until(() => a.events.includes('attach'), 'the relay')
    client.request(2, 'ping')
    await until(() => lost === 1, 'the loss of a text')
    // Nothing else has to be sent for that.
    await clock.advance(1000)
    expect(await client.closed).toBe(1012)
    await until(() => a.events.at(-1) === 'detach', 'the loss')
    const known = client.data().length
    const again = await openSession(b.url, comeBack(first, 3, known))
    expect(again.first.resumed).toBe(true)
    if (again.first.received === 1) again.request(2, 'ping')
    await a.held[0]!.release(1)
    await until(() => again.data().length + known === 2, 'both responses')
    expect([...client.responses(), ...again.responses()].sort()).toEqual([1, 2])
  })

  test('gets and sends long messages in pieces: a long text would cost a node its subscription to Redis', async () => {
    const { hub, a, b, first } = await useTwo()
    const client = await openSession(b.url, comeBack(first), { maxPayload: 2 ** 27 })
    // A surrogate pair lies across each end of a piece, whichever way it is counted.
    const long = { ...note(1), params: { n: 1, x: '\u{1f600}"\\'.repeat(1_000_000) } }
    void a.held[0]!.transport.send(long)
    void a.held[0]!.transport.send(note(2))
    await client.received(2)
    expect(client.data().map((text) => JSON.parse(text) as unknown)).toEqual([long, note(2)])
    client.send({ jsonrpc: '2.0', id: 2, method: 'hold', params: { x: '\u{1f600}"\\'.repeat(1_000_000) } })
    await until(() => a.held[0]!.ids.length === 2, 'the long request')
    expect(Math.max(...hub.texts.map((text) => text.length))).toBeLessThan(4_000_000)
  })

  test('and sends faster than the store answers is not read meanwhile, and loses nothing', async () => {
    const { hub, a, b, first } = await useTwo()
    const client = await openSession(b.url, comeBack(first))
    const got: unknown[] = []
    a.held[0]!.transport.onmessage = (message) => got.push((message as { params?: { n: number } }).params?.n)
    const answers = deferred<undefined>()
    hub.answer = answers.promise
    const all = Array.from({ length: 40_000 }, (_, n) => n)
    for (const n of all) client.send({ ...note(n), params: { n, x: 'x'.repeat(1000) } })
    let left = 0
    do {
      left = client.ws.bufferedAmount
      for (let round = 0; round < 20; round++) (await openSession(b.url)).ws.terminate()
    } while (client.ws.bufferedAmount < left)
    expect(left).toBeGreaterThan(2 ** 24)
    expect(hub.texts.reduce((sum, text) => sum + text.length, 0)).toBeLessThan(2 ** 21)
    answers.resolve(undefined)
    await until(() => got.length === all.length, 'all of them')
    expect(got).toEqual(all)
    expect(client.ws.readyState).toBe(client.ws.OPEN)
  })

  test('and asks for pongs that nobody takes is cut, and fills no memory', async () => {
    const { hub, a, b, first } = await useTwo()
    const client = await openSession(b.url, comeBack(first))
    hub.answer = new Promise(() => undefined)
    const node = hub.listeners.get('node-1')!
    const texts = hub.texts.filter((text) => text.includes('node-2'))
    const { relay, n } = JSON.parse(texts.at(-1)!) as { relay: string; n: number }
    // As if many nodes passed on what they get.
    const ping = receipt('ping', 0)
    for (let more = 1; more < 500_000 && a.server.metrics().connectionsCut['slow-reader'] === 0; more++)
      node.onMessage(JSON.stringify({ relay, node: 'node-2', n: n + more, part: { text: ping } }))
    expect(await client.closed).toBe(1013)
    expect(hub.texts.length).toBeLessThan(20_000)
  })

  test('and says more in its open frame than is known, or names that no server has made, sends that to no other node', async () => {
    const { hub, b, first } = await useTwo()
    const long = '"'.repeat(1025)
    const made = await dialForResume(b.url)
    made.send(anOpen({ ...comeBack(first), epoch: long }))
    expect(await made.hello()).toMatchObject({ resumed: false, reason: 'epoch' })
    expect(hub.texts).toEqual([])
    const client = await dialForResume(b.url)
    client.send({ ...anOpen({ ...comeBack(first, 3), limits: { ...LIMITS, more: long } as ReplayLimits }), more: long })
    expect(await client.hello()).toMatchObject({ resumed: true, session: first.session })
    expect(hub.texts[0]!.length).toBeLessThan(1000)
  })

  test('is sent back with 1012 when the node does not answer within 3 s', async () => {
    const clock = new FakeClock()
    const { hub, a, b, first } = await useTwo(clock)
    hub.loses = () => true
    const client = await dialForResume(b.url)
    client.send(anOpen(comeBack(first)))
    await until(() => hub.texts.length === 1, 'the request')
    await clock.advance(2999)
    expect(client.ws.readyState).toBe(client.ws.OPEN)
    await clock.advance(1)
    expect(await client.closed).toBe(1012)
    await a.held[0]!.release(1)
  })

  test('keeps its session however often it came while the node stood still', async () => {
    const clock = new FakeClock()
    const { hub, a, b, first } = await useTwo(clock)
    await a.held[0]!.transport.send(note(1))
    const listener = hub.listeners.get('node-1')!
    const late: string[] = []
    hub.listeners.set('node-1', { ...listener, onMessage: (text) => void late.push(text) })
    for (let generation = 2; generation < 7; generation++) {
      const client = await dialForResume(b.url)
      client.send(anOpen(comeBack(first, generation)))
      await until(() => late.at(-1)?.includes('open') === true, 'the request')
      await clock.advance(3000)
      expect(await client.closed).toBe(1012)
      await until(() => late.at(-1)?.includes('close') === true, 'the end of the relay')
    }
    hub.listeners.set('node-1', listener)
    for (const text of late) listener.onMessage(text)
    const client = await openSession(b.url, comeBack(first, 7))
    expect(client.first.resumed).toBe(true)
    await a.held[0]!.release(1)
    await client.received(2)
  })

  test('stays there as long as both nodes live, also if nothing is sent', async () => {
    const clock = new FakeClock()
    const { a, b, first } = await useTwo(clock)
    const client = await openSession(b.url, comeBack(first))
    for (let n = 0; n < 60; n++) await clock.advance(1000)
    await a.held[0]!.release(1)
    await client.received(1)
    expect(a.events).toEqual(['detach', 'attach'])
  })

  test.each([
    ['is gone', (hub: MemoryHub, node: string) => hub.listeners.delete(node), 5000],
    ['takes texts and does nothing', (hub: MemoryHub, node: string) => (hub.loses = (text) => text.includes(node)), 12_000]
  ])('is sent back with 1012, also if nothing is sent, when the node of its session %s', async (_what, kill, within) => {
    const clock = new FakeClock()
    const { hub, a, b, first } = await useTwo(clock)
    const client = await openSession(b.url, comeBack(first))
    kill(hub, a.store.node)
    await clock.advance(within)
    expect(await client.closed).toBe(1012)
    await a.held[0]!.release(1)
  })

  test.each([
    ['is gone', (hub: MemoryHub, node: string) => hub.listeners.delete(node), 5000],
    ['takes texts and does nothing', (hub: MemoryHub, node: string) => (hub.loses = (text) => text.includes(node)), 12_000]
  ])('is away, for the node of its session, when the node between them %s', async (_what, kill, within) => {
    const clock = new FakeClock()
    const { hub, a, b, first } = await useTwo(clock)
    await openSession(b.url, comeBack(first))
    kill(hub, b.store.node)
    await clock.advance(within)
    await until(() => a.events.at(-1) === 'detach', 'the loss')
    expect(a.server.metrics().detachedSessions).toBe(1)
    await a.held[0]!.release(1)
  })

  test.each([0, 1])('is sent back with 1012 when node %i loses the store', async (which) => {
    const { a, b, first } = await useTwo()
    const client = await openSession(b.url, comeBack(first))
    ;[a, b][which]!.store.lose()
    expect(await client.closed).toBe(1012)
    await until(() => a.events.at(-1) === 'detach', 'the loss')
  })

  test('with a generation that is too low gets a new session there, and disturbs nothing', async () => {
    const { a, b, first } = await useTwo()
    const client = await openSession(b.url, comeBack(first, 1))
    expect(client.first).toMatchObject({ resumed: false, reason: 'stale-generation', delivered: null })
    client.request(1, 'ping')
    await client.received(1)
    expect([a.events, b.transports.length]).toEqual([['detach'], 1])
  })

  test('of another user learns nothing', async () => {
    const { hub, a, b, first } = await useTwo()
    const thief = await openSession(b.url, comeBack(first, 9), { headers: bearer('bob') })
    expect(thief.first).toMatchObject({ resumed: false, reason: 'unknown', delivered: null })
    expect([hub.texts, a.events]).toEqual([[], ['detach']])
    hub.dead.add(a.store.node)
    const again = await openSession(b.url, comeBack(first, 10), { headers: bearer('bob') })
    expect(again.first).toMatchObject({ resumed: false, reason: 'unknown', delivered: null })
    expect(again.first.tail).toBeUndefined()
  })

  test('that the node closes for is sent back', async () => {
    const { a, b, first } = await useTwo()
    const client = await openSession(b.url, comeBack(first))
    const closing = b.server.close()
    expect(await client.closed).toBe(1001)
    await closing
    await until(() => a.events.at(-1) === 'detach', 'the loss')
    expect((await openSession(a.url, comeBack(first, 3))).first.resumed).toBe(true)
  })
})

describe('a node that closes', () => {
  test('gives a client that comes to another node its session, as long as a request is in flight', async () => {
    const { a, b, first } = await useTwo()
    const closing = a.server.close()
    const client = await openSession(b.url, comeBack(first))
    expect(client.first.resumed).toBe(true)
    await a.held[0]!.release(1)
    expect(await client.closed).toBe(1001)
    await closing
    expect(client.control().map((frame) => frame['mcp.resume'])).toEqual(['hello', 'goaway', 'end'])
    expect(client.responses()).toEqual([1])
    const late = await openSession(b.url, comeBack(first, 3))
    expect(late.first).toMatchObject({ resumed: false, delivered: 1 })
  })

  test('leaves the answers for a client that is away when the last one is written', async () => {
    const { a, b, first } = await useTwo()
    const closing = a.server.close()
    await a.held[0]!.release(1)
    await closing
    const client = await openSession(b.url, comeBack(first))
    expect(client.first).toMatchObject({ resumed: false, delivered: 1, tail: 1 })
    await client.received(1)
    expect(client.responses()).toEqual([1])
  })

  test('leaves them also for a client that asks just when the last one is written', async () => {
    const { hub, a, b, first } = await useTwo()
    const other = await openSession(a.url)
    other.request(1, 'hold')
    await until(() => a.held[1]!.ids.length === 1, 'the request of the other session')
    const closing = a.server.close()
    const listener = hub.listeners.get('node-1')!
    const late: string[] = []
    hub.listeners.set('node-1', { ...listener, onMessage: (text) => void late.push(text) })
    const client = await dialForResume(b.url)
    client.send(anOpen(comeBack(first)))
    await until(() => late.length === 1, 'the request of node-2')
    await a.held[0]!.release(1)
    listener.onMessage(late[0]!)
    expect(await client.hello()).toMatchObject({ resumed: false, reason: 'owner-gone', delivered: 1, tail: 1 })
    await client.received(1)
    expect(client.responses()).toEqual([1])
    client.request(1, 'ping')
    await client.received(2)
    hub.listeners.set('node-1', listener)
    await a.held[1]!.release(1)
    await closing
  })

  test('ends the sessions of clients that are relayed to it', async () => {
    const { a, b, first } = await useTwo()
    const client = await openSession(b.url, comeBack(first))
    const closing = a.server.close()
    await a.held[0]!.release(1)
    expect(await client.closed).toBe(1001)
    await closing
    expect(client.control().map((frame) => frame['mcp.resume'])).toEqual(['hello', 'goaway', 'end'])
    expect(client.responses()).toEqual([1])
  })
})

describe('a node that is gone', () => {
  test('leaves what it had written to the client, once', async () => {
    const { hub, a, b, first } = await useTwo()
    for (let n = 1; n <= 3; n++) await a.held[0]!.transport.send(note(n))
    hub.dead.add(a.store.node)
    const client = await openSession(b.url, comeBack(first, 2, 1))
    expect(client.first).toMatchObject({ resumed: false, reason: 'owner-gone', delivered: null, tail: 2, received: 0 })
    expect(client.first.session).not.toBe(first.session)
    client.request(1, 'ping')
    await client.received(3)
    expect(numbers(client.data())).toEqual([2, 3, undefined])
    // The tail belongs to the session that is over.
    client.send(receipt('ack', 1))
    expect(b.transports.length).toBe(1)
    expect(b.server.metrics().resumesFailed['owner-gone']).toBe(1)
  })

  test('or does not listen for a moment keeps its session as long as it counts as alive: the client is sent back with 1013', async () => {
    const { hub, a, b, first } = await useTwo()
    const listener = hub.listeners.get(a.store.node)!
    hub.listeners.delete(a.store.node)
    const client = await dialForResume(b.url)
    client.send(anOpen(comeBack(first)))
    expect(await client.closed).toBe(1013)
    hub.listeners.set(a.store.node, listener)
    const again = await openSession(b.url, comeBack(first, 3))
    expect(again.first.resumed).toBe(true)
    again.ws.terminate()
    await until(() => a.events.at(-1) === 'detach', 'the loss')
    hub.listeners.delete(a.store.node)
    hub.dead.add(a.store.node)
    expect((await openSession(b.url, comeBack(first, 4))).first.reason).toBe('owner-gone')
    expect(a.events).toEqual(['detach', 'attach', 'detach'])
  })

  test('leaves its session to one of two that claim it with the same generation, and is fenced', async () => {
    const { hub, a, b, first } = await useTwo()
    const c = await useNode(hub)
    hub.dead.add(a.store.node)
    const both = await Promise.all([openSession(b.url, comeBack(first)), openSession(c.url, comeBack(first))])
    expect(both.map((client) => client.first.reason).sort()).toEqual(['owner-gone', 'stale-generation'])
    // It was only slow.
    expect(a.events).toEqual(['detach', 'close'])
    expect(a.server.metrics()).toMatchObject({ detachedSessions: 0, requestsInFlight: 0 })
    hub.dead.clear()
    const home = await openSession(a.url, comeBack(first, 3))
    expect(home.first.resumed).toBe(false)
  })

  test('sends its client back with 1012 when the session is claimed meanwhile', async () => {
    const { hub, a, b, first } = await useTwo()
    const client = await openSession(a.url, comeBack(first))
    hub.dead.add(a.store.node)
    await openSession(b.url, comeBack(first, 3))
    expect(await client.closed).toBe(1012)
  })
})

describe('the store', () => {
  test('knows of each session what is not acknowledged, and when it is over', async () => {
    const { hub, a, first } = await useTwo()
    for (let n = 1; n <= 3; n++) await a.held[0]!.transport.send(note(n))
    const client = await openSession(a.url, comeBack(first, 2, 1))
    const entry = hub.entries.get(first.session)!
    expect(entry).toMatchObject({ node: a.store.node, acknowledged: 1, session: { generation: 2 } })
    expect(entry.session.principal).not.toContain('ada')
    expect(numbers([...entry.frames.values()])).toEqual([1, 2, 3])
    client.send({ 'mcp.resume': 'end' })
    await client.closed
    expect(entry).toMatchObject({ node: undefined, delivered: 1 })
  })

  test('that is lost is told to onerror and in the metrics; when it is back it gets all sessions anew', async () => {
    const { hub, a, b, first } = await useTwo()
    for (let n = 1; n <= 3; n++) await a.held[0]!.transport.send(note(n))
    const client = await openSession(a.url, comeBack(first, 2, 1))
    a.store.lose()
    expect(a.errors.map(({ message }) => message)).toEqual(['lost'])
    expect(a.server.metrics().storeLost).toBe(1)
    expect(a.server.metricsText()).toContain('\nmcp_websocket_store_lost 1\n')
    expect((await openSession(a.url)).first.durability).toBe('process')
    client.request(2, 'ping')
    await client.received(3)
    a.store.restore()
    expect(a.server.metrics().storeLost).toBe(0)
    const entry = hub.entries.get(first.session)!
    expect([...entry.frames.keys()]).toEqual([2, 3, 4])
    expect(entry.session.generation).toBe(2)
    expect((await openSession(b.url, comeBack(first, 3, 3))).first).toMatchObject({ resumed: true, durability: 'store' })
  })

  test('that cannot be asked sends the client away with 1013', async () => {
    const { hub, b, first } = await useTwo()
    hub.isDown = true
    const client = await dialForResume(b.url)
    client.send(anOpen(comeBack(first)))
    expect(await client.closed).toBe(1013)
    hub.isDown = false
    expect((await openSession(b.url, comeBack(first))).first.resumed).toBe(true)
  })

  test('is waited for: a second open frame before the hello frame is one too many', async () => {
    const { b, first } = await useTwo()
    let answer: (found: undefined) => void = () => undefined
    b.store.find = () => new Promise((resolve) => (answer = resolve))
    const client = await dialForResume(b.url)
    for (const generation of [2, 3]) client.send(anOpen({ ...comeBack(first, generation), session: 'x' }))
    expect(await client.closed).toBe(1002)
    answer(undefined)
    expect([client.texts, b.transports]).toEqual([[], []])
  })

  test('that cannot be opened fails listen(), which may be called again', async () => {
    const hub = new MemoryHub()
    const store = hub.store()
    const server = new McpWebSocketServer({ allowUnauthenticated: true, resume: { store }, onconnection: () => undefined })
    hub.isDown = true
    await expect(server.listen()).rejects.toThrow('the store is down')
    hub.isDown = false
    await server.listen()
    expect(server.address()).toBeDefined()
    await server.close()
    expect(store.isClosed).toBe(true)
  })

  test('is closed behind the last session', async () => {
    const { hub, a, first } = await useTwo()
    const closing = a.server.close()
    expect(a.store.isClosed).toBe(false)
    await a.held[0]!.release(1)
    await closing
    expect(hub.entries.get(first.session)).toMatchObject({ node: undefined, delivered: 1 })
    expect(a.store.isClosed).toBe(true)
  })
})
