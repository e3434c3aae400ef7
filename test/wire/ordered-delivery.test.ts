import { describe, expect, it } from 'vitest'
import { inTurn, type InTurn } from '../../src/wire/ordered-delivery.js'
import type { JsonRpcMessage } from '../../src/types/json-rpc.js'
import { settle } from '../helpers/fake-clock.js'

const progress = (step: number): JsonRpcMessage => ({ jsonrpc: '2.0', method: 'notifications/progress', params: { progress: step } })
const answer = (id: number): JsonRpcMessage => ({ jsonrpc: '2.0', id, result: {} })
const question = (id: number): JsonRpcMessage => ({ jsonrpc: '2.0', id, method: 'ping' })

/** Takes messages as the official SDKs do: a notification a microtask later. */
function useSdk(): { readonly heard: unknown[]; readonly turn: InTurn } {
  const heard: unknown[] = []
  const turn = inTurn((message) => {
    const word = 'method' in message ? (message.params?.progress ?? message.method) : `answer ${String(message.id)}`
    if ('id' in message) heard.push(word)
    else void Promise.resolve().then(() => heard.push(word))
  })
  return { heard, turn }
}

/** Every sequence of three kinds, with numbers that tell its messages apart. */
const sequences = (length: number): JsonRpcMessage[][] =>
  length === 0
    ? [[]]
    : sequences(length - 1).flatMap((before) => [progress, answer, question].map((make) => [...before, make(before.length + 1)]))

describe('messages of one turn of the loop', () => {
  it('are heard in their order, an answer behind the notifications before it', async () => {
    const { heard, turn } = useSdk()
    for (const message of [progress(1), progress(2), answer(1), progress(3), answer(2)]) turn.take(message)
    await settle()
    expect(heard).toEqual([1, 2, 'answer 1', 3, 'answer 2'])
  })

  it('are heard in their order, whatever they are; only a request, which is answered whenever the SDK likes, is heard before', async () => {
    const told = (messages: readonly JsonRpcMessage[]): unknown[] => messages.filter((message) => !('id' in message && 'method' in message))
    for (const messages of sequences(5)) {
      const heard: JsonRpcMessage[] = []
      const turn = inTurn((message) => {
        if ('method' in message) queueMicrotask(() => heard.push(message))
        else heard.push(message)
      })
      for (const message of messages) turn.take(message)
      await settle()
      expect(heard).toHaveLength(5)
      expect(told(heard)).toEqual(told(messages))
    }
  })

  // One by one out of the front of an array, they would take a quarter of a minute.
  it('may be hundreds of thousands of answers behind one notification', async () => {
    let count = 0
    const turn = inTurn(() => count++)
    turn.take(progress(1))
    for (let id = 1; id <= 440_000; id++) turn.take(answer(id))
    expect(count).toBe(1)
    await settle()
    expect(count).toBe(440_001)
  })

  it('wait behind an answer that waits, whatever they are', async () => {
    const { heard, turn } = useSdk()
    for (const message of [progress(1), answer(1), question(7), answer(2)]) turn.take(message)
    expect(heard).toEqual([])
    await settle()
    expect(heard).toEqual([1, 'answer 1', 'ping', 'answer 2'])
  })

  it('are handed on at once where no handler is under way', () => {
    const { heard, turn } = useSdk()
    for (const message of [answer(1), answer(2), question(7)]) turn.take(message)
    expect(heard).toEqual(['answer 1', 'answer 2', 'ping'])
  })

  it('are handed on at once when nothing will follow, and once', async () => {
    const { heard, turn } = useSdk()
    for (const message of [progress(1), answer(1), question(7)]) turn.take(message)
    turn.flush()
    expect(heard).toEqual(['answer 1', 'ping'])
    await settle()
    expect(heard).toEqual(['answer 1', 'ping', 1])
  })
})
