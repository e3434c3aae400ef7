import { beat, knowsNoProbes, type HeartbeatPolicy, type Pulse } from './liveness.js'
import type { Clock } from '../lib/clock.js'

/** What a heartbeat beats for: one open socket, and the timer of its owner. */
export interface HeartbeatHost {
  readonly clock: Clock
  /** Inbound bytes so far, where the engine counts them. */
  bytesRead(): number | undefined
  /** Asks the server for a sign of life. */
  probe(): void
  /** The server is silent: asks for `busy`, as long as calls that are open now keep it from answering. */
  onSilence(): void
  /** Asks for `look` in `ms`, in place of an earlier wish; `Infinity` = never. */
  schedule(ms: number): void
  /** The server is gone. */
  die(): void
  /** The server answers no probes: from now on this heartbeat is silent. */
  onIgnored(): void
}

/** Notices a connection that died in silence (rules of behaviour 5 and 6); decides by `core/heartbeat.ts`. */
export class Heartbeat {
  readonly #policy: HeartbeatPolicy | false
  readonly #host: HeartbeatHost
  #heardAt = 0
  /** When the probe went out that nothing came in since; `undefined` if none is out. */
  #probedAt: number | undefined
  /** The same, until its own answer comes: for the latency. */
  #askedAt: number | undefined
  #bytesAtProbe: number | undefined
  #busy = false
  /** Whether the verdict waited a second time, for the calls that were made while it waited for the first ones. */
  #waited = false
  #ignored = 0
  #running = false
  /** Whether the next look is to be a probe. */
  #wanted = false

  /** @param policy - `false`: no beat at all. */
  constructor(policy: HeartbeatPolicy | false, host: HeartbeatHost) {
    this.#policy = policy
    this.#host = host
  }

  /** Whether calls that were open when the server fell silent wait for an answer. */
  set busy(busy: boolean) {
    const settled = this.#busy && !busy
    this.#busy = busy
    // The last call is settled and an old probe is still open: one fresh probe, with the full timeout, decides.
    if (settled && this.#running && this.#probedAt !== undefined) this.probe()
  }

  /** The connection is ready. */
  start(): void {
    this.#running = true
    this.#ignored = 0
    this.look(this.#host.clock.now(), Infinity)
  }

  /** The socket is gone, or not yet ready. */
  stop(): void {
    this.#running = this.#wanted = this.#waited = false
    this.#probedAt = this.#askedAt = undefined
  }

  /** Something came in: life, whatever it is. */
  hear(): void {
    this.#heardAt = this.#host.clock.now()
    this.#probedAt = undefined
    this.#waited = false
  }

  /** The answer to a probe came in. @returns Its latency in ms; `undefined` if none was asked for. */
  pong(): number | undefined {
    const askedAt = this.#askedAt
    this.#askedAt = undefined
    this.#ignored = 0
    this.hear()
    return askedAt === undefined ? undefined : this.#heardAt - askedAt
  }

  /** Asks for a sign of life in `ms`, whatever was heard meanwhile. */
  probeIn(ms: number): void {
    if (this.#policy === false) return
    this.#wanted = true
    this.#host.schedule(ms)
  }

  /** Asks for a sign of life now. */
  probe(): void {
    const policy = this.#policy
    this.#wanted = false
    if (policy === false || this.#noteIgnored(policy)) return
    if (this.#probedAt === undefined) this.#host.onSilence()
    this.#probedAt = this.#askedAt = this.#host.clock.now()
    this.#bytesAtProbe = this.#host.bytesRead()
    // An answer must not put off the next probe, so the next look comes after the shorter of the two.
    this.#host.schedule(Math.min(policy.timeout, policy.interval))
    this.#host.probe()
  }

  /** Looks at the pulse. @param dueAt - When this look was planned. */
  look(now: number, dueAt: number): void {
    if (this.#policy === false) return
    if (this.#wanted) return this.probe()
    // A part of a large message is life too.
    if (this.#probedAt !== undefined && this.#host.bytesRead() !== this.#bytesAtProbe) this.hear()
    const { action, nextAt } = beat(this.#pulse, this.#policy, now, dueAt)
    if (action === 'none') this.#host.schedule(nextAt - now)
    else if (action === 'probe' || this.#waitsAgain()) this.probe()
    else this.#host.die()
  }

  /** Whether calls were made since the first probe: they may keep the server as busy. Once, or a program that calls on and on hides a death. */
  #waitsAgain(): boolean {
    if (this.#waited) return false
    this.#waited = true
    this.#host.onSilence()
    return this.#busy
  }

  get #pulse(): Pulse {
    return { heardAt: this.#heardAt, probedAt: this.#probedAt, busy: this.#busy, ignored: this.#ignored }
  }

  /** Notes that the last probe had its time and was ignored, although the server spoke. @returns Whether probes are in vain. */
  #noteIgnored({ timeout }: HeartbeatPolicy): boolean {
    const askedAt = this.#askedAt
    // A server that works on a call reads no probe until it is done.
    if (askedAt !== undefined && this.#probedAt === undefined && !this.#busy && this.#host.clock.now() - askedAt >= timeout) {
      this.#askedAt = undefined
      this.#ignored++
      if (knowsNoProbes(this.#pulse)) this.#host.onIgnored()
    }
    return knowsNoProbes(this.#pulse)
  }
}
