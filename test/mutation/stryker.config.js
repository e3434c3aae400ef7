import { readFileSync } from 'node:fs'

/**
 * The files that may have effects, as the architecture test lists them. Every other file of the layers is a pure rule: unit tests
 * decide each of its lines, so a change that no test notices is a missing test.
 */
const architecture = readFileSync(new URL('../helpers/architecture.ts', import.meta.url), 'utf8')
const effects = [...(/const EFFECTS\b[^[]*\[([^\]]*)\]/.exec(architecture)?.[1] ?? '').matchAll(/'([^']+)'/g)].map(([, path]) => path)
if (effects.length === 0) throw new Error('test/helpers/architecture.ts has no list EFFECTS any more')

/** The layers of which the client, the transport and the server are made. */
const layers = JSON.parse(readFileSync(new URL('layers.json', import.meta.url), 'utf8'))

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  testRunner: 'vitest',
  vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
  // An index holds nothing that a test could decide.
  mutate: ['src/errors.ts', ...layers.map((layer) => `src/${layer}/**/*.ts`), '!src/**/index.ts', ...effects.map((path) => `!src/${path}`)],
  ignorePatterns: ['dist', 'coverage', '.bench', '.interop', '.runtimes'],
  coverageAnalysis: 'perTest',
  // What runs at import, such as a table of constants, would have to run all tests for each of its mutants: most of the time of a run.
  ignoreStatic: true,
  concurrency: 2,
  reporters: ['clear-text', 'json'],
  jsonReporter: { fileName: 'node_modules/.cache/mutation.json' },
  clearTextReporter: { allowColor: false, reportTests: false },
  tempDirName: '.stryker',
  thresholds: { high: 95, low: 90, break: 85 },
  timeoutMS: 20_000,
  allowConsoleColors: false,
  disableTypeChecks: false
}
