import { McpWebSocketClient } from '../../../src/client/client.js'
import { WebSocketClientTransport } from '../../../src/transport/websocket-client-transport.js'
import { clientFacts, type Surroundings } from '../facts.js'
import { tryAll, type Finding } from '../runner.js'

// The scope of a module: workerd forbids timers, chance and sockets there, and does not start a Worker that asks for them.
let url = ''
const client = new McpWebSocketClient({ url: () => url })
const transport = new WebSocketClientTransport(() => url)
let visits = 0

async function visit(): Promise<Finding[]> {
  visits++
  await client.connect()
  const { tools } = await client.listTools()
  await client.close()
  await transport.start()
  await transport.send({ jsonrpc: '2.0', id: 1, method: 'ping' })
  await transport.close()
  return [
    {
      fact: `the client and the transport of the module are used in request ${String(visits)}`,
      ...(tools.length !== 1 && { error: 'no tools' })
    }
  ]
}

export default {
  async fetch(request: Request): Promise<Response> {
    const surroundings = (await request.json()) as Surroundings
    url = `${surroundings.scriptedUrl}/legacy?key=worker-${String(visits)}`
    if (request.url.endsWith('/visit')) return Response.json(await visit())
    clientFacts(surroundings)
    return Response.json(await tryAll())
  }
}
