import { describe, expect, it } from 'vitest'
import { isUp } from '../../src/connection/connection.js'
import { ProtocolError, type McpWebSocketError } from '../../src/errors.js'
import { SharedTimer } from '../../src/lib/shared-timer.js'
import type { Agreement } from '../../src/session/agreement.js'
import type { HandshakeStep } from '../../src/session/handshake.js'
import { InternalRequests } from '../../src/session/internal-requests.js'
import { Journal } from '../../src/session/journal.js'
import { SocketSetup } from '../../src/session/socket-setup.js'
import type { JsonRpcErrorResponse, Params, RequestId } from '../../src/types/json-rpc.js'
import { isResponse } from '../../src/wire/json-rpc.js'
import type { FakeSocket } from '../helpers/fake-network.js'
import { FakeHandshake, INITIALIZE, LEGACY, MODERN, PROBE, useConnection, type ConnectionRig } from '../helpers/session-rig.js'

interface Rig extends ConnectionRig {
  readonly setup: SocketSetup
  readonly handshake: FakeHandshake
  readonly internal: InternalRequests
  readonly journal: Journal
  readonly problems: Error[]
  readonly lostListens: [RequestId, McpWebSocketError][]
  /** Puts a state into the journal, as if the server had confirmed it. */
  readonly confirm: (method: string, params: Params) => void
  /** Leads the next dial through a handshake of one request. */
  readonly accept: (agreement?: Agreement) => Promise<FakeSocket>
}

/** A socket setup on a bare connection, in the place of a session. */
function rig(first: HandshakeStep | undefined = INITIALIZE): Rig {
  const below = useConnection()
  const { clock, connection, on } = below
  const handshake = new FakeHandshake()
  handshake.first = first
  const timer = new SharedTimer(clock)
  const internal = new InternalRequests(connection, () => false)
  const journal = new Journal()
  const problems: Error[] = []
  const lostListens: Rig['lostListens'] = []
  const host = {
    handshake,
    probeTimeout: 300,
    timer,
    onListenLost: (id: RequestId, error: McpWebSocketError) => void lostListens.push([id, error]),
    onError: (error: Error) => void problems.push(error)
  }
  const setup = new SocketSetup(host, connection, internal, journal)
  on.onState = (to, from, closure) => {
    if (to.name === 'initializing') setup.begin()
    if (!isUp(from) || isUp(to)) return
    internal.clear()
    setup.closed(closure)
  }
  on.onMessage = (message) => {
    if (isResponse(message) && message.id !== undefined && message.id !== null) internal.deliver(message.id, message)
  }
  let id = 0
  return {
    ...below,
    setup,
    handshake,
    internal,
    journal,
    problems,
    lostListens,
    confirm(method, params) {
      journal.noteSent({ id: ++id, method, params, mayResend: true }, '{}')
      journal.noteEnd(id, true)
    },
    async accept(agreement = LEGACY) {
      handshake.agreement = agreement
      const socket = await below.open()
      socket.respond('initialize', {})
      return socket
    }
  }
}

const LISTEN = '{"jsonrpc":"2.0","id":5,"method":"subscriptions/listen"}'

const noteListen = ({ journal }: Rig): void =>
  journal.noteSent({ id: 5, method: 'subscriptions/listen', params: {}, mayResend: true }, LISTEN)

const errorResponse = (id: RequestId, message = 'no more'): JsonRpcErrorResponse => ({
  jsonrpc: '2.0',
  id,
  error: { code: -32602, message }
})

