import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { useFolder } from '../helpers/use-folder.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The pages in a folder, by their names. */
const pagesIn = (folder: string): Record<string, string> =>
  Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]))

test('docs/api says what the comments in src say: if it does not, run `npm run docs:api`', { timeout: 120_000 }, async () => {
  const folder = await useFolder()
  // It fails by itself on an export without a comment, and on a link that leads nowhere.
  await promisify(execFile)('npm', ['run', 'docs:api', '--', '--out', folder], { cwd: root })
  const [written, made] = [pagesIn(join(root, 'docs/api')), pagesIn(folder)]
  expect(Object.keys(written)).toEqual(Object.keys(made))
  const stale = Object.keys(made).filter((name) => written[name] !== made[name])
  expect(stale, 'these pages of docs/api are not what the comments in src say: run `npm run docs:api`').toEqual([])
})
