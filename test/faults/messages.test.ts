import { describe, expect, test } from 'vitest'
import type { RpcError } from '../../src/index.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { useClient } from '../helpers/use-client.js'
import { responsesTo, ask, roundTrip, useLine, type SentMessage } from './kit/line.js'
import { useRawServer } from './kit/raw-server.js'
import { acceptDial, closeFrame, frame, OPCODE, textFrame } from './kit/wire.js'
import { pause } from '../helpers/pause.js'

// Rows P of the fault catalogue: what a server may say, or garble, on an open connection. Every byte is the test's own.

const note = (n: number): object => ({ method: 'notifications/x', params: { n } })

describe('what is not a message', () => {
  test('P1: a thousand frames in a row that are no JSON leave the connection as it is', async () => {
    const line = await useLine()
    const { asked, id } = await ask(line)
    for (let n = 0; n < 500; n++) line.peer.write(textFrame('{"jsonrpc":"2.0","secret":'), textFrame('<html>secret</html>'))
    line.peer.write(textFrame({ id, result: { fine: true } }))
    expect(await asked).toEqual({ fine: true })
    expect(line.errors).toHaveLength(1000)
    expect(new Set(line.errors.map(({ message }) => message))).toEqual(new Set(['the server sent an invalid message: not JSON']))
    expect([line.client.state, line.dialCount]).toEqual(['ready', 1])
  })

  test.each(['{"result":{}', '{"jsonrpc":"1.0","result":{}', '{"jsonrpc":2,"result":{}', '{"jsonrpc":2.0,"result":{}'])(
    'P4: a response of another JSON-RPC fails its request: %s',
    async (start) => {
      const line = await useLine()
      const { asked, id } = await ask(line)
      line.peer.write(textFrame(`${start},"id":${String(id)}}`))
      expect(await rejectionOf(asked)).toMatchObject({ name: 'ProtocolError', code: 'INVALID_RESPONSE' })
      expect(line.errors).toEqual([])
      await roundTrip(line)
    }
  )

  test.each([
    ['both result and error', { result: {}, error: { code: 1, message: 'x' } }],
    ['neither', {}],
    ['an error that is no object', { error: 'no' }],
    ['an error that is null', { error: null }]
  ])('P10: a response with %s fails its request', async (_what, members) => {
    const line = await useLine()
    const { asked, id } = await ask(line)
    line.peer.write(textFrame({ id, ...members }))
    expect(await rejectionOf(asked)).toMatchObject({ name: 'ProtocolError', code: 'INVALID_RESPONSE' })
    expect(line.client.pendingCount).toBe(0)
    await roundTrip(line)
  })

  test('P31: a request and a notification with the id null are told and never answered', async () => {
    const line = await useLine()
    line.client.setRequestHandler('roots/list', () => ({ roots: [] }))
    line.peer.write(textFrame({ id: null, method: 'roots/list' }), textFrame({ id: null, method: 'notifications/x' }))
    await roundTrip(line)
    expect(line.errors).toMatchObject([{ code: 'INVALID_RESPONSE' }, { code: 'INVALID_RESPONSE' }])
    expect(line.notifications).toEqual([])
    expect(responsesTo(line.peer)).toEqual([])
  })
})

