import { describe, expect, it, vi } from 'vitest'
import type { PendingRequest } from '../../src/rpc/pending.js'
import { QueueFullError } from '../../src/errors.js'
import { RpcPeer, type Call, type MessagePipe, type RpcPeerConfig } from '../../src/rpc/rpc-peer.js'
import type { JsonRpcMessage } from '../../src/types/json-rpc.js'
import type { RequestOptions } from '../../src/types/options.js'
import { watch } from '../helpers/watch.js'
import { FakeClock, settle } from '../helpers/fake-clock.js'

/** A pipe that keeps what it is given. */
class FakePipe implements MessagePipe {
  readonly sent: JsonRpcMessage[] = []
  readonly cancelled: [PendingRequest, string][] = []
  delivery: 'not-sent' | 'unknown' = 'unknown'
  problem: Error | undefined
  readonly explanation = undefined
  readonly #requests: PendingRequest[] = []

  request(message: JsonRpcMessage, request: PendingRequest): void {
    this.notify(message)
    this.#requests.push(request)
  }

  notify(message: JsonRpcMessage): void {
    if (this.problem) throw this.problem
    this.sent.push(message)
  }

  respond(message: JsonRpcMessage): void {
    this.notify(message)
  }

  pending(): PendingRequest[] {
    return this.#requests
  }

  cancel(request: PendingRequest, reason: string): 'not-sent' | 'unknown' {
    this.cancelled.push([request, reason])
    return this.delivery
  }
}

interface Rig {
  pipe: FakePipe
  clock: FakeClock
  peer: RpcPeer
  onError: ReturnType<typeof vi.fn>
}

function rig(maxPending = 10, options: Partial<RpcPeerConfig> = {}): Rig {
  const pipe = new FakePipe()
  const clock = new FakeClock()
  const onError = vi.fn()
  const config = { clock, requestTimeout: 1000, maxPending, pauseTimeouts: true, grace: 10_000, ...options }
  const peer = new RpcPeer(pipe, config, { onSent: () => undefined, onNotification: () => undefined, onError })
  return { pipe, clock, peer, onError }
}

/** Calls. @returns Also the record that the layers below get. */
function begin(peer: RpcPeer, method: string, options: RequestOptions = {}): { call: Call; promise: Promise<unknown> } {
  const calls: Call[] = []
  const promise = peer.call(method, undefined, options, { onCall: (call) => calls.push(call) })
  return { call: calls[0]!, promise }
}

