import { execSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { bundle, useChild } from '../helpers/child.js'
import { kib, MOST_LEFT, nextWord } from './soak.js'

const COUNT = 10_000
// Server and clients are processes of their own, each with a limit of its own; Node raises it as far as it may.
const mostFiles = execSync('ulimit -Hn', { encoding: 'utf8' }).trim()
const hasDescriptors = mostFiles === 'unlimited' || Number(mostFiles) > COUNT + 100
if (!hasDescriptors)
  console.warn(
    `\n*** SKIPPED: ${String(COUNT)} connections of one server. The system allows ${mostFiles} open files, see ulimit -Hn. ***\n`
  )

test.skipIf(!hasDescriptors)('10,000 idle connections weigh no more than 20 kB of heap each', { timeout: 600_000 }, async () => {
  const programs = (name: string): URL => new URL(`../faults/programs/${name}.ts`, import.meta.url)
  const server = useChild(await bundle(programs('idle-server')), [String(COUNT)], ['--expose-gc'])
  const port = await nextWord(server)
  const clients = useChild(await bundle(programs('idle-clients')), [`ws://127.0.0.1:${port}/ws`, String(COUNT)])
  expect(await clients.nextLine(), clients.complaints).toBe('open')
  const { heapEach, rssEach, connections } = JSON.parse(await nextWord(server)) as Record<string, number>
  console.log(`${kib(heapEach ?? 0)} of heap, ${kib(rssEach ?? 0)} of memory each`)
  expect(connections).toBe(COUNT)
  expect(heapEach).toBeLessThanOrEqual(20_000)
  await clients.kill()
  const { leftBytes } = JSON.parse(await nextWord(server)) as { leftBytes: number }
  console.log(`${kib(leftBytes)} left`)
  expect(leftBytes).toBeLessThanOrEqual(MOST_LEFT)
  expect(await server.gone, server.complaints).toBe(0)
})
