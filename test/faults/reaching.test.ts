import { createServer, request as httpRequest, Agent, type ClientRequestArgs } from 'node:http'
import { Agent as SecureAgent } from 'node:https'
import { connect, type LookupFunction, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { McpWebSocketClient, type StateChange } from '../../src/index.js'
import { useChild } from '../helpers/child.js'
import { serveMcp } from '../helpers/mcp-server.js'
import { useWsServer, type WsServer } from '../helpers/ws-server.js'
import { afterTest } from '../helpers/after-test.js'
import { everythingShown } from '../helpers/everything-shown.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { useClient } from '../helpers/use-client.js'
import { makeAuthority, makeCertificate, useTlsServer } from './kit/certificates.js'
import { judgeDials } from './kit/judge.js'
import { useRawServer, useRejectingServer, type Dial } from './kit/raw-server.js'
import { acceptDial, closeFrame, textFrame, upgradeHead, type Upgrade } from './kit/wire.js'
import { failToConnect } from '../helpers/fail-to-connect.js'
import { freePort } from '../helpers/free-port.js'
import { listenOnLoopback } from '../helpers/listen-on-loopback.js'

const QUICK = { initialDelay: 5, maxDelay: 20, maxRetries: 2 }

const useMcpServer = (port = 0): Promise<WsServer> => useWsServer(({ socket }) => serveMcp('v2', socket), { port })

/** A port on which nobody listens any more. */
// A busy machine needs a while. Whoever waits for connectTimeout, which is 10 s, needs longer.
const SOON = 9000

describe('no server', () => {
  test('N1: a refused connection keeps the system error as its cause, and is retried without waiting for any timeout', async () => {
    const begun = performance.now()
    const { error, failure } = await failToConnect({ url: `ws://127.0.0.1:${String(await freePort())}/ws` })
    expect(error).toMatchObject({ code: 'RETRIES_EXHAUSTED', attempts: 3 })
    expect(failure).toMatchObject({ code: 'CONNECT_FAILED', cause: { code: 'ECONNREFUSED' } })
    expect(performance.now() - begun).toBeLessThan(SOON)
  })

  test('N2: a name that does not resolve is retried up to the cap; the error names the host, and not the query', async () => {
    const { error, failure, states } = await failToConnect({ url: 'ws://no-such-host.invalid/ws?key=of-the-query' })
    expect(error).toMatchObject({ code: 'RETRIES_EXHAUSTED', attempts: 3 })
    expect(failure).toMatchObject({ code: 'CONNECT_FAILED', retryable: true, delivery: 'not-sent' })
    expect(failure.cause?.code).toMatch(/^(ENOTFOUND|EAI_AGAIN)$/)
    expect(failure.message).toContain('no-such-host.invalid')
    expect(failure.hint).toMatch(/resol/)
    expect(everythingShown(error, failure, states)).not.toContain('of-the-query')
  })

  test('N2: a name that resolves at last is reached', async () => {
    const server = await useMcpServer()
    let asked = 0
    const lookup: LookupFunction = (_host, _options, done) => {
      if (++asked < 3) done(Object.assign(new Error('getaddrinfo EAI_AGAIN'), { code: 'EAI_AGAIN' }), '')
      else done(null, [{ address: '127.0.0.1', family: 4 }])
    }
    const { client, states } = useClient({
      url: `ws://mcp.invalid:${String(server.port)}/ws`,
      agent: new Agent({ lookup }),
      reconnect: QUICK
    })
    await client.connect()
    expect(asked).toBe(3)
    expect(states.find(({ to }) => to === 'waiting')?.closure?.error).toMatchObject({
      code: 'CONNECT_FAILED',
      hint: expect.stringMatching(/is the network up/) as string
    })
  })

  test('N25: a server that comes up later is reached within one bound of the delay', async () => {
    const port = await freePort()
    const { client, states } = useClient({
      url: `ws://127.0.0.1:${String(port)}/ws`,
      reconnect: { initialDelay: 20, maxDelay: 100, jitter: false, maxRetries: Infinity }
    })
    const connected = client.connect()
    await nextEvent(client, 'state', ({ delay }) => delay === 100)
    await useMcpServer(port)
    await connected
    expect(Math.max(...states.map(({ delay = 0 }) => delay))).toBe(100)
    expect(states.map(({ to }) => to)).not.toContain('failed')
  })
})

describe('an unreachable address beside a reachable one', () => {
  /** Every name is first the IPv6 and then the IPv4 address of this machine. */
  const lookup: LookupFunction = (_host, _options, done) =>
    done(null, [
      { address: '::1', family: 6 },
      { address: '127.0.0.1', family: 4 }
    ])

  /** Dials a server that listens on IPv4 only. */
  async function expectOneDial(server: WsServer): Promise<void> {
    const { client } = useClient({ url: `ws://localhost:${String(server.port)}/ws`, agent: new Agent({ lookup }), reconnect: false })
    const begun = performance.now()
    await client.connect()
    expect(performance.now() - begun).toBeLessThan(SOON)
    expect(client.stats().attempts).toBe(1)
    expect(server.connections[0]?.request.socket.remoteFamily).toBe('IPv4')
  }

  test('N26: a refused IPv6 connection costs no further dial', async () => {
    await expectOneDial(await useMcpServer())
  })

  test('N26: IPv6 that swallows every packet costs no further dial', async ({ skip }) => {
    const server = await useMcpServer()
    if (!(await isSwallowing(server.port))) skip('this machine has no IPv6')
    await expectOneDial(server)
  })

  /** Makes a port of ::1 a black hole: whoever listens there accepts nothing, and the queue of the kernel is full. */
  async function isSwallowing(port: number): Promise<boolean> {
    const deaf = `require('node:net').createServer()
      .on('error', () => console.log('none'))
      .listen({ host: '::1', port: ${String(port)}, backlog: 1 }, () => {
        console.log('deaf')
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
      })`
    if ((await useChild(deaf, [], ['-e']).nextLine()) !== 'deaf') return false
    // Whoever is let in is in the queue; the first who is not finds it full.
    for (let letIn = true; letIn;) {
      const socket = connect(port, '::1')
      afterTest(() => void socket.destroy())
      letIn = await new Promise((resolve) => {
        socket.once('connect', () => resolve(true))
        socket.once('error', () => resolve(false))
        setTimeout(() => resolve(false), 200)
      })
    }
    return true
  }
})

describe('a response that is no valid upgrade', () => {
  test.each<[string, string, (dial: Dial) => void]>([
    ['N7', 'a megabyte of headers', ({ socket }) => socket.write(STATUS_101 + `X-Filler: ${'x'.repeat(90)}\r\n`.repeat(10_000))],
    ['N7', 'headers for ever', ({ socket }) => writeForEver(socket, `X-Filler: ${'x'.repeat(90)}\r\n`)],
    ['N9', 'HTTP/2 at once', ({ socket }) => socket.end(Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100]))],
    ['N9', 'a page without a head', ({ socket }) => socket.end('<!doctype html><title>Welcome</title>')]
  ])('%s: %s is fatal', async (_row, _fault, respond) => {
    const server = await useRawServer(respond)
    const { error } = await failToConnect({ url: server.url })
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'HANDSHAKE_INVALID', retryable: false, delivery: 'not-sent' })
    expect((error.cause as NodeJS.ErrnoException).code).toMatch(/^HPE_/)
    expect(server.dials).toHaveLength(1)
    await until(() => server.dials[0]!.socket.destroyed, 'the client hangs up')
  })

  const STATUS_101 = 'HTTP/1.1 101 Switching Protocols\r\n'

  function writeForEver(socket: Socket, text: string): void {
    socket.write(STATUS_101)
    const more = (): void => {
      while (socket.writable && socket.write(text));
    }
    socket.on('drain', more)
    more()
  }

  test.each<[string, (dial: Dial) => void]>([
    ['ends in the middle of its head', ({ socket }) => socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgr')],
    ['is reset in the middle of its head', ({ socket }) => socket.write('HTTP/1.', () => socket.resetAndDestroy())]
  ])('N8: a response that %s is retried', async (_what, respond) => {
    const server = await useRawServer(respond)
    const { failure } = await failToConnect({ url: server.url })
    expect(failure).toMatchObject({ code: 'CONNECT_FAILED', retryable: true })
    expect(server.dials).toHaveLength(3)
  })

  test('N15: 410 is fatal', async () => {
    const server = await useRejectingServer({ status: 410, body: 'moved out' })
    const { error } = await failToConnect({ url: server.url })
    expect(error).toMatchObject({ code: 'UNEXPECTED_STATUS', status: 410, body: 'moved out', retryable: false })
    expect(server.dials).toHaveLength(1)
  })

  const OWN = { initialDelay: 10, jitter: false }

  test.each(['', 'soon', '30s', '-5', '3.5', '1e9', 'maybe 3000', '10, 20', 'Infinity'])(
    'N17: Retry-After %j is none: the delay is the client’s own',
    async (value) => {
      const server = await useRejectingServer({ status: 503, headers: { 'Retry-After': value } })
      const { client } = useClient({ url: server.url, reconnect: OWN })
      const waiting = nextEvent(client, 'state', ({ to }) => to === 'waiting')
      const failure = rejectionOf(client.connect())
      expect((await waiting).delay).toBe(10)
      await client.close()
      await failure
    }
  )

  test.each([
    ['10^9 s', '1000000000'],
    ['more than a number can say', '9'.repeat(400)],
    ['a date of another century', 'Fri, 01 Jan 2999 00:00:00 GMT'],
    ['six minutes', '360']
  ])('N17: Retry-After of %s counts as five minutes', async (_what, value) => {
    const server = await useRejectingServer({ status: 429, headers: { 'Retry-After': value } })
    const { client } = useClient({ url: server.url, reconnect: OWN })
    const waiting = nextEvent(client, 'state', ({ to }) => to === 'waiting')
    const failure = rejectionOf(client.connect())
    expect((await waiting).delay).toBe(300_000)
    await client.close()
    await failure
    expect(server.dials).toHaveLength(1)
  })
})

