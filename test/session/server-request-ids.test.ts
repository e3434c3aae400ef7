import { describe, expect, it } from 'vitest'
import { InboundRequests } from '../../src/session/server-request-ids.js'
import type { JsonRpcRequest, RequestId } from '../../src/types/json-rpc.js'

const requestOf = (id: RequestId): JsonRpcRequest => ({ jsonrpc: '2.0', id, method: 'roots/list' })
const noId = (): RequestId => {
  throw new Error('no private id is needed')
}

describe('InboundRequests', () => {
  it('passes a request up as it is, and knows the id for its answer', () => {
    const inbound = new InboundRequests()
    const request = requestOf(7)
    expect(inbound.open(request, noId)).toBe(request)
    expect(inbound.wireId(7)).toBe(7)
    expect(inbound.upperId(7)).toBe(7)
  })

  it('tells ids of different types apart', () => {
    const inbound = new InboundRequests()
    inbound.open(requestOf(7), noId)
    expect(inbound.wireId('7')).toBeUndefined()
    expect(inbound.upperId('7')).toBeUndefined()
  })

  it('forgets a request that is answered, so that its id is free', () => {
    const inbound = new InboundRequests()
    inbound.open(requestOf(1), noId)
    inbound.close(1)
    expect(inbound.wireId(1)).toBeUndefined()
    expect(inbound.open(requestOf(1), noId).id).toBe(1)
  })

  it('abandons all with their socket, and drops their late answers', () => {
    const inbound = new InboundRequests()
    inbound.open(requestOf(1), noId)
    inbound.open(requestOf('b'), noId)
    expect(inbound.abandon()).toEqual([1, 'b'])
    expect(inbound.wireId(1)).toBeUndefined()
    expect(inbound.wireId('b')).toBeUndefined()
    expect(inbound.abandon()).toEqual([])
  })

  it('gives an id that the new socket uses again a private one while the old answer is outstanding', () => {
    const inbound = new InboundRequests()
    inbound.open(requestOf(1), noId)
    inbound.abandon()
    const second = inbound.open(requestOf(1), () => 2147483647)
    expect(second).toEqual({ jsonrpc: '2.0', id: 2147483647, method: 'roots/list' })
    expect(inbound.wireId(2147483647)).toBe(1)
    expect(inbound.upperId(1)).toBe(2147483647)
    expect(inbound.wireId(1)).toBeUndefined()
  })

  it('lets the late answer of the old socket not touch the request that took over its id', () => {
    const inbound = new InboundRequests()
    inbound.open(requestOf(1), noId)
    inbound.abandon()
    inbound.open(requestOf(1), () => 99)
    inbound.close(1)
    expect(inbound.wireId(99)).toBe(1)
  })

  it('uses an id as it is again after the late answer came', () => {
    const inbound = new InboundRequests()
    inbound.open(requestOf(1), noId)
    inbound.abandon()
    inbound.close(1)
    expect(inbound.open(requestOf(1), noId).id).toBe(1)
  })

  it('drops the answer to a request that the server cancelled, and keeps its id taken until then', () => {
    const inbound = new InboundRequests()
    inbound.open(requestOf(1), noId)
    inbound.cancel(1)
    expect(inbound.wireId(1)).toBeUndefined()
    expect(inbound.upperId(1)).toBeUndefined()
    expect(inbound.open(requestOf(1), () => 50).id).toBe(50)
  })

  it('does not reserve the id of a cancelled request that never was', () => {
    const inbound = new InboundRequests()
    inbound.cancel(5)
    expect(inbound.open(requestOf(5), noId).id).toBe(5)
  })

  it('takes over an id anew on each of several sockets', () => {
    const inbound = new InboundRequests()
    let next = 100
    const free = (): number => next--
    expect(inbound.open(requestOf(1), free).id).toBe(1)
    inbound.abandon()
    expect(inbound.open(requestOf(1), free).id).toBe(100)
    expect(inbound.abandon()).toEqual([100])
    expect(inbound.open(requestOf(1), free).id).toBe(99)
    expect(inbound.upperId(1)).toBe(99)
  })

  it('counts what the upper layer works on, those of a lost socket too', () => {
    const inbound = new InboundRequests()
    const free = (): number => 100
    inbound.open(requestOf(1), free)
    inbound.abandon()
    inbound.open(requestOf(1), free)
    expect(inbound.size).toBe(2)
    inbound.close(1)
    expect([inbound.size, inbound.upperId(1)]).toEqual([1, 100])
    inbound.close(100)
    expect([inbound.size, inbound.upperId(1)]).toEqual([0, undefined])
  })
})
