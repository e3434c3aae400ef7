import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { launch as launchBrowser, type Browser, type Page } from 'puppeteer-core'

/** A browser that the tests drive. */
export interface Engine {
  readonly name: 'Chromium' | 'Firefox'
  /** `undefined`: not installed. */
  readonly executablePath: string | undefined
}

export const chromium = find('Chromium', process.env.CHROMIUM_PATH ?? '/usr/bin/chromium', 'chromium', 'CHROMIUM_PATH')
export const firefox = find('Firefox', process.env.FIREFOX_PATH ?? '/usr/bin/firefox-esr', 'firefox-esr', 'FIREFOX_PATH')

function find(name: Engine['name'], path: string, debian: string, variable: string): Engine {
  if (existsSync(path)) return { name, executablePath: path }
  const message = `No ${name} at ${path}: install it (Debian: apt-get install ${debian}) or set ${variable}.`
  // Where everything must run, what is missing is a failure.
  if (process.env.CI === 'true') throw new Error(message)
  console.warn(`\n*** SKIPPED: the tests in ${name}. ${message} ***\n`)
  return { name, executablePath: undefined }
}

/**
 * @param ignoreDefaultArgs - Switches that the driver would set, and that would hide what a test is about.
 * @param more - Further switches, for Chromium.
 */
export function launch({ name, executablePath }: Engine, ignoreDefaultArgs: string[] = [], more: string[] = []): Promise<Browser> {
  const path = executablePath === undefined ? {} : { executablePath }
  if (name === 'Firefox') return launchBrowser({ browser: 'firefox', ...path })
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', ...more]
  return launchBrowser({ browser: 'chrome', ...path, args, ignoreDefaultArgs, pipe: true })
}

/** A server of pages on 127.0.0.1, every path of which has the same script in it. */
export interface PageServer {
  readonly url: string
  /** The script, as it is served. */
  readonly script: string
  close(): Promise<void>
}

/** What a server of pages serves. */
export interface Site {
  /** The file of this folder that runs in its pages. */
  readonly entry?: string
  /** Headers of its pages. */
  readonly headers?: Readonly<Record<string, string>>
  /** What a page, or whoever else, has done by a `POST` to this path. */
  readonly commands?: Readonly<Record<string, () => Promise<void>>>
}

const SCRIPT = '/in-page.js'

/** What was bundled, by its entry. */
const bundles = new Map<string, Promise<string>>()

export async function servePages({ entry = 'in-page.ts', headers = {}, commands = {} }: Site = {}): Promise<PageServer> {
  const making = bundles.get(entry) ?? bundled(entry)
  bundles.set(entry, making)
  const script = await making
  const server = createServer(({ method, url = '' }, response) => {
    const respond = (type: string, body: string): void =>
      void response.writeHead(200, { ...headers, 'content-type': `${type}; charset=utf-8`, connection: 'close' }).end(body)
    if (method === 'POST') void commands[url]?.().then(() => respond('text/plain', 'done'))
    else if (url === SCRIPT) respond('text/javascript', script)
    else respond('text/html', `<!doctype html><script src="${SCRIPT}"></script>`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${String(port)}/`,
    script,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Where the sources are imported, the package is meant: its exports decide, as for every bundler. */
const ENTRIES = [
  [/\/src\/index\.js$/, 'mcp-websocket-client'],
  [/\/src\/transport\/index\.js$/, 'mcp-websocket-client/transport']
] as const

/** One classic script out of a file of this folder and `dist/browser`. */
async function bundled(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    absWorkingDir: ROOT,
    bundle: true,
    platform: 'browser',
    format: 'iife',
    write: false,
    logLevel: 'silent',
    // That of the project leads from the names of the package to its sources.
    tsconfigRaw: {},
    plugins: [
      {
        name: 'as-published',
        setup(built) {
          for (const [filter, name] of ENTRIES) built.onResolve({ filter }, ({ kind }) => built.resolve(name, { kind, resolveDir: ROOT }))
        }
      }
    ]
  })
  return outputFiles[0]?.text ?? ''
}

/** A page that is loaded. */
export async function openPage(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage()
  await page.goto(url)
  return page
}

/** The longest that a row may take: one that hangs must not take the others with it. */
export const LIMIT = 15_000

/** Resolves or rejects as `promise` does, or rejects after {@link LIMIT}. */
export function inTime<T>(promise: Promise<T>): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error('the row did not end')), LIMIT).unref()
    })
  ])
}
