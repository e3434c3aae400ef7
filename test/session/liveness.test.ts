import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { beat, type Beat, type Pulse } from '../../src/session/liveness.js'

const POLICY = { interval: 25_000, timeout: 10_000 }
const never = Infinity

describe('beat', () => {
  it.each<[string, Pulse, number, number, Beat]>([
    // what, pulse, now, planned for, expected
    [
      'looks again when the silence is long enough',
      { heardAt: 0, probedAt: undefined, busy: false, ignored: 0 },
      10,
      10,
      { action: 'none', nextAt: 25_000 }
    ],
    [
      'waits to the last ms of the interval',
      { heardAt: 0, probedAt: undefined, busy: false, ignored: 0 },
      24_999,
      24_999,
      { action: 'none', nextAt: 25_000 }
    ],
    [
      'probes after the interval',
      { heardAt: 0, probedAt: undefined, busy: false, ignored: 0 },
      25_000,
      25_000,
      { action: 'probe', nextAt: 35_000 }
    ],
    [
      'probes while a call is pending too',
      { heardAt: 0, probedAt: undefined, busy: true, ignored: 0 },
      25_000,
      25_000,
      { action: 'probe', nextAt: 35_000 }
    ],
    [
      'probes after a sleep before the probe',
      { heardAt: 0, probedAt: undefined, busy: false, ignored: 0 },
      9e6,
      25_000,
      { action: 'probe', nextAt: 9_010_000 }
    ],
    [
      'waits out the timeout of a probe',
      { heardAt: 0, probedAt: 25_000, busy: false, ignored: 0 },
      30_000,
      30_000,
      { action: 'none', nextAt: 35_000 }
    ],
    [
      'gives up an idle connection that left a probe unanswered',
      { heardAt: 0, probedAt: 25_000, busy: false, ignored: 0 },
      35_000,
      35_000,
      { action: 'dead', nextAt: never }
    ],
    [
      'gives up at a look that comes a second late',
      { heardAt: 0, probedAt: 25_000, busy: false, ignored: 0 },
      36_000,
      35_000,
      { action: 'dead', nextAt: never }
    ],
    [
      'probes anew at a look that comes more than a second late',
      { heardAt: 0, probedAt: 25_000, busy: false, ignored: 0 },
      36_001,
      35_000,
      { action: 'probe', nextAt: 46_001 }
    ],
    [
      'lets a pending call postpone the verdict',
      { heardAt: 0, probedAt: 25_000, busy: true, ignored: 0 },
      35_000,
      35_000,
      { action: 'none', nextAt: 45_000 }
    ],
    [
      'probes in every interval while a call is pending',
      { heardAt: 0, probedAt: 25_000, busy: true, ignored: 0 },
      50_000,
      50_000,
      { action: 'probe', nextAt: 60_000 }
    ],
    [
      'probes anew after a sleep while a call is pending, too',
      { heardAt: 0, probedAt: 25_000, busy: true, ignored: 0 },
      9e6,
      35_000,
      { action: 'probe', nextAt: 9_010_000 }
    ],
    [
      'gives up nobody who ignored two probes while it spoke',
      { heardAt: 0, probedAt: 25_000, busy: false, ignored: 2 },
      35_000,
      35_000,
      { action: 'none', nextAt: never }
    ],
    [
      'counts the interval from the last byte once something came in',
      { heardAt: 25_001, probedAt: undefined, busy: false, ignored: 0 },
      35_000,
      35_000,
      { action: 'none', nextAt: 50_001 }
    ],
    [
      'waits out a probe that was asked for by a hint, however fresh the last byte',
      { heardAt: 1000, probedAt: 1000, busy: false, ignored: 0 },
      5000,
      5000,
      { action: 'none', nextAt: 11_000 }
    ],
    [
      'gives up after a probe by a hint that was left unanswered',
      { heardAt: 1000, probedAt: 1000, busy: false, ignored: 0 },
      11_000,
      11_000,
      { action: 'dead', nextAt: never }
    ]
  ])('%s', (_what, pulse, now, dueAt, expected) => {
    expect(beat(pulse, POLICY, now, dueAt)).toEqual(expected)
  })

  it('gives up only an idle connection whose probe had its full timeout, and else always looks again later', () => {
    const times = fc.nat(100_000)
    const lastProbe = fc.option(times, { nil: undefined })
    fc.assert(
      fc.property(times, lastProbe, fc.boolean(), times, fc.nat(3000), (heardAt, probedAt, busy, later, late) => {
        const now = Math.max(heardAt, probedAt ?? 0) + later
        const { action, nextAt } = beat({ heardAt, probedAt, busy, ignored: 0 }, POLICY, now, now - late)
        const expired = probedAt !== undefined && now - probedAt >= POLICY.timeout
        expect(action === 'dead').toBe(expired && !busy && late <= 1000)
        if (action === 'dead') expect(nextAt).toBe(Infinity)
        else expect(nextAt).toBeGreaterThan(now)
      })
    )
  })

  it('notices the death of an idle connection after exactly interval and timeout', () => {
    let pulse: Pulse = { heardAt: 100, probedAt: undefined, busy: false, ignored: 0 }
    let now = 100
    for (let look = beat(pulse, POLICY, now, now); look.action !== 'dead'; look = beat(pulse, POLICY, now, now)) {
      if (look.action === 'probe') pulse = { ...pulse, probedAt: now }
      now = look.nextAt
    }
    expect(now).toBe(100 + POLICY.interval + POLICY.timeout)
  })
})
