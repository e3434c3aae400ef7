import { describe, expect, test } from 'vitest'
import { describeRedis } from '../../helpers/redis-server.js'
import { runChaos, type ChaosOptions, type Report } from './chaos.js'
import { Ledger } from './ledger.js'
import { Pace } from './pace.js'

// `run.mjs` asks for seeds of its own; without it these three stand for all.
const { CHAOS_SEED, CHAOS_SECONDS = '5', CHAOS_RUNS = '1', CHAOS_RESUME, CHAOS_NODES = '0' } = process.env
const nodes = Number(CHAOS_NODES)
const seconds = Number(CHAOS_SECONDS)
const seeds = CHAOS_SEED === undefined ? [1, 2, 3] : Array.from({ length: Number(CHAOS_RUNS) }, (_, i) => Number(CHAOS_SEED) + i)
const AT_ONCE = 3

const tell = ({ seed, violations, events, counts }: Report): void => {
  console.log(`seed ${String(seed)}: ${JSON.stringify(counts)}`)
  if (violations.length > 0) console.error(`seed ${String(seed)} VIOLATED:\n${[...events, '', ...violations].join('\n')}`)
}

const run = async (resume: boolean): Promise<void> => {
  const waiting = [...seeds]
  const broken: string[] = []
  const quiet: number[] = []
  const work = async (): Promise<void> => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
      const report = await runChaos({ seed, seconds, resume, nodes })
      if (CHAOS_SEED !== undefined || report.violations.length > 0) tell(report)
      broken.push(...report.violations.map((violation) => `seed ${String(seed)}: ${violation}`))
      const { requests = 0, ready = 0, waiting: drops = 0, resumed = 0 } = report.counts
      if (Math.min(requests, ready, drops) < 3 || (resume && resumed === 0)) quiet.push(seed)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  expect(broken).toEqual([])
  // Of many runs chance makes some in which little happens.
  if (quiet.length > seeds.length / 10) expect(quiet, 'seeds whose runs were quiet, and prove nothing').toEqual([])
}
const limit = 60_000 + (seconds + 30) * 1000 * seeds.length

test.skipIf(CHAOS_RESUME === '1')(
  `chaos: nothing that was promised is broken, whatever breaks (seeds ${seeds.join(', ')})`,
  () => run(false),
  limit
)

const withSessions = (): void =>
  test.skipIf(CHAOS_SEED !== undefined && CHAOS_RESUME !== '1')(
    `chaos: sessions survive whatever they can survive (seeds ${seeds.join(', ')})`,
    () => run(true),
    limit
  )
if (nodes > 0) describeRedis(`${String(nodes)} nodes`, withSessions)
else withSessions()

describe.skipIf(CHAOS_SEED !== undefined)('chaos: the ledger notices', () => {
  test.each<[lie: string, options: Partial<ChaosOptions>, found: RegExp]>([
    [
      'a client that sends calls again which it must not repeat',
      { changes: { resend: () => true } },
      // What waits to be sent again gives the client away as well.
      /was (written|executed) 2 times|still waits, though/
    ],
    ['a client that dials too soon', { changes: { reconnect: { initialDelay: 1, maxDelay: 1, jitter: false } } }, /waits .* ms, not/],
    ['responses that were swapped', { lie: 'swap' }, /with the (response to|error of)/],
    ['a notification that got lost', { lie: 'gap' }, /notification .* came after/],
    ['a call that a session executes twice', { lie: 'twice', resume: true }, /executed twice in session/]
  ])('%s', async (_lie, options, found) => {
    const { violations } = await runChaos({ seed: 11, seconds: 15, ...options })
    expect(violations.join('\n')).toMatch(found)
  })
})

describe('chaos: the pace of a client that was asked to wait for 72 ms', () => {
  // It waits for up to 20 % longer, and the event rounds that up.
  test.each([
    { delay: 87, found: 0 },
    { delay: 88, found: 1 }
  ])('a wait of $delay ms breaks $found promises', ({ delay, found }) => {
    const ledger = new Ledger()
    const pace = new Pace('a', { initialDelay: 36, maxDelay: 60, growFactor: 2, jitter: true, maxRetries: 3, resetAfter: 1000 }, ledger)
    const closure = { kind: 'http', status: 503, retryAfter: 72, wasClean: false, everReady: false } as const
    pace.onState({ from: 'idle', to: 'connecting', attempt: 1 }, 0)
    pace.onState({ from: 'connecting', to: 'waiting', attempt: 2, delay, closure }, 0)
    expect(ledger.violations).toHaveLength(found)
  })
})
