import { inspect } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { settle } from '../helpers/fake-clock.js'
import { LEGACY_RESULT, type FakeSocket, type Message } from '../helpers/fake-network.js'
import { ConnectionLostError, UnauthorizedError } from '../../src/errors.js'
import { WebSocketClientTransport } from '../../src/transport/index.js'
import { failureOf } from '../../src/transport/messages.js'
import { INITIALIZE, INITIALIZED, META, useTransport, type Rig } from './use-transport.js'

const cancelled = (requestId: number | string): object => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId, reason: 'changed my mind' }
})

describe('a request in flight at a drop', () => {
  it('is answered in the very task that handles the closure, in words that a model can act on', async () => {
    const rig = useTransport()
    const socket = await rig.legacy()
    await rig.request(1, 'tools/call', { name: 'pay' })
    socket.drop({ code: 1011, reason: 'oops' })
    expect(rig.messages).toEqual([
      {
        jsonrpc: '2.0',
        id: 1,
        error: {
          code: 1006,
          message:
            'the connection to ws://127.0.0.1/ws closed with code 1011 "oops"; whether the request was executed is unknown: check before you repeat it',
          data: { reason: 'CONNECTION_LOST', delivery: 'unknown' }
        }
      }
    ])
    expect(rig.calls).toEqual([])
  })

  it('is told of CONNECTION_LOST too when the server fell silent', () => {
    const closure = { kind: 'heartbeat', wasClean: false, everReady: true } as const
    const { error } = failureOf({ id: 1, phase: 'sent' }, new ConnectionLostError('HEARTBEAT_TIMEOUT', 'silent', closure))
    expect(error).toEqual({ code: 1006, message: 'silent', data: { reason: 'CONNECTION_LOST', delivery: 'unknown' } })
  })

  it('that was too large for the server is told so', async () => {
    const rig = useTransport()
    const socket = await rig.legacy()
    await rig.request(1, 'tools/call', { name: 'large', arguments: { text: 'x'.repeat(1000) } })
    await rig.request(2, 'tools/call', { name: 'small' })
    socket.drop({ code: 1009 })
    expect(rig.messages.map(({ id, error }) => [id, error?.code, error?.data])).toEqual([
      [1, 1006, { reason: 'MESSAGE_TOO_LARGE', delivery: 'unknown' }],
      [2, 1006, { reason: 'CONNECTION_LOST', delivery: 'unknown' }]
    ])
  })

  it.each([
    ['safe', 'tools/list', true],
    ['safe', 'tools/call', false],
    ['never', 'tools/list', false],
    [({ method }: { method: string }) => method === 'tools/call', 'tools/call', true],
    [({ method }: { method: string }) => method === 'tools/call', 'tools/list', false]
  ] as const)('is sent again as the option resend says: %s, %s', async (resend, method, isAgain) => {
    const rig = useTransport({ resend })
    const first = await rig.legacy()
    await rig.request(1, method, { _meta: { progressToken: 1 } })
    const second = await rig.relegacy(first)
    expect(second.texts.slice(2)).toEqual(isAgain ? first.texts.slice(2) : [])
    expect(rig.messages.filter(({ id }) => id === 1)).toHaveLength(isAgain ? 0 : 1)
    expect(rig.reconnections).toMatchObject([{ resent: isAgain ? 1 : 0, lost: isAgain ? 0 : 1 }])
    // Twice is the most.
    await rig.relegacy(second)
    expect(rig.messages.filter(({ id }) => id === 1)).toMatchObject([{ error: { data: { delivery: 'unknown' } } }])
  })

  it('keeps its id, whatever it is, and no internal request takes an id that is in use', async () => {
    const rig = useTransport()
    const first = await rig.legacy()
    await rig.request(9, 'logging/setLevel', { level: 'info' })
    first.respond('logging/setLevel', {})
    const ids = [0, 'listen:0', '1', 2 ** 31 - 1, 2 ** 31 - 2]
    for (const id of ids) await rig.request(id, 'prompts/list')
    const second = await rig.relegacy(first)
    expect(second.sent.filter(({ method }) => method === 'prompts/list').map(({ id }) => id)).toEqual(ids)
    const all = second.sent.flatMap(({ id }) => id ?? [])
    expect(new Set(all).size).toBe(all.length)
    for (const id of ids) second.deliver({ jsonrpc: '2.0', id, result: {} })
    expect(rig.messages.filter(({ result }) => result).map(({ id }) => id)).toEqual([9, ...ids])
  })
})

