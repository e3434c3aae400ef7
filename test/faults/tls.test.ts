import { createPrivateKey } from 'node:crypto'
import dns from 'node:dns'
import type { TlsOptions as ServerOptions } from 'node:tls'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { McpWebSocketClientOptions, TlsOptions } from '../../src/index.js'
import { nextEvent } from '../helpers/next-event.js'
import { until } from '../helpers/until.js'
import { useClient } from '../helpers/use-client.js'
import { makeCertificate, makeCertificates, useTlsServer } from './kit/certificates.js'
import { useFaultProxy } from './kit/fault-proxy.js'
import { useRawServer } from './kit/raw-server.js'
import { failToConnect } from '../helpers/fail-to-connect.js'

const QUICK = { initialDelay: 5, maxDelay: 20, maxRetries: 2 }

const { authority, good, expired, foreign, ofClient } = await makeCertificates()
const selfSigned = await makeCertificate()

interface Row {
  readonly row: string
  readonly fault: string
  readonly server: () => ServerOptions
  readonly tls?: () => TlsOptions
  readonly cause: RegExp
  readonly hint?: RegExp
}

const trusting = (): TlsOptions => ({ ca: authority.cert })

const LOCAL: [fault: string, tls: () => TlsOptions][] = [
  ['a certificate that is no PEM', () => ({ cert: 'no pem', key: ofClient.key })],
  ['a certificate that was cut off', () => ({ cert: ofClient.cert.slice(0, 300), key: ofClient.key })],
  ['a key that is no PEM', () => ({ cert: ofClient.cert, key: 'no pem' })],
  ['a key that belongs to another certificate', () => ({ cert: ofClient.cert, key: good.key })],
  ['a passphrase that opens nothing', () => ({ cert: ofClient.cert, key: encrypted(ofClient.key, 'right'), passphrase: 'wrong' })],
  ['a passphrase that is missing', () => ({ cert: ofClient.cert, key: encrypted(ofClient.key, 'right') })],
  ['a file that is no PKCS #12', () => ({ pfx: Buffer.from('no pfx at all') })],
  ['a version of TLS that does not exist', () => ({ minVersion: 'TLSv9' as never })]
]

