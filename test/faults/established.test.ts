import { describe, expect, test } from 'vitest'
import { useFaultProxy } from './kit/fault-proxy.js'
import { ask, roundTrip, useLine, type Line } from './kit/line.js'
import { useProgram, useRemoteClient, type RemoteClient } from './kit/program.js'
import { useRawServer, type Dial } from './kit/raw-server.js'
import { acceptDial, closeFrame, frame, OPCODE, textFrame, type RawPeer } from './kit/wire.js'
import { bundle, useChild } from '../helpers/child.js'
import { useWsServer, type Frame, type ServerConnection, type WsServer } from '../helpers/ws-server.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { useClient } from '../helpers/use-client.js'
import { pause } from '../helpers/pause.js'

// What a busy machine may add, in ms; the waits that must not happen are longer by far.
const BUSY = 9000
const QUICK = { initialDelay: 20, maxDelay: 50, jitter: false, maxRetries: Infinity }
const LATE = { initialDelay: 60_000, maxDelay: 60_000, jitter: false }
const STRAIGHT = ['connecting', 'initializing', 'ready']

const pathOf = ({ states }: { readonly states: readonly { readonly to: string }[] }): string[] => states.map(({ to }) => to)

const HELLO = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'site', version: '1' } }
const DONE = { content: [{ type: 'text', text: 'done' }] }

/** A real server whose tool calls the test answers by hand. */
interface Site extends WsServer {
  /** Pings that came so far. */
  readonly pings: number
  /** Waits until a request of this method is there. */
  next(method: string): Promise<Frame>
  /** Answers it on the latest connection. */
  respond(request: Frame): void
}

/** @param onPing - Answers a ping, in place of the server. */
async function useSite(options: { readonly port?: number; readonly onPing?: (connection: ServerConnection) => void } = {}): Promise<Site> {
  const { port = 0, onPing } = options
  let pings = 0
  const server = await useWsServer(
    (connection) => {
      connection.socket.on('message', (data: Buffer) => {
        const { id, method } = JSON.parse(data.toString()) as Frame
        if (method === 'initialize') connection.send({ id, result: HELLO })
      })
      connection.socket.on('ping', () => {
        pings++
        onPing?.(connection)
      })
    },
    { port, autoPong: onPing === undefined }
  )
  const latest = (): ServerConnection | undefined => server.connections.at(-1)
  return {
    ...server,
    get pings() {
      return pings
    },
    next: async (method) => {
      const find = (): Frame | undefined => latest()?.received.find((each) => each.method === method)
      await until(() => find() !== undefined, `${method} arrives`)
      return find()!
    },
    respond: ({ id }) => latest()?.send({ id, result: DONE })
  }
}

