import { describe, expect, test } from 'vitest'
import type { CallToolResult, McpWebSocketClientOptions } from '../../src/index.js'
import { serveMcp, type McpServerOptions, type SdkVersion } from '../helpers/mcp-server.js'
import { useWsServer, type Frame, type ServerConnection, type WsServer } from '../helpers/ws-server.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { useClient, type Observed } from '../helpers/use-client.js'

type Protocol = 'auto' | 'legacy' | 'modern'

const CAPABILITIES = { elicitation: { form: { applyDefaults: true } }, sampling: {}, roots: { listChanged: true } }

interface Session extends Observed {
  readonly server: WsServer
  readonly connection: ServerConnection
}

async function connect(sdk: SdkVersion, protocol: Protocol, serverOptions: McpServerOptions = {}): Promise<Session> {
  const server = await useWsServer(({ socket }) => serveMcp(sdk, socket, serverOptions))
  const options: McpWebSocketClientOptions = {
    url: server.url,
    protocol,
    capabilities: CAPABILITIES,
    clientInfo: { name: 'me', version: '9' }
  }
  const observed = useClient(options)
  await observed.client.connect()
  return { ...observed, server, connection: server.connections[0]! }
}

const words = (result: CallToolResult): string => result.content.map((each) => (each.type === 'text' ? each.text : '')).join('')

const methodsOf = (frames: readonly Frame[]): string[] => frames.map(({ method }) => method ?? 'response')

const sentBy = (connection: ServerConnection, method: string): Frame[] => connection.received.filter((frame) => frame.method === method)

const HANDSHAKES = {
  'auto on v1': ['server/discover', 'initialize', 'notifications/initialized'],
  legacy: ['initialize', 'notifications/initialized'],
  modern: ['server/discover']
}

