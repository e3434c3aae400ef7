import { isObject } from '../lib/is-object.js'
import type { Due, SharedTimer } from '../lib/shared-timer.js'
import { SERVICE_RESTART } from '../wire/close-reasons.js'
import { isControl, readClientControl, type OpenFrame, type ResumeFailure } from '../wire/resume-frames.js'
import { RESUME_SUBPROTOCOL } from '../wire/subprotocol.js'
import type { Metrics } from './metrics.js'
import type { LinkListener, PeerLink } from './peer-link.js'
import type { CutReason } from './types.js'

// A client has come to another node than the one that has its session: its node, the outer end, passes each frame on to the inner end, at
// the node of the session. The texts between them may get lost, so each direction is numbered, and a gap ends the relay: the client
// comes back and resumes.

/** What one end of a relay tells the other. */
export type Part =
  /** The first part of all: the client's open frame, and the user that the socket belongs to. */
  | { readonly open: string; readonly principal: string }
  /** A frame. */
  | { readonly text: string }
  /** The session is not resumed: the outer node has to begin a new one. */
  | { readonly reason: ResumeFailure; readonly delivered: number | null }
  /** This end is closed; 1006: without a closing handshake. */
  | { readonly close: number; readonly words: string }
  /** Nothing: its number shows whether what came before has arrived. */
  | { readonly check: true }

/** A part on its way. */
interface Envelope {
  /** Name of the relay. */
  readonly relay: string
  /** The node that sends it. */
  readonly node: string
  /** Number of the part in its direction, from 1. */
  readonly n: number
  readonly part: Part
}

/** How an end of a relay sends. */
export interface RelayConfig {
  /** Tells an end when to send a check, and that the other end is silent. */
  readonly timer: SharedTimer
  /** Where a link counts that is cut. */
  readonly metrics: Metrics
  /** Sends a text to a node. @returns Whether somebody was there to take it. */
  readonly send: (node: string, text: string) => Promise<boolean>
}

/** Names both ends of a relay. */
export interface RelayNames {
  /** Name of the relay. */
  readonly relay: string
  /** This node. */
  readonly from: string
  /** The other node. */
  readonly to: string
}

/** Reads what another node has sent. @returns `undefined` for anything that is no part of a relay. */
export function readEnvelope(text: string): Envelope | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(value)) return undefined
  const { relay, node, n, part } = value
  const isValid = typeof relay === 'string' && typeof node === 'string' && Number.isSafeInteger(n) && isObject(part)
  return isValid ? (value as unknown as Envelope) : undefined
}

/** The open frame of the first part of a relay. @returns `undefined` for any other part. */
export function readOpening(part: Part): { readonly open: OpenFrame; readonly principal: string } | undefined {
  if (!('open' in part) || !isControl(part.open)) return undefined
  const frame = readClientControl(part.open)
  return frame?.['mcp.resume'] === 'open' ? { open: frame, principal: part.principal } : undefined
}

// In ms. A last part that got lost is noticed after that, and not only with the next one, which may never come.
const CHECK_AFTER = 1000
// In ms, between the checks of an end that has nothing to say.
const CHECK_EVERY = 5000
// In ms. An end from which nothing came for so long, not even a check, is gone.
const SILENT_FOR = 12_000
/** What an end says that has lost the other one, or does not know it. */
export const BROKEN: Extract<Part, { readonly close: number }> = { close: SERVICE_RESTART, words: 'the session cannot be reached' }

/** One end of a relay: numbers what it sends, and notices what is missing of what comes in. */
export class RelayEnd {
  readonly #names: RelayNames
  readonly #config: RelayConfig
  readonly #onPart: (part: Part) => void
  readonly #onBroken: () => void
  #sent = 0
  #received = 0
  #isOver = false
  /** Whether the next check is that of a part. */
  #isCheckSoon = false
  readonly #check: Due = { dueAt: 0, slot: -1, onDue: () => this.#onCheck() }
  readonly #silence: Due = { dueAt: 0, slot: -1, onDue: () => this.#break() }

  /**
   * @param onPart - Called with each part, in order.
   * @param onBroken - Called once, if the two ends have lost each other.
   */
  constructor(names: RelayNames, config: RelayConfig, onPart: (part: Part) => void, onBroken: () => void) {
    this.#names = names
    this.#config = config
    this.#onPart = onPart
    this.#onBroken = onBroken
  }

  /** Whether nothing more goes out or comes in. */
  get isOver(): boolean {
    return this.#isOver
  }

  /**
   * Sends the first part.
   * @param within - How long the other end may take to answer, in ms.
   * @returns Whether somebody was there to take it.
   * @throws If the store cannot be reached.
   */
  ask(part: Part, within: number): Promise<boolean> {
    this.#config.timer.set(this.#silence, within)
    return this.#post(part)
  }

