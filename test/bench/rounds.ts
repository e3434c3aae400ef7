import type { Opening } from './client.js'
import { FIGURES } from './figures.js'
import type { Folders } from './peers.js'
import { withPrograms, type Listening, type Program } from './processes.js'

/** What is measured, and how often. */
export interface Plan {
  readonly peers: readonly string[]
  readonly figures: readonly string[]
  readonly isQuick: boolean
  /** How often every peer gets a new process. */
  readonly batches: number
  /** How many rounds a process lasts. */
  readonly rounds: number
  /** Scales all counts; 1 but in tests. */
  readonly scale: number
  readonly folders: Folders
}

/** The samples of every peer, by the key of the column. Those of one round have the same index. */
export type Measured = Record<string, Record<string, number[]>>

/** Starts at another place in every round, so that nobody is always the first, or always behind the same peer. */
export const rotated = <T>(values: readonly T[], by: number): readonly T[] => [
  ...values.slice(by % values.length),
  ...values.slice(0, by % values.length)
]

const countOf = (name: string, { isQuick, scale }: Plan): number => Math.ceil(FIGURES[name]!.counts[isQuick ? 1 : 0] * scale)

/** Measures all peers in turn, figure by figure, round by round. */
export async function measureRounds(plan: Plan, tell: (progress: string) => void): Promise<Measured> {
  const measured: Measured = Object.fromEntries(plan.peers.map((peer) => [peer, {}]))
  await withPrograms(async (start) => {
    const { port } = await start('echo-server', 'server').order<Listening>('listen', 0)
    for (let batch = 0; batch < plan.batches; batch++) await measureBatch(plan, batch, port, measured, tell)
  })
  return measured
}

async function measureBatch(plan: Plan, batch: number, port: number, measured: Measured, tell: (progress: string) => void): Promise<void> {
  await withPrograms(async (start) => {
    const programs = new Map(plan.peers.map((peer) => [peer, start('client', 'client')]))
    for (const [peer, program] of programs) {
      const warmUp = Math.ceil((plan.isQuick ? 2000 : 5000) * plan.scale)
      await program.order('open', { peer, url: `ws://127.0.0.1:${String(port)}`, folders: plan.folders, warmUp } satisfies Opening)
    }
    for (let round = 0; round < plan.rounds; round++) {
      tell(`batch ${String(batch + 1)} of ${String(plan.batches)}, round ${String(round + 1)} of ${String(plan.rounds)}`)
      for (const name of plan.figures)
        if ((batch * plan.rounds + round) % FIGURES[name]!.every === 0)
          for (const peer of rotated(plan.peers, batch + round)) await measureFigure(plan, name, programs.get(peer)!, measured[peer]!)
    }
    for (const program of programs.values()) await program.order('close')
  })
}

async function measureFigure(plan: Plan, name: string, program: Program, samples: Record<string, number[]>): Promise<void> {
  const count = countOf(name, plan)
  if (count === 0) return
  const { command, argument, columns } = FIGURES[name]!
  const values = await program.order<Record<string, number>>(command, argument(count))
  for (const [value, { key }] of Object.entries(columns)) (samples[key] ??= []).push(values[value]!)
}