const encrypted = (key: string, passphrase: string): string =>
  createPrivateKey(key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString()

test.each(LOCAL)('T10: %s is a fault of this side: one attempt, and no network', async (_fault, tls) => {
  const { error, client } = await failToConnect({ url: 'wss://127.0.0.1:1/ws', tls: tls(), reconnect: { maxRetries: Infinity } })
  expect(error).toMatchObject({ name: 'HandshakeError', code: 'TLS_FAILED', retryable: false, delivery: 'not-sent' })
  expect(error.hint).toContain('its own TLS settings')
  expect(client.stats().attempts).toBe(1)
})

const ROWS: Row[] = [
  {
    row: 'T1',
    fault: 'a self-signed certificate',
    server: () => selfSigned,
    cause: /^DEPTH_ZERO_SELF_SIGNED_CERT$/,
    hint: /self-signed.*tls\.ca/
  },
  {
    row: 'T1',
    fault: 'a certificate of an authority that nobody knows',
    server: () => good,
    cause: /^UNABLE_TO_VERIFY_LEAF_SIGNATURE$/,
    hint: /authority.*tls\.ca/
  },
  {
    row: 'T2',
    fault: 'a certificate that has expired',
    server: () => expired,
    tls: trusting,
    cause: /^CERT_HAS_EXPIRED$/,
    hint: /expired.*clock/
  },
  {
    row: 'T3',
    fault: 'a certificate for another host',
    server: () => foreign,
    tls: trusting,
    cause: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    hint: /another host/
  },
  {
    row: 'T6',
    fault: 'a server that speaks nothing newer than TLS 1.1',
    // No OpenSSL of today speaks it without being asked twice.
    server: () => ({ ...good, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    tls: trusting,
    cause: /^(EPROTO|ERR_SSL_)/
  },
  {
    row: 'T7',
    fault: 'a server of TLS 1.3 that wants a certificate of the client',
    server: () => ({ ...good, requestCert: true, ca: authority.cert, minVersion: 'TLSv1.3' }),
    tls: trusting,
    cause: /^ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED$/
  },
  {
    row: 'T7',
    fault: 'a server of TLS 1.2 that wants a certificate of the client',
    server: () => ({ ...good, requestCert: true, ca: authority.cert, maxVersion: 'TLSv1.2' }),
    tls: trusting,
    cause: /^(EPROTO|ERR_SSL_)/
  }
]

describe('a TLS handshake', () => {
  test.each(ROWS.map((row) => [row.row, row.fault, row] as const))('%s: %s is fatal, and says why', async (_row, _fault, row) => {
    const server = await useTlsServer(row.server())
    const { error, states } = await failToConnect({ url: server.url, tls: row.tls?.() })
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'TLS_FAILED', retryable: false, delivery: 'not-sent' })
    expect(error.message).toContain(server.url)
    expect(error.cause?.code).toMatch(row.cause)
    if (row.hint) expect(error.hint).toMatch(row.hint)
    expect(states.at(-1)).toMatchObject({ to: 'failed', closure: { kind: 'tls', everReady: false } })
    expect(server.dials).toBe(1)
  })

  test.each<[string, string, () => ServerOptions, () => TlsOptions]>([
    ['T1', 'a self-signed certificate that is given as tls.ca', () => selfSigned, () => ({ ca: selfSigned.cert })],
    ['T1', 'a certificate of an authority that is given as tls.ca', () => good, trusting],
    [
      'T3',
      'a certificate for another host that is named as tls.servername',
      () => foreign,
      () => ({ ...trusting(), servername: 'other.example.com' })
    ],
    [
      'T7',
      'a server that wants a certificate of the client, which is given as tls.cert and tls.key,',
      () => ({ ...good, requestCert: true, ca: authority.cert }),
      () => ({ ...trusting(), ...ofClient })
    ]
  ])('%s: %s is no obstacle', async (_row, _remedy, options, tls) => {
    const server = await useTlsServer(options())
    const { client } = useClient({ url: server.url, tls: tls(), reconnect: false })
    await client.connect()
    expect(client.state).toBe('ready')
    expect(server.dials).toBe(1)
  })

  test('T2: a certificate that expires after the client was ready is retried, and the next certificate is accepted', async () => {
    const server = await useTlsServer(good)
    const { client, states } = useClient({ url: server.url, tls: trusting(), reconnect: { ...QUICK, maxRetries: 1000 } })
    await client.connect()
    const failed = nextEvent(client, 'state', ({ closure }) => closure?.kind === 'tls')
    server.present(expired)
    server.drop()
    expect(await failed).toMatchObject({ to: 'waiting', closure: { everReady: true, error: { code: 'TLS_FAILED' } } })
    const reconnected = nextEvent(client, 'reconnected')
    server.present(good)
    await reconnected
    expect(states.map(({ to }) => to)).not.toContain('failed')
  })

  test('T4: wss: to a server of plain text is fatal, and hints at ws:', async () => {
    // What a server of HTTP says to the first bytes of TLS.
    const server = await useRawServer(
      () => undefined,
      ({ socket }) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'))
    )
    const { error } = await failToConnect({ url: server.url.replace('ws:', 'wss:') })
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'TLS_FAILED', retryable: false })
    expect(error.cause?.code).toMatch(/^(EPROTO|ERR_SSL_WRONG_VERSION_NUMBER)$/)
    expect(error.hint).toMatch(/use ws:\/\//)
    expect(server.dials).toHaveLength(1)
  })

  test('T5: ws: to a server of TLS is retried, and hints at wss: from the first time on', async () => {
    const server = await useTlsServer(good)
    const { error, states } = await failToConnect({ url: server.url.replace('wss:', 'ws:') })
    expect(error).toMatchObject({ name: 'RetriesExhaustedError', attempts: 3, hint: expect.stringContaining('wss://') as string })
    expect(error.cause).toMatchObject({ code: 'CONNECT_FAILED', retryable: true })
    expect(states.find(({ to }) => to === 'waiting')?.closure?.error?.hint).toContain('wss://')
    expect(server.dials).toBe(3)
  })

  test.each([
    ['before the first byte of the server', 0],
    ['after 100 bytes of the server', 100]
  ])('T8: a handshake that stalls %s ends at connectTimeout', async (_when, bytes) => {
    const server = await useTlsServer(good)
    const proxy = await useFaultProxy(server.port, (link) => {
      if (bytes === 0) link.set('down', { stall: true })
      else link.after('down', bytes, () => link.set('down', { stall: true }))
    })
    const begun = performance.now()
    const { error } = await failToConnect({
      url: proxy.url.replace('ws:', 'wss:'),
      tls: trusting(),
      connectTimeout: 200,
      reconnect: false
    })
    const took = performance.now() - begun
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'CONNECT_TIMEOUT', retryable: true, delivery: 'not-sent' })
    expect(took).toBeGreaterThanOrEqual(199)
    expect(took).toBeLessThan(9000)
    // Otherwise the stall came too late, and proves nothing.
    expect(proxy.links[0]!.bytes.down).toBeGreaterThanOrEqual(bytes)
    await until(() => proxy.links[0]!.closed, 'the client hangs up')
  })
})

