import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isSameToken, McpWebSocketServer, type McpWebSocketServerOptions, type ServerTransport } from '../../server/index.js'
import { Child, type ChildConfig } from '../child.js'
import { construct, endedBy, Failure, usageError } from '../failure.js'
import { problemOfProgram } from '../find-program.js'
import { tokenOf } from '../flags.js'
import type { Io, Signal } from '../io.js'
import { MAX_MESSAGE_BYTES } from '../lines.js'
import { logTo } from '../log.js'
import { printableLine } from '../printable.js'

/** The flags of `serve`. */
export interface ServeFlags {
  /** Where to listen. */
  readonly port: number
  /** The address to listen on. */
  readonly host: string
  /** The path of the endpoint. */
  readonly path: string
  /** The token that clients need; from the environment too. */
  readonly token?: string | undefined
  /** Whether every client may connect, although others than this machine can. */
  readonly allowUnauthenticated?: boolean | undefined
  /** Origins of pages that may connect. */
  readonly allowOrigin?: readonly string[] | undefined
  /** Names under which the server is known. */
  readonly allowHost?: readonly string[] | undefined
  /** Subprotocols to accept beside `mcp.v1`. */
  readonly subprotocol?: readonly string[] | undefined
  /** Whether a client may offer no subprotocol. */
  readonly acceptMissingSubprotocol?: boolean | undefined
  /** How long a session outlives its connection, in ms. */
  readonly resume?: number | undefined
  /** How many clients may be connected. */
  readonly maxConnections?: number | undefined
  /** How long a message may be, in bytes. */
  readonly maxMessageBytes?: number | undefined
  /** How many requests of a client may be in flight. */
  readonly maxInFlight?: number | undefined
  /** How long calls have to finish when the server ends, in ms. */
  readonly grace?: number | undefined
  /** Whether to serve figures. */
  readonly metrics?: boolean | undefined
  /** Whether to say everything that happens. */
  readonly verbose?: boolean | undefined
}

// In ms: limits for clients that send their request byte by byte, the same as those of the package's server.
const LIMITS = { headersTimeout: 10_000, requestTimeout: 10_000, connectionsCheckingInterval: 5000 }
// Checked here too, because only this command can name the missing flags. A test compares it with the rule of the package's server.
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1|::ffff:127(\.\d{1,3}){3})$/

/**
 * Refuses a token that keeps nobody out, as a variable of a script that was not set, or that no client can send: HTTP drops white space
 * around it, and a file ends with a line break.
 */
function checkToken(token: string | undefined): string | undefined {
  if (token === '') throw usageError('--token is empty: leave it out to serve clients without a token')
  if (token === undefined || /^\S(.*\S)?$/.test(token)) return token
  throw usageError('The token (--token, MCP_WS_TOKEN) must have no white space around it, and no line breaks: no client could send it')
}

/** Stdio servers, one for each session, behind a WebSocket. */
class Serving {
  readonly #io: Io
  readonly #flags: ServeFlags
  readonly #token: string | undefined
  readonly #children = new Set<Child>()
  readonly #childConfig: ChildConfig
  readonly #http: Server | undefined
  readonly #server: McpWebSocketServer<{ user: string } | undefined>
  #sessions = 0

  constructor(io: Io, command: ChildConfig['command'], flags: ServeFlags) {
    this.#io = io
    this.#flags = flags
    this.#token = checkToken(flags.token === '' ? '' : tokenOf(flags, io.env))
    const { maxMessageBytes = MAX_MESSAGE_BYTES } = flags
    // The program has no use for the token of its clients.
    const { MCP_WS_TOKEN: _, ...env } = io.env
    this.#childConfig = { command, env, maxMessageBytes, log: logTo(io.stderr) }
    this.#http = flags.metrics ? createServer(LIMITS, (request, response) => this.#respond(request, response)) : undefined
    this.#server = construct(() => new McpWebSocketServer(this.#options(maxMessageBytes)))
  }

