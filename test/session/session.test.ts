import { describe, expect, it } from 'vitest'
import type { Delivery, McpWebSocketError } from '../../src/errors.js'
import { PendingRequest } from '../../src/rpc/pending.js'
import type { SessionListener } from '../../src/session/session.js'
import type { Params } from '../../src/types/json-rpc.js'
import { cancellation } from '../../src/wire/methods.js'
import { LEGACY, MODERN, useSession, type SessionRig } from '../helpers/session-rig.js'

const CAPABLE = { ...LEGACY, capabilities: { tools: { listChanged: true } } }

const result = (id: number | string, value: object = {}): object => ({ jsonrpc: '2.0', id, result: value })

/** Runs `act` when the session is told to be in a state for the first time. */
function at(rig: SessionRig, state: string, act: () => void): void {
  rig.on.onState = (to) => {
    if (to.name !== state) return
    delete rig.on.onState
    act()
  }
}

const queueFull = expect.objectContaining({ code: 'QUEUE_FULL', delivery: 'not-sent' }) as McpWebSocketError

/** What `act` throws. */
function thrownBy(act: () => void): unknown {
  try {
    act()
  } catch (error) {
    return error
  }
  return undefined
}

describe('what is sent', () => {
  it('waits without a socket and during the setup, follows what waits while that is sent, and then goes straight to the socket', async () => {
    const rig = useSession()
    rig.ask(1)
    const socket = await rig.open()
    rig.ask(2)
    expect(socket.methods).toEqual(['initialize'])
    at(rig, 'ready', () => rig.ask(3))
    socket.respond('initialize', {})
    rig.ask(4)
    expect(socket.sent.slice(2).map(({ id }) => id)).toEqual([1, 2, 3, 4])
    expect(rig.session.queuedCount).toBe(0)
  })

  it('comes on a new socket after the handshake, the restores, ready and the resends', async () => {
    const rig = useSession()
    const first = await rig.ready()
    rig.ask(1, { method: 'logging/setLevel', params: { level: 'info' } })
    first.deliver(result(1))
    rig.ask(2, { method: 'tools/list' })
    first.drop()
    rig.ask(3)
    rig.notify('notifications/roots/list_changed')
    at(rig, 'ready', () => rig.notify('from a listener of ready'))
    rig.on.onReconnected = () => rig.notify('from a listener of reconnected')
    rig.log.length = 0
    const socket = await rig.ready()
    rig.notify('straight')
    expect(socket.methods).toEqual([
      'initialize',
      'notifications/initialized',
      'logging/setLevel',
      'tools/list',
      'tools/call',
      'notifications/roots/list_changed',
      'from a listener of ready',
      'from a listener of reconnected',
      'straight'
    ])
    expect(rig.log).toEqual(['connecting', 'initializing', 'ready', 'reconnected'])
  })

  it('meets the limits of the outbox without a socket, during the setup and under backpressure', async () => {
    const rig = useSession({ outbox: { maxMessages: 1, maxBytes: 1000 } })
    const more = (): unknown => thrownBy(() => rig.ask(99))
    rig.ask(1)
    expect(more()).toEqual(queueFull)
    const socket = await rig.open()
    expect(more()).toEqual(queueFull)
    socket.respond('initialize', {})
    socket.buffered = 101
    rig.ask(2)
    expect(more()).toEqual(queueFull)
    expect(rig.failures).toEqual([])
  })

  it('meets no limit while the outbox is sent: it was promised that listeners may send', async () => {
    const rig = useSession({ outbox: false })
    const socket = await rig.open()
    at(rig, 'ready', () => {
      for (let id = 1; id <= 5; id++) rig.ask(id)
    })
    socket.respond('initialize', {})
    expect(socket.sent.slice(2).map(({ id }) => id)).toEqual([1, 2, 3, 4, 5])
  })

  it('meets no limit where it is the handshake of the layer above', () => {
    const rig = useSession({ outbox: false })
    rig.ask(1, { method: 'initialize', resend: 'always' })
    expect(rig.session.queuedCount).toBe(1)
    expect(thrownBy(() => rig.ask(2))).toEqual(queueFull)
  })

  it('is thrown back where JSON cannot hold it, and leaves nothing behind', async () => {
    const rig = useSession()
    expect(thrownBy(() => rig.ask(1, { params: { size: 1n } }))).toBeInstanceOf(TypeError)
    expect(thrownBy(() => rig.notify('a', { size: 1n }))).toBeInstanceOf(TypeError)
    expect(rig.session.queuedCount).toBe(0)
    const socket = await rig.ready()
    expect(socket.methods).toEqual(['initialize', 'notifications/initialized'])
  })

  it('is thrown back at the end of a life, with its reason', async () => {
    const rig = useSession()
    const socket = await rig.ready()
    rig.session.command('close')
    for (const act of [() => void rig.ask(1), () => rig.notify('a'), () => rig.notify('notifications/progress')])
      expect(thrownBy(act)).toMatchObject({ code: 'CLOSED', delivery: 'not-sent' })
    socket.drop({ code: 1000 })
    expect(thrownBy(() => rig.ask(2))).toMatchObject({ code: 'CLOSED' })
    ;(await rig.ready()).drop({ code: 1008 })
    expect(thrownBy(() => rig.ask(3))).toMatchObject({ code: 'CONNECTION_LOST' })
  })

  it('gets its stamp when it leaves, by the era of the socket that it leaves over', async () => {
    const rig = useSession()
    rig.ask(1)
    const socket = await rig.ready(MODERN)
    rig.notify('a')
    expect(socket.texts.slice(1)).toEqual(['{"jsonrpc":"2.0","id":1,"method":"tools/call","stamp":1}', '{"jsonrpc":"2.0","method":"a"}'])
  })

  it('waits under backpressure, in its order, until the socket drains; cancellations and progress do not', async () => {
    const rig = useSession()
    const socket = await rig.ready()
    rig.ask(1)
    socket.buffered = 101
    rig.ask(2)
    socket.buffered = 0
    rig.notify('after 2')
    rig.notify('notifications/progress', { progressToken: 't', progress: 1 })
    rig.session.cancel(new PendingRequest(9, 'tools/call', undefined), 'unknown')
    expect(socket.sent.slice(2).map(({ id, method }) => id ?? method)).toEqual([1, 'notifications/progress'])
    await rig.clock.advance(25)
    expect(socket.sent.slice(4).map(({ id, method }) => id ?? method)).toEqual([2, 'after 2'])
  })

  it('is forgotten where it is about the requests of a socket that is gone', async () => {
    const rig = useSession()
    rig.notify('notifications/cancelled', { requestId: 1 })
    const socket = await rig.open()
    rig.notify('notifications/progress', { progressToken: 't', progress: 1 })
    socket.respond('initialize', {})
    expect(socket.methods).toEqual(['initialize', 'notifications/initialized'])
  })
})

