import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8')
const guide = read('docs/reliability.md')

const section = (title: string): string => new RegExp(`^## ${title}\\n([\\s\\S]*?)(?=^## |(?![\\s\\S]))`, 'm').exec(guide)?.[1] ?? ''

const ROW = /\b[NTHPAVX]\d+\b/g

/** The rows with which the names of tests begin, or that stand in a table as the beginning of a name. */
const tested = new Set<string>(
  ts.sys
    .readDirectory(`${root}test`, ['.ts'])
    .flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/['"`]((?:[A-Z]\d+(?:, )?)+)(?:: |['"`])/g)])
    .flatMap(([, rows = '']) => rows.match(ROW) ?? [])
)

describe('docs/reliability.md', () => {
  const listed: readonly string[] =
    section('The catalogue')
      .replaceAll(/`[^`]*`/g, '')
      .match(ROW) ?? []

  test('lists every row of the catalogue once', () => {
    const all = Object.entries({ N: 30, T: 10, H: 26, P: 36, A: 30, V: 19, X: 14 }).flatMap(([letter, count]) =>
      Array.from({ length: count }, (_, i) => `${letter}${String(i + 1)}`)
    )
    expect([...listed].sort()).toEqual(all.sort())
  })

  test.each(listed)('%s has a test', (row) => {
    expect([...tested]).toContain(row)
  })

  test('lists no fewer rows than tests have', () => {
    expect([...tested].filter((row) => !listed.includes(row))).toEqual([])
  })

  // Words are compared, as lines are broken differently.
  const words = (text: string): string => text.replaceAll(/\s+/g, ' ')
  const promises = words(section('The promises'))
    .split(/(?=### \d+\. )/)
    .slice(1)

  test('lists ten promises', () => {
    expect(promises).toHaveLength(10)
  })

  test.each(promises.map((text) => [/### (\d+)/.exec(text)?.[1], text]))('promise %s is held by tests that exist', (_number, text = '') => {
    const pieces = text.split(/`(test\/[\w/.-]+\.ts)`/)
    expect(pieces.length).toBeGreaterThan(1)
    for (let i = 1; i < pieces.length; i += 2) {
      const [path = '', after = ''] = pieces.slice(i, i + 2)
      expect(existsSync(`${root}${path}`), path).toBe(true)
      const source = words(read(path))
      for (const [, title = ''] of after.matchAll(/"([^"]+)"/g)) expect(source, `${path}: ${title}`).toContain(title)
    }
  })
})
