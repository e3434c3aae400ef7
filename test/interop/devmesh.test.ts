import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import {
  isConnectionLostError,
  isHandshakeError,
  isRpcError,
  isSubprotocolError,
  isUnauthorizedError,
  type CallToolResult,
  type McpWebSocketClientOptions,
  type TokenContext
} from '../../src/index.js'
import { bundle, useChild } from '../helpers/child.js'
import { afterTest } from '../helpers/after-test.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { useClient as useAnyClient, type Observed } from '../helpers/use-client.js'
import { quick } from './quick.js'
import { startDevMesh, type DevMesh, type DevMeshOptions } from './devmesh/server.js'

async function useDevMesh(options: DevMeshOptions = {}): Promise<DevMesh> {
  const server = await startDevMesh(options)
  afterTest(() => server.close())
  return server
}

interface Rig extends Observed {
  readonly server: DevMesh
  /** Frames as they came, and as they went. */
  readonly wire: { in: string[]; out: string[] }
}

/** A client with the options of the row in docs/interop.md, not connected yet. */
async function useClient(options: Partial<McpWebSocketClientOptions> = {}, devMesh: DevMeshOptions = {}): Promise<Rig> {
  const server = await useDevMesh(devMesh)
  const wire: Rig['wire'] = { in: [], out: [] }
  const trace = (direction: 'in' | 'out', text: string): unknown => wire[direction].push(text)
  return { server, wire, ...useAnyClient({ url: server.url, reconnect: quick, onMissingSubprotocol: 'accept', trace, ...options }) }
}

/** The same, connected. */
async function useConnected(options: Partial<McpWebSocketClientOptions> = {}): Promise<Rig> {
  const rig = await useClient(options)
  await rig.client.connect()
  return rig
}

const textOf = ({ content }: CallToolResult): string => content.map((block) => (block.type === 'text' ? block.text : '')).join('')

