import { getEventListeners } from 'node:events'
import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { WebSocket as Ws } from 'ws'
import type { ClientEvents, McpWebSocketClient, McpWebSocketClientOptions, StateChange, StateName } from '../../src/index.js'
import { useClient as useRig } from '../client/use-client.js'
import { bundle, useChild } from '../helpers/child.js'
import { settle } from '../helpers/fake-clock.js'
import { serveMcp } from '../helpers/mcp-server.js'
import { useWsServer, type WsServer } from '../helpers/ws-server.js'
import { afterTest } from '../helpers/after-test.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { useClient } from '../helpers/use-client.js'
import { watch, type Outcome } from '../helpers/watch.js'
import { useRawServer, type Dial } from './kit/raw-server.js'
import { acceptDial, closeFrame, OPCODE, textFrame, upgradeHead, type RawPeer } from './kit/wire.js'
import { pause } from '../helpers/pause.js'
import { turn } from '../helpers/turn.js'

const QUICK = { initialDelay: 5, maxDelay: 10, jitter: false } as const

/** Some turns of the loop: time enough for what must not happen. */
async function turns(count = 20): Promise<void> {
  for (let n = 0; n < count; n++) await turn()
}

/** A short time in which nothing may happen. */
const serve = (): Promise<WsServer> => useWsServer(({ socket }) => serveMcp('v2', socket))

/** The class `ws`, with every socket that it makes. */
function spyOnSockets(): { sockets: Ws[]; WebSocket: NonNullable<McpWebSocketClientOptions['WebSocket']> } {
  const sockets: Ws[] = []
  class Spied extends Ws {
    constructor(...args: ConstructorParameters<typeof Ws>) {
      super(...args)
      sockets.push(this)
    }
  }
  return { sockets, WebSocket: Spied }
}

const HELLO = { protocolVersion: '2025-11-25', capabilities: { tools: {}, roots: {} }, serverInfo: { name: 'lively', version: '1' } }

/** What Node warns of during the test. */
function useWarnings(): Error[] {
  const warnings: Error[] = []
  const onWarning = (warning: Error): void => {
    warnings.push(warning)
  }
  process.on('warning', onWarning)
  afterTest(() => {
    process.off('warning', onWarning)
  })
  return warnings
}

/** A legacy server that does what callbacks wait for: it reports, asks, tells, breaks the protocol and hangs up. */
function useLivelyServer(): Promise<WsServer> {
  return useWsServer((connection) => {
    const { socket, send, received } = connection
    socket.on('message', () => {
      const { id, method, params } = received.at(-1)!
      if (method === 'server/discover') send({ id, error: { code: -32601, message: 'unknown' } })
      else if (method === 'initialize') send({ id, result: HELLO })
      else if (method === 'test/lively') {
        send({ method: 'notifications/progress', params: { progressToken: params?._meta?.progressToken, progress: 1 } })
        send({ method: 'notifications/test' })
        send({ id: 7, method: 'roots/list' })
        socket.send('no JSON')
        socket.close(1012, 'restart')
      } else if (method === 'test/fatal') socket.close(1008, 'enough')
    })
  })
}

