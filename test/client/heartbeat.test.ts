import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { FakeSocket } from '../helpers/fake-network.js'
import { closeClean, useClient, type Rig } from './use-client.js'
import { watch } from '../helpers/watch.js'

const isDead = ({ client, states }: Rig): boolean => client.state === 'waiting' && states.at(-1)?.closure?.kind === 'heartbeat'

describe('the heartbeat of an idle client', () => {
  it('probes after interval of silence and gives up after timeout more', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    await rig.clock.advance(24_999)
    expect(socket.pings).toBe(0)
    await rig.clock.advance(1)
    expect(socket.pings).toBe(1)
    await rig.clock.advance(9999)
    expect(rig.client.state).toBe('ready')
    await rig.clock.advance(1)
    expect(isDead(rig)).toBe(true)
    expect(socket.state).toBe('closed')
    expect(rig.states.at(-1)?.closure).toMatchObject({ kind: 'heartbeat', wasClean: false })
  })

  it('follows its options', async () => {
    const rig = useClient({ heartbeat: { interval: 100, timeout: 50 } })
    const socket = await rig.legacy()
    await rig.clock.advance(100)
    expect(socket.pings).toBe(1)
    await rig.clock.advance(50)
    expect(isDead(rig)).toBe(true)
  })

  it('goes on as long as the server answers', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    for (let beat = 1; beat <= 5; beat++) {
      await rig.clock.advance(25_000)
      expect(socket.pings).toBe(beat)
      await rig.clock.advance(1)
      socket.pong()
    }
    expect(rig.client.state).toBe('ready')
  })

  // Clocks are coarse (Firefox: 1 ms, or 100 ms where it resists fingerprinting) and servers may be near.
  it('accepts a response within the same tick of the clock', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    await rig.clock.advance(25_000)
    expect(socket.pings).toBe(1)
    socket.pong()
    await rig.clock.advance(24_999)
    expect([rig.client.state, socket.pings]).toEqual(['ready', 1])
  })

  it('takes any message as a sign of life, and sends no ping while they come', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    for (let n = 0; n < 5; n++) {
      await rig.clock.advance(20_000)
      socket.deliver({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: n } })
    }
    expect(socket.pings).toBe(0)
    await rig.clock.advance(25_000)
    expect(socket.pings).toBe(1)
  })

  it('takes a message after the probe as its response', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    await rig.clock.advance(25_000)
    await rig.clock.advance(5000)
    socket.deliver('not even JSON')
    await rig.clock.advance(24_999)
    expect([rig.client.state, socket.pings]).toEqual(['ready', 1])
    await rig.clock.advance(1)
    expect(socket.pings).toBe(2)
  })

  it('takes bytes of an unfinished message as a sign of life', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.bytesRead = 100
    await rig.clock.advance(25_000)
    socket.bytesRead = 200
    await rig.clock.advance(10_000)
    expect(rig.client.state).toBe('ready')
    await rig.clock.advance(35_000)
    expect(isDead(rig)).toBe(true)
  })

  it('measures latency', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    expect(rig.client.stats().latency).toBeUndefined()
    await rig.clock.advance(25_000)
    await rig.clock.advance(42)
    socket.pong()
    expect(rig.client.stats().latency).toBe(42)
  })

  it('starts anew on the next socket', async () => {
    const rig = useClient()
    await rig.legacy()
    await rig.clock.advance(35_000)
    const socket = await rig.relegacy()
    await rig.clock.advance(25_000)
    expect(socket.pings).toBe(1)
  })

  it('is off with heartbeat: false', async () => {
    const rig = useClient({ heartbeat: false })
    const socket = await rig.legacy()
    await rig.clock.advance(10_000_000)
    expect([rig.client.state, socket.pings]).toEqual(['ready', 0])
    expect(rig.clock.pendingCount).toBe(0)
  })

  it('does not take a listen for a call', async () => {
    const rig = useClient()
    await rig.modern()
    watch(rig.client.listen({ toolsListChanged: true }, { timeout: Infinity }))
    await rig.clock.advance(35_000)
    expect(isDead(rig)).toBe(true)
  })
})

