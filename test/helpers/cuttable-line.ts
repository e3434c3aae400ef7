import { connect, createServer, type Socket } from 'node:net'
import { listenOnLoopback } from './listen-on-loopback.js'

/** A line to a server that can be cut. */
export interface CuttableLine {
  readonly url: string
  /** Cuts every connection, in the middle of whatever it carries. */
  cut(): void
}

/** Puts a line before the server at this port. */
export async function useLine(port: number): Promise<CuttableLine> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near]
    ] as const) {
      sockets.add(from)
      from.on('error', () => undefined)
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
    }
  })
  const own = await listenOnLoopback(server)
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return { url: `ws://127.0.0.1:${String(own)}/ws`, cut }
}
