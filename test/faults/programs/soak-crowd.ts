import { McpWebSocketClient } from '../../../src/index.js'
import { handles, wantEcho } from './soak-measure.js'
import { heapUsed } from '../../helpers/heap-used.js'

// A program: `node --expose-gc soak-crowd.mjs <url> <count>` connects so many clients, waits until each lost its connection and
// came back, and closes them all; then it writes what is left of them.

const [url = '', wanted] = process.argv.slice(2)
const count = Number(wanted)
const AT_ONCE = 200

/** Runs something for each, a few at once. */
async function forEach<T>(items: readonly T[], act: (item: T, index: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const work = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) await act(items[index]!, index)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
}

const make = (): McpWebSocketClient =>
  new McpWebSocketClient({
    url,
    reconnect: { initialDelay: 500, maxDelay: 5000, maxRetries: Infinity },
    connectTimeout: 60_000,
    handshakeTimeout: 60_000
  })

/** Connects clients, and lets each say something. */
async function gather(size: number): Promise<McpWebSocketClient[]> {
  const clients = Array.from({ length: size }, make)
  await forEach(clients, async (client, index) => {
    await client.connect()
    await wantEcho(client, String(index))
    if ((index + 1) % 1000 === 0) console.log(`# ${String(index + 1)} connected`)
  })
  return clients
}

// Once around, so that what is made only once is there, and tables are as large as they get; standard output too.
console.log('#')
await Promise.all((await gather(count)).map((client) => client.close()))
const before = { heap: await heapUsed(), handles: handles() }
let clients = await gather(count)
const during = await heapUsed()
let returned = 0
const back = Promise.all(
  clients.map(
    (client) =>
      new Promise<void>((resolve) => {
        client.once('reconnected', () => {
          if (++returned % 1000 === 0) console.log(`# ${String(returned)} are back`)
          resolve()
        })
      })
  )
)
console.log('connected')
await back
await forEach(clients, (client, index) => wantEcho(client, `back ${String(index)}`))
const closing = performance.now()
const cpu = process.cpuUsage()
await Promise.all(clients.map((client) => client.close()))
const closedIn = performance.now() - closing
const { user, system } = process.cpuUsage(cpu)
const states = [...new Set(clients.map(({ state }) => state))]
clients = []
const after = { heap: await heapUsed(), handles: handles() }
console.log(
  JSON.stringify({
    states,
    closedIn,
    // Ms of this process: what it takes on a machine that has nothing else to do.
    workedFor: (user + system) / 1000,
    bytesEach: (during - before.heap) / count,
    leftBytes: after.heap - before.heap,
    handlesBefore: before.handles,
    handlesAfter: after.handles
  })
)
