import { createServer, type Socket } from 'node:net'
import { listenOnLoopback } from '../../helpers/listen-on-loopback.js'

/** One TCP connection; `head` is what came before the empty line, once it came. */
export interface Dial {
  readonly socket: Socket
  /** When it was accepted, in ms of `performance.now()`. */
  readonly at: number
  head: string
}

export interface RawServer {
  readonly url: string
  readonly port: number
  readonly dials: Dial[]
}

/** An HTTP response to an upgrade, byte by byte as given. */
export interface RawResponse {
  readonly status: number
  readonly reason?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/**
 * A TCP server that does what the test wants with every dial, closed after the test with all its sockets.
 * @param onHead - Called when the upgrade request is there.
 * @param onDial - Called when the connection is there, before any byte.
 */
export async function useRawServer(onHead: (dial: Dial) => void, onDial: (dial: Dial) => void = () => undefined): Promise<RawServer> {
  const dials: Dial[] = []
  const server = createServer((socket) => {
    const dial: Dial = { socket, at: performance.now(), head: '' }
    dials.push(dial)
    let bytes = ''
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      if (dial.head !== '') return
      bytes += chunk.toString('latin1')
      if (!bytes.includes('\r\n\r\n')) return
      dial.head = bytes.slice(0, bytes.indexOf('\r\n\r\n'))
      onHead(dial)
    })
    onDial(dial)
  })
  const port = await listenOnLoopback(server)
  return { url: `ws://127.0.0.1:${String(port)}/ws`, port, dials }
}

/** Rejects every upgrade in the same way; a function is asked for each dial, which it gets with its number from 1. */
export async function useRejectingServer(response: RawResponse | ((dial: Dial, number: number) => RawResponse)): Promise<RawServer> {
  let number = 0
  return useRawServer((dial) => reply(dial, typeof response === 'function' ? response(dial, ++number) : response))
}

/** Writes a response and hangs up. */
export function reply({ socket }: Dial, { status, reason = 'Because', headers = {}, body = '' }: RawResponse): void {
  const lines = Object.entries({ 'Content-Length': String(Buffer.byteLength(body)), Connection: 'close', ...headers })
  socket.end(`HTTP/1.1 ${String(status)} ${reason}\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`)
}

/** Writes one byte every 50 ms, until the other side hangs up. */
export function drip({ socket }: Dial, text: string): void {
  let sent = 0
  const timer = setInterval(() => {
    socket.write(text[sent % text.length] ?? '')
    sent++
  }, 50)
  socket.on('close', () => clearInterval(timer))
}

/** Value of a header of the upgrade request, or `undefined`. */
export function headerOf(dial: Dial, name: string): string | undefined {
  const line = dial.head.split('\r\n').find((each) => each.toLowerCase().startsWith(`${name.toLowerCase()}:`))
  return line?.slice(name.length + 1).trim()
}
