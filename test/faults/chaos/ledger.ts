import { isConnectionLostError, isMcpWebSocketError } from '../../../src/index.js'

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
  /** Sockets, or sessions, of the server over which it was executed. */
  readonly places: Set<number>
  /** The session of the client in which it was written last. */
  session: Session | undefined
}

/** A session of a client that survives its sockets. */
interface Session {
  /** Why it may end, or has ended. */
  excuse?: string
}

/** How long another process may take to tell, in ms. */
const TELLS_WITHIN = 1000
const MOST_EVENTS = 1500
const nameOf = (key: string): string => key.slice(0, key.indexOf('.'))
/** A loaded machine is late. */
export const SLACK = 6000

/** What every chaos run must hold to; it watches the client's calls and frames and the server's deeds, and holds them together. */
export class Ledger {
  readonly violations: string[] = []
  /** A byte was turned over on the way: frames that make no sense are nobody's fault from now on. */
  corrupted = false
  /** Bytes are turned over now: no session need survive that. */
  corrupts = false
  readonly counts: Record<string, number> = {}
  /** Whether sessions survive their sockets. */
  readonly #resumes: boolean
  readonly #start = performance.now()
  readonly #events: string[] = []
  readonly #entries = new Map<string, Entry>()
  readonly #open = new Set<Entry>()
  readonly #sessions = new Map<string, Session>()
  /** What was excused since a client has asked for a session: holds for the one that it gets as well. */
  readonly #pending = new Map<string, string>()
  readonly #doubts = new Map<string, () => string | undefined>()
  /** What the server has yet to say that it executed. */
  readonly #unproven = new Set<Entry>()
  /** Losses whose cause the server has yet to say. */
  #suspicions: { readonly session: Session | undefined; readonly text: string; readonly at: number }[] = []
  readonly #isRemote: boolean

