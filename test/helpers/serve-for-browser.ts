import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { TestProject } from 'vitest/node'
import { WebSocketServer, type WebSocket } from 'ws'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Where the scripted server listens: `ws://127.0.0.1:<port>`, without a path. */
    serverUrl: string
  }
}

/** One dial, as the server saw it. */
export interface Dial {
  readonly path: string
  /** `Sec-WebSocket-Protocol` as it came, or `null`. */
  readonly offered: string | null
  readonly authorization: string | null
  /** The dial's HTTP headers. */
  readonly headers: Readonly<Record<string, unknown>>
  /** Close code that the client sent, or 1006; `null` while the socket is open. */
  closeCode: number | null
  /** Every message of the client, in order. */
  readonly messages: Message[]
  /** Ping frames of the client. */
  pings: number
}

/** A JSON-RPC message of the client. */
export interface Message {
  readonly id?: number | string
  readonly method?: string
  readonly params?: Record<string, unknown> & { _meta?: Record<string, unknown> }
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string }
}

/** A server that is running. */
export interface ScriptedServer {
  readonly url: string
  close(): Promise<void>
}

/** What the server remembers of all dials with the same `key` in their query. */
class DialLog {
  readonly dials: Dial[] = []
  /** How often the script has struck so far. */
  struck = 0
  readonly #watchers = new Set<() => void>()

  /** Something was noted. */
  changed(): void {
    for (const look of [...this.#watchers]) look()
  }

  /** Resolves once `condition` holds, or when the reader hangs up. */
  async until(condition: () => boolean, reader: ServerResponse): Promise<void> {
    if (condition()) return
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!condition() && !reader.destroyed) return
        this.#watchers.delete(look)
        resolve()
      }
      this.#watchers.add(look)
      reader.on('close', look)
    })
  }
}

const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId'

