// The program `mcp-ws`: connects `run` to the process, and does nothing else.

import { EXIT } from './failure.js'
import type { Io } from './io.js'
import { run } from './main.js'

const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM'] as const

const onSignal: Io['onSignal'] = (listener) => {
  for (const signal of SIGNALS) process.on(signal, listener)
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener)
  }
}

const { stdin, stdout, stderr, env } = process
// `mcp-ws tools … | head -1`: whoever closes the pipe has read enough. That must not look like a failure to a shell with `pipefail`.
stdout.on('error', ({ code: cause, message }: NodeJS.ErrnoException) => {
  if (cause === 'EPIPE') process.exit(EXIT.done)
  stderr.write(`error: standard output: ${message}\n`, () => process.exit(EXIT.failed))
})
// Standard error may be closed: nobody has to read it, and for the clients of `serve` or the host of a `bridge` that must be no failure.
stderr.on('error', () => undefined)
const code = await run(process.argv.slice(2), { stdin, stdout, stderr, env, onSignal })
// An open standard input would keep the process alive, so it has to exit; but only once everything is written.
stdout.write('', () => process.exit(code))
