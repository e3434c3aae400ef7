import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { McpWebSocketServer, type ServerTransport } from '../../src/server/index.js'
import { useFaultProxy } from '../faults/kit/fault-proxy.js'
import { serveTransport } from '../helpers/mcp-server.js'
import { until } from '../helpers/until.js'
import { useClient } from '../helpers/use-client.js'
import { closeCode, openPeer, responseTo, sendClose, sendUpgrade } from './raw-peer.js'
import { openSession } from './resume-client.js'
import { bearer, useHeldServer, useServer } from './use-server.js'

describe('V10: close()', () => {
  test('accepts no further connection, lets requests in flight finish, and ends each connection with 1001', async () => {
    const { server, port, held } = await useHeldServer()
    const [idle, busy] = [await openPeer(port), await openPeer(port)]
    busy.send({ id: 1, method: 'hold' })
    await until(() => held[1]!.ids.length === 1, 'the request')
    const closing = server.close()
    expect(server.close()).toBe(closing)
    expect(await closeCode(idle)).toBe(1001)
    sendClose(idle, 1001)
    await idle.gone
    // The port is closed already.
    expect(await dialError(port)).toBe('ECONNREFUSED')
    // The response says that the request was not executed.
    busy.send({ id: 2, method: 'hold' })
    expect((await responseTo(busy, 2)).error).toMatchObject({ code: 10503, data: { retryAfterMs: 1000 } })
    await held[1]!.release(1)
    await responseTo(busy, 1)
    expect(await closeCode(busy)).toBe(1001)
    sendClose(busy, 1001)
    await closing
    expect(server.address()).toBeUndefined()
    expect(server.metrics()).toMatchObject({ connections: 0, requestsInFlight: 0, requestsRejected: { closing: 1 } })
  })

  test('cuts the connections that are left after grace, and frees the port', async () => {
    const { server, port, held } = await useHeldServer()
    const peers = [await openPeer(port), await openPeer(port)]
    for (const peer of peers) peer.send({ id: 1, method: 'hold' })
    await until(() => held.every(({ ids }) => ids.length === 1), 'both requests')
    let closed = 0
    for (const { transport } of held) transport.onclose = () => closed++
    const from = performance.now()
    await server.close({ grace: 50 })
    // Before the 10 s that are usual.
    expect(performance.now() - from).toBeLessThan(9000)
    expect(closed).toBe(2)
    const next = await useServer({ port })
    expect(next.port).toBe(port)
  })

  test('may be called by a callback that it calls', async () => {
    const again: Promise<void>[] = []
    const { server, url, port } = await useServer({
      resume: true,
      onconnection: (transport) => {
        transport.onclose = () => again.push(server.close())
        return transport.start()
      }
    })
    const away = await openSession(url)
    away.ws.terminate()
    await until(() => server.metrics().detachedSessions === 1, 'a session without its client')
    const peer = await openPeer(port)
    const closing = server.close()
    expect(again).toHaveLength(1)
    expect(await closeCode(peer)).toBe(1001)
    sendClose(peer, 1001)
    await closing
    expect(again.every((each) => each === closing)).toBe(true)
  })

  test('hurries when it is called again with a shorter grace', async () => {
    const { server, port, held } = await useHeldServer()
    const peer = await openPeer(port)
    peer.send({ id: 1, method: 'hold' })
    await until(() => held[0]?.ids.length === 1, 'the request')
    const closing = server.close({ grace: Infinity })
    expect(server.close({ grace: 0 })).toBe(closing)
    await closing
    await peer.gone
    expect(server.metrics().connections).toBe(0)
  })

  test.each([NaN, -1, '5'])('rejects a grace of %s, and closes nothing', async (grace) => {
    const { server, port } = await useHeldServer()
    await expect(server.close({ grace: grace as number })).rejects.toThrow(/^grace must be /)
    await openPeer(port)
  })

  test('is what asyncDispose does', async () => {
    const { server } = await useServer()
    await server[Symbol.asyncDispose]()
    expect(server.address()).toBeUndefined()
  })

  test('does not wait for subscriptions', async () => {
    const { server, port } = await useHeldServer()
    const peer = await openPeer(port)
    peer.send({ id: 1, method: 'subscriptions/listen' })
    peer.send({ id: 2, method: 'ping' })
    await responseTo(peer, 2)
    const closing = server.close()
    expect(await closeCode(peer)).toBe(1001)
    sendClose(peer, 1001)
    await closing
  })

  test('rejects upgrades that wait for authenticate with 503', async () => {
    let asked = false
    const { server, port, transports } = await useServer({
      authenticate: () => {
        asked = true
        return new Promise<string>(() => undefined)
      },
      authTimeout: 200
    })
    const peer = await sendUpgrade(port, { headers: bearer('right') })
    await until(() => asked, 'authenticate was called')
    const closing = server.close()
    expect((await peer.response()).status).toBe(503)
    await closing
    expect(transports).toEqual([])
  })

  test('ends a transport that was never started, and a server that never listened', async () => {
    const { server, port } = await useServer({ onconnection: () => undefined })
    const peer = await openPeer(port)
    const closing = server.close()
    expect(await closeCode(peer)).toBe(1001)
    sendClose(peer, 1001)
    await closing
    const other = new McpWebSocketServer({ allowUnauthenticated: true, onconnection: () => undefined })
    await other.close()
    await expect(other.listen()).rejects.toThrow('after close()')
  })

  test('lets our client come back to the next server on that port', async () => {
    const first = await useServer()
    const { client, states } = useClient({ url: first.url, reconnect: { initialDelay: 20 } })
    await client.connect()
    await first.server.close()
    const second = await useServer({ port: first.port })
    await until(() => second.transports.length > 0 && client.state === 'ready', 'the client is back')
    expect(states.find(({ to }) => to === 'waiting')?.closure).toMatchObject({ code: 1001, wasClean: true })
  })

  test.each([false, true])(
    'costs no call of our client that crosses the close frame, and executes none twice (resume: %s)',
    async (resume) => {
      const executed: string[] = []
      const options = {
        resume,
        onconnection: (transport: ServerTransport) => void serveTransport('v2', transport, { onExecuted: (name) => executed.push(name) })
      }
      const first = await useServer(options)
      const proxy = await useFaultProxy(first.port)
      const { client } = useClient({ url: proxy.url, resume, reconnect: { initialDelay: 20 } })
      await client.connect()
      proxy.links[0]?.set('up', { stall: true })
      const call = client.callTool({ name: 'echo', arguments: { message: 'across' } })
      const closing = first.server.close()
      await until(() => client.state !== 'ready', 'the client hears of it')
      proxy.links[0]?.set('up', {})
      await closing
      proxy.target = (await useServer(options)).port
      expect(await call).toMatchObject({ content: [{ text: 'across' }] })
      expect(executed).toEqual(['echo'])
      expect(client.stats()).toMatchObject({ lost: 0, resent: 0 })
    }
  )
})

/** The code of the error with which a dial fails. */
async function dialError(port: number): Promise<string | undefined> {
  const socket = connect(port, '127.0.0.1')
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
  return error.code
}

describe('close() of a transport', () => {
  test.each([
    [undefined, 1000, ''],
    [{ code: 1011, reason: 'the program died' }, 1011, 'the program died'],
    [{ code: 4000 }, 4000, '']
  ])('with %j ends the connection with %i "%s"', async (end, code, reason) => {
    const { url, transports } = await useServer()
    const { client } = useClient({ url, reconnect: false })
    await client.connect()
    const closure = new Promise((resolve) => client.once('state', (change) => resolve(change.closure)))
    await transports[0]?.close(end)
    expect(await closure).toMatchObject({ code, reason })
  })

  test.each([[{ code: 1006 }], [{ code: 999 }], [{ code: 5000 }], [{ code: 3000.5 }], [{ reason: 'x'.repeat(124) }]])(
    'rejects %j, which no close frame can carry',
    async (end) => {
      const { url, transports } = await useServer()
      const { client } = useClient({ url })
      await client.connect()
      await expect(transports[0]?.close(end)).rejects.toThrow(TypeError)
      await expect(client.ping()).resolves.toEqual({})
    }
  )
})
