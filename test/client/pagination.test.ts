import { describe, expect, it } from 'vitest'
import { settle } from '../helpers/fake-clock.js'
import { closeClean, useClient } from './use-client.js'
import { watch } from '../helpers/watch.js'

const LISTS = [
  ['listTools', 'tools/list', 'tools'],
  ['listResources', 'resources/list', 'resources'],
  ['listResourceTemplates', 'resources/templates/list', 'resourceTemplates'],
  ['listPrompts', 'prompts/list', 'prompts']
] as const

describe('a list', () => {
  it.each(LISTS)('is fetched whole without a cursor: %s', async (name, method, key) => {
    const rig = useClient()
    const socket = await rig.legacy()
    const listed = watch<object>(rig.client[name]())
    socket.respond(method, { [key]: [1, 2], nextCursor: 'b' })
    await settle()
    socket.respond(method, { [key]: [3], nextCursor: 'c' })
    await settle()
    expect(listed.settled).toBe(false)
    socket.respond(method, { [key]: [], _meta: { last: true } })
    await settle()
    expect(listed.value).toEqual({ [key]: [1, 2, 3], _meta: { last: true } })
    expect(socket.sent.filter((message) => message.method === method).map(({ params }) => params?.cursor)).toEqual([undefined, 'b', 'c'])
  })

  it.each([null, {}, { tools: null }, { _meta: { a: 1 } }, { resultType: 'complete' }])(
    'is empty when the server says %j',
    async (result) => {
      const rig = useClient()
      const socket = await rig.legacy()
      const listed = watch(rig.client.listTools())
      socket.respond('tools/list', result)
      await settle()
      expect(listed.value?.tools).toEqual([])
    }
  )

  it('is empty when middleware has no result, and is asked for once', async () => {
    const rig = useClient()
    await rig.legacy()
    const seen: string[] = []
    rig.client.use(({ method }) => {
      seen.push(method)
      return Promise.resolve(undefined)
    })
    expect(await rig.client.listTools()).toEqual({ tools: [] })
    expect(seen).toEqual(['tools/list'])
  })

  it('that is missing in a result with other members is an error, and not taken for an empty one', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const listed = watch(rig.client.listTools())
    socket.respond('tools/list', { streamed: true })
    await settle()
    expect(listed.error).toMatchObject({
      code: 'INVALID_RESPONSE',
      message: 'the response to tools/list came without "tools", but with streamed'
    })
  })

  it.each(LISTS)('is one page with a cursor: %s', async (name, method, key) => {
    const rig = useClient()
    const socket = await rig.legacy()
    const listed = watch<object>(rig.client[name]({ cursor: 'b' }))
    socket.respond(method, { [key]: [3], nextCursor: 'c' })
    await settle()
    expect(listed.value).toEqual({ [key]: [3], nextCursor: 'c' })
    expect(socket.asked(method).params).toEqual({ cursor: 'b' })
  })

  it('takes the empty string for a cursor, if the caller gives it', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const page = watch(rig.client.listTools({ cursor: '' }))
    expect(socket.asked('tools/list').params).toEqual({ cursor: '' })
    socket.respond('tools/list', { tools: [], nextCursor: 'b' })
    await settle()
    expect(page.value).toEqual({ tools: [], nextCursor: 'b' })
  })

  it.each(['', null, 0, {}, [['b']], false])('ends at the cursor %j, which is none', async (nextCursor) => {
    const rig = useClient()
    const socket = await rig.legacy()
    const listed = watch(rig.client.listTools())
    socket.respond('tools/list', { tools: [{ name: 'a' }], nextCursor })
    await settle()
    expect(listed.value?.tools.map(({ name }) => name)).toEqual(['a'])
  })

  it('goes on at a cursor that is a number', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const listed = watch(rig.client.listTools())
    socket.respond('tools/list', { tools: [{ name: 'a' }], nextCursor: 2 })
    await settle()
    expect(socket.asked('tools/list').params).toEqual({ cursor: 2 })
    socket.respond('tools/list', { tools: [{ name: 'b' }] })
    await settle()
    expect(listed.value?.tools.map(({ name }) => name)).toEqual(['a', 'b'])
  })

  it('counts no page twice when the server ignores cursors', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const listed = watch(rig.client.listTools())
    for (let page = 0; page < 2; page++) {
      socket.respond('tools/list', { tools: [{ name: 'a' }, { name: 'b' }], nextCursor: 'x' })
      await settle()
    }
    expect(listed.value?.tools.map(({ name }) => name)).toEqual(['a', 'b'])
  })

  it('starts anew when the connection broke between two pages: cursors belong to a session', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const listed = watch(rig.client.listTools())
    socket.respond('tools/list', { tools: [{ name: 'old' }], nextCursor: 'x' })
    await settle()
    socket.drop()
    const second = await rig.relegacy()
    second.respondError('tools/list', -32602, 'unknown cursor')
    await settle()
    expect(second.asked('tools/list').params).toBeUndefined()
    second.respond('tools/list', { tools: [{ name: 'new' }], nextCursor: 'y' })
    await settle()
    expect(second.asked('tools/list').params).toEqual({ cursor: 'y' })
    second.respond('tools/list', { tools: [{ name: 'last' }] })
    await settle()
    expect(listed.value?.tools.map(({ name }) => name)).toEqual(['new', 'last'])
  })

  it('starts anew also if the new session takes the old cursor', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const listed = watch(rig.client.listTools())
    socket.respond('tools/list', { tools: [{ name: 'old' }], nextCursor: 'x' })
    await settle()
    socket.drop()
    const second = await rig.relegacy()
    second.respond('tools/list', { tools: [{ name: 'wrong' }] })
    await settle()
    second.respond('tools/list', { tools: [{ name: 'new' }] })
    await settle()
    expect(listed.value?.tools.map(({ name }) => name)).toEqual(['new'])
  })

  it('as a whole is bounded by maxTotalTimeout', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const listed = watch(rig.client.listTools({}, { timeout: 80, maxTotalTimeout: 100 }))
    await rig.clock.advance(60)
    socket.respond('tools/list', { tools: [], nextCursor: 'b' })
    await rig.clock.advance(39)
    expect(listed.settled).toBe(false)
    await rig.clock.advance(1)
    expect(listed.error).toMatchObject({ code: 'REQUEST_TIMEOUT', timeout: 100 })
  })

  it('ends when a cursor repeats, with what was found', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const listed = watch(rig.client.listTools())
    for (const [tool, nextCursor] of [
      ['a', 'x'],
      ['b', 'y'],
      ['c', 'x']
    ]) {
      socket.respond('tools/list', { tools: [{ name: tool }], nextCursor })
      await settle()
    }
    expect(listed.value?.tools.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
  })

  it('ends in an error when it has no end', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const listed = watch(rig.client.listTools())
    let pages = 0
    for (; !listed.settled && pages < 5000; pages++) {
      socket.respond('tools/list', { tools: [], nextCursor: String(pages) })
      await settle()
    }
    expect(listed.error).toMatchObject({ code: 'INVALID_RESPONSE' })
    expect(pages).toBeLessThan(5000)
  })

  it('rejects when a page gets an error response', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const listed = watch(rig.client.listTools())
    socket.respond('tools/list', { tools: [], nextCursor: 'b' })
    await settle()
    socket.respondError('tools/list', -32602)
    await settle()
    expect(listed.error).toMatchObject({ rpcCode: -32602 })
  })

  it('hands its options to every page', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const controller = new AbortController()
    const listed = watch(rig.client.listTools({}, { signal: controller.signal }))
    socket.respond('tools/list', { tools: [], nextCursor: 'b' })
    await settle()
    controller.abort()
    await settle()
    expect(listed.error).toBe(controller.signal.reason)
  })
})

