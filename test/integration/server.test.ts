import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect, TLSSocket, type PeerCertificate, type TlsOptions as ServerTlsOptions } from 'node:tls'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { WebSocketClientTransport } from '@modelcontextprotocol/sdk/client/websocket.js'
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { McpServer as McpServerV2 } from '@modelcontextprotocol/server'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { McpWebSocketServer, type McpWebSocketServerOptions } from '../../src/server/index.js'
import { makeCertificates } from '../faults/kit/certificates.js'
import { serveTransport } from '../helpers/mcp-server.js'
import { afterTest } from '../helpers/after-test.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { useClient } from '../helpers/use-client.js'
import { useServer } from '../server/use-server.js'
import { failToConnect } from '../helpers/fail-to-connect.js'
import { listenOnLoopback } from '../helpers/listen-on-loopback.js'

const textOf = ({ content }: { content?: unknown }): string | undefined => (content as { text?: string }[] | undefined)?.[0]?.text

describe.each([
  ['v1', 'legacy'],
  ['v2', 'legacy'],
  ['v2', 'modern']
] as const)('behind it, the official SDK %s in the %s era', (sdk, protocol) => {
  const useSdk = () => useServer({ onconnection: (transport) => void serveTransport(sdk, transport) })

  test('serves tools, resources, prompts, progress and errors', async () => {
    const { url } = await useSdk()
    const { client } = useClient({ url, protocol })
    await client.connect()
    expect(client.era).toBe(protocol)
    expect((await client.listTools()).tools).toHaveLength(12)
    expect(textOf(await client.callTool({ name: 'echo', arguments: { message: 'ünï' } }))).toBe('ünï')
    const steps: number[] = []
    await client.callTool({ name: 'slow' }, { onprogress: ({ progress }) => steps.push(progress) })
    expect(steps).toEqual([1, 2, 3])
    expect((await client.readResource({ uri: 'test://plain' })).contents).toHaveLength(1)
    expect((await client.getPrompt({ name: 'greet', arguments: { who: 'Ada' } })).messages).toHaveLength(1)
    await expect(client.callTool({ name: 'none' })).rejects.toMatchObject({ name: 'RpcError' })
    await expect(client.request('no/such')).rejects.toMatchObject({ rpcCode: -32601 })
  })

  test('sends requests to its client', async () => {
    const { url } = await useSdk()
    const { client } = useClient({ url, protocol, capabilities: { elicitation: { form: {} } } })
    client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: { colour: 'red' } }))
    await client.connect()
    expect(textOf(await client.callTool({ name: 'elicitation' }))).toContain('red')
  })

  test('is told that a call was cancelled, and the call no longer counts', async () => {
    const aborted: string[] = []
    const { url, server } = await useServer({
      onconnection: (transport) => void serveTransport(sdk, transport, { onAborted: (name) => aborted.push(name) })
    })
    const { client } = useClient({ url, protocol })
    await client.connect()
    const controller = new AbortController()
    const called = rejectionOf(client.callTool({ name: 'hold' }, { signal: controller.signal, onprogress: () => controller.abort() }))
    await called
    await until(() => aborted.length === 1, 'the handler was aborted')
    expect(server.metrics().requestsInFlight).toBe(0)
  })

  test('gives each client an MCP server of its own', async () => {
    const { url, transports, server } = await useSdk()
    const clients = Array.from({ length: 5 }, () => useClient({ url, protocol }).client)
    await Promise.all(clients.map((client) => client.connect()))
    const results = await Promise.all(clients.map((client, n) => client.callTool({ name: 'echo', arguments: { message: String(n) } })))
    expect(results.map(textOf)).toEqual(['0', '1', '2', '3', '4'])
    expect(transports).toHaveLength(5)
    await Promise.all(clients.map((client) => client.close()))
    await until(() => server.metrics().connections === 0, 'all have left')
    expect(server.metrics().requestsInFlight).toBe(0)
  })

  test('is told who its client is, where the SDK looks for it', async () => {
    const seen: unknown[] = []
    const auth = { token: 'right', clientId: 'ada', scopes: [] }
    const { url } = await useServer({
      authenticate: (_request, token) => (token === 'right' ? auth : undefined),
      onconnection: async (transport, info) => {
        expect(info.auth).toBe(auth)
        if (sdk === 'v1') {
          const mcp = new McpServerV1({ name: 'who', version: '1' })
          mcp.registerTool('who', {}, ({ authInfo }) => {
            seen.push(authInfo)
            return { content: [] }
          })
          await mcp.connect(transport)
        } else {
          const mcp = new McpServerV2({ name: 'who', version: '1' })
          mcp.registerTool('who', {}, ({ http }) => {
            seen.push(http?.authInfo)
            return { content: [] }
          })
          await mcp.connect(transport)
        }
      }
    })
    // A server of SDK v2 that is connected by hand speaks the legacy era.
    const { client } = useClient({ url, protocol: 'legacy', auth: { token: 'right' } })
    await client.connect()
    await client.callTool({ name: 'who' })
    expect(seen).toEqual([auth])
  })
})

