import { expect, test } from 'vitest'
import type { McpWebSocketClientOptions } from '../../../src/index.js'
import { headerOf, useRejectingServer } from '../../faults/kit/raw-server.js'
import { serveMcp } from '../../helpers/mcp-server.js'
import { useWsServer, type WsServer } from '../../helpers/ws-server.js'
import { rejectionOf } from '../../helpers/rejection-of.js'
import { until } from '../../helpers/until.js'
import { useClient, type Observed } from '../../helpers/use-client.js'
import type { ProxySettings } from './configs.js'
import { describeProxy, useProxy, type ProxyName } from './use-proxy.js'

// What passes a proxy that is configured as the documentation advises, and what a wrong configuration looks like.

const TOKEN = 'a-token-for-the-proxy'

/** A server that wants the token, and the subprotocol if `strict`. */
const useGuardedServer = ({ strict = false } = {}): Promise<WsServer> =>
  useWsServer(({ socket }) => serveMcp('v2', socket), {
    verifyClient: ({ req }, done) => {
      if (strict && req.headers['sec-websocket-protocol'] !== 'mcp.v1') done(false, 426, 'Subprotocol required')
      else done(req.headers.authorization === `Bearer ${TOKEN}`, 401)
    }
  })

interface Through extends Observed {
  readonly server: WsServer
  readonly proxyUrl: string
}

/** A client in front of a proxy in front of a server. */
async function useThrough(
  name: ProxyName,
  settings: Partial<ProxySettings> = {},
  { strict, ...options }: Partial<McpWebSocketClientOptions> & { strict?: boolean | undefined } = {}
): Promise<Through> {
  const server = await useGuardedServer({ strict })
  const proxy = await useProxy(name, { upstream: server.port, ...settings })
  return { server, proxyUrl: proxy.url, ...useClient({ url: proxy.url, auth: { token: TOKEN }, ...options }) }
}

// Every header named, as configurations on the web have it.
const SPELLED_OUT = [
  'proxy_set_header Sec-WebSocket-Protocol $http_sec_websocket_protocol',
  'proxy_set_header Sec-WebSocket-Version $http_sec_websocket_version',
  'proxy_set_header Sec-WebSocket-Key $http_sec_websocket_key',
  'proxy_set_header Authorization $http_authorization',
  'proxy_set_header Host $http_host'
]

const BOTH_CAUSES = /wants another subprotocol.*mcp\.v1.*or a proxy dropped the Upgrade and Connection headers/

interface Broken {
  readonly title: string
  readonly drop: string[]
  /** The server rejects a client that does not offer `mcp.v1`. */
  readonly strict?: boolean
  readonly expected: Readonly<Record<string, unknown>>
}

const hint = (words: RegExp): unknown => expect.stringMatching(words)

const UPGRADE_REQUIRED = { code: 'UNEXPECTED_STATUS', status: 426, hint: hint(BOTH_CAUSES) }
const NO_UPGRADE = { code: 'UNEXPECTED_STATUS', status: 400, hint: hint(/did not arrive as a WebSocket upgrade.*proxies forward/) }

const BROKEN: Broken[] = [
  { title: 'N16: without Upgrade and Connection the dial is a 426', drop: ['Upgrade', 'Connection'], expected: UPGRADE_REQUIRED },
  { title: 'N16: without Upgrade alone the dial is a 426', drop: ['Upgrade'], expected: UPGRADE_REQUIRED },
  { title: 'N16: without Connection alone the dial is a 426', drop: ['Connection'], expected: UPGRADE_REQUIRED },
  {
    title: 'N16: without Sec-WebSocket-Protocol the dial is a 426 of a server that wants mcp.v1',
    drop: ['Sec-WebSocket-Protocol'],
    strict: true,
    expected: UPGRADE_REQUIRED
  },
  {
    title: 'without Sec-WebSocket-Protocol other servers choose no subprotocol',
    drop: ['Sec-WebSocket-Protocol'],
    expected: { code: 'SUBPROTOCOL_MISMATCH', offered: ['mcp.v1'], received: undefined, hint: hint(/onMissingSubprotocol/) }
  },
  { title: 'N12: without Sec-WebSocket-Version the dial is a 400', drop: ['Sec-WebSocket-Version'], expected: NO_UPGRADE },
  {
    title: 'N13: without Authorization the dial is a 401',
    drop: ['Authorization'],
    expected: { name: 'UnauthorizedError', code: 'UNAUTHORIZED', status: 401, hint: hint(/proxies forward Authorization/) }
  }
]

