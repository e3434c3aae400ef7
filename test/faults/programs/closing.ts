import { McpWebSocketClient, type StateName } from '../../../src/index.js'

// A program: `node closing.mjs <state> <url>` brings a client into a state and closes it; then nothing keeps the process alive.

const [wanted = '', url = ''] = process.argv.slice(2)
const client = new McpWebSocketClient({
  url,
  reconnect: wanted !== 'failed' && { initialDelay: 60_000, maxDelay: 60_000, jitter: false },
  connectTimeout: 60_000,
  handshakeTimeout: 60_000,
  closeTimeout: 200
})
let errors = 0
const reached = new Promise<void>((resolve) => {
  client.on('state', ({ to }) => {
    if (to === wanted) resolve()
  })
})
if (wanted !== 'idle') {
  client.connect().catch(() => errors++)
  const ready: StateName = 'ready'
  if (wanted === 'closing') {
    await new Promise<void>((resolve) => {
      client.on('state', ({ to }) => {
        if (to === ready) resolve()
      })
    })
    client.callTool({ name: 'never' }).catch(() => errors++)
    void client.close()
  }
  await reached
  // A dial takes a turn or two until its socket exists.
  await new Promise((resolve) => setTimeout(resolve, 20))
}
const from = client.state
const since = performance.now()
await client.close()
console.log(JSON.stringify({ from, to: client.state, took: performance.now() - since, pending: client.pendingCount }))
