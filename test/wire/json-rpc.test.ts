import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeMessage,
  INTERNAL_ERROR,
  INVALID_PARAMS,
  INVALID_REQUEST,
  isErrorResponse,
  isRequest,
  isRequestId,
  isResponse,
  jsonOf,
  METHOD_NOT_FOUND,
  PARSE_ERROR,
  parseText,
  type Malformed
} from '../../src/wire/json-rpc.js'
import type { JsonRpcMessage, JsonRpcNotification } from '../../src/types/json-rpc.js'

function readAll(text: string): { messages: JsonRpcMessage[]; malformed: Malformed[] } {
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
const errorResponses = fc.record({ ...base, id: fc.oneof(ids, fc.constant(null)), error: errors }, { requiredKeys: ['jsonrpc', 'error'] })
const messages: fc.Arbitrary<JsonRpcMessage> = fc.oneof(requests, notifications, results, errorResponses)

describe('parseText', () => {
  it('never throws, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => {
        const { messages, malformed } = readAll(text)
        if (/^[\s\uFEFF\0\x1e]*$/.test(text)) expect([messages, malformed]).toEqual([[], []])
        else expect(messages.length + malformed.length).toBeGreaterThan(0)
      })
    )
  })

  it('takes every JSON value for exactly one message or problem, and every array element for one', () => {
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), messages, fc.array(fc.oneof(fc.jsonValue(), messages))), (value) => {
        const { messages, malformed } = readAll(JSON.stringify(value))
        expect(messages.length + malformed.length).toBe(Array.isArray(value) ? Math.max(1, value.length) : 1)
      })
    )
  })

  it('reads every valid message as it was written', () => {
    fc.assert(
      fc.property(messages, (message) => {
        // JSON knows no -0.
        expect(readAll(encodeMessage(message))).toEqual({ messages: [JSON.parse(JSON.stringify(message))], malformed: [] })
      })
    )
  })

  it('unpacks an array in its order, and goes on behind a bad element', () => {
    fc.assert(
      fc.property(fc.array(messages, { minLength: 1 }), fc.nat(), (batch, at) => {
        const place = at % (batch.length + 1)
        const wire = [...batch.slice(0, place), 'junk', ...batch.slice(place)]
        const { messages, malformed } = readAll(JSON.stringify(wire))
        expect(messages).toEqual(JSON.parse(JSON.stringify(batch)))
        expect(malformed).toEqual([{ problem: 'not a JSON object', kind: 'unknown' }])
      })
    )
  })

  it.each(['\n', '\r\n', ' \t\n'])('accepts white space around a message (%j)', (space) => {
    const text = '{"jsonrpc":"2.0","id":1,"result":{}}'
    expect(readAll(space + text + space).messages).toEqual([{ jsonrpc: '2.0', id: 1, result: {} }])
  })

  it.each(['', '\n', '\r\n', '  \t '])('takes the empty frame %j for nothing', (text) => {
    expect(readAll(text)).toEqual({ messages: [], malformed: [] })
  })

  it('accepts members that it does not know', () => {
    expect(readAll('{"jsonrpc":"2.0","id":1,"result":{},"extra":true}').messages).toHaveLength(1)
    expect(readAll('{"jsonrpc":"2.0","method":"x","result":1}').messages).toHaveLength(1)
  })

  it.each([
    ['without an id', '{"jsonrpc":"2.0","error":{"code":-32700,"message":"x"}}'],
    ['with a null id', '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"x"}}']
  ])('accepts an error response %s', (_what, text) => {
    expect(readAll(text).malformed).toEqual([])
    expect(readAll(text).messages).toHaveLength(1)
  })

  const notObject = 'not a JSON object'
  const version = '"jsonrpc" is not "2.0"'
  const badId = '"id" is not a string or safe integer'
  const params = '"params" is not an object'
  const oneOf = 'not exactly one of "result" and an "error" object'

  it.each<[string, string, Malformed['kind'], (number | string)?]>([
    ['{', 'not JSON', 'text'],
    ['hello', 'not JSON', 'text'],
    ['{"jsonrpc":"2.0","method":"a"}{"jsonrpc":"2.0","method":"b"}', 'not JSON', 'text'],
    ['[]', 'an empty array', 'unknown'],
    ['null', notObject, 'unknown'],
    ['1', notObject, 'unknown'],
    ['"text"', notObject, 'unknown'],
    ['true', notObject, 'unknown'],
    ['[[]]', notObject, 'unknown'],
    ['{}', version, 'unknown'],
    ['{"jsonrpc":"1.0","method":"x"}', version, 'notification'],
    ['{"jsonrpc":2,"method":"x"}', version, 'notification'],
    ['{"id":4,"result":{}}', version, 'response', 4],
    ['{"id":4,"method":"x"}', version, 'request', 4],
    ['{"jsonrpc":"2.0","method":1}', '"method" is not a string', 'request'],
    ['{"jsonrpc":"2.0","method":null,"id":1}', '"method" is not a string', 'request', 1],
    ['{"jsonrpc":"2.0","method":"x","id":null}', badId, 'request'],
    ['{"jsonrpc":"2.0","method":"x","id":1.5}', badId, 'request'],
    ['{"jsonrpc":"2.0","method":"x","id":9007199254740992}', badId, 'request'],
    ['{"jsonrpc":"2.0","method":"x","id":{}}', badId, 'request'],
    ['{"jsonrpc":"2.0","method":"x","params":[]}', params, 'notification'],
    ['{"jsonrpc":"2.0","method":"x","params":"y"}', params, 'notification'],
    ['{"jsonrpc":"2.0","id":5}', oneOf, 'unknown', 5],
    ['{"jsonrpc":"2.0","id":"s"}', oneOf, 'unknown', 's'],
    ['{"jsonrpc":"2.0","id":5,"result":{},"error":{}}', oneOf, 'response', 5],
    ['{"jsonrpc":"2.0","id":true,"result":{}}', badId, 'response'],
    ['{"jsonrpc":"2.0","id":null,"result":{}}', badId, 'response'],
    ['{"jsonrpc":"2.0","result":{}}', badId, 'response'],
    ['{"jsonrpc":"2.0","id":[1],"error":{}}', badId, 'response'],
    ['{"jsonrpc":"2.0","id":6,"error":"no"}', oneOf, 'response', 6],
    ['{"jsonrpc":"2.0","id":6,"error":null}', oneOf, 'unknown', 6],
    ['{"jsonrpc":"2.0","id":6,"error":[]}', oneOf, 'response', 6]
  ])('finds the fault of %s', (text, problem, kind, id) => {
    expect(readAll(text)).toEqual({ messages: [], malformed: [id === undefined ? { problem, kind } : { problem, kind, id }] })
  })

  it.each([
    ['params of a request', '{"jsonrpc":"2.0","id":8,"method":"ping","params":null}', { id: 8, method: 'ping' }],
    ['params of a notification', '{"jsonrpc":"2.0","method":"x","params":null}', { method: 'x' }],
    ['the error beside a result', '{"jsonrpc":"2.0","id":1,"result":{"a":null},"error":null}', { id: 1, result: { a: null } }],
    ['the error beside a result that is null', '{"jsonrpc":"2.0","id":1,"result":null,"error":null}', { id: 1, result: null }],
    [
      'the result beside an error',
      '{"jsonrpc":"2.0","id":1,"result":null,"error":{"code":1,"message":"no"}}',
      { id: 1, error: { code: 1, message: 'no' } }
    ],
    ['method and params of a response', '{"jsonrpc":"2.0","id":1,"method":null,"params":null,"result":{}}', { id: 1, result: {} }]
  ])('takes a null for a missing member: %s', (_what, text, expected) => {
    expect(readAll(text)).toEqual({ messages: [{ jsonrpc: '2.0', ...expected }], malformed: [] })
  })

  it.each([
    ['a byte order mark', '\uFEFF', ''],
    ['a byte order mark and a newline', '\uFEFF\r\n', '\n'],
    ['NUL', '', '\0\0'],
    ['record separators (RFC 7464)', '\x1e', '\n\x1e'],
    ['no-break spaces', '\u00A0', '\u2028']
  ])('skips what surrounds the JSON: %s', (_what, before, after) => {
    expect(readAll(`${before}{"jsonrpc":"2.0","id":1,"result":{}}${after}`)).toEqual({
      messages: [{ jsonrpc: '2.0', id: 1, result: {} }],
      malformed: []
    })
    expect(readAll(before + after)).toEqual({ messages: [], malformed: [] })
    expect(readAll(`${before}{${after}`).malformed).toEqual([{ problem: 'not JSON', kind: 'text' }])
  })

  it('reads a text with many spaces inside in one pass', () => {
    // What looks at them again for each of them takes minutes.
    const spaces = ' '.repeat(1_000_000)
    expect(readAll(`x${spaces}x`).malformed).toEqual([{ problem: 'not JSON', kind: 'text' }])
    expect(readAll(`${spaces}{"jsonrpc":"2.0","method":"x"}${spaces}\0`).messages).toHaveLength(1)
  })

  it('shows nothing of the payload in a problem', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (rest) => {
        const { malformed } = readAll(JSON.stringify({ ...rest, jsonrpc: '3.0', id: 'x', secret: 'Xq7Zw' }))
        expect(JSON.stringify(malformed)).not.toContain('Xq7Zw')
      })
    )
  })
})

