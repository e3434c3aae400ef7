import { describe, expect, test } from 'vitest'
import type { Closure, McpWebSocketClientOptions, StateChange } from '../../src/index.js'
import { everythingShown } from '../helpers/everything-shown.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { useClient, type Observed } from '../helpers/use-client.js'
import type { Frame } from '../helpers/ws-server.js'
import { useRawServer, type Dial, type RawServer } from './kit/raw-server.js'
import { acceptDial, closeFrame, frame, OPCODE, textFrame, type RawPeer } from './kit/wire.js'

// Every frame is written by hand: no library sends the codes that must not be on the wire.

const QUICK = { initialDelay: 5, maxDelay: 10, jitter: false } as const
/** Retries later than any test lasts. */
const LATE = { initialDelay: 60_000, maxDelay: 60_000, jitter: false } as const

/** How a server ends a connection. */
type End = (dial: Dial, peer: RawPeer) => void

/** Writes the bytes and hangs up, as servers do after a closing handshake. */
const sayAndEnd =
  (...bytes: Buffer[]): End =>
  ({ socket }, peer) => {
    peer.write(...bytes)
    socket.end()
  }

const close = (code: number, reason?: string): End => sayAndEnd(closeFrame(code, reason))

/** Takes part in the client's closing handshake, so that no test waits for `closeTimeout`. */
function echoClose(dial: Dial, peer: RawPeer): void {
  dial.socket.on('data', () => {
    if (peer.frames.some(({ opcode }) => opcode === OPCODE.close)) close(1000)(dial, peer)
  })
}

/**
 * Serves MCP on every dial; the first one ends as given when the client is ready, or at the first message of the handshake.
 * @param peers - Takes the server's ends of the dials.
 */
async function useEndingServer(end: End, when: 'ready' | 'handshake' = 'ready', peers: RawPeer[] = []): Promise<RawServer> {
  return useRawServer((dial) => {
    const peer = acceptDial(dial)
    peers.push(peer)
    const first = peers.length === 1
    if (!first || when === 'ready') peer.serveHandshake()
    if (!first) echoClose(dial, peer)
    if (first && when === 'ready') void peer.next('notifications/initialized').then(() => end(dial, peer))
    if (first && when === 'handshake') dial.socket.once('data', () => end(dial, peer))
  })
}

/** What the state that the loss led to said: `waiting` or `failed`. */
const fateOf = ({ states }: Observed): StateChange | undefined => states.find(({ to }) => to === 'waiting' || to === 'failed')

/** A client whose first connection ended as given, after it was ready. */
async function lose(
  end: End,
  options: Partial<McpWebSocketClientOptions> = {}
): Promise<Observed & { server: RawServer; fate: StateChange }> {
  const server = await useEndingServer(end)
  const observed = useClient({ url: server.url, reconnect: LATE, ...options })
  const { client } = observed
  await client.connect()
  await until(() => fateOf(observed) !== undefined, 'the end of the connection is noticed')
  return { ...observed, server, fate: fateOf(observed)! }
}

const RETRIED = [1000, 1001, 1009, 1011, 1012, 1013, 1014, 3000, 3003, 3008, 3999, 4000, 4399, 4401, 4408, 4429, 4500, 4599, 4999]
const FATAL = [1002, 1003, 1007, 1008, 1010, 4400, 4402, 4403, 4404, 4406, 4407, 4409, 4410, 4428, 4430, 4499]
const ILLEGAL = [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, 65_535]

