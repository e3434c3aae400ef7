import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const FILES = ['package.json', 'package-lock.json']

/**
 * Installs what a folder pins, once for each state of its lockfile; what older states left is removed.
 * @param pinned - The folder with `package.json` and `package-lock.json`.
 * @param cache - Where to. Nothing else may lie in it.
 * @param onInstall - Called before it begins, as it takes its time.
 * @returns The folder whose `node_modules` has everything.
 */
export async function installPinned(pinned: string, cache: string, onInstall: () => void): Promise<string> {
  const key = createHash('sha256')
  for (const file of FILES) key.update(await readFile(join(pinned, file)))
  const folder = join(cache, key.digest('hex').slice(0, 12))
  const complete = join(folder, 'complete')
  if (existsSync(complete)) return folder
  await rm(cache, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  for (const file of FILES) await copyFile(join(pinned, file), join(folder, file))
  onInstall()
  // The programs are in the packages: no script of theirs has to run.
  await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder })
  await writeFile(complete, '')
  return folder
}