describe('a request that the SDK gives up', () => {
  it('while it waits is forgotten, and the server never hears of it', async () => {
    const rig = useTransport()
    const first = await rig.legacy()
    first.drop()
    await rig.request(1, 'tools/call')
    await rig.request(2, 'tools/call')
    await rig.send(cancelled(1))
    const second = await rig.relegacy(first)
    expect(second.methods).toEqual(['initialize', 'notifications/initialized', 'tools/call'])
    expect(second.sent[2]?.id).toBe(2)
    expect(rig.messages.filter(({ id }) => id !== undefined)).toEqual([])
  })

  it('is given up on the server too, in the words of the SDK; a late response ends below', async () => {
    const rig = useTransport()
    const socket = await rig.legacy()
    await rig.request(1, 'tools/call')
    await rig.send(cancelled(1))
    expect(socket.sent.at(-1)).toEqual(cancelled(1))
    socket.respond('tools/call', {})
    expect(rig.messages).toEqual([])
    socket.drop()
    expect(rig.messages).toEqual([])
  })

  it('is not named to a server that never had it: its socket is gone', async () => {
    const rig = useTransport()
    const first = await rig.legacy()
    await rig.request(1, 'tools/list')
    first.drop()
    await rig.send(cancelled(1))
    const second = await rig.relegacy(first)
    expect(second.methods).toEqual(['initialize', 'notifications/initialized'])
  })

  it('is not named if it is initialize: that must not be cancelled', async () => {
    const rig = useTransport()
    const socket = await rig.start()
    await rig.send(INITIALIZE)
    await rig.send(cancelled(0))
    expect(socket.methods).toEqual(['initialize'])
  })

  it('and that was answered meanwhile is named as the SDK says', async () => {
    const rig = useTransport()
    const socket = await rig.legacy()
    await rig.send(cancelled(77))
    expect(socket.sent.at(-1)).toEqual(cancelled(77))
  })
})

