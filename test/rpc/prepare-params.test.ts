import { describe, expect, it } from 'vitest'
import { prepareParams } from '../../src/rpc/prepare-params.js'
import { requestMeta } from '../../src/session/handshake.js'
import type { Params } from '../../src/types/json-rpc.js'

const META = requestMeta({ clientInfo: { name: 'test', version: '1' }, capabilities: { roots: {} } }, 'info')

describe('prepareParams', () => {
  it.each<[string, Params | undefined]>([
    ['no params', undefined],
    ['params without _meta', { name: 'echo' }]
  ])('gives back %s', (_what, params) => {
    expect(prepareParams(params)).toBe(params)
  })

  it('puts _meta first', () => {
    expect(Object.keys(prepareParams({ name: 'echo', _meta: { a: 1 } }) ?? {})).toEqual(['_meta', 'name'])
  })

  it('takes away what the client itself writes, and _meta if nothing else is in it', () => {
    expect(prepareParams({ name: 'echo', _meta: { ...META, 'com.example/trace': 1 } })).toEqual({
      name: 'echo',
      _meta: { 'com.example/trace': 1 }
    })
    expect(prepareParams({ name: 'echo', _meta: META })).toEqual({ name: 'echo' })
  })

  it.each([[null], ['trace'], [['trace']]])('takes a _meta that is no object for none: %j', (_meta) => {
    expect(prepareParams({ name: 'echo', _meta: _meta as never })).toEqual({ name: 'echo' })
  })

  it('leaves the object of the caller as it is', () => {
    const params = { name: 'echo', _meta: { ...META } }
    const before = JSON.stringify(params)
    prepareParams(params)
    expect(JSON.stringify(params)).toBe(before)
  })
})
