import { describe, expect, test } from 'vitest'
import { isHandshakeError, type McpWebSocketClientOptions, type TokenContext } from '../../src/index.js'
import { serveMcp } from '../helpers/mcp-server.js'
import { drip, headerOf, useRawServer, useRejectingServer, type RawResponse } from '../faults/kit/raw-server.js'
import { useWsServer } from '../helpers/ws-server.js'
import { everythingShown } from '../helpers/everything-shown.js'
import { until } from '../helpers/until.js'
import { useClient } from '../helpers/use-client.js'
import { failToConnect, type FailedConnect } from '../helpers/fail-to-connect.js'
import { freePort } from '../helpers/free-port.js'

const QUICK = { initialDelay: 5, maxDelay: 20, maxRetries: 2 }

interface Row {
  readonly response: RawResponse
  readonly dials: 1 | 3
  readonly name?: string
  readonly code?: string
  readonly hint: RegExp
}

const ROWS: Row[] = [
  { response: { status: 401, body: 'who are you?' }, dials: 1, name: 'UnauthorizedError', code: 'UNAUTHORIZED', hint: /auth\.token/ },
  { response: { status: 403, body: 'not you' }, dials: 1, name: 'UnauthorizedError', code: 'UNAUTHORIZED', hint: /Origin/ },
  { response: { status: 400, body: '<h1>Bad Request</h1>' }, dials: 1, hint: /Upgrade/ },
  { response: { status: 404, body: 'nothing here' }, dials: 1, hint: /\/ws/ },
  { response: { status: 405 }, dials: 1, hint: /HTTP endpoint/ },
  {
    response: { status: 426, headers: { Upgrade: 'websocket' } },
    dials: 1,
    hint: /subprotocol.*proxy dropped the Upgrade and Connection headers/
  },
  { response: { status: 200, body: '<!doctype html><title>Welcome</title>' }, dials: 1, hint: /web page/ },
  {
    response: { status: 302, headers: { Location: 'https://login.example.com/start?next=secret' } },
    dials: 1,
    hint: /https:\/\/login\.example\.com/
  },
  { response: { status: 408 }, dials: 3, hint: /./ },
  { response: { status: 425 }, dials: 3, hint: /./ },
  { response: { status: 429 }, dials: 3, hint: /Retry-After/ },
  { response: { status: 500 }, dials: 3, hint: /see its log/ },
  { response: { status: 502 }, dials: 3, hint: /proxy/i },
  { response: { status: 503, body: 'restarting' }, dials: 3, hint: /may pass/ },
  { response: { status: 504 }, dials: 3, hint: /proxy/i }
]

