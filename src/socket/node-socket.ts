import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket as NetSocket } from 'node:net'
import type { DiagnosticsChannel } from '../types/diagnostics.js'
import type { WebSocketConstructor } from '../types/options.js'
import { judgeSubprotocol } from '../wire/subprotocol.js'
import {
  StandardSocket,
  type SocketClosure,
  type SocketListener,
  type SocketOptions,
  type Target,
  type WebSocketLike
} from './web-socket.js'
import { FrameReader } from './frame-reader.js'
import { FrameWriter } from './frame-writer.js'
import { closureOfFailedDial, closureOfRejectedUpgrade, closureOfWsError, MOST_BODY } from './failed-dial.js'

export { hasCredentials, secretsOfHeaders } from './header-secrets.js'
export { checkFieldValue, readHeaders } from './read-headers.js'

/** What `ws` offers beyond the WHATWG interface. */
interface WsLike extends WebSocketLike {
  on(event: 'upgrade', listener: (response: IncomingMessage) => void): void
  on(event: 'unexpected-response', listener: (request: ClientRequest, response: IncomingMessage) => void): void
  on(event: 'ping', listener: () => void): void
  on(event: 'pong', listener: (data: Buffer) => void): void
  on(event: 'message', listener: (data: Buffer | ArrayBuffer, isBinary: boolean) => void): void
  ping(data: string): void
  terminate(): void
}

type WsConstructor = new (url: string, protocols: string[], options: Record<string, unknown>) => WsLike

/** Whether the class is `ws`, or imitates it: it can send headers and shows what the server answered. */
export const canSetHeaders = (WebSocketClass: unknown): WebSocketClass is WsConstructor =>
  typeof WebSocketClass === 'function' && typeof (WebSocketClass.prototype as { on?: unknown } | undefined)?.on === 'function'

/** A socket over `ws`, with what only Node can do: headers, the HTTP response of a rejected upgrade, ping frames. */
export class NodeSocket extends StandardSocket {
  readonly #ws: WsLike
  readonly #target: Target
  readonly #options: SocketOptions
  /** The TCP or TLS stream, once the server answered 101; Bun does not show it. */
  #stream: NetSocket | undefined
  /** Whether small frames are written and read here, see docs/decisions/0012-small-frames.md. */
  #isPlain = false
  /** Whether the server answered 101. */
  #upgraded = false
  /** The subprotocol that the server named in its 101. */
  #chosen: string | undefined
  /** The upgrade that the server is rejecting, and what came of the body so far. */
  #rejected: { readonly response: IncomingMessage; body: Buffer } | undefined
  /** The error that `ws` reported on the open socket; the close event follows. */
  #failure: unknown
  #writer: FrameWriter | undefined
  #reader: FrameReader | undefined
  /** How many pings were sent; each carries its number. */
  #pings = 0

