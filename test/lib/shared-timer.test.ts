import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../src/lib/clock.js'
import { isLate, SharedTimer, type Due } from '../../src/lib/shared-timer.js'
import { FakeClock } from '../helpers/fake-clock.js'

function rig(): { clock: FakeClock; timer: SharedTimer; due: string[]; item: (name: string, onDue?: () => void) => Due } {
  const clock = new FakeClock()
  const due: string[] = []
  const item = (name: string, onDue = (): void => undefined): Due => ({
    dueAt: 0,
    slot: -1,
    onDue: () => {
      due.push(name)
      onDue()
    }
  })
  return { clock, timer: new SharedTimer(clock), due, item }
}

describe('SharedTimer', () => {
  it('lets items fall due in the order of their deadlines, with one timer', async () => {
    const { clock, timer, due, item } = rig()
    timer.set(item('c'), 30)
    timer.set(item('a'), 10)
    timer.set(item('b'), 20)
    expect(clock.pendingCount).toBe(1)
    await clock.advance(10)
    expect(due).toEqual(['a'])
    expect(clock.pendingCount).toBe(1)
    await clock.advance(20)
    expect(due).toEqual(['a', 'b', 'c'])
    expect(clock.pendingCount).toBe(0)
  })

  it('lets an item fall due once', async () => {
    const { clock, timer, due, item } = rig()
    timer.set(item('a'), 10)
    await clock.advance(1000)
    expect(due).toEqual(['a'])
  })

  it('moves a deadline later and earlier', async () => {
    const { clock, timer, due, item } = rig()
    const [a, b] = [item('a'), item('b')]
    timer.set(a, 10)
    timer.set(b, 50)
    timer.set(a, 40)
    timer.set(b, 20)
    await clock.advance(39)
    expect(due).toEqual(['b'])
    await clock.advance(1)
    expect(due).toEqual(['b', 'a'])
  })

  it('holds no timer when nothing is set', () => {
    const { clock, timer, item } = rig()
    const [a, b] = [item('a'), item('b')]
    timer.set(a, 10)
    timer.set(b, 20)
    timer.clear(a)
    timer.clear(a)
    expect(clock.pendingCount).toBe(1)
    timer.clear(b)
    expect(clock.pendingCount).toBe(0)
  })

  it('does not let a cleared item fall due', async () => {
    const { clock, timer, due, item } = rig()
    const a = item('a')
    timer.set(a, 10)
    timer.set(item('b'), 20)
    timer.clear(a)
    await clock.advance(20)
    expect(due).toEqual(['b'])
    expect(clock.pendingCount).toBe(0)
  })

  it('takes Infinity for never', async () => {
    const { clock, timer, due, item } = rig()
    const a = item('a')
    timer.set(a, Infinity)
    expect(clock.pendingCount).toBe(0)
    timer.set(a, 10)
    timer.set(a, Infinity)
    expect(clock.pendingCount).toBe(0)
    await clock.advance(1e9)
    expect(due).toEqual([])
  })

  it('allows to set and clear items while others fall due', async () => {
    const { clock, timer, due, item } = rig()
    const [b, c] = [item('b'), item('c')]
    const a = item('a', () => {
      timer.clear(b)
      timer.set(c, 5)
      timer.set(a, 10)
    })
    timer.set(a, 10)
    timer.set(b, 10)
    await clock.advance(15)
    expect(due).toEqual(['a', 'c'])
    await clock.advance(5)
    expect(due).toEqual(['a', 'c', 'a'])
    timer.clear(a)
    timer.clear(c)
    expect(clock.pendingCount).toBe(0)
  })

  it('lets everything that is due fall due after a sleep, in order', async () => {
    const { clock, timer, due, item } = rig()
    for (const [name, ms] of [
      ['b', 20],
      ['a', 10],
      ['c', 30]
    ] as const)
      timer.set(item(name), ms)
    await clock.sleep(1000)
    expect(due).toEqual(['a', 'b', 'c'])
  })
})

