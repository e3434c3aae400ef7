import { describe, expect, it } from 'vitest'
import { ServerRequests, type ServerRequestLimits } from '../../src/session/server-requests.js'
import type { JsonRpcMessage, JsonRpcRequest, JsonRpcResult, RequestId } from '../../src/types/json-rpc.js'
import { cancellation } from '../../src/wire/methods.js'
import type { FakeSocket } from '../helpers/fake-network.js'
import { useConnection, type ConnectionRig } from '../helpers/session-rig.js'

interface Rig extends ConnectionRig {
  readonly requests: ServerRequests
  readonly socket: FakeSocket
  /** What went up. */
  readonly up: JsonRpcMessage[]
  readonly problems: Error[]
}

async function rig(limits: Partial<ServerRequestLimits> = {}): Promise<Rig> {
  const below = useConnection()
  const socket = await below.ready()
  const up: JsonRpcMessage[] = []
  const problems: Error[] = []
  let nextId = 900
  const requests = new ServerRequests({ maxPending: 10, mostCancelled: 10, ...limits }, below.connection, () => nextId++, {
    onMessage: (message) => void up.push(message),
    onError: (error) => void problems.push(error)
  })
  return { ...below, requests, socket, up, problems }
}

const requestOf = (id: RequestId): JsonRpcRequest => ({ jsonrpc: '2.0', id, method: 'roots/list' })
const responseOf = (id: RequestId): JsonRpcResult => ({ jsonrpc: '2.0', id, result: {} })

describe('a request of the server', () => {
  it('goes up as it is, and its response goes down', async () => {
    const { requests, socket, up } = await rig()
    const request = requestOf('a')
    requests.receive(request, 'legacy')
    expect(up[0]).toBe(request)
    requests.respond(responseOf('a'))
    expect(socket.sent).toEqual([responseOf('a')])
  })

  it('may come during the handshake, when no era is known', async () => {
    const { requests, up } = await rig()
    requests.receive(requestOf(1), undefined)
    expect(up).toHaveLength(1)
  })

  it('gets one response only', async () => {
    const { requests, socket } = await rig()
    requests.receive(requestOf(1), 'legacy')
    requests.respond(responseOf(1))
    requests.respond(responseOf(1))
    requests.respond(responseOf(2))
    requests.respond({ jsonrpc: '2.0', id: null, error: { code: 1, message: 'to nobody' } })
    expect(socket.sent).toHaveLength(1)
  })

  it('is rejected while one of the same id runs, and the first one keeps its response', async () => {
    const { requests, socket, up } = await rig()
    requests.receive(requestOf(1), 'legacy')
    requests.receive(requestOf(1), 'legacy')
    requests.respond(responseOf(1))
    expect(up).toHaveLength(1)
    expect(socket.sent).toEqual([
      { jsonrpc: '2.0', id: 1, error: { code: -32600, message: 'A request with this id is still running' } },
      responseOf(1)
    ])
  })

  it('is rejected beyond maxPending, until one of the others has its response', async () => {
    const { requests, socket, up } = await rig({ maxPending: 2 })
    for (const id of [1, 2, 3]) requests.receive(requestOf(id), 'legacy')
    expect(socket.sent).toEqual([{ jsonrpc: '2.0', id: 3, error: { code: 1013, message: 'Too many requests at once' } }])
    requests.respond(responseOf(1))
    requests.receive(requestOf(3), 'legacy')
    expect(up).toHaveLength(3)
  })

  it('is neither handed up nor responded to in the modern era, valid or not', async () => {
    const { requests, socket, up, problems } = await rig()
    requests.receive(requestOf(1), 'modern')
    requests.rejectInvalid(2, 'no', 'modern')
    expect(problems).toMatchObject([{ code: 'INVALID_RESPONSE', message: expect.stringContaining('roots/list') as string }])
    expect([up, socket.sent]).toEqual([[], []])
  })

  it('that is invalid is rejected', async () => {
    const { requests, socket } = await rig()
    requests.rejectInvalid('x', '"params" is not an object', undefined)
    expect(socket.sent).toEqual([
      { jsonrpc: '2.0', id: 'x', error: { code: -32600, message: 'Invalid request: "params" is not an object' } }
    ])
  })
})

describe('a response that JSON cannot hold', () => {
  it('is thrown back, and the request is still open for another one', async () => {
    const { requests, socket } = await rig()
    requests.receive(requestOf(1), 'legacy')
    expect(() => requests.respond({ jsonrpc: '2.0', id: 1, result: { size: 1n } })).toThrow(TypeError)
    requests.respond(responseOf(1))
    expect(socket.sent).toEqual([responseOf(1)])
  })
})

