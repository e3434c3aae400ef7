import { McpWebSocketServer, type ConnectionInfo, type ServerTransport } from '../../src/server/index.js'
import { serveTransport, type SdkVersion } from '../helpers/mcp-server.js'
import { servePages, type PageServer } from './browsers.js'

/** One accepted connection, seen from the server. */
export interface Accepted {
  /** Who the server takes it for. */
  readonly auth: string
  /** The methods of its messages, in order; `response` for those that have none. */
  readonly wire: string[]
}

/** A site with its MCP server, which lets in who has the token, from pages of this site, and which can be ended and started again. */
export interface Stage {
  readonly pages: PageServer
  readonly serverUrl: string
  readonly accepted: readonly Accepted[]
  /** Rejected upgrades, by HTTP status. */
  readonly rejected: Readonly<Record<number, number>>
  close(): Promise<void>
}

export const TOKEN = 'the right tökén'

/** Neither `eval` nor what is like it; nothing from elsewhere. */
const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self' ws://127.0.0.1:*"

export async function openStage(sdk: SdkVersion): Promise<Stage> {
  const accepted: Accepted[] = []
  let server: McpWebSocketServer<string>
  let infos: ConnectionInfo<string>[] = []

  const onconnection = (transport: ServerTransport, info: ConnectionInfo<string>): void => {
    const wire: string[] = []
    infos.push(info)
    accepted.push({ auth: info.auth, wire })
    serveTransport(sdk, transport)
    const { onmessage } = transport
    transport.onmessage = (message, extra) => {
      wire.push('method' in message ? message.method : 'response')
      onmessage?.(message, extra)
    }
  }

  const start = async (port: number): Promise<void> => {
    infos = []
    server = new McpWebSocketServer<string>({
      port,
      allowedOrigins: [new URL(pages.url).origin],
      authenticate: (_request, token) => (token === TOKEN ? 'ada' : undefined),
      onconnection
    })
    await server.listen()
  }
  const end = (): Promise<void> => server.close({ grace: 0 })

  const pages = await servePages({
    entry: 'relay-in-page.ts',
    headers: { 'content-security-policy': POLICY },
    commands: {
      '/close': end,
      // Without a word, as a process that is killed.
      '/crash': () => {
        for (const { request } of infos) request.socket.destroy()
        return end()
      },
      '/start': () => start(port)
    }
  })
  await start(0)
  const port = server!.address()?.port ?? 0
  return {
    pages,
    serverUrl: `ws://127.0.0.1:${String(port)}/ws`,
    accepted,
    get rejected() {
      return server.metrics().handshakesRefused
    },
    close: async () => {
      await pages.close()
      await end()
    }
  }
}
