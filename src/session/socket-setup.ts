import type { Connection } from '../connection/connection.js'
import { tellsEra } from '../connection/closures.js'
import { sameServer, type Agreement, type HandshakeAnswer, type HandshakeScript, type HandshakeStep } from './handshake.js'
import type { Journal } from './journal.js'
import { isErrorResponse } from '../wire/json-rpc.js'
import { ProtocolError, type Closure, type McpWebSocketError } from '../errors.js'
import type { OwnRequests } from './internal-requests.js'
import type { JsonRpcErrorResponse, JsonRpcNotification, JsonRpcRequest, Params, RequestId } from '../types/json-rpc.js'

/** The settings that a greeting needs. */
export interface GreetingConfig {
  readonly handshake: HandshakeScript
  readonly probeTimeout: number
  readonly stamp: (request: JsonRpcRequest, agreement: Agreement | undefined) => JsonRpcRequest
}

/** Who is told what a greeting meets with. */
export interface GreetingListener {
  /** A listen cannot be restored. */
  onListenRefused(id: RequestId, error: McpWebSocketError): void
  onTrouble(error: Error): void
}

/** What is said first on every new socket: the handshake, then what the journal remembers. */
export class Greeting {
  readonly #config: GreetingConfig
  readonly #connection: Connection
  readonly #own: OwnRequests
  readonly #journal: Journal
  readonly #listener: GreetingListener
  #agreement: Agreement | undefined
  #serverChanged = false
  /** The handshake's last request; 0, which is none of the session's ids, before the first. */
  #askedId = 0
  /** Listens that were sent again on this socket and not refused so far. */
  readonly #restored = new Set<RequestId>()

  constructor(config: GreetingConfig, connection: Connection, own: OwnRequests, journal: Journal, listener: GreetingListener) {
    this.#config = config
    this.#connection = connection
    this.#own = own
    this.#journal = journal
    this.#listener = listener
  }

  /** What was agreed on this socket; while there is none, on the last one of this life. */
  get agreement(): Agreement | undefined {
    return this.#agreement ?? this.#config.handshake.agreed
  }

  /** Whether the last handshake met another server than the one before. */
  get serverChanged(): boolean {
    return this.#serverChanged
  }

  /** A socket is open. */
  begin(): void {
    this.#take(this.#config.handshake.begin())
  }

  /** The server is silent about the question for its era. */
  onProbeTimeout(): void {
    this.#own.forget(this.#askedId)
    this.#next({ timedOut: true })
  }

  /** The socket is gone. */
  closed(closure: Closure | undefined): void {
    this.#config.handshake.closed(closure !== undefined && tellsEra(closure))
    this.#restored.clear()
  }

  /** A new life meets whatever server there is. */
  reset(): void {
    this.#agreement = undefined
    this.#config.handshake.reset()
  }

  /** Asks for a sign of life where pings cannot be sent; any answer will do, a refusal too. */
  askForLife(): void {
    const { agreement } = this
    const method = agreement?.era === 'modern' ? 'server/discover' : 'ping'
    const { params } = this.#config.stamp({ jsonrpc: '2.0', id: 0, method }, agreement)
    this.#own.ask(method, params, () => this.#connection.onPong())
  }

  /** A listen was refused; if it had been restored, its owner is not the only one to know. */
  noteRefusal(id: RequestId, response: JsonRpcErrorResponse): void {
    if (this.#restored.delete(id)) this.#listener.onTrouble(restoreFailed(LISTEN, this.#connection.clean(response.error.message)))
  }

  /** Notifications that a gap may have swallowed: after a legacy handshake nothing tells what changed meanwhile. */
  swallowed(): JsonRpcNotification[] {
    if (this.#agreement?.era !== 'legacy') return []
    const { capabilities } = this.#agreement
    const lists = (['tools', 'prompts', 'resources'] as const).filter((kind) => capabilities[kind]?.listChanged)
    const news: [method: string, params?: Params][] = [
      ...lists.map((kind): [string] => [`notifications/${kind}/list_changed`]),
      ...this.#journal.subscribedUris.map((uri): [string, Params] => ['notifications/resources/updated', { uri }])
    ]
    return news.map(([method, params]) => ({ jsonrpc: '2.0', method, ...(params && { params }) }))
  }

  #next(answer: HandshakeAnswer): void {
    this.#take(this.#config.handshake.next(answer, this.#connection.clean))
  }

  /** @param step - `undefined`: there is no handshake to make. */
  #take(step: HandshakeStep | undefined): void {
    const isProbe = step?.do === 'ask' && step.probe
    this.#connection.eraRedial = isProbe
    this.#connection.expectWithin(isProbe ? this.#config.probeTimeout : Infinity)
    if (step?.do === 'ask') this.#askedId = this.#own.ask(step.method, step.params, (response) => this.#next(response))
    else if (step?.do === 'refuse') this.#connection.refuse(step.error)
    else this.#accept(step?.agreement)
  }

  #accept(agreement: Agreement | undefined): void {
    if (agreement) {
      const before = this.agreement
      this.#serverChanged = before !== undefined && !sameServer(before, agreement)
      this.#agreement = agreement
      this.#restoreStates(agreement)
      this.#restoreListens(agreement)
    }
    this.#connection.confirm()
  }

  #restoreStates({ era, version }: Agreement): void {
    const isLegacy = era === 'legacy'
    if (isLegacy) this.#connection.send('{"jsonrpc":"2.0","method":"notifications/initialized"}')
    for (const restore of this.#journal.restores('legacy')) {
      const { method, params } = restore
      const lose = (problem: string): void => {
        this.#journal.dropRestore(restore)
        this.#listener.onTrouble(restoreFailed(method, problem))
      }
      if (isLegacy)
        this.#own.ask(method, params, (response) => isErrorResponse(response) && lose(this.#connection.clean(response.error.message)))
      // The modern era says the log level in every request, but has no `resources/subscribe`: that these subscriptions are
      // dead must not stay unknown.
      else if (method === 'resources/subscribe') lose(nowSpeaks(version))
      else this.#journal.dropRestore(restore)
    }
  }

  #restoreListens({ era, version }: Agreement): void {
    for (const [id, text] of this.#journal.listens()) {
      if (era === 'modern') {
        this.#restored.add(id)
        this.#connection.send(text)
      } else {
        const error = restoreFailed(LISTEN, nowSpeaks(version))
        this.#listener.onListenRefused(id, error)
        this.#listener.onTrouble(error)
      }
    }
  }
}

const LISTEN = 'subscriptions/listen'

const nowSpeaks = (version: string): string => `the server now speaks ${version}`

const restoreFailed = (method: string, problem: string): ProtocolError =>
  new ProtocolError('RESTORE_FAILED', `${method} could not be restored: ${problem}`, {
    hint: 'Ask again if it matters.'
  })