describe('a cancellation of the server', () => {
  it('goes up, and the response goes nowhere', async () => {
    const { requests, socket, up } = await rig()
    requests.receive(requestOf(1), 'legacy')
    requests.cancel(cancellation(1, 'enough'), 1)
    requests.respond(responseOf(1))
    expect(up[1]).toEqual(cancellation(1, 'enough'))
    expect(socket.sent).toEqual([])
  })

  it('of an unknown request goes up too: the layer above knows best', async () => {
    const { requests, up } = await rig()
    requests.cancel(cancellation(7, 'why not'), 7)
    expect(up).toEqual([cancellation(7, 'why not')])
  })

  it('frees the id for a new request, while the old one still counts', async () => {
    const { requests, socket, up } = await rig({ maxPending: 2 })
    requests.receive(requestOf(1), 'legacy')
    requests.cancel(cancellation(1, 'enough'), 1)
    requests.receive(requestOf(1), 'legacy')
    expect(up[2]).toEqual(requestOf(900))
    requests.receive(requestOf(2), 'legacy')
    expect(socket.sent).toMatchObject([{ id: 2, error: { code: 1013 } }])
    requests.respond(responseOf(1))
    requests.receive(requestOf(3), 'legacy')
    expect(up).toHaveLength(4)
  })

  it('does not count for ever where the layer above never responds to what was cancelled', async () => {
    const { requests, up } = await rig({ maxPending: 2, mostCancelled: 1 })
    for (let id = 1; id <= 5; id++) {
      requests.receive(requestOf(id), 'legacy')
      requests.cancel(cancellation(id, 'enough'), id)
    }
    expect(up).toHaveLength(10)
  })
})

describe('requests whose socket is gone', () => {
  it('are cancelled, and their responses go nowhere', async () => {
    const { requests, socket, up } = await rig()
    requests.receive(requestOf(1), 'legacy')
    requests.receive(requestOf('b'), 'legacy')
    requests.abandon('connection waiting')
    expect(up.slice(2)).toEqual([cancellation(1, 'connection waiting'), cancellation('b', 'connection waiting')])
    requests.respond(responseOf(1))
    requests.respond(responseOf('b'))
    expect(socket.sent).toEqual([])
  })

  it('are cancelled once', async () => {
    const { requests, up } = await rig()
    requests.receive(requestOf(1), 'legacy')
    requests.abandon('first')
    requests.abandon('second')
    expect(up).toHaveLength(2)
  })

  it('do not meet the next ones: the server sees its own id, the layer above another one', async () => {
    const { requests, socket, up } = await rig()
    requests.receive(requestOf(1), 'legacy')
    requests.abandon('gone')
    requests.receive(requestOf(1), 'legacy')
    expect(up[2]).toEqual(requestOf(900))
    requests.respond(responseOf(1))
    expect(socket.sent).toEqual([])
    requests.cancel(cancellation(1, 'enough'), 1)
    expect(up[3]).toEqual(cancellation(900, 'enough'))
    requests.receive(requestOf(1), 'legacy')
    requests.respond(responseOf(1))
    expect(socket.sent).toEqual([responseOf(1)])
  })

  it('are not cancelled under an id that only the layer above knows', async () => {
    const { requests, socket } = await rig()
    requests.receive(requestOf(1), 'legacy')
    requests.abandon('gone')
    requests.receive(requestOf(1), 'legacy')
    requests.cancel(cancellation(900, 'mistaken'), 900)
    requests.respond(responseOf(900))
    expect(socket.sent).toEqual([responseOf(1)])
  })
})

describe('a server that does not read', () => {
  it('is dropped when a response has to wait', async () => {
    const { requests, socket, states } = await rig()
    requests.receive(requestOf(1), 'legacy')
    socket.buffered = 101
    requests.respond(responseOf(1))
    expect(states.at(-1)).toBe('waiting')
    expect(socket.sent).toEqual([])
  })

  it('is dropped when a rejection has to wait', async () => {
    const { requests, socket, states } = await rig({ maxPending: 0 })
    socket.buffered = 101
    requests.receive(requestOf(1), 'legacy')
    expect(states.at(-1)).toBe('waiting')
  })

  it('is not dropped where the socket closes anyway: the response is', async () => {
    const { requests, socket, states } = await rig()
    requests.receive(requestOf(1), 'legacy')
    socket.buffered = Infinity
    requests.respond(responseOf(1))
    expect(states.at(-1)).toBe('ready')
    expect(socket.sent).toEqual([])
  })
})
