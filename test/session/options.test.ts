import { describe, expect, it } from 'vitest'
import { McpWebSocketClient } from '../../src/client/client.js'
import { resolveClientOptions, type ClientConfig } from '../../src/session/options.js'
import { WebSocketClientTransport } from '../../src/transport/index.js'
import { becomeLegacy, FakeNetwork } from '../helpers/fake-network.js'
import { FakeClock, settle } from '../helpers/fake-clock.js'

/** Options as a program without types may pass them. */
type Wrong = Record<string, unknown>

const construct = (options: Wrong): McpWebSocketClient =>
  new McpWebSocketClient(
    { url: 'wss://example.com/ws', ...options },
    {
      clock: new FakeClock(),
      openSocket: new FakeNetwork().openSocket
    }
  )

/** An object of options with one of them, which may be nested, set. */
function set(path: string, value: unknown): Wrong {
  const [outer, inner] = path.split('.') as [string, string?]
  return inner === undefined ? { [outer]: value } : { [outer]: { [inner]: value } }
}

const NUMBERS = [0, -1, NaN, '5', {}]
const DURATIONS = [
  'connectTimeout',
  'handshakeTimeout',
  'probeTimeout',
  'closeTimeout',
  'requestTimeout',
  'reconnect.initialDelay',
  'reconnect.maxDelay',
  'reconnect.resetAfter',
  'heartbeat.interval',
  'heartbeat.timeout'
]
const COUNTS = ['maxMessageBytes', 'maxPending']

it.each([undefined, null, 5, []])('%j in place of the options throws a TypeError', (options) => {
  expect(() => new McpWebSocketClient(options as never)).toThrow(/^options must be an object$/)
})

it('the URL in place of the options is told where it belongs', () => {
  expect(() => new McpWebSocketClient('wss://example.com/ws' as never)).toThrow(new TypeError("options must be an object: { url: '…' }"))
})

it('options without a url lack it', () => {
  expect(() => new McpWebSocketClient({} as never)).toThrow(new TypeError('url must be given'))
})

describe('a wrong value of an option', () => {
  const cases: [string, unknown][] = [
    ...DURATIONS.flatMap((option): [string, unknown][] => NUMBERS.map((value) => [option, value])),
    ...COUNTS.flatMap((option): [string, unknown][] => [...NUMBERS, 1.5, Infinity].map((value) => [option, value])),
    ...['outbox.maxMessages', 'outbox.maxBytes', 'reconnect.maxRetries'].flatMap((option): [string, unknown][] =>
      [-1, NaN, 1.5, '5'].map((value) => [option, value])
    ),
    ...[0, 0.5, -1, NaN, Infinity, '2'].map((value): [string, unknown] => ['reconnect.growFactor', value]),
    ['url', undefined],
    ['url', ''],
    ['url', '/ws'],
    ['url', 'ftp://example.com'],
    ['url', 5],
    ['protocol', 'new'],
    ['protocol', 5],
    ['resend', 'always'],
    ['resend', true],
    ['onMissingSubprotocol', 'ignore'],
    ['subprotocols', ['a b']],
    ['subprotocols', ['']],
    ['subprotocols', ['a,b']],
    ['auth.token', ''],
    ['auth.token', undefined],
    ['auth.token', 5],
    ['reconnect.shouldReconnect', true],
    ['trace', 'yes']
  ]

  it.each(cases)('is a TypeError that names it: %s = %j', (option, value) => {
    expect(() => construct(set(option, value))).toThrow(TypeError)
    expect(() => construct(set(option, value))).toThrow(new RegExp(`\\b${option.replace('.', '\\.')}\\b`))
  })

  it.each(['query', 5])('is a TypeError that names it: auth.via = %j', (via) => {
    expect(() => construct({ auth: { token: 'secret-token', via } })).toThrow(/auth\.via/)
  })

  it.each([
    ['clientInfo', 'me'],
    ['clientInfo', { version: '1' }],
    ['capabilities', 'all'],
    ['auth', 'secret-token'],
    ['auth.allowInsecure', 'yes'],
    ['headers', 'a: b'],
    ['subprotocols', 'mcp'],
    ['offer', 'mcp'],
    ['offer', ['a b']],
    ['offer', ['mcp', 'mcp']],
    ['headers', { 'x-key': 'secret-value\n' }],
    ['headers', [['x-key', 5]]],
    ['subprotocols', 5],
    ['subprotocols', [5]],
    ['reconnect', true],
    ['reconnect', 5],
    ['reconnect.jitter', 'full'],
    ['heartbeat', true],
    ['heartbeat', 30_000],
    ['outbox', true],
    ['outbox', 1000],
    ['perMessageDeflate', 'yes'],
    ['unref', 'yes'],
    ['tls', true],
    ['agent', 'proxy'],
    ['WebSocket', {}],
    ['WebSocket', 'ws']
  ])('is a TypeError that names it, also where it is of the wrong kind: %s = %j', (option, value) => {
    const nested = option.startsWith('auth.')
      ? { auth: { token: 'secret-token', ...(set(option, value).auth as object) } }
      : set(option, value)
    expect(() => construct(nested)).toThrow(TypeError)
    expect(() => construct(nested)).toThrow(new RegExp(`\\b${option.replace('.', '\\.')}\\b`))
  })

  it('shows no secret', () => {
    expect(() => construct({ url: 'ftp://user:hunter22@example.com/?token=secret-token' })).toThrow(
      expect.objectContaining({ message: expect.not.stringMatching(/hunter22|secret-token/) as string }) as Error
    )
  })
})

