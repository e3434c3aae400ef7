// Bundled with the servers of both official SDKs and the browser build of the transport: a page that offers its tools over a socket that
// it opens itself.
import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import { McpServer as McpServerV2 } from '@modelcontextprotocol/server'
import { WebSocketClientTransport } from '../../src/transport/index.js'

declare global {
  /** Lets a server of this SDK dial out to the gateway; resolves when it is connected. */
  var dialOut: (sdk: 'v1' | 'v2', url: string) => Promise<void>
}

globalThis.dialOut = async (sdk, url) => {
  const transport = new WebSocketClientTransport(url, {
    role: 'server',
    reconnect: { initialDelay: 50, maxDelay: 200, jitter: false },
    heartbeat: { interval: 200, timeout: 5000 }
  })
  const title = () => ({ content: [{ type: 'text' as const, text: document.title }] })
  const info = { name: 'page', version: '1.0.0' }
  if (sdk === 'v1') {
    const mcp = new McpServerV1(info)
    mcp.registerTool('title', {}, title)
    mcp.registerTool('hold', {}, () => new Promise(() => undefined))
    return mcp.connect(transport)
  }
  const mcp = new McpServerV2(info)
  mcp.registerTool('title', {}, title)
  mcp.registerTool('hold', {}, () => new Promise(() => undefined))
  return mcp.connect(transport)
}
