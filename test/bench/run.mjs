// `npm run bench`, or `node test/bench/run.mjs` when `dist` is there: bundles the bench, which is TypeScript, and runs it. What it measures
// stays outside of the bundle: `dist` and the peers run as their users get them.
import { rmSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = fileURLToPath(new URL('./', import.meta.url))
const root = fileURLToPath(new URL('../../', import.meta.url))
// A folder of its own: two runs may overlap.
const outdir = `${root}.bench/${process.pid}`

/** Where the sources are imported, the package is meant. */
const asPublished = {
  name: 'as-published',
  setup({ onResolve }) {
    const entry = (path) => ({ path, external: true })
    onResolve({ filter: /\/src\/index\.js$/ }, () => entry('mcp-websocket-client'))
    onResolve({ filter: /\/src\/(transport|server|redis)\/index\.js$/ }, ({ path }) =>
      entry(`mcp-websocket-client/${path.split('/').at(-2)}`)
    )
  }
}

await mkdir(outdir, { recursive: true })
process.on('exit', () => rmSync(outdir, { recursive: true, force: true }))
// The programs that it started end with it.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
await build({
  entryPoints: ['main', 'echo-server', 'client', 'mcp-server', 'crowd', 'relay'].map((name) => `${here}${name}.ts`),
  outdir,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  plugins: [asPublished],
  logLevel: 'warning'
})
const { main } = await import(`${outdir}/main.mjs`)
process.exitCode = await main(process.argv.slice(2), root)