describe('an unknown option', () => {
  const wrong: [Wrong, string][] = [
    [{ reconnects: false }, 'unknown option reconnects: did you mean reconnect?'],
    [{ maxRetries: 3 }, 'unknown option maxRetries: did you mean reconnect.maxRetries?'],
    [{ reconnect: { maxretries: 3 } }, 'unknown option reconnect.maxretries: did you mean reconnect.maxRetries?'],
    [{ heartbeat: { intervall: 3 } }, 'unknown option heartbeat.intervall: did you mean heartbeat.interval?'],
    [{ outbox: { maxMessage: 3 } }, 'unknown option outbox.maxMessage: did you mean outbox.maxMessages?'],
    [{ auth: { token: 'secret-token', allowInsecur: true } }, 'unknown option auth.allowInsecur: did you mean auth.allowInsecure?'],
    [{ header: { 'x-key': 'secret-token' } }, 'unknown option header: did you mean headers?']
  ]

  it.each(['timeout', 'delay'])('such as %s, like which several others end, is like none', (name) => {
    expect(() => construct({ [name]: 1 })).toThrow(new TypeError(`unknown option ${name}`))
  })

  it.each(wrong)('of the client is named, with the nearest one: %j', (options, message) => {
    expect(() => construct(options)).toThrow(new TypeError(message))
  })

  it.each(wrong)('of the transport is named, with the nearest one: %j', (options, message) => {
    expect(() => new WebSocketClientTransport('wss://example.com/ws', options)).toThrow(new TypeError(message))
  })

  it.each(['url', 'clientInfo', 'capabilities', 'protocol', 'probeTimeout', 'requestTimeout'])(
    'of the transport is also what it would ignore: %s',
    (name) => {
      expect(() => new WebSocketClientTransport('wss://example.com/ws', { [name]: undefined })).toThrow(`unknown option ${name}`)
    }
  )

  it('may be among what is handed on as it is', () => {
    const clientInfo = { name: 'a', version: '1', title: 'A', icons: [] }
    expect(() => construct({ clientInfo, capabilities: { experimental: { a: {} } }, tls: { pfx: 'a' }, agent: { a: 1 } })).not.toThrow()
  })
})

