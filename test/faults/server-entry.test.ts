import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { McpWebSocketServer, isSameToken, type McpWebSocketServerOptions, type ServerTransport } from '../../src/server/index.js'
import type { JsonRpcMessage } from '../../src/index.js'
import { bundle, useChild } from '../helpers/child.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { serveTransport } from '../helpers/mcp-server.js'
import { afterTest } from '../helpers/ws-server.js'
import { rejectionOf, until, useClient } from '../integration/harness.js'
import { call, closeBack, closeCode, dial, enter, knock, type Caller } from '../server/knock.js'
import { requestText } from '../server/request-text.js'
import { useServer } from '../server/use-server.js'
import { frame, OPCODE } from './kit/wire.js'

const bearer = (token: string): Record<string, string> => ({ Authorization: `Bearer ${token}` })

/** Only this token may come in. */
const GUARDED: Partial<McpWebSocketServerOptions<string>> = {
  authenticate: (_request, token) => (isSameToken(token, 'right') ? 'ada' : undefined)
}

/** A transport that answers `hold` when the test says so, and everything else at once. */
interface Held {
  readonly transport: ServerTransport
  readonly ids: (string | number)[]
  readonly release: (id: string | number) => Promise<void>
}

function hold(transport: ServerTransport): Held {
  const ids: Held['ids'] = []
  transport.onmessage = (message: JsonRpcMessage) => {
    if (!('method' in message && 'id' in message)) return
    if (message.method === 'hold') ids.push(message.id)
    else void transport.send({ jsonrpc: '2.0', id: message.id, result: {} })
  }
  void transport.start()
  return { transport, ids, release: (id) => transport.send({ jsonrpc: '2.0', id, result: {} }) }
}

/** A server whose connections are held. */
async function useHeld(options: Partial<McpWebSocketServerOptions> = {}) {
  const held: Held[] = []
  const served = await useServer({ ...options, onconnection: (transport) => void held.push(hold(transport)) })
  return { ...served, held }
}

const resultOf = (caller: Caller, id: number | string) => caller.message((message) => message.id === id)

describe('V1: a GET without Upgrade', () => {
  test('is answered 426, and the connection stays open for the next request', async () => {
    const { port, transports } = await useServer()
    const caller = await dial(port)
    for (let n = 0; n < 2; n++) {
      caller.write(requestText(port, { headers: { Upgrade: undefined, Connection: undefined } }))
      const { status, headers, body } = await caller.answer()
      expect(status).toBe(426)
      expect(headers.upgrade).toBe('websocket')
      expect(headers.connection).toMatch(/upgrade/i)
      expect(body).toBe('This is a WebSocket endpoint')
    }
    // And an upgrade after that.
    caller.write(requestText(port))
    expect((await caller.answer()).status).toBe(101)
    expect(transports).toHaveLength(1)
  })

  test('of another path is answered 404', async () => {
    const { port } = await useServer()
    expect((await fetch(`http://127.0.0.1:${String(port)}/`)).status).toBe(404)
  })

  test.each([
    ['that says close', 'HTTP/1.1', 'close'],
    ['of HTTP/1.0', 'HTTP/1.0', undefined]
  ])('of a client %s is answered, and the connection is closed', async (_what, version, connection) => {
    const { port } = await useServer()
    const caller = await dial(port)
    const text = requestText(port, { headers: { Upgrade: undefined, Connection: connection } })
    caller.write(text.replace('HTTP/1.1', version))
    const { status, headers } = await caller.answer()
    expect([status, headers.connection]).toEqual([426, 'upgrade, close'])
    await caller.gone
  })

  test('on a given server is answered by a handler that came later', async () => {
    const http = createServer()
    await useGiven(http)
    const thrown: unknown[] = []
    http.on('request', (_request, response) => {
      try {
        response.writeHead(200).end('mine')
      } catch (error) {
        thrown.push(error)
      }
    })
    const answer = await fetch(`http://127.0.0.1:${String((http.address() as AddressInfo).port)}/ws`)
    expect([await answer.text(), thrown]).toEqual(['mine', []])
  })

  test('on a given server is answered for each of two servers, also once one of them has left', async () => {
    const http = createServer()
    const [first] = [await useGiven(http, { path: '/a' }), await useGiven(http, { path: '/b' })]
    const statuses = () =>
      Promise.all(
        ['/a', '/b', '/c'].map(async (path) => {
          const url = `http://127.0.0.1:${String((http.address() as AddressInfo).port)}${path}`
          return (await fetch(url, { headers: { connection: 'close' } })).status
        })
      )
    expect(await statuses()).toEqual([426, 426, 404])
    await first.close({ grace: 0 })
    expect(await statuses()).toEqual([404, 426, 404])
  })

  test('on a given server is answered by its own handler, if it has one', async () => {
    const http = createServer((_request, response) => response.end('mine'))
    await useGiven(http)
    const text = await (await fetch(`http://127.0.0.1:${String((http.address() as AddressInfo).port)}/ws`)).text()
    expect(text).toBe('mine')
  })

  test('on a given server without a handler does not hang', async () => {
    const http = createServer()
    await useGiven(http)
    expect((await fetch(`http://127.0.0.1:${String((http.address() as AddressInfo).port)}/ws`)).status).toBe(426)
  })
})

describe('V2: an upgrade without mcp.v1', () => {
  test.each([undefined, 'chat', 'mcp'])('that offers %s is answered 426, and no MCP server is made', async (offer) => {
    const { port, transports, server } = await useServer()
    const caller = await call(port, { headers: { 'Sec-WebSocket-Protocol': offer } })
    const { status, headers, body } = await caller.answer()
    expect([status, body, headers.upgrade, headers.connection]).toEqual([426, 'Subprotocol required', 'websocket', 'upgrade, close'])
    await caller.gone
    expect(transports).toEqual([])
    expect(server.metrics()).toMatchObject({ connectionsTotal: 0, handshakesRefused: { 426: 1 } })
  })

  test('is accepted where the option says so, and nothing is chosen', async () => {
    const { port } = await useServer({ requireSubprotocol: false })
    const { status, headers } = await knock(port, { headers: { 'Sec-WebSocket-Protocol': 'chat' } })
    expect([status, headers['sec-websocket-protocol']]).toEqual([101, undefined])
  })

  test('is accepted with an extra subprotocol', async () => {
    const { port } = await useServer({ extraSubprotocols: ['mcp'] })
    const chosen = async (offer: string) =>
      (await knock(port, { headers: { 'Sec-WebSocket-Protocol': offer } })).headers['sec-websocket-protocol']
    expect(await chosen('mcp')).toBe('mcp')
    expect(await chosen('mcp, mcp.v1')).toBe('mcp.v1')
  })
})

