import { mkdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { dirname, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { FIGURES, type Column } from './figures.js'
import { AGAINST, PEERS, type Peer } from './peers.js'
import { isPinned } from './processes.js'
import { measureRounds, type Measured, type Plan } from './rounds.js'
import { median, ratio } from './statistics.js'
import { figureWithRatio, markdownTable } from './table.js'

const USAGE = `node test/bench/run.mjs [--quick] [--only peer,…] [--figures figure,…] [--batches N] [--rounds N] [--against folder] [--json file]
peers:   ${Object.keys(PEERS).join(', ')}
figures: ${Object.keys(FIGURES).join(', ')}`

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
  only: { type: 'string' },
  figures: { type: 'string' },
  batches: { type: 'string' },
  rounds: { type: 'string' },
  scale: { type: 'string', default: '1' },
  against: { type: 'string' },
  json: { type: 'string' }
} as const

/** The peers without which no figure means anything: the floor, and the noise. */
const ALWAYS = ['raw', 'again']

function pick(list: string | undefined, all: readonly string[], what: string): readonly string[] {
  if (list === undefined) return all
  const names = list.split(',')
  const unknown = names.find((name) => !all.includes(name))
  if (unknown !== undefined) throw new Error(`there is no ${what} ${unknown}: ${all.join(', ')}`)
  return all.filter((name) => names.includes(name))
}

/** Runs the bench. @returns The exit code. */
export async function main(args: string[], root: string): Promise<number> {
  const { values } = parseArgs({ args, options: OPTIONS })
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  const only = pick(values.only, Object.keys(PEERS), 'peer')
  const peers = [...new Set([...ALWAYS, ...only, ...(values.against === undefined ? [] : ['against'])])]
  const perBatch = values.quick ? Math.max(3, Math.min(7, Math.floor(30 / peers.length))) : 4
  const plan: Plan = {
    peers,
    figures: pick(values.figures, Object.keys(FIGURES), 'figure'),
    isQuick: values.quick,
    batches: Number(values.batches ?? 2),
    rounds: Number(values.rounds ?? perBatch),
    scale: Number(values.scale),
    folder: resolve(values.against ?? root)
  }
  const startedAt = performance.now()
  const measured = await measureRounds(plan, (progress) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${progress} `)
  })
  const seconds = (performance.now() - startedAt) / 1000
  const facts = {
    node: process.version,
    cpu: `${String(cpus().length)} × ${cpus()[0]?.model ?? '?'}`,
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    rounds: plan.rounds * plan.batches,
    isPinned,
    seconds
  }
  console.log(`\n${headOf(facts)}\n\n${tableOf(plan, measured, root)}`)
  const json = values.json ?? `${root}.bench/latest.json`
  await mkdir(dirname(resolve(json)), { recursive: true })
  await writeFile(json, `${JSON.stringify({ facts, plan, measured }, undefined, 2)}\n`)
  return 0
}

interface Facts {
  readonly node: string
  readonly cpu: string
  readonly date: string
  readonly rounds: number
  readonly isPinned: boolean
  readonly seconds: number
}

const headOf = ({ node, cpu, date, rounds, isPinned, seconds }: Facts): string =>
  `Node ${node}, ${cpu}, ${date} UTC; medians of ${String(rounds)} rounds, in brackets the median of the ratios of each round to the ` +
  `floor a. ${isPinned ? 'The clients share one core, and the server has another.' : 'Nothing is pinned to a core.'} ` +
  `What is nearer to 1 than the row A/A is noise. It took ${seconds.toFixed(0)} s.`

const peerOf = (name: string): Peer => (name === 'against' ? AGAINST : PEERS[name]!)

function tableOf({ peers, figures }: Plan, measured: Measured, root: string): string {
  const columns = figures.flatMap((name) => Object.values(FIGURES[name]!.columns))
  const cell = (peer: string, { key, decimals, hasRatio }: Column): string => {
    const samples = measured[peer]?.[key]
    if (samples === undefined) return '–'
    return figureWithRatio(median(samples), decimals, hasRatio ? ratio(samples, measured.raw?.[key] ?? []) : undefined)
  }
  return markdownTable(
    ['peer', 'version', ...columns.map(({ title }) => title)],
    peers.map((name) => [peerOf(name).title, versionOf(peerOf(name).package, root), ...columns.map((column) => cell(name, column))])
  )
}

function versionOf(name: string, root: string): string {
  const require = createRequire(`${root}package.json`)
  return (require(`${name}/package.json`) as { version: string }).version
}
