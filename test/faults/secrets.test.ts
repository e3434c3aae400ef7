import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { McpWebSocketClient, type McpWebSocketClientOptions, type McpWebSocketError } from '../../src/index.js'
import { bundle, useChild } from '../helpers/child.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { useClient, type Observed } from '../helpers/use-client.js'
import { makeCertificate, useTlsServer } from './kit/certificates.js'
import { headerOf, useRawServer, useRejectingServer, type Dial, type RawResponse, type RawServer } from './kit/raw-server.js'
import { acceptDial, closeFrame, textFrame, upgradeHead, type RawPeer } from './kit/wire.js'

// A client that carries a secret in every place where one can be goes through every fault, while the server quotes all that it
// got to know. Nothing that the client shows may hold any of it (rule of behaviour 9, threat S17 of the catalogue).

const CANARY = {
  token: 'CANARY-token',
  key: 'CANARY-key',
  cookie: 'sid=CANARY-cookie; theme=dark',
  query: 'CANARY-query',
  password: 'CANARY-pass'
}
const BASIC = Buffer.from(`me:${CANARY.password}`).toString('base64')
const BEARER = Buffer.from(CANARY.token).toString('base64url')
/** What a log must not hold, in the forms in which a log shows it; bytes too. */
const MARKS = [/canary/i, new RegExp(BASIC), new RegExp(BEARER), /43 41 4e 41 52 59/, /67,\s*65,\s*78,\s*65,\s*82,\s*89/]
/** All of them in one line that fits into a close reason. */
const ALL = Object.values(CANARY).join(' ')

const QUICK = { initialDelay: 1, maxDelay: 2, maxRetries: 1 }
const QUICKLY = { reconnect: QUICK, connectTimeout: 1000, handshakeTimeout: 1000, probeTimeout: 100, closeTimeout: 10 }

type Via = 'header' | 'subprotocol'

/** Options with a canary in every place. */
function loaded(url: string, via: Via = 'header'): McpWebSocketClientOptions {
  return {
    url: `${url.replace('://', `://me:${CANARY.password}@`)}?key=${CANARY.query}#CANARY-fragment`,
    headers: { 'X-Api-Key': CANARY.key, Cookie: CANARY.cookie },
    auth: { token: CANARY.token, via },
    ...QUICKLY
  }
}

/** Every error that can be reached from these values. */
function errorsIn(values: readonly unknown[]): Error[] {
  const found = new Set<unknown>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || found.has(value)) return
    found.add(value)
    for (const key of Reflect.ownKeys(value)) visit(Reflect.get(value, key))
  }
  values.forEach(visit)
  return [...found].filter((value) => value instanceof Error)
}

/** Everything that a log could show of these values, however hard it tries. */
function exposed(...values: unknown[]): string {
  const all = [...values, ...errorsIn(values)]
  return all
    .flatMap((value) => [
      inspect(value, { depth: 10, showHidden: true, maxArrayLength: null, maxStringLength: null }),
      JSON.stringify(value),
      String(value),
      value instanceof Error ? value.stack : ''
    ])
    .join('\n')
}

function expectNothingShown(text: string, marks: readonly RegExp[] = MARKS): void {
  const leaks = text.split('\n').filter((line) => marks.some((mark) => mark.test(line)))
  expect([...new Set(leaks.map((line) => line.trim().slice(0, 300)))]).toEqual([])
}

const everythingOf = ({ client, states, errors }: Observed, ...more: unknown[]): string =>
  exposed(client, client.stats(), states, errors, ...more)

/** Connects in vain, and looks at everything. */
async function fail(options: McpWebSocketClientOptions): Promise<McpWebSocketError> {
  const written: string[] = []
  const observed = useClient({ trace: (direction, text) => direction === 'out' && written.push(text), ...options })
  const told: unknown[] = []
  observed.client.on('failed', (error) => told.push(error))
  const error = (await rejectionOf(observed.client.connect())) as McpWebSocketError
  expectNothingShown(everythingOf(observed, error, told, written))
  expect([observed.client.state, told]).toEqual(['failed', [error]])
  return error
}

