import { describe, expect, test } from 'vitest'
import { until } from '../helpers/until.js'
import { closeCode, openPeer, responseTo, sendClose, upgrade } from './raw-peer.js'
import { hold, useHeldServer, useServer } from './use-server.js'

describe('V13: onconnection', () => {
  test.each([
    [
      'throws',
      () => {
        throw new Error('no factory')
      }
    ],
    ['rejects', () => Promise.reject(new Error('no factory'))]
  ])('that %s ends that connection with 1011, and no other', async (_how, fail) => {
    let isBroken = false
    const { port, errors, server } = await useServer({ onconnection: (transport) => (isBroken ? fail() : void hold(transport)) })
    const good = await openPeer(port)
    isBroken = true
    const bad = await openPeer(port)
    expect(await closeCode(bad)).toBe(1011)
    sendClose(bad, 1011)
    await bad.gone
    expect(errors.map(({ message }) => message)).toEqual(['no factory'])
    good.send({ id: 1, method: 'ping' })
    await responseTo(good, 1)
    expect(server.metrics()).toMatchObject({ connections: 1, connectionsCut: { failed: 1 } })
  })

  test('that starts its transport for a client that has hung up meanwhile has failed in nothing', async () => {
    let goOn = (): void => undefined
    const outcomes: string[] = []
    const { port, errors, server } = await useServer({
      onconnection: async (transport) => {
        await new Promise<void>((resolve) => (goOn = resolve))
        await transport.start().finally(() => outcomes.push('settled'))
      }
    })
    const peer = await openPeer(port)
    peer.socket.destroy()
    await until(() => server.metrics().connections === 0, 'it is gone')
    goOn()
    await until(() => outcomes.length === 1, 'it was started')
    await upgrade(port)
    expect(errors).toEqual([])
  })

  test('that sets callbacks which throw harms no other connection', async () => {
    const { port, held } = await useHeldServer()
    const [first, second] = [await openPeer(port), await openPeer(port)]
    const told: string[] = []
    held[0]!.transport.onmessage = held[0]!.transport.onclose = () => {
      throw new Error('a bug')
    }
    held[0]!.transport.onerror = ({ message }) => {
      told.push(message)
      throw new Error('another bug')
    }
    first.send({ id: 1, method: 'x' })
    first.send('{')
    await first.message(({ error }) => error !== undefined)
    first.socket.destroy()
    second.send({ id: 1, method: 'ping' })
    await responseTo(second, 1)
    await until(() => told.length === 3, 'three errors')
    expect(told).toEqual(['a bug', 'the client sent an invalid message: not JSON', 'a bug'])
  })
})

describe('V13: an async callback that rejects', () => {
  // The types take an async function where nothing is to be returned.
  const fail = (() => Promise.reject(new Error('a bug'))) as () => void

  test('harms no other connection, and its transport is told', async () => {
    const told: string[] = []
    const { port, server, transports } = await useServer({ onconnection: (transport) => void hold(transport) })
    const [first, second] = [await openPeer(port), await openPeer(port)]
    transports[0]!.onmessage = transports[0]!.onclose = fail
    transports[0]!.onerror = ({ message }) => {
      told.push(message)
      return fail()
    }
    first.send({ id: 1, method: 'x' })
    await until(() => told.length === 1, 'the rejection of onmessage')
    first.socket.destroy()
    await until(() => told.length === 2, 'the rejection of onclose')
    expect(told).toEqual(['a bug', 'a bug'])
    second.send({ id: 1, method: 'ping' })
    await responseTo(second, 1)
    expect(server.metrics().connections).toBe(1)
  })

  test('is reported to onerror of the server where the transport has none, or one that fails itself', async () => {
    const { port, errors, transports } = await useServer({ onconnection: (transport) => void hold(transport) })
    const peer = await openPeer(port)
    transports[0]!.onmessage = fail
    peer.send({ id: 1, method: 'x' })
    await until(() => errors.length === 1, 'the rejection of onmessage')
    transports[0]!.onclose = fail
    peer.socket.destroy()
    await until(() => errors.length === 2, 'the rejection of onclose')
    const other = await openPeer(port)
    transports[1]!.onmessage = fail
    transports[1]!.onerror = () => Promise.reject(new Error('another bug')) as unknown as undefined
    other.send({ id: 1, method: 'x' })
    await until(() => errors.length === 3, 'the rejection of onerror')
    expect(errors.map(({ message }) => message)).toEqual(['a bug', 'a bug', 'another bug'])
  })

  test('of a transport is not reported for what a client did wrong: that may come as often as the client likes', async () => {
    const { port, errors } = await useServer({ onconnection: (transport) => void hold(transport) })
    const peer = await openPeer(port)
    peer.send('{')
    await peer.message(({ error }) => error !== undefined)
    expect(errors).toEqual([])
  })

  test('does no harm where it is onerror of the server', async () => {
    const { port } = await useServer({ authenticate: fail as () => Promise<undefined>, onerror: fail })
    expect((await upgrade(port)).status).toBe(503)
    expect((await upgrade(port)).status).toBe(503)
  })
})

test('a transport has no own members but its callbacks: the bookkeeping of the server is not for programs', async () => {
  const { port, transports } = await useServer({ onconnection: () => undefined })
  await openPeer(port)
  await until(() => transports.length === 1, 'a connection')
  expect(Object.keys(transports[0]!).sort()).toEqual(['onattach', 'onclose', 'ondetach', 'onerror', 'onmessage'])
})
