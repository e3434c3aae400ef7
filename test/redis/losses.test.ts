import { expect, test } from 'vitest'
import { createCluster } from 'redis'
import { RedisSessionStore, type RedisClient } from '../../src/redis/index.js'
import { afterTest } from '../helpers/after-test.js'
import { describeRedis, useRedisClient, useRedisServer } from '../helpers/redis-server.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { remember, session, useBefore, useNode, whenComplete } from './use-store.js'

const TTL = 60_000

describeRedis('nodes', () => {
  test('send each other texts, which come in their order', async () => {
    const { url } = await useRedisServer()
    const [a, b] = [await useNode(url), await useNode(url)]
    const texts = Array.from({ length: 500 }, (_, i) => `${String(i)} ü\u0000`)
    expect(await Promise.all(texts.map((text) => a.store.send(b.node, text)))).toEqual(texts.map(() => true))
    await until(() => b.told.texts.length === 500, 'all texts')
    expect([a.told.texts, b.told.texts]).toEqual([[], texts])
    expect(await a.store.send(a.node, 'self')).toBe(true)
    expect(await a.store.send('nobody', 'x')).toBe(false)
  })

  test('that die are no longer alive after their lease, and hear nothing', async () => {
    const { url } = await useRedisServer()
    const a = await useNode(url, { lease: 300 })
    const b = await useNode(url)
    a.store.create(session(1), TTL)
    await a.store.find('s1')
    const end = performance.now() + 900
    await until(() => performance.now() > end, 'three leases')
    expect(await b.store.find('s1')).toMatchObject({ node: a.node, isNodeAlive: true })
    // As if the process were gone.
    a.client.destroy()
    a.subscribers.forEach((subscriber) => subscriber.destroy())
    let found = await b.store.find('s1')
    while (found?.isNodeAlive) found = await b.store.find('s1')
    expect(found).toMatchObject({ node: a.node })
    expect(await b.store.send(a.node, 'x')).toBe(false)
  })

  test('that close leave neither key nor listener nor connection behind', async () => {
    const { url } = await useRedisServer()
    const admin = await useRedisClient(url)
    const client = await useRedisClient(url)
    await useBefore(client)
    const listeners = (): number[] => ['error', 'end', 'ready', 'reconnecting'].map((event) => client.listenerCount(event))
    const before = listeners()
    const store = new RedisSessionStore(client)
    expect(store.isReady).toBe(false)
    const { node } = await store.open(remember())
    expect(store.isReady).toBe(true)
    expect(await admin.exists(`mcp-ws:node:${node}`)).toBe(1)
    store.create(session(1), TTL)
    store.end('s1', 0)
    await store.close()
    expect(store.isReady).toBe(false)
    expect(await admin.publish(`mcp-ws:node:${node}`, 'x')).toBe(0)
    expect((await admin.keys('*')).sort()).toEqual(['mcp-ws:epoch', 'mcp-ws:{s1}:meta'])
    expect(listeners()).toEqual(before)
    expect(client.isReady).toBe(true)
    await store.close()
    store.create(session(1), TTL)
    await expect(store.find('s1')).rejects.toThrow('cannot be reached')
    expect((await store.open(remember())).node).not.toBe(node)
    await store.close()
  })

  test('open once, and not without Redis', async () => {
    const redis = await useRedisServer()
    const { store, client } = await useNode(redis.url)
    await expect(store.open(remember())).rejects.toThrow('open() was called before')
    await redis.kill()
    await until(() => !client.isReady, 'loss')
    const other = new RedisSessionStore(client)
    await expect(other.open(remember())).rejects.toThrow('not connected')
    await redis.start()
    await until(() => client.isReady, 'connected')
    await other.open(remember())
    await other.close()
  })

  test('that are closed while they open do not', async () => {
    const { url } = await useRedisServer()
    const client = await useRedisClient(url)
    const before = client.listenerCount('error')
    const store = new RedisSessionStore(client)
    const opening = rejectionOf(store.open(remember()))
    await store.close()
    expect(String(await opening)).toContain('close')
    expect(client.listenerCount('error')).toBe(before)
  })

  test.each<[options: object, message: string]>([
    [{ lease: 0 }, 'lease must be a whole number of at least 1'],
    [{ prefix: '{a}' }, 'prefix must be a string without braces'],
    [{ prefx: 'a' }, 'unknown option prefx: did you mean prefix?']
  ])('do not take the options %j', async (options, message) => {
    const { url } = await useRedisServer()
    const client = await useRedisClient(url)
    expect(() => new RedisSessionStore(client, options)).toThrow(message)
  })

  test.each([undefined, null, {}, 'redis://127.0.0.1'])('do not take %j for a client', (client) => {
    expect(() => new RedisSessionStore(client as never)).toThrow(
      'client must be a client of the package redis, version 6: await createClient().connect()'
    )
  })

  test('do not take the client of a cluster', () => {
    const cluster = createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:1' }] })
    expect(() => new RedisSessionStore(cluster as never)).toThrow('client must not be that of a cluster: give one of createClient()')
  })

  test('use the prefix for all of their keys', async () => {
    const { url } = await useRedisServer()
    const { store, client, node } = await useNode(url, { prefix: 'other/' })
    store.create(session(1), TTL)
    store.append('s1', 1, 'x')
    await store.find('s1')
    expect((await client.keys('*')).sort()).toEqual([`other/epoch`, `other/node:${node}`, 'other/{s1}:meta', 'other/{s1}:out'].sort())
  })

  test('get texts from a client that maps replies to buffers', async () => {
    const { url } = await useRedisServer()
    const client = await useRedisClient(url, { commandOptions: { typeMapping: { 36: Buffer } } })
    const store = new RedisSessionStore(client)
    await useBefore(client)
    await store.open(remember())
    store.create(session(1), TTL)
    store.append('s1', 1, 'one')
    expect(await store.find('s1')).toMatchObject(session(1))
    expect(await store.claim(session(2), 0)).toMatchObject({ tail: ['one'] })
    await store.close()
  })
})

