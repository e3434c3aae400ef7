import { expect, it } from 'vitest'
import { nextEvent } from '../../../helpers/next-event.js'
import { describeRedis, useRedisClient, type RedisServer } from '../../../helpers/redis-server.js'
import { rejectionOf } from '../../../helpers/rejection-of.js'
import { pause } from '../../../helpers/pause.js'
import { until } from '../../../helpers/until.js'
import { useClient } from '../../../helpers/use-client.js'
import { describeProxy } from '../use-proxy.js'
import { RESUMING, useCluster, type ClusterNode } from './use-cluster.js'

// A node that dies, and a Redis that does.

/** Waits until Redis keeps a frame of the only session with these words in it, which its client has not acknowledged. */
async function untilKept({ url }: RedisServer, words: string): Promise<void> {
  const client = await useRedisClient(url)
  for (;;) {
    // Redis tells nobody by itself.
    for (const key of await client.keys('*:out')) if (JSON.stringify(await client.xRange(key, '-', '+')).includes(words)) return
    await pause(20)
  }
}

/** Waits until each node says whether its store is lost. */
async function untilLost(nodes: readonly ClusterNode[], storeLost: 0 | 1): Promise<void> {
  for (const node of nodes) while ((await node.metrics()).storeLost !== storeLost) await pause(20)
}

const echo = (key: string) => ({ name: 'echo', arguments: { message: `answer of ${key}`, key } })
const answer = (key: string) => ({ content: [{ text: `answer of ${key}` }] })

describeRedis('two nodes', () => {
  describeProxy('haproxy', () => {
    it.each(['legacy', 'modern'] as const)('a node that is killed leaves the answers that it had written (%s)', async (protocol) => {
      const cluster = await useCluster()
      const { network, redis } = cluster
      const { client, errors } = useClient({ url: network.url, protocol, ...RESUMING })
      await client.connect()
      const [owner, other] = await cluster.owner()
      await client.callTool(echo('first'))
      // From now on the client hears nothing.
      network.links.at(-1)?.set('down', { stall: true })
      const answered = ['a', 'b', 'c'].map((key) => client.callTool(echo(key)))
      const open = rejectionOf(client.callTool({ name: 'hold', arguments: { key: 'open' } }))
      await until(() => cluster.executed.length === 5, 'the node executes all of them')
      await untilKept(redis, 'answer of c')
      await owner.kill()
      const back = nextEvent(client, 'reconnected')
      network.links.at(-1)?.cut('rst')
      await until(() => client.state !== 'ready', 'the client noticed')
      const waiting = client.callTool(echo('later'))
      expect(await Promise.all(answered)).toMatchObject(['a', 'b', 'c'].map(answer))
      expect(await open).toMatchObject({ name: 'ConnectionLostError', delivery: 'unknown' })
      await back
      expect(client).toMatchObject({ state: 'ready', subprotocol: 'mcp.v1.resume' })
      expect(await waiting).toMatchObject(answer('later'))
      expect([...cluster.executed].sort()).toEqual(['a', 'b', 'c', 'first', 'later', 'open'])
      expect(client.stats()).toMatchObject({ lost: 1 })
      expect(await other.metrics()).toMatchObject({ sessionsTotal: 1, resumesTotal: 0, resumesFailed: { 'owner-gone': 1 } })
      expect(errors).toEqual([])
    })

    it('connections go on while Redis is gone, and sessions are resumed once it is back', async () => {
      const cluster = await useCluster()
      const { network, nodes, redis } = cluster
      const { client, errors } = useClient({ url: network.url, ...RESUMING })
      const resumed: unknown[] = []
      client.on('resumed', (event) => resumed.push(event))
      await client.connect()
      const long = client.callTool({ name: 'count', arguments: { steps: 100, every: 20, key: 'long' } }, { onprogress: () => undefined })
      await redis.kill()
      await untilLost(nodes, 1)
      expect(await client.callTool(echo('without'))).toMatchObject(answer('without'))
      // A client that comes to the other node is sent away, until it comes to the one that has its session in memory.
      network.links.at(-1)?.cut('rst')
      await until(() => resumed.length === 1, 'resumed on the same node')
      expect(await client.callTool(echo('same node'))).toMatchObject(answer('same node'))
      await redis.start()
      await untilLost(nodes, 0)
      const [owner, other] = await cluster.owner()
      const before = (await other.metrics()).connectionsTotal
      for (let times = 2; (await other.metrics()).connectionsTotal === before; times++) {
        network.links.at(-1)?.cut('rst')
        await until(() => resumed.length === times && client.state === 'ready', 'resumed')
      }
      expect(await client.callTool(echo('other node'))).toMatchObject(answer('other node'))
      expect(await long).toMatchObject({ content: [{ text: 'counted to 100' }] })
      expect([...cluster.executed].sort()).toEqual(['long', 'other node', 'same node', 'without'])
      expect(await owner.metrics()).toMatchObject({ sessionsTotal: 1, resumesTotal: resumed.length })
      expect(client.stats()).toMatchObject({ lost: 0, resent: 0 })
      expect(errors).toEqual([])
    })
  })
})
