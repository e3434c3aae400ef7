import { element } from './dom.js'
import { LANES, type History } from './history.js'

/** How much is shown, in ms: of what was, and of the delay that runs. */
const PAST = 20_000
const FUTURE = 5_000
const ALL = PAST + FUTURE
/** A line in the grid every so many ms. */
const GRID = 5_000
/** Width of a letter, and of the margins of a text, in px: texts that do not fit are left out. */
const LETTER = 7
const MARGINS = 10

/** Something to draw, as long as it lasts. */
interface Shape {
  /** What it stands for: the same from one picture to the next. */
  readonly key: object
  readonly lane: 'marks' | 'states' | number
  readonly kind: string
  readonly from: number
  readonly to: number
  /** Its text, the longest first: the first that fits is shown. */
  readonly texts: readonly string[]
}

/** Draws a history: states in one lane, calls below, from the past on the left to the next dial on the right. */
export class Timeline {
  readonly #history: History
  readonly #element: HTMLElement
  readonly #lanes = new Map<Shape['lane'], HTMLElement>()
  /** What is drawn, by what it stands for. */
  #drawn = new Map<object, HTMLElement>()

  constructor(root: HTMLElement, history: History) {
    this.#element = root
    this.#history = history
    for (let ago = 0; ago <= PAST; ago += GRID) root.append(gridLine(ago))
    for (const lane of ['marks', 'states', ...Array(LANES).keys()] as const) {
      const made = element('div', { className: `lane ${String(lane)}` })
      this.#lanes.set(lane, made)
      root.append(made)
    }
  }

  draw(now: number): void {
    const { clientWidth } = this.#element
    if (clientWidth === 0) return
    const start = now - PAST
    this.#history.forget(start)
    const before = this.#drawn
    this.#drawn = new Map()
    for (const shape of shapesOf(this.#history, now)) {
      const shown = before.get(shape.key) ?? element('div', {}, element('span'))
      before.delete(shape.key)
      this.#drawn.set(shape.key, shown)
      if (!shown.isConnected) this.#lanes.get(shape.lane)?.append(shown)
      const [left, right] = [Math.max(0, shape.from - start), Math.min(ALL, shape.to - start)]
      shown.className = shape.kind
      shown.style.left = percent(left)
      shown.style.width = percent(right - left)
      const room = shape.lane === 'marks' ? Infinity : ((right - left) / ALL) * clientWidth - MARGINS
      const text = shape.texts.find(({ length }) => length * LETTER < room) ?? ''
      if (shown.textContent !== text) shown.firstElementChild?.replaceChildren(text)
    }
    for (const gone of before.values()) gone.remove()
  }
}

function shapesOf({ segments, bars, marks }: History, now: number): Shape[] {
  return [
    ...segments.map((key): Shape => {
      const { state, from, to = Math.max(now, key.planned ?? now), texts } = key
      return { key, lane: 'states', kind: `segment ${state}`, from, to, texts }
    }),
    ...bars.map((key): Shape => {
      const { lane, from, to = now, outcome, label } = key
      return { key, lane, kind: `bar ${outcome}`, from, to, texts: [label, outcome] }
    }),
    ...marks.map((key): Shape => ({ key, lane: 'marks', kind: `mark ${key.kind}`, from: key.at, to: key.at, texts: [key.label] }))
  ]
}

function gridLine(ago: number): HTMLElement {
  const label = ago === 0 ? 'now' : `−${String(ago / 1000)} s`
  const line = element('div', { className: ago === 0 ? 'grid now' : 'grid' }, element('span', {}, label))
  line.style.left = percent(PAST - ago)
  return line
}

const percent = (ms: number): string => `${((ms / ALL) * 100).toFixed(3)}%`