describe('parseText with another parser', () => {
  /** A parser that writes each number as an object which remembers how it was read. */
  class Exact {
    readonly #text: string
    constructor(text: string) {
      this.#text = text
    }
    valueOf(): number {
      return Number(this.#text)
    }
  }
  /** JSON in which a string such as "#7" stands for the number as that parser has it, and "#7n" for a BigInt. */
  const read = (value: unknown, parsed: object[] = []): JsonRpcMessage[] => {
    const parse = (text: string): unknown => {
      const result: unknown = JSON.parse(text, (_key, member: unknown) => {
        if (typeof member !== 'string' || !member.startsWith('#')) return member
        return member.endsWith('n') ? BigInt(member.slice(1, -1)) : new Exact(member.slice(1))
      })
      parsed.push(result as object)
      return result
    }
    const messages: JsonRpcMessage[] = []
    const json = { parse, stringify: JSON.stringify }
    parseText(
      JSON.stringify(value),
      (message) => messages.push(message),
      ({ problem }) => {
        throw new Error(problem)
      },
      json
    )
    return messages
  }

  it.each(['#7', '#7n', 7])('takes ids, error codes and what it compares itself as numbers: %s', (seven) => {
    expect(read({ jsonrpc: '2.0', id: seven, result: {} })).toEqual([{ jsonrpc: '2.0', id: 7, result: {} }])
    const errorOf = (n: unknown): object => ({ code: n, message: 'no', data: { retryAfterMs: n } })
    expect(read({ jsonrpc: '2.0', id: seven, error: errorOf(seven) })).toEqual([{ jsonrpc: '2.0', id: 7, error: errorOf(7) }])
    const paramsOf = (n: unknown): object => ({
      requestId: n,
      progressToken: n,
      progress: n,
      total: n,
      _meta: { 'io.modelcontextprotocol/subscriptionId': n }
    })
    expect(read({ jsonrpc: '2.0', method: 'x', params: paramsOf(seven) })).toEqual([{ jsonrpc: '2.0', method: 'x', params: paramsOf(7) }])
  })

  it('leaves all other numbers as the parser made them, and params without any of these the same object', () => {
    const parsed: object[] = []
    const [message] = read({ jsonrpc: '2.0', method: 'x', params: { amount: '#7', progressToken: 'a' } }, parsed)
    const params = (message as JsonRpcNotification).params
    expect(params?.amount).toBeInstanceOf(Exact)
    expect(params).toBe((parsed[0] as { params: object }).params)
    const [mixed] = read({ jsonrpc: '2.0', method: 'x', params: { amount: '#7', progress: '#1n' } })
    expect(mixed).toMatchObject({ params: { progress: 1 } })
    expect((mixed as JsonRpcNotification).params?.amount).toBeInstanceOf(Exact)
  })

  it('adds no id to what has none, and changes nothing that was parsed', () => {
    const parsed: object[] = []
    const [message] = read({ jsonrpc: '2.0', method: 'x', params: { progress: '#1' } }, parsed)
    expect(Object.keys(message ?? {})).toEqual(['jsonrpc', 'method', 'params'])
    expect((parsed[0] as { params: { progress: unknown } }).params.progress).toBeInstanceOf(Exact)
  })

  it('says of what is no object what it says of it with JSON', () => {
    expect(() => read('text')).toThrow('not a JSON object')
  })
})

describe('parseText on keys of the prototype', () => {
  it('takes __proto__ for a key like any other', () => {
    const { messages } = readAll('{"jsonrpc":"2.0","method":"x","__proto__":{"id":1}}')
    expect(messages).toHaveLength(1)
    expect(messages.map(isRequest)).toEqual([false])
  })

  it('does not find members in what __proto__ names', () => {
    expect(readAll('{"__proto__":{"jsonrpc":"2.0","method":"x"}}').malformed).toHaveLength(1)
    expect(readAll('{"jsonrpc":"2.0","id":1,"__proto__":{"result":{}}}').malformed).toHaveLength(1)
  })

  it('leaves the prototype of all objects as it was', () => {
    readAll('{"jsonrpc":"2.0","method":"x","params":{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}}')
    expect({}).not.toHaveProperty('polluted')
  })
})

describe('the kinds of messages', () => {
  it.each<[string, string, boolean, boolean]>([
    // text, request, response
    ['a request', '{"jsonrpc":"2.0","id":1,"method":"x"}', true, false],
    ['a request with the id 0', '{"jsonrpc":"2.0","id":0,"method":"x"}', true, false],
    ['a notification', '{"jsonrpc":"2.0","method":"x"}', false, false],
    ['a result', '{"jsonrpc":"2.0","id":1,"result":{}}', false, true],
    ['an error response', '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}', false, true],
    ['an error response without an id', '{"jsonrpc":"2.0","error":{"code":1,"message":""}}', false, true]
  ])('are told apart: %s', (_what, text, request, response) => {
    const message = readAll(text).messages[0]!
    expect([isRequest(message), isResponse(message)]).toEqual([request, response])
  })

  it('tells an error response from a result', () => {
    expect(isErrorResponse({ jsonrpc: '2.0', id: 1, error: { code: 1, message: '' } })).toBe(true)
    expect(isErrorResponse({ jsonrpc: '2.0', id: 1, result: {} })).toBe(false)
  })

  it('has the codes of JSON-RPC 2.0, section 5.1', () => {
    expect([PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, INTERNAL_ERROR]).toEqual([
      -32700, -32600, -32601, -32602, -32603
    ])
  })
})

describe('isRequestId', () => {
  it.each([0, -0, 1, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, '', 'a'])('accepts %j', (id) => {
    expect(isRequestId(id)).toBe(true)
  })

  it.each([undefined, null, true, 1.5, NaN, Infinity, 2 ** 53, -(2 ** 53), 1n, {}, [1]])('does not accept %s', (id) => {
    expect(isRequestId(id)).toBe(false)
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

  it('speaks of the result in a response', () => {
    const encode = (): string => encodeMessage({ jsonrpc: '2.0', id: 1, result: { n: 1n } })
    expect(encode).toThrow(TypeError)
    expect(encode).toThrow(/^the result cannot be written as JSON/)
  })

  it('keeps what was thrown as the cause, even if it is not an error', () => {
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
    expect(read({ code: 1, message: 'x'.repeat(8192) })).toMatchObject({ message: 'x'.repeat(8192) })
    expect(read({ code: 1, message: `${'x'.repeat(8192)}y` })).toMatchObject({ message: 'x'.repeat(8192) })
  })

  it('leaves the rest of the response as it was', () => {
    const { messages } = readAll('{"jsonrpc":"2.0","id":"a","error":{"code":"bad"},"extra":true}')
    expect(messages).toEqual([{ jsonrpc: '2.0', id: 'a', error: { code: -32603, message: 'no message', data: undefined }, extra: true }])
  })
})

describe('jsonOf', () => {
  it('writes a BigInt as a string', () => {
    expect(jsonOf({ a: 7n })).toBe('{"a":"7"}')
  })

  it('writes what JSON can hold', () => {
    expect(jsonOf({ a: [1, null] })).toBe('{"a":[1,null]}')
  })

  it('writes nothing for undefined, for a function, and for a value that is nested too deeply', () => {
    const deep = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown
    expect([jsonOf(undefined), jsonOf(() => 1), jsonOf(deep)]).toEqual(['', '', ''])
  })
})
