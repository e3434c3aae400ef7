import { describe, expect, it, vi } from 'vitest'
import type { Notification, Params, RequestOptions } from '../../src/index.js'
import { settle } from '../helpers/fake-clock.js'
import type { FakeSocket } from '../helpers/fake-network.js'
import { watch, type Outcome } from '../helpers/watch.js'
import { closeClean, useClient, type Rig } from './use-client.js'

const STREAM = 'events/stream'

const continueWith = (last: Notification | undefined): Params => ({ name: 'orders', cursor: last?.params?.cursor ?? 0 })

async function open(rig: Rig, options: RequestOptions = {}): Promise<{ socket: FakeSocket; ended: Outcome<unknown> }> {
  const socket = await rig.modern()
  const ended = watch(rig.client.request(STREAM, { name: 'orders', cursor: 0 }, { continueWith, ...options }))
  return { socket, ended }
}

const event = (socket: FakeSocket, cursor: number, params: Params = { requestId: socket.asked(STREAM).id }): void =>
  socket.deliver({ jsonrpc: '2.0', method: 'notifications/events/event', params: { ...params, cursor } })

describe('a live request', () => {
  it('goes on after every reconnect with the params that follow from its last event, under the same id', async () => {
    const rig = useClient()
    const { socket: first, ended } = await open(rig)
    let socket = first
    const { id } = socket.asked(STREAM)
    for (const cursor of [5, 9, 12, 13]) {
      event(socket, cursor)
      socket.drop()
      socket = await rig.remodern()
      expect(socket.asked(STREAM)).toMatchObject({ id, params: { name: 'orders', cursor } })
      expect(socket.asked(STREAM).params?._meta).toHaveProperty(['io.modelcontextprotocol/protocolVersion'])
    }
    expect(ended.settled).toBe(false)
    socket.respond(STREAM, { end: true })
    await settle()
    expect(ended.value).toEqual({ end: true })
    expect(rig.client.stats()).toMatchObject({ resent: 4, lost: 0 })
  })

  it('knows its events by the id of the request or of the subscription, and no others', async () => {
    const rig = useClient()
    const { socket } = await open(rig)
    const { id } = socket.asked(STREAM)
    event(socket, 1, { _meta: { 'io.modelcontextprotocol/subscriptionId': id } })
    event(socket, 2, { requestId: 'another' })
    event(socket, 3, {})
    socket.drop()
    expect((await rig.remodern()).asked(STREAM).params).toMatchObject({ cursor: 1 })
  })

  it('is sent as it was if the function says nothing, or throws', async () => {
    const rig = useClient()
    const problem = new Error('mine')
    const answers = vi
      .fn<() => Params | undefined>()
      .mockReturnValueOnce(undefined)
      .mockImplementationOnce(() => {
        throw problem
      })
    const { socket } = await open(rig, { continueWith: answers })
    const [frame] = socket.texts.slice(-1)
    socket.drop()
    const second = await rig.remodern()
    expect(second.texts.at(-1)).toBe(frame)
    second.drop()
    expect((await rig.remodern()).texts.at(-1)).toBe(frame)
    expect(rig.errors).toEqual([problem])
  })

  it('is sent as it was if JSON cannot hold what the function returns', async () => {
    const rig = useClient()
    const { socket } = await open(rig, { continueWith: () => ({ cursor: 1n }) })
    const [frame] = socket.texts.slice(-1)
    socket.drop()
    expect((await rig.remodern()).texts.at(-1)).toBe(frame)
    expect(rig.errors).toEqual([expect.any(TypeError)])
  })

  it.each(['text', '', 5, 0, null, [], true])('is sent as it was if the function returns what is no object: %j', async (returned) => {
    const rig = useClient()
    const { socket } = await open(rig, { continueWith: () => returned as never })
    const [frame] = socket.texts.slice(-1)
    socket.drop()
    expect((await rig.remodern()).texts.at(-1)).toBe(frame)
    expect(rig.errors).toEqual([new TypeError(`the params of ${STREAM} must be an object`)])
  })

  it('goes on with the own _meta of the params, without the members that only the client may write', async () => {
    const rig = useClient()
    const _meta = { 'io.modelcontextprotocol/protocolVersion': 'mine', 'io.modelcontextprotocol/logLevel': 'debug', trace: 't' }
    const { socket } = await open(rig, { continueWith: () => ({ cursor: 3, _meta }) })
    const first = socket.asked(STREAM).params?._meta as object
    socket.drop()
    expect((await rig.remodern()).asked(STREAM).params).toEqual({ cursor: 3, _meta: { ...first, trace: 't' } })
  })

  it('ends with the client that the function closes', async () => {
    const rig = useClient()
    const { socket, ended } = await open(rig, { continueWith: () => void rig.client.close() })
    socket.drop()
    await rig.remodern()
    expect(ended.error).toMatchObject({ code: 'CLOSED', delivery: 'unknown' })
  })

  it('has to have its first event within timeout, and then takes as long as it takes', async () => {
    const rig = useClient({ heartbeat: false })
    const { socket, ended } = await open(rig, { timeout: 100 })
    await rig.clock.advance(99)
    event(socket, 1)
    await rig.clock.advance(1e8)
    expect(ended.settled).toBe(false)
    const late = watch(rig.client.request(STREAM, {}, { continueWith, timeout: 100 }))
    await rig.clock.advance(100)
    expect(late.error).toMatchObject({ code: 'REQUEST_TIMEOUT' })
  })

  it('ends by a cancellation from the server, by its signal, and with the client', async () => {
    const rig = useClient()
    const { socket, ended } = await open(rig)
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: socket.asked(STREAM).id } })
    await settle()
    expect(ended.error).toMatchObject({ code: 'INVALID_RESPONSE', message: 'the server cancelled events/stream' })
    const controller = new AbortController()
    const second = watch(rig.client.request(STREAM, {}, { continueWith, signal: controller.signal }))
    controller.abort(new Error('enough'))
    await settle()
    expect(second.error).toBe(controller.signal.reason)
    expect(socket.methods.at(-1)).toBe('notifications/cancelled')
    const third = watch(rig.client.request(STREAM, {}, { continueWith }))
    await closeClean(rig)
    expect(third.error).toMatchObject({ code: 'CLOSED' })
  })

  it('has its progress under the same token after a reconnect, whatever the function returns', async () => {
    const rig = useClient()
    const seen: number[] = []
    const { socket } = await open(rig, { onprogress: ({ progress }) => void seen.push(progress) })
    const { progressToken } = socket.asked(STREAM).params?._meta as { progressToken: string }
    event(socket, 5)
    socket.drop()
    const next = await rig.remodern()
    expect(next.asked(STREAM).params).toMatchObject({ name: 'orders', cursor: 5, _meta: { progressToken } })
    next.deliver({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress: 1 } })
    await settle()
    expect(seen).toEqual([1])
  })

  it('keeps what the function says in _meta, but for the token', async () => {
    const rig = useClient()
    const own = { cursor: 1, _meta: { mine: true, progressToken: 'other' } }
    const { socket } = await open(rig, { onprogress: () => undefined, continueWith: () => own })
    const { progressToken } = socket.asked(STREAM).params?._meta as { progressToken: string }
    socket.drop()
    expect((await rig.remodern()).asked(STREAM).params).toMatchObject({ cursor: 1, _meta: { mine: true, progressToken } })
    expect(own._meta.progressToken).toBe('other')
  })

  it('that the server cancelled is not sent again, and the server is not told so', async () => {
    const rig = useClient()
    const { socket, ended } = await open(rig)
    const sent = socket.sent.length
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: socket.asked(STREAM).id } })
    await settle()
    expect([ended.settled, rig.client.pendingCount, socket.sent.length]).toEqual([true, 0, sent])
    socket.drop()
    expect((await rig.remodern()).methods).toEqual(['server/discover'])
    expect(rig.client.stats()).toMatchObject({ resent: 0 })
  })

  it.each(['the signal is aborted', 'the client is closed'])('is not sent again if the function sees to it that %s', async (deed) => {
    const controller = new AbortController()
    const rig = useClient()
    const end = (): undefined => {
      if (deed === 'the signal is aborted') controller.abort()
      else void rig.client.close()
    }
    const { socket, ended } = await open(rig, { continueWith: end, signal: controller.signal })
    socket.drop()
    const second = await rig.remodern()
    expect(second.methods).toEqual(['server/discover'])
    expect([ended.settled, rig.client.pendingCount]).toEqual([true, 0])
    expect(rig.errors).toEqual([])
  })

  it('is no call: a dead connection is noticed while it waits', async () => {
    const rig = useClient({ heartbeat: { interval: 1000, timeout: 500 } })
    await open(rig)
    expect(rig.client.stats().oldestRequest).toBeUndefined()
    await rig.clock.advance(1600)
    expect(rig.states.at(-1)?.closure?.kind).toBe('heartbeat')
  })

  it('goes on with a server of the other era', async () => {
    const rig = useClient()
    const { socket } = await open(rig)
    event(socket, 4)
    socket.drop()
    const legacy = await rig.relegacy()
    expect(legacy.asked(STREAM).params).toEqual({ name: 'orders', cursor: 4 })
  })
})
