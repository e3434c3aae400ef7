import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FairSet } from '../../src/server/fair-set.js'

interface Item {
  readonly principal: string
}

test('the first one belongs to a user who has most, and was added first of his', () => {
  const set = new FairSet<Item>()
  expect([set.size, set.first]).toEqual([0, undefined])
  const [a1, b1, b2] = [{ principal: 'a' }, { principal: 'b' }, { principal: 'b' }]
  for (const item of [a1, b1, b2]) set.add(item)
  expect([set.size, set.first]).toEqual([3, b1])
  set.delete(b1)
  // Both have one now; that of the other user has been alone for longer.
  expect([set.size, set.first]).toEqual([2, a1])
  set.delete(b1)
  expect(set.size).toBe(2)
})

test('is what a list would be, whatever is added and removed', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.constantFrom('a', 'b', 'c'), fc.nat(20)), { maxLength: 80 }), (steps) => {
      const set = new FairSet<Item>()
      const items: Item[] = []
      for (const [isAdded, principal, n] of steps) {
        const item = isAdded ? { principal } : (items[n] ?? { principal })
        if (isAdded) set.add(item)
        else set.delete(item)
        if (isAdded) items.push(item)
        else if (items.includes(item)) items.splice(items.indexOf(item), 1)
        const sharesOf = (each: string): Item[] => items.filter((other) => other.principal === each)
        const most = Math.max(...['a', 'b', 'c'].map((each) => sharesOf(each).length))
        const { first } = set
        expect(set.size).toBe(items.length)
        if (items.length === 0) expect(first).toBeUndefined()
        else {
          const share = sharesOf(first?.principal ?? '')
          expect([share.length, share[0] === first]).toEqual([most, true])
        }
      }
    })
  )
})
