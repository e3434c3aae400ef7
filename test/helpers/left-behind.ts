import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

type Collect = (options?: { readonly type: 'minor' }) => void

const WAITING = 10
const COUNT = 10_000

/**
 * Lets 10,000 items of 1 kB pass through something in which 10 wait at any time, after a full garbage collection has met it.
 * @param pass - Adds the new item and removes the old one.
 * @returns How many bytes of heap are in use after minor garbage collections, as long as no full one follows.
 */
export function leftBehind(pass: (added: number, removed: number, content: unknown) => void): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as Collect
  for (let n = 0; n < WAITING; n++) pass(n, -1, undefined)
  collect()
  const before = getHeapStatistics().used_heap_size
  for (let n = WAITING; n < COUNT; n++) {
    pass(n, n - WAITING, new Array(128).fill(n))
    if (n % 500 === 0) collect({ type: 'minor' })
  }
  collect({ type: 'minor' })
  collect({ type: 'minor' })
  return getHeapStatistics().used_heap_size - before
}
