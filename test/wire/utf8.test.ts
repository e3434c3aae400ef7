import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { decodeUtf8, utf8Length } from '../../src/wire/utf8.js'

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

describe('decodeUtf8, with a TextDecoder and without', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  describe.each([true, false])('%s', (hasDecoder) => {
    const decode = (data: ArrayBuffer | Uint8Array): string => {
      if (!hasDecoder) vi.stubGlobal('TextDecoder', undefined)
      return decodeUtf8(data)
    }

    it('reads what an encoder wrote', () => {
      const text = '{"a":"\u0000\u007fü€😀"}'
      expect(decode(new TextEncoder().encode(text))).toBe(text)
      expect(decode(new TextEncoder().encode(text).slice().buffer)).toBe(text)
      expect(decode(new Uint8Array())).toBe('')
    })

    it.each([[[0xff]], [[0xc3]], [[0xed, 0xa0, 0x80]], [[0xc0, 0x80]], [[0xf5, 0x80, 0x80, 0x80]]])('throws for %j', (bytes) => {
      expect(() => decode(Uint8Array.from(bytes))).toThrow()
    })
  })
})
