import { execFile } from 'node:child_process'
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { chromium } from '../engines/browsers.js'
import { afterTest } from '../helpers/after-test.js'
import { root } from '../package/packed.js'
import { inPairs } from './pool.js'
import { open, placeOf, USED } from './open-app.js'
import { startRealServer } from './real-server.js'

// The packed package in an app, as each bundler makes it with the settings that its documentation names: in a page, a worker and a service
// worker of Chromium, and as one file for Node.

const { toolchain, folder } = inject('place')
const run = promisify(execFile)

/** Each bundler, and where it is installed: in this project, or with the runtimes. */
const BUNDLERS = [
  ['esbuild', root],
  ['tsup', root],
  ['Rollup', toolchain],
  ['webpack', toolchain],
  ['Vite', toolchain]
] as const
const TARGETS = ['page', 'esm', 'cjs'] as const
type Target = (typeof TARGETS)[number]

describe.skipIf(toolchain === '')('the packed package, bundled with', () => {
  const app = join(folder, 'app')
  const warnings = new Map<string, string>()
  const outOf = (bundler: string, target: Target): string => join(folder, 'out', bundler, target)

  // All builds before the first test: Node starts, and most of them wait for the disk.
  beforeAll(async () => {
    cpSync(fileURLToPath(new URL('programs/app', import.meta.url)), app, { recursive: true })
    copyFileSync(fileURLToPath(new URL('programs/build.mjs', import.meta.url)), join(folder, 'build.mjs'))
    symlinkSync(join(root, 'node_modules/@modelcontextprotocol'), join(folder, 'node_modules/@modelcontextprotocol'))
    const builds = BUNDLERS.flatMap(([bundler, from]) => TARGETS.map((target) => ({ bundler, from, target })))
    await inPairs(builds, async ({ bundler, from, target }) => {
      const args = [join(folder, 'build.mjs'), bundler, target, from]
      const said = await run(process.execPath, args, { cwd: folder }).then(
        ({ stdout, stderr }) => stderr + stdout,
        (error: unknown) => String(error)
      )
      warnings.set(`${bundler} ${target}`, said.trim())
      // Vite makes its own out of this one.
      if (target === 'page' && bundler !== 'Vite') copyFileSync(join(app, 'index.html'), join(outOf(bundler, target), 'index.html'))
    })
  }, 300_000)

  describe.for(BUNDLERS.map(([name]) => name))('%s', (bundler) => {
    test.for(TARGETS)('for the target %s, draws no warning', (target) => {
      expect(warnings.get(`${bundler} ${target}`)).toBe('[]')
    })

    test.skipIf(chromium.executablePath === undefined)('is used in a page, in a worker and in a service worker of Chromium', async () => {
      const { use } = await open(outOf(bundler, 'page'), 'index.html')
      expect(await use('page')).toEqual(USED)
      expect(await use('worker')).toEqual(USED)
      expect(await use('serviceWorker')).toEqual(USED)
    })

    test.for(['esm', 'cjs'] as const)('is used by one file for Node (%s), far from any package, and lets it end', async (target) => {
      const real = await startRealServer()
      afterTest(() => real.close())
      const empty = mkdtempSync(join(tmpdir(), 'bundled-'))
      afterTest(() => rmSync(empty, { recursive: true }))
      const name = `program.${target === 'esm' ? 'mjs' : 'cjs'}`
      const [program, ...others] = readdirSync(outOf(bundler, target)).filter((path) => /\.[cm]?js$/.test(path))
      expect([program, ...others]).toEqual([name])
      copyFileSync(join(outOf(bundler, target), name), join(empty, name))
      const { stdout, stderr } = await run(process.execPath, [join(empty, name), JSON.stringify(placeOf(real))], { cwd: empty, env: {} })
      expect(stderr).toBe('')
      expect(JSON.parse(stdout)).toEqual(USED)
      expect(readFileSync(join(empty, name), 'utf8').match(/name ?= ?["'`]RetriesExhaustedError/g)).toHaveLength(1)
    })
  })

  test.skipIf(chromium.executablePath === undefined)('esbuild, in a service worker, stays connected while its page reloads', async () => {
    const { real, use, reload } = await open(outOf('esbuild', 'page'), 'index.html')
    expect(await use('serviceWorker', { keeps: true })).toEqual({ calls: 1 })
    await reload()
    expect(await use('serviceWorker', { keeps: true })).toEqual({ calls: 2 })
    expect(real.dials()).toBe(1)
  })
})
