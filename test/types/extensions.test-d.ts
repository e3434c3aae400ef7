// What a program that extends the client learns from its types. A test here has nothing to run: it fails when it does not compile.
import { describe, expectTypeOf, test } from 'vitest'
import type {
  CallToolResult,
  McpWebSocketClient,
  Middleware,
  Params,
  RequestContext,
  RequestOptions,
  Result,
  SentRequest,
  ServerRequest
} from '../../src/index.js'

declare module '../../src/index.js' {
  interface ClientRequests {
    'acme/search': { params: { text: string }; result: { hits: string[] } }
    'acme/list': { params: { page?: number } | undefined; result: { names: string[] } }
  }
  interface ClientNotifications {
    'acme/seen': { n: number }
  }
  interface ServerRequests {
    'acme/ask': { params: { question: string }; result: { answer: number } }
  }
  interface ServerNotifications {
    'acme/moved': { to: string }
  }
}

declare const client: McpWebSocketClient

describe('a method that a program declares', () => {
  test('has typed params and results', async () => {
    expectTypeOf(await client.request('acme/search', { text: 'x' })).toEqualTypeOf<{ hits: string[] }>()
    expectTypeOf(await client.request('acme/list')).toEqualTypeOf<{ names: string[] }>()
    // @ts-expect-error wrong params
    await client.request('acme/search', { txt: 'x' })
    // @ts-expect-error the params are missing
    await client.request('acme/search')
  })

  test('has typed notifications, in both directions', async () => {
    await client.notify('acme/seen', { n: 1 })
    // @ts-expect-error wrong params
    await client.notify('acme/seen', { n: 'one' })
    client.setNotificationHandler('acme/moved', ({ params }) => expectTypeOf(params.to).toEqualTypeOf<string>())
  })

  test('has a typed handler', () => {
    client.setRequestHandler('acme/ask', ({ params }) => ({ answer: params.question.length }))
    // @ts-expect-error wrong result
    client.setRequestHandler('acme/ask', () => ({ answer: 'no' }))
  })
})

describe('a method that nobody declares', () => {
  test('takes any params, and gives what the caller says', async () => {
    expectTypeOf(await client.request('acme/other', { any: 1 })).toEqualTypeOf<Result>()
    expectTypeOf(await client.request<CallToolResult>('tools/call', { name: 'x' })).toEqualTypeOf<CallToolResult>()
    const method: string = 'acme/other'
    expectTypeOf(await client.request(method)).toEqualTypeOf<Result>()
    await client.notify(method, { any: 1 })
  })
})

describe('middleware', () => {
  test('sees method, params and options, and hands on others', () => {
    const middleware: Middleware = ({ method, params, options }, next) => {
      expectTypeOf(method).toEqualTypeOf<string>()
      expectTypeOf(params).toEqualTypeOf<Params | undefined>()
      expectTypeOf(options).toEqualTypeOf<RequestOptions>()
      const onsent = ({ resent }: SentRequest): void => {
        expectTypeOf(resent).toEqualTypeOf<boolean>()
      }
      return next({ method, params: { ...params, _meta: { traceparent: 'x' } }, options: { ...options, onsent } })
    }
    expectTypeOf(client.use(middleware)).toEqualTypeOf<() => void>()
    client.useForServerRequests((request, next) => {
      expectTypeOf(request).toEqualTypeOf<ServerRequest>()
      expectTypeOf(request.context).toEqualTypeOf<RequestContext>()
      return next(request)
    })
  })

  test('of a result type goes on with the request', () => {
    client.acceptResultType('acme/later', async ({ ticket }, flow) => {
      await flow.wait(10)
      return flow.request('acme/collect', { ticket })
    })
  })
})
