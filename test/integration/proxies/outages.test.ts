import { expect, test } from 'vitest'
import type { StateChange } from '../../../src/index.js'
import { useRawServer } from '../../faults/kit/raw-server.js'
import { serveMcp } from '../../helpers/mcp-server.js'
import { useWsServer, type WsServer } from '../../helpers/ws-server.js'
import { nextEvent } from '../../helpers/next-event.js'
import { rejectionOf } from '../../helpers/rejection-of.js'
import { until } from '../../helpers/until.js'
import { useClient, type Observed } from '../../helpers/use-client.js'
import { describeProxy, quietPort, useProxy, type Proxy, type ProxyName } from './use-proxy.js'

// A proxy without its server, an idle limit, and proxies that are reloaded, ended and started again.

const QUICK = { initialDelay: 20, maxDelay: 40, jitter: false, maxRetries: Infinity }

/** An idle limit in ms, and a heartbeat below it that leaves a margin for a busy machine. */
const IDLE = 1500
const BEATING = { interval: 100, timeout: 10_000 }

const ROOTS = { roots: [{ uri: 'file:///project' }] }

/** What a proxy says for a server that it cannot reach. */
const DEAD_STATUS: Readonly<Record<ProxyName, number>> = { nginx: 502, haproxy: 503, caddy: 502 }

/** The proxies that have an idle limit, and leave open connections alone as long as they can. */
const PATIENT = ['nginx', 'haproxy'] as const

const RETRY_AFTER: Readonly<Record<(typeof PATIENT)[number], string>> = {
  nginx: 'add_header Retry-After 7 always',
  haproxy: 'http-after-response set-header Retry-After 7'
}

/** How a connection ends when its proxy does. */
const CUT: Readonly<Record<ProxyName, object>> = {
  nginx: { code: 1006, wasClean: false },
  haproxy: { code: 1006, wasClean: false },
  caddy: { code: 1001, wasClean: true }
}

const CUT_OFF: Readonly<Record<(typeof PATIENT)[number], string>> = {
  nginx: 'worker_shutdown_timeout 100ms',
  haproxy: 'hard-stop-after 100ms'
}

const waits = (states: readonly StateChange[]): StateChange[] => states.filter(({ to }) => to === 'waiting')

const path = (states: readonly StateChange[]): string[] => states.map(({ to }) => to)

/** With which configuration each connection reached the server. */
const generations = (server: WsServer): unknown[] => server.connections.map(({ request }) => request.headers['x-generation'])

/** A tool call that the server has begun and does not respond to; resolves with a promise of its rejection. */
function begin({ client }: Observed): Promise<{ readonly rejection: Promise<unknown> }> {
  return new Promise((resolve) => {
    const rejection = rejectionOf(client.callTool({ name: 'hold' }, { onprogress: () => resolve({ rejection }) }))
  })
}

interface Through extends Observed {
  readonly server: WsServer
  readonly proxy: Proxy
}

/** A client that is ready, behind a proxy. The server of the first connection answers no `resources/read` of `test://held`. */
async function useThrough(name: ProxyName): Promise<Through> {
  let accepted = 0
  const server = await useWsServer(({ socket }) => serveMcp('v2', socket, { hold: ++accepted === 1 }))
  const proxy = await useProxy(name, { upstream: server.port })
  const observed = useClient({ url: proxy.url, reconnect: QUICK })
  await observed.client.connect()
  return { ...observed, server, proxy }
}