describe('a connection that breaks in the middle of a frame', () => {
  test.each<[string, (dial: Dial) => void]>([
    ['RST', ({ socket }) => socket.resetAndDestroy()],
    ['FIN', ({ socket }) => socket.end()]
  ])('H4: by %s is 1006: calls end with delivery unknown, safe requests are repeated, the part is never seen', async (_what, end) => {
    const peers: RawPeer[] = []
    const server = await useRawServer((dial) => {
      const peer = acceptDial(dial)
      peer.serveHandshake()
      peers.push(peer)
    })
    const { client, states, errors, notifications } = useClient({ url: server.url, protocol: 'legacy', reconnect: QUICK, closeTimeout: 10 })
    await client.connect()
    const call = rejectionOf(client.callTool({ name: 'x' }))
    const list = client.listTools()
    await peers[0]!.next('tools/list')
    peers[0]!.write(textFrame({ method: 'notifications/message', params: { level: 'info', data: 1 } }, { claims: 5000 }))
    end(server.dials[0]!)
    expect(await call).toMatchObject({ name: 'ConnectionLostError', code: 'CONNECTION_LOST', delivery: 'unknown' })
    expect(states.find(({ to }) => to === 'waiting')).toMatchObject({ closure: { kind: 'close', code: 1006, wasClean: false }, delay: 20 })
    await until(() => peers.length === 2, 'the client dials again')
    const { id } = await peers[1]!.next('tools/list')
    peers[1]!.write(textFrame({ id, result: { tools: [] } }))
    expect(await list).toEqual({ tools: [] })
    expect([errors, notifications.filter(({ params }) => params?.data === 1)]).toEqual([[], []])
  })

  const HEARTBEAT = { heartbeat: { interval: 60, timeout: 60 }, reconnect: LATE }

  test('H5: by a stall is noticed by the heartbeat', async () => {
    const line = await useLine(HEARTBEAT)
    line.peer.write(textFrame('{"jsonrpc"', { claims: 5000 }))
    await until(() => line.client.state === 'waiting', 'the stall is noticed')
    expect(line.states.at(-1)).toMatchObject({ closure: { kind: 'heartbeat', wasClean: false } })
    expect(line.peer.frames.some(({ opcode }) => opcode === OPCODE.ping)).toBe(true)
    expect([line.errors, line.notifications]).toEqual([[], []])
  })

  test('H5: by no more than a slow server is not broken: every byte is life', async () => {
    const line = await useLine({ heartbeat: { interval: 60, timeout: 300 } })
    const bytes = textFrame({ method: 'notifications/message', params: { level: 'info', data: 'x'.repeat(100) } })
    for (let start = 0; start < bytes.length; start += 10) {
      line.peer.write(bytes.subarray(start, start + 10))
      await pause(40)
    }
    await until(() => line.notifications.length === 1, 'the message arrives')
    expect(pathOf(line)).toEqual(STRAIGHT)
  })
})