/** What the server knows of the client, quoted in full. */
const quote = (dial: Dial): string => `${dial.head}\n${ALL}\n${encodeURIComponent(ALL)} ${BASIC} mcp.bearer.${BEARER} ${ALL}`

function expectAllArrived({ dials }: RawServer, via: Via = 'header'): void {
  const head = dials[0]?.head ?? ''
  for (const name of ['key', 'cookie', 'query'] as const) expect(head).toContain(CANARY[name])
  expect(head).toContain(via === 'header' ? CANARY.token : BEARER)
}

describe('a rejected upgrade that quotes all secrets', () => {
  const line = (dial: Dial): string => quote(dial).replaceAll(/[\r\n]+/g, ' ')
  const places: [place: string, respond: (dial: Dial) => Omit<RawResponse, 'status'>][] = [
    ['body', (dial) => ({ body: quote(dial) })],
    ['body, across its limit', (dial) => ({ body: `${'x'.repeat(4090)}${ALL}${quote(dial)}` })],
    ['status line', (dial) => ({ reason: line(dial) })],
    [
      'headers',
      (dial) => ({
        headers: {
          'WWW-Authenticate': `Bearer error="${line(dial)}"`,
          Location: `http://CANARY-user:${CANARY.password}@example.com/${CANARY.token}?q=${ALL}`,
          'Retry-After': ALL,
          'Sec-WebSocket-Protocol': `mcp.bearer.${BEARER}`,
          'Set-Cookie': CANARY.cookie
        }
      })
    ]
  ]
  const statuses = [200, 301, 302, 307, 400, 401, 403, 404, 407, 426, 429, 500, 502, 503]
  const rows = statuses.flatMap((status) => places.map(([place, respond]) => [status, place, respond] as const))

  test.each(rows)('S17: with %i in its %s shows none', async (status, _place, respond) => {
    const server = await useRejectingServer((dial) => ({ status, ...respond(dial) }))
    const error = await fail({ ...loaded(server.url), reconnect: false })
    expect(error).toMatchObject({ status })
    expectAllArrived(server)
  })

  test.each(statuses)('S17: with %i, when the token was offered as a subprotocol, shows none', async (status) => {
    const server = await useRejectingServer((dial) => ({ status, body: quote(dial), reason: line(dial) }))
    await fail(loaded(server.url, 'subprotocol'))
    expectAllArrived(server, 'subprotocol')
  })
})

describe('a close frame that quotes all secrets', () => {
  const codes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 1013, 3000, 3003, 4000, 4001, 4400, 4401, 4403, 4404, 4429]

  test.each(codes)('S17: with %i, before MCP is ready, shows none', async (code) => {
    const server = await useRawServer((dial) => acceptDial(dial).write(closeFrame(code, ALL)))
    const error = await fail(loaded(server.url))
    expect(exposed(error)).toContain('[redacted]')
    expectAllArrived(server)
  })

  test.each(codes)('S17: with %i, under a call, shows none', async (code) => {
    const { observed, peer, asked } = await useCall()
    const left = nextEvent(observed.client, 'state', ({ from }) => from === 'ready')
    peer().write(closeFrame(code, ALL))
    const lost = await rejectionOf(asked)
    const { closure } = await left
    expect(closure).toMatchObject({ code, reason: Array(5).fill('[redacted]').join(' ') })
    expectNothingShown(everythingOf(observed, lost, closure))
  })
})

/** A client that is ready, with a call under way. */
async function useCall(): Promise<{ observed: Observed; peer: () => RawPeer; dial: () => Dial; asked: Promise<unknown> }> {
  const peers: RawPeer[] = []
  const server = await useRawServer((dial) => {
    const peer = acceptDial(dial)
    peer.serveHandshake()
    peers.push(peer)
  })
  const observed = useClient({ ...loaded(server.url), protocol: 'legacy' })
  await observed.client.connect()
  const asked = observed.client.request('vendor/x', {}, { timeout: 3000 })
  asked.catch(() => undefined)
  await peers[0]!.next('vendor/x')
  return { observed, peer: () => peers.at(-1)!, dial: () => server.dials.at(-1)!, asked }
}

