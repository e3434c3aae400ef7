import { describe, expect, test } from 'vitest'
import type { McpWebSocketServerOptions } from '../../src/server/index.js'
import { encodeControl } from '../../src/wire/resume-frames.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { pause } from '../helpers/pause.js'
import { until } from '../helpers/until.js'
import {
  anOpen,
  comeBack,
  dialForResume,
  LIMITS,
  note,
  numbers,
  openSession,
  receipt,
  recordEvents,
  type ResumeClient
} from './resume-client.js'
import { closeCode, openPeer, responseTo } from './raw-peer.js'
import { bearer, hold, useServer, type Held, type Served } from './use-server.js'
import type { Clock } from '../../src/lib/clock.js'

interface Resumable extends Served<undefined> {
  readonly held: Held[]
  /** What the transports told, in their order. */
  readonly events: string[]
}

/** A server with `resume`, whose requests `hold` wait. */
async function useResumable(
  resume: McpWebSocketServerOptions['resume'] = true,
  options: Partial<McpWebSocketServerOptions> = {},
  clock?: Clock
): Promise<Resumable> {
  const held: Held[] = []
  const events: string[] = []
  const served = await useServer(
    {
      resume,
      ...options,
      onconnection: (transport) => {
        recordEvents(transport, events)
        held.push(hold(transport))
      }
    },
    clock
  )
  return { ...served, held, events }
}

/** Breaks the socket of a client, and waits until the server knows. */
async function lose({ server }: Resumable, client: ResumeClient): Promise<void> {
  const before = server.metrics().connections
  client.ws.terminate()
  await until(() => server.metrics().connections < before, 'the server has lost the socket')
}

describe('the subprotocol', () => {
  test('is chosen wherever it stands in the offer, and only where resume is on', async () => {
    const { port } = await useResumable()
    const off = await useServer()
    const headers = { 'Sec-WebSocket-Protocol': 'mcp.v1, mcp.v1.resume' }
    expect((await (await openPeer(port, { headers })).response()).headers['sec-websocket-protocol']).toBe('mcp.v1.resume')
    expect((await (await openPeer(off.port, { headers })).response()).headers['sec-websocket-protocol']).toBe('mcp.v1')
  })

  test('I11: a client that did not offer it gets no control frame, and its frames that begin like one are no control frames', async () => {
    const { port, server, events } = await useResumable()
    const peer = await openPeer(port)
    peer.send('{"mcp.resume":"end"}')
    peer.send({ id: 1, method: 'ping' })
    await responseTo(peer, 1)
    expect(peer.messages().some((message) => 'mcp.resume' in message)).toBe(false)
    expect(server.metrics()).toMatchObject({ malformedMessages: 1, sessionsTotal: 0 })
    peer.socket.destroy()
    await until(() => events.length > 0, 'the end')
    expect(events).toEqual(['close'])
  })
})

describe('I14: a socket', () => {
  test.each([
    ['data before open', { jsonrpc: '2.0', id: 1, method: 'ping' }],
    ['another control frame before open', { 'mcp.resume': 'ack', received: 0 }],
    ['an open frame of another version', { ...anOpen(), v: 2 }],
    ['an open frame without limits', { ...anOpen(), limits: undefined }]
  ])('with %s is closed with 1002, and no MCP server is made', async (_what, frame) => {
    const { url, transports } = await useResumable()
    const client = await dialForResume(url)
    client.send(frame)
    expect(await client.closed).toBe(1002)
    expect([client.texts, transports]).toEqual([[], []])
  })

  test('without an open frame is closed with 1002 after 10 s', async () => {
    const clock = new FakeClock()
    const { url, server } = await useResumable(true, {}, clock)
    const client = await dialForResume(url)
    await until(() => server.metrics().connections === 1, 'the connection')
    await clock.advance(9999)
    expect(client.ws.readyState).toBe(client.ws.OPEN)
    await clock.advance(1)
    expect(await client.closed).toBe(1002)
  })

  test.each([
    ['X2: a second open frame', encodeControl(anOpen())],
    ['a hello frame', '{"mcp.resume":"hello"}'],
    ['a control frame that is none', '{"mcp.resume":'],
    ['X3: an ack of more than was sent', receipt('ack', 1)],
    ['a ping that acknowledges more than was sent', receipt('ping', 1)]
  ])('with %s is closed with 1002, and its session is over', async (_what, frame) => {
    const served = await useResumable()
    const client = await openSession(served.url)
    client.request(1, 'hold')
    client.send(frame)
    expect(await client.closed).toBe(1002)
    expect(served.events).toEqual(['close'])
    const again = await openSession(served.url, comeBack(client.first))
    expect(again.first).toMatchObject({ resumed: false, reason: 'protocol', delivered: 1 })
    expect(served.server.metrics()).toMatchObject({ requestsInFlight: 0, sessionsTotal: 2, resumesFailed: { protocol: 1 } })
  })
})

