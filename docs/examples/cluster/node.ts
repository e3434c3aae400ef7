// One of several machines that share the sessions of their clients by Redis. A client whose machine is restarted goes on at another one.
//
//   npm pkg set type=module && npm install redis @modelcontextprotocol/server mcp-websocket-client
//   redis-server &
//   npx tsx node.ts 8081 redis://127.0.0.1:6379 &
//   npx tsx node.ts 8082 redis://127.0.0.1:6379 &
//   haproxy -f haproxy.cfg &
//   npx mcp-ws call ws://127.0.0.1:8080/ws where --resume
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { RedisSessionStore } from 'mcp-websocket-client/redis'
import { McpWebSocketServer } from 'mcp-websocket-client/server'
import { createClient } from 'redis'

const [port = '8081', url = 'redis://127.0.0.1:6379'] = process.argv.slice(2)

function makeServer(): McpServer {
  const mcp = new McpServer({ name: 'example', version: '1.0.0' })
  mcp.registerTool('where', { description: 'Says which machine answers' }, () => ({ content: [{ type: 'text', text: port }] }))
  return mcp
}

const redis = createClient({ url })
redis.on('error', (error) => console.error('Redis:', String(error)))
await redis.connect()

const server = new McpWebSocketServer({
  port: Number(port),
  // For a demonstration on one machine. Elsewhere: `authenticate`, and `allowedHosts` with the name that clients dial.
  allowUnauthenticated: true,
  resume: { store: new RedisSessionStore(redis) },
  onconnection: (transport) => void serveStdio(makeServer, { transport }),
  onerror: (error) => console.error(error)
})
await server.listen()
console.log('listening on', port)

// A deploy: calls in flight finish, clients go to the other machine, and then the process ends.
process.once('SIGTERM', () => {
  void server.close().then(() => redis.destroy())
})
