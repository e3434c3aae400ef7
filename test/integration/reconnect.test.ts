import { describe, expect, test } from 'vitest'
import type {
  CallToolResult,
  McpWebSocketClient,
  McpWebSocketClientOptions,
  RequestOptions,
  RetriesExhaustedError,
  StateName
} from '../../src/index.js'
import { bundle, useChild, type Child } from '../helpers/child.js'
import { serveMcp } from '../helpers/mcp-server.js'
import { useRawServer } from '../faults/kit/raw-server.js'
import { useWsServer, type ServerConnection, type WsServer } from '../helpers/ws-server.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { watch, type Outcome } from '../helpers/watch.js'
import { until } from '../helpers/until.js'
import { useClient, type Observed } from '../helpers/use-client.js'
import { turn } from '../helpers/turn.js'

const words = (result: CallToolResult): string => result.content.map((each) => (each.type === 'text' ? each.text : '')).join('')

/** A call that the server has begun and never responds to; what was sent before it has arrived as well. */
function begun(client: McpWebSocketClient, options: RequestOptions = {}): Promise<Outcome<CallToolResult>> {
  return new Promise((resolve) => {
    const call = watch(client.callTool({ name: 'hold' }, { ...options, onprogress: () => resolve(call) }))
  })
}

const QUICK = { initialDelay: 20, maxDelay: 50, maxRetries: Infinity }
const FOR_EVER = { initialDelay: 60_000, maxDelay: 60_000, jitter: false }