describe('a rejected upgrade', () => {
  test.each(ROWS)(
    'N10, N12, N14, N15, N16, N18: with $response.status is dialled $dials times',
    async ({ response, dials, name = 'HandshakeError', code = 'UNEXPECTED_STATUS', hint }) => {
      const server = await useRejectingServer(response)
      const { error, failure, states, client } = await failToConnect({ url: server.url })
      expect(failure).toMatchObject({
        name,
        code,
        status: response.status,
        body: response.body ?? '',
        delivery: 'not-sent',
        retryable: dials > 1
      })
      expect(isHandshakeError(failure)).toBe(true)
      expect(failure.hint).toMatch(hint)
      expect(failure.message).toContain(String(response.status))
      expect(server.dials).toHaveLength(dials)
      expect(client.stats().attempts).toBe(dials)
      if (dials > 1) expect(error).toMatchObject({ name: 'RetriesExhaustedError', code: 'RETRIES_EXHAUSTED', attempts: dials })
      else expect(error).toBe(failure)
      expect(states.at(-1)).toMatchObject({ to: 'failed', error, closure: { kind: 'http', status: response.status, everReady: false } })
    }
  )

  test('without reconnection rejects with the attempt’s own error', async () => {
    const server = await useRejectingServer({ status: 503 })
    const { error } = await failToConnect({ url: server.url, reconnect: false })
    expect(error).toMatchObject({ name: 'HandshakeError', status: 503 })
    expect(server.dials).toHaveLength(1)
  })

  test('N13: with 401 shows the challenge', async () => {
    const challenge = 'Bearer realm="mcp", resource_metadata="https://example.com/.well-known/oauth-protected-resource"'
    const server = await useRejectingServer({ status: 401, headers: { 'WWW-Authenticate': challenge } })
    const { error } = await failToConnect({ url: server.url, auth: { token: 'static-token' } })
    expect(error).toMatchObject({ name: 'UnauthorizedError', wwwAuthenticate: challenge })
    expect(server.dials).toHaveLength(1)
  })

  test('N13: with 401 asks a token provider once more and dials at once', async () => {
    const server = await useRejectingServer({ status: 401 })
    const asked: TokenContext[] = []
    const token = (context: TokenContext): string => `token-number-${String(asked.push(context))}`
    const { error, states } = await failToConnect({
      url: server.url,
      auth: { token },
      reconnect: { ...QUICK, initialDelay: 5000, maxDelay: 5000 }
    })
    expect(error).toMatchObject({ name: 'UnauthorizedError', status: 401 })
    expect(asked.map(({ reason }) => reason)).toEqual(['connect', 'unauthorized'])
    expect(server.dials.map((dial) => headerOf(dial, 'Authorization'))).toEqual(['Bearer token-number-1', 'Bearer token-number-2'])
    expect(states.map(({ to }) => to)).not.toContain('waiting')
  })

  test('with 401 and then accepted with a fresh token is ready, without a retry', async () => {
    const server = await useWsServer(({ socket }) => serveMcp('v2', socket), {
      verifyClient: ({ req }: { req: { headers: { authorization?: string | undefined } } }) =>
        req.headers.authorization === 'Bearer fresh-token'
    })
    const { client } = useClient({
      url: server.url,
      auth: { token: ({ reason }) => (reason === 'unauthorized' ? 'fresh-token' : 'stale-token') },
      reconnect: false
    })
    await client.connect()
    expect(client.state).toBe('ready')
  })

  test.each([
    ['429 and seconds', 429, (): string => '1', 1000],
    ['503 and seconds', 503, (): string => '1', 1000],
    ['503 and a date', 503, (): string => new Date(Date.now() + 2000).toUTCString(), undefined]
  ] as const)('N17: with %s in Retry-After is not dialled before', async (_name, status, retryAfter, wait) => {
    const value: string = retryAfter()
    const secondAt: number[] = []
    const server = await useRejectingServer((_dial, number) => {
      if (number === 2) secondAt.push(Date.now())
      return number === 1 ? { status, headers: { 'Retry-After': value } } : { status }
    })
    const { states, client } = await failToConnect({ url: server.url, reconnect: { initialDelay: 5, maxRetries: 1 } })
    const waiting = states.find(({ to }) => to === 'waiting')
    const asked = waiting?.closure?.retryAfter ?? 0
    expect(waiting?.closure?.error).toMatchObject({ status, retryAfter: asked })
    if (wait === undefined) {
      // Dates have whole seconds.
      expect(asked).toBeGreaterThan(900)
      expect(secondAt[0]).toBeGreaterThanOrEqual(Date.parse(value) - 2)
    } else expect(asked).toBe(wait)
    expect(waiting?.delay).toBeGreaterThanOrEqual(asked)
    expect(waiting?.delay).toBeLessThanOrEqual(asked * 1.2)
    expect(server.dials[1]!.at - server.dials[0]!.at).toBeGreaterThanOrEqual(asked - 2)
    expect(client.stats().attempts).toBe(2)
  })

  test('N11: with a redirect is not followed', async () => {
    const elsewhere = await useRejectingServer({ status: 500 })
    const server = await useRejectingServer({
      status: 307,
      headers: { Location: `http://127.0.0.1:${String(elsewhere.port)}/other?token=of-the-target` }
    })
    const { failure, error } = await failToConnect({ url: server.url, auth: { token: 'static-token' } })
    expect(failure.hint).toContain(`127.0.0.1:${String(elsewhere.port)}`)
    expect(everythingShown(error)).not.toContain('of-the-target')
    expect([server.dials.length, elsewhere.dials.length]).toEqual([1, 0])
  })

  test('shows at most 4 KiB of a body, and does not wait for its end', async () => {
    const server = await useRawServer(({ socket }) => {
      socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 100000000\r\n\r\n' + 'x'.repeat(20_000))
    })
    const { failure } = await failToConnect({ url: server.url })
    expect(failure).toMatchObject({ code: 'UNEXPECTED_STATUS', status: 404, body: 'x'.repeat(4096) })
    await until(() => server.dials[0]!.socket.destroyed, 'the client hangs up')
  })

  test('with a body that drips is known by its status after connectTimeout', async () => {
    const server = await useRawServer((dial) => {
      dial.socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 1000\r\n\r\nwho')
      drip(dial, '.')
    })
    const begun = performance.now()
    const { error } = await failToConnect({ url: server.url, connectTimeout: 300 })
    expect(error).toMatchObject({ name: 'UnauthorizedError', status: 401, body: expect.stringMatching(/^who\.+$/) as string })
    expect(performance.now() - begun).toBeLessThan(1500)
    expect(server.dials).toHaveLength(1)
  })
})

