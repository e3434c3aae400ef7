import { describe, expect, it } from 'vitest'
import { ConnectionLostError, HandshakeError, isClosedError, isRetriesExhaustedError, SubprotocolError } from '../../src/errors.js'
import { McpWebSocketClient } from '../../src/client/client.js'
import { FakeClock, settle } from '../helpers/fake-clock.js'
import { becomeLegacy, LEGACY_RESULT } from '../helpers/fake-network.js'
import { closeClean, useClient } from './use-client.js'
import { watch } from '../helpers/watch.js'

const unreachable = (): { kind: 'network'; code: undefined; error: HandshakeError } => ({
  kind: 'network',
  code: undefined,
  error: new HandshakeError('CONNECT_FAILED', 'nobody listens', { retryable: true })
})

describe('connect', () => {
  it('goes from idle over connecting and initializing to ready', async () => {
    const rig = useClient()
    expect(rig.client.state).toBe('idle')
    await rig.legacy()
    expect(rig.states.map(({ from, to }) => [from, to])).toEqual([
      ['idle', 'connecting'],
      ['connecting', 'initializing'],
      ['initializing', 'ready']
    ])
    expect(rig.client.state).toBe('ready')
  })

  it('knows the server and the agreement once it is ready', async () => {
    const rig = useClient()
    await rig.legacy({
      protocolVersion: '2025-06-18',
      capabilities: { tools: {} },
      serverInfo: { name: 'fake', version: '1' },
      instructions: 'be nice'
    })
    expect(rig.client.era).toBe('legacy')
    expect(rig.client.protocolVersion).toBe('2025-06-18')
    expect(rig.client.serverInfo).toEqual({ name: 'fake', version: '1' })
    expect(rig.client.serverCapabilities).toEqual({ tools: {} })
    expect(rig.client.instructions).toBe('be nice')
    expect(rig.client.subprotocol).toBe('mcp.v1')
  })

  it('knows nothing of a server before it is connected', () => {
    const { client } = useClient()
    expect([client.era, client.protocolVersion, client.serverInfo, client.serverCapabilities, client.subprotocol]).toEqual(
      Array(5).fill(undefined)
    )
  })

  it('A1: resolves at once and dials no more when the client is ready', async () => {
    const rig = useClient()
    await rig.legacy()
    await rig.client.connect()
    expect(rig.network.dials).toBe(1)
  })

  it('shares one dial between concurrent callers', async () => {
    const rig = useClient()
    const callers = [rig.client.connect(), rig.client.connect(), rig.client.connect()]
    await becomeLegacy(rig.network)
    await Promise.all(callers)
    expect(rig.network.dials).toBe(1)
  })

  it('waits for the next ready connection while the client reconnects', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.drop()
    const connected = watch(rig.client.connect())
    await settle()
    expect(connected.settled).toBe(false)
    await rig.relegacy()
    expect(connected.settled).toBe(true)
    expect(rig.network.dials).toBe(2)
  })

  it('starts a new life after closed', async () => {
    const rig = useClient()
    await rig.legacy()
    await closeClean(rig)
    expect(rig.client.era).toBeUndefined()
    const socket = await rig.legacy()
    expect(rig.client.state).toBe('ready')
    expect(socket.methods).toEqual(['server/discover', 'initialize', 'notifications/initialized'])
  })

  it('starts a new life after failed, with all its retries', async () => {
    const rig = useClient({ reconnect: { maxRetries: 1 } })
    const failed = watch(rig.client.connect())
    ;(await rig.network.last()).drop(unreachable())
    ;(await rig.redial()).drop(unreachable())
    await settle()
    expect(failed.error).toSatisfy(isRetriesExhaustedError)
    expect(rig.client.state).toBe('failed')
    const connected = watch(rig.client.connect())
    ;(await rig.network.last()).drop(unreachable())
    await rig.relegacy()
    expect(connected).toMatchObject({ settled: true, error: undefined })
  })

  it('waits for the end of closing and then starts a new life', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    const closed = rig.client.close()
    const connected = watch(rig.client.connect())
    await settle()
    expect(rig.network.dials).toBe(1)
    first.drop({ code: 1000, wasClean: true })
    await closed
    await becomeLegacy(rig.network)
    expect(connected).toMatchObject({ settled: true, error: undefined })
    expect(rig.network.dials).toBe(2)
  })

  it('counts no caller whom a listener of its own dial has sent away: a later one that gives up ends its dial', async () => {
    const rig = useClient()
    const closed: Promise<void>[] = []
    rig.client.once('state', () => closed.push(rig.client.close()))
    await expect(rig.client.connect()).rejects.toSatisfy(isClosedError)
    await Promise.all(closed)
    const controller = new AbortController()
    const connected = watch(rig.client.connect({ signal: controller.signal }))
    await settle()
    expect(rig.client.state).toBe('connecting')
    controller.abort(new Error('enough'))
    await settle()
    expect(connected.error).toBe(controller.signal.reason)
    expect(rig.client.state).toBe('closed')
  })

  it('rejects with ClosedError when the client is closed meanwhile', async () => {
    const rig = useClient()
    const connected = watch(rig.client.connect())
    await closeClean(rig)
    expect(connected.error).toSatisfy(isClosedError)
  })

  it('keeps request and notification handlers for the next life', async () => {
    const rig = useClient()
    const seen: string[] = []
    rig.client.setRequestHandler('roots/list', () => ({ roots: [] }))
    rig.client.setNotificationHandler('notifications/message', ({ method }) => void seen.push(method))
    await rig.legacy()
    await closeClean(rig)
    const socket = await rig.legacy()
    socket.deliver({ jsonrpc: '2.0', id: 1, method: 'roots/list' })
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 } })
    await settle()
    expect(socket.sent.at(-1)).toEqual({ jsonrpc: '2.0', id: 1, result: { roots: [] } })
    expect(seen).toEqual(['notifications/message'])
  })
})

