import { isMcpWebSocketError } from '../../../src/index.js'

/** One message with a key of its own, from the call of the client to what the server did about it. */
export interface Entry {
  readonly key: string
  readonly isNotification: boolean
  /** How often it may be executed: twice only if the caller, or the default for its method, allows a resend. */
  readonly atMost: number
  /** Until when the promise must be settled, in ms of `performance.now()`. */
  readonly dueAt: number
  writes: number
  executions: number
  settled: boolean
  /** The client said that it was not sent, or rejected it at once. */
  denied: boolean
}

const MOST_EVENTS = 150
/** A loaded machine is late. */
export const SLACK = 6000

/** What every chaos run must hold to; it watches the client's calls and frames and the server's deeds, and holds them together. */
export class Ledger {
  readonly violations: string[] = []
  /** A byte was turned over on the way: frames that make no sense are nobody's fault from now on. */
  corrupted = false
  readonly counts: Record<string, number> = {}
  readonly #start = performance.now()
  readonly #events: string[] = []
  readonly #entries = new Map<string, Entry>()
  readonly #open = new Set<Entry>()

  /** The last events, for whoever has to explain a violation. */
  get events(): readonly string[] {
    return this.#events
  }

  /** Requests whose promise is not settled yet. */
  get openKeys(): string[] {
    return [...this.#open].map(({ key }) => key)
  }

  note(text: string): void {
    this.#events.push(`${(performance.now() - this.#start).toFixed(1).padStart(8)} ${text}`)
    if (this.#events.length > MOST_EVENTS) this.#events.shift()
  }

  count(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }

  violate(text: string): void {
    this.note(`VIOLATION: ${text}`)
    this.violations.push(text)
  }

  /** The program sends something. @param timeout - When it gives up, in ms. */
  open(key: string, atMost: number, timeout: number, isNotification = false): Entry {
    const dueAt = performance.now() + timeout + SLACK
    const entry: Entry = { key, isNotification, atMost, dueAt, writes: 0, executions: 0, settled: false, denied: false }
    this.#entries.set(key, entry)
    this.#open.add(entry)
    return entry
  }

  /** The client wrote the frame of it. */
  wrote(key: string): void {
    const entry = this.#known(key)
    if (!entry) return
    this.note(`${key} written`)
    if (++entry.writes > entry.atMost) this.violate(`${key} was written ${String(entry.writes)} times`)
    if (entry.denied || (entry.settled && !entry.isNotification)) this.violate(`${key} was written after its promise had settled`)
  }

  /** The server executed it. */
  executed(key: string, socket: number): void {
    const entry = this.#known(key)
    if (!entry) return
    this.note(`${key} executed, socket ${String(socket)}`)
    if (++entry.executions > entry.atMost) this.violate(`${key} was executed ${String(entry.executions)} times`)
    if (entry.denied) this.violate(`${key} was executed, and the client had said that it was not sent`)
  }

  /** @param echo - The key that the result or the server's error carries. */
  resolved(entry: Entry, echo: unknown): void {
    this.#settle(entry, `resolved ${String(echo)}`)
    if (entry.isNotification) return
    if (echo !== entry.key) this.violate(`${entry.key} resolved with the response to ${String(echo)}`)
    if (entry.executions === 0) this.violate(`${entry.key} resolved, but was never executed`)
  }

  /** @param aborted - The reason of the caller's own signal, if it fired. */
  rejected(entry: Entry, error: unknown, aborted?: unknown): void {
    this.#settle(entry, `rejected: ${String(error)}`)
    if (aborted !== undefined && error === aborted) return this.count('aborted')
    if (!isMcpWebSocketError(error)) return this.violate(`${entry.key} was rejected with what is no error of the package: ${String(error)}`)
    this.count(`${error.code} ${error.delivery ?? ''}`.trim())
    const echo = (error as { data?: { key?: unknown } }).data?.key
    if (error.code === 'RPC_ERROR' && echo !== entry.key) this.violate(`${entry.key} was rejected with the error of ${String(echo)}`)
    if (error.delivery === 'not-sent' || entry.isNotification) this.deny(entry)
  }

  /** From now on it must never have happened. */
  deny(entry: Entry): void {
    entry.denied = true
    const { key, writes, executions } = entry
    if (executions > 0) this.violate(`${key} was said to be not sent, but it was executed`)
    else if (writes > 0) this.violate(`${key} was said to be not sent, but it was written`)
  }

  /** The client lost its socket: what may not be sent again is settled in that very turn. */
  left(name: string): void {
    const lost = [...this.#open].filter(({ key, writes, atMost }) => key.startsWith(`${name}.`) && writes >= atMost)
    setImmediate(() => {
      for (const { key, settled } of lost) if (!settled) this.violate(`${key} still waits, though its socket is gone`)
    })
  }

  /** No promise may be overdue. */
  checkOverdue(): void {
    const now = performance.now()
    for (const entry of this.#open) {
      if (now < entry.dueAt) continue
      this.#open.delete(entry)
      this.violate(`${entry.key} hangs: its timeout was over ${String(SLACK)} ms ago`)
    }
  }

  #settle(entry: Entry, how: string): void {
    this.note(`${entry.key} ${how}`)
    this.count(entry.isNotification ? 'notifications' : 'requests')
    if (entry.settled) this.violate(`${entry.key} settled twice`)
    entry.settled = true
    this.#open.delete(entry)
  }

  #known(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (!entry) this.violate(`${key} was never asked for`)
    return entry
  }
}