/** What the loss of `Sec-WebSocket-Key` looks like. HAProxy makes a key of its own, so that the response does not fit the client's. */
const KEY_LOST: Readonly<Record<ProxyName, Broken>> = {
  nginx: { title: 'N12: without Sec-WebSocket-Key the dial is a 400', drop: ['Sec-WebSocket-Key'], expected: NO_UPGRADE },
  haproxy: {
    title: 'N19: without Sec-WebSocket-Key the Sec-WebSocket-Accept is wrong',
    drop: ['Sec-WebSocket-Key'],
    expected: { code: 'HANDSHAKE_INVALID', message: expect.stringContaining('Sec-WebSocket-Accept') as unknown }
  },
  caddy: { title: 'N12: without Sec-WebSocket-Key the dial is a 400', drop: ['Sec-WebSocket-Key'], expected: NO_UPGRADE }
}

const FORWARDING: Readonly<Record<ProxyName, { title: string; lines?: string[]; host: 'backend' | 'as dialled' }[]>> = {
  nginx: [
    { title: 'with Upgrade and Connection set', host: 'backend' },
    { title: 'with every header spelled out', lines: SPELLED_OUT, host: 'as dialled' }
  ],
  haproxy: [{ title: 'with nothing said about headers', host: 'as dialled' }],
  caddy: [{ title: 'with nothing said about headers', host: 'as dialled' }]
}

const MIB = 2 ** 20

for (const name of ['nginx', 'haproxy', 'caddy'] as const)
  describeProxy(name, () => {
    test.each(FORWARDING[name].map((row) => [row.title, row] as const))(
      '%s the upgrade, Authorization and mcp.v1 are forwarded, and a tool can be called',
      async (_, { lines, host }) => {
        const { client, server, proxyUrl } = await useThrough(name, { lines })
        await client.connect()
        expect(client).toMatchObject({ state: 'ready', era: 'modern', subprotocol: 'mcp.v1' })
        const { tools } = await client.listTools()
        expect(tools.map((tool) => tool.name)).toContain('echo')
        const result = await client.callTool({ name: 'echo', arguments: { message: 'through' } })
        expect(result.content).toEqual([{ type: 'text', text: 'through' }])
        expect(server.connections.map(({ request }) => request.headers)).toMatchObject([
          {
            authorization: `Bearer ${TOKEN}`,
            'sec-websocket-protocol': 'mcp.v1',
            host: host === 'backend' ? 'backend' : new URL(proxyUrl).host
          }
        ])
      }
    )

    test.each([...BROKEN, KEY_LOST[name]].map((row) => [row.title, row] as const))(
      '%s, and nobody dials again',
      async (_, { drop, strict, expected }) => {
        const { client, server } = await useThrough(name, { drop }, { strict })
        const error = await rejectionOf(client.connect())
        expect(error).toMatchObject({ ...expected, retryable: false, delivery: 'not-sent' })
        expect(client.state).toBe('failed')
        expect(client.stats().attempts).toBe(1)
        await until(() => server.openCount === 0, 'no socket is left at the server')
      }
    )

    test('N13: a 401 of the server comes with its WWW-Authenticate and body', async () => {
      const challenge = 'Bearer realm="mcp", error="invalid_token"'
      const server = await useRejectingServer({ status: 401, headers: { 'WWW-Authenticate': challenge }, body: 'who are you?' })
      const proxy = await useProxy(name, { upstream: server.port })
      const { client } = useClient({ url: proxy.url, auth: { token: TOKEN } })
      const error = await rejectionOf(client.connect())
      expect(error).toMatchObject({ name: 'UnauthorizedError', status: 401, wwwAuthenticate: challenge, body: 'who are you?' })
      expect(server.dials.map((dial) => headerOf(dial, 'Authorization'))).toEqual([`Bearer ${TOKEN}`])
    })

    test('a message of 1 MiB passes both ways, whatever the limit for request bodies', async () => {
      const limits = name === 'nginx' ? ['client_max_body_size 1k', 'proxy_buffer_size 4k', 'proxy_max_temp_file_size 0'] : []
      const { client } = await useThrough(name, { lines: limits })
      await client.connect()
      const message = Array.from({ length: MIB / 8 }, (_, index) => String(index).padStart(8, '.')).join('')
      const result = await client.callTool({ name: 'echo', arguments: { message } })
      // Not `toEqual`: its report of a difference would be as long.
      expect(result.content[0]?.type === 'text' && result.content[0].text === message).toBe(true)
    })

    test('200 requests in flight arrive and are answered in the order in which they were made', async () => {
      const { client, server } = await useThrough(name)
      await client.connect()
      const texts: string[] = []
      const calls = Array.from({ length: 200 }, async (_, index) => {
        const { content } = await client.callTool({ name: 'echo', arguments: { message: String(index) } })
        texts.push(content[0]?.type === 'text' ? content[0].text : '')
      })
      expect(client.pendingCount).toBe(200)
      await Promise.all(calls)
      const inOrder = Array.from({ length: 200 }, (_, index) => String(index))
      const arrived = server.connections[0]!.received.filter(({ method }) => method === 'tools/call')
      expect(arrived.map(({ params }) => (params?.arguments as { message?: unknown }).message)).toEqual(inOrder)
      expect(texts).toEqual(inOrder)
    })
  })
