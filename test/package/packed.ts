import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The root of this package. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

const ENTRIES = [
  'node/index',
  'node/transport',
  'node/server',
  'node/redis',
  'node/probe',
  'browser/index',
  'browser/transport',
  'any/react',
  'any/otel'
]
const BUILT = [
  ...ENTRIES.flatMap((path) => ['js', 'cjs', 'd.ts', 'd.cts'].map((suffix) => `dist/${path}.${suffix}`)),
  'dist/browser/mcp-websocket-client.iife.js',
  'dist/bin/mcp-ws.js'
]

/** A folder into which the packed package was installed, as npm would have it. */
export interface Installed {
  /** A program's folder. */
  readonly folder: string
  /** The package in it. */
  readonly packageFolder: string
  /** Runs Node in the folder. @returns What it printed, read as JSON. */
  node(...args: string[]): Promise<unknown>
  remove(): void
}

/** Builds `dist`, unless it is there and newer than what it is made of. */
export async function buildIfStale(): Promise<void> {
  const timeOf = (path: string): number => statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).map((path) => `src/${path}`)
  const newest = Math.max(...[...sources, 'package.json', 'tsup.config.ts', 'tsconfig.json', 'tsconfig.build.json'].map(timeOf))
  if (Math.min(...BUILT.map(timeOf)) < newest) await run('npm', ['run', 'build'], { cwd: root })
}

/** Packs the package and installs the tarball into a fresh folder; the dependencies are links, no network is needed. */
export async function packAndInstall(): Promise<Installed> {
  // macOS and some Linux put the temporary folder behind a link, which would show in what Node and esbuild resolve.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'mcp-websocket-client-')))
  const modules = join(folder, 'node_modules')
  const packageFolder = join(modules, 'mcp-websocket-client')
  mkdirSync(modules)
  const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root })
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }]
  await run('tar', ['-xzf', filename], { cwd: folder })
  renameSync(join(folder, 'package'), packageFolder)
  mkdirSync(join(modules, '@opentelemetry'))
  for (const name of ['ws', 'eventemitter3', 'isomorphic-ws', '@opentelemetry/api', 'react', 'react-dom', 'scheduler'])
    symlinkSync(join(root, 'node_modules', name), join(modules, name))
  return {
    folder,
    packageFolder,
    node: async (...args) => JSON.parse((await run(process.execPath, args, { cwd: folder, env: {} })).stdout) as unknown,
    remove: () => rmSync(folder, { recursive: true })
  }
}
