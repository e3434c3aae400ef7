import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Era } from '../../src/session/agreement.js'
import type { McpWebSocketClientOptions } from '../../src/index.js'
import type { Machine } from './machine.js'

const require = createRequire(import.meta.url)
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** A tool call, and the text of its response. */
export interface ToolCall {
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
  readonly text: string
}

/** What commands are made of: of each toolchain the folder, `''` where it is missing. */
export interface Tools extends Readonly<Record<keyof Machine, string>> {
  /** Makes a program of one of ours. */
  readonly bundle: (entry: URL) => Promise<string>
}

/** One row: a server that was written by others, or imitates one, and what the client finds there. */
export interface Peer {
  /** As in docs/interop.md. */
  readonly name: string
  readonly needs?: keyof Machine
  /** The program and its arguments; it listens on this port of 127.0.0.1. */
  readonly command: (tools: Tools, port: number) => readonly string[] | Promise<readonly string[]>
  readonly path: string
  /** What must be set besides `url`, and nothing else. */
  readonly options: Omit<McpWebSocketClientOptions, 'url'>
  readonly found: {
    readonly server: string
    readonly era: Era
    readonly protocolVersion: string
    readonly subprotocol: string | undefined
    /** Errors without an owner that every handshake brings about. */
    readonly errors: readonly RegExp[]
  }
  readonly tools: readonly string[]
  readonly echo: (message: string) => ToolCall
  readonly slow: (seconds: number) => ToolCall
  /** Progress reports of the slow tool. */
  readonly reports: number
  /** What a cancellation ends there: the tool (then the tool `cancellations` counts them), no more than its response, or nothing. */
  readonly cancels: 'tool' | 'response' | 'nothing'
  /** Some new connections end with 1011, because their first message comes before the server is ready for it; the next one is better. */
  readonly dropsAtOnce?: true
  /** A version that it does not know is answered with an error; a `Client` of the official SDK does not ask for another one. */
  readonly rejectsVersions?: true
  /** A request with an id that is a string is answered under another one, and so is the first one of v2 of the official SDK. */
  readonly breaksStringIds?: true
}

const ECHO_AND_SLOW = {
  echo: (message) => ({ name: 'echo', arguments: { message }, text: message }),
  slow: (seconds) => ({ name: 'slow', arguments: { seconds }, text: 'done' })
} satisfies Partial<Peer>

/** What the small servers have that we wrote with libraries of others. */
const ALL_TOOLS = { tools: ['echo', 'slow', 'cancellations'], ...ECHO_AND_SLOW, reports: 4, cancels: 'tool' } satisfies Partial<Peer>

/** The program that a package of npm installs as a command. */
function commandOf(name: string): string {
  const manifest = require.resolve(`${name}/package.json`)
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: string | Record<string, string> }
  return join(dirname(manifest), typeof bin === 'string' ? bin : Object.values(bin)[0]!)
}

/** A program of ours for Node, whose first argument is the port. */
const program =
  (entry: string, ...args: string[]): Peer['command'] =>
  async ({ bundle }, port) => [process.execPath, await bundle(new URL(entry, import.meta.url)), String(port), ...args]

const EVERYTHING = {
  found: { server: 'mcp-servers/everything', era: 'legacy', protocolVersion: '2025-11-25', subprotocol: 'mcp.v1', errors: [] },
  tools: ['echo', 'get-sum', 'trigger-long-running-operation'],
  echo: (message) => ({ name: 'echo', arguments: { message }, text: `Echo: ${message}` }),
  slow: (seconds) => ({
    name: 'trigger-long-running-operation',
    arguments: { duration: seconds, steps: 4 },
    text: `Long running operation completed. Duration: ${String(seconds)} seconds, Steps: 4.`
  }),
  reports: 4
} satisfies Partial<Peer>

const SDK_V2 = { command: program('node/sdk-v2.ts'), path: '/ws', ...ALL_TOOLS } satisfies Partial<Peer>

/** A program of `python/`, whose first argument is the port. */
const python =
  (script: string, chain: 'python' | 'pythonSdk2' = 'python', ...args: string[]) =>
  ({ [chain]: folder }: Tools, port: number): readonly string[] => [
    join(folder, 'bin/python'),
    here(`python/${script}`),
    String(port),
    ...args
  ]