describe('a callback of the program that ends the connection while the outbox is sent', () => {
  const acts = {
    close: (rig: SessionRig): void => rig.session.command('close'),
    reconnect: (rig: SessionRig): void => rig.session.command('reconnect')
  }

  /** A session whose `trace` acts when it sees `tools/call`. */
  function tracing(act: (rig: SessionRig) => void): SessionRig {
    let acted = false
    const rig: SessionRig = useSession({
      resend: 'never',
      connection: {
        trace: (direction, text) => {
          if (acted || direction === 'in' || !text.includes('tools/call')) return
          acted = true
          act(rig)
        }
      }
    })
    return rig
  }

  it('keeps what still waits for the next socket, when it reconnects', async () => {
    const rig = tracing(acts.reconnect)
    rig.ask(1)
    rig.ask(2)
    rig.notify('a')
    await rig.ready()
    expect(rig.failures).toMatchObject([{ id: 1, error: { delivery: 'unknown' } }])
    expect(rig.session.queuedCount).toBe(2)
    const second = await rig.ready()
    expect(second.methods).toEqual(['initialize', 'notifications/initialized', 'tools/call', 'a'])
  })

  it('has what still waits rejected, when it closes, and nothing more is written', async () => {
    const rig = tracing(acts.close)
    rig.ask(1)
    rig.ask(2)
    const socket = await rig.open()
    socket.send = () => 0
    socket.respond('initialize', {})
    expect(rig.failures).toMatchObject([
      { id: 1, error: { code: 'CLOSED', delivery: 'unknown' } },
      { id: 2, error: { code: 'CLOSED', delivery: 'not-sent' } }
    ])
    expect(thrownBy(() => rig.ask(3))).toMatchObject({ code: 'CLOSED', delivery: 'not-sent' })
  })

  it.each(['close', 'reconnect'] as const)(
    'decides about the request that it was asked about too: %s in the option resend',
    async (command) => {
      const rig: SessionRig = useSession({
        resend: () => {
          rig.session.command(command)
          return true
        }
      })
      const socket = await rig.ready()
      rig.ask(1)
      expect(socket.methods).not.toContain('tools/call')
      if (command === 'close') return expect(rig.failures).toMatchObject([{ id: 1, error: { code: 'CLOSED', delivery: 'not-sent' } }])
      expect([rig.failures, rig.session.queuedCount]).toEqual([[], 1])
      rig.session.command('close')
    }
  )

  it('may give up the request that it was asked about, in the option resend: then nothing is sent', async () => {
    const told: Delivery[] = []
    const rig: SessionRig = useSession({
      resend: () => {
        for (const request of rig.session.pending()) told.push(rig.session.cancel(request, 'aborted'))
        return true
      }
    })
    const socket = await rig.ready()
    rig.ask(1)
    expect(socket.methods).toEqual(['initialize', 'notifications/initialized'])
    expect([told, rig.session.pending()]).toEqual([['not-sent'], []])
  })
})

