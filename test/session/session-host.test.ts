import { afterEach, describe, expect, it, vi } from 'vitest'
import type { ClientEvents, StateChange } from '../../src/session/events.js'
import { SessionHost, type HostListener } from '../../src/session/session-host.js'
import { PendingRequest } from '../../src/rpc/pending.js'
import { FakeClock, settle } from '../helpers/fake-clock.js'
import { FakeNetwork, type FakeSocket } from '../helpers/fake-network.js'
import { sessionConfig, type SessionChanges } from '../helpers/session-rig.js'
import { endAfterTest } from '../helpers/end-after-test.js'

interface Rig {
  readonly host: SessionHost
  readonly clock: FakeClock
  readonly network: FakeNetwork
  /** What was told, in its order: `listener ready`, and the names of events, `state ready` for a state. */
  readonly log: string[]
  readonly on: Partial<HostListener>
  readonly ready: () => Promise<FakeSocket>
}

const EVENTS: (keyof ClientEvents)[] = ['state', 'reconnected', 'notification', 'error', 'failed', 'close']

function rig(changes: SessionChanges = {}): Rig {
  const clock = new FakeClock()
  const network = new FakeNetwork()
  const log: string[] = []
  const on: Partial<HostListener> = {}
  const host = new SessionHost(sessionConfig(clock, network, changes), {
    onState(to, ended) {
      log.push(`listener ${to.name}${ended ? `: ${ended.name}` : ''}`)
      on.onState?.(to, ended)
    },
    onMessage: (message) => on.onMessage?.(message),
    onFailed(request, error) {
      log.push(`failed ${String(request.id)}`)
      on.onFailed?.(request, error)
    },
    onError(error) {
      log.push(`listener error: ${error.message}`)
    }
  })
  for (const event of EVENTS)
    host.events.on(event, (payload) => log.push(event === 'state' ? `state ${(payload as StateChange).to}` : event))
  endAfterTest(clock, network, () => void host.close())
  return {
    host,
    clock,
    network,
    log,
    on,
    async ready() {
      host.begin('connect')
      const { state } = host.session
      if (state.name === 'waiting') await clock.advance(state.delay)
      const socket = (await network.last()).accept()
      socket.respond('initialize', {})
      return socket
    }
  }
}

describe('a change of state', () => {
  it('reaches the listener before any event, and the events in their order', async () => {
    const { host, log, ready } = rig()
    const socket = await ready()
    void host.close()
    socket.drop({ code: 1000, wasClean: true })
    expect(log).toEqual([
      'listener connecting',
      'state connecting',
      'listener initializing',
      'state initializing',
      'listener ready',
      'state ready',
      'listener closing: ClosedError',
      'state closing',
      'listener closed',
      'state closed',
      'close'
    ])
  })

  it('that ends the life by a failure comes with the failure, and failed follows', async () => {
    const { host, log, ready } = rig()
    const socket = await ready()
    log.length = 0
    socket.drop({ code: 1008 })
    void host.close()
    expect(log).toEqual(['listener failed: ConnectionLostError', 'state failed', 'failed', 'listener closed', 'state closed', 'close'])
  })

  it('without another name is told to nobody', async () => {
    const { host, network, log } = rig()
    host.begin('connect')
    host.begin('reconnect')
    await network.last()
    expect(log).toEqual(['listener connecting', 'state connecting'])
  })

  it('that a listener causes comes after the one that it listens to, for all listeners', async () => {
    const { host, network, log } = rig()
    host.events.once('state', () => void host.close())
    host.begin('connect')
    await settle()
    expect(log).toEqual(['listener connecting', 'state connecting', 'listener closed: ClosedError', 'state closed', 'close'])
    expect(network.dials).toBe(0)
  })

  it('that a subscriber of the diagnostics channel causes comes after the one that it was told of', async () => {
    const publish = (event: unknown): void => {
      if ((event as { change?: StateChange }).change?.to === 'waiting') void host.close()
    }
    const { host, clock, log, ready } = rig({ connection: { diagnostics: { hasSubscribers: true, publish } } })
    ;(await ready()).drop()
    expect(log.slice(-5)).toEqual(['listener waiting', 'listener closed: ClosedError', 'state waiting', 'state closed', 'close'])
    await clock.advance(10_000)
    expect(host.isConnectionLost).toBe(false)
  })

  it('says what an event has to say of it', async () => {
    const { host, ready } = rig()
    const changes: StateChange[] = []
    host.events.on('state', (change) => changes.push(change))
    ;(await ready()).drop({ code: 1012 })
    expect(changes.at(-1)).toMatchObject({ from: 'ready', to: 'waiting', attempt: 2, delay: 1000, closure: { code: 1012 } })
  })

  it('comes after the requests that it costs, and before what is told of an outage', async () => {
    const { host, log, ready } = rig()
    const socket = await ready()
    host.session.request({ jsonrpc: '2.0', id: 1, method: 'tools/call' }, new PendingRequest(1, 'tools/call', undefined))
    log.length = 0
    socket.drop()
    await ready()
    expect(log.slice(0, 3)).toEqual(['failed 1', 'listener waiting', 'state waiting'])
    expect(log.slice(-3)).toEqual(['listener ready', 'state ready', 'reconnected'])
  })
})

