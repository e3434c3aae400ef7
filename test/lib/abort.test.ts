import { describe, expect, it } from 'vitest'
import { abort, reasonOf, throwIfAborted } from '../../src/lib/abort.js'

/** A signal as React Native has it: without `reason`. */
const poorSignal = (aborted: boolean): AbortSignal => ({ aborted }) as AbortSignal

describe('the reason of a signal', () => {
  it('is the one that it was aborted with', () => {
    const reason = new Error('enough')
    expect(reasonOf(AbortSignal.abort(reason))).toBe(reason)
    expect(reasonOf(AbortSignal.abort(null))).toBeNull()
  })

  it('is an AbortError where signals have none', () => {
    expect(reasonOf(poorSignal(true))).toMatchObject({ name: 'AbortError', message: 'This operation was aborted' })
  })

  it('is found after abort(), also where controllers take none', () => {
    const reason = new Error('enough')
    const controller = new AbortController()
    abort(controller, reason)
    expect([controller.signal.aborted, reasonOf(controller.signal)]).toEqual([true, reason])
    const signal = poorSignal(false)
    const calls: unknown[] = []
    abort({ signal, abort: () => calls.push('abort') }, reason)
    expect([calls, reasonOf(signal)]).toEqual([['abort'], reason])
  })

  it('is thrown if the signal fired, and only then', () => {
    const reason = new Error('enough')
    expect(() => throwIfAborted(AbortSignal.abort(reason))).toThrow(reason)
    expect(() => throwIfAborted(new AbortController().signal)).not.toThrow()
    expect(() => throwIfAborted(undefined)).not.toThrow()
  })

  it('is looked for in nothing but a signal, be it one of a polyfill', () => {
    const half = { aborted: false, addEventListener: () => undefined }
    for (const wrong of [new AbortController(), 'x', 0, false, {}, half, new EventTarget(), poorSignal(true)])
      expect(() => throwIfAborted(wrong as AbortSignal)).toThrow(new TypeError('signal must be an AbortSignal'))
    expect(() => throwIfAborted({ ...half, removeEventListener: () => undefined } as object as AbortSignal)).not.toThrow()
    // As for fetch.
    expect(() => throwIfAborted(null)).not.toThrow()
  })
})