describe('a message that the SDK sends', () => {
  it('waits before the first connection, and while there is none', async () => {
    const rig = useTransport()
    await rig.request(1, 'ping')
    const socket = await rig.start()
    expect(socket.methods).toEqual(['ping'])
    socket.drop()
    await rig.send({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' })
    // These belong to a socket that is gone.
    await rig.send({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress: 1 } })
    const next = await rig.redial(rig.network.sockets[0]!)
    expect(next.methods).toEqual(['ping', 'notifications/roots/list_changed'])
  })

  it('is rejected with QUEUE_FULL when the outbox is full', async () => {
    const rig = useTransport({ outbox: { maxMessages: 1 } })
    ;(await rig.legacy()).drop()
    await rig.request(1, 'tools/call')
    await expect(rig.request(2, 'tools/call')).rejects.toMatchObject({ name: 'QueueFullError', code: 'QUEUE_FULL', delivery: 'not-sent' })
    // It is not remembered either.
    await expect(rig.request(2, 'tools/call')).rejects.toMatchObject({ code: 'QUEUE_FULL' })
  })

  it('is rejected without an outbox', async () => {
    const rig = useTransport({ outbox: false })
    ;(await rig.legacy()).drop()
    await expect(rig.request(1, 'tools/call')).rejects.toMatchObject({ code: 'QUEUE_FULL' })
  })

  it('is rejected beyond maxPending', async () => {
    const rig = useTransport({ maxPending: 2 })
    const socket = await rig.legacy()
    await rig.request(1, 'tools/call')
    await rig.request(2, 'tools/call')
    await expect(rig.request(3, 'tools/call')).rejects.toMatchObject({ code: 'QUEUE_FULL' })
    socket.deliver({ jsonrpc: '2.0', id: 1, result: {} })
    await rig.request(3, 'tools/call')
    expect(socket.sent.at(-1)?.id).toBe(3)
  })

  it('is rejected when its id is in use', async () => {
    const rig = useTransport()
    await rig.legacy()
    await rig.request(1, 'tools/call')
    await expect(rig.request(1, 'tools/call')).rejects.toThrow(TypeError)
  })

  it('is rejected when it cannot be written as JSON', async () => {
    const rig = useTransport()
    await rig.legacy()
    await expect(rig.request(1, 'tools/call', { big: 1n })).rejects.toThrow(/tools\/call/)
    await rig.request(1, 'tools/call')
  })

  it('is rejected after close()', async () => {
    const rig = useTransport()
    const socket = await rig.legacy()
    const closed = rig.transport.close()
    await expect(rig.request(1, 'ping')).rejects.toMatchObject({ name: 'ClosedError' })
    socket.drop({ code: 1000, wasClean: true })
    await closed
    await expect(rig.send(INITIALIZED)).resolves.toBeUndefined()
    await expect(rig.send({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' })).rejects.toMatchObject({ name: 'ClosedError' })
  })
})

describe('a message of the server', () => {
  it('comes up one by one, out of arrays, and without members that the SDK does not know', async () => {
    const rig = useTransport()
    const socket = await rig.legacy()
    await rig.request(1, 'tools/call')
    await rig.request(2, 'tools/call')
    socket.deliver([
      { jsonrpc: '2.0', id: 1, result: { content: [], own: 1 }, extra: true },
      { jsonrpc: '2.0', id: 2, error: { code: -32000, message: 'no', data: { a: 1 }, more: 1 }, extra: true },
      { jsonrpc: '2.0', id: 8, method: 'ping', extra: true },
      { jsonrpc: '2.0', id: 9, method: 'roots/list', params: { _meta: {} } },
      { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 }, extra: true }
    ])
    await settle()
    expect(rig.messages).toEqual([
      { jsonrpc: '2.0', id: 1, result: { content: [], own: 1 } },
      { jsonrpc: '2.0', id: 2, error: { code: -32000, message: 'no', data: { a: 1 } } },
      { jsonrpc: '2.0', id: 8, method: 'ping' },
      { jsonrpc: '2.0', id: 9, method: 'roots/list', params: { _meta: {} } },
      { jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 1 } }
    ])
  })

  it('that comes behind progress in one turn comes up a microtask later, in order: the SDK is as late with progress', async () => {
    const rig = useTransport()
    const socket = await rig.legacy()
    await rig.request(1, 'tools/call')
    const heard: unknown[] = []
    rig.transport.onmessage = (message) => {
      if ('method' in message && message.method === 'notifications/progress') queueMicrotask(() => heard.push(message.params?.progress))
      else heard.push((message as Message).id ?? (message as Message).method)
    }
    for (const progress of [1, 2])
      socket.deliver({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress } })
    socket.deliver({ jsonrpc: '2.0', id: 1, result: {} })
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/message', params: {} })
    expect(heard).toEqual([])
    await settle()
    expect(heard).toEqual([1, 2, 1, 'notifications/message'])
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/message', params: {} })
    expect(heard).toHaveLength(5)
  })

  it('that comes behind progress in the last turn of all comes up before the end', async () => {
    const rig = useTransport({ reconnect: false })
    const socket = await rig.legacy()
    await rig.request(1, 'tools/call')
    const heard: unknown[] = []
    rig.transport.onmessage = (message) => {
      const { id, params } = message as Message
      heard.push(id ?? params?.progress)
    }
    rig.transport.onclose = () => heard.push(...rig.calls.splice(0, 1, 'close'))
    for (const progress of ['a', 'b'])
      socket.deliver({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: 1, progress } })
    socket.deliver({ jsonrpc: '2.0', id: 1, result: {} })
    socket.drop()
    expect(heard).toMatchObject(['a', 'b', 1, { code: 'CONNECTION_LOST' }])
    await settle()
    expect(heard).toHaveLength(4)
  })

  it('that is a response without an object as its result, or no response at all, fails its request at once', async () => {
    const rig = useTransport()
    const socket = await rig.legacy()
    await rig.request(1, 'tools/call')
    await rig.request(2, 'tools/call')
    socket.deliver({ jsonrpc: '2.0', id: 1, result: 'words' })
    socket.deliver({ jsonrpc: '2.0', id: 2 })
    expect(rig.messages.map(({ id, error }) => [id, error?.code, error?.data])).toEqual([
      [1, 1002, { reason: 'INVALID_RESPONSE', delivery: 'unknown' }],
      [2, 1002, { reason: 'INVALID_RESPONSE', delivery: 'unknown' }]
    ])
  })

  it('that responds to no request is dropped below; one that is not JSON-RPC goes to onerror', async () => {
    const rig = useTransport()
    const socket = await rig.legacy()
    socket.deliver({ jsonrpc: '2.0', id: 99, result: {} })
    socket.deliver({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'what?' } })
    socket.deliver('{')
    expect(rig.messages).toEqual([])
    expect(rig.calls).toMatchObject([{ code: 'INVALID_RESPONSE' }, { code: 'INVALID_RESPONSE' }])
    expect(rig.errors).toEqual(rig.calls)
  })

  it('may make onmessage throw: that is told, and the next one comes', async () => {
    const rig = useTransport()
    const socket = await rig.legacy()
    const onmessage = vi.fn(() => {
      throw new Error('mine')
    })
    rig.transport.onmessage = onmessage
    for (let n = 0; n < 2; n++) socket.deliver({ jsonrpc: '2.0', method: 'notifications/message', params: {} })
    expect(onmessage).toHaveBeenCalledTimes(2)
    expect(rig.calls).toMatchObject([{ message: 'mine' }, { message: 'mine' }])
  })
})

