import { createServer, type IncomingMessage } from 'node:http'
import type { Browser, Page } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { McpWebSocketServerOptions } from '../../src/server/index.js'
import { afterTest } from '../helpers/after-test.js'
import { useServer, type Served } from '../server/use-server.js'
import { chromium, launch, openPage } from './browsers.js'
import { listenOnLoopback } from '../helpers/listen-on-loopback.js'

// The attacks are those of real pages: the browser itself writes Origin, Host and Cookie.

/** A name that its owner points wherever it likes: here, after the page is loaded, at this machine. */
const EVIL = 'evil.test'
const COOKIE = 'session=ada'

/** Who has the cookie is let in, as a server would do it that trusts its users' browsers. */
const byCookie = ({ headers }: IncomingMessage): string | undefined => (headers.cookie?.includes(COOKIE) ? 'ada' : undefined)

describe.skipIf(chromium.executablePath === undefined)('a page in Chromium', () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await launch(chromium, [], [`--host-resolver-rules=MAP ${EVIL} 127.0.0.1`])
    // It serves all tests: not to be taken for something that one of them left behind.
    browser.process()?.unref()
  })
  afterAll(() => browser.close())

  /** A web server of its own origin, whose pages get the cookie; that of `/sandboxed` has no origin. */
  async function useSite(): Promise<number> {
    const site = createServer(({ url }, response) => {
      const sandbox = url === '/sandboxed' && { 'content-security-policy': 'sandbox allow-scripts' }
      const cookie = `${COOKIE}; Path=/; HttpOnly`
      response.writeHead(200, { 'content-type': 'text/html', connection: 'close', 'set-cookie': cookie, ...sandbox })
      response.end('<!doctype html>')
    })
    return listenOnLoopback(site)
  }

  async function visit(url: string): Promise<Page> {
    const page = await openPage(browser, url)
    afterTest(() => page.close())
    return page
  }

  /** Opens a socket in the page. @returns Whether it opened, and what the server said to a request. */
  const attack = (page: Page, url: string, protocols: string[] = ['mcp.v1']): Promise<string> =>
    page.evaluate(
      (to, offer) =>
        new Promise<string>((resolve) => {
          const socket = new WebSocket(to, offer)
          socket.onopen = () => socket.send('{"jsonrpc":"2.0","id":1,"method":"ping"}')
          socket.onmessage = ({ data }) => {
            resolve(String(data))
            socket.close()
          }
          socket.onclose = ({ code }) => resolve(`closed with ${String(code)}`)
        }),
      url,
      protocols
    )

  interface Asked extends Served<string> {
    readonly asked: IncomingMessage[]
  }

  /** A server that knows its users by their cookie, and answers what they ask. */
  async function useVictim(options: Partial<McpWebSocketServerOptions<string>>): Promise<Asked> {
    const asked: IncomingMessage[] = []
    const served = await useServer<string>({
      authenticate: (request) => {
        asked.push(request)
        return byCookie(request)
      },
      onconnection: (transport) => {
        transport.onmessage = () => void transport.send({ jsonrpc: '2.0', id: 1, result: {} })
        void transport.start()
      },
      ...options
    })
    return { ...served, asked }
  }

  test('S1: of a known origin connects with its cookie, and one of another origin with the same cookie does not', async () => {
    const [good, evil] = [await useSite(), await useSite()]
    const { url, transports, asked, server } = await useVictim({ allowedOrigins: [`http://127.0.0.1:${String(good)}`] })
    expect(await attack(await visit(`http://127.0.0.1:${String(good)}/`), url)).toContain('result')
    expect([transports.length, asked.length]).toEqual([1, 1])
    expect(asked[0]?.headers.cookie).toContain(COOKIE)
    // Cookies know no ports: the browser would send this one to the server for any page of this host.
    expect(await attack(await visit(`http://127.0.0.1:${String(evil)}/`), url)).toBe('closed with 1006')
    expect([transports.length, asked.length]).toEqual([1, 1])
    expect(server.metrics().handshakesRefused).toEqual({ 403: 1 })
  })

  test.each([
    ['the known origin, but sandboxed, which is "null"', 'http://127.0.0.1:PORT/sandboxed'],
    ['another name of this machine', 'http://localhost:PORT/'],
    ['a name that only looks like it', `http://${EVIL}:PORT/`]
  ])('S1: of %s does not connect', async (_what, address) => {
    const port = await useSite()
    const { url, transports, asked, server } = await useVictim({ allowedOrigins: [`http://127.0.0.1:${String(port)}`] })
    expect(await attack(await visit(address.replace('PORT', String(port))), url)).toBe('closed with 1006')
    expect([transports, asked]).toEqual([[], []])
    expect(server.metrics().handshakesRefused).toEqual({ 403: 1 })
  })

  test('S1: of any origin does not connect by default', async () => {
    const { url, transports } = await useServer()
    expect(await attack(await visit(`http://127.0.0.1:${String(await useSite())}/`), url)).toBe('closed with 1006')
    expect(transports).toEqual([])
  })

  test('S2: whose name was pointed at this machine after it was loaded does not connect, although Origin and Host agree', async () => {
    const port = await useSite()
    // Even a server that somebody told to trust every page it could think of.
    const { port: target, transports, asked, server } = await useVictim({ allowedOrigins: [`http://${EVIL}:${String(port)}`] })
    const page = await visit(`http://${EVIL}:${String(port)}/`)
    expect(await attack(page, `ws://${EVIL}:${String(target)}/ws`)).toBe('closed with 1006')
    expect([transports, asked]).toEqual([[], []])
    expect(server.metrics().handshakesRefused).toEqual({ 403: 1 })
    // The name arrives at the server indeed: only the list keeps it out.
    const open = await useServer({
      allowedHosts: [EVIL],
      allowedOrigins: [`http://${EVIL}:${String(port)}`],
      onconnection: (transport) => {
        transport.onmessage = () => void transport.send({ jsonrpc: '2.0', id: 1, result: {} })
        void transport.start()
      }
    })
    expect(await attack(page, `ws://${EVIL}:${String(open.port)}/ws`)).toContain('result')
    expect(open.infos[0]?.request.headers.host).toBe(`${EVIL}:${String(open.port)}`)
  })

  test('S4: that has a token sends it as a subprotocol, and gets mcp.v1 back', async () => {
    const port = await useSite()
    const { url, infos } = await useServer<string>({
      allowedOrigins: [`http://127.0.0.1:${String(port)}`],
      authenticate: (_request, token) => (token === 'right' ? 'ada' : undefined),
      onconnection: (transport) => {
        transport.onmessage = () => void transport.send({ jsonrpc: '2.0', id: 1, result: {} })
        void transport.start()
      }
    })
    const page = await visit(`http://127.0.0.1:${String(port)}/`)
    expect(await attack(page, url)).toBe('closed with 1006')
    expect(await attack(page, url, ['mcp.v1', 'mcp.bearer.cmlnaHQ'])).toContain('result')
    expect(infos.map(({ auth }) => auth)).toEqual(['ada'])
  })
})
