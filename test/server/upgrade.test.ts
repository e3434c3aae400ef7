import { describe, expect, test } from 'vitest'
import type { ServerTransport } from '../../src/server/index.js'
import {
  isForPath,
  judgeUpgrade,
  REJECTED_UPGRADES,
  selectSubprotocol,
  withoutCredentials,
  type Path,
  type UpgradePolicy,
  type UpgradeRequest
} from '../../src/server/upgrade.js'
import { tokenSubprotocol } from '../../src/wire/subprotocol.js'
import { frame, OPCODE } from '../faults/kit/wire.js'
import { until } from '../helpers/until.js'
import { openPeer, responseTo, sendUpgrade, upgrade } from './raw-peer.js'
import { bearer, hold, useHeldServer, useServer } from './use-server.js'
import { pause } from '../helpers/pause.js'

const POLICY: UpgradePolicy = {
  path: '/ws',
  allowedHosts: ['localhost', '127.0.0.1', '[::1]', 'mcp.example.com:8443'],
  allowedOrigins: ['https://good.example.com', 'http://127.0.0.1:3000'],
  subprotocols: ['mcp.v1', 'mcp'],
  requireSubprotocol: true,
  authenticates: true
}

const NULL_ORIGIN = { origin: 'null', cookie: 'session=1', authorization: undefined }

/** Judges the request of a well-behaved client, with these headers in place of its own. */
const judge = (headers: UpgradeRequest['headers'], request: Partial<UpgradeRequest> = {}, policy: Partial<UpgradePolicy> = {}) =>
  judgeUpgrade(
    {
      method: 'GET',
      httpVersion: '1.1',
      url: '/ws',
      rawHeaders: [],
      headers: {
        host: '127.0.0.1:8080',
        upgrade: 'websocket',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-version': '13',
        'sec-websocket-protocol': 'mcp.v1',
        authorization: 'Bearer xyz',
        ...headers
      },
      ...request
    },
    { ...POLICY, ...policy }
  )

const ACCEPTABLE = { token: 'xyz' }
const SUBPROTOCOL = { ...REJECTED_UPGRADES.subprotocol, body: 'Subprotocol required: mcp.v1, mcp' }

