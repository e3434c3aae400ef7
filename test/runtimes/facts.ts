import { describe, expect, it } from 'vitest'
import { McpWebSocketClient } from '../../src/client/client.js'
import type { McpWebSocketClientOptions } from '../../src/types/options.js'
import { clientSuite } from '../shared/client-suite.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { FAST, said } from '../shared/lab.js'
import { seesHttpIn, type Engine } from '../shared/upgrades.js'
import { httpOf, TOKEN, type Upgrade } from './real-server-api.js'

/** Where the servers are, and what kind of engine this is. */
export interface Surroundings {
  /** The scripted server of helpers/serve-for-browser.ts. */
  readonly scriptedUrl: string
  /** The server of real-server.ts. */
  readonly realUrl: string
  readonly engine: Engine
}

/** What holds of the client in every engine. */
export function clientFacts({ scriptedUrl, realUrl, engine }: Surroundings): void {
  clientSuite(scriptedUrl, engine)
  realServerSuite(realUrl, seesHttpIn(engine))
}

function realServerSuite(url: string, seesHttp: boolean): void {
  const made = (options: Partial<McpWebSocketClientOptions> = {}): McpWebSocketClient =>
    new McpWebSocketClient({ url, auth: { token: TOKEN, via: 'subprotocol' }, reconnect: FAST, ...options })
  const ask = async <R>(path: string): Promise<R> => (await (await fetch(httpOf(url) + path)).json()) as R
  const echo = async (client: McpWebSocketClient, message: string): Promise<unknown> =>
    said(await client.callTool({ name: 'echo', arguments: { message } }))

  describe('a server of this package', () => {
    it.each(['legacy', 'modern'] as const)('is reached and called in the %s era', async (era) => {
      const client = made({ protocol: era === 'legacy' ? 'legacy' : 'auto' })
      await client.connect()
      expect(client).toMatchObject({ era, subprotocol: 'mcp.v1', serverInfo: { name: 'test-server' } })
      expect((await client.listTools()).tools.length).toBeGreaterThan(5)
      expect(await echo(client, 'ä€😀')).toBe('ä€😀')
      await client.close()
    })

    it('gets a token as a subprotocol', async () => {
      const client = made()
      await client.connect()
      const { authorization, offered } = await ask<Upgrade>('/last')
      expect(authorization).toBeNull()
      expect(offered).toMatch(/^mcp\.v1, ?mcp\.bearer\.[\w-]+$/)
      await client.close()
    })

    it(`gets a token in a header${seesHttp ? '' : ' only where the engine sends headers, and here the constructor throws'}`, async () => {
      const options = { auth: { token: TOKEN }, headers: { 'x-own': 'one' } }
      if (!seesHttp) {
        expect(() => made(options)).toThrow(TypeError)
        return
      }
      const client = made(options)
      await client.connect()
      expect(await ask<Upgrade>('/last')).toMatchObject({ authorization: `Bearer ${TOKEN}`, offered: 'mcp.v1', own: 'one' })
      await client.close()
    })

    it(`that rejects the token ${seesHttp ? 'is seen to answer 401' : 'is a failed dial that may be a 401'}`, async () => {
      const client = made({ auth: { token: 'wrong', via: 'subprotocol' }, reconnect: false })
      const error = await rejectionOf(client.connect())
      const opaque = { code: 'CONNECT_FAILED', hint: expect.stringContaining('401') as string }
      expect(error).toMatchObject(seesHttp ? { code: 'UNAUTHORIZED', status: 401 } : opaque)
      expect(client.state).toBe('failed')
      await client.close()
    })

    it('is connected to again when the socket was killed', async () => {
      const client = made()
      await client.connect()
      const reconnected = nextEvent(client, 'reconnected')
      expect(await ask('/kill')).toEqual({ killed: 1 })
      expect(await reconnected).toMatchObject({ attempts: 1 })
      expect(await echo(client, 'again')).toBe('again')
      await client.close()
    })

    it('is left by close()', async () => {
      const client = made()
      await client.connect()
      expect(await ask('/open?until=1')).toEqual({ open: 1 })
      await client.close()
      expect(await ask('/open?until=0')).toEqual({ open: 0 })
      expect(client).toMatchObject({ state: 'closed', pendingCount: 0, queuedCount: 0 })
    })
  })
}
