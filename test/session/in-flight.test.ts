import { describe, expect, it } from 'vitest'
import { Flight } from '../../src/session/in-flight.js'
import type { PendingRequest } from '../../src/rpc/pending.js'
import { closureOf, requestOf } from '../helpers/fixtures.js'

const flightOf = (...requests: PendingRequest[]): Flight => {
  const flight = new Flight()
  for (const request of requests) flight.add(request)
  return flight
}

const safe = requestOf({ id: 1, size: 10 })
const risky = requestOf({ id: 2, method: 'tools/call', text: undefined, size: 50 })
const twice = requestOf({ id: 3, phase: 'resent', text: undefined, size: 20 })
const listen = requestOf({ id: 4, method: 'subscriptions/listen', text: undefined, size: 900 })
const safeToo = requestOf({ id: 5, method: 'ping', size: 10 })

describe('Flight', () => {
  it('awaits the calls that were open at a moment, and none that came later', () => {
    const flight = flightOf(safe, listen)
    expect(flight.awaits).toBe(false)
    flight.awaitCalls()
    flight.add(risky)
    expect(flight.awaits).toBe(true)
    flight.take(1)
    expect(flight.awaits).toBe(false)
    flight.awaitCalls()
    expect(flight.awaits).toBe(true)
    flight.takeAll()
    expect(flight.awaits).toBe(false)
  })

  it('gives a request out once', () => {
    const flight = flightOf(safe)
    expect(flight.has(1)).toBe(true)
    expect(flight.take(1)).toBe(safe)
    expect(flight.has(1)).toBe(false)
    expect(flight.take(1)).toBeUndefined()
  })

  it('gives out everything at the end of a life, listens included', () => {
    const flight = flightOf(safe, listen, risky)
    expect(flight.takeAll()).toEqual([safe, listen, risky])
    expect(flight.has(4)).toBe(false)
    expect(flight.takeAll()).toEqual([])
  })
})

describe('triage', () => {
  it('sends again what may be, in its order, and gives up the rest', () => {
    const { resend, lost, tooLarge } = flightOf(safeToo, risky, twice, safe).triage(closureOf())
    expect(resend).toEqual([safeToo, safe])
    expect(lost).toEqual([risky, twice])
    expect(tooLarge).toBeUndefined()
  })

  it('gives up what was sent twice, even if its frame were still there', () => {
    const { resend, lost } = flightOf(requestOf({ phase: 'resent', text: '{}' })).triage(closureOf())
    expect(resend).toEqual([])
    expect(lost).toHaveLength(1)
  })

  it('leaves listens in flight and nothing else', () => {
    const flight = flightOf(safe, listen, risky)
    const { resend, lost } = flight.triage(closureOf())
    expect([...resend, ...lost]).not.toContain(listen)
    expect(flight.has(4)).toBe(true)
    expect(flight.has(1)).toBe(false)
    expect(flight.takeAll()).toEqual([listen])
  })

  it('takes the largest call for the cause of close code 1009, lost among the others', () => {
    const { resend, lost, tooLarge } = flightOf(safe, risky, listen, twice).triage(closureOf({ code: 1009 }))
    expect(tooLarge).toBe(risky)
    expect(resend).toEqual([safe])
    expect(lost).toEqual([risky, twice])
  })

  it('does not repeat the cause of 1009 although it would be safe', () => {
    const large = requestOf({ id: 9, size: 100 })
    const { resend, tooLarge } = flightOf(safe, large).triage(closureOf({ code: 1009 }))
    expect(tooLarge).toBe(large)
    expect(resend).toEqual([safe])
  })

  it('takes the older of two equally large calls', () => {
    expect(flightOf(safe, safeToo).triage(closureOf({ code: 1009 })).tooLarge).toBe(safe)
  })

  it('finds no cause of 1009 when only listens are in flight', () => {
    expect(flightOf(listen).triage(closureOf({ code: 1009 }))).toEqual({ resend: [], lost: [], tooLarge: undefined })
  })
})
