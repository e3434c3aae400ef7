import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { withRequestMeta } from '../../src/client/request-meta.js'
import { prepareParams } from '../../src/rpc/prepare-params.js'
import { requestMeta } from '../../src/session/handshake.js'
import type { Params } from '../../src/types/json-rpc.js'

const META = requestMeta({ clientInfo: { name: 'test', version: '1' }, capabilities: { roots: {} } }, 'info')
const MEMBERS = JSON.stringify(META).slice(1, -1)

const textOf = (params?: Params, method = 'tools/call'): string => JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })

/** What a request is as a modern server reads it. */
const stamped = (params?: Params, method?: string): unknown => JSON.parse(withRequestMeta(textOf(prepareParams(params), method), MEMBERS))

describe('withRequestMeta', () => {
  it.each<[string, Params | undefined]>([
    ['without params', undefined],
    ['with empty params', {}],
    ['with params', { name: 'echo', arguments: { a: { b: {} } } }],
    ['with a progress token', { name: 'echo', _meta: { progressToken: 't' } }],
    ['with an empty _meta', { _meta: {}, name: 'echo' }],
    ['with meta of the program', { _meta: { 'com.example/trace': '1' } }],
    ['whose params hold the very words', { name: ',"params":{"_meta":{', arguments: { _meta: { x: 1 }, params: { _meta: {} } } }]
  ])('gives a request %s the members, and keeps the rest', (_what, params) => {
    expect(stamped(params)).toEqual({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { ...params, _meta: { ...params?._meta, ...META } }
    })
  })

  it('is not misled by a method', () => {
    const method = 'x","params":{"_meta":{'
    expect(stamped({ a: 1 }, method)).toEqual({ jsonrpc: '2.0', id: 1, method, params: { a: 1, _meta: META } })
  })

  it('lets no member of the program stand in for one of the client', () => {
    const text = withRequestMeta(textOf(prepareParams({ _meta: { 'io.modelcontextprotocol/protocolVersion': 'x' } })), MEMBERS)
    expect(text.match(/protocolVersion/g)).toHaveLength(1)
    expect(JSON.parse(text)).toMatchObject({ params: { _meta: META } })
  })

  it('leaves params alone that write themselves as a text', () => {
    const text = textOf({ toJSON: () => 'text' })
    expect(withRequestMeta(text, MEMBERS)).toBe(text)
  })

  it('makes of any params what a parser would', () => {
    const params = fc.dictionary(fc.string(), fc.jsonValue())
    const meta = fc.option(fc.dictionary(fc.string(), fc.jsonValue()), { nil: undefined })
    fc.assert(
      fc.property(params, meta, fc.string(), (rest, _meta, method) => {
        const given = JSON.parse(JSON.stringify({ ...rest, _meta })) as Params
        expect(stamped(given, method)).toEqual({ jsonrpc: '2.0', id: 1, method, params: { ...given, _meta: { ...given._meta, ...META } } })
      })
    )
  })
})