describe('what those say who learn of a change of state', () => {
  it('holds in the order in which it was said: close() in a listener ends a reconnect() that came before', async () => {
    const rig = useSession()
    const socket = await rig.ready()
    socket.deliver({ jsonrpc: '2.0', id: 1, method: 'roots/list' })
    rig.on.onMessage = () => rig.session.command('reconnect')
    at(rig, 'waiting', () => rig.session.command('close'))
    socket.drop()
    expect(rig.session.state.name).toBe('closed')
  })
})

describe('a request that is given up', () => {
  it('while it waits is removed; the server hears nothing', async () => {
    const rig = useSession()
    const request = rig.ask(1)
    expect(rig.session.cancel(request, 'aborted')).toBe('not-sent')
    const socket = await rig.ready()
    expect(socket.methods).toEqual(['initialize', 'notifications/initialized'])
  })

  it('while it is in flight is told to the server, and its late response goes nowhere', async () => {
    const rig = useSession()
    const socket = await rig.ready()
    expect(rig.session.cancel(rig.ask(1), 'aborted')).toBe('unknown')
    socket.deliver(result(1))
    expect(socket.sent.at(-1)).toEqual(cancellation(1, 'aborted'))
    expect([rig.messages, rig.errors]).toEqual([[], []])
  })

  it('may be told by another notice, or by none', async () => {
    const rig = useSession()
    const socket = await rig.ready()
    rig.session.cancel(rig.ask(1), 'aborted', null)
    rig.session.cancel(rig.ask(2), 'aborted', { jsonrpc: '2.0', method: 'tasks/cancel' })
    expect(socket.methods.slice(2)).toEqual(['tools/call', 'tools/call', 'tasks/cancel'])
  })

  it('while it waits to be sent again is not: it can have been executed, but its socket is gone', async () => {
    const rig = useSession()
    const first = await rig.ready()
    const request = rig.ask(1, { method: 'tools/list' })
    first.drop()
    expect(rig.session.cancel(request, 'aborted')).toBe('unknown')
    const second = await rig.ready()
    expect(second.methods).toEqual(['initialize', 'notifications/initialized'])
    expect(rig.reconnections).toMatchObject([{ resent: 0, lost: 0 }])
  })

  it('while the next socket is set up is not told either, nor is an initialize', async () => {
    const rig = useSession()
    const socket = await rig.ready()
    rig.session.cancel(rig.ask(1, { method: 'initialize' }), 'aborted')
    const listen = rig.ask(2, { method: 'subscriptions/listen' })
    socket.drop()
    const second = await rig.open()
    expect(rig.session.cancel(listen, 'aborted', { jsonrpc: '2.0', method: 'tasks/cancel' })).toBe('unknown')
    second.respond('initialize', {})
    expect(socket.methods.at(-1)).toBe('subscriptions/listen')
    expect(second.methods).toEqual(['initialize', 'notifications/initialized'])
  })

  it('after its response changes nothing', async () => {
    const rig = useSession()
    const socket = await rig.ready()
    const request = rig.ask(1)
    socket.deliver(result(1))
    expect(rig.session.cancel(request, 'aborted')).toBe('unknown')
    expect(socket.methods.at(-1)).toBe('tools/call')
  })
})