describe('DevMesh edge-mcp (imitated)', () => {
  describe('1: opens without a subprotocol', () => {
    it('fails by default, with one dial and the name of the option', async () => {
      const { client } = await useClient({ onMissingSubprotocol: 'fail' })
      const error = await rejectionOf(client.connect())
      expect(isSubprotocolError(error) && error).toMatchObject({ offered: ['mcp.v1'], received: undefined })
      expect(isSubprotocolError(error) && error.hint).toContain("onMissingSubprotocol: 'accept'")
      expect(client.stats().attempts).toBe(1)
    })

    it("connects with onMissingSubprotocol: 'accept', and still offers mcp.v1", async () => {
      const { client, server } = await useConnected()
      expect(client.subprotocol).toBeUndefined()
      expect(server.dials.map(({ headers }) => headers['sec-websocket-protocol'])).toEqual(['mcp.v1'])
    })
  })

  it('2: 426 behind a proxy that loses the upgrade is final, and the error holds its words and the likely cause', async () => {
    const { client, server } = await useClient({}, { losesUpgrade: true })
    const error = await rejectionOf(client.connect())
    expect(isHandshakeError(error) && error).toMatchObject({
      code: 'UNEXPECTED_STATUS',
      status: 426,
      body: 'WebSocket protocol violation: Connection header "" does not contain Upgrade\n'
    })
    expect(isHandshakeError(error) && error.hint).toMatch(/proxy dropped the Upgrade and Connection headers/)
    expect(server.dials).toHaveLength(1)
  })

  describe('3: 401 as JSON, also while the service of the keys is away', () => {
    it('is final for a fixed token', async () => {
      const { client, server } = await useClient({ auth: { token: 'a-wrong-key' } }, { token: 'the-right-key' })
      const error = await rejectionOf(client.connect())
      expect(isUnauthorizedError(error) && error).toMatchObject({ status: 401, body: '{"error":"unauthorized"}' })
      expect(server.dials).toHaveLength(1)
    })

    it('makes the client ask a provider once more, at once', async () => {
      const asked: string[] = []
      const token = ({ reason }: TokenContext): string => {
        asked.push(reason)
        return reason === 'unauthorized' ? 'the-right-key' : 'an-old-key'
      }
      const { client } = await useClient({ auth: { token } }, { token: 'the-right-key' })
      await client.connect()
      expect(asked).toEqual(['connect', 'unauthorized'])
    })

    it('is outlived with shouldReconnect, until the service is back', async () => {
      let rejections = 0
      const { client } = await useClient(
        {
          auth: { token: 'the-right-key' },
          reconnect: { ...quick, shouldReconnect: ({ status }) => (status === 401 ? true : undefined) }
        },
        { token: 'the-right-key', isAuthDown: () => rejections++ < 3 }
      )
      await client.connect()
      expect(client.stats().attempts).toBe(4)
    })

    it('lets a key in by ?token= as well, which errors never show', async () => {
      const server = await useDevMesh({ token: 'the-right-key' })
      const right = useAnyClient({ url: `${server.url}?token=the-right-key`, onMissingSubprotocol: 'accept' })
      await right.client.connect()
      expect(right.client.state).toBe('ready')
      const wrong = useAnyClient({ url: `${server.url}?token=a-wrong-key`, onMissingSubprotocol: 'accept' })
      expect(String(await rejectionOf(wrong.client.connect()))).not.toContain('a-wrong-key')
    })
  })

  it('4: an error without an id right after initialize is an error event, and harms no request', async () => {
    const { client, errors, wire } = await useConnected()
    expect(textOf(await client.callTool({ name: 'echo', arguments: { message: 'hi' } }))).toBe('hi')
    const orphans = wire.in
      .map((text) => JSON.parse(text) as { id?: unknown; error?: { code: number } })
      .filter(({ id }) => id === undefined)
    expect(orphans).toMatchObject([{ error: { code: -32600 } }])
    expect(errors).toMatchObject([{ code: 'INVALID_RESPONSE', message: expect.stringContaining('notifications/initialized') as string }])
    expect(client.stats()).toMatchObject({ attempts: 1 })
  })

  it('5: `initialized` with an id is never answered: only the timeout of the request ends the wait', async () => {
    const { client } = await useConnected()
    await expect(client.request('initialized', {}, { timeout: 100 })).rejects.toMatchObject({
      code: 'REQUEST_TIMEOUT',
      delivery: 'unknown'
    })
    await client.ping()
    expect(client.pendingCount).toBe(0)
  })

  it('6: a newline at the end of every frame is no part of the message', async () => {
    const { client, wire } = await useConnected()
    await client.ping()
    expect(wire.in.every((text) => text.endsWith('\n'))).toBe(true)
    expect(wire.out.some((text) => text.endsWith('\n'))).toBe(false)
  })

  describe('7: a response of more than 32 KiB comes in pieces', () => {
    it('which are passed on as notifications that together are the whole response, before a result that says so', async () => {
      const { client, notifications, errors } = await useConnected()
      const result = await client.request('tools/call', { name: 'big', arguments: { bytes: 100_000 } })
      expect(result).toEqual({ streamed: true, chunks_complete: true })
      const pieces = notifications.filter(({ method }) => method === '$/contentChunk').map(({ params }) => params!)
      expect(pieces.map(({ chunk, totalChunks, isLast }) => [chunk, totalChunks, isLast])).toEqual([
        [0, 2, false],
        [1, 2, true]
      ])
      const whole = JSON.parse(pieces.map(({ data }) => data).join('')) as { id: number; result: CallToolResult }
      expect(pieces.map(({ requestId }) => requestId)).toEqual([whole.id, whole.id])
      expect(textOf(whole.result)).toBe('x'.repeat(100_000))
      expect(notifications.filter(({ method }) => method === '$/progress')).toHaveLength(4)
      expect(errors).toHaveLength(1)
    })

    it('of bytes: a character on the border is lost at the server already', async () => {
      const { client, notifications } = await useConnected()
      await client.request('tools/call', { name: 'big', arguments: { bytes: 12_000, filling: 'xx€€' } })
      const pieces = notifications.filter(({ method }) => method === '$/contentChunk').map(({ params }) => String(params!.data))
      expect(pieces.join('').match(/\uFFFD/g)?.length).toBeGreaterThan(0)
    })

    it('so that a long list is an error that says so, and not taken for an empty one', async () => {
      const { client } = await useClient({}, { moreTools: 1000 })
      await client.connect()
      const message = 'the response to tools/list came without "tools", but with streamed, chunks_complete'
      await expect(client.listTools()).rejects.toMatchObject({ code: 'INVALID_RESPONSE', message })
    })

    it('which a program can put together, as docs/interop.md shows', async () => {
      const { client } = await useClient({}, { moreTools: 1000 })
      let pieces: string[] = []
      client.on('notification', ({ method, params }) => {
        if (method !== '$/contentChunk') return
        if (params?.chunk === 0) pieces = []
        pieces.push(String(params?.data))
      })
      await client.connect()
      await client.request('tools/call', { name: 'big', arguments: { bytes: 40_000 } })
      let result: Record<string, unknown> = await client.request('tools/list')
      if (result.streamed === true) result = (JSON.parse(pieces.join('')) as { result: Record<string, unknown> }).result
      expect(result.tools).toHaveLength(1006)
    })

    it('of up to 32 KiB comes whole', async () => {
      const { client, notifications } = await useConnected()
      expect(textOf(await client.callTool({ name: 'big', arguments: { bytes: 30_000 } }))).toHaveLength(30_000)
      expect(notifications).toEqual([])
    })
  })

  describe('8: a message of more than 32 KiB ends the connection with 1009', () => {
    it('which fails that request only, and the client comes back', async () => {
      const { client, server } = await useConnected()
      const back = nextEvent(client, 'reconnected')
      const waiting = client.listTools()
      const error = await rejectionOf(client.callTool({ name: 'echo', arguments: { message: 'x'.repeat(33_000) } }))
      expect(isConnectionLostError(error) && error).toMatchObject({
        code: 'MESSAGE_TOO_LARGE',
        closure: { code: 1009, reason: 'read limited at 32769 bytes' }
      })
      expect((await waiting).tools).toHaveLength(6)
      await back
      expect(server.sockets).toHaveLength(2)
      expect(textOf(await client.callTool({ name: 'echo', arguments: { message: 'small' } }))).toBe('small')
    })

    it('and one of exactly 32 768 bytes arrives', async () => {
      const { client, wire } = await useConnected()
      const call = (length: number): Promise<CallToolResult> =>
        client.callTool({ name: 'echo', arguments: { message: 'x'.repeat(length) } })
      await call(0)
      await call(32_768 - wire.out.at(-1)!.length)
      expect(wire.out.at(-1)).toHaveLength(32_768)
      expect(client.stats()).toMatchObject({ attempts: 1 })
    })
  })

  describe('9: a batch ends the connection with 1007', () => {
    it('which is why the client never sends one', async () => {
      const { client, wire, server } = await useConnected()
      await Promise.all(Array.from({ length: 20 }, () => client.ping()))
      expect(wire.out.filter((text) => !text.startsWith('{'))).toEqual([])
      expect(wire.out.filter((text) => text.includes('"ping"'))).toHaveLength(20)
      const socket = new WebSocket(server.url)
      await once(socket, 'open')
      socket.send('[{"jsonrpc":"2.0","id":1,"method":"ping"}]')
      const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
      expect([code, reason.toString()]).toEqual([1007, 'failed to unmarshal JSON'])
    })

    it('and 1007 is final: the same bytes would fail again', async () => {
      const { client } = await useConnected()
      const failed = nextEvent(client, 'failed')
      const error = await rejectionOf(client.callTool({ name: 'misread' }))
      expect(isConnectionLostError(error) && error.closure.code).toBe(1007)
      await failed
      expect(client.state).toBe('failed')
    })
  })

  it('10: a close with 1000 in the middle of a call loses that call, and the client comes back', async () => {
    const { client } = await useConnected()
    const back = nextEvent(client, 'reconnected')
    const error = await rejectionOf(client.callTool({ name: 'drop' }))
    expect(isConnectionLostError(error) && error).toMatchObject({ delivery: 'unknown', closure: { code: 1000, wasClean: true } })
    expect(await back).toMatchObject({ lost: 1, serverChanged: false })
    await client.ping()
  })

  it('11: no pong comes while a call runs, and the heartbeat waits for the call', async () => {
    const { client, server } = await useConnected({ heartbeat: { interval: 100, timeout: 200 } })
    const socket = server.sockets[0]!
    let pings = 0
    socket.on('ping', () => pings++)
    // The responses to pings in that time come when the call is over.
    expect(textOf(await client.callTool({ name: 'slow', arguments: { seconds: 1 } }))).toBe('done')
    const during = pings
    await until(() => pings > during, 'a probe after the call')
    await client.ping()
    expect(client.stats()).toMatchObject({ attempts: 1 })
  })

  it('12: the error 429 of the limiter reaches the caller with its data, and the connection stays', async () => {
    const { client } = await useConnected()
    const error = await rejectionOf(client.callTool({ name: 'limited' }))
    expect(isRpcError(error) && error).toMatchObject({ rpcCode: 429, data: { limit_type: 'tool', retry_after: 1 } })
    await client.ping()
    expect(client.stats()).toMatchObject({ attempts: 1 })
  })

  it('13: 2025-11-25 is answered with an error, and the client asks for the next older version on the same socket', async () => {
    const { client, server, wire } = await useConnected()
    const asked = wire.out
      .map((text) => JSON.parse(text) as { method: string; params?: { protocolVersion?: string } })
      .filter(({ method }) => method === 'initialize')
      .map(({ params }) => params?.protocolVersion)
    expect(asked).toEqual(['2025-11-25', '2025-06-18'])
    expect(client.protocolVersion).toBe('2025-06-18')
    expect(server.sockets).toHaveLength(1)
  })

  it.each([true, false])('14: permessage-deflate with context takeover: perMessageDeflate: %s', async (perMessageDeflate) => {
    const { client, server } = await useConnected({ perMessageDeflate })
    expect(server.sockets[0]!.extensions).toBe(perMessageDeflate ? 'permessage-deflate' : '')
    for (const message of ['a', 'b', 'a'].map((letter) => letter.repeat(5000)))
      expect(textOf(await client.callTool({ name: 'echo', arguments: { message } }))).toBe(message)
  })

  it('15: kill -9 is 1006, and the call in flight is lost with an unknown outcome', async () => {
    const program = await bundle(new URL('devmesh/program.ts', import.meta.url))
    const child = useChild(program, ['0'])
    const url = await child.nextLine()
    const { client } = useAnyClient({ url, onMissingSubprotocol: 'accept', auth: { token: 'a-devmesh-key' } })
    await client.connect()
    const lost = rejectionOf(client.callTool({ name: 'slow', arguments: { seconds: 60 } }))
    await child.kill()
    const error = await lost
    expect(isConnectionLostError(error) && error).toMatchObject({ delivery: 'unknown', closure: { code: 1006, wasClean: false } })
  })

  it('16: `Session not found` on an open socket is an error of the call; reconnect() brings a new session', async () => {
    const { client, server } = await useConnected()
    await client.request('shutdown')
    const error = await rejectionOf(client.callTool({ name: 'echo', arguments: { message: 'hi' } }))
    expect(isRpcError(error) && error).toMatchObject({ rpcCode: -32600, message: expect.stringContaining('Session not found') as string })
    expect(client.state).toBe('ready')
    await client.reconnect()
    expect(server.sockets).toHaveLength(2)
    expect(textOf(await client.callTool({ name: 'echo', arguments: { message: 'hi' } }))).toBe('hi')
  })
})