describe('a session', () => {
  test('begins with a hello frame, before anything of the MCP server', async () => {
    const { url } = await useServer({
      resume: { ttl: 1500.5, maxMessages: 10, maxBytes: 1000 },
      onconnection: async (transport) => {
        void transport.send(note(1))
        await transport.start()
      }
    })
    const client = await openSession(url)
    await client.received(1)
    expect(JSON.parse(client.texts[0]!)).toEqual({
      'mcp.resume': 'hello',
      v: 1,
      resumed: false,
      session: expect.stringMatching(/^[\w-]{43}$/) as string,
      epoch: expect.any(String) as string,
      received: 0,
      ttlMs: 1501,
      limits: { messages: 10, bytes: 1000 },
      durability: 'process'
    })
    const other = await openSession(url)
    expect(other.first.session).not.toBe(client.first.session)
    expect(other.first.epoch).toBe(client.first.epoch)
  })

  test('I1, I2, I3: goes on with another socket, nothing is lost, and nothing is executed twice', async () => {
    const served = await useResumable()
    const client = await openSession(served.url)
    client.request(1, 'hold')
    client.request(2, 'ping')
    await client.received(1)
    await lose(served, client)
    expect(served.events).toEqual(['detach'])
    // It resolves although nobody is there.
    await served.held[0]!.release(1)
    await served.held[0]!.transport.send(note(1))
    expect(served.server.metrics()).toMatchObject({ connections: 0, detachedSessions: 1, requestsInFlight: 0 })
    const again = await openSession(served.url, comeBack(client.first, 2, 1))
    expect(again.first).toMatchObject({ resumed: true, received: 2, session: client.first.session, epoch: client.first.epoch })
    again.request(3, 'ping')
    await again.received(3)
    expect(again.responses()).toEqual([1, undefined, 3])
    expect([served.transports.length, served.events]).toEqual([1, ['detach', 'attach']])
    expect(served.server.metrics()).toMatchObject({ connections: 1, detachedSessions: 0, sessionsTotal: 1, resumesTotal: 1 })
  })

  test('X4: whose hello frame got lost is resumed by the next dial, and one that began for nothing stays apart', async () => {
    const served = await useResumable()
    const first = await openSession(served.url)
    await lose(served, first)
    const lost = await openSession(served.url, comeBack(first.first, 2))
    await lose(served, lost)
    expect((await openSession(served.url, comeBack(first.first, 3))).first.resumed).toBe(true)
    expect((await openSession(served.url)).first).toMatchObject({ resumed: false })
    expect(served.transports.length).toBe(2)
  })

  test.each(Array.from({ length: 9 }, (_, n) => n))('X5: replays what is left after %i of 8 frames had arrived', async (count) => {
    const served = await useResumable()
    const client = await openSession(served.url)
    await lose(served, client)
    for (let n = 1; n <= 8; n++) await served.held[0]!.transport.send(note(n))
    const cut = await openSession(served.url, comeBack(client.first))
    await cut.received(8)
    await lose(served, cut)
    const again = await openSession(served.url, comeBack(client.first, 3, count))
    again.request(1, 'ping')
    await again.received(9 - count)
    expect(numbers(again.data())).toEqual([...Array.from({ length: 8 - count }, (_, n) => count + n + 1), undefined])
  })

  test('I6: has one socket: the old one is closed with 4409, and what it still sends has no effect', async () => {
    const served = await useResumable()
    const old = await openSession(served.url)
    // The old socket does not read the close frame, so that it goes on sending.
    old.ws.pause()
    const again = await openSession(served.url, comeBack(old.first))
    old.request(1, 'hold')
    old.send(receipt('ack', 99))
    old.send({ 'mcp.resume': 'end' })
    again.request(2, 'hold')
    await until(() => served.held[0]!.ids.length > 0, 'the request')
    await pause(50)
    expect(served.held[0]!.ids).toEqual([2])
    old.ws.resume()
    expect(await old.closed).toBe(4409)
    again.send(receipt('ping', 0))
    await until(() => again.control().some((frame) => frame['mcp.resume'] === 'pong'), 'a pong')
    expect(served.events).toEqual(['attach'])
    expect(served.server.metrics()).toMatchObject({ detachedSessions: 0, connections: 1 })
  })

  test('X1: is not taken by a lower generation', async () => {
    const served = await useResumable()
    const client = await openSession(served.url, { generation: 5 })
    for (const generation of [5, 4]) {
      const late = await openSession(served.url, comeBack(client.first, generation))
      expect(late.first).toMatchObject({ resumed: false, reason: 'stale-generation', delivered: null })
    }
    client.request(1, 'ping')
    await client.received(1)
    expect(served.events).toEqual([])
  })

  test('counts each data frame once: malformed ones and arrays too, and no control frames', async () => {
    const served = await useResumable()
    const client = await openSession(served.url)
    client.send('{')
    client.send('')
    client.send([note(1), note(2)])
    client.send(receipt('pong', 0))
    client.send(receipt('ping', 0))
    await until(() => client.control().length === 2, 'a pong')
    expect(client.control()[1]).toEqual({ 'mcp.resume': 'pong', received: 3 })
    expect(served.server.metrics()).toMatchObject({ messagesReceived: 2, messagesSent: 1 })
  })

  test('X12: a request that is cancelled while the client is away is cancelled when it is back', async () => {
    const served = await useResumable()
    const client = await openSession(served.url)
    client.request(1, 'hold')
    await until(() => served.held[0]!.ids.length === 1, 'the request')
    await lose(served, client)
    expect(served.server.metrics().requestsInFlight).toBe(1)
    const again = await openSession(served.url, comeBack(client.first))
    again.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } })
    await until(() => served.server.metrics().requestsInFlight === 0, 'the request is cancelled')
  })

  test('waits until its transport is started', async () => {
    const { url, transports } = await useServer({ resume: true, onconnection: () => undefined })
    const client = await openSession(url)
    client.request(1, 'ping')
    client.send(receipt('ping', 0))
    await until(() => client.control().length === 2, 'a pong')
    // It was not handed up: the client keeps it.
    expect(client.control()[1]).toMatchObject({ received: 0 })
    hold(transports[0]!)
    await client.received(1)
  })

  test('that onconnection fails for is over', async () => {
    const { url, errors } = await useServer({ resume: true, onconnection: () => Promise.reject(new Error('no')) })
    const client = await openSession(url)
    expect(await client.closed).toBe(1011)
    expect(errors.length).toBe(1)
    expect((await openSession(url, comeBack(client.first))).first).toMatchObject({ resumed: false, delivered: 0 })
  })
})