describe.each([
  { sdk: 'v1', protocol: 'auto', era: 'legacy', version: '2025-11-25', handshake: HANDSHAKES['auto on v1'] },
  { sdk: 'v1', protocol: 'legacy', era: 'legacy', version: '2025-11-25', handshake: HANDSHAKES.legacy },
  { sdk: 'v2', protocol: 'legacy', era: 'legacy', version: '2025-11-25', handshake: HANDSHAKES.legacy },
  { sdk: 'v2', protocol: 'auto', era: 'modern', version: '2026-07-28', handshake: HANDSHAKES.modern },
  { sdk: 'v2', protocol: 'modern', era: 'modern', version: '2026-07-28', handshake: HANDSHAKES.modern }
] as const)('protocol $protocol and a server of SDK $sdk', ({ sdk, protocol, era, version, handshake }) => {
  test('is ready after one round trip for each handshake message, and knows the server', async () => {
    const { client, connection, errors, states } = await connect(sdk, protocol)
    expect(client).toMatchObject({ state: 'ready', era, protocolVersion: version, subprotocol: 'mcp.v1' })
    expect(client).toMatchObject({ serverInfo: { name: 'test-server', version: '1.2.3' }, instructions: 'Be kind to it.' })
    expect(client.serverCapabilities).toMatchObject({ tools: { listChanged: true }, resources: { subscribe: true } })
    // `notifications/initialized` may still be under way: one request more is behind it.
    await client.listPrompts()
    expect(methodsOf(connection.received)).toEqual([...handshake, 'prompts/list'])
    expect(states.map(({ to }) => to)).toEqual(['connecting', 'initializing', 'ready'])
    expect(client.stats()).toMatchObject({ attempts: 1, reconnects: 0, resent: 0, lost: 0 })
    expect(errors).toEqual([])
  })

  test('every request says what its era wants, and nothing else', async () => {
    const { client, connection } = await connect(sdk, protocol)
    await client.callTool({ name: 'echo', arguments: { message: 'hi' } })
    const [call] = sentBy(connection, 'tools/call')
    if (era === 'legacy') expect(call?.params).toEqual({ name: 'echo', arguments: { message: 'hi' } })
    else
      expect(call?.params?._meta).toEqual({
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'me', version: '9' },
        'io.modelcontextprotocol/clientCapabilities': CAPABILITIES
      })
    const ids = connection.received.filter(({ id }) => id !== undefined).map(({ id }) => id)
    expect(ids.every((id) => Number.isSafeInteger(id) && Number(id) > 0)).toBe(true)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('tools: all pages of the list, single pages, calls, a failed tool, an unknown tool', async () => {
    const { client } = await connect(sdk, protocol)
    const { tools, nextCursor } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual([
      'echo',
      'fail',
      'slow',
      'hold',
      'elicitation',
      'sampling',
      'roots',
      'touch',
      'change',
      'log',
      'together',
      'consult'
    ])
    expect(nextCursor).toBeUndefined()
    expect((await client.listTools({ cursor: 'second' })).tools).toHaveLength(7)
    expect(words(await client.callTool({ name: 'echo', arguments: { message: 'grüß dich 👋' } }))).toBe('grüß dich 👋')
    expect(await client.callTool({ name: 'fail' })).toMatchObject({ isError: true })
    expect(await rejectionOf(client.callTool({ name: 'nothing' }))).toMatchObject({ name: 'RpcError', code: 'RPC_ERROR', rpcCode: -32603 })
  })

  test('many calls at once each get their own response', async () => {
    const { client } = await connect(sdk, protocol)
    const calls = Array.from({ length: 200 }, (_, n) => client.callTool({ name: 'echo', arguments: { message: String(n) } }))
    expect(client.pendingCount).toBe(200)
    expect((await Promise.all(calls)).map(words)).toEqual(calls.map((_, n) => String(n)))
    expect(client.pendingCount).toBe(0)
  })

  test('resources, templates, prompts, completion and ping', async () => {
    const { client } = await connect(sdk, protocol)
    expect((await client.listResources()).resources).toMatchObject([{ uri: 'test://plain' }])
    expect((await client.listResourceTemplates()).resourceTemplates).toMatchObject([{ uriTemplate: 'test://{name}' }])
    expect((await client.readResource({ uri: 'test://plain' })).contents).toMatchObject([{ text: 'content of test://plain' }])
    expect((await client.listPrompts()).prompts).toMatchObject([{ name: 'greet' }])
    const { messages } = await client.getPrompt({ name: 'greet', arguments: { who: 'Ada' } })
    expect(messages).toMatchObject([{ role: 'user', content: { text: 'Greet Ada' } }])
    const { completion } = await client.complete({ ref: { type: 'ref/prompt', name: 'greet' }, argument: { name: 'who', value: 'a' } })
    expect(completion.values).toEqual(['ada', 'alan'])
    await client.ping()
  })

  test('progress arrives before the response, in order', async () => {
    const { client } = await connect(sdk, protocol)
    const reports: unknown[] = []
    const result = await client.callTool({ name: 'slow' }, { onprogress: (report) => reports.push(report) })
    expect(words(result)).toBe('done')
    expect(reports).toEqual([1, 2, 3].map((progress) => ({ progress, total: 3, message: `step ${String(progress)}` })))
  })

  test('an abort rejects with its reason and aborts the handler of the server', async () => {
    const aborted: string[] = []
    const { client, connection } = await connect(sdk, protocol, { onAborted: (name) => aborted.push(name) })
    const controller = new AbortController()
    const reason = new Error('changed my mind')
    const call = client.callTool({ name: 'hold' }, { signal: controller.signal, onprogress: () => controller.abort(reason) })
    expect(await rejectionOf(call)).toBe(reason)
    await until(() => aborted.length > 0, 'the handler of the server is aborted')
    const [cancelled] = sentBy(connection, 'notifications/cancelled')
    expect(cancelled?.params?.requestId).toBe(sentBy(connection, 'tools/call')[0]?.id)
    expect(client.pendingCount).toBe(0)
  })

  test('a timeout rejects, says that the request was sent, and aborts the handler of the server', async () => {
    const aborted: string[] = []
    const { client } = await connect(sdk, protocol, { onAborted: (name) => aborted.push(name) })
    const error = await rejectionOf(client.callTool({ name: 'hold' }, { timeout: 100, onprogress: () => undefined }))
    expect(error).toMatchObject({ name: 'RequestTimeoutError', code: 'REQUEST_TIMEOUT', timeout: 100, delivery: 'unknown' })
    await until(() => aborted.length > 0, 'the handler of the server is aborted')
  })

  test('elicitation: the handler answers, and defaults of the schema complete its answer', async () => {
    const { client, connection } = await connect(sdk, protocol)
    const asked: unknown[] = []
    client.setRequestHandler('elicitation/create', ({ params }) => {
      asked.push(params)
      return { action: 'accept', content: { colour: 'blue' } }
    })
    const result = await client.callTool({ name: 'elicitation' })
    expect(JSON.parse(words(result))).toEqual({ action: 'accept', content: { colour: 'blue', shade: 'light' } })
    expect(asked).toMatchObject([{ message: 'Which colour?' }])
    if (era === 'legacy') return
    const [first, second] = sentBy(connection, 'tools/call')
    expect(second?.id).not.toBe(first?.id)
    expect(second?.params).toMatchObject({ name: 'elicitation', requestState: 'state of elicitation' })
  })

  test('sampling and roots: the handlers answer', async () => {
    const { client } = await connect(sdk, protocol)
    client.setRequestHandler('sampling/createMessage', ({ params }) => ({
      role: 'assistant',
      content: { type: 'text', text: `hi, in ${String(params.maxTokens)} tokens` },
      model: 'none'
    }))
    client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///home/me', name: 'home' }] }))
    expect(JSON.parse(words(await client.callTool({ name: 'sampling' })))).toMatchObject({
      content: { text: 'hi, in 10 tokens' },
      model: 'none'
    })
    expect(JSON.parse(words(await client.callTool({ name: 'roots' })))).toMatchObject({ roots: [{ uri: 'file:///home/me' }] })
  })

  test('a declared capability without a handler is an error of the call, and not of the connection', async () => {
    const { client } = await connect(sdk, protocol)
    const outcome = await client.callTool({ name: 'roots' }).then(
      (result) => (result.isError ? 'failed' : 'answered'),
      () => 'failed'
    )
    expect(outcome).toBe('failed')
    expect(words(await client.callTool({ name: 'echo', arguments: { message: 'still here' } }))).toBe('still here')
    expect(client.stats().attempts).toBe(1)
  })

  test('a resource subscription brings its updates, and none after its end', async () => {
    const { client, notifications } = await connect(sdk, protocol)
    const uris: unknown[] = []
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => uris.push(params.uri))
    const touch = (uri: string): Promise<CallToolResult> => client.callTool({ name: 'touch', arguments: { uri } })
    await touch('test://a')
    await client.subscribeResource({ uri: 'test://a' })
    await touch('test://a')
    await touch('test://b')
    await until(() => uris.length > 0, 'the update arrives')
    await client.unsubscribeResource({ uri: 'test://a' })
    await touch('test://a')
    await client.ping()
    expect(uris).toEqual(['test://a'])
    expect(notifications.filter(({ method }) => method === 'notifications/resources/updated')).toHaveLength(1)
  })

  test('log messages come from the level on that was asked for', async () => {
    const { client, notifications, connection } = await connect(sdk, protocol)
    await client.setLoggingLevel('warning')
    await client.callTool({ name: 'log', arguments: { level: 'info', data: 'too quiet' } })
    await client.callTool({ name: 'log', arguments: { level: 'error', data: 'loud' } })
    await until(() => notifications.length > 0, 'the log message arrives')
    expect(notifications).toMatchObject([{ method: 'notifications/message', params: { level: 'error', data: 'loud' } }])
    expect(sentBy(connection, 'logging/setLevel')).toHaveLength(era === 'legacy' ? 1 : 0)
  })
})

