import { execFile } from 'node:child_process'
import { copyFileSync, cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { chromium } from '../engines/browsers.js'
import { root } from '../package/packed.js'
import { open } from './open-app.js'
import { httpOf } from './real-server-api.js'

// A React app out of the packed package, as Vite makes it, in Chromium: with the oldest React that ./react takes, and with the newest.

const { toolchain, folder } = inject('place')
const run = promisify(execFile)

/** Each React, and where it is installed. */
const REACTS = [
  ['18', toolchain],
  ['19', root]
] as const

describe.skipIf(toolchain === '' || chromium.executablePath === undefined).for(REACTS)('an app of React %s', ([version, from]) => {
  const out = join(folder, 'out', `react-${version}`)

  beforeAll(async () => {
    cpSync(fileURLToPath(new URL('programs/react-app', import.meta.url)), join(folder, 'react-app'), { recursive: true })
    copyFileSync(fileURLToPath(new URL('programs/build-react.mjs', import.meta.url)), join(folder, 'build-react.mjs'))
    const { stderr } = await run(process.execPath, [join(folder, 'build-react.mjs'), toolchain, from, out], { cwd: folder })
    expect(stderr).toBe('')
  })

  test('shows the tools, lives through a lost connection, and has one connection while it is shown', async () => {
    const { real, use } = await open(out, 'index.html')
    const ask = async (path: string): Promise<unknown> => (await fetch(httpOf(real.url) + path)).json()
    expect(await use('version')).toMatch(new RegExp(`^${version}\\.`))

    await use('show', { message: 'ready 12call' })
    expect(await ask('/open')).toEqual({ open: 1 })
    expect(real.dials()).toBe(1)

    const seen = use('until', { message: 'waiting 12call' })
    expect(await ask('/kill')).toEqual({ killed: 1 })
    // The page may be asked before or after it has seen the loss; in between it shows nothing else.
    expect(['ready 12call', 'waiting 12call'].join()).toContain(String(await seen))
    await use('until', { message: 'ready 12call' })
    await use('click', { message: 'ready 12called' })
    expect(real.dials()).toBe(2)

    await use('unmount')
    expect(await ask('/open?until=0')).toEqual({ open: 0 })
    expect(real.dials()).toBe(2)
  })
})
