import { McpWebSocketClient, type McpWebSocketClientOptions } from '../../../src/index.js'
import { heapUsed } from '../../helpers/heap-used.js'

// A program: `node --expose-gc hostile-client.mjs <url> <options as JSON>` connects, counts what the server sends, and writes a
// line for every change of state and, whenever the server asks for it, what it has seen and what that cost.

const [url = '', options = '{}'] = process.argv.slice(2)

const client = new McpWebSocketClient({
  url,
  protocol: 'legacy',
  closeTimeout: 10,
  ...(JSON.parse(options) as Partial<McpWebSocketClientOptions>)
})
let seen = 0
let inOrder = true
let errors = 0
let lag = 0
let ticks = 0

/** The most memory that this process ever had, in bytes. */
const peak = (): number => process.resourceUsage().maxRSS * 1024

async function report(): Promise<void> {
  const counted = { seen, inOrder, errors, lag, ticks, peak: peak() }
  seen = errors = lag = ticks = 0
  console.log(JSON.stringify({ ...counted, heap: await heapUsed() }))
}

let last = performance.now()
setInterval(() => {
  const now = performance.now()
  lag = Math.max(lag, now - last - 10)
  last = now
  ticks++
}, 10).unref()

client.on('state', ({ to, closure }) => console.log(JSON.stringify({ to, code: closure?.code, peak: peak() })))
client.on('error', () => errors++)
client.on('notification', ({ method, params }) => {
  if (method === 'notifications/report') void report()
  else inOrder &&= params?.n === seen++
})
await client.connect()
