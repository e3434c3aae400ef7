import { describe, expect, it } from 'vitest'
import { FAST, LATE, messagesOf, methodsOf, said, useLab } from './lab.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'

/** Lost connections, and what survives them. */
export function reconnectingSuite(serverUrl: string): void {
  describe('after a lost connection', () => {
    const lab = useLab(serverUrl)

    it('the client is ready again, and says so', async () => {
      const client = await lab.connected('/drop?after=tools/call')
      const reconnected = nextEvent(client, 'reconnected')
      const waiting = nextEvent(client, 'state', ({ to }) => to === 'waiting')
      await rejectionOf(client.callTool({ name: 'echo' }))
      expect(await waiting).toMatchObject({
        from: 'ready',
        attempt: 2,
        delay: 10,
        closure: { kind: 'close', code: 1006, wasClean: false, everReady: true }
      })
      expect(await reconnected).toMatchObject({ attempts: 1, resent: 0, lost: 1, serverChanged: false })
      expect(client.state).toBe('ready')
      expect((await lab.log()).map(({ offered }) => offered)).toEqual(['mcp.v1', 'mcp.v1'])
      expect(client.stats()).toMatchObject({ attempts: 2, reconnects: 1, lost: 1 })
    })

    it('the remembered era is not asked for again', async () => {
      const client = await lab.connected('/drop?after=ping')
      await client.ping()
      const [first, second] = await lab.log('notifications/initialized', 2)
      expect(methodsOf(first)).toEqual(['server/discover', 'initialize', 'notifications/initialized', 'ping'])
      expect(methodsOf(second).slice(0, 2)).toEqual(['initialize', 'notifications/initialized'])
    })

    it('a safe request is sent again, once, under its id', async () => {
      const client = await lab.connected('/drop?after=tools/list')
      const reconnected = nextEvent(client, 'reconnected')
      expect((await client.listTools()).tools).toHaveLength(1)
      expect(await reconnected).toMatchObject({ resent: 1, lost: 0 })
      const sent = messagesOf(await lab.log(), 'tools/list')
      expect(sent).toHaveLength(2)
      expect(sent[1]).toEqual(sent[0])
    })

    it('a safe request is not sent a third time', async () => {
      const client = await lab.connected('/drop?after=tools/list&times=2')
      expect(await rejectionOf(client.listTools())).toMatchObject({ name: 'ConnectionLostError', delivery: 'unknown' })
      await nextEvent(client, 'reconnected')
      expect(messagesOf(await lab.log(), 'tools/list')).toHaveLength(2)
    })

    it('a tool is not called again, and its caller learns that it may have run', async () => {
      const client = await lab.connected('/drop?after=tools/call')
      const error = await rejectionOf(client.callTool({ name: 'echo', arguments: { message: '1' } }))
      expect(error).toMatchObject({ name: 'ConnectionLostError', code: 'CONNECTION_LOST', delivery: 'unknown', closure: { code: 1006 } })
      expect(said(await client.callTool({ name: 'echo', arguments: { message: '2' } }))).toBe('2')
      expect(messagesOf(await lab.log(), 'tools/call').map(({ params }) => params?.arguments)).toEqual([{ message: '1' }, { message: '2' }])
    })

    it('a tool is called again if the caller allows it', async () => {
      const client = await lab.connected('/drop?after=tools/call')
      expect(said(await client.callTool({ name: 'echo', arguments: { message: '1' } }, { resend: true }))).toBe('1')
      expect(messagesOf(await lab.log(), 'tools/call')).toHaveLength(2)
    })

    it('nothing is sent again with resend: never', async () => {
      const client = await lab.connected('/drop?after=tools/list', { resend: 'never' })
      expect(await rejectionOf(client.listTools())).toMatchObject({ name: 'ConnectionLostError', delivery: 'unknown' })
      expect(messagesOf(await lab.log('notifications/initialized', 2), 'tools/list')).toHaveLength(1)
    })

    it('log level and resource subscriptions are restored, and what the gap swallowed is announced', async () => {
      const client = await lab.connected('/drop?after=ping')
      await client.setLoggingLevel('warning')
      await client.subscribeResource({ uri: 'file:///kept' })
      await client.subscribeResource({ uri: 'file:///gone' })
      await client.unsubscribeResource({ uri: 'file:///gone' })
      const heard: unknown[] = []
      client.on('notification', ({ method, params }) => heard.push(params?.uri ?? method))
      await client.ping()
      const [, second] = await lab.log('ping', 2)
      expect(second?.messages.map(({ method, params }) => [method, params?.level ?? params?.uri])).toEqual([
        ['initialize', undefined],
        ['notifications/initialized', undefined],
        ['logging/setLevel', 'warning'],
        ['resources/subscribe', 'file:///kept'],
        ['ping', undefined]
      ])
      expect(heard).toEqual(['notifications/tools/list_changed', 'file:///kept'])
      await client.callTool({ name: 'update', arguments: { uri: 'file:///kept' } })
      expect(heard.at(-1)).toBe('file:///kept')
      expect(heard).toHaveLength(3)
    })

    it('a modern subscription goes on under its id', async () => {
      const client = await lab.connected('/drop?after=ping&era=modern')
      const subscription = await client.listen({ toolsListChanged: true })
      expect(subscription.honoredFilter).toEqual({ toolsListChanged: true })
      const reconnected = nextEvent(client, 'reconnected')
      const lost = rejectionOf(client.request('ping', undefined, { resend: false }))
      expect(await lost).toMatchObject({ name: 'ConnectionLostError' })
      await reconnected
      const changed = nextEvent(client, 'notification', ({ method }) => method === 'notifications/tools/list_changed')
      await client.callTool({ name: 'change' })
      await changed
      const listens = messagesOf(await lab.log(), 'subscriptions/listen')
      expect(listens).toHaveLength(2)
      expect(listens[1]).toEqual(listens[0])
      subscription.close()
      expect(await subscription.closed).toBe('local')
      expect(messagesOf(await lab.log('notifications/cancelled'), 'notifications/cancelled')[0]?.params?.requestId).toBe(listens[0]?.id)
    })

    it('a silent server is given up and dialled again', async () => {
      const client = await lab.connected('/deaf?after=notifications/initialized', { heartbeat: { interval: 30, timeout: 30 } })
      const waiting = await nextEvent(client, 'state', ({ to }) => to === 'waiting')
      expect(waiting.closure).toMatchObject({ kind: 'heartbeat', wasClean: false })
      await nextEvent(client, 'reconnected')
      expect((await client.listTools()).tools).toHaveLength(1)
    })

    it('reconnect() replaces the connection at once', async () => {
      const client = await lab.connected('/legacy', { reconnect: LATE })
      await client.reconnect()
      expect(client.state).toBe('ready')
      expect((await client.listTools()).tools).toHaveLength(1)
      expect(await lab.log()).toHaveLength(2)
    })

    it('reconnect() fails what was in flight and may not be repeated, and repeats the rest', async () => {
      const client = await lab.connected('/legacy')
      const call = rejectionOf(client.callTool({ name: 'silent' }))
      const list = client.listTools()
      await client.reconnect()
      expect(await call).toMatchObject({ name: 'ConnectionLostError', delivery: 'unknown' })
      expect((await list).tools).toHaveLength(1)
    })

    it('a request of the server is aborted, and its late response goes nowhere', async () => {
      const client = lab.client('/drop?after=resources/read', { capabilities: { roots: {} } })
      const handled = new Promise<AbortSignal>((resolve) => {
        client.setRequestHandler('roots/list', async (_request, { signal }) => {
          await client.readResource({ uri: 'file:///cuts-the-connection' })
          resolve(signal)
          return { roots: [] }
        })
      })
      await client.connect()
      expect(await rejectionOf(client.callTool({ name: 'ask', arguments: { method: 'roots/list' } }))).toMatchObject({
        name: 'ConnectionLostError'
      })
      expect((await handled).aborted).toBe(true)
      await client.ping()
      const [first, second] = await lab.log()
      expect(first?.messages.filter(({ id }) => id === 'server-1')).toEqual([])
      expect(second?.messages.filter(({ id }) => id === 'server-1')).toEqual([])
      expect(methodsOf(second).slice(2)).toEqual(['resources/read', 'ping'])
    })

    it('close() ends the wait for the next dial', async () => {
      const client = await lab.connected('/drop?after=tools/call', { reconnect: LATE })
      await rejectionOf(client.callTool({ name: 'echo' }))
      expect(client.state).toBe('waiting')
      await client.close()
      expect(client.state).toBe('closed')
      expect(await lab.log('close')).toHaveLength(1)
    })

    it('retries end at the cap when every connection breaks before it is ready', async () => {
      const client = lab.client('/drop?after=initialize&times=99', { protocol: 'legacy', reconnect: { ...FAST, maxRetries: 3 } })
      const failed = nextEvent(client, 'failed')
      const error = await rejectionOf(client.connect())
      expect(error).toMatchObject({ code: 'RETRIES_EXHAUSTED', attempts: 4, cause: { name: 'ConnectionLostError' } })
      expect(await failed).toBe(error)
      expect(await lab.log()).toHaveLength(4)
    })

    it('retries end at the cap when every connection breaks right after it was ready', async () => {
      const client = await lab.connected('/drop?after=notifications/initialized&times=99', { reconnect: { ...FAST, maxRetries: 3 } })
      expect(await nextEvent(client, 'failed')).toMatchObject({ code: 'RETRIES_EXHAUSTED', attempts: 4 })
      expect(await lab.log()).toHaveLength(4)
    })

    it('reconnect: false ends the life with the loss itself', async () => {
      const client = await lab.connected('/drop?after=notifications/initialized', { reconnect: false })
      expect(await nextEvent(client, 'failed')).toMatchObject({ name: 'ConnectionLostError', code: 'CONNECTION_LOST' })
      expect(client.state).toBe('failed')
    })
  })

  describe('the outbox', () => {
    const lab = useLab(serverUrl)

    it('A6: keeps what is sent before connect(), in order', async () => {
      const client = lab.client('/legacy')
      const results = ['a', 'b', 'c'].map((message) => client.callTool({ name: 'echo', arguments: { message } }))
      await client.notify('notifications/roots/list_changed')
      expect(client).toMatchObject({ state: 'idle', queuedCount: 4, pendingCount: 3 })
      await client.connect()
      expect((await Promise.all(results)).map(said)).toEqual(['a', 'b', 'c'])
      const [dial] = await lab.log('notifications/roots/list_changed')
      expect(methodsOf(dial).slice(3)).toEqual(['tools/call', 'tools/call', 'tools/call', 'notifications/roots/list_changed'])
    })

    it('A6: keeps what is sent while the connection is lost', async () => {
      const client = await lab.connected('/drop?after=ping')
      const waiting = nextEvent(client, 'state', ({ to }) => to === 'waiting')
      const ping = client.ping()
      await waiting
      const call = client.callTool({ name: 'echo', arguments: { message: 'later' } })
      expect(client.queuedCount).toBe(2)
      expect(said(await call)).toBe('later')
      await ping
      expect(methodsOf((await lab.log())[1]).slice(2)).toEqual(['ping', 'tools/call'])
    })

    it('A7: rejects the newest request when it is full', async () => {
      const client = lab.client('/legacy', { outbox: { maxMessages: 1 } })
      const first = client.listTools()
      expect(await rejectionOf(client.listTools())).toMatchObject({ name: 'QueueFullError', code: 'QUEUE_FULL', delivery: 'not-sent' })
      await client.connect()
      expect((await first).tools).toHaveLength(1)
    })

    it('can be turned off', async () => {
      const client = lab.client('/legacy', { outbox: false })
      expect(await rejectionOf(client.listTools())).toMatchObject({ name: 'QueueFullError', delivery: 'not-sent' })
    })

    it('A12: lets a request time out, unsent', async () => {
      const client = lab.client('/legacy')
      expect(await rejectionOf(client.callTool({ name: 'echo' }, { timeout: 10 }))).toMatchObject({
        name: 'RequestTimeoutError',
        delivery: 'not-sent'
      })
      expect(client.queuedCount).toBe(0)
      await client.connect()
      await client.ping()
      expect(messagesOf(await lab.log(), 'tools/call')).toEqual([])
    })
  })

  describe('a close frame of the server', () => {
    const lab = useLab(serverUrl)

    it.each([1000, 1001, 1011, 1012, 3001, 4000, 4401, 4408, 4429])('with code %i is followed by a reconnect', async (code) => {
      const client = lab.client(`/close/${String(code)}/so%20long?after=notifications/initialized`)
      const reconnected = nextEvent(client, 'reconnected')
      const waiting = nextEvent(client, 'state', ({ to }) => to === 'waiting')
      await client.connect()
      expect((await waiting).closure).toMatchObject({ kind: 'close', code, reason: 'so long', wasClean: true, everReady: true })
      expect(await reconnected).toMatchObject({ attempts: 1 })
    })

    it.each([1002, 1003, 1007, 1008, 1010, 4400, 4403, 4404, 4499])('with code %i is fatal', async (code) => {
      const client = lab.client(`/close/${String(code)}?after=notifications/initialized`)
      const failed = nextEvent(client, 'failed')
      await client.connect()
      expect(await failed).toMatchObject({ name: 'ConnectionLostError', code: 'CONNECTION_LOST', closure: { kind: 'close', code } })
      expect(client.state).toBe('failed')
      expect(await lab.log()).toHaveLength(1)
    })

    it('with retry-after in its reason sets the delay', async () => {
      const client = lab.client('/close/1013/retry-after=30?after=notifications/initialized')
      const waiting = nextEvent(client, 'state', ({ to }) => to === 'waiting')
      await client.connect()
      const { delay, closure } = await waiting
      expect(closure?.retryAfter).toBe(30_000)
      expect(delay).toBeGreaterThanOrEqual(30_000)
      expect(delay).toBeLessThanOrEqual(36_000)
    })

    it('with code 1013 alone doubles the first delay', async () => {
      const client = lab.client('/close/1013?after=notifications/initialized', { reconnect: { initialDelay: 20_000, jitter: false } })
      const waiting = nextEvent(client, 'state', ({ to }) => to === 'waiting')
      await client.connect()
      expect((await waiting).delay).toBeGreaterThanOrEqual(40_000)
    })

    it('is judged by shouldReconnect', async () => {
      const judged: unknown[] = []
      const client = lab.client('/close/1008?after=notifications/initialized', {
        reconnect: { ...FAST, shouldReconnect: ({ code }) => judged.push(code) > 0 }
      })
      const reconnected = nextEvent(client, 'reconnected')
      await client.connect()
      await reconnected
      expect(judged).toEqual([1008])
    })
  })
}