describe('the heartbeat while a call is pending', () => {
  it('sends a probe in every interval, for the proxies on the way, but waits with the verdict', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    watch(rig.client.callTool({ name: 'slow' }, { timeout: Infinity }))
    await rig.clock.advance(25_000)
    expect(socket.pings).toBe(1)
    await rig.clock.advance(1_000_000)
    expect([rig.client.state, socket.pings]).toEqual(['ready', 41])
  })

  it('probes afresh with the full timeout when the last call times out', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    watch(rig.client.callTool({ name: 'slow' }, { timeout: 60_000 }))
    watch(rig.client.callTool({ name: 'slower' }, { timeout: 70_000 }))
    await rig.clock.advance(69_999)
    expect([rig.client.state, socket.pings]).toEqual(['ready', 2])
    await rig.clock.advance(1)
    expect(socket.pings).toBe(3)
    await rig.clock.advance(9999)
    expect(rig.client.state).toBe('ready')
    await rig.clock.advance(1)
    expect(isDead(rig)).toBe(true)
  })

  it('probes afresh when the last call is aborted', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const controller = new AbortController()
    watch(rig.client.callTool({ name: 'slow' }, { timeout: Infinity, signal: controller.signal }))
    await rig.clock.advance(49_000)
    controller.abort()
    expect(socket.pings).toBe(2)
    await rig.clock.advance(10_000)
    expect(isDead(rig)).toBe(true)
  })

  it('goes on as usual after the response', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    watch(rig.client.callTool({ name: 'slow' }, { timeout: Infinity }))
    await rig.clock.advance(100_000)
    socket.respond('tools/call', { content: [] })
    await rig.clock.advance(24_999)
    expect(socket.pings).toBe(4)
    await rig.clock.advance(1)
    expect(socket.pings).toBe(5)
    await rig.clock.advance(10_000)
    expect(isDead(rig)).toBe(true)
  })

  it('notices a half-open socket within the call, interval and timeout', async () => {
    const rig = useClient()
    await rig.legacy()
    await rig.clock.advance(20_000)
    watch(rig.client.callTool({ name: 'x' }, { timeout: 60_000 }))
    await rig.clock.advance(60_000 + 25_000 + 10_000)
    expect(rig.states.some(({ closure }) => closure?.kind === 'heartbeat')).toBe(true)
  })

  it('gives its verdict when bytes came and silence followed, within the same bound', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    watch(rig.client.callTool({ name: 'slow' }, { timeout: 60_000 }))
    await rig.clock.advance(40_000)
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 } })
    await rig.clock.advance(20_000 + 35_000)
    expect(rig.states.some(({ closure }) => closure?.kind === 'heartbeat')).toBe(true)
  })

  it('holds its verdict once more for calls that were made meanwhile, and not for those after them', async () => {
    const rig = useClient({ heartbeat: { interval: 100, timeout: 50 }, requestTimeout: 1000 })
    await rig.legacy()
    // A program that calls again as soon as a call has timed out.
    for (const name of ['first', 'second']) {
      watch(rig.client.callTool({ name }))
      await rig.clock.advance(1000)
      expect(rig.client.state).toBe('ready')
    }
    const third = watch(rig.client.callTool({ name: 'third' }))
    await rig.clock.advance(49)
    expect(rig.client.state).toBe('ready')
    await rig.clock.advance(1)
    expect(isDead(rig)).toBe(true)
    expect(third.error).toMatchObject({ code: 'HEARTBEAT_TIMEOUT', delivery: 'unknown' })
  })

  it('notices a half-open socket though there is always a call that is not answered', async () => {
    const rig = useClient({ heartbeat: { interval: 100, timeout: 50 }, requestTimeout: 1000 })
    await rig.legacy()
    for (let at = 0; at < 3000; at += 400) {
      watch(rig.client.callTool({ name: 'x' }))
      await rig.clock.advance(400)
    }
    expect(rig.states.some(({ closure }) => closure?.kind === 'heartbeat')).toBe(true)
  })

  it('holds its verdict anew after each sign of life', async () => {
    const rig = useClient({ heartbeat: { interval: 100, timeout: 50 }, requestTimeout: 1000 })
    const socket = await rig.legacy()
    for (let n = 0; n < 5; n++) {
      watch(rig.client.callTool({ name: 'x' }))
      await rig.clock.advance(1000)
      socket.deliver({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: n } })
    }
    expect(rig.client.state).toBe('ready')
  })

  it('does not hold its verdict for a call that still waits to be sent', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    watch(rig.client.callTool({ name: 'x' }, { timeout: Infinity }))
    first.drop()
    await rig.relegacy()
    await rig.clock.advance(35_000)
    expect(isDead(rig)).toBe(true)
  })

  it('waits again for calls that were sent again', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    watch(rig.client.request('tools/list', {}, { timeout: Infinity }))
    first.drop()
    await rig.relegacy()
    await rig.clock.advance(100_000)
    expect(rig.client.state).toBe('ready')
  })
})