describe('the handshake', () => {
  it('is one internal request, whose outcome is the next step: it is accepted', async () => {
    const { setup, handshake, connection, open } = rig()
    const socket = await open()
    expect(socket.methods).toEqual(['initialize'])
    expect(socket.asked('initialize')).toMatchObject({ id: 2 ** 31 - 1, params: { offer: 1 } })
    expect([connection.state.name, setup.agreement]).toEqual(['initializing', undefined])
    socket.respond('initialize', { fine: true })
    expect(handshake.outcomes).toMatchObject([{ result: { fine: true } }])
    expect([connection.state.name, setup.agreement]).toEqual(['ready', LEGACY])
    expect(socket.methods).toEqual(['initialize', 'notifications/initialized'])
  })

  it('may have several steps, each a request of its own', async () => {
    const { handshake, connection, open } = rig(PROBE)
    handshake.steps.push(INITIALIZE, INITIALIZE)
    const socket = await open()
    socket.respondError('server/discover', -32601, 'what?')
    socket.respondError('initialize', -32602, 'older')
    socket.respond('initialize', {})
    expect(socket.sent.map(({ method, id }) => [method, id])).toEqual([
      ['server/discover', 2 ** 31 - 1],
      ['initialize', 2 ** 31 - 2],
      ['initialize', 2 ** 31 - 3],
      ['notifications/initialized', undefined]
    ])
    expect(handshake.outcomes).toMatchObject([{ error: { code: -32601 } }, { error: { message: 'older' } }, { result: {} }])
    expect(connection.state.name).toBe('ready')
  })

  it('has no notifications/initialized in the modern era', async () => {
    const { accept } = rig()
    expect((await accept(MODERN)).methods).toEqual(['initialize'])
  })

  it('that has no first step leaves the socket to the layer above', async () => {
    const { handshake, setup, connection, network, journal, confirm, open } = rig()
    handshake.first = undefined
    confirm('logging/setLevel', { level: 'info' })
    await open()
    expect(connection.state.name).toBe('ready')
    expect([network.sockets[0]?.sent, setup.agreement]).toEqual([[], undefined])
    expect(journal.restores).toHaveLength(1)
    handshake.agreed = MODERN
    expect(setup.agreement).toBe(MODERN)
  })

  it('that fails drops the socket with the failure', async () => {
    const { handshake, connection, open } = rig()
    const error = new ProtocolError('INITIALIZE_REFUSED', 'not here')
    handshake.steps.push({ do: 'fail', error })
    const socket = await open()
    socket.respond('initialize', {})
    expect(connection.state).toMatchObject({ name: 'failed', error })
    expect(socket.methods).toEqual(['initialize'])
    expect(handshake.closures).toEqual([false])
  })

  it.each([
    ['a closure that can mean another era', { code: 1000 }, true],
    ['one of credentials', { code: 4401 }, false]
  ])('hears of %s', async (_name, closure, tellsEra) => {
    const { handshake, open } = rig()
    ;(await open()).drop(closure)
    expect(handshake.closures).toEqual([tellsEra])
  })

  it('hears that a dial was replaced, which tells nothing', async () => {
    const { handshake, connection, open } = rig()
    await open()
    connection.command('reconnect')
    expect(handshake.closures).toEqual([false])
  })

  it('forgets the agreement with the life', async () => {
    const { setup, handshake, accept } = rig()
    await accept()
    setup.reset()
    expect([setup.agreement, handshake.resets]).toEqual([undefined, 1])
  })
})

