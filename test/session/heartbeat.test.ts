import { describe, expect, it } from 'vitest'
import { SharedTimer } from '../../src/lib/shared-timer.js'
import { Heartbeat } from '../../src/session/heartbeat.js'
import type { AwaitedCalls, HeartbeatPolicy } from '../../src/session/liveness.js'
import type { FakeSocket } from '../helpers/fake-network.js'
import { useConnection, type ConnectionRig } from '../helpers/session-rig.js'

// What the heartbeat decides is tested in liveness.test.ts; here is what it does.

const POLICY: HeartbeatPolicy = { interval: 1000, timeout: 400 }

/** Calls that the verdict waits for as long as the test says. */
class FakeCalls implements AwaitedCalls {
  awaits = false

  awaitCalls(): void {
    // The test decides.
  }
}

interface Rig extends ConnectionRig {
  readonly heartbeat: Heartbeat
  readonly socket: FakeSocket
  readonly calls: FakeCalls
  /** When probes by request were asked for, in ms since the start. */
  readonly probes: number[]
  readonly problems: Error[]
}

async function rig(policy: HeartbeatPolicy | false = POLICY, mayAsk = true): Promise<Rig> {
  // Stable at once, so that all timers that are left belong to the heartbeat.
  const below = useConnection({ resetAfter: 1 })
  const { clock, connection } = below
  const socket = await below.ready()
  await clock.advance(1)
  const start = clock.now()
  const timer = new SharedTimer(clock)
  const calls = new FakeCalls()
  const probes: number[] = []
  const problems: Error[] = []
  const heartbeat = new Heartbeat(policy, calls, {
    connection,
    timer,
    clock,
    hintPause: 200,
    probe: () => probes.push(clock.now() - start) > 0 && mayAsk,
    onError: (error) => void problems.push(error)
  })
  below.on.onState = (_to, from) => {
    if (from.name === 'ready') heartbeat.stop()
  }
  heartbeat.start()
  return { ...below, heartbeat, socket, calls, probes, problems }
}

describe('a heartbeat', () => {
  it('pings after interval, and drops the connection after timeout more', async () => {
    const { clock, connection, socket, probes } = await rig()
    await clock.advance(999)
    expect(socket.pings).toBe(0)
    await clock.advance(1)
    expect(socket.pings).toBe(1)
    await clock.advance(399)
    expect(connection.state.name).toBe('ready')
    await clock.advance(1)
    expect(connection.state).toMatchObject({ name: 'waiting', closure: { kind: 'heartbeat', code: 1006, wasClean: false } })
    expect(probes).toEqual([])
  })

  it('asks for a probe by request where the engine cannot ping', async () => {
    const { clock, socket, heartbeat, probes } = await rig()
    socket.canPing = false
    await clock.advance(1030)
    expect(probes).toEqual([1000])
    expect(heartbeat.onResponse()).toBe(30)
    await clock.advance(1000)
    expect(probes).toEqual([1000, 2030])
  })

  it('has one timer while it runs, and none after stop()', async () => {
    const { clock, heartbeat } = await rig()
    for (let step = 0; step < 5; step++) {
      await clock.advance(600)
      heartbeat.onHeard()
      expect(clock.pendingCount).toBe(1)
    }
    heartbeat.stop()
    expect(clock.pendingCount).toBe(0)
  })

  it('looks at the bytes of its socket: a part of a message is life', async () => {
    const { clock, connection, socket } = await rig()
    socket.bytesRead = 1
    await clock.advance(1200)
    socket.bytesRead = 2
    await clock.advance(200)
    expect(connection.state.name).toBe('ready')
  })

  it('keeps a connection whose other end may not be asked, however long it is silent', async () => {
    const { clock, connection, socket, probes, problems } = await rig(POLICY, false)
    socket.canPing = false
    await clock.advance(10_000)
    expect(connection.state.name).toBe('ready')
    expect([probes.length > 3, problems]).toEqual([true, []])
  })

  it('measures a latency only where a probe is out', async () => {
    const { clock, heartbeat } = await rig()
    expect(heartbeat.onResponse()).toBeUndefined()
    await clock.advance(1025)
    expect([heartbeat.onResponse(), heartbeat.onResponse()]).toEqual([25, undefined])
  })

  it.each([
    ['that is off', false as const],
    ['that was stopped', POLICY]
  ])('%s does nothing, whatever it is told', async (_name, policy) => {
    const { clock, heartbeat, socket } = await rig(policy)
    heartbeat.stop()
    heartbeat.hint()
    heartbeat.onHeard()
    heartbeat.onCallsSettled()
    expect(heartbeat.onResponse()).toBeUndefined()
    await clock.advance(10_000)
    expect([socket.pings, clock.pendingCount]).toEqual([0, 0])
  })
})

