import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { expect, test } from 'vitest'
import { afterTest } from '../helpers/after-test.js'
import { useChild } from '../helpers/child.js'
import { freePort } from '../helpers/free-port.js'
import { serveTransport } from '../helpers/mcp-server.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { useServer } from '../server/use-server.js'

// The code of docs/recipes.md, as it stands there. That of frameworks runs in test/interop.

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** The first TypeScript block below a heading, as a program of Node. @returns Its path. */
async function useRecipe(heading: string): Promise<string> {
  const guide = readFileSync(join(ROOT, 'docs/recipes.md'), 'utf8')
  const contents = new RegExp(`^## ${heading}$[\\s\\S]*?^\`\`\`ts\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(guide)?.[1]
  if (contents === undefined) throw new Error(`docs/recipes.md has no code for ${heading}`)
  const folder = await mkdtemp(join(tmpdir(), 'recipe-'))
  afterTest(() => rm(folder, { recursive: true }))
  const outfile = join(folder, 'recipe.mjs')
  await build({
    stdin: { contents, resolveDir: ROOT, loader: 'ts' },
    alias: { 'mcp-websocket-client': join(ROOT, 'src/index.ts') },
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'silent'
  })
  return outfile
}

type Step = { tool: string; arguments: Record<string, unknown> } | { answer: string }
type RunAgent = (
  urls: readonly string[],
  model: (tools: readonly { name: string }[], history: readonly string[]) => Promise<Step>,
  signal: AbortSignal
) => Promise<string>

async function useAgent(): Promise<RunAgent> {
  const { runAgent } = (await import(pathToFileURL(await useRecipe('An agent over several servers')).href)) as { runAgent: RunAgent }
  return runAgent
}

test('an agent uses two servers, does without a dead one, and tells its model of a lost call what it must know', async () => {
  const first = await useServer()
  const other = await useServer({ onconnection: (transport) => void serveTransport('v1', transport) })
  const dead = `ws://127.0.0.1:${String(await freePort())}/ws`
  const histories: string[][] = []
  const answer = await (
    await useAgent()
  )(
    [dead, first.url, other.url],
    (tools, history) => {
      histories.push([...history])
      if (history.length === 0) {
        expect(tools.map(({ name }) => name)).toContain('echo')
        return Promise.resolve({ tool: 'echo', arguments: { message: 'hello' } })
      }
      if (history.length === 1) {
        for (const { infos, server } of [first, other])
          void until(() => server.metrics().requestsInFlight > 0, 'the call is under way').then(
            () => infos[0]?.request.socket.destroy(),
            () => undefined
          )
        return Promise.resolve({ tool: 'hold', arguments: {} })
      }
      return Promise.resolve(history.length === 2 ? { tool: 'none', arguments: {} } : { answer: 'done' })
    },
    new AbortController().signal
  )
  expect(answer).toBe('done')
  expect(histories.at(-1)).toEqual([
    expect.stringContaining('hello'),
    expect.stringMatching(/^The tool hold failed: .*whether the request was executed is unknown: check before you repeat it/),
    'There is no tool none.'
  ])
}, 30_000)

test('an agent that is told to end gives its call up, and leaves nothing open', async () => {
  const aborted: string[] = []
  const { url, server } = await useServer({
    onconnection: (transport) => void serveTransport('v2', transport, { onAborted: (name) => aborted.push(name) })
  })
  const controller = new AbortController()
  const running = rejectionOf((await useAgent())([url], () => Promise.resolve({ tool: 'hold', arguments: {} }), controller.signal))
  await until(() => server.metrics().requestsInFlight > 0, 'the call is under way')
  const reason = new Error('SIGTERM')
  controller.abort(reason)
  expect(await running).toBe(reason)
  await until(() => server.metrics().connections === 0, 'the client is gone')
  expect(aborted).toEqual(['hold'])
})

test('a command that gets Ctrl-C tells the server, and leaves with 130', async () => {
  const aborted: string[] = []
  const { url, server } = await useServer({
    onconnection: (transport) => void serveTransport('v2', transport, { onAborted: (name) => aborted.push(name) })
  })
  const recipe = await useRecipe('A command with Ctrl-C')
  const done = useChild(recipe, [url, 'echo', '{"message":"hi"}'])
  expect(await done.nextLine()).toBe('[{"type":"text","text":"hi"}]')
  expect(await done.gone).toBe(0)
  const held = useChild(recipe, [url, 'hold'])
  await until(() => server.metrics().requestsInFlight > 0, 'the call is under way')
  process.kill(held.pid, 'SIGINT')
  expect(await held.gone).toBe(130)
  await until(() => aborted.length > 0, 'the server heard of it')
})
