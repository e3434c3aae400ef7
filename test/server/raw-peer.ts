import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { frame, OPCODE, textFrame, type FrameShape } from '../faults/kit/wire.js'
import { afterTest } from '../helpers/after-test.js'
import { until } from '../helpers/until.js'
import { upgradeRequest, type UpgradeOptions } from './upgrade-request.js'

/** The HTTP response to an upgrade request. */
export interface HttpResponse {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** A frame of the server. */
export interface ServerFrame {
  readonly opcode: number
  readonly data: Buffer
}

/** A JSON-RPC message of the server. */
export interface ServerMessage {
  readonly id?: number | string | null
  readonly method?: string
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** A client of which the test decides every byte. */
export interface RawPeer {
  readonly socket: Socket
  /** Frames so far, if the upgrade was accepted. */
  readonly frames: ServerFrame[]
  /** Resolves with the response to the upgrade request; rejects if the server hung up without one. */
  readonly response: () => Promise<HttpResponse>
  /** Sends bytes as they are. */
  readonly write: (bytes: Buffer | string) => void
  /** Sends a message, or any text, in one masked text frame. */
  readonly send: (message: object | string, shape?: FrameShape) => void
  /** The messages of the server so far. */
  readonly messages: () => ServerMessage[]
  /** Resolves with the first message that is as wanted. */
  readonly message: (isWanted: (message: ServerMessage) => boolean) => Promise<ServerMessage>
  /** Resolves when the server has closed the stream. */
  readonly gone: Promise<unknown>
}

/** Dials a port of 127.0.0.1, and sends nothing yet. */
export async function dial(port: number): Promise<RawPeer> {
  const socket = connect(port, '127.0.0.1')
  afterTest(async () => {
    if (socket.closed) return
    socket.destroy()
    await once(socket, 'close')
  })
  socket.on('error', () => undefined)
  const gone = new Promise((resolve) => socket.once('close', resolve))
  await once(socket, 'connect')
  const frames: ServerFrame[] = []
  let bytes: Buffer = Buffer.alloc(0)
  let isUp = false
  let head: string | undefined
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
    if (head === undefined) {
      const end = bytes.indexOf('\r\n\r\n')
      if (end === -1) return
      head = bytes.subarray(0, end).toString('latin1')
      bytes = bytes.subarray(end + 4)
      isUp = head.startsWith('HTTP/1.1 101')
    }
    for (let read = isUp ? readFrame(bytes) : undefined; read; read = readFrame(bytes)) {
      frames.push(read.frame)
      bytes = read.rest
    }
  })
  const messages = (): ServerMessage[] =>
    frames.filter(({ opcode }) => opcode === OPCODE.text).map(({ data }) => JSON.parse(data.toString()) as ServerMessage)
  return {
    socket,
    frames,
    gone,
    messages,
    write: (more) => void socket.write(more),
    send: (message, shape) => void socket.write(textFrame(message, { mask: true, ...shape })),
    message: async (isWanted) => {
      await until(() => messages().some(isWanted) || socket.closed, 'a message of the server')
      const found = messages().find(isWanted)
      if (found === undefined) throw new Error('the server hung up')
      return found
    },
    response: async () => {
      const length = (): number => Number(/content-length: (\d+)/i.exec(head ?? '')?.[1] ?? 0)
      await until(() => (head !== undefined && (isUp || bytes.length >= length())) || socket.closed, 'a response')
      if (head === undefined) throw new Error('the server hung up without a response')
      const [status = '', ...lines] = head.split('\r\n')
      const headers = Object.fromEntries(
        lines.map((line): [string, string] => [(line.split(':', 1)[0] ?? '').toLowerCase(), line.replace(/^[^:]*: ?/, '')])
      )
      const response = { status: Number(status.split(' ')[1]), headers, body: isUp ? '' : bytes.subarray(0, length()).toString() }
      // What follows is the next response on this connection.
      if (!isUp) {
        bytes = bytes.subarray(length())
        head = undefined
      }
      return response
    }
  }
}

/** Dials, and sends an upgrade request. */
export async function sendUpgrade(port: number, options: UpgradeOptions = {}): Promise<RawPeer> {
  const peer = await dial(port)
  peer.write(Buffer.concat([Buffer.from(upgradeRequest(port, options), 'latin1'), Buffer.from(options.early ?? '')]))
  return peer
}

/** Dials, sends an upgrade request, and resolves with the response. */
export const upgrade = async (port: number, options: UpgradeOptions = {}): Promise<HttpResponse> =>
  (await sendUpgrade(port, options)).response()

/** A peer whose upgrade was accepted. */
export async function openPeer(port: number, options: UpgradeOptions = {}): Promise<RawPeer> {
  const peer = await sendUpgrade(port, options)
  const { status, body } = await peer.response()
  if (status !== 101) throw new Error(`${String(status)} ${body}`)
  return peer
}

/** The response to a request of the peer, a result or an error. */
export const responseTo = (peer: RawPeer, id: number | string): Promise<ServerMessage> => peer.message((message) => message.id === id)

/** The close code that the server sent, once it did; 1006 if it hung up without one. */
export async function closeCode(peer: RawPeer): Promise<number> {
  const find = (): ServerFrame | undefined => peer.frames.find(({ opcode }) => opcode === OPCODE.close)
  await until(() => find() !== undefined || peer.socket.closed, 'a close frame')
  return find()?.data.readUInt16BE(0) ?? 1006
}

/** Sends a close frame; a peer that has got one owes it (RFC 6455 section 5.5.1). */
export const sendClose = (peer: RawPeer, code: number): void => {
  const payload = Buffer.alloc(2)
  payload.writeUInt16BE(code)
  peer.write(frame(OPCODE.close, payload, { mask: true }))
}

/** Reads the first frame of what a server sent; servers never mask. */
function readFrame(buffer: Buffer): { frame: ServerFrame; rest: Buffer } | undefined {
  if (buffer.length < 2) return undefined
  const short = (buffer[1] ?? 0) & 0x7f
  const start = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0)
  if (buffer.length < start) return undefined
  const length = short === 126 ? buffer.readUInt16BE(2) : short === 127 ? Number(buffer.readBigUInt64BE(2)) : short
  if (buffer.length < start + length) return undefined
  return {
    frame: { opcode: (buffer[0] ?? 0) & 0x0f, data: Buffer.from(buffer.subarray(start, start + length)) },
    rest: buffer.subarray(start + length)
  }
}
