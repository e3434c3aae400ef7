import { McpWebSocketServer, type ConnectionInfo, type McpWebSocketServerOptions, type ServerTransport } from '../../src/server/index.js'
import { systemClock, type Clock } from '../../src/lib/clock.js'
import { serveTransport } from '../helpers/mcp-server.js'
import { afterTest } from '../helpers/ws-server.js'

/** A server that listens, with what came to it; closed after the test, at once. */
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

/** Starts a server on a free port of 127.0.0.1. Everybody may come in, and is served by SDK v2, unless the options say otherwise. */
export async function useServer<Auth = undefined>(
  options: Partial<McpWebSocketServerOptions<Auth>> = {},
  clock: Clock = systemClock
): Promise<Served<Auth>> {
  const transports: ServerTransport[] = []
  const infos: ConnectionInfo<Auth>[] = []
  const errors: Error[] = []
  const { onconnection = (transport: ServerTransport) => void serveTransport('v2', transport) } = options
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
  return { server, port, url: `${scheme}://127.0.0.1:${String(port)}${options.path ?? '/ws'}`, transports, infos, errors }
}