describe('an upgrade that quotes all secrets', () => {
  const heads: [what: string, head: (dial: Dial) => string][] = [
    ['as its subprotocol', (dial) => upgradeHead(dial, { subprotocol: `mcp.bearer.${BEARER}` })],
    ['as its subprotocol, unencoded', (dial) => upgradeHead(dial, { subprotocol: CANARY.token })],
    ['as its subprotocol, with the whole offer', (dial) => upgradeHead(dial, { subprotocol: headerOf(dial, 'Sec-WebSocket-Protocol') })],
    ['as its accept key', (dial) => upgradeHead(dial, { subprotocol: 'mcp.v1', accept: ALL })],
    ['as its extension', (dial) => upgradeHead(dial, { subprotocol: 'mcp.v1', headers: { 'Sec-WebSocket-Extensions': ALL } })],
    ['as its Upgrade header', (dial) => upgradeHead(dial, { subprotocol: 'mcp.v1', headers: { Upgrade: ALL } })],
    ['and names no subprotocol', (dial) => upgradeHead(dial, { subprotocol: undefined, headers: { 'X-Echo': ALL } })],
    ['and is no HTTP', (dial) => `${ALL}\r\n${quote(dial)}`],
    ['and is a broken header', (dial) => `HTTP/1.1 101 x\r\n${ALL}\r\n${quote(dial)}\r\n\r\n`],
    ['and is too long', () => `HTTP/1.1 101 x\r\nX: ${`${ALL} `.repeat(2000)}\r\n\r\n`],
    ['and ends in the middle', (dial) => `HTTP/1.1 401 ${ALL}\r\nX-Echo: ${dial.head.slice(0, 20)}`]
  ]
  const rows = heads.flatMap(([what, head]) => (['header', 'subprotocol'] as const).map((via) => [what, via, head] as const))

  test.each(rows)('S17: %s shows none (token by %s)', async (_what, via, head) => {
    const server = await useRawServer((dial) => dial.socket.end(head(dial)))
    await fail(loaded(server.url, via))
    expectAllArrived(server, via)
  })
})

describe('a handshake of MCP that quotes all secrets', () => {
  const responses: [what: string, response: object][] = [
    ['is an error', { error: { code: -32000, message: ALL, data: { quoted: [ALL] } } }],
    ['is an error about the version', { error: { code: -32022, message: ALL, data: { supported: [ALL] } } }],
    ['agrees on no version', { result: { protocolVersion: ALL, supportedVersions: [ALL] } }],
    ['is no JSON-RPC response', { error: ALL }]
  ]
  const rows = responses.flatMap(([what, response]) =>
    (['legacy', 'modern'] as const).map((protocol) => [what, protocol, response] as const)
  )

  test.each(rows)('S17: and %s shows none: %s', async (_what, protocol, response) => {
    const server = await useRawServer((dial) => {
      const peer = acceptDial(dial)
      const serve = async (method: string): Promise<void> => {
        const { id } = await peer.next(method)
        peer.write(textFrame({ id, ...response }))
        return serve(method)
      }
      for (const method of ['initialize', 'server/discover']) void serve(method)
    })
    await fail({ ...loaded(server.url), protocol, handshakeTimeout: 200 })
  })

  test('S17: after a reconnect, and in what cannot be restored, shows none', async () => {
    const { observed, peer, dial } = await useCall()
    const level = observed.client.setLoggingLevel('debug')
    const first = peer()
    const { id } = await first.next('logging/setLevel')
    first.write(textFrame({ id, result: {} }))
    await level
    const error = nextEvent(observed.client, 'error')
    dial().socket.destroy()
    await nextEvent(observed.client, 'reconnected')
    const again = await peer().next('logging/setLevel')
    peer().write(textFrame({ id: again.id, error: { code: 1, message: ALL, data: ALL } }))
    expect(await error).toMatchObject({ code: 'RESTORE_FAILED' })
    expectNothingShown(everythingOf(observed))
  })
})

describe('a frame that quotes all secrets', () => {
  test.each([
    ['is no JSON', ALL],
    ['is no message', JSON.stringify({ jsonrpc: ALL, method: ALL })],
    ['is an error of nobody', JSON.stringify({ jsonrpc: '2.0', id: null, error: { code: 1, message: ALL, data: ALL } })]
  ])('S17: and %s shows none', async (_what, text) => {
    const { observed, peer } = await useCall()
    const error = nextEvent(observed.client, 'error')
    peer().write(textFrame(text))
    await error
    expectNothingShown(everythingOf(observed))
  })
})

