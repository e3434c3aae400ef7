import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type * as Server from '../../src/server/index.js'
import { serveTransport } from '../helpers/mcp-server.js'
import { TOKEN, type Upgrade } from './real-server-api.js'

/** The page that jsdom says it is. */
const PAGE = 'http://localhost'

/** A server of the built package that is running. */
export interface RealServer {
  readonly url: string
  /** How many upgrades there were. */
  dials(): number
  close(): Promise<void>
}

/**
 * Starts the server of the built package in this process, with the official SDK on top of it. Beside `/ws` it answers `GET /last` (the
 * newest upgrade), `/kill` (cuts all sockets, without a close frame) and `/open` (how many are open; with `?until=N` once it is N).
 * @param page - The origin of the pages that may connect.
 */
export async function startRealServer(page = PAGE): Promise<RealServer> {
  const built = new URL('../../dist/node/server.js', import.meta.url).href
  const { McpWebSocketServer, isSameToken } = (await import(built)) as typeof Server
  const open = new Set<Duplex>()
  const watchers = new Set<() => void>()
  let last: Upgrade | undefined
  let dials = 0

  const answer = async ({ url = '/' }: IncomingMessage): Promise<unknown> => {
    const { pathname, searchParams } = new URL(url, PAGE)
    if (pathname === '/last') return last
    if (pathname === '/kill') {
      const killed = open.size
      for (const stream of open) stream.destroy()
      return { killed }
    }
    const wanted = searchParams.get('until')
    while (wanted !== null && open.size !== Number(wanted)) await new Promise<void>((resolve) => watchers.add(resolve))
    return { open: open.size }
  }
  const http = createServer((request, response) => {
    void answer(request).then((body) => {
      response.writeHead(200, { 'content-type': 'application/json', 'access-control-allow-origin': '*', connection: 'close' })
      response.end(JSON.stringify(body))
    })
  })
  http.on('upgrade', ({ headers }: IncomingMessage, stream: Duplex) => {
    const { authorization = null, 'sec-websocket-protocol': offered = null, 'x-own': own = null } = headers
    dials++
    last = { authorization, offered, own: own as string | null }
    const changed = (): void => {
      for (const wake of watchers) wake()
      watchers.clear()
    }
    open.add(stream)
    stream.once('close', () => {
      open.delete(stream)
      changed()
    })
    changed()
  })
  const server = new McpWebSocketServer({
    server: http,
    authenticate: (_request, token) => isSameToken(token, TOKEN) || undefined,
    allowedOrigins: [page],
    onconnection: (transport) => void serveTransport('v2', transport)
  })
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  await server.listen()
  return {
    url: `ws://127.0.0.1:${String((http.address() as AddressInfo).port)}/ws`,
    dials: () => dials,
    close: async () => {
      await server.close({ grace: 0 })
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    }
  }
}