describe('a call', () => {
  it('is one request with the next id, without params when there are none', () => {
    const { pipe, peer } = rig()
    void peer.call('a', undefined)
    void peer.call('b', { x: 1 })
    expect(pipe.sent).toEqual([
      { jsonrpc: '2.0', id: 550_000_000, method: 'a' },
      { jsonrpc: '2.0', id: 550_000_001, method: 'b', params: { x: 1 } }
    ])
  })

  it('leaves the params of the caller as they are', () => {
    const { peer } = rig()
    const params = { x: 1, _meta: { mine: 1 } }
    void peer.call('a', params, { onprogress: () => undefined })
    expect(params).toEqual({ x: 1, _meta: { mine: 1 } })
  })

  it('is settled once by its response, which calls its deadline off', async () => {
    const { pipe, clock, peer } = rig()
    const { call, promise } = begin(peer, 'a')
    expect(clock.pendingCount).toBe(1)
    peer.receive({ jsonrpc: '2.0', id: call.id, result: { fine: true } }, call)
    peer.receive({ jsonrpc: '2.0', id: call.id, result: { fine: false } }, call)
    await expect(promise).resolves.toEqual({ fine: true })
    expect([clock.pendingCount, peer.pendingCount, pipe.cancelled.length]).toEqual([0, 0, 0])
  })

  it('gives up at its deadline, with the delivery that the pipe names', async () => {
    const { pipe, clock, peer } = rig()
    pipe.delivery = 'not-sent'
    const promise = peer.call('a', undefined, { timeout: 50 })
    const failed = expect(promise).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT', delivery: 'not-sent' })
    await clock.advance(50)
    await failed
    expect(pipe.cancelled).toHaveLength(1)
  })

  const WRONG_METHOD = 'method must be a string'
  const WRONG_PARAMS = 'the params of tools/call must be an object'

  it.each([
    [undefined, undefined, WRONG_METHOD],
    [5, {}, WRONG_METHOD],
    ['tools/call', 'echo', WRONG_PARAMS],
    ['tools/call', null, WRONG_PARAMS],
    ['tools/call', ['echo'], WRONG_PARAMS]
  ])('with the method %j and the params %j rejects, and such a notification throws', async (method, params, message) => {
    const { pipe, peer } = rig()
    const problem = new TypeError(message)
    await expect(peer.call(method as string, params as never)).rejects.toThrow(problem)
    expect(() => peer.notify(method as string, params as never)).toThrow(problem)
    expect([pipe.sent, peer.pendingCount]).toEqual([[], 0])
  })

  it('leaves nothing behind when the pipe throws', async () => {
    const { pipe, clock, peer } = rig()
    pipe.problem = new QueueFullError('full', 'wait')
    const promise = peer.call('a', undefined, { onprogress: () => undefined, signal: new AbortController().signal })
    await expect(promise).rejects.toBe(pipe.problem)
    expect([clock.pendingCount, peer.pendingCount]).toEqual([0, 0])
  })

  it('is failed from below, once', async () => {
    const { peer } = rig()
    const { call, promise } = begin(peer, 'a')
    const problem = new Error('lost')
    peer.fail(call, problem)
    peer.fail(call, new Error('again'))
    await expect(promise).rejects.toBe(problem)
  })

  it('is failed once, also by a pipe that fails it and then throws', async () => {
    const { pipe, peer } = rig()
    const lost = new Error('lost')
    pipe.request = (_message, request) => {
      peer.fail(request, lost)
      throw new Error('thrown after that')
    }
    await expect(peer.call('a', undefined)).rejects.toBe(lost)
    expect(peer.pendingCount).toBe(0)
    await settle()
  })

  it('rejects beyond maxPending', async () => {
    const { peer } = rig(1)
    void peer.call('a', undefined)
    await expect(peer.call('b', undefined)).rejects.toBeInstanceOf(QueueFullError)
  })

  it('shares one timer with all others', () => {
    const { clock, peer } = rig(1000)
    for (let n = 0; n < 1000; n++) void peer.call('a', undefined)
    expect(clock.pendingCount).toBe(1)
  })
})

describe('a request of the other end', () => {
  it('runs in the turn in which it comes', async () => {
    const { pipe, peer } = rig()
    const handler = vi.fn(() => ({ fine: true }))
    peer.dispatcher.set('x', handler)
    peer.receive({ jsonrpc: '2.0', id: 1, method: 'x' })
    expect(handler).toHaveBeenCalledOnce()
    await settle()
    expect(pipe.sent).toEqual([{ jsonrpc: '2.0', id: 1, result: { fine: true } }])
  })
})

