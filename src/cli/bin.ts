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
// `mcp-ws tools … | head -1`: who closes the pipe has read enough, and under `pipefail` that must not look like a failure.
stdout.on('error', ({ code: cause, message }: NodeJS.ErrnoException) => {
  if (cause === 'EPIPE') process.exit(EXIT.done)
  stderr.write(`error: standard output: ${message}\n`, () => process.exit(EXIT.failed))
})
// Nobody has to read what is said beside the result, and least of all the clients of `serve`, or the host of a `bridge`.
stderr.on('error', () => undefined)
const code = await run(process.argv.slice(2), { stdin, stdout, stderr, env, onSignal })
// Standard input may still be open, and would hold the process. What was written has to leave first.
stdout.write('', () => process.exit(code))
