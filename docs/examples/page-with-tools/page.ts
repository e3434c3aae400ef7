// A page that offers tools. It opens the socket itself, and the gateway calls its tools as long as the page is open. After a drop it dials
// again. `gateway.ts` beside it is the other end, and says how to run both.
import { McpServer } from '@modelcontextprotocol/server'
import { WebSocketClientTransport } from 'mcp-websocket-client/transport'

const mcp = new McpServer({ name: 'my-page', version: '1.0.0' })
mcp.registerTool('title', { description: 'The title of the page' }, () => ({ content: [{ type: 'text', text: document.title }] }))

const url = new URL('/ws', location.href)
// A page cannot set headers. The token is good for a minute, and the client fetches another one for every dial.
const auth = { token: () => fetch('/token').then((response) => response.text()), via: 'subprotocol' } as const
await mcp.connect(new WebSocketClientTransport(url, { role: 'server', auth }))
