import { Connection, type ConnectionConfig, type ConnectionListener } from '../../src/connection/connection.js'
import type { Departure } from '../../src/connection/departure.js'
import type { Attachment } from '../../src/connection/resumption.js'
import type { LifecycleState, StateName } from '../../src/connection/lifecycle.js'
import type { Closure, McpWebSocketError } from '../../src/errors.js'
import { PendingRequest } from '../../src/rpc/pending.js'
import type { Agreement } from '../../src/session/agreement.js'
import type { HandshakeOutcome, HandshakeScript, HandshakeStep } from '../../src/session/handshake.js'
import { Session, type SessionConfig, type SessionListener } from '../../src/session/session.js'
import type { Target } from '../../src/socket/web-socket.js'
import type { Reconnected, Resumed } from '../../src/types/client.js'
import type { JsonRpcMessage, JsonRpcNotification, Params, RequestId } from '../../src/types/json-rpc.js'
import type { Malformed } from '../../src/wire/json-rpc.js'
import { FakeClock } from './fake-clock.js'
import { FakeNetwork, type FakeSocket } from './fake-network.js'
import { endAfterTest } from './end-after-test.js'

// A bare Connection and a bare Session on a fake clock and a fake network, with listeners that record: for tests of one layer.

export const TARGET: Target = { url: new URL('ws://127.0.0.1/ws'), protocols: ['mcp.v1'], headers: {}, secrets: ['hush-hush'] }

/** The settings of a connection in these tests, in round numbers. */
export const connectionConfig = (clock: FakeClock, network: FakeNetwork, changes: Partial<ConnectionConfig> = {}): ConnectionConfig => ({
  retry: { enabled: true, initialDelay: 1000, maxDelay: 8000, growFactor: 2, jitter: false, maxRetries: 3 },
  resetAfter: 5000,
  connectTimeout: 10_000,
  handshakeTimeout: 4000,
  unref: false,
  json: JSON,
  trace: undefined,
  maxBuffered: 100,
  onMissingSubprotocol: 'fail',
  maxMessageBytes: 1000,
  perMessageDeflate: false,
  closeTimeout: 500,
  refreshable: false,
  fallbacks: [],
  resume: false,
  resolveTarget: () => Promise.resolve(TARGET),
  openSocket: network.openSocket,
  clock,
  ...changes
})

/** Leads through the wait of a connection and its next dial. */
async function redial(clock: FakeClock, network: FakeNetwork, state: LifecycleState): Promise<FakeSocket> {
  if (state.name === 'waiting') await clock.advance(Math.ceil(state.delay))
  return network.last()
}

/** A connection, with what it told. */
export interface ConnectionRig {
  readonly connection: Connection
  readonly clock: FakeClock
  readonly network: FakeNetwork
  /** Names of the states that it was in, and what ended the socket where that is why it changed. */
  readonly states: StateName[]
  readonly closures: (Closure | undefined)[]
  readonly messages: JsonRpcMessage[]
  readonly malformed: Malformed[]
  readonly errors: Error[]
  /** What the sockets had, and why they had to be left. */
  readonly attachments: Attachment[]
  readonly departures: Departure[]
  /** How often `onHeard`, `onPong`, `onDrain` and `onOver` were called. */
  readonly counts: { heard: number; pongs: number; drains: number; over: number }
  /** What a test does when the connection tells something, after it was recorded. */
  readonly on: Partial<ConnectionListener>
  /** Dials, and leads the dial to `initializing`. */
  readonly open: () => Promise<FakeSocket>
  /** Dials, and leads the dial to `ready`. */
  readonly ready: () => Promise<FakeSocket>
  /** The next dial of a connection that waits. */
  readonly redial: () => Promise<FakeSocket>
}