for (const name of ['nginx', 'haproxy', 'caddy'] as const)
  describeProxy(name, () => {
    test(`N18: a proxy without its server answers ${String(DEAD_STATUS[name])}, is dialled by the policy, and the client is ready once the server is up`, async () => {
      const upstream = await quietPort()
      const proxy = await useProxy(name, { upstream })
      const { client, states } = useClient({ url: proxy.url, reconnect: QUICK })
      const third = nextEvent(client, 'state', ({ to, attempt }) => to === 'waiting' && attempt === 4)
      const connected = client.connect()
      // A dial that fails for good ends the wait, too.
      await Promise.race([third, connected])
      await useWsServer(({ socket }) => serveMcp('v2', socket), { port: upstream })
      await connected
      expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo')
      expect(
        waits(states)
          .slice(0, 3)
          .map(({ delay }) => delay)
      ).toEqual([20, 40, 40])
      const status = DEAD_STATUS[name]
      for (const { closure } of waits(states))
        expect(closure).toMatchObject({
          kind: 'http',
          status,
          everReady: false,
          error: { code: 'UNEXPECTED_STATUS', status, retryable: true, delivery: 'not-sent' }
        })
    })

    test('N18: a server that says nothing to the proxy is a 504, and is dialled again', async () => {
      const silent = await useRawServer(() => undefined)
      const proxy = await useProxy(name, { upstream: silent.port, idle: 200 })
      const { client } = useClient({ url: proxy.url, reconnect: QUICK })
      const second = nextEvent(client, 'state', ({ to, attempt }) => to === 'waiting' && attempt === 3)
      const failure = rejectionOf(client.connect())
      const error = {
        code: 'UNEXPECTED_STATUS',
        retryable: true,
        hint: expect.stringContaining('no answer from the server behind it') as unknown
      }
      expect((await second).closure).toMatchObject({ kind: 'http', status: 504, error })
      await client.close()
      expect(await failure).toMatchObject({ code: 'CLOSED' })
    })

    test('H13: a proxy that is stopped and started again: the client comes back by itself, a safe request is answered, a tool call is lost', async () => {
      const session = await useThrough(name)
      const { client, states, proxy, server } = session
      const read = client.readResource({ uri: 'test://held' })
      const call = await begin(session)
      const waiting = nextEvent(client, 'state', ({ to }) => to === 'waiting')
      const failed = nextEvent(client, 'state', ({ to, closure }) => to === 'waiting' && closure.kind === 'network')
      const reconnected = nextEvent(client, 'reconnected')
      await proxy.stop()
      expect(await waiting).toMatchObject({ from: 'ready', closure: { kind: 'close', ...CUT[name], everReady: true } })
      expect(await call.rejection).toMatchObject({ name: 'ConnectionLostError', code: 'CONNECTION_LOST', delivery: 'unknown' })
      expect((await failed).closure).toMatchObject({ error: { code: 'CONNECT_FAILED', cause: { code: 'ECONNREFUSED' } } })
      expect(client).toMatchObject({ pendingCount: 1, queuedCount: 1 })
      await proxy.start()
      expect(await read).toMatchObject({ contents: [{ text: 'content of test://held' }] })
      expect(await reconnected).toMatchObject({ resent: 1, lost: 1, serverChanged: false })
      expect(path(states).slice(-3)).toEqual(['connecting', 'initializing', 'ready'])
      expect(server.connections).toHaveLength(2)
    })
  })

