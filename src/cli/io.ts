import type { Readable, Writable } from 'node:stream'

/** A stream in, which may be a terminal. */
export type Input = Readable & { readonly isTTY?: boolean | undefined }

/** A stream out, which may be a terminal. */
export type Output = Writable & { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined }

/** A signal that ends the tool: the terminal was closed, Ctrl-C, or a supervisor. */
export type Signal = 'SIGHUP' | 'SIGINT' | 'SIGTERM'

/** What the command line tool has of its process: `bin.ts` hands in the real one, tests their own. */
export interface Io {
  /** Where questions are answered, and where the host of a bridge writes. */
  readonly stdin: Input
  /** Takes results, and nothing else. */
  readonly stdout: Output
  /** Takes everything that is said beside the result. */
  readonly stderr: Output
  /** The environment. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Calls `listener` at each signal. @returns Ends that. */
  readonly onSignal: (listener: (signal: Signal) => void) => () => void
}