describe('a request in flight at a drop', () => {
  it('is sent again once, if it may be, and lost at the second drop', async () => {
    const rig = useSession()
    const first = await rig.ready()
    rig.ask(1)
    rig.ask(2, { method: 'tools/list' })
    rig.ask(3, { resend: true })
    rig.ask(4, { method: 'tools/list', resend: false })
    first.drop()
    expect(rig.failures).toMatchObject([
      { id: 1, error: { code: 'CONNECTION_LOST', delivery: 'unknown' } },
      { id: 4, error: { delivery: 'unknown' } }
    ])
    expect(rig.session.queuedCount).toBe(2)
    rig.ask(5)
    const second = await rig.ready()
    expect(second.sent.slice(2).map(({ id }) => id)).toEqual([2, 3, 5])
    second.drop()
    expect(rig.failures.map(({ id }) => id)).toEqual([1, 4, 2, 3, 5])
    expect(rig.session.stats).toMatchObject({ resent: 2, lost: 5 })
    await rig.ready()
    expect(rig.reconnections).toMatchObject([
      { attempts: 1, resent: 2, lost: 2 },
      { attempts: 1, resent: 0, lost: 3 }
    ])
  })

  it('is sent again as often as it takes, where it is the handshake of the layer above', async () => {
    const rig = useSession()
    rig.handshake.first = undefined
    rig.ask(1, { method: 'initialize', resend: 'always' })
    for (let drop = 0; drop < 3; drop++) {
      const socket = await rig.open()
      expect(socket.texts).toEqual(['{"jsonrpc":"2.0","id":1,"method":"initialize"}'])
      socket.drop()
    }
    expect(rig.failures).toEqual([])
  })

  it('is sent again to the byte in the same era, and without or with a stamp in the other one', async () => {
    const rig = useSession()
    const stamps: string[] = []
    for (const agreement of [MODERN, MODERN, LEGACY, MODERN] as const) {
      const socket = await rig.ready(agreement)
      stamps.push(...socket.texts.filter((text) => text.includes('tools/list')))
      rig.ask(rig.network.dials, { method: 'tools/list' })
      socket.drop()
    }
    expect(stamps).toEqual([
      '{"jsonrpc":"2.0","id":1,"method":"tools/list","stamp":1}',
      '{"jsonrpc":"2.0","id":2,"method":"tools/list"}',
      '{"jsonrpc":"2.0","id":3,"method":"tools/list","stamp":1}'
    ])
  })

  it('keeps its bytes even if the stamp would be another one by now', async () => {
    let stamp = 1
    const rig = useSession({ stamp: (text) => text.replace(/}$/, `,"stamp":${String(stamp)}}`) })
    const first = await rig.ready()
    rig.ask(1, { method: 'tools/list' })
    stamp = 2
    first.drop()
    rig.ask(2, { method: 'tools/list' })
    const second = await rig.ready()
    expect(second.sent.slice(2)).toMatchObject([
      { id: 1, stamp: 1 },
      { id: 2, stamp: 2 }
    ])
  })

  it('is lost alone to close code 1009 if it is the largest, also where the life ends', async () => {
    const big: Params = { text: 'x'.repeat(100) }
    for (const shouldReconnect of [true, false]) {
      const rig = useSession({ connection: { shouldReconnect: () => shouldReconnect } })
      const socket = await rig.ready()
      rig.ask(1, { method: 'tools/list' })
      rig.ask(2, { method: 'tools/list', params: big })
      socket.drop({ code: 1009 })
      expect(rig.failures.find(({ id }) => id === 2)).toMatchObject({ error: { code: 'MESSAGE_TOO_LARGE', delivery: 'unknown' } })
      expect(rig.failures.find(({ id }) => id === 1)?.error.code).toBe(shouldReconnect ? undefined : 'CONNECTION_LOST')
    }
  })

  it('is taken for one that may not be sent again, when the program cannot say', async () => {
    const problem = new Error('a bug of the program')
    const rig = useSession({
      resend: () => {
        throw problem
      }
    })
    const socket = await rig.ready()
    rig.ask(1)
    socket.drop()
    expect(rig.failures).toHaveLength(1)
    expect(rig.errors).toEqual([problem])
  })

  it('at close() fails with it: a sent one as unknown, one that waits as not sent', async () => {
    const rig = useSession()
    const socket = await rig.ready()
    rig.ask(1)
    socket.buffered = 101
    rig.ask(2)
    rig.session.command('close')
    expect(rig.failures).toMatchObject([
      { id: 1, error: { code: 'CLOSED', delivery: 'unknown' } },
      { id: 2, error: { code: 'CLOSED', delivery: 'not-sent' } }
    ])
    expect(rig.session.stats.lost).toBe(0)
    expect(rig.handshake.resets).toBe(1)
  })

  it('at a failure that ends the life is lost because of it; what waits fails with the failure itself, and is not counted', async () => {
    const rig = useSession()
    const socket = await rig.ready()
    rig.ask(1)
    socket.buffered = 101
    rig.ask(2)
    socket.drop({ code: 1008 })
    const { state } = rig.session
    const failure = state.name === 'failed' ? state.error : undefined
    expect(rig.failures).toMatchObject([{ id: 1, error: { code: 'CONNECTION_LOST', delivery: 'unknown', cause: failure } }, { id: 2 }])
    expect(rig.failures[1]?.error).toBe(failure)
    expect(rig.session.stats.lost).toBe(1)
  })
})

