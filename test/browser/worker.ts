import { McpWebSocketClient } from '../../src/index.js'

// Runs beside the page: it gets a URL, and says what happened there.
addEventListener('message', ({ data }: MessageEvent<string>) => {
  visit(data).then(
    (outcome) => postMessage(outcome),
    (error: unknown) => postMessage({ error: String(error) })
  )
})

async function visit(url: string): Promise<object> {
  const client = new McpWebSocketClient({ url, reconnect: { initialDelay: 10 } })
  const states: string[] = []
  client.on('state', ({ to }) => states.push(to))
  await client.connect()
  const { tools } = await client.listTools()
  const { subprotocol } = client
  await client.close()
  return { page: 'document' in globalThis, states, tools: tools.map(({ name }) => name), subprotocol }
}