describe.each([
  { sdk: 'v1', protocol: 'auto', era: 'legacy' },
  { sdk: 'v2', protocol: 'legacy', era: 'legacy' },
  { sdk: 'v2', protocol: 'auto', era: 'modern' }
] as const)('a server process of SDK $sdk, $era era, killed and started again', ({ sdk, protocol, era }) => {
  interface Killable extends Observed {
    readonly child: Child
    /** Starts the server again on the same port, answering what it held before. */
    restart(): Promise<Child>
  }

  async function start(reconnect: McpWebSocketClientOptions['reconnect'] = QUICK): Promise<Killable> {
    const script = await bundle(new URL('./child-server.ts', import.meta.url))
    const child = useChild(script, [sdk, '0', 'hold'])
    const port = await child.nextLine()
    const observed = useClient({ url: `ws://127.0.0.1:${port}/ws`, protocol, reconnect })
    await observed.client.connect()
    expect(observed.client.era).toBe(era)
    const restart = async (): Promise<Child> => {
      const next = useChild(script, [sdk, port])
      await next.nextLine()
      return next
    }
    return { ...observed, child, restart }
  }

  const thirdWait = ({ client }: Observed): Promise<unknown> =>
    nextEvent(client, 'state', ({ to, attempt }) => to === 'waiting' && attempt === 4)

  test('H24: requests in flight settle in the task that handles the closure, all others after the reconnect', async () => {
    const session = await start({ initialDelay: 300, jitter: false })
    const { client, child, states } = session
    const safe = watch(client.readResource({ uri: 'test://held' }))
    const call = await begun(client)
    const third = thirdWait(session)
    const waiting = nextEvent(client, 'state', ({ to }) => to === 'waiting')
    // Looked at from within the event: one turn later, and not some time later.
    const settled = new Promise<boolean[]>((resolve) => {
      client.once('state', () => setImmediate(() => resolve([call.settled, safe.settled])))
    })
    await child.kill()
    expect(await settled).toEqual([true, false])
    expect(await waiting).toMatchObject({ from: 'ready', attempt: 2, delay: 300, closure: { kind: 'close', code: 1006, everReady: true } })
    expect(call.error).toMatchObject({ name: 'ConnectionLostError', code: 'CONNECTION_LOST', delivery: 'unknown' })
    expect((call.error as Error).message).toMatch(/unknown.*check before you repeat/)
    expect(client).toMatchObject({ pendingCount: 1, queuedCount: 1, era })

    const meanwhile = client.callTool({ name: 'echo', arguments: { message: 'meanwhile' } })
    const reconnected = nextEvent(client, 'reconnected')
    await third
    await session.restart()
    expect(words(await meanwhile)).toBe('meanwhile')
    expect(safe).toMatchObject({ settled: true, value: { contents: [{ text: 'content of test://held' }] } })
    const event = await reconnected
    expect(event).toMatchObject({ resent: 1, lost: 1, serverChanged: false })
    // On a busy machine the server may need longer to start than the third wait.
    expect(event.attempts).toBeGreaterThanOrEqual(3)
    expect(event.downtime).toBeGreaterThanOrEqual(2000)
    expect(client.stats()).toMatchObject({ attempts: 1 + event.attempts, reconnects: 1, resent: 1, lost: 1 })
    expect(client.pendingCount).toBe(0)
    const path = states.map(({ to, delay }) => delay ?? to)
    expect(path.slice(0, 8)).toEqual(['connecting', 'initializing', 'ready', 300, 'connecting', 600, 'connecting', 1200])
    expect(path.slice(-3)).toEqual(['connecting', 'initializing', 'ready'])
  })

  test('a request that the caller allows is sent again, once', async () => {
    const session = await start()
    const { client, child } = session
    const call = await begun(client, { resend: true })
    const dropped = nextEvent(client, 'state', ({ to }) => to === 'waiting')
    await child.kill()
    await dropped
    await turn()
    expect(call.settled).toBe(false)
    const reports = nextEvent(client, 'notification', ({ method }) => method === 'notifications/progress')
    const next = await session.restart()
    await reports
    expect(call.settled).toBe(false)
    // A second loss is one too many.
    const waiting = nextEvent(client, 'state', ({ to }) => to === 'waiting')
    await next.kill()
    await waiting
    await turn()
    expect(call).toMatchObject({ settled: true, error: { code: 'CONNECTION_LOST', delivery: 'unknown' } })
  })

  test('a resource subscription delivers again', async () => {
    const session = await start()
    const { client, notifications, child, errors } = session
    const marks = (): unknown[] =>
      notifications
        .filter(({ method, params }) => method === 'notifications/resources/updated' && params?.uri === 'test://a')
        .map(({ params }) => (params?._meta as { mark?: unknown } | undefined)?.mark)
    const touch = (mark: string): Promise<CallToolResult> => client.callTool({ name: 'touch', arguments: { uri: 'test://a', mark } })
    await client.subscribeResource({ uri: 'test://a' })
    await touch('before')
    await until(() => marks().includes('before'), 'the update arrives')
    await child.kill()
    await session.restart()
    await touch('after')
    await until(() => marks().includes('after'), 'the update arrives after the reconnect')
    // In the legacy era nothing tells what changed meanwhile: the client says that anything may have.
    expect(marks()).toEqual(era === 'legacy' ? ['before', undefined, 'after'] : ['before', 'after'])
    expect(errors).toEqual([])
  })

  if (era === 'legacy') return

  test('a listen delivers again, and is the same subscription', async () => {
    const session = await start()
    const { client, notifications, child, errors } = session
    const changes = (): number => notifications.filter(({ method }) => method === 'notifications/tools/list_changed').length
    const subscription = await client.listen({ toolsListChanged: true })
    const closed = watch(subscription.closed)
    await client.callTool({ name: 'change' })
    await until(() => changes() === 1, 'the notification arrives')
    await child.kill()
    await session.restart()
    await client.callTool({ name: 'change' })
    await until(() => changes() === 2, 'the notification arrives after the reconnect')
    expect(closed.settled).toBe(false)
    expect(subscription.honoredFilter).toEqual({ toolsListChanged: true })
    subscription.close()
    expect(await subscription.closed).toBe('local')
    expect(errors).toEqual([])
  })
})

/** A client whose server has gone; it would dial again in a minute. */
async function lose(): Promise<Observed & { readonly port: number }> {
  const server = await useWsServer(({ socket }) => serveMcp('v2', socket))
  const observed = useClient({ url: server.url, reconnect: FOR_EVER })
  await observed.client.connect()
  const waiting = nextEvent(observed.client, 'state', ({ to }) => to === 'waiting')
  await server.close()
  await waiting
  return { ...observed, port: server.port }
}

