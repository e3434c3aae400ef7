import {
  CallToolResultSchema,
  CreateMessageRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema
} from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, it } from 'vitest'
import * as mini from 'zod/mini'
import * as z3 from 'zod/v3'
import type { McpWebSocketClient } from '../../src/client/client.js'
import type { McpWebSocketClientOptions } from '../../src/types/options.js'
import { becomeModern } from '../helpers/fake-network.js'
import { useClient } from './use-client.js'

/** Calls of a program without types. */
type Loose = Record<keyof McpWebSocketClient, (...parameters: unknown[]) => unknown>
const looseClient = (): Loose => useClient().client as unknown as Loose
const handler = (): object => ({})

describe('a call in the form of the official SDK', () => {
  it.each([
    ['zod 4, of the SDK', ListRootsRequestSchema, 'roots/list'],
    ['zod 4, of the SDK', CreateMessageRequestSchema, 'sampling/createMessage'],
    ['zod 3', z3.object({ method: z3.literal('a/b') }), 'a/b'],
    ['zod mini', mini.object({ method: mini.literal('a/b') }), 'a/b'],
    ['several methods', mini.object({ method: mini.literal(['a/b', 'c']) }), 'a/b']
  ])('sets no handler, and shows how to (%s)', (_zod, schema, method) => {
    const client = looseClient()
    const shown = `this form of setRequestHandler is that of the official SDK: write setRequestHandler('${method}', handler)`
    expect(() => client.setRequestHandler(schema, handler)).toThrow(new TypeError(shown))
  })

  it.each([undefined, null, 5, {}, z3.string(), z3.object({}), z3.object({ method: z3.string() })])(
    'sets no handler if the method cannot be read either',
    (schema) => {
      const client = looseClient()
      expect(() => client.setRequestHandler(schema, handler)).toThrow(/write setRequestHandler\(method, handler\)$/)
    }
  )

  it('sets no handler for notifications', () => {
    const client = looseClient()
    expect(() => client.setNotificationHandler(LoggingMessageNotificationSchema, handler)).toThrow(
      /write setNotificationHandler\('notifications\/message', handler\)$/
    )
  })

  it.each([
    ['a schema', [CallToolResultSchema]],
    ['a schema of zod 3', [z3.object({})]],
    ['a schema and options', [CallToolResultSchema, { timeout: 5 }]],
    ['options behind a schema left out', [undefined, { timeout: 5 }]]
  ])('calls no tool: %s', async (_what, more) => {
    const client = looseClient()
    const shown = 'this form of callTool is that of the official SDK: write callTool(params, options)'
    await expect(client.callTool({ name: 'x' }, ...more)).rejects.toThrow(new TypeError(shown))
    expect(client.pendingCount).toBe(0)
  })

  it('sends no request', async () => {
    const client = looseClient()
    const shown = "this form of request is that of the official SDK: write request('tools/call', params, options)"
    await expect(client.request({ method: 'tools/call', params: {} }, CallToolResultSchema)).rejects.toThrow(new TypeError(shown))
    expect(client.pendingCount).toBe(0)
  })
})

describe('options of a request that are no object', () => {
  const calls: [string, keyof McpWebSocketClient, ...unknown[]][] = [
    ['tools/call', 'callTool', { name: 'x' }],
    ['tools/list', 'listTools', {}],
    ['tools/list', 'listTools', { cursor: 'x' }],
    ['resources/templates/list', 'listResourceTemplates', undefined],
    ['resources/subscribe', 'subscribeResource', { uri: 'a:1' }],
    ['ping', 'ping'],
    ['subscriptions/listen', 'listen', {}],
    ['tasks/result', 'resumeTask', '1'],
    ['acme/x', 'request', 'acme/x', {}]
  ]
  const clients: [string, Partial<McpWebSocketClientOptions>, (client: McpWebSocketClient) => void][] = [
    ['a client', {}, () => undefined],
    ['one with middleware', {}, (client) => client.use(({ options, ...request }, next) => next({ ...request, options: { ...options } }))],
    ['one that validates', { validateOutput: () => () => true }, () => undefined]
  ]

  it.each(clients)('are rejected before anything is sent, by %s', async (_client, options, prepare) => {
    const { client, network } = useClient(options)
    prepare(client)
    const connected = client.connect()
    const socket = await becomeModern(network)
    await connected
    for (const wrong of [3000, null, 'x', [], () => undefined])
      for (const [method, call, ...given] of calls) {
        const problem = new TypeError(`the options of ${method} must be an object`)
        await expect((client as unknown as Loose)[call](...given, wrong)).rejects.toThrow(problem)
      }
    expect([client.pendingCount, socket.methods]).toEqual([0, ['server/discover']])
  })

  it.each(clients)('come with params that are no object either, and those are named: %s', async (_client, options, prepare) => {
    const { client } = useClient(options)
    prepare(client)
    for (const wrong of ['echo', null, 5])
      await expect((client as unknown as Loose).callTool(wrong, 3000)).rejects.toThrow(
        new TypeError('the params of tools/call must be an object')
      )
  })

  it('are named by what waits for the era, and by what takes none', async () => {
    const { client } = useClient()
    const loose = client as unknown as Loose
    for (const method of ['subscribe', 'unsubscribe'])
      await expect(loose[`${method}Resource` as keyof Loose]('a:1')).rejects.toThrow(
        new TypeError(`the params of resources/${method} must be an object`)
      )
    await expect(loose.resumeTask()).rejects.toThrow(new TypeError('taskId must be a string'))
  })

  it('are named as well where middleware copies the params, and the options are right', async () => {
    const { client } = useClient()
    client.use(({ params, ...request }, next) => next({ ...request, params: { ...params, _meta: { ...params?._meta } } }))
    for (const wrong of ['echo', null, 5, []])
      await expect((client as unknown as Loose).callTool(wrong, {})).rejects.toThrow(
        new TypeError('the params of tools/call must be an object')
      )
  })
})

describe('a capability that is not in the options', () => {
  const needs = [
    ['elicitation/create', '{ elicitation: {} }', { elicitation: {} }],
    ['sampling/createMessage', '{ sampling: {} }', { sampling: {} }],
    ['roots/list', '{ roots: {} }', { roots: {} }]
  ] as const

  it.each(needs)('is named when the handler of %s is set', (method, option, capabilities) => {
    const { client } = useClient({ capabilities: {} })
    const set = (): void => client.setRequestHandler(method, handler as never)
    expect(set).toThrow(new TypeError(`${method} needs the option capabilities: ${option}`))
    expect(() => useClient({ capabilities }).client.setRequestHandler(method, handler as never)).not.toThrow()
  })

  it('is named when the roots have changed', async () => {
    const told = {
      name: 'TypeError',
      message: 'notifications/roots/list_changed needs the option capabilities: { roots: { listChanged: true } }'
    }
    for (const capabilities of [{}, { roots: {} }, { roots: { listChanged: false } }])
      await expect(useClient({ capabilities }).client.sendRootsListChanged()).rejects.toMatchObject(told)
  })

  it('is not missed for other methods', () => {
    const { client } = useClient({ capabilities: {} })
    for (const method of ['vendor/x', 'ping', 'constructor']) expect(() => client.setRequestHandler(method, handler)).not.toThrow()
  })
})
