import type { Server } from 'node:http'
import type { JsonRpcMessage } from '../../src/index.js'
import {
  isSameToken,
  McpWebSocketServer,
  type ConnectionInfo,
  type McpWebSocketServerOptions,
  type ServerTransport
} from '../../src/server/index.js'
import { systemClock, type Clock } from '../../src/lib/clock.js'
import { serveTransport } from '../helpers/mcp-server.js'
import { afterTest } from '../helpers/after-test.js'
import { listenOnLoopback } from '../helpers/listen-on-loopback.js'

/** A server that listens, with all that reached it; closed after the test, at once. */
export interface Served<Auth> {
  readonly server: McpWebSocketServer<Auth>
  readonly port: number
  readonly url: string
  /** One for each MCP server that was made. */
  readonly transports: ServerTransport[]
  readonly infos: ConnectionInfo<Auth>[]
  /** What `onerror` was told. */
  readonly errors: Error[]
}

/** Starts a server on a free port of 127.0.0.1. Every client may connect, and is served by SDK v2, unless the options say otherwise. */
export async function useServer<Auth = undefined>(
  options: Partial<McpWebSocketServerOptions<Auth>> = {},
  clock: Clock = systemClock
): Promise<Served<Auth>> {
  const transports: ServerTransport[] = []
  const infos: ConnectionInfo<Auth>[] = []
  const errors: Error[] = []
  const { path = '/ws', onconnection = (transport: ServerTransport) => void serveTransport('v2', transport) } = options
  const server = new McpWebSocketServer<Auth>(
    {
      ...(options.authenticate === undefined && { allowUnauthenticated: true }),
      onerror: (error) => errors.push(error),
      ...options,
      onconnection: (transport, info) => {
        transports.push(transport)
        infos.push(info)
        return onconnection(transport, info)
      }
    },
    { clock }
  )
  await server.listen()
  afterTest(() => server.close({ grace: 0 }))
  const port = server.address()?.port ?? 0
  const scheme = options.server !== undefined && 'setSecureContext' in options.server ? 'wss' : 'ws'
  return { server, port, url: `${scheme}://127.0.0.1:${String(port)}${typeof path === 'string' ? path : '/ws'}`, transports, infos, errors }
}

/** Serves on an HTTP server that belongs to the test, and that is closed after it. */
export async function useServerOn(http: Server, options: Partial<McpWebSocketServerOptions> = {}): Promise<McpWebSocketServer> {
  if (!http.listening) await listenOnLoopback(http)
  const { server } = await useServer({ server: http, onconnection: (transport) => void hold(transport), ...options })
  return server
}

/** A transport that responds to `hold` when the test says so, and to every other request at once. */
export interface Held {
  readonly transport: ServerTransport
  /** Ids of the requests that wait. */
  readonly ids: (string | number)[]
  /** Responds to one of them. */
  readonly release: (id: string | number) => Promise<void>
}

/** Starts a transport without an SDK: see {@link Held}. */
export function hold(transport: ServerTransport): Held {
  const ids: Held['ids'] = []
  transport.onmessage = (message: JsonRpcMessage) => {
    if (!('method' in message && 'id' in message)) return
    if (message.method === 'hold') ids.push(message.id)
    else void transport.send({ jsonrpc: '2.0', id: message.id, result: {} })
  }
  void transport.start()
  return { transport, ids, release: (id) => transport.send({ jsonrpc: '2.0', id, result: {} }) }
}

/** A server whose connections are held. */
export async function useHeldServer(
  options: Partial<McpWebSocketServerOptions> = {}
): Promise<Served<undefined> & { readonly held: Held[] }> {
  const held: Held[] = []
  const served = await useServer({ ...options, onconnection: (transport) => void held.push(hold(transport)) })
  return { ...served, held }
}

/** The headers that bring a token. */
export const bearer = (token: string): Record<string, string> => ({ Authorization: `Bearer ${token}` })

/** Options of a server that accepts the token `right` and no other. */
export const GUARDED: Partial<McpWebSocketServerOptions<string>> = {
  authenticate: (_request, token) => (isSameToken(token, 'right') ? 'ada' : undefined)
}