describe('the heartbeat on real sockets', () => {
  test('a server that one long call blocks is not given up: its process answers no ping meanwhile', async () => {
    const server = await useProgram('server')
    const port = (await server.ask('listen', '127.0.0.1')) as number
    const observed = useClient({ url: `ws://127.0.0.1:${String(port)}/ws`, protocol: 'legacy', heartbeat: { interval: 100, timeout: 100 } })
    const { client } = observed
    await client.connect()
    expect(await client.callTool({ name: 'x', arguments: { message: 'done', blockFor: 800 } })).toEqual(DONE)
    expect(await client.callTool({ name: 'x', arguments: { message: 'done' } })).toEqual(DONE)
    expect(await server.ask('pings')).toBeGreaterThanOrEqual(1)
    expect(pathOf(observed)).toEqual(STRAIGHT)
  })

  test('a server that reads nothing while it works on a call is not given up', async () => {
    const site = await useSite()
    const observed = useClient({ url: site.url, protocol: 'legacy', heartbeat: { interval: 50, timeout: 50 } })
    const { client } = observed
    await client.connect()
    const call = client.callTool({ name: 'x' })
    const request = await site.next('tools/call')
    const { socket } = site.connections[0]!
    socket.pause()
    await pause(500)
    expect(site.pings).toBe(0)
    site.respond(request)
    expect(await call).toEqual(DONE)
    socket.resume()
    await until(() => site.pings > 0, 'the probe is read')
    expect(pathOf(observed)).toEqual(STRAIGHT)
  })

  test('a half-open socket under a call is noticed within the timeout of the call, interval and timeout', async () => {
    const [timeout, interval] = [200, 100]
    const site = await useSite()
    const proxy = await useFaultProxy(site.port)
    const observed = useClient({ url: proxy.url, protocol: 'legacy', heartbeat: { interval, timeout: interval }, reconnect: LATE })
    const { client, states } = observed
    await client.connect()
    const begun = performance.now()
    const call = rejectionOf(client.callTool({ name: 'x' }, { timeout }))
    await site.next('tools/call')
    proxy.links[0]!.blackhole()
    expect(await call).toMatchObject({ code: 'REQUEST_TIMEOUT', delivery: 'unknown' })
    await until(() => client.state === 'waiting', 'the silence is noticed')
    expect(states.at(-1)).toMatchObject({ closure: { kind: 'heartbeat' } })
    expect(performance.now() - begun).toBeGreaterThanOrEqual(timeout)
    expect(performance.now() - begun).toBeLessThan(timeout + interval + interval + BUSY)
  })

  const pingsOf = ({ peer }: Line): number => peer.frames.filter(({ opcode }) => opcode === OPCODE.ping).length
  const talk = ({ peer }: Line): void => peer.write(textFrame({ method: 'notifications/message', params: { level: 'info', data: 'hi' } }))

  test('a server that never answers a probe, but speaks, is asked no more and kept; one error tells', async () => {
    const line = await useLine({ heartbeat: { interval: 60, timeout: 60 } })
    for (const probe of [1, 2]) {
      await until(() => pingsOf(line) === probe, 'a probe comes')
      talk(line)
    }
    await until(() => line.errors.length > 0, 'the client warns')
    await pause(400)
    expect([line.errors.length, pingsOf(line)]).toEqual([1, 2])
    await roundTrip(line)
    expect(pathOf(line)).toEqual(STRAIGHT)
  })

  test('a response that takes longer than interval does not put off the next probe', async () => {
    const line = await useLine({ heartbeat: { interval: 50, timeout: 10_000 } })
    await until(() => pingsOf(line) === 1, 'a probe comes')
    await pause(150)
    line.peer.write(frame(OPCODE.pong, ''))
    await until(() => pingsOf(line) === 2, 'the next one comes', 5000)
  })

  test('H26: the response to an older ping is life, and no more: it neither measures nor holds the newer one', async () => {
    const interval = 100
    const line = await useLine({ heartbeat: { interval, timeout: 300 }, reconnect: LATE })
    const nth = async (n: number): Promise<Buffer> => {
      await until(() => pingsOf(line) === n, 'a ping comes')
      return line.peer.frames.filter(({ opcode }) => opcode === OPCODE.ping)[n - 1]!.data
    }
    const older = await nth(1)
    talk(line)
    await nth(2)
    line.peer.write(frame(OPCODE.pong, older))
    await roundTrip(line)
    expect(line.client.stats().latency ?? Infinity).toBeGreaterThanOrEqual(interval)
    await until(() => line.client.state === 'waiting', 'the silence is noticed')
    expect(line.states.at(-1)).toMatchObject({ closure: { kind: 'heartbeat' } })
  })
})

test('H25: a server that responds before it closes with 1001: its responses count, the rest is unknown, the dial waits', async () => {
  const line = await useLine({ reconnect: QUICK })
  const { asked: first, id } = await ask(line)
  const { asked: second } = await ask(line)
  const reconnected = nextEvent(line.client, 'reconnected')
  line.peer.write(textFrame({ id, result: { n: 1 } }), closeFrame(1001, 'drain'))
  expect(await first).toEqual({ n: 1 })
  expect(await rejectionOf(second)).toMatchObject({ code: 'CONNECTION_LOST', delivery: 'unknown' })
  expect(line.states.at(-1)).toMatchObject({ to: 'waiting', delay: 20, closure: { code: 1001, reason: 'drain', wasClean: true } })
  await reconnected
  expect(line.dialCount).toBe(2)
})

// Short settings, and a sleep that is longer than each of them by more than a second.
const SLEEPER = { protocol: 'legacy', requestTimeout: 1000, heartbeat: { interval: 500, timeout: 500 }, reconnect: QUICK } as const
const SLEEP = 2300

/** A client in a process of its own that is ready on this server. */
async function useReadyRemote(url: string): Promise<RemoteClient> {
  const client = await useRemoteClient()
  await client.open({ url, ...SLEEPER })
  await client.connect()
  return client
}

