import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

// Runs a Worker in workerd, as Wrangler does: `workerd.mjs TOOLCHAIN SCRIPT SURROUNDINGS`. Miniflare wants Node 22 or newer.
const [toolchain, script, surroundings] = process.argv.slice(2)
const { Miniflare } = createRequire(`${toolchain}/package.json`)('miniflare')

const miniflare = new Miniflare({
  modules: [{ type: 'ESModule', path: 'worker.js', contents: await readFile(script, 'utf8') }],
  compatibilityDate: '2026-07-01'
})
const ask = async (path) => (await miniflare.dispatchFetch(`http://worker${path}`, { method: 'POST', body: surroundings })).json()
try {
  // What one request makes, the next may not touch, unless it was made in the scope of the module.
  console.log(JSON.stringify([...(await ask('/visit')), ...(await ask('/visit')), ...(await ask('/facts'))]))
} finally {
  await miniflare.dispose()
}
