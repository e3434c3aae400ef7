import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createClient } from 'redis'
import { RedisSessionStore } from '../../../../src/redis/index.js'
import { McpWebSocketServer } from '../../../../src/server/index.js'
import { serveTransport } from '../../../helpers/mcp-server.js'

// A program: `node node.mjs <port> <Redis>` is a node of a cluster. It writes one JSON object a line to stdout: where its metrics are once
// it listens, each call of a tool that took effect, and errors. SIGTERM ends it in order.

const [port, url] = process.argv.slice(2)
const GRACE = 5000

const say = (words: Readonly<Record<string, unknown>>): void => console.log(JSON.stringify(words))

const redis = createClient({ url: String(url), socket: { reconnectStrategy: 20 } })
// The store tells what is lost.
redis.on('error', () => undefined)
await redis.connect()

const server = new McpWebSocketServer({
  port: Number(port),
  authenticate: (_request, token) => token && { user: token },
  heartbeat: { interval: 500, timeout: 1000 },
  resume: { store: new RedisSessionStore(redis) },
  onconnection: (transport) =>
    void serveTransport('v2', transport, { onExecuted: (name, args) => say({ executed: typeof args.key === 'string' ? args.key : name }) }),
  onerror: ({ message }) => say({ error: message })
})
await server.listen()

const metrics = createServer((_request, response) => {
  response.setHeader('connection', 'close').end(JSON.stringify(server.metrics()))
}).listen(0, '127.0.0.1')
await once(metrics, 'listening')
say({ metrics: (metrics.address() as AddressInfo).port })

process.once('SIGTERM', () => {
  void server.close({ grace: GRACE }).then(() => {
    // From here on nothing keeps the process alive.
    redis.destroy()
    metrics.close()
  })
})