describe('the user', () => {
  const by = (principal?: (auth: { user: string; token: string }) => string) =>
    useServer<{ user: string; token: string }>({
      resume: { principal },
      authenticate: (_request, token = '') => ({ user: token.split('-')[0]!, token }),
      onconnection: (transport) => void hold(transport)
    })
  const as = (token: string) => ({ headers: bearer(token) })

  test('I10: of another session learns nothing of it, and does not disturb it', async () => {
    const { url, server } = await by()
    const victim = await openSession(url, {}, as('ada-1'))
    const thief = await openSession(url, comeBack(victim.first, 9), as('bob-1'))
    const nobody = await openSession(url, { ...comeBack(victim.first, 9), session: 'x' }, as('bob-1'))
    const answer = { resumed: false, reason: 'unknown', delivered: null, received: 0 }
    expect([thief.first, nobody.first]).toMatchObject([answer, answer])
    expect(Object.keys(thief.first)).toEqual(Object.keys(nobody.first))
    victim.request(1, 'ping')
    await victim.received(1)
    expect(server.metrics().resumesFailed).toMatchObject({ unknown: 2, principal: 0 })
  })

  test('X9: with another token is another user, unless principal says otherwise', async () => {
    const strict = await by()
    const one = await openSession(strict.url, {}, as('ada-1'))
    expect((await openSession(strict.url, comeBack(one.first), as('ada-2'))).first.resumed).toBe(false)
    const { url, transports } = await by(({ user }) => user)
    const two = await openSession(url, {}, as('ada-1'))
    const seen: unknown[] = []
    transports[0]!.onmessage = (_message, extra) => seen.push(extra?.authInfo)
    two.send(note(1))
    await until(() => seen.length === 1, 'the first message')
    const again = await openSession(url, comeBack(two.first), as('ada-2'))
    expect(again.first.resumed).toBe(true)
    again.send(note(2))
    await until(() => seen.length === 2, 'the second message')
    // Handlers see the token that is good now.
    expect(seen).toMatchObject([{ token: 'ada-1' }, { token: 'ada-2' }])
    expect((await openSession(url, comeBack(two.first, 3), as('bob-2'))).first.reason).toBe('unknown')
  })

  test('that cannot be named is told to onerror, and gets no session', async () => {
    const { url, errors } = await by(() => {
      throw new Error('no name')
    })
    const client = await dialForResume(url, as('ada-1'))
    expect(await client.closed).toBe(1011)
    expect(errors.map(({ message }) => message)).toEqual(['no name'])
  })
})