describeRedis('a Redis that is lost', () => {
  test('is told once; what is written meanwhile is dropped; and it is told when it is back, empty, with the epoch', async () => {
    const redis = await useRedisServer()
    const a = await useNode(redis.url, { lease: 300 })
    a.store.create(session(1), TTL)
    a.store.append('s1', 1, 'before')
    await a.store.find('s1')
    await redis.kill()
    await until(() => a.told.losses.length > 0, 'loss')
    expect(a.store.isReady).toBe(false)
    a.store.append('s1', 2, 'dropped')
    a.store.create(session(1, 's2'), TTL)
    await expect(a.store.find('s1')).rejects.toThrow('cannot be reached')
    await expect(a.store.claim(session(2), 0)).rejects.toThrow('cannot be reached')
    await expect(a.store.send(a.node, 'x')).rejects.toThrow('cannot be reached')
    await redis.start()
    await until(() => a.told.restores > 0, 'restore')
    expect(a.store.isReady).toBe(true)
    expect(await a.client.get('mcp-ws:epoch')).toBe(a.epoch)
    expect(await whenComplete(() => a.store.find('s1'))).toBeUndefined()
    expect(await a.store.find('s2')).toBeUndefined()
    a.store.create(session(1), TTL)
    a.store.append('s1', 2, 'after')
    expect(await a.store.send(a.node, 'self')).toBe(true)
    expect(await a.store.find('s1')).toMatchObject({ node: a.node, isNodeAlive: true })
    expect(await a.store.claim(session(2), 1)).toMatchObject({ tail: ['after'] })
    await until(() => a.told.texts.length > 0, 'the text')
    expect([a.told.losses.length, a.told.restores, a.told.fenced]).toEqual([1, 1, []])
  })

  test('is noticed although its sockets stay open, and back as soon as it answers', async () => {
    const redis = await useRedisServer()
    const a = await useNode(redis.url, { lease: 900 })
    a.store.create(session(1), TTL)
    await a.store.find('s1')
    redis.freeze()
    await until(() => a.told.losses.length > 0, 'loss')
    expect(a.told.losses[0]?.message).toContain('not answered within 2000 ms')
    a.store.append('s1', 1, 'dropped')
    redis.thaw()
    await until(() => a.told.restores > 0, 'restore')
    a.store.create(session(1), TTL)
    a.store.append('s1', 2, 'after')
    expect(await whenComplete(() => a.store.claim(session(2), 1))).toMatchObject({ tail: ['after'] })
    expect([a.told.losses.length, a.told.restores]).toEqual([1, 1])
  })

  test('rejects what was asked of it after 2 s', async () => {
    const redis = await useRedisServer()
    const a = await useNode(redis.url, { lease: 60_000 })
    redis.freeze()
    const asked = [a.store.find('s1'), a.store.claim(session(2), 0), a.store.send('x', 'x')].map(rejectionOf)
    for (const error of await Promise.all(asked)) expect(String(error)).toContain('not answered within 2000 ms')
    expect(a.told.losses).toHaveLength(1)
    await a.store.close()
  })

  test('that closes only the connection of the channel is lost too', async () => {
    const redis = await useRedisServer()
    const a = await useNode(redis.url)
    await a.client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub'])
    await until(() => a.told.restores > 0, 'restore')
    expect(a.told.losses).toHaveLength(1)
    expect(await a.store.send(a.node, 'self')).toBe(true)
    await until(() => a.told.texts.length > 0, 'the text')
  })

  test('that was emptied shows to a node that has nothing to write, and before it says that it does not know a session', async () => {
    const redis = await useRedisServer()
    const [a, b] = [await useNode(redis.url, { lease: 300 }), await useNode(redis.url)]
    b.store.create(session(1), TTL)
    await b.store.find('s1')
    await b.client.flushAll()
    await until(() => a.told.losses.length > 0, 'the loss at the next beat')
    await expect(b.store.find('s1')).rejects.toThrow('cannot be reached')
    expect([a, b].map(({ told }) => told.losses[0]?.message)).toEqual(Array(2).fill('Redis has forgotten this server'))
    await until(() => b.told.restores > 0, 'restore')
    await expect(b.store.find('s1')).rejects.toThrow('other servers may still have to write')
    b.store.create(session(1), TTL)
    expect(await a.store.find('s1')).toMatchObject({ node: b.node, isNodeAlive: true })
  })

  test('that was emptied shows when a session is written', async () => {
    const redis = await useRedisServer()
    const a = await useNode(redis.url)
    a.store.create(session(1), TTL)
    await a.client.flushAll()
    a.store.append('s1', 1, 'x')
    await until(() => a.told.restores > 0, 'restore')
    expect(a.told.losses[0]?.message).toBe('Redis has forgotten a session')
    expect(await a.client.get('mcp-ws:epoch')).toBe(a.epoch)
    expect(a.told.fenced).toEqual([])
  })

  test('that has forgotten the scripts gets them anew', async () => {
    const redis = await useRedisServer()
    const a = await useNode(redis.url, { lease: 300 })
    a.store.create(session(1), TTL)
    await a.store.find('s1')
    await a.client.scriptFlush()
    expect(await a.store.claim(session(1), 0)).toBe('stale-generation')
    a.store.append('s1', 1, 'x')
    await until(() => a.told.restores > 0, 'restore')
    expect(a.told.losses[0]?.message).toContain('NOSCRIPT')
    a.store.create(session(1), TTL)
    a.store.append('s1', 1, 'one')
    expect(await whenComplete(() => a.store.claim(session(2), 0))).toMatchObject({ tail: ['one'] })
  })

  test('that has no more memory is lost until it has', async () => {
    const redis = await useRedisServer()
    const a = await useNode(redis.url)
    a.store.create(session(1), TTL)
    await a.store.find('s1')
    await a.client.configSet('maxmemory', '1')
    a.store.append('s1', 1, 'x')
    await until(() => a.told.losses.length > 0, 'loss')
    expect(a.told.losses[0]?.message).toContain('OOM')
    await a.client.configSet('maxmemory', '0')
    await until(() => a.told.restores > 0, 'restore')
    expect(a.told.fenced).toEqual([])
  })

  test('keeps the epoch of the first node that comes back', async () => {
    const redis = await useRedisServer()
    const [a, b] = [await useNode(redis.url), await useNode(redis.url)]
    await redis.kill()
    await until(() => a.told.losses.length + b.told.losses.length === 2, 'losses')
    await redis.start()
    await until(() => a.told.restores + b.told.restores === 2, 'restores')
    const c = await useNode(redis.url)
    expect([b.epoch, c.epoch]).toEqual([a.epoch, a.epoch])
  })

  test('that comes back empty knows nobody until the others had one lease to write: what it lacks, or whose node is away, may come', async () => {
    const redis = await useRedisServer()
    const a = await useNode(redis.url)
    const b = await useNode(redis.url, { lease: 1000 })
    a.store.create(session(1), TTL)
    await a.store.find('s1')
    await redis.kill()
    await until(() => a.told.losses.length + b.told.losses.length === 2, 'losses')
    await redis.start()
    await until(() => a.told.restores + b.told.restores === 2, 'restores')
    await expect(b.store.find('s1')).rejects.toThrow('other servers may still have to write')
    await expect(b.store.claim(session(2), 0)).rejects.toThrow('other servers may still have to write')
    a.store.create(session(1), TTL)
    await until(() => a.store.isReady, 'written')
    expect(await whenComplete(() => b.store.find('s1'))).toMatchObject({ node: a.node, isNodeAlive: true })
    expect(await whenComplete(() => b.store.find('s2'))).toBeUndefined()
    expect(await b.store.claim(session(2), 0)).toMatchObject({ tail: [] })
  })

  test('that is empty when a node opens is filled first by those that live', async () => {
    const redis = await useRedisServer()
    const client = await useRedisClient(redis.url)
    const store = new RedisSessionStore(client, { lease: 300 })
    afterTest(() => store.close())
    await store.open(remember())
    await expect(store.find('s1')).rejects.toThrow('other servers may still have to write')
    expect(await whenComplete(() => store.find('s1'))).toBeUndefined()
  })

  test('that was emptied is not taken for complete by a node that opens just when another one has come back', async () => {
    const redis = await useRedisServer()
    const [a, b] = [await useNode(redis.url), await useNode(redis.url)]
    b.store.create(session(1), TTL)
    await b.store.find('s1')
    await redis.kill()
    await until(() => a.told.losses.length + b.told.losses.length === 2, 'losses')
    await redis.start()
    await until(() => a.told.restores + b.told.restores === 2, 'restores')
    // `b` has not written yet.
    const c = await useNode(redis.url)
    expect(c.epoch).toBe(a.epoch)
    await expect(c.store.find('s1')).rejects.toThrow('other servers may still have to write')
    b.store.create(session(1), TTL)
    expect(await whenComplete(() => c.store.find('s1'))).toMatchObject({ node: b.node, isNodeAlive: true })
  })

  test('is restored with a client that gave up, once the program connects it again', async () => {
    const redis = await useRedisServer()
    const a = await useNode(redis.url, { lease: 300 })
    a.client.destroy()
    await until(() => a.told.losses.length > 0, 'loss')
    await a.client.connect()
    await until(() => a.told.restores > 0, 'restore')
    expect(await whenComplete(() => a.store.find('s1'))).toBeUndefined()
  })

  test('is restored, and closed, also where the client of the channel gave up and throws when it is destroyed, as that of redis 6.0 does', async () => {
    const redis = await useRedisServer()
    const client = await useRedisClient(redis.url, { socket: { reconnectStrategy: false } })
    await useBefore(client)
    const given: RedisClient = client
    const duplicate = given.duplicate.bind(client)
    given.duplicate = () => {
      const subscriber = duplicate()
      const destroy = subscriber.destroy.bind(subscriber)
      subscriber.destroy = () => {
        if (!subscriber.isOpen) throw new Error('The client is closed')
        destroy()
      }
      return subscriber
    }
    const store = new RedisSessionStore(given, { lease: 300 })
    const told = remember()
    await store.open(told)
    await redis.kill()
    await until(() => told.losses.length > 0 && !client.isOpen, 'loss')
    await redis.start()
    await client.connect()
    await until(() => told.restores > 0, 'restore')
    await redis.kill()
    await until(() => told.losses.length > 1 && !client.isOpen, 'second loss')
    await store.close()
  })

  test('leaves nothing behind when the store is closed meanwhile', async () => {
    const redis = await useRedisServer()
    const a = await useNode(redis.url)
    const before = a.client.listenerCount('ready')
    await redis.kill()
    await until(() => a.told.losses.length > 0, 'loss')
    await redis.start()
    await until(() => a.client.isReady, 'connected')
    await a.store.close()
    expect(a.client.listenerCount('ready')).toBe(before - 1)
    expect(a.subscribers.map(({ isOpen }) => isOpen)).toEqual(a.subscribers.map(() => false))
    expect(a.told.restores).toBe(0)
  })

  test('gets no frame late that was written in the turn in which it was lost', async () => {
    const redis = await useRedisServer()
    const a = await useNode(redis.url, { lease: 300 })
    a.store.create(session(1), TTL)
    await a.store.find('s1')
    await redis.kill()
    for (let position = 1; position <= 100; position++) a.store.append('s1', position, 'unsure')
    await redis.start()
    await until(() => a.told.restores > 0, 'restore')
    a.store.create(session(1), TTL)
    a.store.append('s1', 101, 'sure')
    expect(await whenComplete(() => a.store.claim(session(2), 100))).toMatchObject({ tail: ['sure'] })
    expect([a.told.losses.length, a.told.fenced]).toEqual([1, []])
  })
})
