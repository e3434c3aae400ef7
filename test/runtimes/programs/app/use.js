import { Client } from '@modelcontextprotocol/client'
import { McpWebSocketClient, McpWebSocketError } from 'mcp-websocket-client'
import { WebSocketClientTransport } from 'mcp-websocket-client/transport'
import './shared.js'

export const use = globalThis.useWith({ Client, McpWebSocketClient, McpWebSocketError, WebSocketClientTransport })
