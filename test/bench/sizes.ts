import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import type { Folders } from './peers.js'

/** What an app imports, and where from. */
interface Import {
  readonly title: string
  /** ES module code that exports what the app uses. */
  readonly code: string
  readonly isOurs?: boolean
  /** Whether it is one of `peers/package.json`. */
  readonly isApart?: boolean
}

const IMPORTS: readonly Import[] = [
  { title: 'mcp-websocket-client', code: `export { McpWebSocketClient } from 'mcp-websocket-client'`, isOurs: true },
  {
    title: 'mcp-websocket-client/transport, without the SDK',
    code: `export { WebSocketClientTransport } from 'mcp-websocket-client/transport'`,
    isOurs: true
  },
  {
    title: 'both of them',
    code: `export { McpWebSocketClient } from 'mcp-websocket-client'
export { WebSocketClientTransport } from 'mcp-websocket-client/transport'`,
    isOurs: true
  },
  {
    title: 'SDK v1: Client and its former WebSocket transport',
    code: `export { Client } from '@modelcontextprotocol/sdk/client/index.js'
export { WebSocketClientTransport } from '@modelcontextprotocol/sdk/client/websocket.js'`
  },
  { title: 'SDK v2: Client, without a WebSocket transport', code: `export { Client } from '@modelcontextprotocol/client'` },
  { title: 'rpc-websockets', code: `export { Client } from 'rpc-websockets'`, isApart: true },
  { title: 'vscode-jsonrpc, without a WebSocket', code: `export { createMessageConnection } from 'vscode-jsonrpc/browser'`, isApart: true },
  { title: 'partysocket, without JSON-RPC', code: `export { WebSocket } from 'partysocket'`, isApart: true },
  { title: 'json-rpc-2.0, without a WebSocket', code: `export { JSONRPCClient } from 'json-rpc-2.0'`, isApart: true }
]

/** What an import adds to the bundle of a browser app, in bytes. */
export interface Size {
  readonly title: string
  /** Whether it is this package. */
  readonly isOurs: boolean
  readonly minified: number
  readonly gzipped: number
}

/** Bundles each import as the app of a user would be: with esbuild, for browsers, minified. */
export async function measureSizes(root: string, folders: Folders): Promise<Size[]> {
  return Promise.all(
    IMPORTS.map(async ({ title, code, isOurs = false, isApart = false }) => {
      const { outputFiles } = await build({
        stdin: { contents: code, resolveDir: isApart ? folders.peers : root },
        // That of this project leads to the sources.
        tsconfigRaw: {},
        bundle: true,
        minify: true,
        format: 'esm',
        platform: 'browser',
        target: 'es2022',
        legalComments: 'none',
        write: false,
        logLevel: 'error'
      })
      const bytes = Buffer.concat(outputFiles.map(({ contents }) => contents))
      return { title, isOurs, minified: bytes.length, gzipped: gzipSync(bytes, { level: 9 }).length }
    })
  )
}
