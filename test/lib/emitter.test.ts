import { describe, expect, it, vi } from 'vitest'
import { Emitter } from '../../src/lib/emitter.js'

interface Events {
  error: Error
  close: undefined
  failed: Error
}

const rig = (): { emitter: Emitter<Events>; thrown: unknown[][] } => {
  const thrown: unknown[][] = []
  return { emitter: new Emitter<Events>((error, event) => thrown.push([error, event])), thrown }
}

describe('an emitter', () => {
  it('delivers to all listeners in the order of their registration', () => {
    const { emitter } = rig()
    const seen: string[] = []
    emitter.on('error', () => seen.push('a'))
    emitter.on('error', () => seen.push('b'))
    emitter.emit('error', new Error('x'))
    expect(seen).toEqual(['a', 'b'])
  })

  it('delivers the payload as it is', () => {
    const { emitter } = rig()
    const listener = vi.fn()
    emitter.on('error', listener)
    const error = new Error('x')
    emitter.emit('error', error)
    expect(listener).toHaveBeenCalledExactlyOnceWith(error)
  })

  it('does nothing when nobody listens, error included', () => {
    const { emitter } = rig()
    expect(() => emitter.emit('error', new Error('x'))).not.toThrow()
  })

  it.each([undefined, {}])('throws for a listener that is %j', (listener) => {
    expect(() => rig().emitter.on('error', listener as never)).toThrow(new TypeError('listener must be a function'))
  })

  it('delivers what a listener emits after the event at hand', () => {
    const { emitter } = rig()
    const seen: string[] = []
    emitter.on('error', ({ message }) => {
      seen.push(`a:${message}`)
      if (message === '1') emitter.emit('error', new Error('2'))
    })
    emitter.on('error', ({ message }) => seen.push(`b:${message}`))
    emitter.emit('error', new Error('1'))
    expect(seen).toEqual(['a:1', 'b:1', 'a:2', 'b:2'])
  })

  it('delivers what a listener emits of what was queued after all that was queued before', () => {
    const { emitter } = rig()
    const seen: string[] = []
    emitter.on('error', ({ message }) => {
      seen.push(message)
      if (message === '1') for (const next of ['2', '3']) emitter.emit('error', new Error(next))
      if (message === '2') emitter.emit('error', new Error('4'))
    })
    emitter.on('error', ({ message }) => seen.push(`${message} again`))
    emitter.emit('error', new Error('1'))
    expect(seen).toEqual(['1', '1 again', '2', '2 again', '3', '3 again', '4', '4 again'])
  })

  it('delivers nothing while it is held, and then everything in order', () => {
    const { emitter } = rig()
    const seen: string[] = []
    emitter.on('error', ({ message }) => seen.push(message))
    emitter.hold(() => {
      emitter.emit('error', new Error('1'))
      emitter.hold(() => emitter.emit('error', new Error('2')))
      emitter.emit('error', new Error('3'))
      expect(seen).toEqual([])
    })
    expect(seen).toEqual(['1', '2', '3'])
    emitter.emit('error', new Error('4'))
    expect(seen).toEqual(['1', '2', '3', '4'])
  })

  it('goes on after a listener that throws, and tells', () => {
    const { emitter, thrown } = rig()
    const problem = new Error('bad')
    const after = vi.fn()
    emitter.on('close', () => {
      throw problem
    })
    emitter.on('close', after)
    emitter.emit('close', undefined)
    emitter.emit('close', undefined)
    expect(after).toHaveBeenCalledTimes(2)
    expect(thrown).toEqual([
      [problem, 'close'],
      [problem, 'close']
    ])
  })

  it('names the event at which a listener threw, even if it listens to several', () => {
    const { emitter, thrown } = rig()
    const listener = (): never => {
      throw new Error('bad')
    }
    emitter.on('close', listener)
    emitter.on('failed', listener)
    emitter.emit('failed', new Error('x'))
    expect(thrown.map(([, event]) => event)).toEqual(['failed'])
  })

  it('forgets a listener that is off, and no other', () => {
    const { emitter } = rig()
    const [one, two] = [vi.fn(), vi.fn()]
    emitter.on('close', one)
    emitter.on('close', two)
    emitter.off('close', one)
    emitter.off('close', () => undefined)
    emitter.emit('close', undefined)
    expect(one).not.toHaveBeenCalled()
    expect(two).toHaveBeenCalledOnce()
  })

  it('keeps a listener at one event when it is off at another', () => {
    const { emitter } = rig()
    const listener = vi.fn()
    emitter.on('close', listener)
    emitter.on('error', listener)
    emitter.off('error', listener)
    emitter.emit('close', undefined)
    emitter.emit('error', new Error('x'))
    expect(listener).toHaveBeenCalledOnce()
  })

  it('delivers once to a listener of once, even if it emits again', () => {
    const { emitter } = rig()
    const listener = vi.fn(() => emitter.emit('close', undefined))
    emitter.once('close', listener)
    emitter.emit('close', undefined)
    emitter.emit('close', undefined)
    expect(listener).toHaveBeenCalledOnce()
  })
})