describe('a client that is away', () => {
  test.each([
    [-1, { resumed: true }],
    [0, { resumed: false, reason: 'expired', delivered: 1 }],
    [1, { resumed: false, reason: 'expired', delivered: 1 }]
  ])('X6, I12: for ttl %i ms', async (ms, hello) => {
    const clock = new FakeClock()
    const served = await useResumable({ ttl: 5000 }, { heartbeat: false }, clock)
    const client = await openSession(served.url)
    client.request(1, 'hold')
    await until(() => served.held[0]!.ids.length === 1, 'the request')
    await lose(served, client)
    await clock.advance(5000 + ms)
    if (!hello.resumed) {
      expect(served.events).toEqual(['detach', 'close'])
      expect(served.server.metrics()).toMatchObject({ detachedSessions: 0, requestsInFlight: 0 })
      expect(clock.pendingCount).toBe(0)
      await expect(served.held[0]!.transport.send(note(1))).rejects.toMatchObject({ code: 'CLOSED', delivery: 'not-sent' })
    }
    expect((await openSession(served.url, comeBack(client.first))).first).toMatchObject(hello)
    if (hello.resumed) await served.held[0]!.release(1)
  })

  test.each([
    ['messages', { maxMessages: 3 }, 1],
    ['bytes', { maxBytes: 3000 }, 1000]
  ])('X8, I5: while more %s are sent than may be kept has lost its session', async (_what, resume, length) => {
    const served = await useResumable(resume)
    const client = await openSession(served.url)
    await lose(served, client)
    const { transport } = served.held[0]!
    const send = () => transport.send({ jsonrpc: '2.0', method: 'x'.repeat(length) })
    for (let n = 0; n < 3; n++) await send()
    expect(served.events).toEqual(['detach'])
    await expect(send()).rejects.toMatchObject({ code: 'CLOSED' })
    expect(served.events).toEqual(['detach', 'close'])
    const again = await openSession(served.url, comeBack(client.first))
    expect(again.first).toMatchObject({ resumed: false, reason: 'overflow', delivered: 0 })
    expect(served.server.metrics()).toMatchObject({ detachedSessions: 0, resumesFailed: { overflow: 1 } })
  })

  test('makes room for others that have left later', async () => {
    const served = await useResumable({ maxDetached: 1 })
    const [first, second] = [await openSession(served.url), await openSession(served.url)]
    await lose(served, first)
    await lose(served, second)
    expect(served.events).toEqual(['detach', 'detach', 'close'])
    expect(served.server.metrics().detachedSessions).toBe(1)
    expect((await openSession(served.url, comeBack(first.first))).first.reason).toBe('overflow')
    expect((await openSession(served.url, comeBack(second.first))).first.resumed).toBe(true)
  })

  test('X11, I17: after three sockets that broke with the same frames has lost its session', async () => {
    const served = await useResumable()
    const client = await openSession(served.url)
    await served.held[0]!.transport.send(note(1))
    await lose(served, client)
    for (let generation = 2; generation <= 4; generation++) {
      const again = await openSession(served.url, comeBack(client.first, generation))
      expect(again.first.resumed).toBe(true)
      await lose(served, again)
    }
    expect(served.events.at(-1)).toBe('detach')
    expect((await openSession(served.url, comeBack(client.first, 5))).first).toMatchObject({ resumed: false, reason: 'protocol' })
    expect(served.events.at(-1)).toBe('close')
  })

  test('X11: keeps it if the last of them brought the frames, and only its acknowledgement was lost', async () => {
    const served = await useResumable()
    const client = await openSession(served.url)
    await served.held[0]!.transport.send(note(1))
    await lose(served, client)
    for (let generation = 2; generation <= 4; generation++)
      await lose(served, await openSession(served.url, comeBack(client.first, generation)))
    expect((await openSession(served.url, comeBack(client.first, 5, 1))).first).toMatchObject({ resumed: true })
    expect(served.events).not.toContain('close')
  })

  test('keeps its session as long as each socket brings it further', async () => {
    const served = await useResumable()
    const client = await openSession(served.url)
    for (let n = 1; n <= 6; n++) await served.held[0]!.transport.send(note(n))
    await lose(served, client)
    for (let n = 1; n <= 6; n++) {
      const again = await openSession(served.url, comeBack(client.first, n + 1, n))
      expect(again.first.resumed).toBe(true)
      await lose(served, again)
    }
    expect(served.events).not.toContain('close')
  })
})

