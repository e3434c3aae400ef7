import type { Transport as TransportV1 } from '@modelcontextprotocol/sdk/shared/transport.js'
import type { MessageExtra, ServerTransport } from '../../../src/server/index.js'
import { plain } from './script.js'

/** In `_meta` of a notification: the id of the listen that it belongs to. */
export const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId'

/** A JSON-RPC message, loosely. */
export interface Message {
  readonly id?: number | string | null | undefined
  readonly method?: string
  readonly params?: (Readonly<Record<string, unknown>> & { readonly _meta?: Readonly<Record<string, unknown>> | undefined }) | undefined
  readonly result?: Readonly<Record<string, unknown>>
  readonly error?: unknown
}

/** A message as the server saw it. */
export interface Seen {
  /** `in`: from the client. */
  readonly direction: 'in' | 'out'
  readonly message: Message
}

/** Where a connection breaks. */
export interface Cut {
  /** Behind which message, both directions counted together, from 1. */
  readonly at: number
  /** `after`: that message reached the other side, and nothing behind it did. `instead`: nor did it itself. */
  readonly how: 'after' | 'instead'
}

/** Sits between an MCP server and its transport, writes down what passes, and breaks the connection at a chosen message. */
export class Tap {
  onmessage?: (message: object, extra?: MessageExtra) => void
  onclose?: () => void
  onerror?: (error: Error) => void
  readonly seen: Seen[] = []
  readonly #inner: ServerTransport | TransportV1
  readonly #cut: (Cut & { readonly act: () => void }) | undefined
  #isCut = false
  #sent: Promise<void> = Promise.resolve()

  constructor(inner: ServerTransport | TransportV1, cut?: Cut & { readonly act: () => void }) {
    this.#inner = inner
    this.#cut = cut
  }

  start(): Promise<void> {
    this.#inner.onmessage = (message: Message, extra?: MessageExtra) => this.#pass('in', message, () => this.onmessage?.(message, extra))
    this.#inner.onclose = () => this.onclose?.()
    this.#inner.onerror = (error: Error) => this.onerror?.(error)
    return this.#inner.start()
  }

  send(message: Message): Promise<void> {
    this.#pass('out', message, () => {
      this.#sent = this.#inner.send(message as never)
    })
    return this.#sent
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  #pass(direction: Seen['direction'], message: Message, handOn: () => void): void {
    if (this.#isCut) return
    const cut = this.seen.length + 1 === this.#cut?.at ? this.#cut : undefined
    this.#isCut = cut !== undefined
    if (cut?.how !== 'instead') {
      this.seen.push({ direction, message: plain(message) })
      handOn()
    }
    // What was sent is then in the hands of the network, which delivers it before it tells of the end.
    if (cut) this.#sent.then(cut.act, cut.act)
  }
}
