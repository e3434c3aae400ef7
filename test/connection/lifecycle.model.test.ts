import fc from 'fast-check'
import { expect, it } from 'vitest'
import { McpWebSocketClient } from '../../src/client/client.js'
import type { StateName } from '../../src/connection/lifecycle.js'
import type { SocketClosure } from '../../src/socket/web-socket.js'
import { HandshakeError, isClosedError, ProtocolError, UnauthorizedError } from '../../src/errors.js'
import { FakeClock, settle } from '../helpers/fake-clock.js'
import { CAPABILITIES } from '../helpers/fixtures.js'
import { becomeLegacy, FakeNetwork, LEGACY_RESULT, MODERN_RESULT, type FakeSocket, type Message } from '../helpers/fake-network.js'

const MAX_RETRIES = 3
const RESET_AFTER = 5000
const HOUR = 3_600_000

// What the states may follow on; everything else is a fault of the machine or of who drives it.
const SUCCESSORS: Readonly<Record<StateName, readonly StateName[]>> = {
  idle: ['connecting', 'closed'],
  connecting: ['connecting', 'initializing', 'waiting', 'failed', 'closed'],
  initializing: ['connecting', 'ready', 'waiting', 'failed', 'closing'],
  ready: ['connecting', 'waiting', 'failed', 'closing'],
  waiting: ['connecting', 'closed'],
  closing: ['closed'],
  closed: ['connecting'],
  failed: ['connecting', 'closed']
}

const HANDSHAKE = ['initialize', 'server/discover']

interface Simple {
  readonly do: 'connect' | 'reconnect' | 'close' | 'accept' | 'notify' | 'pong' | 'ask' | 'finish' | 'tell' | 'junk'
}

type Step =
  | Simple
  /** Whatever it takes to become ready. */
  | { readonly do: 'serve'; readonly as: 'legacy' | 'modern' }
  | { readonly do: 'handshake'; readonly as: 'legacy' | 'modern' | number }
  | { readonly do: 'reject'; readonly closure: Partial<SocketClosure> }
  | { readonly do: 'drop'; readonly code: number }
  | { readonly do: 'wait' | 'sleep'; readonly ms: number }
  | { readonly do: 'request'; readonly method: string; readonly abortable: boolean; readonly resend: boolean | undefined }
  | { readonly do: 'respond'; readonly isError: boolean; readonly newest: boolean }
  | { readonly do: 'abort' }

const named = (name: Simple['do'], weight: number): fc.WeightedArbitrary<Step> => ({
  weight,
  arbitrary: fc.constant({ do: name })
})

const rejections: fc.Arbitrary<Partial<SocketClosure>> = fc.oneof(
  fc.constantFrom(301, 404, 408, 429, 500, 503).map((status) => ({
    kind: 'http' as const,
    code: undefined,
    status,
    error: new HandshakeError('UNEXPECTED_STATUS', `HTTP ${String(status)}`, { status })
  })),
  fc.constantFrom(401, 403).map((status) => ({
    kind: 'http' as const,
    code: undefined,
    status,
    error: new UnauthorizedError(`HTTP ${String(status)}`, { status })
  })),
  fc.constant({ kind: 'http' as const, code: undefined, status: 503, retryAfter: 30_000 }),
  fc.constant({ kind: 'network' as const, error: new HandshakeError('CONNECT_FAILED', 'no server', { retryable: true }) }),
  fc.constant({ kind: 'tls' as const, code: undefined, error: new HandshakeError('TLS_FAILED', 'bad certificate') })
)

const eras = fc.constantFrom('legacy' as const, 'modern' as const)

const steps: fc.Arbitrary<Step> = fc.oneof(
  named('connect', 4),
  named('reconnect', 1),
  named('close', 1),
  named('accept', 8),
  named('notify', 2),
  named('pong', 1),
  named('ask', 3),
  named('finish', 3),
  named('tell', 2),
  named('junk', 1),
  { weight: 8, arbitrary: fc.record({ do: fc.constant('serve' as const), as: eras }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('handshake' as const), as: eras }) },
  { weight: 2, arbitrary: fc.constantFrom(-32601, -32602, -32022, -32020, -32000).map((as): Step => ({ do: 'handshake', as })) },
  { weight: 2, arbitrary: rejections.map((closure): Step => ({ do: 'reject', closure })) },
  { weight: 3, arbitrary: fc.constantFrom(1000, 1001, 1006, 1008, 1009, 1013, 4401, 4403).map((code): Step => ({ do: 'drop', code })) },
  { weight: 5, arbitrary: fc.constantFrom(1, 300, 1000, 3000, 6000, 21_000, 70_000).map((ms): Step => ({ do: 'wait', ms })) },
  { weight: 1, arbitrary: fc.constantFrom(2000, 400_000).map((ms): Step => ({ do: 'sleep', ms })) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('request' as const),
      method: fc.constantFrom('tools/call', 'tools/call', 'tools/list', 'resources/subscribe', 'logging/setLevel', 'x/unknown'),
      abortable: fc.boolean(),
      resend: fc.constantFrom(undefined, undefined, true, false)
    })
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('respond' as const), isError: fc.boolean(), newest: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ do: 'abort' as const }) }
)