  /** @throws What `ws` and Node throw at once, for example for a header that holds a line break. */
  constructor(WebSocketClass: WsConstructor, target: Target, options: SocketOptions, listener: SocketListener) {
    const { maxMessageBytes, perMessageDeflate, closeTimeout, agent, tls } = options
    const ws = new WebSocketClass(target.url.href, [...target.protocols], {
      ...tls,
      ...(agent && { agent }),
      headers: target.headers,
      perMessageDeflate,
      maxPayload: maxMessageBytes,
      // Once the server's close frame is here, `ws` by itself would wait 30 s for the end of the stream.
      closeTimeout,
      // A redirect would carry the credentials to whichever server it names.
      followRedirects: false
    })
    super(ws, target, options, listener)
    this.#ws = ws
    this.#target = target
    this.#options = options
    // Costs less than the standard's `onmessage`, for which `ws` makes an event object for every frame.
    ws.onmessage = null
    ws.on('message', (data, isBinary) => {
      if (isBinary) this.onMessage(data)
      else this.listener?.onText((data as Buffer).toString(), data.byteLength)
    })
    ws.on('upgrade', (response) => this.#onUpgrade(response))
    ws.on('unexpected-response', (_request, response) => this.#onRejectedUpgrade(response))
    ws.on('ping', () => this.listener?.onHeard())
    ws.on('pong', (data) => this.#onPong(data))
  }

  /** Bytes that the stream received since the 101, TLS left out; `undefined` before. See {@link Socket.bytesRead}. */
  get bytesRead(): number | undefined {
    return this.#stream?.bytesRead
  }

  override send(text: string): number {
    const bytes = this.#writer?.write(text)
    if (bytes !== undefined) return bytes
    this.#writer?.flush()
    return super.send(text)
  }

  override close(code: number, reason: string): void {
    this.#writer?.flush()
    this.#reader?.retire()
    super.close(code, reason)
  }

  override ping(): boolean {
    this.#writer?.flush()
    this.#ws.ping(String(++this.#pings))
    return true
  }

  override discard(): void {
    this.listener = undefined
    this.#rejected?.response.destroy()
    this.#writer?.flush()
    // `close` would leave the socket open for up to 30 s, until the server ends the closing handshake.
    this.#ws.terminate()
  }

  override expire(): SocketClosure | undefined {
    return this.#rejection()
  }

  override unref(): void {
    this.#stream?.unref()
  }

  protected override measure(text: string): number {
    return Buffer.byteLength(text)
  }

  protected override onOpen(): void {
    const stream = this.#stream
    if (stream && this.#isPlain) {
      this.#writer = new FrameWriter(stream, this.#ws)
      this.#reader = new FrameReader(stream, this.#ws, this.#options.maxMessageBytes, (text, bytes) => this.listener?.onText(text, bytes))
    }
    // Not the subprotocol that `ws` reports: that may be the name that `#onUpgrade` has put in.
    super.onOpen(this.#chosen ?? '')
  }

  protected override onError(failure?: unknown): void {
    if (this.opened) this.#failure = failure
    else if (this.listener !== undefined) this.finish(closureOfFailedDial(failure, this.#target, this.#upgraded, this.#chosen))
  }

  protected override finish(closure: SocketClosure): void {
    super.finish(this.#failure === undefined ? closure : (closureOfWsError(this.#failure, this.#options.maxMessageBytes) ?? closure))
  }

  #onUpgrade(response: IncomingMessage): void {
    const { headers } = response
    const { protocols } = this.#target
    this.#upgraded = true
    this.#stream = streamOf(response)
    this.#chosen = headers['sec-websocket-protocol']
    // Not with a WebSocket class of the program, which may send and receive in its own way; nor with extensions, because `ws` holds back
    // messages that it compresses.
    this.#isPlain = this.#options.WebSocket === undefined && headers['sec-websocket-extensions'] === undefined
    // `ws` fails a dial whose 101 names no subprotocol, even if that is accepted. It reads the header after this event, and finds this
    // name.
    if (this.#chosen === undefined && !judgeSubprotocol(protocols, undefined, this.#options.onMissingSubprotocol, ''))
      headers['sec-websocket-protocol'] = protocols[0]
  }

  #onPong(data: Buffer): void {
    // The pong of an older ping is a sign of life, but does not tell how long the newest one took. A pong without a number of ours
    // counts as the newest: some servers do not send back the data of the ping.
    if (data.length > 0 && Number(data.toString()) < this.#pings) this.listener?.onHeard()
    else this.listener?.onPong()
  }

  #onRejectedUpgrade(response: IncomingMessage): void {
    const rejected = { response, body: Buffer.alloc(0) }
    this.#rejected = rejected
    const end = (): void => {
      const closure = this.#rejection()
      if (closure) this.finish(closure)
    }
    response.on('data', (chunk: Buffer) => {
      rejected.body = Buffer.concat([rejected.body, chunk])
      if (rejected.body.length >= MOST_BODY) end()
    })
    response.on('end', end)
    response.on('error', end)
    response.on('close', end)
  }

  #rejection(): SocketClosure | undefined {
    if (this.#rejected === undefined || this.listener === undefined) return undefined
    const { response, body } = this.#rejected
    return closureOfRejectedUpgrade(response, body, this.#target, Date.now())
  }
}

/** Opens a socket with what only Node can do, if the class can; `undefined` otherwise. @throws What the constructor throws. */
export const openNodeSocket = (
  WebSocketClass: WebSocketConstructor,
  target: Target,
  options: SocketOptions,
  listener: SocketListener
): NodeSocket | undefined => (canSetHeaders(WebSocketClass) ? new NodeSocket(WebSocketClass, target, options, listener) : undefined)

/** The stream below the WebSocket: `null` in Bun, whatever the types say. */
const streamOf = ({ socket }: { readonly socket: NetSocket | null }): NetSocket | undefined => socket ?? undefined

/**
 * Node's diagnostics channel of this package; `undefined` where the engine has none, as before Node 20.16. It is reached through `process`,
 * because bundlers for other platforms fail at an import of a module of Node.
 */
export const diagnosticsChannel = (): DiagnosticsChannel | undefined =>
  (globalThis as { process?: Partial<NodeJS.Process> }).process
    ?.getBuiltinModule?.('node:diagnostics_channel')
    .channel('mcp-websocket-client')

/** Whether somebody listens to the channel. */
export const isWatched = (channel: DiagnosticsChannel | undefined): channel is DiagnosticsChannel => channel?.hasSubscribers === true