describe('connect with a signal', () => {
  it('rejects with the reason of a signal that is aborted already, and dials nothing', async () => {
    const rig = useClient()
    const reason = new Error('no')
    await expect(rig.client.connect({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(rig.network.dials).toBe(0)
    expect(rig.client.state).toBe('idle')
  })

  it('rejects what is no signal, and dials nothing', async () => {
    const rig = useClient()
    const wrong = { signal: new AbortController() as unknown as AbortSignal }
    const problem = new TypeError('signal must be an AbortSignal')
    await expect(rig.client.connect(wrong)).rejects.toThrow(problem)
    expect(rig.network.dials).toBe(0)
    expect(rig.client.state).toBe('idle')
    await rig.legacy()
    const closed = closeClean(rig)
    await expect(rig.client.connect(wrong)).rejects.toThrow(problem)
    await closed
    expect(rig.client.state).toBe('closed')
  })

  it('ends the dial when nobody else waits for it', async () => {
    const rig = useClient()
    const controller = new AbortController()
    const connected = watch(rig.client.connect({ signal: controller.signal }))
    await rig.network.last()
    const reason = new Error('enough')
    controller.abort(reason)
    await settle()
    expect(connected.error).toBe(reason)
    expect(rig.network.openCount).toBe(0)
    expect(rig.clock.pendingCount).toBe(0)
    expect(rig.client.state).toBe('closed')
  })

  it('ends the wait for a retry when nobody else waits for it', async () => {
    const rig = useClient()
    const controller = new AbortController()
    const connected = watch(rig.client.connect({ signal: controller.signal }))
    ;(await rig.network.last()).drop(unreachable())
    expect(rig.client.state).toBe('waiting')
    controller.abort()
    await settle()
    expect(connected.error).toBe(controller.signal.reason)
    expect(rig.clock.pendingCount).toBe(0)
  })

  it('rejects its own caller only, while another one waits', async () => {
    const rig = useClient()
    const controller = new AbortController()
    const impatient = watch(rig.client.connect({ signal: controller.signal }))
    const patient = watch(rig.client.connect())
    controller.abort()
    await becomeLegacy(rig.network)
    expect(impatient.error).toBe(controller.signal.reason)
    expect(patient).toMatchObject({ settled: true, error: undefined })
    expect(rig.client.state).toBe('ready')
  })

  it('changes nothing once the client is ready', async () => {
    const rig = useClient()
    const controller = new AbortController()
    const connected = rig.client.connect({ signal: controller.signal })
    await becomeLegacy(rig.network)
    await connected
    controller.abort()
    await settle()
    expect(rig.client.state).toBe('ready')
  })

  it('still ends a dial after an earlier one became ready and was lost in the same turn', async () => {
    const rig = useClient({ protocol: 'legacy' })
    const lost = watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    socket.respond('initialize', LEGACY_RESULT)
    socket.drop({ code: 1008 })
    await settle()
    expect(lost.error).toBeInstanceOf(ConnectionLostError)
    const controller = new AbortController()
    const connected = watch(rig.client.connect({ signal: controller.signal }))
    await settle()
    controller.abort()
    await settle()
    expect(connected.error).toBe(controller.signal.reason)
    expect(rig.client.state).toBe('closed')
  })

  it('rejects with the reason of a signal that aborts while the old connection is closing', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    const closed = rig.client.close()
    const controller = new AbortController()
    const connected = watch(rig.client.connect({ signal: controller.signal }))
    controller.abort(new Error('enough'))
    first.drop({ code: 1000, wasClean: true })
    await closed
    await settle()
    expect(connected.error).toBe(controller.signal.reason)
  })
})

describe('connect that fails', () => {
  it('A25: rejects with RetriesExhaustedError, which counts the dials and holds the last failure', async () => {
    const rig = useClient({ reconnect: { maxRetries: 2 } })
    const connected = watch(rig.client.connect())
    ;(await rig.network.last()).drop(unreachable())
    ;(await rig.redial()).drop(unreachable())
    const last = unreachable()
    ;(await rig.redial()).drop(last)
    await settle()
    expect(connected.error).toMatchObject({ name: 'RetriesExhaustedError', code: 'RETRIES_EXHAUSTED', attempts: 3, cause: last.error })
    expect(rig.network.dials).toBe(3)
    expect(rig.client.state).toBe('failed')
  })

  it("rejects with the attempt's own error under reconnect: false", async () => {
    const rig = useClient({ reconnect: false })
    const connected = watch(rig.client.connect())
    const failure = unreachable()
    ;(await rig.network.last()).drop(failure)
    await settle()
    expect(connected.error).toBe(failure.error)
    expect(rig.network.dials).toBe(1)
  })

  it('rejects with RetriesExhaustedError of one attempt under maxRetries: 0', async () => {
    const rig = useClient({ reconnect: { maxRetries: 0 } })
    const connected = watch(rig.client.connect())
    const failure = unreachable()
    ;(await rig.network.last()).drop(failure)
    await settle()
    expect(connected.error).toMatchObject({ code: 'RETRIES_EXHAUSTED', attempts: 1, cause: failure.error })
  })

  it('rejects at once with what is fatal', async () => {
    const rig = useClient()
    const connected = watch(rig.client.connect())
    const error = new SubprotocolError('none', { offered: ['mcp.v1'], received: undefined })
    ;(await rig.network.last()).drop({ kind: 'subprotocol', code: undefined, error })
    await settle()
    expect(connected.error).toBe(error)
    expect(rig.client.state).toBe('failed')
  })

  it.each([1002, 1003, 1007, 1008, 1010, 4400, 4403, 4404, 4499])('gives up at once after close code %i', async (code) => {
    const rig = useClient({ protocol: 'legacy' })
    await rig.legacy()
    ;(await rig.network.last()).drop({ code })
    expect(rig.client.state).toBe('failed')
    expect(rig.states.at(-1)?.error).toBeInstanceOf(ConnectionLostError)
  })

  it.each([1000, 1001, 1005, 1006, 1009, 1011, 1012, 1013, 3000, 4000, 4401, 4408, 4429, 4500])(
    'dials again after close code %i, with a delay',
    async (code) => {
      const rig = useClient()
      await rig.legacy()
      ;(await rig.network.last()).drop({ code, wasClean: code === 1000 })
      expect(rig.client.state).toBe('waiting')
      expect(rig.states.at(-1)?.delay).toBeGreaterThanOrEqual(100)
    }
  )

  it.each([400, 403, 404, 405, 426, 301])('gives up at once after HTTP %i', async (status) => {
    const rig = useClient()
    const connected = watch(rig.client.connect())
    const error = new HandshakeError('UNEXPECTED_STATUS', 'no', { status })
    ;(await rig.network.last()).drop({ kind: 'http', code: undefined, status, error })
    await settle()
    expect(connected.error).toBe(error)
  })

  it.each([408, 425, 429, 500, 502, 503])('dials again after HTTP %i', async (status) => {
    const rig = useClient()
    watch(rig.client.connect())
    ;(await rig.network.last()).drop({ kind: 'http', code: undefined, status, error: new HandshakeError('UNEXPECTED_STATUS', 'no') })
    expect(rig.client.state).toBe('waiting')
  })

  it('retries 404 and TLS failures once it was ready in this life', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.drop()
    ;(await rig.redial()).drop({ kind: 'http', code: undefined, status: 404, error: new HandshakeError('UNEXPECTED_STATUS', 'no') })
    expect(rig.client.state).toBe('waiting')
    ;(await rig.redial()).drop({ kind: 'tls', code: undefined, error: new HandshakeError('TLS_FAILED', 'expired') })
    expect(rig.client.state).toBe('waiting')
  })

  it('fails the attempt with CONNECT_TIMEOUT when the socket does not open in time', async () => {
    const rig = useClient({ reconnect: false, connectTimeout: 700 })
    const connected = watch(rig.client.connect())
    await rig.clock.advance(699)
    expect(connected.settled).toBe(false)
    await rig.clock.advance(1)
    expect(connected.error).toMatchObject({ code: 'CONNECT_TIMEOUT', retryable: true })
    expect(rig.network.openCount).toBe(0)
  })

  it('fails the attempt with HANDSHAKE_TIMEOUT when MCP is not ready in time', async () => {
    const rig = useClient({ reconnect: false, protocol: 'legacy', handshakeTimeout: 800 })
    const connected = watch(rig.client.connect())
    ;(await rig.network.last()).accept()
    await rig.clock.advance(799)
    expect(connected.settled).toBe(false)
    await rig.clock.advance(1)
    expect(connected.error).toMatchObject({ code: 'HANDSHAKE_TIMEOUT' })
    expect(rig.network.openCount).toBe(0)
  })

  it('tells the failure by the events state and failed, in this order', async () => {
    const rig = useClient({ reconnect: false })
    const order: string[] = []
    rig.client.on('state', ({ to }) => order.push(to))
    rig.client.on('failed', (error) => order.push(`failed: ${error.code}`))
    watch(rig.client.connect())
    ;(await rig.network.last()).drop(unreachable())
    expect(order).toEqual(['connecting', 'failed', 'failed: CONNECT_FAILED'])
  })
})

describe('an exception that no server caused', () => {
  it('A30: rejects connect() at once, is no failed dial, and is the cause', async () => {
    const cause = new ReferenceError('TextEncoder is not defined')
    let dials = 0
    const openSocket = (): never => {
      dials++
      throw cause
    }
    const client = new McpWebSocketClient({ url: 'ws://127.0.0.1/ws' }, { clock: new FakeClock(), openSocket })
    await expect(client.connect()).rejects.toMatchObject({
      code: 'UNEXPECTED_ERROR',
      message: 'no connection to ws://127.0.0.1/ws: TextEncoder is not defined',
      cause,
      retryable: false
    })
    expect([client.state, dials]).toEqual(['failed', 1])
  })
})
