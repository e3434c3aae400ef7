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
  if (name === 'Firefox') return launchBrowser({ browser: 'firefox', executablePath })
  const args = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', ...more]
  return launchBrowser({ browser: 'chrome', executablePath, args, ignoreDefaultArgs, pipe: true })
}

/** A server of pages on 127.0.0.1, every path of which has {@link Visit} in it. */
export interface PageServer {
  readonly url: string
  close(): Promise<void>
}

const SCRIPT = '/in-page.js'

export async function servePages(): Promise<PageServer> {
  const script = await bundled()
  const server = createServer(({ url }, response) => {
    const [type, body] = url === SCRIPT ? ['text/javascript', script] : ['text/html', `<!doctype html><script src="${SCRIPT}"></script>`]
    response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, connection: 'close' }).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${String(port)}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

/** One classic script out of in-page.ts and `dist/browser`. */
async function bundled(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('in-page.ts', import.meta.url))],
    bundle: true,
    platform: 'browser',
    format: 'iife',
    write: false,
    logLevel: 'silent',
    plugins: [
      {
        name: 'as-published',
        setup(built) {
          built.onResolve({ filter: /\/src\/index\.js$/ }, () => ({
            path: fileURLToPath(new URL('../../dist/browser/index.js', import.meta.url))
          }))
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