describe('close()', () => {
  it('is one promise for all who call it, and resolves when the socket is gone', async () => {
    const { host, clock, ready } = rig()
    const socket = await ready()
    const promises = [host.close(), host.close()]
    expect(promises[0]).toBe(promises[1])
    expect(host.closing).toBe(promises[0])
    let resolved = false
    void host.close().then(() => (resolved = true))
    await settle()
    expect([resolved, host.isOver]).toEqual([false, true])
    socket.drop()
    await settle()
    expect([resolved, host.closing, clock.pendingCount]).toEqual([true, undefined, 0])
    await host.close()
    expect(host.state).toBe('closed')
  })

  it.each(['idle', 'failed'])('resolves at once from %s', async (state) => {
    const { host, log, ready } = rig()
    if (state === 'failed') (await ready()).drop({ code: 1008 })
    expect(host.state).toBe(state)
    await host.close()
    expect(log.slice(-3)).toEqual(
      state === 'failed' ? ['listener closed', 'state closed', 'close'] : [`listener closed: ClosedError`, 'state closed', 'close']
    )
  })

  it('in the middle of a change resolves too, when that is settled', async () => {
    const { host, on, log, ready } = rig()
    const socket = await ready()
    host.session.request({ jsonrpc: '2.0', id: 1, method: 'tools/call' }, new PendingRequest(1, 'tools/call', undefined))
    let closed: Promise<void> | undefined
    on.onFailed = () => {
      closed = host.close()
    }
    log.length = 0
    socket.drop()
    await expect(closed).resolves.toBeUndefined()
    expect(log.filter((entry) => entry.startsWith('state'))).toEqual(['state waiting', 'state closed'])
  })

  it('belongs to its life: the next one has its own', async () => {
    const { host, ready } = rig()
    const first = await ready()
    const closed = host.close()
    first.drop()
    await closed
    const second = await ready()
    expect([host.isOver, host.closing]).toEqual([false, undefined])
    const again = host.close()
    expect(again).not.toBe(closed)
    second.drop()
    await again
  })
})

describe('an error that belongs to no promise', () => {
  it('goes to the listener and to the event error', async () => {
    const { host, log, ready } = rig()
    const socket = await ready()
    log.length = 0
    socket.deliver('nonsense')
    host.report('words')
    expect(log).toEqual(['listener error: the server sent an invalid message: not JSON', 'error', 'listener error: words', 'error'])
  })

  it('is what a listener of an event throws, but not a listener of error', () => {
    const { host, log } = rig()
    const fail = (message: string) => (): never => {
      throw new Error(message)
    }
    host.events.on('close', fail('a bug at close'))
    host.events.on('error', fail('a bug at error'))
    void host.close()
    expect(log.slice(-2)).toEqual(['listener error: a bug at close', 'error'])
  })
})

describe('the watch on the page', () => {
  const listeners = new Map<string, Set<(event: object) => void>>()

  /** How many listen to the page, which has four events. */
  const count = (): number => [...listeners.values()].reduce((sum, { size }) => sum + size, 0)

  function usePage(): void {
    const page = {
      addEventListener: (name: string, listener: () => void) => void listeners.set(name, (listeners.get(name) ?? new Set()).add(listener)),
      removeEventListener: (name: string, listener: () => void) => void listeners.get(name)?.delete(listener)
    }
    for (const [name, member] of Object.entries(page)) vi.stubGlobal(name, member)
    vi.stubGlobal('document', { ...page, visibilityState: 'visible' })
  }

  afterEach(() => {
    vi.unstubAllGlobals()
    listeners.clear()
  })

  it('begins with a life, goes on through outages, and ends with the life', async () => {
    usePage()
    const { host, ready } = rig()
    expect(count()).toBe(0)
    const socket = await ready()
    host.begin('reconnect')
    expect(count()).toBe(5)
    const second = await ready()
    expect(socket.state).toBe('closed')
    second.drop({ code: 1008 })
    expect([host.state, count()]).toEqual(['failed', 0])
    await ready()
    expect(count()).toBe(5)
    void host.close()
    expect([host.state, count()]).toEqual(['closing', 0])
  })

  it('is there for the next life, when a listener of the end begins it', async () => {
    usePage()
    const { host, network, ready } = rig()
    const socket = await ready()
    host.events.once('failed', () => host.begin('connect'))
    socket.drop({ code: 1008 })
    await network.last()
    expect([host.state, count()]).toEqual(['connecting', 5])
    void host.close()
    expect(count()).toBe(0)
  })

  it('hurries the session, and drops its socket before the page is frozen', async () => {
    usePage()
    const { host, clock, ready } = rig({
      connection: { retry: { enabled: true, initialDelay: 5000, maxDelay: 5000, growFactor: 1, jitter: false, maxRetries: 3 } }
    })
    const socket = await ready()
    for (const listener of listeners.get('pagehide') ?? []) listener({ persisted: true })
    expect([host.state, socket.state]).toEqual(['waiting', 'closed'])
    await clock.advance(1000)
    for (const listener of listeners.get('online') ?? []) listener({})
    await clock.advance(0)
    expect(host.state).toBe('connecting')
  })
})