describe('a 101 that breaks its rules', () => {
  const BITS = 'permessage-deflate; server_max_window_bits='

  test.each<[string, string, Upgrade, boolean?]>([
    ['N19', 'without Upgrade', { headers: { Upgrade: undefined } }],
    ['N19', 'without Connection', { headers: { Connection: undefined } }],
    ['N19', 'that upgrades to something else', { headers: { Upgrade: 'h2c' } }],
    ['N19', 'without Sec-WebSocket-Accept', { headers: { 'Sec-WebSocket-Accept': undefined } }],
    ['N19', 'with the Sec-WebSocket-Accept of another key', { accept: 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' }],
    ['N22', 'with an extension that nobody knows', { headers: { 'Sec-WebSocket-Extensions': 'x-webkit-strange' } }],
    ['N22', 'with another extension than the one asked for', { headers: { 'Sec-WebSocket-Extensions': 'x-webkit-strange' } }, true],
    ['N22', 'with 99 window bits', { headers: { 'Sec-WebSocket-Extensions': `${BITS}99` } }, true],
    ['N22', 'with 7 window bits', { headers: { 'Sec-WebSocket-Extensions': `${BITS}7` } }, true],
    ['N22', 'with window bits that are no number', { headers: { 'Sec-WebSocket-Extensions': `${BITS}NaN` } }, true],
    ['N22', 'with an extension that cannot be read', { headers: { 'Sec-WebSocket-Extensions': ';;=' } }, true]
  ])('%s: a 101 %s is fatal at once', async (_row, _fault, upgrade, perMessageDeflate = false) => {
    const server = await useRawServer(({ socket, ...dial }) =>
      socket.write(upgradeHead({ ...dial, socket }, { subprotocol: 'mcp.v1', ...upgrade }))
    )
    const begun = performance.now()
    const { error } = await failToConnect({ url: server.url, perMessageDeflate })
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'HANDSHAKE_INVALID', retryable: false, delivery: 'not-sent' })
    expect(performance.now() - begun).toBeLessThan(SOON)
    expect(server.dials).toHaveLength(1)
    await until(() => server.dials[0]!.socket.destroyed, 'the client hangs up')
  })

  test.each(['mcp.v2', 'MCP.V1', 'mcp.v1, mcp.v2', 'mcp.v1, mcp.v1', 'mcp.v1;', '"mcp.v1"'])(
    'N21: a 101 that names %s is fatal, a missing name accepted or not',
    async (subprotocol) => {
      for (const onMissingSubprotocol of ['fail', 'accept'] as const) {
        const server = await useRawServer((dial) => void acceptDial(dial, { subprotocol }))
        const { error } = await failToConnect({ url: server.url, onMissingSubprotocol })
        expect(error).toMatchObject({ name: 'SubprotocolError', code: 'SUBPROTOCOL_MISMATCH', received: subprotocol, retryable: false })
        expect(server.dials).toHaveLength(1)
      }
    }
  )
})

