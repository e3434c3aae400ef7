import { expect, test } from 'vitest'
import { expectNothingLeft, kib, MOST_LEFT, nextWord, useSoak, useSoakServer, type Soaked } from '../heavy/soak.js'

test('200 lost connections and 10,000 requests leave neither heap nor handles behind', { timeout: 60_000 }, async ({ annotate }) => {
  const child = await useSoak('soak-client', await useSoakServer(), 200, 10_000)
  const soaked = JSON.parse(await nextWord(child)) as Soaked & { readonly grownBytes: number }
  await annotate(`${kib(soaked.grownBytes)} grown, ${kib(soaked.leftBytes)} left`)
  expect(soaked.grownBytes, 'heap in bytes, while connected').toBeLessThanOrEqual(MOST_LEFT)
  expectNothingLeft(soaked)
  expect(await child.gone, child.complaints).toBe(0)
})
