import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

// Bundles the app beside it: `build.mjs BUNDLER TARGET FROM`. FROM is the folder in which the bundler is installed; TARGET is `page`, or
// `esm` or `cjs` for one file that Node runs by itself. Writes into `out/BUNDLER/TARGET`, and prints what the bundler warned of.
const [bundler, target, from] = process.argv.slice(2)
const outdir = `out/${bundler}/${target}`
const forPage = target === 'page'
const file = `program.${target === 'esm' ? 'mjs' : 'cjs'}`
const entries = forPage
  ? Object.fromEntries(['page', 'worker', 'service-worker'].map((name) => [name, `./app/${name}.js`]))
  : { program: './app/program.js' }

const { resolve } = createRequire(`${from}/package.json`)
const load = async (name) => {
  const loaded = await import(pathToFileURL(resolve(name)).href)
  return loaded.default ?? loaded
}

// The banner of docs/runtimes.md.
const banner = { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)` }

const BUNDLERS = {
  async esbuild() {
    const { build } = await load('esbuild')
    const { warnings } = await build({
      ...(forPage ? { entryPoints: entries, outdir } : { entryPoints: [entries.program], outfile: `${outdir}/${file}` }),
      bundle: true,
      logLevel: 'silent',
      ...(forPage ? { format: 'esm' } : { format: target, platform: 'node' }),
      ...(target === 'esm' && { banner })
    })
    return warnings.map(({ text }) => text)
  },

  async tsup() {
    const { build } = await load('tsup')
    const warnings = []
    await build({
      config: false,
      silent: true,
      entry: entries,
      outDir: outdir,
      format: forPage ? 'esm' : target,
      platform: forPage ? 'browser' : 'node',
      target: 'es2022',
      noExternal: [/.*/],
      splitting: false,
      outExtension: () => ({ js: forPage ? '.js' : file.replace('program', '') }),
      ...(target === 'esm' && { banner }),
      esbuildPlugins: [
        {
          name: 'warnings',
          setup(build) {
            build.onEnd((result) => void warnings.push(...result.warnings.map(({ text }) => text)))
          }
        }
      ]
    })
    return warnings
  },

  async Rollup() {
    const { rollup } = await load('rollup')
    const [nodeResolve, commonjs] = await Promise.all(['@rollup/plugin-node-resolve', '@rollup/plugin-commonjs'].map(load))
    const warnings = []
    const bundle = await rollup({
      input: entries,
      plugins: [nodeResolve(forPage ? { browser: true } : { exportConditions: ['node'] }), commonjs()],
      external: forPage ? [] : [/^node:/],
      // What Rollup thinks of the comments in the official SDK is not our concern.
      onwarn: ({ message, id, ids = [id] }) => /node_modules\/(zod|@modelcontextprotocol)\//.test(ids[0]) || warnings.push(message)
    })
    await bundle.write({
      dir: outdir,
      format: target === 'cjs' ? 'cjs' : 'es',
      entryFileNames: forPage ? '[name].js' : file,
      inlineDynamicImports: !forPage
    })
    await bundle.close()
    return warnings
  },

  async webpack() {
    const webpack = await load('webpack')
    const configurationOf = (names, kind) => ({
      context: process.cwd(),
      mode: 'production',
      target: kind,
      entry: Object.fromEntries(names.map((name) => [name, entries[name]])),
      output: {
        path: `${process.cwd()}/${outdir}`,
        filename: forPage ? '[name].js' : file,
        ...(target === 'esm' && { module: true, chunkFormat: 'module' })
      },
      experiments: { outputModule: target === 'esm' },
      // One file, though the official SDK has an import that waits until it is needed.
      ...(!forPage && { module: { parser: { javascript: { dynamicImportMode: 'eager' } } } }),
      externals: forPage ? {} : { bufferutil: 'node-commonjs bufferutil', 'utf-8-validate': 'node-commonjs utf-8-validate' },
      // Half a minute for the official SDK; Vite does it.
      optimization: { minimize: false },
      performance: false
    })
    // It finds the worker of the page by itself.
    const configurations = forPage
      ? [configurationOf(['page'], 'web'), configurationOf(['service-worker'], 'webworker')]
      : [configurationOf(['program'], 'node20')]
    const stats = await new Promise((resolve, reject) =>
      webpack(configurations, (error, result) =>
        error ? reject(error) : resolve(result.toJson({ all: false, errors: true, warnings: true }))
      )
    )
    if (stats.errors.length > 0) throw new Error(stats.errors.map(({ message }) => message).join('\n'))
    return stats.warnings.map(({ message }) => message)
  },

  async Vite() {
    const { build, createLogger } = await load('vite')
    const warnings = []
    const warn = (message) => void warnings.push(message)
    const output = { entryFileNames: forPage ? '[name].js' : file, ...(!forPage && { format: target === 'esm' ? 'es' : 'cjs' }) }
    const input = forPage ? { index: 'app/index.html', 'service-worker': entries['service-worker'] } : entries.program
    await build({
      root: 'app',
      configFile: false,
      logLevel: 'silent',
      customLogger: { ...createLogger('silent'), warn, warnOnce: warn },
      worker: { format: 'es' },
      build: {
        outDir: `../${outdir}`,
        emptyOutDir: true,
        ssr: !forPage,
        rollupOptions: { input, output, checks: { pluginTimings: false } }
      },
      ...(!forPage && { ssr: { noExternal: true } })
    })
    return warnings
  }
}

console.log(JSON.stringify(await BUNDLERS[bundler]()))