describe('the subprotocol', () => {
  test('is offered as mcp.v1, in exactly these bytes', async () => {
    const server = await useRejectingServer({ status: 404 })
    await failToConnect({ url: server.url })
    expect(server.dials[0]?.head).toContain('\r\nSec-WebSocket-Protocol: mcp.v1\r\n')
  })

  test('comes before further ones, and a token comes last', async () => {
    const server = await useRejectingServer({ status: 404 })
    await failToConnect({ url: server.url, subprotocols: ['mcp'], auth: { token: 'grüße/+=', via: 'subprotocol' } })
    const encoded = Buffer.from('grüße/+=').toString('base64url')
    expect(headerOf(server.dials[0]!, 'Sec-WebSocket-Protocol')?.split(/, ?/)).toEqual(['mcp.v1', 'mcp', `mcp.bearer.${encoded}`])
    expect(headerOf(server.dials[0]!, 'Authorization')).toBeUndefined()
  })

  test('N20: that the server does not name is an error that names the remedy', async () => {
    const server = await useWsServer(() => undefined, { handleProtocols: () => false })
    const { error, client } = await failToConnect({ url: server.url })
    expect(error).toMatchObject({ name: 'SubprotocolError', code: 'SUBPROTOCOL_MISMATCH', offered: ['mcp.v1'], received: undefined })
    expect(error.hint).toContain("onMissingSubprotocol: 'accept'")
    expect(client.stats().attempts).toBe(1)
  })

  test('may be missing if the option says so, and costs no second dial', async () => {
    const server = await useWsServer(({ socket }) => serveMcp('v1', socket), { handleProtocols: () => false })
    const { client } = useClient({ url: server.url, onMissingSubprotocol: 'accept' })
    await client.connect()
    expect(client).toMatchObject({ state: 'ready', subprotocol: undefined })
    expect(server.connections).toHaveLength(1)
    expect(server.connections[0]?.request.headers['sec-websocket-protocol']).toBe('mcp.v1')
  })

  test.each(['fail', 'accept'] as const)('may be missing where nothing but a token is offered (%s)', async (onMissingSubprotocol) => {
    const server = await useWsServer(({ socket }) => serveMcp('v1', socket), { handleProtocols: () => false })
    const { client } = useClient({ url: server.url, offer: [], auth: { token: 'secret-token', via: 'subprotocol' }, onMissingSubprotocol })
    await client.connect()
    expect(client).toMatchObject({ state: 'ready', subprotocol: undefined })
    expect(server.connections[0]?.request.headers['sec-websocket-protocol']).toMatch(/^mcp\.bearer\.[\w-]+$/)
  })

  test.each(['fail', 'accept'] as const)(
    'N21: that was never offered is rejected, also with onMissingSubprotocol %s',
    async (onMissingSubprotocol) => {
      const server = await useWsServer(() => undefined, { handleProtocols: () => 'mcp' })
      const { error, client, states } = await failToConnect({ url: server.url, onMissingSubprotocol })
      expect(error).toMatchObject({ name: 'SubprotocolError', code: 'SUBPROTOCOL_MISMATCH', offered: ['mcp.v1'], received: 'mcp' })
      expect(error.hint).toMatch(/subprotocols/)
      expect(client.stats().attempts).toBe(1)
      expect(states.at(-1)?.closure).toMatchObject({ kind: 'subprotocol' })
    }
  )

  test('that is offered beside mcp.v1 may be chosen', async () => {
    const server = await useWsServer(({ socket }) => serveMcp('v1', socket), { handleProtocols: () => 'mcp' })
    const { client } = useClient({ url: server.url, subprotocols: ['mcp'] })
    await client.connect()
    expect(client.subprotocol).toBe('mcp')
    expect(server.connections[0]?.request.headers['sec-websocket-protocol']?.split(/, ?/)).toEqual(['mcp.v1', 'mcp'])
  })
})

