import { figure, markdownTable } from '../table.js'
import { POLICIES } from './policies.js'
import { storm, type Outcome, type Policy, type Weather } from './storm.js'

/** No policy can bring all clients back in less than 50 s: the server accepts 2,000 in a second. */
const WEATHER: Weather = { clients: 100_000, outage: 10_000, rate: 2, backlog: 4096, seed: 1 }

/** What one policy comes to, with a server whose queue has places, and with one that refuses what it cannot take at once. */
interface Compared {
  readonly policy: Policy
  readonly queued: Outcome
  readonly refused: Outcome
}

const HEAD = [
  'backoff',
  'dials a client',
  'most dials in 100 ms, away',
  '… back',
  '50 % back',
  '99 % back',
  'gave up',
  'refusing: dials a client',
  '99 % back',
  'gave up'
]

const seconds = (ms: number | undefined): string => (ms === undefined ? 'never' : `${figure(ms / 1000, 1)} s`)
const percent = (share: number): string => `${figure(share * 100, 1)} %`

function rowOf({ policy, queued, refused }: Compared): string[] {
  const { dialsPerClient, peakAway, peakBack, halfBack, nearlyAllBack, gaveUp } = queued
  return [
    policy.name,
    figure(dialsPerClient, 1),
    figure(peakAway, 0),
    figure(peakBack, 0),
    seconds(halfBack),
    seconds(nearlyAllBack),
    percent(gaveUp),
    figure(refused.dialsPerClient, 1),
    seconds(refused.nearlyAllBack),
    percent(refused.gaveUp)
  ]
}

/** Lets every policy meet the storm. @returns A Markdown table, and a drawing of the dials over time. */
export function reportStorm(): { readonly table: string; readonly svg: string } {
  const all = Object.values(POLICIES).map((policy) => ({
    policy,
    queued: storm(policy, WEATHER),
    refused: storm(policy, { ...WEATHER, backlog: 0 })
  }))
  const drawn = all.filter(({ policy }) =>
    [POLICIES.ours, POLICIES.unjittered, POLICIES.fixedForEver, POLICIES.partysocket].includes(policy)
  )
  return { table: markdownTable(HEAD, all.map(rowOf)), svg: draw(drawn) }
}

const [WIDTH, HEIGHT, LEFT, TOP, BOTTOM, SECONDS] = [880, 320, 60, 24, 40, 80]
// Dials in 100 ms, on a logarithmic scale.
const [LEAST, MOST] = [10, 100_000]
const COLORS = ['#0969da', '#cf222e', '#9a6700', '#8250df']

const xOf = (at: number): number => LEFT + (at / SECONDS) * (WIDTH - LEFT - 10)
const yOf = (dials: number): number =>
  TOP + (1 - Math.log(Math.max(dials, LEAST) / LEAST) / Math.log(MOST / LEAST)) * (HEIGHT - TOP - BOTTOM)

/** The most dials in 100 ms, for each half second. */
function lineOf({ dials }: Outcome): string {
  const points = Array.from({ length: SECONDS * 2 }, (_, half) => {
    const most = Math.max(0, ...dials.slice(half * 5, half * 5 + 5))
    return `${xOf(half / 2).toFixed(1)},${yOf(most).toFixed(1)}`
  })
  return points.join(' ')
}

function draw(compared: readonly Compared[]): string {
  const text = (x: number, y: number, words: string, anchor = 'start'): string =>
    `<text x="${x.toFixed(0)}" y="${y.toFixed(0)}" text-anchor="${anchor}">${words}</text>`
  const levels = [10, 100, 1000, 10_000, 100_000].map((level) => {
    const y = yOf(level).toFixed(1)
    return `<line x1="${String(LEFT)}" x2="${String(WIDTH - 10)}" y1="${y}" y2="${y}"/>${text(LEFT - 6, yOf(level) + 4, figure(level, 0), 'end')}`
  })
  const times = [0, 10, 20, 30, 40, 50, 60, 70, 80].map((at) => text(xOf(at), HEIGHT - BOTTOM + 18, `${String(at)} s`, 'middle'))
  const lines = compared.map(({ policy, queued }, n) => {
    const color = COLORS[n % COLORS.length]!
    const label = `<text x="${String(WIDTH - 20)}" y="${String(TOP + 14 + n * 16)}" text-anchor="end" style="fill: ${color}">${policy.name}</text>`
    return `<polyline points="${lineOf(queued)}" stroke="${color}"/>${label}`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(HEIGHT)}" width="${String(WIDTH)}" height="${String(HEIGHT)}" role="img">
<title>Dials in 100 ms after 100,000 clients lost their server for 10 s</title>
<style>text { font: 12px system-ui, sans-serif; fill: #59636e } line { stroke: #d1d9e0 } polyline { fill: none; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) { text { fill: #9198a1 } line { stroke: #3d444d } }</style>
${levels.join('\n')}
${times.join('\n')}
${lines.join('\n')}
${text(LEFT, 14, 'dials in 100 ms; the server is away for the first 10 s')}
</svg>
`
}