describe('frames in one packet with the 101', () => {
  const NOTE = { method: 'notifications/message', params: { level: 'info', data: 'early' } }

  test('N23: a notification in the packet of the 101 is delivered, and a request is answered', async () => {
    const glued = Buffer.concat([textFrame(NOTE), textFrame({ id: 'early', method: 'ping' })])
    const responses: unknown[] = []
    const server = await useRawServer((dial) => {
      const peer = acceptDial(dial, undefined, glued)
      peer.serveHandshake()
      dial.socket.on('data', () => {
        for (const { data } of peer.frames) if (data.includes('early')) responses.push(JSON.parse(data.toString()))
      })
    })
    const { client, notifications, errors } = useClient({ url: server.url, reconnect: false, closeTimeout: 20 })
    await client.connect()
    expect(notifications).toMatchObject([NOTE])
    await until(() => responses.length > 0, 'the ping is responses')
    expect(responses[0]).toEqual({ jsonrpc: '2.0', id: 'early', result: {} })
    expect(errors).toEqual([])
  })

  test('N23: half a notification in the packet of the 101 is delivered with its other half', async () => {
    const note = textFrame(NOTE)
    const server = await useRawServer((dial) => {
      const peer = acceptDial(dial, undefined, note.subarray(0, 20))
      void peer.next('server/discover').then(({ id }) => {
        peer.write(note.subarray(20), textFrame({ id, error: { code: -32601, message: 'unknown' } }))
        peer.serveHandshake()
      })
    })
    const { client, notifications } = useClient({ url: server.url, reconnect: false, closeTimeout: 20 })
    await client.connect()
    expect(notifications).toMatchObject([NOTE])
  })

  test('N23: a close frame in the packet of the 101 is heard', async () => {
    const server = await useRawServer((dial) => {
      acceptDial(dial, undefined, closeFrame(4404, 'nobody here'))
      dial.socket.end()
    })
    const { error } = await failToConnect({ url: server.url, protocol: 'legacy' })
    expect(error).toMatchObject({ code: 'CONNECTION_LOST', closure: { code: 4404, reason: 'nobody here' } })
    expect(server.dials).toHaveLength(1)
  })
})

