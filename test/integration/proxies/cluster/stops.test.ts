import { expect, it } from 'vitest'
import { describeRedis } from '../../../helpers/redis-server.js'
import { until } from '../../../helpers/until.js'
import { useClient, type Observed } from '../../../helpers/use-client.js'
import { describeProxy } from '../use-proxy.js'
import { RESUMING, useCluster, type Cluster, type ClusterNode } from './use-cluster.js'

// A node that is stopped in order while a call runs.

const STEPS = 60
const inOrder = Array.from({ length: STEPS }, (_, index) => index + 1)

interface Running extends Observed {
  readonly cluster: Cluster
  readonly owner: ClusterNode
  readonly other: ClusterNode
  readonly progress: readonly number[]
  readonly call: Promise<unknown>
  /** Breaks the connection, and waits until the client has its session again. */
  readonly move: () => Promise<void>
}

/** A client in the middle of a call of 1.5 s. */
async function useRunning(): Promise<Running> {
  const cluster = await useCluster()
  const observed = useClient({ url: cluster.network.url, ...RESUMING })
  const { client } = observed
  let resumed = 0
  client.on('resumed', () => resumed++)
  await client.connect()
  const progress: number[] = []
  const call = client.callTool(
    { name: 'count', arguments: { steps: STEPS, every: 25, key: 'long' } },
    { onprogress: (report) => progress.push(report.progress) }
  )
  await until(() => progress.length > 0, 'the call runs')
  const [owner, other] = await cluster.owner()
  const move = async (): Promise<void> => {
    const before = resumed
    cluster.network.links.at(-1)?.cut('rst')
    await until(() => resumed > before && client.state === 'ready', 'resumed')
  }
  return { ...observed, cluster, owner, other, progress, call, move }
}

/** The call was executed once, and all that it said arrived once; the next one comes to a new session. */
async function expectFinished({ client, cluster, call, progress, errors }: Running): Promise<void> {
  expect(await call).toMatchObject({ content: [{ text: `counted to ${String(STEPS)}` }] })
  expect(progress).toEqual(inOrder)
  expect(await client.callTool({ name: 'echo', arguments: { message: 'next', key: 'next' } })).toMatchObject({
    content: [{ text: 'next' }]
  })
  expect([...cluster.executed].sort()).toEqual(['long', 'next'])
  expect(client.stats()).toMatchObject({ lost: 0, resent: 0 })
  expect(errors).toEqual([])
}

describeRedis('a node that is stopped while a call runs', () => {
  describeProxy('haproxy', () => {
    it('sends the clients back whose sessions the other node has', async () => {
      const running = await useRunning()
      const { owner, other, move } = running
      for (const before = (await other.metrics()).connectionsTotal; (await other.metrics()).connectionsTotal === before;) await move()
      expect(await other.stop()).toBe(0)
      await expectFinished(running)
      expect(await owner.metrics()).toMatchObject({ sessionsTotal: 1 })
    })

    it('lets it finish, with its client at the other node', async () => {
      const running = await useRunning()
      const { owner, other, move } = running
      for (const before = (await other.metrics()).connectionsTotal; (await other.metrics()).connectionsTotal === before;) await move()
      const stopped = owner.stop()
      await expectFinished(running)
      expect(await stopped).toBe(0)
    })

    it('lets it finish, with a client whose connection breaks meanwhile', async () => {
      const running = await useRunning()
      const { owner, move } = running
      const stopped = owner.stop()
      const { length } = running.progress
      await until(() => running.progress.length > length + 5, 'the call goes on')
      await move()
      await expectFinished(running)
      expect(await stopped).toBe(0)
    })

    it('leaves all that it says for a client that is away until the node is gone', async () => {
      const running = await useRunning()
      const { owner, cluster, client } = running
      const { network } = cluster
      network.resetting = true
      network.links.at(-1)?.cut('rst')
      await until(() => client.state !== 'ready', 'the client noticed')
      expect(await owner.stop()).toBe(0)
      network.resetting = false
      await expectFinished(running)
    })
  })
})
