// A stdio server of others behind the entry `./server`, with a process for each connection. Arguments: the port, then the command.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { JsonRpcMessage } from '../../../src/index.js'
import { McpWebSocketServer, type ServerTransport } from '../../../src/server/index.js'

const [port, command = '', ...args] = process.argv.slice(2)

/** One message a line, both ways. Whichever of the two ends first ends the other. */
function serve(transport: ServerTransport): Promise<void> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  // What is for somebody who has gone is lost, on either side.
  child.stdin.on('error', () => undefined)
  createInterface({ input: child.stdout }).on('line', (line) => {
    transport.send(JSON.parse(line) as JsonRpcMessage).catch(() => undefined)
  })
  child.once('exit', () => void transport.close())
  transport.onmessage = (message) => child.stdin.write(`${JSON.stringify(message)}\n`)
  transport.onclose = () => child.kill()
  return transport.start()
}

await new McpWebSocketServer({ port: Number(port), allowUnauthenticated: true, onconnection: serve }).listen()
