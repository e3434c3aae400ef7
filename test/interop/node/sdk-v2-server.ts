import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import type { ServerTransport } from '../../../src/server/index.js'
import { callTool, TOOLS } from './tools.js'

function makeServer(): McpServer {
  const mcp = new McpServer({ name: 'sdk-v2-peer', version: '1.0.0' }, { capabilities: { tools: {} } })
  mcp.server.setRequestHandler('tools/list', () => ({ tools: TOOLS }))
  mcp.server.setRequestHandler('tools/call', ({ params }, { mcpReq: { signal, _meta, notify } }) =>
    callTool({ ...params, signal, progressToken: _meta?.progressToken, notify })
  )
  return mcp
}

/** Serves a connection with v2 of the official SDK, in the era that its client asks for. */
export const serveBothEras = (transport: ServerTransport): unknown => serveStdio(makeServer, { transport })