test('A12: a deadline runs on while there is no connection', async () => {
  const { client } = await lose()
  const error = await rejectionOf(client.callTool({ name: 'echo' }, { timeout: 100 }))
  expect(error).toMatchObject({ name: 'RequestTimeoutError', delivery: 'not-sent' })
  expect(client.queuedCount).toBe(0)
})

test('reconnect() does not wait for the next dial', async () => {
  const { client, port } = await lose()
  await useWsServer(({ socket }) => serveMcp('v2', socket), { port })
  await client.reconnect()
  expect(words(await client.callTool({ name: 'echo', arguments: { message: 'back' } }))).toBe('back')
})

test('reconnect() drops a connection that is up, and requests in flight are lost with it', async () => {
  const server = await useWsServer(({ socket }) => serveMcp('v2', socket))
  const { client } = useClient({ url: server.url, reconnect: FOR_EVER })
  await client.connect()
  const call = await begun(client)
  await client.reconnect()
  expect(call).toMatchObject({ settled: true, error: { code: 'CONNECTION_LOST', delivery: 'unknown' } })
  expect(server.connections).toHaveLength(2)
  await until(() => server.openCount === 1, 'the old socket goes')
})

describe('a server that accepts and drops', () => {
  test('before MCP is ready is dialled at most twelve times, with growing delays', async () => {
    const dropAfter = 100
    const server = await useWsServer(({ socket }) => {
      const timer = setTimeout(() => socket.terminate(), dropAfter)
      socket.on('close', () => clearTimeout(timer))
    })
    const { client, states } = useClient({ url: server.url, reconnect: { initialDelay: 10, maxDelay: 50, jitter: false } })
    const error = (await rejectionOf(client.connect())) as RetriesExhaustedError
    expect(error).toMatchObject({ name: 'RetriesExhaustedError', code: 'RETRIES_EXHAUSTED', attempts: 11 })
    expect(client.state).toBe('failed')
    // Eleven, and one that asked for the era.
    expect(server.connections).toHaveLength(12)
    expect(client.stats().attempts).toBe(12)
    const delays = states.filter(({ to }) => to === 'waiting').map(({ delay }) => delay)
    expect(delays).toEqual([10, 20, 40, 50, 50, 50, 50, 50, 50, 50])
    const gaps = server.connections.slice(1).map(({ at }, index) => at - server.connections[index]!.at)
    // The first gap is the redial for the era, which does not wait.
    gaps.slice(1).forEach((gap, index) => expect(gap).toBeGreaterThanOrEqual(dropAfter + delays[index]! - 5))
  })

  test.each(['v1', 'v2'] as const)('after MCP was ready is dialled no more often: SDK %s', async (sdk) => {
    const server = await useWsServer(({ socket }) => serveMcp(sdk, socket))
    const { client, states } = useClient({ url: server.url, reconnect: { initialDelay: 10, maxDelay: 50, jitter: false } })
    client.on('state', ({ to }) => to === 'ready' && server.connections.at(-1)?.socket.terminate())
    const failed = nextEvent(client, 'failed')
    await client.connect()
    expect(await failed).toMatchObject({ name: 'RetriesExhaustedError', attempts: 11, cause: { code: 'CONNECTION_LOST' } })
    expect(server.connections).toHaveLength(11)
    expect(states.filter(({ to }) => to === 'waiting').map(({ delay }) => delay)).toEqual([10, 20, 40, 50, 50, 50, 50, 50, 50, 50])
    expect(client.stats().reconnects).toBe(10)
    expect(await rejectionOf(client.listTools())).toMatchObject({ code: 'RETRIES_EXHAUSTED' })
  })

  test('with jitter waits at random, never less than 100 ms or the bound, and never more', async () => {
    const server = await useRawServer(({ socket }) => socket.destroy())
    const { client, states } = useClient({ url: server.url, reconnect: { initialDelay: 120, maxDelay: 160, maxRetries: 4 } })
    await rejectionOf(client.connect())
    const delays = states.filter(({ to }) => to === 'waiting').map(({ delay }) => delay ?? 0)
    expect(delays).toHaveLength(4)
    delays.forEach((delay, index) => {
      expect(delay).toBeGreaterThanOrEqual(100)
      expect(delay).toBeLessThanOrEqual(index === 0 ? 120 : 160)
    })
    expect(new Set(delays).size).toBeGreaterThan(1)
  })
})

