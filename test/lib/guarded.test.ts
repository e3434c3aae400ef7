import { describe, expect, it } from 'vitest'
import { asError, decided, guarded } from '../../src/lib/guarded.js'

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

describe('guarded, of an async callback', () => {
  const failing: Record<string, () => unknown> = {
    'a promise': () => Promise.reject('no'),
    'a thenable': () => ({ then: (_resolve: unknown, reject: (thrown: unknown) => void) => reject('no') }),
    'a thenable that throws': () => ({
      then: () => {
        throw 'no'
      }
    })
  }

  it.each(Object.entries(failing))('reports what %s rejects with, as an error', async (_what, callback) => {
    const heard: Error[] = []
    guarded(callback, (error) => heard.push(error))
    await new Promise(setImmediate)
    expect(heard).toEqual([new Error('no')])
  })

  it('returns its promise, and reports nothing if it succeeds', async () => {
    const heard: Error[] = []
    await expect(
      guarded(
        () => Promise.resolve(1),
        (error) => heard.push(error)
      )
    ).resolves.toBe(1)
    expect(heard).toEqual([])
  })
})

describe('decided', () => {
  const ask = (callback: () => unknown): { decision: boolean | undefined; heard: Error[] } => {
    const heard: Error[] = []
    return { decision: decided('mayI', callback, (error) => heard.push(error)), heard }
  }

  it.each([true, false, undefined])('takes %s', (decision) => {
    expect(ask(() => decision)).toEqual({ decision, heard: [] })
  })

  it.each([null, 1, 'yes', Promise.resolve(true)])('is the default for %s, and reports it', (decision) => {
    const heard = [new TypeError('mayI must return true, false or undefined, and not a promise')]
    expect(ask(() => decision)).toEqual({ decision: undefined, heard })
  })

  it('reports a promise, and then what it rejects with', async () => {
    const { heard } = ask(() => Promise.reject(new Error('no')))
    await new Promise(setImmediate)
    expect(heard).toEqual([expect.any(TypeError), new Error('no')])
  })
})
