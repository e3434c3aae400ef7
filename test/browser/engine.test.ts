import { describe, expect, inject, it } from 'vitest'
import { McpWebSocketClient } from '../../src/client/client.js'
import { FAST, LATE, messagesOf, methodsOf, offers, useLab } from '../shared/lab.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'

const serverUrl = inject('serverUrl')

describe('credentials in a browser', () => {
  const lab = useLab(serverUrl)

  it('throw a TypeError without an explicit way to send them', () => {
    expect(() => lab.client('/legacy', { auth: { token: 'secret-token' } })).toThrow(TypeError)
    expect(() => lab.client('/legacy', { auth: { token: 'secret-token' } })).toThrow(/auth\.via.*subprotocol/)
  })

  it('throw a TypeError when they are to travel in a header, which no page can set', () => {
    expect(() => lab.client('/legacy', { auth: { token: 'secret-token', via: 'header' } })).toThrow(TypeError)
    expect(() => lab.client('/legacy', { auth: { token: 'secret-token', via: 'header' } })).toThrow(/auth\.via/)
  })

  it('are not taken for headers of the program either', () => {
    expect(() => lab.client('/legacy', { headers: { 'X-Tenant': 'a' } })).toThrow(TypeError)
    expect(() => lab.client('/legacy', { headers: () => ({}) })).toThrow(/headers/)
  })

  it('travel as the last subprotocol, in base64url without padding', async () => {
    const client = await lab.connected('/legacy', { auth: { token: 'a?b>c~€', via: 'subprotocol' }, subprotocols: ['mcp'] })
    const [dial] = await lab.log()
    expect(offers(dial)).toEqual(['mcp.v1', 'mcp', 'mcp.bearer.YT9iPmN-4oKs'])
    expect(dial?.authorization).toBeNull()
    expect(client.subprotocol).toBe('mcp.v1')
  })

  it('are asked for at every dial', async () => {
    const contexts: unknown[] = []
    const token = (context: { attempt: number }): string => {
      contexts.push(context)
      return `token-${String(context.attempt)}`
    }
    const client = await lab.connected('/drop?after=ping', { auth: { token, via: 'subprotocol' } })
    await client.ping()
    expect(contexts).toEqual([
      { attempt: 1, reason: 'connect' },
      { attempt: 2, reason: 'connect' }
    ])
    expect((await lab.log()).map((dial) => offers(dial)?.[1])).toEqual(['mcp.bearer.dG9rZW4tMQ', 'mcp.bearer.dG9rZW4tMg'])
  })

  it('show in no error and no event', async () => {
    const seen: unknown[] = []
    const client = lab.client('/status/401', { auth: { token: 'secret-token', via: 'subprotocol' }, reconnect: { ...FAST, maxRetries: 1 } })
    client.on('state', (change) => seen.push(change))
    seen.push(await rejectionOf(client.connect()))
    expect(JSON.stringify(seen)).not.toMatch(/secret-token|c2VjcmV0LXRva2Vu/)
  })

  it('are asked anew after close code 4401', async () => {
    const reasons: unknown[] = []
    const token = ({ reason }: { reason: string }): string => {
      reasons.push(reason)
      return 'secret-token'
    }
    const client = lab.client('/close/4401?after=notifications/initialized', { auth: { token, via: 'subprotocol' } })
    const reconnected = nextEvent(client, 'reconnected')
    await client.connect()
    await reconnected
    expect(reasons).toEqual(['connect', 'unauthorized'])
  })
})

describe('a token provider in a browser', () => {
  const lab = useLab(serverUrl)

  it('hears after a dial that failed that it may have been the token', async () => {
    const reasons: unknown[] = []
    const token = ({ reason }: { reason: string }): string => {
      reasons.push(reason)
      return 'secret-token'
    }
    const client = lab.client('/status/401', { auth: { token, via: 'subprotocol' }, reconnect: { ...FAST, maxRetries: 1 } })
    await rejectionOf(client.connect())
    expect(reasons).toEqual(['connect', 'retry'])
  })
})

describe('a missing subprotocol in a browser', () => {
  const lab = useLab(serverUrl)

  it('costs one more dial, which is remembered', async () => {
    const client = await lab.connected('/no-subprotocol', { onMissingSubprotocol: 'accept' })
    await client.reconnect()
    await client.reconnect()
    expect((await client.listTools()).tools).toHaveLength(1)
    expect((await lab.log()).map(({ offered }) => offered)).toEqual(['mcp.v1', null, null, null])
  })

  it('is looked for anew in a new life', async () => {
    const client = await lab.connected('/no-subprotocol', { onMissingSubprotocol: 'accept' })
    await client.close()
    await client.connect()
    expect((await lab.log()).map(({ offered }) => offered)).toEqual(['mcp.v1', null, 'mcp.v1', null])
  })

  it('costs nothing on a server that names one', async () => {
    const client = await lab.connected('/legacy', { onMissingSubprotocol: 'accept' })
    expect(client.subprotocol).toBe('mcp.v1')
    expect(await lab.log()).toHaveLength(1)
  })

  it('is not worth a dial that would lose the token', async () => {
    const auth = { token: 'secret-token', via: 'subprotocol' } as const
    const client = lab.client('/no-subprotocol', { onMissingSubprotocol: 'accept', auth, reconnect: { ...FAST, maxRetries: 1 } })
    expect(await rejectionOf(client.connect())).toMatchObject({ code: 'RETRIES_EXHAUSTED', attempts: 2 })
    expect((await lab.log()).map((dial) => offers(dial)?.length)).toEqual([2, 2])
  })
})

