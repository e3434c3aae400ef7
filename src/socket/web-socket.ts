import { retryAfterOfReason } from './retry-after.js'
import { publicUrl, redact, redactStart } from './secrets.js'
import { judgeSubprotocol, RESUME_SUBPROTOCOL } from '../wire/subprotocol.js'
import { decodeUtf8, utf8Length } from '../wire/utf8.js'
import { HandshakeError, type Closure } from '../errors.js'
import type { ConnectionOptions } from '../types/options.js'

/** Where one dial goes, and with what; computed anew for every dial. */
export interface Target {
  /** A `ws:` or `wss:` URL without a fragment. */
  readonly url: URL
  /** The subprotocols to offer; a token is the last. */
  readonly protocols: readonly string[]
  /** The headers to add to the upgrade; empty where the engine cannot set any. */
  readonly headers: Readonly<Record<string, string>>
  /** What no error, event or log of this dial may show, the longest first. */
  readonly secrets: readonly string[]
  /** How long the token is good, in ms; `undefined` if that is not known. */
  readonly lifetime?: number | undefined
}

/** The end of one socket. Whether the client was ever ready is added above: a socket does not know it. */
export type SocketClosure = Omit<Closure, 'everReady'>

/** Is told what happens to a socket. Nothing is called after `onClosed`, nor after `discard`. */
export interface SocketListener {
  /** The socket is open. @param subprotocol - The server's choice; `undefined` if it named none and the options accept that. */
  onOpened(subprotocol: string | undefined): void
  /** A frame came in, text or binary. @param bytes - Its length in UTF-8. */
  onText(text: string, bytes: number): void
  /** A binary frame came in that is not UTF-8. */
  onUndecodable(): void
  /** The server sent a ping, or the pong of an older ping: a sign of life, though not a message. */
  onHeard(): void
  /** The server answered the newest ping. */
  onPong(): void
  /** The dial failed or the socket closed; it is of no more use. */
  onClosed(closure: SocketClosure): void
}

/** One WebSocket behind the same few commands in every engine. */
export interface Socket {
  /** Hands one text frame to the engine. @returns Its length in bytes. */
  send(text: string): number
  /** Sends a ping frame. @returns `false` where the engine cannot, which is every browser. */
  ping(): boolean
  /**
   * Starts the closing handshake (RFC 6455 section 7.1.2); `onClosed` follows.
   * @param code - 1000, or from 3000 to 4999: browsers allow no others.
   */
  close(code: number, reason: string): void
  /** Drops the socket at once, without `onClosed`. */
  discard(): void
  /** The time of the dial is up. @returns A closure that says more than that, if the server was just rejecting the upgrade. */
  expire(): SocketClosure | undefined
  /**
   * Bytes that were written in earlier turns of the event loop and have not left yet. `Infinity` if the socket takes no more, because it is
   * not open, or is about to close.
   */
  readonly buffered: number
  /** Bytes that came in so far, parts of unfinished messages included; `undefined` where the engine does not tell. */
  readonly bytesRead?: number | undefined
  /** Lets the process end although the socket is open, where an open socket holds it. */
  unref(): void
}

/** The options that concern a socket itself; see {@link ConnectionOptions} for the optional ones. */
export interface SocketOptions extends Pick<ConnectionOptions, 'tls' | 'agent' | 'WebSocket'> {
  /** What becomes of a dial whose server names no subprotocol. */
  readonly onMissingSubprotocol: 'fail' | 'accept'
  /** The largest message that is accepted, in bytes; a larger one closes the socket with 1009. */
  readonly maxMessageBytes: number
  /** Whether to offer compression (RFC 7692). Node only. */
  readonly perMessageDeflate: boolean
  /** How long a closing socket may linger, in ms. */
  readonly closeTimeout: number
}

interface CloseEventLike {
  readonly code: number
  // React Native leaves these out, or `null`.
  readonly reason?: string | null
  readonly wasClean?: boolean
}

/** The part of the WHATWG `WebSocket` that this package uses, and that another class has to have (the option `WebSocket`). */
export interface WebSocketLike {
  /** Set to `'arraybuffer'`, before anything can come in. */
  binaryType: string
  /** The subprotocol that the server chose, `''` for none; in workerd `null`. */
  readonly protocol: string | null
  /** 1 while the socket is open; a class that leaves it out counts as open. */
  readonly readyState?: number
  /** Bytes that were handed to `send` and have not left; a class that leaves it out counts as one that never has to wait. */
  readonly bufferedAmount?: number
  /** Called once the server accepted the upgrade. */
  onopen: (() => void) | null
  /** Called for every frame, with a string or an `ArrayBuffer`. */
  onmessage: ((event: { readonly data: unknown }) => void) | null
  /** Called when the dial fails or the connection breaks; browsers leave out why. */
  onerror: ((event: { readonly message?: string; readonly error?: unknown }) => void) | null
  /** Called at the end of the connection. */
  onclose: ((event: CloseEventLike) => void) | null
  /** Sends one text frame. */
  send(data: string): void
  /** Starts the closing handshake, or gives the dial up. */
  close(code?: number, reason?: string): void
}

// A page cannot drop a socket without a close frame, and with 1000 it would end the session that the next socket has to resume.
const COMES_BACK = 4408
/** `readyState` of a socket that is open. */
export const OPEN = 1
// In bytes. A close frame has room for 123 (RFC 6455 section 5.5.1), and a server that cuts a longer reason to fit does so between two
// characters of up to 4 bytes. So a reason of at most this length was not cut.
const LONGEST_WHOLE_REASON = 119

