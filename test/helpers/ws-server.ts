import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws'
import { afterTest } from './after-test.js'

/** A JSON-RPC message as a server sees it. */
export interface Frame {
  readonly id?: number | string
  readonly method?: string
  readonly params?: { readonly [name: string]: unknown; readonly _meta?: Readonly<Record<string, unknown>> }
  readonly result?: unknown
  readonly error?: { readonly code: number; readonly message: string }
}

/** One accepted socket, seen from the server. */
export interface ServerConnection {
  readonly socket: WebSocket
  readonly request: IncomingMessage
  /** When it was accepted, in ms of `performance.now()`. */
  readonly at: number
  /** Everything that the client sent, in order. */
  readonly received: Frame[]
  /** Sends one JSON-RPC message. */
  readonly send: (message: object) => void
}

export interface WsServer {
  readonly url: string
  readonly port: number
  readonly connections: ServerConnection[]
  /** Sockets that are still open. */
  readonly openCount: number
  /** Ends the server and all its sockets at once; after the test this happens by itself. */
  close(): Promise<void>
}

/** A real `ws` server on a free port of 127.0.0.1 (or on the port in `options`), closed after the test with all its sockets. */
export async function useWsServer(handler: (connection: ServerConnection) => void, options: ServerOptions = {}): Promise<WsServer> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options })
  await once(server, 'listening')
  const connections: ServerConnection[] = []
  server.on('connection', (socket, request) => {
    const received: Frame[] = []
    const connection: ServerConnection = {
      socket,
      request,
      at: performance.now(),
      received,
      send: (message) => socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }))
    }
    connections.push(connection)
    socket.on('error', () => undefined)
    socket.on('message', (data: Buffer) => received.push(JSON.parse(data.toString()) as Frame))
    handler(connection)
  })
  const { port } = server.address() as AddressInfo
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => {
    closing ??= new Promise((resolve) => {
      for (const socket of server.clients) socket.terminate()
      server.close(() => resolve())
    })
    return closing
  }
  afterTest(close)
  return {
    url: `ws://127.0.0.1:${String(port)}/ws`,
    port,
    connections,
    get openCount() {
      return server.clients.size
    },
    close
  }
}
