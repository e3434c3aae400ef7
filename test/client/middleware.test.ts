import { describe, expect, it, vi } from 'vitest'
import type { Middleware, SentRequest } from '../../src/index.js'
import { settle } from '../helpers/fake-clock.js'
import { watch } from '../helpers/watch.js'
import { closeClean, useClient } from './use-client.js'

const pass: Middleware = (request, next) => next(request)

describe('middleware around requests', () => {
  it('runs in the order of registration, the first outermost', async () => {
    const rig = useClient()
    const log: string[] = []
    const named =
      (name: string): Middleware =>
      async (request, next) => {
        log.push(`${name} in`)
        const result = await next(request)
        log.push(`${name} out`)
        return result
      }
    rig.client.use(named('a'))
    rig.client.use(named('b'))
    const socket = await rig.legacy()
    const called = watch(rig.client.callTool({ name: 'x' }))
    await settle()
    socket.respond('tools/call', { content: [] })
    await settle()
    expect(log).toEqual(['a in', 'b in', 'b out', 'a out'])
    expect(called.value).toEqual({ content: [] })
  })

  it('sees method, params and options, and may replace all of them', async () => {
    const rig = useClient()
    const seen = vi.fn()
    rig.client.use((request, next) => {
      seen(request)
      return next({ method: 'tools/list', params: { cursor: 'c' }, options: { ...request.options, timeout: 10 } })
    })
    const socket = await rig.legacy()
    const asked = watch(rig.client.request('x/y', { a: 1 }, { timeout: 99_999 }))
    await settle()
    expect(seen).toHaveBeenCalledExactlyOnceWith({ method: 'x/y', params: { a: 1 }, options: { timeout: 99_999 } })
    expect(socket.sent.at(-1)).toMatchObject({ method: 'tools/list', params: { cursor: 'c' } })
    await rig.clock.advance(10)
    expect(asked.error).toMatchObject({ code: 'REQUEST_TIMEOUT', timeout: 10 })
  })

  it('may write into _meta, beside what the client writes there', async () => {
    const rig = useClient()
    rig.client.use(({ params, ...request }, next) =>
      next({ ...request, params: { ...params, _meta: { ...params?._meta, traceparent: 't' } } })
    )
    const socket = await rig.modern()
    watch(rig.client.callTool({ name: 'x', _meta: { own: 1 } }))
    await settle()
    expect(socket.asked('tools/call').params?._meta).toMatchObject({
      traceparent: 't',
      own: 1,
      'io.modelcontextprotocol/protocolVersion': '2026-07-28'
    })
  })

  it('may change the result, answer by itself, ask twice, and reject', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const off = rig.client.use(async (request, next) => ({ ...((await next(request)) as object), more: 1 }))
    const changed = watch(rig.client.request('x/y'))
    await settle()
    socket.respond('x/y', { a: 1 })
    await settle()
    expect(changed.value).toEqual({ a: 1, more: 1 })
    off()
    const offCache = rig.client.use(() => Promise.resolve({ cached: true }))
    expect(await rig.client.request('x/z')).toEqual({ cached: true })
    offCache()
    const offRetry = rig.client.use((request, next) => next(request).catch(() => next(request)))
    const retried = watch(rig.client.request('x/y'))
    await settle()
    socket.respondError('x/y', -1)
    await settle()
    socket.respond('x/y', { b: 2 })
    await settle()
    expect(retried.value).toEqual({ b: 2 })
    expect(socket.methods.filter((method) => method === 'x/y')).toHaveLength(3)
    offRetry()
    const problem = new Error('not today')
    rig.client.use(() => {
      throw problem
    })
    await expect(rig.client.request('x/y')).rejects.toBe(problem)
  })

  it('is gone after it was taken away, also where it was added twice', async () => {
    const rig = useClient()
    const seen = vi.fn(pass)
    const first = rig.client.use(seen)
    rig.client.use(seen)
    first()
    first()
    await rig.legacy()
    watch(rig.client.request('x/y'))
    expect(seen).toHaveBeenCalledTimes(1)
  })

  it('stands around every request: pages of lists, pings, listens', async () => {
    const rig = useClient()
    const seen: string[] = []
    rig.client.use((request, next) => {
      seen.push(request.method)
      return next(request)
    })
    const socket = await rig.modern()
    watch(rig.client.listTools())
    watch(rig.client.ping())
    watch(rig.client.listen({ toolsListChanged: true }))
    await settle()
    socket.respond('tools/list', { tools: [], nextCursor: 'c' })
    await settle()
    expect(seen).toEqual(['tools/list', 'server/discover', 'subscriptions/listen', 'tools/list'])
  })

  it('goes once around a request of several rounds, whose legs onsent tells', async () => {
    const rig = useClient()
    const sent: SentRequest[] = []
    const seen = vi.fn()
    rig.client.use((request, next) => {
      seen()
      return next({ ...request, options: { ...request.options, onsent: (each) => void sent.push(each) } })
    })
    rig.client.setRequestHandler('roots/list', () => ({ roots: [] }))
    const socket = await rig.modern()
    const called = watch(rig.client.callTool({ name: 'x' }))
    await settle()
    socket.respond('tools/call', { resultType: 'input_required', inputRequests: { k: { method: 'roots/list' } } })
    await settle()
    socket.respond('tools/call', { resultType: 'complete', content: [] })
    await settle()
    expect(called.value).toEqual({ resultType: 'complete', content: [] })
    expect(seen).toHaveBeenCalledTimes(1)
    const ids = socket.sent.filter(({ method }) => method === 'tools/call').map(({ id }) => id)
    expect(sent.map(({ id, resent }) => [id, resent])).toEqual(ids.map((id) => [id, false]))
  })

  it('may take its time, and a listen that it never hands on opens nothing', async () => {
    const rig = useClient()
    let goOn = (): void => undefined
    const late = new Promise<void>((resolve) => (goOn = resolve))
    rig.client.use(async (request, next) => {
      await late
      return next(request)
    })
    const socket = await rig.modern()
    const listening = watch(rig.client.listen({ toolsListChanged: true }))
    socket.deliver({ jsonrpc: '2.0', method: 'notifications/subscriptions/acknowledged', params: { notifications: {} } })
    await settle()
    expect(listening.settled).toBe(false)
    goOn()
    await settle()
    const { id } = socket.asked('subscriptions/listen')
    socket.deliver({
      jsonrpc: '2.0',
      method: 'notifications/subscriptions/acknowledged',
      params: { _meta: { 'io.modelcontextprotocol/subscriptionId': id }, notifications: {} }
    })
    await settle()
    expect(listening.value?.honoredFilter).toEqual({})
  })

  it('has to be a function', () => {
    const { client } = useClient()
    // @ts-expect-error no function
    expect(() => client.use({})).toThrow(TypeError)
    // @ts-expect-error no function
    expect(() => client.useForServerRequests(undefined)).toThrow('middleware must be a function')
  })
})