describe('a dial that meets no HTTP', () => {
  test('refused by the port is retried, and hints at a server that does not run', async () => {
    const port = await freePort()
    const { error, failure, client } = await failToConnect({ url: `ws://127.0.0.1:${String(port)}/ws` })
    expect(error).toMatchObject({ name: 'RetriesExhaustedError', attempts: 3, retryable: true })
    expect(failure).toMatchObject({ name: 'HandshakeError', code: 'CONNECT_FAILED', retryable: true, delivery: 'not-sent' })
    expect(failure.hint).toMatch(/is the server running/)
    expect(client.stats().attempts).toBe(3)
  })

  test('N5: silent ends after connectTimeout, and the client hangs up', async () => {
    const server = await useRawServer(() => undefined)
    const begun = performance.now()
    const { error, states } = await failToConnect({ url: server.url, connectTimeout: 200, reconnect: false })
    const took = performance.now() - begun
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'CONNECT_TIMEOUT', retryable: true, delivery: 'not-sent' })
    expect(took).toBeGreaterThanOrEqual(199)
    expect(took).toBeLessThan(1500)
    expect(states.at(-1)?.closure).toMatchObject({ kind: 'timeout' })
    await until(() => server.dials[0]!.socket.destroyed, 'the client hangs up')
  })

  test('silent is retried under the cap', async () => {
    const server = await useRawServer(() => undefined)
    const { error } = await failToConnect({ url: server.url, connectTimeout: 50 })
    expect(error).toMatchObject({ name: 'RetriesExhaustedError', attempts: 3 })
    expect(server.dials).toHaveLength(3)
  })

  test('N6: slow, one byte every 50 ms, does not stretch connectTimeout', async () => {
    const server = await useRawServer((dial) => drip(dial, 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n'))
    const begun = performance.now()
    const { error } = await failToConnect({ url: server.url, connectTimeout: 300, reconnect: false })
    expect(error).toMatchObject({ code: 'CONNECT_TIMEOUT' })
    expect(performance.now() - begun).toBeLessThan(1500)
  })

  test('a provider that hangs is within connectTimeout', async () => {
    const { error, client } = await failToConnect({
      url: 'ws://127.0.0.1:9/ws',
      auth: { token: () => new Promise<string>(() => undefined) },
      connectTimeout: 100,
      reconnect: false
    })
    expect(error).toMatchObject({ code: 'CONNECT_TIMEOUT' })
    expect(client.stats().attempts).toBe(1)
  })

  test('A17: a provider that throws is a failed attempt that is retried', async () => {
    let asked = 0
    const { error, failure } = await failToConnect({
      url: 'ws://127.0.0.1:9/ws',
      headers: () => {
        asked++
        throw new Error('the vault is closed')
      }
    })
    expect(error).toMatchObject({ name: 'RetriesExhaustedError', attempts: 3 })
    expect(failure).toMatchObject({ code: 'CONNECT_FAILED', message: expect.stringMatching(/headers.*the vault is closed/) as string })
    expect(asked).toBe(3)
  })

  test('N9: answered in another protocol is fatal', async () => {
    const server = await useRawServer(({ socket }) => socket.end('SSH-2.0-OpenSSH_9.6\r\n'))
    const { error, states } = await failToConnect({ url: server.url })
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'HANDSHAKE_INVALID', retryable: false })
    expect(error.hint).toMatch(/WebSocket server/)
    expect(server.dials).toHaveLength(1)
    expect(states.at(-1)?.closure).toMatchObject({ kind: 'network' })
  })

  test('N19: answered with 101 and a wrong Sec-WebSocket-Accept is fatal', async () => {
    const server = await useRawServer(({ socket }) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\nSec-WebSocket-Protocol: mcp.v1\r\n\r\n'
      )
    })
    const { error } = await failToConnect({ url: server.url })
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'HANDSHAKE_INVALID' })
    expect(server.dials).toHaveLength(1)
  })

  test.each([
    ['reset', (dial: { socket: { resetAndDestroy(): unknown } }) => dial.socket.resetAndDestroy()],
    ['closed', (dial: { socket: { end(): unknown } }) => dial.socket.end()]
  ] as const)('N8: %s in the middle of the handshake is retried', async (_name, hangUp) => {
    const server = await useRawServer((dial) => void hangUp(dial))
    const { error, failure } = await failToConnect({ url: server.url })
    expect(error).toMatchObject({ name: 'RetriesExhaustedError', attempts: 3 })
    expect(failure).toMatchObject({ name: 'HandshakeError', code: 'CONNECT_FAILED', retryable: true })
    expect(failure.hint).toMatch(/hung up|wss/)
    expect(server.dials).toHaveLength(3)
  })

  test('an open socket on which MCP is never ready ends after handshakeTimeout', async () => {
    const server = await useWsServer(() => undefined)
    const begun = performance.now()
    const { error } = await failToConnect({ url: server.url, handshakeTimeout: 200, probeTimeout: 50, reconnect: false })
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'HANDSHAKE_TIMEOUT', retryable: true })
    expect(performance.now() - begun).toBeLessThan(1500)
    await until(() => server.openCount === 0, 'the client hangs up')
  })
})

