import { afterEach, describe, expect, it } from 'vitest'
import { McpWebSocketClient } from '../../src/client/client.js'
import { isSameToken, McpWebSocketServer, type McpWebSocketServerOptions, type ServerTransport } from '../../src/server/index.js'
import type { McpWebSocketClientOptions } from '../../src/types/options.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { FAST, said } from '../shared/lab.js'

const TOKEN = 'right~token?'

/** What holds of the server where this runtime has one: its clients are of the same runtime. */
export function serverFacts(): void {
  describe('McpWebSocketServer', () => {
    const endings: (() => Promise<void>)[] = []
    afterEach(async () => {
      for (const end of endings.splice(0).reverse()) await end()
    })

    async function serve(
      options: Partial<McpWebSocketServerOptions<string>> = {}
    ): Promise<{ server: McpWebSocketServer<string>; url: string; transports: ServerTransport[] }> {
      const transports: ServerTransport[] = []
      const server = new McpWebSocketServer<string>({
        authenticate: (_request, token) => (isSameToken(token, TOKEN) ? 'ada' : undefined),
        onconnection: (transport, { auth }) => {
          transports.push(transport)
          return answer(transport, auth)
        },
        ...options
      })
      await server.listen()
      endings.push(() => server.close({ grace: 0 }))
      return { server, url: `ws://127.0.0.1:${String(server.address()?.port)}/ws`, transports }
    }

    async function connect(url: string, options: Partial<McpWebSocketClientOptions> = {}): Promise<McpWebSocketClient> {
      const client = new McpWebSocketClient({ url, protocol: 'legacy', auth: { token: TOKEN }, reconnect: FAST, ...options })
      endings.push(() => client.close())
      await client.connect()
      return client
    }

    const whoami = async (client: McpWebSocketClient): Promise<unknown> => said(await client.callTool({ name: 'whoami' }))

    it.each(['header', 'subprotocol'] as const)('authenticates a token that came in a %s, and tells who it is', async (via) => {
      const { server, url } = await serve()
      const client = await connect(url, { auth: { token: TOKEN, via } })
      expect(client.subprotocol).toBe('mcp.v1')
      expect(await whoami(client)).toBe('ada')
      expect(server.metrics()).toMatchObject({ connections: 1, connectionsTotal: 1 })
    })

    it('rejects a wrong token with 401, and calls nothing', async () => {
      const { server, url, transports } = await serve()
      const error = await rejectionOf(connect(url, { auth: { token: 'wrong' } }))
      expect(error).toMatchObject({ code: 'UNAUTHORIZED', status: 401 })
      expect(transports).toHaveLength(0)
      expect(server.metrics().handshakesRefused).toMatchObject({ 401: 1 })
    })

    it('rejects the page of another origin with 403', async () => {
      const { url } = await serve()
      const error = await rejectionOf(connect(url, { headers: { Origin: 'https://evil.example' } }))
      expect(error).toMatchObject({ status: 403 })
    })

    it('carries a large message, and rejects one that is too large', async () => {
      const { url } = await serve({ maxMessageBytes: 300_000 })
      const client = await connect(url, { reconnect: false })
      const message = '😀'.repeat(50_000)
      expect(said(await client.callTool({ name: 'echo', arguments: { message } }))).toBe(message)
      const error = await rejectionOf(client.callTool({ name: 'echo', arguments: { message: message + message } }))
      expect(error).toMatchObject({ name: 'ConnectionLostError', closure: { code: 1009 } })
    })

    it('has its clients again after it ended their connections', async () => {
      const { url, transports } = await serve()
      const client = await connect(url)
      const reconnected = nextEvent(client, 'reconnected')
      await transports[0]?.close()
      await reconnected
      expect(await whoami(client)).toBe('ada')
      expect(transports).toHaveLength(2)
    })

    it('lets a call end before it closes, and leaves nothing', async () => {
      const { server, url } = await serve()
      const client = await connect(url, { reconnect: false })
      const ended = nextEvent(client, 'state', ({ to }) => to === 'failed')
      const call = client.callTool({ name: 'slow' })
      await client.ping()
      await Promise.all([server.close(), ended])
      expect(said(await call)).toBe('done')
      expect(server.metrics()).toMatchObject({ connections: 0, requestsInFlight: 0 })
    })
  })
}

/** A server of one connection, without any SDK. */
function answer(transport: ServerTransport, who: string): Promise<void> {
  const text = (said: unknown): object => ({ content: [{ type: 'text', text: said }] })
  const call = async (name: unknown, given: { message?: unknown } = {}): Promise<object> => {
    if (name === 'slow') await new Promise((resolve) => setTimeout(resolve, 50))
    return text(name === 'whoami' ? who : name === 'slow' ? 'done' : given.message)
  }
  const reply = async (method: string, params: Record<string, unknown>): Promise<object> => {
    if (method === 'tools/call') return call(params.name, params.arguments as object | undefined)
    if (method !== 'initialize') return {}
    return { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'plain', version: '1' } }
  }
  transport.onmessage = (message) => {
    if (!('method' in message) || !('id' in message)) return
    const { id, method, params = {} } = message
    void reply(method, params).then((result) => transport.send({ jsonrpc: '2.0', id, result: result as Record<string, unknown> }))
  }
  return transport.start()
}
