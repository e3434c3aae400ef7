import fc from 'fast-check'
import { expect, it, onTestFinished } from 'vitest'
import { ResumableSession } from '../../../src/server/resumable-session.js'
import { Sessions } from '../../../src/server/sessions.js'
import { InFlight } from '../../../src/session/in-flight.js'
import { Receipts, ReplayBuffer } from '../../../src/wire/replay.js'
import type { OpenFrame } from '../../../src/wire/resume-frames.js'
import { settle } from '../../helpers/fake-clock.js'
import { World, type Fences } from './world.js'

type Plain = 'request' | 'notify' | 'burst' | 'cut' | 'flow' | 'loseText' | 'storeDown' | 'storeUp' | 'loseTail'
type Choice = 'finish' | 'reconnect' | 'serverNotices' | 'crash' | 'hijack' | 'expireLease'
type Step =
  | { readonly do: 'up' | 'down'; readonly wire: number }
  | { readonly do: Plain }
  | { readonly do: Choice; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number }

const named = (name: Plain, weight: number): fc.WeightedArbitrary<Step> => ({ weight, arbitrary: fc.constant({ do: name }) })

const chosen = (name: Choice, weight: number): fc.WeightedArbitrary<Step> => ({
  weight,
  arbitrary: fc.record({ do: fc.constant(name), which: fc.nat(9) })
})

const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('up' as const, 'down' as const), wire: fc.nat(3) }) },
  named('flow', 3),
  named('request', 4),
  chosen('finish', 3),
  named('notify', 2),
  named('burst', 1),
  chosen('reconnect', 3),
  named('cut', 1),
  chosen('serverNotices', 2),
  chosen('crash', 1),
  chosen('hijack', 1),
  chosen('expireLease', 3),
  named('loseText', 1),
  named('storeDown', 1),
  named('storeUp', 2),
  named('loseTail', 1),
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 120 }) }) }
)

/** Moves up to `wires` of the newest sockets: of the oldest there is nothing to expect. */
async function take(world: World, step: Step): Promise<void> {
  switch (step.do) {
    case 'up':
      world.wires.at(-1 - (step.wire % Math.max(1, world.wires.length)))?.deliverUp()
      return
    case 'down':
      world.wires.at(-1 - (step.wire % Math.max(1, world.wires.length)))?.deliverDown()
      return
    case 'flow':
      for (let n = 0; n < 6; n++) {
        world.wires.at(-1)?.deliverUp()
        await settle()
        world.wires.at(-1)?.deliverDown()
        await settle()
      }
      return
    case 'request': {
      world.request()
      return
    }
    case 'notify': {
      world.notify()
      return
    }
    case 'burst':
      for (let n = 0; n < 5; n++) {
        world.request()
        world.notify()
      }
      return
    case 'cut':
      for (const wire of world.wires) wire.isCut = true
      return
    case 'loseText':
      world.hub.loses = () => {
        world.hub.loses = () => false
        return true
      }
      return
    case 'storeDown':
      world.hub.isDown = true
      return
    case 'storeUp':
      world.hub.isDown = false
      return
    case 'loseTail':
      for (const { frames } of world.hub.entries.values()) frames.delete(Math.max(...frames.keys()))
      return
    case 'finish': {
      world.finish(step.which)
      return
    }
    case 'reconnect':
      return world.reconnect(step.which)
    case 'serverNotices':
      world.wires.at(-1 - (step.which % Math.max(1, world.wires.length)))?.noticeOnServer()
      return
    case 'crash': {
      world.crash(step.which)
      return
    }
    case 'hijack':
      return world.hijack(step.which)
    case 'expireLease':
      world.hub.dead.add(world.nodes[step.which % 2]?.store.node ?? '')
      return
    case 'wait':
      return world.clock.advance(step.ms)
  }
}

const RUNS = Number(process.env.RESUME_RUNS ?? 1000)
/** How often the programs reached what they are about. */
const totals: Record<string, number> = {}
const count = (what: string, times = 1): void => void (totals[what] = (totals[what] ?? 0) + times)

async function play(program: readonly Step[], fences: Fences): Promise<void> {
  const world = new World(fences)
  void world.client.connect().catch(() => undefined)
  await settle()
  for (let n = 0; n < 4; n++) {
    world.wires.at(-1)?.deliverUp()
    await settle()
    world.wires.at(-1)?.deliverDown()
    await settle()
  }
  for (const step of program) {
    await take(world, step)
    await settle()
    world.check()
  }
  await world.heal()
  for (const outcome of world.outcomes.values()) count(outcome)
  for (const { resumesTotal, resumesFailed } of world.metrics) {
    count('resumed', resumesTotal)
    for (const [reason, times] of Object.entries(resumesFailed)) count(reason, times)
  }
  await world.end()
}

const FENCES: Fences = { client: true, server: true }

/** @param first - What each program begins with. */
const explore = (runs: number, fences = FENCES, first: readonly Step[] = [], endOnFailure = false): Promise<void> =>
  fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 80 }), (program) => play([...first, ...program], fences)),
    { numRuns: runs, seed: Number(process.env.RESUME_SEED ?? 42), endOnFailure }
  )