describe('a socket that ends', () => {
  test.each([1000, 1002, 1003, 1007, 1008, 1009])('with %i ends its session', async (code) => {
    const served = await useResumable()
    const client = await openSession(served.url)
    client.ws.close(code)
    await client.closed
    await until(() => served.events.length > 0, 'the end')
    expect(served.events).toEqual(['close'])
    expect((await openSession(served.url, comeBack(client.first))).first).toMatchObject({ resumed: false, delivered: 0 })
  })

  test.each([1001, 1011, 1012, 1013, 4000])('with %i is replaced by the next one', async (code) => {
    const served = await useResumable()
    const client = await openSession(served.url)
    client.ws.close(code)
    await client.closed
    expect((await openSession(served.url, comeBack(client.first))).first.resumed).toBe(true)
  })

  test.each([
    ['longer than maxMessageBytes', 'x'.repeat(2000), false],
    ['not UTF-8', Buffer.from([0xff, 0xfe]), false]
  ])('with a message that is %s ends its session: it would come again', async (_what, data, binary) => {
    const served = await useResumable(true, { maxMessageBytes: 1000 })
    const client = await openSession(served.url)
    client.ws.send(data, { binary })
    await client.closed
    await until(() => served.events.length > 0, 'the end')
    expect(served.events).toEqual(['close'])
  })

  test('with an end frame before it ends its session, for both', async () => {
    const served = await useResumable()
    const client = await openSession(served.url)
    client.send({ 'mcp.resume': 'end' })
    expect(await client.closed).toBe(1000)
    expect(served.events).toEqual(['close'])
    const other = await openSession(served.url)
    await served.held[1]!.transport.close()
    expect(await other.closed).toBe(1000)
    expect(other.control().at(-1)).toEqual({ 'mcp.resume': 'end' })
    expect(served.events).toEqual(['close', 'close'])
  })

  test('by the heartbeat is replaced by the next one', async () => {
    const clock = new FakeClock()
    const served = await useResumable(true, {}, clock)
    const client = await openSession(served.url)
    client.ws.pause()
    await clock.advance(30_000)
    await clock.advance(30_000)
    expect(served.server.metrics()).toMatchObject({ connectionsCut: { heartbeat: 1 }, detachedSessions: 1 })
    expect((await openSession(served.url, comeBack(client.first))).first.resumed).toBe(true)
  })
})