describe('connect() and close()', () => {
  test('A2: an upgrade that the server accepts after close() opens nothing', async () => {
    const server = await useRawServer(() => undefined)
    const { client, states, errors } = useClient({ url: server.url })
    const connecting = rejectionOf(client.connect())
    await until(() => server.dials[0]?.head !== undefined && server.dials[0].head !== '', 'the dial arrives')
    const [dial] = server.dials as [Dial]
    const closing = client.close()
    dial.socket.write(upgradeHead(dial))
    await closing
    expect(await connecting).toMatchObject({ code: 'CLOSED' })
    await until(() => dial.socket.destroyed, 'the client hangs up')
    await turns()
    expect(states.map(({ to }) => to)).toEqual(['connecting', 'closed'])
    expect(errors).toEqual([])
  })

  /** Runs when the client is made. */
  const later = (act: () => void): undefined => {
    queueMicrotask(act)
  }
  /** Where a program may call `close()`: each spot is given what does it. */
  type Spot = (close: () => void, client: () => McpWebSocketClient) => Partial<McpWebSocketClientOptions> | undefined
  const on =
    <E extends keyof ClientEvents>(event: E, isIt: (payload: ClientEvents[E]) => boolean = () => true): Spot =>
    (close, client) =>
      later(() => client().on(event, (payload) => isIt(payload) && close()))
  const state = (wanted: StateName): Spot => on('state', ({ to }) => to === wanted)
  const trace =
    (wanted: RegExp): Spot =>
    (close) => ({ trace: (direction, text) => wanted.test(`${direction} ${text}`) && close() })
  /** Closes and gives a result. */
  const provide =
    <T>(close: () => void, result: T) =>
    (): T => {
      close()
      return result
    }
  const SPOTS: Record<string, Spot> = {
    url: (close) => ({ url: provide(close, 'ws://127.0.0.1:9/ws') }),
    headers: (close) => ({ headers: provide(close, {}) }),
    token: (close) => ({ auth: { token: provide(close, 'a-token') } }),
    shouldReconnect: (close) => ({ reconnect: { ...QUICK, shouldReconnect: provide(close, true) } }),
    resend: (close) => ({ resend: provide(close, true) }),
    'trace of the handshake': trace(/^out .*server.discover/),
    'trace of a request': trace(/^out .*test.lively/),
    'trace of what comes in': trace(/^in .*notifications.test/),
    'event state: connecting': state('connecting'),
    'event state: initializing': state('initializing'),
    'event state: ready': state('ready'),
    'event state: waiting': state('waiting'),
    'event state: failed': state('failed'),
    'event notification': on('notification', ({ method }) => method === 'notifications/test'),
    'event error': on('error'),
    'event reconnected': on('reconnected'),
    'event failed': on('failed'),
    'event close': on('close'),
    'notification handler': (close, client) => later(() => client().setNotificationHandler('notifications/test', close)),
    'request handler': (close, client) => later(() => client().setRequestHandler('roots/list', provide(close, { roots: [] })))
  }

  test.each([...Object.keys(SPOTS), 'onprogress', 'toJSON of params'])(
    'A4: close() in a callback closes once, for good: %s',
    async (name) => {
      const server = await useLivelyServer()
      let closes = 0
      let closing: Promise<void> | undefined
      const closeOnce = (): void => {
        if (closes++ === 0) closing = observed.client.close()
      }
      const options = SPOTS[name]?.(closeOnce, () => observed.client) ?? {}
      const observed = useClient({ url: server.url, reconnect: QUICK, capabilities: { roots: {} }, ...options })
      const { client, states } = observed
      await turn()
      let closed = 0
      client.on('close', () => closed++)
      const params = name === 'toJSON of params' ? { odd: { toJSON: provide(closeOnce, 'odd') } } : {}
      const onprogress = (): unknown => name === 'onprogress' && closeOnce()

      const outcomes: Outcome<unknown>[] = [watch(client.connect())]
      await until(() => outcomes[0]!.settled, 'connect() settles')
      outcomes.push(watch(client.request('test/lively', params, { onprogress })), watch(client.ping()))
      if (client.state !== 'closed') {
        await until(() => closes > 0 || server.connections.length === 2, 'it is called, or the client reconnects')
        if (closes === 0) await until(() => closes > 0 || client.state === 'ready', 'the client is ready again')
        if (closes === 0) outcomes.push(watch(client.request('test/fatal')))
        await until(() => closes > 0 || client.state === 'failed', 'it is called, or the client fails')
        if (closes === 0) void client.close()
      }
      await until(() => closes > 0 && client.state === 'closed', 'the client is closed')
      await closing
      const dials = server.connections.length
      await turns()
      expect(outcomes.map(({ settled }) => settled)).not.toContain(false)
      expect(client).toMatchObject({ state: 'closed', pendingCount: 0, queuedCount: 0 })
      expect([closed, states.filter(({ to }) => to === 'closed').length, server.connections.length]).toEqual([1, 1, dials])
      await until(() => server.openCount === 0, 'the socket is gone')
    }
  )
})