describe('a close frame on a connection that was ready', () => {
  test.each(RETRIED)('C: %i is followed by a reconnect, after a delay', async (code) => {
    const server = await useEndingServer(close(code, 'so long'))
    const observed = useClient({ url: server.url, reconnect: QUICK })
    const reconnected = nextEvent(observed.client, 'reconnected')
    await observed.client.connect()
    expect(await reconnected).toMatchObject({ attempts: 1 })
    const closure: Closure = { kind: 'close', code, reason: 'so long', wasClean: true, everReady: true }
    expect(fateOf(observed)).toMatchObject({ from: 'ready', to: 'waiting', closure })
    expect(fateOf(observed)?.delay).toBeGreaterThanOrEqual(5)
    expect(server.dials).toHaveLength(2)
    expect(observed.errors).toEqual([])
  })

  test.each(FATAL)('C: %i is fatal', async (code) => {
    const { client, server, fate } = await lose(close(code, 'so long'), { reconnect: QUICK })
    const closure: Closure = { kind: 'close', code, reason: 'so long', wasClean: true, everReady: true }
    expect(fate).toMatchObject({ to: 'failed', error: { name: 'ConnectionLostError', code: 'CONNECTION_LOST', retryable: false, closure } })
    expect(fate.error?.message).toContain(String(code))
    await until(() => server.dials[0]!.socket.destroyed, 'the client hangs up')
    expect([client.state, server.dials.length]).toEqual(['failed', 1])
  })

  test.each(ILLEGAL)('C: %i, which is illegal on the wire, breaks the protocol: fatal as 1002', async (code) => {
    const { fate } = await lose(close(code), { reconnect: QUICK })
    const closure = { kind: 'close', code: 1002, reason: expect.stringContaining('WS_ERR_INVALID_CLOSE_CODE') as string, wasClean: false }
    expect(fate).toMatchObject({ to: 'failed', closure, error: { code: 'CONNECTION_LOST', retryable: false } })
  })

  test.each<[string, Buffer, number]>([
    ['a payload of one byte', frame(OPCODE.close, Buffer.from([3])), 1002],
    ['a reason of 124 bytes', closeFrame(1000, 'x'.repeat(124)), 1002],
    ['a reason that is not UTF-8', frame(OPCODE.close, Buffer.from([0x03, 0xe8, 0xff, 0xfe])), 1007],
    ['two frames', frame(OPCODE.close, Buffer.from([0x03, 0xe8]), { fin: false }), 1002],
    ['a mask', frame(OPCODE.close, Buffer.from([0x03, 0xe8]), { mask: true }), 1002]
  ])('C: with %s it breaks the protocol, and is fatal', async (_what, bytes, code) => {
    const { fate } = await lose(sayAndEnd(bytes), { reconnect: QUICK })
    expect(fate).toMatchObject({ to: 'failed', closure: { kind: 'close', code, wasClean: false }, error: { code: 'CONNECTION_LOST' } })
  })

  test('C: without a code is 1005, and followed by a reconnect', async () => {
    const { fate } = await lose(sayAndEnd(frame(OPCODE.close, '')))
    expect(fate).toMatchObject({ to: 'waiting', closure: { kind: 'close', code: 1005, reason: '', wasClean: true } })
  })

  test('C: everything before it arrives, what comes behind it does not', async () => {
    const told = (n: number): Buffer => textFrame({ method: 'notifications/message', params: { n } })
    const { notifications, fate, errors } = await lose(sayAndEnd(told(1), told(2), closeFrame(1001), told(3), closeFrame(1008)))
    expect(notifications.map(({ params }) => params?.n)).toEqual([1, 2])
    expect(fate).toMatchObject({ to: 'waiting', closure: { code: 1001, wasClean: true } })
    expect(errors).toEqual([])
  })
})

describe('a close frame in the handshake', () => {
  test.each(RETRIED)('C: %i is followed by another dial', async (code) => {
    const server = await useEndingServer(close(code), 'handshake')
    const observed = useClient({ url: server.url, protocol: 'legacy', reconnect: QUICK })
    await observed.client.connect()
    expect(fateOf(observed)).toMatchObject({ from: 'initializing', to: 'waiting', closure: { code, everReady: false, wasClean: true } })
    expect(server.dials).toHaveLength(2)
  })

  test.each([...FATAL, ...ILLEGAL])('C: %i is fatal', async (code) => {
    const server = await useEndingServer(close(code), 'handshake')
    const { client } = useClient({ url: server.url, protocol: 'legacy', reconnect: QUICK })
    const known = FATAL.includes(code) ? code : 1002
    const failure = {
      name: 'ConnectionLostError',
      code: 'CONNECTION_LOST',
      retryable: false,
      delivery: 'not-sent',
      closure: { code: known }
    }
    expect(await rejectionOf(client.connect())).toMatchObject(failure)
    expect([client.state, server.dials.length]).toEqual(['failed', 1])
  })

  test.each([1000, 1002, 1008, 1011, 4400])(
    'C: %i in response to the probe of the era is a server that knows only the legacy one: dialled at once',
    async (code) => {
      const peers: RawPeer[] = []
      const server = await useEndingServer(close(code), 'handshake', peers)
      const { client, states } = useClient({ url: server.url, reconnect: false })
      await client.connect()
      expect(client.era).toBe('legacy')
      expect(states.map(({ to }) => to)).not.toContain('waiting')
      expect(methodsOf(peers[1])[0]).toBe('initialize')
    }
  )

  test.each([
    [3000, 'waiting'],
    [4401, 'waiting'],
    [4403, 'failed']
  ])('C: %i in response to the probe of the era says nothing about it: %s', async (code, to) => {
    const server = await useEndingServer(close(code), 'handshake')
    const observed = useClient({ url: server.url, reconnect: LATE })
    observed.client.connect().catch(() => undefined)
    await until(() => fateOf(observed) !== undefined, 'the end of the connection is noticed')
    expect(fateOf(observed)).toMatchObject({ to, closure: { code } })
    expect(server.dials).toHaveLength(1)
  })
})