interface Asked {
  readonly serial: number
  readonly method: string
  readonly resend: boolean | undefined
  readonly controller: AbortController
  outcome: 'open' | 'resolved' | 'rejected'
}

/** The real client on a network and a clock that the model moves, and what the model knows about them. */
class World {
  readonly clock = new FakeClock()
  readonly network = new FakeNetwork()
  readonly client: McpWebSocketClient
  readonly requests: Asked[] = []
  /** Promises of connect, reconnect, close and notify that are not settled. */
  readonly open = new Set<string>()
  /** The server's requests by name, with the socket that each came over and its id there. */
  readonly asked = new Map<unknown, { readonly socket: FakeSocket; readonly id: number }>()
  /** What the handlers of the client work on, oldest first. */
  readonly #working: (() => void)[] = []
  /** What went wrong where no exception gets out: in listeners and promise callbacks. */
  readonly faults: unknown[] = []
  #state: StateName = 'idle'
  #waits = 0
  #readyAt = 0
  #serial = 0

  constructor() {
    this.client = new McpWebSocketClient(
      {
        url: 'ws://127.0.0.1/ws',
        capabilities: CAPABILITIES,
        auth: { token: () => 'token' },
        reconnect: { maxRetries: MAX_RETRIES, resetAfter: RESET_AFTER },
        outbox: { maxMessages: 5 }
      },
      { clock: this.clock, openSocket: this.network.openSocket }
    )
    this.client.setRequestHandler(
      'test/echo',
      ({ params }) => new Promise((resolve) => this.#working.push(() => resolve({ name: params?.name })))
    )
    this.client.on('state', ({ from, to, delay, error }) => {
      this.#judge(() => {
        expect(from).toBe(this.#state)
        expect(SUCCESSORS[from]).toContain(to)
        expect(to === 'failed').toBe(error !== undefined)
      })
      this.#state = to
      this.#judge(() => this.#count(from, to, delay))
    })
  }