describe('acknowledgements', () => {
  const acks = (client: ResumeClient): unknown[] => client.control().slice(1)

  test.each([
    ['after 64 frames', true, LIMITS, 100, 64],
    ['after half of the frames that the client keeps', true, { messages: 6, bytes: 1e6 }, 100, 3],
    ['after half of the frames that the server keeps', { maxMessages: 6 }, LIMITS, 100, 3],
    ['after 256 KiB', true, LIMITS, 2 ** 17, 2],
    ['after half of what the client keeps', true, { messages: 256, bytes: 3000 }, 500, 3],
    ['after half of what the server keeps', { maxBytes: 3000 }, LIMITS, 500, 3]
  ])('are sent %s', async (_what, resume, limits, length, due) => {
    // Its second does not pass.
    const { url } = await useResumable(resume, { heartbeat: false }, new FakeClock())
    const client = await openSession(url, { limits })
    for (let n = 0; n < due; n++) client.send({ jsonrpc: '2.0', method: 'x'.repeat(length) })
    await until(() => acks(client).length > 0, 'an acknowledgement')
    expect(acks(client)).toEqual([{ 'mcp.resume': 'ack', received: due }])
  })

  test('are sent within 1 s, and cost no timer while nothing is owed', async () => {
    const clock = new FakeClock()
    const served = await useResumable(true, { heartbeat: false }, clock)
    const clients = [await openSession(served.url), await openSession(served.url)]
    expect(clock.pendingCount).toBe(0)
    for (const client of clients) client.send(note(1))
    await until(() => served.server.metrics().messagesReceived === 2, 'both messages')
    // One for all.
    expect(clock.pendingCount).toBe(1)
    await clock.advance(1000)
    for (const client of clients) {
      await until(() => acks(client).length === 1, 'an acknowledgement')
      expect(acks(client)).toEqual([{ 'mcp.resume': 'ack', received: 1 }])
    }
    expect(clock.pendingCount).toBe(0)
  })

  test('by a ping that makes room for the request which ends the socket leave the session its time', async () => {
    const clock = new FakeClock()
    const { url, server, transports } = await useServer(
      {
        resume: { ttl: 1000, maxMessages: 1, maxBytes: 100 },
        heartbeat: false,
        onconnection: (transport) => {
          transport.onmessage = () => {
            // More than may be kept for a client that is there.
            for (let n = 0; n < 2; n++) transport.send({ jsonrpc: '2.0', method: 'x'.repeat(500) }).catch(() => undefined)
          }
          return transport.start()
        }
      },
      clock
    )
    const client = await openSession(url)
    await transports[0]!.send(note(1))
    await client.received(1)
    // No room for a response: it waits.
    client.request(1, 'tools/list')
    client.send(receipt('ping', 1))
    await until(() => server.metrics().detachedSessions === 1, 'the socket is cut')
    await clock.advance(1000)
    expect(server.metrics().detachedSessions).toBe(0)
  })

  test('I4: let the server forget what was sent', async () => {
    const served = await useResumable()
    const client = await openSession(served.url)
    for (let n = 1; n <= 3; n++) await served.held[0]!.transport.send(note(n))
    client.send(receipt('ack', 2))
    client.send(receipt('ping', 2))
    await until(() => client.control().length === 2, 'a pong')
    await lose(served, client)
    const again = await openSession(served.url, comeBack(client.first, 2, 1))
    expect(again.first).toMatchObject({ resumed: false, reason: 'protocol' })
  })
})

