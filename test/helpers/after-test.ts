import { afterEach } from 'vitest'

const endings: (() => Promise<void> | void)[] = []

/** Ends something after the test: what was started last ends first. */
export function afterTest(end: () => Promise<void> | void): void {
  endings.push(end)
}

// An `afterEach`, as `onTestFinished` would come after the check for leaks.
afterEach(async () => {
  for (let end = endings.pop(); end !== undefined; end = endings.pop()) await end()
})
