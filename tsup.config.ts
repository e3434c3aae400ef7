// Nothing of tsup is imported: its declarations need modules that it does not bring along ('@swc/core', './types.cts'), and would
// force `skipLibCheck` on the whole project.
import type { BuildOptions, Plugin } from 'esbuild'

/** Browsers show neither headers nor HTTP answers: their build leaves out the code, and the words, that deal with them. */
const withoutNode: Plugin = {
  name: 'without-node',
  setup(build) {
    build.onResolve({ filter: /\/node-socket\.js$/ }, async (args) =>
      build.resolve(args.path.replace(/\.js$/, '.browser.js'), { importer: args.importer, resolveDir: args.resolveDir, kind: args.kind })
    )
  }
}

const common = {
  tsconfig: 'tsconfig.build.json',
  format: ['esm', 'cjs'],
  target: 'es2022',
  sourcemap: true,
  // The package holds `src`: ten maps with all of it in them would double what is installed.
  esbuildOptions: (options: BuildOptions) => {
    options.sourcesContent = false
  },
  // `Symbol.asyncDispose` is not in the libraries of every program that uses us.
  dts: { banner: '/// <reference lib="esnext.disposable" />' },
  // The configurations run side by side: the npm script cleans, once.
  clean: false,
  // `splitting` would send the CJS output through another transformer, which rewrites class fields.
  splitting: false,
  removeNodeProtocol: false
}

/** Where the code is to run, and what is built into it. */
interface Target {
  readonly name: string
  readonly platform: 'node' | 'browser'
  readonly outDir: string
  readonly noExternal: readonly string[]
  readonly esbuildPlugins?: readonly Plugin[]
}

// One configuration for each entry: with two in one, their declarations would share chunks and no longer stand alone.
const entries = ({ name, ...options }: Target): object[] =>
  Object.entries({ index: 'src/index.ts', transport: 'src/transport/index.ts' }).map(([entry, path]) => ({
    ...common,
    ...options,
    name: `${name} ${entry}`,
    entry: { [entry]: path }
  }))

export default [
  // nanoid 5 is ESM only: inlined, or `require` would fail on older Node 20.
  ...entries({ name: 'node', platform: 'node', outDir: 'dist/node', noExternal: ['nanoid'] }),
  // By itself: two entries of one build would share a file of declarations.
  { ...common, name: 'server', entry: { server: 'src/server/index.ts' }, platform: 'node', outDir: 'dist/node' },
  // Inlined for pages without a bundler, and for bundlers that would take the CJS half of a dependency.
  ...entries({
    name: 'browser',
    platform: 'browser',
    outDir: 'dist/browser',
    noExternal: ['isomorphic-ws', 'eventemitter3', 'nanoid'],
    esbuildPlugins: [withoutNode]
  })
]