describe('a right value of an option', () => {
  it.each<[string, unknown]>([
    ['url', new URL('https://example.com')],
    ['url', () => 'anything'],
    ['requestTimeout', Infinity],
    ['reconnect', false],
    ['reconnect.maxRetries', 0],
    ['reconnect.maxRetries', Infinity],
    ['reconnect.growFactor', 1],
    ['heartbeat', false],
    ['outbox', false],
    ['outbox.maxMessages', 0],
    ['resend', 'never'],
    ['resend', () => true],
    ['subprotocols', ['mcp', 'a.b+c']],
    ['offer', ['mcp']],
    ['offer', []],
    ['headers', new Map([['x-key', 'a']])],
    ['headers', () => ({})],
    ['connectTimeout', undefined],
    ['heartbeat', undefined]
  ])('is taken: %s = %j', (option, value) => {
    expect(() => construct(set(option, value))).not.toThrow()
  })

  it('is not evaluated at construction when it is a function', () => {
    const never = (): never => {
      throw new Error('called')
    }
    expect(() => construct({ url: never, headers: never, auth: { token: never } })).not.toThrow()
  })

  it('merges with the defaults where it is nested', async () => {
    const clock = new FakeClock()
    const network = new FakeNetwork()
    const client = new McpWebSocketClient(
      { url: 'ws://127.0.0.1/', heartbeat: { interval: 100 }, reconnect: { jitter: false } },
      { clock, openSocket: network.openSocket }
    )
    const connected = client.connect()
    const socket = await becomeLegacy(network)
    await connected
    await clock.advance(100)
    expect(socket.pings).toBe(1)
    await clock.advance(9999)
    expect(client.state).toBe('ready')
    const delays: unknown[] = []
    client.on('state', ({ delay }) => delays.push(delay))
    await clock.advance(1)
    expect(delays).toEqual([1000])
    await client.close()
  })
})

it('an offer stands in place of the subprotocols, so that both are one too many', () => {
  expect(() => construct({ offer: ['mcp'], subprotocols: ['other'] })).toThrow('offer is the whole list: leave subprotocols and resume out')
  expect(() => construct({ offer: ['mcp'], subprotocols: [] })).not.toThrow()
})

describe('an engine that cannot set headers', () => {
  class Plain {
    readonly binaryType = 'blob'
  }

  it('needs auth.via', () => {
    expect(() => construct({ WebSocket: Plain, auth: { token: 'secret-token' } })).toThrow(TypeError)
    expect(() => construct({ WebSocket: Plain, auth: { token: 'secret-token' } })).toThrow(/auth\.via.*subprotocol/)
    expect(() => construct({ WebSocket: Plain, auth: { token: 'secret-token', via: 'header' } })).toThrow(/auth\.via/)
  })

  it('takes a token among the subprotocols', () => {
    expect(() => construct({ WebSocket: Plain, auth: { token: 'secret-token', via: 'subprotocol' } })).not.toThrow()
  })

  it.each<[what: string, offer: Wrong, dials: number]>([
    ['that holds names only', { offer: ['mcp'] }, 2],
    ['that holds a token', { offer: ['mcp', 'mcp.auth.secret-token'] }, 1],
    ['whose further subprotocols hold a token', { subprotocols: ['mcp.auth.secret-token'] }, 1],
    ['that is empty', { offer: [] }, 1]
  ])('gives up an offer %s for one more dial only if that can help', async (_what, offer, dials) => {
    const network = new FakeNetwork()
    const client = new McpWebSocketClient(
      { url: 'wss://example.com/', WebSocket: Plain, onMissingSubprotocol: 'accept', ...offer },
      { clock: new FakeClock(), openSocket: network.openSocket }
    )
    client.connect().catch(() => undefined)
    ;(await network.last()).drop({ kind: 'network', code: undefined })
    await settle()
    expect(network.dials).toBe(dials)
    await client.close()
  })

  it('takes no headers', () => {
    expect(() => construct({ WebSocket: Plain, headers: { a: 'b' } })).toThrow(TypeError)
    expect(() => construct({ WebSocket: Plain, headers: { a: 'b' } })).toThrow(/headers/)
  })

  it('is known by its class, which may imitate ws', () => {
    class WithOn {
      on(): void {
        // As ws has it.
      }
    }
    expect(() => construct({ WebSocket: WithOn, auth: { token: 'secret-token' }, headers: { a: 'b' } })).not.toThrow()
  })
})

describe('what a socket is given', () => {
  it('are the options that concern it', async () => {
    const network = new FakeNetwork()
    class Other {
      on(): void {
        // As ws has it.
      }
    }
    const agent = { an: 'agent' }
    const client = new McpWebSocketClient(
      {
        url: 'wss://example.com/',
        WebSocket: Other,
        agent,
        tls: { servername: 'x' },
        perMessageDeflate: true,
        maxMessageBytes: 5,
        closeTimeout: 7,
        onMissingSubprotocol: 'accept'
      },
      { clock: new FakeClock(), openSocket: network.openSocket }
    )
    client.connect().catch(() => undefined)
    expect((await network.last()).options).toMatchObject({
      WebSocket: Other,
      agent,
      tls: { servername: 'x' },
      perMessageDeflate: true,
      maxMessageBytes: 5,
      closeTimeout: 7,
      onMissingSubprotocol: 'accept'
    })
    await client.close()
  })

  it('are the defaults otherwise', async () => {
    const network = new FakeNetwork()
    const client = new McpWebSocketClient({ url: 'wss://example.com/' }, { clock: new FakeClock(), openSocket: network.openSocket })
    client.connect().catch(() => undefined)
    expect((await network.last()).options).toMatchObject({
      perMessageDeflate: false,
      maxMessageBytes: 16 * 2 ** 20,
      onMissingSubprotocol: 'fail'
    })
    await client.close()
  })
})

