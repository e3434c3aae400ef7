import { describe, expect, test } from 'vitest'
import { Heartbeats, judgeSilence, type Beating } from '../../src/server/heartbeat.js'
import { FakeClock } from '../helpers/fake-clock.js'

/** A connection that only counts. */
class Counting implements Beating {
  bytesRead = 0
  pings = 0
  cuts = 0
  ping(): void {
    this.pings++
  }
  cut(): void {
    this.cuts++
  }
}

function make(policy: { interval: number; timeout: number } | false = { interval: 30_000, timeout: 30_000 }) {
  const clock = new FakeClock()
  const heartbeats = new Heartbeats(clock, policy)
  const peer = new Counting()
  const pulse = heartbeats.watch(peer)
  return { clock, heartbeats, peer, pulse }
}

describe('a silent client', () => {
  const POLICY = { interval: 30, timeout: 10 }

  test.each([
    ['was heard a moment ago', { heardAt: 100, pingedAt: undefined }, 129, { action: 'wait', again: 1 }],
    ['was silent for interval', { heardAt: 100, pingedAt: undefined }, 130, { action: 'ping', again: 10 }],
    ['was pinged a moment ago', { heardAt: 100, pingedAt: 130 }, 139, { action: 'wait', again: 1 }],
    ['was silent for timeout after the ping', { heardAt: 100, pingedAt: 130 }, 140, { action: 'cut', again: Infinity }]
  ])('that %s', (_what, silence, now, verdict) => expect(judgeSilence(silence, POLICY, now)).toEqual(verdict))
})

test('a client that is silent is pinged after one interval and gone after the second', async () => {
  const { clock, peer } = make()
  await clock.advance(29_999)
  expect(peer.pings).toBe(0)
  await clock.advance(1)
  expect([peer.pings, peer.cuts]).toEqual([1, 0])
  await clock.advance(29_999)
  expect(peer.cuts).toBe(0)
  await clock.advance(1)
  expect([peer.pings, peer.cuts]).toEqual([1, 1])
  expect(clock.pendingCount).toBe(0)
})

test('a client that speaks is not pinged', async () => {
  const { clock, heartbeats, peer, pulse } = make()
  for (let n = 0; n < 20; n++) {
    await clock.advance(20_000)
    heartbeats.heard(pulse)
  }
  expect([peer.pings, peer.cuts]).toEqual([0, 0])
  heartbeats.stop(pulse)
  expect(clock.pendingCount).toBe(0)
})

test('a client that answers is pinged once in each interval of silence', async () => {
  const { clock, heartbeats, peer, pulse } = make()
  for (let n = 1; n <= 5; n++) {
    await clock.advance(30_000)
    expect(peer.pings).toBe(n)
    heartbeats.heard(pulse)
  }
  expect(peer.cuts).toBe(0)
})

test('bytes of a message that is not complete are life', async () => {
  const { clock, peer } = make()
  for (let n = 0; n < 10; n++) {
    await clock.advance(20_000)
    peer.bytesRead += 100
  }
  expect(peer.cuts).toBe(0)
})

test('one timer serves all, each at its time', async () => {
  const { clock, heartbeats, peer } = make()
  await clock.advance(10_000)
  const other = new Counting()
  heartbeats.watch(other)
  expect(clock.pendingCount).toBe(1)
  await clock.advance(50_000)
  expect([peer.cuts, other.cuts]).toEqual([1, 0])
  await clock.advance(10_000)
  expect(other.cuts).toBe(1)
})

test('a process that stood still cuts nobody before it has heard them', async () => {
  const { clock, heartbeats, peer, pulse } = make()
  await clock.advance(30_000)
  expect(peer.pings).toBe(1)
  await clock.sleep(3_600_000)
  expect(peer.cuts).toBe(0)
  heartbeats.heard(pulse)
  await clock.advance(29_999)
  expect(peer.cuts).toBe(0)
})

test('without a policy there is no timer', () => {
  const { clock } = make(false)
  expect(clock.pendingCount).toBe(0)
})
