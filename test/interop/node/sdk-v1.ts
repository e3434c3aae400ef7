// A server on v1 of the official SDK, behind the entry `./server`. The port is the only argument.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { McpWebSocketServer } from '../../../src/server/index.js'
import { callTool, TOOLS } from './tools.js'

function makeServer(): McpServer {
  const mcp = new McpServer({ name: 'sdk-v1-peer', version: '1.0.0' }, { capabilities: { tools: {} } })
  mcp.server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: TOOLS }))
  mcp.server.setRequestHandler(CallToolRequestSchema, ({ params }, { signal, sendNotification }) =>
    callTool({ ...params, signal, progressToken: params._meta?.progressToken, notify: sendNotification })
  )
  return mcp
}

await new McpWebSocketServer({
  port: Number(process.argv[2]),
  allowUnauthenticated: true,
  onconnection: (transport) => makeServer().connect(transport)
}).listen()
