import { retryAfterOfReason } from './retry-after.js'
import { redact, redactStart } from './secrets.js'
import { judgeSubprotocol } from '../wire/subprotocol.js'
import { HandshakeError, type Closure } from '../errors.js'
import type { ConnectionOptions } from '../types/options.js'
import type { Target } from './target.js'

/** The end of one socket; whether the client was ever ready is known only above. */
export type SocketClosure = Omit<Closure, 'everReady'>

/** Who is told what happens to a socket; nothing after `onClosed`. */
export interface SocketListener {
  onOpened(subprotocol: string | undefined): void
  onText(text: string, bytes: number): void
  /** A binary frame came that is not UTF-8. */
  onUndecodable(): void
  /** A ping of the server came: a sign of life, though no message. */
  onHeard(): void
  /** The answer to a ping came. */
  onPong(): void
  onClosed(closure: SocketClosure): void
}

/** One WebSocket behind the same few commands in every engine. */
export interface Socket {
  /** Hands one text frame to the engine. @returns Its length in bytes. */
  send(text: string): number
  /** Sends a ping frame. @returns `false` where the engine has none (every browser). */
  ping(): boolean
  /** Starts the closing handshake; codes are 1000 or 3000-4999, as browsers allow no others. */
  close(code: number, reason: string): void
  /** Drops the socket at once and says nothing more. */
  discard(): void
  /** Time is up for the dial. @returns What was learned so far, if that says more than "too late". */
  expire(): SocketClosure | undefined
  /** Bytes that earlier turns of the event loop wrote and that have not left; `Infinity` where the socket takes no more: it is not open, or about to close. */
  readonly backlog: number
  /** Inbound bytes so far, parts of messages included, where the engine tells. */
  readonly bytesRead?: number | undefined
  /** The socket alone no longer keeps the process alive, where the engine knows such a thing. */
  unref(): void
}

/** The options that concern a socket itself. */
export interface SocketOptions extends Pick<ConnectionOptions, 'tls' | 'agent' | 'WebSocket'> {
  readonly onMissingSubprotocol: 'fail' | 'accept'
  readonly maxMessageBytes: number
  readonly perMessageDeflate: boolean
  /** How long a closing socket may linger, in ms. */
  readonly closeTimeout: number
}

interface CloseEventLike {
  readonly code: number
  readonly reason: string
  readonly wasClean: boolean
}

/** The part of the WHATWG interface that all engines share. */
export interface WebSocketLike {
  binaryType: string
  readonly protocol: string
  // Imitations do without these two.
  readonly readyState?: number
  readonly bufferedAmount?: number
  onopen: (() => void) | null
  onmessage: ((event: { readonly data: unknown }) => void) | null
  onerror: ((event: { readonly message?: string; readonly error?: unknown }) => void) | null
  onclose: ((event: CloseEventLike) => void) | null
  send(data: string): void
  close(code?: number, reason?: string): void
}

const OPEN = 1
const MOST_REASON = 123

/** The closure of a socket on which a message came that is too large. */
export const oversize = (maxMessageBytes: number): SocketClosure => ({
  kind: 'close',
  code: 1009,
  reason: `a message is larger than maxMessageBytes (${String(maxMessageBytes)})`,
  wasClean: false
})

