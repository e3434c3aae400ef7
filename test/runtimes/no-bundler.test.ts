import { build } from 'esbuild'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import * as entries from '../../src/script.js'
import { chromium } from '../engines/browsers.js'
import { root } from '../package/packed.js'
import { open, USED } from './open-app.js'

// The packed package in Chromium, served file by file, as a CDN does it.

const programs = fileURLToPath(new URL('programs', import.meta.url))
const site = mkdtempSync(join(tmpdir(), 'no-bundler-'))

beforeAll(async () => {
  cpSync(join(inject('place').folder, 'node_modules/mcp-websocket-client/dist'), join(site, 'dist'), { recursive: true })
  cpSync(join(programs, 'no-bundler'), site, { recursive: true })
  cpSync(join(programs, 'app/shared.js'), join(site, 'shared.js'))
  const contents = `globalThis.Client = require('@modelcontextprotocol/client').Client`
  await build({ stdin: { contents, resolveDir: root }, bundle: true, outfile: join(site, 'sdk.js'), logLevel: 'silent' })
})
afterAll(() => rmSync(site, { recursive: true }))

describe.skipIf(chromium.executablePath === undefined)('without a bundler, the package', () => {
  describe.for([
    ['one script tag', 'script.html'],
    ['imports of its ES modules', 'modules.html']
  ] as const)('by %s', ([, page]) => {
    test('is used in a page, in a worker and in a service worker', async () => {
      const { use } = await open(site, page)
      expect(await use('page')).toEqual(USED)
      expect(await use('worker')).toEqual(USED)
      expect(await use('serviceWorker')).toEqual(USED)
    })

    test('has every export of the client and of the transport', async () => {
      const { use } = await open(site, page)
      expect(await use('names')).toEqual(Object.keys(entries).sort())
    })
  })
})
