import type { ControlFrame, HelloFrame, OpenFrame } from '../../../src/wire/resume-frames.js'
import { isControl, readClientControl, readServerControl } from '../../../src/wire/resume-frames.js'
import type { Ledger } from './ledger.js'

// A session is given up after so many sockets that ended without any progress.
const POISON = 3
// Timers count whole milliseconds.
const EARLY = 5

/** Counts how often a number came again. */
class Standstill {
  times = 0
  #last = -1

  note(count: number): void {
    this.times = count === this.#last ? this.times + 1 : 0
    this.#last = count
  }
}

/** Reads the control frames of one client, and holds both ends to what they say of its session. */
export class Witness {
  readonly #name: string
  readonly #ledger: Ledger
  #open: OpenFrame | undefined
  #hello: HelloFrame | undefined
  /** Whether the socket is past its hello frame. */
  #isAttached = false
  /** Data frames that came in this session. */
  #received = 0
  #tail = 0
  #generation = 0
  /** The last generation that the server has answered: of a later one it may know nothing. */
  #served = 0
  /** How many frames the server has received. */
  #acknowledged = 0
  readonly #up = new Standstill()
  readonly #down = new Standstill()
  #awaySince = Infinity

  constructor(name: string, ledger: Ledger) {
    this.#name = name
    this.#ledger = ledger
    ledger.addDoubt(name, () => this.#doubt)
  }

  /** The session that the client has, for whoever wants to take it. */
  get sniffed(): { readonly session: string; readonly epoch: string; readonly generation: number } | undefined {
    return this.#hello && { session: this.#hello.session, epoch: this.#hello.epoch, generation: this.#served }
  }

  onFrame(direction: 'in' | 'out', text: string): void {
    if (direction === 'out') return isControl(text) ? this.#onOut(readClientControl(text)) : undefined
    if (isControl(text)) return this.#onIn(readServerControl(text))
    if (!this.#isAttached) return
    if (this.#tail > 0) this.#tail--
    else this.#received++
  }

  /** @param isReady - Whether the client has its connection. */
  onState(isReady: boolean): void {
    if (isReady) this.#awaySince = Infinity
    else this.#awaySince = Math.min(this.#awaySince, performance.now())
    if (!isReady) this.#isAttached = false
  }

  #onOut(frame: ControlFrame | undefined): void {
    if (frame?.['mcp.resume'] !== 'open') return
    this.#isAttached = false
    this.#ledger.sessionAsked(this.#name)
    if (frame.generation <= this.#generation) this.#violate(`generation ${String(frame.generation)} came again`)
    this.#generation = frame.generation
    this.#open = frame
    if (frame.session === null) return
    if (frame.session !== this.#hello?.session) this.#violate('asked for a session that it does not have')
    if (frame.received !== this.#received)
      this.#violate(`says that ${String(frame.received)} frames came, and it were ${String(this.#received)}`)
    this.#up.note(this.#acknowledged)
    this.#down.note(frame.received)
  }

  #onIn(frame: ControlFrame | undefined): void {
    if (frame?.['mcp.resume'] === 'hello') return this.#onHello(frame)
    if (frame && 'received' in frame && this.#isAttached) this.#acknowledged = frame.received
  }

  #onHello(hello: HelloFrame): void {
    const open = this.#open
    if (this.#isAttached || !open) return
    this.#isAttached = true
    this.#served = open.generation
    const { resumed, session, reason, delivered, tail = 0 } = hello
    this.#ledger.count(resumed ? 'resumed' : `new session ${reason ?? ''}`.trim())
    this.#ledger.note(`${this.#name} hello: ${JSON.stringify({ resumed, reason, received: hello.received, delivered, tail })}`)
    if (resumed) {
      if (session !== open.session || hello.epoch !== open.epoch) this.#violate('got another session than it had asked for')
      if (hello.received < this.#acknowledged) this.#violate('the server takes back what it had acknowledged')
      this.#acknowledged = hello.received
      return
    }
    if (open.session !== null) this.#ledger.lost(this.#name, reason ?? 'no reason')
    if (session === open.session) this.#violate('a new session has the name of the old one')
    this.#hello = hello
    this.#received = 0
    this.#acknowledged = 0
    this.#tail = tail
    this.#ledger.sessionBegan(this.#name)
  }

  /** Why the session may end now that neither the weather nor the server has told. */
  get #doubt(): string | undefined {
    if (this.#up.times >= POISON || this.#down.times >= POISON) return 'no progress over many sockets'
    if (this.#hello && performance.now() - this.#awaySince >= 2 * this.#hello.ttlMs - EARLY) return 'the client was away too long'
    return undefined
  }

  #violate(text: string): void {
    if (!this.#ledger.isExcused(this.#name)) this.#ledger.violate(`${this.#name}: ${text}`)
  }
}
