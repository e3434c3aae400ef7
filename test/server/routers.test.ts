import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { McpWebSocketServer, type McpWebSocketServerOptions } from '../../src/server/index.js'
import { afterTest } from '../helpers/after-test.js'
import { until } from '../helpers/until.js'
import { useClient } from '../helpers/use-client.js'
import { serveTransport } from '../helpers/mcp-server.js'
import { openPeer, responseTo, upgrade } from './raw-peer.js'
import { bearer, GUARDED, hold, useServer, useServerOn } from './use-server.js'
import { listenOnLoopback } from '../helpers/listen-on-loopback.js'

/** An HTTP server whose upgrades all go through one router, to a server that never listens. */
async function useRouter(options: Partial<McpWebSocketServerOptions<string>> = {}) {
  const errors: Error[] = []
  const mcp = new McpWebSocketServer<string>({
    onconnection: (transport) => void hold(transport),
    onerror: (error) => errors.push(error),
    ...GUARDED,
    ...options
  })
  const http: Server = createServer()
  http.on('upgrade', (request, socket, head) => mcp.handleUpgrade(request, socket, head))
  const port = await listenOnLoopback(http)
  afterTest(() => mcp.close({ grace: 0 }))
  return { mcp, errors, port }
}

describe('V19: handleUpgrade', () => {
  test('serves a router, without listen() and without a server or port of its own', async () => {
    const { port, mcp } = await useRouter()
    const peer = await openPeer(port, { headers: bearer('right') })
    peer.send({ id: 1, method: 'ping' })
    await responseTo(peer, 1)
    expect(mcp.metrics()).toMatchObject({ connections: 1 })
    expect(mcp.address()).toBeUndefined()
  })

  test('serves our client', async () => {
    const { port } = await useRouter({ onconnection: (transport) => void serveTransport('v2', transport) })
    const { client } = useClient({ url: `ws://127.0.0.1:${String(port)}/ws`, auth: { token: 'right' } })
    await client.connect()
    expect(client.subprotocol).toBe('mcp.v1')
  })

  test.each([
    ['path', { target: '/other' }, 404],
    ['Host', { headers: { ...bearer('right'), Host: 'evil.test' } }, 403],
    ['Origin', { headers: { ...bearer('right'), Origin: 'https://evil.test' } }, 403],
    ['subprotocol', { headers: { ...bearer('right'), 'Sec-WebSocket-Protocol': 'chat' } }, 426],
    ['token', { headers: bearer('wrong') }, 401]
  ])('rejects what the server would reject: a wrong %s', async (_what, request, status) => {
    const { port, mcp } = await useRouter()
    expect((await upgrade(port, request)).status).toBe(status)
    expect(mcp.metrics().handshakesRefused).toEqual({ [status]: 1 })
  })

  test('accepts no client after close()', async () => {
    const { port, mcp } = await useRouter()
    await openPeer(port, { headers: bearer('right') })
    await mcp.close({ grace: 0 })
    const { status, headers, body } = await upgrade(port, { headers: bearer('right') })
    expect([status, headers['retry-after'], body]).toEqual([503, '1', 'The server is closing'])
  })

  test('may be used beside listen()', async () => {
    const { server, port } = await useServer({ ...(GUARDED as object), onconnection: (transport) => void hold(transport) })
    const http = createServer()
    http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head))
    const other = await listenOnLoopback(http)
    await openPeer(port, { headers: bearer('right') })
    await openPeer(other, { headers: bearer('right') })
    expect(server.metrics().connections).toBe(2)
  })
})

describe('V18: a path', () => {
  const TENANTS = /^\/tenants\/[^/]+\/ws$/

  test('that is a pattern serves every tenant, who is found in the request', async () => {
    const { port, infos } = await useServer({ path: TENANTS, onconnection: (transport) => void hold(transport) })
    await openPeer(port, { target: '/tenants/a/ws?x=1' })
    await openPeer(port, { target: '/tenants/b/ws' })
    expect((await upgrade(port, { target: '/tenants/a/b/ws' })).status).toBe(404)
    expect((await fetch(`http://127.0.0.1:${String(port)}/tenants/a/ws`)).status).toBe(426)
    expect(infos.map(({ request }) => request.url)).toEqual(['/tenants/a/ws?x=1', '/tenants/b/ws'])
  })

  test('that is a function serves the paths for which it returns true', async () => {
    const { port } = await useServer({ path: (pathname) => pathname.endsWith('/ws'), onconnection: (transport) => void hold(transport) })
    expect((await upgrade(port, { target: '/a/ws?/b' })).status).toBe(101)
    expect((await upgrade(port, { target: '/a?/ws' })).status).toBe(404)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('a bug')
      },
      'a bug'
    ],
    ['is async', () => Promise.resolve(true), 'path must return true or false'],
    ['rejects', () => Promise.reject(new Error('a bug')), 'a bug'],
    ['forgot to return', () => undefined, 'path must return true or false']
  ])('that is a function which %s serves nobody, is reported, and does not end the process', async (_how, path, message) => {
    const { port, errors } = await useServer({ path: path as unknown as () => boolean })
    expect((await upgrade(port)).status).toBe(404)
    await until(() => errors.some((error) => error.message === message), 'an error')
    expect((await upgrade(port)).status).toBe(404)
  })

  test('that two servers of one HTTP server share belongs to the one that listened first', async () => {
    const http = createServer()
    const first = await useServerOn(http, { path: TENANTS })
    const second = await useServerOn(http, { path: (pathname) => pathname.startsWith('/') })
    const { port } = http.address() as AddressInfo
    expect((await upgrade(port, { target: '/tenants/a/ws' })).status).toBe(101)
    expect((await upgrade(port, { target: '/other' })).status).toBe(101)
    expect([first.metrics().connectionsTotal, second.metrics().connectionsTotal]).toEqual([1, 1])
  })
})
