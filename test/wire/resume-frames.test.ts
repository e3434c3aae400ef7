import { describe, expect, it } from 'vitest'
import {
  encodeControl,
  helloFrame,
  isControl,
  openFrame,
  readClientControl,
  readServerControl,
  receiptText
} from '../../src/wire/resume-frames.js'

const limits = { messages: 256, bytes: 8_388_608 }
const open = openFrame({ session: null, epoch: null, received: 0, generation: 1, limits })
const hello = helloFrame({ resumed: false, session: 's', epoch: 'e', received: 0, ttlMs: 1000, limits, durability: 'process' })
const text = (frame: object): string => JSON.stringify(frame)

describe('a control frame', () => {
  it.each([open, hello, { 'mcp.resume': 'end' } as const])(
    'begins so that nothing has to be parsed to tell it from a message: %j',
    (frame) => {
      expect(isControl(encodeControl(frame))).toBe(true)
    }
  )

  it('of a receipt is what JSON would write', () => {
    expect(receiptText('ack', 7)).toBe(text({ 'mcp.resume': 'ack', received: 7 }))
  })

  it.each(['{"jsonrpc":"2.0","method":"x"}', ' {"mcp.resume":"end"}', '[]', ''])('is not %j', (given) => {
    expect(isControl(given)).toBe(false)
  })

  it.each([open, { ...open, session: 's', epoch: 'e' }, { 'mcp.resume': 'ping', received: 0 }, { 'mcp.resume': 'end', more: 1 }])(
    'of a client is read: %j',
    (frame) => expect(readClientControl(text(frame))).toEqual(frame)
  )

  it.each([
    hello,
    { ...hello, resumed: true, reason: 'later', delivered: null, tail: 3 },
    { 'mcp.resume': 'goaway' },
    { 'mcp.resume': 'goaway', retryAfterMs: 5 },
    { 'mcp.resume': 'ack', received: 12 }
  ])('of a server is read: %j', (frame) => expect(readServerControl(text(frame))).toEqual(frame))

  it.each([
    hello,
    { 'mcp.resume': 'goaway' },
    { ...open, v: 2 },
    { ...open, session: 's' },
    { ...open, session: '', epoch: 'e' },
    { ...open, epoch: 'e' },
    { ...open, received: -1 },
    { ...open, generation: 1.5 },
    { ...open, limits: { messages: 0, bytes: 1 } },
    { ...open, limits: { messages: 1, bytes: 0 } },
    { ...open, limits: undefined },
    { 'mcp.resume': 'ack' },
    { 'mcp.resume': 'ack', received: '1' },
    { 'mcp.resume': 'toString' },
    { 'mcp.resume': 7 }
  ])('is none of a client: %j', (frame) => expect(readClientControl(text(frame))).toBeUndefined())

  it.each([
    open,
    { ...hello, v: 2 },
    { ...hello, resumed: 'yes' },
    { ...hello, session: '' },
    { ...hello, epoch: null },
    { ...hello, ttlMs: -1 },
    { ...hello, limits: [] },
    { ...hello, delivered: -1 },
    { ...hello, tail: 0.5 },
    { 'mcp.resume': 'goaway', retryAfterMs: 'soon' }
  ])('is none of a server: %j', (frame) => expect(readServerControl(text(frame))).toBeUndefined())

  it.each(['', '{"mcp.resume":', '{"mcp.resume":"end"', '[{"mcp.resume":"end"}]', 'null', '"end"'])('is no text like %j', (given) => {
    expect(readClientControl(given)).toBeUndefined()
    expect(readServerControl(given)).toBeUndefined()
  })
})