describe('V3: a handshake', () => {
  test.each([
    ['without a token', {}],
    ['with a wrong token', bearer('wrong')],
    ['with a longer token', bearer('right ')],
    ['with another scheme', { Authorization: 'Basic cmlnaHQ=' }],
    ['with a token that cannot be read', { 'Sec-WebSocket-Protocol': 'mcp.v1, mcp.bearer.=' }]
  ])('%s is answered 401, and no MCP server is made', async (_what, headers) => {
    const { port, transports, server } = await useServer({
      authenticate: (_request, token) => (token === 'right' ? 'ada' : undefined)
    })
    const answer = await knock(port, { headers })
    // A token that ends with a space is trimmed by HTTP itself; one that is no subprotocol is no handshake.
    if (_what === 'with a longer token') return expect(answer.status).toBe(101)
    if (_what === 'with a token that cannot be read') return expect(answer.status).toBe(400)
    expect([answer.status, answer.headers['www-authenticate'], answer.body]).toEqual([401, 'Bearer', 'Unauthorized'])
    expect(transports).toEqual([])
    return expect(server.metrics().handshakesRefused).toEqual({ 401: 1 })
  })

  test.each([undefined, null, false])('for which authenticate returns %s is answered 401', async (verdict) => {
    const { port } = await useServer({ authenticate: () => verdict as unknown as string })
    expect((await knock(port)).status).toBe(401)
  })

  test.each([
    ['header', { headers: bearer('right') }, 'mcp.v1'],
    ['subprotocol', { headers: { 'Sec-WebSocket-Protocol': 'mcp.bearer.cmlnaHQ, mcp.v1' } }, 'mcp.v1']
  ])('with the token as %s comes in, and the token is never sent back', async (_how, request, chosen) => {
    const { port, infos } = await useServer(GUARDED)
    const answer = await knock(port, request)
    expect([answer.status, answer.headers['sec-websocket-protocol']]).toEqual([101, chosen])
    expect(JSON.stringify(answer)).not.toMatch(/bearer|right|cmlnaHQ/)
    expect(infos[0]?.auth).toBe('ada')
    expect(JSON.stringify([infos[0]?.request.headers['sec-websocket-protocol'], infos[0]?.request.rawHeaders])).not.toContain('cmlnaHQ')
  })

  test.each([
    ['two tokens', { ...bearer('right'), 'Sec-WebSocket-Protocol': 'mcp.v1, mcp.bearer.cmlnaHQ' }],
    ['two headers', { Authorization: ['Bearer right', 'Bearer wrong'] }]
  ])('with %s is answered 400', async (_what, headers) => {
    const { port, transports } = await useServer(GUARDED)
    expect((await knock(port, { headers })).status).toBe(400)
    expect(transports).toEqual([])
  })

  test('of our client comes in with either way of the token, and is told which way is open without', async () => {
    const { url } = await useServer(GUARDED)
    for (const via of ['header', 'subprotocol'] as const) {
      const { client } = useClient({ url, auth: { token: 'right', via } })
      await client.connect()
      expect(client.subprotocol).toBe('mcp.v1')
    }
    expect(await rejectionOf(useClient({ url }).client.connect())).toMatchObject({ name: 'UnauthorizedError', wwwAuthenticate: 'Bearer' })
  })
})

describe('V4: a handshake', () => {
  test.each([
    ['S2', 'Host', 'evil.test'],
    ['S2', 'Host', undefined],
    ['S1', 'Origin', 'https://evil.test'],
    ['S1', 'Origin', 'null']
  ])('%s: with %s %s is answered 403, before anybody is asked for credentials', async (_row, name, value) => {
    let asked = 0
    const { port, transports } = await useServer({
      authenticate: () => {
        asked++
        return 'ada'
      }
    })
    const { status } = await knock(port, { headers: { ...bearer('right'), [name]: value } })
    expect([status, asked, transports.length]).toEqual([403, 0, 0])
  })

  test('S2: with two hosts is answered 400: a proxy may go by the other', async () => {
    const { port, transports } = await useServer()
    expect((await knock(port, { headers: { Host: [`127.0.0.1:${String(port)}`, 'evil.test'] } })).status).toBe(400)
    expect(transports).toEqual([])
  })

  test('of a page that is allowed comes in', async () => {
    const { port } = await useServer({ allowedOrigins: ['https://good.example.com'] })
    expect((await knock(port, { headers: { Origin: 'https://good.example.com' } })).status).toBe(101)
    expect((await knock(port, { headers: { Origin: 'https://good.example.com:8443' } })).status).toBe(403)
  })

  test('to a host that is allowed comes in', async () => {
    const { port } = await useServer({ allowedHosts: ['mcp.example.com'] })
    expect((await knock(port, { headers: { Host: 'mcp.example.com' } })).status).toBe(101)
    expect((await knock(port)).status).toBe(403)
  })
})

