import { expect, test } from 'vitest'
import { Heartbeats, type Beating } from '../../src/server/heartbeat.js'
import { FakeClock } from '../helpers/fake-clock.js'

/** A connection that only counts. */
function makePeer(): Beating & { pings: number; deaths: number; bytesRead: number } {
  return {
    dueAt: 0,
    heapIndex: -1,
    heardAt: 0,
    probedAt: undefined,
    bytesSeen: 0,
    bytesRead: 0,
    pings: 0,
    deaths: 0,
    ping() {
      this.pings++
    },
    die() {
      this.deaths++
    }
  }
}

function make(policy: { interval: number; timeout: number } | false = { interval: 30_000, timeout: 30_000 }) {
  const clock = new FakeClock()
  const heartbeats = new Heartbeats(clock, policy)
  const peer = makePeer()
  heartbeats.add(peer)
  return { clock, heartbeats, peer }
}

test('a client that is silent is pinged after one interval and gone after the second', async () => {
  const { clock, peer } = make()
  await clock.advance(29_999)
  expect(peer.pings).toBe(0)
  await clock.advance(1)
  expect([peer.pings, peer.deaths]).toEqual([1, 0])
  await clock.advance(29_999)
  expect(peer.deaths).toBe(0)
  await clock.advance(1)
  expect([peer.pings, peer.deaths]).toEqual([1, 1])
  expect(clock.pendingCount).toBe(0)
})

test('a client that speaks is not pinged', async () => {
  const { clock, heartbeats, peer } = make()
  for (let n = 0; n < 20; n++) {
    await clock.advance(20_000)
    heartbeats.hear(peer)
  }
  expect([peer.pings, peer.deaths]).toEqual([0, 0])
  heartbeats.remove(peer)
  expect(clock.pendingCount).toBe(0)
})

test('a client that answers is pinged once in each interval of silence', async () => {
  const { clock, heartbeats, peer } = make()
  for (let n = 1; n <= 5; n++) {
    await clock.advance(30_000)
    expect(peer.pings).toBe(n)
    heartbeats.hear(peer)
  }
  expect(peer.deaths).toBe(0)
})

test('bytes of a message that is not complete are life', async () => {
  const { clock, peer } = make()
  for (let n = 0; n < 10; n++) {
    await clock.advance(20_000)
    peer.bytesRead += 100
  }
  expect(peer.deaths).toBe(0)
})

test('one timer serves all, each at its time', async () => {
  const { clock, heartbeats, peer } = make()
  await clock.advance(10_000)
  const other = makePeer()
  heartbeats.add(other)
  expect(clock.pendingCount).toBe(1)
  await clock.advance(50_000)
  expect([peer.deaths, other.deaths]).toEqual([1, 0])
  await clock.advance(10_000)
  expect(other.deaths).toBe(1)
})

test('a process that stood still cuts nobody before it has heard them', async () => {
  const { clock, heartbeats, peer } = make()
  await clock.advance(30_000)
  expect(peer.pings).toBe(1)
  await clock.sleep(3_600_000)
  expect(peer.deaths).toBe(0)
  heartbeats.hear(peer)
  await clock.advance(29_999)
  expect(peer.deaths).toBe(0)
})

test('without a policy there is no timer', () => {
  const { clock } = make(false)
  expect(clock.pendingCount).toBe(0)
})
