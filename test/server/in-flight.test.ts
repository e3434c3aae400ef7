import { describe, expect, test } from 'vitest'
import { InFlight } from '../../src/server/in-flight.js'
import { serveTransport } from '../helpers/mcp-server.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { useClient } from '../helpers/use-client.js'
import { openPeer, responseTo } from './raw-peer.js'
import { useHeldServer, useServer } from './use-server.js'

describe('V9: the response of a handler that is still running when its client leaves', () => {
  test('goes to no other client', async () => {
    const { port, held, server } = await useHeldServer()
    const [first, second] = [await openPeer(port), await openPeer(port)]
    first.send({ id: 1, method: 'hold' })
    second.send({ id: 1, method: 'hold' })
    await until(() => held.every(({ ids }) => ids.length === 1), 'both requests')
    first.socket.destroy()
    await until(() => server.metrics().connections === 1, 'the first has left')
    expect(server.metrics().requestsInFlight).toBe(1)
    await expect(held[0]!.release(1)).rejects.toMatchObject({ code: 'CLOSED' })
    second.send({ id: 2, method: 'ping' })
    await responseTo(second, 2)
    expect(second.messages()).toHaveLength(1)
    await held[1]!.release(1)
    await responseTo(second, 1)
  })

  test.each(['v1', 'v2'] as const)('is not awaited: SDK %s aborts the handler', async (sdk) => {
    const aborted: string[] = []
    const { url } = await useServer({
      onconnection: (transport) => void serveTransport(sdk, transport, { onAborted: (name) => aborted.push(name) })
    })
    const { client } = useClient({ url })
    await client.connect()
    const called = rejectionOf(client.callTool({ name: 'hold' }, { onprogress: () => void client.close() }))
    expect(await called).toMatchObject({ name: 'ClosedError' })
    await until(() => aborted.length === 1, 'the handler was aborted')
  })
})

test('listens count as in flight, but not as calls for whose response somebody waits', () => {
  const inFlight = new InFlight()
  expect([inFlight.add(1, 'subscriptions/listen', 2), inFlight.add(2, 'ping', 2), inFlight.add(3, 'ping', 2)]).toEqual([
    'added',
    'added',
    'busy'
  ])
  expect([inFlight.size, inFlight.calls]).toEqual([2, 1])
  expect([inFlight.settle(1), inFlight.settle(1)]).toEqual([true, false])
  expect([inFlight.size, inFlight.calls]).toEqual([1, 1])
})

describe('V14: a request with an id in flight', () => {
  test('gets -32600, and the first one goes on', async () => {
    const { port, held, server } = await useHeldServer()
    const peer = await openPeer(port)
    peer.send({ id: 1, method: 'hold' })
    peer.send({ id: 1, method: 'hold' })
    // A string is another id than the number that it looks like (S11).
    peer.send({ id: '1', method: 'hold' })
    await until(() => held[0]!.ids.length === 2, 'two requests')
    expect(held[0]!.ids).toEqual([1, '1'])
    await held[0]!.release(1)
    await peer.message(({ id, result }) => id === 1 && result !== undefined)
    expect(peer.messages().map(({ id, error }) => [id, error?.code])).toEqual([
      [1, -32600],
      [1, undefined]
    ])
    // After the response the id is free.
    peer.send({ id: 1, method: 'hold' })
    await until(() => held[0]!.ids.length === 3, 'the id again')
    expect(server.metrics().requestsRejected.duplicate).toBe(1)
  })

  test('S11: of another client is another request', async () => {
    const { port, held } = await useHeldServer()
    const [first, second] = [await openPeer(port), await openPeer(port)]
    first.send({ id: 1, method: 'hold' })
    second.send({ id: 1, method: 'hold' })
    await until(() => held.every(({ ids }) => ids.length === 1), 'both requests')
    await held[1]!.transport.send({ jsonrpc: '2.0', id: 1, result: { of: 'second' } })
    await held[0]!.transport.send({ jsonrpc: '2.0', id: 1, result: { of: 'first' } })
    expect(await responseTo(first, 1)).toMatchObject({ result: { of: 'first' } })
    expect(await responseTo(second, 1)).toMatchObject({ result: { of: 'second' } })
  })
})
