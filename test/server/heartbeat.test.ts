import { describe, expect, test } from 'vitest'
import { Heartbeats, judgeSilence, type Beating } from '../../src/server/heartbeat.js'
import { frame, OPCODE } from '../faults/kit/wire.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { serveTransport } from '../helpers/mcp-server.js'
import { until } from '../helpers/until.js'
import { openPeer, type RawPeer, responseTo } from './raw-peer.js'
import { useHeldServer, useServer } from './use-server.js'
import { pause } from '../helpers/pause.js'

/** A connection that counts what the heartbeat does to it. */
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

test('a client that is silent is pinged after interval and cut after timeout', async () => {
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

test('a client that sends something is not pinged', async () => {
  const { clock, heartbeats, peer, pulse } = make()
  for (let n = 0; n < 20; n++) {
    await clock.advance(20_000)
    heartbeats.heard(pulse)
  }
  expect([peer.pings, peer.cuts]).toEqual([0, 0])
  heartbeats.stop(pulse)
  expect(clock.pendingCount).toBe(0)
})

test('a client that sends pongs is pinged once in each interval of silence', async () => {
  const { clock, heartbeats, peer, pulse } = make()
  for (let n = 1; n <= 5; n++) {
    await clock.advance(30_000)
    expect(peer.pings).toBe(n)
    heartbeats.heard(pulse)
  }
  expect(peer.cuts).toBe(0)
})

test('bytes of a message that is not complete are a sign of life', async () => {
  const { clock, peer } = make()
  for (let n = 0; n < 10; n++) {
    await clock.advance(20_000)
    peer.bytesRead += 100
  }
  expect(peer.cuts).toBe(0)
})

test('one timer serves all connections, each at its time', async () => {
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

test('a process that stood still cuts no client before it has read what the client sent', async () => {
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

describe('V7: a client that never sends a pong', () => {
  test('is cut after interval and timeout, its MCP server is closed and the running handler is aborted', async () => {
    const aborted: string[] = []
    let closed = 0
    const { port, server } = await useServer({
      heartbeat: { interval: 100, timeout: 100 },
      onconnection: (transport) => {
        serveTransport('v1', transport, { onAborted: (name) => aborted.push(name) })
        const { onclose } = transport
        transport.onclose = () => {
          closed++
          onclose?.()
        }
      }
    })
    const peer = await openPeer(port)
    const from = performance.now()
    await initialize(peer)
    peer.send({ id: 2, method: 'tools/call', params: { name: 'hold', arguments: {}, _meta: { progressToken: 1 } } })
    await peer.message(({ method }) => method === 'notifications/progress')
    await peer.gone
    expect(performance.now() - from).toBeGreaterThanOrEqual(199)
    expect(peer.frames.some(({ opcode }) => opcode === OPCODE.ping)).toBe(true)
    await until(() => aborted.length > 0, 'the handler was aborted')
    expect(closed).toBe(1)
    await until(() => server.metrics().connections === 0, 'the socket is gone')
    expect(server.metrics()).toMatchObject({ requestsInFlight: 0, connectionsCut: { heartbeat: 1 } })
  })

  test('but sends any other frame, is not cut', async () => {
    const { port, server } = await useHeldServer({ heartbeat: { interval: 50, timeout: 50 } })
    const peer = await openPeer(port)
    for (let n = 0; n < 15; n++) {
      peer.write(frame(OPCODE.pong, '', { mask: true }))
      await pause(20)
    }
    expect(server.metrics().connections).toBe(1)
  })

  test('but sends one long message, is not cut', async () => {
    const { port, server } = await useHeldServer({ heartbeat: { interval: 60, timeout: 60 } })
    const peer = await openPeer(port)
    const text = frame(OPCODE.text, JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', params: { x: 'x'.repeat(400) } }), {
      mask: true
    })
    for (let at = 0; at < text.length; at += 20) {
      peer.write(text.subarray(at, at + 20))
      await pause(20)
    }
    await responseTo(peer, 1)
    expect(server.metrics().connections).toBe(1)
  })
})

async function initialize(peer: RawPeer): Promise<void> {
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } }
  peer.send({ id: 1, method: 'initialize', params })
  await responseTo(peer, 1)
  peer.send({ method: 'notifications/initialized' })
}
