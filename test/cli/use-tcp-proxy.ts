import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterTest } from '../helpers/after-test.js'

/** A relay of TCP in front of a port; ended after the test. */
export interface TcpProxy {
  readonly port: number
  /** Cuts all connections that are open, without a word. */
  readonly cut: () => void
}

/** Starts a relay in front of a port of this machine. */
export async function useTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    return socket.on('error', () => undefined).on('close', () => sockets.delete(socket))
  }
  const server = createServer((near) => {
    const far = keep(connect(target, '127.0.0.1'))
    keep(near).pipe(far).pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  afterTest(async () => {
    cut()
    server.close()
    await once(server, 'close')
  })
  return { port: (server.address() as AddressInfo).port, cut }
}
