import { connect } from 'node:net'
import { upgradeRequest } from './upgrade-request.js'
import { frame, OPCODE } from '../faults/kit/wire.js'

// A program: `node flooder.mjs <port>` sends a server of this machine more requests than it may, until it is killed.

const port = Number(process.argv[2])
const socket = connect(port, '127.0.0.1', () => {
  socket.write(upgradeRequest(port))
  const flood = Buffer.concat(
    Array.from({ length: 20 }, (_, n) => frame(OPCODE.text, JSON.stringify({ jsonrpc: '2.0', id: n + 1, method: 'hold' }), { mask: true }))
  )
  // As fast as the server reads, but at most once in a ms.
  setInterval(() => socket.writableLength < 65_536 && socket.write(flood), 1)
})
socket.resume()
socket.on('close', () => process.exit())