describe('a server that accepts and drops at once, for ever', () => {
  const SCHEDULE = { initialDelay: 10, maxDelay: 80, growFactor: 2, jitter: false, maxRetries: 6 }
  const DROPS: [string, (dial: Dial) => void][] = [
    ['with 1000', ({ socket }) => socket.end(closeFrame(1000))],
    ['with 1001', ({ socket }) => socket.end(closeFrame(1001))],
    ['by the end of its side', ({ socket }) => socket.end()],
    ['by a reset', ({ socket }) => socket.resetAndDestroy()]
  ]

  test.each(DROPS)('N24: before MCP is ready, %s: the schedule and the cap hold', async (_how, drop) => {
    const server = await useRawServer((dial) => {
      acceptDial(dial)
      drop(dial)
    })
    const { error } = await failToConnect({ url: server.url, protocol: 'legacy', reconnect: SCHEDULE })
    expect(error).toMatchObject({ name: 'RetriesExhaustedError', attempts: 7 })
    expectScheduled(server.dials)
  })

  test.each(DROPS)('N24: after MCP was ready, %s: the schedule and the cap hold', async (_how, drop) => {
    const server = await useRawServer((dial) => {
      const peer = acceptDial(dial)
      peer.serveHandshake()
      void peer.next('notifications/initialized').then(() => drop(dial))
    })
    const { client, states } = useClient({ url: server.url, protocol: 'legacy', reconnect: SCHEDULE })
    const failed = nextEvent(client, 'failed')
    await client.connect()
    expect(await failed).toMatchObject({ name: 'RetriesExhaustedError', attempts: 7 })
    expect(states.filter(({ to }) => to === 'ready')).toHaveLength(7)
    expectScheduled(server.dials)
  })

  function expectScheduled(dials: readonly Dial[]): void {
    expect(dials).toHaveLength(7)
    expect(
      judgeDials(
        dials.map(({ at }) => at),
        SCHEDULE
      )
    ).toEqual([])
  }
})

