import { describe, expect, it, vi } from 'vitest'
import { HandshakeError } from '../../src/errors.js'
import { settle } from '../helpers/fake-clock.js'
import { becomeLegacy } from '../helpers/fake-network.js'
import { useClient } from './use-client.js'
import { watch } from '../helpers/watch.js'

const TIMEOUT = { name: 'RequestTimeoutError', code: 'REQUEST_TIMEOUT', retryable: true }

describe('the timeout of a request', () => {
  it('is requestTimeout of the client by default: 60 s', async () => {
    const rig = useClient({ heartbeat: false })
    await rig.legacy()
    const asked = watch(rig.client.callTool({ name: 'x' }))
    await rig.clock.advance(59_999)
    expect(asked.settled).toBe(false)
    await rig.clock.advance(1)
    expect(asked.error).toMatchObject({ ...TIMEOUT, method: 'tools/call', timeout: 60_000, delivery: 'unknown' })
    expect(rig.client.pendingCount).toBe(0)
  })

  it('is what the client option says', async () => {
    const rig = useClient({ requestTimeout: 70 })
    await rig.legacy()
    const asked = watch(rig.client.request('tools/list'))
    await rig.clock.advance(70)
    expect(asked.error).toMatchObject({ ...TIMEOUT, timeout: 70 })
  })

  it('is what the request says first of all', async () => {
    const rig = useClient({ requestTimeout: 70 })
    await rig.legacy()
    const short = watch(rig.client.request('tools/list', {}, { timeout: 50 }))
    const long = watch(rig.client.request('tools/list', {}, { timeout: 90 }))
    await rig.clock.advance(50)
    expect([short.settled, long.settled]).toEqual([true, false])
    await rig.clock.advance(40)
    expect(long.error).toMatchObject({ timeout: 90 })
  })

  it.each(['client', 'request'])('A11: is none with Infinity for the %s', async (where) => {
    const rig = useClient({ heartbeat: false, ...(where === 'client' && { requestTimeout: Infinity }) })
    const socket = await rig.legacy()
    await rig.clock.advance(5000)
    const asked = watch(rig.client.request('tools/list', {}, where === 'request' ? { timeout: Infinity } : {}))
    expect(rig.clock.pendingCount).toBe(0)
    await rig.clock.advance(1e12)
    socket.respond('tools/list', { tools: [] })
    await settle()
    expect(asked.value).toEqual({ tools: [] })
  })

  it('sets no timer if another request was answered before it', async () => {
    const rig = useClient({ heartbeat: false })
    const socket = await rig.legacy()
    watch(rig.client.request('tools/list'))
    socket.respond('tools/list', { tools: [] })
    const after = vi.spyOn(rig.clock, 'after')
    const asked = watch(rig.client.request('prompts/list'))
    expect(after).not.toHaveBeenCalled()
    await rig.clock.advance(60_000)
    expect(asked.error).toMatchObject({ ...TIMEOUT, timeout: 60_000 })
  })

  it('tells the server by notifications/cancelled with the id and a reason', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    watch(rig.client.callTool({ name: 'x' }, { timeout: 50 }))
    const { id } = socket.asked('tools/call')
    await rig.clock.advance(50)
    expect(socket.sent.at(-1)).toMatchObject({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })
    expect(socket.sent.at(-1)).not.toHaveProperty('id')
    expect(typeof socket.sent.at(-1)?.params?.reason).toBe('string')
  })

  it('makes a late response meaningless', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.request('tools/list', {}, { timeout: 50 }))
    await rig.clock.advance(50)
    socket.respond('tools/list', { tools: [] })
    await settle()
    expect(asked.value).toBeUndefined()
    expect(rig.errors).toEqual([])
  })

  it('is called off by the response', async () => {
    const rig = useClient({ heartbeat: false })
    const socket = await rig.legacy()
    watch(rig.client.request('tools/list', {}, { timeout: 50 }))
    socket.respond('tools/list', {})
    await rig.clock.advance(10_000)
    expect(rig.clock.pendingCount).toBe(0)
    expect(socket.methods).not.toContain('notifications/cancelled')
  })

  it('is never told about the handshake', async () => {
    const rig = useClient({ protocol: 'legacy', reconnect: false })
    const connected = watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    await rig.clock.advance(60_000)
    expect(connected.error).toMatchObject({ code: 'HANDSHAKE_TIMEOUT' })
    expect(socket.methods).toEqual(['initialize'])
  })

  it('is not told about the probe of the era either', async () => {
    const rig = useClient()
    watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    await rig.clock.advance(3000)
    expect(socket.methods).toEqual(['server/discover', 'initialize'])
  })

  it('is not told to another socket than the one that carried the request', async () => {
    const rig = useClient({ reconnect: { jitter: false } })
    const first = await rig.legacy()
    watch(rig.client.request('tools/list', {}, { timeout: 1500 }))
    first.drop()
    await rig.redial()
    await rig.clock.advance(500)
    const socket = await becomeLegacy(rig.network)
    expect(socket.methods).toEqual(['initialize', 'notifications/initialized'])
  })

  it.each([0, -1, NaN])('A11: may not be %d', async (timeout) => {
    const rig = useClient()
    const socket = await rig.legacy()
    const sent = socket.sent.length
    const asked = watch(rig.client.request('tools/list', {}, { timeout }))
    const total = watch(rig.client.request('tools/list', {}, { maxTotalTimeout: timeout }))
    await settle()
    expect(asked.error).toBeInstanceOf(TypeError)
    expect((asked.error as Error).message).toContain('timeout')
    expect(total.error).toBeInstanceOf(TypeError)
    expect((total.error as Error).message).toContain('maxTotalTimeout')
    expect(socket.sent).toHaveLength(sent)
    expect(rig.client.pendingCount).toBe(0)
  })

  it.each(['timeout', 'maxTotalTimeout'])(
    'is a number: %s as text, such as that of an environment variable, is a TypeError',
    async (name) => {
      const rig = useClient()
      const socket = await rig.legacy()
      const sent = socket.sent.length
      const asked = watch(rig.client.request('tools/list', {}, { [name]: '30000' }))
      await settle()
      expect(asked.error).toBeInstanceOf(TypeError)
      expect((asked.error as Error).message).toBe(`${name} must be a positive number of ms, not the string 30000`)
      expect(socket.sent).toHaveLength(sent)
    }
  )
})

