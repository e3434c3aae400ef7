import type { IncomingMessage } from 'node:http'
import type { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { Transport as TransportV1 } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { McpServer as McpServerV2, Transport as TransportV2 } from '@modelcontextprotocol/server'
import type { ServeStdioOptions } from '@modelcontextprotocol/server/stdio'
import { expectTypeOf, test } from 'vitest'
import { McpWebSocketServer, type ServerTransport } from '../../src/server/index.js'

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