describe('SharedTimer, in any sequence of set, move, clear and waiting,', () => {
  const indexes = fc.nat(24)
  const steps = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('set' as const), index: indexes, ms: fc.nat(100) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('clear' as const), index: indexes, ms: fc.constant(0) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), index: fc.constant(0), ms: fc.nat(100) }) }
  )

  it('agrees with a sorted list', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { maxLength: 100, size: 'max' }), async (sequence) => {
        const clock = new FakeClock()
        const due: number[] = []
        const timer = new SharedTimer(clock)
        const items = Array.from({ length: 25 }, () => {
          const item: Due = {
            dueAt: 0,
            slot: -1,
            onDue: (now) => {
              expect(now).toBe(item.dueAt)
              due.push(now)
            }
          }
          return item
        })
        const model = new Map<Due, number>()
        const expected: number[] = []
        const wait = async (ms: number): Promise<void> => {
          await clock.advance(ms)
          const over = [...model].filter(([, dueAt]) => dueAt <= clock.now()).sort((a, b) => a[1] - b[1])
          for (const [each, dueAt] of over) {
            expected.push(dueAt)
            model.delete(each)
          }
        }
        for (const step of sequence) {
          const each = items[step.index]!
          if (step.do === 'set') {
            timer.set(each, step.ms)
            model.set(each, clock.now() + step.ms)
          } else if (step.do === 'clear') {
            timer.clear(each)
            model.delete(each)
          } else await wait(step.ms)
          expect(due).toEqual(expected)
          expect(clock.pendingCount).toBe(model.size === 0 ? 0 : 1)
        }
        await wait(100)
        expect(due).toEqual(expected)
        expect(clock.pendingCount).toBe(0)
      })
    )
  })
})

describe('SharedTimer, while one of several items falls due,', () => {
  it('leaves out what is moved or cleared', async () => {
    const { clock, timer, due, item } = rig()
    const [b, c] = [item('b'), item('c')]
    const a = item('a', () => {
      timer.set(b, 20)
      timer.clear(c)
    })
    for (const each of [a, b, c]) timer.set(each, 10)
    await clock.advance(29)
    expect(due).toEqual(['a'])
    await clock.advance(1)
    expect(due).toEqual(['a', 'b'])
  })
})

describe('SharedTimer, with very many items,', () => {
  it('rests between two looks at all of them, so that each may be late by 1 ms for every 1000', async () => {
    const { clock, timer, due, item } = rig()
    for (let ms = 1; ms <= 5000; ms++) timer.set(item(String(ms)), ms)
    await clock.advance(1)
    expect(due).toHaveLength(1)
    await clock.advance(3)
    expect(due).toHaveLength(1)
    await clock.advance(1)
    expect(due).toHaveLength(5)
    await clock.advance(5000)
    expect(due).toHaveLength(5000)
  })
})

describe('systemClock', () => {
  it('is monotonic', () => {
    const before = systemClock.now()
    expect(systemClock.now()).toBeGreaterThanOrEqual(before)
  })

  it('draws from [0, 1)', () => {
    for (let n = 0; n < 100; n++) expect(systemClock.random()).toSatisfy((chance: number) => chance >= 0 && chance < 1)
  })

  it('fires, and does not fire what was cancelled', async () => {
    const fired: string[] = []
    const cancelled = systemClock.after(0, () => fired.push('cancelled'))
    cancelled.cancel()
    await new Promise<void>((resolve) => {
      systemClock.after(1, () => {
        fired.push('fired')
        resolve()
      })
    })
    expect(fired).toEqual(['fired'])
    cancelled.cancel()
  })

  it('does not fire at once when the time is longer than timers can be', async () => {
    let fired = false
    const timer = systemClock.after(2 ** 40, () => (fired = true))
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise<void>((resolve) => void systemClock.after(2, resolve))
    expect(fired).toBe(false)
    timer.cancel()
  })

  it('takes a negative time for now', async () => {
    await expect(new Promise<void>((resolve) => void systemClock.after(-5, resolve))).resolves.toBeUndefined()
  })
})