describe('credentials over plain text', () => {
  afterEach(() => void vi.restoreAllMocks())

  const HOST = 'mcp.invalid'
  const asked: string[] = []
  const told = <T>(who: string, value: T): T => {
    asked.push(who)
    return value
  }

  test.each<[string, McpWebSocketClientOptions]>([
    ['a token', { url: `ws://${HOST}/ws`, auth: { token: () => told('token', 'token-of-a-user') } }],
    [
      'a token, and headers from a function',
      {
        url: `ws://${HOST}/ws`,
        auth: { token: () => told('token', 'token-of-a-user') },
        headers: () => told('headers', { Cookie: 'sid=of-a-user' })
      }
    ],
    [
      'a token among the subprotocols',
      {
        url: `http://${HOST}/ws`,
        auth: { token: () => told('token', 'token-of-a-user'), via: 'subprotocol' }
      }
    ],
    ['Authorization', { url: `ws://${HOST}/ws`, headers: { authorization: 'Basic b2YtYS11c2Vy' } }],
    ['a cookie', { url: `ws://${HOST}/ws`, headers: { Cookie: 'sid=of-a-user' } }],
    ['user and password in the URL', { url: `ws://me:password@${HOST}/ws` }],
    ['a token, to a URL from a function', { url: () => `ws://${HOST}/ws`, auth: { token: () => told('token', 'token-of-a-user') } }]
  ])('T9: %s over ws: to another machine: rejected before any provider or name resolution', async (_what, options) => {
    asked.length = 0
    const lookup = vi.spyOn(dns, 'lookup')
    const { error, client } = await failToConnect(options)
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'INSECURE_TRANSPORT', retryable: false, delivery: 'not-sent' })
    expect(asked).toEqual([])
    expect(lookup).not.toHaveBeenCalled()
    expect(client.stats().attempts).toBe(1)
  })

  test('T9: with allowInsecure the name is resolved, as the spy of these tests sees', async () => {
    const lookup = vi.spyOn(dns, 'lookup')
    asked.length = 0
    const auth = { token: () => told('token', 'token-of-a-user'), allowInsecure: true }
    const { error } = await failToConnect({ url: `ws://${HOST}/ws`, auth, reconnect: false })
    expect(error).toMatchObject({ code: 'CONNECT_FAILED' })
    expect(asked).toEqual(['token'])
    expect(lookup.mock.calls.map(([host]) => host)).toEqual([HOST])
  })
})
