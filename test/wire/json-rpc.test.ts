import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeMessage,
  INTERNAL_ERROR,
  INVALID_PARAMS,
  INVALID_REQUEST,
  isErrorResponse,
  isNotification,
  isRequest,
  isResponse,
  jsonOf,
  METHOD_NOT_FOUND,
  PARSE_ERROR,
  parseText,
  type Malformed
} from '../../src/wire/json-rpc.js'
import type { JsonRpcMessage } from '../../src/types/json-rpc.js'

function read(text: string): { messages: JsonRpcMessage[]; malformed: Malformed[] } {
  const messages: JsonRpcMessage[] = []
  const malformed: Malformed[] = []
  parseText(
    text,
    (message) => messages.push(message),
    (problem) => malformed.push(problem)
  )
  return { messages, malformed }
}

const ids = fc.oneof(fc.maxSafeInteger(), fc.string())
const objects = fc.dictionary(fc.string(), fc.jsonValue())
const base = { jsonrpc: fc.constant('2.0' as const) }
const errors = fc.record({ code: fc.integer(), message: fc.string(), data: fc.jsonValue() }, { requiredKeys: ['code', 'message'] })
const requests = fc.record({ ...base, id: ids, method: fc.string(), params: objects }, { requiredKeys: ['jsonrpc', 'id', 'method'] })
const notifications = fc.record({ ...base, method: fc.string(), params: objects }, { requiredKeys: ['jsonrpc', 'method'] })
const results = fc.record({ ...base, id: ids, result: objects })
const refusals = fc.record({ ...base, id: fc.oneof(ids, fc.constant(null)), error: errors }, { requiredKeys: ['jsonrpc', 'error'] })
const messages: fc.Arbitrary<JsonRpcMessage> = fc.oneof(requests, notifications, results, refusals)