  #options(maxMessageBytes: number): McpWebSocketServerOptions<{ user: string } | undefined> {
    const { host, port, path, allowHost, allowOrigin, subprotocol, maxConnections, maxInFlight, resume, verbose } = this.#flags
    const token = this.#token
    const isLoopback = LOOPBACK.test(host)
    if (!isLoopback && token === undefined && !this.#flags.allowUnauthenticated)
      throw usageError(
        `With --host ${host} others can connect: give --token, or --allow-unauthenticated if every client may run the program`
      )
    if (!isLoopback && allowHost === undefined)
      throw usageError(`With --host ${host}, name the hosts under which clients know this server: --allow-host mcp.example.com`)
    return {
      ...(this.#http ? { server: this.#http } : { host, port }),
      path,
      maxMessageBytes,
      ...(token === undefined
        ? { allowUnauthenticated: true }
        : { authenticate: (_request, given) => (isSameToken(given, token) ? { user: 'token' } : undefined) }),
      ...(allowHost && { allowedHosts: allowHost }),
      ...(allowOrigin && { allowedOrigins: allowOrigin }),
      ...(subprotocol && { extraSubprotocols: subprotocol }),
      ...(this.#flags.acceptMissingSubprotocol && { requireSubprotocol: false }),
      ...(maxConnections !== undefined && { maxConnections }),
      ...(maxInFlight !== undefined && { maxInFlight }),
      ...(resume !== undefined && { resume: { ttl: resume } }),
      onconnection: (transport) => this.#begin(transport),
      onrejected: (_request, { status, reason }) => {
        if (verbose) this.#log(`rejected a client with ${String(status)}: ${reason}`)
      },
      onerror: (error) => this.#log(printableLine(error.message))
    }
  }

  /** Serves until a signal comes; a second one ends what is still going on. */
  async run(): Promise<Signal> {
    let signals = 0
    let endListening = (): void => undefined
    // Before it listens: whoever reads that it does may end it at once.
    const first = new Promise<Signal>((resolve) => {
      endListening = this.#io.onSignal((signal) => {
        // The first signal lets calls finish, the second one does not.
        if (++signals > 1) void this.#server.close({ grace: 0 })
        resolve(signal)
      })
    })
    try {
      await this.#listen()
      const signal = await first
      this.#log('no more clients are accepted; calls may finish, and a second signal ends them')
      await this.#server.close({ ...(this.#flags.grace !== undefined && { grace: this.#flags.grace }) })
      this.#http?.close()
      this.#http?.closeAllConnections()
      await Promise.all([...this.#children].map(({ gone }) => gone))
      return signal
    } finally {
      endListening()
    }
  }

  async #listen(): Promise<void> {
    const { host, port, path } = this.#flags
    try {
      if (this.#http) await once(this.#http.listen({ host, port }), 'listening')
      await this.#server.listen()
    } catch (error) {
      this.#http?.close()
      throw new Failure(error instanceof Error ? error.message : String(error))
    }
    const bound = (this.#http?.address() ?? this.#server.address()) as AddressInfo
    const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
    this.#log(`serving ${this.#childConfig.command.join(' ')} at ws://${name}:${String(bound.port)}${path}`)
    if (this.#http) this.#log(`metrics at http://${name}:${String(bound.port)}/metrics`)
  }

  #begin(transport: ServerTransport): void {
    const number = ++this.#sessions
    const child = new Child(transport, this.#childConfig, number)
    this.#children.add(child)
    void child.gone.then(() => this.#children.delete(child))
    if (!this.#flags.verbose) return
    this.#log(`[${String(number)}] a client is here`)
    transport.ondetach = () => this.#log(`[${String(number)}] the client is away`)
    transport.onattach = () => this.#log(`[${String(number)}] the client is back`)
  }

  #respond({ url, method, headers }: IncomingMessage, response: ServerResponse): void {
    const answer = (status: number, body: string): void =>
      void response.writeHead(status, { 'Content-Type': 'text/plain; version=0.0.4' }).end(`${body}\n`)
    const [path] = url?.split('?', 1) ?? []
    if (path !== '/metrics') return answer(path === this.#flags.path ? 426 : 404, 'Only /metrics and a WebSocket are here')
    if (method !== 'GET') return answer(405, 'GET only')
    const given = /^Bearer +(.*)$/i.exec(headers.authorization ?? '')?.[1]
    if (this.#token !== undefined && !isSameToken(given, this.#token)) return answer(401, 'A token is required')
    answer(200, this.#server.metricsText().trimEnd())
  }

  #log(words: string): void {
    this.#childConfig.log(words)
  }
}

/** `mcp-ws serve -- COMMAND…`: puts a stdio server behind a WebSocket. */
export async function serve(io: Io, command: ChildConfig['command'], flags: ServeFlags): Promise<void> {
  const problem = problemOfProgram(command[0], io.env.PATH, process.platform)
  if (problem !== undefined) throw usageError(printableLine(problem))
  const signal = await new Serving(io, command, flags).run()
  // A supervisor ends a service with SIGTERM: that is no failure.
  if (signal !== 'SIGTERM') throw endedBy(signal)
}