test.each([
  [1000, 'done'],
  [1001, 'going away'],
  [1011, 'oops'],
  [1012, 'restart'],
  [4500, 'own code']
])('H25: a server that closes with %i is dialled again, after a delay', async (code, reason) => {
  const server = await useWsServer(({ socket }) => serveMcp('v2', socket))
  const { client, states } = useClient({ url: server.url, reconnect: { initialDelay: 20, jitter: false } })
  await client.connect()
  const reconnected = nextEvent(client, 'reconnected')
  server.connections[0]!.socket.close(code, reason)
  expect(await reconnected).toMatchObject({ attempts: 1, lost: 0, resent: 0, serverChanged: false })
  expect(client.state).toBe('ready')
  expect(states.find(({ to }) => to === 'waiting')).toMatchObject({ delay: 20, closure: { kind: 'close', code, reason, wasClean: true } })
  expect(server.connections).toHaveLength(2)
})

test.each([1002, 1003, 1007, 1008, 1010, 4400, 4404])('a server that closes with %i is not dialled again', async (code) => {
  const server = await useWsServer(({ socket }) => serveMcp('v2', socket))
  const { client } = useClient({ url: server.url, reconnect: { initialDelay: 5 } })
  await client.connect()
  const failed = nextEvent(client, 'failed')
  server.connections[0]!.socket.close(code, 'because')
  expect(await failed).toMatchObject({ name: 'ConnectionLostError', code: 'CONNECTION_LOST', closure: { code } })
  expect(server.connections).toHaveLength(1)
  expect(client.state).toBe('failed')
})

describe('once the client was ready', () => {
  /** Loses the connection; from then on every upgrade is rejected with this status. */
  async function rejectLater(status: number): Promise<Observed> {
    let isUp = true
    const server = await useWsServer(({ socket }) => serveMcp('v2', socket), {
      verifyClient: (_info: unknown, done: (accepted: boolean, code: number) => void) => done(isUp, status)
    })
    const observed = useClient({ url: server.url, reconnect: { initialDelay: 5, maxDelay: 10, maxRetries: 3 } })
    await observed.client.connect()
    isUp = false
    server.connections[0]!.socket.terminate()
    return observed
  }

  test.each([302, 400, 404, 426, 500])('an upgrade rejected with %i is dialled again, under the cap', async (status) => {
    const { client } = await rejectLater(status)
    expect(await nextEvent(client, 'failed')).toMatchObject({ name: 'RetriesExhaustedError', cause: { code: 'UNEXPECTED_STATUS', status } })
    expect(client.stats().attempts).toBe(1 + 3)
  })

  test.each([401, 403])('an upgrade rejected with %i is not dialled again', async (status) => {
    const { client } = await rejectLater(status)
    expect(await nextEvent(client, 'failed')).toMatchObject({ name: 'UnauthorizedError', status })
    expect(client.stats().attempts).toBe(1 + 1)
  })
})

test.each([4401, 3000])('a close with %i asks the token provider why, on the next attempt, after a delay', async (code) => {
  const server = await useWsServer(({ socket, request }) => {
    if (request.headers.authorization === 'Bearer fresh-token') serveMcp('v2', socket)
    else socket.close(code, 'token expired')
  })
  const { client, states } = useClient({
    url: server.url,
    auth: { token: ({ reason }) => (reason === 'unauthorized' ? 'fresh-token' : 'stale-token') },
    reconnect: { initialDelay: 20, jitter: false }
  })
  await client.connect()
  expect(client.era).toBe('modern')
  expect(states.filter(({ to }) => to === 'waiting').map(({ delay }) => delay)).toEqual([20])
})