describe('parseText', () => {
  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        const { messages, malformed } = read(text)
        if (text.trim() === '') expect([messages, malformed]).toEqual([[], []])
        else expect(messages.length + malformed.length).toBeGreaterThan(0)
      })
    )
  })

  it('takes every JSON value for exactly one message or problem, and every array element for one', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), messages, fc.array(fc.oneof(fc.jsonValue(), messages))), (value) => {
        const { messages, malformed } = read(JSON.stringify(value))
        expect(messages.length + malformed.length).toBe(Array.isArray(value) ? Math.max(1, value.length) : 1)
      })
    )
  })

  it('reads every valid message as it was written', () => {
    fc.assert(
      fc.property(messages, (message) => {
        // JSON knows no -0.
        expect(read(encodeMessage(message))).toEqual({ messages: [JSON.parse(JSON.stringify(message))], malformed: [] })
      })
    )
  })

  it('unpacks an array in its order, and goes on behind a bad element', () => {
    fc.assert(
      fc.property(fc.array(messages, { minLength: 1 }), fc.nat(), (batch, at) => {
        const place = at % (batch.length + 1)
        const wire = [...batch.slice(0, place), 'junk', ...batch.slice(place)]
        const { messages, malformed } = read(JSON.stringify(wire))
        expect(messages).toEqual(JSON.parse(JSON.stringify(batch)))
        expect(malformed).toEqual([{ problem: 'not a JSON object' }])
      })
    )
  })

  it.each(['\n', '\r\n', ' \t\n'])('accepts white space around a message (%j)', (space) => {
    const text = '{"jsonrpc":"2.0","id":1,"result":{}}'
    expect(read(space + text + space).messages).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }])
  })

  it.each(['', '\n', '\r\n', '  \t '])('takes the empty frame %j for nothing', (text) => {
    expect(read(text)).toEqual({ messages: [], malformed: [] })
  })

  it('accepts members that it does not know', () => {
    expect(read('{"jsonrpc":"2.0","id":1,"result":{},"extra":true}').messages).toHaveLength(1)
    expect(read('{"jsonrpc":"2.0","method":"x","result":1}').messages).toHaveLength(1)
  })

  it.each([
    ['without an id', '{"jsonrpc":"2.0","error":{"code":-32700,"message":"x"}}'],
    ['with a null id', '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}']
  ])('accepts an error response %s', (_what, text) => {
    expect(read(text).malformed).toEqual([])
    expect(read(text).messages).toHaveLength(1)
  })

  const notObject = 'not a JSON object'
  const version = '"jsonrpc" is not "2.0"'
  const badId = '"id" is not a string or safe integer'
  const params = '"params" is not an object'
  const oneOf = 'not exactly one of "result" and an "error" object'

  it.each<[string, string, (number | string)?]>([
    ['{', 'not JSON'],
    ['hello', 'not JSON'],
    ['{"jsonrpc":"2.0","method":"a"}{"jsonrpc":"2.0","method":"b"}', 'not JSON'],
    ['[]', 'an empty array'],
    ['null', notObject],
    ['1', notObject],
    ['"text"', notObject],
    ['true', notObject],
    ['[[]]', notObject],
    ['{}', version],
    ['{"jsonrpc":"1.0","method":"x"}', version],
    ['{"jsonrpc":2,"method":"x"}', version],
    ['{"id":4,"result":{}}', version, 4],
    ['{"id":4,"method":"x"}', version],
    ['{"jsonrpc":"2.0","method":1}', '"method" is not a string'],
    ['{"jsonrpc":"2.0","method":null,"id":1}', '"method" is not a string'],
    ['{"jsonrpc":"2.0","method":"x","id":null}', badId],
    ['{"jsonrpc":"2.0","method":"x","id":1.5}', badId],
    ['{"jsonrpc":"2.0","method":"x","id":9007199254740992}', badId],
    ['{"jsonrpc":"2.0","method":"x","id":{}}', badId],
    ['{"jsonrpc":"2.0","method":"x","params":[]}', params],
    ['{"jsonrpc":"2.0","method":"x","params":null}', params],
    ['{"jsonrpc":"2.0","method":"x","params":"y"}', params],
    ['{"jsonrpc":"2.0","id":5}', oneOf, 5],
    ['{"jsonrpc":"2.0","id":"s"}', oneOf, 's'],
    ['{"jsonrpc":"2.0","id":5,"result":{},"error":{}}', oneOf, 5],
    ['{"jsonrpc":"2.0","id":true,"result":{}}', badId],
    ['{"jsonrpc":"2.0","id":null,"result":{}}', badId],
    ['{"jsonrpc":"2.0","result":{}}', badId],
    ['{"jsonrpc":"2.0","id":[1],"error":{}}', badId],
    ['{"jsonrpc":"2.0","id":6,"error":"no"}', oneOf, 6],
    ['{"jsonrpc":"2.0","id":6,"error":null}', oneOf, 6],
    ['{"jsonrpc":"2.0","id":6,"error":[]}', oneOf, 6]
  ])('finds the fault of %s', (text, problem, id) => {
    expect(read(text)).toEqual({ messages: [], malformed: [id === undefined ? { problem } : { problem, id }] })
  })

  it('shows nothing of the payload in a problem', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (rest) => {
        const { malformed } = read(JSON.stringify({ ...rest, jsonrpc: '3.0', id: 'x', secret: 'Xq7Zw' }))
        expect(JSON.stringify(malformed)).not.toContain('Xq7Zw')
      })
    )
  })
})

describe('parseText on keys of the prototype', () => {
  it('takes __proto__ for a key like any other', () => {
    const { messages } = read('{"jsonrpc":"2.0","method":"x","__proto__":{"id":1}}')
    expect(messages).toHaveLength(1)
    expect(messages.map(isNotification)).toEqual([true])
  })

  it('does not find members in what __proto__ names', () => {
    expect(read('{"__proto__":{"jsonrpc":"2.0","method":"x"}}').malformed).toHaveLength(1)
    expect(read('{"jsonrpc":"2.0","id":1,"__proto__":{"result":{}}}').malformed).toHaveLength(1)
  })

  it('leaves the prototype of all objects as it was', () => {
    read('{"jsonrpc":"2.0","method":"x","params":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}')
    expect({}).not.toHaveProperty('polluted')
  })
})