  #judge(expectations: () => void): void {
    try {
      expectations()
    } catch (fault) {
      this.faults.push(fault)
    }
  }

  /** At most `maxRetries` waits in a row; only a connection that was ready for `resetAfter` ends the row. */
  #count(from: StateName, to: StateName, delay: number | undefined): void {
    const now = this.clock.now()
    if (from === 'ready' && now - this.#readyAt >= RESET_AFTER) this.#waits = 0
    if (from === 'idle' || from === 'closed' || from === 'failed') this.#waits = 0
    if (to === 'ready') this.#readyAt = now
    if (to !== 'waiting') return
    this.#waits++
    expect(this.#waits).toBeLessThanOrEqual(MAX_RETRIES)
    expect(delay).toBeGreaterThanOrEqual(100)
  }

  async run(step: Step): Promise<void> {
    if (step.do === 'serve') await this.#serve(step.as)
    else this.#take(step)
    if (step.do === 'wait') await this.clock.advance(step.ms)
    else if (step.do === 'sleep') await this.clock.sleep(step.ms)
    else await settle()
    this.check()
  }

  async #serve(as: 'legacy' | 'modern'): Promise<void> {
    if (this.client.state === 'idle' || this.client.state === 'closed' || this.client.state === 'failed') this.#take({ do: 'connect' })
    if (this.client.state === 'waiting') await this.clock.advance(20_000)
    await settle()
    this.check()
    this.#take({ do: 'accept' })
    for (let turn = 0; turn < 3; turn++) this.#take({ do: 'handshake', as })
  }

  #take(step: Exclude<Step, { do: 'serve' }>): void {
    const socket = this.network.sockets.at(-1)
    const up = socket?.state === 'open' ? socket : undefined
    switch (step.do) {
      case 'connect':
        return this.#track('connect', this.client.connect())
      case 'reconnect':
        // While closing it is a new life; then the count starts anew by itself.
        if (this.client.state !== 'closing') this.#waits = 0
        return this.#track('reconnect', this.client.reconnect())
      case 'close':
        return this.#track('close', this.client.close())
      case 'accept':
        if (socket?.state === 'dialling') socket.accept()
        return
      case 'reject':
        if (socket?.state === 'dialling') socket.drop(step.closure)
        return
      case 'drop':
        if (socket !== undefined && socket.state !== 'dialling' && socket.state !== 'closed') socket.drop({ code: step.code })
        return
      case 'handshake':
        return up && this.#handshake(up, step.as)
      case 'pong':
        up?.pong()
        return
      case 'junk':
        for (const text of ['', '{', '[]', '{"jsonrpc":"2.0","id":123,"result":{}}', '{"jsonrpc":"2.0","id":"x","error":{}}'])
          up?.deliver(text)
        return
      case 'ask': {
        if (up === undefined) return
        const name = `server ${String(this.#serial++)}`
        // Ids start anew on every socket, as those of most servers do.
        const id = [...this.asked.values()].filter(({ socket }) => socket === up).length
        this.asked.set(name, { socket: up, id })
        return up.deliver({ jsonrpc: '2.0', id, method: 'test/echo', params: { name } })
      }
      case 'finish':
        return this.#working.shift()?.()
      case 'tell':
        return up?.deliver({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: 'x' } })
      case 'notify':
        return this.#track('notify', this.client.notify('notifications/roots/list_changed'))
      case 'request':
        return this.#request(step)
      case 'respond':
        return up && this.#respond(up, step)
      case 'abort':
        return this.requests.findLast(({ outcome }) => outcome === 'open')?.controller.abort()
      case 'wait':
      case 'sleep':
        return
    }
  }

  #track(what: string, promise: Promise<unknown>): void {
    const name = `${what} ${String(this.#serial++)}`
    this.open.add(name)
    const settled = (): void => void this.open.delete(name)
    promise.then(settled, (error: unknown) => {
      settled()
      this.#judge(() => {
        expect(what, 'close() never rejects').not.toBe('close')
        expect(error).toBeInstanceOf(Error)
      })
    })
  }

  #request({ method, resend, abortable }: Extract<Step, { do: 'request' }>): void {
    const asked: Asked = { serial: this.#serial++, method, resend, controller: new AbortController(), outcome: 'open' }
    this.requests.push(asked)
    const settled = (outcome: 'resolved' | 'rejected'): void => {
      this.#judge(() => expect(asked.outcome).toBe('open'))
      asked.outcome = outcome
    }
    const signal = abortable ? asked.controller.signal : undefined
    this.client.request(method, { serial: asked.serial, uri: 'a:1' }, { timeout: 50_000, signal, resend }).then(
      (result) => {
        settled('resolved')
        // The very response to this request, whatever was lost, resent or reordered.
        this.#judge(() => expect(result.serial).toBe(asked.serial))
      },
      () => settled('rejected')
    )
  }

  #handshake(socket: FakeSocket, as: 'legacy' | 'modern' | number): void {
    const request = socket.sent.findLast(({ method }) => HANDSHAKE.includes(method ?? ''))
    if (request?.method === undefined || responded.has(request)) return
    responded.add(request)
    if (typeof as === 'number') socket.respondError(request.method, as)
    else if ((as === 'modern') === (request.method === 'server/discover'))
      socket.respond(request.method, as === 'modern' ? MODERN_RESULT : LEGACY_RESULT)
    else socket.respondError(request.method, -32601)
  }

  #respond(socket: FakeSocket, { isError, newest }: Extract<Step, { do: 'respond' }>): void {
    const open = socket.sent.filter(
      (message) => message.id !== undefined && message.method && !HANDSHAKE.includes(message.method) && !responded.has(message)
    )
    const message = newest ? open.at(-1) : open[0]
    if (message === undefined) return
    responded.add(message)
    const { id, params } = message
    if (isError) socket.deliver({ jsonrpc: '2.0', id, error: { code: -32000, message: 'no' } })
    else socket.deliver({ jsonrpc: '2.0', id, result: { serial: params?.serial } })
  }

  /** What holds after every step. */
  check(): void {
    const { client, clock, network } = this
    if (this.faults.length > 0) throw this.faults[0]
    expect(client.state).toBe(this.#state)
    expect(network.openCount, 'sockets').toBeLessThanOrEqual(1)
    // One each of the connection, the session, the peer and the notice of an outage.
    expect(clock.pendingCount, 'timers').toBeLessThanOrEqual(4)
    const openRequests = this.requests.filter(({ outcome }) => outcome === 'open').length
    expect(client.pendingCount).toBe(openRequests)
    expect(client.queuedCount).toBeLessThanOrEqual(5 + openRequests)
    if (client.state === 'ready') expect(client.queuedCount).toBe(0)
    if (client.state === 'idle' || client.state === 'closed' || client.state === 'failed') {
      expect(network.openCount).toBe(0)
      expect([...this.open].filter((name) => !name.startsWith('notify'))).toEqual([])
    }
    if (client.state === 'closed' || client.state === 'failed') {
      expect(clock.pendingCount).toBe(0)
      expect([client.pendingCount, client.queuedCount]).toEqual([0, 0])
    }
    expect([...this.open].filter((name) => name.startsWith('notify'))).toEqual([])
    this.#checkWire()
  }

  #checkWire(): void {
    const faults: string[] = []
    const timesSent = new Map<unknown, number>()
    for (const socket of this.network.sockets) {
      const ids = new Set<unknown>()
      for (const { method, id, params, result } of socket.sent) {
        const request = method === undefined ? this.asked.get((result as { name?: unknown } | undefined)?.name) : undefined
        if (method === undefined && (request?.socket !== socket || request.id !== id)) faults.push(`a wrong response to ${String(id)}`)
        if (method === undefined || id === undefined) continue
        if (!Number.isSafeInteger(id) || Number(id) <= 0) faults.push(`${method} with the id ${String(id)}`)
        if (ids.has(id)) faults.push(`${method} with the id ${String(id)}, which that socket had before`)
        ids.add(id)
        // Restores of the journal repeat the parameters of what they restore, under ids of their own.
        if (Number(id) < 1e9) timesSent.set(params?.serial, (timesSent.get(params?.serial) ?? 0) + 1)
      }
    }
    for (const { serial, method, resend } of this.requests) {
      const isSafe = resend ?? (method !== 'tools/call' && method !== 'x/unknown')
      const times = timesSent.get(serial) ?? 0
      if (times > (isSafe ? 2 : 1)) faults.push(`${method} sent ${String(times)} times`)
    }
    expect(faults).toEqual([])
  }

  /** After close() nothing happens. */
  async end(): Promise<void> {
    if (this.client.state === 'closing') await this.clock.advance(1000)
    const { client, clock, network } = this
    let isClosed = false
    const closing = client.close().then(() => {
      isClosed = true
    })
    await clock.advance(1000)
    expect(isClosed).toBe(true)
    await closing
    this.check()
    expect(client.state).toBe('closed')
    expect(clock.pendingCount).toBe(0)
    expect(network.openCount).toBe(0)
    expect([client.pendingCount, client.queuedCount]).toEqual([0, 0])
    expect([...this.open]).toEqual([])
    expect(this.requests.every(({ outcome }) => outcome !== 'open')).toBe(true)
    const { dials } = network
    await clock.advance(HOUR)
    expect(network.dials).toBe(dials)
    expect(client.state).toBe('closed')
  }
}

