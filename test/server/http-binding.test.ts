import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { McpWebSocketServer } from '../../src/server/index.js'
import { afterTest } from '../helpers/after-test.js'
import { until } from '../helpers/until.js'
import { closeCode, dial, openPeer, sendClose, upgrade } from './raw-peer.js'
import { upgradeRequest } from './upgrade-request.js'
import { hold, useServer, useServerOn } from './use-server.js'
import { listenOnLoopback } from '../helpers/listen-on-loopback.js'

describe('V1: a GET without Upgrade', () => {
  test('gets 426, and the connection stays open for the next request', async () => {
    const { port, transports } = await useServer()
    const peer = await dial(port)
    for (let n = 0; n < 2; n++) {
      peer.write(upgradeRequest(port, { headers: { Upgrade: undefined, Connection: undefined } }))
      const { status, headers, body } = await peer.response()
      expect(status).toBe(426)
      expect(headers.upgrade).toBe('websocket')
      expect(headers.connection).toMatch(/upgrade/i)
      expect(body).toBe('This is a WebSocket endpoint')
    }
    // And an upgrade after that.
    peer.write(upgradeRequest(port))
    expect((await peer.response()).status).toBe(101)
    expect(transports).toHaveLength(1)
  })

  test('of another path gets 404', async () => {
    const { port } = await useServer()
    expect((await fetch(`http://127.0.0.1:${String(port)}/`)).status).toBe(404)
  })

  test.each([
    ['that says close', 'HTTP/1.1', 'close'],
    ['of HTTP/1.0', 'HTTP/1.0', undefined]
  ])('of a client %s gets a response, and the connection is closed', async (_what, version, connection) => {
    const { port } = await useServer()
    const peer = await dial(port)
    const text = upgradeRequest(port, { headers: { Upgrade: undefined, Connection: connection } })
    peer.write(text.replace('HTTP/1.1', version))
    const { status, headers } = await peer.response()
    expect([status, headers.connection]).toEqual([426, 'upgrade, close'])
    await peer.gone
  })

  test('on a given server is left to a handler that was added later', async () => {
    const http = createServer()
    await useServerOn(http)
    const thrown: unknown[] = []
    http.on('request', (_request, response) => {
      try {
        response.writeHead(200).end('mine')
      } catch (error) {
        thrown.push(error)
      }
    })
    const response = await fetch(`http://127.0.0.1:${String((http.address() as AddressInfo).port)}/ws`)
    expect([await response.text(), thrown]).toEqual(['mine', []])
  })

  test('on a given server gets a response for each of two servers, also once one of them has left', async () => {
    const http = createServer()
    const [first] = [await useServerOn(http, { path: '/a' }), await useServerOn(http, { path: '/b' })]
    const statuses = () =>
      Promise.all(
        ['/a', '/b', '/c'].map(async (path) => {
          const url = `http://127.0.0.1:${String((http.address() as AddressInfo).port)}${path}`
          return (await fetch(url, { headers: { connection: 'close' } })).status
        })
      )
    expect(await statuses()).toEqual([426, 426, 404])
    await first.close({ grace: 0 })
    expect(await statuses()).toEqual([404, 426, 404])
  })

  test('on a given server is left to its own handler, if it has one', async () => {
    const http = createServer((_request, response) => response.end('mine'))
    await useServerOn(http)
    const text = await (await fetch(`http://127.0.0.1:${String((http.address() as AddressInfo).port)}/ws`)).text()
    expect(text).toBe('mine')
  })

  test('on a given server without a handler does not hang', async () => {
    const http = createServer()
    await useServerOn(http)
    expect((await fetch(`http://127.0.0.1:${String((http.address() as AddressInfo).port)}/ws`)).status).toBe(426)
  })
})

