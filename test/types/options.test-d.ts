// What a program may pass as options. A test here has nothing to run: it fails when it does not compile.
import { assertType, describe, test } from 'vitest'
import type { McpWebSocketClientOptions, ReconnectOptions, RequestOptions, TlsOptions } from '../../src/index.js'
import type { WebSocketClientTransportOptions } from '../../src/transport/index.js'
import { holds, type To } from './facts.js'

/** An object whose members are all there and all undefined. */
type Undefined<T> = { [Name in keyof T]-?: undefined }
type Inner<Name extends 'auth' | 'heartbeat' | 'outbox'> = Exclude<McpWebSocketClientOptions[Name], false | undefined>

describe('undefined', () => {
  test('means "not given" for every option, also where optional properties are exact', () => {
    holds<To<Undefined<Omit<McpWebSocketClientOptions, 'url'>> & { url: string }, McpWebSocketClientOptions>>()
    holds<To<Undefined<WebSocketClientTransportOptions>, WebSocketClientTransportOptions>>()
    holds<To<Undefined<RequestOptions>, RequestOptions>>()
  })

  test('means the same inside of an option', () => {
    holds<To<Undefined<Omit<Inner<'auth'>, 'token'>> & { token: string }, Inner<'auth'>>>()
    holds<To<Undefined<ReconnectOptions>, ReconnectOptions>>()
    holds<To<Undefined<Inner<'heartbeat'>>, Inner<'heartbeat'>>>()
    holds<To<Undefined<Inner<'outbox'>>, Inner<'outbox'>>>()
    holds<To<Undefined<TlsOptions>, TlsOptions>>()
  })

  test('is not a URL and not a token', () => {
    // @ts-expect-error the URL is required
    assertType<McpWebSocketClientOptions>({ url: undefined })
    // @ts-expect-error so is the token
    assertType<Inner<'auth'>>({ token: undefined })
  })
})

test('the WebSocket classes of engines fit', () => {
  assertType<McpWebSocketClientOptions>({ url: 'ws://127.0.0.1', WebSocket })
})
