// Clients of MCP: ours, and those of the official SDK, over our transport and over transports without any comfort.
// None of the SDKs is loaded before it is used: a process shall hold what its peer needs, and no more.
import type { Transport as TransportV2 } from '@modelcontextprotocol/client'
import type { Transport as TransportV1 } from '@modelcontextprotocol/sdk/shared/transport.js'
import { WebSocket } from 'ws'
import { openSocket, transportOver, type Answer, type Connection } from './connection.js'

type Main = typeof import('../../src/index.js')
type Module = typeof import('../../src/transport/index.js')

const INFO = { name: 'bench', version: '1.0.0' }
const MAX_MESSAGE_BYTES = 32 * 2 ** 20

/** What a client of this package has that it can do without. */
export interface Extras {
  /** A session. */
  readonly resume?: boolean
  /** A middleware that does nothing. */
  readonly use?: boolean
}

/** The client of this package; `module` is its main entry. */
export async function openOurs(url: string, module: Main, { resume = false, use = false }: Extras = {}): Promise<Connection> {
  const client = new module.McpWebSocketClient({ url, protocol: 'legacy', maxMessageBytes: MAX_MESSAGE_BYTES, ...(resume && { resume }) })
  if (use) client.use((request, next) => next(request))
  await client.connect()
  return {
    request: (name, text) => client.callTool({ name, arguments: { text } }) as Promise<unknown> as Promise<Answer>,
    onNotification: (handler) =>
      client.setNotificationHandler('notifications/message', ({ params }) => handler(params as { readonly data: number })),
    onReopened: (handler) => void client.on('reconnected', handler),
    close: () => client.close()
  }
}

/** The transport of this package. */
export async function ourTransport(url: string): Promise<TransportV1 & TransportV2> {
  const module: Module = await import('../../src/transport/index.js')
  return new module.WebSocketClientTransport(url, { maxMessageBytes: MAX_MESSAGE_BYTES })
}

/** One without any comfort. */
export const minimalTransport = async (url: string): Promise<TransportV1 & TransportV2> => transportOver(await openSocket(url))

/** The transport that SDK v1 once came with; it wants a global WebSocket, which Node 20 has not. */
export async function formerTransport(url: string): Promise<TransportV1> {
  Object.assign(globalThis, { WebSocket })
  const { WebSocketClientTransport } = await import('@modelcontextprotocol/sdk/client/websocket.js')
  return new WebSocketClientTransport(new URL(url))
}

/** SDK v1. */
export async function openV1(transport: TransportV1): Promise<Connection> {
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js')
  const { LoggingMessageNotificationSchema } = await import('@modelcontextprotocol/sdk/types.js')
  const client = new Client(INFO)
  await client.connect(transport)
  return {
    request: (name, text) => client.callTool({ name, arguments: { text } }) as Promise<unknown> as Promise<Answer>,
    onNotification: (handler) =>
      client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => handler(params as { data: number })),
    close: () => client.close()
  }
}

/** SDK v2. */
export async function openV2(transport: TransportV2): Promise<Connection> {
  const { Client } = await import('@modelcontextprotocol/client')
  const client = new Client(INFO)
  await client.connect(transport)
  return {
    request: (name, text) => client.callTool({ name, arguments: { text } }) as Promise<unknown> as Promise<Answer>,
    onNotification: (handler) =>
      client.setNotificationHandler('notifications/message', ({ params }) => handler(params as { data: number })),
    close: () => client.close()
  }
}
