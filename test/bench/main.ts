import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { installPinned } from '../helpers/install-pinned.js'
import { measureBrowser } from './browser.js'
import { FIGURES } from './figures.js'
import { measureImports } from './imports.js'
import { BRIDGES, peerOf, PEERS, type Folders } from './peers.js'
import { isPinned } from './processes.js'
import { panelsOf, report, BRIDGED, type Facts, type Results, type Run } from './report.js'
import { measureRestart, REDIALLING, type Outages } from './restart.js'
import { measureRounds, type Plan } from './rounds.js'
import { measureServer } from './server-entry.js'
import { measureSizes } from './sizes.js'
import { reportStorm } from './storm/report.js'
import { drawChart } from './svg.js'

/** What is measured apart from the rounds; names for `--figures`. */
const PARTS = ['restart', 'bridge', 'browser', 'server', 'import', 'size'] as const

const USAGE = `npm run bench -- [options], or node test/bench/run.mjs [options] if dist is there

--quick             fewer rounds
--only name,…       these clients, beside the raw loop (twice): ${Object.keys(PEERS).join(', ')}
--figures name,…    these figures: ${[...Object.keys(FIGURES), ...PARTS].join(', ')}
--against folder    one client more: this package as it is built in another folder
--batches n         how often every client gets a new process
--rounds n          how many rounds a process lasts
--scale n           multiplies how much is done in a round
--json file         where the samples go (.bench/latest.json)
--svg file          draws a chart
--storm file        measures nothing, but simulates how clients redial after an outage, and draws that`

const OPTIONS = {
  quick: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
  only: { type: 'string' },
  figures: { type: 'string' },
  against: { type: 'string' },
  batches: { type: 'string' },
  rounds: { type: 'string' },
  scale: { type: 'string', default: '1' },
  json: { type: 'string' },
  svg: { type: 'string' },
  storm: { type: 'string' }
} as const

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values']

/** Runs the bench. @returns The exit code. */
export async function main(args: string[], root: string): Promise<number> {
  const { values } = parseArgs({ args, options: OPTIONS })
  if (values.help) {
    console.log(USAGE)
    return 0
  }
  if (values.storm !== undefined) {
    const { table, svg } = reportStorm()
    console.log(table)
    await write(values.storm, svg)
    return 0
  }
  const begun = { at: performance.now(), load: loadavg()[0] ?? 0 }
  const parts = pick(values.figures, [...Object.keys(FIGURES), ...PARTS], 'figure')
  const plan = await planOf(values, parts, root)
  const results = await measure(plan, parts, root)
  const run: Run = { facts: factsOf(plan, root, begun), plan, results }
  console.log(`${report(run)}\n`)
  await write(values.json ?? `${root}.bench/latest.json`, `${JSON.stringify(run, undefined, 2)}\n`)
  if (values.svg !== undefined) await write(values.svg, drawChart(panelsOf(run), 'What clients cost, beside a raw WebSocket'))
  return 0
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(resolve(file)), { recursive: true })
  await writeFile(file, text)
}

function pick(list: string | undefined, all: readonly string[], what: string): readonly string[] {
  if (list === undefined) return all
  const names = list.split(',')
  const unknown = names.find((name) => !all.includes(name))
  if (unknown !== undefined) throw new Error(`there is no ${what} ${unknown}: ${all.join(', ')}`)
  return all.filter((name) => names.includes(name))
}

async function planOf(values: Values, parts: readonly string[], root: string): Promise<Plan> {
  const only = pick(values.only, Object.keys(PEERS), 'client')
  // Without the floor and the noise no figure means anything.
  const peers = [...new Set(['raw', 'again', ...only, ...(values.against === undefined ? [] : ['against'])])]
  const isCrowded = peers.length > 5
  return {
    peers,
    figures: parts.filter((name) => name in FIGURES),
    isQuick: values.quick,
    batches: Number(values.batches ?? (values.quick && isCrowded ? 1 : 2)),
    rounds: Number(values.rounds ?? (isCrowded ? (values.quick ? 3 : 4) : 8)),
    scale: Number(values.scale),
    folders: await foldersOf(peers, parts, values.against, root)
  }
}

async function foldersOf(peers: readonly string[], parts: readonly string[], against: string | undefined, root: string): Promise<Folders> {
  const needsPeers = parts.includes('import') || parts.includes('size') || peers.some((name) => peerOf(name).isApart)
  const install = (): Promise<string> =>
    installPinned(`${root}test/bench/peers`, `${root}.bench/peers`, () => console.log('bench: installing the other clients into .bench/'))
  return { root, peers: needsPeers ? await install() : root, against: resolve(against ?? root) }
}

async function measure(plan: Plan, parts: readonly string[], root: string): Promise<Results> {
  const { isQuick, scale } = plan
  const tell = (progress: string): void => {
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${progress}`)
  }
  const clients = plan.figures.length > 0 ? await measureRounds(plan, tell) : {}
  const begin = (part: (typeof PARTS)[number]): boolean => {
    tell(parts.includes(part) ? part : '')
    return parts.includes(part)
  }
  const results = {
    clients,
    restart: begin('restart') ? await measureOutages(plan) : undefined,
    bridge: begin('bridge')
      ? await measureRounds({ ...plan, peers: Object.keys(BRIDGES), figures: BRIDGED, batches: 1, rounds: isQuick ? 4 : 8 }, tell)
      : undefined,
    browser: begin('browser') ? await measureBrowser(root, plan, isQuick ? 3 : 8) : undefined,
    server: begin('server')
      ? await measureServer({
          rounds: isQuick ? 3 : 10,
          requests: Math.ceil((isQuick ? 2000 : 4000) * scale),
          connections: Math.ceil((isQuick ? 300 : 1000) * scale)
        })
      : undefined,
    imports: begin('import') ? await measureImports(root, plan.folders, isQuick ? 3 : 7) : undefined,
    sizes: begin('size') ? await measureSizes(root, plan.folders) : undefined
  }
  tell('')
  return results
}

async function measureOutages({ peers, isQuick, folders }: Plan): Promise<Outages> {
  const outages: Outages = {}
  for (let outage = 0; outage < (isQuick ? 1 : 2); outage++) {
    const samples = await measureRestart(
      REDIALLING.filter((name) => peers.includes(name)),
      isQuick ? 10 : 20,
      folders
    )
    for (const [name, each] of Object.entries(samples)) (outages[name] ??= []).push(...each)
  }
  return outages
}

function factsOf(plan: Plan, root: string, begun: { readonly at: number; readonly load: number }): Facts {
  return {
    node: process.version,
    cpu: `${String(cpus().length)} × ${cpus()[0]?.model ?? '?'}`,
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    isPinned,
    load: begun.load,
    seconds: (performance.now() - begun.at) / 1000,
    versions: Object.fromEntries(plan.peers.map((name) => [name, versionOf(name, plan.folders, root)]))
  }
}

function versionOf(name: string, { peers, against }: Folders, root: string): string {
  const { package: of, isApart } = peerOf(name)
  const ours = name === 'against' ? against : root
  const folder = of === 'mcp-websocket-client' ? ours : join(isApart ? peers : root, 'node_modules', of)
  return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version
}