it(
  'whatever happens to sockets, servers and their store: nothing is executed twice, and what lives loses nothing',
  { timeout: 600_000 },
  async () => {
    await explore(RUNS)
    // The programs do reach what they are about.
    for (const what of ['ok', 'unknown', 'resumed', 'expired', 'owner-gone']) expect(totals[what], what).toBeGreaterThan(0)
  }
)

/** Replaces a method, or a getter, of all objects of a class by one that is wrong. */
function replace<T extends object>(
  prototype: T,
  name: keyof T & string,
  make: (original: (this: T, ...args: never[]) => unknown) => unknown
): undefined {
  const before = Object.getOwnPropertyDescriptor(prototype, name) ?? {}
  const kind = 'get' in before ? 'get' : 'value'
  const original = Reflect.get(before, kind) as (this: T, ...args: never[]) => unknown
  Object.defineProperty(prototype, name, { ...before, [kind]: make(original) })
  onTestFinished(() => void Object.defineProperty(prototype, name, before))
  return undefined
}

type Judge = Sessions<ResumableSession>['judge']

interface Mutant {
  readonly name: string
  readonly mutate: () => Fences | undefined
  /** What leads to the place where it matters. */
  readonly first?: readonly Step[]
}

const LATE_OPEN: readonly Step[] = [
  { do: 'request' },
  { do: 'flow' },
  { do: 'reconnect', which: 0 },
  { do: 'reconnect', which: 0 },
  { do: 'flow' },
  { do: 'up', wire: 1 }
]

const MUTANTS: readonly Mutant[] = [
  {
    name: 'the server hears a socket whose session another one has (I6)',
    mutate: () => ({ client: true, server: false }),
    first: [{ do: 'request' }, { do: 'reconnect', which: 0 }, { do: 'flow' }]
  },
  { name: 'the client hears a socket that it has given up (I1)', mutate: () => ({ client: false, server: true }) },
  {
    name: 'more is acknowledged than was received (I15)',
    mutate: () =>
      replace(
        Receipts.prototype,
        'tell',
        (tell) =>
          function (this: Receipts) {
            return Number(tell.call(this)) + 1
          }
      )
  },
  {
    name: 'a frame too many is forgotten at each acknowledgement (I4)',
    mutate: () =>
      replace(
        ReplayBuffer.prototype,
        'acknowledge',
        (acknowledge) =>
          function (this: ReplayBuffer, position: number) {
            return acknowledge.call(this, Math.min(this.sent, position + 1) as never)
          }
      )
  },
  { name: 'nothing is sent again (I3)', mutate: () => replace(ReplayBuffer.prototype, 'unacknowledged', () => () => []) },
  {
    name: 'the first frame is not sent again (I2)',
    mutate: () =>
      replace(
        ReplayBuffer.prototype,
        'unacknowledged',
        (get) =>
          function (this: ReplayBuffer) {
            return (get.call(this) as string[]).slice(1)
          }
      )
  },
  {
    name: 'no frame is counted beyond the tenth (I1)',
    mutate: () =>
      replace(
        Receipts.prototype,
        'note',
        (note) =>
          function (this: Receipts, length: number) {
            return this.received < 10 && note.call(this, length as never)
          }
      )
  },
  { name: 'what is sent has no limit (I5)', mutate: () => replace(ReplayBuffer.prototype, 'isFull', () => () => false) },
  {
    name: 'what may have been executed is sent again (I8)',
    mutate: () =>
      replace(
        InFlight.prototype,
        'triage',
        (triage) =>
          function (this: InFlight, closure: unknown) {
            return triage.call(this, closure as never, 0 as never)
          }
      )
  },
  {
    name: 'the server names less than it received (I8)',
    mutate: () =>
      replace(
        Sessions.prototype,
        'judge',
        (judge) =>
          function (this: Sessions<never>, ...args: Parameters<Judge>) {
            const verdict = judge.apply(this, args as never) as ReturnType<Judge>
            return 'delivered' in verdict && verdict.delivered ? { ...verdict, delivered: verdict.delivered - 1 } : verdict
          }
      )
  },
  {
    name: 'anybody gets a session by its name (I10)',
    mutate: () =>
      replace(
        Sessions.prototype,
        'judge',
        (judge) =>
          function (this: Sessions<ResumableSession>, open: OpenFrame, epoch: string, _principal: string, now: number) {
            return judge.apply(this, [open, epoch, this.find(open.session ?? '')?.principal ?? '', now] as never)
          }
      )
  },
  {
    name: 'a late open frame takes the session back (generation)',
    mutate: () =>
      replace(
        Sessions.prototype,
        'judge',
        (judge) =>
          function (this: Sessions<ResumableSession>, open: OpenFrame, ...rest: never[]) {
            return judge.apply(this, [{ ...open, generation: Infinity }, ...rest] as never)
          }
      ),
    first: LATE_OPEN
  },
  { name: 'a session that is over stays in the table (I12)', mutate: () => replace(Sessions.prototype, 'end', () => () => undefined) },
  {
    name: 'a node goes on with a session that another one has claimed',
    mutate: () => replace(ResumableSession.prototype, 'fence', () => () => undefined),
    first: [{ do: 'request' }, { do: 'flow' }, { do: 'expireLease', which: 0 }, { do: 'reconnect', which: 1 }]
  }
]

it.each(MUTANTS)('it is noticed if $name', { timeout: 120_000 }, async ({ mutate, first }) => {
  await expect(explore(1000, mutate(), first, true)).rejects.toThrow()
})
