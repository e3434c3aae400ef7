import { McpWebSocketClient } from '../../src/index.js'
import { heapUsed } from '../helpers/heap-used.js'

// A program: `node --expose-gc child-pending.mjs <url> <count>` lets so many requests wait for a server that never
// answers, and writes what each of them costs.

const [url = '', wanted] = process.argv.slice(2)
const count = Number(wanted)

const client = new McpWebSocketClient({ url, maxPending: 200_000, heartbeat: false })
let rejected = 0
// One for all. Without any, Node would note every rejection, in a table that never shrinks.
const onRejected = (): void => {
  rejected++
}
const drained = (): Promise<void> =>
  new Promise((resolve) => {
    client.setNotificationHandler('notifications/drained', () => resolve())
  })
const ask = (n: number): void => {
  for (let i = 0; i < n; i++) client.request('test/never', { n: i }, { timeout: 600_000 }).catch(onRejected)
}

await client.connect()
// Once around, so that what is made only once is there.
let arrived = drained()
ask(1000)
await arrived
const before = await heapUsed()
arrived = drained()
const begun = performance.now()
ask(count)
const asked = performance.now() - begun
await arrived
const during = await heapUsed()
const pending = client.pendingCount
const closing = performance.now()
await client.close()
const closed = performance.now() - closing
const after = await heapUsed()
console.log(
  JSON.stringify({
    pending,
    rejected,
    bytesEach: (during - before) / count,
    leftBytes: after - before,
    asked,
    closed,
    left: client.pendingCount
  })
)
