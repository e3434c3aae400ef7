import { McpWebSocketClient } from '../../src/index.js'

// A program: `node child-client.mjs <url> <what>` uses a client and closes it; then nothing keeps the process alive.

const [url = '', what] = process.argv.slice(2)
const client = new McpWebSocketClient({ url, reconnect: { initialDelay: 60_000, maxDelay: 60_000 } })
const waiting = new Promise<void>((resolve) => {
  client.on('state', ({ to }) => {
    if (to === 'waiting') resolve()
  })
})
const lost = client.connect().catch(() => undefined)
if (what === 'waiting') await waiting
else {
  await lost
  if (what === 'pending') client.callTool({ name: 'hold' }).catch(() => undefined)
  else await client.listTools()
}
await client.close()
console.log(client.state)
