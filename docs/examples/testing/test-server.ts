// A server for the tests of your program: on a port that is free, in the same process, with a tool of its own.
//
//   const { url, breakConnections, stop } = await startTestServer()
//   const client = new McpWebSocketClient({ url, reconnect: { initialDelay: 10 } })
import { McpServer } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { McpWebSocketServer, type ServerTransport } from 'mcp-websocket-client/server'

export async function startTestServer() {
  const transports: ServerTransport[] = []
  const makeServer = (): McpServer => {
    const mcp = new McpServer({ name: 'test', version: '1.0.0' })
    mcp.registerTool('pay', { description: 'Pays' }, () => ({ content: [{ type: 'text', text: 'paid' }] }))
    return mcp
  }
  const server = new McpWebSocketServer({
    allowUnauthenticated: true,
    onconnection: (transport) => {
      transports.push(transport)
      serveStdio(makeServer, { transport })
    }
  })
  await server.listen()
  return {
    url: `ws://127.0.0.1:${String(server.address()?.port)}/ws`,
    // Ends all connections: clients come back, and calls in flight are lost.
    breakConnections: () => Promise.all(transports.splice(0).map((transport) => transport.close({ code: 1012, reason: 'test' }))),
    stop: () => server.close({ grace: 0 })
  }
}