/** Makes a connection; after the test it is closed, and nothing may be left of it. */
export function useConnection(changes: Partial<ConnectionConfig> = {}): ConnectionRig {
  const clock = new FakeClock()
  const network = new FakeNetwork()
  const counts = { heard: 0, pongs: 0, drains: 0, over: 0 }
  const attachments: Attachment[] = []
  const departures: Departure[] = []
  const on: Partial<ConnectionListener> = {}
  const states: StateName[] = []
  const closures: (Closure | undefined)[] = []
  const messages: JsonRpcMessage[] = []
  const malformed: Malformed[] = []
  const errors: Error[] = []
  const connection = new Connection(connectionConfig(clock, network, changes), {
    onState(to, from, closure) {
      states.push(to.name)
      closures.push(closure)
      on.onState?.(to, from, closure)
    },
    onAttached(attachment) {
      attachments.push(attachment)
      on.onAttached?.(attachment)
    },
    onOver() {
      counts.over++
    },
    onDeparture: (departure) => void departures.push(departure),
    onMessage(message) {
      messages.push(message)
      on.onMessage?.(message)
    },
    onMalformed: (each) => void malformed.push(each),
    onHeard() {
      counts.heard++
    },
    onPong() {
      counts.pongs++
    },
    onDrain() {
      counts.drains++
    },
    onError: (error) => void errors.push(error)
  })
  endAfterTest(clock, network, () => connection.command('close'))
  const open = async (): Promise<FakeSocket> => {
    connection.command('connect')
    return (await redial(clock, network, connection.state)).accept()
  }
  return {
    connection,
    clock,
    network,
    states,
    closures,
    messages,
    malformed,
    errors,
    attachments,
    departures,
    counts,
    on,
    open,
    async ready() {
      const socket = await open()
      connection.confirm()
      return socket
    },
    redial: () => redial(clock, network, connection.state)
  }
}

export const LEGACY: Agreement = {
  era: 'legacy',
  version: '2025-11-25',
  serverInfo: { name: 'fake', version: '1' },
  capabilities: {},
  instructions: undefined
}

export const MODERN: Agreement = { ...LEGACY, era: 'modern', version: '2026-07-28' }

/** A handshake of one request, `hello`, that accepts what the test says; the rules of real ones are tested on their own. */
export class FakeHandshake implements HandshakeScript {
  /** What the handshake agrees on. */
  agreement: Agreement = LEGACY
  agreed: Agreement | undefined
  /** The first step on a new socket; `undefined`: the layer above makes the handshake. */
  first: HandshakeStep | undefined = INITIALIZE
  /** The steps after the outcomes; when there are no more, the agreement is accepted. */
  readonly steps: HandshakeStep[] = []
  readonly outcomes: HandshakeOutcome[] = []
  /** What `closed` was told. */
  readonly closures: boolean[] = []
  resets = 0

  begin(): HandshakeStep | undefined {
    return this.first
  }

  next(outcome: HandshakeOutcome): HandshakeStep {
    this.outcomes.push(outcome)
    return this.steps.shift() ?? { do: 'accept', agreement: this.agreement }
  }

  closed(tellsEra: boolean): void {
    this.closures.push(tellsEra)
  }

  reset(): void {
    this.resets++
  }

  requestMeta(): undefined {
    return undefined
  }
}

export const INITIALIZE: HandshakeStep = { do: 'request', method: 'initialize', params: { offer: 1 }, probe: false }
export const PROBE: HandshakeStep = { do: 'request', method: 'server/discover', params: {}, probe: true }

/** A request that ended without a response. */
export interface Failure {
  readonly id: RequestId
  readonly error: McpWebSocketError
}

/** A session, with what it told. */
export interface SessionRig {
  readonly session: Session
  readonly handshake: FakeHandshake
  readonly clock: FakeClock
  readonly network: FakeNetwork
  /** All that the session told, in its order: states, `reconnected`, methods of messages, `failed` and `response` with the id. */
  readonly log: string[]
  readonly messages: JsonRpcMessage[]
  readonly failures: Failure[]
  readonly reconnections: Reconnected[]
  readonly resumptions: Resumed[]
  readonly errors: Error[]
  /** What a test does when the session tells something, after it was recorded. */
  readonly on: Partial<SessionListener>
  /** Sends a request of a method that is never sent again by itself, unless `resend` says so. */
  readonly ask: (id: RequestId, changes?: { method?: string; params?: Params; resend?: PendingRequest['resend'] }) => PendingRequest
  readonly notify: (method: string, params?: Params) => void
  /** The next dial, not answered yet; begins a life, if need be. */
  readonly dial: () => Promise<FakeSocket>
  /** Leads the next dial to an open socket on which the handshake waits for its response. */
  readonly open: () => Promise<FakeSocket>
  /** Leads the next dial to `ready`. */
  readonly ready: (agreement?: Agreement) => Promise<FakeSocket>
}

