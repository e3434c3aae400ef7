/** One bar: what it is about, and its ratio to the floor. */
export interface Bar {
  readonly name: string
  readonly ratio: number
  /** Shown in the colour of this package. */
  readonly isOurs: boolean
}

/** Bars that are compared with each other. */
export interface Panel {
  readonly title: string
  readonly bars: readonly Bar[]
}

const WIDTH = 440
const NAMES = 190
const BARS = 190
const ROW = 18
const HEAD = 34
const GAP = 20
const COLUMNS = 2

const STYLE = `text { font: 12px system-ui, sans-serif; fill: #1f2328 } .title { font-weight: 600 } .name { text-anchor: end }
rect { fill: #afb8c1 } .ours { fill: #0969da } line { stroke: #59636e; stroke-dasharray: 2 2 }
@media (prefers-color-scheme: dark) { text { fill: #f0f6fc } rect { fill: #656c76 } .ours { fill: #4493f8 } line { stroke: #9198a1 } }`

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const round = (value: number): string => String(Math.round(value * 10) / 10)

function drawPanel({ title, bars }: Panel, x: number, y: number): string {
  const most = Math.max(1, ...bars.map(({ ratio }) => ratio))
  const lengthOf = (ratio: number): number => (ratio / most) * BARS
  const drawn = bars.map(({ name, ratio, isOurs }, row) => {
    const top = HEAD + row * ROW
    return `<text class="name" x="${String(NAMES)}" y="${String(top + 13)}">${escape(name)}</text>
<rect${isOurs ? ' class="ours"' : ''} x="${String(NAMES + 8)}" y="${String(top + 3)}" width="${round(lengthOf(ratio))}" height="${String(ROW - 6)}" rx="2"/>
<text x="${round(NAMES + 14 + lengthOf(ratio))}" y="${String(top + 13)}">${ratio.toFixed(2)}×</text>`
  })
  const one = round(NAMES + 8 + lengthOf(1))
  return `<g transform="translate(${String(x)} ${String(y)})">
<text class="title" x="${String(NAMES + 8)}" y="20">${escape(title)}</text>
${drawn.join('\n')}
<line x1="${one}" x2="${one}" y1="${String(HEAD - 4)}" y2="${String(HEAD + bars.length * ROW)}"/>
</g>`
}

/** Draws panels of bars, two in a row; a dashed line marks the floor. Readable on light and on dark pages. */
export function drawChart(panels: readonly Panel[], description: string): string {
  const height = HEAD + Math.max(0, ...panels.map(({ bars }) => bars.length)) * ROW + GAP
  const rows = Math.ceil(panels.length / COLUMNS)
  const drawn = panels.map((panel, n) => drawPanel(panel, (n % COLUMNS) * WIDTH, Math.floor(n / COLUMNS) * height))
  const [w, h] = [WIDTH * COLUMNS, height * rows]
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(w)} ${String(h)}" width="${String(w)}" height="${String(h)}" role="img">
<title>${escape(description)}</title>
<style>${STYLE}</style>
${drawn.join('\n')}
</svg>
`
}
