import { describe, expect, test } from 'vitest'
import { bundle, useChild } from '../helpers/child.js'
import { until } from '../helpers/until.js'
import { openPeer, responseTo, upgrade } from './raw-peer.js'
import { useHeldServer, useServer } from './use-server.js'

describe('V15: a flood of requests', () => {
  test('gets an error that says when to try again, and never reaches the MCP server', async () => {
    const { port, held, server } = await useHeldServer({ maxInFlight: 10 })
    const peer = await openPeer(port)
    for (let id = 1; id <= 50; id++) peer.send({ id, method: 'hold' })
    await until(() => peer.messages().length === 40, '40 errors')
    expect(held[0]!.ids).toHaveLength(10)
    for (const { error } of peer.messages()) expect(error).toMatchObject({ code: 10429, data: { retryAfterMs: 1000 } })
    expect(server.metrics()).toMatchObject({ requestsInFlight: 10, requestsRejected: { busy: 40 } })
    await held[0]!.release(3)
    peer.send({ id: 51, method: 'ping' })
    expect(await responseTo(peer, 51)).toMatchObject({ result: {} })
  })

  test('does not keep the server from other clients: they get their responses while it goes on', async () => {
    const { port, server } = await useHeldServer({ maxInFlight: 10 })
    const other = await openPeer(port)
    const flooder = useChild(await bundle(new URL('./flooder.ts', import.meta.url)), [String(port)])
    const rejected = (): number => server.metrics().requestsRejected.busy
    await until(() => rejected() > 0, 'the flood')
    for (let id = 1; id <= 100; id++) {
      const before = rejected()
      other.send({ id, method: 'ping' })
      expect(await responseTo(other, id)).toMatchObject({ result: {} })
      if (id % 10 === 0) await until(() => rejected() > before, 'the flood goes on')
    }
    await flooder.kill()
  })

  test('that is cancelled leaves its places to others', async () => {
    const { port, held, server } = await useHeldServer({ maxInFlight: 1 })
    const peer = await openPeer(port)
    peer.send({ id: 1, method: 'hold' })
    peer.send({ method: 'notifications/cancelled', params: { requestId: 1 } })
    peer.send({ id: 2, method: 'hold' })
    await until(() => held[0]!.ids.length === 2, 'the second request')
    expect(server.metrics().requestsInFlight).toBe(1)
  })

  test('of subscriptions leaves its places to others when the server ends them, while its other cancellations do not', async () => {
    const { port, transports, server } = await useServer({ maxInFlight: 2, onconnection: (transport) => transport.start() })
    const peer = await openPeer(port)
    peer.send({ id: 1, method: 'subscriptions/listen' })
    peer.send({ id: 2, method: 'hold' })
    await until(() => server.metrics().requestsInFlight === 2, 'both requests')
    const cancel = (requestId: number) => transports[0]!.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } })
    await cancel(2)
    expect(server.metrics().requestsInFlight).toBe(2)
    await cancel(1)
    expect(server.metrics().requestsInFlight).toBe(1)
    peer.send({ id: 1, method: 'subscriptions/listen' })
    await until(() => server.metrics().requestsInFlight === 2, 'the next one')
    expect(server.metrics().requestsRejected).toEqual({ busy: 0, duplicate: 0, closing: 0 })
  })

  test('S15: of connections is rejected with 503, before authenticate is called', async () => {
    let asked = 0
    const { port, server } = await useServer({
      maxConnections: 2,
      authenticate: () => {
        asked++
        return 'ada'
      }
    })
    const peers = [await openPeer(port), await openPeer(port)]
    const { status, headers } = await upgrade(port)
    expect([status, headers['retry-after'], asked]).toEqual([503, '5', 2])
    peers[0]!.socket.destroy()
    await until(() => server.metrics().connections === 1, 'one has left')
    expect((await upgrade(port)).status).toBe(101)
  })
})
