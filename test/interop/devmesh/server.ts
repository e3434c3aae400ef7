import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { Conversation } from './conversation.js'

/** How the imitation of DevMesh's edge-mcp behaves; it is as observed unless told otherwise. */
export interface DevMeshOptions {
  readonly port?: number
  /** The key that it wants; without one it lets everybody in. */
  readonly token?: string
  /** Whether the service that knows the keys is away. edge-mcp then says 401, too. */
  readonly isAuthDown?: () => boolean
  /** Whether a proxy in front loses the `Upgrade` header. */
  readonly losesUpgrade?: boolean
  /** Further tools, so that the list of them is long. */
  readonly moreTools?: number
}

/** A running imitation, with what it saw. */
export interface DevMesh {
  readonly url: string
  /** Upgrade requests, rejected ones included. */
  readonly dials: readonly IncomingMessage[]
  /** Sockets that it accepted. */
  readonly sockets: readonly WebSocket[]
  close(): Promise<void>
}

const READ_LIMIT = 32_768

/** Starts an imitation of the WebSocket side of DevMesh's edge-mcp on 127.0.0.1: what it does on the wire, odd as it is. */
export async function startDevMesh(options: DevMeshOptions = {}): Promise<DevMesh> {
  const http = createServer()
  const upgrades = new WebSocketServer({
    noServer: true,
    // No subprotocol is ever selected.
    handleProtocols: () => false,
    perMessageDeflate: { threshold: 128 },
    autoPong: false,
    maxPayload: 2 ** 20
  })
  const dials: IncomingMessage[] = []
  const sockets: WebSocket[] = []
  http.on('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
    dials.push(request)
    if (options.losesUpgrade) return rejectUpgrade(stream, '426 Upgrade Required', 'text/plain; charset=utf-8', UPGRADE_LOST)
    const isRejected = options.isAuthDown?.() === true || (options.token !== undefined && keyOf(request) !== options.token)
    if (isRejected) return rejectUpgrade(stream, '401 Unauthorized', 'application/json; charset=utf-8', '{"error":"unauthorized"}')
    upgrades.handleUpgrade(request, stream, head, (socket) => {
      sockets.push(socket)
      serve(socket, options.moreTools)
    })
  })
  http.listen(options.port ?? 0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  return {
    url: `ws://127.0.0.1:${String(port)}/ws`,
    dials,
    sockets,
    async close() {
      for (const socket of upgrades.clients) socket.terminate()
      http.close()
      await once(http, 'close')
    }
  }
}

const UPGRADE_LOST = 'WebSocket protocol violation: Connection header "" does not contain Upgrade\n'

function rejectUpgrade(stream: Duplex, status: string, type: string, body: string): void {
  const head = [`HTTP/1.1 ${status}`, `Content-Type: ${type}`, `Content-Length: ${String(Buffer.byteLength(body))}`, 'Connection: close']
  stream.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** With or without `Bearer `, which is case-sensitive; then the other two places. */
function keyOf({ headers, url }: IncomingMessage): string | undefined {
  const query = new URL(url ?? '', 'ws://127.0.0.1').searchParams.get('token')
  return headers.authorization?.replace(/^Bearer /, '') ?? headers['x-api-key']?.toString() ?? query ?? undefined
}

/** Reads like its loop: one frame after the other, pings too, and nothing while a handler runs. */
function serve(socket: WebSocket, moreTools?: number): void {
  const conversation = new Conversation(
    (frame) => socket.send(frame),
    (code) => socket.close(code),
    moreTools
  )
  let last: Promise<void> = Promise.resolve()
  const inTurn = (work: () => Promise<void> | void): void => {
    last = last.then(() => (socket.readyState === socket.OPEN ? work() : undefined))
  }
  socket.on('error', () => undefined)
  socket.on('ping', (data) => inTurn(() => socket.pong(data)))
  socket.on('message', (data: Buffer) =>
    inTurn(() => {
      if (data.length > READ_LIMIT) return socket.close(1009, `read limited at ${String(READ_LIMIT + 1)} bytes`)
      const message = messageOf(data)
      return message ? conversation.receive(message) : socket.close(1007, 'failed to unmarshal JSON')
    })
  )
}

/** The one object of a frame; batches are none. */
function messageOf(data: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(data.toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
