import { element, part, prependTo } from './dom.js'
import { seconds } from './words.js'

/** How many frames are kept, and how much is shown of each, in characters. */
const MOST_FRAMES = 200
const MOST_TEXT = 1500

/** The frames that the option `trace` shows, the newest first. They are only drawn while somebody looks. */
export class FrameLog {
  readonly #details: HTMLDetailsElement
  readonly #rows: HTMLElement
  readonly #start = performance.now()
  #frames: HTMLElement[] = []

  constructor(root: ParentNode) {
    this.#details = part(root, 'frames', HTMLDetailsElement)
    this.#rows = part(root, 'rows')
    this.#details.addEventListener('toggle', () => this.#rows.replaceChildren(...(this.#details.open ? this.#frames : [])))
  }

  add(direction: 'in' | 'out', text: string): void {
    const arrow = element(
      'span',
      { className: direction, ariaLabel: direction === 'in' ? 'received' : 'sent', role: 'img' },
      direction === 'in' ? '↓' : '↑'
    )
    const at = element('time', {}, seconds(performance.now() - this.#start))
    const shown = text.length > MOST_TEXT ? `${text.slice(0, MOST_TEXT)} … (${String(text.length)} characters)` : text
    const row = element('li', {}, at, arrow, element('code', {}, shown))
    this.#frames = [row, ...this.#frames.slice(0, MOST_FRAMES - 1)]
    if (this.#details.open) prependTo(this.#rows, row, MOST_FRAMES)
  }
}
