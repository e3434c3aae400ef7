import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { btoaUtf8 } from '../../src/wire/base64.js'

describe('btoaUtf8', () => {
  it.each([
    ['', ''],
    ['a:b', 'YTpi'],
    ['schlüssel', 'c2NobMO8c3NlbA=='],
    ['🔑', '8J+UkQ==']
  ])('writes %j as %j', (text, base64) => {
    expect(btoaUtf8(text)).toBe(base64)
  })

  it('writes every text as Node does', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }))
    fc.assert(fc.property(text, (any) => btoaUtf8(any) === Buffer.from(any).toString('base64')))
  })
})
