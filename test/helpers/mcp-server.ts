import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { Transport as TransportV1 } from '@modelcontextprotocol/sdk/shared/transport.js'
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema
} from '@modelcontextprotocol/sdk/types.js'
import { inputRequired, McpServer as McpServerV2, type ServerContext, type Transport as TransportV2 } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import type { WebSocket } from 'ws'
import { pause } from './pause.js'

// Runs in tests and in child processes: nothing of the test runner is imported here.

/** Which official SDK serves: v1 knows the legacy era, v2 both. */
export type SdkVersion = 'v1' | 'v2'

/** What a test may ask of a server. */
export interface McpServerOptions {
  /** `resources/read` of `test://held` is never answered. */
  readonly hold?: boolean
  /** A server of SDK v2 that knows only the modern era. */
  readonly modernOnly?: boolean
  /** Told what a request's handler was aborted for. */
  readonly onAborted?: (method: string) => void
  /** Told each call of a tool that took effect; one that first asks its client takes effect when that answered. */
  readonly onExecuted?: (name: string, args: Readonly<Record<string, unknown>>) => void
  /** Told the level that a legacy client asked for, and the notifications that a client sent. */
  readonly onHeard?: (method: string, params: unknown) => void
}

type Params = Readonly<Record<string, unknown>> | undefined
type Result = Record<string, unknown>

/** What responses need of their server, whichever SDK it is. */
interface Host {
  readonly era: 'legacy' | 'modern'
  readonly options: McpServerOptions
  readonly signal: AbortSignal
  readonly progressToken: string | number | undefined
  /** URIs that this connection subscribed to, in the legacy era. */
  readonly subscribed: Set<string>
  /** Calls of `together` on this connection that wait for the others. */
  readonly gathered: (() => void)[]
  notify(method: string, params: Record<string, unknown>): Promise<void>
  log(level: string, data: unknown): Promise<void>
  /** Asks the client; `undefined` means that the tool returns `asking` and is called again. */
  ask(kind: ServerRequest): Promise<unknown>
  asking(kind: ServerRequest): Result
  /** Asks for a sample at once, as only servers of the legacy era can, and hears how the client gets on. */
  consult(onprogress: (report: unknown) => void): Promise<unknown>
}

type ServerRequest = 'elicitation' | 'sampling' | 'roots'

const INFO = { name: 'test-server', version: '1.2.3' }
const CAPABILITIES = {
  tools: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  prompts: { listChanged: true },
  completions: {},
  logging: {}
}
const INSTRUCTIONS = 'Be kind to it.'

const ELICITATION = {
  message: 'Which colour?',
  requestedSchema: {
    type: 'object' as const,
    properties: { colour: { type: 'string' as const }, shade: { type: 'string' as const, default: 'light' } },
    required: ['colour']
  }
}
const SAMPLING = { messages: [{ role: 'user' as const, content: { type: 'text' as const, text: 'Say hi' } }], maxTokens: 10 }

const tool = (name: string): Result => ({ name, description: name, inputSchema: { type: 'object' } })
const TOOLS = ['echo', 'fail', 'slow', 'hold', 'elicitation', 'sampling', 'roots', 'touch', 'change', 'log', 'together', 'consult'].map(
  tool
)

const text = (words: string): Result => ({ content: [{ type: 'text', text: words }] })

const ended = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const end = (): void => reject(new Error('aborted'))
    // Between a client and a server of one process an abort can come at once.
    if (signal.aborted) end()
    signal.addEventListener('abort', end, { once: true })
  })

