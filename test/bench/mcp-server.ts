// An MCP server of SDK v1 in a process of its own: one tool, over the transport of `mcp-websocket-client/server` or over one that is as thin
// as can be.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { createClient } from 'redis'
import { WebSocketServer } from 'ws'
import { RedisSessionStore } from '../../src/redis/index.js'
import { McpWebSocketServer, type McpWebSocketServerOptions } from '../../src/server/index.js'
import { heapUsed } from '../helpers/heap-used.js'
import { transportOver } from './connection.js'
import { now, obey } from './processes.js'
import type { Listener } from './server-entry.js'

const servers = new Set<McpServer>()

async function serve(transport: Transport): Promise<void> {
  const server = new McpServer({ name: 'bench', version: '1.0.0' }, { capabilities: { logging: {} } })
  server.registerTool('ping', {}, () => ({ content: [{ type: 'text', text: 'pong' }] }))
  servers.add(server)
  server.server.onclose = () => servers.delete(server)
  await server.connect(transport)
}

async function listenThin(): Promise<number> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  server.on('connection', (socket) => void serve(transportOver(socket)))
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function listenOurs(resume: McpWebSocketServerOptions['resume']): Promise<number> {
  const server = new McpWebSocketServer({ allowUnauthenticated: true, path: '/', resume, onconnection: (transport) => serve(transport) })
  await server.listen()
  return server.address()!.port
}

/** Commands that were sent to Redis; `undefined` without one. */
let commands: number | undefined

async function openStore(redisUrl: string): Promise<RedisSessionStore> {
  const client = createClient({ url: redisUrl })
  await client.connect()
  const send = client.sendCommand.bind(client)
  commands = 0
  client.sendCommand = (...args) => {
    commands = (commands ?? 0) + 1
    return send(...args)
  }
  return new RedisSessionStore(client)
}

obey({
  listen: async ({ transport, redisUrl }: Listener) => {
    if (transport === 'thin' || transport === 'again') return listenThin()
    return listenOurs(redisUrl === undefined ? transport === 'session' : { store: await openStore(redisUrl) })
  },
  cost: () => ({ ...process.cpuUsage(), commands }),
  heap: () => heapUsed(),
  /** One notification to every client. @returns When it began. */
  broadcast: async () => {
    const at = now()
    await Promise.all([...servers].map(({ server }) => server.sendLoggingMessage({ level: 'info', data: 1 })))
    return at
  }
})
