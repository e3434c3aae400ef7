import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** Both ends of a connection that passes through. */
interface Line {
  readonly near: Socket
  readonly far: Socket
}

/** A relay of TCP that breaks connections in the ways in which networks do. */
export class Relay {
  readonly #lines = new Set<Line>()
  readonly #server: Server
  #stalled = false
  #offline = false

  /** @param target - The port of this machine to which it leads. */
  constructor(target: number) {
    this.#server = createServer((near) => {
      if (this.#offline) near.on('error', () => undefined).destroy()
      else this.#join(near, connect(target, '127.0.0.1'))
    })
  }

  /** While it is true no byte passes, and neither end hears that the other one has gone. */
  get stalled(): boolean {
    return this.#stalled
  }

  set stalled(stalled: boolean) {
    // A second pipe would carry every byte twice.
    if (stalled === this.#stalled) return
    this.#stalled = stalled
    for (const line of this.#lines) this.#settle(line)
  }

  /** While it is true there are no connections, and every new one is cut at once. */
  get offline(): boolean {
    return this.#offline
  }

  set offline(offline: boolean) {
    this.#offline = offline
    if (offline) this.cut()
  }

  /** Starts to listen. @returns The port. */
  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  /** Cuts every connection at both ends, without a word. */
  cut(): void {
    for (const { near, far } of this.#lines) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
    this.#lines.clear()
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    await once(this.#server, 'close')
  }

  #join(near: Socket, far: Socket): void {
    const line = { near, far }
    this.#lines.add(line)
    for (const socket of [near, far]) socket.on('error', () => undefined).on('close', () => this.#settle(line))
    this.#settle(line)
  }

  /** Makes both ends of a line agree with each other, unless the line is stalled. */
  #settle(line: Line): void {
    const { near, far } = line
    if (this.#stalled) {
      near.unpipe(far).pause()
      far.unpipe(near).pause()
    } else if (near.destroyed || far.destroyed) {
      near.destroy()
      far.destroy()
      this.#lines.delete(line)
    } else {
      near.pipe(far)
      far.pipe(near)
    }
  }
}
