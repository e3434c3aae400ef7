import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { afterTest } from '../helpers/after-test.js'
import { bundle, useChild } from '../helpers/child.js'
import { chromium, launch, openPage } from './browsers.js'

const EXAMPLE = new URL('../../docs/examples/page-with-tools/', import.meta.url)

test.skipIf(chromium.executablePath === undefined)(
  'docs/examples/page-with-tools: the gateway calls the tool of each page that is opened',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'page-with-tools-'))
    afterTest(() => rm(folder, { recursive: true }))
    const script = join(folder, 'page.js')
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
