import { describe, expect, it, vi } from 'vitest'
import { Waits, type Waiter } from '../../src/lib/waits.js'
import { FakeClock, settle } from '../helpers/fake-clock.js'

type End = 'deadline' | AbortSignal

function rig(): { clock: FakeClock; waits: Waits; over: [name: string, by: End][]; item: (name: string) => Waiter } {
  const clock = new FakeClock()
  const over: [string, End][] = []
  const waits = new Waits(clock)
  const item = (name: string): Waiter => {
    const waiter: Waiter = {
      dueAt: 0,
      slot: -1,
      onDue: () => {
        over.push([name, 'deadline'])
        waits.end(waiter)
      },
      onAbort: (signal) => {
        over.push([name, signal])
        waits.end(waiter, signal)
      }
    }
    return waiter
  }
  return { clock, waits, over, item }
}

const never = (): Promise<void> => new Promise(() => undefined)

describe('a wait', () => {
  it('is over at its deadline, on one timer for all', async () => {
    const { clock, waits, over, item } = rig()
    waits.begin(item('c'), 12)
    waits.begin(item('a'), 10)
    waits.begin(item('b'), 11)
    expect(clock.pendingCount).toBe(1)
    await clock.advance(9)
    expect(over).toEqual([])
    await clock.advance(3)
    expect(over).toEqual([
      ['a', 'deadline'],
      ['b', 'deadline'],
      ['c', 'deadline']
    ])
    expect(clock.pendingCount).toBe(0)
  })

  it('is over when its signal fires, or at once if that has fired', () => {
    const { waits, over, item } = rig()
    const controller = new AbortController()
    waits.begin(item('a'), Infinity, controller.signal)
    controller.abort()
    waits.begin(item('b'), Infinity, controller.signal)
    expect(over).toEqual([
      ['a', controller.signal],
      ['b', controller.signal]
    ])
  })

  it('has another deadline if it is moved, or none', async () => {
    const { clock, waits, over, item } = rig()
    const [moved, endless] = [item('moved'), item('endless')]
    waits.begin(moved, 10)
    waits.begin(endless, 10)
    waits.setDeadline(moved, 20)
    waits.setDeadline(endless, Infinity)
    await clock.advance(19)
    expect(over).toEqual([])
    await clock.advance(1)
    expect(over).toEqual([['moved', 'deadline']])
  })

  it('is not over when its owner has ended it', async () => {
    const { clock, waits, over, item } = rig()
    const controller = new AbortController()
    const one = item('a')
    waits.begin(one, 10, controller.signal)
    waits.end(one, controller.signal)
    controller.abort()
    await clock.advance(10)
    expect(over).toEqual([])
    expect(clock.pendingCount).toBe(0)
  })

  it('shares one listener with all others of its signal, which goes with the last of them', () => {
    const { waits, item } = rig()
    const { signal } = new AbortController()
    const added = vi.spyOn(signal, 'addEventListener')
    const removed = vi.spyOn(signal, 'removeEventListener')
    const items = Array.from({ length: 100 }, (_, index) => item(String(index)))
    for (const each of items) waits.begin(each, Infinity, signal)
    expect(added).toHaveBeenCalledOnce()
    for (const each of items) {
      expect(removed).not.toHaveBeenCalled()
      waits.end(each, signal)
    }
    expect(removed).toHaveBeenCalledOnce()
  })

  it('may be ended by the end of another of the same signal', () => {
    const waits = new Waits(new FakeClock())
    const controller = new AbortController()
    const over: string[] = []
    const item = (name: string): Waiter => ({
      dueAt: 0,
      slot: -1,
      onDue: () => undefined,
      onAbort: () => {
        over.push(name)
        waits.end(one, controller.signal)
        waits.end(two, controller.signal)
      }
    })
    const [one, two] = [item('one'), item('two')]
    waits.begin(one, Infinity, controller.signal)
    waits.begin(two, Infinity, controller.signal)
    controller.abort()
    expect(over).toEqual(['one'])
  })
})

describe('until', () => {
  it('settles as the work does, and leaves nothing', async () => {
    const { clock, waits } = rig()
    const { signal } = new AbortController()
    const removed = vi.spyOn(signal, 'removeEventListener')
    await expect(waits.until(() => Promise.resolve(1), { signals: [signal, undefined], ms: 10 })).resolves.toBe(1)
    await expect(waits.until(() => Promise.reject(new Error('bad')), { signals: [signal] })).rejects.toThrow('bad')
    expect(clock.pendingCount).toBe(0)
    expect(removed).toHaveBeenCalledTimes(2)
  })

  it('rejects with the reason of a signal, of which the work hears', async () => {
    const { waits } = rig()
    const controller = new AbortController()
    let heard: AbortSignal | undefined
    const waiting = waits.until(
      (over) => {
        heard = over
        return never()
      },
      { signals: [controller.signal] }
    )
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(waiting).rejects.toBe(reason)
    expect(heard?.reason).toBe(reason)
  })

  it('does not begin the work if a signal has fired', async () => {
    const { waits } = rig()
    const work = vi.fn(never)
    await expect(waits.until(work, { signals: [AbortSignal.abort('no')] })).rejects.toBe('no')
    expect(work).not.toHaveBeenCalled()
  })

  it('rejects with the error for being late, or resolves if there is none', async () => {
    const { clock, waits } = rig()
    const late = new Error('late')
    const strict = waits.until(never, { ms: 10, late: () => late })
    const pause = waits.until(never, { ms: 10 })
    const failed = expect(strict).rejects.toBe(late)
    await clock.advance(10)
    await failed
    await expect(pause).resolves.toBeUndefined()
  })

  it('does not hear what comes after its end', async () => {
    const { clock, waits } = rig()
    const controller = new AbortController()
    const done = waits.until(() => Promise.resolve('fine'), { signals: [controller.signal], ms: 10 })
    await settle()
    controller.abort()
    await clock.advance(10)
    await expect(done).resolves.toBe('fine')
  })
})