describe('what a dial sends', () => {
  test('is made anew for every attempt: url, headers and token', async () => {
    const server = await useRejectingServer({ status: 503 })
    let dial = 0
    await failToConnect({
      url: () => Promise.resolve(`${server.url}?dial=${String(++dial)}`),
      headers: () => ({ 'X-Dial': String(dial) }),
      auth: { token: ({ attempt }) => `token-of-attempt-${String(attempt)}` }
    })
    expect(server.dials.map(({ head }) => head.split(' ')[1])).toEqual(['/ws?dial=1', '/ws?dial=2', '/ws?dial=3'])
    expect(server.dials.map((each) => headerOf(each, 'X-Dial'))).toEqual(['1', '2', '3'])
    expect(server.dials.map((each) => headerOf(each, 'Authorization'))).toEqual(
      [1, 2, 3].map((n) => `Bearer token-of-attempt-${String(n)}`)
    )
  })

  test('offers no compression unless asked to, and holds no header that was not given', async () => {
    const server = await useRejectingServer({ status: 404 })
    await failToConnect({ url: server.url })
    const names = server.dials[0]!.head.split('\r\n')
      .slice(1)
      .map((line) => line.split(':')[0]!.toLowerCase())
    expect(names.sort()).toEqual(['connection', 'host', 'sec-websocket-key', 'sec-websocket-protocol', 'sec-websocket-version', 'upgrade'])
  })

  test('never holds credentials over plain text: nothing is dialled and no provider runs', async () => {
    let asked = 0
    const { error } = await failToConnect({ url: 'ws://192.0.2.1/ws', auth: { token: () => `token-${String(++asked)}` } })
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'INSECURE_TRANSPORT' })
    expect(asked).toBe(0)
  })

  test('http: and https: are understood as ws: and wss:', async () => {
    const server = await useWsServer(({ socket }) => serveMcp('v2', socket))
    const { client } = useClient({ url: server.url.replace('ws:', 'http:') })
    await client.connect()
    expect(client.state).toBe('ready')
  })
})