describe('V5: authenticate', () => {
  test.each([
    ['rejects', () => Promise.reject(new Error('no database'))],
    [
      'throws',
      () => {
        throw new Error('no database')
      }
    ]
  ])('that %s is answered 503', async (_how, authenticate) => {
    const { port, errors, transports } = await useServer({ authenticate })
    const { status, body, headers } = await knock(port, { headers: bearer('right') })
    expect([status, headers['retry-after']]).toEqual([503, '5'])
    expect(body).not.toContain('database')
    expect(errors.map(({ message }) => message)).toEqual(['no database'])
    expect(transports).toEqual([])
  })

  test('that hangs is answered 504 after authTimeout', async () => {
    const { port, transports } = await useServer({ authenticate: () => new Promise<string>(() => undefined), authTimeout: 50 })
    const caller = await call(port, { headers: bearer('right') })
    expect((await caller.answer()).status).toBe(504)
    await caller.gone
    expect(transports).toEqual([])
  })

  test.each([
    ['hangs up', (caller: Caller) => void caller.socket.end()],
    ['resets', (caller: Caller) => void caller.socket.resetAndDestroy()]
  ])('is asked for a client that %s meanwhile: no MCP server is made, and nothing breaks', async (_how, leave) => {
    let decide: (auth: string) => void = () => undefined
    let asked = 0
    const { port, transports, server } = await useServer({
      authenticate: () => {
        asked++
        return new Promise<string>((resolve) => {
          decide = resolve
        })
      }
    })
    const caller = await call(port, { headers: bearer('right') })
    await until(() => asked === 1, 'authenticate was asked')
    leave(caller)
    await until(() => caller.socket.writableFinished || caller.socket.destroyed, 'the client left')
    // The news travels through the system, not through this process.
    await new Promise((resolve) => setTimeout(resolve, 20))
    decide('ada')
    await caller.gone
    expect(transports).toEqual([])
    expect(server.metrics()).toMatchObject({ connections: 0, connectionsTotal: 0 })
    // It serves on.
    const next = call(port, { headers: bearer('right') })
    await until(() => asked === 2, 'authenticate was asked again')
    decide('ada')
    expect((await (await next).answer()).status).toBe(101)
  })
})

describe('V5: a client that leaves while authenticate hangs', () => {
  test.each([
    ['in order', (caller: Caller) => void caller.socket.end()],
    ['in mid-air', (caller: Caller) => void caller.socket.resetAndDestroy()]
  ])('%s makes room for the next', async (_how, leave) => {
    let asked = 0
    // Time stands still: nothing but the end of the stream can tell.
    const clock = new FakeClock()
    const { port } = await useServer(
      {
        maxConnections: 1,
        heartbeat: false,
        authenticate: () => (++asked === 1 ? new Promise<string>(() => undefined) : 'ada')
      },
      clock
    )
    const first = await call(port)
    await until(() => asked === 1, 'authenticate was asked')
    expect((await knock(port)).status).toBe(503)
    leave(first)
    await first.gone
    // Who hung up in order is gone once the server has hung up too; a reset travels by itself.
    let { status } = await knock(port)
    for (let n = 0; n < 50 && status === 503; n++) status = (await knock(port)).status
    expect(status).toBe(101)
    expect(clock.pendingCount).toBe(0)
  })
})

describe('V6: frames before the 101', () => {
  const ping = frame(OPCODE.text, JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'ping' }), { mask: true })

  test('are read after it', async () => {
    const { port } = await useHeld()
    const caller = await enter(port, { glued: ping })
    expect(await resultOf(caller, 7)).toMatchObject({ result: {} })
  })

  test('wait until the MCP server starts, however long that takes', async () => {
    const { port, transports } = await useServer({ onconnection: () => undefined })
    const caller = await enter(port, { glued: ping })
    caller.say({ id: 8, method: 'ping' })
    await until(() => transports.length === 1, 'a connection')
    hold(transports[0] as ServerTransport)
    await resultOf(caller, 8)
    expect(caller.messages().map(({ id }) => id)).toEqual([7, 8])
  })

  test('of more than 64 kB end the connection, and are not kept', async () => {
    let decide: (auth: string) => void = () => undefined
    const { port, transports } = await useServer({
      authenticate: () =>
        new Promise<string>((resolve) => {
          decide = resolve
        })
    })
    const caller = await call(port, { headers: bearer('right') })
    caller.write(Buffer.alloc(8 * 2 ** 20))
    // The kernel takes a part of it; the rest waits on this side.
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(caller.socket.writableLength).toBeGreaterThan(0)
    decide('ada')
    await caller.gone
    expect(transports).toEqual([])
  })
})

