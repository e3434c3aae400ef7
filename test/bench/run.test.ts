import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { useFolder } from '../helpers/use-folder.js'
import { FIGURES } from './figures.js'
import type { Run } from './report.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const program = join(root, 'test/bench/run.mjs')

test(
  'the smallest run measures every figure that it was asked for, and says so in JSON, Markdown and a chart',
  { timeout: 60_000 },
  async () => {
    const folder = await useFolder()
    const [json, svg] = [join(folder, 'deep/run.json'), join(folder, 'run.svg')]
    const figures = ['rtt', 'req64', '64k', 'notif', 'pending']
    const amount = ['--scale', '0.01', '--batches', '1', '--rounds', '2']
    const files = ['--json', json, '--svg', svg]
    const running = run(process.execPath, [program, '--only', 'ours', '--figures', [...figures, 'bridge'].join(','), ...amount, ...files])
    const { stdout } = await running

    const { facts, results } = JSON.parse(await readFile(json, 'utf8')) as Run
    expect(facts).toMatchObject({
      node: process.version,
      versions: { raw: expect.any(String) as string, ours: expect.any(String) as string }
    })
    expect(Object.keys(results.clients)).toEqual(['raw', 'again', 'ours'])
    for (const samples of Object.values(results.clients))
      for (const { columns, every } of figures.map((name) => FIGURES[name]!))
        for (const { key } of Object.values(columns)) {
          expect(samples[key], key).toHaveLength(every === 1 ? 2 : 1)
          expect(Math.min(...samples[key]!), key).toBeGreaterThan(0)
        }

    expect(stdout).toMatch(/^\| raw ws \(floor a\) .*\(1\.00×\)/m)
    expect(stdout).toMatch(/^\| \*\*mcp-websocket-client\*\* .*×\)/m)
    expect(stdout).toMatch(/^\| \*\*`mcp-ws bridge`\*\* .*×\)/m)
    expect((await readFile(svg, 'utf8')).match(/class="ours"/g)).toHaveLength(4)
    // It removes the folder that it bundles itself into.
    expect(await readdir(join(root, '.bench'))).not.toContain(String(running.child.pid))
  }
)

test('a figure that nobody knows ends the run, and the message lists those that there are', async () => {
  await expect(run(process.execPath, [program, '--figures', 'speed'])).rejects.toThrow(/there is no figure speed: rtt, /)
})