describe('secrets', () => {
  const TOKEN = 'SECRET-of-the-token'
  const BEARER = `mcp.bearer.${Buffer.from(TOKEN).toString('base64url')}`
  const HEADERS = { 'X-Api-Key': 'SECRET-of-a-key', Cookie: 'sid=SECRET-of-a-cookie' }
  const QUERY = '?access_token=SECRET%2Bof-the%20url'
  const HIDDEN = [/SECRET/, new RegExp(BEARER.slice('mcp.bearer.'.length))]

  function expectNothingShown({ client, states, errors, error }: FailedConnect, hidden = HIDDEN): void {
    // A closure's error is more than ten levels deep for no one: looked at by itself as well.
    const parts = states.flatMap((state) => [state.error, state.closure?.error])
    const lines = everythingShown(error, states, errors, client, ...parts).split('\n')
    const leaks = lines.filter((line) => hidden.some((secret) => secret.test(line))).map((line) => line.trim().slice(0, 200))
    expect([...new Set(leaks)]).toEqual([])
  }

  const options = (url: string): McpWebSocketClientOptions => ({ url: url + QUERY, auth: { token: TOKEN }, headers: HEADERS })

  test.each([401, 403, 404, 302, 503])('that a server quotes in the body of a %i are not shown', async (status) => {
    const server = await useRejectingServer((dial) => ({ status, body: dial.head }))
    const failed = await failToConnect(options(server.url))
    expect(server.dials[0]?.head).toContain(TOKEN)
    expect(failed.failure.body).toContain('[redacted]')
    expectNothingShown(failed)
  })

  test('in headers of any name, quoted in a body, are not shown', async () => {
    const server = await useRejectingServer((dial) => ({ status: 400, body: dial.head }))
    expectNothingShown(await failToConnect({ url: server.url, headers: { 'X-Session': 'SECRET-of-a-session' } }))
  })

  test('in a query that is encoded in an unusual way, quoted in a body, are not shown', async () => {
    const server = await useRejectingServer((dial) => ({ status: 400, body: dial.head }))
    expectNothingShown(await failToConnect({ url: `${server.url}?access_token=SECRET+of%2bthe+url` }))
  })

  test('that a server quotes in its headers are not shown', async () => {
    const server = await useRejectingServer((dial) => ({
      status: 401,
      headers: {
        'WWW-Authenticate': `Bearer error="invalid_token", error_description="${TOKEN} has expired"`,
        Location: `https://example.com/${TOKEN}${QUERY}`,
        'X-Echo': headerOf(dial, 'Cookie') ?? ''
      }
    }))
    const failed = await failToConnect(options(server.url))
    expect(failed.failure.wwwAuthenticate).toContain('has expired')
    expectNothingShown(failed)
  })

  test('that a server quotes in its status line are not shown', async () => {
    const server = await useRejectingServer({ status: 403, reason: `no access for ${TOKEN}` })
    expectNothingShown(await failToConnect(options(server.url)))
  })

  test('that a server quotes across the limit of the body are not shown in part', async () => {
    const shown = 4096 - TOKEN.length + 1
    const server = await useRejectingServer({ status: 403, body: 'x'.repeat(shown) + TOKEN })
    expectNothingShown(await failToConnect(options(server.url)))
  })

  test('that a server quotes as its subprotocol are not shown', async () => {
    const server = await useWsServer(() => undefined, { handleProtocols: () => BEARER })
    expectNothingShown(await failToConnect({ url: server.url, auth: { token: TOKEN, via: 'subprotocol' } }))
  })

  test('that a server quotes with the whole offer are not shown', async () => {
    const server = await useRejectingServer((dial) => ({ status: 400, body: headerOf(dial, 'Sec-WebSocket-Protocol') ?? '' }))
    expectNothingShown(await failToConnect({ url: server.url, auth: { token: TOKEN, via: 'subprotocol' } }))
  })

  test('that a server quotes as it closes the socket are not shown', async () => {
    const server = await useWsServer(({ socket }) => socket.close(4403, `no access for ${TOKEN}`))
    expectNothingShown(await failToConnect(options(server.url)))
  })

  test('that stand in the userinfo of the url are not shown', async () => {
    const server = await useRejectingServer((dial) => ({ status: 403, body: dial.head }))
    const failed = await failToConnect({ url: server.url.replace('ws://', 'ws://me:SECRET-of-the-password@') })
    const basic = Buffer.from('me:SECRET-of-the-password').toString('base64')
    expect(server.dials[0]?.head).toContain(basic)
    expectNothingShown(failed, [...HIDDEN, new RegExp(basic)])
  })

  test('of a dial that meets no HTTP are not shown', async () => {
    const echo = await useRawServer(({ socket, head }) => socket.end(head))
    expectNothingShown(await failToConnect(options(echo.url)))
    const port = await freePort()
    expectNothingShown(await failToConnect(options(`ws://127.0.0.1:${String(port)}/ws`)))
    const silent = await useRawServer(() => undefined)
    expectNothingShown(await failToConnect({ ...options(silent.url), connectTimeout: 50 }))
  })

  test('that no header can carry are not shown', async () => {
    expectNothingShown(await failToConnect({ url: 'ws://127.0.0.1:9/ws', headers: () => ({ 'X-Api-Key': 'SECRET\nof a key' }) }))
    expectNothingShown(await failToConnect({ url: 'ws://127.0.0.1:9/ws', auth: { token: () => 'SECRET\nof a token' } }))
    expectNothingShown(await failToConnect({ url: () => `not a url ${QUERY}` }))
  })
})