describe('the end of a listen', () => {
  /** A modern session with one listen. */
  async function listening(): Promise<SessionRig & { socket: Awaited<ReturnType<SessionRig['ready']>>; end: () => void }> {
    const rig = useSession()
    const socket = await rig.ready(MODERN)
    rig.ask(1, { method: 'subscriptions/listen' })
    return { ...rig, socket, end: () => socket.deliver(result(1)) }
  }

  it.each([
    ['a result', result(1)],
    ['a cancellation', cancellation(1, 'enough')]
  ])('by %s is believed after a second', async (_name, message) => {
    const rig = await listening()
    rig.socket.deliver(message)
    await rig.clock.advance(999)
    expect(rig.messages).toEqual([])
    await rig.clock.advance(1)
    expect(rig.messages).toEqual([message])
    rig.socket.drop()
    expect((await rig.ready()).methods).toEqual(['initialize'])
  })

  it('is not believed when the socket drops within the second: the listen is sent again', async () => {
    const rig = await listening()
    rig.end()
    await rig.clock.advance(999)
    rig.socket.drop()
    const second = await rig.ready()
    expect(second.texts.at(-1)).toBe(rig.socket.texts.at(-1))
    await rig.clock.advance(5000)
    expect(rig.messages).toEqual([])
  })

  it('goes nowhere when the listen is given up within the second, and the server is told nothing', async () => {
    const rig = await listening()
    rig.end()
    rig.session.cancel(new PendingRequest(1, 'subscriptions/listen', undefined), 'enough')
    const sent = new PendingRequest(1, 'subscriptions/listen', undefined)
    sent.phase = 'sent'
    expect(rig.session.cancel(sent, 'enough')).toBe('unknown')
    await rig.clock.advance(2000)
    expect(rig.messages).toEqual([])
    expect(rig.socket.methods.at(-1)).toBe('subscriptions/listen')
  })

  it('is believed at once at the end of the life: the server ended it before', async () => {
    const rig = await listening()
    rig.end()
    rig.session.command('close')
    expect(rig.messages).toEqual([result(1)])
    expect(rig.failures).toEqual([])
  })

  it('by an error is believed at once', async () => {
    const rig = await listening()
    rig.socket.respondError('subscriptions/listen', -32601)
    expect(rig.messages).toMatchObject([{ id: 1, error: { code: -32601 } }])
    expect(rig.errors).toEqual([])
  })

  it('by an error after it was restored is told to the program too', async () => {
    const rig = await listening()
    rig.socket.drop()
    const second = await rig.ready()
    second.respondError('subscriptions/listen', -32601)
    expect(rig.messages).toMatchObject([{ id: 1, error: { code: -32601 } }])
    expect(rig.errors).toMatchObject([{ code: 'RESTORE_FAILED' }])
  })

  it('comes as a failure when the server speaks the legacy era after a drop', async () => {
    const rig = await listening()
    rig.socket.drop()
    await rig.ready(LEGACY)
    expect(rig.failures).toMatchObject([{ id: 1, error: { code: 'RESTORE_FAILED' } }])
    expect(rig.errors).toEqual([rig.failures[0]?.error])
  })
})

