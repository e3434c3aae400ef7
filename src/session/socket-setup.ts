import { tellsEra } from '../connection/closures.js'
import type { Connection } from '../connection/connection.js'
import type { Closure, McpWebSocketError } from '../errors.js'
import type { Due, SharedTimer } from '../lib/shared-timer.js'
import type { JsonRpcErrorResponse, JsonRpcNotification, Params, RequestId } from '../types/json-rpc.js'
import { isErrorResponse } from '../wire/json-rpc.js'
import { DISCOVER, LISTEN, PING, SUBSCRIBE } from '../wire/methods.js'
import { sameServer, type Agreement } from './agreement.js'
import type { HandshakeOutcome, HandshakeScript, HandshakeStep } from './handshake.js'
import type { InternalRequests } from './internal-requests.js'
import type { Journal, Restore } from './journal.js'
import { restoreFailedError } from './loss-errors.js'

/** The settings and the surroundings of a socket setup. */
export interface SocketSetupHost {
  /** Says which requests the handshake consists of. */
  readonly handshake: HandshakeScript
  /** How long a server may take to respond to the probe for its era, in ms. */
  readonly probeTimeout: number
  /** The timer of its owner. */
  readonly timer: SharedTimer
  /** A listen cannot be restored. */
  onListenLost(id: RequestId, error: McpWebSocketError): void
  /** A state of the server could not be restored. */
  onError(error: Error): void
}

// How long to wait for the response to a probe: at least so many ms, and so many times as long as the upgrade took; at most `probeTimeout`.
const LEAST_PATIENCE = 1000
const ROUND_TRIPS = 10

/** What comes first on every new socket: the handshake, then the restores of the journal. */
export class SocketSetup implements Due {
  dueAt = 0
  slot = -1
  readonly #host: SocketSetupHost
  readonly #connection: Connection
  readonly #internal: InternalRequests
  readonly #journal: Journal
  #agreement: Agreement | undefined
  #serverChanged = false
  /** Id of the handshake's last request; 0, which no internal request has, before the first. */
  #requestId = 0
  /** Listens that were sent again over this socket and did not fail so far. */
  readonly #restored = new Set<RequestId>()

  /** Does nothing before `begin`. */
  constructor(host: SocketSetupHost, connection: Connection, internal: InternalRequests, journal: Journal) {
    this.#host = host
    this.#connection = connection
    this.#internal = internal
    this.#journal = journal
  }

  /** What was agreed on this socket; before that, what was agreed on the last socket of this life. */
  get agreement(): Agreement | undefined {
    return this.#agreement ?? this.#host.handshake.agreed
  }

  /** Whether the last handshake met another server than the one before. */
  get serverChanged(): boolean {
    return this.#serverChanged
  }

  /** A socket is open. */
  begin(): void {
    this.#take(this.#host.handshake.begin())
  }

  /** The server did not respond to the probe for its era in time. */
  onDue(): void {
    this.#internal.forget(this.#requestId)
    this.#next({ timedOut: true })
  }

  /** The socket is gone. */
  closed(closure: Closure | undefined): void {
    this.#host.timer.clear(this)
    this.#host.handshake.closed(closure !== undefined && tellsEra(closure))
    this.#restored.clear()
  }

  /** A new life meets whatever server there is. */
  reset(): void {
    this.#agreement = undefined
    this.#host.handshake.reset()
  }

  /**
   * Asks for a sign of life where ping frames cannot be sent. Any response will do, an error too.
   * @returns Whether the other end may be asked.
   */
  probe(onResponse: () => void): boolean {
    if (this.#host.handshake.isMute) return false
    if (this.agreement?.era !== 'modern') this.#internal.send(PING, undefined, onResponse)
    else this.#internal.send(DISCOVER, { _meta: this.#host.handshake.requestMeta() }, onResponse)
    return true
  }

  /** A listen failed. If it had been restored, the event `error` reports it too. */
  noteListenError(id: RequestId, response: JsonRpcErrorResponse): void {
    if (this.#restored.delete(id)) this.#host.onError(restoreFailedError(LISTEN, this.#connection.redact(response.error.message)))
  }

  /** Notifications that the server may have sent while there was no connection: after a legacy handshake nothing tells what changed. */
  get missedNotifications(): JsonRpcNotification[] {
    if (this.#agreement?.era !== 'legacy') return []
    const { capabilities } = this.#agreement
    const lists = (['tools', 'prompts', 'resources'] as const).filter((kind) => capabilities[kind]?.listChanged)
    return [
      ...lists.map((kind) => notification(`notifications/${kind}/list_changed`)),
      ...this.#journal.subscribedUris.map((uri) => notification('notifications/resources/updated', { uri }))
    ]
  }

  #next(outcome: HandshakeOutcome): void {
    this.#take(this.#host.handshake.next(outcome, this.#connection))
  }

  /** @param step - `undefined`: there is no handshake to make. */
  #take(step: HandshakeStep | undefined): void {
    const isProbe = step?.do === 'request' && step.probe
    this.#connection.eraRedial = isProbe
    // A server that is near answers fast, or not at all.
    const patience = Math.max(LEAST_PATIENCE, ROUND_TRIPS * this.#connection.roundTrip)
    this.#host.timer.set(this, isProbe ? Math.min(patience, this.#host.probeTimeout) : Infinity)
    if (step?.do === 'request') this.#requestId = this.#internal.send(step.method, step.params, (response) => this.#next(response))
    else if (step?.do === 'fail') this.#connection.drop({ kind: 'close', wasClean: false, error: step.error })
    else this.#accept(step?.agreement)
  }

  #accept(agreement: Agreement | undefined): void {
    if (agreement) {
      const before = this.agreement
      this.#serverChanged = before !== undefined && !sameServer(before, agreement)
      this.#agreement = agreement
      if (agreement.era === 'legacy') this.#connection.send('{"jsonrpc":"2.0","method":"notifications/initialized"}')
      for (const restore of this.#journal.restores) this.#restore(restore, agreement)
      for (const [id, frame] of this.#journal.listens) this.#restoreListen(id, frame, agreement)
    }
    this.#connection.confirm()
  }

  #restore(restore: Restore, { era, version }: Agreement): void {
    const { method, params } = restore
    const lose = (problem: string): void => {
      this.#journal.dropRestore(restore)
      this.#host.onError(restoreFailedError(method, problem))
    }
    if (era === 'legacy')
      this.#internal.send(method, params, (response) => isErrorResponse(response) && lose(this.#connection.redact(response.error.message)))
    // A modern request carries the log level itself, but there is no `resources/subscribe` in the modern era: the program must hear
    // that these subscriptions are dead.
    else if (method === SUBSCRIBE) lose(nowSpeaks(version))
    else this.#journal.dropRestore(restore)
  }

  #restoreListen(id: RequestId, frame: string, { era, version }: Agreement): void {
    if (era === 'modern') {
      this.#restored.add(id)
      return void this.#connection.send(frame)
    }
    const error = restoreFailedError(LISTEN, nowSpeaks(version))
    this.#host.onListenLost(id, error)
    this.#host.onError(error)
  }
}

const notification = (method: string, params?: Params): JsonRpcNotification => ({ jsonrpc: '2.0', method, ...(params && { params }) })

const nowSpeaks = (version: string): string => `the server now speaks ${version}`
