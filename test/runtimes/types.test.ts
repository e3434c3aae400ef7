import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { CLIENT, REACT, SERVER } from '../package/consumers.js'
import { inPairs } from './pool.js'

// The declarations in the packed package, read by each compiler that programs are likely to have; test/package tries more settings with
// the compiler of this project.

const { toolchain, folder } = inject('place')

/** A version of TypeScript and how it looks for modules, with all that it is given to compile. */
interface Case {
  readonly version: string
  readonly resolution: 'node10' | 'node16' | 'nodenext' | 'bundler'
  readonly program: 'client' | 'server'
}

const versions = ['5.2', '5.4', '5.9', '6.0', '7.0']
const cases: readonly Case[] = versions.flatMap((version) =>
  (['node10', 'node16', 'nodenext', 'bundler'] as const)
    // 7.0 no longer has node10.
    .filter((resolution) => resolution !== 'node10' || version !== '7.0')
    // Before 5.8 it was another name of node16.
    .filter((resolution) => resolution !== 'nodenext' || version >= '5.9')
    .flatMap((resolution) => (['client', 'server'] as const).map((program) => ({ version, resolution, program })))
)
const nameOf = ({ version, resolution, program }: Case): string => `${version}, ${resolution}, ${program}`
const complaints = new Map<string, string>()

const MODULE = { node10: 'CommonJS', node16: 'Node16', nodenext: 'NodeNext', bundler: 'ESNext' } as const

async function compile({ version, resolution, program }: Case, more = ''): Promise<string> {
  const place = join(folder, `types-${version}-${resolution}-${program}${more && '-more'}`)
  const suffixes = resolution.startsWith('node') && resolution !== 'node10' ? ['mts', 'cts'] : ['ts']
  const texts = program === 'client' ? { program: CLIENT + more, react: REACT } : { program: SERVER + more }
  const files = Object.entries(texts).flatMap(([name, text]) => suffixes.map((suffix) => ({ name: `${name}.${suffix}`, text })))
  await mkdir(place)
  for (const { name, text } of files) await writeFile(join(place, name), text)
  const compilerOptions = {
    target: 'ES2022',
    lib: ['ES2022', 'DOM'],
    module: MODULE[resolution],
    moduleResolution: resolution,
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    // The libraries of the compiler itself take longer than all the rest.
    skipDefaultLibCheck: true,
    noEmit: true,
    // The client needs no types but its own.
    types: program === 'client' ? [] : ['node'],
    typeRoots: [join(toolchain, 'node_modules/@types')],
    ...(version === '6.0' && resolution === 'node10' && { ignoreDeprecations: '6.0' })
  }
  await writeFile(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: files.map(({ name }) => name) }))
  const tsc = join(toolchain, `node_modules/typescript-${version}/bin/tsc`)
  return new Promise((resolve) => {
    execFile(process.execPath, [tsc, '--project', place], { cwd: place }, (error, stdout, stderr) =>
      resolve(error ? `${stdout}${stderr}` || error.message : '')
    )
  })
}

describe.skipIf(toolchain === '')('the packed declarations, without skipLibCheck', () => {
  beforeAll(async () => {
    const startedAt = performance.now()
    await inPairs(cases, async (each) => {
      complaints.set(nameOf(each), await compile(each))
    })
    console.log(`runtimes: TypeScript ${versions.join(', ')} compiled in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`)
  }, 600_000)

  test.for(cases.map((each) => [nameOf(each)] as const))('satisfy TypeScript %s', ([name]) => {
    expect(complaints.get(name)).toBe('')
  })

  test('are not satisfied by a wrong program', async () => {
    const complaint = await compile(
      { version: '7.0', resolution: 'bundler', program: 'client' },
      '\nexport const wrong: number = client.state'
    )
    expect(complaint).toMatch(/TS2322/)
  })

  test.for(versions)('were read by the compiler that TypeScript %s names', (version) => {
    const manifest = readFileSync(join(toolchain, `node_modules/typescript-${version}/package.json`), 'utf8')
    expect((JSON.parse(manifest) as { version: string }).version).toMatch(new RegExp(`^${version}\\.`))
  })
})