describe('the probe for the era', () => {
  it('has probeTimeout; a response after it is not heard', async () => {
    const { clock, handshake, internal, open } = rig(PROBE)
    handshake.steps.push(INITIALIZE)
    const socket = await open()
    await clock.advance(299)
    expect(handshake.outcomes).toEqual([])
    await clock.advance(1)
    expect(handshake.outcomes).toEqual([{ timedOut: true }])
    expect(socket.methods).toEqual(['server/discover', 'initialize'])
    expect(internal.deliver(2 ** 31 - 1, { jsonrpc: '2.0', id: 2 ** 31 - 1, result: {} })).toBe(false)
    socket.respond('initialize', {})
    expect(handshake.outcomes).toHaveLength(2)
  })

  it('leaves the time of the step after it to handshakeTimeout', async () => {
    const { clock, handshake, connection, open } = rig(PROBE)
    handshake.steps.push(INITIALIZE)
    ;(await open()).respondError('server/discover', -32601)
    await clock.advance(3999)
    expect([handshake.outcomes.length, connection.state.name]).toEqual([1, 'initializing'])
  })

  it('is out until its response: a closure before it asks for a redial, one after it does not', async () => {
    const { handshake, connection, redial, open } = rig(PROBE)
    handshake.steps.push(INITIALIZE, INITIALIZE)
    const first = await open()
    expect(connection.eraRedial).toBe(true)
    first.drop()
    expect(connection.state).toMatchObject({ name: 'connecting', life: { redials: ['era'] } })
    const second = (await redial()).accept()
    second.respondError('server/discover', -32601)
    expect(connection.eraRedial).toBe(false)
  })

  it('has no time left to run out once its socket is gone', async () => {
    const { clock, handshake, connection, open } = rig(PROBE)
    await open()
    connection.command('reconnect')
    await clock.advance(300)
    expect(handshake.outcomes).toEqual([])
  })
})

describe('restores of a legacy server', () => {
  it('are sent together before the connection is ready, and nothing waits for them', async () => {
    const { connection, confirm, accept, on } = rig()
    confirm('resources/subscribe', { uri: 'a:1' })
    confirm('logging/setLevel', { level: 'info' })
    const { onState } = on
    const sentAtReady: number[] = []
    on.onState = (to, from, closure) => {
      onState?.(to, from, closure)
      if (to.name === 'ready') sentAtReady.push(connection.stats.sent)
    }
    const socket = await accept()
    expect(socket.sent.slice(1)).toMatchObject([
      { method: 'notifications/initialized' },
      { method: 'logging/setLevel', params: { level: 'info' } },
      { method: 'resources/subscribe', params: { uri: 'a:1' } }
    ])
    expect(sentAtReady).toEqual([4])
  })

  it('that fail are told, without secrets, and are not tried again', async () => {
    const { problems, journal, confirm, accept } = rig()
    confirm('resources/subscribe', { uri: 'a:1' })
    confirm('resources/subscribe', { uri: 'a:2' })
    const first = await accept()
    const [, , one, two] = first.sent
    first.deliver(errorResponse(one?.id ?? 0, 'not with hush-hush'))
    first.deliver({ jsonrpc: '2.0', id: two?.id, result: {} })
    expect(problems).toMatchObject([{ code: 'RESTORE_FAILED', message: 'resources/subscribe could not be restored: not with [redacted]' }])
    expect(journal.subscribedUris).toEqual(['a:2'])
    first.drop()
    expect((await accept()).methods).toEqual(['initialize', 'notifications/initialized', 'resources/subscribe'])
  })

  it('that were lost with their socket are tried again on the next', async () => {
    const { problems, confirm, accept } = rig()
    confirm('logging/setLevel', { level: 'info' })
    ;(await accept()).drop()
    expect((await accept()).methods).toContain('logging/setLevel')
    expect(problems).toEqual([])
  })

  it('cannot be done in the modern era: subscriptions are told, the level needs no restore', async () => {
    const { problems, journal, confirm, accept } = rig()
    confirm('resources/subscribe', { uri: 'a:1' })
    confirm('logging/setLevel', { level: 'info' })
    const socket = await accept(MODERN)
    expect(socket.methods).toEqual(['initialize'])
    expect(problems).toMatchObject([
      { code: 'RESTORE_FAILED', message: 'resources/subscribe could not be restored: the server now speaks 2026-07-28' }
    ])
    expect(journal.restores).toEqual([])
  })
})

