import { afterEach, expect } from 'vitest'
import { closeOrderly } from './close-orderly.js'
import type { FakeClock } from './fake-clock.js'
import type { FakeNetwork } from './fake-network.js'

const endings = new Set<() => Promise<void>>()

/** Ends by `close` what a test began on a fake clock and network: afterwards neither a timer nor a socket is left. */
export function endAfterTest(clock: FakeClock, network: FakeNetwork, close: () => unknown): void {
  endings.add(async () => {
    await closeOrderly(network, close)
    expect(clock.pendingCount, 'timers that are left').toBe(0)
    expect(network.openCount, 'sockets that are left').toBe(0)
  })
}

afterEach(async () => {
  const used = [...endings]
  endings.clear()
  for (const end of used) await end()
})
