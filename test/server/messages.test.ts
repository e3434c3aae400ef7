import { describe, expect, test } from 'vitest'
import type { JsonRpcMessage } from '../../src/index.js'
import type { ServerTransport } from '../../src/server/index.js'
import { frame, OPCODE } from '../faults/kit/wire.js'
import { until } from '../helpers/until.js'
import { closeCode, openPeer, responseTo, sendClose } from './raw-peer.js'
import { useHeldServer, useServer } from './use-server.js'

describe('a frame', () => {
  test.each([
    ['{', { id: null, error: { code: -32700, message: 'Parse error' } }],
    ['', undefined],
    ['\n', undefined],
    ['[]', { id: null, error: { code: -32600, message: expect.stringMatching(/^Invalid request: ./) as string } }],
    ['1', { id: null, error: { code: -32600 } }],
    ['{"jsonrpc":"1.0","id":5,"method":"x"}', { id: 5, error: { code: -32600 } }],
    ['{"jsonrpc":"2.0","id":5,"method":"x","params":[]}', { id: 5, error: { code: -32600 } }],
    ['{"jsonrpc":"2.0","id":null,"method":"x"}', { id: null, error: { code: -32600 } }],
    ['{"jsonrpc":"2.0","id":5}', { id: 5, error: { code: -32600 } }],
    ['{"jsonrpc":"2.0","id":5,"result":1,"error":{}}', undefined],
    ['{"jsonrpc":"2.0","method":"x","params":[]}', undefined],
    ['{"jsonrpc":"2.0","id":9007199254740993,"method":"x"}', { id: null, error: { code: -32600 } }]
  ])('%j gets the response that JSON-RPC asks for, and the connection goes on', async (text, response) => {
    const { port } = await useHeldServer()
    const peer = await openPeer(port)
    peer.send(text)
    peer.send({ id: 'after', method: 'ping' })
    await responseTo(peer, 'after')
    const responses = peer.messages().slice(0, -1)
    expect(responses).toHaveLength(response === undefined ? 0 : 1)
    if (response !== undefined) expect(responses[0]).toMatchObject({ jsonrpc: '2.0', ...response })
  })

  test.each([
    ['is an array', '[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","id":2,"method":"b"}]', [1, 2]],
    ['ends with a newline', '{"jsonrpc":"2.0","id":1,"method":"a"}\n', [1]]
  ])('that %s is read', async (_what, text, ids) => {
    const { port } = await useHeldServer()
    const peer = await openPeer(port)
    peer.send(text)
    await responseTo(peer, ids.length)
    expect(peer.messages().map(({ id }) => id)).toEqual(ids)
  })

  test.each([
    ['{"jsonrpc":"2.0","id":7,"error":"no"}', { id: 7, error: { code: -32603 } }],
    ['{"jsonrpc":"2.0","id":7,"result":{},"error":{}}', { id: 7, error: { code: -32603 } }]
  ])('with the malformed response %s settles the request that the MCP server waits for', async (text, expected) => {
    const { port, held, server } = await useHeldServer()
    const peer = await openPeer(port)
    const received: JsonRpcMessage[] = []
    held[0]!.transport.onmessage = (message) => received.push(message)
    peer.send(text)
    await until(() => received.length === 1, 'the response')
    expect(received).toMatchObject([expected])
    expect(server.metrics().malformedMessages).toBe(1)
  })

  test('S15: that holds a hundred thousand malformed elements gets one error response, and keeps no other client waiting', async () => {
    const { port, server } = await useHeldServer()
    const [hostile, other] = [await openPeer(port), await openPeer(port)]
    hostile.send(`[${Array(100_000).fill('1').join()}]`)
    hostile.send({ id: 1, method: 'ping' })
    other.send({ id: 1, method: 'ping' })
    await Promise.all([responseTo(hostile, 1), responseTo(other, 1)])
    expect(hostile.messages()).toMatchObject([{ id: null, error: { code: -32600 } }, { id: 1 }])
    expect(server.metrics().malformedMessages).toBe(100_000)
  })

  test('that is binary, and holds JSON, is read', async () => {
    const { port } = await useHeldServer()
    const peer = await openPeer(port)
    peer.write(frame(OPCODE.binary, '{"jsonrpc":"2.0","id":1,"method":"a"}', { mask: true }))
    await responseTo(peer, 1)
  })

  test('that is longer than maxMessageBytes ends the connection with 1009', async () => {
    const { port } = await useHeldServer({ maxMessageBytes: 1000 })
    const peer = await openPeer(port)
    peer.send('x'.repeat(1001))
    expect(await closeCode(peer)).toBe(1009)
    sendClose(peer, 1009)
    await peer.gone
  })

  test('in too many parts ends the connection with 1008', async () => {
    const { port } = await useHeldServer()
    const peer = await openPeer(port)
    peer.write(
      Buffer.concat([
        frame(OPCODE.text, '"', { mask: true, fin: false }),
        ...Array.from({ length: 5000 }, () => frame(OPCODE.continuation, 'x', { mask: true, fin: false }))
      ])
    )
    expect(await closeCode(peer)).toBe(1008)
  })

  test('with a request whose result cannot be written as JSON gets -32603', async () => {
    const { port, held, server } = await useHeldServer()
    const peer = await openPeer(port)
    peer.send({ id: 1, method: 'hold' })
    await until(() => held[0]!.ids.length === 1, 'the request')
    const unwritable = { jsonrpc: '2.0', id: 1, result: { n: 1n } } as const
    await expect(held[0]!.transport.send(unwritable)).rejects.toThrow(TypeError)
    expect((await responseTo(peer, 1)).error?.code).toBe(-32603)
    expect(server.metrics().requestsInFlight).toBe(0)
  })
})

test('what a request causes at once leaves together with what its promises cause', async () => {
  const onconnection = (transport: ServerTransport): void => {
    transport.onmessage = (message) => {
      if (!('id' in message && 'method' in message)) return
      const { id } = message
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => transport.send({ jsonrpc: '2.0', id, result: {} }))
      void transport.send({ jsonrpc: '2.0', method: 'notifications/message' })
    }
    void transport.start()
  }
  const { port, infos } = await useServer({ onconnection })
  const peer = await openPeer(port)
  const stream = infos[0]!.request.socket
  let pieces = 0
  const uncork = stream.uncork.bind(stream)
  stream.uncork = () => {
    uncork()
    pieces += Number(stream.writableCorked === 0)
  }
  peer.send({ id: 1, method: 'a' })
  await responseTo(peer, 1)
  expect(peer.messages()).toMatchObject([{ method: 'notifications/message' }, { id: 1 }])
  expect(pieces).toBe(1)
})
