import { McpWebSocketServer } from '../../../src/server/index.js'
import { heapUsed } from '../../helpers/heap-used.js'

// A program: `node --expose-gc idle-server.mjs <count>` accepts so many connections, which do nothing, and writes what each weighs.

const count = Number(process.argv[2])
let onFull: () => void = () => undefined
const full = new Promise<void>((resolve) => {
  onFull = resolve
})
let accepted = 0
// No MCP server: how much one of those weighs is its own affair.
const server = new McpWebSocketServer({
  allowUnauthenticated: true,
  maxConnections: count,
  onconnection: async (transport) => {
    transport.onmessage = () => undefined
    await transport.start()
    if (++accepted === count) onFull()
    else if (accepted % 1000 === 0) console.log(`# ${String(accepted)} connected`)
  }
})
await server.listen()
const before = { heap: await heapUsed(), rss: process.memoryUsage().rss }
console.log(server.address()?.port)
await full
const heap = await heapUsed()
const { rss } = process.memoryUsage()
console.log(
  JSON.stringify({ heapEach: (heap - before.heap) / count, rssEach: (rss - before.rss) / count, connections: server.metrics().connections })
)
// The clients leave first.
process.stdin.resume()
while (server.metrics().connections > 0) await new Promise((resolve) => setTimeout(resolve, 20))
await server.close()
console.log(JSON.stringify({ leftBytes: (await heapUsed()) - before.heap }))
process.exit()