describe('a response', () => {
  test('P6: of two to one request the first counts, and the second harms nobody', async () => {
    const line = await useLine()
    const { asked, id } = await ask(line)
    line.peer.write(
      textFrame({ id, result: { n: 1 } }),
      textFrame({ id, result: { n: 2 } }),
      textFrame({ id, error: { code: 1, message: 'x' } })
    )
    expect(await asked).toEqual({ n: 1 })
    await roundTrip(line)
    expect(line.errors).toEqual([])
  })

  test('P8: whose id is a string of the same digits matches nothing, and the request times out', async () => {
    const line = await useLine()
    const { asked, id } = await ask(line, 100)
    for (const wrong of [String(id), `0${String(id)}`, ` ${String(id)}`, `${String(id)}.0`])
      line.peer.write(textFrame({ id: wrong, result: {} }))
    expect(await rejectionOf(asked)).toMatchObject({ name: 'RequestTimeoutError', delivery: 'unknown' })
    expect(line.errors).toEqual([])
  })

  test('P8: whose id is another number matches nothing', async () => {
    const line = await useLine()
    const { asked, id } = await ask(line)
    for (const wrong of [-id, id + 0.5, id + 2 ** 32]) line.peer.write(textFrame({ id: wrong, result: { wrong } }))
    line.peer.write(textFrame({ id, result: {} }))
    expect(await asked).toEqual({})
  })

  test('P9: after the timeout, or after the cancellation, goes nowhere', async () => {
    const line = await useLine()
    const late = await ask(line, 20)
    expect(await rejectionOf(late.asked)).toMatchObject({ code: 'REQUEST_TIMEOUT' })
    const controller = new AbortController()
    const given = line.client.request('vendor/y', {}, { signal: controller.signal })
    const { id } = await line.peer.next('vendor/y')
    controller.abort(new Error('never mind'))
    await expect(given).rejects.toThrow('never mind')
    line.peer.write(textFrame({ id: late.id, result: {} }), textFrame({ id, error: { code: 1, message: 'too late' } }))
    await roundTrip(line)
    expect(line.errors).toEqual([])
    expect(line.client.pendingCount).toBe(0)
  })

  const UNREADABLE = { toString: 1, valueOf: null }
  test.each([
    ['no code', { message: 'no' }, { rpcCode: -32603, message: 'no' }],
    ['a code that is a string', { code: 'EFAIL', message: 'no' }, { rpcCode: -32603, message: 'no' }],
    ['a code that is no whole number', { code: 1.5, message: 'no' }, { rpcCode: -32603 }],
    ['no members', {}, { rpcCode: -32603, message: 'no message' }],
    ['a message that no text can be made of', { code: 5, message: UNREADABLE }, { rpcCode: 5, message: 'no message' }],
    ['a message of 1 MB', { code: 5, message: 'x'.repeat(2 ** 20) }, { message: 'x'.repeat(8192) }],
    ['data of 5 MB', { code: 5, message: 'no', data: 'x'.repeat(5e6) }, { data: 'x'.repeat(5e6) }]
  ])('P11: that is an error with %s rejects with an RpcError', async (_what, error, expected) => {
    const line = await useLine()
    const { asked, id } = await ask(line)
    line.peer.write(textFrame({ id, error }))
    const rejection = (await rejectionOf(asked)) as RpcError
    expect(rejection).toMatchObject({ name: 'RpcError', code: 'RPC_ERROR' })
    // Not `toMatchObject`: what it would print has megabytes.
    for (const [name, value] of Object.entries(expected)) expect(rejection[name as 'message'] === value, name).toBe(true)
    await roundTrip(line)
  })

  test.each([
    ['that no text can be made of', UNREADABLE],
    ['of 10,000 levels', 'deep'],
    ['of 1 MB', 'x'.repeat(2 ** 20)]
  ])('P11: that is an error of nobody, with a message %s, is told in few words', async (_what, message) => {
    const line = await useLine()
    const text = message === 'deep' ? `${'['.repeat(10_000)}${']'.repeat(10_000)}` : JSON.stringify(message)
    line.peer.write(textFrame(`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":${text}}}`))
    await roundTrip(line)
    expect(line.errors).toMatchObject([{ code: 'INVALID_RESPONSE' }])
    expect(line.errors[0]!.message.length).toBeLessThan(10_000)
  })
})

