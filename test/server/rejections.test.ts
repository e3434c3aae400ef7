import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { McpWebSocketServerOptions, RejectionInfo } from '../../src/server/index.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { until } from '../helpers/until.js'
import { dial, openPeer, sendUpgrade, upgrade } from './raw-peer.js'
import { bearer, hold, useServer } from './use-server.js'

/** A server that notes each rejected upgrade, and the requests. */
async function useNotedServer(options: Partial<McpWebSocketServerOptions<string>> = {}, clock?: FakeClock) {
  const rejections: RejectionInfo[] = []
  const requests: IncomingMessage[] = []
  const served = await useServer<string>(
    {
      authenticate: (_request, token) => (token === 'right' ? 'ada' : undefined),
      onconnection: (transport) => void hold(transport),
      onrejected: (request, rejection) => {
        requests.push(request)
        rejections.push(rejection)
      },
      ...options
    },
    clock
  )
  return { ...served, rejections, requests }
}

describe('V16: onrejected', () => {
  test.each<[what: string, request: object, rejection: RejectionInfo]>([
    ['another path', { target: '/other' }, { status: 404, reason: 'Not Found' }],
    ['a foreign host', { headers: { Host: 'evil.test' } }, { status: 403, reason: 'Host not allowed' }],
    ['a foreign page', { headers: { Origin: 'https://evil.test' } }, { status: 403, reason: 'Origin not allowed' }],
    ['a malformed request', { headers: { 'Sec-WebSocket-Key': 'x' } }, { status: 400, reason: 'Not a WebSocket upgrade' }],
    ['another subprotocol', { headers: { 'Sec-WebSocket-Protocol': 'mcp' } }, { status: 426, reason: 'Subprotocol required: mcp.v1' }],
    ['no token', {}, { status: 401, reason: 'Unauthorized' }],
    ['a wrong token', { headers: bearer('wrong') }, { status: 401, reason: 'Unauthorized' }]
  ])('is told of %s, once, and with what the client is told', async (_what, request, rejection) => {
    const { port, rejections } = await useNotedServer()
    const { status, body } = await upgrade(port, request)
    expect([{ status, reason: body }]).toEqual([rejection])
    expect(rejections).toEqual([rejection])
  })

  test('is told of too many connections, and not of those that are accepted', async () => {
    const { port, rejections } = await useNotedServer({ maxConnections: 1 })
    await openPeer(port, { headers: bearer('right') })
    await upgrade(port, { headers: bearer('right') })
    expect(rejections).toEqual([{ status: 503, reason: 'Too many connections' }])
  })

  test('is told of an authenticate that throws, and of one that is too slow', async () => {
    const clock = new FakeClock()
    let asked = 0
    const authenticate = () => (++asked === 2 ? new Promise<string>(() => undefined) : Promise.reject(new Error('no database')))
    const { port, rejections } = await useNotedServer({ authenticate, authTimeout: 1000 }, clock)
    await upgrade(port, { headers: bearer('right') })
    const peer = await sendUpgrade(port, { headers: bearer('right') })
    await until(() => asked === 2, 'authenticate')
    await clock.advance(1000)
    await peer.response()
    expect(rejections).toEqual([
      { status: 503, reason: 'Authentication is not available' },
      { status: 504, reason: 'Authentication took too long' }
    ])
  })

  test('is told of clients that were being authenticated when the server closed', async () => {
    let isAsked = false
    const authenticate = () => {
      isAsked = true
      return new Promise<string>(() => undefined)
    }
    const { port, server, rejections } = await useNotedServer({ authenticate })
    await sendUpgrade(port, { headers: bearer('right') })
    await until(() => isAsked, 'authenticate')
    await server.close()
    expect(rejections).toEqual([{ status: 503, reason: 'The server is closing' }])
  })

  test('is told nothing of a plain request, which is no upgrade, and of a client that hung up', async () => {
    let asked: IncomingMessage | undefined
    const authenticate = (request: IncomingMessage) => {
      asked = request
      return new Promise<string>(() => undefined)
    }
    const { port, server, rejections } = await useNotedServer({ authenticate })
    expect((await fetch(`http://127.0.0.1:${String(port)}/ws`)).status).toBe(426)
    const peer = await sendUpgrade(port, { headers: bearer('right') })
    await until(() => asked !== undefined, 'authenticate')
    peer.socket.destroy()
    await until(() => asked?.socket.destroyed === true, 'the end of the connection')
    await server.close()
    expect(rejections).toEqual([])
  })

  test.each([
    ['that is wrong', 'mcp.v1, mcp.bearer.d3Jvbmc', {}],
    ['that is wrong, of SEP-1288', 'mcp.v1, mcp.auth.wrong', {}],
    ['without a subprotocol', 'mcp.bearer.d3Jvbmc', {}],
    ['beside a foreign origin', 'mcp.v1, mcp.bearer.d3Jvbmc', { Origin: 'https://evil.test' }],
    ['in an offer that cannot be read', 'mcp.v1, mcp.auth.wrong d3Jvbmc', {}]
  ])('is shown no token %s', async (_what, offer, headers) => {
    const { port, requests } = await useNotedServer()
    await upgrade(port, { headers: { ...headers, 'Sec-WebSocket-Protocol': offer } })
    expect(requests).toHaveLength(1)
    expect(JSON.stringify([requests[0]?.headers, requests[0]?.rawHeaders])).not.toMatch(/wrong|d3Jvbmc|mcp\.(bearer|auth)/)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('a bug')
      }
    ],
    ['rejects', () => Promise.reject(new Error('a bug'))]
  ])('that %s is reported to onerror, and the client gets its response', async (_how, onrejected) => {
    const { port, errors } = await useNotedServer({ onrejected })
    expect((await upgrade(port)).status).toBe(401)
    await until(() => errors.length === 1, 'an error')
    expect(errors.map(({ message }) => message)).toEqual(['a bug'])
  })

  test('may wait as long as it likes: the response is on its way', async () => {
    const { port } = await useNotedServer({ onrejected: () => new Promise(() => undefined) })
    expect((await upgrade(port)).status).toBe(401)
    expect((await dial(port)).socket.destroyed).toBe(false)
  })
})