  /** Sends a part. If nobody takes it, the relay is broken. */
  send(part: Part): void {
    if (this.#isOver) return
    if (!this.#isCheckSoon) this.#config.timer.set(this.#check, CHECK_AFTER)
    this.#isCheckSoon = true
    this.#postOrBreak(part)
  }

  /** Sends the last part. */
  end(part: Part): void {
    if (this.#isOver) return
    this.#post(part).catch(() => undefined)
    this.forget()
  }

  /** Ends without a word. */
  forget(): void {
    this.#isOver = true
    this.#config.timer.clear(this.#check)
    this.#config.timer.clear(this.#silence)
  }

  /** Takes what the other end has sent. */
  take(n: number, part: Part): void {
    if (this.#isOver) return
    if (n !== ++this.#received) return this.#break()
    const { timer } = this.#config
    timer.set(this.#silence, SILENT_FOR)
    if (!timer.has(this.#check)) timer.set(this.#check, CHECK_EVERY)
    if (!('check' in part)) this.#onPart(part)
  }

  #onCheck(): void {
    this.#isCheckSoon = false
    this.#config.timer.set(this.#check, CHECK_EVERY)
    this.#postOrBreak({ check: true })
  }

  #postOrBreak(part: Part): void {
    this.#post(part).then(
      (isTaken) => {
        if (!isTaken) this.#break()
      },
      () => this.#break()
    )
  }

  #post(part: Part): Promise<boolean> {
    const { relay, from, to } = this.#names
    const envelope: Envelope = { relay, node: from, n: ++this.#sent, part }
    return this.#config.send(to, JSON.stringify(envelope))
  }

  #break(): void {
    if (this.#isOver) return
    this.end(BROKEN)
    this.#onBroken()
  }
}

/** The inner end: the client's socket, as the session sees it. */
export class RelayLink implements PeerLink {
  readonly #end: RelayEnd
  readonly #config: RelayConfig
  readonly #onGone: () => void
  #listener: LinkListener | undefined

  /** @param onGone - Called once, when the relay is over. */
  constructor(names: RelayNames, config: RelayConfig, onGone: () => void) {
    this.#config = config
    this.#onGone = onGone
    this.#end = new RelayEnd(
      names,
      config,
      (part) => this.#onPart(part),
      () => this.#finish(1006)
    )
  }

  get subprotocol(): string {
    return RESUME_SUBPROTOCOL
  }

  get isOpen(): boolean {
    return !this.#end.isOver
  }

  /** Takes what the outer end has sent. */
  take(n: number, part: Part): void {
    this.#end.take(n, part)
  }

  listen(listener: LinkListener | undefined): void {
    this.#listener = listener
  }

  resume(): void {
    // The session keeps what its transport does not want yet.
  }

  send(text: string): Promise<void> {
    this.#end.send({ text })
    return Promise.resolve()
  }

  sendControl(text: string): void {
    this.#end.send({ text })
  }

  goAway(): void {
    // Only a session says it.
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
    void this.close(reason === 'failed' ? 1011 : 1013, '')
  }

  terminate(): void {
    void this.close(1006, '')
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

/** How the outer end of a relay is done with it. */
export interface OuterEvents {
  /** The session is not resumed: a new one has to begin on this node. */
  readonly onRefused: (reason: ResumeFailure, delivered: number | null) => void
  /** The relay is over. Called once. */
  readonly onGone: () => void
}

/** The outer end: passes frames between a client's socket and the node that has its session. */
export class RelayedSocket {
  readonly #link: PeerLink
  readonly #end: RelayEnd
  readonly #events: OuterEvents
  /** Whether the socket is closed, or about to close. */
  #isHungUp = false

  constructor(link: PeerLink, names: RelayNames, config: RelayConfig, events: OuterEvents) {
    this.#link = link
    this.#events = events
    this.#end = new RelayEnd(
      names,
      config,
      (part) => this.#onPart(part),
      () => this.#hangUp(BROKEN.close, BROKEN.words)
    )
  }

  /**
   * Asks the other node for the session.
   * @param within - How long it may take to answer, in ms.
   * @returns Whether that node was there; if not, the socket is the caller's again.
   * @throws If the store cannot be reached.
   */
  async open(opening: Part, within: number): Promise<boolean> {
    this.#link.listen({
      onText: (text) => this.#end.send({ text }),
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
  take(n: number, part: Part): void {
    this.#end.take(n, part)
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
    // It is kept by the session: should the socket end, it is sent again.
    else this.#link.send(text, false).catch(() => undefined)
  }

  #giveBack(): void {
    this.#end.forget()
    this.#leave()
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