describe('frames', () => {
  test('P15: text that is not UTF-8 ends the life with 1007', async () => {
    const line = await useLine()
    const { asked } = await ask(line)
    const failed = nextEvent(line.client, 'failed')
    line.peer.write(frame(OPCODE.text, Buffer.from([0x7b, 0xc3, 0x28, 0x7d])))
    expect(await rejectionOf(asked)).toMatchObject({ name: 'ConnectionLostError', delivery: 'unknown' })
    await failed
    expect(line.states.at(-1)).toMatchObject({ to: 'failed', closure: { kind: 'close', code: 1007, wasClean: false } })
    expect(line.dialCount).toBe(1)
  })

  test('P16: that are binary carry JSON as well as text does, in the order of their arrival', async () => {
    const line = await useLine()
    const json = (n: number): string => JSON.stringify({ jsonrpc: '2.0', ...note(n) })
    const parts = Buffer.from(json(5))
    line.peer.write(
      frame(OPCODE.binary, json(1)),
      textFrame(note(2)),
      frame(OPCODE.binary, json(3)),
      textFrame(note(4)),
      frame(OPCODE.binary, parts.subarray(0, 7), { fin: false }),
      frame(OPCODE.continuation, parts.subarray(7)),
      textFrame(note(6))
    )
    await roundTrip(line)
    expect(line.notifications.map(({ params }) => params?.n)).toEqual([1, 2, 3, 4, 5, 6])
    expect(line.errors).toEqual([])
  })

  test('P16: that are binary and no UTF-8 are told, and the connection stays', async () => {
    const line = await useLine()
    // A reader that is not strict would take it for a message with odd words.
    const odd = Buffer.from('{"jsonrpc":"2.0","method":"notifications/x","params":{"s":"\xff"}}', 'latin1')
    line.peer.write(frame(OPCODE.binary, odd), frame(OPCODE.binary, 'no JSON'), textFrame(note(1)))
    await roundTrip(line)
    expect(line.errors).toMatchObject([{ code: 'INVALID_RESPONSE' }, { code: 'INVALID_RESPONSE' }])
    expect(line.notifications).toHaveLength(1)
  })

  test('P18: that are parts of one text, cut within a character and with pings between them, are one message', async () => {
    const line = await useLine()
    const data = 'grüße 😀 €'
    const bytes = Buffer.from(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/x', params: { data } }))
    const parts = [...bytes].map((byte, i) =>
      frame(i === 0 ? OPCODE.text : OPCODE.continuation, Buffer.from([byte]), { fin: i === bytes.length - 1 })
    )
    line.peer.write(...parts.flatMap((part, i) => [part, frame(i % 2 ? OPCODE.ping : OPCODE.pong, String(i))]))
    await roundTrip(line)
    expect(line.notifications).toEqual([{ method: 'notifications/x', params: { data } }])
    const pongs = (): string[] => line.peer.frames.flatMap(({ opcode, data: sent }) => (opcode === OPCODE.pong ? [sent.toString()] : []))
    await until(() => pongs().length === Math.floor(bytes.length / 2), 'every ping is answered')
    expect(pongs()).toEqual([...bytes.keys()].filter((i) => i % 2).map(String))
  })

  test('P28: with the same key twice count by the last one, and keep lone surrogates', async () => {
    const line = await useLine()
    line.peer.write(textFrame('{"jsonrpc":"1.0","jsonrpc":"2.0","method":"notifications/x","params":{"n":1,"n":2,"s":"\\ud800"}}'))
    await roundTrip(line)
    expect(line.notifications).toEqual([{ method: 'notifications/x', params: { n: 2, s: '\ud800' } }])
  })

  test.each(['9007199254740993', '-9007199254740993', '1e400', '18446744073709551616'])(
    'P28: with an id beyond 2^53 - 1 match nothing and are not answered: %s',
    async (big) => {
      const line = await useLine()
      const { asked, id } = await ask(line)
      line.peer.write(textFrame(`{"jsonrpc":"2.0","id":${big},"result":{}}`), textFrame(`{"jsonrpc":"2.0","id":${big},"method":"ping"}`))
      await roundTrip(line)
      expect(line.errors).toMatchObject([{ code: 'INVALID_RESPONSE' }, { code: 'INVALID_RESPONSE' }])
      expect(responsesTo(line.peer)).toEqual([])
      line.peer.write(textFrame({ id, result: { fine: true } }))
      expect(await asked).toEqual({ fine: true })
    }
  )

  test('P32: that come after our close() are not heard, whatever they are', async () => {
    const line = await useLine({ closeTimeout: 5000 })
    let handled = 0
    line.client.setRequestHandler('roots/list', () => ({ roots: [], handled: ++handled }))
    const { asked, id } = await ask(line)
    const closed = line.client.close()
    expect(await rejectionOf(asked)).toMatchObject({ code: 'CLOSED', delivery: 'unknown' })
    await until(() => line.peer.frames.some(({ opcode }) => opcode === OPCODE.close), 'the close frame')
    line.peer.write(
      textFrame(note(1)),
      textFrame({ id, result: {} }),
      textFrame({ id: 5, method: 'roots/list' }),
      textFrame('no JSON'),
      closeFrame(1000)
    )
    await closed
    expect([line.client.state, line.notifications, line.errors, handled]).toEqual(['closed', [], [], 0])
    expect(responsesTo(line.peer)).toEqual([])
  })
})

describe('a request of the server', () => {
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  const rows: [what: string, handler: () => unknown, response: object][] = [
    ['that returns nothing is answered with an empty result', () => undefined, { result: {} }],
    ['that returns null is answered with an empty result', () => null, { result: {} }],
    ['that throws is answered with -32603', () => thrower(new Error('on fire')), { error: { code: -32603, message: 'on fire' } }],
    ['that rejects with no Error is answered with -32603', () => Promise.reject(42), { error: { code: -32603 } }],
    ['that throws what no text can be made of is answered with -32603', () => thrower(Object.create(null)), { error: { code: -32603 } }],
    ['that returns a cycle is answered with -32603', () => cycle, { error: { code: -32603 } }],
    ['that returns a BigInt is answered with -32603', () => ({ big: 1n }), { error: { code: -32603 } }],
    ['that returns a word is answered with -32603', () => 'word', { error: { code: -32603 } }],
    ['whose toJSON throws is answered with -32603', () => ({ toJSON: () => thrower(new Error('no')) }), { error: { code: -32603 } }]
  ]
  test.each(rows)('P20: with a handler %s', async (_what, handler, response) => {
    const line = await useLine()
    line.client.setRequestHandler('vendor/request', handler)
    line.peer.write(textFrame({ id: 7, method: 'vendor/request' }))
    await until(() => responsesTo(line.peer).length === 1, 'the response')
    expect(responsesTo(line.peer)).toMatchObject([{ id: 7, ...response }])
    expect(JSON.stringify(responsesTo(line.peer))).not.toMatch(/stack|\.test\.ts/)
    await roundTrip(line)
    expect(responsesTo(line.peer)).toHaveLength(1)
  })

  test('P20: with a handler that never settles is not answered, keeps nobody else waiting, and is aborted at the end', async () => {
    const line = await useLine({ requestTimeout: 30 })
    let signal: AbortSignal | undefined
    line.client.setRequestHandler('vendor/request', (_request, context) => {
      signal = context.signal
      return new Promise(() => undefined)
    })
    line.peer.write(textFrame({ id: 7, method: 'vendor/request' }), textFrame({ id: 8, method: 'ping' }))
    await until(() => responsesTo(line.peer).length === 1, 'the ping')
    expect(responsesTo(line.peer)).toEqual([{ jsonrpc: '2.0', id: 8, result: {} }])
    // No limit is set for it: a human may stand behind it.
    await pause(60)
    expect([responsesTo(line.peer).length, signal?.aborted]).toEqual([1, false])
    await line.client.close()
    expect(signal?.aborted).toBe(true)
  })

  test('P23: is not harmed by the cancellation of one that is answered', async () => {
    const line = await useLine()
    const cancelled = textFrame({ method: 'notifications/cancelled', params: { requestId: 7 } })
    line.peer.write(textFrame({ id: 7, method: 'ping' }))
    await until(() => responsesTo(line.peer).length === 1, 'the response')
    line.peer.write(cancelled, textFrame({ id: 7, method: 'ping' }))
    await until(() => responsesTo(line.peer).length === 2, 'the second response')
    expect(line.errors).toEqual([])
  })

  test.each(['__proto__', 'constructor', 'toString', 'rpc.discover', ''])(
    'P26: of the method %j is answered with -32601',
    async (method) => {
      const line = await useLine()
      line.peer.write(textFrame({ id: method, method }))
      await until(() => responsesTo(line.peer).length === 1, 'the response')
      expect(responsesTo(line.peer)).toMatchObject([{ id: method, error: { code: -32601 } }])
    }
  )

  test('P29: that comes before the response to initialize is answered at once', async () => {
    const server = await useRawServer((dial) => {
      const peer = acceptDial(dial)
      void peer.next('initialize').then(async ({ id }) => {
        peer.write(textFrame({ id: 1, method: 'ping' }), textFrame({ id: 2, method: 'roots/list' }))
        await until(() => responsesTo(peer).length === 2, 'both responses')
        responses.push(...responsesTo(peer))
        peer.write(textFrame({ id, result: { protocolVersion: '2025-11-25', capabilities: {}, serverInfo: { name: 'x', version: '1' } } }))
      })
    })
    const responses: SentMessage[] = []
    const { client } = useClient({ url: server.url, protocol: 'legacy', closeTimeout: 10, capabilities: { roots: {} } })
    client.setRequestHandler('roots/list', () => ({ roots: [] }))
    await client.connect()
    expect(responses).toEqual([
      { jsonrpc: '2.0', id: 1, result: {} },
      { jsonrpc: '2.0', id: 2, result: { roots: [] } }
    ])
  })
})

describe('progress', () => {
  test('P24: of an unknown token, of a token of another type, after the end, or without a number is not heard', async () => {
    const line = await useLine()
    const heard: unknown[] = []
    const asked = line.client.request('vendor/x', { _meta: { progressToken: 5 } }, { onprogress: (report) => heard.push(report) })
    const { id } = await line.peer.next('vendor/x')
    const report = (params: object): Buffer => textFrame({ method: 'notifications/progress', params })
    line.peer.write(
      ...['5', 6, null, [5], { toString: 5 }, '__proto__'].map((progressToken) => report({ progressToken, progress: 1 })),
      ...['1', null, {}, undefined].map((progress) => report({ progressToken: 5, progress })),
      textFrame({ method: 'notifications/progress' }),
      report({ progressToken: 5, progress: 3 }),
      textFrame({ id, result: {} }),
      report({ progressToken: 5, progress: 4 })
    )
    await asked
    await roundTrip(line)
    expect(heard).toEqual([{ progress: 3 }])
    expect(line.errors).toEqual([])
  })

  test('P24: that goes backwards is handed on as it is', async () => {
    const line = await useLine()
    const heard: number[] = []
    const asked = line.client.request('vendor/x', { _meta: { progressToken: 5 } }, { onprogress: ({ progress }) => heard.push(progress) })
    const { id } = await line.peer.next('vendor/x')
    for (const progress of [3, 1, -1])
      line.peer.write(textFrame({ method: 'notifications/progress', params: { progressToken: 5, progress } }))
    line.peer.write(textFrame({ id, result: {} }))
    await asked
    expect(heard).toEqual([3, 1, -1])
  })

  test('P24: whose callback throws what no text can be made of harms nobody', async () => {
    const line = await useLine()
    const options = { onprogress: () => thrower(Object.create(null)), timeout: 2000 }
    const asked = line.client.request('vendor/x', { _meta: { progressToken: 5 } }, options)
    const { id } = await line.peer.next('vendor/x')
    line.peer.write(
      textFrame({ method: 'notifications/progress', params: { progressToken: 5, progress: 1 } }),
      textFrame({ id, result: {} })
    )
    await asked
    expect(line.errors).toHaveLength(1)
  })
})

test.each(['__proto__', 'constructor', 'toString', 'rpc.discover', '', 'ready', 'state'])(
  'P26: a notification of the method %j is an event like any other',
  async (method) => {
    const line = await useLine()
    line.peer.write(textFrame(`{"jsonrpc":"2.0","method":${JSON.stringify(method)},"params":{"__proto__":{"polluted":1}}}`))
    await roundTrip(line)
    expect(line.notifications.map((each) => each.method)).toEqual([method])
    expect([line.errors, ({} as { polluted?: unknown }).polluted]).toEqual([[], undefined])
  }
)

function thrower(thrown: unknown): never {
  throw thrown
}
