import { describe, expect, it } from 'vitest'
import { RpcError } from '../../src/errors.js'
import { messagesOf, said, useLab } from './lab.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'

/** The conversation on one connection. */
export function requestsSuite(serverUrl: string): void {
  describe('requests', () => {
    const lab = useLab(serverUrl)

    it.each(['/legacy', '/modern'])('list and call tools on %s', async (path) => {
      const client = await lab.connected(path)
      expect((await client.listTools()).tools).toMatchObject([{ name: 'echo' }])
      expect(said(await client.callTool({ name: 'echo', arguments: { message: 'hello' } }))).toBe('hello')
    })

    it('carry any text, small and large', async () => {
      const client = await lab.connected('/legacy')
      for (const message of ['', 'ä€😀\u0000\u2028"\\', '😀'.repeat(50_000)])
        expect(said(await client.callTool({ name: 'echo', arguments: { message } }))).toBe(message)
    })

    it('get each its own response', async () => {
      const client = await lab.connected('/legacy')
      const words = Array.from({ length: 100 }, (_, index) => `word ${String(index)}`)
      const results = await Promise.all(words.map((message) => client.callTool({ name: 'echo', arguments: { message } })))
      expect(results.map(said)).toEqual(words)
      expect(client.pendingCount).toBe(0)
    })

    it('have positive integers as ids, one of its own each', async () => {
      const client = await lab.connected('/legacy')
      await Promise.all([client.listTools(), client.listTools(), client.ping()])
      const ids = (await lab.log('ping')).flatMap(({ messages }) => messages.flatMap(({ id }) => id ?? []))
      expect(ids.filter((id) => !Number.isSafeInteger(id) || Number(id) <= 0)).toEqual([])
      expect(new Set(ids).size).toBe(ids.length)
    })

    it("carry the modern era's _meta, and only on a modern server", async () => {
      const modern = await lab.connected('/modern', { clientInfo: { name: 'test', version: '9' } })
      await modern.listTools()
      expect(messagesOf(await lab.log(), 'tools/list')[0]?.params?._meta).toMatchObject({
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'test', version: '9' }
      })
      const legacy = await lab.connected('/legacy')
      await legacy.listTools()
      expect(messagesOf(await lab.log('tools/list', 2), 'tools/list')[1]?.params?._meta).toBeUndefined()
    })

    it("reject with the server's error", async () => {
      const client = await lab.connected('/legacy')
      const error = await rejectionOf(client.request('no/such/method'))
      expect(error).toMatchObject({ name: 'RpcError', code: 'RPC_ERROR', rpcCode: -32601, message: 'no method no/such/method' })
    })

    it('report progress in order', async () => {
      const client = await lab.connected('/legacy')
      const reports: object[] = []
      expect(said(await client.callTool({ name: 'progress' }, { onprogress: (report) => reports.push(report) }))).toBe('done')
      expect(reports).toEqual([1, 2, 3].map((progress) => ({ progress, total: 3, message: `step ${String(progress)}` })))
      expect(messagesOf(await lab.log(), 'tools/call')[0]?.params?._meta?.progressToken).toEqual(expect.any(String))
    })

    it('time out, and tell the server', async () => {
      const client = await lab.connected('/legacy')
      const error = await rejectionOf(client.callTool({ name: 'silent' }, { timeout: 20 }))
      expect(error).toMatchObject({
        name: 'RequestTimeoutError',
        code: 'REQUEST_TIMEOUT',
        method: 'tools/call',
        timeout: 20,
        delivery: 'unknown'
      })
      const dials = await lab.log('notifications/cancelled')
      expect(messagesOf(dials, 'notifications/cancelled')[0]?.params?.requestId).toBe(messagesOf(dials, 'tools/call')[0]?.id)
      expect(client.state).toBe('ready')
    })

    it('time out by the default of the client', async () => {
      const client = await lab.connected('/legacy', { requestTimeout: 20 })
      expect(await rejectionOf(client.callTool({ name: 'silent' }))).toMatchObject({ name: 'RequestTimeoutError', timeout: 20 })
    })

    it('A9: end with the reason of their signal, and tell the server', async () => {
      const client = await lab.connected('/legacy')
      const controller = new AbortController()
      const reason = new Error('enough')
      const failure = rejectionOf(client.callTool({ name: 'silent' }, { signal: controller.signal }))
      await lab.log('tools/call')
      controller.abort(reason)
      expect(await failure).toBe(reason)
      expect(messagesOf(await lab.log('notifications/cancelled'), 'notifications/cancelled')).toHaveLength(1)
    })
  })

  describe('what the server asks for', () => {
    const lab = useLab(serverUrl)
    const ask = { name: 'ask', arguments: { method: 'roots/list' } }

    it('is answered by the handler, set before connect()', async () => {
      const client = lab.client('/legacy', { capabilities: { roots: {} } })
      client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///work' }] }))
      await client.connect()
      expect(said(await client.callTool(ask))).toBe('{"roots":[{"uri":"file:///work"}]}')
    })

    it('is answered by a handler that takes its time', async () => {
      const client = await lab.connected('/legacy', { capabilities: { roots: {} } })
      client.setRequestHandler('roots/list', async (_request, { requestId }) => {
        await client.ping()
        return { roots: [{ uri: `file:///${String(requestId)}` }] }
      })
      expect(said(await client.callTool(ask))).toBe('{"roots":[{"uri":"file:///server-1"}]}')
    })

    it('is answered with -32601 without a handler', async () => {
      const client = await lab.connected('/legacy')
      expect(JSON.parse(String(said(await client.callTool(ask))))).toMatchObject({ code: -32601 })
    })

    it('is answered with the error that the handler throws', async () => {
      const client = await lab.connected('/legacy')
      client.setRequestHandler('roots/list', () => {
        throw new RpcError(-32042, 'not today', { when: 'tomorrow' })
      })
      expect(JSON.parse(String(said(await client.callTool(ask))))).toEqual({
        code: -32042,
        message: 'not today',
        data: { when: 'tomorrow' }
      })
    })

    it('is answered when it is a ping', async () => {
      const client = await lab.connected('/legacy')
      expect(said(await client.callTool({ name: 'ask', arguments: { method: 'ping' } }))).toBe('{}')
    })

    it('is answered in rounds on a modern server, whose state comes back to the byte', async () => {
      const client = await lab.connected('/modern', { capabilities: { roots: {} } })
      client.setRequestHandler('roots/list', () => ({ roots: [] }))
      expect(said(await client.callTool(ask))).toBe('{"given":{"roots":[]},"requestState":"state-1"}')
      const ids = messagesOf(await lab.log(), 'tools/call').map(({ id }) => id)
      expect(new Set(ids).size).toBe(2)
    })
  })

  describe('frames', () => {
    const lab = useLab(serverUrl)

    it('of both kinds arrive in order', async () => {
      const client = await lab.connected('/legacy')
      const names: unknown[] = []
      client.setNotificationHandler('notifications/frame', ({ params }) => names.push(params?.name))
      await client.callTool({ name: 'frames' })
      expect(names).toEqual(['BIN1', 'TXT2', 'BIN3'])
    })

    it('may all be binary', async () => {
      const client = await lab.connected('/binary')
      expect(said(await client.callTool({ name: 'echo', arguments: { message: '😀' } }))).toBe('😀')
    })

    it('that are larger than maxMessageBytes end the connection', async () => {
      const client = await lab.connected('/legacy', { maxMessageBytes: 2000 })
      const error = await rejectionOf(client.callTool({ name: 'echo', arguments: { message: 'x'.repeat(3000) } }))
      expect(error).toMatchObject({ name: 'ConnectionLostError', code: 'MESSAGE_TOO_LARGE', closure: { code: 1009 } })
      await nextEvent(client, 'reconnected')
      expect(said(await client.callTool({ name: 'echo', arguments: { message: 'short' } }))).toBe('short')
    })

    it('show in trace and stats()', async () => {
      const traced: string[] = []
      const client = await lab.connected('/legacy', {
        trace: (direction, text) => traced.push(`${direction} ${String(JSON.parse(text) !== null)}`)
      })
      await client.ping()
      expect(traced).toEqual(['out true', 'in true', 'out true', 'in true', 'out true', 'out true', 'in true'])
      expect(client.stats()).toMatchObject({ attempts: 1, reconnects: 0, sent: 4, received: 3, resent: 0, lost: 0 })
      expect(client.stats().bytesReceived).toBeGreaterThan(100)
    })
  })
}
