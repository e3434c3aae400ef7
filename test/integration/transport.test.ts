import type { Client as ClientV2 } from '@modelcontextprotocol/client'
import type { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { CreateMessageRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, test } from 'vitest'
import type { StateChange } from '../../src/index.js'
import { WebSocketClientTransport, type WebSocketClientTransportOptions } from '../../src/transport/index.js'
import { bundle, useChild } from '../helpers/child.js'
import { serveMcp, type McpServerOptions, type SdkVersion } from '../helpers/mcp-server.js'
import { makeSdkClient, type SdkClient, type SdkMode } from '../helpers/sdk-client.js'
import { useWsServer, type Frame, type ServerConnection, type WsServer } from '../helpers/ws-server.js'
import { afterTest } from '../helpers/after-test.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'

const SAMPLED = { model: 'none', role: 'assistant', content: { type: 'text', text: 'sampled' } }

const QUICK = { initialDelay: 5, maxDelay: 20, maxRetries: Infinity }

/** An SDK client and the transport below it, closed after the test. */
interface Connected extends SdkClient {
  readonly transport: WebSocketClientTransport
  readonly states: StateChange[]
  /** The transport has noticed that its connection is gone. */
  dropped(): Promise<void>
}

function prepare(mode: SdkMode, url: string, options: WebSocketClientTransportOptions = {}, probeTimeout?: number): Connected {
  const sdk = makeSdkClient(mode, probeTimeout)
  const transport = new WebSocketClientTransport(url, { reconnect: QUICK, ...options })
  const states: StateChange[] = []
  transport.on('state', (change) => states.push(change))
  afterTest(() => transport.close())
  const dropped = (): Promise<void> =>
    new Promise((resolve) => {
      const listener = ({ from, to }: StateChange): void => {
        if (from !== 'ready' || to !== 'waiting') return
        transport.off('state', listener)
        resolve()
      }
      transport.on('state', listener)
    })
  return Object.assign(sdk, { transport, states, dropped })
}

async function connect(...args: Parameters<typeof prepare>): Promise<Connected> {
  const connected = prepare(...args)
  await connected.connect(connected.transport)
  return connected
}

/** A real server of the SDK that can be ended and started again on its port. */
interface Restartable {
  readonly url: string
  /** What the client sent over the latest connection. */
  readonly received: readonly Frame[]
  readonly connection: ServerConnection
  readonly connectionCount: number
  stop(): Promise<void>
  start(): Promise<void>
}

async function useMcpServer(sdk: SdkVersion, options: McpServerOptions = {}): Promise<Restartable> {
  const connections: ServerConnection[] = []
  const listen = (port: number): Promise<WsServer> =>
    useWsServer(
      (connection) => {
        connections.push(connection)
        serveMcp(sdk, connection.socket, options)
      },
      { port }
    )
  let server = await listen(0)
  const { port, url } = server
  return {
    url,
    get connection() {
      return connections.at(-1)!
    },
    get received() {
      return connections.at(-1)?.received ?? []
    },
    get connectionCount() {
      return connections.length
    },
    stop: () => server.close(),
    start: async () => {
      server = await listen(port)
    }
  }
}

const count = (frames: readonly Frame[], method: string): number => frames.filter((frame) => frame.method === method).length

const MODES = [
  { mode: 'v1', sdk: 'v1' },
  { mode: 'v2 legacy', sdk: 'v1' },
  { mode: 'v2 modern', sdk: 'v2' }
] as const

describe.each(MODES)('an unmodified Client, $mode', ({ mode, sdk }) => {
  const isModern = mode === 'v2 modern'

  /** Ends the server and starts it again; returns when the client has noticed the loss. */
  async function restart(server: Restartable, client: Connected): Promise<void> {
    const dropped = client.dropped()
    await server.stop()
    await dropped
    await server.start()
  }

  test('calls tools across 20 restarts of the server, with one handshake or listen each', async () => {
    const server = await useMcpServer(sdk)
    const client = await connect(mode, server.url)
    expect(await client.call('echo', { message: 'first' })).toBe('first')
    for (let round = 1; round <= 20; round++) {
      await restart(server, client)
      expect(await client.call('echo', { message: String(round) })).toBe(String(round))
      expect(count(server.received, 'initialize')).toBe(isModern ? 0 : 1)
      expect(count(server.received, 'notifications/initialized')).toBe(isModern ? 0 : 1)
      expect(count(server.received, 'subscriptions/listen')).toBe(isModern ? 1 : 0)
      expect(server.received.map(({ method }) => method)).toEqual(
        isModern ? ['subscriptions/listen', 'tools/call'] : ['initialize', 'notifications/initialized', 'tools/call']
      )
    }
    expect(server.connectionCount).toBe(21)
    expect(client).toMatchObject({ closes: 0, errors: [] })
    const before = client.changes
    await client.call('change')
    await until(() => client.changes > before, 'list_changed reaches the handler')
    await client.close()
    expect(client.closes).toBe(1)
    expect(client.transport.state).toBe('closed')
  })

  test.each(['sampling', 'elicitation', 'roots'])('answers a server request (%s) after a reconnect', async (kind) => {
    const server = await useMcpServer(sdk)
    const client = await connect(mode, server.url)
    const before = await client.call(kind)
    await restart(server, client)
    expect(await client.call(kind)).toBe(before)
    expect(before).toMatch(/hi|red|file:\/\/\/here/)
    expect(client.errors).toEqual([])
  })

  test('goes on with its resource subscription', async () => {
    const server = await useMcpServer(sdk)
    const client = await connect(mode, server.url)
    await client.subscribe('test://a')
    await client.call('touch', { uri: 'test://a', mark: 'before' })
    await until(() => client.marks.includes('before'), 'the update arrives')
    await restart(server, client)
    await client.call('touch', { uri: 'test://a', mark: 'after' })
    await until(() => client.marks.includes('after'), 'the update arrives after the reconnect')
    // In the legacy era nothing tells what changed meanwhile: the transport says that anything may have.
    expect(client.marks).toEqual(isModern ? ['before', 'after'] : ['before', undefined, 'after'])
    expect(client.errors).toEqual([])
  })

  test('is told at once of a lost call, and whether it may have been executed', async () => {
    const server = await useMcpServer(sdk)
    const client = await connect(mode, server.url)
    const lost = rejectionOf(client.call('hold'))
    await until(() => count(server.received, 'tools/call') === 1, 'the call arrives')
    const dropped = client.dropped()
    await server.stop()
    await dropped
    expect(await lost).toMatchObject({ code: 1006, data: { reason: 'CONNECTION_LOST', delivery: 'unknown' } })
    expect(((await lost) as Error).message).toMatch(/unknown: check before you repeat it/)
    // A call that was never sent waits, and a safe request is sent again.
    const queued = client.call('echo', { message: 'queued' })
    await server.start()
    expect(await queued).toBe('queued')
    expect(client).toMatchObject({ closes: 0, errors: [] })
  })

  test('sends a safe request again', async () => {
    const server = await useMcpServer(sdk, { hold: true })
    const client = await connect(mode, server.url)
    const read = client.client.readResource({ uri: 'test://held' })
    await until(() => count(server.received, 'resources/read') === 1, 'the request arrives')
    const [first] = server.received.filter(({ method }) => method === 'resources/read')
    await restart(server, client)
    await until(() => server.connectionCount === 2 && count(server.received, 'resources/read') === 1, 'the request arrives again')
    expect(server.received.find(({ method }) => method === 'resources/read')).toEqual(first)
    // Twice is the most.
    const lost = rejectionOf(read)
    await restart(server, client)
    expect(await lost).toMatchObject({ code: 1006, data: { delivery: 'unknown' } })
  })

  test('may give up a call that waits: the server never hears of it', async () => {
    const server = await useMcpServer(sdk)
    const client = await connect(mode, server.url)
    const dropped = client.dropped()
    await server.stop()
    await dropped
    await rejectionOf(client.call('echo', { message: 'late' }, { timeout: 50 }))
    await server.start()
    expect(await client.call('echo', { message: 'next' })).toBe('next')
    expect(count(server.received, 'tools/call')).toBe(1)
    expect(count(server.received, 'notifications/cancelled')).toBe(0)
  })

  test('tells the server that it gave up a call that was sent', async () => {
    const aborted: string[] = []
    const server = await useMcpServer(sdk, { onAborted: (method) => aborted.push(method) })
    const client = await connect(mode, server.url)
    await rejectionOf(client.call('hold', {}, { timeout: 50 }))
    await until(() => aborted.length === 1, 'the handler is aborted')
    expect(count(server.received, 'notifications/cancelled')).toBe(1)
    expect(client.errors).toEqual([])
  })

  test('hears of progress that comes in one piece with the result', async () => {
    const server = await useMcpServer(sdk)
    const client = await connect(mode, server.url)
    const reports: number[] = []
    const call = client.call('hold', {}, { onprogress: ({ progress }) => reports.push(progress) })
    await until(() => reports.length === 1, 'the first report')
    const { id, params } = server.received.find(({ method }) => method === 'tools/call')!
    const { request, send } = server.connection
    const report = (progress: number): void =>
      send({ method: 'notifications/progress', params: { progressToken: params!._meta!.progressToken, progress } })
    request.socket.cork()
    report(2)
    report(3)
    send({ id, result: { content: [{ type: 'text', text: 'done' }], resultType: 'complete' } })
    request.socket.uncork()
    expect(await call).toBe('done')
    expect(reports).toEqual([1, 2, 3])
    expect(client.errors).toEqual([])
  })

  test('connects to a server that is not there yet, and to one that goes in the middle of the handshake', async () => {
    let rounds = 0
    const first = await useWsServer(() => undefined)
    const { port, url } = first
    await first.close()
    const client = prepare(mode, url)
    const connected = client.connect(client.transport)
    await until(() => client.states.some(({ to }) => to === 'waiting'), 'a dial fails')
    const server = await useWsServer(
      ({ socket }) => {
        // The first message of one connection is heard and never answered.
        if (++rounds === 1) socket.once('message', () => socket.terminate())
        else serveMcp(sdk, socket)
      },
      { port }
    )
    await connected
    expect(await client.call('echo', { message: 'there' })).toBe('there')
    const [one, two] = server.connections.map(({ received }) => received[0])
    expect(two).toEqual(one)
    expect(client).toMatchObject({ closes: 0, errors: [] })
  })

  test('rejects where nothing answers, and can connect again', async () => {
    const server = await useMcpServer(sdk)
    await server.stop()
    const client = prepare(mode, server.url, { reconnect: false })
    expect(await rejectionOf(client.connect(client.transport))).toMatchObject({ code: 'CONNECT_FAILED' })
    await server.start()
    // The same transport begins a new life; so would another one.
    await client.connect(client.transport)
    expect(await client.call('echo', { message: 'there' })).toBe('there')
  })

  test('may use the same transport for one life after the other, and hears everything once', async () => {
    const server = await useMcpServer(sdk)
    const client = prepare(mode, server.url)
    for (let life = 1; life <= 3; life++) {
      await client.connect(client.transport)
      const changes = client.changes
      expect(await client.call('sampling')).toContain('hi')
      await client.call('change')
      await until(() => client.changes > changes, 'list_changed reaches the handler')
      expect(client.changes).toBe(changes + 1)
      await client.close()
      expect(client).toMatchObject({ closes: life, errors: [] })
    }
  })

  test('is closed once when the attempts are used up, and connects again with another transport', async () => {
    const server = await useMcpServer(sdk)
    const client = await connect(mode, server.url, { reconnect: { ...QUICK, maxRetries: 2 } })
    const dropped = client.dropped()
    await server.stop()
    await dropped
    const queued = rejectionOf(client.call('echo', { message: 'never' }))
    await until(() => client.transport.state === 'failed', 'the transport gives up')
    expect(await queued).toMatchObject({ code: 1006, data: { reason: 'RETRIES_EXHAUSTED', delivery: 'not-sent' } })
    expect(client.closes).toBe(1)
    expect(client.errors).toMatchObject([{ code: 'RETRIES_EXHAUSTED' }])
    expect(String(await rejectionOf(client.call('echo')))).toContain('Not connected')
    await client.transport.close()
    expect(client.closes).toBe(1)
    await server.start()
    const next = new WebSocketClientTransport(server.url)
    await client.connect(next)
    afterTest(() => next.close())
    expect(await client.call('echo', { message: 'anew' })).toBe('anew')
  })

  test('outlives a server process that is killed', async () => {
    const script = await bundle(new URL('./child-server.ts', import.meta.url))
    const child = useChild(script, [sdk, '0'])
    const port = await child.nextLine()
    const client = await connect(mode, `ws://127.0.0.1:${port}/ws`)
    const dropped = client.dropped()
    await child.kill()
    await dropped
    const meanwhile = client.call('echo', { message: 'meanwhile' })
    useChild(script, [sdk, port])
    expect(await meanwhile).toBe('meanwhile')
    expect(client).toMatchObject({ closes: 0, errors: [] })
  })
})

describe('a listen of v2, modern', () => {
  test('survives a server that closes gracefully and comes back', async () => {
    const ends: (() => Promise<void>)[] = []
    const serve = ({ socket }: ServerConnection): void => void ends.push(serveMcp('v2', socket))
    const server = await useWsServer(serve)
    const client = await connect('v2 modern', server.url)
    const dropped = client.dropped()
    await ends[0]?.()
    await server.close()
    await dropped
    const next = await useWsServer(serve, { port: server.port })
    await client.call('change')
    await until(() => client.changes === 1, 'the notification arrives')
    expect(count(next.connections[0]!.received, 'subscriptions/listen')).toBe(1)
    expect(client.errors).toEqual([])
  })
})

describe('a legacy server and a v2 Client that asks for the era', () => {
  /** Answers as a legacy server; `onDiscover` decides about the method that it does not know. */
  function useLegacy(onDiscover: (connection: ServerConnection) => void): Promise<WsServer> {
    return useWsServer((connection) => {
      connection.socket.on('message', (data: Buffer) => {
        const { id, method } = JSON.parse(data.toString()) as Frame
        if (method === 'server/discover') onDiscover(connection)
        else if (method === 'initialize')
          connection.send({
            id,
            result: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'old', version: '1' } }
          })
        else if (method === 'tools/call') connection.send({ id, result: { content: [{ type: 'text', text: 'legacy' }] } })
      })
    })
  }

  test('meet when the server is silent about it: the transport counts as a channel like stdio', async () => {
    const server = await useLegacy(() => undefined)
    const client = await connect('v2 modern', server.url, {}, 100)
    expect(await client.call('any')).toBe('legacy')
    expect(server.connections[0]!.received.map(({ method }) => method)).toEqual([
      'server/discover',
      'initialize',
      'notifications/initialized',
      'tools/call'
    ])
  })

  test('meet when the server hangs up on it', async () => {
    const server = await useLegacy(({ socket }) => socket.terminate())
    const client = await connect('v2 modern', server.url)
    expect(await client.call('any')).toBe('legacy')
    expect(server.connections.map(({ received }) => received.map(({ method }) => method))).toEqual([
      ['server/discover'],
      ['server/discover'],
      ['initialize', 'notifications/initialized', 'tools/call']
    ])
    expect(client).toMatchObject({ closes: 0, errors: [] })
  })
})

