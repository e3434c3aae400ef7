// The program `mcp-ws`: connects `run` to the process, and does nothing else.

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
// `mcp-ws tools … | head -1`: who closes the pipe has read enough.
stdout.on('error', () => process.exit(1))
const code = await run(process.argv.slice(2), { stdin, stdout, stderr, env, onSignal })
// Standard input may still be open, and would hold the process. What was written has to leave first.
stdout.write('', () => process.exit(code))
