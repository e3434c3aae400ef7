import { spawn, type ChildProcess } from 'node:child_process'
import type { Writable } from 'node:stream'
import type { JsonRpcErrorResponse, JsonRpcMessage, RequestId, ServerTransport } from '../server/index.js'
import { errorResponse, INTERNAL_ERROR, readLine } from './host-messages.js'
import { Lines, type Line } from './lines.js'
import { printable, printableLine } from './printable.js'

/** What all children of a `serve` share. */
export interface ChildConfig {
  /** The program and its arguments, as they stood on the command line; no shell reads them. */
  readonly command: readonly [program: string, ...args: string[]]
  /** The environment of the program. */
  readonly env: NodeJS.ProcessEnv
  /** How long a line of the program may be, in bytes. */
  readonly maxMessageBytes: number
  /** Says something on standard error. */
  readonly log: (words: string) => void
}

// In ms, for each step: a stdio server should end with its input; if not it gets SIGTERM, and then SIGKILL (MCP, basic/lifecycle,
// "Shutdown").
const PATIENCE = 2000
// In bytes. A program that leaves so much unread will not read again, and its client could fill the memory.
const MOST_UNREAD = 64 * 2 ** 20
// RFC 6455 section 7.4.1 and the IANA registry: the server met something unexpected; try again later.
const DIED = 1011
const OVERLOADED = 1013
// Windows has no process groups; there, the child itself gets the signal.
const HAS_GROUPS = process.platform !== 'win32'

/** One stdio server for one session: its input and output are the messages of the transport. */
export class Child {
  /** Resolves when the program is gone. */
  readonly gone: Promise<void>
  readonly #transport: ServerTransport
  readonly #config: ChildConfig
  readonly #prefix: string
  readonly #process: ChildProcess
  readonly #output: Lines
  #timer: NodeJS.Timeout | undefined
  #isGone = false
  #isSending = false

  /** Starts the program, and the transport. @param number - Which session it is, for the log. */
  constructor(transport: ServerTransport, config: ChildConfig, number: number) {
    const [program, ...args] = config.command
    this.#transport = transport
    this.#config = config
    this.#prefix = `[${String(number)}]`
    this.#output = new Lines(config.maxMessageBytes)
    // In a process group of its own: Ctrl-C on the terminal reaches only this process, which lets calls finish; and a signal to the group
    // ends a launcher such as npx together with what it has started.
    this.#process = spawn(program, args, { stdio: 'pipe', shell: false, windowsHide: true, detached: HAS_GROUPS, env: config.env })
    this.gone = new Promise((resolve) => this.#watch(resolve))
    this.#relay()
  }

  /** Ends the program: its input ends, after 2 s it gets SIGTERM, and after 2 more SIGKILL. */
  end(): void {
    if (this.#isGone) return
    this.#process.stdin?.end()
    this.#timer ??= setTimeout(() => {
      this.#signal('SIGTERM')
      this.#timer = setTimeout(() => this.#signal('SIGKILL'), PATIENCE)
    }, PATIENCE)
  }

  #watch(onGone: () => void): void {
    const child = this.#process
    child.once('error', (error) => {
      // The program runs: a signal could not be sent to it, which is not its end.
      if (child.pid !== undefined) return this.#log(error.message)
      this.#isGone = true
      this.#onDeath(`the program cannot be started: ${(error as NodeJS.ErrnoException).code ?? 'unknown error'}`)
      onGone()
    })
    child.once('exit', () => {
      // What the program has started may still run.
      this.#signal('SIGKILL')
      // A process that has left the group may hold the output open. Then `close` would come only when that process ends.
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => this.#abandonStreams(), PATIENCE)
    })
    child.once('close', (code, signal) => {
      clearTimeout(this.#timer)
      // It could not be started: `error` has reported that.
      if (child.pid === undefined) return
      this.#isGone = true
      this.#onDeath(signal === null ? `the program ended with exit code ${String(code)}` : `the program was ended by ${signal}`)
      onGone()
    })
  }

