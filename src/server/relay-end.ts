import { isObject } from '../lib/is-object.js'
import type { Due, SharedTimer } from '../lib/shared-timer.js'
import { SERVICE_RESTART } from '../wire/close-reasons.js'
import { isControl, readClientControl, type OpenFrame, type ResumeFailure } from '../wire/resume-frames.js'
import type { Metrics } from './metrics.js'

// A relay connects a client to its session at another node. The outer end is at the node that has the client's socket, the inner end at the
// node that has the session, and each passes on every frame. The texts between them may get lost, so each direction is numbered, and a gap
// ends the relay: the client comes back and resumes.

/** What one end of a relay tells the other. */
export type Part =
  /** The first part of all: the client's open frame, and the user that the socket belongs to. */
  | { readonly open: string; readonly principal: string }
  /** A frame. */
  | { readonly text: string }
  /** The session is not resumed: the outer node has to begin a new session. */
  | { readonly reason: ResumeFailure; readonly delivered: number | null }
  /** This end is closed; 1006: without a closing handshake. */
  | { readonly close: number; readonly words: string }
  /** Says nothing, but its number shows whether everything before it has arrived. */
  | { readonly check: true }

/** What is sent: a part, or a piece of the JSON of a long part. */
export interface Envelope {
  /** Name of the relay. */
  readonly relay: string
  /** The node that sends it. */
  readonly node: string
  /** Number of the envelope in its direction, from 1. */
  readonly n: number
  /** `undefined` for a piece. A node of version 1.0 takes a piece for a lost envelope, and then the client comes back. */
  readonly part?: Part
  /** The next piece of the JSON of the part. */
  readonly piece?: string
  /** Whether the piece is the last one of its part. */
  readonly isLast?: boolean
}

/** How an end of a relay sends. */
export interface RelayConfig {
  /** Tells an end when to send a check, and that the other end is silent. */
  readonly timer: SharedTimer
  /** Counts the links that are cut. */
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

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

// The members of a part are not checked: they come from a server of the same owner.
const isPart = (value: unknown): value is Part => isObject(value)

function isEnvelope(value: unknown): value is Envelope {
  if (!isObject(value)) return false
  const { relay, node, n, part, piece } = value
  const hasCargo = isPart(part) || typeof piece === 'string'
  return typeof relay === 'string' && typeof node === 'string' && Number.isSafeInteger(n) && hasCargo
}

/** Reads what another node has sent. @returns `undefined` for anything that is no part of a relay. */
export function readEnvelope(text: string): Envelope | undefined {
  const value = parse(text)
  return isEnvelope(value) ? value : undefined
}

/** The open frame of the first part of a relay. @returns `undefined` for any other part. */
export function readOpening(part: Part): { readonly open: OpenFrame; readonly principal: string } | undefined {
  if (!('open' in part) || !isControl(part.open)) return undefined
  const frame = readClientControl(part.open)
  return frame?.['mcp.resume'] === 'open' ? { open: frame, principal: part.principal } : undefined
}

// In ms. A check follows the last part after this time. If the part got lost, that shows it; a next part might never come.
const CHECK_AFTER = 1000
// In ms, between the checks of an end that has nothing else to send.
const CHECK_EVERY = 5000
// In ms. An end from which nothing came for so long, not even a check, is gone.
const SILENT_FOR = 12_000
/** The last part of an end that has lost the other one, or that does not know the relay. */
export const BROKEN: Extract<Part, { readonly close: number }> = { close: SERVICE_RESTART, words: 'the session cannot be reached' }

// In UTF-16 code units, both. Redis drops a subscriber for which 32 MB wait, and then the node hears nothing at all. So a long part travels
// in pieces, and what one relay has on its way is bounded. The commands of all others wait behind it, too.
const PIECE = 2 ** 20
const WINDOW = 2 ** 20

/** Is told what happens to an end of a relay. */
export interface RelayEndListener {
  /** A part came in. They come in their order. */
  readonly onPart: (part: Part) => void
  /** The two ends have lost each other. Called once. */
  readonly onBroken: () => void
  /** Nothing waits any more: see {@link RelayEnd.waiting}. */
  readonly onDrain?: () => void
}

/** One end of a relay: numbers what it sends, and notices what is missing of what comes in. */
export class RelayEnd {
  readonly #names: RelayNames
  readonly #config: RelayConfig
  readonly #listener: RelayEndListener
  #sent = 0
  #received = 0
  #isOver = false
  /** Parts that were not sent yet, as JSON. A Set, because removing the first of many elements of an array is slow. */
  readonly #queue = new Set<{ readonly json: string; next: number }>()
  #waiting = 0
  /** How much was sent and not yet confirmed by the store, in UTF-16 code units. */
  #onWay = 0
  /** The pieces of a part that came in so far. */
  #pieces = ''
  /** Whether the next check is the one that follows a part. */
  #isCheckSoon = false
  readonly #check: Due = { dueAt: 0, slot: -1, onDue: () => this.#onCheck() }
  readonly #silence: Due = { dueAt: 0, slot: -1, onDue: () => this.#break() }

