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
})
