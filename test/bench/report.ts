// What a run has found, in words: Markdown, and bars.
import { PAGE_PEERS, type InBrowser } from './browser.js'
import { FIGURES, type Column } from './figures.js'
import { BRIDGES, peerOf } from './peers.js'
import type { Outages } from './restart.js'
import type { Measured, Plan } from './rounds.js'
import { TRANSPORTS, type AtServer } from './server-entry.js'
import type { Size } from './sizes.js'
import { median, present, ratio } from './statistics.js'
import { figure, figureWithRatio, markdownTable } from './table.js'
import type { Panel } from './svg.js'

/** Where and when it ran. */
export interface Facts {
  readonly node: string
  readonly cpu: string
  readonly date: string
  readonly isPinned: boolean
  /** Load average of the machine before it began: what else ran. */
  readonly load: number
  readonly seconds: number
  /** By peer. */
  readonly versions: Readonly<Record<string, string>>
}

/** All samples of a run; a part that was not asked for is missing. */
export interface Results {
  readonly clients: Measured
  readonly restart?: Outages | undefined
  /** See {@link BRIDGED}. */
  readonly bridge?: Measured | undefined
  readonly browser?: InBrowser | undefined
  readonly server?: AtServer | undefined
  readonly imports?: Readonly<Record<string, readonly number[]>> | undefined
  /** See `measureSizes`. */
  readonly sizes?: readonly Size[] | undefined
}

/** A run, as it is written to the JSON file. */
export interface Run {
  readonly facts: Facts
  readonly plan: Plan
  readonly results: Results
}

const FLOOR = 'raw'

/** The figures of a host whose messages pass a bridge. */
export const BRIDGED: readonly string[] = ['rtt', 'req64']

/** The whole report in Markdown. */
export function report(run: Run): string {
  const { restart, bridge, browser, server, imports, sizes } = run.results
  return [
    headOf(run),
    ...(run.plan.figures.length > 0 ? [clientTable(run)] : []),
    ...(restart ? [restartTable(restart)] : []),
    ...(bridge ? [bridgeTable(bridge)] : []),
    ...(browser ? [browserTable(browser)] : []),
    ...(server ? [serverTable(server)] : []),
    ...(imports ? [importTable(imports)] : []),
    ...(sizes ? [sizeTable(sizes)] : [])
  ].join('\n\n')
}

function headOf({ facts, plan }: Run): string {
  const { node, cpu, date, isPinned, load, seconds } = facts
  const pinned = isPinned ? 'The clients share one core, and the server has another.' : 'Nothing is pinned to a core.'
  return (
    `Node ${node}, ${cpu}, ${date} UTC, ${seconds.toFixed(0)} s, load before it ${load.toFixed(1)}. Medians of ${String(plan.rounds * plan.batches)} rounds in ` +
    `${String(plan.batches)} processes for each client; in brackets the median of the ratios of each round to the raw loop (floor a). ` +
    `${pinned} Ratios nearer to 1 than those of the row A/A are noise.`
  )
}

const bold = (name: string): string => (peerOf(name).isOurs ? `**${peerOf(name).title}**` : peerOf(name).title)

function cellOf(measured: Measured, floor: string, name: string, { key, decimals, hasRatio }: Column): string {
  const samples = measured[name]?.[key]
  if (samples === undefined) return '–'
  return figureWithRatio(median(samples), decimals, hasRatio ? ratio(samples, measured[floor]?.[key] ?? []) : undefined)
}

function clientTable({ plan, results, facts }: Run): string {
  const columns = plan.figures.flatMap((name) => Object.values(FIGURES[name]!.columns))
  return markdownTable(
    ['client', 'version', ...columns.map(({ title }) => title)],
    plan.peers.map((name) => [
      bold(name),
      facts.versions[name] ?? '–',
      ...columns.map((column) => cellOf(results.clients, FLOOR, name, column))
    ])
  )
}

const restartTable = (restart: Outages): string =>
  markdownTable(
    ['server back after 2 s: ms to the first answer', 'clients', 'min', 'median', 'max', 'never'],
    Object.entries(restart).map(([name, samples]) => {
      const back = present(samples)
      const cells = [Math.min(...back), median(back), Math.max(...back)].map((each) => figure(back.length > 0 ? each : undefined, 0))
      return [bold(name), String(samples.length), ...cells, String(samples.length - back.length)]
    })
  )