  constructor(names: RelayNames, config: RelayConfig, listener: RelayEndListener) {
    this.#names = names
    this.#config = config
    this.#listener = listener
  }

  /** Whether nothing more goes out or comes in. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** How much waits because the store has not answered yet, in UTF-16 code units. */
  get waiting(): number {
    return this.#waiting
  }

  /**
   * Sends the first part.
   * @param within - How long the other end may take to answer, in ms.
   * @returns Whether somebody was there to take it.
   * @throws If the store cannot be reached.
   */
  ask(part: Part, within: number): Promise<boolean> {
    this.#config.timer.set(this.#silence, within)
    return this.#post(`"part":${JSON.stringify(part)}`)
  }

  /** Sends a part, once there is room. If nobody takes it, the relay is broken. */
  send(part: Part): void {
    if (this.#isOver) return
    if (!this.#isCheckSoon) this.#config.timer.set(this.#check, CHECK_AFTER)
    this.#isCheckSoon = true
    const json = JSON.stringify(part)
    this.#waiting += json.length
    this.#queue.add({ json, next: 0 })
    this.#sendWaiting(WINDOW)
  }

  /** Sends the last part, behind all that waits. */
  end(part: Part): void {
    if (this.#isOver) return
    this.#sendWaiting(Infinity)
    this.abort(part)
  }

  /** Sends the last part at once: what waits is dropped, and sent again when the client is back. */
  abort(part: Part): void {
    if (this.#isOver) return
    this.#post(`"part":${JSON.stringify(part)}`).catch(() => undefined)
    this.forget()
  }

  /** Ends without a word. */
  forget(): void {
    this.#isOver = true
    this.#queue.clear()
    this.#waiting = 0
    this.#pieces = ''
    this.#config.timer.clear(this.#check)
    this.#config.timer.clear(this.#silence)
  }

  /** Takes what the other end has sent. */
  take({ n, part, piece = '', isLast }: Envelope): void {
    if (this.#isOver) return
    if (n !== ++this.#received) return this.#break()
    const { timer } = this.#config
    timer.set(this.#silence, SILENT_FOR)
    if (!timer.has(this.#check)) timer.set(this.#check, CHECK_EVERY)
    if (part === undefined) return this.#takePiece(piece, isLast === true)
    if (!('check' in part)) this.#listener.onPart(part)
  }

  #takePiece(piece: string, isLast: boolean): void {
    this.#pieces += piece
    if (!isLast) return
    const part = parse(this.#pieces)
    this.#pieces = ''
    if (isPart(part)) this.#listener.onPart(part)
    else this.#break()
  }

  #sendWaiting(window: number): void {
    for (const part of this.#queue) {
      while (part.next < part.json.length) {
        if (this.#onWay >= window) return
        this.#sendNext(part)
      }
      this.#queue.delete(part)
    }
  }

  #sendNext(part: { readonly json: string; next: number }): void {
    const { json, next } = part
    const piece = json.slice(next, next + PIECE)
    part.next += piece.length
    this.#waiting -= piece.length
    const isLast = part.next === json.length
    this.#postOrBreak(piece === json ? `"part":${json}` : `"piece":${JSON.stringify(piece)},"isLast":${String(isLast)}`)
  }

  #onCheck(): void {
    this.#isCheckSoon = false
    this.#config.timer.set(this.#check, CHECK_EVERY)
    this.#postOrBreak('"part":{"check":true}')
  }

  #postOrBreak(cargo: string): void {
    this.#onWay += cargo.length
    this.#post(cargo).then(
      (isTaken) => {
        this.#onWay -= cargo.length
        if (isTaken) this.#onAnswer()
        else this.#break()
      },
      () => this.#break()
    )
  }

  #onAnswer(): void {
    if (this.#queue.size === 0) return
    this.#sendWaiting(WINDOW)
    if (this.#queue.size === 0) this.#listener.onDrain?.()
  }

  /** @param cargo - The last members of the envelope: no part is made JSON twice. */
  #post(cargo: string): Promise<boolean> {
    const { relay, from, to } = this.#names
    const start = JSON.stringify({ relay, node: from, n: ++this.#sent } satisfies Envelope)
    return this.#config.send(to, `${start.slice(0, -1)},${cargo}}`)
  }

  #break(): void {
    if (this.#isOver) return
    this.abort(BROKEN)
    this.#listener.onBroken()
  }
}