describe('the kinds of messages', () => {
  it.each<[string, string, boolean, boolean, boolean]>([
    // text, request, notification, response
    ['a request', '{"jsonrpc":"2.0","id":1,"method":"x"}', true, false, false],
    ['a request with the id 0', '{"jsonrpc":"2.0","id":0,"method":"x"}', true, false, false],
    ['a notification', '{"jsonrpc":"2.0","method":"x"}', false, true, false],
    ['a result', '{"jsonrpc":"2.0","id":1,"result":{}}', false, false, true],
    ['an error', '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}', false, false, true]
  ])('are told apart: %s', (_what, text, request, notification, response) => {
    const message = read(text).messages[0]!
    expect([isRequest(message), isNotification(message), isResponse(message)]).toEqual([request, notification, response])
  })

  it('tells a refusal from a result', () => {
    expect(isErrorResponse({ jsonrpc: '2.0', id: 1, error: { code: 1, message: '' } })).toBe(true)
    expect(isErrorResponse({ jsonrpc: '2.0', id: 1, result: {} })).toBe(false)
  })

  it('has the codes of JSON-RPC 2.0, section 5.1', () => {
    expect([PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR]).toEqual([
      -32700, -32600, -32601, -32602, -32603
    ])
  })
})

describe('encodeMessage', () => {
  it('writes one object on one line, never a batch', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(encodeMessage(message)).toMatch(/^\{.*\}$/)
      })
    )
  })

  it('names the method whose parameters cannot be written', () => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    const encode = (): string => encodeMessage({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: circle })
    expect(encode).toThrow(TypeError)
    expect(encode).toThrow(/the parameters of tools\/call cannot be written as JSON: .*circular/i)
  })

  it('says the same of a BigInt in a notification', () => {
    expect(() => encodeMessage({ jsonrpc: '2.0', method: 'notifications/x', params: { n: 1n } })).toThrow(
      /the parameters of notifications\/x cannot be written as JSON/
    )
  })

  it('speaks of the result in an answer', () => {
    const encode = (): string => encodeMessage({ jsonrpc: '2.0', id: 1, result: { n: 1n } })
    expect(encode).toThrow(TypeError)
    expect(encode).toThrow(/^the result cannot be written as JSON/)
  })

  it('keeps what was thrown as the cause, also if it is no error', () => {
    const params = {
      toJSON: (): never => {
        throw 'no way'
      }
    }
    const encode = (): string => encodeMessage({ jsonrpc: '2.0', id: 1, method: 'x', params })
    expect(encode).toThrow(expect.objectContaining({ cause: 'no way', message: 'the parameters of x cannot be written as JSON: no way' }))
  })
})

describe('an error of a peer', () => {
  const read = (error: unknown): unknown => {
    const messages: unknown[] = []
    parseText(JSON.stringify({ jsonrpc: '2.0', id: 1, error }), (message) => messages.push(message), fail)
    return (messages[0] as { error: unknown }).error
  }
  const fail = (): never => {
    throw new Error('it is a message')
  }

  it('comes through as it is', () => {
    expect(read({ code: -32000, message: 'no', data: { why: 1 } })).toEqual({ code: -32000, message: 'no', data: { why: 1 } })
  })

  it.each([
    [{}],
    [{ code: 'E_NO', message: 7 }],
    [{ code: 1.5, message: null }],
    [{ code: 2 ** 53 }],
    [{ code: null, message: { toString: 1 } }]
  ])('has a code and a message even if it came without: %j', (error) => {
    expect(read(error)).toEqual({ code: -32603, message: 'no message', data: undefined })
  })

  it('keeps the first 8192 characters of its message', () => {
    expect(read({ code: 1, message: 'x'.repeat(8193) })).toMatchObject({ message: 'x'.repeat(8192) })
  })
})

describe('jsonOf', () => {
  it('writes what JSON can hold', () => {
    expect(jsonOf({ a: [1, null] })).toBe('{"a":[1,null]}')
  })

  it('writes nothing for undefined, and for what is nested too deeply', () => {
    const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown
    expect([jsonOf(undefined), jsonOf(deep)]).toEqual(['', ''])
  })
})