describe('an upgrade', () => {
  test('with which nothing is wrong is acceptable', () => expect(judge({})).toEqual(ACCEPTABLE))

  test.each([
    ['/ws', true],
    ['/ws?x=/y', true],
    ['/ws/', false],
    ['/WS', false],
    ['/', false],
    ['//ws', false],
    ['/ws#x', false],
    ['/%77s', false],
    ['http://127.0.0.1/ws', true],
    ['HTTPS://127.0.0.1/ws?x=/y', true],
    ['http://127.0.0.1/ws/', false],
    ['http://127.0.0.1', false],
    ['x:http://127.0.0.1/ws', false],
    ['*', false],
    [undefined, false]
  ])('for %s is for /ws: %s', (url, is) => expect(isForPath(url, '/ws')).toBe(is))

  test.each<[url: string | undefined, path: Path, is: boolean]>([
    ['/tenants/a/ws?x=1', /^\/tenants\/[^/]+\/ws$/, true],
    ['/tenants/a/b/ws', /^\/tenants\/[^/]+\/ws$/, false],
    ['/x?y=/tenants/a/ws', /\/tenants\/[^/]+\/ws$/, false],
    ['/ws', (pathname) => pathname.startsWith('/w'), true],
    ['/x?/w', (pathname) => pathname.includes('w'), false],
    [undefined, () => true, false]
  ])('for %s is for %s: %s', (url, path, is) => expect(isForPath(url, path)).toBe(is))

  test('is for a pattern with the flag g or y every time', () => {
    for (const path of [/^\/ws$/g, /\/ws$/y]) expect([1, 2, 3].map(() => isForPath('/ws', path))).toEqual([true, true, true])
  })

  test('is rejected for the first thing that is wrong: path, host, origin, RFC 6455, subprotocol, credentials', () => {
    const wrong = [
      ['path', {}, { url: '/' }],
      ['host', { host: 'evil.test' }, {}],
      ['origin', { origin: 'https://evil.test' }, {}],
      ['malformed', { 'sec-websocket-key': 'x' }, {}],
      ['subprotocol', { 'sec-websocket-protocol': 'chat' }, {}],
      ['unauthorized', { authorization: 'Bearer ' }, {}]
    ] as const
    for (const [index, [name]] of wrong.entries()) {
      const rest = wrong.slice(index)
      const headers = Object.assign({}, ...rest.map(([, each]) => each)) as UpgradeRequest['headers']
      const request = Object.assign({}, ...rest.map(([, , each]) => each)) as Partial<UpgradeRequest>
      expect(judge(headers, request), name).toEqual(name === 'subprotocol' ? SUBPROTOCOL : REJECTED_UPGRADES[name])
    }
  })

  test('is not repeated in any response that rejects it', () => {
    for (const { body, reason, headers } of Object.values(REJECTED_UPGRADES))
      expect([body, reason, ...Object.values(headers)].join('')).toMatch(/^[\w ,.-]*$/)
  })

  test.each([
    ['localhost', true],
    ['LOCALHOST:1', true],
    ['127.0.0.1:65535', true],
    ['[::1]', true],
    ['[::1]:80', true],
    ['mcp.example.com:8443', true],
    ['MCP.example.com:8443', true],
    ['mcp.example.com', false],
    ['mcp.example.com:443', false],
    ['evil.test', false],
    ['127.0.0.1.evil.test', false],
    ['localhost.evil.test', false],
    ['evil.test#localhost', false],
    ['evil.test:localhost', false],
    ['localhost.', false],
    ['127.1', false],
    ['', false],
    [undefined, false]
  ])('S2: with Host %s is acceptable: %s', (host, may) => expect(judge({ host }) === REJECTED_UPGRADES.host).toBe(!may))

  test.each([
    ['https://good.example.com', true],
    ['http://127.0.0.1:3000', true],
    [undefined, true],
    ['null', false],
    ['', false],
    ['*', false],
    ['https://good.example.com.evil.test', false],
    ['https://evil.test/https://good.example.com', false],
    ['http://good.example.com', false],
    ['https://good.example.com:8443', false],
    ['https://GOOD.example.com', false],
    ['https://sub.good.example.com', false],
    ['http://127.0.0.1', false],
    ['https://good.example.com, https://evil.test', false]
  ])('S1: with Origin %s is acceptable: %s', (origin, may) => expect(judge({ origin }) === REJECTED_UPGRADES.origin).toBe(!may))

  test.each([
    ['a cookie alone proves nothing', { cookie: 'session=1', authorization: undefined }, REJECTED_UPGRADES.origin],
    ['a cookie and a token do', { cookie: 'session=1' }, ACCEPTABLE],
    [
      'a cookie of a known page does',
      { cookie: 'session=1', authorization: undefined, origin: 'http://127.0.0.1:3000' },
      { token: undefined }
    ],
    ['a cookie beside the origin of every sandboxed frame does not', NULL_ORIGIN, REJECTED_UPGRADES.origin],
    [
      'nor does it beside a password, which a browser also sends by itself',
      { ...NULL_ORIGIN, authorization: 'Basic eDp5' },
      REJECTED_UPGRADES.origin
    ],
    ['a token beside it does', { ...NULL_ORIGIN, authorization: 'Bearer xyz' }, ACCEPTABLE]
  ])('S1: without an Origin that names a page: %s', (_what, headers, verdict) => {
    expect(judge(headers, {}, { allowedOrigins: [...POLICY.allowedOrigins!, 'null'] })).toEqual(verdict)
  })

  test('is left to the program to judge by its origin where allowedOrigins is a function', () => {
    expect(judge({ origin: 'https://evil.test' }, {}, { allowedOrigins: undefined })).toEqual(ACCEPTABLE)
  })

  test.each([
    ['a POST', {}, { method: 'POST' }, REJECTED_UPGRADES.malformed],
    ['HTTP/1.0', {}, { httpVersion: '1.0' }, REJECTED_UPGRADES.malformed],
    ['a body', { 'content-length': '3' }, {}, REJECTED_UPGRADES.malformed],
    ['a body in chunks', { 'transfer-encoding': 'chunked' }, {}, REJECTED_UPGRADES.malformed],
    ['another host in its target', {}, { url: 'http://evil.test/ws' }, REJECTED_UPGRADES.host],
    ['a user in its target', {}, { url: 'http://127.0.0.1@evil.test/ws' }, REJECTED_UPGRADES.host],
    ['an upgrade to something else', { upgrade: 'h2c' }, {}, REJECTED_UPGRADES.malformed],
    ['no key', { 'sec-websocket-key': undefined }, {}, REJECTED_UPGRADES.malformed],
    ['a short key', { 'sec-websocket-key': 'dGhl' }, {}, REJECTED_UPGRADES.malformed],
    ['no version', { 'sec-websocket-version': undefined }, {}, REJECTED_UPGRADES.version],
    // Version 8 carries the origin in another header, which nothing here checks.
    ['version 8', { 'sec-websocket-version': '8' }, {}, REJECTED_UPGRADES.version]
  ])('with %s is rejected', (_what, headers, request, rejected) => expect(judge(headers, request)).toBe(rejected))

  test.each([
    ['an empty body', { 'content-length': '0' }, {}],
    ['an absolute target', {}, { url: 'http://127.0.0.1:8080/ws' }]
  ])('with %s is acceptable', (_what, headers, request) => expect(judge(headers, request)).toEqual(ACCEPTABLE))

  test.each([
    ['mcp.v1', ACCEPTABLE],
    ['mcp', ACCEPTABLE],
    [' mcp.v1 ,mcp', ACCEPTABLE],
    ['chat,mcp', ACCEPTABLE],
    ['chat', SUBPROTOCOL],
    ['MCP.V1', SUBPROTOCOL],
    ['mcp.bearer.eHl6', SUBPROTOCOL],
    ['mcp.auth.xyz', SUBPROTOCOL],
    [undefined, SUBPROTOCOL],
    ['', REJECTED_UPGRADES.manySubprotocols],
    ['mcp.v1,', REJECTED_UPGRADES.manySubprotocols],
    ['mcp.v1, mcp.v1', REJECTED_UPGRADES.manySubprotocols],
    ['mcp v1', REJECTED_UPGRADES.manySubprotocols],
    ['mcp.v1, a=b', REJECTED_UPGRADES.manySubprotocols],
    [Array.from({ length: 101 }, (_, n) => `p${String(n)}`).join(), REJECTED_UPGRADES.manySubprotocols]
  ])('V2: that offers %s', (offer, outcome) => {
    expect(judge({ 'sec-websocket-protocol': offer })).toEqual(outcome)
  })

  test('has its credentials in its offer', () => {
    const entry = tokenSubprotocol('tökén~/+=')
    expect(judge({ authorization: undefined, 'sec-websocket-protocol': `mcp.v1, ${entry}` })).toEqual({ token: 'tökén~/+=' })
    expect(judge({ authorization: undefined, 'sec-websocket-protocol': 'mcp.auth.a.b, mcp.v1' })).toEqual({ token: 'a.b' })
  })

  test.each([
    ['mcp.v1', 'mcp.v1'],
    ['mcp.v1,chat', 'mcp.v1,chat'],
    ['mcp.v1, mcp.bearer.eHl6', 'mcp.v1'],
    ['mcp.auth.xyz, mcp.version.2025-11-25', 'mcp.version.2025-11-25'],
    ['mcp.auth.xyz', ''],
    ['mcp.v1, mcp.bearer.eHl6, mcp.auth.xyz, mcp', 'mcp.v1, mcp'],
    // A token with a comma or a space in it: what follows may belong to it.
    ['mcp.v1, mcp.auth.xyz abc, def', 'mcp.v1'],
    ['mcp.v1, mcp.auth.x,, y', 'mcp.v1']
  ])('that offers %s is shown as %j', (offer, shown) => expect(withoutCredentials(offer)).toBe(shown))

  test('is not searched for credentials where there is no authenticate', () => {
    const entry = tokenSubprotocol('tökén~/+=')
    const headers = { authorization: 'Bearer ', cookie: 'x=1', 'sec-websocket-protocol': `mcp.v1, ${entry}` }
    expect(judge(headers, {}, { authenticates: false })).toEqual({ token: undefined })
  })

  test('needs no subprotocol where none is required', () => {
    const policy = { requireSubprotocol: false }
    expect(judge({ 'sec-websocket-protocol': undefined }, {}, policy)).toEqual(ACCEPTABLE)
    expect(judge({ 'sec-websocket-protocol': 'chat' }, {}, policy)).toEqual(ACCEPTABLE)
  })

  test('gets the subprotocol that the server likes best', () => {
    expect(selectSubprotocol(['mcp', 'mcp.v1'], POLICY.subprotocols)).toBe('mcp.v1')
    expect(selectSubprotocol(['mcp.bearer.eHl6', 'mcp'], POLICY.subprotocols)).toBe('mcp')
    expect(selectSubprotocol(['chat'], POLICY.subprotocols)).toBeUndefined()
  })
})

