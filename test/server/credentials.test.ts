import { describe, expect, test } from 'vitest'
import { isSameToken, readCredentials } from '../../src/server/credentials.js'
import { tokenSubprotocol } from '../../src/wire/subprotocol.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { useClient } from '../helpers/use-client.js'
import { upgrade } from './raw-peer.js'
import { bearer, GUARDED, useServer } from './use-server.js'

describe('the credentials', () => {
  const entry = tokenSubprotocol('tökén~/+=')

  test.each([
    ['no kind', undefined, ['mcp.v1'], { token: undefined }],
    ['a header', 'Bearer xyz', [], { token: 'xyz' }],
    ['a header in other words', 'bearer  xyz ', [], { token: 'xyz' }],
    ['a header with spaces in it', 'Bearer a  b', [], { token: 'a  b' }],
    ['another scheme', 'Basic eDp5', [], { token: undefined }],
    ['a subprotocol', undefined, ['mcp.v1', entry], { token: 'tökén~/+=' }],
    ['a subprotocol beside another scheme', 'Basic eDp5', [entry], { token: 'tökén~/+=' }],
    ['a subprotocol of SEP-1288', undefined, ['mcp.auth.a.b~c', 'mcp.version.2025-11-25'], { token: 'a.b~c' }],
    ['a subprotocol of SEP-1288 and the same in a header', 'Bearer xyz', ['mcp.auth.xyz'], { token: 'xyz' }],
    ['a subprotocol of SEP-1288 and another in a header', 'Bearer xyz', ['mcp.auth.abc'], { problem: 'ambiguous' }],
    ['subprotocols of both forms', undefined, ['mcp.auth.xyz', 'mcp.bearer.eHl6'], { problem: 'ambiguous' }],
    ['an empty subprotocol of SEP-1288', undefined, ['mcp.auth.'], { problem: 'unreadable' }],
    ['an empty header beside an empty subprotocol', 'Bearer', ['mcp.auth.'], { problem: 'unreadable' }],
    ['both', 'Bearer xyz', [entry], { problem: 'ambiguous' }],
    ['two subprotocols', undefined, [entry, 'mcp.bearer.eHl6'], { problem: 'ambiguous' }],
    ['an empty header', 'Bearer', [], { problem: 'unreadable' }],
    ['an empty subprotocol', undefined, ['mcp.bearer.'], { problem: 'unreadable' }],
    ['base64 with padding', undefined, ['mcp.bearer.eA=='], { problem: 'unreadable' }],
    ['base64 of the other alphabet', undefined, ['mcp.bearer.+/+/'], { problem: 'unreadable' }],
    ['base64 with bits left over', undefined, ['mcp.bearer.eB'], { problem: 'unreadable' }],
    ['bytes that are not UTF-8', undefined, ['mcp.bearer._w'], { problem: 'unreadable' }]
  ])('of %s', (_what, authorization, offered, credentials) => expect(readCredentials(authorization, offered)).toEqual(credentials))

  test.each([
    ['secret', true],
    ['secreT', false],
    ['secret ', false],
    ['', false],
    [undefined, false]
  ])('%s is the token: %s', (given, is) => expect(isSameToken(given, 'secret')).toBe(is))

  test.each([
    [undefined, ''],
    ['', ''],
    [undefined, undefined],
    ['', undefined],
    ['undefined', undefined],
    [5, 5]
  ])('%j is not the expected token %j: that is none', (given, expected) =>
    expect(isSameToken(given as string | undefined, expected as string | undefined)).toBe(false)
  )
})

describe('V3: an upgrade request', () => {
  test.each([
    ['without a token', {}],
    ['with a wrong token', bearer('wrong')],
    ['with a longer token', bearer('right ')],
    ['with another scheme', { Authorization: 'Basic cmlnaHQ=' }],
    ['with a token that cannot be read', { 'Sec-WebSocket-Protocol': 'mcp.v1, mcp.bearer.=' }]
  ])('%s is rejected with 401, and no MCP server is made', async (_what, headers) => {
    const { port, transports, server } = await useServer({
      authenticate: (_request, token) => (token === 'right' ? 'ada' : undefined)
    })
    const response = await upgrade(port, { headers })
    // HTTP itself trims the space at the end of a token; a token that is not a subprotocol makes the offer unreadable.
    if (_what === 'with a longer token') return expect(response.status).toBe(101)
    if (_what === 'with a token that cannot be read') return expect(response.status).toBe(400)
    expect([response.status, response.headers['www-authenticate'], response.body]).toEqual([401, 'Bearer', 'Unauthorized'])
    expect(transports).toEqual([])
    return expect(server.metrics().handshakesRefused).toEqual({ 401: 1 })
  })

  test.each([undefined, null, false, '', 0, NaN])('for which authenticate returns %s is rejected with 401', async (auth) => {
    const { port } = await useServer({ authenticate: () => auth as unknown as string })
    expect((await upgrade(port)).status).toBe(401)
  })

  test.each([
    ['header', { headers: bearer('right') }, 'mcp.v1'],
    ['subprotocol', { headers: { 'Sec-WebSocket-Protocol': 'mcp.bearer.cmlnaHQ, mcp.v1' } }, 'mcp.v1'],
    ['subprotocol of SEP-1288', { headers: { 'Sec-WebSocket-Protocol': 'mcp.auth.right, mcp.v1' } }, 'mcp.v1']
  ])('with the token as %s is accepted, and the token is never sent back', async (_how, request, chosen) => {
    const { port, infos } = await useServer(GUARDED)
    const response = await upgrade(port, request)
    expect([response.status, response.headers['sec-websocket-protocol']]).toEqual([101, chosen])
    expect(JSON.stringify(response)).not.toMatch(/bearer|right|cmlnaHQ/)
    expect(infos[0]?.auth).toBe('ada')
    expect(JSON.stringify([infos[0]?.request.headers['sec-websocket-protocol'], infos[0]?.request.rawHeaders])).not.toMatch(
      /cmlnaHQ|mcp\.auth/
    )
  })

  test.each([
    ['two tokens', { ...bearer('right'), 'Sec-WebSocket-Protocol': 'mcp.v1, mcp.bearer.cmlnaHQ' }],
    ['two headers', { Authorization: ['Bearer right', 'Bearer wrong'] }]
  ])('with %s is rejected with 400', async (_what, headers) => {
    const { port, transports } = await useServer(GUARDED)
    expect((await upgrade(port, { headers })).status).toBe(400)
    expect(transports).toEqual([])
  })

  test('of our client is accepted with the token in either place, and without a token it is told the scheme', async () => {
    const { url } = await useServer(GUARDED)
    for (const via of ['header', 'subprotocol'] as const) {
      const { client } = useClient({ url, auth: { token: 'right', via } })
      await client.connect()
      expect(client.subprotocol).toBe('mcp.v1')
    }
    expect(await rejectionOf(useClient({ url }).client.connect())).toMatchObject({ name: 'UnauthorizedError', wwwAuthenticate: 'Bearer' })
  })
})
