import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Receipts, ReplayBuffer } from '../../src/wire/replay.js'

describe('a replay buffer', () => {
  it('keeps what is not acknowledged, in order', () => {
    const buffer = new ReplayBuffer({ messages: 10, bytes: 100 })
    expect(['a', 'bb', 'ccc'].map((text) => buffer.push(text))).toEqual([1, 2, 3])
    expect(buffer.acknowledge(1)).toBe(true)
    expect(buffer).toMatchObject({ sent: 3, acknowledged: 1, length: 2, size: 5, unacknowledged: ['bb', 'ccc'] })
    expect(buffer.acknowledge(3)).toBe(true)
    expect(buffer).toMatchObject({ sent: 3, acknowledged: 3, length: 0, size: 0, unacknowledged: [] })
  })

  it('takes the same acknowledgement twice, and none of what was not sent, or of less than before', () => {
    const buffer = new ReplayBuffer({ messages: 10, bytes: 100 })
    for (const text of ['a', 'b']) buffer.push(text)
    expect([0, 1, 1, 0, 3, 2].map((position) => buffer.acknowledge(position))).toEqual([true, true, true, false, false, true])
  })

  it.each([
    ['messages', { messages: 2, bytes: 100 }],
    ['bytes', { messages: 10, bytes: 2 }]
  ])('is full at the limit of %s, until something is acknowledged', (_what, limits) => {
    const buffer = new ReplayBuffer(limits)
    buffer.push('a')
    expect(buffer.isFull).toBe(false)
    buffer.push('b')
    expect(buffer.isFull).toBe(true)
    buffer.acknowledge(1)
    expect(buffer.isFull).toBe(false)
  })

  it('holds to the lower limits of both ends', () => {
    const buffer = new ReplayBuffer({ messages: 3, bytes: 2 })
    buffer.narrow({ messages: 1, bytes: 100 })
    buffer.push('a')
    expect(buffer.isFull).toBe(true)
    const other = new ReplayBuffer({ messages: 3, bytes: 2 })
    other.narrow({ messages: 9, bytes: 9 })
    other.push('ab')
    expect(other.isFull).toBe(true)
  })

  it('is what a list would be, under any sequence of frames and acknowledgements', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.nat(40)), { maxLength: 60 }), (steps) => {
        const buffer = new ReplayBuffer({ messages: 1e6, bytes: 1e9 })
        const sent: string[] = []
        let acknowledged = 0
        for (const step of steps) {
          if (typeof step === 'string') expect(buffer.push(step)).toBe(sent.push(step))
          else {
            const isPossible = step >= acknowledged && step <= sent.length
            expect(buffer.acknowledge(step)).toBe(isPossible)
            if (isPossible) acknowledged = step
          }
          const left = sent.slice(acknowledged)
          expect([...buffer.unacknowledged]).toEqual(left)
          expect(buffer).toMatchObject({ sent: sent.length, acknowledged, length: left.length, size: left.join('').length })
        }
      })
    )
  })
})

describe('receipts', () => {
  const dueAfter = (receipts: Receipts, length: number): number => {
    let count = 1
    while (!receipts.note(length)) count++
    return count
  }

  const MUCH = { messages: 1e6, bytes: 1e9 }

  it('make an acknowledgement due after 64 frames, or after 256 KiB', () => {
    expect(dueAfter(new Receipts(MUCH), 10)).toBe(64)
    expect(dueAfter(new Receipts(MUCH), 100 * 1024)).toBe(3)
    expect(dueAfter(new Receipts(MUCH), 128 * 1024)).toBe(2)
  })

  it.each([
    [256, 64],
    [128, 64],
    [20, 10],
    [3, 2],
    [2, 1],
    [1, 1]
  ])('make it due in time where one end keeps %s frames: after %s', (messages, wanted) => {
    for (const [own, other] of [
      [MUCH, { messages, bytes: 1e6 }],
      [{ messages, bytes: 1e6 }, MUCH]
    ] as const) {
      const receipts = new Receipts(own)
      receipts.narrow(other)
      expect(dueAfter(receipts, 10)).toBe(wanted)
    }
  })

  it.each([
    [2 ** 20, 3],
    [400_000, 2],
    [200_000, 1],
    [1, 1]
  ])('make it due in time where one end keeps %s code units: after %s frames of 100,000', (bytes, wanted) => {
    for (const [own, other] of [
      [MUCH, { messages: 256, bytes }],
      [{ messages: 256, bytes }, MUCH]
    ] as const) {
      const receipts = new Receipts(own)
      receipts.narrow(other)
      expect(dueAfter(receipts, 100_000)).toBe(wanted)
    }
  })

  it('count anew once the other end is told', () => {
    const receipts = new Receipts(MUCH)
    for (let n = 0; n < 10; n++) receipts.note(1)
    expect(receipts.tell()).toBe(10)
    expect(dueAfter(receipts, 1)).toBe(64)
    expect(receipts.received).toBe(74)
  })
})