describe('a response', () => {
  it('settles its request once, and goes up as it is', async () => {
    const rig = useSession()
    const socket = await rig.ready()
    rig.ask(1)
    socket.deliver(result(1, { fine: true }))
    socket.deliver(result(1, { again: true }))
    socket.drop()
    expect(rig.messages).toEqual([result(1, { fine: true })])
    expect(rig.failures).toEqual([])
  })

  it('to an unknown id, or to an id of another type, goes nowhere', async () => {
    const rig = useSession()
    const socket = await rig.ready()
    rig.ask(1)
    socket.deliver(result(2))
    socket.deliver(result('1'))
    expect([rig.messages, rig.errors]).toEqual([[], []])
  })

  it('without an id is told as an error, without secrets', async () => {
    const rig = useSession()
    const socket = await rig.ready()
    socket.deliver({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'cannot read hush-hush' } })
    expect(rig.errors).toMatchObject([
      { code: 'INVALID_RESPONSE', message: 'the server sent a response without an id: cannot read [redacted]' }
    ])
  })

  it('to a request of the session itself does not go up', async () => {
    const rig = useSession()
    await rig.ready()
    expect(rig.log).toEqual(['connecting', 'initializing', 'ready'])
  })

  it('to a request of the session over an earlier socket goes nowhere', async () => {
    const rig = useSession()
    const first = await rig.open()
    const { id = 0 } = first.asked('initialize')
    first.drop()
    const second = await rig.open()
    second.deliver(result(id))
    expect(rig.handshake.outcomes).toEqual([])
  })

  it('to a request of the session is never taken for one of the layer above, whatever the ids of that', async () => {
    const rig = useSession()
    const first = await rig.ready()
    rig.ask(2 ** 31 - 2, { method: 'tools/list' })
    rig.ask(2 ** 31 - 3, { method: 'subscriptions/listen' })
    first.drop()
    const second = await rig.open()
    expect(second.asked('initialize').id).toBe(2 ** 31 - 4)
    second.respond('initialize', {})
    second.deliver(result(2 ** 31 - 2))
    expect(rig.messages).toEqual([result(2 ** 31 - 2)])
  })
})

describe('a malformed frame', () => {
  it('fails the request that it seems to respond to', async () => {
    const rig = useSession()
    const socket = await rig.ready()
    rig.ask(1)
    socket.deliver({ jsonrpc: '2.0', id: 1, result: {}, error: {} })
    expect(rig.failures).toMatchObject([{ id: 1, error: { code: 'INVALID_RESPONSE' } }])
    expect([rig.errors, rig.messages]).toEqual([[], []])
  })

  it('fails the internal request that it seems to respond to: the handshake goes on with an error', async () => {
    const rig = useSession()
    const socket = await rig.open()
    socket.deliver({ jsonrpc: '1.0', id: socket.asked('initialize').id, result: {} })
    expect(rig.handshake.outcomes).toMatchObject([{ error: { code: -32603 } }])
  })

  it('that seems to be a request is rejected, and leaves the request of this side with the same id alone', async () => {
    const rig = useSession()
    const socket = await rig.ready()
    rig.ask(1)
    socket.deliver({ jsonrpc: '2.0', id: 1, method: 'roots/list', params: 7 })
    expect(rig.failures).toEqual([])
    expect(socket.sent.at(-1)).toMatchObject({ id: 1, error: { code: -32600 } })
    expect(rig.errors).toMatchObject([{ code: 'INVALID_RESPONSE' }])
  })

  it.each(['nonsense', '{"jsonrpc":"2.0","id":77,"result":1,"error":{}}'])('that concerns no request is told: %s', async (text) => {
    const rig = useSession()
    const socket = await rig.ready()
    const { length } = socket.sent
    socket.deliver(text)
    expect(rig.errors).toMatchObject([{ code: 'INVALID_RESPONSE' }])
    expect(socket.sent).toHaveLength(length)
  })
})

