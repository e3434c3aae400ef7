import { describe, expect, it } from 'vitest'
import {
  checkOptions,
  completeOptions,
  COUNT,
  FACTOR,
  FUNCTION,
  listOf,
  MS,
  NONE,
  OBJECT,
  POSITIVE,
  REQUIRED,
  STRING,
  LINE,
  type Accepted,
  type Rules
} from '../../src/lib/option-rules.js'

const RULES: Rules = {
  name: [REQUIRED, LINE, FUNCTION],
  size: [5, COUNT, Infinity],
  mode: ['fast', 'fast', 'slow'],
  extra: [NONE, OBJECT],
  retry: [{}, { delay: [100, MS], limits: [{}, { most: [3, POSITIVE] }] }, false]
}

const DEFAULTS = { name: 'a', size: 5, mode: 'fast', extra: undefined, retry: { delay: 100, limits: { most: 3 } } }

describe('the completed options', () => {
  it('have the default of whatever was left out or is undefined, in every level', () => {
    expect(completeOptions({ name: 'a' }, RULES)).toEqual(DEFAULTS)
    expect(completeOptions({ name: 'a', size: undefined, retry: { delay: undefined } }, RULES)).toEqual(DEFAULTS)
  })

  it('have what was given, in every level', () => {
    const given = { name: () => 'a', size: Infinity, mode: 'slow', extra: { any: 'thing' }, retry: { limits: { most: 1 } } }
    expect(completeOptions(given, RULES)).toEqual({ ...given, retry: { delay: 100, limits: { most: 1 } } })
    expect(completeOptions({ name: 'a', retry: false }, RULES)).toMatchObject({ retry: false })
  })

  it('are a copy', () => {
    const given = { name: 'a', retry: { delay: 1 } }
    completeOptions(given, RULES)
    expect(given).toEqual({ name: 'a', retry: { delay: 1 } })
  })
})

describe('a wrong option', () => {
  it.each([
    [{}, 'name must be given'],
    [{ name: null }, 'name must be given'],
    [{ name: '' }, 'name must be a non-empty string without line breaks or a function'],
    [{ name: 'a', size: -1 }, 'size must be a whole number of at least 0 or Infinity'],
    [{ name: 'a', mode: 'FAST' }, 'mode must be fast or slow'],
    [{ name: 'a', extra: [] }, 'extra must be an object'],
    [{ name: 'a', retry: true }, 'retry must be an object or false'],
    [{ name: 'a', retry: { delay: 0 } }, 'retry.delay must be a positive number'],
    [{ name: 'a', retry: { limits: { most: 0 } } }, 'retry.limits.most must be a whole number of at least 1']
  ])('is named, and its value is not: %j', (given, message) => {
    expect(() => completeOptions(given, RULES)).toThrow(new TypeError(message))
  })
})

describe('an unknown option', () => {
  it.each<[given: object, message: string]>([
    [{ sizes: 1 }, 'unknown option sizes: did you mean size?'],
    [{ NAME: 'a' }, 'unknown option NAME: did you mean name?'],
    [{ naame: 'a' }, 'unknown option naame: did you mean name?'],
    [{ retrys: false }, 'unknown option retrys: did you mean retry?'],
    [{ sizes: undefined }, 'unknown option sizes: did you mean size?'],
    [{ name: 'a', retry: { dellay: 1 } }, 'unknown option retry.dellay: did you mean retry.delay?'],
    [{ name: 'a', retry: { limits: { mosst: 1 } } }, 'unknown option retry.limits.mosst: did you mean retry.limits.most?']
  ])('is named, with the nearest one: %j', (given, message) => {
    expect(() => completeOptions(given, RULES)).toThrow(new TypeError(message))
  })

  it('that belongs inside of another is named with its place', () => {
    expect(() => checkOptions({ delay: 1 }, RULES)).toThrow(new TypeError('unknown option delay: did you mean retry.delay?'))
    expect(() => checkOptions({ most: 1 }, RULES)).toThrow(new TypeError('unknown option most: did you mean retry.limits.most?'))
  })

  it.each(['q', 'noma', 'retries', 'wholly-different', 'toString', ''])('%j is like no other, and none is suggested', (name) => {
    expect(() => checkOptions({ [name]: 1 }, RULES)).toThrow(new TypeError(`unknown option ${name}`))
  })

  it('that several others end like is ambiguous, and none is suggested', () => {
    const rules: Rules = { dialTimeout: [1, MS], callTimeout: [1, MS], pulse: [{}, { timeout: [1, MS], interval: [1, MS] }] }
    expect(() => checkOptions({ timeout: 1 }, rules)).toThrow(new TypeError('unknown option timeout'))
    expect(() => checkOptions({ interval: 1 }, rules)).toThrow(new TypeError('unknown option interval: did you mean pulse.interval?'))
  })

  it('may be in an object that has no rules', () => {
    expect(completeOptions({ name: 'a', extra: { any: 1 } }, RULES)).toMatchObject({ extra: { any: 1 } })
  })
})

describe('a kind', () => {
  const LIST = listOf('a list of different digits', (each) => /^\d$/.test(each))

  it.each<[name: string, accepted: Accepted, right: unknown[], wrong: unknown[]]>([
    ['OBJECT', OBJECT, [{}, new Date()], [null, [], 'a', 5, () => 1]],
    ['FUNCTION', FUNCTION, [() => 1, Date], ['a', {}, null]],
    ['STRING', STRING, ['', 'a'], [5, null, {}]],
    ['LINE', LINE, ['a', 'two words'], ['', 5, null, 'a\n', '\na', 'a\nb']],
    ['MS', MS, [0.5, 1, 1e9], [0, -1, NaN, Infinity, '5', null]],
    ['FACTOR', FACTOR, [1, 1.5], [0.5, Infinity, '2']],
    ['COUNT', COUNT, [0, 5], [-1, 0.5, Infinity, 2 ** 53, '5']],
    ['POSITIVE', POSITIVE, [1], [0, 1.5, Infinity]],
    ['listOf', LIST, [[], ['1', '2']], ['1', ['a'], ['1', '1'], [1], {}, null]],
    ['a single value', 5, [5], ['5', 6, null]]
  ])('%s accepts what it says, and nothing else', (_name, accepted, right, wrong) => {
    const complete = (value: unknown) => completeOptions({ value }, { value: [REQUIRED, accepted] })
    for (const value of right) expect(complete(value)).toEqual({ value })
    for (const value of wrong) expect(() => complete(value), JSON.stringify(value)).toThrow(TypeError)
  })
})

it.each([undefined, null, 5, [], 'wss://example.com/ws'])('%j is not an object of options', (options) => {
  expect(() => checkOptions(options, RULES)).toThrow(new TypeError('options must be an object'))
})
