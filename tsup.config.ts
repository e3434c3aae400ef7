// Nothing of tsup is imported: its declarations need modules that it does not bring along ('@swc/core', './types.cts'), and would
// force `skipLibCheck` on the whole project.
import { build, type BuildOptions, type Plugin } from 'esbuild'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'

/** What only Node can do has a twin for browsers, whose functions do nothing: that build leaves out the code, and the words, around it. */
const withoutNode: Plugin = {
  name: 'without-node',
  setup(build) {
    build.onResolve({ filter: /\/(node-socket|inspection)\.js$/ }, async (args) =>
      build.resolve(args.path.replace(/\.js$/, '.browser.js'), { importer: args.importer, resolveDir: args.resolveDir, kind: args.kind })
    )
  }
}

/** `eventemitter3` is CommonJS, with an ES module around it: two wrappers that a bundle can do without. */
const eventEmitterAsModule: Plugin = {
  name: 'event-emitter-as-module',
  setup(build) {
    const path = join(import.meta.dirname, 'node_modules/eventemitter3/index.js')
    build.onResolve({ filter: /^eventemitter3$/ }, () => ({ path }))
    build.onLoad({ filter: /[\\/]eventemitter3[\\/]index\.js$/ }, () => {
      const [body, ...tail] = readFileSync(path, 'utf8').split("if ('undefined' !== typeof module)")
      if (tail.length !== 1) throw new Error('eventemitter3/index.js does not end with its export any more')
      return { contents: `${String(body)}export { EventEmitter }` }
    })
  }
}

/**
 * Node loads what a file imports before the first line of that file runs. With `require` the modules of Node come when the first
 * module that needs them comes: the help of `mcp-ws` needs neither sockets nor TLS.
 */
const modulesOfNodeWhenNeeded: Plugin = {
  name: 'modules-of-node-when-needed',
  setup(build) {
    const names = new RegExp(`^(node:)?(${builtinModules.join('|')})$`)
    build.onResolve({ filter: names }, ({ path, namespace }) =>
      namespace === 'of-node' ? { path, external: true } : { path, namespace: 'of-node' }
    )
    build.onLoad({ filter: /./, namespace: 'of-node' }, ({ path }) => ({ contents: `module.exports = require('${path}')` }))
  }
}

const common = {
  tsconfig: 'tsconfig.build.json',
  target: 'es2022',
  sourcemap: true,
  // The configurations run side by side: the npm script cleans, once.
  clean: false,
  splitting: false,
  removeNodeProtocol: false
}

/** `Symbol.asyncDispose` is not in the libraries of every program that uses us. */
const declarations = { banner: '/// <reference lib="esnext.disposable" />' }

const ENTRIES = { index: 'src/index.ts', transport: 'src/transport/index.ts' }

/** The file that both entries import: a program that uses both holds once what they share. */
const CORE = 'core'

/** Where the code is to run, and what is built into it. */
interface Target {
  readonly platform: 'node' | 'browser'
  readonly noExternal: readonly string[]
  readonly esbuildPlugins?: readonly Plugin[]
}

/** Maps lead into `src`, which the package holds: with all of it in them they would double what is installed. */
const withoutSources = (options: BuildOptions): void => {
  options.sourcesContent = false
}

/** The maps of these files repeat the sources of the packages that are built in: those are nowhere in the package. */
function completeMaps(folder: string, ...files: string[]): void {
  for (const file of files) {
    const path = join(folder, `${file}.map`)
    const map = JSON.parse(readFileSync(path, 'utf8')) as { sources: string[]; sourcesContent?: (string | null)[] }
    if (!map.sources.some((source) => source.includes('node_modules/'))) continue
    map.sourcesContent = map.sources.map((source) => (source.includes('node_modules/') ? readFileSync(join(folder, source), 'utf8') : null))
    writeFileSync(path, JSON.stringify(map))
  }
}

/** What the licences of the packages that are built in demand of every copy. */
function writeNotices(): void {
  const licence = readFileSync('LICENSE', 'utf8')
  const terms = licence.slice(licence.indexOf('Permission is hereby granted'))
  const notices = ['@cfworker/json-schema', 'commander', 'eventemitter3', 'isomorphic-ws', 'nanoid', 'ws'].map((name) => {
    const folder = join('node_modules', name)
    const { version, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string; author: string }
    const file = join(folder, 'LICENSE')
    // One of them names its licence, MIT, and its author, and brings no text of it along.
    const text = existsSync(file) ? readFileSync(file, 'utf8') : `The MIT License (MIT)\n\nCopyright (c) ${author}\n\n${terms}`
    return `${name} ${version}\n\n${text.trim()}\n`
  })
  writeFileSync(
    'dist/THIRD-PARTY-NOTICES.txt',
    ['Parts of these packages are in the files beside this one.\n', ...notices].join('\n---\n\n')
  )
}