describe('resetTimeoutOnProgress', () => {
  it('starts the timeout anew at every report', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.callTool({ name: 'x' }, { timeout: 100, resetTimeoutOnProgress: true }))
    const progressToken = (socket.asked('tools/call').params?._meta as { progressToken: string }).progressToken
    for (let progress = 1; progress <= 5; progress++) {
      await rig.clock.advance(90)
      socket.deliver({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress } })
    }
    expect(asked.settled).toBe(false)
    await rig.clock.advance(100)
    expect(asked.error).toMatchObject({ ...TIMEOUT, timeout: 100 })
  })

  it('is off by default', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.callTool({ name: 'x' }, { timeout: 100, onprogress: () => undefined }))
    const progressToken = (socket.asked('tools/call').params?._meta as { progressToken: string }).progressToken
    await rig.clock.advance(90)
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress: 1 } })
    await rig.clock.advance(10)
    expect(asked.error).toMatchObject(TIMEOUT)
  })
})

describe('maxTotalTimeout', () => {
  it('P25: is an end that no progress moves', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.callTool({ name: 'x' }, { timeout: 100, maxTotalTimeout: 250, resetTimeoutOnProgress: true }))
    const progressToken = (socket.asked('tools/call').params?._meta as { progressToken: string }).progressToken
    for (const progress of [1, 2, 3]) {
      await rig.clock.advance(80)
      socket.deliver({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress } })
    }
    await rig.clock.advance(9)
    expect(asked.settled).toBe(false)
    await rig.clock.advance(1)
    expect(asked.error).toMatchObject({ ...TIMEOUT, timeout: 250 })
    expect(socket.methods.at(-1)).toBe('notifications/cancelled')
  })

  it('holds when it is shorter than the timeout', async () => {
    const rig = useClient()
    await rig.legacy()
    const asked = watch(rig.client.request('tools/list', {}, { maxTotalTimeout: 30 }))
    await rig.clock.advance(30)
    expect(asked.error).toMatchObject({ ...TIMEOUT, timeout: 30 })
  })

  it('bounds the wait for the era too', async () => {
    const rig = useClient()
    const asked = watch(rig.client.subscribeResource({ uri: 'a:1' }, { maxTotalTimeout: 30 }))
    await rig.clock.advance(30)
    expect(asked.error).toMatchObject({ ...TIMEOUT, timeout: 30, delivery: 'not-sent' })
  })

  it('may be Infinity', async () => {
    const rig = useClient()
    await rig.legacy()
    const asked = watch(rig.client.request('tools/list', {}, { timeout: 30, maxTotalTimeout: Infinity }))
    await rig.clock.advance(30)
    expect(asked.error).toMatchObject({ ...TIMEOUT, timeout: 30 })
  })
})

