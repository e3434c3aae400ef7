import { describe, expect, it, vi } from 'vitest'
import type { ConnectionConfig, Fallback } from '../../src/connection/connection.js'
import { HandshakeError, type Closure } from '../../src/errors.js'
import type { Target } from '../../src/socket/web-socket.js'
import { settle } from '../helpers/fake-clock.js'
import { TARGET, useConnection, type ConnectionRig } from '../helpers/session-rig.js'

const retry: ConnectionConfig['retry'] = { enabled: true, initialDelay: 1000, maxDelay: 8000, growFactor: 2, jitter: false, maxRetries: 3 }

/** A provider that works until the test lets it go on. */
function slowTarget(): { resolveTarget: () => Promise<Target>; finish: (target?: Target) => void; asked: () => number } {
  const waiting: ((target: Target) => void)[] = []
  return {
    resolveTarget: () => new Promise((resolve) => waiting.push(resolve)),
    finish: (target = TARGET) => waiting.shift()?.(target),
    asked: () => waiting.length
  }
}

const failedDial = (): HandshakeError => new HandshakeError('CONNECT_FAILED', 'no such host', { retryable: true, delivery: 'not-sent' })

describe('socket, timer and state', () => {
  it('agree in every state of a life: at most one timer, at most one socket that is not closed', async () => {
    const rig = useConnection()
    const seen: [string, number, number][] = []
    const note = (): void => void seen.push([rig.connection.state.name, rig.clock.pendingCount, rig.network.openCount])
    note()
    const first = await rig.open()
    note()
    rig.connection.confirm()
    note()
    first.drop()
    note()
    await rig.redial()
    note()
    rig.connection.command('close')
    note()
    await rig.open()
    rig.connection.command('close')
    note()
    await rig.clock.advance(500)
    note()
    expect(seen).toEqual([
      ['idle', 0, 0],
      ['initializing', 1, 1],
      ['ready', 1, 1],
      ['waiting', 1, 0],
      ['connecting', 1, 1],
      ['closed', 0, 0],
      ['closing', 1, 1],
      ['closed', 0, 0]
    ])
  })

  it('have no timer left once the connection is stable', async () => {
    const rig = useConnection()
    await rig.ready()
    await rig.clock.advance(5000)
    expect(rig.clock.pendingCount).toBe(0)
    expect(rig.connection.state).toMatchObject({ name: 'ready', life: { attempt: 0 } })
    expect(rig.states).toEqual(['connecting', 'initializing', 'ready'])
  })

  it('count the retries anew after resetAfter of ready, and not before', async () => {
    const rig = useConnection()
    for (const [lasts, retries] of [
      [4999, 1],
      [4999, 2],
      [5000, 1]
    ] as const) {
      const socket = await rig.ready()
      await rig.clock.advance(lasts)
      socket.drop()
      expect(rig.connection.state).toMatchObject({ name: 'waiting', life: { retries } })
    }
  })

  it('belong to one dial: a new one discards the socket of the one before, which is not heard any more', async () => {
    const rig = useConnection()
    const first = await rig.ready()
    rig.connection.command('reconnect')
    const second = await rig.redial()
    expect([first.state, second.state]).toEqual(['closed', 'dialling'])
    const before = [...rig.states]
    first.deliver({ jsonrpc: '2.0', method: 'late' })
    first.drop()
    expect(rig.messages).toEqual([])
    expect(rig.states).toEqual(before)
  })

  it('ignore a target that a provider gives after the dial was given up', async () => {
    const slow = slowTarget()
    const rig = useConnection({ resolveTarget: slow.resolveTarget })
    rig.connection.command('connect')
    rig.connection.command('reconnect')
    expect(slow.asked()).toBe(2)
    slow.finish({ ...TARGET, protocols: ['old'] })
    slow.finish({ ...TARGET, protocols: ['new'] })
    await settle()
    expect(rig.network.sockets.map(({ target }) => target.protocols)).toEqual([['new']])
  })

  it('ignore a provider that fails after its dial was given up', async () => {
    const fails: ((error: Error) => void)[] = []
    const rig = useConnection({ resolveTarget: () => new Promise((_, reject) => fails.push(reject)) })
    rig.connection.command('connect')
    rig.connection.command('reconnect')
    fails[0]?.(failedDial())
    await settle()
    expect(rig.states).toEqual(['connecting', 'connecting'])
    rig.connection.command('close')
    fails[1]?.(failedDial())
    await settle()
    expect(rig.states).toEqual(['connecting', 'connecting', 'closed'])
  })

  it('tell nothing when a command changes nothing', async () => {
    const rig = useConnection()
    rig.connection.confirm()
    rig.connection.command('connect')
    rig.connection.command('connect')
    await settle()
    expect(rig.states).toEqual(['connecting'])
    expect(rig.network.dials).toBe(1)
  })
})