async function respond(method: string, params: Params, host: Host): Promise<Result> {
  switch (method) {
    case 'tools/list':
      // Two pages.
      return params?.cursor === 'second' ? { tools: TOOLS.slice(5) } : { tools: TOOLS.slice(0, 5), nextCursor: 'second' }
    case 'tools/call':
      return callTool(String(params?.name), (params?.arguments ?? {}) as Record<string, unknown>, host)
    case 'resources/list':
      return { resources: [{ uri: 'test://plain', name: 'plain' }] }
    case 'resources/templates/list':
      return { resourceTemplates: [{ uriTemplate: 'test://{name}', name: 'any' }] }
    case 'resources/read':
      if (params?.uri === 'test://held' && host.options.hold) return ended(host.signal)
      if (params?.uri === 'test://none') throw Object.assign(new Error('no such resource'), { code: -32002, data: { uri: params.uri } })
      return { contents: [{ uri: params?.uri, mimeType: 'text/plain', text: `content of ${String(params?.uri)}` }] }
    case 'resources/subscribe':
      host.subscribed.add(String(params?.uri))
      return {}
    case 'resources/unsubscribe':
      host.subscribed.delete(String(params?.uri))
      return {}
    case 'prompts/list':
      return { prompts: [{ name: 'greet', arguments: [{ name: 'who', required: true }] }] }
    case 'prompts/get': {
      const { who = 'nobody' } = (params?.arguments ?? {}) as { who?: string }
      if (who === 'ask') {
        const response = await host.ask('elicitation')
        if (response === undefined) return host.asking('elicitation')
        return { messages: [{ role: 'user', content: { type: 'text', text: JSON.stringify(response) } }] }
      }
      return { messages: [{ role: 'user', content: { type: 'text', text: `Greet ${who}` } }] }
    }
    default:
      return { completion: { values: ['ada', 'alan'], total: 2, hasMore: false } }
  }
}

const isServerRequest = (name: string): name is ServerRequest => ['elicitation', 'sampling', 'roots'].includes(name)

async function callTool(name: string, args: Record<string, unknown>, host: Host): Promise<Result> {
  if (isServerRequest(name)) {
    const response = await host.ask(name)
    if (response === undefined) return host.asking(name)
    host.options.onExecuted?.(name, args)
    return text(JSON.stringify(response))
  }
  host.options.onExecuted?.(name, args)
  const progress = (done: number): Promise<void> =>
    host.notify('notifications/progress', { progressToken: host.progressToken, progress: done, total: 3, message: `step ${String(done)}` })
  switch (name) {
    case 'echo':
      return text(String(args.message))
    case 'fail':
      return { ...text('it failed'), isError: true }
    case 'slow':
      for (const step of [1, 2, 3]) await progress(step)
      return text('done')
    case 'count':
      // Not in the list of tools: for tests of long calls.
      for (let step = 1; step <= Number(args.steps); step++) {
        await pause(Number(args.every))
        await progress(step)
      }
      return text(`counted to ${String(args.steps)}`)
    case 'hold':
      host.signal.addEventListener('abort', () => host.options.onAborted?.(name))
      await progress(1)
      return ended(host.signal)
    case 'touch': {
      const uri = String(args.uri)
      // In the modern era the SDK knows who subscribed.
      if (host.era === 'modern' || host.subscribed.has(uri)) await host.notify('notifications/resources/updated', { uri, ...marked(args) })
      return text('touched')
    }
    case 'change':
      await host.notify(`notifications/${typeof args.list === 'string' ? args.list : 'tools'}/list_changed`, marked(args))
      return text('changed')
    case 'consult': {
      const reports: unknown[] = []
      const response = await host.consult((report) => reports.push(report))
      return text(JSON.stringify({ reports, response }))
    }
    case 'together':
      await gather(Number(args.of), host)
      return text(String(args.message))
    case 'log':
      await host.log(String(args.level), args.data)
      return text('logged')
    default:
      throw new Error(`no tool ${name}`)
  }
}

/** What tells a notification that a tool caused from others of its kind. */
const marked = ({ mark }: Record<string, unknown>): Result => (mark === undefined ? {} : { _meta: { mark } })

/** Waits until so many calls are there; then they go on, the last one first. */
function gather(count: number, { gathered, signal }: Host): Promise<void> {
  const gone = new Promise<void>((resolve, reject) => {
    gathered.push(resolve)
    signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true })
  })
  if (gathered.length === count) for (const go of gathered.splice(0).reverse()) go()
  return gone
}

/** An accepted socket as the `Transport` of either SDK. */
class SocketTransport {
  onmessage?: (message: unknown) => void
  onclose?: () => void
  onerror?: (error: Error) => void
  readonly #socket: WebSocket

  constructor(socket: WebSocket) {
    this.#socket = socket
  }

  start(): Promise<void> {
    this.#socket.on('message', (data: Buffer) => this.onmessage?.(JSON.parse(data.toString())))
    this.#socket.on('error', (error) => this.onerror?.(error))
    this.#socket.on('close', () => this.onclose?.())
    return Promise.resolve()
  }

  send(message: unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(JSON.stringify(message), (error) => (error ? reject(error) : resolve()))
    })
  }

  close(): Promise<void> {
    this.#socket.close(1000)
    return Promise.resolve()
  }
}

