import { defineConfig } from 'vitest/config'

// The unit tests of the rules, alone: what a mutant of a rule must not survive.
export default defineConfig({ test: { include: ['test/core/**/*.test.ts'], testTimeout: 60_000 } })