describe('restores of listens', () => {
  it('are their frames, as they were', async () => {
    const r = rig()
    noteListen(r)
    const socket = await r.accept(MODERN)
    expect(socket.texts[1]).toBe(LISTEN)
    expect([r.problems, r.lostListens]).toEqual([[], []])
  })

  it('that the server fails are told, without secrets, once', async () => {
    const r = rig()
    noteListen(r)
    await r.accept(MODERN)
    r.setup.noteListenError(5, errorResponse(5, 'no hush-hush'))
    r.setup.noteListenError(5, errorResponse(5))
    expect(r.problems).toMatchObject([{ code: 'RESTORE_FAILED', message: 'subscriptions/listen could not be restored: no [redacted]' }])
  })

  it('are not what failed where a listen fails that was not restored over this socket: only its owner has to know', async () => {
    const r = rig()
    const first = await r.accept(MODERN)
    noteListen(r)
    r.setup.noteListenError(5, errorResponse(5))
    first.drop()
    ;(await r.accept(MODERN)).drop()
    r.setup.noteListenError(5, errorResponse(5))
    expect(r.problems).toEqual([])
  })

  it('do not exist in the legacy era: the listen is lost, and both its owner and the program hear of it', async () => {
    const r = rig()
    noteListen(r)
    const socket = await r.accept()
    expect(socket.methods).toEqual(['initialize', 'notifications/initialized'])
    expect(r.lostListens).toMatchObject([[5, { code: 'RESTORE_FAILED', message: expect.stringContaining('2025-11-25') as string }]])
    expect(r.problems).toEqual([r.lostListens[0]?.[1]])
    expect(r.connection.state.name).toBe('ready')
  })
})

describe('what a new handshake tells', () => {
  const LISTS: Agreement = { ...LEGACY, capabilities: { tools: { listChanged: true }, prompts: {}, resources: { listChanged: true } } }

  it('is a changed server, when it differs from the one before in this life', async () => {
    const { setup, accept } = rig()
    const changes: boolean[] = []
    for (const agreement of [LEGACY, LEGACY, LISTS, LISTS, LEGACY]) {
      const socket = await accept(agreement)
      changes.push(setup.serverChanged)
      socket.drop()
    }
    expect(changes).toEqual([false, false, true, false, true])
  })

  it('is no changed server at the first handshake of a life', async () => {
    const { setup, connection, accept } = rig()
    const socket = await accept()
    connection.command('close')
    socket.drop({ code: 1000 })
    setup.reset()
    await accept(LISTS)
    expect(setup.serverChanged).toBe(false)
  })

  it('is compared with what the layer above agreed on, where that makes the handshake', async () => {
    const { setup, handshake, accept } = rig()
    handshake.agreed = LEGACY
    await accept(LISTS)
    expect(setup.serverChanged).toBe(true)
  })

  it('is what may have been missed: the lists that the server announces, and the subscribed resources', async () => {
    const { setup, confirm, accept } = rig()
    expect(setup.missedNotifications).toEqual([])
    confirm('resources/subscribe', { uri: 'a:1' })
    await accept(LISTS)
    expect(setup.missedNotifications).toEqual([
      { jsonrpc: '2.0', method: 'notifications/tools/list_changed' },
      { jsonrpc: '2.0', method: 'notifications/resources/list_changed' },
      { jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri: 'a:1' } }
    ])
  })

  it('is nothing missed in the modern era, where listens tell', async () => {
    const { setup, accept } = rig()
    await accept({ ...LISTS, era: 'modern' })
    expect(setup.missedNotifications).toEqual([])
  })
})

describe('a probe for a sign of life', () => {
  it.each([
    ['ping', LEGACY],
    ['server/discover', MODERN]
  ])('is %s by era, and any response will do', async (method, agreement) => {
    const { setup, accept } = rig()
    const socket = await accept(agreement)
    let responses = 0
    const probe = (): boolean => setup.probe(() => responses++)
    probe()
    socket.respond(method, {})
    probe()
    socket.respondError(method, -32601)
    expect(responses).toBe(2)
  })
})
