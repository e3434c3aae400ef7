import { execFile } from 'node:child_process'
import { copyFile, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { afterTest } from '../helpers/after-test.js'
import { listenOnLoopback } from '../helpers/listen-on-loopback.js'
import { serveTransport, type SdkVersion } from '../helpers/mcp-server.js'
import { until } from '../helpers/until.js'
import { buildIfStale } from '../package/packed.js'
import { useServer, type Served } from '../server/use-server.js'

// Frameworks for agents on our transport, each with the code of docs/recipes.md, through a restart of the server.

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const frameworks = inject('machine').frameworks

/** What a program found. */
interface Report {
  readonly tools: readonly string[]
  readonly before: string
  readonly lost: string
  readonly after: string
  readonly errors: readonly string[]
  readonly about?: string
}

/** The code of a recipe. */
async function recipeOf(heading: string): Promise<string> {
  const guide = await readFile(join(ROOT, 'docs/recipes.md'), 'utf8')
  const code = new RegExp(`^### ${heading}$[\\s\\S]*?^\`\`\`js\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(guide)?.[1]
  if (code === undefined) throw new Error(`docs/recipes.md has no code for ${heading}`)
  return code
}

/** A server that is restarted, on its port, when somebody asks for it and a call is under way. */
async function useRestartable(sdk: SdkVersion): Promise<{ url: string; restartUrl: string }> {
  const executed: string[] = []
  const start = (port: number): Promise<Served<undefined>> =>
    useServer({ port, onconnection: (transport) => void serveTransport(sdk, transport, { onExecuted: (name) => executed.push(name) }) })
  let served = await start(0)
  const { port, url } = served
  const control = createServer((_request, response) => {
    void until(() => executed.includes('hold'), 'the call has arrived')
      .then(() => served.server.close({ grace: 0 }))
      .then(async () => {
        served = await start(port)
        response.writeHead(200, { connection: 'close' }).end()
      })
  })
  return { url, restartUrl: `http://127.0.0.1:${String(await listenOnLoopback(control))}/` }
}

async function play(framework: string, heading: string, sdk: SdkVersion): Promise<Report> {
  const installed = 'folder' in frameworks ? frameworks.folder : ''
  const folder = join(installed, `run-${framework}-${sdk}-${String(process.pid)}`)
  await mkdir(folder, { recursive: true })
  afterTest(() => rm(folder, { recursive: true }))
  await copyFile(fileURLToPath(new URL('frameworks/drive.mjs', import.meta.url)), join(folder, 'drive.mjs'))
  await writeFile(join(folder, 'recipe.mjs'), await recipeOf(heading))
  const { url, restartUrl } = await useRestartable(sdk)
  // What it traces would go to its makers.
  const env = { ...process.env, OPENAI_AGENTS_DISABLE_TRACING: '1' }
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'drive.mjs'), framework, url, restartUrl], {
    env,
    timeout: 50_000
  })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Report
}

describe.skipIf('missing' in frameworks)('a framework with its recipe', () => {
  beforeAll(async () => {
    await buildIfStale()
    const modules = join('folder' in frameworks ? frameworks.folder : '', 'node_modules')
    await symlink(ROOT, join(modules, 'mcp-websocket-client')).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    })
  }, 120_000)

  it.each([
    ['Vercel AI SDK', 'ai', 'v1', '2025-11-25'],
    ['Vercel AI SDK', 'ai', 'v2', '2026-07-28'],
    ['LangChain.js', 'langchain', 'v1', undefined],
    ['LangChain.js', 'langchain', 'v2', undefined],
    ['OpenAI Agents', 'openai', 'v1', undefined],
    ['OpenAI Agents', 'openai', 'v2', undefined]
  ] as const)(
    '%s (%s) lists, calls, loses one call to a restart of the server on SDK %s, and goes on',
    async (heading, framework, sdk, version) => {
      const report = await play(framework, heading, sdk)
      expect(report.tools.some((name) => name.endsWith('echo'))).toBe(true)
      expect([report.before, report.after].map((text) => /before|after/.exec(text)?.[0])).toEqual(['before', 'after'])
      expect(report.lost).toMatch(/whether the request was executed is unknown: check before you repeat it/)
      expect(report.errors).toEqual([])
      if (version !== undefined) expect(report.about).toBe(version)
    }
  )
})
