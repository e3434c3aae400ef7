import { it } from 'vitest'
import { describeRedis } from '../helpers/redis-server.js'
import { expectNoneLost } from '../integration/proxies/cluster/load.js'
import { describeProxy } from '../integration/proxies/use-proxy.js'

describeRedis('rolling restarts of two nodes', () => {
  describeProxy('haproxy', () => {
    it('cost no call, and none is executed twice, at 200 calls a second for a minute', () => expectNoneLost([20, 10], 200, 60_000))
  })
})