describe('the settlement of the last call', () => {
  it('brings a fresh probe with the full timeout', async () => {
    const { clock, connection, heartbeat, socket, calls } = await rig()
    calls.awaits = true
    await clock.advance(1700)
    expect([socket.pings, connection.state.name]).toEqual([1, 'ready'])
    calls.awaits = false
    heartbeat.onCallsSettled()
    expect(socket.pings).toBe(2)
    await clock.advance(399)
    expect(connection.state.name).toBe('ready')
    await clock.advance(1)
    expect(connection.state.name).toBe('waiting')
  })

  it('brings none where no probe is out, nor after stop()', async () => {
    const { clock, heartbeat, socket } = await rig()
    heartbeat.onCallsSettled()
    expect(socket.pings).toBe(0)
    await clock.advance(1000)
    heartbeat.stop()
    heartbeat.onCallsSettled()
    expect(socket.pings).toBe(1)
  })
})

describe('a hint', () => {
  it('brings one probe, hintPause after the last try at the earliest', async () => {
    const { clock, heartbeat, socket } = await rig()
    for (let hint = 0; hint < 5; hint++) heartbeat.hint()
    await clock.advance(199)
    expect(socket.pings).toBe(0)
    await clock.advance(1)
    expect(socket.pings).toBe(1)
    heartbeat.onResponse()
    heartbeat.hint()
    await clock.advance(199)
    expect(socket.pings).toBe(1)
    await clock.advance(1)
    expect(socket.pings).toBe(2)
    heartbeat.onResponse()
    await clock.advance(999)
    expect(socket.pings).toBe(2)
  })

  it('brings it at once when the last try is long ago, although something was heard', async () => {
    const { clock, heartbeat, socket } = await rig()
    await clock.advance(500)
    heartbeat.onHeard()
    heartbeat.hint()
    await clock.advance(0)
    expect(socket.pings).toBe(1)
  })

  it('is forgotten with its connection', async () => {
    const { clock, heartbeat, socket } = await rig()
    heartbeat.hint()
    heartbeat.stop()
    heartbeat.start()
    await clock.advance(500)
    heartbeat.onHeard()
    await clock.advance(999)
    expect(socket.pings).toBe(0)
  })
})

describe('a server that ignores probes', () => {
  it('is told of once, and probed no more', async () => {
    const { clock, heartbeat, socket, problems } = await rig()
    for (let second = 0; second < 6; second++) {
      await clock.advance(1001)
      heartbeat.onHeard()
    }
    heartbeat.hint()
    await clock.advance(10_000)
    expect(socket.pings).toBe(2)
    expect(problems).toMatchObject([{ code: 'INVALID_RESPONSE' }])
    expect(clock.pendingCount).toBe(0)
  })

  it('is probed again on the next connection', async () => {
    const { clock, heartbeat, socket } = await rig()
    for (let probe = 0; probe < 3; probe++) {
      await clock.advance(1001)
      heartbeat.onHeard()
    }
    expect(socket.pings).toBe(2)
    heartbeat.stop()
    heartbeat.start()
    await clock.advance(1000)
    expect(socket.pings).toBe(3)
  })
})
