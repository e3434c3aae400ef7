import { expect, test } from 'vitest'
import { drawChart, type Panel } from './svg.js'

const panel = (title: string, ...ratios: number[]): Panel => ({
  title,
  bars: ratios.map((ratio, n) => ({ name: `client ${String(n)}`, ratio, isOurs: n === 1 }))
})

const widthsOf = (svg: string): number[] => [...svg.matchAll(/<rect[^>]* width="([\d.]+)"/g)].map(([, width]) => Number(width))

test('the longest bar fills its panel, and the others are as long as their ratios say', () => {
  const [one = 0, two = 0, four = 0] = widthsOf(drawChart([panel('cost', 1, 2, 4)], 'costs'))
  expect(four).toBe(190)
  expect(two).toBeCloseTo(four / 2, 0)
  expect(one).toBeCloseTo(four / 4, 0)
})

test('every panel has a scale of its own, and one that shows the floor at least', () => {
  const [inFirst, inSecond] = widthsOf(drawChart([panel('a', 10), panel('b', 0.5)], 'costs'))
  expect(inFirst).toBe(190)
  expect(inSecond).toBe(95)
})

test('the line of the floor stands at the end of a bar of 1×', () => {
  const svg = drawChart([panel('a', 1, 2)], 'costs')
  const from = Number(/<rect x="(\d+)"/.exec(svg)?.[1])
  expect(Number(/<line x1="([\d.]+)"/.exec(svg)?.[1])).toBe(from + widthsOf(svg)[0]!)
})

test('only the bars of this package have its colour', () => {
  const svg = drawChart([panel('a', 1, 2, 3)], 'costs')
  expect(svg.match(/<rect/g)).toHaveLength(3)
  expect(svg.match(/<rect class="ours"/g)).toHaveLength(1)
})

test('the picture is as large as its panels, two in a row', () => {
  const sizeOf = (svg: string): string | undefined => /viewBox="0 0 ([\d ]+)"/.exec(svg)?.[1]
  expect(sizeOf(drawChart([panel('a', 1)], 'costs'))).toBe('880 72')
  expect(sizeOf(drawChart([panel('a', 1), panel('b', 1), panel('c', 1)], 'costs'))).toBe('880 144')
})

test('text and bars have colours of their own on a dark page', () => {
  const [light = '', dark = ''] = drawChart([panel('a', 1)], 'costs').split('prefers-color-scheme: dark')
  const colourOf = (css: string, selector: string): string | undefined => new RegExp(`${selector} \\{[^}]*(#\\w{6})`).exec(css)?.[1]
  for (const selector of ['text', 'rect', '\\.ours', 'line']) {
    expect(colourOf(light, selector)).toBeDefined()
    expect(colourOf(dark, selector)).toBeDefined()
    expect(colourOf(dark, selector)).not.toBe(colourOf(light, selector))
  }
})

test('what XML would read as markup is escaped', () => {
  const svg = drawChart([{ title: 'a < b', bars: [{ name: 'x & y', ratio: 1, isOurs: false }] }], '<costs>')
  expect(svg).toContain('a &lt; b')
  expect(svg).toContain('x &amp; y')
  expect(svg).toContain('<title>&lt;costs&gt;</title>')
})
