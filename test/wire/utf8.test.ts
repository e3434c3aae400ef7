import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8Length } from '../../src/wire/utf8.js'

const encodedLength = (text: string): number => new TextEncoder().encode(text).length

describe('utf8Length', () => {
  it.each([
    ['', 0],
    ['a', 1],
    ['\u0000', 1],
    // The last code point of each length, and the first of the next.
    ['\u007f', 1],
    ['\u0080', 2],
    ['\u07ff', 2],
    ['\u0800', 3],
    ['\ud7ff', 3],
    ['\ue000', 3],
    ['\uffff', 3],
    ['\u{10000}', 4],
    ['\u{10ffff}', 4],
    // Surrogates without their other half.
    ['\ud800', 3],
    ['\udbff', 3],
    ['\udc00', 3],
    ['\udfff', 3],
    ['\udc00\ud800', 6],
    ['\ud800\ud800\udc00', 7],
    ['\ud800\udc00\udc00', 7],
    ['\ud800a', 4],
    ['\ud800\ue000', 6],
    ['a\u00fc\u20ac\u{1f600}', 10]
  ])('of %j is %i', (text, bytes) => {
    expect(utf8Length(text)).toBe(bytes)
    expect(encodedLength(text)).toBe(bytes)
  })

  it('is that of every pair of code units of each kind', () => {
    const units = [0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xffff]
    for (const first of units) {
      for (const second of units) {
        const text = String.fromCharCode(first, second)
        expect([text, utf8Length(text)]).toEqual([text, encodedLength(text)])
      }
    }
  })

  it('is what an encoder writes, whatever the text', () => {
    const unit = fc.oneof(
      fc.integer({ min: 0, max: 0xff }),
      fc.integer({ min: 0x700, max: 0x900 }),
      fc.integer({ min: 0xd700, max: 0xe100 }),
      fc.integer({ min: 0, max: 0xffff })
    )
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(unit).map((units) => String.fromCharCode(...units))
    )
    fc.assert(
      fc.property(texts, (text) => {
        expect(utf8Length(text)).toBe(encodedLength(text))
      }),
      { numRuns: 1000 }
    )
  })
})
