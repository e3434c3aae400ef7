import { WebSocket } from 'ws'

// A program: `node idle-clients.mjs <url> <count>` opens so many sockets, says so, and ends when it is told to.

const [url = '', wanted] = process.argv.slice(2)
const count = Number(wanted)
const AT_ONCE = 100

let opened = 0
const open = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, ['mcp.v1'], { perMessageDeflate: false })
    socket.once('open', () => resolve())
    socket.once('error', reject)
  })
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (opened < count) {
      opened++
      await open()
    }
  })
)
console.log('open')