describe('signals', () => {
  const CALLS: Record<string, (client: McpWebSocketClient, signal: AbortSignal) => Promise<unknown>> = {
    connect: (client, signal) => client.connect({ signal }),
    request: (client, signal) => client.request('x', {}, { signal }),
    callTool: (client, signal) => client.callTool({ name: 'x' }, { signal }),
    listTools: (client, signal) => client.listTools(undefined, { signal }),
    listen: (client, signal) => client.listen({ toolsListChanged: true }, { signal }),
    subscribeResource: (client, signal) => client.subscribeResource({ uri: 'test://x' }, { signal }),
    unsubscribeResource: (client, signal) => client.unsubscribeResource({ uri: 'test://x' }, { signal }),
    setLoggingLevel: (client, signal) => client.setLoggingLevel('info', { signal })
  }

  test.each(Object.keys(CALLS))(
    'A8: one that has fired rejects with its reason, writes nothing and keeps no listener: %s',
    async (name) => {
      const server = await useWsServer(({ socket }) => serveMcp('v1', socket))
      const reason = new Error('no')
      const signal = AbortSignal.abort(reason)
      const { client } = useClient({ url: server.url })
      // Before the era is known, and after it.
      expect(await rejectionOf(CALLS[name]!(client, signal))).toBe(reason)
      expect(client).toMatchObject({ state: 'idle', pendingCount: 0, queuedCount: 0 })
      await client.connect()
      await client.ping()
      const sent = server.connections[0]!.received.length
      expect(await rejectionOf(CALLS[name]!(client, signal))).toBe(reason)
      await client.ping()
      expect(server.connections[0]!.received.slice(sent).map(({ method }) => method)).toEqual(['ping'])
      expect(getEventListeners(signal, 'abort')).toEqual([])
      expect(client.pendingCount).toBe(0)
    }
  )

  test('A9: an abort, a timeout and a late response end a request once, and the server hears of it once', async () => {
    const server = await useWsServer(({ socket, send, received }) => {
      serveMcp('v1', socket)
      socket.on('message', () => {
        const { method, params } = received.at(-1)!
        if (method === 'notifications/cancelled') send({ id: params?.requestId, result: { late: true } })
      })
    })
    const { client, errors } = useClient({ url: server.url })
    await client.connect()
    const controller = new AbortController()
    const call = rejectionOf(
      client.callTool({ name: 'hold' }, { signal: controller.signal, timeout: 300, onprogress: () => controller.abort() })
    )
    expect(await call).toBe(controller.signal.reason)
    await pause(330)
    await client.ping()
    const cancelled = server.connections[0]!.received.filter(({ method }) => method === 'notifications/cancelled')
    expect(cancelled).toHaveLength(1)
    expect(errors).toEqual([])
  })

  test.each(['legacy', 'auto', 'modern'] as const)(
    'A9: an abort of connect() in the handshake tells the server of no cancelled request: %s',
    async (protocol) => {
      const server = await useWsServer(() => undefined)
      const { client } = useClient({ url: server.url, protocol, closeTimeout: 100 })
      const controller = new AbortController()
      const connecting = rejectionOf(client.connect({ signal: controller.signal }))
      await until(() => server.connections[0]?.received.length === 1, 'the handshake begins')
      controller.abort()
      expect(await connecting).toBe(controller.signal.reason)
      await until(() => server.openCount === 0, 'the socket is gone')
      expect(server.connections[0]!.received.map(({ method }) => method)).toEqual([
        protocol === 'legacy' ? 'initialize' : 'server/discover'
      ])
    }
  )

  test('A10: one that many requests share causes no warning, and keeps no listener', async () => {
    const warnings = useWarnings()
    const server = await useWsServer(({ socket }) => serveMcp('v1', socket))
    const { client } = useClient({ url: server.url })
    await client.connect()
    const { signal } = new AbortController()
    await Promise.all(Array.from({ length: 1000 }, () => client.ping({ signal })))
    expect(getEventListeners(signal, 'abort')).toEqual([])
    await turns()
    expect(warnings).toEqual([])
  })
})

test.each([2 ** 31, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER, Number.MAX_VALUE])(
  'A11: %d ms is a time like any other, though no timer of an engine holds it',
  async (ms) => {
    const warnings = useWarnings()
    const server = await serve()
    const { client, states } = useClient({
      url: server.url,
      connectTimeout: ms,
      handshakeTimeout: ms,
      probeTimeout: ms,
      requestTimeout: ms,
      heartbeat: { interval: ms, timeout: ms },
      reconnect: { initialDelay: ms, maxDelay: ms, resetAfter: ms, jitter: false }
    })
    await client.connect()
    const calls = [{}, { timeout: ms }, { timeout: Infinity, maxTotalTimeout: ms }].map((options) =>
      watch(client.callTool({ name: 'hold' }, options))
    )
    await client.listTools()
    await pause(30)
    expect([client.state, ...calls.map(({ settled }) => settled)]).toEqual(['ready', false, false, false])
    server.connections[0]!.socket.terminate()
    await until(() => client.state === 'waiting', 'the drop is noticed')
    await pause(30)
    expect(states.at(-1)).toMatchObject({ to: 'waiting', delay: ms })
    expect(server.connections).toHaveLength(1)
    await client.close()
    expect(warnings).toEqual([])
  }
)

