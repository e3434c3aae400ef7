import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'

// A program: `node soak-server.mjs <port>` writes its port, then answers everything; `tools/call` of `drop` is answered by the end of
// the socket. When nobody is connected any more, it writes with which close codes they left.

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly name?: string; readonly arguments?: { readonly message?: string } }
}

const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 4096 })
const codes: Record<number, number> = {}

server.on('connection', (socket) => {
  const send = (message: object): void => socket.send(JSON.stringify({ jsonrpc: '2.0', ...message }))
  socket.on('error', () => undefined)
  socket.on('message', (data: Buffer) => {
    const { id, method, params } = JSON.parse(data.toString()) as Message
    if (id === undefined) return
    if (method === 'server/discover') return send({ id, error: { code: -32601, message: 'unknown' } })
    if (method === 'initialize')
      return send({
        id,
        result: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'soak', version: '1' } }
      })
    if (params?.name === 'drop') return socket.terminate()
    send({ id, result: { content: [{ type: 'text', text: params?.arguments?.message ?? '' }] } })
  })
  socket.on('close', (code) => {
    codes[code] = (codes[code] ?? 0) + 1
    if (server.clients.size === 0) console.log(JSON.stringify(codes))
  })
})
await once(server, 'listening')
console.log((server.address() as AddressInfo).port)