describe('a server request that is open when the connection is lost', () => {
  test.each(['v1', 'v2 legacy'] as const)('is aborted in %s, also with the id 0, and its late response goes nowhere', async (mode) => {
    const server = await useMcpServer('v1')
    const client = prepare(mode, server.url)
    const aborted: boolean[] = []
    let respondLate: () => void = () => undefined
    let asked = 0
    const onSampling = (signal: AbortSignal): Promise<object> => {
      if (++asked > 1) return Promise.resolve(SAMPLED)
      return new Promise((resolve) => {
        respondLate = (): void => resolve(SAMPLED)
        signal.addEventListener('abort', () => aborted.push(true))
      })
    }
    if (mode === 'v1')
      (client.client as ClientV1).setRequestHandler(CreateMessageRequestSchema, (_request, { signal }) => onSampling(signal) as never)
    else
      (client.client as ClientV2).setRequestHandler('sampling/createMessage', (_request, { mcpReq }) => onSampling(mcpReq.signal) as never)
    await client.connect(client.transport)
    const lost = rejectionOf(client.call('sampling'))
    await until(() => asked === 1, 'the request arrives')
    const dropped = client.dropped()
    await server.stop()
    await dropped
    expect(await lost).toMatchObject({ code: 1006 })
    await until(() => aborted.length === 1, 'the handler is aborted')
    await server.start()
    // The new server begins with the same id.
    expect(await client.call('sampling')).toContain('sampled')
    respondLate()
    expect(await client.call('echo', { message: 'on' })).toBe('on')
    expect(server.received.filter(({ result }) => result !== undefined)).toHaveLength(1)
    expect(client.errors).toEqual([])
  })
})

test.each(['v1', 'v2 legacy'] as const)('a server of another version ends the transport of %s with SERVER_CHANGED', async (mode) => {
  const versions = ['2025-11-25', '2025-06-18']
  const server = await useWsServer((connection) => {
    const protocolVersion = versions.shift()
    connection.socket.on('message', (data: Buffer) => {
      const { id, method } = JSON.parse(data.toString()) as Frame
      if (method === 'initialize')
        connection.send({ id, result: { protocolVersion, capabilities: {}, serverInfo: { name: 'changing', version: '1' } } })
    })
  })
  const client = await connect(mode, server.url)
  server.connections[0]!.socket.terminate()
  await until(() => client.closes === 1, 'the client is closed')
  expect(client.errors).toMatchObject([{ code: 'SERVER_CHANGED' }])
  expect(client.transport.state).toBe('failed')
  await client.transport.close()
  expect(client.closes).toBe(1)
})
