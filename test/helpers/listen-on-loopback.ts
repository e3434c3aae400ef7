import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import { afterTest } from './after-test.js'

/** Lets a server listen on a free port of 127.0.0.1; after the test it is closed with all its sockets. @returns The port. */
export async function listenOnLoopback(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterTest(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      })
  )
  return (server.address() as AddressInfo).port
}