describe('a dial', () => {
  it('that fails in a provider, or in the very call, is an attempt that failed', async () => {
    const problem = failedDial()
    const failing = [
      { resolveTarget: () => Promise.reject(problem) },
      {
        openSocket: () => {
          throw problem
        }
      }
    ]
    for (const changes of failing) {
      const rig = useConnection(changes)
      rig.connection.command('connect')
      await settle()
      expect(rig.connection.state).toMatchObject({ name: 'waiting', closure: { kind: 'network', everReady: false, error: problem } })
      expect(rig.connection.stats.attempts).toBe(1)
    }
  })

  it('takes at most connectTimeout, the providers included', async () => {
    const slow = slowTarget()
    const rig = useConnection({ resolveTarget: slow.resolveTarget })
    rig.connection.command('connect')
    await rig.clock.advance(6000)
    slow.finish()
    const socket = await rig.network.last()
    await rig.clock.advance(3999)
    expect(rig.connection.state.name).toBe('connecting')
    await rig.clock.advance(1)
    expect(rig.connection.state).toMatchObject({ name: 'waiting', closure: { kind: 'timeout', error: { code: 'CONNECT_TIMEOUT' } } })
    expect(socket.state).toBe('closed')
  })

  it('that takes too long ends with what its socket has learned, if it has', async () => {
    const rig = useConnection()
    rig.connection.command('connect')
    const socket = await rig.network.last()
    socket.expire = () => ({ kind: 'http', status: 503, wasClean: false, retryAfter: 3000 })
    await rig.clock.advance(10_000)
    expect(rig.connection.state).toMatchObject({ name: 'waiting', closure: { kind: 'http', status: 503, retryAfter: 3000 } })
  })

  it('names its number and its reason to the providers', async () => {
    const resolveTarget = vi.fn<ConnectionConfig['resolveTarget']>(() => Promise.resolve(TARGET))
    const rig = useConnection({ resolveTarget })
    const first = await rig.ready()
    await rig.clock.advance(5000)
    first.drop({ code: 4401 })
    const second = await rig.redial()
    second.drop()
    await rig.redial()
    expect(resolveTarget.mock.calls).toEqual([
      [{ attempt: 1, reason: 'connect' }],
      [{ attempt: 1, reason: 'unauthorized' }],
      [{ attempt: 2, reason: 'connect' }]
    ])
  })
})

describe('the time that a state has', () => {
  it('ends in initializing after handshakeTimeout', async () => {
    const rig = useConnection()
    const socket = await rig.open()
    await rig.clock.advance(3999)
    expect(rig.connection.state.name).toBe('initializing')
    await rig.clock.advance(1)
    expect(rig.connection.state).toMatchObject({ name: 'waiting', closure: { kind: 'timeout', error: { code: 'HANDSHAKE_TIMEOUT' } } })
    expect(socket.state).toBe('closed')
  })

  it('ends in closing after closeTimeout, and the socket is discarded', async () => {
    const rig = useConnection()
    const socket = await rig.ready()
    rig.connection.command('close')
    expect(socket.state).toBe('closing')
    await rig.clock.advance(499)
    expect(rig.connection.state.name).toBe('closing')
    await rig.clock.advance(1)
    expect([rig.connection.state.name, socket.state]).toEqual(['closed', 'closed'])
  })

  it('does not end at once when the process wakes too late: what the socket holds is heard first', async () => {
    const rig = useConnection()
    const socket = await rig.open()
    rig.clock.after(60_000, () => rig.connection.confirm())
    await rig.clock.sleep(60_000)
    expect(rig.connection.state.name).toBe('ready')
    expect(socket.state).toBe('open')
  })
})