test('V12, S13: hostile headers are judged in no time', () => {
  const long = 64 * 1024
  const hostile = [
    { host: `${'a:'.repeat(long)}1x` },
    { host: `localhost:${'1'.repeat(long)}x` },
    { origin: 'https://good.example.com'.repeat(2000) },
    { authorization: `Bearer ${' '.repeat(long)}` },
    { 'sec-websocket-protocol': Array.from({ length: 20_000 }, (_, n) => `p${String(n)}`).join() },
    { 'sec-websocket-protocol': `mcp.v1,${' '.repeat(long)}x y` },
    { 'sec-websocket-protocol': `mcp.v1,mcp.bearer.${'A'.repeat(long)}!` },
    { 'sec-websocket-key': `${'A'.repeat(long)}==` }
  ]
  for (const headers of hostile) {
    judge(headers)
    const times = [1, 2, 3].map(() => {
      const from = performance.now()
      judge(headers)
      return performance.now() - from
    })
    // A pattern that backtracks takes seconds; a busy machine takes some ms.
    expect(Math.min(...times)).toBeLessThan(200)
  }
})

describe('V2: an upgrade without mcp.v1', () => {
  test.each([undefined, 'chat', 'mcp'])('that offers %s is rejected with 426, and no MCP server is made', async (offer) => {
    const { port, transports, server } = await useServer()
    const peer = await sendUpgrade(port, { headers: { 'Sec-WebSocket-Protocol': offer } })
    const { status, headers, body } = await peer.response()
    expect([status, body, headers.upgrade, headers.connection]).toEqual([
      426,
      'Subprotocol required: mcp.v1',
      'websocket',
      'upgrade, close'
    ])
    await peer.gone
    expect(transports).toEqual([])
    expect(server.metrics()).toMatchObject({ connectionsTotal: 0, handshakesRefused: { 426: 1 } })
  })

  test('is told which subprotocols would do, the extra ones too', async () => {
    const { port } = await useServer({ extraSubprotocols: ['mcp', 'mcp.version.2025-11-25'] })
    const { body } = await upgrade(port, { headers: { 'Sec-WebSocket-Protocol': 'chat' } })
    expect(body).toBe('Subprotocol required: mcp.v1, mcp, mcp.version.2025-11-25')
  })

  test('is accepted where requireSubprotocol is false, and no subprotocol is chosen', async () => {
    const { port, transports } = await useServer({ requireSubprotocol: false })
    const { status, headers } = await upgrade(port, { headers: { 'Sec-WebSocket-Protocol': 'chat' } })
    expect([status, headers['sec-websocket-protocol']]).toEqual([101, undefined])
    expect(transports.map(({ subprotocol }) => subprotocol)).toEqual([undefined])
  })

  test.each([
    ['mcp', 'mcp'],
    ['mcp, mcp.v1', 'mcp.v1'],
    ['mcp.auth.xyz, mcp', 'mcp'],
    [undefined, undefined]
  ])('tells its transport what was agreed: %s leads to %s', async (offer, agreed) => {
    const { port, transports } = await useServer({ requireSubprotocol: false, extraSubprotocols: ['mcp'] })
    await openPeer(port, { headers: { 'Sec-WebSocket-Protocol': offer } })
    expect(transports.map(({ subprotocol }) => subprotocol)).toEqual([agreed])
  })

  test('is accepted with an extra subprotocol', async () => {
    const { port } = await useServer({ extraSubprotocols: ['mcp'] })
    const chosen = async (offer: string) =>
      (await upgrade(port, { headers: { 'Sec-WebSocket-Protocol': offer } })).headers['sec-websocket-protocol']
    expect(await chosen('mcp')).toBe('mcp')
    expect(await chosen('mcp, mcp.v1')).toBe('mcp.v1')
  })
})

