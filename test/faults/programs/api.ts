import { McpWebSocketClient } from '../../../src/index.js'

// A program: `node api.mjs <url> <what>` uses a client carelessly.

const [url = '', what] = process.argv.slice(2)

/** Uses a client and forgets it: nothing refers to it any more, and nobody closes it. */
async function forget(unref: boolean): Promise<void> {
  const client = new McpWebSocketClient({ url, unref })
  await client.connect()
  await client.listTools()
}

/** Sends notifications without a look at their promises, connected or not, and closes. */
async function tell(): Promise<void> {
  const client = new McpWebSocketClient({ url, capabilities: { roots: { listChanged: true } } })
  const send = (): void => {
    for (let n = 0; n < 10; n++) void client.notify('notifications/x', { n })
    void client.sendRootsListChanged()
  }
  send()
  await client.close()
  const connecting = client.connect()
  send()
  await connecting
  send()
  client.reconnect().catch(() => undefined)
  send()
  void client.close()
}

/** Asks for this and that without a look at what becomes of it, and closes. @returns How many promises that were. */
async function ask(): Promise<number> {
  const client = new McpWebSocketClient({ url })
  await client.connect()
  const carelessly: (() => Promise<unknown>)[] = [
    () => client.callTool({ name: 'hold' }),
    () => client.listTools(),
    () => client.readResource({ uri: 'test://plain' }),
    () => client.subscribeResource({ uri: 'test://plain' }),
    () => client.request('test/never')
  ]
  for (const call of carelessly) void call()
  void client.close()
  // The life is over: these reject at once.
  for (const call of carelessly) void call()
  return 2 * carelessly.length
}

const reasons: string[] = []
if (what === 'ask') process.on('unhandledRejection', (reason) => reasons.push((reason as { code?: string }).code ?? String(reason)))

if (what === 'tell') await tell()
else if (what === 'ask') {
  const expected = await ask()
  await new Promise((resolve) => setTimeout(resolve, 50))
  console.log(JSON.stringify({ expected, reasons }))
} else await forget(what === 'unref')
console.log('done')