describe('the end of a socket', () => {
  const ways: [string, (rig: ConnectionRig) => void][] = [
    ['by the server', ({ network }) => network.sockets[0]?.drop({ code: 1012, reason: 'restart', wasClean: true })],
    ['by drop()', ({ connection }) => connection.drop({ kind: 'close', code: 1012, reason: 'restart', wasClean: true })]
  ]
  it.each(ways)('%s leads to the same next state', async (_name, end) => {
    const rig = useConnection()
    const socket = await rig.ready()
    end(rig)
    const closure: Closure = { kind: 'close', code: 1012, reason: 'restart', wasClean: true, everReady: true }
    expect(rig.connection.state).toMatchObject({ name: 'waiting', closure })
    expect(rig.closures.at(-1)).toMatchObject({ ...closure, error: { code: 'CONNECTION_LOST' } })
    expect(socket.state).toBe('closed')
  })

  it('by drop() needs no socket: a dial whose providers still work is over too', async () => {
    const slow = slowTarget()
    const rig = useConnection({ resolveTarget: slow.resolveTarget })
    rig.connection.command('connect')
    rig.connection.drop({ kind: 'close', code: 1001, wasClean: true })
    expect(rig.connection.state.name).toBe('waiting')
    slow.finish()
    await settle()
    expect(rig.network.dials).toBe(0)
  })

  it('completes a close that was asked for, whatever the closure says', async () => {
    const rig = useConnection()
    const socket = await rig.ready()
    rig.connection.command('close')
    socket.drop({ code: 1008 })
    expect(rig.connection.state).toEqual({ name: 'closed' })
    expect(rig.closures.at(-1)).toBeUndefined()
  })

  it.each(['idle', 'closed'] as const)('means nothing in %s', (state) => {
    const rig = useConnection({ shouldReconnect: () => true })
    if (state === 'closed') rig.connection.command('close')
    rig.connection.drop({ kind: 'close', code: 1006, wasClean: false })
    expect(rig.connection.state).toEqual({ name: state })
  })
})

describe('shouldReconnect', () => {
  it.each([{ code: 1006 }, { code: 1000 }, { kind: 'heartbeat', code: undefined }] as const)(
    'is told of no closure without its error: %o',
    async (closure) => {
      const shouldReconnect = vi.fn<(closure: Closure) => undefined>()
      const rig = useConnection({ shouldReconnect })
      ;(await rig.ready()).drop(closure)
      const told = shouldReconnect.mock.lastCall?.[0]
      expect(told?.error).toMatchObject({ name: 'ConnectionLostError', message: expect.stringContaining('ws://127.0.0.1/ws') as string })
      expect(rig.connection.state).toMatchObject({ name: 'waiting', closure: told })
    }
  )

  it('is asked once for each closure, with whether the life was ever ready', async () => {
    const shouldReconnect = vi.fn(() => undefined)
    const rig = useConnection({ shouldReconnect })
    const first = await rig.open()
    first.drop({ code: 1011 })
    const second = await rig.ready()
    second.drop({ code: 1012 })
    expect(shouldReconnect.mock.calls).toMatchObject([
      [{ kind: 'close', code: 1011, wasClean: false, everReady: false }],
      [{ kind: 'close', code: 1012, wasClean: false, everReady: true }]
    ])
  })

  it.each([
    ['a promise', () => Promise.resolve(true) as never],
    ['a number', () => NaN as never],
    ['null', () => null as never]
  ])('that returns %s leaves it to the rules, and a TypeError is told', async (_name, shouldReconnect) => {
    const rig = useConnection({ shouldReconnect })
    const socket = await rig.ready()
    socket.drop({ code: 1008 })
    expect(rig.connection.state.name).toBe('failed')
    expect(rig.errors).toMatchObject([
      { name: 'TypeError', message: 'shouldReconnect must return true, false or undefined, and not a promise' }
    ])
  })

  it('that dials anew, or closes, has decided: the closure is none of what follows', async () => {
    const rig = useConnection({
      shouldReconnect: () => {
        rig.connection.command('reconnect')
        return false
      }
    })
    ;(await rig.ready()).drop({ code: 1008 })
    expect(rig.connection.state.name).toBe('connecting')
    const closing = useConnection({
      shouldReconnect: () => {
        closing.connection.command('close')
        return undefined
      }
    })
    ;(await closing.ready()).drop({ code: 1008 })
    expect(closing.connection.state).toEqual({ name: 'closed' })
  })

  it('that throws leaves it to the rules, and the error is told', async () => {
    const problem = new Error('a bug of the program')
    const shouldReconnect = (): never => {
      throw problem
    }
    const rig = useConnection({ shouldReconnect })
    const socket = await rig.ready()
    socket.drop()
    expect(rig.connection.state.name).toBe('waiting')
    expect(rig.errors).toEqual([problem])
  })

  it('is not asked about a redial that only a dial can answer', async () => {
    const shouldReconnect = vi.fn(() => false)
    const rig = useConnection({ shouldReconnect })
    const socket = await rig.open()
    rig.connection.eraRedial = true
    socket.drop()
    expect(rig.connection.state.name).toBe('connecting')
    expect(shouldReconnect).not.toHaveBeenCalled()
  })
})