describe('a connection that breaks', () => {
  test('S17: before it is there shows none: rejected, silent, reset, closed', async () => {
    const closed = createServer().listen(0, '127.0.0.1')
    await once(closed, 'listening')
    const { port } = closed.address() as AddressInfo
    closed.close()
    await once(closed, 'close')
    expect(await fail(loaded(`ws://127.0.0.1:${String(port)}/ws`))).toMatchObject({ code: 'RETRIES_EXHAUSTED' })
    for (const act of ['resetAndDestroy', 'end', 'ref'] as const) {
      const server = await useRawServer((dial) => dial.socket[act]())
      await fail({ ...loaded(server.url), connectTimeout: 50 })
      expectAllArrived(server)
    }
  })

  test('S17: by the handshakeTimeout, the heartbeat, a timeout of a request and close() shows none', async () => {
    const silent = await useRawServer((dial) => void acceptDial(dial))
    await fail({ ...loaded(silent.url), handshakeTimeout: 50 })
    const server = await useRawServer((dial) => acceptDial(dial).serveHandshake())
    const observed = useClient({ ...loaded(server.url), protocol: 'legacy', heartbeat: { interval: 20, timeout: 20 } })
    await observed.client.connect()
    const left = nextEvent(observed.client, 'state', ({ closure }) => closure?.kind === 'heartbeat')
    server.dials[0]!.socket.pause()
    const late = await rejectionOf(observed.client.request('vendor/x', {}, { timeout: 10 }))
    await left
    const pending = rejectionOf(observed.client.request('vendor/x'))
    await observed.client.close()
    expectNothingShown(everythingOf(observed, late, await pending))
  })

  test('S17: by TLS shows none: nobody trusts the server, or it speaks none, or nothing else', async () => {
    const server = await useTlsServer(await makeCertificate())
    expect(await fail(loaded(server.url))).toMatchObject({ code: 'TLS_FAILED' })
    const plain = await useRejectingServer({ status: 400, body: ALL })
    await fail({ ...loaded(plain.url.replace('ws:', 'wss:')), connectTimeout: 100 })
    await fail(loaded(server.url.replace('wss:', 'ws:')))
  })

  test('S17: that would send credentials in plain text shows none', async () => {
    expect(await fail(loaded('ws://192.0.2.1/ws'))).toMatchObject({ code: 'INSECURE_TRANSPORT' })
    expect(await fail({ ...loaded('wss://host.invalid/ws') })).toMatchObject({ code: 'RETRIES_EXHAUSTED' })
  })
})

