// `npm run playground`, or `node docs/playground/run.mjs` when `dist` is there: bundles the page and its server, which are TypeScript, and
// serves them on 127.0.0.1.
//
//   --port N       the port of the page (5180 if it is free, else any)
//   --screenshot   writes docs/playground.png and docs/playground-dark.png, and ends
import { mkdir, readFile, rm } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'

const here = fileURLToPath(new URL('./', import.meta.url))
const cache = fileURLToPath(new URL('../../node_modules/.cache/mcp-websocket-client/', import.meta.url))

const { values } = parseArgs({ options: { port: { type: 'string' }, screenshot: { type: 'boolean', default: false } } })

/** Settings of both bundles. Without the paths of our tsconfig.json, the package is what its exports say: the build in `dist`. */
const common = { bundle: true, tsconfigRaw: {}, logLevel: 'warning' }

async function bundlePage() {
  const { outputFiles } = await build({
    ...common,
    entryPoints: [`${here}page/main.ts`],
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    minify: true,
    write: false
  })
  return outputFiles[0].contents
}

/** Node runs no TypeScript before version 22: the server is bundled into a file, which is gone as soon as it is loaded. */
async function importServer() {
  const outfile = `${cache}playground-${process.pid}.mjs`
  await mkdir(cache, { recursive: true })
  await build({
    ...common,
    entryPoints: [`${here}server/playground.ts`],
    outfile,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // What is CommonJS in it wants a `require`.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" }
  })
  try {
    return await import(pathToFileURL(outfile).href)
  } finally {
    await rm(outfile)
  }
}

const [{ startPlayground }, script, page, style] = await Promise.all([
  importServer(),
  bundlePage(),
  readFile(`${here}page/index.html`),
  readFile(`${here}page/style.css`)
])
const files = {
  '/': { type: 'text/html', body: page },
  '/main.js': { type: 'text/javascript', body: script },
  '/style.css': { type: 'text/css', body: style }
}

const start = (port) => startPlayground({ port, files })
const isTaken = (error) => error.code === 'EADDRINUSE'
const playground =
  values.port === undefined && !values.screenshot
    ? await start(5180).catch((error) => (isTaken(error) ? start(0) : Promise.reject(error)))
    : await start(Number(values.port ?? 0))

if (values.screenshot) {
  const { takeScreenshots } = await import('./screenshot.mjs')
  await takeScreenshots(playground.url)
  await playground.close()
} else {
  console.log(`The playground is at ${playground.url} (Ctrl-C ends it).`)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void playground.close())
}
