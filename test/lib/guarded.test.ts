import { describe, expect, it } from 'vitest'
import { asError, guarded, guardedAsync } from '../../src/lib/guarded.js'

describe('asError', () => {
  it('is the very error that was thrown', () => {
    const thrown = new TypeError('no')
    expect(asError(thrown)).toBe(thrown)
  })

  it.each([
    ['text', 'text'],
    [7, '7'],
    [undefined, 'undefined'],
    [null, 'null']
  ])('makes an error of %j', (thrown, message) => {
    expect(asError(thrown)).toBeInstanceOf(Error)
    expect(asError(thrown).message).toBe(message)
  })
})

describe('guarded', () => {
  const unheard = (error: Error): never => {
    throw error
  }

  it.each([1, undefined, false])('returns what the callback returns (%s)', (value) => {
    expect(guarded(() => value, unheard)).toBe(value)
  })

  it('reports what the callback throws, as an error, and returns undefined', () => {
    const heard: Error[] = []
    const throwing = (): number => {
      throw 'no'
    }
    expect(guarded(throwing, (error) => heard.push(error))).toBeUndefined()
    expect(heard).toEqual([new Error('no')])
  })

  it('reports even what no text can be made of', () => {
    const heard: Error[] = []
    const throwing = (): never => {
      throw Object.create(null)
    }
    guarded(throwing, (error) => heard.push(error))
    expect(heard).toEqual([new Error('a value was thrown that cannot be written as text')])
  })
})

describe('guardedAsync', () => {
  const failing: Record<string, () => unknown> = {
    throws: () => {
      throw 'no'
    },
    'rejects with': () => Promise.reject('no')
  }

  it.each(Object.entries(failing))('reports what the callback %s, as an error', async (_how, callback) => {
    const heard: Error[] = []
    guardedAsync(callback, (error) => heard.push(error))
    await Promise.resolve()
    expect(heard).toEqual([new Error('no')])
  })

  it('reports nothing of a callback that succeeds', async () => {
    const heard: Error[] = []
    for (const callback of [() => 1, () => undefined, () => Promise.resolve(1)]) guardedAsync(callback, (error) => heard.push(error))
    await Promise.resolve()
    expect(heard).toEqual([])
  })
})
