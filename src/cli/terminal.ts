import type { Io, Output } from './io.js'
import { printableLine } from './printable.js'

/** How wide a bar of progress is, in characters. */
const BAR = 20
/** How wide a terminal is that does not tell. */
const COLUMNS = 80

const STYLES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const

/** The looks of a text. */
export type Style = keyof typeof STYLES

/** Whether this stream may have colours: on a terminal, unless `NO_COLOR` is set (no-color.org); `FORCE_COLOR` wins. */
export function hasColours({ isTTY }: Output, { NO_COLOR, FORCE_COLOR, TERM }: Io['env']): boolean {
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== '') return FORCE_COLOR !== '0'
  return isTTY === true && (NO_COLOR ?? '') === '' && TERM !== 'dumb'
}

/** Gives a text its looks, if there are any. */
export type Paint = (style: Style, text: string) => string

/** @param coloured - Whether texts get any looks. */
export const painter =
  (coloured: boolean): Paint =>
  (style, text) =>
    coloured ? `\x1b[${String(STYLES[style])}m${text}\x1b[0m` : text

/** What a request has done so far. */
export interface ProgressReport {
  /** How far it is. */
  readonly progress: number
  /** How far it goes, if that is known. */
  readonly total?: number | undefined
  /** What it is doing. */
  readonly message?: string | undefined
}

/** Progress on one line of at most so many columns. */
export function showProgress({ progress, total, message }: ProgressReport, columns: number): string {
  const share = total === undefined || !(total > 0) ? undefined : Math.min(1, Math.max(0, progress / total))
  const filled = Math.round((share ?? 0) * BAR)
  const bar =
    share === undefined ? String(progress) : `[${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}] ${String(Math.floor(share * 100))} %`
  return printableLine(`${bar} ${message ?? ''}`, Math.max(1, columns - 1))
}

/** Everything that is said on standard error while a command runs: lines, and one line that changes if it is a terminal. */
export class Status {
  readonly #output: Output
  #hasProgress = false

  constructor(output: Output) {
    this.#output = output
  }

  /** Writes a line. It must be printable. */
  line(text: string): void {
    this.clear()
    this.#output.write(`${text}\n`)
  }

  /** Shows how far a request is, in place of what was shown before. Only on a terminal: a file has no line that changes. */
  progress(report: ProgressReport): void {
    if (this.#output.isTTY !== true) return
    this.clear()
    // Read each time, because the size of the window may change.
    this.#output.write(showProgress(report, this.#output.columns ?? COLUMNS))
    this.#hasProgress = true
  }

  /** Takes the progress away. */
  clear(): void {
    if (this.#hasProgress) this.#output.write('\r\x1b[K')
    this.#hasProgress = false
  }
}