describe('listeners', () => {
  /** A life in which every event comes. */
  async function live(client: McpWebSocketClient): Promise<void> {
    await client.connect()
    const reconnected = nextEvent(client, 'reconnected')
    client.request('test/lively').catch(() => undefined)
    await reconnected
    client.request('test/fatal').catch(() => undefined)
    await until(() => client.state === 'failed', 'the client fails')
    await client.close()
  }

  test.each(['state', 'reconnected', 'notification', 'error', 'failed', 'close'] as const)(
    'A13: of %s that throw harm nobody: the others hear it, the client goes on, and the event error tells',
    async (event) => {
      const server = await useLivelyServer()
      const { client, states, errors } = useClient({ url: server.url, reconnect: QUICK })
      const problem = new Error('bad listener')
      let heard = 0
      client.on(event, () => {
        throw problem
      })
      client.on(event, () => heard++)
      await live(client)
      const path = ['connecting', 'initializing', 'ready', 'waiting', 'connecting', 'initializing', 'ready', 'failed', 'closed']
      expect(states.map(({ to }) => to)).toEqual(path)
      const times = { state: path.length, reconnected: 1, notification: 2, error: 1, failed: 1, close: 1 }[event]
      expect(heard).toBe(times)
      // One of `error` has nowhere to go.
      expect(errors.filter((error) => error === problem)).toHaveLength(event === 'error' ? 0 : times)
    }
  )

  test.each(['throw', 'reject'])(
    'A13: handlers, onprogress, trace and the predicates that %s harm nobody, and the event error tells',
    async (how) => {
      const server = await useLivelyServer()
      const thrown = new Set<Error>()
      const fail = (): never => {
        const problem = new Error(`bad callback ${String(thrown.size)}`)
        thrown.add(problem)
        if (how === 'throw') throw problem
        return Promise.reject(problem) as never
      }
      const { client, states, errors } = useClient({
        url: server.url,
        reconnect: { ...QUICK, shouldReconnect: fail },
        resend: fail,
        trace: fail,
        capabilities: { roots: {} }
      })
      client.setNotificationHandler('notifications/test', fail)
      await client.connect()
      const reconnected = nextEvent(client, 'reconnected')
      const lost = rejectionOf(client.request('test/lively', {}, { onprogress: fail }))
      await reconnected
      expect(await lost).toMatchObject({ code: 'CONNECTION_LOST', closure: { code: 1012 } })
      expect(states.map(({ to }) => to)).toEqual(['connecting', 'initializing', 'ready', 'waiting', 'connecting', 'initializing', 'ready'])
      expect(thrown.size).toBeGreaterThan(5)
      expect([...thrown].filter((problem) => !errors.includes(problem))).toEqual([])
      const promises = errors.filter(({ message }) => message.endsWith('must return true, false or undefined, and not a promise'))
      expect(new Set(promises.map(({ message }) => message.split(' ')[0]))).toEqual(
        new Set(how === 'throw' ? [] : ['resend', 'shouldReconnect'])
      )
    }
  )

  test('A14: may remove themselves, add others and close the client: nobody is left out, and nobody is called twice', async () => {
    const server = await serve()
    const { client } = useClient({ url: server.url })
    const heard: string[] = []
    const note =
      (name: string, act: (change: StateChange) => void = () => undefined) =>
      (change: StateChange): void => {
        heard.push(`${name} ${change.to}`)
        act(change)
      }
    const once = note('once', () => client.off('state', once))
    const added = note('added')
    client.on('state', once)
    client.on(
      'state',
      note('adder', ({ to }) => to === 'connecting' && client.on('state', added))
    )
    client.on(
      'state',
      note('closer', ({ to }) => to === 'ready' && void client.close())
    )
    client.on('state', note('last'))
    expect(await rejectionOf(client.connect())).toMatchObject({ code: 'CLOSED' })
    await until(() => client.state === 'closed', 'the client is closed')
    expect(heard).toEqual([
      ...['once', 'adder', 'closer', 'last'].map((name) => `${name} connecting`),
      ...['initializing', 'ready', 'closing', 'closed'].flatMap((to) => ['adder', 'closer', 'last', 'added'].map((name) => `${name} ${to}`))
    ])
  })
})