function bridgeTable(bridge: Measured): string {
  // The CPU of the host says nothing about what is between.
  const columns = BRIDGED.flatMap((name) => Object.values(FIGURES[name]!.columns)).filter(({ key }) => !key.startsWith('cpu'))
  return markdownTable(
    ['a host on standard input and output, through', ...columns.map(({ title }) => title)],
    Object.keys(BRIDGES).map((name) => [bold(name), ...columns.map((each) => cellOf(bridge, Object.keys(BRIDGES)[0]!, name, each))])
  )
}

function browserTable({ browser, samples }: InBrowser): string {
  const all = Object.values(FIGURES).flatMap(({ command, columns }) => (command === 'payload' ? Object.values(columns) : []))
  const columns = all.filter(({ key }) => samples[FLOOR]?.[key] !== undefined)
  const titles = { raw: 'WebSocket of the browser', again: 'the same again (A/A)', ours: '**mcp-websocket-client**' }
  return markdownTable(
    [`payloads in ${browser}`, ...columns.map(({ title }) => title)],
    PAGE_PEERS.map((name) => [titles[name], ...columns.map((column) => cellOf(samples, FLOOR, name, column))])
  )
}

function serverTable({ connections, samples }: AtServer): string {
  const column = (key: string, title: string, decimals: number): Column => ({ key, title, decimals, isCost: true, hasRatio: true })
  const columns = [
    column('cpu', 'CPU µs/request', 1),
    column('heap', 'B/idle connection', 0),
    column('time', `ms to notify ${figure(connections, 0)}`, 1),
    column('broadcastCpu', `CPU ms to notify ${figure(connections, 0)}`, 1),
    { ...column('commands', 'Redis commands/request', 2), hasRatio: false }
  ]
  const titles = {
    thin: 'raw ws (floor)',
    again: 'raw ws again (A/A)',
    ours: '**mcp-websocket-client/server**',
    session: '**the same, with sessions**',
    redis: '**the same, with sessions in Redis**'
  }
  return markdownTable(
    ['McpServer of SDK v1 over', ...columns.map(({ title }) => title)],
    TRANSPORTS.filter((name) => samples[name]).map((name) => [
      titles[name],
      ...columns.map((each) => cellOf(samples, TRANSPORTS[0], name, each))
    ])
  )
}

const sizeTable = (sizes: readonly Size[]): string =>
  markdownTable(
    ['import in a browser app', 'minified kB', 'and gzipped kB'],
    sizes.map(({ title, isOurs, minified, gzipped }) => [
      isOurs ? `**${title}**` : title,
      figure(minified / 1000, 1),
      figure(gzipped / 1000, 1)
    ])
  )

const importTable = (imports: Readonly<Record<string, readonly number[]>>): string =>
  markdownTable(
    ['import in a fresh Node', 'ms'],
    Object.entries(imports).map(([name, samples]) => [
      name.startsWith('mcp-') ? `**${name}**` : name,
      figureWithRatio(median(samples), 0, ratio(samples, imports.ws ?? []))
    ])
  )

/** The costs that the chart shows, as far as they were measured. */
const CHARTED = ['p50', 'cpu64', 'cpuNotification', 'pending']

/** The bars of the chart: costs, so that short is good everywhere. */
export function panelsOf({ plan, results }: Run): Panel[] {
  const columns = plan.figures.flatMap((name) => Object.values(FIGURES[name]!.columns)).filter(({ key }) => CHARTED.includes(key))
  const floor = results.clients[FLOOR] ?? {}
  return columns.map(({ key, title }) => ({
    title: `${title}: × raw ws`,
    bars: plan.peers.flatMap((name) => {
      const samples = results.clients[name]?.[key]
      const value = samples && ratio(samples, floor[key] ?? [])
      return value === undefined ? [] : [{ name: peerOf(name).title, ratio: value, isOurs: peerOf(name).isOurs === true }]
    })
  }))
}
