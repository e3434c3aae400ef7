import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PendingRequest } from '../../src/rpc/pending.js'
import { mayWait, Outbox, type Waiting } from '../../src/session/outbox.js'
import { requestOf } from '../helpers/fixtures.js'
import { leftBehind } from '../helpers/left-behind.js'

const textOf = (size: number): string => 'x'.repeat(size)
const takeAll = (outbox: Outbox): Waiting[] => [...outbox.drain()]
const take = (outbox: Outbox): Waiting | undefined => {
  for (const waiting of outbox.drain()) return waiting
  return undefined
}

describe('Outbox', () => {
  it('gives out what came first first', () => {
    const outbox = new Outbox({ maxMessages: 10, maxBytes: 100 })
    for (const text of ['a', 'b', 'c']) outbox.add({ text })
    expect(outbox.length).toBe(3)
    expect(takeAll(outbox).map(({ text }) => text)).toEqual(['a', 'b', 'c'])
    expect(outbox.length).toBe(0)
  })

  it('keeps two equal messages apart', () => {
    const outbox = new Outbox({ maxMessages: 10, maxBytes: 100 })
    outbox.add({ text: 'same' })
    outbox.add({ text: 'same' })
    expect(takeAll(outbox)).toHaveLength(2)
  })

  it('takes nothing when nothing may wait', () => {
    const outbox = new Outbox(false)
    expect(outbox.add({ text: '' })).toBe(false)
    expect(take(outbox)).toBeUndefined()
  })

  it.each([
    { limits: { maxMessages: 2, maxBytes: 100 }, sizes: [1, 1, 1], taken: [true, true, false] },
    { limits: { maxMessages: 0, maxBytes: 100 }, sizes: [1], taken: [false] },
    { limits: { maxMessages: 9, maxBytes: 10 }, sizes: [10, 1], taken: [true, false] },
    { limits: { maxMessages: 9, maxBytes: 10 }, sizes: [11], taken: [false] },
    { limits: { maxMessages: 9, maxBytes: 10 }, sizes: [6, 5, 4], taken: [true, false, true] }
  ])('rejects the newest beyond $limits: $sizes gives $taken', ({ limits, sizes, taken }) => {
    const outbox = new Outbox(limits)
    expect(sizes.map((size) => outbox.add({ text: textOf(size) }))).toEqual(taken)
  })

  it('keeps the older messages when it rejects one', () => {
    const outbox = new Outbox({ maxMessages: 1, maxBytes: 100 })
    outbox.add({ text: 'first' })
    outbox.add({ text: 'second' })
    expect(takeAll(outbox)).toEqual([{ text: 'first' }])
  })

  it('forgets the message of a request that settled, and frees its place', () => {
    const outbox = new Outbox({ maxMessages: 2, maxBytes: 10 })
    const [first, second] = [requestOf({ id: 1, text: textOf(5) }), requestOf({ id: 2, text: textOf(5) })] as const
    outbox.add(first)
    outbox.add(second)
    outbox.remove(first)
    outbox.remove(first)
    expect(outbox.length).toBe(1)
    expect(outbox.add({ text: textOf(5) })).toBe(true)
    expect(take(outbox)).toBe(second)
  })

  it('ignores the settlement of a request that does not wait', () => {
    const outbox = new Outbox({ maxMessages: 2, maxBytes: 10 })
    const request = requestOf({ text: 'a' })
    outbox.add(request)
    take(outbox)
    outbox.remove(request)
    outbox.remove(requestOf({ id: 9 }))
    expect(outbox.length).toBe(0)
    expect(outbox.add({ text: textOf(10) })).toBe(true)
  })

  it('gives out first what was sent before, whenever it came back', () => {
    const outbox = new Outbox({ maxMessages: 2, maxBytes: 10 })
    const [first, second] = [requestOf({ id: 1, text: 'first' }), requestOf({ id: 2, text: 'second' })] as const
    outbox.add({ text: 'new' })
    outbox.putBack(first)
    outbox.putBack(second)
    expect(outbox.length).toBe(3)
    expect(outbox.resendCount).toBe(2)
    expect(takeAll(outbox)).toEqual([first, second, { text: 'new' }])
    expect(outbox.resendCount).toBe(0)
  })

  it('takes back what was sent before beyond every limit, and counts it against none', () => {
    const outbox = new Outbox({ maxMessages: 1, maxBytes: 3 })
    outbox.putBack(requestOf({ id: 1, text: 'a long text' }))
    expect(outbox.add({ text: 'new' })).toBe(true)
    expect(outbox.add({ text: '' })).toBe(false)
    const closed = new Outbox(false)
    closed.putBack(requestOf())
    expect(closed.length).toBe(1)
    expect(takeAll(closed)).toEqual([requestOf()])
  })

  it('forgets what was to be sent again when it settles meanwhile', () => {
    const outbox = new Outbox({ maxMessages: 1, maxBytes: 3 })
    const request = requestOf()
    outbox.putBack(request)
    outbox.remove(request)
    expect(outbox.length).toBe(0)
    expect(take(outbox)).toBeUndefined()
  })

  it('takes what goes out in this very turn beyond every limit, behind the rest', () => {
    const outbox = new Outbox(false)
    const request = requestOf()
    outbox.putBack(request)
    outbox.push({ text: 'first' })
    outbox.push(requestOf({ id: 2, text: 'second' }))
    expect(outbox.length).toBe(3)
    expect(takeAll(outbox).map(({ text }) => text)).toEqual(['{}', 'first', 'second'])
  })

  it('counts what was pushed against the limits, and forgets it like the rest', () => {
    const outbox = new Outbox({ maxMessages: 1, maxBytes: 10 })
    const request = requestOf({ text: 'a' })
    outbox.push(request)
    expect(outbox.add({ text: 'b' })).toBe(false)
    outbox.remove(request)
    expect(outbox.add({ text: textOf(10) })).toBe(true)
  })

  it('leaves requests that left it to the minor garbage collections', () => {
    const outbox = new Outbox(false)
    const left = leftBehind((added, removed, content) => {
      outbox.push(requestOf({ id: added, params: { content } }))
      if (removed >= 0) expect((take(outbox) as PendingRequest).id).toBe(removed)
    })
    expect(left).toBeLessThan(2 ** 20)
    expect(outbox.length).toBe(10)
  })

  it('agrees with a plain list under any sequence of add, remove and take', () => {
    const steps = fc.oneof(
      fc.record({ do: fc.constant('add' as const), size: fc.nat(12), asked: fc.boolean() }),
      fc.record({ do: fc.constant('remove' as const), size: fc.nat(20), asked: fc.constant(true) }),
      fc.record({ do: fc.constant('take' as const), size: fc.constant(0), asked: fc.constant(true) })
    )
    fc.assert(
      fc.property(fc.nat(6), fc.nat(40), fc.array(steps, { maxLength: 60, size: 'max' }), (maxMessages, maxBytes, sequence) => {
        const outbox = new Outbox({ maxMessages, maxBytes })
        let model: Waiting[] = []
        const requests = Array.from({ length: 21 }, (_, id) => requestOf({ id, text: textOf(id) }))
        for (const step of sequence) {
          const request = requests[step.size]
          if (step.do === 'add') {
            const waiting: Waiting = step.asked && request && !model.includes(request) ? request : { text: textOf(step.size) }
            const bytes = model.reduce((sum, { text }) => sum + text!.length, 0)
            const fits = model.length < maxMessages && bytes + step.size <= maxBytes
            expect(outbox.add(waiting)).toBe(fits)
            if (fits) model.push(waiting)
          } else if (step.do === 'remove') {
            outbox.remove(request!)
            model = model.filter((waiting) => waiting !== request)
          } else expect(take(outbox)).toBe(model.shift())
          expect(outbox.length).toBe(model.length)
        }
        expect(takeAll(outbox)).toEqual(model)
      })
    )
  })
})

