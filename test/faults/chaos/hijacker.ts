import { WebSocket } from 'ws'
import { isControl, readServerControl, type HelloFrame } from '../../../src/wire/resume-frames.js'
import { pause } from '../../helpers/pause.js'
import type { Ledger } from './ledger.js'
import type { Random } from './random.js'

/** A session that somebody has seen in a log. */
export interface Sniffed {
  readonly name: string
  readonly session: string
  readonly epoch: string
  readonly generation: number
}

const ABSURD = [0, 1, 7, Number.MAX_SAFE_INTEGER, -1, 0.5] as const
const LIMITS = { messages: 256, bytes: 1 << 20 }
const OVER = ['expired', 'overflow', 'protocol']
/** What no client begins with. */
const NONSENSE = [
  'no JSON',
  '{"jsonrpc":"2.0","id":1,"method":"ping"}',
  '{"mcp.resume":"ack","received":9007199254740991}',
  '{"mcp.resume":"end"}',
  '{"mcp.resume":"open","v":1}'
] as const

/** Asks for sessions that are not its own. It must get nothing of them, and disturb nobody. */
export class Hijacker {
  readonly #url: URL
  readonly #ledger: Ledger
  readonly #random: Random

  /** @param url - With the query of the run. */
  constructor(url: string, ledger: Ledger, random: Random) {
    this.#url = new URL(url)
    this.#ledger = ledger
    this.#random = random
  }

  /** One try. */
  async strike(sniffed: Sniffed): Promise<void> {
    const random = this.#random
    // As the same user it has only generations that are over.
    const isSameUser = random.chance(0.3)
    this.#url.searchParams.set('client', isSameUser ? sniffed.name : 'mallory')
    this.#url.searchParams.set('as', 'mallory')
    const isGuess = random.chance(0.2)
    const open = {
      'mcp.resume': 'open',
      v: 1,
      session: isGuess ? `${sniffed.session.slice(0, -1)}A` : sniffed.session,
      epoch: random.chance(0.8) ? sniffed.epoch : 'another',
      received: random.pick(ABSURD),
      generation: isSameUser ? random.between(0, sniffed.generation) : random.pick([0, 1, sniffed.generation + 1, 1e9]),
      limits: LIMITS
    }
    const first = random.chance(0.85) ? JSON.stringify(open) : (random.pick(NONSENSE) ?? '')
    this.#ledger.note(`hijacker as ${isSameUser ? sniffed.name : 'mallory'}: ${first}`)
    await this.#try(first, random.chance(0.3) ? first : undefined, random.between(20, 300))
  }

  async #try(first: string, second: string | undefined, ms: number): Promise<void> {
    const socket = new WebSocket(this.#url, ['mcp.v1', 'mcp.v1.resume'])
    const gone = new Promise((resolve) => socket.on('close', resolve))
    let hello: HelloFrame | undefined
    let heard = 0
    socket.on('error', () => undefined)
    socket.on('open', () => {
      socket.send(first)
      if (second !== undefined) socket.send(second)
    })
    socket.on('message', (data: Buffer, isBinary) => {
      // That is the weather's.
      if (isBinary) return
      const text = data.toString()
      if (!isControl(text)) {
        this.#onData(text, hello !== undefined)
        if (text.includes('notifications/chaos') && !text.startsWith('[')) heard = this.#inOrder(text, heard)
        return
      }
      const frame = readServerControl(text)
      if (frame?.['mcp.resume'] === 'hello') this.#judge((hello = frame))
    })
    await Promise.race([gone, pause(ms)])
    socket.terminate()
    await gone
  }

  #judge({ resumed, reason, delivered, tail }: HelloFrame): void {
    const got = JSON.stringify({ resumed, reason, delivered, tail })
    this.#ledger.count(`hijacker ${reason ?? 'resumed'}`)
    const isMallory = this.#url.searchParams.get('client') === 'mallory'
    const isNothing = !resumed && ['unknown', 'epoch', 'stale-generation', ...(isMallory ? [] : OVER)].includes(reason ?? '')
    // Of another user it may not even learn whether there was such a session.
    const isHidden = reason !== 'stale-generation' || !isMallory
    // A user may know what became of sessions of its own.
    const mayKnow = !isMallory && reason !== 'stale-generation'
    if (!isNothing || !isHidden || ((delivered ?? 0) !== 0 && !mayKnow) || (tail ?? 0) !== 0) this.#ledger.violate(`a hijacker got ${got}`)
  }

  #onData(text: string, isWelcome: boolean): void {
    if (!isWelcome || text.includes('chaos/key')) this.#ledger.violate(`a hijacker got ${text}`)
  }

  /** What it hears belongs to a session of its own, and so begins with 1. */
  #inOrder(text: string, last: number): number {
    const { params } = JSON.parse(text) as { params: { number: number } }
    if (last === 0 && params.number > 5 * 6) this.#ledger.violate(`a hijacker heard ${text}`)
    return params.number
  }
}
