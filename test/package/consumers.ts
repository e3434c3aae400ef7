import ts from 'typescript'

/** A program that uses the entries for browsers and Node. */
export const CLIENT = `
  import { WebSocketClientTransport, type FailureData } from 'mcp-websocket-client/transport'
  import { McpWebSocketClient, isRpcError, type McpWebSocketClientOptions, type StateName } from 'mcp-websocket-client'
  const options: McpWebSocketClientOptions = { url: new URL('ws://127.0.0.1/ws'), reconnect: { maxRetries: Infinity } }
  export const client = new McpWebSocketClient(options)
  export const state: StateName = client.state
  export const names: Promise<string[]> = client.listTools().then(({ tools }) => tools.map((tool) => tool.name))
  export const code = (error: unknown): number | undefined => (isRpcError(error) ? error.rpcCode : undefined)
  client.on('state', ({ from, to, delay }) => [from, to, delay])
  export const transport = new WebSocketClientTransport(new URL('ws://127.0.0.1/ws'), { reconnect: { maxRetries: Infinity } })
  export const delivery = (data: FailureData): 'not-sent' | 'unknown' => data.delivery
  transport.on('state', ({ from, to }) => [from, to])`

/** A program that shows a client in a page. */
export const REACT = `
  import { McpWebSocketClient, type Tool } from 'mcp-websocket-client'
  import { useMcpClient, useMcpState, useMcpTools, type McpState } from 'mcp-websocket-client/react'
  const { client, tools, reconnect } = useMcpClient({ url: 'ws://127.0.0.1/ws' })
  export const made: McpWebSocketClient = client
  export const names: string[] | undefined = tools?.map((tool) => tool.name)
  export const state: McpState = useMcpState(new McpWebSocketClient({ url: 'ws://127.0.0.1/ws' }))
  export const list: readonly Tool[] | undefined = useMcpTools(client).tools
  reconnect()`

/** A program that serves, without any SDK. */
export const SERVER = `
  import { McpWebSocketServer, isSameToken, type ServerTransport } from 'mcp-websocket-client/server'
  export const transports: ServerTransport[] = []
  export const server = new McpWebSocketServer({
    authenticate: ({ headers }, token) => (isSameToken(token, 'right') ? { user: headers.from } : undefined),
    onconnection: (transport, { auth }) => {
      transport.onmessage = (message, extra) => [message, extra?.authInfo]
      transports.push(transport)
      return auth.user
    }
  })
  export const port: number | undefined = server.address()?.port`

/** A program that has both versions of the official SDK on top of the transports of either side. */
export const WITH_SDK = `
  import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
  import { McpServer as ServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
  import { Client as ClientV2 } from '@modelcontextprotocol/client'
  import { McpServer as ServerV2 } from '@modelcontextprotocol/server'
  import { serveStdio } from '@modelcontextprotocol/server/stdio'
  import { McpWebSocketServer } from 'mcp-websocket-client/server'
  import { WebSocketClientTransport } from 'mcp-websocket-client/transport'
  const info = { name: 'a', version: '1' }
  const transport = new WebSocketClientTransport('ws://127.0.0.1/ws')
  export const clients = [new ClientV1(info).connect(transport), new ClientV2(info).connect(transport)]
  export const server = new McpWebSocketServer({
    allowUnauthenticated: true,
    onconnection: async (accepted) => {
      await new ServerV1(info).connect(accepted)
      await new ServerV2(info).connect(accepted)
      serveStdio(() => new ServerV2(info), { transport: accepted })
    }
  })`

const libraries = new Map<string, ts.SourceFile | undefined>()

/** What the compiler finds wrong with one file that exists only in memory, and with the declarations of this package. */
export function diagnose(path: string, text: string, more: ts.CompilerOptions): string[] {
  const options: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
    types: [],
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    ...more
  }
  const host = ts.createCompilerHost(options)
  const onDisk = { ...host }
  host.fileExists = (name) => name === path || onDisk.fileExists(name)
  host.readFile = (name) => (name === path ? text : onDisk.readFile(name))
  host.getSourceFile = (name, language) => {
    if (name === path) return ts.createSourceFile(name, text, language)
    if (!/typescript\/lib\/lib\.[^/]+$/.test(name)) return onDisk.getSourceFile(name, language)
    const library = libraries.get(name) ?? onDisk.getSourceFile(name, language)
    libraries.set(name, library)
    return library
  }
  const program = ts.createProgram([path], options, host)
  // To check what others declare would take ten times as long.
  const ours = program
    .getSourceFiles()
    .filter((file) => !program.isSourceFileDefaultLibrary(file) && !/node_modules\/(?!mcp-websocket-client\/)/.test(file.fileName))
  return [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...ours.flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
  ].map(({ file, messageText }) => `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
}
