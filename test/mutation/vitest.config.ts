import { readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

const layers = JSON.parse(readFileSync(new URL('layers.json', import.meta.url), 'utf8')) as string[]

// The unit tests alone: what a mutant of a rule must not survive. The model of the lifecycle tries thousands of sequences of
// events and takes longer than all the others together, so it stays out.
export default defineConfig({
  test: {
    include: ['test/errors.test.ts', ...layers.map((layer) => `test/${layer}/**/*.test.ts`)],
    exclude: ['test/connection/lifecycle.model.test.ts'],
    testTimeout: 60_000
  }
})