describe('a redial for the era', () => {
  it('follows at once, without a count, and only once in a life', async () => {
    const rig = useConnection()
    const first = await rig.open()
    rig.connection.eraRedial = true
    first.drop()
    const second = (await rig.redial()).accept()
    expect(rig.connection.state).toMatchObject({ name: 'initializing', life: { attempt: 1, retries: 0 } })
    rig.connection.eraRedial = true
    second.drop()
    expect(rig.connection.state).toMatchObject({ name: 'waiting', life: { retries: 1 } })
  })

  it('belongs to its socket: the next one has to ask for it again', async () => {
    const rig = useConnection()
    await rig.open()
    rig.connection.eraRedial = true
    rig.connection.command('reconnect')
    const second = (await rig.redial()).accept()
    expect(rig.connection.eraRedial).toBe(false)
    second.drop()
    expect(rig.connection.state.name).toBe('waiting')
  })

  it('does not follow a closure that says nothing about the era', async () => {
    const rig = useConnection()
    const socket = await rig.open()
    rig.connection.eraRedial = true
    socket.drop({ code: 4401 })
    expect(rig.connection.state.name).toBe('waiting')
  })
})

describe('a dial without subprotocols', () => {
  const offers = ({ network }: ConnectionRig): number[] => network.sockets.map(({ target }) => target.protocols.length)
  const network = { kind: 'network', code: 1006 } as const
  const bare = (isWorthIt: (closure: Closure) => boolean): { readonly fallbacks: readonly Fallback[] } => ({
    fallbacks: [{ redial: 'protocols', isWorthIt, reduce: () => [] }]
  })

  it('follows a failed dial at once where it may', async () => {
    const rig = useConnection(bare(({ kind }) => kind === 'network'))
    rig.connection.command('connect')
    ;(await rig.redial()).drop(network)
    await rig.redial()
    expect(offers(rig)).toEqual([1, 0])
    expect(rig.clock.now()).toBe(1000)
  })

  it('takes turns with the ordinary one until one opens', async () => {
    const rig = useConnection(bare(({ kind }) => kind === 'network'))
    rig.connection.command('connect')
    for (let dial = 0; dial < 4; dial++) (await rig.redial()).drop(network)
    expect(offers(rig)).toEqual([1, 0, 1, 0])
  })

  it('is remembered once it opened, until the life ends', async () => {
    const rig = useConnection(bare(({ kind }) => kind === 'network'))
    rig.connection.command('connect')
    ;(await rig.redial()).drop(network)
    ;(await rig.redial()).accept(undefined).drop()
    ;(await rig.redial()).drop(network)
    await rig.redial()
    expect(offers(rig)).toEqual([1, 0, 0, 0])
    rig.connection.command('close')
    rig.connection.command('connect')
    await rig.redial()
    expect(offers(rig).at(-1)).toBe(1)
  })

  it.each([
    ['where it may not', () => false, network],
    ['after a closure that tells more', ({ kind }: Closure) => kind === 'network', { kind: 'http', status: 503 } as const]
  ])('does not happen %s', async (_name, isWorthIt, closure) => {
    const rig = useConnection(bare(isWorthIt))
    rig.connection.command('connect')
    ;(await rig.redial()).drop(closure)
    await rig.redial()
    expect(offers(rig)).toEqual([1, 1])
  })

  it('does not follow the loss of an open socket', async () => {
    const rig = useConnection(bare(({ kind }) => kind === 'network'))
    ;(await rig.open()).drop(network)
    await rig.redial()
    expect(offers(rig)).toEqual([1, 1])
  })
})