/** What the changes of a session's settings may be. */
export interface SessionChanges extends Partial<Omit<SessionConfig, 'connection' | 'handshake'>> {
  readonly handshake?: FakeHandshake
  readonly connection?: Partial<ConnectionConfig>
}

/** The settings of a session in these tests. Modern requests get a stamp; there is no heartbeat. */
export const sessionConfig = (
  clock: FakeClock,
  network: FakeNetwork,
  { connection, ...changes }: SessionChanges = {}
): SessionConfig & { readonly handshake: FakeHandshake } => ({
  handshake: new FakeHandshake(),
  probeTimeout: 300,
  heartbeat: false,
  outbox: { maxMessages: 3, maxBytes: 1000 },
  resend: 'safe',
  maxPending: 2,
  mostCancelled: Infinity,
  stamp: (text, agreement) => (agreement?.era === 'modern' ? text.replace(/}$/, ',"stamp":1}') : text),
  ...changes,
  connection: connectionConfig(clock, network, connection)
})

const nameOf = (message: JsonRpcMessage): string => ('method' in message ? message.method : `response ${String(message.id)}`)

/** Makes a session; after the test it is closed, and nothing may be left of it. */
export function useSession(changes: SessionChanges = {}): SessionRig {
  const clock = new FakeClock()
  const network = new FakeNetwork()
  const config = sessionConfig(clock, network, changes)
  const { handshake } = config
  const log: string[] = []
  const messages: JsonRpcMessage[] = []
  const failures: Failure[] = []
  const reconnections: Reconnected[] = []
  const resumptions: Resumed[] = []
  const errors: Error[] = []
  const on: Partial<SessionListener> = {}
  const session = new Session(config, {
    onState(to, from, closure) {
      if (to.name !== from.name) log.push(to.name)
      on.onState?.(to, from, closure)
    },
    onReconnected(reconnected) {
      log.push('reconnected')
      reconnections.push(reconnected)
      on.onReconnected?.(reconnected)
    },
    onResumed(resumed) {
      log.push('resumed')
      resumptions.push(resumed)
      on.onResumed?.(resumed)
    },
    onMessage(message) {
      log.push(nameOf(message))
      messages.push(message)
      on.onMessage?.(message)
    },
    onFailed(request, error) {
      log.push(`failed ${String(request.id)}`)
      failures.push({ id: request.id, error })
      on.onFailed?.(request, error)
    },
    onError(error) {
      errors.push(error)
    }
  })
  endAfterTest(clock, network, () => session.command('close'))
  const dial = (): Promise<FakeSocket> => {
    session.command('connect')
    return redial(clock, network, session.state)
  }
  const open = async (): Promise<FakeSocket> => (await dial()).accept()
  return {
    session,
    handshake,
    clock,
    network,
    log,
    messages,
    failures,
    reconnections,
    resumptions,
    errors,
    on,
    ask(id, { method = 'tools/call', params, resend } = {}) {
      const request = new PendingRequest(id, method, params, { resend })
      session.request({ jsonrpc: '2.0', id, method, ...(params && { params }) }, request)
      return request
    },
    notify(method, params) {
      const notification: JsonRpcNotification = { jsonrpc: '2.0', method, ...(params && { params }) }
      session.notify(notification)
    },
    dial,
    open,
    async ready(agreement) {
      if (agreement) handshake.agreement = agreement
      const socket = await open()
      socket.respond('initialize', {})
      return socket
    }
  }
}
