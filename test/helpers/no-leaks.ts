import { afterEach, expect } from 'vitest'

/** Open sockets and servers of this process; timers of the test runner itself come and go. */
const openHandles = (): string[] => process.getActiveResourcesInfo().filter((kind) => /TCP(Socket|Server)|ProcessWrap/.test(kind))

const before = openHandles().length

// After each test nothing is left running: no socket, no server, no process. Closing takes a turn or two of the loop.
afterEach(async () => {
  for (let turn = 0; turn < 200 && openHandles().length > before; turn++) await new Promise((resolve) => setImmediate(resolve))
  expect(openHandles().length, `left open: ${openHandles().join(', ')}`).toBeLessThanOrEqual(before)
})
