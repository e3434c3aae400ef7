import { describe, expect, it } from 'vitest'
import { applyDefaults } from '../../src/client/elicitation.js'
import type { Params } from '../../src/types/json-rpc.js'

const PARAMS: Params = {
  message: 'Who are you?',
  requestedSchema: {
    type: 'object',
    properties: {
      name: { type: 'string', default: 'nobody' },
      age: { type: 'integer', default: 0 },
      news: { type: 'boolean', default: false },
      colours: { type: 'array', default: ['red'] },
      city: { type: 'string' },
      broken: null
    }
  }
}

describe('applyDefaults', () => {
  it('completes what the user left out, falsy defaults included', () => {
    expect(applyDefaults(PARAMS, { action: 'accept', content: { name: 'Ada' } })).toEqual({
      action: 'accept',
      content: { name: 'Ada', age: 0, news: false, colours: ['red'] }
    })
  })

  it('completes a form without any content', () => {
    expect(applyDefaults(PARAMS, { action: 'accept' })).toEqual({
      action: 'accept',
      content: { name: 'nobody', age: 0, news: false, colours: ['red'] }
    })
  })

  it('keeps every answer of the user, falsy ones included', () => {
    const content = { name: '', age: 7, news: true, colours: [], city: 'Ulm' }
    expect(applyDefaults(PARAMS, { action: 'accept', content })).toEqual({ action: 'accept', content })
  })

  it('takes a member that is undefined, and so never reaches the wire, for left out', () => {
    expect(applyDefaults(PARAMS, { action: 'accept', content: { name: undefined, age: 1, news: true, colours: [] } })).toEqual({
      action: 'accept',
      content: { name: 'nobody', age: 1, news: true, colours: [] }
    })
  })

  it('keeps further members of the result', () => {
    expect(applyDefaults({ requestedSchema: { properties: {} } }, { action: 'accept', _meta: { a: 1 } })).toEqual({
      action: 'accept',
      content: {},
      _meta: { a: 1 }
    })
  })

  it('changes neither the schema nor the result that it is given', () => {
    const result = Object.freeze({ action: 'accept', content: Object.freeze({ age: 3 }) })
    const before = JSON.stringify(PARAMS)
    expect(applyDefaults(PARAMS, result)).not.toBe(result)
    expect(JSON.stringify(PARAMS)).toBe(before)
  })

  it.each<[string, Params | undefined, unknown]>([
    ['a decline', PARAMS, { action: 'decline' }],
    ['a cancellation', PARAMS, { action: 'cancel' }],
    ['a request without params', undefined, { action: 'accept' }],
    ['a request without a schema', { message: 'x' }, { action: 'accept' }],
    ['a schema without properties', { requestedSchema: { type: 'object' } }, { action: 'accept' }],
    ['a schema that is none', { requestedSchema: 'object' }, { action: 'accept' }],
    ['a result that is no object', PARAMS, 'accept'],
    ['no result', PARAMS, undefined],
    ['a null result', PARAMS, null]
  ])('returns the result of %s as it is', (_what, params, result) => {
    expect(applyDefaults(params, result)).toBe(result)
  })
})