describe('notifications that an outage may have swallowed', () => {
  it('come after a legacy reconnect, behind the resends and the outbox', async () => {
    const rig = useSession()
    const first = await rig.ready(CAPABLE)
    rig.ask(1, { method: 'resources/subscribe', params: { uri: 'a:1' } })
    first.deliver(result(1))
    first.drop()
    rig.ask(2)
    rig.log.length = rig.messages.length = 0
    const sent: number[] = []
    rig.on.onMessage = () => void sent.push(rig.session.stats.sent)
    await rig.ready()
    expect(rig.log.slice(-4)).toEqual(['ready', 'reconnected', 'notifications/tools/list_changed', 'notifications/resources/updated'])
    expect(sent).toEqual([rig.session.stats.sent, rig.session.stats.sent])
  })

  it('do not come at the first connection of a life, nor in the modern era', async () => {
    const rig = useSession()
    const first = await rig.ready(CAPABLE)
    rig.session.command('close')
    first.drop({ code: 1000 })
    ;(await rig.ready()).drop()
    await rig.ready({ ...CAPABLE, era: 'modern' })
    expect(rig.messages).toEqual([])
  })

  it('end when a listener ends the connection', async () => {
    const rig = useSession()
    const socket = await rig.ready({ ...LEGACY, capabilities: { tools: { listChanged: true }, prompts: { listChanged: true } } })
    socket.drop()
    rig.on.onMessage = () => rig.session.command('reconnect')
    await rig.ready()
    expect(rig.messages).toHaveLength(1)
  })
})

describe('a command that is given while a change of state is settled', () => {
  const tells: [string, (rig: SessionRig, act: () => void) => void, 'close' | 'reconnect'][] = (['close', 'reconnect'] as const).flatMap(
    (command) => [
      ['a request is lost', (rig, act) => (rig.on.onFailed = act), command],
      ['a request of the server is cancelled', (rig, act) => (rig.on.onMessage = act), command]
    ]
  )

  it.each(tells)('because %s waits until all have heard of the change: %3$s', async (_name, tell, command) => {
    const rig = useSession()
    const socket = await rig.ready()
    rig.ask(1)
    rig.ask(2)
    socket.deliver({ jsonrpc: '2.0', id: 7, method: 'roots/list' })
    tell(rig, () => rig.session.command(command))
    rig.log.length = 0
    socket.drop()
    const next = command === 'close' ? 'closed' : 'connecting'
    expect(rig.log).toEqual(['notifications/cancelled', 'failed 1', 'failed 2', 'waiting', next])
  })

  it('by a listener of the state itself acts at once, and the setup of the left state does not begin', async () => {
    const rig = useSession()
    at(rig, 'initializing', () => rig.session.command('reconnect'))
    const socket = await rig.open()
    expect(rig.log).toEqual(['connecting', 'initializing', 'connecting'])
    expect([socket.sent, socket.state]).toEqual([[], 'closed'])
    const second = await rig.ready()
    expect(second.methods).toEqual(['initialize', 'notifications/initialized'])
    expect([second.asked('initialize').id, rig.session.stats.sent]).toEqual([2 ** 31 - 1, 2])
  })

  it('by a listener of ready or reconnected lets nothing more out', async () => {
    for (const event of ['onState', 'onReconnected'] as const) {
      const rig = useSession()
      ;(await rig.ready()).drop()
      rig.ask(1)
      const act = (): void => rig.session.command('reconnect')
      if (event === 'onState') at(rig, 'ready', act)
      else rig.on.onReconnected = act
      const socket = await rig.ready()
      expect(socket.methods).toEqual(['initialize', 'notifications/initialized'])
      expect(rig.session.queuedCount).toBe(1)
    }
  })
})

describe('requests of the server', () => {
  it('are cancelled with their socket before anybody hears of the state', async () => {
    const rig = useSession()
    const socket = await rig.ready()
    socket.deliver({ jsonrpc: '2.0', id: 7, method: 'roots/list' })
    rig.log.length = 0
    socket.drop()
    expect(rig.log).toEqual(['notifications/cancelled', 'waiting'])
    rig.session.respond({ jsonrpc: '2.0', id: 7, result: {} })
    const second = await rig.ready()
    expect(second.methods).not.toContain('response')
  })

  it('may come during the setup, and their responses do not wait', async () => {
    const rig = useSession()
    const socket = await rig.open()
    socket.deliver({ jsonrpc: '2.0', id: 7, method: 'ping' })
    rig.session.respond({ jsonrpc: '2.0', id: 7, result: {} })
    expect(socket.methods).toEqual(['initialize', 'response'])
  })

  it('under a private id do not take one of a request that waits', async () => {
    const rig = useSession()
    const first = await rig.ready()
    first.deliver({ jsonrpc: '2.0', id: 7, method: 'roots/list' })
    first.drop()
    rig.ask(2 ** 31 - 3)
    const second = await rig.open()
    second.deliver({ jsonrpc: '2.0', id: 7, method: 'roots/list' })
    expect(rig.messages.at(-1)).toMatchObject({ method: 'roots/list', id: 2 ** 31 - 4 })
  })
})

