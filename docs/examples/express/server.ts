// An Express app and an MCP server on one port: the app has the pages, and `/ws` is MCP.
//
//   npm pkg set type=module && npm install express @modelcontextprotocol/server mcp-websocket-client
//   MCP_TOKEN=secret npx tsx server.ts
//   MCP_WS_TOKEN=secret npx mcp-ws call ws://127.0.0.1:8080/ws hello
import { createServer } from 'node:http'
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import express from 'express'
import { isSameToken, McpWebSocketServer } from 'mcp-websocket-client/server'

const app = express()
app.get('/', (_request, response) => {
  response.type('text/plain').send(`${String(mcp.metrics().connections)} clients\n`)
})

function makeServer(): McpServer {
  const server = new McpServer({ name: 'example', version: '1.0.0' })
  server.registerTool('hello', { description: 'Says hello' }, () => ({ content: [{ type: 'text', text: 'hello' }] }))
  return server
}

// Not `app.listen()`: the MCP server needs the HTTP server, whose upgrades it takes. Express never sees them.
const http = createServer(app)
const mcp = new McpWebSocketServer({
  server: http,
  path: '/ws',
  authenticate: (_request, token) => (isSameToken(token, process.env.MCP_TOKEN ?? '') ? { user: 'ada' } : undefined),
  onconnection: (transport) => void serveStdio(makeServer, { transport }),
  onerror: (error) => console.error(error)
})
await mcp.listen()
http.listen(Number(process.env.PORT ?? 8080), '127.0.0.1', () => console.log('listening on', mcp.address()?.port))

process.once('SIGTERM', () => {
  http.close()
  void mcp.close()
})