describe('onsent', () => {
  it('tells id, era and version when the request is written, and again when it is resent', async () => {
    const rig = useClient()
    const sent: SentRequest[] = []
    const asked = watch(rig.client.request('tools/list', {}, { onsent: (each) => void sent.push(each) }))
    await settle()
    expect(sent).toEqual([])
    const socket = await rig.modern()
    const { id } = socket.asked('tools/list')
    const first = { id, method: 'tools/list', resent: false, era: 'modern', protocolVersion: '2026-07-28' }
    expect(sent).toEqual([first])
    socket.drop()
    const second = await rig.remodern()
    expect(sent).toEqual([first, { ...first, resent: true }])
    second.respond('tools/list', { tools: [] })
    await settle()
    expect(asked.value).toEqual({ tools: [] })
  })

  it('reports to the event error what it throws, and harms nobody', async () => {
    const rig = useClient()
    const problem = new Error('mine')
    const socket = await rig.legacy()
    const asked = watch(
      rig.client.request(
        'x/y',
        {},
        {
          onsent: () => {
            throw problem
          }
        }
      )
    )
    socket.respond('x/y', {})
    await settle()
    expect(asked.value).toEqual({})
    expect(rig.errors).toEqual([problem])
  })

  it('may close the client', async () => {
    const rig = useClient()
    await rig.legacy()
    const asked = watch(rig.client.request('x/y', {}, { onsent: () => void rig.client.close() }))
    await settle()
    expect(asked.error).toMatchObject({ code: 'CLOSED', delivery: 'unknown' })
  })
})

describe('middleware around requests of the server', () => {
  it('stands around the handlers, those that were set before too', async () => {
    const rig = useClient()
    const log: string[] = []
    rig.client.setRequestHandler('roots/list', ({ method }) => {
      log.push(`handler of ${method}`)
      return { roots: [] }
    })
    rig.client.useForServerRequests(async (request, next) => {
      log.push(`${request.method} ${String(request.context.requestId)}`)
      return { ...((await next({ ...request, method: 'changed' })) as object), _meta: { seen: true } }
    })
    const socket = await rig.legacy()
    socket.deliver({ jsonrpc: '2.0', id: 7, method: 'roots/list' })
    await settle()
    expect(log).toEqual(['roots/list 7', 'handler of changed'])
    expect(socket.sent.at(-1)).toMatchObject({ id: 7, result: { roots: [], _meta: { seen: true } } })
  })

  it('stands around input requests, and around methods without a handler', async () => {
    const rig = useClient()
    const seen: string[] = []
    rig.client.setRequestHandler('roots/list', () => ({ roots: [] }))
    const off = rig.client.useForServerRequests((request, next) => {
      seen.push(request.method)
      return next(request)
    })
    const socket = await rig.modern()
    watch(rig.client.callTool({ name: 'x' }))
    socket.respond('tools/call', { resultType: 'input_required', inputRequests: { k: { method: 'roots/list' } } })
    await settle()
    expect(socket.asked('tools/call').params?.inputResponses).toEqual({ k: { roots: [] } })
    await closeClean(rig)
    const legacy = await rig.legacy()
    legacy.deliver({ jsonrpc: '2.0', id: 1, method: 'no/such' })
    await settle()
    expect(legacy.sent.at(-1)).toMatchObject({ id: 1, error: { code: -32601 } })
    expect(seen).toEqual(['roots/list', 'no/such'])
    off()
    legacy.deliver({ jsonrpc: '2.0', id: 2, method: 'roots/list' })
    await settle()
    expect(seen).toHaveLength(2)
  })
})