describe.each(['v1', 'v2'] as const)('the legacy era and a server of SDK %s', (sdk) => {
  test('list_changed arrives without a subscription', async () => {
    const { client, notifications } = await connect(sdk, 'legacy')
    await client.callTool({ name: 'change' })
    await until(() => notifications.length > 0, 'the notification arrives')
    expect(notifications).toMatchObject([{ method: 'notifications/tools/list_changed' }])
  })

  test('roots/list_changed reaches the server, and listen gets an error', async () => {
    const heard: string[] = []
    const { client } = await connect(sdk, 'legacy', { onHeard: (method) => heard.push(method) })
    await client.sendRootsListChanged()
    await until(() => heard.includes('notifications/roots/list_changed'), 'the server hears it')
    expect(await rejectionOf(client.listen({ toolsListChanged: true }))).toMatchObject({ name: 'RpcError', rpcCode: -32601 })
  })
})

test('a server request that the server cancels aborts its handler, and is not answered', async () => {
  const server = await useWsServer(({ socket, send }) => {
    socket.on('message', (data: Buffer) => {
      const { id, method } = JSON.parse(data.toString()) as Frame
      if (method === 'initialize')
        send({ id, result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'fickle', version: '1' } } })
      if (method === 'notifications/initialized') send({ id: 'q', method: 'roots/list' })
    })
  })
  const { client } = useClient({ url: server.url, protocol: 'legacy', capabilities: CAPABILITIES })
  const aborted = new Promise<unknown>((resolve) => {
    client.setRequestHandler('roots/list', (_request, { signal }) => {
      signal.addEventListener('abort', () => resolve(signal.reason))
      server.connections[0]!.send({ method: 'notifications/cancelled', params: { requestId: 'q', reason: 'never mind' } })
      return new Promise(() => undefined)
    })
  })
  await client.connect()
  expect(await aborted).toMatchObject({ name: 'AbortError', message: 'never mind' })
  await client.notify('notifications/roots/list_changed')
  await until(() => methodsOf(server.connections[0]!.received).includes('notifications/roots/list_changed'), 'the last message arrives')
  expect(methodsOf(server.connections[0]!.received)).not.toContain('response')
})

