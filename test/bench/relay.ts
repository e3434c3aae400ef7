// The floor of `mcp-ws bridge`: passes lines on to a socket and frames on to lines, and does nothing else.
import { createInterface } from 'node:readline'
import { openSocket } from './connection.js'

const socket = await openSocket(process.argv[2] ?? '')
socket.on('message', (data: Buffer) => process.stdout.write(`${data.toString()}\n`))
createInterface({ input: process.stdin })
  .on('line', (line) => socket.send(line))
  .on('close', () => socket.close())