describe('a deadline that passes while the process sleeps', () => {
  it('lets what the socket holds be heard first: it may be the response', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.callTool({ name: 'x' }))
    await rig.clock.sleep(2 * 3_600_000)
    expect(asked.settled).toBe(false)
    socket.respond('tools/call', { content: [] })
    await settle()
    expect(asked.value).toEqual({ content: [] })
  })

  it('lets a loss be a loss', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.callTool({ name: 'x' }))
    await rig.clock.sleep(2 * 3_600_000)
    socket.drop()
    await settle()
    expect(asked.error).toMatchObject({ code: 'CONNECTION_LOST', delivery: 'unknown' })
  })

  it('has the timeout of the heartbeat for that, once, and then passes', async () => {
    const rig = useClient({ heartbeat: { interval: 25_000, timeout: 3000 } })
    await rig.legacy()
    const asked = watch(rig.client.callTool({ name: 'x' }))
    await rig.clock.sleep(70_000)
    await rig.clock.advance(2999)
    expect(asked.settled).toBe(false)
    await rig.clock.advance(1)
    expect(asked.error).toMatchObject({ ...TIMEOUT, timeout: 60_000 })
  })

  it('passes even if the process never wakes in time, as the timers of a hidden page do', async () => {
    const rig = useClient()
    await rig.legacy()
    const asked = watch(rig.client.callTool({ name: 'x' }))
    for (let minute = 0; minute < 3; minute++) await rig.clock.sleep(61_000)
    expect(asked.error).toMatchObject(TIMEOUT)
  })

  it('is not put off by one that comes meanwhile', async () => {
    const rig = useClient()
    await rig.legacy()
    const first = watch(rig.client.callTool({ name: 'x' }))
    await rig.clock.sleep(70_000)
    const second = watch(rig.client.callTool({ name: 'x' }, { timeout: 5000 }))
    await rig.clock.advance(9999)
    expect([first.settled, second.settled]).toEqual([false, false])
    await rig.clock.advance(1)
    expect([first.settled, second.settled]).toEqual([true, true])
  })
})

