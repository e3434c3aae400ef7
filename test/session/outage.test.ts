import { describe, expect, it } from 'vitest'
import type { ConnectionStats } from '../../src/connection/connection.js'
import { Outage } from '../../src/session/outage.js'

const statsOf = (attempts: number, lost: number): ConnectionStats => ({
  attempts,
  reconnects: 0,
  sent: 0,
  received: 0,
  bytesSent: 0,
  bytesReceived: 0,
  resent: 0,
  lost
})

describe('an outage', () => {
  it('costs what was counted between the loss and the next ready', () => {
    const outage = new Outage()
    const stats = statsOf(3, 1)
    outage.begin(stats, 1000)
    Object.assign(stats, { attempts: 5, lost: 4 })
    expect(outage.end(stats, 3500)).toEqual({ attempts: 2, downtime: 2500, lost: 3 })
    expect(stats.reconnects).toBe(1)
  })

  it('counts from the first loss, also when a later connection broke before it was ready', () => {
    const outage = new Outage()
    outage.begin(statsOf(1, 0), 1000)
    outage.begin(statsOf(4, 2), 9000)
    expect(outage.end(statsOf(5, 2), 10_000)).toEqual({ attempts: 4, downtime: 9000, lost: 2 })
  })

  it.each([
    ['before the first loss', () => undefined],
    [
      'after its end was told',
      (outage: Outage) => {
        outage.begin(statsOf(1, 0), 0)
        outage.end(statsOf(2, 0), 1)
      }
    ],
    [
      'after the life that it belonged to',
      (outage: Outage) => {
        outage.begin(statsOf(1, 0), 0)
        outage.forget()
      }
    ]
  ])('is none %s', (_name, happen) => {
    const outage = new Outage()
    happen(outage)
    const stats = statsOf(9, 9)
    expect(outage.end(stats, 99)).toBeUndefined()
    expect(stats.reconnects).toBe(0)
  })
})
