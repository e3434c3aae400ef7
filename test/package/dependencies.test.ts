import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Readonly<Record<string, string>> }

interface Locked {
  readonly version: string
  readonly dev?: true
  /** Wanted by the program, not by us. */
  readonly peer?: true
  readonly devOptional?: true
}

const lock = JSON.parse(read('package-lock.json')) as { packages: Readonly<Record<string, Locked>> }

/** The floors that docs/security.md promises. */
const floors = new Map(
  [...read('docs/security.md').matchAll(/^\| `([\w-]+)` +\| (\d+\.\d+\.\d+) +\|/gm)].map(([, name = '', version = '']) => [name, version])
)

/** Whether a version, or the least one of a range like `^8.21.0`, is at least `floor`. */
function isAtLeast(version: string, floor: string): boolean {
  const [have, want] = [version, floor].map((each) => each.replace(/^\^/, '').split('.').map(Number)) as [number[], number[]]
  const differing = want.findIndex((part, i) => part !== have[i])
  return differing === -1 || (have[differing] ?? 0) > (want[differing] ?? 0)
}

describe('the run-time dependencies', () => {
  test('are the four that docs/security.md lists', () => {
    expect(Object.keys(dependencies).sort()).toEqual([...floors.keys()].sort())
    expect(floors.size).toBe(4)
  })

  test.each([...floors])('%s is asked for, and locked, at no less than %s', (name, floor) => {
    expect(dependencies[name]).toMatch(/^\^\d+\.\d+\.\d+$/)
    expect(isAtLeast(dependencies[name] ?? '', floor)).toBe(true)
    expect(isAtLeast(lock.packages[`node_modules/${name}`]?.version ?? '', floor)).toBe(true)
  })

  test('exclude what an advisory names', () => {
    expect(isAtLeast('8.20.9', '8.21.0')).toBe(false)
    expect(isAtLeast('^9.0.0', '8.21.0')).toBe(true)
    expect(isAtLeast('8.21.0', '8.21.0')).toBe(true)
  })
})

describe('the licences', () => {
  /** Those that ask for no more than a notice. */
  const ALLOWED = ['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0']

  /** What is built into the program `mcp-ws` beside the run-time dependencies. */
  const BUILT_IN = ['node_modules/commander', 'node_modules/@cfworker/json-schema']

  const installed = Object.entries(lock.packages)
    .filter(([path, { dev, devOptional, peer }]) => path !== '' && !dev && !devOptional && !peer)
    .map(([path]) => path)

  test.each([...installed, ...BUILT_IN])('%s has one that is allowed', (path) => {
    expect(ALLOWED).toContain((JSON.parse(read(`${path}/package.json`)) as { license: unknown }).license)
  })

  test('are those of the run-time dependencies, and of what these install', () => {
    expect(installed.map((path) => path.replace('node_modules/', '')).sort()).toEqual([...floors.keys()].sort())
  })
})