test('both eras are served on one port', async () => {
  const { url } = await useServer()
  const clients = (['legacy', 'modern', 'auto'] as const).map((protocol) => useClient({ url, protocol }).client)
  await Promise.all(clients.map((client) => client.connect()))
  expect(clients.map(({ era }) => era)).toEqual(['legacy', 'modern', 'modern'])
})

test('the transport of the official SDK v1, which offers mcp, is accepted where extraSubprotocols has it', async () => {
  const { url } = await useServer({ extraSubprotocols: ['mcp'] })
  const before = globalThis.WebSocket
  globalThis.WebSocket = WebSocket as unknown as typeof globalThis.WebSocket
  afterTest(() => void (globalThis.WebSocket = before))
  const client = new ClientV1({ name: 'official', version: '1' })
  await client.connect(new WebSocketClientTransport(new URL(url)))
  expect((await client.listTools()).tools.length).toBeGreaterThan(0)
  await client.close()
})

const { authority, good, expired, foreign, ofClient } = await makeCertificates()

describe('over TLS', () => {
  /** Serves on an https.Server that belongs to the test. */
  async function useTls<Auth = undefined>(tls: ServerTlsOptions, options: Partial<McpWebSocketServerOptions<Auth>> = {}) {
    const https = createServer(tls)
    await listenOnLoopback(https)
    return useServer<Auth>({ ...options, server: https })
  }

  test('a client that trusts the authority connects, with its token', async () => {
    const { url, server } = await useTls(good, { authenticate: (_request, token) => (token === 'right' ? 'ada' : undefined) })
    const { client } = useClient({ url, tls: { ca: authority.cert }, auth: { token: 'right' } })
    await client.connect()
    expect(textOf(await client.callTool({ name: 'echo', arguments: { message: 'x'.repeat(100_000) } }))).toHaveLength(100_000)
    await server.close()
    await until(() => client.state !== 'ready', 'the client noticed')
  })

  test.each([
    ['of an authority that it does not know', () => good, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', false],
    ['that has expired', () => expired, 'CERT_HAS_EXPIRED', true],
    ['for another host', () => foreign, 'ERR_TLS_CERT_ALTNAME_INVALID', true]
  ])('a client that is shown a certificate %s does not connect', async (_what, certificate, cause, trusts) => {
    const { url, server } = await useTls(certificate())
    const { error } = await failToConnect({ url, ...(trusts && { tls: { ca: authority.cert } }) })
    expect([error.code, error.cause?.code]).toEqual(['TLS_FAILED', cause])
    expect(server.metrics().connectionsTotal).toBe(0)
  })

  test('mutual TLS: authenticate can look at the certificate of the client', async () => {
    const names: unknown[] = []
    const { url, transports } = await useTls(
      { ...good, ca: authority.cert, requestCert: true, rejectUnauthorized: false },
      {
        authenticate: ({ socket }) => {
          if (!(socket instanceof TLSSocket)) return undefined
          const { authorized } = socket
          // Without a certificate it is empty, whatever its type says.
          const subject = (socket.getPeerCertificate() as Partial<PeerCertificate>).subject?.CN
          names.push(subject)
          return authorized ? subject : undefined
        }
      }
    )
    expect((await failToConnect({ url, tls: { ca: authority.cert } })).error).toMatchObject({ name: 'UnauthorizedError', status: 401 })
    expect(transports).toEqual([])
    const { client } = useClient({ url, tls: { ca: authority.cert, ...ofClient } })
    await client.connect()
    expect(names).toEqual([undefined, 'client.example.com'])
  })

  test('mutual TLS: without a certificate no client gets as far as HTTP', async () => {
    const { url, server } = await useTls({ ...good, ca: authority.cert, requestCert: true, rejectUnauthorized: true })
    // TLS 1.3 tells the client only after the client's own handshake is done: to it, the connection may just break.
    expect((await failToConnect({ url, tls: { ca: authority.cert } })).error.code).toMatch(
      /^(TLS_FAILED|CONNECT_FAILED|RETRIES_EXHAUSTED)$/
    )
    expect(server.metrics()).toMatchObject({ connectionsTotal: 0, handshakesRefused: {} })
    const { client } = useClient({ url, tls: { ca: authority.cert, ...ofClient } })
    await client.connect()
  })

  test('TLS 1.1 is not spoken, 1.2 is', async () => {
    const { port } = await useTls({ ...good, ciphers: 'DEFAULT@SECLEVEL=0' })
    const dial = (version: 'TLSv1.1' | 'TLSv1.2') =>
      new Promise<string>((resolve) => {
        const socket = connect({
          host: '127.0.0.1',
          port,
          ca: authority.cert,
          minVersion: version,
          maxVersion: version,
          ciphers: 'DEFAULT@SECLEVEL=0'
        })
        socket.once('secureConnect', () => {
          resolve(socket.getProtocol() ?? '')
          socket.destroy()
        })
        socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      })
    expect(await dial('TLSv1.2')).toBe('TLSv1.2')
    expect(await dial('TLSv1.1')).toMatch(/PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/)
  })
})

test('a port that is taken makes listen() reject, and listen() may be called again', async () => {
  const { port } = await useServer()
  const server = new McpWebSocketServer({ port, allowUnauthenticated: true, onconnection: () => undefined })
  await expect(server.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await expect(server.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await server.close()
})

test('listen() may be called again until the port is free', async () => {
  const first = await useServer()
  const server = new McpWebSocketServer({ port: first.port, allowUnauthenticated: true, onconnection: () => undefined })
  const warnings: Error[] = []
  const listener = (warning: Error): void => void warnings.push(warning)
  process.on('warning', listener)
  afterTest(() => void process.off('warning', listener))
  for (let n = 0; n < 12; n++) await expect(server.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await first.server.close()
  await server.listen()
  expect(server.address()?.port).toBe(first.port)
  await server.close()
  expect(warnings).toEqual([])
})

test.each([
  ['that is free', 0, 'close() was called before it listened'],
  ['that is taken', undefined, 'EADDRINUSE']
])('close() while listen() waits for a port %s leaves nothing open, and listen() cannot be called again', async (_what, port, problem) => {
  const taken = await useServer()
  const server = new McpWebSocketServer({ port: port ?? taken.port, allowUnauthenticated: true, onconnection: () => undefined })
  const listening = rejectionOf(server.listen())
  await server.close()
  expect(String(await listening)).toContain(problem)
  expect(server.address()).toBeUndefined()
  await expect(server.listen()).rejects.toThrow('after close()')
})

test('the address is that of the loopback interface by default', async () => {
  const { server } = await useServer()
  expect(server.address()).toMatchObject({ address: '127.0.0.1', family: 'IPv4' } satisfies Partial<AddressInfo>)
  const other = await useServer({ host: '::1' })
  expect(other.server.address()).toMatchObject({ address: '::1' })
  const { client } = useClient({ url: `ws://[::1]:${String(other.port)}/ws` })
  await client.connect()
})

test('a loopback address other than the usual ones is a name of its server', async () => {
  const { port } = await useServer({ host: '127.0.0.2' })
  const { client } = useClient({ url: `ws://127.0.0.2:${String(port)}/ws` })
  await client.connect()
})
