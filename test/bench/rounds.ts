import type { Opening } from './client.js'
import { FIGURES } from './figures.js'
import { Program } from './processes.js'

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
  /** Of the peer `against`. */
  readonly folder: string
}

/** The samples of every peer, by the key of the column. Those of one round have the same index. */
export type Measured = Record<string, Record<string, number[]>>

/** Starts at another place in every round, so that nobody is always the first, or always behind the same peer. */
const rotated = <T>(values: readonly T[], by: number): readonly T[] => [
  ...values.slice(by % values.length),
  ...values.slice(0, by % values.length)
]

const countOf = (name: string, { isQuick, scale }: Plan): number => Math.ceil(FIGURES[name]!.counts[isQuick ? 1 : 0] * scale)

/** Measures all peers in turn, figure by figure, round by round. */
export async function measureRounds(plan: Plan, tell: (progress: string) => void): Promise<Measured> {
  const measured: Measured = Object.fromEntries(plan.peers.map((peer) => [peer, {}]))
  const server = new Program('echo-server', 'server')
  try {
    const port = await server.order<number>('listen', 0)
    for (let batch = 0; batch < plan.batches; batch++) await measureBatch(plan, batch, port, measured, tell)
  } finally {
    await server.kill()
  }
  return measured
}

async function measureBatch(plan: Plan, batch: number, port: number, measured: Measured, tell: (progress: string) => void): Promise<void> {
  const programs = new Map<string, Program>()
  try {
    for (const peer of plan.peers) {
      const program = new Program('client', 'client')
      programs.set(peer, program)
      const opening: Opening = { peer, url: `ws://127.0.0.1:${String(port)}`, folder: plan.folder, warmUp: Math.ceil(5000 * plan.scale) }
      await program.order('open', opening)
    }
    for (let round = 0; round < plan.rounds; round++) {
      tell(`batch ${String(batch + 1)} of ${String(plan.batches)}, round ${String(round + 1)} of ${String(plan.rounds)}`)
      for (const name of plan.figures)
        if (round === 0 || !FIGURES[name]!.oncePerProcess)
          for (const peer of rotated(plan.peers, batch + round)) await measureFigure(plan, name, programs.get(peer)!, measured[peer]!)
    }
    for (const program of programs.values()) await program.order('close')
  } finally {
    for (const program of programs.values()) await program.kill()
  }
}

async function measureFigure(plan: Plan, name: string, program: Program, samples: Record<string, number[]>): Promise<void> {
  const count = countOf(name, plan)
  if (count === 0) return
  const { command, argument, columns } = FIGURES[name]!
  const values = await program.order<Record<string, number>>(command, argument(count))
  for (const [value, { key }] of Object.entries(columns)) (samples[key] ??= []).push(values[value]!)
}
