import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { frame, OPCODE, textFrame, type FrameShape } from '../faults/kit/wire.js'
import { until } from '../integration/harness.js'
import { afterTest } from '../helpers/ws-server.js'
import { requestText, type Request } from './request-text.js'

/** What a server answered to an upgrade. */
export interface Answer {
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

/** A client every byte of which is the test's own. */
export interface Caller {
  readonly socket: Socket
  /** Frames so far, if the answer was 101. */
  readonly frames: ServerFrame[]
  /** Resolves with the answer; rejects if the server hung up without one. */
  readonly answer: () => Promise<Answer>
  /** Sends bytes as they are. */
  readonly write: (bytes: Buffer | string) => void
  /** Sends a message, or any text, in one masked text frame. */
  readonly say: (message: object | string, shape?: FrameShape) => void
  /** The messages of the server so far. */
  readonly messages: () => Said[]
  /** Resolves with the first message that is as wanted. */
  readonly message: (isWanted: (message: Said) => boolean) => Promise<Said>
  /** Resolves when the server's end of the stream is there. */
  readonly gone: Promise<unknown>
}

/** A JSON-RPC message of a server. */
export interface Said {
  readonly id?: number | string | null
  readonly method?: string
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown }
}

/** Dials a port of 127.0.0.1, and sends nothing yet. */
export async function dial(port: number): Promise<Caller> {
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
  const messages = (): Said[] =>
    frames.filter(({ opcode }) => opcode === OPCODE.text).map(({ data }) => JSON.parse(data.toString()) as Said)
  return {
    socket,
    frames,
    gone,
    messages,
    write: (more) => void socket.write(more),
    say: (message, shape) => void socket.write(textFrame(message, { mask: true, ...shape })),
    message: async (isWanted) => {
      await until(() => messages().some(isWanted) || socket.closed, 'a message of the server')
      const found = messages().find(isWanted)
      if (found === undefined) throw new Error('the server hung up')
      return found
    },
    answer: async () => {
      const length = (): number => Number(/content-length: (\d+)/i.exec(head ?? '')?.[1] ?? 0)
      await until(() => (head !== undefined && (isUp || bytes.length >= length())) || socket.closed, 'an answer')
      if (head === undefined) throw new Error('the server hung up without an answer')
      const [status = '', ...lines] = head.split('\r\n')
      const headers = Object.fromEntries(
        lines.map((line): [string, string] => [(line.split(':', 1)[0] ?? '').toLowerCase(), line.replace(/^[^:]*: ?/, '')])
      )
      const answer = { status: Number(status.split(' ')[1]), headers, body: isUp ? '' : bytes.subarray(0, length()).toString() }
      // The next answer on this connection.
      if (!isUp) {
        bytes = bytes.subarray(length())
        head = undefined
      }
      return answer
    }
  }
}

/** Dials and asks for an upgrade. */
export async function call(port: number, request: Request = {}): Promise<Caller> {
  const caller = await dial(port)
  caller.write(Buffer.concat([Buffer.from(requestText(port, request), 'latin1'), Buffer.from(request.glued ?? '')]))
  return caller
}

/** What the server answers to an upgrade. */
export const knock = async (port: number, request: Request = {}): Promise<Answer> => (await call(port, request)).answer()

/** A client whose upgrade was accepted. */
export async function enter(port: number, request: Request = {}): Promise<Caller> {
  const caller = await call(port, request)
  const { status, body } = await caller.answer()
  if (status !== 101) throw new Error(`${String(status)} ${body}`)
  return caller
}

/** The close code that the server sent, once it did. */
export async function closeCode(caller: Caller): Promise<number> {
  const find = (): ServerFrame | undefined => caller.frames.find(({ opcode }) => opcode === OPCODE.close)
  await until(() => find() !== undefined || caller.socket.closed, 'a close frame')
  return find()?.data.readUInt16BE(0) ?? 1006
}

/** Answers a close frame, as RFC 6455 section 5.5.1 wants it. */
export const closeBack = (caller: Caller, code: number): void => {
  const payload = Buffer.alloc(2)
  payload.writeUInt16BE(code)
  caller.write(frame(OPCODE.close, payload, { mask: true }))
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
