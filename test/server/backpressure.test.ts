import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import type { ServerTransport } from '../../src/server/index.js'
import { encodeControl } from '../../src/wire/resume-frames.js'
import { frame, OPCODE, textFrame } from '../faults/kit/wire.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { afterTest } from '../helpers/after-test.js'
import { until } from '../helpers/until.js'
import { closeCode, openPeer, type RawPeer, responseTo, sendClose } from './raw-peer.js'
import { anOpen, receipt } from './resume-client.js'
import { hold, useHeldServer, useServer } from './use-server.js'
import { pause } from '../helpers/pause.js'

describe('V8: a slow reader', () => {
  const LIMITS = { maxBufferedBytes: 2 ** 16, drainTimeout: 100 } as const
  const big = { jsonrpc: '2.0', method: 'notifications/message', params: { data: 'x'.repeat(2 ** 20) } } as const

  /** Sends more than the sockets of both sides hold, to a peer that reads nothing. */
  async function fill(transport: ServerTransport, peer: RawPeer, times: number): Promise<PromiseSettledResult<void>[]> {
    peer.socket.pause()
    const sent = Array.from({ length: times }, () => transport.send(big))
    return Promise.allSettled(sent)
  }

  test('is no longer read from, is cut with 1013 after drainTimeout, and harms no other client', async () => {
    const { port, held, server } = await useHeldServer({ ...LIMITS, maxBufferedBytes: 4 * 2 ** 20 })
    const [slow, fast] = [await openPeer(port), await openPeer(port)]
    let closed = 0
    held[0]!.transport.onclose = () => closed++
    const filled = fill(held[0]!.transport, slow, 12)
    // The server does not read this request, so it gets no response.
    slow.send({ id: 1, method: 'hold' })
    fast.send({ id: 2, method: 'ping' })
    await responseTo(fast, 2)
    await until(() => closed === 1, 'the slow reader was cut')
    expect(held[0]!.ids).toEqual([])
    expect(server.metrics().connectionsCut['slow-reader']).toBe(1)
    // The close frame lies behind all that it did not read.
    slow.socket.resume()
    expect(await closeCode(slow)).toBe(1013)
    sendClose(slow, 1013)
    await filled
    fast.send({ id: 3, method: 'ping' })
    await responseTo(fast, 3)
    expect(closed).toBe(1)
  })

  test('that catches up in time goes on', async () => {
    const { port, held, server } = await useHeldServer({ maxBufferedBytes: 2 ** 20, drainTimeout: 10_000 })
    const peer = await openPeer(port)
    const filled = fill(held[0]!.transport, peer, 4)
    peer.send({ id: 1, method: 'ping' })
    await pause(50)
    peer.socket.resume()
    await responseTo(peer, 1)
    expect((await filled).map(({ status }) => status)).toEqual(Array(4).fill('fulfilled'))
    expect(server.metrics().connectionsCut['slow-reader']).toBe(0)
  })

  test('is not cut by the heartbeat before drainTimeout, and is watched again afterwards', async () => {
    const clock = new FakeClock()
    const { url, transports, server } = await useServer({ drainTimeout: 120_000, onconnection: (transport) => void hold(transport) }, clock)
    const ws = new WebSocket(url, ['mcp.v1'], { autoPong: false })
    afterTest(() => ws.terminate())
    await once(ws, 'open')
    await until(() => transports.length === 1, 'a connection')
    ws.pause()
    // More than the sockets of both sides hold.
    const sent = transports[0]!.send({ ...big, params: { data: 'x'.repeat(2 ** 25) } })
    await clock.advance(119_000)
    expect(server.metrics().connectionsCut).toEqual({ heartbeat: 0, 'slow-reader': 0, failed: 0 })
    ws.resume()
    await sent
    const pinged = once(ws, 'ping')
    await clock.advance(30_000)
    await pinged
    const gone = once(ws, 'close')
    await clock.advance(30_000)
    await gone
    expect(server.metrics().connectionsCut).toEqual({ heartbeat: 1, 'slow-reader': 0, failed: 0 })
  })

  test('that is sent more and more is cut before memory is full', async () => {
    const { port, held, server } = await useHeldServer({ ...LIMITS, drainTimeout: 60_000 })
    const peer = await openPeer(port)
    const outcomes = await fill(held[0]!.transport, peer, 100)
    expect(outcomes.filter(({ status }) => status === 'rejected').length).toBeGreaterThan(80)
    expect(server.metrics().connectionsCut['slow-reader']).toBe(1)
    expect(server.metrics().bytesSent).toBeLessThan(20 * 2 ** 20)
  })

  test('that is cut by the responses to its requests leaves none of them in the count', async () => {
    const { port, held, server } = await useHeldServer({ ...LIMITS, drainTimeout: 60_000 })
    const peer = await openPeer(port)
    for (let id = 1; id <= 3; id++) peer.send({ id, method: 'hold' })
    await until(() => held[0]!.ids.length === 3, 'the requests')
    peer.socket.pause()
    // More than the sockets of both sides hold.
    const sent = held[0]!.transport.send({ ...big, params: { data: 'x'.repeat(2 ** 25) } })
    await new Promise((resolve) => setImmediate(resolve))
    await Promise.allSettled([sent, ...held[0]!.ids.map(held[0]!.release)])
    await until(() => server.metrics().connections === 0, 'the socket is gone')
    expect(server.metrics()).toMatchObject({ requestsInFlight: 0, connectionsCut: { 'slow-reader': 1 } })
  })

  test('leaves no timer behind when its connection is cut', async () => {
    const clock = new FakeClock()
    const { port, transports, server } = await useServer({ ...LIMITS, onconnection: (transport) => void hold(transport) }, clock)
    const peer = await openPeer(port)
    await until(() => transports.length === 1, 'a connection')
    peer.socket.pause()
    // More than the sockets of both sides hold.
    const sent = Promise.allSettled([transports[0]!.send({ ...big, params: { data: 'x'.repeat(2 ** 25) } })])
    const closed = server.close({ grace: 0 })
    await clock.advance(0)
    await closed
    await sent
    expect(clock.pendingCount).toBe(0)
  })

  test('that sends pings, and does not read the pongs, is cut', async () => {
    const { port, server } = await useHeldServer({ heartbeat: false })
    const peer = await openPeer(port)
    peer.socket.pause()
    const pings = Buffer.concat(Array.from({ length: 1000 }, () => frame(OPCODE.ping, 'x'.repeat(125), { mask: true })))
    // Pings that the server does not read wait on this side: the next ones go out when these have left, or the socket is gone.
    while (server.metrics().connections === 1 && peer.socket.bytesWritten < 2 ** 26) {
      peer.write(pings)
      await until(() => peer.socket.writableLength === 0 || server.metrics().connections === 0, 'the pings to leave')
    }
    await until(() => server.metrics().connections === 0, 'it is cut')
  })

  test('that asks for control frames of mcp.v1.resume, and does not read them, is no longer read from, and is cut', async () => {
    const { port, server } = await useHeldServer({ ...LIMITS, resume: true, heartbeat: false })
    const peer = await openPeer(port, { headers: { 'Sec-WebSocket-Protocol': 'mcp.v1.resume' } })
    peer.send(encodeControl(anOpen()))
    await until(() => peer.frames.length > 0, 'a hello frame')
    peer.socket.pause()
    const pings = Buffer.concat(Array.from({ length: 1000 }, () => textFrame(receipt('ping', 0), { mask: true })))
    const isCut = (): boolean => server.metrics().connectionsCut['slow-reader'] === 1
    while (!isCut() && peer.socket.bytesWritten < 2 ** 26) {
      peer.write(pings)
      await until(() => peer.socket.writableLength === 0 || isCut(), 'the pings to leave')
    }
    await until(isCut, 'it is cut')
  })

  test('may be sent one message of any length', async () => {
    const { port, held } = await useHeldServer(LIMITS)
    const peer = await openPeer(port)
    await held[0]!.transport.send({ ...big, params: { data: 'x'.repeat(2 ** 23) } })
    await peer.message(({ method }) => method === big.method)
  })

  test('is not a client that gets all its responses at one time, and reads them', async () => {
    const result = { data: 'x'.repeat(200_000) }
    const { url, server } = await useServer({
      onconnection: (transport) => {
        transport.onmessage = (message) => {
          if ('id' in message && message.id !== undefined && message.id !== null)
            transport.send({ jsonrpc: '2.0', id: message.id, result }).catch(() => undefined)
        }
        void transport.start()
      },
      maxBufferedBytes: 2 ** 20
    })
    const ws = new WebSocket(url, ['mcp.v1'])
    afterTest(() => ws.terminate())
    let responses = 0
    ws.on('message', () => responses++)
    await once(ws, 'open')
    // In one packet, as a client does that asks for many things at once.
    for (let id = 1; id <= 100; id++) ws.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'resources/read' }))
    await until(() => responses === 100 || ws.readyState !== ws.OPEN, 'the responses')
    expect([responses, server.metrics().connectionsCut['slow-reader']]).toEqual([100, 0])
  })
})
