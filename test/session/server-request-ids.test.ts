import { describe, expect, it } from 'vitest'
import { ServerRequestIds } from '../../src/session/server-request-ids.js'
import type { JsonRpcRequest, RequestId } from '../../src/types/json-rpc.js'

const requestOf = (id: RequestId): JsonRpcRequest => ({ jsonrpc: '2.0', id, method: 'roots/list' })
const noId = (): RequestId => {
  throw new Error('no private id is needed')
}

describe('ServerRequestIds', () => {
  it('passes a request up as it is, and knows the id for its response', () => {
    const ids = new ServerRequestIds(Infinity)
    const request = requestOf(7)
    expect(ids.open(request, noId)).toBe(request)
    expect(ids.wireId(7)).toBe(7)
    expect(ids.upperId(7)).toBe(7)
  })

  it('tells ids of different types apart', () => {
    const ids = new ServerRequestIds(Infinity)
    ids.open(requestOf(7), noId)
    expect(ids.wireId('7')).toBeUndefined()
    expect(ids.upperId('7')).toBeUndefined()
  })

  it('forgets a request that is answered, so that its id is free', () => {
    const ids = new ServerRequestIds(Infinity)
    ids.open(requestOf(1), noId)
    ids.close(1)
    expect(ids.wireId(1)).toBeUndefined()
    expect(ids.open(requestOf(1), noId).id).toBe(1)
  })

  it('abandons all with their socket, and drops their late responses', () => {
    const ids = new ServerRequestIds(Infinity)
    ids.open(requestOf(1), noId)
    ids.open(requestOf('b'), noId)
    expect(ids.abandon()).toEqual([1, 'b'])
    expect(ids.wireId(1)).toBeUndefined()
    expect(ids.wireId('b')).toBeUndefined()
    expect(ids.abandon()).toEqual([])
  })

  it('gives an id that the new socket uses again a private one while the old response is outstanding', () => {
    const ids = new ServerRequestIds(Infinity)
    ids.open(requestOf(1), noId)
    ids.abandon()
    const second = ids.open(requestOf(1), () => 2147483647)
    expect(second).toEqual({ jsonrpc: '2.0', id: 2147483647, method: 'roots/list' })
    expect(ids.wireId(2147483647)).toBe(1)
    expect(ids.upperId(1)).toBe(2147483647)
    expect(ids.wireId(1)).toBeUndefined()
  })

  it('leaves a listen its own id, since its notifications name it, and forgets the one of the old socket', () => {
    const ids = new ServerRequestIds(Infinity)
    const listen = { ...requestOf(1), method: 'subscriptions/listen' }
    ids.open(listen, noId)
    ids.abandon()
    expect(ids.open(listen, noId)).toBe(listen)
    expect(ids.wireId(1)).toBe(1)
    expect(ids.size).toBe(1)
  })

  it('lets the late response of the old socket not touch the request that took over its id', () => {
    const ids = new ServerRequestIds(Infinity)
    ids.open(requestOf(1), noId)
    ids.abandon()
    ids.open(requestOf(1), () => 99)
    ids.close(1)
    expect(ids.wireId(99)).toBe(1)
  })

  it('uses an id as it is again after the late response came', () => {
    const ids = new ServerRequestIds(Infinity)
    ids.open(requestOf(1), noId)
    ids.abandon()
    ids.close(1)
    expect(ids.open(requestOf(1), noId).id).toBe(1)
  })

  it('drops the response to a request that the server cancelled, and keeps its id taken until then', () => {
    const ids = new ServerRequestIds(Infinity)
    ids.open(requestOf(1), noId)
    ids.cancel(1)
    expect(ids.wireId(1)).toBeUndefined()
    expect(ids.upperId(1)).toBeUndefined()
    expect(ids.open(requestOf(1), () => 50).id).toBe(50)
  })

  it('does not reserve the id of a cancelled request that never was', () => {
    const ids = new ServerRequestIds(Infinity)
    ids.cancel(5)
    expect(ids.open(requestOf(5), noId).id).toBe(5)
  })

  it('takes over an id anew on each of several sockets', () => {
    const ids = new ServerRequestIds(Infinity)
    let next = 100
    const free = (): number => next--
    expect(ids.open(requestOf(1), free).id).toBe(1)
    ids.abandon()
    expect(ids.open(requestOf(1), free).id).toBe(100)
    expect(ids.abandon()).toEqual([100])
    expect(ids.open(requestOf(1), free).id).toBe(99)
    expect(ids.upperId(1)).toBe(99)
  })

  it('counts what the upper layer works on, those of a lost socket too', () => {
    const ids = new ServerRequestIds(Infinity)
    const free = (): number => 100
    ids.open(requestOf(1), free)
    ids.abandon()
    ids.open(requestOf(1), free)
    expect(ids.size).toBe(2)
    ids.close(1)
    expect([ids.size, ids.upperId(1)]).toEqual([1, 100])
    ids.close(100)
    expect([ids.size, ids.upperId(1)]).toEqual([0, undefined])
  })

  it('remembers a bounded number of cancelled requests: the oldest is forgotten', () => {
    const ids = new ServerRequestIds(2)
    for (const id of [1, 2, 3]) {
      ids.open(requestOf(id), noId)
      ids.cancel(id)
    }
    expect(ids.size).toBe(2)
    // The id is free again: it needs no private one.
    expect(ids.open(requestOf(1), noId).id).toBe(1)
  })

  it('does not forget a request that runs under an id that was cancelled and closed before', () => {
    const ids = new ServerRequestIds(1)
    ids.open(requestOf(1), noId)
    ids.cancel(1)
    ids.close(1)
    ids.open(requestOf(1), noId)
    for (const id of [2, 3]) {
      ids.open(requestOf(id), noId)
      ids.cancel(id)
    }
    expect(ids.wireId(1)).toBe(1)
  })
})
