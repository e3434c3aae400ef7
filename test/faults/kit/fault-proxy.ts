import { connect, createServer, type Socket } from 'node:net'
import { afterTest } from '../../helpers/after-test.js'
import { listenOnLoopback } from '../../helpers/listen-on-loopback.js'

/** `up`: client to server. `down`: server to client. */
export type Direction = 'up' | 'down'

/** What the proxy does to the bytes of one direction. Faults add up. */
export interface Fault {
  /** Bytes are kept back, in order; nobody is told. */
  readonly stall?: boolean
  /** What is kept back is thrown away. */
  readonly lose?: boolean
  /** Delivery is this much later, in ms. */
  readonly delay?: number
  /** Further delay, from 0 to this, in ms; drawn anew for every piece, without overtaking. */
  readonly jitter?: number
  /** Writes of at most so many bytes. */
  readonly slice?: number
  /** Each byte is passed through this. */
  readonly corrupt?: (byte: number, offset: number) => number
}

/** One connection through the proxy. */
export interface Link {
  /** Bytes that came in from either side so far. */
  readonly bytes: Readonly<Record<Direction, number>>
  /** Sets the faults of one direction, in place of earlier ones. */
  set(direction: Direction, fault: Fault): void
  /** Neither direction delivers anything any more, and neither side is told: a half-open connection. */
  blackhole(): void
  /** Ends both sides: `rst` in mid-air, `fin` in order. */
  cut(how: 'rst' | 'fin'): void
  /** Calls back once, when so many bytes went this way; the chunk that holds the last of them is delivered up to it. */
  after(direction: Direction, bytes: number, act: () => void): void
  readonly closed: boolean
}

export interface FaultProxy {
  readonly url: string
  readonly port: number
  readonly links: Link[]
  /** While `true`, every dial is reset at once. */
  resetting: boolean
  /** Where dials go from now on; a function is asked for each. */
  target: number | (() => number)
}

/**
 * A TCP proxy to a port of 127.0.0.1 that makes the network bad in a chosen way, closed after the test with all its links.
 * @param onLink - Called for every connection before a byte of it travels: the place for faults that hit from the start.
 * @param random - A number in [0, 1), for jitter.
 */
export async function useFaultProxy(
  target: number,
  onLink: (link: Link, number: number) => void = () => undefined,
  random: () => number = Math.random
): Promise<FaultProxy> {
  const links: ProxyLink[] = []
  const server = createServer((client) => {
    if (proxy.resetting) return void client.on('error', () => undefined).resetAndDestroy()
    const link = new ProxyLink(client, connect(typeof proxy.target === 'function' ? proxy.target() : proxy.target, '127.0.0.1'), random)
    links.push(link)
    onLink(link, links.length)
  })
  const port = await listenOnLoopback(server)
  const proxy: FaultProxy = { url: `ws://127.0.0.1:${String(port)}/ws`, port, links, resetting: false, target }
  afterTest(() => {
    for (const link of links) link.cut('rst')
  })
  return proxy
}

class ProxyLink implements Link {
  readonly #pipes: Readonly<Record<Direction, Pipe>>
  readonly #sockets: readonly [client: Socket, server: Socket]
  #isCut = false

  constructor(client: Socket, server: Socket, random: () => number) {
    this.#sockets = [client, server]
    this.#pipes = { up: new Pipe(client, server, random), down: new Pipe(server, client, random) }
    for (const socket of this.#sockets) {
      socket.setNoDelay(true)
      socket.on('error', () => this.cut('rst'))
    }
  }

  get bytes(): Readonly<Record<Direction, number>> {
    return { up: this.#pipes.up.bytes, down: this.#pipes.down.bytes }
  }

  get closed(): boolean {
    return this.#sockets.every(({ destroyed }) => destroyed)
  }

  set(direction: Direction, fault: Fault): void {
    this.#pipes[direction].fault = fault
  }

  blackhole(): void {
    for (const direction of ['up', 'down'] as const) this.set(direction, { stall: true, lose: true })
  }

  after(direction: Direction, bytes: number, act: () => void): void {
    this.#pipes[direction].after(bytes, act)
  }

  cut(how: 'rst' | 'fin'): void {
    if (this.#isCut && how === 'fin') return
    this.#isCut = true
    for (const pipe of Object.values(this.#pipes)) pipe.drop()
    for (const socket of this.#sockets) {
      if (how === 'fin') socket.end()
      else if (socket.writableEnded) socket.destroy()
      // A reset of a socket that is about to send its end would leak its handle (Node 20).
      else if (!socket.destroyed) socket.resetAndDestroy()
    }
  }
}

/** One direction of a link. */
class Pipe {
  bytes = 0
  #fault: Fault = {}
  readonly #to: Socket
  readonly #random: () => number
  readonly #kept: (Buffer | undefined)[] = []
  /** Delayed pieces in their order: timers of different lengths that end together may fire in another one. */
  readonly #late: (Buffer | undefined)[] = []
  readonly #timers = new Set<NodeJS.Timeout>()
  #mark: { readonly at: number; readonly act: () => void } | undefined
  /** When the last piece is delivered: no later one may overtake it. */
  #lastAt = 0
  #offset = 0

  constructor(from: Socket, to: Socket, random: () => number) {
    this.#to = to
    this.#random = random
    from.on('data', (chunk: Buffer) => this.#take(chunk))
    // The end is a piece like any other: it waits behind what was delayed, and a black hole swallows it.
    from.on('end', () => this.#forward(undefined))
  }

  set fault(fault: Fault) {
    const resumed = this.#fault.stall && !fault.stall
    this.#fault = fault
    if (resumed) for (const chunk of this.#kept.splice(0)) this.#forward(chunk)
  }

  after(bytes: number, act: () => void): void {
    this.#mark = { at: bytes, act }
  }

  /** Forgets what was not yet delivered. */
  drop(): void {
    this.#kept.length = this.#late.length = 0
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  #take(chunk: Buffer): void {
    const mark = this.#mark
    const left = mark === undefined ? Infinity : mark.at - this.bytes
    if (mark === undefined || chunk.length < left) {
      this.bytes += chunk.length
      return this.#forward(chunk)
    }
    this.#mark = undefined
    this.bytes += left
    if (left > 0) this.#forward(chunk.subarray(0, left))
    mark.act()
    if (left < chunk.length) this.#take(chunk.subarray(left))
  }

  #forward(chunk: Buffer | undefined): void {
    const { stall, lose, delay = 0, jitter = 0 } = this.#fault
    if (stall) {
      if (!lose) this.#kept.push(chunk)
      return
    }
    const at = Math.max(this.#lastAt, performance.now() + delay + this.#random() * jitter)
    if (delay + jitter === 0 && this.#timers.size === 0) return this.#deliver(chunk)
    this.#lastAt = at
    this.#late.push(chunk)
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#deliver(this.#late.shift())
    }, at - performance.now())
    this.#timers.add(timer)
  }

  #deliver(chunk: Buffer | undefined): void {
    if (this.#to.destroyed) return
    if (chunk === undefined) return void this.#to.end()
    const { slice = chunk.length, corrupt } = this.#fault
    const bytes = corrupt ? chunk.map((byte, i) => corrupt(byte, this.#offset + i)) : chunk
    this.#offset += chunk.length
    for (let start = 0; start < bytes.length; start += slice) this.#to.write(bytes.subarray(start, start + slice))
  }
}