describe('the heartbeat in a browser', () => {
  const lab = useLab(serverUrl)
  const heartbeat = { interval: 20, timeout: 500 }

  it('is the request ping on a legacy server', async () => {
    const client = await lab.connected('/legacy', { heartbeat })
    const dials = await lab.log('ping', 2)
    expect(dials).toHaveLength(1)
    expect(dials[0]?.pings).toBe(0)
    expect(messagesOf(dials, 'ping')[0]?.params).toBeUndefined()
    expect(client.pendingCount).toBe(0)
    expect(client.stats().latency).toBeGreaterThan(0)
  })

  it('is server/discover on a modern server, with its _meta', async () => {
    const client = await lab.connected('/modern', { heartbeat })
    const dials = await lab.log('server/discover', 3)
    expect(dials).toHaveLength(1)
    for (const { params } of messagesOf(dials, 'server/discover'))
      expect(params?._meta).toMatchObject({ 'io.modelcontextprotocol/protocolVersion': '2026-07-28' })
    expect(client.state).toBe('ready')
  })

  it('counts an error response as a sign of life', async () => {
    const client = await lab.connected('/legacy?unknown=ping', { heartbeat })
    expect(await lab.log('ping', 2)).toHaveLength(1)
    expect(client.state).toBe('ready')
  })

  it('sends nothing when it is off', async () => {
    const client = await lab.connected('/legacy', { heartbeat: false })
    await client.listTools()
    expect(methodsOf((await lab.log())[0])).toEqual(['server/discover', 'initialize', 'notifications/initialized', 'tools/list'])
  })
})

describe('a page', () => {
  const lab = useLab(serverUrl)

  it.each([new Event('online'), new PageTransitionEvent('pageshow', { persisted: true })])(
    'that hears $type dials at once',
    async (event) => {
      const client = await lab.connected('/drop?after=tools/call', { reconnect: LATE })
      await rejectionOf(client.callTool({ name: 'echo' }))
      expect(client.state).toBe('waiting')
      const reconnected = nextEvent(client, 'reconnected')
      window.dispatchEvent(event)
      await reconnected
      expect(await lab.log()).toHaveLength(2)
    }
  )

  it('that becomes visible probes the connection at once', async () => {
    await lab.connected('/legacy', { heartbeat: { interval: 60_000, timeout: 60_000 } })
    document.dispatchEvent(new Event('visibilitychange'))
    expect(messagesOf(await lab.log('ping'), 'ping')).toHaveLength(1)
  })

  it('is no longer listened to after close()', async () => {
    const client = await lab.connected('/legacy')
    await client.close()
    window.dispatchEvent(new Event('online'))
    expect(client.state).toBe('closed')
    expect(await lab.log()).toHaveLength(1)
  })

  it('may hand in a WebSocket of its own', async () => {
    const made: unknown[] = []
    class Recorded extends WebSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols)
        made.push(protocols)
      }
    }
    const client = await lab.connected('/legacy', { WebSocket: Recorded })
    expect(client.state).toBe('ready')
    expect(made).toEqual([['mcp.v1']])
  })

  it('rejects credentials in plain text to other hosts before it dials', async () => {
    const token = (): never => {
      throw new Error('asked for the token')
    }
    const client = new McpWebSocketClient({ url: 'ws://mcp.example.com/ws', auth: { token, via: 'subprotocol' } })
    expect(await rejectionOf(client.connect())).toMatchObject({ code: 'INSECURE_TRANSPORT', delivery: 'not-sent' })
  })
})

describe('in a worker', () => {
  const lab = useLab(serverUrl)

  it('the client connects, calls, reconnects and closes', async () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
    const outcome = await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data)
      worker.onerror = ({ message }) => reject(new Error(message || 'the worker failed'))
      worker.postMessage(lab.url('/drop?after=tools/list'))
    })
    worker.terminate()
    expect(outcome).toEqual({
      page: false,
      states: ['connecting', 'initializing', 'ready', 'waiting', 'connecting', 'initializing', 'ready', 'closing', 'closed'],
      tools: ['echo'],
      subprotocol: 'mcp.v1'
    })
    expect((await lab.log('close', 2)).map(({ closeCode }) => closeCode)).toEqual([1006, 1000])
  })
})