describe('a timer that fires late', () => {
  const woken = async (late: number): Promise<ReturnType<typeof rig>> => {
    const made = rig()
    const timer = new SharedTimer(made.clock, 500)
    timer.set(made.item('a'), 10)
    timer.set(made.item('b'), 20)
    await made.clock.sleep(10 + late)
    return { ...made, timer }
  }

  it('lets everything fall due, up to 20 ms after the time', async () => {
    const { due } = await woken(20)
    expect(due).toEqual(['a', 'b'])
  })

  it('waits first until the messages are read that came meanwhile: one of them may take a deadline away', async () => {
    const { clock, due, timer, item } = rig()
    const b = item('b')
    timer.set(item('a'), 10)
    timer.set(b, 10)
    clock.after(31, () => timer.clear(b))
    await clock.sleep(31)
    expect(due).toEqual(['a'])
  })

  it('lets nothing fall due for the time of the grace after a sleep, whatever is set meanwhile', async () => {
    const { due, clock, timer, item } = await woken(1001)
    timer.set(item('c'), 1)
    await clock.advance(499)
    expect(due).toEqual([])
    await clock.advance(1)
    expect(due).toEqual(['a', 'b', 'c'])
  })

  it('takes more than a second for a sleep', () => {
    expect([isLate(1000, 2000), isLate(1000, 2001), isLate(1000, 500)]).toEqual([false, true, false])
  })
})

it('lets the process end while it is idle, and knows what is set', () => {
  const { clock, timer, item } = rig()
  const a = item('a')
  expect(timer.has(a)).toBe(false)
  timer.set(a, 10)
  expect([timer.has(a), clock.holdCount]).toEqual([true, 1])
  timer.idle = true
  expect([clock.pendingCount, clock.holdCount]).toEqual([1, 0])
  timer.idle = false
  expect(clock.holdCount).toBe(1)
  timer.clear(a)
  expect([timer.has(a), clock.pendingCount]).toEqual([false, 0])
})

describe('a timer that lingers', () => {
  it('rests while nothing is set, and is not set anew for the next item', async () => {
    const { clock, timer, due, item } = rig()
    timer.lingers = true
    timer.set(item('a'), 10)
    const b = item('b')
    timer.set(b, 20)
    await clock.advance(10)
    timer.clear(b)
    expect([clock.pendingCount, clock.holdCount]).toEqual([1, 0])
    const after = vi.spyOn(clock, 'after')
    timer.set(item('c'), 50)
    expect([clock.holdCount, after.mock.calls.length]).toEqual([1, 0])
    await clock.advance(49)
    expect(due).toEqual(['a'])
    await clock.advance(1)
    expect(due).toEqual(['a', 'c'])
  })

  it('comes in time for an item that is due before what was cleared', async () => {
    const { clock, timer, due, item } = rig()
    timer.lingers = true
    const a = item('a')
    timer.set(a, 100)
    timer.clear(a)
    timer.set(item('b'), 10)
    await clock.advance(10)
    expect(due).toEqual(['b'])
  })

  it('is gone once it has fired for nothing', async () => {
    const { clock, timer, item } = rig()
    timer.lingers = true
    const a = item('a')
    timer.set(a, 10)
    timer.clear(a)
    await clock.advance(10)
    expect(clock.pendingCount).toBe(0)
  })

  it('is cancelled when it need not linger any more, unless something is set', () => {
    const { clock, timer, item } = rig()
    timer.lingers = true
    const a = item('a')
    timer.set(a, 10)
    timer.lingers = false
    expect(clock.pendingCount).toBe(1)
    timer.lingers = true
    timer.clear(a)
    timer.lingers = false
    expect(clock.pendingCount).toBe(0)
  })
})
