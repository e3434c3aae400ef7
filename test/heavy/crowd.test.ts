import { execSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { expectNothingLeft, kib, nextWord, useSoak, useSoakServer, type Soaked } from './soak.js'

const COUNT = 5000
// A process of Node raises its own limit as far as it may.
const mostFiles = execSync('ulimit -Hn', { encoding: 'utf8' }).trim()
const hasDescriptors = mostFiles === 'unlimited' || Number(mostFiles) > COUNT + 500
if (!hasDescriptors)
  console.warn(`\n*** SKIPPED: ${String(COUNT)} clients in one process. The system allows ${mostFiles} open files, see ulimit -Hn. ***\n`)

test.skipIf(!hasDescriptors)(
  'A19: 5000 clients in one process come back after a restart of the server and close within 5 s',
  { timeout: 600_000 },
  async () => {
    const server = await useSoakServer()
    const child = await useSoak('soak-crowd', server, COUNT)
    expect(await nextWord(child), child.complaints).toBe('connected')
    await server.kill()
    const next = await useSoakServer(server.port)
    const soaked = JSON.parse(await nextWord(child)) as Soaked & {
      states: string[]
      closedIn: number
      workedFor: number
      bytesEach: number
    }
    const { states, closedIn, workedFor, bytesEach, leftBytes } = soaked
    console.log(
      `${kib(bytesEach)} each, ${kib(leftBytes)} left, closed in ${closedIn.toFixed(0)} ms, with ${workedFor.toFixed(0)} ms of work`
    )
    expect(states).toEqual(['closed'])
    // Not the time on the wall, which other programs on this machine would lengthen.
    expect(workedFor).toBeLessThan(5000)
    expectNothingLeft(soaked)
    expect(await child.gone, child.complaints).toBe(0)
    // The second server saw all of them leave in order.
    expect(JSON.parse(await nextWord(next))).toMatchObject({ 1000: COUNT })
  }
)