/**
 * Starts a real WebSocket server whose behaviour every URL chooses by its path:
 *
 * | path | behaviour |
 * |---|---|
 * | `/legacy`, `/modern` | an MCP server of that era |
 * | `/drop` | legacy (`era=modern`: modern); the socket is cut at the message `after`, `times` times (1) |
 * | `/close/CODE/REASON` | the same, with a close frame (a path: values of the query are secrets, and redacted) |
 * | `/deaf` | the same, but the server stops reading and says nothing |
 * | `/binary` | legacy; every response travels in binary frames |
 * | `/silent` | opens the socket and answers nothing |
 * | `/no-subprotocol`, `/wrong-subprotocol`, `/choose/NAME` | legacy; names none, `other`, or NAME |
 * | `/status/CODE` | rejects the upgrade, `times` times (for ever), with the header `Retry-After` if `retry-after` is given |
 * | `/hang` | never answers the upgrade |
 *
 * `unknown=METHOD` makes any of them answer that request with -32601; `key` names a log of its own. `GET /log?key=…` returns
 * the log's dials as JSON; with `&until=METHOD` it waits until that method came (`dial`, `close` and `ping-frame` are noted
 * as such), with `&count=N` until it came N times.
 */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const logs = new Map<string, DialLog>()
  const logOf = (query: URLSearchParams): DialLog => {
    const key = query.get('key') ?? ''
    const log = logs.get(key) ?? new DialLog()
    logs.set(key, log)
    return log
  }
  const streams = new Set<Duplex>()
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: (offered, request) => choose(offered, urlOf(request).pathname) })
  sockets.on('headers', (headers, request) => {
    // ws asks nobody when nothing was offered; this server names its subprotocol even then.
    const { 'sec-websocket-protocol': offered } = request.headers
    if (urlOf(request).pathname === '/wrong-subprotocol' && offered === undefined) headers.push('Sec-WebSocket-Protocol: other')
  })
  const server = createServer((request, response) => {
    const { searchParams } = urlOf(request)
    void report(logOf(searchParams), searchParams, response)
  })
  server.on('connection', (stream) => {
    streams.add(stream)
    stream.on('close', () => streams.delete(stream))
  })
  server.on('upgrade', (request, stream, head) => {
    const { pathname, searchParams } = urlOf(request)
    const log = logOf(searchParams)
    const dial = dialOf(request, pathname)
    log.dials.push(dial)
    stream.on('error', () => stream.destroy())
    // Read, or the end of the client's side would go unnoticed.
    if (pathname === '/hang') stream.on('end', () => stream.destroy()).resume()
    else if (pathname.startsWith('/status/') && log.struck < Number(searchParams.get('times') ?? Infinity)) {
      log.struck++
      dial.closeCode = 1006
      rejectUpgrade(stream, Number(pathname.slice('/status/'.length)), searchParams.get('retry-after'))
    } else sockets.handleUpgrade(request, stream, head, (socket) => serve(socket, dial, log, pathname, searchParams))
    log.changed()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `ws://127.0.0.1:${String(port)}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const stream of streams) stream.destroy()
      })
  }
}

/** The global setup of vitest: the server runs beside the tests, which `inject('serverUrl')`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startScriptedServer()
  project.provide('serverUrl', server.url)
  return () => server.close()
}

const urlOf = (request: IncomingMessage): URL => new URL(request.url ?? '/', 'ws://127.0.0.1')

function choose(offered: ReadonlySet<string>, path: string): string | false {
  if (path === '/no-subprotocol') return false
  if (path === '/wrong-subprotocol') return 'other'
  if (path.startsWith('/choose/')) return path.slice('/choose/'.length)
  return offered.has('mcp.v1') ? 'mcp.v1' : false
}

function dialOf({ headers }: IncomingMessage, path: string): Dial {
  return {
    path,
    offered: headers['sec-websocket-protocol'] ?? null,
    authorization: headers.authorization ?? null,
    headers,
    closeCode: null,
    messages: [],
    pings: 0
  }
}

function rejectUpgrade(stream: Duplex, status: number, retryAfter: string | null): void {
  const body = `rejected with ${String(status)}`
  const wait = retryAfter === null ? '' : `Retry-After: ${retryAfter}\r\n`
  stream.end(`HTTP/1.1 ${String(status)} Rejected\r\n${wait}Connection: close\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`)
}

/** Answers `GET /log`. Pages may read it, and the connection ends with it: nothing is left open in the page. */
async function report(log: DialLog, query: URLSearchParams, response: ServerResponse): Promise<void> {
  const wanted = query.get('until')
  const count = Number(query.get('count') ?? 1)
  if (wanted !== null) await log.until(() => noted(log, wanted) >= count, response)
  response.writeHead(200, { 'content-type': 'application/json', 'access-control-allow-origin': '*', connection: 'close' })
  response.end(JSON.stringify(log.dials))
}

function noted({ dials }: DialLog, what: string): number {
  if (what === 'dial') return dials.length
  if (what === 'close') return dials.filter(({ closeCode }) => closeCode !== null).length
  if (what === 'ping-frame') return dials.reduce((sum, { pings }) => sum + pings, 0)
  return dials.flatMap(({ messages }) => messages).filter(({ method }) => method === what).length
}

function serve(socket: WebSocket, dial: Dial, log: DialLog, path: string, query: URLSearchParams): void {
  const send = (message: object, binary = path === '/binary'): void => {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message })
    socket.send(binary ? Buffer.from(text) : text, { binary })
  }
  const respond = query.get('era') === 'modern' || path === '/modern' ? modernServer(send) : legacyServer(send)
  let deaf = path === '/silent'
  socket.on('error', () => socket.terminate())
  socket.on('ping', () => {
    dial.pings++
    log.changed()
  })
  socket.on('close', (code) => {
    dial.closeCode = code
    log.changed()
  })
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as Message
    dial.messages.push(message)
    if (!deaf && !strikes(message)) {
      if (message.method === query.get('unknown')) send({ id: message.id, error: { code: -32601, message: 'unknown method' } })
      else respond(message)
    }
    log.changed()
  })

  /** Breaks this connection, if the script says that it is time. */
  function strikes({ method }: Message): boolean {
    if (method !== query.get('after') || log.struck >= Number(query.get('times') ?? 1)) return false
    if (path === '/drop') socket.terminate()
    else if (path.startsWith('/close/')) socket.close(...closeOf(path))
    else if (path === '/deaf') {
      deaf = true
      // What is not read is not answered: neither messages nor pings.
      socket.pause()
    } else return false
    log.struck++
    return true
  }
}

/** Code and reason in `/close/CODE/REASON`. */
function closeOf(path: string): [code: number, reason: string] {
  const [code, reason = ''] = path.slice('/close/'.length).split('/')
  return [Number(code), decodeURIComponent(reason)]
}

type Send = (message: object, binary?: boolean) => void

const CAPABILITIES = { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} }
const ECHO = { name: 'echo', description: 'says it back', inputSchema: { type: 'object' } }
/** What the tool `change` adds to the list of its connection. */
const ADDED = { ...ECHO, name: 'added' }

/** What the server does with one message of the client. */
type Respond = (message: Message) => void

function legacyServer(send: Send): Respond {
  /** What to do with the client's responses, by the id of the server's request. */
  const asked = new Map<number | string | undefined, Respond>()
  let nextId = 1
  const tools = [ECHO]
  const ask = (method: string, params: object | undefined, onResponse: Respond): void => {
    const id = `server-${String(nextId++)}`
    asked.set(id, onResponse)
    send({ id, method, ...(params && { params }) })
  }
  return (message) => {
    const { id, method, params = {} } = message
    if (method === undefined) return asked.get(id)?.(message)
    const reply = (result: object): void => send({ id, result })
    if (method === 'initialize')
      return reply({
        protocolVersion: '2025-11-25',
        capabilities: CAPABILITIES,
        serverInfo: { name: 'scripted', version: '1' },
        instructions: 'Be brief.'
      })
    if (method === 'tools/list') return reply({ tools })
    if (method === 'tools/call' && params.name === 'change') {
      tools.push(ADDED)
      send({ method: 'notifications/tools/list_changed' })
      return reply(text('changed'))
    }
    if (method === 'tools/call') return callTool(message, send, reply, ask)
    if (method === 'resources/read') return reply({ contents: [{ uri: params.uri, text: 'text' }] })
    if (['ping', 'logging/setLevel', 'resources/subscribe', 'resources/unsubscribe'].includes(method)) return reply({})
    if (id !== undefined) send({ id, error: { code: -32601, message: `no method ${method}` } })
  }
}

const text = (said: unknown): object => ({ content: [{ type: 'text', text: typeof said === 'string' ? said : JSON.stringify(said) }] })

/** The tools: what they do is their name. */
function callTool(
  { params = {} }: Message,
  send: Send,
  reply: (result: object) => void,
  ask: (method: string, params: object | undefined, onResponse: Respond) => void
): void {
  const { arguments: given = {}, _meta } = params as { arguments?: Record<string, unknown>; _meta?: { progressToken?: unknown } }
  switch (params.name) {
    case 'echo':
      return reply(text(given.message))
    case 'progress':
      for (const progress of [1, 2, 3])
        send({
          method: 'notifications/progress',
          params: { progressToken: _meta?.progressToken, progress, total: 3, message: `step ${String(progress)}` }
        })
      return reply(text('done'))
    case 'ask':
      return ask(String(given.method), given.params as object | undefined, ({ result, error }) => reply(text(result ?? error)))
    case 'frames':
      // Notifications in a binary, a text and a binary frame: an engine that reads binary frames late would reorder them.
      send({ method: 'notifications/frame', params: { name: 'BIN1' } }, true)
      send({ method: 'notifications/frame', params: { name: 'TXT2' } }, false)
      send({ method: 'notifications/frame', params: { name: 'BIN3' } }, true)
      return reply(text('sent'))
    case 'update':
      send({ method: 'notifications/resources/updated', params: { uri: given.uri } })
      return reply(text('updated'))
    case 'silent':
      return
    default:
      return reply({ ...text('no such tool'), isError: true })
  }
}

function modernServer(send: Send): Respond {
  const listens = new Set<number | string>()
  const tools = [ECHO]
  return ({ id, method, params = {} }) => {
    const reply = (result: object): void => send({ id, result: { resultType: 'complete', ...result } })
    if (method === 'server/discover')
      return reply({
        supportedVersions: ['2026-07-28'],
        capabilities: CAPABILITIES,
        _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'scripted', version: '2' } }
      })
    if (method === 'tools/list') return reply({ tools, ttlMs: 0, cacheScope: 'private' })
    if (method === 'tools/call' && params.name === 'ask') return respondInRounds(params, reply)
    if (method === 'tools/call' && params.name === 'change') {
      tools.push(ADDED)
      for (const listen of listens) send({ method: 'notifications/tools/list_changed', params: { _meta: { [SUBSCRIPTION_ID]: listen } } })
      return reply(text('changed'))
    }
    if (method === 'tools/call') return callTool({ params }, send, reply, () => undefined)
    if (method === 'subscriptions/listen' && id !== undefined) {
      listens.add(id)
      const { notifications } = params
      return send({ method: 'notifications/subscriptions/acknowledged', params: { notifications, _meta: { [SUBSCRIPTION_ID]: id } } })
    }
    if (method === 'notifications/cancelled') listens.delete(params.requestId as number)
    if (id !== undefined && method !== undefined) send({ id, error: { code: -32601, message: `no method ${method}` } })
  }
}

/** A tool that asks before it answers (MCP 2026-07-28, basic/patterns/mrtr). */
function respondInRounds(params: Record<string, unknown>, reply: (result: object) => void): void {
  const {
    arguments: given = {},
    inputResponses,
    requestState
  } = params as {
    arguments?: { method?: string; params?: object }
    inputResponses?: { asked?: unknown }
    requestState?: string
  }
  if (inputResponses !== undefined) reply(text({ given: inputResponses.asked, requestState }))
  else
    reply({
      resultType: 'input_required',
      inputRequests: { asked: { method: given.method, params: given.params } },
      requestState: 'state-1'
    })
}
