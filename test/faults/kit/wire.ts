import { createHash } from 'node:crypto'
import { headerOf, type Dial } from './raw-server.js'

/** How one frame deviates from a plain, final, unmasked one (RFC 6455 section 5.2). */
export interface FrameShape {
  readonly fin?: boolean
  /** The reserved bits, 0 to 7: RSV1 is 4. */
  readonly rsv?: number
  /** Servers must not mask; a test may. */
  readonly mask?: boolean
  /** The length that the header claims, if it lies. */
  readonly claims?: number
}

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** One frame, byte by byte. */
export function frame(opcode: number, payload: Buffer | string, { fin = true, rsv = 0, mask = false, claims }: FrameShape = {}): Buffer {
  const data = Buffer.from(payload)
  const length = claims ?? data.length
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode
  const masked = mask ? 0x80 : 0
  let head: Buffer
  if (length < 126) head = Buffer.from([first, masked | length])
  else if (length < 0x1_0000) head = Buffer.from([first, masked | 126, length >> 8, length & 0xff])
  else {
    head = Buffer.alloc(10)
    head[0] = first
    head[1] = masked | 127
    head.writeBigUInt64BE(BigInt(length), 2)
  }
  if (!mask) return Buffer.concat([head, data])
  const key = Buffer.from([1, 2, 3, 4])
  return Buffer.concat([head, key, data.map((byte, i) => byte ^ (key[i % 4] ?? 0))])
}

/** A text frame with a JSON-RPC message, or with any text. */
export const textFrame = (message: object | string, shape?: FrameShape): Buffer =>
  frame(OPCODE.text, typeof message === 'string' ? message : JSON.stringify({ jsonrpc: '2.0', ...message }), shape)

/** A close frame; any code, also those that no library sends. */
export function closeFrame(code: number, reason = ''): Buffer {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(code)
  return frame(OPCODE.close, Buffer.concat([head, Buffer.from(reason)]))
}

/** What a 101 says; `undefined` leaves a header out. */
export interface Upgrade {
  readonly subprotocol?: string | undefined
  readonly accept?: string
  readonly headers?: Readonly<Record<string, string | undefined>>
}

/** The head of a 101 that accepts the dial as RFC 6455 wants it, but for what is given. */
export function upgradeHead(
  dial: Dial,
  { subprotocol, accept = acceptOf(dial), headers = {} }: Upgrade = { subprotocol: 'mcp.v1' }
): string {
  const all = {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Accept': accept,
    'Sec-WebSocket-Protocol': subprotocol,
    ...headers
  }
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`]))
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`
}

function acceptOf(dial: Dial): string {
  const key = headerOf(dial, 'Sec-WebSocket-Key') ?? ''
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

/** A frame of the client, unmasked. */
export interface ClientFrame {
  readonly opcode: number
  readonly data: Buffer
}

/** A WebSocket server's end of a dial whose every byte is the test's own. */
export interface RawPeer {
  /** Everything that the client sent since the upgrade. */
  readonly frames: ClientFrame[]
  /** Writes bytes as they are. */
  write(...parts: (Buffer | string)[]): void
  /** Resolves with the client's next JSON-RPC message of this method. */
  next(method: string): Promise<{ readonly id: number; readonly method: string; readonly params?: Record<string, unknown> }>
  /** Responds to `initialize`, and to `server/discover` with an error, so that a client becomes ready; to be called once. */
  serveHandshake(): void
}

/**
 * Accepts a dial and hands out its end: for servers that break rules no library breaks.
 * @param glued - Bytes that travel in one packet with the 101.
 */
export function acceptDial(dial: Dial, upgrade?: Upgrade, glued: Buffer = Buffer.alloc(0)): RawPeer {
  const frames: ClientFrame[] = []
  const waiting: { readonly method: string; readonly resolve: (message: never) => void }[] = []
  const seen: { id: number; method?: string }[] = []
  const watchers: ((message: { id: number; method?: string }) => void)[] = []
  let buffer: Buffer = Buffer.alloc(0)
  dial.socket.on('data', (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk])
    for (let read = readFrame(buffer); read; read = readFrame(buffer)) {
      buffer = read.rest
      frames.push(read.frame)
      if (read.frame.opcode !== OPCODE.text) continue
      const message = JSON.parse(read.frame.data.toString()) as { id: number; method?: string }
      const index = waiting.findIndex(({ method }) => method === message.method)
      if (index === -1) seen.push(message)
      else waiting.splice(index, 1)[0]?.resolve(message as never)
      for (const watch of watchers) watch(message)
    }
  })
  const write = (...parts: (Buffer | string)[]): void => void dial.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part))))
  write(upgradeHead(dial, upgrade), glued)
  return {
    frames,
    write,
    next: (method) =>
      new Promise((resolve) => {
        const index = seen.findIndex((message) => message.method === method)
        if (index === -1) waiting.push({ method, resolve })
        else resolve(seen.splice(index, 1)[0] as never)
      }),
    serveHandshake: () => {
      watchers.push(({ id, method }) => {
        if (method === 'server/discover') write(textFrame({ id, error: { code: -32601, message: 'unknown' } }))
        if (method === 'initialize') write(textFrame({ id, result: HELLO }))
      })
    }
  }
}

const HELLO = { protocolVersion: '2025-11-25', capabilities: { tools: {}, logging: {} }, serverInfo: { name: 'raw', version: '1' } }

/** Reads the first frame of what a client sent; clients always mask (RFC 6455 section 5.3). */
function readFrame(buffer: Buffer): { frame: ClientFrame; rest: Buffer } | undefined {
  if (buffer.length < 2) return undefined
  const short = (buffer[1] ?? 0) & 0x7f
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
  const start = 2 + lengthBytes + 4
  if (buffer.length < start) return undefined
  const length = short === 126 ? buffer.readUInt16BE(2) : short === 127 ? Number(buffer.readBigUInt64BE(2)) : short
  if (buffer.length < start + length) return undefined
  const key = buffer.subarray(start - 4, start)
  const data = Buffer.from(buffer.subarray(start, start + length).map((byte, i) => byte ^ (key[i % 4] ?? 0)))
  return { frame: { opcode: (buffer[0] ?? 0) & 0x0f, data }, rest: buffer.subarray(start + length) }
}