describe('parameters', () => {
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  const broken = (): never => {
    throw new Error('cannot be read')
  }
  const BAD: [string, Record<string, unknown>][] = [
    ['a BigInt', { big: 1n }],
    ['a cycle', cycle],
    ['a toJSON that throws', { odd: { toJSON: broken } }],
    [
      'a getter that throws',
      {
        odd: Object.defineProperty({}, 'odd', { enumerable: true, get: broken })
      }
    ]
  ]

  test.each(BAD)('A15: that hold %s reject that request with a TypeError, and nothing else', async (_what, params) => {
    const server = await serve()
    const { client, errors } = useClient({ url: server.url })
    const reject = async (others: number): Promise<void> => {
      for (const options of [{}, { onprogress: () => undefined }])
        expect(await rejectionOf(client.request('test/bad', params, options))).toMatchObject({
          name: 'TypeError',
          message: expect.stringContaining('test/bad') as string
        })
      expect(await rejectionOf(client.callTool({ name: 'bad', arguments: params }))).toMatchObject({ name: 'TypeError' })
      expect(await rejectionOf(client.notify('notifications/bad', params))).toMatchObject({ name: 'TypeError' })
      expect([client.pendingCount, client.queuedCount]).toEqual([others, 0])
    }
    await reject(0)
    await client.connect()
    const others = [client.listTools(), client.discover()]
    await reject(2)
    await Promise.all(others)
    const heard = server.connections[0]!.received.map(({ method }) => method)
    expect(new Set(heard)).toEqual(new Set(['server/discover', 'tools/list']))
    expect(errors).toEqual([])
    expect(client.state).toBe('ready')
  })

  test('A15: that hold undefined, functions or NaN are sent as JSON has them', async () => {
    const server = await useWsServer(({ socket }) => serveMcp('v1', socket))
    const { client } = useClient({ url: server.url })
    await client.connect()
    await client.notify('notifications/x', { gone: undefined, call: () => 1, nan: NaN, list: [undefined, 1] })
    await client.ping()
    expect(server.connections[0]!.received.at(-2)).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/x',
      params: { nan: null, list: [null, 1] }
    })
  })

  test('A16: changed after the call are sent as they were, in every round of a multi-round-trip request', async () => {
    const server = await serve()
    const { client } = useClient({ url: server.url, capabilities: { elicitation: {} } })
    client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { colour: 'red' } }))
    await client.connect()
    const params = { name: 'elicitation', arguments: { note: 'before' } as Record<string, unknown> }
    const call = client.callTool(params)
    params.arguments.note = 'after'
    params.name = 'fail'
    await call
    const calls = server.connections[0]!.received.filter(({ method }) => method === 'tools/call')
    expect(calls.map((each) => ({ name: each.params?.name, arguments: each.params?.arguments }))).toEqual([
      { name: 'elicitation', arguments: { note: 'before' } },
      { name: 'elicitation', arguments: { note: 'before' } }
    ])
  })

  test('A16: changed after the call are sent as they were, when the request is sent again', async () => {
    const server = await useWsServer(({ socket, received }) => {
      serveMcp('v2', socket)
      if (server.connections.length === 1) socket.on('message', () => received.at(-1)?.method === 'tools/call' && socket.terminate())
    })
    const { client } = useClient({ url: server.url, reconnect: QUICK })
    await client.connect()
    const params = { name: 'echo', arguments: { message: 'before' } }
    const call = client.callTool(params, { resend: true })
    params.arguments.message = 'after'
    await nextEvent(client, 'reconnected')
    expect(await call).toMatchObject({ content: [{ text: 'before' }] })
  })
})

