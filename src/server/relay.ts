import { isControl, type ResumeFailure } from '../wire/resume-frames.js'
import { RESUME_SUBPROTOCOL } from '../wire/subprotocol.js'
import type { LinkListener, PeerLink } from './peer-link.js'
import { BROKEN, RelayEnd, type Envelope, type Part, type RelayConfig, type RelayNames } from './relay-end.js'
import type { CutReason } from './types.js'

// In UTF-16 code units: a limit for control frames, the same as for a socket. The session itself limits its messages.
const MOST_WAITING = 2 ** 24

/** The inner end of a relay: for the session it is the client's socket. */
export class RelayLink implements PeerLink {
  readonly #end: RelayEnd
  readonly #config: RelayConfig
  readonly #onGone: () => void
  #listener: LinkListener | undefined

  /** @param onGone - Called once, when the relay is over. */
  constructor(names: RelayNames, config: RelayConfig, onGone: () => void) {
    this.#config = config
    this.#onGone = onGone
    this.#end = new RelayEnd(names, config, { onPart: (part) => this.#onPart(part), onBroken: () => this.#finish(1006) })
  }

  get subprotocol(): string {
    return RESUME_SUBPROTOCOL
  }

  get isOpen(): boolean {
    return !this.#end.isOver
  }

  /** Takes what the outer end has sent. */
  take(envelope: Envelope): void {
    this.#end.take(envelope)
  }

  listen(listener: LinkListener | undefined): void {
    this.#listener = listener
  }

  resume(): void {
    // The session keeps what its transport does not want yet.
  }

  pause(): void {
    // The outer end stops reading by itself.
  }

  send(text: string): Promise<void> {
    this.#end.send({ text })
    return Promise.resolve()
  }

  sendControl(text: string): void {
    // A client may cause any number of control frames.
    if (this.#end.waiting > MOST_WAITING) this.cut('slow-reader')
    else this.#end.send({ text })
  }

  goAway(): void {
    // Only a session says that it is about to close.
  }

  /** The session is not resumed: the outer node has to begin a new one. */
  refuse(reason: ResumeFailure, delivered: number | null): void {
    this.#end.end({ reason, delivered })
    this.#onGone()
  }

  close(code: number, words: string): Promise<void> {
    this.#end.end({ close: code, words })
    this.#finish(code)
    return Promise.resolve()
  }

  cut(reason: CutReason): void {
    this.#config.metrics.connectionsCut[reason]++
    this.#abort(reason === 'failed' ? 1011 : 1013)
  }

  terminate(): void {
    this.#abort(1006)
  }

  #abort(code: number): void {
    this.#end.abort({ close: code, words: '' })
    this.#finish(code)
  }

  #onPart(part: Part): void {
    if ('text' in part) this.#listener?.onText(part.text, Buffer.byteLength(part.text))
    if (!('close' in part)) return
    this.#end.forget()
    this.#finish(part.close)
  }

  #finish(code: number): void {
    const listener = this.#listener
    this.#listener = undefined
    this.#onGone()
    listener?.onEnd(code)
  }
}

/** How the outer end of a relay ends. */
export interface OuterEvents {
  /** The session is not resumed: a new one has to begin on this node. */
  readonly onRefused: (reason: ResumeFailure, delivered: number | null) => void
  /** The relay is over. Called once. */
  readonly onGone: () => void
}

/** The outer end of a relay: passes frames between a client's socket and the node that has its session. */
export class RelayedSocket {
  readonly #link: PeerLink
  readonly #end: RelayEnd
  readonly #events: OuterEvents
  /** Whether the socket is closed, or about to close. */
  #isHungUp = false

  constructor(link: PeerLink, names: RelayNames, config: RelayConfig, events: OuterEvents) {
    this.#link = link
    this.#events = events
    this.#end = new RelayEnd(names, config, {
      onPart: (part) => this.#onPart(part),
      onBroken: () => this.#hangUp(BROKEN.close, BROKEN.words),
      onDrain: () => link.resume()
    })
  }

  /**
   * Asks the other node for the session.
   * @param within - How long it may take to answer, in ms.
   * @returns Whether that node was there; if not, the socket is the caller's again.
   * @throws If the store cannot be reached.
   */
  async open(opening: Part, within: number): Promise<boolean> {
    this.#link.listen({
      onText: (text) => {
        this.#end.send({ text })
        // A client that sends faster than the store answers would fill the memory, and all others would wait behind it.
        if (this.#end.waiting > 0) this.#link.pause()
      },
      onError: () => undefined,
      onEnd: (code) => {
        this.#end.end({ close: code, words: '' })
        this.#isHungUp = true
        this.#leave()
      }
    })
    let isTaken = false
    try {
      isTaken = await this.#end.ask(opening, within)
    } finally {
      if (!isTaken && !this.#end.isOver) this.#giveBack()
    }
    return isTaken || this.#isHungUp
  }

  /** Takes what the inner end has sent. */
  take(envelope: Envelope): void {
    this.#end.take(envelope)
  }

  /** Ends the relay and its socket. The client comes back. */
  close(code: number, words: string): void {
    this.#end.end({ close: code, words })
    this.#hangUp(code, words)
  }

  #onPart(part: Part): void {
    if ('text' in part) return this.#pass(part.text)
    if ('close' in part) {
      this.#end.forget()
      return this.#hangUp(part.close, part.words)
    }
    this.#giveBack()
    if ('reason' in part) this.#events.onRefused(part.reason, part.delivered)
  }

  #pass(text: string): void {
    if (isControl(text)) this.#link.sendControl(text)
    // The session keeps it: if the socket ends, it is sent again.
    else this.#link.send(text, false).catch(() => undefined)
  }

  #giveBack(): void {
    this.#end.forget()
    this.#leave()
    this.#link.resume()
  }

  #hangUp(code: number, words: string): void {
    this.#isHungUp = true
    this.#leave()
    if (code === 1006) this.#link.terminate()
    else void this.#link.close(code, words)
  }

  #leave(): void {
    this.#link.listen(undefined)
    this.#events.onGone()
  }
}
