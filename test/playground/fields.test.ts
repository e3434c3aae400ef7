import { describe, expect, test } from 'vitest'
import { fieldsOf, valueOf, type Field } from '../../docs/playground/page/fields.js'

/** The field that a form has for a property. */
const fieldFor = (property: unknown, required: string[] = []): Field => fieldsOf({ properties: { it: property }, required })[0]!

describe('a property', () => {
  test.each([
    ['a string', { type: 'string' }, 'text'],
    ['a string or null', { type: ['string', 'null'] }, 'text'],
    ['a number', { type: 'number' }, 'number'],
    ['an integer', { type: 'integer' }, 'number'],
    ['a boolean', { type: 'boolean' }, 'check'],
    ['an enum', { type: 'string', enum: ['a'] }, 'choice'],
    ['constants with titles', { oneOf: [{ const: 1, title: 'One' }] }, 'choice'],
    ['one of several schemas', { oneOf: [{ type: 'string' }, { const: 1 }] }, 'json'],
    ['a string or a number', { type: ['string', 'number'] }, 'json'],
    ['an array', { type: 'array' }, 'json'],
    ['an object', { type: 'object' }, 'json'],
    ['anything', true, 'json']
  ])('that is %s gets a field of its kind', (_what, property, kind) => {
    expect(fieldFor(property)).toMatchObject({ name: 'it', label: 'it', kind, required: false })
  })

  test('brings its title, description and default, and the limits that an input knows', () => {
    const property = { type: 'integer', title: 'Count', description: 'How far', default: 3, minimum: 1, maximum: 9, multipleOf: 2 }
    expect(fieldFor(property, ['it'])).toMatchObject({
      label: 'Count',
      hint: 'How far',
      initial: 3,
      required: true,
      limits: { min: '1', max: '9', step: '1' }
    })
  })

  test('that is chosen from a list shows titles where there are some', () => {
    expect(fieldFor({ enum: ['a', 2], enumNames: ['A'] }).choices).toEqual([
      { value: 'a', title: 'A' },
      { value: 2, title: '2' }
    ])
  })
})

test.each([{}, { properties: [] }, { properties: null }])('the schema %j has no fields', (schema) => {
  expect(fieldsOf(schema)).toEqual([])
})

describe('the value of an input', () => {
  test.each([
    ['a text', { type: 'string' }, ' x ', ' x '],
    ['a number', { type: 'number' }, '1.5', 1.5],
    ['a checked box', { type: 'boolean' }, true, true],
    ['a choice', { enum: ['a', 2] }, '1', 2],
    ['JSON', { type: 'array' }, '[1]', [1]],
    ['an empty number', { type: 'number' }, '', undefined],
    ['an empty text that is optional', { type: 'string' }, '', undefined]
  ])('for %s is what its schema wants', (_what, property, input, value) => {
    expect(valueOf(fieldFor(property), input)).toEqual(value)
  })

  test('for an empty text that is required is an empty text', () => {
    expect(valueOf(fieldFor({ type: 'string' }, ['it']), '')).toBe('')
  })

  test('for what is no JSON is an error', () => {
    expect(() => valueOf(fieldFor({ type: 'object' }), '{')).toThrow(SyntaxError)
  })
})