describe('V7: a client that never answers a ping', () => {
  test('is cut after two intervals, its MCP server is closed and what it works on is aborted', async () => {
    const aborted: string[] = []
    let closed = 0
    const { port, server } = await useServer({
      heartbeat: { interval: 100, timeout: 100 },
      onconnection: (transport) => {
        serveTransport('v1', transport, { onAborted: (name) => aborted.push(name) })
        const { onclose } = transport
        transport.onclose = () => {
          closed++
          onclose?.()
        }
      }
    })
    const caller = await enter(port)
    const from = performance.now()
    await initialize(caller)
    caller.say({ id: 2, method: 'tools/call', params: { name: 'hold', arguments: {}, _meta: { progressToken: 1 } } })
    await caller.message(({ method }) => method === 'notifications/progress')
    await caller.gone
    expect(performance.now() - from).toBeGreaterThanOrEqual(199)
    expect(caller.frames.some(({ opcode }) => opcode === OPCODE.ping)).toBe(true)
    await until(() => aborted.length > 0, 'the handler was aborted')
    expect(closed).toBe(1)
    await until(() => server.metrics().connections === 0, 'the socket is gone')
    expect(server.metrics()).toMatchObject({ requestsInFlight: 0, connectionsCut: { heartbeat: 1 } })
  })

  test('but sends anything at all, lives', async () => {
    const { port, server } = await useHeld({ heartbeat: { interval: 50, timeout: 50 } })
    const caller = await enter(port)
    for (let n = 0; n < 15; n++) {
      caller.write(frame(OPCODE.pong, '', { mask: true }))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    expect(server.metrics().connections).toBe(1)
  })

  test('but sends one long message, lives', async () => {
    const { port, server } = await useHeld({ heartbeat: { interval: 60, timeout: 60 } })
    const caller = await enter(port)
    const text = frame(OPCODE.text, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', params: { x: 'x'.repeat(400) } }), {
      mask: true
    })
    for (let at = 0; at < text.length; at += 20) {
      caller.write(text.subarray(at, at + 20))
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await resultOf(caller, 1)
    expect(server.metrics().connections).toBe(1)
  })
})

describe('V8: a slow reader', () => {
  const LIMITS = { maxBufferedBytes: 2 ** 16, drainTimeout: 100 } as const
  const big = { jsonrpc: '2.0', method: 'notifications/message', params: { data: 'x'.repeat(2 ** 20) } } as const

  /** Sends what nobody reads, until the sockets of both sides are full. */
  async function fill(transport: ServerTransport, caller: Caller, times: number): Promise<PromiseSettledResult<void>[]> {
    caller.socket.pause()
    const sent = Array.from({ length: times }, () => transport.send(big))
    return Promise.allSettled(sent)
  }

  test('is read no more, cut with 1013 after drainTimeout, and harms nobody else', async () => {
    const { port, held, server } = await useHeld({ ...LIMITS, maxBufferedBytes: 4 * 2 ** 20 })
    const [slow, fast] = [await enter(port), await enter(port)]
    let closed = 0
    held[0]!.transport.onclose = () => closed++
    const filled = fill(held[0]!.transport, slow, 12)
    // Not read: it gets no further answer.
    slow.say({ id: 1, method: 'hold' })
    fast.say({ id: 2, method: 'ping' })
    await resultOf(fast, 2)
    await until(() => closed === 1, 'the slow reader was cut')
    expect(held[0]!.ids).toEqual([])
    expect(server.metrics().connectionsCut['slow-reader']).toBe(1)
    // Behind what it did not read stands the reason.
    slow.socket.resume()
    expect(await closeCode(slow)).toBe(1013)
    closeBack(slow, 1013)
    await filled
    fast.say({ id: 3, method: 'ping' })
    await resultOf(fast, 3)
    expect(closed).toBe(1)
  })

  test('that catches up in time goes on', async () => {
    const { port, held, server } = await useHeld({ maxBufferedBytes: 2 ** 20, drainTimeout: 10_000 })
    const caller = await enter(port)
    const filled = fill(held[0]!.transport, caller, 4)
    caller.say({ id: 1, method: 'ping' })
    await new Promise((resolve) => setTimeout(resolve, 50))
    caller.socket.resume()
    await resultOf(caller, 1)
    expect((await filled).map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'))
    expect(server.metrics().connectionsCut['slow-reader']).toBe(0)
  })

  test('is given its drainTimeout by the heartbeat too, which goes on afterwards', async () => {
    const clock = new FakeClock()
    const { url, transports, server } = await useServer({ drainTimeout: 120_000, onconnection: (transport) => void hold(transport) }, clock)
    const ws = new WebSocket(url, ['mcp.v1'], { autoPong: false })
    afterTest(() => ws.terminate())
    await once(ws, 'open')
    await until(() => transports.length === 1, 'a connection')
    ws.pause()
    // More than the sockets of both sides hold.
    const sent = transports[0]!.send({ ...big, params: { data: 'x'.repeat(2 ** 25) } })
    await clock.advance(119_000)
    expect(server.metrics().connectionsCut).toEqual({ heartbeat: 0, 'slow-reader': 0, failed: 0 })
    ws.resume()
    await sent
    const pinged = once(ws, 'ping')
    await clock.advance(30_000)
    await pinged
    const gone = once(ws, 'close')
    await clock.advance(30_000)
    await gone
    expect(server.metrics().connectionsCut).toEqual({ heartbeat: 1, 'slow-reader': 0, failed: 0 })
  })

  test('that is told more and more is cut before memory is full', async () => {
    const { port, held, server } = await useHeld({ ...LIMITS, drainTimeout: 60_000 })
    const caller = await enter(port)
    const outcomes = await fill(held[0]!.transport, caller, 100)
    expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(80)
    expect(server.metrics().connectionsCut['slow-reader']).toBe(1)
    expect(server.metrics().bytesSent).toBeLessThan(20 * 2 ** 20)
  })

  test('that is cut by the answers to its own requests leaves none of them in the count', async () => {
    const { port, held, server } = await useHeld({ ...LIMITS, drainTimeout: 60_000 })
    const caller = await enter(port)
    for (let id = 1; id <= 3; id++) caller.say({ id, method: 'hold' })
    await until(() => held[0]!.ids.length === 3, 'the requests')
    caller.socket.pause()
    // More than the sockets of both sides hold.
    const sent = held[0]!.transport.send({ ...big, params: { data: 'x'.repeat(2 ** 25) } })
    await new Promise((resolve) => setImmediate(resolve))
    await Promise.allSettled([sent, ...held[0]!.ids.map(held[0]!.release)])
    await until(() => server.metrics().connections === 0, 'the socket is gone')
    expect(server.metrics()).toMatchObject({ requestsInFlight: 0, connectionsCut: { 'slow-reader': 1 } })
  })

  test('that sends pings, and reads none of the answers, is cut', async () => {
    const { port, server } = await useHeld({ heartbeat: false })
    const caller = await enter(port)
    caller.socket.pause()
    const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(OPCODE.ping, 'x'.repeat(125), { mask: true })))
    // What is not read of it waits on this side: the next one goes out when there is room, or when the socket is gone.
    while (server.metrics().connections === 1 && caller.socket.bytesWritten < 2 ** 26) {
      caller.write(pings)
      await until(() => caller.socket.writableLength === 0 || server.metrics().connections === 0, 'room for more pings')
    }
    await until(() => server.metrics().connections === 0, 'it is cut')
  })

  test('may be sent one message of any length', async () => {
    const { port, held } = await useHeld(LIMITS)
    const caller = await enter(port)
    await held[0]!.transport.send({ ...big, params: { data: 'x'.repeat(2 ** 23) } })
    await caller.message(({ method }) => method === big.method)
  })

  test('is nobody who gets all answers at one time, and reads them', async () => {
    const answer = { data: 'x'.repeat(200_000) }
    const { url, server } = await useServer({
      onconnection: (transport) => {
        transport.onmessage = (message) => {
          if ('id' in message && message.id !== undefined && message.id !== null)
            transport.send({ jsonrpc: '2.0', id: message.id, result: answer }).catch(() => undefined)
        }
        void transport.start()
      },
      maxBufferedBytes: 2 ** 20
    })
    const ws = new WebSocket(url, ['mcp.v1'])
    afterTest(() => ws.terminate())
    let answers = 0
    ws.on('message', () => answers++)
    await once(ws, 'open')
    // In one packet, as a client does that asks for many things at once.
    for (let id = 1; id <= 100; id++) ws.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'resources/read' }))
    await until(() => answers === 100 || ws.readyState !== ws.OPEN, 'the answers')
    expect([answers, server.metrics().connectionsCut['slow-reader']]).toEqual([100, 0])
  })
})

