import { WebSocketClientTransport, type JsonRpcMessage, type RequestId } from '../../transport/index.js'
import { describeChange } from '../connection-status.js'
import { describeError } from '../describe-error.js'
import { showDuration } from '../duration.js'
import { construct, endedBy, Failure } from '../failure.js'
import { connectionOptions, type ConnectionFlags } from '../flags.js'
import { errorResponse, INTERNAL_ERROR, readLine } from '../host-messages.js'
import type { Io, Signal } from '../io.js'
import { Lines, MAX_MESSAGE_BYTES, type Line } from '../lines.js'
import { logTo } from '../log.js'
import { printableLine } from '../printable.js'
import { RawTexts } from '../raw-texts.js'

/** The flags of `bridge`. */
export interface BridgeFlags extends ConnectionFlags {
  /** How often to dial again. */
  readonly retries?: number | undefined
  /** The longest wait before a dial, in ms. */
  readonly maxDelay?: number | undefined
  /** How long a line of the host, and a message of the server, may be, in bytes. */
  readonly maxMessageBytes?: number | undefined
}

/** In ms: how long requests may take after the end of the input. The host waits for the bridge to end, and kills it if it does not. */
const GRACE = 5000
// In characters. A host that is so far behind has stopped reading, and its server could fill the memory.
const MOST_UNREAD = 64 * 2 ** 20

/** A host on standard input and output, and a server behind a transport that reconnects. */
class Bridge {
  readonly #io: Io
  readonly #transport: WebSocketClientTransport
  readonly #texts: RawTexts
  readonly #lines: Lines
  readonly #tell: (words: string) => void
  /** Requests of the host without a response. */
  readonly #pending = new Set<RequestId>()
  #inputEnded = false
  #isLate = false
  #isUnread = false
  /** Lines for the host that wait for the end of this turn. */
  #written = ''

  constructor(io: Io, url: string, flags: BridgeFlags) {
    const { maxMessageBytes = MAX_MESSAGE_BYTES, retries: maxRetries = Infinity, maxDelay } = flags
    this.#io = io
    this.#texts = new RawTexts()
    this.#lines = new Lines(maxMessageBytes)
    this.#tell = logTo(io.stderr)
    const options = { ...connectionOptions(flags, io.env), maxMessageBytes, json: this.#texts, reconnect: { maxRetries, maxDelay } }
    this.#transport = construct(() => new WebSocketClientTransport(url, options))
    this.#transport.on('state', (change) => {
      const words = describeChange(change, flags.verbose === true)
      if (words !== undefined) this.#log(words)
      // Later, because what waited for the connection has to be sent first.
      setImmediate(() => this.#closeIfDone())
    })
    this.#transport.on('error', (error) => this.#log(printableLine(error.message)))
  }

  /**
   * Works until the host has ended, which is the normal end, or until the server cannot be reached any more.
   * @returns The signal that ended it; `undefined`: none did. @throws Why the server cannot be reached.
   */
  async run(): Promise<Signal | undefined> {
    const transport = this.#transport
    transport.onmessage = (message) => this.#onMessage(message)
    const over = new Promise<void>((resolve) => {
      transport.onclose = resolve
    })
    let failure: unknown
    transport.on('failed', (error) => {
      failure = error
    })
    const started = transport.start().catch(() => undefined)
    const endReading = this.#read()
    let signalled: Signal | undefined
    const endListening = this.#io.onSignal((signal) => {
      signalled ??= signal
      void transport.close()
    })
    await over
    await started
    endReading()
    endListening()
    if (failure !== undefined) throw failure
    if (this.#isUnread) throw new Failure('the host does not read what the bridge writes')
    if (this.#isLate) this.#answerPending()
    return signalled
  }

  #read(): () => void {
    const { stdin } = this.#io
    const onData = (chunk: Buffer): void => this.#onLines(this.#lines.push(chunk))
    let timer: NodeJS.Timeout | undefined
    const onEnd = (): void => {
      if (this.#inputEnded) return
      this.#inputEnded = true
      this.#onLines(this.#lines.end())
      timer = setTimeout(() => {
        this.#isLate = true
        void this.#transport.close()
      }, GRACE)
      this.#closeIfDone()
    }
    stdin.on('data', onData).once('end', onEnd).once('close', onEnd).once('error', onEnd)
    return () => {
      clearTimeout(timer)
      stdin.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onEnd).pause()
    }
  }

  #onLines(lines: Iterable<Line>): void {
    for (const line of lines) {
      const { messages, errors, lost } = readLine(line, this.#texts.read)
      for (const message of [...messages, ...lost]) void this.#send(message)
      for (const response of errors) {
        this.#log(`the host: ${response.error.message}`)
        this.#write(JSON.stringify(response))
      }
    }
  }

  async #send(message: JsonRpcMessage): Promise<void> {
    const id = 'method' in message && 'id' in message ? message.id : undefined
    // A request that was cancelled gets no response.
    if ('method' in message && message.method === 'notifications/cancelled') this.#pending.delete(message.params?.requestId as RequestId)
    // Noted before it is sent, because the transport may respond at once.
    const isNew = id !== undefined && !this.#pending.has(id)
    if (isNew) this.#pending.add(id)
    try {
      await this.#transport.send(message)
    } catch (error) {
      const words = describeError(error)
      this.#log(words)
      if (isNew) this.#pending.delete(id)
      if (id !== undefined) this.#write(JSON.stringify(errorResponse(id, INTERNAL_ERROR, `the request was not sent: ${words}`)))
    }
  }

  #onMessage(message: JsonRpcMessage): void {
    this.#write(this.#texts.lineOf(message))
    if ('method' in message) return
    this.#pending.delete(message.id as RequestId)
    this.#closeIfDone()
  }

  /** Ends the bridge if the host's input has ended, and every request has a response. */
  #closeIfDone(): void {
    if (this.#inputEnded && this.#pending.size === 0 && this.#transport.state === 'ready') void this.#transport.close()
  }

  /** Responds to what is pending when the bridge ends by itself: nobody else would. @throws Failure if anything is. */
  #answerPending(): void {
    const ids = [...this.#pending]
    const message = `no response came within ${showDuration(GRACE)} after the end of the input; whether the request was executed is unknown`
    // A request may not even have been sent, but that is not known here.
    const data = { reason: 'REQUEST_TIMEOUT', delivery: 'unknown' }
    for (const id of ids) this.#write(JSON.stringify({ jsonrpc: '2.0', id, error: { code: INTERNAL_ERROR, message, data } }))
    if (ids.length > 0) throw new Failure(`no response to ${String(ids.length)} ${ids.length === 1 ? 'request' : 'requests'}`)
  }

  /** The lines of one turn of the event loop are written together, because every write to a pipe blocks the process. */
  #write(line: string): void {
    if (this.#written === '') queueMicrotask(() => this.#flush())
    this.#written += `${line}\n`
  }

  #flush(): void {
    const text = this.#written
    this.#written = ''
    const { stdout } = this.#io
    stdout.write(text)
    if (stdout.writableLength <= MOST_UNREAD) return
    this.#isUnread = true
    void this.#transport.close()
  }

  #log(words: string): void {
    this.#tell(`mcp-ws bridge: ${words}`)
  }
}

/** `mcp-ws bridge URL`: a server on standard input and output, in front of one behind a WebSocket. */
export async function bridge(io: Io, url: string, flags: BridgeFlags): Promise<void> {
  const signal = await new Bridge(io, url, flags).run()
  // A host ends its servers with SIGTERM: the bridge has done what it was there for.
  if (signal !== undefined && signal !== 'SIGTERM') throw endedBy(signal)
}