  #abandonStreams(): void {
    // A slow client has not received everything yet that the program wrote.
    if (this.#isSending) return void this.#timer?.refresh()
    const { stdin, stdout, stderr } = this.#process
    for (const stream of [stdin, stdout, stderr]) stream?.destroy()
  }

  #relay(): void {
    const { stdin, stdout, stderr } = this.#process
    const transport = this.#transport
    transport.onmessage = (message) => this.#toProgram(message)
    transport.onerror = (error) => this.#log(printableLine(error.message))
    transport.onclose = () => this.end()
    // Fails when the program has gone. The event `close` reports that.
    stdin?.on('error', () => undefined)
    // Rejects if the streams were destroyed, because the program is gone but its output is still open.
    this.#fromProgram(stdout).catch(() => undefined)
    const words = new Lines(this.#config.maxMessageBytes)
    const tell = (lines: Iterable<Line>): void => {
      for (const line of lines) this.#log(printable(line.kind === 'too-long' ? `${line.start}…` : line.text))
    }
    stderr?.on('data', (chunk: Buffer) => tell(words.push(chunk))).once('end', () => tell(words.end()))
    void transport.start()
  }

  #toProgram(message: JsonRpcMessage): void {
    const { stdin } = this.#process
    if (stdin === null || !stdin.writable) return
    let text: string
    try {
      text = JSON.stringify(message)
    } catch (error) {
      return this.#answerInstead(message, stdin, error as Error)
    }
    stdin.write(`${text}\n`)
    if (stdin.writableLength > MOST_UNREAD) void this.#transport.close({ code: OVERLOADED, reason: 'the program does not read' })
  }

  /**
   * Responds to a message that is nested too deeply: it could be read, but it cannot be written again. Without a response, one side would
   * wait for ever.
   */
  #answerInstead(message: JsonRpcMessage, stdin: Writable, { message: reason }: Error): void {
    const { id, method } = message as { readonly id?: RequestId; readonly method?: string }
    const words = `what the client sent cannot be written as JSON: ${reason}`
    this.#log(words)
    if (id === undefined) return
    const response = errorResponse(id, INTERNAL_ERROR, words)
    if (method === undefined) stdin.write(`${JSON.stringify(response)}\n`)
    else this.#respond(response)
  }

  /** Responds in place of the program. */
  #respond(response: JsonRpcErrorResponse): void {
    // Should that fail, the client is gone.
    this.#transport.send(response).catch(() => undefined)
  }

  /** Passes on the program's output. It reads no further until what was read is sent, or kept for a client that is away. */
  async #fromProgram(stdout: NodeJS.ReadableStream | null): Promise<void> {
    for await (const chunk of stdout ?? []) await this.#send(this.#output.push(chunk as Buffer))
    await this.#send(this.#output.end())
  }

  async #send(lines: Iterable<Line>): Promise<void> {
    const sent: Promise<void>[] = []
    for (const line of lines) {
      const { messages, errors, lost } = readLine(line, JSON.parse)
      for (const message of messages) sent.push(this.#transport.send(message))
      for (const response of lost) this.#respond(response)
      if (errors.length > 0)
        this.#log(
          `what the program wrote to its output is not a message: ${line.kind === 'too-long' ? 'it is too long' : printableLine(line.text, 100)}`
        )
    }
    // A `send` fails only if the connection has ended; then the program will end too.
    this.#isSending = true
    await Promise.allSettled(sent)
    this.#isSending = false
  }

  #onDeath(reason: string): void {
    this.#log(reason)
    void this.#transport.close({ code: DIED, reason })
  }

  #signal(signal: 'SIGTERM' | 'SIGKILL'): void {
    const { pid } = this.#process
    if (pid === undefined) return
    try {
      if (HAS_GROUPS) process.kill(-pid, signal)
      else this.#process.kill(signal)
    } catch {
      // It is gone.
    }
  }

  #log(words: string): void {
    for (const line of words.split('\n')) this.#config.log(`${this.#prefix} ${line}`)
  }
}