describe('V9: the answer of a handler that is still running when its client leaves', () => {
  test('goes to nobody else', async () => {
    const { port, held, server } = await useHeld()
    const [first, second] = [await enter(port), await enter(port)]
    first.say({ id: 1, method: 'hold' })
    second.say({ id: 1, method: 'hold' })
    await until(() => held.every(({ ids }) => ids.length === 1), 'both requests')
    first.socket.destroy()
    await until(() => server.metrics().connections === 1, 'the first has left')
    expect(server.metrics().requestsInFlight).toBe(1)
    await expect(held[0]!.release(1)).rejects.toMatchObject({ code: 'CLOSED' })
    second.say({ id: 2, method: 'ping' })
    await resultOf(second, 2)
    expect(second.messages()).toHaveLength(1)
    await held[1]!.release(1)
    await resultOf(second, 1)
  })

  test.each(['v1', 'v2'] as const)('is aborted by SDK %s', async (sdk) => {
    const aborted: string[] = []
    const { url } = await useServer({
      onconnection: (transport) => void serveTransport(sdk, transport, { onAborted: (name) => aborted.push(name) })
    })
    const { client } = useClient({ url })
    await client.connect()
    const called = rejectionOf(client.callTool({ name: 'hold' }, { onprogress: () => void client.close() }))
    expect(await called).toMatchObject({ name: 'ClosedError' })
    await until(() => aborted.length === 1, 'the handler was aborted')
  })
})

describe('V10: close()', () => {
  test('accepts nobody, lets what is in flight finish, and ends each connection with 1001', async () => {
    const { server, port, held } = await useHeld()
    const [idle, busy] = [await enter(port), await enter(port)]
    busy.say({ id: 1, method: 'hold' })
    await until(() => held[1]!.ids.length === 1, 'the request')
    const closing = server.close()
    expect(server.close()).toBe(closing)
    expect(await closeCode(idle)).toBe(1001)
    closeBack(idle, 1001)
    await idle.gone
    // Nobody comes in any more.
    expect(await refused(port)).toBe('ECONNREFUSED')
    // What comes now is not executed, and says so.
    busy.say({ id: 2, method: 'hold' })
    expect((await resultOf(busy, 2)).error).toMatchObject({ code: 10503, data: { retryAfterMs: 1000 } })
    await held[1]!.release(1)
    await resultOf(busy, 1)
    expect(await closeCode(busy)).toBe(1001)
    closeBack(busy, 1001)
    await closing
    expect(server.address()).toBeUndefined()
    expect(server.metrics()).toMatchObject({ connections: 0, requestsInFlight: 0, requestsRejected: { closing: 1 } })
  })

  test('cuts what is left after grace, and frees the port', async () => {
    const { server, port, held } = await useHeld()
    const callers = [await enter(port), await enter(port)]
    for (const caller of callers) caller.say({ id: 1, method: 'hold' })
    await until(() => held.every(({ ids }) => ids.length === 1), 'both requests')
    let closed = 0
    for (const { transport } of held) transport.onclose = () => closed++
    const from = performance.now()
    await server.close({ grace: 50 })
    // Before the 10 s that are usual.
    expect(performance.now() - from).toBeLessThan(9000)
    expect(closed).toBe(2)
    const next = await useServer({ port })
    expect(next.port).toBe(port)
  })

  test('hurries when it is called again with a shorter grace', async () => {
    const { server, port, held } = await useHeld()
    const caller = await enter(port)
    caller.say({ id: 1, method: 'hold' })
    await until(() => held[0]?.ids.length === 1, 'the request')
    const closing = server.close({ grace: Infinity })
    expect(server.close({ grace: 0 })).toBe(closing)
    await closing
    await caller.gone
    expect(server.metrics().connections).toBe(0)
  })

  test.each([NaN, -1, '5'])('says what is wrong with a grace of %s, and closes nothing', async (grace) => {
    const { server, port } = await useHeld()
    await expect(server.close({ grace: grace as number })).rejects.toThrow(/^grace must be /)
    await enter(port)
  })

  test('is what asyncDispose does', async () => {
    const { server } = await useServer()
    await server[Symbol.asyncDispose]()
    expect(server.address()).toBeUndefined()
  })

  test('waits for no subscription', async () => {
    const { server, port } = await useHeld()
    const caller = await enter(port)
    caller.say({ id: 1, method: 'subscriptions/listen' })
    caller.say({ id: 2, method: 'ping' })
    await resultOf(caller, 2)
    const closing = server.close()
    expect(await closeCode(caller)).toBe(1001)
    closeBack(caller, 1001)
    await closing
  })

  test('ends handshakes that wait for authenticate with 503', async () => {
    let asked = false
    const { server, port, transports } = await useServer({
      authenticate: () => {
        asked = true
        return new Promise<string>(() => undefined)
      },
      authTimeout: 200
    })
    const caller = await call(port, { headers: bearer('right') })
    await until(() => asked, 'authenticate was asked')
    const closing = server.close()
    expect((await caller.answer()).status).toBe(503)
    await closing
    expect(transports).toEqual([])
  })

  test('ends what never started, and a server that never listened', async () => {
    const { server, port } = await useServer({ onconnection: () => undefined })
    const caller = await enter(port)
    const closing = server.close()
    expect(await closeCode(caller)).toBe(1001)
    closeBack(caller, 1001)
    await closing
    const other = new McpWebSocketServer({ allowUnauthenticated: true, onconnection: () => undefined })
    await other.close()
    await expect(other.listen()).rejects.toThrow('after close()')
  })

  test('lets our client come back to the next server on that port', async () => {
    const first = await useServer()
    const { client, states } = useClient({ url: first.url, reconnect: { initialDelay: 20 } })
    await client.connect()
    await first.server.close()
    const second = await useServer({ port: first.port })
    await until(() => second.transports.length > 0 && client.state === 'ready', 'the client is back')
    expect(states.find(({ to }) => to === 'waiting')?.closure).toMatchObject({ code: 1001, wasClean: true })
  })
})