  /**
   * @param resumes - Whether sessions survive their sockets.
   * @param isRemote - Whether the server is another process, of which this one hears a moment later.
   */
  constructor(resumes = false, isRemote = false) {
    this.#isRemote = isRemote
    this.#resumes = resumes
  }

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
    const counts = { writes: 0, executions: 0, settled: false, denied: false, places: new Set<number>(), session: undefined }
    const entry: Entry = { key, isNotification, atMost, dueAt, ...counts }
    this.#entries.set(key, entry)
    this.#open.add(entry)
    return entry
  }

  /** The client wrote the frame of it. */
  wrote(key: string): void {
    const entry = this.#known(key)
    if (!entry) return
    this.note(`${key} written`)
    entry.session = this.#sessions.get(nameOf(key))
    // What a session has sent is sent again as often as its socket breaks, settled or not.
    if (++entry.writes > 1 && this.#resumes) return
    if (entry.writes > entry.atMost) this.violate(`${key} was written ${String(entry.writes)} times`)
    if (entry.denied || (entry.settled && !entry.isNotification)) this.violate(`${key} was written after its promise had settled`)
  }

  /** The server executed it. */
  executed(key: string, socket: number): void {
    const entry = this.#known(key)
    if (!entry) return
    this.note(`${key} executed, socket ${String(socket)}`)
    if (entry.places.has(socket)) this.violate(`${key} was executed twice in session ${String(socket)}`)
    entry.places.add(socket)
    this.#unproven.delete(entry)
    if (++entry.executions > entry.atMost) this.violate(`${key} was executed ${String(entry.executions)} times`)
    if (entry.denied) this.violate(`${key} was executed, and the client had said that it was not sent`)
  }

  /** @param echo - The key that the result or the server's error carries. */
  resolved(entry: Entry, echo: unknown): void {
    this.#settle(entry, `resolved ${String(echo)}`)
    if (entry.isNotification) return
    if (echo !== entry.key) this.violate(`${entry.key} resolved with the response to ${String(echo)}`)
    // The server may be another process, of which this one hears later.
    if (entry.executions === 0) this.#unproven.add(entry)
  }

  /** @param aborted - The reason of the caller's own signal, if it fired. */
  rejected(entry: Entry, error: unknown, aborted?: unknown): void {
    this.#settle(entry, `rejected: ${String(error)}`)
    if (aborted !== undefined && error === aborted) return this.count('aborted')
    if (!isMcpWebSocketError(error)) return this.violate(`${entry.key} was rejected with what is no error of the package: ${String(error)}`)
    this.count(`${error.code} ${error.delivery ?? ''}`.trim())
    // A server that is about to close; a client without an outbox passes that on.
    if (error.code === 'RPC_ERROR' && error.message.endsWith('the request was not executed')) return this.deny(entry)
    const echo = (error as { data?: { key?: unknown } }).data?.key
    if (error.code === 'RPC_ERROR' && echo !== entry.key) this.violate(`${entry.key} was rejected with the error of ${String(echo)}`)
    if (error.delivery === 'not-sent' || entry.isNotification) this.deny(entry)
    if (this.#resumes && isConnectionLostError(error) && error.delivery === 'unknown' && !this.#hasExcuse(entry))
      this.#suspect(entry.session, `${entry.key} was lost, though nothing ended its session: ${error.message}`)
  }

  /** From now on it must never have happened. */
  deny(entry: Entry): void {
    entry.denied = true
    const { key, writes, executions } = entry
    if (executions > 0) this.violate(`${key} was said to be not sent, but it was executed`)
    else if (writes > 0 && !this.#resumes) this.violate(`${key} was said to be not sent, but it was written`)
  }

  /** The client asks for a session. */
  sessionAsked(name: string): void {
    this.#pending.delete(name)
  }

  /** The client has a new session. */
  sessionBegan(name: string): void {
    const excuse = this.#pending.get(name)
    this.#sessions.set(name, excuse === undefined ? {} : { excuse })
  }

  /** The session of a client may end, or has ended. @param name - `undefined`: those of all. */
  excuse(name: string | undefined, why: string): void {
    if (name !== undefined) this.note(`the session of ${name} may end: ${why}`)
    for (const each of name === undefined ? this.#doubts.keys() : [name]) {
      this.#pending.set(each, why)
      const session = this.#sessions.get(each)
      if (session === undefined || session.excuse !== undefined) continue
      session.excuse = why
      this.count(`excuse: ${why}`)
    }
  }

  /** @param doubt - Tells why the session of a client may end at this moment. */
  addDoubt(name: string, doubt: () => string | undefined): void {
    this.#doubts.set(name, doubt)
  }

  isExcused(name: string): boolean {
    return this.corrupts || this.#sessions.get(name)?.excuse !== undefined || this.#doubts.get(name)?.() !== undefined
  }

  /** The server says that the session of a client is over. */
  lost(name: string, reason: string): void {
    const session = this.#sessions.get(name)
    if (!this.isExcused(name)) this.#suspect(session, `${name} lost its session without a cause: ${reason}`)
    else if (session) session.excuse ??= reason
  }

  #hasExcuse({ key, session }: Entry): boolean {
    return session?.excuse !== undefined || this.isExcused(nameOf(key))
  }

  #suspect(session: Session | undefined, text: string): void {
    if (this.#isRemote) this.#suspicions.push({ session, text, at: performance.now() })
    else this.violate(text)
  }

  #judgeSuspicions(before: number): void {
    const due = this.#suspicions.filter(({ at }) => at < before)
    this.#suspicions = this.#suspicions.filter(({ at }) => at >= before)
    for (const { session, text } of due) if (session?.excuse === undefined) this.violate(text)
  }

  /** After the end: what the server has executed is known for good. */
  audit(): void {
    this.#judgeSuspicions(Infinity)
    for (const { key } of this.#unproven) this.violate(`${key} resolved, but was never executed`)
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
    this.#judgeSuspicions(now - TELLS_WITHIN)
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
