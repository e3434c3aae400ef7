import { McpWebSocketClient } from '../../../src/index.js'
import { handles, wantEcho } from './soak-measure.js'
import { heapUsed } from '../../helpers/heap-used.js'

// A program: `node --expose-gc soak-client.mjs <url> <cycles> <requests>` loses its connection so often, connects and closes so often
// with further clients, and calls so often; then it writes what is left of it.

const [url = '', cycles, requests] = process.argv.slice(2)
const AT_ONCE = 100

const make = (): McpWebSocketClient =>
  new McpWebSocketClient({ url, reconnect: { initialDelay: 1, maxDelay: 1, jitter: false, maxRetries: Infinity } })

/** The server drops the connection, and the client comes back. */
async function dropAndReturn(client: McpWebSocketClient): Promise<void> {
  const returned = new Promise((resolve) => client.once('reconnected', resolve))
  await client.callTool({ name: 'drop' }).catch(() => undefined)
  await returned
}

async function round(client: McpWebSocketClient, drops: number, calls: number, isTold: boolean): Promise<void> {
  for (let drop = 1; drop <= drops; drop++) {
    await dropAndReturn(client)
    const other = make()
    await other.connect()
    await other.close()
    if (isTold && drop % 500 === 0) console.log(`# ${String(drop)} cycles`)
  }
  for (let done = 0; done < calls; done += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, (_, i) => wantEcho(client, `${String(done)}.${String(i)}`)))
    if (isTold && (done + AT_ONCE) % 100_000 === 0) console.log(`# ${String(done + AT_ONCE)} requests`)
  }
}

/** A client's whole life. @returns Bytes in use while it is connected, and before it is closed. */
async function live(drops: number, calls: number, isTold: boolean): Promise<{ connected: number; used: number }> {
  const client = make()
  await client.connect()
  // What is made only once is there after this.
  await round(client, 20, 2000, false)
  const connected = await heapUsed()
  await round(client, drops, calls, isTold)
  const used = await heapUsed()
  await client.close()
  return { connected, used }
}

// Standard output is made at the first line.
console.log('#')
await live(20, 2000, false)
const before = { heap: await heapUsed(), handles: handles() }
const { connected, used } = await live(Number(cycles), Number(requests), true)
const after = { heap: await heapUsed(), handles: handles() }
console.log(
  JSON.stringify({
    grownBytes: used - connected,
    leftBytes: after.heap - before.heap,
    handlesBefore: before.handles,
    handlesAfter: after.handles
  })
)
