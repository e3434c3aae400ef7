// What a program learns from the types of the client. A test here has nothing to run: it fails when it does not compile.
import type { ClientRequest as V2Request } from '@modelcontextprotocol/client'
import type { ClientRequest as V1Request } from '@modelcontextprotocol/sdk/types.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { assertType, describe, expectTypeOf, test } from 'vitest'
import type {
  CallToolResult,
  ClientRequests,
  Closure,
  DiscoverResult,
  ListToolsResult,
  LoggingMessageParams,
  McpWebSocketClient,
  McpWebSocketClientOptions,
  McpWebSocketError,
  ProgressParams,
  ResourceUpdatedParams,
  Result,
  StateChange,
  Tool
} from '../../src/index.js'

declare const client: McpWebSocketClient

describe('a handler for notifications', () => {
  test('knows the params of each method of MCP', () => {
    client.setNotificationHandler('notifications/message', ({ method, params }) => {
      expectTypeOf(method).toEqualTypeOf<'notifications/message'>()
      expectTypeOf(params).toEqualTypeOf<LoggingMessageParams>()
    })
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      expectTypeOf(params).toEqualTypeOf<ResourceUpdatedParams>()
    })
    client.setNotificationHandler('notifications/progress', ({ params }) => {
      expectTypeOf(params).toEqualTypeOf<ProgressParams>()
    })
    client.setNotificationHandler('notifications/tools/list_changed', ({ params }) => {
      expectTypeOf(params?._meta).toEqualTypeOf<Record<string, unknown> | undefined>()
    })
  })

  test('gets any params for any other method, and may be async', () => {
    client.setNotificationHandler('vendor/x', async ({ method, params }) => {
      expectTypeOf(method).toEqualTypeOf<string>()
      expectTypeOf(params?.whatever).toEqualTypeOf<unknown>()
      await client.ping()
    })
  })
})

describe('a request handler', () => {
  test('knows the params of each method of MCP', () => {
    client.setRequestHandler('elicitation/create', ({ params }) => {
      expectTypeOf(params.message).toEqualTypeOf<string>()
      return { action: 'decline' }
    })
    // @ts-expect-error a result of another method
    client.setRequestHandler('roots/list', () => ({ action: 'decline' }))
    // @ts-expect-error params of another method
    client.setNotificationHandler('notifications/message', ({ params }: { params: ProgressParams }) => params)
  })
})

describe('request', () => {
  test('knows the params and the result of each method of MCP', async () => {
    expectTypeOf((await client.request('tools/list')).tools).toEqualTypeOf<Tool[]>()
    expectTypeOf(await client.request('tools/list', { cursor: 'x' }, { timeout: 1 })).toEqualTypeOf<ListToolsResult>()
    expectTypeOf(await client.request('tools/call', { name: 'echo', arguments: { n: 1 } })).toEqualTypeOf<CallToolResult>()
    expectTypeOf(await client.request('server/discover')).toEqualTypeOf<DiscoverResult>()
    // @ts-expect-error a misspelt param
    await client.request('tools/call', { nme: 'echo' })
    // @ts-expect-error the params are missing
    await client.request('resources/read')
  })

  test('takes any other method', async () => {
    expectTypeOf(await client.request('acme/unknown', { any: 1 })).toEqualTypeOf<Result>()
  })

  test('knows all requests of both SDKs, but for the handshake', () => {
    type Asked = Exclude<V1Request['method'] | V2Request['method'], 'initialize'>
    expectTypeOf<Exclude<Asked, keyof ClientRequests>>().toEqualTypeOf<never>()
  })
})

describe('a change of the state', () => {
  test('tells by the new state what else is known', () => {
    client.on('state', (change) => {
      if (change.to === 'waiting') expectTypeOf([change.attempt, change.delay, change.closure]).toEqualTypeOf<(number | Closure)[]>()
      if (change.to === 'failed') expectTypeOf([change.error, change.closure]).toEqualTypeOf<(McpWebSocketError | Closure)[]>()
      if (change.to === 'connecting') expectTypeOf(change.attempt).toEqualTypeOf<number>()
      if (change.to === 'ready') expectTypeOf(change.delay).toEqualTypeOf<undefined>()
    })
  })

  test('may be taken apart at once', () => {
    client.on('state', ({ from, to, attempt, delay, closure, error }) => {
      expectTypeOf(from).toEqualTypeOf<StateChange['to']>()
      expectTypeOf(closure).toEqualTypeOf<Closure | undefined>()
      expectTypeOf(attempt).toEqualTypeOf<number | undefined>()
      if (to === 'waiting') expectTypeOf(delay).toEqualTypeOf<number>()
      if (to === 'failed') expectTypeOf(error).toEqualTypeOf<McpWebSocketError>()
    })
  })
})

describe('callTool', () => {
  test('gives structuredContent the type that the program says', async () => {
    expectTypeOf((await client.callTool({ name: 'weather' })).structuredContent).toEqualTypeOf<unknown>()
    const { structuredContent } = await client.callTool<{ celsius: number }>({ name: 'weather' }, { timeout: 1 })
    expectTypeOf(structuredContent).toEqualTypeOf<{ celsius: number } | undefined>()
  })

  test('takes what a validator of ajv returns as it is', () => {
    assertType<McpWebSocketClientOptions>({ url: 'ws://localhost', validateOutput: (schema) => new Ajv2020().compile(schema) })
  })
})
