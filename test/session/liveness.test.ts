import fc from 'fast-check'
import { beforeEach, describe, expect, it } from 'vitest'
import { Pulse, type AwaitedCalls } from '../../src/session/liveness.js'

const POLICY = { interval: 25_000, timeout: 10_000 }

/** Calls that a test makes and settles. */
class FakeCalls implements AwaitedCalls {
  pending = 0
  #awaited = 0

  awaitCalls(): void {
    this.#awaited = this.pending
  }

  get awaits(): boolean {
    return this.#awaited > 0
  }

  settleAll(): void {
    this.pending = this.#awaited = 0
  }
}

let calls: FakeCalls
let pulse: Pulse

beforeEach(() => {
  calls = new FakeCalls()
  pulse = new Pulse(POLICY, calls)
  pulse.begin(0)
})

/** A look that comes when it was planned. */
const look = (now: number, bytesRead?: number): unknown => pulse.look(now, now, bytesRead)
const rest = (until: number): unknown => ({ action: 'rest', until })

describe('a connection on which nothing is pending', () => {
  it('rests until the interval of silence is over', () => {
    expect(look(0)).toEqual(rest(25_000))
    expect(look(24_999)).toEqual(rest(25_000))
  })

  it('is probed after the interval, and after a sleep', () => {
    expect(look(25_000)).toEqual({ action: 'probe' })
    expect(pulse.look(9e6, 25_000, undefined)).toEqual({ action: 'probe' })
  })

  it('counts the interval from the last sign of life', () => {
    pulse.heard(10)
    expect(look(25_009)).toEqual(rest(25_010))
    expect(look(25_010)).toEqual({ action: 'probe' })
  })

  it('has the full timeout to respond to a probe, but is looked at as soon as the next probe may be due', () => {
    expect(pulse.probe(25_000, undefined)).toBe(35_000)
    expect(look(30_000)).toEqual(rest(35_000))
    const hasty = new Pulse({ interval: 100, timeout: 1000 }, calls)
    hasty.begin(0)
    expect(hasty.probe(100, undefined)).toBe(200)
    expect(hasty.look(200, 200, undefined)).toEqual(rest(300))
  })

  it('is dead when the probe had its time, also at a look that comes a second late', () => {
    pulse.probe(25_000, undefined)
    expect(look(35_000)).toEqual({ action: 'dead' })
    const late = new Pulse(POLICY, calls)
    late.begin(0)
    late.probe(25_000, undefined)
    expect(late.look(36_000, 35_000, undefined)).toEqual({ action: 'dead' })
  })

  it('is probed anew at a look that comes more than a second late', () => {
    pulse.probe(25_000, undefined)
    expect(pulse.look(36_001, 35_000, undefined)).toEqual({ action: 'probe' })
  })

  it('is dead at the third late look in a row: timers that are always late are those of a hidden page, and no sleep', () => {
    pulse.probe(25_000, undefined)
    for (const now of [37_000, 49_000]) {
      expect(pulse.look(now, now - 2000, undefined)).toEqual({ action: 'probe' })
      pulse.probe(now, undefined)
    }
    expect(pulse.look(61_000, 59_000, undefined)).toEqual({ action: 'dead' })
  })

  it('is probed anew after every sleep, if it responded after the one before', () => {
    for (let now = 25_000; now < 500_000; now += 50_000) {
      pulse.probe(now, undefined)
      expect(pulse.look(now + 12_000, now + 10_000, undefined)).toEqual({ action: 'probe' })
      pulse.responded(now + 13_000)
    }
  })

  it('lives on when anything came in after the probe', () => {
    pulse.probe(25_000, undefined)
    pulse.heard(25_001)
    expect(pulse.isProbing).toBe(false)
    expect(look(35_000)).toEqual(rest(50_001))
  })

  it('lives on when bytes of an unfinished message came in after the probe', () => {
    pulse.probe(25_000, 100)
    expect(look(35_000, 101)).toEqual(rest(60_000))
    pulse.probe(60_000, 101)
    expect(look(70_000, 101)).toEqual({ action: 'dead' })
  })

  it('is dead after exactly interval and timeout', () => {
    let now = 0
    for (let turn = 0; turn < 100; turn++) {
      const beat = pulse.look(now, now, undefined)
      if (beat.action === 'dead') break
      now = beat.action === 'rest' ? beat.until : (pulse.probe(now, undefined) ?? Infinity)
    }
    expect(now).toBe(POLICY.interval + POLICY.timeout)
  })
})