describe('a setting that is wrong', () => {
  const url = 'ws://127.0.0.1:9/ws'
  const wrong: [what: string, options: object][] = [
    ['a url that is none', { url: `CANARY ${ALL}` }],
    ['a url of another scheme', { url: `ftp://me:${CANARY.password}@example.com/?q=${CANARY.query}` }],
    ['auth that is a word', { url, auth: CANARY.token }],
    ['auth.via', { url, auth: { token: CANARY.token, via: CANARY.token } }],
    ['auth.token', { url, auth: { token: [CANARY.token] } }],
    ['headers that are a word', { url, headers: ALL }],
    ['a subprotocol', { url, subprotocols: [ALL] }],
    ['tls that is a word', { url, tls: ALL }],
    ['agent that is a word', { url, agent: ALL }],
    ['clientInfo', { url, clientInfo: { name: 5, version: ALL } }]
  ]
  test.each(wrong)('S17: %s is a TypeError that shows none', (_what, options) => {
    let thrown: unknown
    try {
      thrown = new McpWebSocketClient(options as unknown as McpWebSocketClientOptions)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toBeInstanceOf(TypeError)
    expectNothingShown(exposed(thrown))
  })

  test.each<[what: string, options: Partial<McpWebSocketClientOptions>]>([
    ['a url that is none', { url: () => `CANARY ${ALL}` }],
    ['a token of two lines', { auth: { token: () => `${CANARY.token}\n` } }],
    ['a header of two lines', { headers: () => ({ 'X-Api-Key': `${CANARY.key}\n` }) }],
    ['a certificate that is none', { tls: { cert: ALL, key: ALL } }]
  ])('S17: %s, from a function, fails the dial and shows none', async (_what, options) => {
    await fail({ ...loaded('wss://127.0.0.1:9/ws'), ...options })
  })

  test('S17: a provider that throws is shown in its own words, and no other secret with it', async () => {
    const thrower = (): never => {
      throw new Error('the vault is closed')
    }
    for (const part of [{ headers: thrower }, { auth: { token: thrower } }]) {
      const error = await fail({ ...loaded('ws://127.0.0.1:9/ws'), ...part })
      expect(exposed(error)).toContain('the vault is closed')
    }
  })
})

describe('the client itself', () => {
  test('S17: shows none, in no state, however it is looked at', async () => {
    const looks: string[] = []
    const { observed, dial } = await useCall()
    const { client } = observed
    const look = (): number => looks.push(exposed(client, client.stats(), Object.entries(client)))
    look()
    client.on('state', look)
    const fresh = useClient(loaded('ws://127.0.0.1:9/ws'))
    looks.push(exposed(fresh.client))
    dial().socket.destroy()
    await nextEvent(client, 'reconnected')
    await client.close()
    expect(observed.states.map(({ to }) => to)).toEqual(expect.arrayContaining(['waiting', 'ready', 'closed']))
    expectNothingShown(looks.join('\n'))
  })

  test.each([401, 404, 503])('S17: in a program that dies of a %i shows none on stderr', async (status) => {
    const server = await useRejectingServer((dial) => ({ status, body: quote(dial), reason: ALL }))
    const script = await bundle(new URL('./programs/hostile-victim.ts', import.meta.url))
    const child = useChild(script, [JSON.stringify(loaded(server.url))])
    expect(await child.gone).toBe(1)
    expect(child.complaints).toContain('HandshakeError')
    expectAllArrived(server)
    expectNothingShown(child.complaints + child.lines.join('\n'))
  })
})

describe('a secret that a server quotes', () => {
  /** What is shown of a rejected upgrade, by a server that quotes in its own way. */
  async function shownOf(options: Partial<McpWebSocketClientOptions>, body: string, url = (base: string): string => base): Promise<string> {
    const server = await useRejectingServer({ status: 403, body })
    const observed = useClient({ ...QUICKLY, reconnect: false, ...options, url: url(server.url) })
    return everythingOf(observed, await rejectionOf(observed.client.connect()))
  }

  test('S17: in part, one cookie of several, is not shown', async () => {
    expectNothingShown(await shownOf({ headers: { Cookie: CANARY.cookie } }, 'no session CANARY-cookie'))
  })

  test('S17: in part, the password of a Basic header, is not shown', async () => {
    expectNothingShown(await shownOf({ headers: { Authorization: `Basic ${BASIC}` } }, `wrong password ${CANARY.password} for me`))
  })

  test('S17: in part, the encoded token without the name in front of it, is not shown', async () => {
    expectNothingShown(await shownOf({ auth: { token: CANARY.token, via: 'subprotocol' } }, `bad token ${BEARER}`))
  })

  test('S17: that is the user of the url, without a password, is not shown', async () => {
    const text = await shownOf({}, `unknown user ${CANARY.token}`, (base) => base.replace('//', `//${CANARY.token}@`))
    expectNothingShown(text)
  })

  const ODD = `CANARY"odd\\to/ken+<&'>=`
  const spellings: [spelling: string, quoted: string][] = [
    ['as it is', ODD],
    ['in JSON', JSON.stringify({ error: ODD })],
    ['in JSON with escaped slashes', JSON.stringify({ error: ODD }).replaceAll('/', '\\/')],
    [
      'in HTML',
      ODD.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#39;')
    ],
    ['in a URL', encodeURIComponent(ODD)],
    ['in a URL, in lower case', encodeURIComponent(ODD).replaceAll(/%../g, (code) => code.toLowerCase())]
  ]
  test.each(spellings)('S17: %s is not shown', async (_spelling, quoted) => {
    expectNothingShown(await shownOf({ auth: { token: ODD } }, `no access for ${quoted} here`))
  })
})
