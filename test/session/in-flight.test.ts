import { describe, expect, it } from 'vitest'
import { InFlight } from '../../src/session/in-flight.js'
import { PendingRequest } from '../../src/rpc/pending.js'
import { ALL_ANSWERED } from '../../src/wire/close-reasons.js'
import { closureOf, requestOf } from '../helpers/fixtures.js'

const inFlightOf = (...requests: PendingRequest[]): InFlight => {
  const inFlight = new InFlight()
  for (const request of requests) inFlight.add(request)
  return inFlight
}

const safe = requestOf({ id: 1, size: 10 })
const risky = requestOf({ id: 2, method: 'tools/call', text: undefined, mayResend: false, size: 50 })
const twice = requestOf({ id: 3, phase: 'resent', text: undefined, mayResend: false, size: 20 })
const listen = requestOf({ id: 4, method: 'subscriptions/listen', text: undefined, mayResend: false, size: 900 })
const safeToo = requestOf({ id: 5, method: 'ping', size: 10 })

describe('InFlight', () => {
  it('awaits the calls that were open at a moment, and none that came later', () => {
    const inFlight = inFlightOf(safe, listen)
    expect(inFlight.awaits).toBe(false)
    inFlight.awaitCalls()
    inFlight.add(risky)
    expect(inFlight.awaits).toBe(true)
    inFlight.take(1)
    expect(inFlight.awaits).toBe(false)
    inFlight.awaitCalls()
    expect(inFlight.awaits).toBe(true)
    inFlight.takeAll()
    expect(inFlight.awaits).toBe(false)
  })

  it('gives a request out once', () => {
    const inFlight = inFlightOf(safe)
    expect(inFlight.has(1)).toBe(true)
    expect(inFlight.take(1)).toBe(safe)
    expect(inFlight.has(1)).toBe(false)
    expect(inFlight.take(1)).toBeUndefined()
  })

  it('gives out everything at the end of a life, listens included', () => {
    const inFlight = inFlightOf(safe, listen, risky)
    expect(inFlight.takeAll()).toEqual([safe, listen, risky])
    expect(inFlight.has(4)).toBe(false)
    expect(inFlight.takeAll()).toEqual([])
  })
})

describe('calls', () => {
  class Live extends PendingRequest {
    override get isLive(): boolean {
      return true
    }
  }
  const live = Object.assign(new Live(6, 'events/stream', undefined, undefined), { phase: 'sent', mayResend: true })

  it('are neither listens nor other live requests', () => {
    for (const request of [listen, live]) {
      const inFlight = inFlightOf(request)
      inFlight.awaitCalls()
      expect([inFlight.hasCalls, inFlight.awaits, inFlight.oldest(0)]).toEqual([false, false, {}])
    }
    expect(new InFlight().hasCalls).toBe(false)
    expect(inFlightOf(listen, live, safe).hasCalls).toBe(true)
  })

  it('tell how long the first of them has waited, in whole ms that are never negative', () => {
    const inFlight = inFlightOf(listen, requestOf({ id: 7, sentAt: 100 }), requestOf({ id: 8, sentAt: 50 }))
    expect(inFlight.oldest(350.4)).toEqual({ oldestRequest: 250 })
    expect(inFlight.oldest(99)).toEqual({ oldestRequest: 0 })
  })

  it('are awaited by no verdict where a drop costs nothing', () => {
    const inFlight = new InFlight(() => true)
    inFlight.add(safe)
    inFlight.awaitCalls()
    expect(inFlight.awaits).toBe(false)
  })

  it('are what a message that is too large is looked for among', () => {
    const large = Object.assign(new Live(6, 'events/stream', undefined, undefined), { phase: 'sent', size: 900 })
    expect(inFlightOf(large, safe).triage(closureOf({ code: 1009 })).tooLarge).toBe(safe)
  })
})

