import { it } from 'vitest'
import { describeRedis } from '../../../helpers/redis-server.js'
import { describeProxy } from '../use-proxy.js'
import { expectNoneLost } from './load.js'

describeRedis('a rolling restart of two nodes', () => {
  describeProxy('haproxy', () => {
    it('costs no call, and none is executed twice, at 100 calls a second', () => expectNoneLost([6, 3], 100, 10_000))
  })
})
