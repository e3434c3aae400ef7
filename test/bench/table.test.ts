import { format } from 'prettier'
import { expect, test } from 'vitest'
import { figure, figureWithRatio, markdownTable } from './table.js'

test.each([
  { value: 67069.4, decimals: 0, is: '67,069' },
  { value: 2.017, decimals: 2, is: '2.02' },
  { value: 2, decimals: 1, is: '2.0' },
  { value: -1234.5, decimals: 1, is: '-1,234.5' },
  { value: undefined, decimals: 0, is: '–' },
  { value: NaN, decimals: 0, is: '–' }
])('$value with $decimals decimals reads $is', ({ value, decimals, is }) => expect(figure(value, decimals)).toBe(is))

test('a ratio stands in brackets behind its figure', () => {
  expect(figureWithRatio(32.4, 0, 0.976)).toBe('32 (0.98×)')
  expect(figureWithRatio(32.4, 0, undefined)).toBe('32')
})

const HEAD = ['client', 'µs', 'requests/s']
const ROWS = [
  ['raw ws', '32 (1.00×)', '67,069'],
  ['**mcp-websocket-client**', '–', '1']
]

test('a table has its names on the left and its figures on the right', () => {
  expect(markdownTable(HEAD, ROWS)).toBe(
    [
      '| client                   |         µs | requests/s |',
      '| ------------------------ | ---------: | ---------: |',
      '| raw ws                   | 32 (1.00×) |     67,069 |',
      '| **mcp-websocket-client** |          – |          1 |'
    ].join('\n')
  )
})

test('a row that is too short gets empty cells', () => {
  expect(markdownTable(['a', 'b'], [['x']]).split('\n')[2]).toBe('| x   |     |')
})

test('Prettier has nothing to change in a table', async () => {
  const table = `${markdownTable(HEAD, ROWS)}\n`
  expect(await format(table, { parser: 'markdown', printWidth: 140 })).toBe(table)
})