describe('hurry()', () => {
  const lose = async (rig: ConnectionRig): Promise<void> => (await rig.ready()).drop()

  it('ends a wait at once when the last dial is long ago', async () => {
    const rig = useConnection()
    const socket = await rig.ready()
    await rig.clock.advance(1000)
    socket.drop()
    rig.connection.hurry()
    await rig.clock.advance(0)
    expect(rig.connection.state.name).toBe('connecting')
  })

  it('leaves initialDelay between two dials, however often it is called', async () => {
    const rig = useConnection({ retry: { ...retry, initialDelay: 400, growFactor: 20 } })
    for (const dials of [2, 3]) {
      await lose(rig)
      for (let call = 0; call < 5; call++) rig.connection.hurry()
      await rig.clock.advance(399)
      expect(rig.network.dials).toBe(dials - 1)
      await rig.clock.advance(1)
      expect(rig.network.dials).toBe(dials)
    }
  })

  it('leaves a second between two dials when initialDelay is longer', async () => {
    const rig = useConnection({ retry: { ...retry, initialDelay: 6000 } })
    await lose(rig)
    rig.connection.hurry()
    await rig.clock.advance(999)
    expect(rig.network.dials).toBe(1)
    await rig.clock.advance(1)
    expect(rig.network.dials).toBe(2)
  })

  it('never makes a wait longer', async () => {
    const rig = useConnection({ retry: { ...retry, initialDelay: 400, maxDelay: 100 } })
    await lose(rig)
    rig.connection.hurry()
    await rig.clock.advance(100)
    expect(rig.network.dials).toBe(2)
  })

  it.each([{ code: 1013, retryAfter: 3000 }, { code: 1013 }])('keeps to a wait that the server asked for: %j', async (closure) => {
    const rig = useConnection()
    ;(await rig.ready()).drop(closure)
    rig.connection.hurry()
    await rig.clock.advance(1999)
    expect(rig.connection.state.name).toBe('waiting')
  })

  it('changes nothing where nothing waits', async () => {
    const rig = useConnection()
    rig.connection.hurry()
    await rig.open()
    rig.connection.hurry()
    await rig.clock.advance(0)
    expect(rig.states).toEqual(['connecting', 'initializing'])
  })
})

describe('backpressure', () => {
  it('is what lies between the limit and a socket that takes nothing', async () => {
    const rig = useConnection()
    const seen = (): [boolean, boolean] => [rig.connection.canWrite, rig.connection.isWritable]
    expect(seen()).toEqual([false, false])
    const socket = await rig.open()
    expect(seen()).toEqual([true, true])
    socket.buffered = 100
    expect(seen()).toEqual([true, true])
    socket.buffered = 101
    expect(seen()).toEqual([false, true])
    socket.buffered = Infinity
    expect(seen()).toEqual([false, false])
    socket.drop()
    expect(seen()).toEqual([false, false])
  })

  it('ends with one onDrain, when the socket has drained', async () => {
    const rig = useConnection()
    const socket = await rig.ready()
    socket.buffered = 101
    for (let call = 0; call < 3; call++) rig.connection.awaitDrain()
    await rig.clock.advance(100)
    expect(rig.counts.drains).toBe(0)
    socket.buffered = 100
    await rig.clock.advance(25)
    expect(rig.counts.drains).toBe(1)
    await rig.clock.advance(1000)
    expect(rig.counts.drains).toBe(1)
  })

  it('is looked at in time, however often that is asked for', async () => {
    const rig = useConnection()
    await rig.ready()
    for (let call = 0; call < 5; call++) {
      rig.connection.awaitDrain()
      await rig.clock.advance(5)
    }
    expect(rig.counts.drains).toBe(1)
  })

  it('is looked at beside the time that the state has, on the same timer', async () => {
    const rig = useConnection()
    const socket = await rig.open()
    socket.buffered = 101
    rig.connection.awaitDrain()
    expect(rig.clock.pendingCount).toBe(1)
    await rig.clock.advance(4000)
    expect(rig.connection.state.name).toBe('waiting')
  })

  it('is forgotten with its socket', async () => {
    const rig = useConnection()
    const socket = await rig.ready()
    socket.buffered = 101
    rig.connection.awaitDrain()
    rig.connection.command('reconnect')
    ;(await rig.redial()).accept()
    await rig.clock.advance(1000)
    expect(rig.counts.drains).toBe(0)
  })
})

