import { expect, it } from 'vitest'
import { settle } from '../helpers/fake-clock.js'
import type { Message } from '../helpers/fake-network.js'
import { useTransport } from './use-transport.js'

const notification = (progress: number): Message => ({ jsonrpc: '2.0', method: 'notifications/progress', params: { progress } })
const request = (id: number): Message => ({ jsonrpc: '2.0', id, method: 'ping' })
const response = (id: number): Message => ({ jsonrpc: '2.0', id, result: {} })

/** Every sequence of three kinds, with numbers that tell its messages apart. */
const sequences = (length: number): Message[][] =>
  length === 0
    ? [[]]
    : sequences(length - 1).flatMap((before) => [notification, request, response].map((make) => [...before, make(before.length + 1)]))

it('whatever comes in one task, the SDK works on it in its order', async () => {
  const rig = useTransport()
  const socket = await rig.legacy()
  let workedOn: Message[] = []
  // As both versions of the SDK do.
  rig.transport.onmessage = (message) => {
    if ('method' in message) queueMicrotask(() => workedOn.push(message))
    else workedOn.push(message as Message)
  }
  // A response may overtake a request, which the SDK answers whenever it likes.
  const told = (messages: readonly Message[]): Message[] => messages.filter(({ id, method }) => id === undefined || method === undefined)
  for (const messages of sequences(5)) {
    workedOn = []
    for (const { id, result } of messages) if (result) await rig.request(id as number, 'tools/call')
    for (const message of messages) socket.deliver(message)
    await settle()
    expect(workedOn).toHaveLength(5)
    expect(told(workedOn)).toEqual(told(messages))
    for (const { id, method } of messages) if (id !== undefined && method) await rig.send(response(id as number))
  }
})

it('a response that comes by itself is there at once', async () => {
  const rig = useTransport()
  const socket = await rig.legacy()
  for (const id of [1, 2]) await rig.request(id, 'tools/call')
  socket.deliver(response(1))
  expect(rig.messages).toEqual([response(1)])
  socket.deliver(notification(1))
  socket.deliver(response(2))
  expect(rig.messages).toEqual([response(1), notification(1)])
  await settle()
  expect(rig.messages).toEqual([response(1), notification(1), response(2)])
})
