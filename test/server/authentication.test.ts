import { describe, expect, test } from 'vitest'
import { FakeClock } from '../helpers/fake-clock.js'
import { until } from '../helpers/until.js'
import { type RawPeer, sendUpgrade, upgrade } from './raw-peer.js'
import { bearer, useServer } from './use-server.js'
import { pause } from '../helpers/pause.js'

describe('V5: authenticate', () => {
  test.each([
    ['rejects', () => Promise.reject(new Error('no database'))],
    [
      'throws',
      () => {
        throw new Error('no database')
      }
    ]
  ])('that %s leads to 503', async (_how, authenticate) => {
    const { port, errors, transports } = await useServer({ authenticate })
    const { status, body, headers } = await upgrade(port, { headers: bearer('right') })
    expect([status, headers['retry-after']]).toEqual([503, '5'])
    expect(body).not.toContain('database')
    expect(errors.map(({ message }) => message)).toEqual(['no database'])
    expect(transports).toEqual([])
  })

  test('that hangs leads to 504 after authTimeout', async () => {
    const { port, transports } = await useServer({ authenticate: () => new Promise<string>(() => undefined), authTimeout: 50 })
    const peer = await sendUpgrade(port, { headers: bearer('right') })
    expect((await peer.response()).status).toBe(504)
    await peer.gone
    expect(transports).toEqual([])
  })

  test.each([
    ['hangs up', (peer: RawPeer) => void peer.socket.end()],
    ['resets', (peer: RawPeer) => void peer.socket.resetAndDestroy()]
  ])('is called for a client that %s meanwhile: no MCP server is made, and nothing breaks', async (_how, leave) => {
    let decide: (auth: string) => void = () => undefined
    let asked = 0
    const { port, transports, server } = await useServer({
      authenticate: () => {
        asked++
        return new Promise<string>((resolve) => {
          decide = resolve
        })
      }
    })
    const peer = await sendUpgrade(port, { headers: bearer('right') })
    await until(() => asked === 1, 'authenticate was called')
    leave(peer)
    await until(() => peer.socket.writableFinished || peer.socket.destroyed, 'the client left')
    // The news travels through the system, not through this process.
    await pause(20)
    decide('ada')
    await peer.gone
    expect(transports).toEqual([])
    expect(server.metrics()).toMatchObject({ connections: 0, connectionsTotal: 0 })
    // It serves on.
    const next = sendUpgrade(port, { headers: bearer('right') })
    await until(() => asked === 2, 'authenticate was called again')
    decide('ada')
    expect((await (await next).response()).status).toBe(101)
  })
})

describe('V5: a client that leaves while authenticate hangs', () => {
  test.each([
    ['in order', (peer: RawPeer) => void peer.socket.end()],
    ['by a reset', (peer: RawPeer) => void peer.socket.resetAndDestroy()]
  ])('%s leaves its place to the next one', async (_how, leave) => {
    let asked = 0
    // Time stands still: nothing but the end of the stream can tell.
    const clock = new FakeClock()
    const { port } = await useServer(
      {
        maxConnections: 1,
        heartbeat: false,
        authenticate: () => (++asked === 1 ? new Promise<string>(() => undefined) : 'ada')
      },
      clock
    )
    const first = await sendUpgrade(port)
    await until(() => asked === 1, 'authenticate was called')
    expect((await upgrade(port)).status).toBe(503)
    leave(first)
    await first.gone
    // The stream of a client that hung up in order ends once the server has hung up too; a reset travels by itself.
    let { status } = await upgrade(port)
    for (let n = 0; n < 50 && status === 503; n++) status = (await upgrade(port)).status
    expect(status).toBe(101)
    expect(clock.pendingCount).toBe(0)
  })
})
