import { describe, expect, it, vi } from 'vitest'
import type { PendingRequest } from '../../src/rpc/pending.js'
import { QueueFullError } from '../../src/errors.js'
import { RpcPeer, type MessagePipe } from '../../src/rpc/rpc-peer.js'
import type { JsonRpcMessage } from '../../src/types/json-rpc.js'
import { FakeClock, settle } from '../helpers/fake-clock.js'

/** A pipe that keeps what it is given. */
class FakePipe implements MessagePipe {
  readonly sent: JsonRpcMessage[] = []
  readonly cancelled: [PendingRequest, string][] = []
  delivery: 'not-sent' | 'unknown' = 'unknown'
  problem: Error | undefined
  readonly explanation = undefined

  request(message: JsonRpcMessage): void {
    if (this.problem) throw this.problem
    this.sent.push(message)
  }

  notify(message: JsonRpcMessage): void {
    this.request(message)
  }

  respond(message: JsonRpcMessage): void {
    this.request(message)
  }

  cancel(request: PendingRequest, reason: string): 'not-sent' | 'unknown' {
    this.cancelled.push([request, reason])
    return this.delivery
  }
}

function rig(maxPending = 10): { pipe: FakePipe; clock: FakeClock; peer: RpcPeer; onError: ReturnType<typeof vi.fn> } {
  const pipe = new FakePipe()
  const clock = new FakeClock()
  const onError = vi.fn()
  const peer = new RpcPeer(pipe, { clock, requestTimeout: 1000, maxPending, grace: 10_000 }, { onNotification: () => undefined, onError })
  return { pipe, clock, peer, onError }
}

describe('a call', () => {
  it('is one request with the next id, without params when there are none', () => {
    const { pipe, peer } = rig()
    peer.call('a', undefined)
    peer.call('b', { x: 1 })
    expect(pipe.sent).toEqual([
      { jsonrpc: '2.0', id: 550_000_000, method: 'a' },
      { jsonrpc: '2.0', id: 550_000_001, method: 'b', params: { x: 1 } }
    ])
  })

  it('leaves the params of the caller as they are', () => {
    const { peer } = rig()
    const params = { x: 1, _meta: { mine: 1 } }
    peer.call('a', params, { onprogress: () => undefined })
    expect(params).toEqual({ x: 1, _meta: { mine: 1 } })
  })

  it('is settled once by its response, which calls its deadline off', async () => {
    const { pipe, clock, peer } = rig()
    const { promise, id } = peer.call('a', undefined)
    expect(clock.pendingCount).toBe(1)
    peer.receive({ jsonrpc: '2.0', id, result: { fine: true } })
    await expect(promise).resolves.toEqual({ fine: true })
    expect([clock.pendingCount, peer.pendingCount, pipe.cancelled.length]).toEqual([0, 0, 0])
  })

  it('gives up at its deadline, with the delivery that the pipe names', async () => {
    const { pipe, clock, peer } = rig()
    pipe.delivery = 'not-sent'
    const { promise } = peer.call('a', undefined, { timeout: 50 })
    const failed = expect(promise).rejects.toMatchObject({ code: 'REQUEST_TIMEOUT', delivery: 'not-sent' })
    await clock.advance(50)
    await failed
    expect(pipe.cancelled).toHaveLength(1)
  })

  it.each([
    [undefined, undefined],
    [5, {}],
    ['tools/call', 'echo'],
    ['tools/call', null],
    ['tools/call', ['echo']]
  ])('with the method %j and the params %j rejects, and such a notification throws', async (method, params) => {
    const { pipe, peer } = rig()
    const problem = /^method must be a string; params must be an object, or left out$/
    await expect(peer.call(method as string, params as never).promise).rejects.toThrow(problem)
    expect(() => peer.notify(method as string, params as never)).toThrow(problem)
    expect([pipe.sent, peer.pendingCount]).toEqual([[], 0])
  })

  it('leaves nothing behind when the pipe throws', async () => {
    const { pipe, clock, peer } = rig()
    pipe.problem = new QueueFullError('full', 'wait')
    const { promise } = peer.call('a', undefined, { onprogress: () => undefined, signal: new AbortController().signal })
    await expect(promise).rejects.toBe(pipe.problem)
    expect([clock.pendingCount, peer.pendingCount]).toEqual([0, 0])
  })

  it('is failed from below by its id, once', async () => {
    const { peer } = rig()
    const { promise, id } = peer.call('a', undefined)
    const problem = new Error('lost')
    peer.fail(id, problem)
    peer.fail(id, new Error('again'))
    await expect(promise).rejects.toBe(problem)
  })

  it('rejects beyond maxPending', async () => {
    const { peer } = rig(1)
    peer.call('a', undefined)
    await expect(peer.call('b', undefined).promise).rejects.toBeInstanceOf(QueueFullError)
  })

  it('shares one timer with all others', () => {
    const { clock, peer } = rig(1000)
    for (let n = 0; n < 1000; n++) peer.call('a', undefined)
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
