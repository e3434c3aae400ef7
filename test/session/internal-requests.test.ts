import { describe, expect, it, vi } from 'vitest'
import { InternalRequests } from '../../src/session/internal-requests.js'
import type { JsonRpcResponse, RequestId } from '../../src/types/json-rpc.js'
import type { FakeSocket } from '../helpers/fake-network.js'
import { useConnection } from '../helpers/session-rig.js'

const FIRST = 2 ** 31 - 1

async function rig(isTaken: (id: RequestId) => boolean = () => false): Promise<{ internal: InternalRequests; socket: FakeSocket }> {
  const { connection, ready } = useConnection()
  const socket = await ready()
  return { internal: new InternalRequests(connection, isTaken), socket }
}

const responseTo = (id: RequestId): JsonRpcResponse => ({ jsonrpc: '2.0', id, result: {} })

describe('an internal request', () => {
  it('goes straight to the socket, without params where there are none', async () => {
    const { internal, socket } = await rig()
    expect(internal.send('ping', undefined, () => undefined)).toBe(FIRST)
    expect(internal.send('logging/setLevel', { level: 'info' }, () => undefined)).toBe(FIRST - 1)
    expect(socket.texts).toEqual([
      `{"jsonrpc":"2.0","id":${String(FIRST)},"method":"ping"}`,
      `{"jsonrpc":"2.0","id":${String(FIRST - 1)},"method":"logging/setLevel","params":{"level":"info"}}`
    ])
  })

  it('skips the ids of the layer above, now and later', async () => {
    const taken = new Set<RequestId>([FIRST, FIRST - 1, FIRST - 3])
    const { internal } = await rig((id) => taken.has(id))
    const send = (): number => internal.send('ping', undefined, () => undefined)
    expect([send(), internal.freeId(), send()]).toEqual([FIRST - 2, FIRST - 4, FIRST - 5])
  })

  it('gets its response once', async () => {
    const { internal } = await rig()
    const onResponse = vi.fn()
    const id = internal.send('ping', undefined, onResponse)
    expect([internal.deliver(id, responseTo(id)), internal.deliver(id, responseTo(id))]).toEqual([true, false])
    expect(onResponse.mock.calls).toEqual([[responseTo(id)]])
  })

  it('is over before its response is handed on: whoever gets it may send the next one', async () => {
    const { internal } = await rig()
    const next = vi.fn()
    const seen: boolean[] = []
    const id = internal.send('initialize', {}, () => {
      seen.push(seen.length === 0 && internal.deliver(id, responseTo(id)))
      internal.send('initialize', {}, next)
    })
    internal.deliver(id, responseTo(id))
    internal.deliver(id - 1, responseTo(id - 1))
    expect(seen).toEqual([false])
    expect(next).toHaveBeenCalledOnce()
  })

  it('matches an id of the same type only', async () => {
    const { internal } = await rig()
    const id = internal.send('ping', undefined, () => undefined)
    expect(internal.deliver(String(id), responseTo(String(id)))).toBe(false)
  })

  it.each([
    ['was forgotten', (internal: InternalRequests, id: number) => internal.forget(id)],
    ['was lost with its socket', (internal: InternalRequests) => internal.clear()]
  ])('that %s has no response any more, and its id is not used again', async (_name, end) => {
    const { internal } = await rig()
    const onResponse = vi.fn()
    const id = internal.send('ping', undefined, onResponse)
    end(internal, id)
    expect(internal.deliver(id, responseTo(id))).toBe(false)
    expect(onResponse).not.toHaveBeenCalled()
    expect(internal.freeId()).toBe(id - 1)
  })
})
