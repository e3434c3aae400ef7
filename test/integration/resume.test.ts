import { describe, expect, it } from 'vitest'
import { WebSocketClientTransport } from '../../src/transport/index.js'
import { afterTest } from '../helpers/after-test.js'
import { nextEvent } from '../helpers/next-event.js'
import { makeSdkClient, type SdkMode } from '../helpers/sdk-client.js'
import { until } from '../helpers/until.js'
import { useClient } from '../helpers/use-client.js'
import { breakTimes, FAST, useResumableServer } from './resume-rig.js'

const STEPS = 250
const EVERY = 20
const inOrder = Array.from({ length: STEPS }, (_, index) => index + 1)

describe('a call whose connection breaks 20 times', { timeout: 60_000 }, () => {
  it.each(['legacy', 'modern'] as const)(
    'is executed once, with each report of progress once and in order (client, %s)',
    async (protocol) => {
      const { proxy, executed, server } = await useResumableServer()
      const { client, errors } = useClient({ url: proxy.url, protocol, ...FAST })
      const resumed: number[] = []
      client.on('resumed', ({ downtime }) => resumed.push(downtime))
      await client.connect()
      expect(client.subprotocol).toBe('mcp.v1.resume')
      const progress: number[] = []
      const call = client.callTool(
        { name: 'count', arguments: { steps: STEPS, every: EVERY } },
        { onprogress: (report) => progress.push(report.progress), timeout: 60_000 }
      )
      await breakTimes(proxy, 20, () => client.state === 'ready', progress)
      expect(await call).toMatchObject({ content: [{ text: `counted to ${String(STEPS)}` }] })
      expect(executed).toEqual(['count'])
      expect(progress).toEqual(inOrder)
      expect(resumed.length).toBeGreaterThanOrEqual(19)
      expect(client.stats()).toMatchObject({ lost: 0, resent: 0 })
      expect(server.metrics()).toMatchObject({ sessionsTotal: 1 })
      expect(errors).toEqual([])
    }
  )

  it.each<SdkMode>(['v1', 'v2 legacy', 'v2 modern'])('is executed once under an unmodified SDK client (%s)', async (mode) => {
    const { proxy, executed } = await useResumableServer()
    const transport = new WebSocketClientTransport(proxy.url, FAST)
    const sdk = makeSdkClient(mode)
    await sdk.connect(transport)
    afterTest(() => sdk.close())
    const progress: number[] = []
    const call = sdk.call(
      'count',
      { steps: STEPS, every: EVERY },
      { onprogress: (report) => progress.push(report.progress), timeout: 60_000 }
    )
    await breakTimes(proxy, 20, () => transport.state === 'ready', progress)
    expect(await call).toBe(`counted to ${String(STEPS)}`)
    expect(executed).toEqual(['count'])
    expect(progress).toEqual(inOrder)
    expect(sdk.closes).toBe(0)
    expect(sdk.errors).toEqual([])
  })
})

it('requests of the server live on, and are answered over the next connection', async () => {
  const { proxy } = await useResumableServer()
  const { client } = useClient({ url: proxy.url, protocol: 'legacy', capabilities: { elicitation: {} }, ...FAST })
  let answer: () => void = () => undefined
  const asked = new Promise<void>((resolve) => {
    client.setRequestHandler('elicitation/create', () => {
      resolve()
      return new Promise((settle) => {
        answer = () => settle({ action: 'accept', content: { colour: 'red' } })
      })
    })
  })
  await client.connect()
  const call = client.callTool({ name: 'elicitation' })
  await asked
  const back = nextEvent(client, 'resumed')
  proxy.links.at(-1)?.cut('rst')
  answer()
  await back
  expect(JSON.stringify(await call)).toContain('red')
})

it('a session is resumed within one round trip of the new socket', async () => {
  const { proxy } = await useResumableServer()
  const { client } = useClient({ url: proxy.url, ...FAST })
  await client.connect()
  const frames: string[] = []
  const back = nextEvent(client, 'resumed')
  const traced = useClient({ url: proxy.url, ...FAST, trace: (direction, text) => frames.push(`${direction} ${text.slice(0, 21)}`) })
  await traced.client.connect()
  frames.length = 0
  const tracedBack = nextEvent(traced.client, 'resumed')
  for (const link of proxy.links) link.cut('rst')
  await Promise.all([back, tracedBack])
  expect(frames).toEqual(['out {"mcp.resume":"open",', 'in {"mcp.resume":"hello"'])
})

it('a session that the client closes is forgotten at once', async () => {
  const { proxy, server } = await useResumableServer()
  const { client } = useClient({ url: proxy.url, ...FAST })
  await client.connect()
  await client.close()
  await until(() => server.metrics().connections === 0, 'the connection is gone')
  expect(server.metrics().detachedSessions).toBe(0)
})
