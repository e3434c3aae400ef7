import { describe, expect, it } from 'vitest'
import { readHeaders } from '../../src/socket/read-headers.js'

describe('readHeaders', () => {
  it.each<[string, unknown]>([
    ['an object', { 'X-Key': 'a', 'x-other': 'b' }],
    [
      'pairs',
      [
        ['X-Key', 'a'],
        ['x-other', 'b']
      ]
    ],
    [
      'a Map',
      new Map([
        ['X-Key', 'a'],
        ['x-other', 'b']
      ])
    ],
    ['an object without a prototype', Object.assign(Object.create(null), { 'X-Key': 'a', 'x-other': 'b' })]
  ])('reads %s, with the names as they are', (_what, given) => {
    expect(readHeaders(given)).toEqual({ 'X-Key': 'a', 'x-other': 'b' })
  })

  it('reads a Headers, which writes names in lower case', () => {
    expect(readHeaders(new Headers({ 'X-Key': 'a' }))).toEqual({ 'x-key': 'a' })
  })

  it('reads nothing where nothing is given', () => {
    expect(readHeaders(undefined)).toEqual({})
  })

  it('reads names that only resemble those of the upgrade', () => {
    const given = { 'x-upgrade': 'a', connections: 'b', 'upgrade-insecure-requests': '1', 'x-sec-websocket-key': 'c' }
    expect(readHeaders(given)).toEqual(given)
  })

  it('returns an object of its own', () => {
    const given = { a: 'b' }
    expect(readHeaders(given)).not.toBe(given)
  })

  it.each<[unknown, string]>([
    [{ 'x-key': undefined }, 'headers.x-key must be a non-empty string without line breaks'],
    [{ 'x-key': '' }, 'headers.x-key must be a non-empty string without line breaks'],
    [{ 'x-key': 5 }, 'headers.x-key must be a non-empty string without line breaks'],
    [{ 'x-key': ['a', 'b'] }, 'headers.x-key must be a non-empty string without line breaks'],
    [{ 'x-key': 'secret-value\n' }, 'headers.x-key must be a non-empty string without line breaks'],
    [{ 'x-key': '\nsecret-value' }, 'headers.x-key must be a non-empty string without line breaks'],
    [{ 'sec-websocket-key': 'secret-value' }, 'headers.sec-websocket-key belongs to the upgrade'],
    [[['x-key', 'a'], 'secret-value'], 'headers must be an object, pairs of name and value, a Map or a Headers'],
    [{ 'x-key': 'secret-value\u20ac' }, 'without characters beyond U+00FF'],
    [{ 'x-key': 'secret-value\0' }, 'headers.x-key must be a non-empty string without line breaks'],
    [{ 'x key': 'secret-value' }, 'headers must have names that HTTP allows'],
    [{ '': 'secret-value' }, 'headers must have names that HTTP allows'],
    [
      [
        ['x-key', 'a'],
        ['X-Key', 'secret-value']
      ],
      'headers.X-Key is given twice'
    ],
    [{ 'Sec-WebSocket-Protocol': 'secret-value' }, 'headers.Sec-WebSocket-Protocol belongs to the upgrade'],
    [{ upgrade: 'secret-value' }, 'headers.upgrade belongs to the upgrade'],
    [['x-key'], 'headers must be an object, pairs of name and value, a Map or a Headers'],
    [[['x-key', 'a', 'b']], 'headers must be an object'],
    [Promise.resolve({}), 'for a promise, pass a function'],
    [null, 'headers must be an object'],
    ['x-key: secret-value', 'headers must be an object']
  ])('rejects %j by name, and does not show its value', (given, words) => {
    expect(() => readHeaders(given)).toThrow(TypeError)
    expect(() => readHeaders(given)).toThrow(words)
    expect(() => readHeaders(given)).not.toThrow('secret-value')
  })
})
