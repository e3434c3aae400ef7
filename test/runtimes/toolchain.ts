import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPinned } from '../helpers/install-pinned.js'

const PINNED = fileURLToPath(new URL('toolchain/', import.meta.url))
const CACHE = fileURLToPath(new URL('../../.runtimes/', import.meta.url))

/** Installs what `toolchain/` pins into `.runtimes/`. @returns The folder. */
export const installToolchain = (): Promise<string> =>
  installPinned(PINNED, CACHE, () =>
    console.log('runtimes: installing the runtimes, compilers and bundlers into .runtimes/ (1.4 GB; once, takes minutes)')
  )

/** The file `path` of the first package below `scope` that has it: npm installs only the package for this platform. */
function inPlatformPackage(folder: string, scope: string, path: string): string | undefined {
  const packages = join(folder, 'node_modules', scope)
  const names = existsSync(packages) ? readdirSync(packages) : []
  return names.map((name) => join(packages, name, path)).find((file) => existsSync(file))
}

/** Finds a program of the toolchain: `node-22`, `bun` or `deno`. @returns `undefined` if npm has none for this platform. */
export function programOf(folder: string, name: string): string | undefined {
  if (name === 'bun') return inPlatformPackage(folder, '@oven', 'bin/bun')
  if (name === 'deno') return inPlatformPackage(folder, '@deno', 'deno')
  const node = join(folder, `node_modules/${name}-${process.arch}/bin/node`)
  return existsSync(node) ? node : undefined
}

/** The version of an installed package of the toolchain. */
export async function versionOf(folder: string, name: string): Promise<string> {
  const { version } = JSON.parse(await readFile(join(folder, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }
  return version.replace(/^v/, '')
}