describe('providers', () => {
  const never = (): Promise<never> => new Promise(() => undefined)

  test.each<[string, (count: () => void) => Partial<McpWebSocketClientOptions>]>([
    ['url', (count) => ({ url: () => (count(), never()) })],
    ['headers', (count) => ({ headers: () => (count(), never()) })],
    ['token', (count) => ({ auth: { token: () => (count(), never()) } })]
  ])('A17: %s that hangs ends with connectTimeout, and the attempt is retried', async (_name, optionsOf) => {
    let asked = 0
    const server = await useRawServer(() => undefined)
    const { client } = useClient({
      url: server.url,
      connectTimeout: 30,
      reconnect: { ...QUICK, maxRetries: 2 },
      ...optionsOf(() => asked++)
    })
    expect(await rejectionOf(client.connect())).toMatchObject({
      code: 'RETRIES_EXHAUSTED',
      attempts: 3,
      cause: { code: 'CONNECT_TIMEOUT' }
    })
    expect([asked, server.dials.length]).toEqual([3, 0])
  })

  test('A17: a slow one and a slow dial share one connectTimeout', async () => {
    let give: (token: string) => void = () => undefined
    const token = (): Promise<string> => new Promise((resolve) => (give = resolve))
    const rig = useRig({ connectTimeout: 100, auth: { token } })
    watch(rig.client.connect())
    await rig.clock.advance(60)
    give('a-token')
    await settle()
    expect(rig.network.dials).toBe(1)
    await rig.clock.advance(39)
    expect(rig.client.state).toBe('connecting')
    await rig.clock.advance(1)
    expect(rig.states.at(-1)).toMatchObject({ to: 'waiting', closure: { kind: 'timeout' } })
  })

  test('A17: all are asked once for callers of connect() that come together', async () => {
    const server = await serve()
    const asked: string[] = []
    const provide = async <T>(name: string, value: T): Promise<T> => {
      asked.push(name)
      await turn()
      return value
    }
    const { client } = useClient({
      url: () => provide('url', server.url),
      headers: () => provide('headers', { 'x-a': '1' }),
      auth: { token: () => provide('token', 'a-token') }
    })
    const early = [client.connect(), client.connect()]
    await turn()
    await Promise.all([...early, client.connect()])
    expect(asked).toEqual(['url', 'headers', 'token'])
    expect(server.connections).toHaveLength(1)
  })

  test.each([NaN, undefined, null, {}, 'not a url', 'ftp://127.0.0.1/'])(
    'A18: url that gives %j ends the life, as it would give that at the next attempt too',
    async (value) => {
      const { client } = useClient({ url: () => value as string, reconnect: QUICK })
      const failure = { code: 'CONNECT_FAILED', message: expect.stringContaining('the option url failed') as string, retryable: false }
      await expect(client.connect()).rejects.toMatchObject(failure)
      expect(client.stats().attempts).toBe(1)
    }
  )

  test.each<[string, unknown]>([
    ['NaN', NaN],
    ['0', 0],
    ['a string', 'no'],
    ['an object', {}],
    ['a promise', Promise.resolve(false)]
  ])('A18: shouldReconnect that gives %s leaves it to the rules, and the event error tells', async (_what, value) => {
    for (const [code, state] of [
      [1006, 'waiting'],
      [1008, 'failed']
    ] as const) {
      const rig = useRig({ reconnect: { shouldReconnect: () => value as boolean } })
      ;(await rig.legacy()).drop({ code })
      expect(rig.client.state, String(code)).toBe(state)
      expect(rig.errors).toEqual([expect.objectContaining({ message: expect.stringContaining('shouldReconnect') as string })])
    }
  })
})

describe('requests without number', () => {
  const COUNT = 100_000

  test('A20: 100,000 in flight share the timer of one, and each is settled in no time, in any order', async () => {
    const rig = useRig({ maxPending: COUNT })
    const socket = await rig.legacy()
    const first = rig.client.request('test/x')
    const timers = rig.clock.pendingCount
    const calls = [
      first,
      ...Array.from({ length: COUNT - 1 }, (_, n) => rig.client.request('test/x', undefined, { timeout: 1e6 + (n % 997) }))
    ]
    expect([rig.client.pendingCount, rig.clock.pendingCount]).toEqual([COUNT, timers])
    const ids = socket.sent.flatMap(({ id, method }) => (method === 'test/x' ? [id] : []))
    // Last come, first served: a table that searches would take minutes.
    for (const id of ids.reverse()) socket.deliver({ jsonrpc: '2.0', id, result: {} })
    await Promise.all(calls)
    expect(rig.client.pendingCount).toBe(0)
    expect(rig.clock.pendingCount).toBeLessThanOrEqual(timers)
  })

  test('A20: 20,000 in the outbox share the timer of one, and time out one by one', async () => {
    const most = COUNT / 5
    const rig = useRig({ maxPending: most, outbox: { maxMessages: most } })
    let timedOut = 0
    for (let n = 0; n < most; n++) rig.client.request('test/x', undefined, { timeout: 1050 - (n % 50) }).catch(() => timedOut++)
    expect([rig.client.queuedCount, rig.clock.pendingCount]).toEqual([most, 1])
    await rig.clock.advance(1050)
    expect([timedOut, rig.client.queuedCount, rig.client.pendingCount, rig.clock.pendingCount]).toEqual([most, 0, 0, 0])
  })
})

