import { describe, expect, test } from 'vitest'
import { until } from '../helpers/until.js'
import { sendUpgrade, upgrade } from './raw-peer.js'
import { bearer, GUARDED, useServer } from './use-server.js'

describe('V4: an upgrade request', () => {
  test.each([
    ['S2', 'Host', 'evil.test'],
    ['S2', 'Host', undefined],
    ['S1', 'Origin', 'https://evil.test'],
    ['S1', 'Origin', 'null']
  ])('%s: with %s %s is rejected with 403, before authenticate is called', async (_row, name, value) => {
    let asked = 0
    const { port, transports } = await useServer({
      authenticate: () => {
        asked++
        return 'ada'
      }
    })
    const { status } = await upgrade(port, { headers: { ...bearer('right'), [name]: value } })
    expect([status, asked, transports.length]).toEqual([403, 0, 0])
  })

  test('S2: with two hosts is rejected with 400: a proxy may have judged the other one', async () => {
    const { port, transports } = await useServer()
    expect((await upgrade(port, { headers: { Host: [`127.0.0.1:${String(port)}`, 'evil.test'] } })).status).toBe(400)
    expect(transports).toEqual([])
  })

  test('of a page that is allowed is accepted', async () => {
    const { port } = await useServer({ allowedOrigins: ['https://good.example.com'] })
    expect((await upgrade(port, { headers: { Origin: 'https://good.example.com' } })).status).toBe(101)
    expect((await upgrade(port, { headers: { Origin: 'https://good.example.com:8443' } })).status).toBe(403)
  })

  test.each(['null', 'file://', 'vscode-webview://0a1b', 'chrome-extension://abcdef'])(
    'with the origin %s is accepted if that is listed',
    async (origin) => {
      const { port } = await useServer({ allowedOrigins: [origin] })
      expect((await upgrade(port, { headers: { Origin: origin } })).status).toBe(101)
      expect((await upgrade(port, { headers: { Origin: `${origin}x` } })).status).toBe(403)
    }
  )

  test('to a host that is allowed is accepted', async () => {
    const { port } = await useServer({ allowedHosts: ['mcp.example.com'] })
    expect((await upgrade(port, { headers: { Host: 'mcp.example.com' } })).status).toBe(101)
    expect((await upgrade(port)).status).toBe(403)
  })
})

describe('V17: allowedOrigins as a function', () => {
  const EVIL = { headers: { Origin: 'https://evil.test' } }
  const GOOD = { headers: { Origin: 'https://a.example.com' } }

  test.each<[string, (origin: string) => boolean | Promise<boolean>]>([
    ['sync', (origin) => origin.endsWith('.example.com')],
    ['async', (origin) => Promise.resolve(origin.endsWith('.example.com'))]
  ])('that is %s decides', async (_how, allowedOrigins) => {
    const { port } = await useServer({ allowedOrigins })
    expect((await upgrade(port, GOOD)).status).toBe(101)
    const { status, body } = await upgrade(port, EVIL)
    expect([status, body]).toEqual([403, 'Origin not allowed'])
  })

  test('gets the origin and the request, in which no token is left', async () => {
    const asked: unknown[] = []
    const { port } = await useServer({
      allowedOrigins: (origin, { url, rawHeaders }) => {
        asked.push(origin, url, JSON.stringify(rawHeaders).includes('mcp.auth'))
        return true
      }
    })
    await upgrade(port, { ...GOOD, target: '/ws?x', headers: { ...GOOD.headers, 'Sec-WebSocket-Protocol': 'mcp.v1, mcp.auth.secret' } })
    expect(asked).toEqual(['https://a.example.com', '/ws?x', false])
  })

  test('is not asked about programs, which send no origin, nor where another check fails', async () => {
    let asked = 0
    const { port } = await useServer({ allowedOrigins: () => ++asked > 0 })
    expect((await upgrade(port)).status).toBe(101)
    expect((await upgrade(port, { headers: { ...GOOD.headers, 'Sec-WebSocket-Protocol': 'chat' } })).status).toBe(426)
    expect(asked).toBe(0)
  })

  test('is asked before authenticate, which hears nothing of a page that may not connect', async () => {
    let asked = 0
    const { port } = await useServer({ authenticate: () => `user ${String(++asked)}`, allowedOrigins: () => false })
    expect((await upgrade(port, EVIL)).status).toBe(403)
    expect(asked).toBe(0)
  })

  test('does not stand in for credentials', async () => {
    const { port } = await useServer({ ...GUARDED, allowedOrigins: () => true })
    expect((await upgrade(port, GOOD)).status).toBe(401)
    expect((await upgrade(port, { headers: { ...GOOD.headers, ...bearer('right') } })).status).toBe(101)
  })

  test.each([undefined, null, 1, 'yes', {}])('that returns %j, which is not true, lets nobody in', async (returned) => {
    const { port } = await useServer({ allowedOrigins: (() => returned) as unknown as () => boolean })
    expect((await upgrade(port, GOOD)).status).toBe(403)
  })

  test.each([
    [
      'throws',
      (): boolean => {
        throw new Error('a bug')
      }
    ],
    ['rejects', () => Promise.reject(new Error('a bug'))]
  ])('that %s lets nobody in, and is reported to onerror', async (_how, allowedOrigins) => {
    const { port, errors } = await useServer({ allowedOrigins })
    expect((await upgrade(port, GOOD)).status).toBe(503)
    expect(errors.map(({ message }) => message)).toEqual(['a bug'])
  })

  test('may take authTimeout, and counts against maxConnections meanwhile', async () => {
    let asked = 0
    const allowedOrigins = () => new Promise<boolean>(() => asked++)
    const { port } = await useServer({ allowedOrigins, authTimeout: 300, maxConnections: 1 })
    const slow = await sendUpgrade(port, GOOD)
    await until(() => asked === 1, 'the call of allowedOrigins')
    expect((await upgrade(port)).status).toBe(503)
    expect((await slow.response()).status).toBe(504)
  })
})