/** Calls a tool, which is answered at once. */
async function stillServes(client: RemoteClient, site: Site): Promise<void> {
  const call = client.callTool({ name: 'x' })
  site.respond(await site.next('tools/call'))
  expect(await call).toEqual(DONE)
}

describe('a process that slept', () => {
  async function sleep(clients: readonly RemoteClient[], meanwhile: () => unknown): Promise<void> {
    for (const { pid } of clients) process.kill(pid, 'SIGSTOP')
    try {
      await meanwhile()
      await pause(SLEEP)
    } finally {
      for (const { pid } of clients) process.kill(pid, 'SIGCONT')
    }
  }

  test('H14: has the response that came meanwhile, or goes on idle: no timeout, at most one probe, no reconnect', async () => {
    const [site, idleSite] = await Promise.all([useSite(), useSite()])
    const [client, idle] = await Promise.all([useReadyRemote(site.url), useReadyRemote(idleSite.url)])
    const call = client.callTool({ name: 'x' })
    const request = await site.next('tools/call')
    await sleep([client, idle], () => site.respond(request))
    const before = [site.pings, idleSite.pings]
    expect(await call).toEqual(DONE)
    await pause(200)
    expect(site.pings - before[0]!).toBeLessThanOrEqual(1)
    expect(idleSite.pings - before[1]!).toBeLessThanOrEqual(1)
    await stillServes(idle, idleSite)
    expect([pathOf(client), pathOf(idle)]).toEqual([STRAIGHT, STRAIGHT])
  })

  test('H14: while its server was restarted learns of the loss, not of a timeout, and dials once', async () => {
    const site = await useSite()
    const client = await useReadyRemote(site.url)
    const call = rejectionOf(client.callTool({ name: 'x' }))
    const list = client.run('listTools')
    await site.next('tools/list')
    let next: Site | undefined
    await sleep([client], async () => {
      await site.close()
      next = await useSite({ port: site.port })
    })
    expect(await call).toMatchObject({ name: 'ConnectionLostError', code: 'CONNECTION_LOST', delivery: 'unknown' })
    const { id } = await next!.next('tools/list')
    next!.connections[0]!.send({ id, result: { tools: [] } })
    expect(await list).toEqual({ tools: [] })
    await pause(200)
    expect(next!.connections).toHaveLength(1)
    expect(pathOf(client)).toEqual([...STRAIGHT, 'waiting', ...STRAIGHT])
    expect(client.states[3]).toMatchObject({ closure: { kind: 'close', code: 1006 } })
  })
})

describe('a wall clock that jumps', () => {
  const HOURS = 7_200_000

  test.each([
    ['forward', HOURS],
    ['back', -HOURS]
  ])('H15: by two hours %s changes nothing, with a pending call and without', async (_where, by) => {
    const site = await useSite()
    const client = await useRemoteClient()
    await client.open({ url: site.url, protocol: 'legacy', heartbeat: { interval: 100, timeout: 5000 }, requestTimeout: 60_000 })
    await client.connect()
    await client.ask('jump', by)
    await until(() => site.pings >= 2, 'the probes go on')
    const call = client.callTool({ name: 'x' })
    const request = await site.next('tools/call')
    await client.ask('jump', -by)
    const before = site.pings
    await until(() => site.pings >= before + 2, 'the probes go on')
    site.respond(request)
    expect(await call).toEqual(DONE)
    expect(pathOf(client)).toEqual(STRAIGHT)
  })

  test.each([
    ['forward', HOURS],
    ['back', -HOURS]
  ])('H15: by two hours %s neither shortens nor stretches the wait for the next dial', async (_where, by) => {
    const site = await useSite()
    const client = await useRemoteClient()
    const delay = 400
    await client.open({ url: site.url, protocol: 'legacy', reconnect: { initialDelay: delay, jitter: false } })
    await client.connect()
    site.connections[0]!.socket.terminate()
    await until(() => client.states.at(-1)?.to === 'waiting', 'the loss is noticed')
    await client.ask('jump', by)
    await until(() => client.states.length === 7, 'the client is back')
    const [waiting, dialling] = client.states.slice(3)
    // The change is told a little after the timer was set.
    expect(dialling!.at - waiting!.at).toBeGreaterThanOrEqual(delay / 2)
    expect(dialling!.at - waiting!.at).toBeLessThan(delay + BUSY)
  })
})

