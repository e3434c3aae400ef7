// A stdio server for tests of `serve`: it tells its arguments and environment, and behaves badly when it is asked to.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const write = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

let answered

const METHODS = {
  initialize: () => ({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'stubborn', version: '1' } }),
  ping: () => ({}),
  facts: () => ({ argv: process.argv.slice(2), env: process.env, pid: process.pid }),
  later: async ({ ms }) => (await sleep(ms), { pid: process.pid }),
  exit: ({ code }) => process.exit(code),
  complain: ({ words }) => (process.stderr.write(words), {}),
  chatter: () => (process.stdout.write('this is no JSON\n'), {}),
  long: ({ length }) => ({ text: 'x'.repeat(length) }),
  nothing: () => null,
  // Responses that are none.
  odd: () => undefined,
  // The answer of the client to a request of this program, whatever it is.
  ask: () =>
    new Promise((resolve) => {
      answered = (answer) => resolve({ answer })
      write({ id: 'asked', method: 'roots/list' })
    }),
  // Something in a session of its own, which no signal to this program's group reaches, and which holds its output open.
  daemon: () => {
    const daemon = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { detached: true, stdio: 'inherit' })
    daemon.unref()
    return { pid: daemon.pid }
  },
  // Neither the end of its input nor SIGTERM ends it.
  stay: () => (process.on('SIGTERM', () => undefined), setInterval(() => undefined, 1000), {})
}

createInterface({ input: process.stdin }).on('line', async (line) => {
  const { id, method, params = {}, ...answer } = JSON.parse(line)
  if (id === 'asked') return answered(answer.error?.message)
  if (id === undefined) return
  const respond = METHODS[method]
  if (respond) write({ id, result: await respond(params) })
  else write({ id, error: { code: -32601, message: 'unknown' } })
})
