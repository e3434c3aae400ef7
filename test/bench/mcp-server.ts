// An MCP server of SDK v1 in a process of its own: one tool, over the transport of `mcp-websocket-client/server` or over one that is as thin
// as can be.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { WebSocketServer } from 'ws'
import { McpWebSocketServer } from '../../src/server/index.js'
import { heapUsed } from '../helpers/heap-used.js'
import { transportOver } from './connection.js'
import { now, obey } from './processes.js'

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

async function listenOurs(): Promise<number> {
  const server = new McpWebSocketServer({ allowUnauthenticated: true, path: '/', onconnection: (transport) => serve(transport) })
  await server.listen()
  return server.address()!.port
}

obey({
  listen: (transport: 'thin' | 'ours') => (transport === 'thin' ? listenThin() : listenOurs()),
  cpu: () => process.cpuUsage(),
  heap: () => heapUsed(),
  /** One notification to every client. @returns When it began. */
  broadcast: async () => {
    const at = now()
    await Promise.all([...servers].map(({ server }) => server.sendLoggingMessage({ level: 'info', data: 1 })))
    return at
  }
})