describe('what comes in', () => {
  it('goes up message by message, each frame a sign of life', async () => {
    const rig = useConnection()
    const socket = await rig.open()
    const { heard } = rig.counts
    socket.deliver([
      { jsonrpc: '2.0', method: 'a' },
      { jsonrpc: '2.0', method: 'b' }
    ])
    socket.deliver('nonsense')
    expect(rig.messages).toEqual([
      { jsonrpc: '2.0', method: 'a' },
      { jsonrpc: '2.0', method: 'b' }
    ])
    expect(rig.malformed).toMatchObject([{ problem: 'not JSON' }])
    expect(rig.counts.heard).toBe(heard + 2)
  })

  it('is told once for each frame that is no message, whatever an array holds, and besides for each element with an id', async () => {
    const rig = useConnection()
    const socket = await rig.open()
    const faulty = [0, 1, { jsonrpc: '2.0', id: 7, result: {}, error: {} }, 2]
    socket.deliver(faulty)
    socket.deliver(faulty)
    expect(rig.malformed.map(({ id }) => id)).toEqual([undefined, 7, undefined, 7])
    expect(rig.connection.unread?.message).toContain('2 frames of the server')
    rig.connection.onUndecodable()
    rig.connection.onUndecodable()
    expect(rig.connection.unread?.message).toContain('4 frames of the server')
    expect(rig.malformed).toHaveLength(6)
  })

  it('is redacted once for each frame that is no message, however much an array holds', async () => {
    // 100,000 times a search for the secrets in the whole frame would take minutes.
    const rig = useConnection({ resolveTarget: () => Promise.resolve({ ...TARGET, secrets: ['x'.repeat(900), 'hush-hush'] }) })
    const socket = await rig.open()
    socket.deliver(`["hush-hush",${'{"id":1},'.repeat(100_000)}0]`)
    expect(rig.connection.unread?.message).toContain('the last began with "[\\"[redacted]\\",{')
  })

  it('goes nowhere when the program dialled anew as it traced it', async () => {
    const rig = useConnection({
      trace: (direction) => {
        if (direction === 'in') rig.connection.command('reconnect')
      }
    })
    const socket = await rig.ready()
    socket.deliver({ jsonrpc: '2.0', method: 'a' })
    expect([rig.messages, rig.connection.stats.received]).toEqual([[], 0])
  })

  it('is malformed where a binary frame is not UTF-8', async () => {
    const rig = useConnection()
    await rig.open()
    rig.connection.onUndecodable()
    expect(rig.malformed).toMatchObject([{ problem: 'the binary frame is not UTF-8', kind: 'text' }])
  })

  it('counts as life when the socket opens, and at a ping of the server', async () => {
    const rig = useConnection()
    await rig.open()
    expect(rig.counts.heard).toBe(1)
    rig.connection.onHeard()
    expect(rig.counts.heard).toBe(2)
  })

  it('goes nowhere after close(), although engines still deliver it', async () => {
    const rig = useConnection()
    const socket = await rig.ready()
    rig.connection.command('close')
    socket.deliver({ jsonrpc: '2.0', method: 'late' })
    socket.deliver('nonsense')
    expect(rig.messages).toEqual([])
    expect(rig.malformed).toEqual([])
  })

  it('goes nowhere when a message of the same frame closed the connection', async () => {
    const rig = useConnection()
    const socket = await rig.ready()
    rig.on.onMessage = () => rig.connection.command('reconnect')
    socket.deliver([
      { jsonrpc: '2.0', method: 'a' },
      { jsonrpc: '2.0', method: 'b' }
    ])
    expect(rig.messages).toHaveLength(1)
  })

  it('never ends the process, whatever a listener does with it', async () => {
    const rig = useConnection()
    const socket = await rig.ready()
    const problem = new Error('a bug above')
    rig.on.onMessage = () => {
      throw problem
    }
    socket.deliver({ jsonrpc: '2.0', method: 'a' })
    expect(rig.errors).toEqual([problem])
    expect(rig.connection.state.name).toBe('ready')
  })
})

