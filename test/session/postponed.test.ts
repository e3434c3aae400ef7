import { describe, expect, it } from 'vitest'
import { SharedTimer } from '../../src/lib/shared-timer.js'
import { PendingRequest } from '../../src/rpc/pending.js'
import { Postponed, repeatAfter } from '../../src/session/postponed.js'
import { FakeClock } from '../helpers/fake-clock.js'

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
  const request = (id: number): PendingRequest => new PendingRequest(id, 'tools/call', undefined)

  function usePostponed(): { postponed: Postponed; clock: FakeClock; due: PendingRequest[] } {
    const clock = new FakeClock()
    clock.chance = 0
    const due: PendingRequest[] = []
    return { postponed: new Postponed(new SharedTimer(clock), clock, (requests) => due.push(...requests)), clock, due }
  }

  it('are due once their time has come', async () => {
    const { postponed, clock, due } = usePostponed()
    const [one, two, three] = [request(1), request(2), request(3)]
    postponed.add(one, 30)
    postponed.add(two, 10)
    postponed.add(three, 20)
    expect(postponed.all).toEqual([one, two, three])
    await clock.advance(9)
    expect(due).toEqual([])
    await clock.advance(11)
    expect(due).toEqual([two, three])
    await clock.advance(10)
    expect(due).toEqual([two, three, one])
    expect(clock.pendingCount).toBe(0)
  })

  it('are due up to a fifth later, by chance, as they were too many', async () => {
    const { postponed, clock, due } = usePostponed()
    clock.chance = 0.999
    postponed.add(request(1), 1000)
    await clock.advance(1198)
    expect(due).toHaveLength(0)
    await clock.advance(2)
    expect(due).toHaveLength(1)
  })

  it('are forgotten when they are given up, and need no timer then', async () => {
    const { postponed, clock, due } = usePostponed()
    const one = request(1)
    postponed.add(one, 30)
    postponed.remove(one)
    await clock.advance(100)
    expect(due).toEqual([])
    expect(clock.pendingCount).toBe(0)
    expect(postponed.takeAll()).toEqual([])
  })
})
