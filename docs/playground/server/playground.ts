// The server of the playground: the page, the MCP server that its clients use, and the faults between them. Everything is bound to
// loopback, and answers to no other page.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { McpWebSocketServer } from 'mcp-websocket-client/server'
import type { Fault, PlaygroundState } from '../faults.js'
import { Relay } from './relay.js'
import { makeMcpServer } from './tools.js'

/** A file of the page. */
export interface PageFile {
  readonly type: string
  readonly body: string | Uint8Array
}

/** What the playground is started with. */
export interface PlaygroundOptions {
  /** The port of the page; 0 takes any that is free. */
  readonly port: number
  /** The files of the page, by their paths. */
  readonly files: Readonly<Record<string, PageFile>>
}

/** A playground that runs. */
export interface Playground {
  readonly url: string
  close(): Promise<void>
}

/** The page may connect anywhere, as people enter URLs of their own; all else comes from here. */
const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store'
}

/** Starts a playground. */
export async function startPlayground({ port, files }: PlaygroundOptions): Promise<Playground> {
  const http = createServer()
  http.listen(port, '127.0.0.1')
  await once(http, 'listening')
  const { port: own } = http.address() as AddressInfo
  const hosts = ['127.0.0.1', 'localhost'].map((name) => `${name}:${String(own)}`)
  const stage = await Stage.open(hosts.map((host) => `http://${host}`))
  http.on('request', (request, response) => void respond(request, response, { files, hosts, stage }))
  return {
    url: `http://127.0.0.1:${String(own)}/`,
    close: async () => {
      await stage.close()
      await closeHttp(http)
    }
  }
}

async function closeHttp(http: Server): Promise<void> {
  http.close()
  http.closeAllConnections()
  await once(http, 'close')
}

/** The MCP server, with a relay in front of it. */
class Stage {
  readonly #origins: readonly string[]
  readonly #port: number
  readonly relay: Relay
  readonly #url: string
  /** `undefined`: stopped. */
  #server: McpWebSocketServer | undefined
  /** Settles when the last fault is done: one comes after the other. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(origins: readonly string[], server: McpWebSocketServer, relay: Relay, ports: { server: number; relay: number }) {
    this.#origins = origins
    this.#server = server
    this.relay = relay
    this.#port = ports.server
    this.#url = `ws://127.0.0.1:${String(ports.relay)}/ws`
  }

  static async open(origins: readonly string[]): Promise<Stage> {
    const server = await serveMcp(origins, 0)
    const port = server.address()?.port ?? 0
    const relay = new Relay(port)
    return new Stage(origins, server, relay, { server: port, relay: await relay.listen() })
  }

  get state(): PlaygroundState {
    return { url: this.#url, stalled: this.relay.stalled, offline: this.relay.offline, stopped: this.#server === undefined }
  }

  async perform(fault: Fault): Promise<PlaygroundState> {
    const done = this.#last.then(() => FAULTS[fault](this))
    this.#last = done.catch(() => undefined)
    await done
    return this.state
  }

  async close(): Promise<void> {
    await this.perform('stop')
    await this.relay.close()
  }

  async stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    await server?.close({ grace: 0 })
  }

  async start(): Promise<void> {
    this.#server ??= await serveMcp(this.#origins, this.#port)
  }
}

const FAULTS: Readonly<Record<Fault, (stage: Stage) => unknown>> = {
  cut: ({ relay }) => relay.cut(),
  stall: ({ relay }) => (relay.stalled = true),
  flow: ({ relay }) => (relay.stalled = false),
  offline: ({ relay }) => (relay.offline = true),
  online: ({ relay }) => (relay.offline = false),
  stop: (stage) => stage.stop(),
  start: (stage) => stage.start(),
  restart: async (stage) => {
    await stage.stop()
    await stage.start()
  }
}

const isFault = (name: string): name is Fault => Object.hasOwn(FAULTS, name)

async function serveMcp(allowedOrigins: readonly string[], port: number): Promise<McpWebSocketServer> {
  const server = new McpWebSocketServer({
    port,
    resume: true,
    allowUnauthenticated: true,
    allowedOrigins,
    onconnection: (transport) => void serveStdio(makeMcpServer, { transport, onerror: () => undefined })
  })
  await server.listen()
  return server
}

/** What requests are answered with. */
interface Site {
  readonly files: PlaygroundOptions['files']
  readonly hosts: readonly string[]
  readonly stage: Stage
}

/** A response: its status and what it brings. */
type Answer = readonly [status: number, file: PageFile]

const say = (status: number, words: string): Answer => [status, { type: 'text/plain', body: `${words}\n` }]
const tell = (state: PlaygroundState): Answer => [200, { type: 'application/json', body: JSON.stringify(state) }]

async function respond(request: IncomingMessage, response: ServerResponse, site: Site): Promise<void> {
  const [status, { type, body }] = await answerTo(request, site).catch(() => say(500, 'the fault failed'))
  response.writeHead(status, { ...HEADERS, 'content-type': `${type}; charset=utf-8` }).end(body)
}

async function answerTo({ method, headers, url = '/' }: IncomingMessage, { files, hosts, stage }: Site): Promise<Answer> {
  const { host = '', origin } = headers
  // Another name that leads to loopback belongs to a page that we do not know.
  if (!hosts.includes(host)) return say(403, 'wrong host')
  const path = url.replace(/\?.*/, '')
  const file = Object.hasOwn(files, path) ? files[path] : undefined
  if (method === 'GET' && file) return [200, file]
  if (method === 'GET' && path === '/state') return tell(stage.state)
  const fault = /^\/faults\/(\w+)$/.exec(path)?.[1] ?? ''
  if (method !== 'POST' || !isFault(fault)) return say(404, 'not found')
  if (origin !== `http://${host}`) return say(403, 'wrong origin')
  return tell(await stage.perform(fault))
}
