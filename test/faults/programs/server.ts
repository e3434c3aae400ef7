import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import { obey } from './obey.js'

// A small legacy MCP server in a process of its own. It loads no SDK, so that it starts fast.

interface Request {
  readonly id?: number
  readonly method: string
  readonly params?: { readonly arguments?: { readonly message?: string; readonly repeat?: number; readonly blockFor?: number } }
}

const clients = new Set<WebSocket>()
let pings = 0

function respond(socket: WebSocket, { id, method, params }: Request): void {
  if (id === undefined) return
  const reply = (outcome: object): void => socket.send(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }))
  if (method === 'initialize') return reply({ result: HELLO })
  if (method !== 'tools/call') return reply({ error: { code: -32601, message: 'unknown' } })
  const { message = '', repeat = 1, blockFor = 0 } = params?.arguments ?? {}
  // A tool that leaves its process no time for anything else, pongs included.
  const end = performance.now() + blockFor
  while (performance.now() < end);
  reply({ result: { content: [{ type: 'text', text: message.repeat(repeat) }] } })
}

const HELLO = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'small', version: '1' } }

obey({
  /** @returns The port. */
  listen: async (host: string) => {
    const server = new WebSocketServer({ host, port: 0 })
    server.on('connection', (socket) => {
      clients.add(socket)
      socket.on('close', () => clients.delete(socket))
      socket.on('error', () => undefined)
      socket.on('ping', () => pings++)
      socket.on('message', (data: Buffer) => respond(socket, JSON.parse(data.toString()) as Request))
    })
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  },
  pings: () => pings,
  /** Tells every client something long. */
  notify: (bytes: number) => {
    const params = { level: 'info', data: 'x'.repeat(bytes) }
    for (const socket of clients) socket.send(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params }))
  }
})
