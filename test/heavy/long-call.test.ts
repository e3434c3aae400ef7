import { expect, test } from 'vitest'
import { surviveCuts } from '../cli/use-bridge.js'
import { breakTimes, FAST, useResumableServer } from '../integration/resume-rig.js'
import { useClient } from '../helpers/use-client.js'

const MINUTES = 3
const STEPS = 1800
const EVERY = (MINUTES * 60_000) / STEPS
const BREAKS = 20

test(
  `a call of ${String(MINUTES)} minutes whose connection breaks ${String(BREAKS)} times is executed once`,
  { timeout: 300_000 },
  async () => {
    const { proxy, executed } = await useResumableServer()
    const { client, errors } = useClient({ url: proxy.url, ...FAST })
    await client.connect()
    const progress: number[] = []
    let onStep = (): void => undefined
    const reach = (step: number): Promise<void> =>
      new Promise((resolve) => {
        onStep = () => {
          if (progress.length >= step) resolve()
        }
        onStep()
      })
    const call = client.callTool(
      { name: 'count', arguments: { steps: STEPS, every: EVERY } },
      {
        timeout: 300_000,
        onprogress: (report) => {
          progress.push(report.progress)
          onStep()
        }
      }
    )
    // Spread over the whole call: by RST, by a black hole, by a restart of the proxy, and so on.
    for (let time = 0; time < BREAKS; time++) {
      await reach((STEPS * (time + 1)) / (BREAKS + 2))
      await breakTimes(proxy, 1, () => client.state === 'ready', progress, time)
    }
    expect(await call).toMatchObject({ content: [{ text: `counted to ${String(STEPS)}` }] })
    expect(executed).toEqual(['count'])
    expect(progress).toEqual(Array.from({ length: STEPS }, (_, index) => index + 1))
    const { lost, resent, reconnects } = client.stats()
    expect({ lost, resent }).toEqual({ lost: 0, resent: 0 })
    // A machine with other work may seem dead for the 60 ms of the heartbeat, too.
    expect(reconnects).toBeGreaterThanOrEqual(BREAKS)
    expect(errors).toEqual([])
  }
)

test('a call of 20 s through mcp-ws bridge survives 5 cuts, and is executed once', () => surviveCuts(20), 60_000)
