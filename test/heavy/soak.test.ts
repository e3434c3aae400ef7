import { expect, test } from 'vitest'
import { expectNothingLeft, kib, MOST_LEFT, nextWord, useSoak, useSoakServer, type Soaked } from './soak.js'

test('2000 lost connections and 1,000,000 requests leave neither heap nor handles behind', { timeout: 600_000 }, async () => {
  const child = await useSoak('soak-client', await useSoakServer(), 2000, 1_000_000)
  const soaked = JSON.parse(await nextWord(child)) as Soaked & { readonly grownBytes: number }
  console.log(`${kib(soaked.grownBytes)} grown, ${kib(soaked.leftBytes)} left`)
  expect(soaked.grownBytes, 'heap in bytes, while connected').toBeLessThanOrEqual(MOST_LEFT)
  expectNothingLeft(soaked)
  expect(await child.gone, child.complaints).toBe(0)
})