describe('V11: on an HTTP server of the program', () => {
  test('two servers serve two paths, and an upgrade for neither is rejected once, with 404', async () => {
    const http = createServer()
    const [first, second] = [await useServerOn(http, { path: '/a' }), await useServerOn(http, { path: '/b' })]
    const { port } = http.address() as AddressInfo
    expect((await upgrade(port, { target: '/a' })).status).toBe(101)
    expect((await upgrade(port, { target: '/b?x' })).status).toBe(101)
    expect((await upgrade(port, { target: '/c' })).status).toBe(404)
    expect([first.metrics().connectionsTotal, second.metrics().connectionsTotal]).toEqual([1, 1])
    expect([first.metrics().handshakesRefused, second.metrics().handshakesRefused]).toEqual([{ 404: 1 }, {}])
    // One leaves, the other stays, and neither closes the HTTP server, which is the program's.
    await first.close({ grace: 0 })
    expect((await upgrade(port, { target: '/a' })).status).toBe(404)
    expect((await upgrade(port, { target: '/b' })).status).toBe(101)
    await second.close({ grace: 0 })
    expect(http.listening).toBe(true)
  })

  test('upgrades for other paths are left to another listener', async () => {
    const http = createServer()
    const others = new WebSocketServer({ noServer: true })
    http.on('upgrade', (request, socket, head) => {
      if (request.url === '/other') others.handleUpgrade(request, socket, head, (ws) => ws.close(4000))
    })
    const server = await useServerOn(http)
    const { port } = http.address() as AddressInfo
    const peer = await openPeer(port, { target: '/other' })
    expect(await closeCode(peer)).toBe(4000)
    sendClose(peer, 4000)
    expect((await upgrade(port)).status).toBe(101)
    expect(server.metrics().handshakesRefused).toEqual({})
  })

  test('a path belongs to one server, and is free when that has left', async () => {
    const http = createServer()
    const first = await useServerOn(http)
    const second = new McpWebSocketServer({ server: http, allowUnauthenticated: true, onconnection: () => undefined })
    await expect(second.listen()).rejects.toThrow('path /ws of this HTTP server belongs to another McpWebSocketServer')
    const { port } = http.address() as AddressInfo
    expect((await upgrade(port)).status).toBe(101)
    expect((await upgrade(port, { target: '/other' })).status).toBe(404)
    await first.close({ grace: 0 })
    await second.listen()
    await second.close()
  })

  test.each([
    ['without credentials', { allowUnauthenticated: true }],
    ['with credentials', { authenticate: () => 'ada' }]
  ])('another listener that takes every upgrade keeps it, %s, and onerror says why no client connects', async (_how, options) => {
    const http = createServer()
    const others = new WebSocketServer({ noServer: true })
    http.on('upgrade', (request, socket, head) => others.handleUpgrade(request, socket, head, (ws) => ws.close(4000)))
    const errors: Error[] = []
    const server = await useServerOn(http, { ...(options as object), onerror: (error) => errors.push(error) })
    const peer = await openPeer((http.address() as AddressInfo).port)
    expect(await closeCode(peer)).toBe(4000)
    sendClose(peer, 4000)
    await until(() => errors.length === 1, 'an error')
    expect(errors[0]?.message).toContain('more than once with the same socket')
    expect(server.metrics().connectionsTotal).toBe(0)
  })

  test('a server of our own rejects an upgrade for any other path with 404', async () => {
    const { port, transports } = await useServer()
    expect((await upgrade(port, { target: '/other' })).status).toBe(404)
    expect(transports).toEqual([])
  })

  test('that listens later, upgrades are taken from then on', async () => {
    const http = createServer()
    const server = new McpWebSocketServer({ server: http, allowUnauthenticated: true, onconnection: (transport) => void hold(transport) })
    await server.listen()
    expect(server.address()).toBeUndefined()
    await listenOnLoopback(http)
    afterTest(() => server.close({ grace: 0 }))
    expect((await upgrade(server.address()!.port)).status).toBe(101)
  })

  test('that is bound to all addresses, allowedHosts must be given', async () => {
    const http = createServer().listen(0, '0.0.0.0')
    await once(http, 'listening')
    afterTest(() => void http.close())
    const options = { server: http, allowUnauthenticated: true, onconnection: () => undefined }
    await expect(new McpWebSocketServer(options).listen()).rejects.toThrow(/^allowedHosts /)
    const server = new McpWebSocketServer({ ...options, allowedHosts: ['localhost'] })
    await server.listen()
    await server.close()
  })
})

test.runIf(existsSync('/proc/sys/net/core/somaxconn'))(
  '4,096 connections may wait to be accepted, if the system allows so many',
  async () => {
    const { port } = await useServer()
    const [, , queue] = execFileSync('ss', ['-ltnH', 'sport', '=', `:${String(port)}`], { encoding: 'utf8' }).split(/\s+/)
    expect(Number(queue)).toBe(Math.min(4096, Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'))))
  }
)
