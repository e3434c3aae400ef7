import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { afterTest } from '../helpers/after-test.js'
import { bundle, useChild } from '../helpers/child.js'
import { listenOnLoopback } from '../helpers/listen-on-loopback.js'
import { useFolder } from '../helpers/use-folder.js'
import { useServer } from '../server/use-server.js'
import { chromium, launch, openPage } from './browsers.js'

const ROOT = new URL('../../', import.meta.url)
const EXAMPLE = new URL('../../docs/examples/page-with-tools/', import.meta.url)

test.skipIf(chromium.executablePath === undefined)(
  'docs/examples/page-with-tools: the gateway calls the tool of each page that is opened',
  async () => {
    const script = join(await useFolder(), 'page.js')
    // As the command at the top of gateway.ts does.
    await build({ entryPoints: [fileURLToPath(new URL('page.ts', EXAMPLE))], outfile: script, bundle: true, format: 'esm' })
    const gateway = useChild(await bundle(new URL('gateway.ts', EXAMPLE)), [script, '0'])
    const [, port = ''] = /^listening on (\d+)$/.exec(await gateway.nextLine()) ?? []
    const browser = await launch(chromium)
    afterTest(() => browser.close())
    for (let round = 0; round < 2; round++) {
      await openPage(browser, `http://127.0.0.1:${port}/`)
      expect(await gateway.nextLine()).toBe('the title is [{"type":"text","text":"My page"}]')
    }
  }
)

test.skipIf(chromium.executablePath === undefined).each(['README.md', 'docs/getting-started.md'])(
  'the page of %s calls a tool, without a bundler',
  async (guide) => {
    const [, block = ''] = /^```html\n(<!doctype html>[\s\S]*?)^```$/m.exec(await readFile(new URL(guide, ROOT), 'utf8')) ?? []
    expect(block).toContain('<script type="module">')
    let page = ''
    const site = createServer((request, response) => {
      const respond = (type: string, body: string): void =>
        void response.writeHead(200, { 'content-type': type, connection: 'close' }).end(body)
      const { url = '/' } = request
      if (url === '/') respond('text/html', page)
      else
        readFile(new URL(`.${url}`, ROOT), 'utf8').then(
          (text) => respond('text/javascript', text),
          () => response.writeHead(404).end()
        )
    })
    const origin = `http://127.0.0.1:${String(await listenOnLoopback(site))}`
    const { url } = await useServer({ allowedOrigins: [origin] })
    page = block.replace('ws://127.0.0.1:8080/ws', url).replace(/https:\/\/cdn[^']*@[\d.]+(?=\/dist)/, '')
    const browser = await launch(chromium)
    afterTest(() => browser.close())
    const opened = await openPage(browser, `${origin}/`)
    await opened.waitForFunction(() => document.body.textContent.includes('hi'))
    expect(await opened.evaluate(() => document.body.innerText)).toMatch(/ready.*hi$/s)
  }
)