it('a probe does not take the id of a request that the server wants to have later', async () => {
  const rig = useSession({ heartbeat: { interval: 1000, timeout: 400 } })
  const socket = await rig.ready()
  socket.canPing = false
  rig.ask(2 ** 31 - 2)
  socket.deliver({ jsonrpc: '2.0', id: 2 ** 31 - 2, error: { code: 10429, message: 'later', data: { retryAfterMs: 60_000 } } })
  await rig.clock.advance(1000)
  expect(socket.sent.at(-1)).toMatchObject({ method: 'ping', id: 2 ** 31 - 3 })
})

describe('hints of the page', () => {
  it('probe a connection that is ready', async () => {
    const rig = useSession({ heartbeat: { interval: 20_000, timeout: 1000 } })
    const socket = await rig.ready()
    await rig.clock.advance(1000)
    rig.session.onWake()
    await rig.clock.advance(0)
    expect(socket.pings).toBe(1)
    await rig.clock.advance(30)
    socket.pong()
    expect(rig.session.stats.latency).toBe(30)
  })

  it('hurry a connection that waits', async () => {
    const rig = useSession({ connection: { retry: { ...RETRY, initialDelay: 4000 } } })
    ;(await rig.ready()).drop()
    rig.session.onWake()
    await rig.clock.advance(1000)
    expect(rig.session.state.name).toBe('connecting')
  })

  it('drop a socket that is ready when the page freezes, and no other', async () => {
    const rig = useSession()
    await rig.open()
    rig.session.onFreeze()
    expect(rig.session.state.name).toBe('initializing')
    rig.network.sockets[0]?.respond('initialize', {})
    rig.session.onFreeze()
    expect(rig.session.state).toMatchObject({ name: 'waiting', closure: { code: 1001, wasClean: true } })
    rig.session.onFreeze()
    expect(rig.session.state.name).toBe('waiting')
  })
})

const RETRY = { enabled: true, initialDelay: 1000, maxDelay: 8000, growFactor: 2, jitter: false, maxRetries: 3 }

describe('a session', () => {
  it('shows what it knows: state, agreement, subprotocol, and counts that are a copy', async () => {
    const rig = useSession()
    const { session } = rig
    expect([session.agreement, session.subprotocol]).toEqual([undefined, undefined])
    const before = session.stats
    const socket = await rig.ready()
    expect([session.agreement, session.subprotocol]).toEqual([LEGACY, 'mcp.v1'])
    expect([before.attempts, session.stats.attempts]).toEqual([0, 1])
    socket.drop()
    expect([session.agreement, session.subprotocol]).toEqual([LEGACY, undefined])
    session.command('close')
    expect(session.agreement).toBeUndefined()
  })

  it('has at most one timer of its own beside that of the connection', async () => {
    const rig = useSession({ heartbeat: { interval: 1000, timeout: 400 } })
    const socket = await rig.ready(MODERN)
    rig.ask(1, { method: 'subscriptions/listen' })
    socket.deliver(result(1))
    socket.buffered = 101
    rig.ask(2)
    expect(rig.clock.pendingCount).toBe(2)
  })

  it('carries nothing from one life to the next but its listeners', async () => {
    const rig = useSession()
    const first = await rig.ready()
    rig.ask(1, { method: 'resources/subscribe', params: { uri: 'a:1' } })
    first.deliver(result(1))
    rig.session.command('close')
    first.drop({ code: 1000 })
    const told: Parameters<SessionListener['onState']>[0]['name'][] = []
    rig.on.onState = (to) => void told.push(to.name)
    const second = await rig.ready()
    expect(second.methods).toEqual(['initialize', 'notifications/initialized'])
    expect(told).toEqual(['connecting', 'initializing', 'ready'])
    expect(rig.reconnections).toEqual([])
  })
})