describe('the heartbeat of a process that slept', () => {
  it('probes once more instead of a verdict', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    await rig.clock.advance(25_000)
    await rig.clock.sleep(3_600_000)
    expect([rig.client.state, socket.pings]).toEqual(['ready', 2])
    await rig.clock.advance(1)
    socket.pong()
    await rig.clock.advance(20_000)
    expect(rig.client.state).toBe('ready')
  })

  it('gives its verdict when that probe gets no response', async () => {
    const rig = useClient()
    await rig.legacy()
    await rig.clock.advance(25_000)
    await rig.clock.sleep(3_600_000)
    await rig.clock.advance(10_000)
    expect(isDead(rig)).toBe(true)
  })

  it('sends one probe, no burst, after a sleep between the probes', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    await rig.clock.sleep(86_400_000)
    expect([rig.client.state, socket.pings]).toEqual(['ready', 1])
    await rig.clock.advance(10_000)
    expect(isDead(rig)).toBe(true)
  })
})

describe('in an engine without pings', () => {
  it('a legacy server is asked by the request ping', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.canPing = false
    await rig.clock.advance(25_000)
    expect(socket.sent.at(-1)).toEqual({ jsonrpc: '2.0', id: 2 ** 31 - 3, method: 'ping' })
    await rig.clock.advance(1)
    socket.respond('ping', {})
    await rig.clock.advance(24_999)
    expect(rig.client.state).toBe('ready')
  })

  it('a modern server is asked by server/discover', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    socket.canPing = false
    await rig.clock.advance(25_000)
    expect(socket.methods).toEqual(['server/discover', 'server/discover'])
    expect(socket.sent[1]?.params?._meta).toHaveProperty(['io.modelcontextprotocol/protocolVersion'], '2026-07-28')
    await rig.clock.advance(10_000)
    expect(isDead(rig)).toBe(true)
  })

  it('an error response is a sign of life, too', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.canPing = false
    await rig.clock.advance(25_000)
    await rig.clock.advance(1)
    socket.respondError('ping', -32601)
    await rig.clock.advance(24_999)
    expect(rig.client.state).toBe('ready')
    expect(rig.errors).toEqual([])
  })

  it('the latency is that of the response to the request', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.canPing = false
    await rig.clock.advance(25_000)
    await rig.clock.advance(7)
    socket.respond('ping', {})
    expect(rig.client.stats().latency).toBe(7)
  })

  it('the probes are no calls: they hold no verdict and are not pending', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.canPing = false
    await rig.clock.advance(25_000)
    expect(rig.client.pendingCount).toBe(0)
    await rig.clock.advance(10_000)
    expect(isDead(rig)).toBe(true)
  })
})

describe('a server that answers no probe, though it speaks,', () => {
  const message = { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'still here' } }

  /** Lets one probe be sent and ignored. */
  async function ignore(rig: Rig, socket: FakeSocket): Promise<void> {
    await rig.clock.advance(25_000)
    await rig.clock.advance(9000)
    socket.deliver(message)
  }

  it('is not given up: the heartbeat falls silent, and says so once', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    await ignore(rig, socket)
    await ignore(rig, socket)
    expect(rig.errors).toEqual([])
    await rig.clock.advance(10 * 60_000)
    expect(socket.pings).toBe(2)
    expect(rig.client.state).toBe('ready')
    expect(rig.errors).toMatchObject([{ code: 'INVALID_RESPONSE', message: expect.stringMatching(/no probe/) as string }])
  })

  it('counts anew after a probe that it answers', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    await ignore(rig, socket)
    await rig.clock.advance(25_000)
    socket.pong()
    await ignore(rig, socket)
    await rig.clock.advance(35_000)
    expect(isDead(rig)).toBe(true)
    expect(rig.errors).toEqual([])
  })

  it('counts anew on the next socket', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    await ignore(rig, socket)
    socket.drop()
    await rig.relegacy()
    await rig.clock.advance(25_000)
    await rig.clock.advance(10_000)
    expect(isDead(rig)).toBe(true)
  })

  it('is not suspected while it works on a call', async () => {
    const rig = useClient({ requestTimeout: Infinity })
    const socket = await rig.legacy()
    const call = watch(rig.client.callTool({ name: 'slow' }))
    for (let round = 0; round < 4; round++) await ignore(rig, socket)
    socket.respond('tools/call', { content: [] })
    await rig.clock.advance(0)
    expect(call.settled).toBe(true)
    await rig.clock.advance(35_000)
    expect(isDead(rig)).toBe(true)
    expect(rig.errors).toEqual([])
  })
})