/** A socket of any engine that follows the WHATWG standard: browsers, workers, Deno, Bun, Node's own. */
export class PlainSocket implements Socket {
  readonly #target: Target
  readonly #options: SocketOptions
  readonly #engine: WebSocketLike
  /** `undefined` once the socket is over: what the engine still says is not heard. */
  protected listener: SocketListener | undefined
  protected opened = false
  #backlog: number | undefined
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })

  /** @param engine - A WebSocket that was made in this very turn: none of its events has fired yet. */
  constructor(engine: WebSocketLike, target: Target, options: SocketOptions, listener: SocketListener) {
    this.#engine = engine
    this.#target = target
    this.#options = options
    this.listener = listener
    // Blobs are read asynchronously, so that a text frame behind one would overtake it.
    engine.binaryType = 'arraybuffer'
    engine.onopen = () => this.onOpen(engine.protocol)
    engine.onmessage = ({ data }) => this.#onMessage(data)
    // Stays attached for ever: an `error` of ws without a listener ends the process.
    engine.onerror = ({ error, message }) => this.onError(error ?? message)
    engine.onclose = (event) => this.#onClose(event)
  }

  get backlog(): number {
    const { readyState = OPEN, bufferedAmount = 0 } = this.#engine
    if (readyState !== OPEN) return Infinity
    // What this very turn wrote cannot have left: it says nothing of how the server reads.
    if (this.#backlog === undefined) queueMicrotask(() => (this.#backlog = undefined))
    return (this.#backlog ??= bufferedAmount)
  }

  send(text: string): number {
    this.#engine.send(text)
    return this.measure(text)
  }

  ping(): boolean {
    return false
  }

  close(code: number, reason: string): void {
    this.#engine.close(code, reason)
  }

  discard(): void {
    this.listener = undefined
    // While connecting, some engines report the closed dial through `error`, others throw.
    try {
      this.#engine.close(1000)
    } catch {
      // Nothing is left to close.
    }
  }

  expire(): SocketClosure | undefined {
    return undefined
  }

  unref(): void {
    // No engine of this kind holds a process.
  }

  protected measure(text: string): number {
    return new TextEncoder().encode(text).length
  }

  /** @param chosen - The subprotocol that the server named, `''` for none. */
  protected onOpen(chosen: string): void {
    const error = judgeSubprotocol(this.#target.protocols, this.#clean(chosen), this.#options.onMissingSubprotocol)
    if (error) return this.finish({ kind: 'subprotocol', wasClean: false, error })
    this.opened = true
    this.listener?.onOpened(chosen || undefined)
  }

  /** @param _failure - What the engine tells about it, which is nothing except in Node. */
  protected onError(_failure?: unknown): void {
    // After `open` the close event follows and says more. Before it, not every engine sends one (Node 22's does not).
    if (this.opened) return
    const hint =
      'Engines hide why. Likely: the server is down or the URL wrong; it refused the credentials, the origin or the subprotocols (HTTP ' +
      '401, 403, 426) or named none (see onMissingSubprotocol); its certificate is not trusted.'
    const error = new HandshakeError('CONNECT_FAILED', 'the connection could not be opened', {
      hint,
      retryable: true,
      delivery: 'not-sent'
    })
    this.finish({ kind: 'network', code: 1006, wasClean: false, error })
  }

  protected finish(closure: SocketClosure): void {
    const listener = this.listener
    this.discard()
    listener?.onClosed(closure)
  }

  #clean(text: string): string {
    return redact(text, this.#target.secrets)
  }

  #onMessage(data: unknown): void {
    let text: string
    try {
      text = typeof data === 'string' ? data : this.#decoder.decode(data as ArrayBuffer)
    } catch {
      return this.listener?.onUndecodable()
    }
    const bytes = this.measure(text)
    const { maxMessageBytes } = this.#options
    if (bytes > maxMessageBytes) this.finish(oversize(maxMessageBytes))
    else this.listener?.onText(text, bytes)
  }

  #onClose({ code, reason, wasClean }: CloseEventLike): void {
    if (!this.opened && code !== 1000) return this.onError()
    // Servers cut what is longer than the 123 bytes of a reason, some of them a little earlier, between characters.
    const whole = this.measure(reason) < MOST_REASON - 3
    // Deno reports a broken connection as 0, Firefox may call a 1006 clean.
    const known = code || 1006
    this.finish({
      kind: 'close',
      code: known,
      reason: redactStart(reason, this.#target.secrets, whole ? Infinity : reason.length),
      wasClean: wasClean && known !== 1006,
      retryAfter: retryAfterOfReason(reason)
    })
  }
}
