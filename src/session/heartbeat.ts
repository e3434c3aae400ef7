import type { Connection } from '../connection/connection.js'
import { ProtocolError } from '../errors.js'
import type { Clock } from '../lib/clock.js'
import type { Due, SharedTimer } from '../lib/shared-timer.js'
import { Pulse, type AwaitedCalls, type HeartbeatPolicy } from './liveness.js'

/** What a heartbeat needs. */
export interface HeartbeatHost {
  /** The connection that it watches. */
  readonly connection: Connection
  /** The timer of its owner. */
  readonly timer: SharedTimer
  /** Time. */
  readonly clock: Clock
  /** In ms: within this time, hints cause at most one probe. */
  readonly hintPause: number
  /** Asks the server for a sign of life by a request: not every engine can send a ping frame. @returns Whether it may be asked. */
  probe(): boolean
  /** Something went wrong that belongs to no promise. */
  onError(error: Error): void
}

/** Notices a connection that died silently. It acts; {@link Pulse} decides. */
export class Heartbeat implements Due {
  dueAt = 0
  slot = -1
  readonly #pulse: Pulse | undefined
  readonly #host: HeartbeatHost
  #isRunning = false
  /** Whether the next look is to be a probe, whatever was heard. */
  #isHinted = false
  #triedAt = 0

  /** @param policy - `false`: the heartbeat does nothing. @param calls - The calls that the verdict waits for. */
  constructor(policy: HeartbeatPolicy | false, calls: AwaitedCalls, host: HeartbeatHost) {
    this.#pulse = policy === false ? undefined : new Pulse(policy, calls)
    this.#host = host
  }

  /** The connection is ready. */
  start(): void {
    const now = this.#host.clock.now()
    this.#isRunning = true
    this.#triedAt = now
    this.#pulse?.begin(now)
    this.#look(now, Infinity)
  }

  /** The connection is no longer ready. */
  stop(): void {
    this.#isRunning = this.#isHinted = false
    this.#host.timer.clear(this)
  }

  /** Something came in, whatever it is. */
  onHeard(): void {
    this.#pulse?.heard(this.#host.clock.now())
  }

  /** The response to a probe came in. @returns Its latency in ms, if a probe was out. */
  onResponse(): number | undefined {
    return this.#pulse?.responded(this.#host.clock.now())
  }

  /** The last of the calls that the verdict waited for is settled: one fresh probe, with the full `timeout`, decides. */
  onCallsSettled(): void {
    if (this.#isRunning && this.#pulse?.isProbing) this.#probe()
  }

  /**
   * Takes a hint that the network or the page woke up, or that the network is gone: asks for a sign of life.
   * @param pause - In ms: within this time, hints cause at most one probe.
   */
  hint(pause: number = this.#host.hintPause): void {
    if (!this.#isRunning || !this.#pulse) return
    this.#isHinted = true
    this.#host.timer.set(this, Math.max(0, this.#triedAt + pause - this.#host.clock.now()))
  }

  onDue(now: number): void {
    if (this.#isHinted) this.#probe()
    else this.#look(now, this.dueAt)
  }

  #look(now: number, dueAt: number): void {
    const beat = this.#pulse?.look(now, dueAt, this.#host.connection.bytesRead)
    if (beat?.action === 'rest') this.#host.timer.set(this, beat.until - now)
    else if (beat?.action === 'probe') this.#probe()
    else if (beat) this.#host.connection.drop({ kind: 'heartbeat', code: 1006, wasClean: false })
  }

  #probe(): void {
    this.#isHinted = false
    const now = this.#host.clock.now()
    const wasIgnored = this.#pulse?.ignoresProbes
    const lookAt = this.#pulse?.probe(now, this.#host.connection.bytesRead)
    if (lookAt !== undefined) {
      this.#triedAt = now
      this.#host.timer.set(this, lookAt - now)
      // If there is no way to ask, silence proves nothing: the probe counts as answered.
      if (!this.#host.connection.ping() && !this.#host.probe()) this.onResponse()
    } else if (!wasIgnored) this.#host.onError(ignoredError())
  }
}

const ignoredError = (): ProtocolError =>
  new ProtocolError(
    'INVALID_RESPONSE',
    'the server sends messages, but responds to no probe: the heartbeat is off for the rest of this connection',
    { hint: 'If the connection dies, only a request that times out will notice. To send no probes at all, set heartbeat: false.' }
  )
