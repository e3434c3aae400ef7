// A server on v2 of the official SDK, behind the entry `./server`: both eras on one port, which is the only argument.
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { McpWebSocketServer } from '../../../src/server/index.js'
import { callTool, TOOLS } from './tools.js'

function makeServer(): McpServer {
  const mcp = new McpServer({ name: 'sdk-v2-peer', version: '1.0.0' }, { capabilities: { tools: {} } })
  mcp.server.setRequestHandler('tools/list', () => ({ tools: TOOLS }))
  mcp.server.setRequestHandler('tools/call', ({ params }, { mcpReq: { signal, _meta, notify } }) =>
    callTool({ ...params, signal, progressToken: _meta?.progressToken, notify })
  )
  return mcp
}

await new McpWebSocketServer({
  port: Number(process.argv[2]),
  allowUnauthenticated: true,
  onconnection: (transport) => serveStdio(makeServer, { transport })
}).listen()