describe('hints of the page', () => {
  let listeners: Map<string, (event: { readonly persisted?: boolean }) => void>
  const fire = (name: string, event: { readonly persisted?: boolean } = {}): void => listeners.get(name)?.(event)

  beforeEach(() => {
    listeners = new Map()
    vi.stubGlobal('addEventListener', (name: string, listener: () => void) => listeners.set(name, listener))
    vi.stubGlobal('removeEventListener', (name: string) => listeners.delete(name))
  })
  afterEach(() => vi.unstubAllGlobals())

  it('probe at once when the client is ready', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    await rig.clock.advance(1000)
    fire('online')
    await rig.clock.advance(0)
    expect(socket.pings).toBe(1)
  })

  it('probe a little later when the client has just tried the network', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    fire('online')
    await rig.clock.advance(999)
    expect(socket.pings).toBe(0)
    await rig.clock.advance(1)
    expect(socket.pings).toBe(1)
  })

  it('give the connection up after heartbeat.timeout when the network is gone and the server does not respond', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    fire('offline')
    await rig.clock.advance(0)
    expect(socket.pings).toBe(1)
    await rig.clock.advance(9999)
    expect(rig.client.state).toBe('ready')
    await rig.clock.advance(1)
    expect(rig.states.at(-1)).toMatchObject({ to: 'waiting', closure: { kind: 'heartbeat' } })
  })

  it('keep a connection that responds although the page says that the network is gone', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    fire('offline')
    await rig.clock.advance(0)
    socket.pong()
    await rig.clock.advance(20_000)
    expect(rig.client.state).toBe('ready')
  })

  it('dial at once when the client waits', async () => {
    const rig = useClient({ reconnect: { initialDelay: 1000, jitter: false } })
    const socket = await rig.legacy()
    await rig.clock.advance(1000)
    socket.drop()
    fire('online')
    fire('pageshow', { persisted: true })
    await rig.clock.advance(0)
    expect(rig.client.state).toBe('connecting')
    expect(rig.network.dials).toBe(2)
  })

  it('act once in initialDelay, however many come', async () => {
    const rig = useClient({ reconnect: { initialDelay: 1000, jitter: false } })
    const connected = watch(rig.client.connect())
    for (let flap = 0; flap < 50; flap++) {
      fire('online')
      await rig.clock.advance(100)
      const socket = rig.network.sockets.at(-1)
      if (socket?.state === 'dialling') socket.drop()
    }
    expect(rig.network.dials).toBeLessThanOrEqual(6)
    expect(connected.settled).toBe(false)
  })

  it('send one probe in initialDelay, however many come', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    for (let flap = 0; flap < 50; flap++) {
      fire('online')
      if (socket.pings > 0) socket.pong()
      await rig.clock.advance(100)
    }
    expect(socket.pings).toBe(5)
  })

  it('do not shorten a wait that the server asked for', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    await rig.clock.advance(5000)
    socket.drop({ code: 1013, retryAfter: 30_000 })
    fire('online')
    await rig.clock.advance(29_000)
    expect(rig.network.dials).toBe(1)
  })

  it('drop the connection of a page that is frozen, and dial when it comes back', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    await rig.clock.advance(5000)
    fire('pagehide', { persisted: false })
    expect(rig.client.state).toBe('ready')
    fire('pagehide', { persisted: true })
    expect(socket.state).toBe('closed')
    expect(rig.states.at(-1)).toMatchObject({ to: 'waiting', closure: { code: 1001, wasClean: true } })
    fire('pageshow', { persisted: true })
    await rig.clock.advance(0)
    expect(rig.network.dials).toBe(2)
  })

  it('end with the life', async () => {
    const rig = useClient()
    await rig.legacy()
    expect(listeners.size).toBe(4)
    await closeClean(rig)
    expect(listeners.size).toBe(0)
  })
})
