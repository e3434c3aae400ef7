import { expect, test } from 'vitest'
import fc from 'fast-check'
import { describeRedis, useRedisClient, useRedisServer } from '../helpers/redis-server.js'
import { afterTest } from '../helpers/after-test.js'
import { until } from '../helpers/until.js'
import { RedisSessionStore } from '../../src/redis/index.js'
import { remember, session, useBefore, useNode } from './use-store.js'

const TTL = 60_000

describeRedis('a session in Redis', () => {
  test('is found with its node, which is alive', async () => {
    const { url } = await useRedisServer()
    const a = await useNode(url)
    const b = await useNode(url)
    expect([a.epoch, a.node === b.node]).toEqual([b.epoch, false])
    a.store.create(session(3), TTL)
    await a.store.find('s1')
    expect(await b.store.find('s1')).toEqual({ ...session(3), node: a.node, isNodeAlive: true })
    a.store.attach('s1', 4)
    await a.store.find('s1')
    expect(await b.store.find('s1')).toMatchObject({ generation: 4 })
    expect(await b.store.find('nobody')).toBeUndefined()
  })

  test('gives to who claims it exactly the frames that the client does not have, in order', async () => {
    const { url } = await useRedisServer()
    const a = await useNode(url)
    const b = await useNode(url)
    a.store.create(session(1), TTL)
    for (let position = 1; position <= 1000; position++) a.store.append('s1', position, `frame ${String(position)} ü\u0000"`)
    a.store.acknowledge('s1', 990)
    await a.store.find('s1')
    expect(await a.client.xLen('mcp-ws:{s1}:out')).toBe(10)
    const tail = Array.from({ length: 8 }, (_, i) => `frame ${String(993 + i)} ü\u0000"`)
    expect(await b.store.claim(session(2), 992)).toEqual({ tail, delivered: null })
    expect(await b.store.find('s1')).toEqual({ ...session(2), node: undefined, isNodeAlive: false })
  })

  test('gives all of its frames to a client that has none', async () => {
    const { url } = await useRedisServer()
    const a = await useNode(url)
    a.store.create(session(1), TTL)
    a.store.append('s1', 1, 'one')
    expect(await a.store.claim(session(2), 0)).toEqual({ tail: ['one'], delivered: null })
  })

  test('that was claimed is fenced: its old node is told once, and writes nothing', async () => {
    const { url } = await useRedisServer()
    const a = await useNode(url)
    const b = await useNode(url)
    a.store.create(session(1), TTL)
    a.store.append('s1', 1, 'one')
    await a.store.find('s1')
    await b.store.claim(session(2), 0)
    for (let position = 2; position < 5; position++) a.store.append('s1', position, 'late')
    a.store.acknowledge('s1', 1)
    a.store.attach('s1', 9)
    await until(() => a.told.fenced.length > 0, 'fenced')
    a.store.append('s1', 5, 'later')
    a.store.end('s1', 7)
    expect(await b.store.claim(session(3), 0)).toEqual({ tail: ['one'], delivered: null })
    expect(a.told).toMatchObject({ fenced: ['s1'], losses: [] })
  })

  test('that was claimed is not made anew by its old node', async () => {
    const { url } = await useRedisServer()
    const a = await useNode(url)
    const b = await useNode(url)
    a.store.create(session(1), TTL)
    await a.store.find('s1')
    await b.store.claim(session(2), 0)
    a.store.create(session(1), TTL)
    await until(() => a.told.fenced.length > 0, 'fenced')
    expect(await b.store.find('s1')).toMatchObject({ node: undefined })
  })

  test('is claimed by one of two that do so with the same generation at the same time', async () => {
    const { url } = await useRedisServer()
    const [a, b, c] = [await useNode(url), await useNode(url), await useNode(url)]
    a.store.create(session(1), TTL)
    a.store.append('s1', 1, 'one')
    await a.store.find('s1')
    const claims = await Promise.all([b.store.claim(session(2), 0), c.store.claim(session(2), 0)])
    expect(claims).toContainEqual({ tail: ['one'], delivered: null })
    expect(claims).toContain('stale-generation')
    expect(await b.store.claim(session(3), 0)).toEqual({ tail: ['one'], delivered: null })
  })

  test('is claimed neither for another principal, nor under another name', async () => {
    const { url } = await useRedisServer()
    const a = await useNode(url)
    a.store.create(session(1), TTL)
    expect(await a.store.claim(session(2, 's1', 'eve'), 0)).toBe('principal')
    expect(await a.store.claim(session(2, 's2'), 0)).toBe('unknown')
    expect(await a.store.claim(session(1), 0)).toBe('stale-generation')
    expect(await a.store.find('s1')).toMatchObject({ node: a.node })
  })

  test('that ended says how much it had received, and has no frames, for 10 minutes', async () => {
    const { url } = await useRedisServer()
    const a = await useNode(url)
    a.store.create(session(1), TTL)
    a.store.append('s1', 1, 'one')
    a.store.end('s1', 12)
    a.store.append('s1', 2, 'two')
    expect(await a.store.claim(session(2), 0)).toEqual({ tail: [], delivered: 12 })
    expect(await a.client.exists('mcp-ws:{s1}:out')).toBe(0)
    expect(Math.round((await a.client.pTTL('mcp-ws:{s1}:meta')) / 60_000)).toBe(10)
    expect(a.told).toMatchObject({ fenced: [], losses: [] })
  })

  test('that ended before its client had all frames keeps them, if it is told so', async () => {
    const { url } = await useRedisServer()
    const a = await useNode(url)
    a.store.create(session(1), TTL)
    a.store.append('s1', 1, 'one')
    a.store.append('s1', 2, 'two')
    a.store.acknowledge('s1', 1)
    a.store.end('s1', 12, true)
    expect(await a.store.find('s1')).toMatchObject({ node: undefined, isNodeAlive: false })
    expect(await a.store.claim(session(2), 1)).toEqual({ tail: ['two'], delivered: 12 })
    expect(Math.round((await a.client.pTTL('mcp-ws:{s1}:out')) / 60_000)).toBe(10)
  })

  test('has a frame that was written twice once', async () => {
    const { url } = await useRedisServer()
    const a = await useNode(url)
    a.store.create(session(1), TTL)
    for (const position of [1, 2, 2, 1, 3]) a.store.append('s1', position, `frame ${String(position)}`)
    expect(await a.store.claim(session(2), 0)).toMatchObject({ tail: ['frame 1', 'frame 2', 'frame 3'] })
    expect(a.told).toMatchObject({ fenced: [], losses: [] })
  })

  test('takes the place of what its node had written before', async () => {
    const { url } = await useRedisServer()
    const a = await useNode(url)
    a.store.create(session(1), TTL)
    a.store.append('s1', 5, 'old')
    a.store.create(session(4), TTL)
    a.store.append('s1', 1, 'new')
    expect(await a.store.claim(session(5), 0)).toMatchObject({ tail: ['new'] })
  })

  test('lives for its ttl and one lease after its node was alive last, and as long as its node lives', async () => {
    const { url } = await useRedisServer()
    const a = await useNode(url, { lease: 300 })
    a.store.create(session(1), 600)
    a.store.append('s1', 1, 'one')
    await a.store.find('s1')
    let least = Infinity
    const end = performance.now() + 1800
    while (performance.now() < end) {
      const left = await Promise.all([a.client.pTTL('mcp-ws:{s1}:meta'), a.client.pTTL('mcp-ws:{s1}:out')])
      expect(Math.max(...left)).toBeLessThanOrEqual(1300)
      least = Math.min(least, ...left)
    }
    expect(least).toBeGreaterThan(600)
    expect(await a.store.claim(session(2), 0)).toMatchObject({ tail: ['one'] })
    expect(a.told).toMatchObject({ fenced: [], losses: [] })
  })

  test('is forgotten some time after its node died', async () => {
    const { url } = await useRedisServer()
    const a = await useNode(url, { lease: 100 })
    const b = await useNode(url)
    a.store.create(session(1), 200)
    await a.store.find('s1')
    a.client.destroy()
    let found: unknown = 'found'
    while (found !== undefined) found = await b.store.find('s1')
    expect(await b.store.claim(session(2), 0)).toBe('unknown')
  })

  test('costs one command a message and one an acknowledgement', async () => {
    const { url } = await useRedisServer()
    const a = await useNode(url)
    a.store.create(session(1), TTL)
    await a.store.find('s1')
    const calls = async (): Promise<number> =>
      [...(await a.client.info('commandstats')).matchAll(/cmdstat_(evalsha|eval|script\S*):calls=(\d+)/g)].reduce(
        (sum, [, , count]) => sum + Number(count),
        0
      )
    const before = await calls()
    for (let position = 1; position <= 200; position++) a.store.append('s1', position, 'x')
    for (let position = 10; position <= 200; position += 10) a.store.acknowledge('s1', position)
    await a.store.find('s1')
    expect((await calls()) - before).toBe(220)
  })

  test('that misses a frame, as a replica may that took over, is delivered up to it and no further', async () => {
    const { url } = await useRedisServer()
    const a = await useNode(url)
    a.store.create(session(1), TTL)
    for (const position of [1, 2, 4, 5]) a.store.append('s1', position, `text ${String(position)}`)
    expect(await a.store.claim(session(2), 0)).toMatchObject({ tail: ['text 1', 'text 2'] })
    expect(await a.store.claim(session(3), 3)).toMatchObject({ tail: ['text 4', 'text 5'] })
    expect(await a.store.claim(session(4), 2)).toMatchObject({ tail: [] })
  })

  test('keeps both of its keys in one slot, and no script touches others: Redis Cluster takes them', async () => {
    const { url } = await useRedisServer('--cluster-enabled', 'yes')
    const admin = await useRedisClient(url)
    await admin.sendCommand(['CLUSTER', 'ADDSLOTSRANGE', '0', '16383'])
    let state = ''
    while (!state.includes('cluster_state:ok')) state = await admin.sendCommand<string>(['CLUSTER', 'INFO'])
    const a = await useNode(url)
    a.store.create(session(1), TTL)
    a.store.append('s1', 1, 'one')
    a.store.append('s1', 2, 'two')
    a.store.attach('s1', 2)
    a.store.acknowledge('s1', 1)
    expect(await a.store.find('s1')).toMatchObject({ node: a.node, isNodeAlive: true })
    expect(await a.store.claim(session(3), 1)).toEqual({ tail: ['two'], delivered: null })
    a.store.create(session(1, 's2'), TTL)
    a.store.end('s2', 3)
    expect(await a.store.claim(session(3, 's2'), 0)).toEqual({ tail: [], delivered: 3 })
    expect(a.told).toMatchObject({ fenced: [], losses: [] })
  })

  test('is what a list in memory would be, whatever is written in whatever order', async () => {
    const { url } = await useRedisServer()
    const client = await useRedisClient(url)
    const a = new RedisSessionStore(client)
    afterTest(() => a.close())
    const told = remember()
    await useBefore(client)
    await a.open(told)
    const step = fc.oneof(
      fc.record({ do: fc.constant('append' as const), n: fc.nat(3) }),
      fc.record({ do: fc.constant('acknowledge' as const), n: fc.nat(3) }),
      fc.record({ do: fc.constant('claim' as const), n: fc.nat(3) })
    )
    let run = 0
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const id = `run ${String(++run)}`
        a.create(session(1, id), TTL)
        const frames = new Map<number, string>()
        let [sent, acked, generation, isOver] = [0, 0, 1, false]
        for (const { do: what, n } of steps) {
          if (what === 'append') {
            const text = `${id}, ${String(++sent)}`
            a.append(id, sent, text)
            if (!isOver) frames.set(sent, text)
          } else if (what === 'acknowledge') {
            acked = Math.min(sent, acked + n)
            a.acknowledge(id, acked)
            if (!isOver) for (const position of frames.keys()) if (position <= acked) frames.delete(position)
          } else {
            isOver = true
            const tail = [...frames].filter(([position]) => position > acked + n).map(([, text]) => text)
            expect(await a.claim(session(++generation, id), acked + n)).toEqual({ tail, delivered: null })
          }
        }
      }),
      { numRuns: 60 }
    )
    expect(told.losses).toEqual([])
  })
})