describe('drain', () => {
  it('gives out what comes in meanwhile, and not what is removed meanwhile', () => {
    const outbox = new Outbox({ maxMessages: 9, maxBytes: 99 })
    const request = requestOf({ id: 2, text: 'gone' })
    outbox.add({ text: 'first' })
    outbox.add(request)
    const texts: (string | undefined)[] = []
    for (const { text } of outbox.drain()) {
      texts.push(text)
      if (text !== 'first') continue
      outbox.remove(request)
      outbox.push({ text: 'last' })
    }
    expect(texts).toEqual(['first', 'last'])
    expect(outbox.length).toBe(0)
  })

  it('does so however much comes in meanwhile', () => {
    const outbox = new Outbox(false)
    const request = requestOf({ id: 2, text: 'gone' })
    outbox.push({ text: 'first' })
    outbox.push(request)
    outbox.push({ text: 'second' })
    const texts: (string | undefined)[] = []
    for (const { text } of outbox.drain()) {
      texts.push(text)
      if (text !== 'first') continue
      for (let n = 0; n < 500; n++) outbox.push({ text: String(n) })
      outbox.remove(request)
    }
    expect(texts).toEqual(['first', 'second', ...Array.from({ length: 500 }, (_, n) => String(n))])
    expect(outbox).toMatchObject({ length: 0, size: 0 })
  })
})

describe('mayWait', () => {
  it.each([
    ['notifications/cancelled', false],
    ['notifications/progress', false],
    ['notifications/roots/list_changed', true],
    ['notifications/initialized', true],
    ['anything', true]
  ])('says of %s: %s', (method, expected) => {
    expect(mayWait({ jsonrpc: '2.0', method })).toBe(expected)
  })
})