/** Messages that the server has responded to. */
const responded = new WeakSet<Message>()

it('holds its promises under any sequence of events', { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 60, size: 'max' }), async (sequence) => {
      const world = new World()
      for (const step of sequence) await world.run(step)
      await world.end()
    }),
    { numRuns: 300 }
  )
})

function clientOf(): { client: McpWebSocketClient; clock: FakeClock; network: FakeNetwork } {
  const clock = new FakeClock()
  const network = new FakeNetwork()
  return { clock, network, client: new McpWebSocketClient({ url: 'ws://127.0.0.1/ws' }, { clock, openSocket: network.openSocket }) }
}

it.each(['connect', 'reconnect'] as const)('stays closed when close() follows a %s() that waits for an earlier close()', async (again) => {
  const { client, clock, network } = clientOf()
  const connected = client.connect()
  const socket = await becomeLegacy(network)
  await connected
  const first = client.close()
  const second = client[again]().then(
    () => 'connected',
    (error: unknown) => (isClosedError(error) ? 'closed' : 'otherwise')
  )
  await settle()
  const third = client.close()
  socket.drop({ code: 1000 })
  await Promise.all([first, third])
  await clock.advance(60_000)
  expect({ state: client.state, dials: network.dials, timers: clock.pendingCount }).toEqual({ state: 'closed', dials: 1, timers: 0 })
  expect(await second).toBe('closed')
})

it('takes a pong in the same ms as its ping as a sign of life', async () => {
  const { client, clock, network } = clientOf()
  const connected = client.connect()
  const socket = await becomeLegacy(network)
  await connected
  await clock.advance(25_000)
  expect(socket.pings).toBe(1)
  socket.pong()
  await clock.advance(24_999)
  expect({ state: client.state, pings: socket.pings }).toEqual({ state: 'ready', pings: 1 })
  await clock.advance(10_001)
  expect(client.state).toBe('waiting')
  const closed = client.close()
  await closed
  expect(clock.pendingCount).toBe(0)
})

it('fails with the error of the server, and connects in a new life', async () => {
  const { client, network } = clientOf()
  const connected = client.connect()
  const rejection = expect(connected).rejects.toBeInstanceOf(ProtocolError)
  const socket = (await network.last()).accept()
  socket.respondError('server/discover', -32020)
  await rejection
  expect(client.state).toBe('failed')
  const again = client.connect()
  await becomeLegacy(network)
  await again
  expect(client.state).toBe('ready')
  const closed = client.close()
  network.sockets.at(-1)!.drop({ code: 1000 })
  await closed
})
