import { ProtocolError } from '../errors.js'
import type { Clock } from '../lib/clock.js'
import type { Deadline } from '../lib/deadlines.js'
import { Pulse, type AwaitedCalls, type HeartbeatPolicy } from './liveness.js'

/** The connection that a heartbeat watches, and the timer of its owner. */
export interface HeartbeatHost {
  /** Time. */
  readonly clock: Clock
  /** Inbound bytes so far, where the engine counts them. */
  readonly bytesRead: number | undefined
  /** Lets `onDue` of this object be called in `ms`, in place of an earlier time; `Infinity`: never. */
  schedule(heartbeat: Heartbeat, ms: number): void
  /** Asks the server for a sign of life. */
  probe(): void
  /** The server is gone. */
  onDead(): void
  /** The heartbeat has to say something that belongs to no promise. */
  onError(error: Error): void
}

/** Notices a connection that died without a word. It acts; {@link Pulse} decides. */
export class Heartbeat implements Deadline {
  dueAt = 0
  heapIndex = -1
  readonly #pulse: Pulse | undefined
  readonly #host: HeartbeatHost
  readonly #hintPause: number
  #isRunning = false
  /** Whether the next look is to be a probe, whatever was heard. */
  #isHinted = false
  #triedAt = 0

  /**
   * @param policy - `false`: the heartbeat does nothing.
   * @param hintPause - Hints cause at most one probe in this time, in ms.
   */
  constructor(policy: HeartbeatPolicy | false, calls: AwaitedCalls, hintPause: number, host: HeartbeatHost) {
    this.#pulse = policy === false ? undefined : new Pulse(policy, calls)
    this.#hintPause = hintPause
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
    this.#host.schedule(this, Infinity)
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

  /** Takes a hint that the network or the page woke up: asks for a sign of life soon. */
  hint(): void {
    if (!this.#isRunning || !this.#pulse) return
    this.#isHinted = true
    this.#host.schedule(this, Math.max(0, this.#triedAt + this.#hintPause - this.#host.clock.now()))
  }

  /** The time that was asked for by `schedule` has come. */
  onDue(now: number): void {
    if (this.#isHinted) this.#probe()
    else this.#look(now, this.dueAt)
  }

  #look(now: number, dueAt: number): void {
    const beat = this.#pulse?.look(now, dueAt, this.#host.bytesRead)
    if (beat?.action === 'rest') this.#host.schedule(this, beat.until - now)
    else if (beat?.action === 'probe') this.#probe()
    else if (beat) this.#host.onDead()
  }

  #probe(): void {
    this.#isHinted = false
    const now = this.#host.clock.now()
    const wasIgnored = this.#pulse?.ignoresProbes
    const lookAt = this.#pulse?.probe(now, this.#host.bytesRead)
    if (lookAt !== undefined) {
      this.#triedAt = now
      this.#host.schedule(this, lookAt - now)
      this.#host.probe()
    } else if (!wasIgnored) this.#host.onError(ignoredError())
  }
}

const ignoredError = (): ProtocolError =>
  new ProtocolError(
    'INVALID_RESPONSE',
    'the server sends messages, but responds to no probe: the heartbeat is off for the rest of this connection',
    { hint: 'If the connection dies, only a request that times out will notice. To expect that from the start, set heartbeat: false.' }
  )
