import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { Transport as TransportV1 } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { McpServer as McpServerV2, Transport as TransportV2 } from '@modelcontextprotocol/server'
import type { ServeStdioOptions } from '@modelcontextprotocol/server/stdio'
import { expectTypeOf, test } from 'vitest'
import { McpWebSocketServer, type McpWebSocketServerOptions, type RejectionInfo, type ServerTransport } from '../../src/server/index.js'

test('an accepted socket is a Transport of both official SDKs', () => {
  expectTypeOf<ServerTransport>().toExtend<TransportV1>()
  expectTypeOf<ServerTransport>().toExtend<TransportV2>()
  expectTypeOf<ServerTransport>().toExtend<Parameters<McpServerV1['connect']>[0]>()
  expectTypeOf<ServerTransport>().toExtend<Parameters<McpServerV2['connect']>[0]>()
  expectTypeOf<ServerTransport>().toExtend<NonNullable<ServeStdioOptions['transport']>>()
})

test('what authenticate returns is what onconnection gets', () => {
  new McpWebSocketServer({
    authenticate: (request, token) => {
      expectTypeOf(request).toEqualTypeOf<IncomingMessage>()
      expectTypeOf(token).toEqualTypeOf<string | undefined>()
      return token === undefined ? undefined : { user: token }
    },
    onconnection: (_transport, { auth }) => expectTypeOf(auth).toEqualTypeOf<{ user: string }>()
  })
  new McpWebSocketServer({
    authenticate: () => Promise.resolve('ada'),
    onconnection: (_transport, { auth }) => expectTypeOf(auth).toEqualTypeOf<string>()
  })
  new McpWebSocketServer({
    allowUnauthenticated: true,
    onconnection: (_transport, { auth }) => expectTypeOf(auth).toEqualTypeOf<undefined>()
  })
})

test('a path is a string, a pattern or a function that answers at once', () => {
  type Path = McpWebSocketServerOptions['path']
  expectTypeOf<string>().toExtend<Path>()
  expectTypeOf<RegExp>().toExtend<Path>()
  expectTypeOf<(pathname: string) => boolean>().toExtend<Path>()
  expectTypeOf<(pathname: string) => Promise<boolean>>().not.toExtend<Path>()
})

test('allowedOrigins is a list or a function, which may be async', () => {
  type Origins = McpWebSocketServerOptions['allowedOrigins']
  expectTypeOf<readonly string[]>().toExtend<Origins>()
  expectTypeOf<(origin: string, request: IncomingMessage) => boolean>().toExtend<Origins>()
  expectTypeOf<() => Promise<boolean>>().toExtend<Origins>()
  expectTypeOf<() => undefined>().not.toExtend<Origins>()
})

test('onrejected gets the request, the status and the reason, and may be async', () => {
  new McpWebSocketServer({
    allowUnauthenticated: true,
    onconnection: ({ subprotocol }) => expectTypeOf(subprotocol).toEqualTypeOf<string | undefined>(),
    onrejected: async (request, rejection) => {
      await Promise.resolve()
      expectTypeOf(request).toEqualTypeOf<IncomingMessage>()
      expectTypeOf(rejection).toEqualTypeOf<RejectionInfo>()
    }
  })
})

test('handleUpgrade takes what Node gives to a listener for upgrades', () => {
  expectTypeOf<McpWebSocketServer['handleUpgrade']>().parameters.toEqualTypeOf<[IncomingMessage, Duplex, Buffer]>()
})
