import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as methods from '../../src/wire/methods.js'
import { cancellation, cancelledId } from '../../src/wire/methods.js'
import { encodeMessage, parseText } from '../../src/wire/json-rpc.js'
import type { JsonRpcMessage } from '../../src/types/json-rpc.js'

describe('the names', () => {
  it('are those of MCP', () => {
    expect(Object.fromEntries(Object.entries(methods).filter(([, value]) => typeof value === 'string'))).toEqual({
      INITIALIZE: 'initialize',
      INITIALIZED: 'notifications/initialized',
      DISCOVER: 'server/discover',
      PING: 'ping',
      CANCELLED: 'notifications/cancelled',
      PROGRESS: 'notifications/progress',
      LISTEN: 'subscriptions/listen',
      ACKNOWLEDGED: 'notifications/subscriptions/acknowledged',
      SET_LEVEL: 'logging/setLevel',
      SUBSCRIBE: 'resources/subscribe',
      UNSUBSCRIBE: 'resources/unsubscribe',
      CALL_TOOL: 'tools/call',
      CREATE_ELICITATION: 'elicitation/create',
      CREATE_MESSAGE: 'sampling/createMessage',
      LIST_ROOTS: 'roots/list',
      ROOTS_LIST_CHANGED: 'notifications/roots/list_changed'
    })
  })
})

describe('cancellation', () => {
  it('names the request and the reason', () => {
    expect(cancellation(7, 'timed out')).toEqual({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 7, reason: 'timed out' }
    })
  })

  it('is read back by cancelledId, after a journey over the wire', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer(), fc.string()), fc.string(), (id, reason) => {
        const read: JsonRpcMessage[] = []
        const fail = (): never => expect.fail('it is a message')
        parseText(encodeMessage(cancellation(id, reason)), (message) => read.push(message), fail)
        expect(read.map(cancelledId)).toEqual([id])
      })
    )
  })
})

describe('cancelledId', () => {
  it.each([0, 1, -1, Number.MAX_SAFE_INTEGER, '', 'a'])('reads the id %j', (requestId) => {
    expect(cancelledId({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } })).toBe(requestId)
  })

  it.each([undefined, null, 1.5, 2 ** 53, NaN, true, {}, [1]])('does not take %j for an id', (requestId) => {
    expect(cancelledId({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } })).toBeUndefined()
  })

  it.each<[string, unknown]>([
    ['without params', { jsonrpc: '2.0', method: 'notifications/cancelled' }],
    ['with params that are not an object', { jsonrpc: '2.0', method: 'notifications/cancelled', params: [{ requestId: 1 }] }],
    ['with params that are null', { jsonrpc: '2.0', method: 'notifications/cancelled', params: null }]
  ])('finds none in a cancellation %s', (_what, message) => {
    expect(cancelledId(message as JsonRpcMessage)).toBeUndefined()
  })

  it.each<[string, JsonRpcMessage]>([
    ['another notification', { jsonrpc: '2.0', method: 'notifications/progress', params: { requestId: 1 } }],
    ['a response', { jsonrpc: '2.0', id: 1, result: { method: 'notifications/cancelled', params: { requestId: 1 } } }]
  ])('finds none in %s', (_what, message) => {
    expect(cancelledId(message)).toBeUndefined()
  })
})