describe('ping()', () => {
  it('sends a ping frame, whose pong is told', async () => {
    const rig = useConnection()
    const socket = await rig.ready()
    expect(rig.connection.ping()).toBe(true)
    socket.pong()
    expect([socket.pings, rig.counts.pongs]).toEqual([1, 1])
  })

  it('is false where the engine has no ping frames, and where there is no socket', async () => {
    const rig = useConnection()
    expect(rig.connection.ping()).toBe(false)
    const socket = await rig.ready()
    socket.canPing = false
    expect(rig.connection.ping()).toBe(false)
  })
})

describe('trace', () => {
  it('that sends a frame sends it after the one that it sees', async () => {
    const rig = useConnection({
      trace: (_direction, text) => {
        if (text === '{"a":1}') rig.connection.send('{"b":2}')
      }
    })
    const socket = await rig.ready()
    rig.connection.send('{"a":1}')
    expect(socket.texts).toEqual(['{"a":1}', '{"b":2}'])
  })

  it('sees each frame once it is written, and before it is read', async () => {
    const seen: unknown[] = []
    const rig = useConnection({
      trace: (...frame) => void seen.push([...frame, rig.messages.length, rig.network.sockets[0]?.texts.length])
    })
    const socket = await rig.ready()
    rig.connection.send('{"a":1}')
    socket.deliver('{"jsonrpc":"2.0","method":"b"}')
    expect(seen).toEqual([
      ['out', '{"a":1}', 0, 1],
      ['in', '{"jsonrpc":"2.0","method":"b"}', 0, 1]
    ])
  })

  it('that throws keeps nothing from being sent or read', async () => {
    const problem = new Error('a bug of the program')
    const trace = (): never => {
      throw problem
    }
    const rig = useConnection({ trace })
    const socket = await rig.ready()
    rig.connection.send('{"a":1}')
    socket.deliver({ jsonrpc: '2.0', method: 'b' })
    expect(socket.texts).toEqual(['{"a":1}'])
    expect(rig.messages).toHaveLength(1)
    expect(rig.errors).toEqual([problem, problem])
  })
})

describe('what a connection knows of its socket', () => {
  it('is the subprotocol and the bytes, as long as there is one', async () => {
    const rig = useConnection()
    const seen = (): unknown[] => [rig.connection.subprotocol, rig.connection.bytesRead]
    const socket = await rig.open()
    socket.bytesRead = 7
    expect(seen()).toEqual(['mcp.v1', 7])
    socket.drop()
    expect(seen()).toEqual([undefined, undefined])
  })

  it('is the secrets of its dial, which it redacts', async () => {
    const rig = useConnection()
    expect(rig.connection.redact('hush-hush')).toBe('hush-hush')
    await rig.open()
    expect(rig.connection.redact('you sent hush-hush')).toBe('you sent [redacted]')
  })

  it('is forgotten with a life, except for the counts', async () => {
    const rig = useConnection()
    const socket = await rig.ready()
    rig.connection.send('{"ä":1}')
    socket.deliver('[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"b"}]')
    rig.connection.command('close')
    socket.drop({ code: 1000 })
    await rig.ready()
    expect(rig.connection.stats).toEqual({
      attempts: 2,
      reconnects: 0,
      sent: 1,
      received: 2,
      bytesSent: 7,
      bytesReceived: 63,
      resent: 0,
      lost: 0
    })
  })
})

describe('unref', () => {
  it('lets go of the socket and of the timer once the connection is ready, and not before', async () => {
    const rig = useConnection({ unref: true })
    const socket = await rig.open()
    expect([socket.isUnref, rig.clock.pendingCount, rig.clock.holdCount]).toEqual([false, 1, 1])
    rig.connection.confirm()
    expect([socket.isUnref, rig.clock.pendingCount, rig.clock.holdCount]).toEqual([true, 1, 0])
  })
})
