import { join } from 'node:path'
import type { Surroundings } from './facts.js'
import { programOf, versionOf } from './toolchain.js'

/** How a program loads the package: by `import`, or by `require`. */
export type Format = 'ESM' | 'CJS'

/** What starts one run: a program, its arguments, and the file that it writes its findings to if it does not print them. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly results?: string
}

/** Where a run finds what it needs. */
export interface Place {
  /** The folder of the toolchain. */
  readonly toolchain: string
  /** The folder in which the package is installed and the bundles are. */
  readonly folder: string
}

/** A runtime, and what is different in it. */
export interface Runtime extends Pick<Surroundings, 'engine'> {
  /** As in docs/runtimes.md. */
  readonly name: string
  readonly formats: readonly Format[]
  /** Whether `McpWebSocketServer` runs there. */
  readonly serves: boolean
  /** What runs. @returns `undefined` if this platform has no such program. */
  version(toolchain: string): Promise<string | undefined>
  command(place: Place, format: Format, surroundings: Surroundings): Command
}

const suffixOf = (format: Format): string => (format === 'ESM' ? 'mjs' : 'cjs')

/** A runtime that runs `programs/process.ts`. */
const standalone = (name: string, program: string, engine: Surroundings['engine'], args: readonly string[] = []): Runtime => ({
  name,
  engine,
  formats: ['ESM', 'CJS'],
  serves: true,
  version: async (toolchain) => {
    const file = programOf(toolchain, program)
    return file && versionOf(toolchain, program.startsWith('node') ? `${program}-${process.arch}` : program)
  },
  command: ({ toolchain, folder }, format, surroundings) => ({
    file: programOf(toolchain, program) ?? program,
    args: [...args, join(folder, `process.${suffixOf(format)}`), JSON.stringify(surroundings)]
  })
})

const jest = (environment: 'node' | 'jsdom'): Runtime => ({
  name: `Jest, ${environment}`,
  engine: environment === 'node' ? 'node' : 'browser',
  // Its ES modules need an experimental flag of Node.
  formats: ['CJS'],
  serves: false,
  version: (toolchain) => versionOf(toolchain, 'jest'),
  command: ({ toolchain, folder }, _format, surroundings) => {
    const results = join(folder, `jest-${environment}.json`)
    const config = {
      rootDir: folder,
      testMatch: [`${folder}/jest.cjs`],
      testEnvironment: environment === 'node' ? 'node' : join(folder, 'jest-environment.mjs'),
      transform: {},
      globals: { surroundings, resultsPath: results }
    }
    return {
      file: process.execPath,
      args: [join(toolchain, 'node_modules/jest/bin/jest.js'), '--no-cache', '--config', JSON.stringify(config)],
      env: { NODE_PATH: join(toolchain, 'node_modules') },
      results
    }
  }
})

const nodeForMiniflare = (toolchain: string): string | undefined =>
  programOf(toolchain, 'node-24') ?? (parseInt(process.versions.node) >= 22 ? process.execPath : undefined)

const workerd: Runtime = {
  name: 'workerd',
  engine: 'workerd',
  formats: ['ESM'],
  serves: false,
  version: async (toolchain) => nodeForMiniflare(toolchain) && versionOf(toolchain, 'workerd'),
  command: ({ toolchain, folder }, _format, surroundings) => ({
    file: nodeForMiniflare(toolchain) ?? '',
    args: [join(folder, 'workerd.mjs'), toolchain, join(folder, 'worker.mjs'), JSON.stringify(surroundings)]
  })
}

/** All runtimes, in the order of docs/runtimes.md. */
export const RUNTIMES: readonly Runtime[] = [
  ...['20', '22', '24', '26'].map((major) => standalone(`Node ${major}`, `node-${major}`, 'node')),
  standalone('Bun', 'bun', 'bun'),
  standalone('Deno', 'deno', 'node', ['run', '--allow-net', '--allow-env', '--no-prompt', '--no-config', '--node-modules-dir=manual']),
  workerd,
  jest('node'),
  jest('jsdom')
]