describe('V6: frames before the 101', () => {
  const ping = frame(OPCODE.text, JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'ping' }), { mask: true })

  test('are read after the 101', async () => {
    const { port } = await useHeldServer()
    const peer = await openPeer(port, { early: ping })
    expect(await responseTo(peer, 7)).toMatchObject({ result: {} })
  })

  test('wait until the MCP server starts, however long that takes', async () => {
    const { port, transports } = await useServer({ onconnection: () => undefined })
    const peer = await openPeer(port, { early: ping })
    peer.send({ id: 8, method: 'ping' })
    await until(() => transports.length === 1, 'a connection')
    hold(transports[0] as ServerTransport)
    await responseTo(peer, 8)
    expect(peer.messages().map(({ id }) => id)).toEqual([7, 8])
  })

  test('of more than 64 kB end the connection, and are not kept', async () => {
    let decide: (auth: string) => void = () => undefined
    const { port, transports } = await useServer({
      authenticate: () =>
        new Promise<string>((resolve) => {
          decide = resolve
        })
    })
    const peer = await sendUpgrade(port, { headers: bearer('right') })
    peer.write(Buffer.alloc(8 * 2 ** 20))
    // The kernel takes a part of it; the rest waits on this side.
    await pause(100)
    expect(peer.socket.writableLength).toBeGreaterThan(0)
    decide('ada')
    await peer.gone
    expect(transports).toEqual([])
  })
})