describe('a connection with a pending call', () => {
  beforeEach(() => {
    calls.pending = 1
    pulse.probe(25_000, undefined)
  })

  it('is probed in every interval, and not given up', () => {
    expect(look(35_000)).toEqual(rest(45_000))
    expect(look(49_999)).toEqual(rest(50_000))
    expect(look(50_000)).toEqual({ action: 'probe' })
  })

  it('is probed anew after a sleep', () => {
    expect(pulse.look(9e6, 35_000, undefined)).toEqual({ action: 'probe' })
  })

  it('is dead when the call is settled and its fresh probe had its time', () => {
    calls.settleAll()
    expect(pulse.isProbing).toBe(true)
    pulse.probe(40_000, undefined)
    expect(look(49_999)).toEqual(rest(50_000))
    expect(look(50_000)).toEqual({ action: 'dead' })
  })

  it('waits once more for calls that were made meanwhile, and not for those after them', () => {
    calls.settleAll()
    calls.pending = 1
    pulse.probe(40_000, undefined)
    expect(look(50_000)).toEqual({ action: 'probe' })
    pulse.probe(50_000, undefined)
    calls.settleAll()
    calls.pending = 1
    expect(look(60_000)).toEqual({ action: 'dead' })
  })

  it('waits anew after a sign of life', () => {
    calls.settleAll()
    calls.pending = 1
    expect(look(35_000)).toEqual({ action: 'probe' })
    pulse.heard(36_000)
    calls.settleAll()
    pulse.probe(61_000, undefined)
    calls.pending = 1
    expect(look(71_000)).toEqual({ action: 'probe' })
  })
})

describe('the latency', () => {
  it('is the time from the last probe to its response', () => {
    pulse.probe(100, undefined)
    expect(pulse.responded(130)).toBe(30)
  })

  it('is measured even if something else came in meanwhile', () => {
    pulse.probe(100, undefined)
    pulse.heard(110)
    expect(pulse.responded(130)).toBe(30)
  })

  it('is unknown without a probe, for a second response, and on the next connection', () => {
    expect(pulse.responded(10)).toBeUndefined()
    pulse.probe(100, undefined)
    pulse.responded(130)
    expect(pulse.responded(140)).toBeUndefined()
    pulse.probe(200, undefined)
    pulse.begin(300)
    expect(pulse.responded(310)).toBeUndefined()
  })
})

describe('a server that speaks but responds to no probe', () => {
  /** A probe that the server ignores, while it sends other things; the next one goes out after its timeout. */
  function ignore(at: number): number | undefined {
    pulse.probe(at, undefined)
    pulse.heard(at + 1)
    return pulse.probe(at + POLICY.timeout, undefined)
  }

  it('is probed no more after two ignored probes', () => {
    expect(ignore(100)).toBe(20_100)
    expect(pulse.ignoresProbes).toBe(false)
    pulse.heard(10_101)
    expect(pulse.probe(20_100, undefined)).toBeUndefined()
    expect(pulse.ignoresProbes).toBe(true)
    expect(look(9e6)).toEqual(rest(Infinity))
  })

  it('is not suspected before the probe had its time', () => {
    for (let at = 0; at < 100; at++) {
      pulse.probe(at * 9999, undefined)
      pulse.heard(at * 9999 + 1)
    }
    expect(pulse.ignoresProbes).toBe(false)
  })

  it('is not suspected while it works on a call', () => {
    calls.pending = 1
    for (let at = 0; at < 5; at++) ignore(at * 30_000)
    expect(pulse.ignoresProbes).toBe(false)
  })

  it('is trusted anew after a response, and on the next connection', () => {
    ignore(100)
    pulse.responded(10_200)
    ignore(30_000)
    expect(pulse.ignoresProbes).toBe(false)
    pulse.heard(40_001)
    pulse.probe(60_000, undefined)
    expect(pulse.ignoresProbes).toBe(true)
    pulse.begin(70_000)
    expect(pulse.ignoresProbes).toBe(false)
  })
})

it('gives up only a connection whose probe had its full timeout and whose calls are settled; else it always looks later', () => {
  const times = fc.nat(100_000)
  fc.assert(
    fc.property(
      times,
      fc.option(times, { nil: undefined }),
      fc.boolean(),
      times,
      fc.nat(3000),
      (heardAt, probedAfter, busy, later, late) => {
        const pending = new FakeCalls()
        pending.pending = busy ? 1 : 0
        const each = new Pulse(POLICY, pending)
        each.begin(heardAt)
        const probedAt = probedAfter === undefined ? undefined : heardAt + probedAfter
        if (probedAt !== undefined) each.probe(probedAt, undefined)
        const now = (probedAt ?? heardAt) + later
        const beat = each.look(now, now - late, undefined)
        const expired = probedAt !== undefined && now - probedAt >= POLICY.timeout
        expect(beat.action === 'dead').toBe(expired && !busy && late <= 1000)
        if (beat.action === 'rest') expect(beat.until).toBeGreaterThan(now)
      }
    )
  )
})