describe('what a client makes of its options', () => {
  const resolve = (options: Wrong = {}): ClientConfig =>
    resolveClientOptions({ url: 'wss://example.com/ws', ...options }, { clock: new FakeClock(), openSocket: new FakeNetwork().openSocket })
  const json = { parse: JSON.parse, stringify: JSON.stringify }

  it.each([
    ['json', {}, json],
    ['json', { ...json, parse: 1 }, json],
    ['json', { ...json, stringify: undefined }, json],
    ['json', 'JSON', json],
    ['clientInfo', { name: 'a' }, { name: 'a', version: '1', title: 'A' }],
    ['clientInfo', { version: '1' }, { name: 'a', version: '1' }],
    ['headers', 'a: b', { a: 'b' }]
  ])('refuses %s: %j', (name, wrong, right) => {
    expect(() => resolve({ [name]: wrong })).toThrow(new RegExp(`^${name} must be an object`))
    expect(() => resolve({ [name]: right })).not.toThrow()
  })

  it('leaves half of the handshake to the other era', () => {
    expect(resolve().session.probeTimeout).toBe(3000)
    expect(resolve({ handshakeTimeout: 4000 }).session.probeTimeout).toBe(2000)
  })

  it('lets as much wait in the socket as in the outbox, and 8 MiB at least', () => {
    const buffered = (outbox: unknown): number => resolve({ outbox }).session.connection.maxBuffered
    expect([buffered(false), buffered({ maxBytes: 5 }), buffered({ maxBytes: 2 ** 24 })]).toEqual([2 ** 23, 2 ** 23, 2 ** 24])
  })

  it('asks a function for another token, and nothing else', () => {
    const isRefreshable = (options: Wrong): boolean => resolve(options).session.connection.refreshable
    expect([isRefreshable({}), isRefreshable({ auth: { token: 'a' } }), isRefreshable({ auth: { token: () => 'a' } })]).toEqual([
      false,
      false,
      true
    ])
  })

  it('retries as a client with the default settings would, but never, with reconnect: false', () => {
    const { retry } = resolve().session.connection
    expect(retry.enabled).toBe(true)
    expect(resolve({ reconnect: false }).session.connection.retry).toEqual({ ...retry, enabled: false })
  })

  it('dials without sessions, and then without subprotocols, where that can help and no token would get lost', () => {
    const offer = ['mcp.v1', 'mcp.v1.resume']
    const redials = (options: Wrong): unknown[] =>
      resolve(options).session.connection.fallbacks.map(({ redial, reduce }) => [redial, reduce(offer)])
    const accept = { onMissingSubprotocol: 'accept' }
    const token = { auth: { token: 'abcdef', via: 'subprotocol' } }
    expect(redials({})).toEqual([])
    expect(redials({ resume: true })).toEqual([['resume', ['mcp.v1']]])
    expect(redials(accept)).toEqual([['protocols', []]])
    expect(redials({ ...accept, resume: true })).toEqual([
      ['resume', ['mcp.v1']],
      ['protocols', []]
    ])
    expect(redials({ ...accept, ...token })).toEqual([])
    expect(redials({ ...accept, subprotocols: ['mcp.bearer.abc'] })).toEqual([])
    expect(redials({ ...accept, offer: [] })).toEqual([])
  })

  it('dials without sessions after an upgrade that was rejected, and not after one that was accepted', () => {
    const [fallback] = resolve({ resume: true }).session.connection.fallbacks
    expect(fallback?.isWorthIt({ kind: 'http', status: 400, wasClean: false, everReady: false })).toBe(true)
    expect(fallback?.isWorthIt({ kind: 'heartbeat', wasClean: false, everReady: false })).toBe(false)
  })
})
