import { describe, expect, it } from 'vitest'
import { PendingRequests, type PendingRequest } from '../../src/core/pending.js'
import { requestOf } from './fixtures.js'

const pendingOf = (...requests: PendingRequest[]): PendingRequests<PendingRequest> => {
  const pending = new PendingRequests<PendingRequest>()
  for (const request of requests) pending.add(request)
  return pending
}

describe('PendingRequests', () => {
  const one = requestOf({ id: 1 })
  const two = requestOf({ id: 2 })

  it('gives a request out exactly once', () => {
    const pending = pendingOf(one)
    expect(pending.take(1)).toBe(one)
    expect(pending.take(1)).toBeUndefined()
    expect(pending.size).toBe(0)
  })

  it('looks at a request without taking it', () => {
    const pending = pendingOf(one)
    expect(pending.has(1)).toBe(true)
    expect(pending.size).toBe(1)
    expect(pending.has(2)).toBe(false)
  })

  it.each(['1', ' 1', '1.0'])('does not match the id %j with the number 1', (id) => {
    const pending = pendingOf(one)
    expect(pending.has(id)).toBe(false)
    expect(pending.take(id)).toBeUndefined()
    expect(pending.size).toBe(1)
  })

  it('keeps a number and a string that look alike apart', () => {
    const alike = requestOf({ id: '1' })
    const pending = pendingOf(one, alike)
    expect(pending.take('1')).toBe(alike)
    expect(pending.take(1)).toBe(one)
  })

  it('takes all in the order in which they were made', () => {
    const pending = pendingOf(two, one)
    expect(pending.takeAll()).toEqual([two, one])
    expect(pending.size).toBe(0)
    expect(pending.takeAll()).toEqual([])
  })

  it('hands out a list of its own: what is added meanwhile stays', () => {
    const pending = pendingOf(one)
    const all = pending.takeAll()
    pending.add(two)
    expect(all).toEqual([one])
    expect(pending.take(2)).toBe(two)
  })
})
