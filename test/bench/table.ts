/** A number as readers like it: `67,069`, `2.02`; a dash for none. */
export const figure = (value: number | undefined, decimals: number): string =>
  value === undefined || Number.isNaN(value)
    ? '–'
    : value.toLocaleString('en', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })

/** A number and, in brackets, its ratio to the floor: `32 (0.98×)`. */
export const figureWithRatio = (value: number | undefined, decimals: number, ratio: number | undefined): string =>
  ratio === undefined ? figure(value, decimals) : `${figure(value, decimals)} (${figure(ratio, 2)}×)`

/** A Markdown table as Prettier writes it: the first column to the left, all others to the right. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(3, title.length, ...rows.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (column === 0 ? (row[column] ?? '').padEnd(width) : (row[column] ?? '').padStart(width))).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}