describe('a server that comes back as another', () => {
  /** Serves each connection with the next one of these; the last one serves all others. */
  async function serveInTurn(...serve: ((connection: ServerConnection) => unknown)[]): Promise<Observed & { server: WsServer }> {
    const server = await useWsServer((connection) => serve[Math.min(server.connections.length, serve.length) - 1]!(connection))
    const observed = useClient({ url: server.url, reconnect: { initialDelay: 20, jitter: false } })
    await observed.client.connect()
    return { ...observed, server }
  }

  /** Drops the first connection; resolves when the client knows. */
  async function drop(client: McpWebSocketClient, server: WsServer): Promise<void> {
    const waiting = nextEvent(client, 'state', ({ to }) => to === 'waiting')
    server.connections[0]!.socket.terminate()
    await waiting
  }

  test('of the legacy era is adopted, and what it cannot restore is told', async () => {
    const { client, server, errors } = await serveInTurn(
      ({ socket }) => serveMcp('v2', socket),
      ({ socket }) => serveMcp('v1', socket)
    )
    const subscription = await client.listen({ toolsListChanged: true })
    const reconnected = nextEvent(client, 'reconnected')
    await drop(client, server)
    const meanwhile = client.callTool({ name: 'echo', arguments: { message: 'meanwhile' } })
    expect(await reconnected).toMatchObject({ serverChanged: true })
    expect(client).toMatchObject({ era: 'legacy', protocolVersion: '2025-11-25' })
    expect(words(await meanwhile)).toBe('meanwhile')
    const [call] = server.connections[1]!.received.filter(({ method }) => method === 'tools/call')
    expect(call?.params).toEqual({ name: 'echo', arguments: { message: 'meanwhile' } })
    expect(await subscription.closed).toBe('remote')
    expect(errors).toMatchObject([{ name: 'ProtocolError', code: 'RESTORE_FAILED' }])
  })

  test('of the modern era alone is adopted', async () => {
    const { client, server } = await serveInTurn(
      ({ socket }) => serveMcp('v1', socket),
      ({ socket }) => serveMcp('v2', socket, { modernOnly: true })
    )
    const reconnected = nextEvent(client, 'reconnected')
    await drop(client, server)
    const meanwhile = client.callTool({ name: 'echo', arguments: { message: 'meanwhile' } })
    expect(await reconnected).toMatchObject({ serverChanged: true })
    expect(client).toMatchObject({ era: 'modern', protocolVersion: '2026-07-28' })
    expect(words(await meanwhile)).toBe('meanwhile')
  })

  test('of the modern era alone: a resource subscription lives on, or its end is told', async () => {
    const { client, server, errors, notifications } = await serveInTurn(
      ({ socket }) => serveMcp('v1', socket),
      ({ socket }) => serveMcp('v2', socket, { modernOnly: true })
    )
    await client.subscribeResource({ uri: 'test://a' })
    const reconnected = nextEvent(client, 'reconnected')
    server.connections[0]!.socket.terminate()
    await reconnected
    await client.callTool({ name: 'touch', arguments: { uri: 'test://a', mark: 'after' } })
    await client.ping()
    const told = errors.some((error) => 'code' in error && error.code === 'RESTORE_FAILED')
    const delivered = notifications.some(({ method, params }) => method === 'notifications/resources/updated' && params?.uri === 'test://a')
    expect(told || delivered, 'the subscription is silently dead').toBe(true)
  })

  test('opens its subscriptions again after the server ended them gracefully', async () => {
    const ends: (() => Promise<void>)[] = []
    const { client, notifications, errors } = await serveInTurn(({ socket }) => ends.push(serveMcp('v2', socket)))
    const subscription = await client.listen({ toolsListChanged: true })
    const closed = watch(subscription.closed)
    const reconnected = nextEvent(client, 'reconnected')
    await ends[0]!()
    await reconnected
    await client.callTool({ name: 'change' })
    await until(() => notifications.some(({ method }) => method === 'notifications/tools/list_changed'), 'the notification arrives')
    expect(closed.settled).toBe(false)
    expect(errors).toEqual([])
  })

  test('that is the same has not changed', async () => {
    const { client, server } = await serveInTurn(({ socket }) => serveMcp('v1', socket))
    const reconnected = nextEvent(client, 'reconnected')
    server.connections[0]!.socket.terminate()
    expect(await reconnected).toMatchObject({ serverChanged: false })
    expect(server.connections[1]!.received.map(({ method }) => method)).toContain('initialize')
    expect(server.connections[1]!.received.map(({ method }) => method)).not.toContain('server/discover')
  })
})