describe('a program', () => {
  const script = (): Promise<string> => bundle(new URL('./programs/api.ts', import.meta.url))

  test('A21: that forgets its client ends by itself with unref: true', async () => {
    const server = await serve()
    const child = useChild(await script(), [server.url, 'unref'])
    expect(await child.nextLine()).toBe('done')
    expect([await child.gone, child.complaints]).toEqual([0, ''])
  })

  test('A21: that forgets its client goes on without unref', async () => {
    const server = await serve()
    const child = useChild(await script(), [server.url, 'forget'])
    expect(await child.nextLine()).toBe('done')
    expect(await Promise.race([child.gone, pause(300).then(() => 'alive')])).toBe('alive')
    expect(server.openCount).toBe(1)
  })

  test('A26: that never looks at what becomes of notifications, and closes, ends well', async () => {
    const server = await serve()
    const child = useChild(await script(), [server.url, 'tell'])
    expect([await child.gone, child.complaints, child.lines]).toEqual([0, '', ['done']])
  })

  test('A26: that never looks at what becomes of requests, and closes, meets each rejection once', async () => {
    const server = await serve()
    const child = useChild(await script(), [server.url, 'ask'])
    const { expected, reasons } = JSON.parse(await child.nextLine()) as { expected: number; reasons: string[] }
    expect(reasons).toEqual(Array.from({ length: expected }, () => 'CLOSED'))
  })
})

test('A22: where there is no WebSocket the constructor says so, and what to do', async () => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../../src/index.ts', import.meta.url))],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'iife',
    globalName: 'sdk',
    logLevel: 'silent'
  })
  // An engine of its own, with nothing but the language and these.
  const engine = createContext({ URL, TextEncoder, TextDecoder, AbortController, setTimeout, clearTimeout, performance, crypto })
  runInContext(outputFiles[0]!.text, engine)
  const construct = (more: string): unknown =>
    runInContext(
      `try { new sdk.McpWebSocketClient({ url: 'ws://127.0.0.1/ws', ${more} }).state } catch (e) { ({ name: e.name, message: e.message }) }`,
      engine
    )
  expect(construct('')).toEqual({ name: 'TypeError', message: 'WebSocket must be given: this engine has none' })
  expect(construct('WebSocket: class {}')).toBe('idle')
})

