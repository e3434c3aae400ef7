import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Deadlines, type Deadline } from '../../src/lib/deadlines.js'

interface Item extends Deadline {
  readonly name: string
}

const itemOf = (name: string): Item => ({ name, dueAt: 0, heapIndex: -1 })

describe('Deadlines', () => {
  it('has nothing due while nothing is set', () => {
    const deadlines = new Deadlines<Item>()
    expect(deadlines.size).toBe(0)
    expect(deadlines.nextDueAt).toBe(Infinity)
    expect(deadlines.takeDue(Infinity)).toBeUndefined()
  })

  it('takes out what is due, the earliest first, and nothing else', () => {
    const deadlines = new Deadlines<Item>()
    const [a, b, c] = [itemOf('a'), itemOf('b'), itemOf('c')] as const
    deadlines.set(a, 30)
    deadlines.set(b, 10)
    deadlines.set(c, 20)
    expect(deadlines.nextDueAt).toBe(10)
    expect(deadlines.takeDue(9)).toBeUndefined()
    expect(deadlines.takeDue(20)).toBe(b)
    expect(deadlines.takeDue(20)).toBe(c)
    expect(deadlines.takeDue(20)).toBeUndefined()
    expect(deadlines.size).toBe(1)
    expect(deadlines.nextDueAt).toBe(30)
  })

  it('moves a deadline both ways', () => {
    const deadlines = new Deadlines<Item>()
    const [a, b] = [itemOf('a'), itemOf('b')] as const
    deadlines.set(a, 10)
    deadlines.set(b, 20)
    deadlines.set(a, 30)
    expect(deadlines.nextDueAt).toBe(20)
    deadlines.set(a, 5)
    expect(deadlines.nextDueAt).toBe(5)
    expect(deadlines.size).toBe(2)
  })

  it('forgets a deadline once, and takes it in anew', () => {
    const deadlines = new Deadlines<Item>()
    const a = itemOf('a')
    deadlines.remove(a)
    deadlines.set(a, 10)
    deadlines.remove(a)
    deadlines.remove(a)
    expect(deadlines.size).toBe(0)
    expect(a.heapIndex).toBe(-1)
    deadlines.set(a, 20)
    expect(deadlines.takeDue(20)).toBe(a)
    expect(a.heapIndex).toBe(-1)
  })

  it('agrees with a sorted list under any sequence of set, move, remove and take', () => {
    const indexes = fc.nat(24)
    const steps = fc.oneof(
      { weight: 5, arbitrary: fc.record({ do: fc.constant('set' as const), index: indexes, at: fc.nat(100) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('remove' as const), index: indexes, at: fc.constant(0) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('take' as const), index: fc.constant(0), at: fc.nat(100) }) }
    )
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 200, size: 'max' }), (sequence) => {
        const deadlines = new Deadlines<Item>()
        const items = Array.from({ length: 25 }, (_, index) => itemOf(String(index)))
        const model = new Map<Item, number>()
        const sorted = (): number[] => [...model.values()].sort((a, b) => a - b)
        for (const step of sequence) {
          const item = items[step.index]!
          if (step.do === 'set') {
            deadlines.set(item, step.at)
            model.set(item, step.at)
          } else if (step.do === 'remove') {
            deadlines.remove(item)
            model.delete(item)
          } else {
            const taken = deadlines.takeDue(step.at)
            const first = sorted()[0] ?? Infinity
            expect(taken && model.get(taken)).toBe(first <= step.at ? first : undefined)
            if (taken) model.delete(taken)
          }
          expect(deadlines.size).toBe(model.size)
          expect(deadlines.nextDueAt).toBe(sorted()[0] ?? Infinity)
        }
        const rest: number[] = []
        for (let item = deadlines.takeDue(Infinity); item; item = deadlines.takeDue(Infinity)) rest.push(item.dueAt)
        expect(rest).toEqual(sorted())
        expect(items.every(({ heapIndex }) => heapIndex === -1)).toBe(true)
      })
    )
  })
})