/** CommonJS out of the ES modules, file by file: esbuild shares no code in this format, and the way of tsup rewrites class fields. */
async function makeCommonJs(folder: string, platform: Target['platform']): Promise<void> {
  await build({
    entryPoints: [...Object.keys(ENTRIES), CORE].map((name) => `${folder}/${name}.js`),
    outdir: folder,
    outExtension: { '.js': '.cjs' },
    platform,
    target: common.target,
    format: 'cjs',
    bundle: true,
    packages: 'external',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
    plugins: [
      {
        name: 'file-by-file',
        setup(files) {
          files.onResolve({ filter: new RegExp(`^\\./${CORE}\\.js$`) }, () => ({ path: `./${CORE}.cjs`, external: true }))
        }
      }
    ]
  })
  completeMaps(folder, ...[...Object.keys(ENTRIES), CORE].flatMap((name) => [`${name}.js`, `${name}.cjs`]))
}

const configurationsOf = (target: Target): object[] => [
  {
    ...common,
    ...target,
    name: target.platform,
    entry: ENTRIES,
    outDir: `dist/${target.platform}`,
    format: ['esm'],
    splitting: true,
    esbuildOptions: (options: BuildOptions) => {
      withoutSources(options)
      options.chunkNames = CORE
    },
    onSuccess: () => makeCommonJs(`dist/${target.platform}`, target.platform)
  },
  // One configuration for each entry: with two in one, their declarations would share chunks and no longer stand alone.
  ...Object.entries(ENTRIES).map(([name, path]) => ({
    ...common,
    name: `${target.platform} ${name}, declarations`,
    entry: { [name]: path },
    outDir: `dist/${target.platform}`,
    format: ['esm', 'cjs'],
    dts: { ...declarations, only: true }
  }))
]

// Inlined for pages without a bundler, and for bundlers that would take the CJS half of a dependency.
const browser: Target = {
  platform: 'browser',
  noExternal: ['isomorphic-ws', 'eventemitter3', 'nanoid'],
  esbuildPlugins: [withoutNode, eventEmitterAsModule]
}

export default [
  // nanoid 5 is ESM only: inlined, or `require` would fail on older Node 20.
  ...configurationsOf({ platform: 'node', noExternal: ['nanoid'] }),
  ...configurationsOf(browser),
  {
    ...common,
    ...browser,
    name: 'script',
    entry: { 'mcp-websocket-client': 'src/script.ts' },
    outDir: 'dist/browser',
    format: ['iife'],
    outExtension: () => ({ js: '.iife.js' }),
    globalName: 'McpWebSocket',
    minify: true,
    // A page may have this file alone.
    banner: { js: '/*! mcp-websocket-client, with eventemitter3, isomorphic-ws and nanoid; MIT: see dist/THIRD-PARTY-NOTICES.txt */' },
    esbuildOptions: withoutSources,
    onSuccess: () => completeMaps('dist/browser', 'mcp-websocket-client.iife.js')
  },
  {
    ...common,
    name: 'otel',
    entry: { otel: 'src/otel/index.ts' },
    platform: 'neutral',
    outDir: 'dist/any',
    format: ['esm', 'cjs'],
    esbuildOptions: withoutSources,
    dts: declarations
  },
  // It imports the main entry by its name: each program gets the build for its platform, and the client once.
  {
    ...common,
    name: 'react',
    entry: { react: 'src/react/index.ts' },
    platform: 'neutral',
    outDir: 'dist/any',
    format: ['esm', 'cjs'],
    external: ['mcp-websocket-client', 'react'],
    esbuildOptions: withoutSources,
    dts: true
  },
  // They share little with the entries of the client, and nobody is short of space where they run: each stands alone.
  ...['server', 'redis', 'probe'].map((name) => ({
    ...common,
    name,
    entry: { [name]: `src/${name}/index.ts` },
    platform: 'node',
    outDir: 'dist/node',
    format: ['esm', 'cjs'],
    noExternal: ['nanoid'],
    esbuildOptions: withoutSources,
    dts: declarations,
    onSuccess: () => completeMaps('dist/node', `${name}.js`, `${name}.cjs`)
  })),
  // One file, with everything in it.
  {
    ...common,
    name: 'bin',
    entry: { 'mcp-ws': 'src/cli/bin.ts' },
    // Nobody steps through a command, and its map would be the largest file of the package.
    sourcemap: false,
    platform: 'node',
    outDir: 'dist/bin',
    format: ['esm'],
    noExternal: [/./],
    esbuildPlugins: [modulesOfNodeWhenNeeded],
    // What esbuild makes of CommonJS asks for `require`. The line for the shell has to be the first.
    banner: { js: "#!/usr/bin/env node\nimport { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    onSuccess: writeNotices
  }
]
