import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import type { Browser } from 'puppeteer-core'
import { afterAll, beforeAll } from 'vitest'
import { chromium, inTime, launch } from '../engines/browsers.js'
import { afterTest } from '../helpers/after-test.js'
import { listenOnLoopback } from '../helpers/listen-on-loopback.js'
import { TOKEN } from './real-server-api.js'
import { startRealServer, type RealServer } from './real-server.js'

/** What the functions of an app are called with: see programs/app/shared.js. */
interface Place {
  readonly url: string
  readonly token: string
  readonly message: string
  /** Whether the service worker is to keep its client. */
  readonly keeps?: boolean
}

/** An app in Chromium, with a server that its page may use. */
interface Opened {
  readonly real: RealServer
  /** Calls a function of the global `app` of the page. */
  readonly use: (name: string, more?: Partial<Place>) => Promise<unknown>
  readonly reload: () => Promise<unknown>
}

const MESSAGE = 'ä€😀'

/** What comes of `useWith` in programs/app/shared.js, wherever it runs. */
export const USED = { client: MESSAGE, transport: MESSAGE, knowsErrors: [true, true] }

export const placeOf = ({ url }: RealServer): Place => ({ url, token: TOKEN, message: MESSAGE })

let browser: Browser | undefined

beforeAll(async () => {
  if (chromium.executablePath === undefined) return
  browser = await launch(chromium)
  // It serves all tests: not to be taken for something that one of them left behind.
  browser.process()?.unref()
})

afterAll(() => browser?.close())

/**
 * Opens the page of an app in a profile of its own, so that it meets no service worker of another test.
 * @param folder - The files of the app.
 * @param path - The page among them.
 */
export async function open(folder: string, path: string): Promise<Opened> {
  const origin = await serveFiles(folder)
  const real = await startRealServer(origin)
  afterTest(() => real.close())
  const context = await browser!.createBrowserContext()
  afterTest(() => context.close())
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('console', (message) => complaints.push(message.text()))
  await page.goto(`${origin}/${path}`)
  return {
    real,
    use: (name, more = {}) => {
      type App = Readonly<Record<string, (place: Place) => Promise<unknown>>>
      const place = { ...placeOf(real), ...more }
      const called = page.evaluate((key, given) => (globalThis as unknown as { app: App }).app[key]!(given), name, place)
      return inTime(called).catch((error: unknown) => Promise.reject(new Error([String(error), ...complaints].join('\n'))))
    },
    reload: () => page.reload()
  }
}

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' }

/** @returns The origin of the server, which ends after the test. */
async function serveFiles(folder: string): Promise<string> {
  const server = createServer(({ url = '/' }, response) => {
    readFile(join(folder, url)).then(
      (body) => response.writeHead(200, { 'content-type': TYPES[extname(url)] ?? 'text/plain', connection: 'close' }).end(body),
      () => response.writeHead(404, { connection: 'close' }).end()
    )
  })
  return `http://127.0.0.1:${String(await listenOnLoopback(server))}`
}