describe('a program that blocks its event loop', () => {
  test.each([
    ['seconds', SLEEP],
    ['a little longer than timeout', SLEEPER.heartbeat.timeout + 400]
  ])('H16: for %s loses no response that came meanwhile, neither to a call nor to a probe, and no connection', async (_what, ms) => {
    let blocked: Promise<unknown> | undefined
    const idleSite = await useSite({
      onPing: ({ socket }) => {
        if (blocked) return socket.pong()
        blocked = idle.ask('block', ms)
        // The response waits in the socket while nobody reads it.
        setTimeout(() => socket.pong(), 100)
      }
    })
    const site = await useSite()
    const [client, idle] = await Promise.all([useReadyRemote(site.url), useReadyRemote(idleSite.url)])
    const call = client.callTool({ name: 'x' })
    const request = await site.next('tools/call')
    const block = client.ask('block', ms)
    setTimeout(() => site.respond(request), 100)
    await until(() => blocked !== undefined, 'a probe comes')
    await Promise.all([block, blocked])
    const before = idleSite.pings
    expect(await call).toEqual(DONE)
    await pause(200)
    expect(idleSite.pings - before).toBeLessThanOrEqual(1)
    await stillServes(idle, idleSite)
    expect([pathOf(client), pathOf(idle)]).toEqual([STRAIGHT, STRAIGHT])
  })
})

describe('close()', () => {
  type Serve = (dial: Dial) => void

  const serveHandshake: Serve = (dial) => acceptDial(dial).serveHandshake()
  /** Does this when the client's close frame comes. */
  const onClose =
    (act: (dial: Dial, peer: RawPeer) => void): Serve =>
    (dial) => {
      const peer = acceptDial(dial)
      peer.serveHandshake()
      const isClosing = (): boolean => peer.frames.some(({ opcode }) => opcode === OPCODE.close)
      void until(isClosing, 'the client closes').then(() => act(dial, peer))
    }

  // closeTimeout of the program is 200 ms.
  test.each<[string, string, Serve, number]>([
    ['idle', 'idle', () => undefined, 0],
    ['connecting, to a server that answers no dial', 'connecting', () => undefined, 0],
    ['initializing, with a server that says nothing', 'initializing', (dial) => acceptDial(dial), 199],
    ['ready, with a server that says goodbye', 'ready', onClose(({ socket }, peer) => (peer.write(closeFrame(1000)), socket.end())), 0],
    ['H23: ready, with a server that half-closes and says nothing', 'ready', onClose(({ socket }) => socket.end()), 0],
    ['H23: ready, with a server that does nothing', 'ready', serveHandshake, 199],
    ['waiting', 'waiting', ({ socket }) => socket.destroy(), 0],
    ['closing, with a call in flight', 'closing', serveHandshake, 0],
    ['failed', 'failed', ({ socket }) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'), 0]
  ])('settles within closeTimeout, and the process ends by itself: %s', async (_what, state, serve, atLeast) => {
    const server = await useRawServer(serve)
    const child = useChild(await bundle(new URL('./programs/closing.ts', import.meta.url)), [state, server.url])
    const { took, ...rest } = JSON.parse(await child.nextLine()) as { took: number }
    const closedAt = performance.now()
    expect(rest).toEqual({ from: state, to: 'closed', pending: 0 })
    expect(took).toBeGreaterThanOrEqual(atLeast)
    expect(took).toBeLessThan(200 + BUSY)
    expect(await child.gone).toBe(0)
    expect(performance.now() - closedAt).toBeLessThan(BUSY)
    expect(child.complaints).toBe('')
  })
})