describe('the timeouts of calls, while the server asks the user', () => {
  const ASK = { jsonrpc: '2.0', id: 'q', method: 'elicitation/create' } as const

  function asking(options?: Partial<RpcPeerConfig>): Rig & { answer: () => Promise<void> } {
    const made = rig(10, options)
    let end: () => void = () => undefined
    made.peer.dispatcher.set('elicitation/create', () => new Promise<void>((resolve) => (end = resolve)))
    return { ...made, answer: () => (end(), settle()) }
  }

  it('stand still, and go on where they were', async () => {
    const { clock, peer, answer } = asking()
    const call = watch(peer.call('a', undefined))
    await clock.advance(400)
    peer.receive(ASK)
    await clock.advance(1e7)
    await answer()
    await clock.advance(599)
    expect(call.settled).toBe(false)
    await clock.advance(1)
    expect(call.error).toMatchObject({ code: 'REQUEST_TIMEOUT', timeout: 1000 })
    expect(clock.pendingCount).toBe(0)
  })

  it('begin when the user has answered, for calls that are made meanwhile', async () => {
    const { clock, peer, answer } = asking()
    peer.receive(ASK)
    const call = watch(peer.call('a', undefined))
    await clock.advance(5000)
    await answer()
    await clock.advance(999)
    expect(call.settled).toBe(false)
    await clock.advance(1)
    expect(call.error).toMatchObject({ code: 'REQUEST_TIMEOUT', timeout: 1000 })
  })

  it('stand still until the last question is answered, however many there are', async () => {
    const { clock, peer, answer } = asking()
    const call = watch(peer.call('a', undefined))
    peer.receive(ASK)
    peer.receive({ ...ASK, id: 'q2' })
    await clock.advance(5000)
    peer.receive({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'q' } })
    await clock.advance(5000)
    expect(call.settled).toBe(false)
    await answer()
    await clock.advance(1000)
    expect(call.settled).toBe(true)
  })

  it('go on when the question is cancelled, whenever its handler ends', async () => {
    const { clock, peer, answer } = asking()
    const call = watch(peer.call('a', undefined))
    peer.receive(ASK)
    await clock.advance(5000)
    peer.receive({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'q' } })
    await clock.advance(999)
    expect(call.settled).toBe(false)
    await clock.advance(1)
    expect(call.settled).toBe(true)
    await answer()
    expect(clock.pendingCount).toBe(0)
  })

  it('start anew, when progress is reported meanwhile', async () => {
    const { clock, peer, answer } = asking()
    const made = begin(peer, 'a', { resetTimeoutOnProgress: true })
    const call = watch(made.promise)
    await clock.advance(400)
    peer.receive(ASK)
    peer.receive({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: made.call.token, progress: 1 } })
    await clock.advance(5000)
    await answer()
    await clock.advance(999)
    expect(call.settled).toBe(false)
    await clock.advance(1)
    expect(call.settled).toBe(true)
  })

  it('are over for a live request whose first event comes meanwhile', async () => {
    const { clock, peer, answer } = asking()
    const { call, promise } = begin(peer, 'a', { continueWith: () => undefined, maxTotalTimeout: 1e6 })
    const live = watch(promise)
    peer.receive(ASK)
    peer.receive({ jsonrpc: '2.0', method: 'x', params: { requestId: call.id } })
    await answer()
    await clock.advance(1e7)
    expect([live.settled, clock.pendingCount]).toEqual([false, 0])
  })

  it('are over for a live request that reports progress after its first event', async () => {
    const { clock, peer } = rig()
    const { call, promise } = begin(peer, 'a', { continueWith: () => undefined, resetTimeoutOnProgress: true })
    const live = watch(promise)
    peer.receive({ jsonrpc: '2.0', method: 'x', params: { requestId: call.id } })
    peer.receive({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken: call.token, progress: 1 } })
    await clock.advance(1e7)
    expect([live.settled, clock.pendingCount]).toEqual([false, 0])
  })

  it('give no more time than maxTotalTimeout', async () => {
    const { clock, peer, answer } = asking()
    const early = watch(peer.call('a', undefined, { maxTotalTimeout: 1500 }))
    await clock.advance(400)
    peer.receive(ASK)
    const late = watch(peer.call('a', undefined, { maxTotalTimeout: 1500 }))
    await clock.advance(1099)
    expect([early.settled, late.settled]).toEqual([false, false])
    await clock.advance(1)
    expect(early.error).toMatchObject({ code: 'REQUEST_TIMEOUT', timeout: 1500 })
    await answer()
    await clock.advance(400)
    expect(late.error).toMatchObject({ code: 'REQUEST_TIMEOUT', timeout: 1500 })
  })

  it('stay away, where there were none', async () => {
    const { clock, peer, answer } = asking()
    const call = begin(peer, 'a', { timeout: Infinity })
    const other = begin(peer, 'b')
    peer.waits.setDeadline(other.call, Infinity)
    peer.receive(ASK)
    await clock.advance(5000)
    await answer()
    expect(clock.pendingCount).toBe(0)
    peer.fail(call.call, undefined)
    peer.fail(other.call, undefined)
    watch(call.promise)
    watch(other.promise)
  })

  it.each([
    ['with pauseTimeouts: false', { pauseTimeouts: false }, ASK],
    ['for other questions', {}, { ...ASK, method: 'sampling/createMessage' }],
    ['for a question without a handler', {}, { ...ASK, method: 'elicitation/create' }]
  ])('run on %s', async (how, options, question) => {
    const { clock, peer } = asking(options)
    if (how.endsWith('handler')) peer.dispatcher.remove('elicitation/create')
    else peer.dispatcher.set('sampling/createMessage', () => new Promise(() => undefined))
    const call = watch(peer.call('a', undefined))
    peer.receive(question)
    await clock.advance(1000)
    expect(call.settled).toBe(true)
  })
})