describe('a request of the server', () => {
  const ask = (socket: FakeSocket, id: number | string): void =>
    socket.deliver({ jsonrpc: '2.0', id, method: 'sampling/createMessage', params: {} })
  const respond = (rig: Rig, id: unknown, text = 'response'): Promise<void> => rig.send({ jsonrpc: '2.0', id, result: { text } })

  it.each([0, 1, 'a', ''])('is answered under its id: %j', async (id) => {
    const rig = useTransport()
    const socket = await rig.legacy()
    ask(socket, id)
    await respond(rig, rig.messages[0]?.id)
    expect(socket.sent.at(-1)).toEqual({ jsonrpc: '2.0', id, result: { text: 'response' } })
  })

  it.each([0, 5])('is cancelled when its socket is gone, and its late response is dropped: id %j', async (id) => {
    const rig = useTransport()
    const first = await rig.legacy()
    ask(first, id)
    first.drop()
    const [up, down] = rig.messages
    expect(down).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: up?.id, reason: 'connection waiting' }
    })
    // v1 of the SDK takes no cancellation of an id that is falsy.
    expect(up?.id).toBeTruthy()
    const second = await rig.relegacy(first)
    // The new server uses the id anew while the old request is still open.
    rig.messages.length = 0
    ask(second, id)
    const again = rig.messages[0]?.id
    expect(again).not.toBe(up?.id)
    const before = second.sent.length
    await respond(rig, up?.id, 'late')
    expect(second.sent).toHaveLength(before)
    await respond(rig, again, 'right')
    expect(second.sent.at(-1)).toEqual({ jsonrpc: '2.0', id, result: { text: 'right' } })
  })

  it.each([0, 5])('that the server cancels is cancelled above: id %j', async (id) => {
    const rig = useTransport()
    const socket = await rig.legacy()
    ask(socket, id)
    socket.deliver(cancelled(id))
    const [up, down] = rig.messages
    expect(down?.params).toEqual({ requestId: up?.id, reason: 'changed my mind' })
  })

  it('that the server cancels is not taken for one of the SDK with the same id', async () => {
    const rig = useTransport()
    const socket = await rig.legacy()
    await rig.request(5, 'tools/call')
    ask(socket, 5)
    socket.deliver(cancelled(5))
    socket.drop()
    await settle()
    expect(rig.messages.at(-1)).toMatchObject({ id: 5, error: { code: 1006 } })
  })

  it('that was answered late is not written off when its id is used anew', async () => {
    const rig = useTransport()
    const socket = await rig.legacy()
    ask(socket, 5)
    socket.deliver(cancelled(5))
    await respond(rig, 5, 'late')
    ask(socket, 5)
    for (let id = 100; id <= 300; id++) {
      ask(socket, id)
      socket.deliver(cancelled(id))
    }
    expect(socket.sent).toHaveLength(2)
    await respond(rig, 5, 'right')
    expect(socket.sent.at(-1)).toMatchObject({ id: 5, result: { text: 'right' } })
  })

  it('that gets no response is written off in the end, and the next ones are heard', async () => {
    const rig = useTransport({ maxPending: 150 })
    const socket = await rig.legacy()
    for (let id = 1; id <= 1000; id++) {
      ask(socket, id)
      socket.deliver(cancelled(id))
    }
    expect(rig.messages.filter(({ method }) => method === 'sampling/createMessage')).toHaveLength(1000)
    expect(socket.sent).toHaveLength(2)
    // Those that are written off last are known for what they are.
    await respond(rig, 999)
    expect(socket.sent).toHaveLength(2)
  })
})

