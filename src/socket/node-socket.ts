import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Socket as NetSocket } from 'node:net'
import type { WebSocketConstructor } from '../types/options.js'
import { PlainSocket, type SocketClosure, type SocketListener, type SocketOptions, type WebSocketLike } from './web-socket.js'
import { closureOfFailure, closureOfRefusal, closureOfWsError, MOST_BODY } from './failed-dial.js'
import type { Target } from './target.js'

/** What `ws` offers beyond the WHATWG interface. */
interface WsLike extends WebSocketLike {
  on(event: 'upgrade', listener: (response: IncomingMessage) => void): void
  on(event: 'unexpected-response', listener: (request: ClientRequest, response: IncomingMessage) => void): void
  on(event: 'ping', listener: () => void): void
  on(event: 'pong', listener: (data: Buffer) => void): void
  ping(data: string): void
  terminate(): void
}

type WsConstructor = new (url: string, protocols: string[], options: object) => WsLike

/** Whether the class is `ws`, or imitates it: it can send headers and shows what the server answered. */
export const canSetHeaders = (WebSocketClass: unknown): boolean =>
  typeof WebSocketClass === 'function' && typeof (WebSocketClass.prototype as { on?: unknown } | undefined)?.on === 'function'

/** A socket of `ws`, with what only Node can do: headers, the HTTP answer of a refused upgrade, ping frames. */
export class NodeSocket extends PlainSocket {
  readonly #ws: WsLike
  readonly #target: Target
  readonly #options: SocketOptions
  #stream: NetSocket | undefined
  #answered: string | undefined
  #refusal: { readonly response: IncomingMessage; body: Buffer } | undefined
  #failure: unknown
  #corked = false
  #pings = 0

  /** @throws What `ws` and Node throw at once, for example for a header that holds a line break. */
  constructor(WebSocketClass: WebSocketConstructor, target: Target, options: SocketOptions, listener: SocketListener) {
    const { maxMessageBytes, perMessageDeflate, closeTimeout, agent, tls } = options
    const ws = new (WebSocketClass as unknown as WsConstructor)(target.url.href, [...target.protocols], {
      ...tls,
      ...(agent && { agent }),
      headers: target.headers,
      perMessageDeflate,
      maxPayload: maxMessageBytes,
      // The server's close frame came: `ws` would wait 30 s for the end of the stream behind it.
      closeTimeout,
      // A redirect would carry credentials to whoever it names.
      followRedirects: false
    })
    super(ws, target, options, listener)
    this.#ws = ws
    this.#target = target
    this.#options = options
    ws.on('upgrade', (response) => this.#onUpgrade(response))
    ws.on('unexpected-response', (_request, response) => this.#onRefusal(response))
    ws.on('ping', () => this.listener?.onHeard())
    ws.on('pong', (data) => this.#onPong(data))
  }

  get bytesRead(): number | undefined {
    return this.#stream?.bytesRead
  }

  override send(text: string): number {
    this.#cork()
    return super.send(text)
  }

  override ping(): boolean {
    this.#ws.ping(String(++this.#pings))
    return true
  }

  override discard(): void {
    this.listener = undefined
    this.#refusal?.response.destroy()
    // ws would wait up to 30 s for the closing handshake.
    this.#ws.terminate()
  }

  override expire(): SocketClosure | undefined {
    return this.#refused()
  }

  override unref(): void {
    this.#stream?.unref()
  }

  protected override measure(text: string): number {
    return Buffer.byteLength(text)
  }

  protected override onOpen(): void {
    super.onOpen(this.#answered ?? '')
  }

  protected override onError(failure?: unknown): void {
    if (this.opened) this.#failure = failure
    else if (this.listener !== undefined) this.finish(closureOfFailure(failure, this.#target, this.#stream !== undefined, this.#answered))
  }

  protected override finish(closure: SocketClosure): void {
    super.finish(this.#failure === undefined ? closure : (closureOfWsError(this.#failure, this.#options.maxMessageBytes) ?? closure))
  }

  #onUpgrade(response: IncomingMessage): void {
    const { headers } = response
    const answered = headers['sec-websocket-protocol']
    this.#stream = response.socket
    this.#answered = answered
    // ws fails a dial whose answer names no subprotocol; this event comes before it looks.
    if (answered === undefined && this.#options.onMissingSubprotocol === 'accept')
      headers['sec-websocket-protocol'] = this.#target.protocols[0]
  }

  #onPong(data: Buffer): void {
    // The answer to an older ping is a sign of life, but says nothing of how long the newest one took. What holds no number
    // of ours counts as an answer: some servers do not send back what they got.
    if (data.length > 0 && Number(data.toString()) < this.#pings) this.listener?.onHeard()
    else this.listener?.onPong()
  }

  #onRefusal(response: IncomingMessage): void {
    this.#refusal = { response, body: Buffer.alloc(0) }
    const end = (): void => {
      const closure = this.#refused()
      if (closure) this.finish(closure)
    }
    response.on('data', (chunk: Buffer) => {
      if (this.#refusal) this.#refusal.body = Buffer.concat([this.#refusal.body, chunk])
      if ((this.#refusal?.body.length ?? 0) > MOST_BODY) end()
    })
    response.on('end', end)
    response.on('error', end)
    response.on('close', end)
  }

  #refused(): SocketClosure | undefined {
    const refusal = this.#refusal
    if (refusal === undefined || this.listener === undefined) return undefined
    return closureOfRefusal(refusal.response, refusal.body, this.#target)
  }

  /** Joins the frames of one tick into one system call, which is where most of a request's time goes. */
  #cork(): void {
    const stream = this.#stream
    if (this.#corked || stream === undefined) return
    this.#corked = true
    stream.cork()
    process.nextTick(() => {
      this.#corked = false
      stream.uncork()
    })
  }
}