/** The closure of a socket on which a message came in that is too large. */
export const oversize = (maxMessageBytes: number): SocketClosure => ({
  kind: 'close',
  code: 1009,
  reason: `a message is larger than maxMessageBytes (${String(maxMessageBytes)})`,
  wasClean: false
})

/**
 * A socket over any WebSocket that follows the WHATWG standard: that of browsers and workers, of Deno, Bun and Node, or a class of the
 * program. It evens out the differences between them.
 */
export class StandardSocket implements Socket {
  readonly #target: Target
  readonly #options: SocketOptions
  readonly #engine: WebSocketLike
  /** `undefined` once the socket is closed or discarded, so that nothing the engine still reports is passed on. */
  protected listener: SocketListener | undefined
  protected opened = false
  #buffered: number | undefined

  /** @param engine - A WebSocket that was constructed in the same task, so that none of its events has fired yet. */
  constructor(engine: WebSocketLike, target: Target, options: SocketOptions, listener: SocketListener) {
    this.#engine = engine
    this.#target = target
    this.#options = options
    this.listener = listener
    // A `Blob` can only be read asynchronously, and a text frame behind it would overtake it.
    engine.binaryType = 'arraybuffer'
    engine.onopen = () => this.onOpen(engine.protocol ?? '')
    engine.onmessage = ({ data }) => this.onMessage(data)
    // It stays attached after the end: an `error` of ws without a listener ends the process.
    engine.onerror = ({ error, message }) => this.onError(error ?? message)
    engine.onclose = (event) => this.#onClose(event)
  }

  get buffered(): number {
    const { readyState = OPEN, bufferedAmount = 0 } = this.#engine
    if (readyState !== OPEN) return Infinity
    // What was written in this turn of the loop had no chance to leave: it says nothing about how fast the server reads.
    if (this.#buffered === undefined) queueMicrotask(this.#endTurn)
    return (this.#buffered ??= bufferedAmount)
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
    // While connecting, some engines report the abandoned dial as an `error`, others throw.
    try {
      this.#engine.close(this.#engine.protocol === RESUME_SUBPROTOCOL ? COMES_BACK : 1000)
    } catch {
      // There is nothing left to close.
    }
  }

  expire(): SocketClosure | undefined {
    return undefined
  }

  unref(): void {
    // The standard has no such method.
  }

  /** The length of the text in UTF-8, in bytes. */
  protected measure(text: string): number {
    return utf8Length(text)
  }

  readonly #endTurn = (): void => {
    this.#buffered = undefined
  }

  /** @param data - A string, or an `ArrayBuffer` with UTF-8. */
  protected onMessage(data: unknown): void {
    let text: string
    try {
      text = typeof data === 'string' ? data : decodeUtf8(data as ArrayBuffer)
    } catch {
      return this.listener?.onUndecodable()
    }
    const bytes = this.measure(text)
    const { maxMessageBytes } = this.#options
    if (bytes > maxMessageBytes) this.finish(oversize(maxMessageBytes))
    else this.listener?.onText(text, bytes)
  }

  /** @param chosen - The subprotocol that the server chose, `''` for none. */
  protected onOpen(chosen: string): void {
    const { protocols, secrets, url } = this.#target
    const error = judgeSubprotocol(protocols, redact(chosen, secrets), this.#options.onMissingSubprotocol, publicUrl(url))
    if (error) return this.finish({ kind: 'subprotocol', wasClean: false, error })
    this.opened = true
    this.listener?.onOpened(chosen || undefined)
  }

  /** @param _failure - What the engine tells about it: nothing, except in Node. */
  protected onError(_failure?: unknown): void {
    // On an open socket the close event follows, and says more. On a dial it may be missing (Node 22 has an engine without it).
    if (this.opened) return
    const error = new HandshakeError('CONNECT_FAILED', `no connection to ${publicUrl(this.#target.url)}`, {
      hint:
        'This engine does not say why. Likely causes: the server is down or the URL is wrong; it rejected the credentials, the origin or the ' +
        'subprotocols (HTTP 401, 403, 426) or named none (see onMissingSubprotocol); its certificate is not trusted.',
      retryable: true,
      delivery: 'not-sent'
    })
    this.finish({ kind: 'network', code: 1006, wasClean: false, error })
  }

  /** Ends the socket and tells the listener, which hears nothing after it. */
  protected finish(closure: SocketClosure): void {
    const { listener } = this
    // Without this check, a class that reports its end at every `close()` would be closed again for each report, without end.
    if (!listener) return
    this.discard()
    listener.onClosed(closure)
  }

  #onClose({ code, reason: given, wasClean }: CloseEventLike): void {
    if (!this.opened && code !== 1000) return this.onError()
    const reason = given ?? ''
    const isWhole = this.measure(reason) <= LONGEST_WHOLE_REASON
    // Deno reports a broken connection with the code 0, and Firefox sometimes calls a 1006 clean.
    const known = code || 1006
    this.finish({
      kind: 'close',
      code: known,
      reason: (isWhole ? redact : redactStart)(reason, this.#target.secrets),
      wasClean: wasClean === true && known !== 1006,
      retryAfter: retryAfterOfReason(reason)
    })
  }
}