describe('V12: hostile headers', () => {
  test.each([
    ['2000 lines', { 'X-Line': Array<string>(2000).fill('x') }],
    ['a 64 kB list of subprotocols', { 'Sec-WebSocket-Protocol': `mcp.v1, ${'x'.repeat(2 ** 16)}` }],
    ['1000 subprotocols', { 'Sec-WebSocket-Protocol': Array.from({ length: 1000 }, (_, n) => `p${String(n)}`).join() }],
    ['many lists of subprotocols', { 'Sec-WebSocket-Protocol': Array.from({ length: 500 }, (_, n) => `p${String(n)}`) }]
  ])('of %s are rejected at once, and the server goes on', async (_what, headers) => {
    const { port, transports } = await useServer()
    const { status } = await upgrade(port, { headers })
    expect([400, 431]).toContain(status)
    expect(transports).toEqual([])
    expect((await upgrade(port)).status).toBe(101)
  })

  test('S12: with line breaks in them are never sent back', async () => {
    const { port } = await useServer()
    const response = await upgrade(port, { headers: { 'Sec-WebSocket-Protocol': 'mcp.v1, a\rX-Injected: 1', Origin: 'https://evil.test' } })
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(JSON.stringify(response)).not.toMatch(/injected|evil/i)
  })
})
