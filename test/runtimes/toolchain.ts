import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const PINNED = fileURLToPath(new URL('toolchain/', import.meta.url))
const CACHE = fileURLToPath(new URL('../../.runtimes/', import.meta.url))
const FILES = ['package.json', 'package-lock.json']

/**
 * Installs what `toolchain/` pins into `.runtimes/`, once for each state of its lockfile; what older states left is removed.
 * @returns The folder.
 */
export async function installToolchain(): Promise<string> {
  const key = createHash('sha256')
  for (const file of FILES) key.update(await readFile(join(PINNED, file)))
  const name = key.digest('hex').slice(0, 12)
  const folder = join(CACHE, name)
  const complete = join(folder, 'complete')
  if (existsSync(complete)) return folder
  await rm(CACHE, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const file of FILES) await copyFile(join(PINNED, file), join(folder, file))
  console.log('runtimes: installing the runtimes, compilers and bundlers into .runtimes/ (1.4 GB; once, takes minutes)')
  // The programs are in the packages: no script of theirs has to run. Miniflare is run by another Node than this one.
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder })
  await writeFile(complete, '')
  return folder
}

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
