import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { buildIfStale, packAndInstall, root, type Installed } from './packed.js'

// What `npm publish` would send away, file by file.

let installed: Installed
let files: readonly string[]

beforeAll(async () => {
  await buildIfStale()
  installed = await packAndInstall()
  const { packageFolder } = installed
  files = readdirSync(packageFolder, { recursive: true, encoding: 'utf8' })
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => statSync(join(packageFolder, path)).isFile())
  return () => installed.remove()
}, 120_000)

const read = (path: string): string => readFileSync(join(installed.packageFolder, path), 'utf8')

const KINDS = [
  /^package\.json$/,
  /^(LICENSE|(README|CHANGELOG|CONTRIBUTING|SECURITY)\.md)$/,
  /^dist\/(any|bin|browser|node)\/[\w-]+(\.iife)?\.(c?js(\.map)?|d\.c?ts)$/,
  /^dist\/THIRD-PARTY-NOTICES\.txt$/,
  /^src\/[\w/.-]+\.ts$/,
  /^llms\.txt$/,
  /^skills\/[\w-]+\/SKILL\.md$/,
  /^docs\/[\w/-]+\.(md|svg|mjs)$/,
  /^docs\/examples\/[\w/-]+\.(tsx?|mjs|cfg)$/,
  /^docs\/playground(-dark)?\.png$/
]

test('the package holds files of these kinds and no other: no test, no setting of a tool, no leftover', () => {
  expect(files.filter((path) => !KINDS.some((kind) => kind.test(path)))).toEqual([])
  expect(KINDS.filter((kind) => !files.some((path) => kind.test(path)))).toEqual([])
  expect(files.filter((path) => path.startsWith('src/') && /\.test\./.test(path))).toEqual([])
})

test('every source that a map names is in the package, or in the map', () => {
  for (const path of files.filter((each) => each.endsWith('.map'))) {
    const { sources, sourcesContent = [] } = JSON.parse(read(path)) as { sources: string[]; sourcesContent?: (string | null)[] }
    const missing = sources.filter(
      (source, i) => typeof sourcesContent[i] !== 'string' && !existsSync(join(installed.packageFolder, dirname(path), source))
    )
    expect(missing, path).toEqual([])
  }
})

test('every file that names a map has it', () => {
  const missing = files
    .filter((path) => /\.(c?js|d\.c?ts)$/.test(path) && path.startsWith('dist/'))
    .filter((path) => /^\/\/# sourceMappingURL=(.*)$/m.test(read(path)) && !files.includes(`${path}.map`))
  expect(missing).toEqual([])
})

test('every relative link of a page leads to a file of the package, so that it works on the page of a registry too', () => {
  const broken = files
    .filter((path) => /\.md$|^llms\.txt$/.test(path))
    .flatMap((path) => {
      const targets = [...read(path).matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, target = '']) => target)
      return targets
        .filter((target) => !/^[a-z][a-z+.-]*:/i.test(target))
        .filter((target) => {
          const full = resolve(installed.packageFolder, dirname(path), target)
          return relative(installed.packageFolder, full).startsWith('..') || !existsSync(full)
        })
        .map((target) => `${path}: ${target}`)
    })
  expect(broken).toEqual([])
})

/** The packages of which a built file has parts, by its map, or by the comments of the bundler. */
function builtInto(path: string): string[] {
  const map = files.includes(`${path}.map`) ? (JSON.parse(read(`${path}.map`)) as { sources: string[] }).sources : undefined
  const sources = map ?? [...read(path).matchAll(/^\/\/ (.*node_modules\/.*)$/gm)].map(([, source = '']) => source)
  return sources.flatMap((source) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(source)?.[1] ?? [])
}

test('the notices name every package that is built in, with its copyright, and no other', () => {
  const inlined = new Set(files.filter((path) => /^dist\/.*js$/.test(path)).flatMap(builtInto))
  const notices = read('dist/THIRD-PARTY-NOTICES.txt').split('\n---\n').slice(1)
  const named = notices.map((notice) => /^(\S+) \d+\.\d+\.\d+$/m.exec(notice)?.[1] ?? '')
  expect(inlined).toContain('commander')
  expect(named).toEqual([...inlined].sort())
  for (const notice of notices) expect(notice).toMatch(/^Copyright .*\w[\s\S]*Permission is hereby granted/m)
})

test('the version is the same in package.json, src, the changelog and the guides', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string }
  expect(read('src/version.ts')).toContain(`'${version}'`)
  expect(/^## \[(\d[^\]]*)\] - \d{4}-\d\d-\d\d$/m.exec(read('CHANGELOG.md'))?.[1]).toBe(version)
  const quoted = files
    .filter((path) => /^(README|docs\/.*)\.md$/.test(path))
    .flatMap((path) => read(path).match(/mcp-websocket-client@\d[\w.-]*/g) ?? [])
  expect(quoted.length).toBeGreaterThan(0)
  expect(new Set(quoted)).toEqual(new Set([`mcp-websocket-client@${version}`]))
})

test('jsr.json has the version and the entries of package.json, each led to its source', () => {
  const jsr = JSON.parse(readFileSync(join(root, 'jsr.json'), 'utf8')) as { version: string; exports: Record<string, string> }
  const { version, exports } = JSON.parse(read('package.json')) as { version: string; exports: Record<string, unknown> }
  expect(jsr.version).toBe(version)
  expect(Object.keys(jsr.exports)).toEqual(Object.keys(exports).filter((entry) => entry !== './package.json'))
  for (const [entry, path] of Object.entries(jsr.exports))
    expect([entry, path]).toEqual([entry, entry === '.' ? './src/index.ts' : `./src/${entry.slice(2)}/index.ts`])
})

test('the release runs every check before it publishes, and takes each action in a version that is named', () => {
  const workflow = readFileSync(join(root, '.github/workflows/release.yml'), 'utf8')
  const uses = [...workflow.matchAll(/uses: (.*)/g)].map(([, action = '']) => action)
  expect(uses.length).toBeGreaterThan(0)
  expect(uses.filter((action) => !/^[\w-]+\/[\w-]+@(v\d+|[0-9a-f]{40})$/.test(action))).toEqual([])
  expect(workflow).toMatch(/check:[\s\S]*run: \.ci\/run[\s\S]*publish:\n {4}needs: check[\s\S]*npm publish --provenance/)
})
