import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { problemOfProgram } from '../../src/cli/find-program.js'
import { useFolder } from '../helpers/use-folder.js'

test('a program is looked for where the system does it', async () => {
  const folder = await useFolder()
  writeFileSync(join(folder, 'good'), '', { mode: 0o755 })
  writeFileSync(join(folder, 'plain'), '', { mode: 0o644 })
  mkdirSync(join(folder, 'folder'))
  const find = (program: string, path: string | undefined = `/nowhere:${folder}`) => problemOfProgram(program, path, 'linux')
  expect(find('good')).toBeUndefined()
  expect(find(join(folder, 'good'))).toBeUndefined()
  for (const name of ['plain', 'folder', 'none']) {
    expect(find(name)).toBe(`There is no program ${name} in the folders of PATH`)
    expect(find(join(folder, name))).toBe(`There is no program ${join(folder, name)}`)
  }
  expect(find('package.json', '')).toContain('There is no program')
})

test.each([
  ['none', undefined, 'linux'],
  ['none', '/nowhere', 'win32']
] as const)('where nobody knows the rules, nothing is said', (program, path, platform) => {
  expect(problemOfProgram(program, path, platform)).toBeUndefined()
})
