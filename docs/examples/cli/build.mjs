// Bundles `cli.ts` twice, as an ES module and as CommonJS: one is enough for you.
//
//   node build.mjs [folder]
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const [folder = 'dist'] = process.argv.slice(2)
const common = { entryPoints: [fileURLToPath(new URL('cli.ts', import.meta.url))], bundle: true, platform: 'node', target: 'node20' }

await build({ ...common, format: 'cjs', outfile: join(folder, 'cli.cjs') })
await build({
  ...common,
  format: 'esm',
  outfile: join(folder, 'cli.mjs'),
  // `ws` is CommonJS, and asks for `require`, which an ES module does not have.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" }
})
