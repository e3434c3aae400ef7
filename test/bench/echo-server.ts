// A thin server on raw `ws`, in a process of its own. It speaks as much JSON-RPC as the peers need, and costs as little as it can: what it
// takes longer than a peer, nobody sees of that peer.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { now, obey } from './processes.js'

interface Message {
  readonly id?: number | string
  readonly method: string
  readonly params?: { readonly protocolVersion?: string; readonly name?: string; readonly arguments?: { readonly text: string } }
}

/** From here on a message is not parsed: its text is cut out of its bytes. */
const LARGE = 4096

const CONTROL = Buffer.from('{"mcp.resume":')
const TEXT = Buffer.from('"text":"')
const ID = Buffer.from('"id":')

const responseTo = (id: unknown, result: string): string => `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`
const echoOf = (text: string): string => `{"content":[{"type":"text","text":${JSON.stringify(text)}}]}`

/** The response to an echo whose text needs no escapes, from bytes to bytes. */
function echoBytes(data: Buffer): Buffer {
  const from = data.indexOf(TEXT) + TEXT.length
  const to = data.indexOf(34, from)
  const before = data.subarray(0, from).lastIndexOf(ID)
  const at = before < 0 ? data.indexOf(ID, to) : before
  const id = /^\d+|^"[^"]*"/.exec(data.toString('latin1', at + ID.length, at + ID.length + 64))?.[0] ?? 'null'
  const head = Buffer.from(`{"jsonrpc":"2.0","id":${id},"result":{"content":[{"type":"text","text":"`)
  return Buffer.concat([head, data.subarray(from, to), Buffer.from('"}]}}')])
}

/** So many notifications, each in a frame, in one piece: a server that writes them one by one would be slower than the clients. */
function floodOf(count: number): Buffer {
  const frames: Buffer[] = []
  for (let data = 0; data < count; data++) {
    const text = Buffer.from(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":${String(data)}}}`)
    if (text.length > 125) throw new Error('this frame needs a longer header')
    frames.push(Buffer.from([0x81, text.length]), text)
  }
  return Buffer.concat(frames)
}

const floods = new Map<number, Buffer>()

function flood(stream: Duplex, count: number): void {
  const known = floods.get(count) ?? floodOf(count)
  floods.set(count, known)
  stream.write(known)
}

/**
 * Has a socket write eight frames at a time. One write for each would cost more than all the rest, so that the clients would wait for the
 * server. All frames of a turn at once would have the server work while the clients wait, and the other way round.
 */
function writeTogether(stream: Duplex): () => void {
  let corked = 0
  const uncork = (): void => {
    corked = 0
    stream.uncork()
  }
  return () => {
    if (corked === 0) {
      stream.cork()
      process.nextTick(uncork)
    }
    if (++corked % 8 === 0) {
      stream.uncork()
      stream.cork()
    }
  }
}

const RESUME = 'mcp.v1.resume'

const HELLO = `{"mcp.resume":"hello","v":1,"resumed":false,"session":"s","epoch":"e","received":0,"ttlMs":60000,"limits":{"messages":256,"bytes":8388608},"durability":"process"}`

/** Speaks as much of `mcp.v1.resume` as a client needs whose connection never breaks. @returns Whether a frame is one of its own. */
function keepSession(socket: WebSocket, willSend: () => void): (data: Buffer) => boolean {
  let received = 0
  const unacknowledged = { frames: 0, bytes: 0 }
  return (data) => {
    if (!data.subarray(0, 14).equals(CONTROL)) {
      received++
      unacknowledged.frames++
      unacknowledged.bytes += data.length
      // As often as the server of this package: a client whose buffer is full would wait for ever.
      if (unacknowledged.frames >= 64 || unacknowledged.bytes >= 2 ** 18) {
        unacknowledged.frames = unacknowledged.bytes = 0
        willSend()
        socket.send(`{"mcp.resume":"ack","received":${String(received)}}`)
      }
      return false
    }
    if (data.includes('"open"')) socket.send(HELLO)
    return true
  }
}

function serve(socket: WebSocket, stream: Duplex): void {
  const held: unknown[] = []
  const willSend = writeTogether(stream)
  const isControl = socket.protocol === RESUME ? keepSession(socket, willSend) : () => false
  const call = (id: unknown, name: string | undefined, text: string): void => {
    if (name === 'never') held.push(id)
    else {
      if (name === 'release') for (const each of held.splice(0)) socket.send(responseTo(each, echoOf('late')))
      if (name === 'flood') flood(stream, Number(text))
      socket.send(responseTo(id, echoOf(text)))
    }
  }
  socket.on('error', () => socket.terminate())
  socket.on('message', (data: Buffer) => {
    if (isControl(data)) return
    if (data.length > LARGE) {
      socket.send(echoBytes(data), { binary: false })
      return
    }
    const { id, method, params } = JSON.parse(data.toString()) as Message
    willSend()
    if (method === 'tools/call') call(id, params?.name, params?.arguments?.text ?? '')
    else if (method === 'initialize') {
      const protocolVersion = params?.protocolVersion
      const result = { protocolVersion, capabilities: { tools: {}, logging: {} }, serverInfo: { name: 'echo', version: '1.0.0' } }
      socket.send(responseTo(id, JSON.stringify(result)))
    } else if (id !== undefined)
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32601, message: `unknown method ${method}` } }))
  })
}

obey({
  /** @returns The port that it listens on, and since when. */
  listen: async (port: number) => {
    const handleProtocols = (offered: Set<string>): string | false => (offered.has(RESUME) ? RESUME : ([...offered][0] ?? false))
    const server = new WebSocketServer({ host: '127.0.0.1', port, maxPayload: 64 * 2 ** 20, handleProtocols })
    server.on('connection', (socket, request) => serve(socket, request.socket))
    await once(server, 'listening')
    return { port: (server.address() as AddressInfo).port, at: now() }
  }
})