describe('the error of a request that timed out says why, if it is known:', () => {
  it('connect() was not called', async () => {
    const rig = useClient()
    const call = watch(rig.client.callTool({ name: 'x' }, { timeout: 100 }))
    await rig.clock.advance(100)
    expect(call.error).toMatchObject({
      ...TIMEOUT,
      delivery: 'not-sent',
      message: expect.stringContaining('connect() was not called') as string
    })
  })

  it('the last dial failed', async () => {
    const rig = useClient()
    watch(rig.client.connect())
    const error = new HandshakeError('CONNECT_FAILED', 'no connection to ws://127.0.0.1/ws: ECONNREFUSED', {
      hint: 'Is it running?',
      retryable: true
    })
    ;(await rig.network.last()).drop({ kind: 'network', error })
    const call = watch(rig.client.callTool({ name: 'x' }, { timeout: 100 }))
    await rig.clock.advance(100)
    expect(call.error).toMatchObject({
      ...TIMEOUT,
      message: 'tools/call got no response within 100 ms: it was never sent; no connection to ws://127.0.0.1/ws: ECONNREFUSED',
      hint: 'Is it running?',
      cause: error
    })
  })

  it('nothing is known while the connection is fine again', async () => {
    const rig = useClient()
    ;(await rig.legacy()).drop()
    await rig.relegacy()
    const call = watch(rig.client.callTool({ name: 'x' }, { timeout: 100 }))
    await rig.clock.advance(100)
    expect(call.error).toMatchObject({ ...TIMEOUT, message: 'tools/call got no response within 100 ms: it may have been executed' })
  })
})

describe('a server that opens sockets and says nothing', () => {
  it('is given up after the fourth silent attempt, with a hint, if it was never ready', async () => {
    const rig = useClient({ handshakeTimeout: 100, reconnect: { initialDelay: 1, jitter: false } })
    const connected = watch(rig.client.connect())
    for (let dial = 1; dial <= 4; dial++) {
      ;(await rig.network.last()).accept()
      await rig.clock.advance(100)
      if (dial < 4) await rig.redial()
    }
    expect(rig.network.dials).toBe(4)
    expect(connected.error).toMatchObject({
      code: 'RETRIES_EXHAUSTED',
      attempts: 4,
      hint: expect.stringContaining('does not respond to MCP') as string,
      cause: { code: 'HANDSHAKE_TIMEOUT', message: 'connected, but MCP was not ready at ws://127.0.0.1/ws within 100 ms' }
    })
  })

  it('is tried as often as others if it was ready once', async () => {
    const rig = useClient({ handshakeTimeout: 100, reconnect: { initialDelay: 1, jitter: false } })
    ;(await rig.legacy()).drop()
    for (let dial = 1; dial <= 6; dial++) {
      ;(await rig.redial()).accept()
      await rig.clock.advance(100)
    }
    expect(rig.client.state).toBe('waiting')
  })
})

describe('a question of the server to the user', () => {
  it('stops the clock of the call, and of no call after its connection is lost', async () => {
    const rig = useClient({ heartbeat: false })
    rig.client.setRequestHandler('elicitation/create', () => new Promise(() => undefined))
    const socket = await rig.legacy()
    const called = watch(rig.client.callTool({ name: 'x' }, { timeout: 1000, resend: true }))
    socket.deliver({ jsonrpc: '2.0', id: 1, method: 'elicitation/create', params: { message: 'sure?' } })
    await rig.clock.advance(1e6)
    expect(called.settled).toBe(false)
    socket.drop()
    await rig.clock.advance(999)
    expect(called.settled).toBe(false)
    await rig.clock.advance(1)
    expect(called.error).toMatchObject({ ...TIMEOUT, timeout: 1000 })
  })

  it('stops no clock with pauseTimeouts: false', async () => {
    const rig = useClient({ pauseTimeouts: false })
    rig.client.setRequestHandler('elicitation/create', () => new Promise(() => undefined))
    const socket = await rig.legacy()
    const called = watch(rig.client.callTool({ name: 'x' }, { timeout: 1000 }))
    socket.deliver({ jsonrpc: '2.0', id: 1, method: 'elicitation/create', params: { message: 'sure?' } })
    await rig.clock.advance(1000)
    expect(called.error).toMatchObject(TIMEOUT)
  })
})
