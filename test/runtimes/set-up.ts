import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { packAndInstall } from '../package/packed.js'
import { bundle } from './bundle.js'
import { RUNTIMES, type Place } from './runtimes.js'
import { installToolchain } from './toolchain.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** What the tests of runtimes run; `toolchain` is empty if it could not be installed. */
    place: Place
    /** Each runtime that is there, with its version. */
    present: Readonly<Record<string, string>>
  }
}

/** Installs the toolchain and the packed package, and tells of each runtime whether it runs. In CI every one of them has to. */
export default async function setUp(project: TestProject): Promise<() => void> {
  const skipped: string[] = []
  const failure: { reason?: string } = {}
  const toolchain = await installToolchain().catch((error: unknown) => {
    const { stderr, message } = error as { stderr?: string; message: string }
    failure.reason = `npm could not install it: ${(stderr || message).trim().split('\n').slice(0, 2).join(' | ')}`
    return ''
  })
  const present: Record<string, string> = {}
  for (const runtime of RUNTIMES) {
    const { name } = runtime
    const found = toolchain && (await runtime.version(toolchain))
    if (found) present[name] = found
    else skipped.push(`${name}: ${failure.reason ?? `npm has no program for ${process.platform} on ${process.arch}`}`)
  }
  for (const line of skipped) console.log(`runtimes: SKIPPED  ${line}`)
  if (process.env.CI === 'true' && skipped.length > 0) throw new Error(`Skipped runtimes:\n${skipped.join('\n')}`)

  const installed = await packAndInstall()
  const { folder } = installed
  await Promise.all([
    bundle('process', folder, 'process.mjs'),
    bundle('process', folder, 'process.cjs'),
    bundle('jest', folder, 'jest.cjs'),
    bundle('worker', folder, 'worker.mjs', ['workerd', 'worker', 'browser']),
    ...['jest-environment.mjs', 'workerd.mjs'].map((name) =>
      copyFile(fileURLToPath(new URL(`programs/${name}`, import.meta.url)), join(folder, name))
    )
  ])
  project.provide('place', { toolchain, folder })
  project.provide('present', present)
  return () => installed.remove()
}