describe('an HTTP proxy that must be used', () => {
  /** A proxy that tunnels every CONNECT to one port of this machine, or rejects it. */
  async function useConnectProxy(target: number, status = 200): Promise<{ port: number; asked: string[] }> {
    const asked: string[] = []
    const sockets = new Set<Duplex>()
    const proxy = createServer()
    proxy.on('connect', (request, socket) => {
      asked.push(request.url ?? '')
      sockets.add(socket)
      socket.on('error', () => undefined)
      if (status !== 200) return void socket.end(`HTTP/1.1 ${String(status)} No\r\n\r\n`)
      const onward = connect(target, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        onward.pipe(socket).pipe(onward)
      })
      sockets.add(onward)
      onward.on('error', () => socket.destroy())
      onward.on('close', () => socket.destroy())
      socket.on('close', () => onward.destroy())
    })
    return { port: await listenOnLoopback(proxy), asked }
  }

  type Done = (error: Error | null, socket?: Duplex) => void

  /** What an agent for proxies does before it hands out a connection. */
  function tunnel(proxyPort: number, { host, port }: ClientRequestArgs, done: Done): void {
    const path = `${host ?? ''}:${String(port)}`
    const request = httpRequest({ host: '127.0.0.1', port: proxyPort, method: 'CONNECT', path, agent: false })
    request.on('error', done)
    request.on('connect', ({ statusCode }, socket) => {
      if (statusCode === 200) return done(null, socket)
      socket.destroy()
      done(new Error(`the proxy answered ${String(statusCode)}`))
    })
    request.end()
  }

  class PlainTunnel extends Agent {
    readonly #port: number
    constructor(port: number) {
      super()
      this.#port = port
    }
    override createConnection(options: ClientRequestArgs, done: Done): undefined {
      tunnel(this.#port, options, done)
    }
  }

  class SecureTunnel extends SecureAgent {
    readonly #port: number
    constructor(port: number) {
      super()
      this.#port = port
    }
    override createConnection(options: ClientRequestArgs, done: Done): undefined {
      tunnel(this.#port, options, (error, socket) => {
        if (error || socket === undefined) done(error)
        else done(null, connectTls({ ...(options as object), socket }))
      })
    }
  }

  test('N27: ws: goes through the agent, after a lost connection too', async () => {
    const server = await useMcpServer()
    const proxy = await useConnectProxy(server.port)
    const { client } = useClient({ url: 'ws://mcp.invalid/ws', agent: new PlainTunnel(proxy.port), reconnect: QUICK })
    await client.connect()
    const reconnected = nextEvent(client, 'reconnected')
    server.connections[0]!.socket.terminate()
    await reconnected
    expect(client.state).toBe('ready')
    expect(proxy.asked).toEqual(['mcp.invalid:80', 'mcp.invalid:80'])
    expect(server.connections[0]!.request.headers.host).toBe('mcp.invalid')
  })

  test('N27: wss: goes through the agent, and the certificate is checked behind it', async () => {
    const authority = await makeAuthority()
    const server = await useTlsServer(await makeCertificate({ authority, host: 'mcp.invalid' }))
    const proxy = await useConnectProxy(server.port)
    const agent = new SecureTunnel(proxy.port)
    const { client } = useClient({ url: 'wss://mcp.invalid/ws', agent, tls: { ca: authority.cert }, reconnect: false })
    await client.connect()
    expect(client.state).toBe('ready')
    expect(proxy.asked).toEqual(['mcp.invalid:443'])
    const { error } = await failToConnect({ url: 'wss://other.invalid/ws', agent, tls: { ca: authority.cert } })
    expect(error).toMatchObject({ code: 'TLS_FAILED', cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } })
  })

  test('N27: a proxy that rejects the tunnel leads to the error of the agent', async () => {
    const proxy = await useConnectProxy(0, 407)
    const { failure } = await failToConnect({ url: 'ws://mcp.invalid/ws', agent: new PlainTunnel(proxy.port) })
    expect(failure).toMatchObject({ code: 'CONNECT_FAILED', message: expect.stringContaining('the proxy answered 407') as string })
    expect(proxy.asked).toHaveLength(3)
  })

  test('N27: without an agent, a proxy that answers in place of the server is named', async () => {
    const server = await useRejectingServer({ status: 407, headers: { 'Proxy-Authenticate': 'Basic realm="proxy"' } })
    const { error } = await failToConnect({ url: server.url })
    expect(error).toMatchObject({ code: 'UNEXPECTED_STATUS', status: 407, hint: expect.stringMatching(/proxy.*agent/) as string })
  })
})

