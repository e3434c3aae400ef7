// The transport against the interface of either SDK. A test here has nothing to run: it fails when it does not compile.
import { Client as ClientV2, type Transport as TransportV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { Transport as TransportV1 } from '@modelcontextprotocol/sdk/shared/transport.js'
import { McpServer as ServerV2 } from '@modelcontextprotocol/server'
import { assertType, describe, expectTypeOf, test } from 'vitest'
import { WebSocketClientTransport, type FailureData, type WebSocketClientTransportOptions } from '../../src/transport/index.js'
import type { McpWebSocketClientOptions } from '../../src/index.js'
import type { IsAny } from './facts.js'

declare const transport: WebSocketClientTransport

describe('WebSocketClientTransport', () => {
  test('is a Transport of both SDKs', () => {
    expectTypeOf<[IsAny<TransportV1>, IsAny<TransportV2>]>().toEqualTypeOf<[false, false]>()
    assertType<TransportV1>(transport)
    assertType<TransportV2>(transport)
    void new ClientV1({ name: 'a', version: '1' }).connect(transport)
    void new ClientV2({ name: 'a', version: '1' }).connect(transport)
  })

  test('is one for the servers of both', () => {
    assertType<WebSocketClientTransportOptions>({ role: 'server' })
    void new ServerV1({ name: 'a', version: '1' }).connect(transport)
    void new ServerV2({ name: 'a', version: '1' }).connect(transport)
  })

  test('takes the callbacks that either SDK sets, and another start', () => {
    transport.onmessage = (message): void => void expectTypeOf(message).not.toBeAny()
    transport.onclose = (): void => undefined
    transport.onerror = (error): void => void expectTypeOf(error).toEqualTypeOf<Error>()
    transport.start = async (): Promise<void> => Promise.resolve()
  })

  test('has the members that the SDKs look for', () => {
    expectTypeOf<Parameters<NonNullable<TransportV1['setProtocolVersion']>>>().toEqualTypeOf<
      Parameters<WebSocketClientTransport['setProtocolVersion']>
    >()
    expectTypeOf<Parameters<NonNullable<TransportV2['setSupportedProtocolVersions']>>>().toEqualTypeOf<
      Parameters<WebSocketClientTransport['setSupportedProtocolVersions']>
    >()
    expectTypeOf(transport.sessionId).toEqualTypeOf<undefined>()
  })
})

describe('its options', () => {
  test('are those of the client without what is about MCP, and the side of the SDK', () => {
    type Left = Exclude<keyof McpWebSocketClientOptions, keyof WebSocketClientTransportOptions>
    expectTypeOf<Left>().toEqualTypeOf<
      'url' | 'clientInfo' | 'capabilities' | 'protocol' | 'probeTimeout' | 'requestTimeout' | 'pauseTimeouts' | 'validateOutput'
    >()
    expectTypeOf<Exclude<keyof WebSocketClientTransportOptions, keyof McpWebSocketClientOptions>>().toEqualTypeOf<
      'role' | 'notifications'
    >()
    assertType<WebSocketClientTransportOptions>({ reconnect: { maxRetries: Infinity }, auth: { token: 'x' } })
    // @ts-expect-error the SDK says who the client is
    assertType<WebSocketClientTransportOptions>({ clientInfo: { name: 'a', version: '1' } })
  })

  test('come after the place to dial', () => {
    assertType(new WebSocketClientTransport('ws://127.0.0.1'))
    assertType(new WebSocketClientTransport(new URL('ws://127.0.0.1'), {}))
    assertType(new WebSocketClientTransport(() => Promise.resolve('ws://127.0.0.1'), { resend: 'never' }))
  })
})

test('the events are those of the client, less the notifications', () => {
  transport.on('state', ({ from, to }) => expectTypeOf(from).toEqualTypeOf(to))
  transport.once('reconnected', ({ resent }) => expectTypeOf(resent).toBeNumber())
  // @ts-expect-error notifications go to the SDK
  transport.on('notification', () => undefined)
})

test('the data of a failure says whether the request can have been executed', () => {
  expectTypeOf<FailureData['delivery']>().toEqualTypeOf<'not-sent' | 'unknown'>()
})