describe('V11: on an HTTP server of the program', () => {
  test('two servers serve two paths, and what is for neither is answered 404 once', async () => {
    const http = createServer()
    const [first, second] = [await useGiven(http, { path: '/a' }), await useGiven(http, { path: '/b' })]
    const { port } = http.address() as AddressInfo
    expect((await knock(port, { target: '/a' })).status).toBe(101)
    expect((await knock(port, { target: '/b?x' })).status).toBe(101)
    expect((await knock(port, { target: '/c' })).status).toBe(404)
    expect([first.metrics().connectionsTotal, second.metrics().connectionsTotal]).toEqual([1, 1])
    expect([first.metrics().handshakesRefused, second.metrics().handshakesRefused]).toEqual([{ 404: 1 }, {}])
    // One leaves, the other stays, and the HTTP server is nobody's but the program's.
    await first.close({ grace: 0 })
    expect((await knock(port, { target: '/a' })).status).toBe(404)
    expect((await knock(port, { target: '/b' })).status).toBe(101)
    await second.close({ grace: 0 })
    expect(http.listening).toBe(true)
  })

  test('upgrades of other paths belong to whoever else listens', async () => {
    const http = createServer()
    const others = new WebSocketServer({ noServer: true })
    http.on('upgrade', (request, socket, head) => {
      if (request.url === '/other') others.handleUpgrade(request, socket, head, (ws) => ws.close(4000))
    })
    const server = await useGiven(http)
    const { port } = http.address() as AddressInfo
    const caller = await enter(port, { target: '/other' })
    expect(await closeCode(caller)).toBe(4000)
    closeBack(caller, 4000)
    expect((await knock(port)).status).toBe(101)
    expect(server.metrics().handshakesRefused).toEqual({})
  })

  test('a path belongs to one server, and is free when that has left', async () => {
    const http = createServer()
    const first = await useGiven(http)
    const second = new McpWebSocketServer({ server: http, allowUnauthenticated: true, onconnection: () => undefined })
    await expect(second.listen()).rejects.toThrow('path /ws of this HTTP server belongs to another McpWebSocketServer')
    const { port } = http.address() as AddressInfo
    expect((await knock(port)).status).toBe(101)
    expect((await knock(port, { target: '/other' })).status).toBe(404)
    await first.close({ grace: 0 })
    await second.listen()
    await second.close()
  })

  test.each([
    ['without credentials', { allowUnauthenticated: true }],
    ['with credentials', { authenticate: () => 'ada' }]
  ])('somebody else who takes every upgrade keeps it, %s, and the program hears why nobody comes', async (_how, options) => {
    const http = createServer()
    const others = new WebSocketServer({ noServer: true })
    http.on('upgrade', (request, socket, head) => others.handleUpgrade(request, socket, head, (ws) => ws.close(4000)))
    const errors: Error[] = []
    const server = await useGiven(http, { ...(options as object), onerror: (error) => errors.push(error) })
    const caller = await enter((http.address() as AddressInfo).port)
    expect(await closeCode(caller)).toBe(4000)
    closeBack(caller, 4000)
    await until(() => errors.length === 1, 'an error')
    expect(errors[0]?.message).toContain('more than once with the same socket')
    expect(server.metrics().connectionsTotal).toBe(0)
  })

  test('an own server answers 404 to any other path', async () => {
    const { port, transports } = await useServer()
    expect((await knock(port, { target: '/other' })).status).toBe(404)
    expect(transports).toEqual([])
  })

  test('that starts later, it is found then', async () => {
    const http = createServer()
    const server = new McpWebSocketServer({ server: http, allowUnauthenticated: true, onconnection: (transport) => void hold(transport) })
    await server.listen()
    expect(server.address()).toBeUndefined()
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    afterTest(async () => {
      await server.close({ grace: 0 })
      http.close()
    })
    expect((await knock(server.address()!.port)).status).toBe(101)
  })

  test('that is bound to all addresses, allowedHosts must be given', async () => {
    const http = createServer().listen(0, '0.0.0.0')
    await once(http, 'listening')
    afterTest(() => void http.close())
    const options = { server: http, allowUnauthenticated: true, onconnection: () => undefined }
    await expect(new McpWebSocketServer(options).listen()).rejects.toThrow(/^allowedHosts /)
    const server = new McpWebSocketServer({ ...options, allowedHosts: ['localhost'] })
    await server.listen()
    await server.close()
  })
})

describe('V12: hostile headers', () => {
  test.each([
    ['2000 lines', { 'X-Line': Array<string>(2000).fill('x') }],
    ['a 64 kB list of subprotocols', { 'Sec-WebSocket-Protocol': `mcp.v1, ${'x'.repeat(2 ** 16)}` }],
    ['1000 subprotocols', { 'Sec-WebSocket-Protocol': Array.from({ length: 1000 }, (_, n) => `p${String(n)}`).join() }],
    ['many lists of subprotocols', { 'Sec-WebSocket-Protocol': Array.from({ length: 500 }, (_, n) => `p${String(n)}`) }]
  ])('of %s are refused at once, and the server lives', async (_what, headers) => {
    const { port, transports } = await useServer()
    const { status } = await knock(port, { headers })
    expect([400, 431]).toContain(status)
    expect(transports).toEqual([])
    expect((await knock(port)).status).toBe(101)
  })

  test('S12: with line breaks in them are never sent back', async () => {
    const { port } = await useServer()
    const answer = await knock(port, { headers: { 'Sec-WebSocket-Protocol': 'mcp.v1, a\rX-Injected: 1', Origin: 'https://evil.test' } })
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect(JSON.stringify(answer)).not.toMatch(/injected|evil/i)
  })
})