describe('V8: a client that acknowledges nothing', () => {
  test('gets no further requests in, is read on, and is cut after drainTimeout', async () => {
    const clock = new FakeClock()
    const served = await useResumable({ maxMessages: 2 }, { drainTimeout: 5000, heartbeat: false }, clock)
    const client = await openSession(served.url)
    client.request(1, 'ping')
    client.request(2, 'ping')
    await client.received(2)
    client.request(3, 'ping')
    client.send(receipt('ping', 0))
    await until(() => client.control().some((frame) => frame['mcp.resume'] === 'pong'), 'a pong')
    expect(client.control().at(-1)).toMatchObject({ received: 2 })
    expect(client.responses()).toEqual([1, 2])
    client.send(receipt('ack', 1))
    await client.received(3)
    await clock.advance(5000)
    expect(await client.closed).toBe(1013)
    expect(served.events).toEqual(['detach'])
    expect(served.server.metrics()).toMatchObject({ connectionsCut: { 'slow-reader': 1 }, detachedSessions: 1 })
    // What was not handed up is not counted as received.
    const again = await openSession(served.url, comeBack(client.first, 2, 3))
    expect(again.first).toMatchObject({ resumed: true, received: 3 })
  })

  const long = { jsonrpc: '2.0', method: 'x'.repeat(972) } as const

  test('fills no memory', async () => {
    const served = await useResumable({ maxBytes: 3000 })
    const client = await openSession(served.url)
    const { transport } = served.held[0]!
    const sent = await Promise.allSettled(Array.from({ length: 20 }, () => transport.send(long)))
    // Four times as much as may be kept, and the one at which it is cut.
    expect(sent.filter(({ status }) => status === 'fulfilled').length).toBe(13)
    expect(await client.closed).toBe(1013)
    expect(served.events).toEqual(['detach', 'close'])
  })

  test('is cut and keeps its session, with all that was sent', async () => {
    const served = await useResumable({ maxBytes: 3000 })
    const client = await openSession(served.url)
    for (let n = 0; n < 13; n++) void served.held[0]!.transport.send(long)
    expect(await client.closed).toBe(1013)
    expect(served.server.metrics()).toMatchObject({ connectionsCut: { 'slow-reader': 1 }, detachedSessions: 1 })
    const again = await openSession(served.url, comeBack(client.first, 2, client.data().length))
    expect(again.first.resumed).toBe(true)
    await until(() => client.data().length + again.data().length === 13, 'all that was sent')
    expect(served.events).toEqual(['detach', 'attach'])
  })

  test('is not one that is sent thousands of messages in one turn, and reads them', async () => {
    const served = await useResumable()
    const client = await openSession(served.url)
    const sent = Array.from({ length: 5000 }, (_, n) => served.held[0]!.transport.send(note(n)))
    await Promise.all(sent)
    await client.received(5000)
    client.send(receipt('ack', 5000))
    client.request(1, 'ping')
    await client.received(5001)
    expect(served.events).toEqual([])
    expect(served.server.metrics().connectionsCut['slow-reader']).toBe(0)
  })

  test('is not one that gets all its responses in one turn, and reads them', async () => {
    const served = await useResumable({ maxBytes: 100 })
    const client = await openSession(served.url)
    for (let id = 1; id <= 50; id++) client.request(id, 'hold')
    await until(() => served.held[0]!.ids.length === 50, 'the requests')
    await Promise.all(served.held[0]!.ids.map(served.held[0]!.release))
    await client.received(50)
    expect(served.events).toEqual([])
    // From then on the limit holds for them, too.
    client.send(receipt('ping', 0))
    await until(() => client.control().at(-1)?.['mcp.resume'] === 'pong', 'a pong')
    await served.held[0]!.transport.send({ jsonrpc: '2.0', id: 51, result: {} })
    expect(await client.closed).toBe(1013)
    expect(served.events).toEqual(['detach'])
  })
})

