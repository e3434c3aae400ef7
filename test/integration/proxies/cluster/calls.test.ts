import { expect, it } from 'vitest'
import { WebSocketClientTransport } from '../../../../src/transport/index.js'
import { afterTest } from '../../../helpers/after-test.js'
import { describeRedis } from '../../../helpers/redis-server.js'
import { makeSdkClient, type SdkMode } from '../../../helpers/sdk-client.js'
import { until } from '../../../helpers/until.js'
import { useClient } from '../../../helpers/use-client.js'
import { describeProxy } from '../use-proxy.js'
import { RESUMING, useCluster, type Cluster } from './use-cluster.js'

// A long call whose client is sent from one node to the other, again and again.

const STEPS = 100
const EVERY = 25
const COUNT = { steps: STEPS, every: EVERY, key: 'the call' }
const inOrder = Array.from({ length: STEPS }, (_, index) => index + 1)

/** Breaks the connection eight times, each time once the call has come further: the network does it, or HAProxy, which is restarted. */
async function breakOften({ network, haproxy }: Cluster, isBack: () => boolean, progress: readonly number[]): Promise<void> {
  for (let time = 1; time <= 8; time++) {
    const before = progress.length
    await until(() => isBack() && progress.length > before, 'the call goes on')
    if (time % 4 === 0) await haproxy.stop()
    else network.links.at(-1)?.cut('rst')
    await until(() => !isBack(), 'the client noticed')
    if (haproxy.isGone) await haproxy.start()
  }
}

/** Both nodes had the client's sockets, and one of them all of its session. */
async function expectOneSession({ nodes, executed, owner }: Cluster, progress: readonly number[]): Promise<void> {
  expect(executed).toEqual(['the call'])
  expect(progress).toEqual(inOrder)
  const [own, other] = await Promise.all((await owner()).map((node) => node.metrics()))
  expect(own).toMatchObject({ sessionsTotal: 1 })
  expect(own?.resumesTotal).toBeGreaterThanOrEqual(8)
  expect(other).toMatchObject({ sessionsTotal: 0, resumesTotal: 0 })
  expect(other?.connectionsTotal).toBeGreaterThanOrEqual(2)
  expect(nodes.flatMap(({ said }) => said)).toHaveLength(1)
}

describeRedis('a call whose connection breaks eight times on its way to two nodes', () => {
  describeProxy('haproxy', () => {
    it.each(['legacy', 'modern'] as const)(
      'is executed once, with each report of progress once and in order (client, %s)',
      async (protocol) => {
        const cluster = await useCluster()
        const { client, errors } = useClient({ url: cluster.network.url, protocol, ...RESUMING })
        await client.connect()
        expect(client.subprotocol).toBe('mcp.v1.resume')
        const progress: number[] = []
        const call = client.callTool(
          { name: 'count', arguments: COUNT },
          { onprogress: (report) => progress.push(report.progress), timeout: 60_000 }
        )
        await breakOften(cluster, () => client.state === 'ready', progress)
        expect(await call).toMatchObject({ content: [{ text: `counted to ${String(STEPS)}` }] })
        await expectOneSession(cluster, progress)
        expect(client.stats()).toMatchObject({ lost: 0, resent: 0 })
        expect(errors).toEqual([])
      }
    )

    it.each<SdkMode>(['v1', 'v2 legacy', 'v2 modern'])('is executed once under an unmodified SDK client (%s)', async (mode) => {
      const cluster = await useCluster()
      const transport = new WebSocketClientTransport(cluster.network.url, RESUMING)
      const sdk = makeSdkClient(mode)
      await sdk.connect(transport)
      afterTest(() => sdk.close())
      const progress: number[] = []
      const call = sdk.call('count', COUNT, { onprogress: (report) => progress.push(report.progress), timeout: 60_000 })
      await breakOften(cluster, () => transport.state === 'ready', progress)
      expect(await call).toBe(`counted to ${String(STEPS)}`)
      await expectOneSession(cluster, progress)
      expect(sdk.closes).toBe(0)
      expect(sdk.errors).toEqual([])
    })
  })
})