describe('connect() with a signal', () => {
  test('that fires rejects with its reason and ends the dial', async () => {
    const server = await useRawServer(() => undefined)
    const { client } = useClient({ url: server.url })
    const controller = new AbortController()
    const reason = new Error('no patience')
    const connecting = rejectionOf(client.connect({ signal: controller.signal }))
    await until(() => server.dials.length === 1, 'the dial arrives')
    controller.abort(reason)
    expect(await connecting).toBe(reason)
    await until(() => server.dials[0]!.socket.destroyed, 'the client hangs up')
    expect(client.state).toBe('closed')
  })

  test('that fires leaves the dial to those who still wait', async () => {
    const server = await useWsServer(({ socket }) => serveMcp('v2', socket))
    const { client } = useClient({ url: server.url })
    const controller = new AbortController()
    const impatient = rejectionOf(client.connect({ signal: controller.signal }))
    const patient = client.connect()
    controller.abort(new Error('no patience'))
    expect(await impatient).toMatchObject({ message: 'no patience' })
    await patient
    expect(client.state).toBe('ready')
  })
})

test('after a failure connect() begins anew', async () => {
  const server = await useWsServer(({ socket }) => serveMcp('v2', socket))
  const { client } = useClient({ url: server.url, reconnect: false })
  await client.connect()
  const failed = nextEvent(client, 'failed')
  server.connections[0]!.socket.terminate()
  await failed
  await client.connect()
  expect(client.state).toBe('ready')
  expect((await client.listTools()).tools).toHaveLength(12)
})