describe('a server that closes', () => {
  test('says so first, lets requests finish, and ends each session', async () => {
    const clock = new FakeClock()
    clock.chance = 0
    const served = await useResumable(true, {}, clock)
    const [idle, busy, away] = [await openSession(served.url), await openSession(served.url), await openSession(served.url)]
    busy.request(1, 'hold')
    await until(() => served.held[1]!.ids.length === 1, 'the request')
    await lose(served, away)
    const closing = served.server.close()
    expect(await idle.closed).toBe(1001)
    expect(idle.control().slice(1)).toEqual([{ 'mcp.resume': 'goaway', retryAfterMs: 0 }, { 'mcp.resume': 'end' }])
    busy.request(2, 'hold')
    await busy.received(1)
    expect(JSON.parse(busy.data()[0]!)).toMatchObject({ id: 2, error: { code: 10503, data: { retryAfterMs: 1000 } } })
    await served.held[1]!.release(1)
    expect(await busy.closed).toBe(1001)
    await closing
    expect(busy.control().map((frame) => frame['mcp.resume'])).toEqual(['hello', 'goaway', 'end'])
    expect(served.events.filter((event) => event === 'close').length).toBe(3)
    expect(served.server.metrics()).toMatchObject({ connections: 0, detachedSessions: 0, requestsInFlight: 0 })
  })

  test('spreads its clients over 1 ms for each', async () => {
    const clock = new FakeClock()
    clock.chance = 0.5
    const { url, server } = await useResumable(true, { heartbeat: false }, clock)
    const clients = await Promise.all(Array.from({ length: 20 }, () => openSession(url)))
    void server.close()
    for (const client of clients) await client.closed
    expect(clients.map((client) => client.control()[1])).toEqual(clients.map(() => ({ 'mcp.resume': 'goaway', retryAfterMs: 10 })))
  })

  test('waits for a client that is away and has a request in flight, until grace is over', async () => {
    const clock = new FakeClock()
    const served = await useResumable(true, { heartbeat: false }, clock)
    const [one, two] = [await openSession(served.url), await openSession(served.url)]
    for (const client of [one, two]) client.request(1, 'hold')
    await until(() => served.held.every(({ ids }) => ids.length === 1), 'both requests')
    await lose(served, one)
    await lose(served, two)
    let isClosed = false
    const closing = served.server.close({ grace: 500 }).then(() => (isClosed = true))
    await served.held[0]!.release(1)
    expect(served.events).toEqual(['detach', 'detach', 'close'])
    await clock.advance(499)
    expect(isClosed).toBe(false)
    await clock.advance(1)
    await closing
    expect(served.events.length).toBe(4)
    expect(clock.pendingCount).toBe(0)
  })

  test('sends away a client that has no session yet', async () => {
    const { url, server } = await useResumable()
    const client = await dialForResume(url)
    await until(() => server.metrics().connections === 1, 'the connection')
    const closing = server.close()
    expect(await client.closed).toBe(1001)
    await closing
  })
})

test('a frame that no client may send ends the session', async () => {
  const { port, events } = await useResumable()
  const peer = await openPeer(port, { headers: { 'Sec-WebSocket-Protocol': 'mcp.v1.resume' } })
  peer.send(encodeControl(anOpen()))
  await until(() => peer.frames.length > 0, 'a hello frame')
  peer.send(receipt('ack', 0), { mask: false })
  expect(await closeCode(peer)).toBe(1002)
  peer.socket.destroy()
  await until(() => events.length > 0, 'the end')
  expect(events).toEqual(['close'])
})
