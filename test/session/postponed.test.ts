import { describe, expect, it } from 'vitest'
import { PendingRequest } from '../../src/rpc/pending.js'
import { Postponed, repeatAfter } from '../../src/session/postponed.js'

describe('a request may be repeated', () => {
  it.each([
    [10429, { retryAfterMs: 1000 }, 1000],
    [10503, { retryAfterMs: 1000 }, 1000],
    [-32023, { retryAfterMs: 1500.5 }, 1500.5],
    [10429, { retryAfterMs: 0 }, 100],
    [10429, { retryAfterMs: 20 }, 100],
    [10429, { retryAfterMs: -1 }, undefined],
    [10429, { retryAfterMs: '1000' }, undefined],
    [10429, { retryAfterMs: Number.NaN }, undefined],
    [10429, {}, undefined],
    [10429, undefined, undefined],
    [10429, null, undefined],
    [-32603, { retryAfterMs: 1000 }, undefined],
    [-32000, { retryAfterMs: 1000 }, undefined]
  ])('after the error %s with data %j: in %s ms', (code, data, wanted) => {
    expect(repeatAfter({ code, message: 'later', data })).toBe(wanted)
  })
})

describe('requests for later', () => {
  const request = (id: number): PendingRequest => new PendingRequest(id, 'tools/call', undefined, undefined)

  it('are taken once their time has come', () => {
    const postponed = new Postponed()
    const [one, two, three] = [request(1), request(2), request(3)]
    postponed.add(one, 30)
    postponed.add(two, 10)
    postponed.add(three, 20)
    expect(postponed.nextAt).toBe(10)
    expect(postponed.all).toEqual([one, two, three])
    expect(postponed.take(9)).toEqual([])
    expect(postponed.take(20)).toEqual([two, three])
    expect(postponed.nextAt).toBe(30)
  })

  it('are forgotten when they are given up', () => {
    const postponed = new Postponed()
    const one = request(1)
    postponed.add(one, 30)
    postponed.remove(one)
    expect(postponed.nextAt).toBe(Infinity)
    expect(postponed.take(Infinity)).toEqual([])
  })
})
