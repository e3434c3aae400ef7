import { PassThrough } from 'node:stream'
import type { Input, Io, Output, Signal } from '../../src/cli/io.js'
import { run } from '../../src/cli/main.js'
import { afterTest } from '../helpers/after-test.js'
import { until } from '../helpers/until.js'

/** A run of the tool inside of the test's own process. */
export interface Run {
  /** What it wrote so far. */
  readonly out: string
  readonly err: string
  /** Its exit code, once it has ended. */
  readonly code: Promise<number>
  /** Writes to its standard input. */
  readonly type: (text: string | Uint8Array) => void
  /** Ends its standard input. */
  readonly endInput: () => void
  readonly signal: (signal: Signal) => void
  /** Waits until it has written this. */
  readonly says: (words: string | RegExp) => Promise<void>
}

interface Surroundings {
  readonly env?: Io['env']
  /** Whether all streams are a terminal. */
  readonly isTTY?: boolean
}

/** Starts the tool; whatever is left of it after the test is ended by Ctrl-C. */
export function useCli(argv: readonly string[], { env = {}, isTTY = false }: Surroundings = {}): Run {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()].map((stream) =>
    Object.assign(stream, { isTTY, columns: 80 })
  )
  const written = { out: '', err: '' }
  const listeners = new Set<(signal: Signal) => void>()
  stdout!.setEncoding('utf8').on('data', (text: string) => (written.out += text))
  stderr!.setEncoding('utf8').on('data', (text: string) => (written.err += text))
  const io: Io = {
    stdin: stdin as Input,
    stdout: stdout as Output,
    stderr: stderr as Output,
    env,
    onSignal: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
  const signal = (name: Signal): void => {
    for (const listener of [...listeners]) listener(name)
  }
  let isOver = false
  // What it wrote last is read in the next turn.
  const code = run(argv, io).then((exitCode) => new Promise<number>((resolve) => setImmediate(() => resolve(exitCode))))
  void code.finally(() => (isOver = true))
  afterTest(async () => {
    stdin!.end()
    // The second one ends what drains.
    for (let turn = 0; turn < 2 && !isOver; turn++) signal('SIGINT')
    await code
  })
  return {
    get out() {
      return written.out
    },
    get err() {
      return written.err
    },
    code,
    type: (text) => stdin!.write(text),
    endInput: () => stdin!.end(),
    signal,
    says: (words) =>
      until(
        () => {
          const all = written.out + written.err
          return typeof words === 'string' ? all.includes(words) : words.test(all)
        },
        `the tool says ${String(words)}; it said ${written.out}${written.err}`
      )
  }
}