describe('close()', () => {
  /** Brings a client into a state, on a server that suits it. */
  const WAYS: Record<Exclude<StateName, 'closing'>, () => Promise<Observed>> = {
    idle: () => Promise.resolve(useClient({ url: 'ws://127.0.0.1:9/ws' })),
    connecting: async () => {
      const server = await useRawServer(() => undefined)
      const observed = useClient({ url: server.url })
      void observed.client.connect().catch(() => undefined)
      await until(() => server.dials.some(({ head }) => head !== ''), 'the dial arrives')
      return observed
    },
    initializing: async () => {
      const server = await useWsServer(() => undefined)
      const observed = useClient({ url: server.url })
      void observed.client.connect().catch(() => undefined)
      await until(() => server.connections[0]?.received.length === 1, 'the probe arrives')
      return observed
    },
    ready: async () => {
      const server = await useWsServer(({ socket }) => serveMcp('v2', socket))
      const observed = useClient({ url: server.url })
      await observed.client.connect()
      return observed
    },
    waiting: async () => {
      const server = await useRawServer(({ socket }) => socket.destroy())
      const observed = useClient({ url: server.url, reconnect: FOR_EVER })
      const waiting = nextEvent(observed.client, 'state', ({ to }) => to === 'waiting')
      void observed.client.connect().catch(() => undefined)
      await waiting
      return observed
    },
    closed: async () => {
      const observed = await WAYS.ready()
      await observed.client.close()
      return observed
    },
    failed: async () => {
      const server = await useRawServer(({ socket }) => socket.destroy())
      const observed = useClient({ url: server.url, reconnect: false })
      await rejectionOf(observed.client.connect())
      return observed
    }
  }
  const STATES = Object.keys(WAYS) as (keyof typeof WAYS)[]

  /** Timers and sockets of this process that keep it alive. */
  const resources = (): string[] =>
    process.getActiveResourcesInfo().filter((kind) => /Timeout|TCPSocketWrap|ConnectWrap|GetAddrInfo/.test(kind))

  test.each(STATES)('A2, A3, A4: while %s ends in closed, and nothing follows', async (state) => {
    const { client, states } = await WAYS[state]()
    expect(client.state).toBe(state)
    const before = states.length
    const [first, second] = [client.close(), client.close()]
    expect(await Promise.all([first, second])).toEqual([undefined, undefined])
    expect(client).toMatchObject({ state: 'closed', pendingCount: 0, queuedCount: 0, subprotocol: undefined })
    const path = states.slice(before).map(({ to }) => to)
    if (state === 'closed') expect(path).toEqual([])
    else expect(path).toEqual(state === 'ready' || state === 'initializing' ? ['closing', 'closed'] : ['closed'])
    expect(await rejectionOf(client.listTools())).toMatchObject({ name: 'ClosedError', code: 'CLOSED', delivery: 'not-sent' })
  })

  test.each(['connecting', 'initializing', 'waiting'] as const)('while %s rejects connect() and what waits', async (state) => {
    const { client } = await WAYS[state]()
    const connecting = rejectionOf(client.connect())
    const waiting = rejectionOf(client.callTool({ name: 'echo' }))
    await client.close()
    expect(await connecting).toMatchObject({ name: 'ClosedError' })
    expect(await waiting).toMatchObject({ name: 'ClosedError', delivery: 'not-sent' })
  })

  test('while ready rejects what was sent, with its delivery, and says 1000 to the server', async () => {
    const server = await useWsServer(({ socket }) => serveMcp('v2', socket))
    const { client } = useClient({ url: server.url })
    await client.connect()
    const closed = new Promise<number>((resolve) => server.connections[0]!.socket.on('close', resolve))
    const call = rejectionOf(client.callTool({ name: 'hold' }))
    const ended = nextEvent(client, 'close')
    await client.close()
    await ended
    expect(await call).toMatchObject({ name: 'ClosedError', delivery: 'unknown' })
    expect(await closed).toBe(1000)
  })

  test('does not wait for a server that never closes', async () => {
    const server = await useRawServer(({ socket, head }) => {
      void import('node:crypto').then(({ createHash }) => {
        const key = /Sec-WebSocket-Key: (.*)/i.exec(head)?.[1]?.trim() ?? ''
        const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: mcp.v1\r\n\r\n`
        )
      })
    })
    const { client } = useClient({ url: server.url, closeTimeout: 100 })
    const open = nextEvent(client, 'state', ({ to }) => to === 'initializing')
    void client.connect().catch(() => undefined)
    await open
    const begun = performance.now()
    await client.close()
    expect(performance.now() - begun).toBeGreaterThanOrEqual(99)
    expect(performance.now() - begun).toBeLessThan(1000)
    await until(() => server.dials[0]!.socket.destroyed, 'the client hangs up')
  })

  test('while closing shares the end, and connect() waits for it and begins anew', async () => {
    const { client } = await WAYS.ready()
    const closing = client.close()
    expect(client.state).toBe('closing')
    const again = client.close()
    await client.connect()
    await Promise.all([closing, again])
    expect(client.state).toBe('ready')
  })

  test.each(STATES)('while %s leaves no timer and no socket', async (state) => {
    // The server's sockets are in this process too: they go when the client's do.
    const before = resources().length
    const { client } = await WAYS[state]()
    await client.close()
    await until(() => resources().length <= before, `nothing is left but ${resources().join(', ')}`, 2000)
  })

  test.each(['served', 'pending', 'waiting'])('lets the process end by itself: %s', async (what) => {
    const server =
      what === 'waiting' ? await useRawServer(({ socket }) => socket.destroy()) : await useWsServer(({ socket }) => serveMcp('v2', socket))
    const child = useChild(await bundle(new URL('./child-client.ts', import.meta.url)), [server.url, what])
    expect(await child.nextLine()).toBe('closed')
    const closedAt = performance.now()
    expect(await child.gone).toBe(0)
    expect(performance.now() - closedAt).toBeLessThan(1000)
    expect(child.complaints).toBe('')
  })
})
