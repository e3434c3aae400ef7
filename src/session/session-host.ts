import { watchPage } from '../connection/page.js'
import type { LifecycleState, StateName } from '../connection/lifecycle.js'
import { ClosedError, type Closure, type McpWebSocketError } from '../errors.js'
import { systemClock } from '../lib/clock.js'
import { deferred, type Deferred } from '../lib/deferred.js'
import { Emitter } from '../lib/emitter.js'
import { asError } from '../lib/guarded.js'
import type { PendingRequest } from '../rpc/pending.js'
import { diagnosticsChannel, isWatched } from '../socket/node-socket.js'
import { openSocket } from '../socket/open-socket.js'
import type { ClientStats } from '../types/client.js'
import type { DiagnosticsChannel } from '../types/diagnostics.js'
import type { JsonRpcMessage } from '../types/json-rpc.js'
import { describeChange, isOver, type ClientEvents, type StateChange } from './events.js'
import type { Ports } from './options.js'
import { OutageNotice } from './outage-notice.js'
import { Session, type SessionConfig } from './session.js'
import { stateChanges } from './state-changes.js'

/** The real platform. */
export const PORTS: Ports = { clock: systemClock, openSocket, diagnostics: diagnosticsChannel() }

/** What the client, or the SDK transport, does with the facts of its session. */
export interface HostListener {
  /**
   * The state has another name. Called before any listener of an event hears of it: those may begin a new life.
   * @param ended - Why the life ended, if it did just now.
   */
  onState(to: LifecycleState, ended: Error | undefined): void
  /** A message came in. @param request - The request that it responds to, if it is a response. */
  onMessage(message: JsonRpcMessage, request?: PendingRequest): void
  /** A request ended without a response. */
  onFailed(request: PendingRequest, error: McpWebSocketError): void
  /** Something went wrong that belongs to no promise; the event `error` follows. */
  onError?(error: Error): void
}

/** What the client and the SDK transport have in common: a session, its events, the hints of the page, and how both are closed. */
export class SessionHost {
  /** The session. */
  readonly session: Session
  /** The events that the program can listen to. */
  readonly events: Emitter<ClientEvents>
  readonly #listener: HostListener
  readonly #notice: OutageNotice
  readonly #diagnostics: DiagnosticsChannel | undefined
  #lastChange: StateChange | undefined
  #closing: Deferred<void> | undefined
  #unwatchPage: (() => void) | undefined

  /** Does nothing before `begin`. */
  constructor(config: SessionConfig, listener: HostListener) {
    this.#listener = listener
    // What a listener of `error` throws has nowhere to go.
    this.events = new Emitter((error, event) => event !== 'error' && this.report(error))
    this.#diagnostics = config.connection.diagnostics
    this.#notice = new OutageNotice(config.connection.clock, this.events)
    this.session = new Session(config, {
      onState: (to, from, closure) => this.#onState(to, from, closure),
      onReconnected: (reconnected) => this.events.emit('reconnected', reconnected),
      onResumed: (resumed) => this.events.emit('resumed', resumed),
      onMessage: (message, request) => listener.onMessage(message, request),
      onFailed: (request, error) => listener.onFailed(request, error),
      onError: (error) => this.report(error)
    })
  }

  /** Name of the state. */
  get state(): StateName {
    return this.session.state.name
  }

  /** Whether the life has ended, or is about to. */
  get isOver(): boolean {
    return isOver(this.session.state)
  }

  /** What the last event `state` told; `undefined` before the first. */
  get lastChange(): StateChange | undefined {
    return this.#lastChange
  }

  /** Whether `connection-lost` told of an outage that has not ended. */
  get isConnectionLost(): boolean {
    return this.#notice.isTold
  }

  /** The counts so far. */
  stats(): ClientStats {
    return this.session.stats
  }

  /** Every change of the state from now on. */
  states(): AsyncGenerator<StateChange, void, undefined> {
    return stateChanges(this.events)
  }

  /** Begins a life, unless one is under way; `reconnect` dials anew at once in any case. */
  begin(command: 'connect' | 'reconnect'): void {
    this.#unwatchPage ??= watchPage(this.session)
    this.session.command(command)
  }

  /** Ends the life. Resolves when the socket is gone; never rejects; all callers share one promise. */
  close(): Promise<void> {
    if (this.state === 'closed') return Promise.resolve()
    const { promise } = (this.#closing ??= deferred())
    this.session.command('close')
    return promise
  }

  /** While the state is `closing`: resolves when it is `closed`. */
  get closing(): Promise<void> | undefined {
    return this.#closing?.promise
  }

  /** Reports an error that belongs to no promise. */
  report(thrown: unknown): void {
    const error = asError(thrown)
    this.#listener.onError?.(error)
    this.events.emit('error', error)
  }

  #onState(to: LifecycleState, from: LifecycleState, closure: Closure | undefined): void {
    if (to.name === from.name) return
    const change = describeChange(to, from, closure)
    this.#lastChange = change
    const ended = isOver(to) && !isOver(from) ? (change.error ?? new ClosedError('not-sent')) : undefined
    if (ended) {
      this.#unwatchPage?.()
      this.#unwatchPage = undefined
    }
    const diagnostics = this.#diagnostics
    this.events.hold(() => {
      this.events.emit('state', change)
      if (change.error) this.events.emit('failed', change.error)
      if (to.name === 'closed') this.events.emit('close', undefined)
      this.#notice.onState(to, from)
      this.#listener.onState(to, ended)
      // Last: a subscriber may change the state, which has to be told after this change.
      if (isWatched(diagnostics)) diagnostics.publish({ url: this.session.url, kind: 'state', change })
    })
    if (to.name !== 'closed') return
    this.#closing?.resolve()
    this.#closing = undefined
  }
}