describe('a listen that the server ends', () => {
  const LISTEN = { jsonrpc: '2.0', id: 'listen:0', method: 'subscriptions/listen', params: { _meta: META, notifications: {} } }
  const RESULT = { jsonrpc: '2.0', id: 'listen:0', result: { resultType: 'complete' } }
  const CANCELLED = cancelled('listen:0')

  async function listening(rig: Rig): Promise<FakeSocket> {
    const socket = await rig.start()
    await rig.send(LISTEN)
    return socket
  }

  it.each([
    ['with a result', RESULT],
    ['with notifications/cancelled', CANCELLED]
  ])('%s, and stays, is told a second later', async (_how, words) => {
    const rig = useTransport()
    const socket = await listening(rig)
    socket.deliver(words)
    await rig.clock.advance(999)
    expect(rig.messages).toEqual([])
    await rig.clock.advance(1)
    expect(rig.messages).toEqual([words])
    expect((await rig.redial(socket)).sent).toEqual([])
  })

  it.each([
    ['with a result', RESULT],
    ['with notifications/cancelled', CANCELLED]
  ])('%s, and goes, is opened again on the next socket', async (_how, words) => {
    const rig = useTransport()
    let socket = await listening(rig)
    for (let round = 0; round < 3; round++) {
      socket.deliver(words)
      await rig.clock.advance(500)
      socket = await rig.redial(socket)
      expect(socket.sent).toEqual([LISTEN])
      await rig.clock.advance(2000)
    }
    expect(rig.messages).toEqual([])
  })

  it('and goes is opened again without an outbox too', async () => {
    const rig = useTransport({ outbox: false })
    const socket = await listening(rig)
    socket.deliver(RESULT)
    const next = await rig.redial(socket)
    expect(next.sent).toEqual([LISTEN])
    expect(rig.messages).toEqual([])
  })

  it('and goes for good is told before the transport fails', async () => {
    const rig = useTransport({ reconnect: false })
    const socket = await listening(rig)
    socket.deliver(RESULT)
    socket.drop()
    expect(rig.messages).toEqual([RESULT])
    expect(rig.calls).toMatchObject([{ code: 'CONNECTION_LOST' }, 'close'])
  })

  it('is told before the transport is closed', async () => {
    const rig = useTransport()
    const socket = await listening(rig)
    socket.deliver(RESULT)
    const closed = rig.transport.close()
    expect(rig.messages).toEqual([RESULT])
    socket.drop({ code: 1000, wasClean: true })
    await closed
  })

  it('and that the SDK ends in the same moment is over', async () => {
    const rig = useTransport()
    const socket = await listening(rig)
    socket.deliver(RESULT)
    await rig.send(CANCELLED)
    expect(socket.sent).toEqual([LISTEN])
    await rig.clock.advance(2000)
    expect(rig.messages).toEqual([])
  })

  it('with an error response is told at once', async () => {
    const rig = useTransport()
    const socket = await listening(rig)
    socket.respondError('subscriptions/listen', -32601)
    expect(rig.messages).toMatchObject([{ id: 'listen:0', error: { code: -32601 } }])
  })
})