const address = (port: number): string => `127.0.0.1:${String(port)}`

const STARLETTE_TOKEN = 'a-starlette-token'

/** All rows. A further server is a further entry. */
export const PEERS = {
  everything: {
    name: 'server-everything 2026.8.31 behind McpWebSocketServer',
    command: program('node/stdio.ts', process.execPath, commandOf('@modelcontextprotocol/server-everything')),
    path: '/ws',
    options: {},
    ...EVERYTHING,
    cancels: 'response'
  },
  supergateway: {
    name: 'server-everything 2026.8.31 behind supergateway 4.0.0',
    command: (_tools, port) => [
      process.execPath,
      '--import',
      new URL('loopback.mjs', import.meta.url).href,
      commandOf('supergateway'),
      ...['--stdio', `"${process.execPath}" "${commandOf('@modelcontextprotocol/server-everything')}"`],
      ...['--outputTransport', 'ws', '--port', String(port)]
    ],
    path: '/message',
    options: {},
    ...EVERYTHING,
    cancels: 'nothing',
    breaksStringIds: true
  },
  sdkV1: {
    name: 'TypeScript SDK 1.32.2 behind McpWebSocketServer',
    command: program('node/sdk-v1.ts'),
    path: '/ws',
    options: {},
    found: { server: 'sdk-v1-peer', era: 'legacy', protocolVersion: '2025-11-25', subprotocol: 'mcp.v1', errors: [] },
    ...ALL_TOOLS
  },
  sdkV2: {
    name: 'TypeScript SDK 2.4.0 behind McpWebSocketServer',
    ...SDK_V2,
    options: {},
    found: { server: 'sdk-v2-peer', era: 'modern', protocolVersion: '2026-07-28', subprotocol: 'mcp.v1', errors: [] }
  },
  sdkV2Legacy: {
    name: 'the same, asked for the legacy era',
    ...SDK_V2,
    options: { protocol: 'legacy' },
    found: { server: 'sdk-v2-peer', era: 'legacy', protocolVersion: '2025-11-25', subprotocol: 'mcp.v1', errors: [] }
  },
  gomcp: {
    name: 'GoMCP 1.2.2',
    needs: 'go',
    command: ({ go }, port) => [join(go, 'gomcp'), address(port)],
    path: '/ws',
    options: { onMissingSubprotocol: 'accept' },
    found: { server: 'gomcp-peer', era: 'legacy', protocolVersion: '2025-03-26', subprotocol: undefined, errors: [] },
    tools: ['echo', 'slow'],
    ...ECHO_AND_SLOW,
    reports: 0,
    cancels: 'nothing',
    rejectsVersions: true
  },
  coder: {
    name: 'coder/websocket 1.8.14',
    needs: 'go',
    command: ({ go }, port) => [join(go, 'coder'), address(port), 'mcp.v1'],
    path: '/ws',
    options: {},
    found: { server: 'coder-peer', era: 'legacy', protocolVersion: '2025-06-18', subprotocol: 'mcp.v1', errors: [] },
    ...ALL_TOOLS
  },
  goSdk: {
    name: 'Go SDK 1.8.0 over coder/websocket 1.8.14',
    needs: 'go',
    command: ({ go }, port) => [join(go, 'sdkserver'), address(port)],
    path: '/ws',
    options: { onMissingSubprotocol: 'accept' },
    found: { server: 'go-sdk-peer', era: 'modern', protocolVersion: '2026-07-28', subprotocol: undefined, errors: [] },
    ...ALL_TOOLS
  },
  kotlin: {
    name: 'Kotlin SDK 0.16.0 with Ktor 3.5.2',
    needs: 'kotlin',
    command: ({ kotlin }, port) => ['java', '-cp', `${kotlin}/classes:${kotlin}/lib/*`, 'server.ServerKt', String(port)],
    path: '/ws',
    options: { onMissingSubprotocol: 'accept', offer: ['mcp'] },
    found: { server: 'kotlin-sdk-peer', era: 'legacy', protocolVersion: '2025-11-25', subprotocol: undefined, errors: [] },
    ...ALL_TOOLS
  },
  quarkus: {
    name: 'Quarkus MCP server 1.7.2',
    needs: 'quarkus',
    command: ({ quarkus }, port) => ['java', `-Dquarkus.http.port=${String(port)}`, '-jar', join(quarkus, 'quarkus-app/quarkus-run.jar')],
    path: '/mcp/ws',
    options: { onMissingSubprotocol: 'accept' },
    dropsAtOnce: true,
    found: { server: 'quarkus-peer', era: 'legacy', protocolVersion: '2025-06-18', subprotocol: undefined, errors: [] },
    ...ALL_TOOLS
  },
  rmcp: {
    name: 'rmcp 3.11.0 over tokio-tungstenite 0.28.0',
    needs: 'rust',
    command: ({ rust }, port) => [join(rust, 'rmcp_server'), address(port)],
    path: '/',
    options: { onMissingSubprotocol: 'accept' },
    found: { server: 'rmcp-peer', era: 'modern', protocolVersion: '2026-07-28', subprotocol: undefined, errors: [] },
    ...ALL_TOOLS
  },
  tower: {
    name: 'tower-mcp 0.25.0',
    needs: 'rust',
    command: ({ rust }, port) => [join(rust, 'tower_server'), address(port)],
    path: '/ws',
    options: { onMissingSubprotocol: 'accept' },
    found: { server: 'tower-peer', era: 'legacy', protocolVersion: '2025-11-25', subprotocol: undefined, errors: [] },
    tools: ALL_TOOLS.tools,
    ...ECHO_AND_SLOW,
    reports: 0,
    cancels: 'nothing'
  },
  pythonSdk: {
    name: 'Python SDK 1.30.0',
    needs: 'python',
    command: python('sdk_server.py'),
    path: '/ws',
    options: { subprotocols: ['mcp'] },
    found: { server: 'python-sdk-peer', era: 'legacy', protocolVersion: '2025-11-25', subprotocol: 'mcp', errors: [] },
    ...ALL_TOOLS
  },
  pythonSdk2: {
    name: 'Python SDK 2.3.0 over websockets 17.4',
    needs: 'pythonSdk2',
    command: python('sdk2_websockets_server.py', 'pythonSdk2'),
    path: '/',
    options: { onMissingSubprotocol: 'accept' },
    found: { server: 'python-sdk2-peer', era: 'modern', protocolVersion: '2026-07-28', subprotocol: undefined, errors: [] },
    ...ALL_TOOLS
  },
  starlette: {
    name: 'Python SDK 2.3.0 in Starlette 1.10.0',
    needs: 'pythonSdk2',
    command: python('sdk2_starlette_server.py', 'pythonSdk2', STARLETTE_TOKEN),
    path: '/ws',
    options: { onMissingSubprotocol: 'accept', auth: { token: STARLETTE_TOKEN } },
    found: { server: 'starlette-peer', era: 'modern', protocolVersion: '2026-07-28', subprotocol: undefined, errors: [] },
    ...ALL_TOOLS
  },
  pythonWebsockets: {
    name: 'Python websockets 17.4',
    needs: 'python',
    command: python('websockets_server.py'),
    path: '/',
    options: { onMissingSubprotocol: 'accept' },
    found: { server: 'websockets-peer', era: 'legacy', protocolVersion: '2025-03-26', subprotocol: undefined, errors: [] },
    ...ALL_TOOLS
  },
  devMesh: {
    name: 'DevMesh edge-mcp (imitated)',
    command: program('devmesh/program.ts'),
    path: '/ws',
    options: { onMissingSubprotocol: 'accept', auth: { token: 'a-devmesh-key' } },
    found: {
      server: 'edge-mcp',
      era: 'legacy',
      protocolVersion: '2025-06-18',
      subprotocol: undefined,
      errors: [/notifications\/initialized/]
    },
    tools: ['echo', 'slow', 'big'],
    ...ECHO_AND_SLOW,
    reports: 0,
    cancels: 'nothing',
    rejectsVersions: true
  }
} satisfies Readonly<Record<string, Peer>>
