import { describe, expect, test } from 'vitest'
import { upgrade } from './raw-peer.js'
import { bearer, useServer } from './use-server.js'

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

  test('to a host that is allowed is accepted', async () => {
    const { port } = await useServer({ allowedHosts: ['mcp.example.com'] })
    expect((await upgrade(port, { headers: { Host: 'mcp.example.com' } })).status).toBe(101)
    expect((await upgrade(port)).status).toBe(403)
  })
})
