import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { QueueFullError } from '../../src/errors.js'
import { checkPending, PendingRequest, PendingRequests } from '../../src/rpc/pending.js'
import { requestOf } from '../helpers/fixtures.js'
import { leftBehind } from '../helpers/left-behind.js'

const pendingOf = (...requests: PendingRequest[]): PendingRequests => {
  const pending = new PendingRequests()
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

  it('leaves requests that settled to the minor garbage collections', () => {
    const pending = new PendingRequests()
    const left = leftBehind((added, removed, content) => {
      pending.add(requestOf({ id: added, params: { content } }))
      pending.take(removed)
    })
    expect(left).toBeLessThan(2 ** 20)
    expect(pending.size).toBe(10)
  })

  // The model is a plain list, oldest first: a map would only repeat the code under test.
  it('agrees with a list under any order of additions, responses and drops: each request comes out once, by its own id only', () => {
    const id = fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 6 }).map(String))
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('add' as const), id }) },
      { weight: 6, arbitrary: fc.record({ do: fc.constant('take' as const), id }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('takeAll' as const), id }) }
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
        const pending = new PendingRequests()
        let model: PendingRequest[] = []
        for (const { do: action, id } of steps) {
          const known = model.find((request) => request.id === id)
          if (action === 'takeAll') {
            expect(pending.takeAll()).toEqual(model)
            model = []
          } else if (action === 'take') {
            expect(pending.take(id)).toBe(known)
            model = model.filter((request) => request !== known)
          } else if (known === undefined) {
            // An id is never used twice at a time: the peer counts up.
            const request = requestOf({ id })
            pending.add(request)
            model.push(request)
          }
          expect(pending.size).toBe(model.length)
          expect(pending.has(id)).toBe(model.some((request) => request.id === id))
        }
      })
    )
  })
})

describe('PendingRequest', () => {
  it('was never written at first, and cannot have been executed', () => {
    const request = new PendingRequest(7, 'tools/call', { name: 'a' })
    expect(request).toMatchObject({ id: 7, method: 'tools/call', params: { name: 'a' }, phase: 'queued', position: 0, sentAt: 0, size: 0 })
    expect([request.resend, request.mayResend, request.isLive, request.mayBeExecuted]).toEqual([undefined, false, false, false])
    expect(request.renew(String)).toBe(false)
  })

  it('notes when it was written, in whole ms, and how long it is', () => {
    const request = new PendingRequest(1, 'ping', undefined)
    request.noteWritten('{"ü":1}', 12.6)
    expect(request).toMatchObject({ phase: 'sent', sentAt: 13, size: 7, mayBeExecuted: true })
  })

  it('is resent when it is written again, and stays so', () => {
    const request = new PendingRequest(1, 'ping', undefined, { resend: true })
    const phases = [0, 1].map(() => {
      request.noteWritten('{}', 0)
      return request.phase
    })
    expect([phases, request.mayBeExecuted, request.resend]).toEqual([['sent', 'resent'], true, true])
  })

  it('counts as written once after it was returned, as the server has not executed it', () => {
    const request = new PendingRequest(1, 'tools/call', undefined)
    request.noteWritten('{}', 0)
    request.phase = 'returned'
    expect(request.mayBeExecuted).toBe(false)
    request.noteWritten('{}', 0)
    expect(request.phase).toBe('sent')
  })

  it('may be written any number of times if it is always resent, or goes on', () => {
    class Live extends PendingRequest {
      override get isLive(): boolean {
        return true
      }
    }
    const requests = [new PendingRequest(1, 'initialize', undefined, { resend: 'always' }), new Live(2, 'subscriptions/listen', undefined)]
    for (const request of requests) for (let time = 0; time < 3; time++) request.noteWritten('{}', 0)
    expect(requests.map(({ phase }) => phase)).toEqual(['sent', 'sent'])
  })
})

it('only so many requests may be pending', () => {
  expect(() => checkPending(1, 2)).not.toThrow()
  const full = new QueueFullError('maxPending requests wait for a response', 'Wait for some of them, or raise the option maxPending.')
  expect(() => checkPending(2, 2)).toThrow(full)
  const pending = new PendingRequests(1)
  pending.add(requestOf({ id: 1 }))
  expect(() => pending.add(requestOf({ id: 2 }))).toThrow(full)
  expect(pending.size).toBe(1)
})
