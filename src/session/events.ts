import { EventEmitter } from 'eventemitter3'
import { guarded } from '../lib/guarded.js'
import type { LifecycleState, StateName } from '../connection/lifecycle.js'
import type { Closure, McpWebSocketError } from '../errors.js'
import type { Reconnected } from '../types/client.js'
import type { Params } from '../types/json-rpc.js'

/** Payload of the event `state`. */
export interface StateChange {
  readonly from: StateName
  readonly to: StateName
  /** Number of the dial under way or to come, from 1; in `connecting`, `initializing` and `waiting`. */
  readonly attempt?: number
  /** Ms until the next dial; in `waiting`. */
  readonly delay?: number
  /** What ended the connection or the dial, if that is why the state changed. */
  readonly closure?: Closure
  /** Why the client gave up; in `failed`. */
  readonly error?: McpWebSocketError
}

/** The payload of `state` for a change of the lifecycle. */
export function describeChange(to: LifecycleState, from: LifecycleState, closure: Closure | undefined): StateChange {
  const attempt = 'life' in to && to.name !== 'ready' ? to.life.attempt : undefined
  const delay = to.name === 'waiting' ? to.delay : undefined
  const error = to.name === 'failed' ? to.error : undefined
  return { from: from.name, to: to.name, attempt, delay, closure, error }
}

/** The events of a client and their payloads. A server can cause `notification` and `error`, and no other by its words. */
export interface ClientEvents {
  state: StateChange
  /** Ready again after a lost connection. */
  reconnected: Reconnected
  /** Every notification of the server, also those that a handler takes. */
  notification: { readonly method: string; readonly params?: Params }
  /** Trouble that no promise could report. The client goes on. */
  error: Error
  /** The client gave up; `connect()` starts a new life. */
  failed: McpWebSocketError
  /** The client was closed by its program. */
  close: undefined
}

/** Event names and payloads, as an emitter knows them. */
type Names = Record<keyof ClientEvents, unknown>

/** Delivers events in the order in which they happened, each to all its listeners, whatever those do or throw. */
export class Emitter<Events extends Names = ClientEvents> {
  readonly #emitter = new EventEmitter()
  readonly #onThrown: (error: Error, event: keyof Events) => void
  readonly #queue: (() => void)[] = []
  #delivering = false

  /** @param onThrown - Told what a listener threw, and at which event. */
  constructor(onThrown: (error: Error, event: keyof Events) => void) {
    this.#onThrown = onThrown
  }

  on<E extends keyof Events & string>(event: E, listener: (payload: Events[E]) => void): void {
    this.#emitter.on(event, listener)
  }

  once<E extends keyof Events & string>(event: E, listener: (payload: Events[E]) => void): void {
    this.#emitter.once(event, listener)
  }

  off<E extends keyof Events & string>(event: E, listener: (payload: Events[E]) => void): void {
    this.#emitter.off(event, listener)
  }

  emit<E extends keyof Events & string>(event: E, payload: Events[E]): void {
    this.#queue.push(() => this.#deliver(event, payload))
    this.#deliverAll()
  }

  /** Does the work before any listener hears what it emits; `work` throws nothing. */
  hold(work: () => void): void {
    const isInner = this.#delivering
    this.#delivering = true
    work()
    this.#delivering = isInner
    this.#deliverAll()
  }

  #deliverAll(): void {
    // An event caused by a listener comes after the one that it listens to, for all the other listeners too.
    if (this.#delivering) return
    this.#delivering = true
    for (let deliver = this.#queue.shift(); deliver; deliver = this.#queue.shift()) deliver()
    this.#delivering = false
  }

  // eventemitter3's own `emit` stops at the first listener that throws, and throws into whoever emits: a socket's callback.
  #deliver<E extends keyof Events & string>(event: E, payload: Events[E]): void {
    for (const listener of this.#emitter.listeners(event)) {
      // Only what was registered by `once`.
      this.#emitter.off(event, listener, undefined, true)
      guarded(
        () => listener(payload),
        (error) => this.#onThrown(error, event)
      )
    }
  }
}
