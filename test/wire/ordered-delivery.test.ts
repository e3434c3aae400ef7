import { describe, expect, it } from 'vitest'
import { orderedDelivery, type OrderedDelivery } from '../../src/wire/ordered-delivery.js'
import type { JsonRpcMessage } from '../../src/types/json-rpc.js'
import { settle } from '../helpers/fake-clock.js'

const progress = (step: number): JsonRpcMessage => ({ jsonrpc: '2.0', method: 'notifications/progress', params: { progress: step } })
const response = (id: number): JsonRpcMessage => ({ jsonrpc: '2.0', id, result: {} })
const request = (id: number): JsonRpcMessage => ({ jsonrpc: '2.0', id, method: 'ping' })

/** Takes messages as the official SDKs do: a notification a microtask later. */
function useSdk(): { readonly heard: unknown[]; readonly delivery: OrderedDelivery } {
  const heard: unknown[] = []
  const delivery = orderedDelivery((message) => {
    const word = 'method' in message ? (message.params?.progress ?? message.method) : `response ${String(message.id)}`
    if ('id' in message) heard.push(word)
    else void Promise.resolve().then(() => heard.push(word))
  })
  return { heard, delivery }
}

/** Every sequence of three kinds, with numbers that tell its messages apart. */
const sequences = (length: number): JsonRpcMessage[][] =>
  length === 0
    ? [[]]
    : sequences(length - 1).flatMap((before) => [progress, response, request].map((make) => [...before, make(before.length + 1)]))

describe('messages of one turn of the loop', () => {
  it('are heard in their order, a response behind the notifications before it', async () => {
    const { heard, delivery } = useSdk()
    for (const message of [progress(1), progress(2), response(1), progress(3), response(2)]) delivery.take(message)
    await settle()
    expect(heard).toEqual([1, 2, 'response 1', 3, 'response 2'])
  })

  it('are heard in their order, whatever they are', async () => {
    for (const messages of sequences(5)) {
      const heard: JsonRpcMessage[] = []
      const delivery = orderedDelivery((message) => {
        if ('method' in message) queueMicrotask(() => heard.push(message))
        else heard.push(message)
      })
      for (const message of messages) delivery.take(message)
      await settle()
      expect(heard).toEqual(messages)
    }
  })

  // One by one out of the front of an array, they would take a quarter of a minute.
  it('may be hundreds of thousands of responses behind one notification', async () => {
    let count = 0
    const delivery = orderedDelivery(() => count++)
    delivery.take(progress(1))
    for (let id = 1; id <= 440_000; id++) delivery.take(response(id))
    expect(count).toBe(1)
    await settle()
    expect(count).toBe(440_001)
  })

  it('wait behind a response that waits, whatever they are', async () => {
    const { heard, delivery } = useSdk()
    for (const message of [progress(1), response(1), request(7), response(2)]) delivery.take(message)
    expect(heard).toEqual([])
    await settle()
    expect(heard).toEqual([1, 'response 1', 'ping', 'response 2'])
  })

  it('are delivered at once where no handler is under way', () => {
    const { heard, delivery } = useSdk()
    for (const message of [response(1), response(2), request(7)]) delivery.take(message)
    expect(heard).toEqual(['response 1', 'response 2', 'ping'])
  })

  it('are delivered at once when nothing will follow, and only once', async () => {
    const { heard, delivery } = useSdk()
    for (const message of [progress(1), response(1), request(7)]) delivery.take(message)
    delivery.flush()
    expect(heard).toEqual(['response 1', 'ping'])
    await settle()
    expect(heard).toEqual(['response 1', 'ping', 1])
  })
})