describe('whether a connection ended cleanly', () => {
  const END: Closure = { kind: 'close', code: 1006, reason: '', wasClean: false, everReady: true }

  test.each<[string, End, Partial<Closure>]>([
    ['after a closing handshake it did', close(1001, 'bye'), { code: 1001, reason: 'bye', wasClean: true }],
    ['without a close frame it did not: 1006', ({ socket }) => socket.end(), {}],
    ['after a reset it did not: 1006', ({ socket }) => socket.resetAndDestroy(), {}],
    ['in the middle of a frame it did not: 1006', sayAndEnd(textFrame('{}', { claims: 100 })), {}],
    ['in the middle of a close frame it did not: 1006', sayAndEnd(closeFrame(1001, 'going away').subarray(0, 6)), {}]
  ])('C: %s', async (_what, end, facts) => {
    const { fate } = await lose(end)
    expect(fate.to).toBe('waiting')
    expect(fate.closure).toMatchObject({ ...END, ...facts, error: { code: 'CONNECTION_LOST' } })
  })
})

describe('faults that this side finds', () => {
  const CASES: [string, Buffer, number, string][] = [
    ['text that is not UTF-8', frame(OPCODE.text, Buffer.from([0xff, 0xfe])), 1007, 'WS_ERR_INVALID_UTF8'],
    ['a masked frame', textFrame('{}', { mask: true }), 1002, 'WS_ERR_UNEXPECTED_MASK'],
    ['a reserved bit', textFrame('{}', { rsv: 4 }), 1002, 'WS_ERR_UNEXPECTED_RSV_1'],
    ['a reserved opcode', frame(3, '{}'), 1002, 'WS_ERR_INVALID_OPCODE'],
    ['a continuation of nothing', frame(OPCODE.continuation, '{}'), 1002, 'WS_ERR_INVALID_OPCODE'],
    ['a ping in two frames', frame(OPCODE.ping, '', { fin: false }), 1002, 'WS_ERR_EXPECTED_FIN'],
    ['a ping of 126 bytes', frame(OPCODE.ping, 'x'.repeat(126)), 1002, 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH']
  ]

  test.each(CASES)('C: %s is no broken network: fatal', async (_what, bytes, code, name) => {
    const { fate, server } = await lose((_dial, peer) => peer.write(bytes), { reconnect: QUICK })
    expect(fate).toMatchObject({
      to: 'failed',
      closure: { kind: 'close', code, wasClean: false, reason: expect.stringContaining(name) as string }
    })
    expect(server.dials).toHaveLength(1)
  })

  test('C: a message beyond maxMessageBytes is 1009, and followed by a reconnect', async () => {
    const { fate } = await lose((_dial, peer) => peer.write(textFrame('x'.repeat(2000))), { maxMessageBytes: 1000 })
    expect(fate).toMatchObject({ to: 'waiting', closure: { kind: 'close', code: 1009, wasClean: false } })
    expect(fate.closure?.reason).toContain('maxMessageBytes')
  })
})

test('C: 1009 fails the largest request in flight and never repeats it; the others fare as after any loss', async () => {
  const peers: RawPeer[] = []
  const server = await useRawServer((dial) => {
    const peer = acceptDial(dial)
    peers.push(peer)
    peer.serveHandshake()
    if (peers.length === 1) void peer.next('prompts/list').then(() => close(1009, 'too big')(dial, peer))
    else echoClose(dial, peer)
    if (peers.length > 1) void peer.next('prompts/list').then(({ id }) => peer.write(textFrame({ id, result: { prompts: [] } })))
  })
  const { client } = useClient({ url: server.url, reconnect: QUICK })
  await client.connect()
  const large = rejectionOf(client.callTool({ name: 'x'.repeat(5000) }, { resend: true }))
  const small = rejectionOf(client.callTool({ name: 'small' }))
  const allowed = client.callTool({ name: 'allowed' }, { resend: true })
  const list = client.listPrompts()
  expect(await large).toMatchObject({ name: 'ConnectionLostError', code: 'MESSAGE_TOO_LARGE', retryable: false, delivery: 'unknown' })
  expect(await small).toMatchObject({ code: 'CONNECTION_LOST', delivery: 'unknown', closure: { code: 1009 } })
  expect(await list).toEqual({ prompts: [] })
  const again = await peers[1]!.next('tools/call')
  expect(again.params).toMatchObject({ name: 'allowed' })
  peers[1]!.write(textFrame({ id: again.id, result: { content: [] } }))
  expect(await allowed).toEqual({ content: [] })
  expect(methodsOf(peers[1])).toEqual(['initialize', 'notifications/initialized', 'tools/call', 'prompts/list'])
})

describe('how long the client waits', () => {
  test('C: after 1013 at least twice initialDelay', async () => {
    const { fate } = await lose(close(1013), { reconnect: { initialDelay: 30_000, maxDelay: 60_000 } })
    expect(fate.delay).toBeGreaterThanOrEqual(60_000)
    expect(fate.delay).toBeLessThanOrEqual(72_000)
  })

  test.each([
    [1000, 'retry-after=120', 120_000],
    [1001, 'deploying, retry-after=61', 61_000],
    [1012, 'Retry-After=90; version=2', 90_000],
    [1013, 'retry-after=100', 100_000],
    [4429, 'slow down; retry-after=200', 200_000],
    [4000, `retry-after=120 ${'x'.repeat(107)}`, 120_000]
  ])('C: after %i with the reason %j at least so long', async (code, reason, ms) => {
    const { fate } = await lose(close(code, reason))
    expect(fate.closure).toMatchObject({ code, reason, retryAfter: ms })
    expect(fate.delay).toBeGreaterThanOrEqual(ms)
    expect(fate.delay).toBeLessThanOrEqual(1.2 * ms)
  })

  test('C: no longer than 5 min, whatever the reason asks for', async () => {
    const { fate } = await lose(close(1013, 'retry-after=99999999'))
    expect(fate.delay).toBeLessThanOrEqual(300_000)
  })

  test.each(['retry-after=-5', 'retry-after=soon', 'retry-after=', 'retry-after=1e9', 'retry-after=0'])(
    'C: as ever, when the reason is %j',
    async (reason) => {
      const { fate } = await lose(close(1012, reason))
      expect(fate).toMatchObject({ to: 'waiting', delay: 60_000 })
    }
  )

  test('C: after a fatal code for nothing, even if the reason asks for a later dial', async () => {
    const { fate } = await lose(close(1008, 'retry-after=5'))
    expect(fate).toMatchObject({ to: 'failed', closure: { code: 1008, retryAfter: 5000 } })
  })
})

describe('codes that ask for other credentials', () => {
  test.each([3000, 4401])(
    'C: %i for ever asks the token provider why at each further attempt, after growing delays, up to the cap',
    async (code) => {
      const server = await useRawServer((dial) => {
        const peer = acceptDial(dial)
        dial.socket.once('data', () => close(code, 'who are you?')(dial, peer))
      })
      const asked: unknown[] = []
      const token = (context: unknown): string => `a-token-${String(asked.push(context))}`
      const { client, states } = useClient({
        url: server.url,
        auth: { token },
        reconnect: { initialDelay: 5, maxDelay: 100, jitter: false, maxRetries: 3 }
      })
      const error = await rejectionOf(client.connect())
      expect(error).toMatchObject({ code: 'RETRIES_EXHAUSTED', attempts: 4, cause: { code: 'CONNECTION_LOST', closure: { code } } })
      expect(asked).toEqual([
        { attempt: 1, reason: 'connect' },
        { attempt: 2, reason: 'unauthorized' },
        { attempt: 3, reason: 'unauthorized' },
        { attempt: 4, reason: 'unauthorized' }
      ])
      expect(states.flatMap(({ to, delay }) => (to === 'waiting' ? [delay] : []))).toEqual([5, 10, 20])
    }
  )

  test.each([1008, 4403])('C: %i does not ask the token provider again', async (code) => {
    let asked = 0
    const { fate } = await lose(close(code), { auth: { token: () => `a-token-${String(++asked)}` }, reconnect: QUICK })
    expect(fate.to).toBe('failed')
    expect(asked).toBe(1)
  })
})

describe('shouldReconnect', () => {
  test('C: takes a remote 1000 for the end when the program says so', async () => {
    const shouldReconnect = ({ code }: Closure): boolean => code !== 1000
    const { fate, server } = await lose(close(1000, 'done'), { reconnect: { ...QUICK, shouldReconnect } })
    expect(fate).toMatchObject({ to: 'failed', error: { code: 'CONNECTION_LOST', closure: { code: 1000, reason: 'done' } } })
    expect(server.dials).toHaveLength(1)
  })

  test('C: is shown the closure as it came over the wire', async () => {
    const seen: Closure[] = []
    const shouldReconnect = (closure: Closure): boolean => seen.push(closure) === 0
    await lose(close(4999, 'retry-after=7'), { reconnect: { shouldReconnect } })
    expect(seen).toMatchObject([{ kind: 'close', code: 4999, reason: 'retry-after=7', wasClean: true, everReady: true, retryAfter: 7000 }])
  })
})

describe('the reason', () => {
  const TOKEN = 'SECRET-of-the-token-that-is-as-long-as-tokens-are'
  const BEARER = Buffer.from(TOKEN).toString('base64url')

  test.each([
    ['ASCII', 'r'.repeat(123)],
    ['characters of three bytes', '€'.repeat(41)],
    ['characters of four bytes', `${'𝄞'.repeat(30)}abc`]
  ])('C: of 123 bytes arrives whole: %s', async (_what, reason) => {
    expect(Buffer.byteLength(reason)).toBe(123)
    const { fate } = await lose(close(1012, reason))
    expect(fate.closure?.reason).toBe(reason)
  })

  test('C: stays on one line of a message, whatever is in it', async () => {
    const reason = 'a\r\nINFO all is well\u001b[31m"'
    const { fate } = await lose(close(1008, reason))
    expect(fate.closure?.reason).toBe(reason)
    expect(fate.error?.message).toMatch(/^[ -~]*$/)
    expect(fate.error?.message).toContain(JSON.stringify(reason))
  })

  test.each<[string, string, Partial<McpWebSocketClientOptions>]>([
    ['a token', `no access for ${TOKEN}`, { auth: { token: TOKEN } }],
    ['a token among the subprotocols', `no mcp.bearer.${BEARER}`, { auth: { token: TOKEN, via: 'subprotocol' } }],
    ['a header', `key ${TOKEN} is revoked`, { headers: { 'X-Api-Key': TOKEN } }],
    ['a cookie', `sid=${TOKEN}!`, { headers: { Cookie: `sid=${TOKEN}` } }]
  ])('C: that quotes %s is shown without it, wherever it is shown', async (_what, reason, options) => {
    for (const code of [1008, 1012]) {
      const server = await useEndingServer(close(code, reason))
      const observed = useClient({ url: server.url, reconnect: LATE, ...options })
      const { client, states, errors } = observed
      await client.connect()
      const call = rejectionOf(client.callTool({ name: 'x' }))
      await until(() => fateOf(observed) !== undefined, 'the end of the connection is noticed')
      const { closure, error } = fateOf(observed)!
      expect(closure?.reason).toContain('[redacted]')
      await client.close()
      expect(everythingShown(states, errors, closure, error, await call)).not.toMatch(new RegExp(`SECRET|${BEARER}`))
    }
  })

  test.each([
    ['a token', `no: ${'-'.repeat(80)}${TOKEN}`, { token: TOKEN }],
    ['a token that alone is longer than a reason', `no: ${TOKEN.repeat(5)}`, { token: TOKEN.repeat(5) }],
    [
      'a token among the subprotocols',
      `bad mcp.bearer.${Buffer.from(TOKEN.repeat(5)).toString('base64url')}`,
      { token: TOKEN.repeat(5), via: 'subprotocol' as const }
    ]
  ])('C: that the server cut to 123 bytes in the middle of %s shows no part of it', async (_what, reason, auth) => {
    const cut = reason.slice(0, 123)
    expect(cut).not.toContain(auth.token)
    const { fate } = await lose(close(1008, cut), { auth })
    expect(everythingShown(fate, fate.error, fate.closure)).not.toMatch(new RegExp(`SECRET|${BEARER.slice(0, 12)}`))
  })
})

describe('the close frame of the client', () => {
  /** Codes of the close frames that the client sent; an empty one counts as 1005. */
  const closesOf = ({ frames }: RawPeer): number[] =>
    frames.flatMap(({ opcode, data }) => (opcode === OPCODE.close ? [data.length < 2 ? 1005 : data.readUInt16BE(0)] : []))

  /** A client on a server that serves every dial, and closes nothing. */
  async function serve(options: Partial<McpWebSocketClientOptions> = {}): Promise<Observed & { server: RawServer; peers: RawPeer[] }> {
    const peers: RawPeer[] = []
    const server = await useEndingServer(() => undefined, 'ready', peers)
    return { ...useClient({ url: server.url, closeTimeout: 200, reconnect: LATE, ...options }), server, peers }
  }

  test('C: is 1000 without a reason, from close()', async () => {
    const { client, peers, server } = await serve()
    await client.connect()
    const closing = client.close()
    await until(() => closesOf(peers[0]!).length > 0, 'the close frame arrives')
    expect(peers[0]!.frames.at(-1)?.data).toEqual(Buffer.from([0x03, 0xe8]))
    close(1000)(server.dials[0]!, peers[0]!)
    await closing
    expect(closesOf(peers[0]!)).toEqual([1000])
  })

  test('C: is 1000 from close() in the handshake, too', async () => {
    const peers: RawPeer[] = []
    const server = await useRawServer((dial) => peers.push(acceptDial(dial)))
    const { client } = useClient({ url: server.url, closeTimeout: 50 })
    const connecting = rejectionOf(client.connect())
    await until(() => methodsOf(peers[0]).length > 0, 'the handshake begins')
    await client.close()
    expect(await connecting).toMatchObject({ code: 'CLOSED' })
    expect(closesOf(peers[0]!)).toEqual([1000])
  })

  test.each<[string, Partial<McpWebSocketClientOptions>, (client: Observed['client']) => Promise<unknown>]>([
    ['reconnect()', {}, (client) => client.reconnect()],
    ['a silent server', { heartbeat: { interval: 30, timeout: 30 } }, (client) => nextEvent(client, 'state', ({ to }) => to === 'waiting')]
  ])('C: is not sent, or is 1000, when the connection is given up: %s', async (_what, options, giveUp) => {
    const { client, peers, server } = await serve(options)
    await client.connect()
    await giveUp(client)
    await until(() => server.dials[0]!.socket.destroyed, 'the client hangs up')
    expect(closesOf(peers[0]!).filter((code) => code !== 1000)).toEqual([])
  })

  test.each<[string, End]>([
    ['1000', close(1000)],
    ['1011', close(1011, 'oops')],
    ['4401', close(4401)],
    ['999', close(999)],
    ['a cut', ({ socket }) => socket.destroy()],
    ['nothing', () => undefined]
  ])('C: may be answered with %s: close() resolves, and nothing follows', async (_what, respond) => {
    const observed = await serve({ reconnect: QUICK })
    const { client, peers, server, states, errors } = observed
    await client.connect()
    const closing = client.close()
    await until(() => closesOf(peers[0]!).length > 0, 'the close frame arrives')
    respond(server.dials[0]!, peers[0]!)
    await closing
    await until(() => server.dials[0]!.socket.destroyed, 'the client hangs up')
    expect(states.slice(-2).map(({ to }) => to)).toEqual(['closing', 'closed'])
    expect([client.state, server.dials.length, errors]).toEqual(['closed', 1, []])
  })

  test('C: may cross that of the server', async () => {
    const { client, peers, states } = await serve({ reconnect: QUICK })
    await client.connect()
    peers[0]!.write(closeFrame(1012, 'restart'))
    await client.close()
    expect(states.slice(-2).map(({ to }) => to)).toEqual(['closing', 'closed'])
    expect(peers).toHaveLength(1)
  })
})

/** Methods of the messages that a client sent, in order. */
function methodsOf(peer: RawPeer | undefined): (string | undefined)[] {
  const texts = (peer?.frames ?? []).filter(({ opcode }) => opcode === OPCODE.text)
  return texts.map(({ data }) => (JSON.parse(data.toString()) as Frame).method)
}