describe('the life of a transport', () => {
  it('starts when the socket is open, and knows no second start', async () => {
    const rig = useTransport()
    await rig.start()
    expect(rig.transport.state).toBe('ready')
    expect(rig.transport.subprotocol).toBe('mcp.v1')
    expect(rig.transport.stats()).toMatchObject({ attempts: 1, reconnects: 0 })
    await expect(rig.transport.start()).rejects.toThrow(TypeError)
  })

  it('starts with retries', async () => {
    const rig = useTransport()
    const started = rig.transport.start()
    ;(await rig.network.last()).drop()
    await rig.clock.advance(1000)
    ;(await rig.network.last()).accept()
    await started
    expect(rig.calls).toEqual([])
  })

  it('that cannot start calls onerror, then onclose, then rejects; and may start again', async () => {
    const rig = useTransport({ reconnect: false })
    const started = rig.transport.start().catch((error: unknown) => rig.calls.push(error as Error))
    ;(await rig.network.last()).drop()
    await started
    expect(rig.calls).toHaveLength(3)
    expect(rig.calls).toMatchObject([{ code: 'CONNECTION_LOST' }, 'close', { code: 'CONNECTION_LOST' }])
    await rig.transport.close()
    expect(rig.calls).toHaveLength(3)
    await rig.start()
    expect(rig.transport.state).toBe('ready')
  })

  it('that is closed while it starts rejects with ClosedError', async () => {
    const rig = useTransport()
    const started = rig.transport.start().catch((error: unknown) => error)
    await rig.network.last()
    await rig.transport.close()
    expect(await started).toMatchObject({ name: 'ClosedError' })
    expect(rig.calls).toEqual(['close'])
  })

  it('ends once, however often it is closed', async () => {
    const rig = useTransport()
    const socket = await rig.legacy()
    await rig.request(1, 'tools/call')
    const both = [rig.transport.close(), rig.transport.close()]
    socket.drop({ code: 1000, wasClean: true })
    await Promise.all(both)
    await rig.transport.close()
    expect(rig.calls).toEqual(['close'])
    // The SDK itself rejects what is pending.
    expect(rig.messages).toEqual([])
  })

  it('ends once in each life', async () => {
    const rig = useTransport()
    for (let life = 1; life <= 3; life++) {
      const socket = await rig.legacy()
      const closed = rig.transport.close()
      socket.drop({ code: 1000, wasClean: true })
      await closed
      expect(rig.calls).toHaveLength(life)
    }
  })

  it('has no callbacks once it is over, for the SDK would call them besides its own; a start without others takes them again', async () => {
    const rig = useTransport()
    const { transport } = rig
    const socket = await rig.legacy()
    const closed = transport.close()
    socket.drop({ code: 1000, wasClean: true })
    expect([transport.onclose, transport.onerror, transport.onmessage]).toEqual([undefined, undefined, undefined])
    await closed
    transport.onmessage = vi.fn()
    const next = await rig.start()
    next.deliver({ jsonrpc: '2.0', method: 'notifications/message', params: {} })
    expect(transport.onmessage).toHaveBeenCalledOnce()
    expect(rig.messages).toEqual([])
    next.deliver('{')
    expect(rig.calls).toMatchObject(['close', { code: 'INVALID_RESPONSE' }])
  })

  it('may begin anew in onclose; the events of the old life come first', async () => {
    const rig = useTransport({ reconnect: false })
    const socket = await rig.legacy()
    const started: Promise<void>[] = []
    rig.transport.onclose = () => {
      rig.calls.push('close')
      rig.transport.onclose = () => rig.calls.push('close')
      started.push(rig.transport.start())
    }
    rig.transport.on('failed', ({ code }) => rig.calls.push(new Error(`failed: ${code}`)))
    socket.drop()
    expect(rig.states.slice(3).map(({ from, to }) => `${from} ${to}`)).toEqual(['ready failed', 'failed connecting'])
    expect(rig.calls).toMatchObject([{ code: 'CONNECTION_LOST' }, 'close', { message: 'failed: CONNECTION_LOST' }])
    ;(await rig.network.last()).accept()
    await Promise.all(started)
    expect(rig.transport.state).toBe('ready')
  })

  it('may be closed in onerror; it fails before it is closed, and ends once', async () => {
    const rig = useTransport({ reconnect: false })
    const socket = await rig.legacy()
    const closed: Promise<void>[] = []
    rig.transport.onerror = (error) => {
      rig.calls.push(error)
      closed.push(rig.transport.close())
    }
    const told: string[] = []
    rig.transport.on('state', ({ to }) => told.push(to))
    rig.transport.on('failed', () => told.push('failed event')).on('close', () => told.push('close event'))
    socket.drop()
    await Promise.all(closed)
    expect(told).toEqual(['failed', 'failed event', 'closed', 'close event'])
    expect(rig.calls).toMatchObject([{ code: 'CONNECTION_LOST' }, 'close'])
  })

  it('may be closed while it answers what is lost; the loss comes before the end', async () => {
    const rig = useTransport()
    const socket = await rig.legacy()
    await rig.request(1, 'tools/call')
    const closed: Promise<void>[] = []
    rig.transport.onmessage = () => closed.push(rig.transport.close())
    socket.drop()
    await Promise.all(closed)
    expect(rig.states.slice(3).map(({ from, to }) => `${from} ${to}`)).toEqual(['ready waiting', 'waiting closed'])
    expect(rig.calls).toEqual(['close'])
  })

  it('begins no new life before onclose: neither when it answers what is lost, nor in onerror', async () => {
    const rig = useTransport({ reconnect: false })
    const socket = await rig.legacy()
    await rig.request(1, 'tools/call')
    const rejections: Promise<unknown>[] = []
    const tryToStart = (): unknown => rejections.push(rig.transport.start().catch((error: unknown) => error))
    rig.transport.onmessage = tryToStart
    rig.transport.onerror = tryToStart
    socket.drop()
    expect(rejections).toHaveLength(2)
    for (const error of await Promise.all(rejections)) expect(error).toBeInstanceOf(TypeError)
    expect(rig.calls).toEqual(['close'])
    expect(rig.transport.state).toBe('failed')
    expect(rig.network.dials).toBe(1)
  })

  it('tells onerror what a listener of its last event throws', async () => {
    const rig = useTransport()
    rig.transport.on('close', () => {
      throw new Error('mine')
    })
    await rig.transport.close()
    expect(rig.calls).toMatchObject(['close', { message: 'mine' }])
  })

  it('learns nothing of the era from a message that it rejects', async () => {
    const rig = useTransport()
    await rig.transport.close()
    await expect(rig.request(7, 'tools/list', { _meta: META })).rejects.toMatchObject({ code: 'CLOSED' })
    const socket = await rig.legacy()
    socket.deliver({ jsonrpc: '2.0', id: 5, method: 'roots/list' })
    expect(rig.messages).toEqual([{ jsonrpc: '2.0', id: 5, method: 'roots/list' }])
  })

  it('ends with a close before the first start too', async () => {
    const rig = useTransport()
    await rig.transport.close()
    expect(rig.calls).toEqual(['close'])
  })

  it('ends when the attempts are used up, with one onerror and one onclose; the next life knows nothing of it', async () => {
    const rig = useTransport({ reconnect: { maxRetries: 1 } })
    const first = await rig.legacy()
    first.drop()
    await rig.request(1, 'tools/call')
    await rig.clock.advance(2000)
    ;(await rig.network.last()).drop()
    expect(rig.calls).toMatchObject([{ code: 'RETRIES_EXHAUSTED' }, 'close'])
    expect(rig.messages).toMatchObject([{ id: 1, error: { code: 1006, data: { reason: 'RETRIES_EXHAUSTED', delivery: 'not-sent' } } }])
    expect(rig.messages[0]?.error?.message).toMatch(/the request was not sent, it can safely be repeated$/)
    const socket = await rig.start()
    expect(socket.sent).toEqual([])
  })

  it('tells its events', async () => {
    const rig = useTransport({ reconnect: { maxRetries: 1, jitter: false } })
    const told: string[] = []
    const listener = (): unknown => told.push('heard')
    rig.transport.on('failed', ({ code }) => told.push(code)).on('close', () => told.push('close'))
    rig.transport.once('state', ({ to }) => told.push(to))
    rig.transport.on('failed', listener).off('failed', listener)
    const first = await rig.legacy()
    const second = await rig.relegacy(first)
    second.drop()
    expect(rig.states.map(({ from, to, attempt, delay }) => [from, to, attempt, delay])).toEqual([
      ['idle', 'connecting', 1, undefined],
      ['connecting', 'initializing', 1, undefined],
      ['initializing', 'ready', undefined, undefined],
      ['ready', 'waiting', 2, 1000],
      ['waiting', 'connecting', 2, undefined],
      ['connecting', 'initializing', 2, undefined],
      ['initializing', 'ready', undefined, undefined],
      ['ready', 'failed', undefined, undefined]
    ])
    await rig.transport.close()
    expect(told).toEqual(['connecting', 'RETRIES_EXHAUSTED', 'close'])
    expect(rig.reconnections).toEqual([{ attempts: 1, downtime: 1000, resent: 0, lost: 0, serverChanged: false }])
  })

  it('tells onerror what onmessage, onclose and listeners reject with; what onerror rejects with goes nowhere', async () => {
    const rig = useTransport()
    const problem = new Error('mine')
    const fail = (): void => Promise.reject(problem) as never
    rig.transport.on('state', fail).on('error', fail)
    const onerror = (rig.transport.onerror = vi.fn(fail))
    rig.transport.onmessage = fail
    rig.transport.onclose = fail
    const socket = await rig.legacy()
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/x' })
    const closed = rig.transport.close()
    socket.drop({ code: 1000, wasClean: true })
    await closed
    await settle()
    rig.calls.push('close')
    // Five states, the response of the handshake, the notification and the close.
    expect(onerror.mock.calls).toEqual(Array(8).fill([problem]))
  })

  it('is harmed by no callback and no listener that throws', async () => {
    const rig = useTransport()
    const fail = (): never => {
      throw new Error('mine')
    }
    rig.transport.on('state', fail).on('error', fail)
    rig.transport.onerror = fail
    const onclose = (rig.transport.onclose = vi.fn(fail))
    const socket = await rig.legacy()
    const closed = rig.transport.close()
    socket.drop({ code: 1000, wasClean: true })
    await closed
    expect(onclose).toHaveBeenCalledOnce()
    rig.calls.push('close')
  })

  it('shows state, url and counts to util.inspect', async () => {
    const rig = useTransport()
    await rig.legacy()
    const shown = inspect(rig.transport)
    expect(shown).toMatch(/^WebSocketClientTransport \{/)
    for (const part of ["state: 'ready'", "url: 'ws", "era: 'legacy'", 'pending: 0', 'attempts: 1']) expect(shown).toContain(part)
  })

  it('looks to the SDK as it must: no session, a channel like stdio, writable members', async () => {
    const { transport } = useTransport()
    expect(transport.sessionId).toBeUndefined()
    expect('stderr' in transport && 'pid' in transport).toBe(true)
    expect(transport).not.toHaveProperty('hasPerRequestStream')
    transport.setProtocolVersion('2025-11-25')
    transport.setSupportedProtocolVersions(['2025-11-25'])
    const start = vi.fn(() => Promise.resolve())
    transport.start = start
    await transport.start()
    expect(start).toHaveBeenCalledOnce()
    expect(transport.state).toBe('idle')
  })
})

describe('the options', () => {
  it('are those of the client, with the same checks', () => {
    expect(() => useTransport({ connectTimeout: -1 })).toThrow(/connectTimeout/)
    expect(() => useTransport({ reconnect: { maxRetries: -1 } })).toThrow(/reconnect\.maxRetries/)
    expect(() => useTransport({ maxPending: 0 })).toThrow(/maxPending/)
    // As a WebSocket takes its subprotocol.
    expect(() => new WebSocketClientTransport('ws://127.0.0.1', 'mcp' as never)).toThrow(/^options must be an object$/)
  })

  it('do not hold the url', () => {
    expect(() => new WebSocketClientTransport({ url: 'ws://127.0.0.1' } as never)).toThrow(new TypeError('url must come before options'))
  })

  it('of requests are those of the SDK, and are like no other', () => {
    expect(() => useTransport({ requestTimeout: 1 } as never)).toThrow(new TypeError('unknown option requestTimeout'))
  })

  it('reach the dial', async () => {
    const trace = vi.fn()
    const rig = useTransport({ subprotocols: ['mcp'], auth: { token: 'secret-token' }, headers: { 'X-A': 'b' }, trace })
    const socket = await rig.legacy()
    expect(socket.target.protocols).toEqual(['mcp.v1', 'mcp'])
    expect(socket.target.headers).toMatchObject({ Authorization: 'Bearer secret-token', 'X-A': 'b' })
    expect(trace).toHaveBeenCalledWith('out', JSON.stringify(INITIALIZE))
    expect(trace).toHaveBeenCalledWith('in', JSON.stringify({ jsonrpc: '2.0', id: 0, result: LEGACY_RESULT }))
  })
})

it('a request that no dial of this kind can deliver is not called repeatable', () => {
  const error = new UnauthorizedError('HTTP 401', { delivery: 'not-sent' })
  expect(failureOf({ id: 1, phase: 'queued' }, error).error.message).toBe('HTTP 401; the request was not sent')
})