describe('the other methods', () => {
  it.each([
    ['callTool', 'tools/call', { name: 'x', arguments: {} }],
    ['readResource', 'resources/read', { uri: 'a:1' }],
    ['getPrompt', 'prompts/get', { name: 'p', arguments: { a: 'b' } }],
    ['complete', 'completion/complete', { ref: { type: 'ref/prompt', name: 'p' }, argument: { name: 'a', value: 'b' } }]
  ] as const)('%s sends %s with its params as they are', async (name, method, params) => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch<object>(rig.client[name](params as never))
    expect(socket.asked(method).params).toEqual(params)
    socket.respond(method, { some: 'result' })
    await settle()
    expect(asked.value).toEqual({ some: 'result' })
  })

  it('ping is ping on a legacy server, and server/discover on a modern one', async () => {
    const rig = useClient()
    const legacy = await rig.legacy()
    watch(rig.client.ping())
    expect(legacy.methods.at(-1)).toBe('ping')
    await closeClean(rig)
    const modern = await rig.modern()
    watch(rig.client.ping())
    expect(modern.methods).toEqual(['server/discover', 'server/discover'])
  })

  it('ping resolves with nothing, and its round trip is the latency', async () => {
    const rig = useClient()
    for (const [era, method] of [['legacy', 'ping'] as const, ['modern', 'server/discover'] as const]) {
      const socket = await rig[era]()
      const pinged = watch(rig.client.ping())
      await rig.clock.advance(42.4)
      socket.respond(method, { supportedVersions: ['2026-07-28'], capabilities: {} })
      await settle()
      expect([pinged.value, rig.client.stats().latency]).toEqual([{}, 42])
      await closeClean(rig)
    }
  })

  it('ping waits for the era, and what waits tells no latency', async () => {
    const rig = useClient()
    const early = watch(rig.client.ping())
    const first = await rig.modern()
    await settle()
    first.respond('server/discover', { supportedVersions: ['2026-07-28'], capabilities: {} })
    await settle()
    const lost = watch(rig.client.ping())
    first.drop()
    const second = await rig.remodern()
    await settle()
    second.respond('server/discover', { supportedVersions: ['2026-07-28'], capabilities: {} })
    await settle()
    expect([early.value, lost.value, rig.client.stats().latency]).toEqual([{}, {}, undefined])
  })

  it('discover asks server/discover', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const asked = watch(rig.client.discover())
    expect(socket.methods).toEqual(['server/discover', 'server/discover'])
    socket.respond('server/discover', { supportedVersions: ['2026-07-28'], capabilities: {} })
    await settle()
    expect(asked.value).toMatchObject({ supportedVersions: ['2026-07-28'] })
  })

  it('sendRootsListChanged notifies', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    await rig.client.sendRootsListChanged()
    expect(socket.sent.at(-1)).toEqual({ jsonrpc: '2.0', method: 'notifications/roots/list_changed' })
  })
})
