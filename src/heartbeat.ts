import { beat, type HeartbeatPolicy } from './core/heartbeat.js'

/** What a heartbeat beats for: one open socket, and the timer of its owner. */
export interface HeartbeatHost {
  now(): number
  /** Inbound bytes so far, where the engine counts them. */
  bytesRead(): number | undefined
  /** Asks the server for a sign of life. */
  probe(): void
  /** Asks for `look` in `ms`, in place of an earlier wish; `Infinity` = never. */
  schedule(ms: number): void
  /** The server is gone. */
  die(): void
}

/** Notices a connection that died in silence (rules of behaviour 5 and 6); decides by `core/heartbeat.ts`. */
export class Heartbeat {
  readonly #policy: HeartbeatPolicy | false
  readonly #host: HeartbeatHost
  #heardAt = 0
  #probedAt: number | undefined
  #bytesAtProbe: number | undefined
  #busy = false
  #scheduled = false

  /** @param policy - `false`: no beat at all. */
  constructor(policy: HeartbeatPolicy | false, host: HeartbeatHost) {
    this.#policy = policy
    this.#host = host
  }

  /** Whether calls wait for an answer. */
  set busy(busy: boolean) {
    this.#busy = busy
    if (busy) return
    // The last call is settled and an old probe is still open: one fresh probe, with the full timeout, decides.
    if (this.#isProbing()) this.probe()
    else if (this.#probedAt !== undefined && !this.#scheduled) this.look(this.#host.now(), Infinity)
  }

  /** The connection is ready. */
  start(): void {
    this.look(this.#host.now(), Infinity)
  }

  /** The socket is gone, or not yet ready. */
  stop(): void {
    this.#probedAt = undefined
    this.#scheduled = false
  }

  /** Something came in. */
  hear(): void {
    this.#heardAt = this.#host.now()
  }

  /** The answer to a probe came in. @returns Its latency in ms; `undefined` if no probe was out. */
  pong(): number | undefined {
    this.hear()
    return this.#probedAt === undefined ? undefined : this.#heardAt - this.#probedAt
  }

  /** Asks for a sign of life now. */
  probe(): void {
    if (this.#policy === false) return
    this.#probedAt = this.#host.now()
    this.#bytesAtProbe = this.#host.bytesRead()
    this.#schedule(this.#policy.timeout)
    this.#host.probe()
  }

  /** Looks at the pulse. @param dueAt - When this look was planned. */
  look(now: number, dueAt: number): void {
    if (this.#policy === false) return
    // A part of a large message is life too.
    if (this.#isProbing() && this.#host.bytesRead() !== this.#bytesAtProbe) this.#heardAt = now
    const { action, nextAt } = beat({ heardAt: this.#heardAt, probedAt: this.#probedAt, busy: this.#busy }, this.#policy, now, dueAt)
    if (action === 'dead') this.#host.die()
    else if (action === 'probe') this.probe()
    else this.#schedule(nextAt - now)
  }

  #isProbing(): boolean {
    return this.#probedAt !== undefined && this.#heardAt <= this.#probedAt
  }

  #schedule(ms: number): void {
    this.#scheduled = ms < Infinity
    this.#host.schedule(ms)
  }
}
