import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { McpWebSocketServerOptions } from '../../src/server/index.js'
import type { Peer, Tools } from './peers.js'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/**
 * One row: a client that was written by others, in a small program of ours that calls each tool of `node/tools.ts`, gives one call up, and
 * prints what it found as a line of JSON.
 */
export interface ClientPeer {
  /** As in docs/interop.md. */
  readonly name: string
  readonly needs: NonNullable<Peer['needs']>
  /** The program and its arguments. */
  readonly command: (tools: Tools, url: string, token: string) => readonly string[]
  /** What its upgrade request offers. */
  readonly offers: string | undefined
  /** What `McpWebSocketServer` must be told to let it in, and nothing else. */
  readonly options: Pick<McpWebSocketServerOptions, 'extraSubprotocols' | 'requireSubprotocol'>
  readonly subprotocol: string | undefined
  /** Whether it can send a token. */
  readonly sendsToken: boolean
  readonly found: {
    readonly version: string
    /** Whether a caller hears of progress. */
    readonly progress: boolean
    /** Whether giving a call up ends it on the server. */
    readonly cancels: boolean
  }
}

/** A program of `python/`. */
const python =
  (script: string, chain: 'python' | 'pythonSdk2'): ClientPeer['command'] =>
  ({ [chain]: folder }, url, token) => [join(folder, 'bin/python'), here(`python/${script}`), url, token]

const ALL = { progress: true, cancels: true }

const OFFERS_NOTHING = { offers: undefined, options: { requireSubprotocol: false }, subprotocol: undefined }

/** All rows. A further client is a further entry. */
export const CLIENTS = {
  goSdk: {
    name: 'Go SDK 1.8.0 over coder/websocket 1.8.14',
    needs: 'go',
    command: ({ go }, url, token) => [join(go, 'sdkclient'), url, token],
    ...OFFERS_NOTHING,
    sendsToken: true,
    found: { version: '2026-07-28', ...ALL }
  },
  kotlin: {
    name: 'Kotlin SDK 0.16.0 with Ktor 3.5.2',
    needs: 'kotlin',
    command: ({ kotlin }, url, token) => ['java', '-cp', `${kotlin}/classes:${kotlin}/lib/*`, 'client.ClientKt', url, token],
    offers: 'mcp',
    options: { extraSubprotocols: ['mcp'] },
    subprotocol: 'mcp',
    sendsToken: true,
    found: { version: '2025-11-25', ...ALL }
  },
  langchain4j: {
    name: 'langchain4j-mcp 1.11.0-beta19',
    needs: 'langchain4j',
    command: ({ langchain4j }, url, token) => ['java', '-cp', `${langchain4j}/classes:${langchain4j}/lib/*`, 'Client', url, token],
    ...OFFERS_NOTHING,
    sendsToken: true,
    found: { version: '2025-11-25', progress: false, cancels: true }
  },
  rmcp: {
    name: 'rmcp 3.11.0 over tokio-tungstenite 0.28.0',
    needs: 'rust',
    command: ({ rust }, url, token) => [join(rust, 'rmcp_client'), url, token],
    ...OFFERS_NOTHING,
    sendsToken: true,
    found: { version: '2025-11-25', ...ALL }
  },
  tower: {
    name: 'tower-mcp 0.25.0',
    needs: 'rust',
    command: ({ rust }, url, token) => [join(rust, 'tower_client'), url, token],
    offers: 'mcp.version.2025-11-25',
    options: { extraSubprotocols: ['mcp.version.2025-11-25'] },
    subprotocol: 'mcp.version.2025-11-25',
    sendsToken: true,
    found: { version: '2025-11-25', progress: true, cancels: false }
  },
  pythonSdk: {
    name: 'Python SDK 1.30.0',
    needs: 'python',
    command: python('sdk_client.py', 'python'),
    offers: 'mcp',
    options: { extraSubprotocols: ['mcp'] },
    subprotocol: 'mcp',
    sendsToken: false,
    found: { version: '2025-11-25', progress: true, cancels: false }
  },
  pythonSdk2: {
    name: 'Python SDK 2.3.0 over websockets 17.4',
    needs: 'pythonSdk2',
    command: python('sdk2_client.py', 'pythonSdk2'),
    ...OFFERS_NOTHING,
    sendsToken: true,
    found: { version: '2026-07-28', ...ALL }
  },
  fastmcp: {
    name: 'FastMCP 4.2.3 over websockets 17.4',
    needs: 'pythonSdk2',
    command: python('fastmcp_client.py', 'pythonSdk2'),
    ...OFFERS_NOTHING,
    sendsToken: true,
    found: { version: '2026-07-28', ...ALL }
  }
} satisfies Readonly<Record<string, ClientPeer>>