for (const name of PATIENT)
  describeProxy(name, () => {
    test('N18: a Retry-After of the proxy sets the delay', async () => {
      const proxy = await useProxy(name, { upstream: await quietPort(), lines: [RETRY_AFTER[name]] })
      const { client } = useClient({ url: proxy.url, reconnect: QUICK })
      const waiting = nextEvent(client, 'state', ({ to }) => to === 'waiting')
      const failure = rejectionOf(client.connect())
      const { closure, delay } = await waiting
      expect(closure).toMatchObject({ status: DEAD_STATUS[name], retryAfter: 7000 })
      expect(delay).toBeGreaterThanOrEqual(7000)
      await client.close()
      await failure
    })

    test('H11: an idle limit never cuts a connection whose heartbeat is quicker, with or without a call; without a heartbeat it is cut with 1006 and comes back', async () => {
      const server = await useWsServer(({ socket }) => serveMcp('v2', socket))
      const proxy = await useProxy(name, { upstream: server.port, idle: IDLE })
      const use = (heartbeat: false | { interval: number; timeout: number }): Observed =>
        useClient({ url: proxy.url, heartbeat, reconnect: QUICK })
      const [idle, calling, quiet] = [use(BEATING), use(BEATING), use(false)]
      await Promise.all([idle, calling, quiet].map(({ client }) => client.connect()))
      const call = await begin(calling)
      // The one without a heartbeat tells the time.
      await until(() => waits(quiet.states).length === 2, 'the quiet connection is cut twice')
      for (const { closure } of waits(quiet.states))
        expect(closure).toMatchObject({ kind: 'close', code: 1006, wasClean: false, everReady: true })
      expect((await quiet.client.listTools()).tools.map(({ name }) => name)).toContain('echo')
      for (const { client, states } of [idle, calling]) {
        expect(path(states)).toEqual(['connecting', 'initializing', 'ready'])
        expect(client.stats().attempts).toBe(1)
      }
      expect(calling.client.pendingCount).toBe(1)
      await calling.client.close()
      expect(await call.rejection).toMatchObject({ code: 'CLOSED' })
    })

    test('H11: a call to a server that answers no probe while it works is not cut by the idle limit', async () => {
      const server = await useWsServer(({ socket }) => serveMcp('v2', socket), { autoPong: false })
      const proxy = await useProxy(name, { upstream: server.port, idle: IDLE })
      const calling = useClient({ url: proxy.url, heartbeat: { interval: 200, timeout: 200 }, reconnect: QUICK })
      const quiet = useClient({ url: proxy.url, heartbeat: false, reconnect: QUICK })
      await calling.client.connect()
      const call = await begin(calling)
      await quiet.client.connect()
      await until(() => waits(quiet.states).length === 2, 'the quiet connection is cut twice')
      expect(path(calling.states)).toEqual(['connecting', 'initializing', 'ready'])
      await calling.client.close()
      expect(await call.rejection).toMatchObject({ code: 'CLOSED' })
    })

    test('H12: a reload leaves an open connection alone and a call in flight completes; new dials meet the new settings', async () => {
      // A server of SDK v1 asks the client in the middle of the call.
      const server = await useWsServer(({ socket }) => serveMcp('v1', socket))
      const proxy = await useProxy(name, { upstream: server.port, generation: 1 })
      const { client, states } = useClient({ url: proxy.url, reconnect: QUICK, capabilities: { roots: {} } })
      let release: () => void = () => undefined
      const asked = new Promise<void>((resolve) => {
        client.setRequestHandler('roots/list', async () => {
          resolve()
          await new Promise<void>((go) => {
            release = go
          })
          return ROOTS
        })
      })
      await client.connect()
      const call = client.callTool({ name: 'roots' })
      await asked
      await proxy.reload({ upstream: server.port, generation: 2 })
      const newcomer = useClient({ url: proxy.url })
      await newcomer.client.connect()
      release()
      expect((await call).content).toEqual([{ type: 'text', text: JSON.stringify(ROOTS) }])
      expect(generations(server)).toEqual(['1', '2'])
      expect(path(states)).toEqual(['connecting', 'initializing', 'ready'])
    })

    test('H12: a reload that cuts old connections off after a time is a loss, and the client comes back under the new settings', async () => {
      const server = await useWsServer(({ socket }) => serveMcp('v2', socket))
      const settings = { upstream: server.port, globalLines: [CUT_OFF[name]] }
      const proxy = await useProxy(name, { ...settings, generation: 1 })
      const observed = useClient({ url: proxy.url, reconnect: QUICK })
      const { client, states } = observed
      await client.connect()
      const call = await begin(observed)
      const reconnected = nextEvent(client, 'reconnected')
      await proxy.reload({ ...settings, generation: 2 })
      expect(await reconnected).toMatchObject({ attempts: 1, lost: 1, serverChanged: false })
      expect(await call.rejection).toMatchObject({ name: 'ConnectionLostError', code: 'CONNECTION_LOST', delivery: 'unknown' })
      expect(waits(states)).toMatchObject([{ closure: { kind: 'close', code: 1006 } }])
      expect(generations(server)).toEqual(['1', '2'])
    })

    test('H13: a proxy that is told to finish serves open connections on, accepts no new ones, and ends after the last', async () => {
      const { client, states, proxy } = await useThrough(name)
      await proxy.finish()
      const newcomer = useClient({ url: proxy.url, reconnect: false })
      expect(await rejectionOf(newcomer.client.connect())).toMatchObject({ code: 'CONNECT_FAILED' })
      expect((await client.callTool({ name: 'echo', arguments: { message: 'still here' } })).content).toMatchObject([
        { text: 'still here' }
      ])
      expect(path(states)).toEqual(['connecting', 'initializing', 'ready'])
      await client.close()
      await until(() => proxy.isGone, 'the proxy ends')
    })
  })

describeProxy('caddy', () => {
  test('H12: a reload closes open connections with 1001, and the client comes back under the new settings', async () => {
    const server = await useWsServer(({ socket }) => serveMcp('v2', socket))
    const proxy = await useProxy('caddy', { upstream: server.port, generation: 1 })
    const observed = useClient({ url: proxy.url, reconnect: QUICK })
    const { client, states } = observed
    await client.connect()
    const call = await begin(observed)
    const reconnected = nextEvent(client, 'reconnected')
    await proxy.reload({ upstream: server.port, generation: 2 })
    expect(await reconnected).toMatchObject({ attempts: 1, lost: 1, serverChanged: false })
    expect(await call.rejection).toMatchObject({ code: 'CONNECTION_LOST', delivery: 'unknown' })
    expect(waits(states)).toMatchObject([{ closure: { kind: 'close', ...CUT.caddy } }])
    expect(generations(server)).toEqual(['1', '2'])
  })
})
