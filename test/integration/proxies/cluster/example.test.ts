import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { bundle, useChild, type Child } from '../../../helpers/child.js'
import { describeRedis, useRedisServer } from '../../../helpers/redis-server.js'
import { nextEvent } from '../../../helpers/next-event.js'
import { useClient } from '../../../helpers/use-client.js'
import { describeProxy, quietPort, useProxy } from '../use-proxy.js'
import { RESUMING } from './use-cluster.js'

const EXAMPLE = new URL('../../../../docs/examples/cluster/', import.meta.url)

describeRedis('docs/examples/cluster', () => {
  describeProxy('haproxy', () => {
    it('serves a client on two nodes, and a client whose node is deployed goes on at the other one', async () => {
      const redis = await useRedisServer()
      const [one = '', two = ''] = [await quietPort(), await quietPort()].map(String)
      const start = async (port: string): Promise<Child> => {
        const node = useChild(await bundle(new URL('node.ts', EXAMPLE)), [port, redis.url])
        expect(await node.nextLine()).toBe(`listening on ${port}`)
        return node
      }
      const nodes = new Map([
        [one, await start(one)],
        [two, await start(two)]
      ])
      const config = readFileSync(new URL('haproxy.cfg', EXAMPLE), 'utf8')
      const proxy = await useProxy('haproxy', { upstream: Number(one) }, ({ port }) =>
        config
          .replace('127.0.0.1:8080', `127.0.0.1:${String(port)}`)
          .replace('127.0.0.1:8081', `127.0.0.1:${one}`)
          .replace('127.0.0.1:8082', `127.0.0.1:${two}`)
      )
      const { client } = useClient({ ...RESUMING, url: proxy.url })
      await client.connect()
      const where = async (): Promise<string> => {
        const { content } = await client.callTool({ name: 'where' })
        return content[0]?.type === 'text' ? content[0].text : ''
      }
      const owner = await where()
      expect([one, two]).toContain(owner)
      const reconnected = nextEvent(client, 'reconnected')
      const node = nodes.get(owner)!
      process.kill(node.pid, 'SIGTERM')
      await reconnected
      expect([one, two].filter((port) => port !== owner)).toEqual([await where()])
      expect(await node.gone).toBe(0)
    })
  })
})
