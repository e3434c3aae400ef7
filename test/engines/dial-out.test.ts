import { describe, expect, test } from 'vitest'
import type { ServerTransport } from '../../src/server/index.js'
import { afterTest } from '../helpers/after-test.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { makeSdkClient, type SdkClient, type SdkMode } from '../helpers/sdk-client.js'
import { until } from '../helpers/until.js'
import { useServer } from '../server/use-server.js'
import { chromium, firefox, launch, openPage, servePages } from './browsers.js'

// A page offers tools over a socket that it opens, with an unmodified `McpServer` of the official SDK; the gateway puts an unmodified
// `Client` on each connection.

describe.for([chromium, firefox].filter(({ executablePath }) => executablePath !== undefined))('a page in $name', (engine) => {
  test.for([
    ['v1', 'v1'],
    ['v2', 'v2 legacy']
  ] as const)(
    'offers its tools with an McpServer of SDK %s, and again after each drop',
    async ([sdk, mode]: readonly [string, SdkMode]) => {
      const browser = await launch(engine)
      afterTest(() => browser.close())
      const site = await servePages({ entry: 'dial-out-in-page.ts' })
      afterTest(() => site.close())
      const clients: SdkClient[] = []
      const pings: string[] = []
      const gateway = await useServer({
        allowedOrigins: [new URL(site.url).origin],
        onconnection: async (transport: ServerTransport) => {
          const client = makeSdkClient(mode)
          await client.connect(transport)
          const { onmessage } = transport
          transport.onmessage = (message, extra) => {
            if ('method' in message) pings.push(message.method)
            onmessage?.(message, extra)
          }
          clients.push(client)
        }
      })
      const page = await openPage(browser, site.url)
      afterTest(() => page.close())
      await page.evaluate(
        (which, url) => {
          document.title = 'in the page'
          return dialOut(which as 'v1', url)
        },
        sdk,
        gateway.url
      )
      for (let round = 0; round < 3; round++) {
        await until(() => clients.length > round, 'the gateway has a client')
        const client = clients[round]!
        expect((await client.client.listTools()).tools.map(({ name }) => name)).toEqual(['title', 'hold'])
        expect(await client.call('title')).toBe('in the page')
        const lost = rejectionOf(client.call('hold'))
        // The page has no ping frames: it asks the client, which also shows that the connection is one that both ends use.
        const before = pings.length
        await until(() => pings.length > before, 'the page asked for a sign of life')
        gateway.infos[round]!.request.socket.destroy()
        expect(await lost).toMatchObject({ message: expect.stringMatching(/closed/i) as string })
        expect(client.errors).toEqual([])
      }
      expect(new Set(pings)).toEqual(new Set(['ping']))
    }
  )
})