describe('V13: onconnection', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('no factory')
      }
    ],
    ['rejects', () => Promise.reject(new Error('no factory'))]
  ])('that %s ends that connection with 1011, and no other', async (_how, fail) => {
    let isBroken = false
    const { port, errors, server } = await useServer({ onconnection: (transport) => (isBroken ? fail() : void hold(transport)) })
    const good = await enter(port)
    isBroken = true
    const bad = await enter(port)
    expect(await closeCode(bad)).toBe(1011)
    closeBack(bad, 1011)
    await bad.gone
    expect(errors.map(({ message }) => message)).toEqual(['no factory'])
    good.say({ id: 1, method: 'ping' })
    await resultOf(good, 1)
    expect(server.metrics()).toMatchObject({ connections: 1, connectionsCut: { failed: 1 } })
  })

  test('whose callbacks throw harms nobody', async () => {
    const { port, held } = await useHeld()
    const [first, second] = [await enter(port), await enter(port)]
    const told: string[] = []
    held[0]!.transport.onmessage = held[0]!.transport.onclose = () => {
      throw new Error('a bug')
    }
    held[0]!.transport.onerror = ({ message }) => {
      told.push(message)
      throw new Error('another bug')
    }
    first.say({ id: 1, method: 'x' })
    first.say('{')
    await first.message(({ error }) => error !== undefined)
    first.socket.destroy()
    second.say({ id: 1, method: 'ping' })
    await resultOf(second, 1)
    await until(() => told.length === 3, 'three errors')
    expect(told).toEqual(['a bug', 'the client sent an invalid message: not JSON', 'a bug'])
  })
})

describe('V13: an async callback that rejects', () => {
  // The types take an async function where nothing is to be returned.
  const fail = (() => Promise.reject(new Error('a bug'))) as () => void

  test('harms nobody, and its transport hears of it', async () => {
    const told: string[] = []
    const { port, server, transports } = await useServer({ onconnection: (transport) => void hold(transport) })
    const [first, second] = [await enter(port), await enter(port)]
    transports[0]!.onmessage = transports[0]!.onclose = fail
    transports[0]!.onerror = ({ message }) => {
      told.push(message)
      return fail()
    }
    first.say({ id: 1, method: 'x' })
    await until(() => told.length === 1, 'the rejection of onmessage')
    first.socket.destroy()
    await until(() => told.length === 2, 'the rejection of onclose')
    expect(told).toEqual(['a bug', 'a bug'])
    second.say({ id: 1, method: 'ping' })
    await resultOf(second, 1)
    expect(server.metrics().connections).toBe(1)
  })

  test('harms nobody where it is onerror of the server', async () => {
    const { port } = await useServer({ authenticate: fail as () => Promise<undefined>, onerror: fail })
    expect((await knock(port)).status).toBe(503)
    expect((await knock(port)).status).toBe(503)
  })
})

describe('V14: a request with an id in flight', () => {
  test('is answered -32600, and the first one goes on', async () => {
    const { port, held, server } = await useHeld()
    const caller = await enter(port)
    caller.say({ id: 1, method: 'hold' })
    caller.say({ id: 1, method: 'hold' })
    // A string is another id than the number that it looks like (S11).
    caller.say({ id: '1', method: 'hold' })
    await until(() => held[0]!.ids.length === 2, 'two requests')
    expect(held[0]!.ids).toEqual([1, '1'])
    await held[0]!.release(1)
    await caller.message(({ id, result }) => id === 1 && result !== undefined)
    expect(caller.messages().map(({ id, error }) => [id, error?.code])).toEqual([
      [1, -32600],
      [1, undefined]
    ])
    // Answered, the id is free.
    caller.say({ id: 1, method: 'hold' })
    await until(() => held[0]!.ids.length === 3, 'the id again')
    expect(server.metrics().requestsRejected.duplicate).toBe(1)
  })

  test('S11: of another client is another request', async () => {
    const { port, held } = await useHeld()
    const [first, second] = [await enter(port), await enter(port)]
    first.say({ id: 1, method: 'hold' })
    second.say({ id: 1, method: 'hold' })
    await until(() => held.every(({ ids }) => ids.length === 1), 'both requests')
    await held[1]!.transport.send({ jsonrpc: '2.0', id: 1, result: { of: 'second' } })
    await held[0]!.transport.send({ jsonrpc: '2.0', id: 1, result: { of: 'first' } })
    expect(await resultOf(first, 1)).toMatchObject({ result: { of: 'first' } })
    expect(await resultOf(second, 1)).toMatchObject({ result: { of: 'second' } })
  })
})

describe('V15: a flood of requests', () => {
  test('is answered with an error that says when to come again, and never reaches the MCP server', async () => {
    const { port, held, server } = await useHeld({ maxInFlight: 10 })
    const caller = await enter(port)
    for (let id = 1; id <= 50; id++) caller.say({ id, method: 'hold' })
    await until(() => caller.messages().length === 40, '40 refusals')
    expect(held[0]!.ids).toHaveLength(10)
    for (const { error } of caller.messages()) expect(error).toMatchObject({ code: 10429, data: { retryAfterMs: 1000 } })
    expect(server.metrics()).toMatchObject({ requestsInFlight: 10, requestsRejected: { busy: 40 } })
    await held[0]!.release(3)
    caller.say({ id: 51, method: 'ping' })
    expect(await resultOf(caller, 51)).toMatchObject({ result: {} })
  })

  test('does not keep the server from others: they are answered while it goes on', async () => {
    const { port, server } = await useHeld({ maxInFlight: 10 })
    const other = await enter(port)
    const flooder = useChild(await bundle(new URL('./programs/flooder.ts', import.meta.url)), [String(port)])
    const refused = (): number => server.metrics().requestsRejected.busy
    await until(() => refused() > 0, 'the flood')
    for (let id = 1; id <= 100; id++) {
      const before = refused()
      other.say({ id, method: 'ping' })
      expect(await resultOf(other, id)).toMatchObject({ result: {} })
      if (id % 10 === 0) await until(() => refused() > before, 'the flood goes on')
    }
    await flooder.kill()
  })

  test('that is cancelled makes room', async () => {
    const { port, held, server } = await useHeld({ maxInFlight: 1 })
    const caller = await enter(port)
    caller.say({ id: 1, method: 'hold' })
    caller.say({ method: 'notifications/cancelled', params: { requestId: 1 } })
    caller.say({ id: 2, method: 'hold' })
    await until(() => held[0]!.ids.length === 2, 'the second request')
    expect(server.metrics().requestsInFlight).toBe(1)
  })

  test('of subscriptions that the server ends by itself makes room, while its other cancellations do not', async () => {
    const { port, transports, server } = await useServer({ maxInFlight: 2, onconnection: (transport) => transport.start() })
    const caller = await enter(port)
    caller.say({ id: 1, method: 'subscriptions/listen' })
    caller.say({ id: 2, method: 'hold' })
    await until(() => server.metrics().requestsInFlight === 2, 'both requests')
    const cancel = (requestId: number) => transports[0]!.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } })
    await cancel(2)
    expect(server.metrics().requestsInFlight).toBe(2)
    await cancel(1)
    expect(server.metrics().requestsInFlight).toBe(1)
    caller.say({ id: 1, method: 'subscriptions/listen' })
    await until(() => server.metrics().requestsInFlight === 2, 'the next one')
    expect(server.metrics().requestsRejected).toEqual({ busy: 0, duplicate: 0, closing: 0 })
  })

  test('S15: of connections is answered 503, before anybody is asked for credentials', async () => {
    let asked = 0
    const { port, server } = await useServer({
      maxConnections: 2,
      authenticate: () => {
        asked++
        return 'ada'
      }
    })
    const callers = [await enter(port), await enter(port)]
    const { status, headers } = await knock(port)
    expect([status, headers['retry-after'], asked]).toEqual([503, '5', 2])
    callers[0]!.socket.destroy()
    await until(() => server.metrics().connections === 1, 'room')
    expect((await knock(port)).status).toBe(101)
  })
})