/** Serves MCP on an accepted socket. @returns Ends it as the SDK does, with its last messages. */
export const serveMcp = (sdk: SdkVersion, socket: WebSocket, options: McpServerOptions = {}): (() => Promise<void>) =>
  serveTransport(sdk, new SocketTransport(socket), options)

/** Serves MCP on a transport, which the server starts. @returns Ends it as the SDK does, with its last messages. */
export function serveTransport(sdk: SdkVersion, transport: TransportV1 & TransportV2, options: McpServerOptions = {}): () => Promise<void> {
  if (sdk === 'v1') {
    void serveV1(transport, options)
    return () => transport.close()
  }
  const handle = serveStdio(({ era }) => makeV2(era, options), {
    transport,
    legacy: options.modernOnly ? 'reject' : 'serve',
    onerror: () => undefined
  })
  return () => handle.close()
}

async function serveV1(transport: TransportV1, options: McpServerOptions): Promise<void> {
  const mcp = new McpServerV1(INFO, { capabilities: CAPABILITIES, instructions: INSTRUCTIONS })
  const { server } = mcp
  const subscribed = new Set<string>()
  const gathered: (() => void)[] = []
  const ask = async (kind: ServerRequest): Promise<unknown> => {
    if (kind === 'elicitation') return server.elicitInput(ELICITATION)
    return kind === 'sampling' ? server.createMessage(SAMPLING) : server.listRoots()
  }
  const schemas = [
    ListToolsRequestSchema,
    CallToolRequestSchema,
    ListResourcesRequestSchema,
    ListResourceTemplatesRequestSchema,
    ReadResourceRequestSchema,
    SubscribeRequestSchema,
    UnsubscribeRequestSchema,
    ListPromptsRequestSchema,
    GetPromptRequestSchema,
    CompleteRequestSchema
  ]
  for (const schema of schemas) {
    server.setRequestHandler(schema, (request, { signal, _meta }) =>
      respond(request.method, request.params, {
        era: 'legacy',
        options,
        signal,
        progressToken: _meta?.progressToken,
        subscribed,
        gathered,
        notify: (method, params) => server.notification({ method, params }),
        log: (level, data) => server.sendLoggingMessage({ level: level as 'info', data }),
        ask,
        asking: () => ({}),
        consult: (onprogress) => server.createMessage(SAMPLING, { onprogress })
      })
    )
  }
  server.fallbackNotificationHandler = ({ method, params }) => {
    options.onHeard?.(method, params)
    return Promise.resolve()
  }
  await mcp.connect(transport)
}

function makeV2(era: 'legacy' | 'modern', options: McpServerOptions): McpServerV2 {
  const mcp = new McpServerV2(INFO, { capabilities: CAPABILITIES, instructions: INSTRUCTIONS })
  const { server } = mcp
  const subscribed = new Set<string>()
  const gathered: (() => void)[] = []
  const inputRequests = {
    elicitation: () => inputRequired.elicit(ELICITATION),
    sampling: () => inputRequired.createMessage(SAMPLING),
    roots: () => inputRequired.listRoots()
  }
  const hostOf = ({ mcpReq }: ServerContext): Host => ({
    era,
    options,
    signal: mcpReq.signal,
    progressToken: mcpReq._meta?.progressToken,
    subscribed,
    gathered,
    notify: (method, params) => server.notification({ method, params }),
    // Deprecated with the whole feature, which clients have to support for a year.

    log: (level, data) => mcpReq.log(level as 'info', data),
    ask: () => Promise.resolve(mcpReq.inputResponses?.answer),
    asking: (kind) => inputRequired({ inputRequests: { answer: inputRequests[kind]() }, requestState: `state of ${kind}` }),
    consult: (onprogress) => mcpReq.requestSampling(SAMPLING, { onprogress })
  })
  const methods = [
    'tools/list',
    'tools/call',
    'resources/list',
    'resources/templates/list',
    'resources/read',
    'resources/subscribe',
    'resources/unsubscribe',
    'prompts/list',
    'prompts/get',
    'completion/complete'
  ] as const
  for (const method of methods)
    server.setRequestHandler(method, (request, context) => respond(method, request.params, hostOf(context)) as never)
  server.fallbackNotificationHandler = ({ method, params }) => {
    options.onHeard?.(method, params)
    return Promise.resolve()
  }
  return mcp
}