describe('many', () => {
  test('N28: a thousand clients that lose their server together do not return together', { timeout: 60_000 }, async () => {
    const COUNT = 1000
    const BUCKET = 100
    // A thousand handshakes at once take a busy process some time.
    const PATIENT = { connectTimeout: 50_000, handshakeTimeout: 50_000 }
    const initialDelay = 1000
    const first = await useLegacyServer()
    const clients: { readonly client: McpWebSocketClient; lostAt: number; delay: number; dialledAt: number }[] = []
    for (let each = 0; each < COUNT; each++) {
      const client = new McpWebSocketClient({ url: first.url, protocol: 'legacy', reconnect: { initialDelay }, ...PATIENT })
      const record = { client, lostAt: 0, delay: 0, dialledAt: 0 }
      client.on('state', ({ from, to, delay = 0 }: StateChange) => {
        if (from === 'ready') Object.assign(record, { lostAt: performance.now(), delay })
        else if (from === 'waiting' && to === 'connecting') record.dialledAt ||= performance.now()
      })
      clients.push(record)
    }
    afterTest(async () => {
      await Promise.all(clients.map(({ client }) => client.close()))
    })
    await Promise.all(clients.map(({ client }) => client.connect()))
    expect(first.openCount).toBe(COUNT)

    const back = clients.map(({ client }) => nextEvent(client, 'reconnected'))
    await first.close()
    const second = await useLegacyServer(first.port)
    await Promise.all(back)
    expect(second.openCount).toBe(COUNT)
    // What a client planned counts, not when this busy process came to it; but no dial comes before its time.
    for (const { lostAt, delay, dialledAt } of clients) {
      expect(delay).toBeGreaterThanOrEqual(BUCKET)
      // The client looked at the clock before its listener did, with many others in between.
      expect(dialledAt - lostAt).toBeGreaterThanOrEqual(delay - 30)
    }
    const buckets: number[] = []
    for (const { delay } of clients) buckets[Math.floor(delay / BUCKET)] = (buckets[Math.floor(delay / BUCKET)] ?? 0) + 1
    const mean = COUNT / (initialDelay / BUCKET - 1)
    // The first bucket is a hole: no client comes sooner.
    expect(Math.max(...buckets.slice(1))).toBeLessThan(3 * mean)
  })

  /** The least that a client needs, a thousand times over. */
  const useLegacyServer = (port = 0): Promise<WsServer> =>
    useWsServer(
      ({ socket, received, send }) =>
        socket.on('message', () => {
          const { id, method } = received.pop() ?? {}
          const serverInfo = { name: 'small', version: '1' }
          if (method === 'initialize') send({ id, result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo } })
        }),
      { port, backlog: 2000 }
    )

  test('N29: a hundred restarts of the server leave the client ready, and nothing behind', async () => {
    const warnings: Error[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning)
    process.on('warning', onWarning)
    afterTest(() => void process.off('warning', onWarning))
    let server = await useMcpServer()
    const { port } = server
    const client = new McpWebSocketClient({
      url: server.url,
      reconnect: { initialDelay: 1, maxDelay: 5, jitter: false, maxRetries: 100, resetAfter: 1 }
    })
    afterTest(() => client.close())
    await client.connect()
    const restart = async (times: number): Promise<void> => {
      for (let each = 0; each < times; each++) {
        const reconnected = nextEvent(client, 'reconnected')
        await server.close()
        // The memory of the test itself is not what is measured.
        server.connections.length = 0
        server = await useMcpServer(port)
        await reconnected
        expect((await client.listTools()).tools).not.toHaveLength(0)
      }
    }
    // What is made once is made by then.
    await restart(10)
    const resources = countResources()
    const heap = usedHeap()
    await restart(100)
    expect(client.state).toBe('ready')
    expect(client.stats()).toMatchObject({ reconnects: 110, lost: 0 })
    await until(() => countResources().every((count, index) => count <= resources[index]!), 'what is left is no more than before')
    expect(usedHeap() - heap).toBeLessThan(2 * 2 ** 20)
    expect(warnings).toEqual([])
  })

  /** Sockets, servers and timers of this process. */
  function countResources(): number[] {
    const all = process.getActiveResourcesInfo()
    return ['TCPSocketWrap', 'TCPServerWrap', 'Timeout'].map((kind) => all.filter((each) => each === kind).length)
  }

  function usedHeap(): number {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    collect()
    return process.memoryUsage().heapUsed
  }
})

describe('a URL', () => {
  test.each(['', '/ws', 'mcp.example.com/ws', 'localhost:8080', 'ftp://example.com/', 'file:///ws', 'ws://', 'ws://a b/', 'ws://a:99999/'])(
    'N30: the URL %j is a TypeError that names the option, at once, and leaves no timer',
    (url) => {
      const before = process.getActiveResourcesInfo().length
      expect(() => new McpWebSocketClient({ url })).toThrow(TypeError)
      expect(() => new McpWebSocketClient({ url })).toThrow(/^url must/)
      expect(process.getActiveResourcesInfo()).toHaveLength(before)
    }
  )
})