describe('a frame', () => {
  test.each([
    ['{', { id: null, error: { code: -32700 } }],
    ['', undefined],
    ['\n', undefined],
    ['[]', { id: null, error: { code: -32600 } }],
    ['1', { id: null, error: { code: -32600 } }],
    ['{"jsonrpc":"1.0","id":5,"method":"x"}', { id: 5, error: { code: -32600 } }],
    ['{"jsonrpc":"2.0","id":5,"method":"x","params":[]}', { id: 5, error: { code: -32600 } }],
    ['{"jsonrpc":"2.0","id":null,"method":"x"}', { id: null, error: { code: -32600 } }],
    ['{"jsonrpc":"2.0","id":5}', { id: 5, error: { code: -32600 } }],
    ['{"jsonrpc":"2.0","id":5,"result":1,"error":{}}', undefined],
    ['{"jsonrpc":"2.0","method":"x","params":[]}', undefined],
    ['{"jsonrpc":"2.0","id":9007199254740993,"method":"x"}', { id: null, error: { code: -32600 } }]
  ])('%j is answered as JSON-RPC wants it, and the connection lives', async (text, answer) => {
    const { port } = await useHeld()
    const caller = await enter(port)
    caller.say(text)
    caller.say({ id: 'after', method: 'ping' })
    await resultOf(caller, 'after')
    const answers = caller.messages().slice(0, -1)
    expect(answers).toHaveLength(answer === undefined ? 0 : 1)
    if (answer !== undefined) expect(answers[0]).toMatchObject(answer)
  })

  test.each([
    ['is an array', '[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","id":2,"method":"b"}]', [1, 2]],
    ['ends with a newline', '{"jsonrpc":"2.0","id":1,"method":"a"}\n', [1]]
  ])('that %s is read', async (_what, text, ids) => {
    const { port } = await useHeld()
    const caller = await enter(port)
    caller.say(text)
    await resultOf(caller, ids.length)
    expect(caller.messages().map(({ id }) => id)).toEqual(ids)
  })

  test('S15: that holds a hundred thousand of what is no message is complained of once, and keeps nobody waiting', async () => {
    const { port, server } = await useHeld()
    const [hostile, other] = [await enter(port), await enter(port)]
    hostile.say(`[${Array(100_000).fill('1').join()}]`)
    hostile.say({ id: 1, method: 'ping' })
    other.say({ id: 1, method: 'ping' })
    await Promise.all([resultOf(hostile, 1), resultOf(other, 1)])
    expect(hostile.messages()).toMatchObject([{ id: null, error: { code: -32600 } }, { id: 1 }])
    expect(server.metrics().malformedMessages).toBe(100_000)
  })

  test('that is binary, and holds JSON, is read', async () => {
    const { port } = await useHeld()
    const caller = await enter(port)
    caller.write(frame(OPCODE.binary, '{"jsonrpc":"2.0","id":1,"method":"a"}', { mask: true }))
    await resultOf(caller, 1)
  })

  test('that is longer than maxMessageBytes ends the connection with 1009', async () => {
    const { port } = await useHeld({ maxMessageBytes: 1000 })
    const caller = await enter(port)
    caller.say('x'.repeat(1001))
    expect(await closeCode(caller)).toBe(1009)
    closeBack(caller, 1009)
    await caller.gone
  })

  test('in more parts than anybody needs ends the connection with 1008', async () => {
    const { port } = await useHeld()
    const caller = await enter(port)
    caller.write(
      Buffer.concat([
        frame(OPCODE.text, '"', { mask: true, fin: false }),
        ...Array.from({ length: 5000 }, () => frame(OPCODE.continuation, 'x', { mask: true, fin: false }))
      ])
    )
    expect(await closeCode(caller)).toBe(1008)
  })

  test('whose answer cannot be written as JSON is answered -32603', async () => {
    const { port, held, server } = await useHeld()
    const caller = await enter(port)
    caller.say({ id: 1, method: 'hold' })
    await until(() => held[0]!.ids.length === 1, 'the request')
    const unwritable = { jsonrpc: '2.0', id: 1, result: { n: 1n } } as const
    await expect(held[0]!.transport.send(unwritable)).rejects.toThrow(TypeError)
    expect((await resultOf(caller, 1)).error?.code).toBe(-32603)
    expect(server.metrics().requestsInFlight).toBe(0)
  })
})

/** Serves on an HTTP server of the test, which is closed after it. */
async function useGiven(
  http: ReturnType<typeof createServer>,
  options: Partial<McpWebSocketServerOptions> = {}
): Promise<McpWebSocketServer> {
  if (!http.listening) {
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    afterTest(
      () =>
        new Promise((resolve) => {
          http.close(() => resolve())
          http.closeAllConnections()
        })
    )
  }
  const { server } = await useServer({ server: http, onconnection: (transport) => void hold(transport), ...options })
  return server
}

async function initialize(caller: Caller): Promise<void> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } }
  caller.say({ id: 1, method: 'initialize', params })
  await resultOf(caller, 1)
  caller.say({ method: 'notifications/initialized' })
}

/** With which error a port refuses. */
async function refused(port: number): Promise<string | undefined> {
  const socket = connect(port, '127.0.0.1')
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  return error.code
}
