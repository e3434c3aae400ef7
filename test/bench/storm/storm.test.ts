import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventQueue } from './event-queue.js'
import { POLICIES } from './policies.js'
import { storm, type Weather } from './storm.js'

// 100,000 clients, of which the server accepts 2,000 in a second: no policy can be done in less than 50 s.
const WEATHER: Weather = { clients: 100_000, outage: 10_000, rate: 2, backlog: 4096, seed: 1 }
const SMALL: Weather = { ...WEATHER, clients: 5000, rate: 0.1 }

describe('after an outage of 10 s, a server that accepts 2,000 of 100,000 clients in a second, with the queue that our server listens with,', () => {
  const outcome = storm(POLICIES.ours, WEATHER)

  it('is dialled at most 7 times by each', () => expect(outcome.dialsPerClient).toBeLessThan(7))
  it('meets less than 2,000 dials in 100 ms once it is back', () => expect(outcome.peakBack).toBeLessThan(2000))
  it('has half of them after 25 s, as fast as it accepts', () => expect(outcome.halfBack).toBeLessThan(25_100))
  it('has 99 % of them within 56 s', () => expect(outcome.nearlyAllBack).toBeLessThan(56_000))
  it('loses less than 0.5 % of them for good', () => expect(outcome.gaveUp).toBeLessThan(0.005))
})

describe('a storm', () => {
  it('is the same for the same seed, and another for another', () => {
    expect(storm(POLICIES.ours, SMALL)).toEqual(storm(POLICIES.ours, SMALL))
    expect(storm(POLICIES.ours, SMALL)).not.toEqual(storm(POLICIES.ours, { ...SMALL, seed: 2 }))
  })

  it('of clients without jitter comes in waves', () => {
    const [even, waves] = [storm(POLICIES.patient, SMALL), storm(POLICIES.unjittered, SMALL)]
    expect(waves.peakBack).toBeGreaterThan(10 * even.peakBack)
  })

  it('of clients that give up early ends with most of them lost', () => {
    expect(storm(POLICIES.fixed, SMALL)).toMatchObject({ gaveUp: 1, halfBack: undefined, nearlyAllBack: undefined })
  })

  it('costs more dials where the server refuses what it cannot take at once', () => {
    expect(storm(POLICIES.patient, { ...SMALL, backlog: 0 }).dialsPerClient).toBeGreaterThan(storm(POLICIES.patient, SMALL).dialsPerClient)
  })

  it('ends with each client either back or lost', () => {
    for (const policy of Object.values(POLICIES)) {
      const { gaveUp, nearlyAllBack } = storm(policy, { ...SMALL, clients: 1000, rate: 0.5 })
      expect(gaveUp > 0.01 || nearlyAllBack !== undefined).toBe(true)
    }
  })
})

it('an EventQueue runs everything in the order of its time, also what is added meanwhile', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(100), fc.option(fc.nat(100)))), (planned) => {
      const queue = new EventQueue()
      const ran: number[] = []
      for (const [at, later] of planned)
        queue.add(at, (now) => {
          ran.push(now)
          if (later !== null) queue.add(now + later, (then) => void ran.push(then))
        })
      queue.run()
      expect(ran).toEqual(planned.flatMap(([at, later]) => (later === null ? [at] : [at, at + later])).sort((a, b) => a - b))
    })
  )
})