describe('a server that does not read', () => {
  const LIMIT = 8 * 2 ** 20
  const FRAME = 2 ** 18

  test(
    'A23: fills no memory: what does not fit waits, then rejects, and all goes on when it reads again',
    { timeout: 30_000 },
    async () => {
      const { sockets, WebSocket } = spyOnSockets()
      const server = await serve()
      const { client, states } = useClient({
        url: server.url,
        outbox: { maxBytes: LIMIT },
        heartbeat: false,
        WebSocket
      })
      await client.connect()
      const connection = server.connections[0]!
      connection.socket.pause()

      const accepted: number[] = []
      let full: unknown
      // The system holds some megabytes of its own.
      for (let n = 0; full === undefined && n < 1000; n++) {
        await client.notify('notifications/x', { n, filler: 'x'.repeat(FRAME) }).then(
          () => accepted.push(n),
          (error: unknown) => (full = error)
        )
        await turn()
        expect(sockets[0]!.bufferedAmount).toBeLessThan(LIMIT + 2 * FRAME)
      }
      expect(full).toMatchObject({ name: 'QueueFullError', code: 'QUEUE_FULL', delivery: 'not-sent', retryable: true })
      const large = client.callTool({ name: 'echo', arguments: { message: 'x'.repeat(FRAME) } })
      expect(await rejectionOf(large)).toMatchObject({ code: 'QUEUE_FULL', delivery: 'not-sent' })
      expect(client).toMatchObject({ state: 'ready', pendingCount: 0 })
      expect(client.queuedCount).toBeLessThanOrEqual(LIMIT / FRAME)
      expect(accepted.length).toBeGreaterThan(LIMIT / FRAME / 2)

      connection.socket.resume()
      await until(() => client.queuedCount === 0 && sockets[0]!.bufferedAmount === 0, 'everything has left')
      expect(await client.callTool({ name: 'echo', arguments: { message: 'on' } })).toMatchObject({ content: [{ text: 'on' }] })
      const arrived = connection.received.flatMap(({ method, params }) => (method === 'notifications/x' ? [params?.n] : []))
      expect(arrived).toEqual(accepted)
      expect(states.map(({ to }) => to)).toEqual(['connecting', 'initializing', 'ready'])
    }
  )

  test('A23: a message that alone is larger than the outbox is sent all the same, when nothing is before it', async () => {
    const server = await serve()
    const { client } = useClient({ url: server.url, outbox: { maxBytes: 1000 } })
    await client.connect()
    const message = 'x'.repeat(1.5 * LIMIT)
    expect(await client.callTool({ name: 'echo', arguments: { message } })).toMatchObject({ content: [{ text: message }] })
  })
})

describe('a socket that the server is about to close', () => {
  /** A client whose socket has got the close frame, while the stream behind it is still there. */
  async function closing(code: number): Promise<{ client: McpWebSocketClient; dial: Dial; peers: RawPeer[] }> {
    const { sockets, WebSocket } = spyOnSockets()
    const peers: RawPeer[] = []
    const server = await useRawServer((dial) => {
      const peer = acceptDial(dial)
      peers.push(peer)
      peer.serveHandshake()
      dial.socket.on('data', () => peer.frames.some(({ opcode }) => opcode === OPCODE.close) && dial.socket.end(closeFrame(1000)))
    })
    const { client } = useClient({ url: server.url, reconnect: QUICK, closeTimeout: 5000, WebSocket })
    await client.connect()
    await peers[0]!.next('notifications/initialized')
    const dial = server.dials[0]!
    // It would hang up when it hears that the client did.
    dial.socket.pause()
    peers[0]!.write(closeFrame(code))
    await until(() => sockets[0]!.readyState === Ws.CLOSING, 'the close frame arrives')
    return { client, dial, peers }
  }

  test('A24: gets nothing more: requests and notifications wait, and go out after the reconnect', async () => {
    const { client, dial, peers } = await closing(1012)
    const { sent } = client.stats()
    const call = client.callTool({ name: 'late' })
    await client.notify('notifications/late')
    expect(client).toMatchObject({ pendingCount: 1, queuedCount: 2 })
    expect(client.stats().sent).toBe(sent)
    dial.socket.end()
    await until(() => peers.length === 2, 'the client dials again')
    const { id } = await peers[1]!.next('tools/call')
    await peers[1]!.next('notifications/late')
    peers[1]!.write(textFrame({ id, result: { content: [] } }))
    expect(await call).toEqual({ content: [] })
    expect(client.stats()).toMatchObject({ resent: 0, lost: 0 })
  })

  test('A24: leads to the end of the life: what waits is known to be not sent', async () => {
    const { client, dial } = await closing(1008)
    const call = rejectionOf(client.callTool({ name: 'late' }))
    dial.socket.end()
    expect(await call).toMatchObject({ code: 'CONNECTION_LOST', delivery: 'not-sent', closure: { code: 1008 } })
    expect(client.state).toBe('failed')
  })

  test('A24: and the client that is closed then, or the request that times out, is known to be not sent', async () => {
    const { client, dial } = await closing(1012)
    expect(await rejectionOf(client.callTool({ name: 'late' }, { timeout: 20 }))).toMatchObject({
      code: 'REQUEST_TIMEOUT',
      delivery: 'not-sent'
    })
    const call = rejectionOf(client.callTool({ name: 'late' }))
    const closed = client.close()
    expect(await call).toMatchObject({ code: 'CLOSED', delivery: 'not-sent' })
    dial.socket.end()
    await closed
  })
})
