import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, describe, expect, inject, test } from 'vitest'
import { seesHttpIn } from '../shared/upgrades.js'
import { inPairs } from './pool.js'
import { startRealServer } from './real-server.js'
import { RUNTIMES, type Command, type Format, type Runtime } from './runtimes.js'
import type { Finding } from './runner.js'

/** How long one run may take until it has ended by itself, in ms. */
const LIMIT = 180_000

/** What came of a run. */
interface Outcome {
  readonly findings: readonly Finding[]
  /** Whether the process ended by itself, with 0. */
  readonly hasEnded: boolean
  readonly said: string
  /** How long it took, in ms. */
  readonly took: number
}

const place = inject('place')
const present = inject('present')
const runs = RUNTIMES.filter(({ name }) => name in present).flatMap((runtime) => runtime.formats.map((format) => ({ runtime, format })))
const outcomes = new Map<string, Outcome>()
const titleOf = (runtime: Runtime, format: Format): string => `${runtime.name} (${format})`

function start({ file, args, env }: Command): Promise<{ hasEnded: boolean; out: string; said: string }> {
  const options = {
    cwd: place.folder,
    env: { PATH: process.env.PATH, HOME: place.folder, DENO_DIR: join(place.folder, '.deno'), NO_COLOR: '1', ...env },
    // With SIGTERM, upon which Miniflare ends workerd, too.
    timeout: LIMIT,
    maxBuffer: 2 ** 26
  } as const
  return new Promise((resolve) => {
    execFile(file, args, options, (error, stdout, stderr) =>
      resolve({ hasEnded: error === null, out: stdout, said: `${error?.message.slice(0, 300) ?? ''}\n${stdout.slice(0, 2000)}\n${stderr}` })
    )
  })
}

async function outcomeOf(runtime: Runtime, format: Format): Promise<Outcome> {
  const real = await startRealServer()
  try {
    const { engine } = runtime
    const startedAt = performance.now()
    const command = runtime.command(place, format, { scriptedUrl: inject('serverUrl'), realUrl: real.url, engine })
    const { hasEnded, out, said } = await start(command)
    const took = performance.now() - startedAt
    try {
      const findings = JSON.parse(command.results === undefined ? out : await readFile(command.results, 'utf8')) as Finding[]
      return { findings, hasEnded, said, took }
    } catch {
      return { findings: [], hasEnded, said, took }
    }
  } finally {
    await real.close()
  }
}

// Before the first test, and the last ones first: those take longest.
beforeAll(async () => {
  await inPairs([...runs].reverse(), async ({ runtime, format }) => {
    const outcome = await outcomeOf(runtime, format)
    outcomes.set(titleOf(runtime, format), outcome)
    const failed = outcome.findings.filter(({ error }) => error !== undefined).length
    const row = `${titleOf(runtime, format)} ${present[runtime.name] ?? ''}`.padEnd(34)
    const held = outcome.findings.length - failed
    console.log(`runtimes: ${row} ${String(held)} facts hold, ${String(failed)} do not, ${(outcome.took / 1000).toFixed(1)} s`)
  })
}, 600_000)

test('docs/runtimes.md has a row for each runtime', () => {
  const rows = [...readFileSync(new URL('../../docs/runtimes.md', import.meta.url), 'utf8').matchAll(/^\| (.+) \|$/gm)].slice(2)
  const cells = rows.map(([, row = '']) => row.split('|').map((cell) => cell.trim()))
  const yes = (holds: boolean): string => (holds ? 'yes' : 'no')
  expect(cells.map(([name, formats, server, http, dials]) => [name, formats, server?.replace('not tried', 'no'), http, dials])).toEqual(
    RUNTIMES.map(({ name, formats, serves, engine }) => [
      name,
      formats.join(', '),
      yes(serves),
      yes(seesHttpIn(engine)),
      engine === 'node' || engine === 'workerd' ? 'same dial' : 'one more dial'
    ])
  )
})

describe.for(runs.map(({ runtime, format }) => [titleOf(runtime, format), runtime] as const))('in %s', ([title, runtime]) => {
  test('every fact holds', () => {
    const { findings = [], said } = outcomes.get(title) ?? {}
    expect(findings.length, said).toBeGreaterThan(60)
    expect(findings.filter(({ error }) => error !== undefined)).toEqual([])
  })

  test('the program ends by itself', () => {
    const { hasEnded, said } = outcomes.get(title) ?? {}
    expect(hasEnded, said).toBe(true)
  })

  test.runIf(runtime.serves)('the server was tried too', () => {
    const facts = outcomes.get(title)?.findings.filter(({ fact }) => fact.startsWith('McpWebSocketServer')) ?? []
    expect(facts.length).toBeGreaterThan(5)
  })
})
