importScripts('/dist/browser/mcp-websocket-client.iife.js', '/sdk.js', '/shared.js')

globalThis.answerWith(globalThis.useWith({ ...globalThis.McpWebSocket, Client: globalThis.Client }))