describe.each(['auto', 'modern'] as const)('the modern era and a server of SDK v2, protocol %s', (protocol) => {
  test('listen brings what was asked for until it is closed', async () => {
    const { client, notifications, connection } = await connect('v2', protocol)
    const subscription = await client.listen({ toolsListChanged: true, promptsListChanged: false })
    expect(subscription.honoredFilter).toEqual({ toolsListChanged: true })
    const changes = (): number => notifications.filter(({ method }) => method === 'notifications/tools/list_changed').length
    await client.callTool({ name: 'change' })
    await until(() => changes() === 1, 'the notification arrives')
    subscription.close()
    expect(await subscription.closed).toBe('local')
    await client.callTool({ name: 'change' })
    await client.ping()
    expect(changes()).toBe(1)
    expect(sentBy(connection, 'notifications/cancelled')[0]?.params?.requestId).toBe(sentBy(connection, 'subscriptions/listen')[0]?.id)
  })

  test('a live listen is no pending call and has no deadline', async () => {
    const server = await useWsServer(({ socket }) => serveMcp('v2', socket))
    const { client } = useClient({ url: server.url, protocol, requestTimeout: 150 })
    await client.connect()
    const subscription = await client.listen({ toolsListChanged: true })
    let ended = false
    void subscription.closed.then(() => (ended = true))
    // Another request's own deadline is the proof that this one's has passed.
    await rejectionOf(client.callTool({ name: 'hold' }, { timeout: 300 }))
    expect(ended).toBe(false)
  })

  test('discover says what the server is', async () => {
    const { client } = await connect('v2', protocol)
    expect(await client.discover()).toMatchObject({ supportedVersions: ['2026-07-28'] })
  })

  test('no request of the modern era is a method that it does not know', async () => {
    const { client, connection } = await connect('v2', protocol)
    await client.subscribeResource({ uri: 'test://a' })
    await client.setLoggingLevel('debug')
    await client.ping()
    await client.unsubscribeResource({ uri: 'test://a' })
    await client.listTools()
    const unknown = ['initialize', 'notifications/initialized', 'ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe']
    expect(methodsOf(connection.received).filter((method) => unknown.includes(method))).toEqual([])
  })
})

test('protocol modern and a server of SDK v1: one error, which names the option', async () => {
  const server = await useWsServer(({ socket }) => serveMcp('v1', socket))
  const { client } = useClient({ url: server.url, protocol: 'modern', reconnect: { initialDelay: 5, maxRetries: 2 } })
  const error = await rejectionOf(client.connect())
  expect(error).toMatchObject({ name: 'ProtocolError', code: 'INITIALIZE_REFUSED' })
  expect((error as { hint?: string }).hint).toMatch(/protocol/)
  expect(server.connections).toHaveLength(1)
  expect(client.state).toBe('failed')
})

test('a server that is silent about the era is asked to initialize after probeTimeout, on the same socket', async () => {
  const server = await useWsServer(({ socket, send }) => {
    socket.on('message', (data: Buffer) => {
      const { id, method } = JSON.parse(data.toString()) as Frame
      if (method !== 'initialize') return
      send({ id, result: { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'quiet', version: '1' } } })
    })
  })
  const { client } = useClient({ url: server.url, probeTimeout: 100 })
  const begun = performance.now()
  await client.connect()
  expect(performance.now() - begun).toBeGreaterThanOrEqual(99)
  expect(client).toMatchObject({ era: 'legacy', protocolVersion: '2025-06-18', serverInfo: { name: 'quiet' } })
  expect(server.connections).toHaveLength(1)
})

test('a server that hangs up on the probe is dialled again at once, uncounted, and asked to initialize', async () => {
  const server = await useWsServer((connection) => {
    if (server.connections.length > 1) return serveMcp('v1', connection.socket)
    connection.socket.once('message', () => connection.socket.terminate())
  })
  const { client, states } = useClient({ url: server.url, reconnect: false })
  await client.connect()
  expect(client.era).toBe('legacy')
  expect(methodsOf(server.connections[1]!.received)).toContain('initialize')
  expect(methodsOf(server.connections[1]!.received)).not.toContain('server/discover')
  expect(states.map(({ to }) => to)).not.toContain('waiting')
})

test('what is asked for before connect waits, and is answered in the era that is found', async () => {
  const server = await useWsServer(({ socket }) => serveMcp('v2', socket))
  const { client } = useClient({ url: server.url })
  const call = client.callTool({ name: 'echo', arguments: { message: 'early' } })
  expect(client).toMatchObject({ state: 'idle', queuedCount: 1 })
  expect(server.connections).toHaveLength(0)
  const ready = nextEvent(client, 'state', ({ to }) => to === 'ready')
  void client.connect()
  await ready
  expect(words(await call)).toBe('early')
  expect(server.connections[0]?.received.at(-1)?.params?._meta).toHaveProperty(['io.modelcontextprotocol/protocolVersion'], '2026-07-28')
})