describe('requests that the server certainly did not execute', () => {
  const closing = closureOf({ code: 1001, reason: ALL_ANSWERED })
  const sent = (id: number, position = 0): PendingRequest => requestOf({ id, method: 'tools/call', mayResend: false, position })

  it('are all of them after a closure that says that all was answered, and are sent again', () => {
    const request = sent(1)
    expect(inFlightOf(request).triage(closing)).toMatchObject({ resend: [request], lost: [] })
    expect(request.phase).toBe('returned')
  })

  it.each([
    ['another code', closureOf({ code: 1000, reason: ALL_ANSWERED })],
    ['another reason', closureOf({ code: 1001, reason: 'going away' })]
  ])('are not known after %s', (_what, closure) => {
    expect(inFlightOf(sent(1)).triage(closure).lost).toHaveLength(1)
  })

  it('are not known if something could not be read, which counts for one closure', () => {
    const inFlight = inFlightOf(sent(1))
    inFlight.noteUnread()
    expect(inFlight.triage(closing).lost).toHaveLength(1)
    inFlight.add(sent(2))
    expect(inFlight.triage(closing).resend).toHaveLength(1)
  })

  it('are those after the last frame that the server had received', () => {
    const [received, missed] = [sent(1, 4), sent(2, 5)]
    expect(inFlightOf(received, missed).triage(closureOf(), 4)).toMatchObject({ resend: [missed], lost: [received] })
    expect(inFlightOf(sent(3, 5)).triage(closureOf(), null).lost).toHaveLength(1)
  })

  it('are none that were sent twice', () => {
    expect(inFlightOf(requestOf({ phase: 'resent' })).triage(closing).lost).toHaveLength(1)
  })
})

describe('triage', () => {
  it('sends again what may be, in its order, and gives up the rest', () => {
    const { resend, lost, tooLarge } = inFlightOf(safeToo, risky, twice, safe).triage(closureOf())
    expect(resend).toEqual([safeToo, safe])
    expect(lost).toEqual([risky, twice])
    expect(tooLarge).toBeUndefined()
  })

  it('gives up what was sent twice, even if its frame were still there', () => {
    const { resend, lost } = inFlightOf(requestOf({ phase: 'resent', text: '{}' })).triage(closureOf())
    expect(resend).toEqual([])
    expect(lost).toHaveLength(1)
  })

  it('sends again what the server certainly has not received, whatever it is, unless it was sent before', () => {
    const [seen, unseen, again] = [{ id: 1 }, { id: 2 }, { id: 3, phase: 'resent' as const }].map((changes, index) =>
      Object.assign(requestOf({ method: 'tools/call', mayResend: false, phase: 'sent', ...changes }), { position: 5 + index })
    )
    const { resend, lost } = inFlightOf(seen!, unseen!, again!).triage(closureOf(), 5)
    expect(resend).toEqual([unseen])
    expect(unseen!.mayBeExecuted).toBe(false)
    expect(lost).toEqual([seen, again])
    expect(again!.mayBeExecuted).toBe(true)
  })

  it('leaves listens in flight and nothing else', () => {
    const inFlight = inFlightOf(safe, listen, risky)
    const { resend, lost } = inFlight.triage(closureOf())
    expect([...resend, ...lost]).not.toContain(listen)
    expect(inFlight.has(4)).toBe(true)
    expect(inFlight.has(1)).toBe(false)
    expect(inFlight.takeAll()).toEqual([listen])
  })

  it('takes the largest call for the cause of close code 1009, lost among the others', () => {
    const { resend, lost, tooLarge } = inFlightOf(safe, risky, listen, twice).triage(closureOf({ code: 1009 }))
    expect(tooLarge).toBe(risky)
    expect(resend).toEqual([safe])
    expect(lost).toEqual([risky, twice])
  })

  it('does not repeat the cause of 1009 although it would be safe', () => {
    const large = requestOf({ id: 9, size: 100 })
    const { resend, tooLarge } = inFlightOf(safe, large).triage(closureOf({ code: 1009 }))
    expect(tooLarge).toBe(large)
    expect(resend).toEqual([safe])
  })

  it('takes the older of two equally large calls', () => {
    expect(inFlightOf(safe, safeToo).triage(closureOf({ code: 1009 })).tooLarge).toBe(safe)
  })

  it('finds no cause of 1009 when only listens are in flight', () => {
    expect(inFlightOf(listen).triage(closureOf({ code: 1009 }))).toEqual({ resend: [], lost: [], tooLarge: undefined })
  })
})
