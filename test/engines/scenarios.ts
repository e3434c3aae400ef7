import { expect } from 'vitest'
import type { Failure, Scenario, View } from './perform.js'

/** What came of a scenario: what the program saw, and what the server saw. */
export interface Outcome extends View {
  /** How many dials the server had. */
  readonly dials: number
}

/** What is expected; `wire` and `codes` only where they are sure. */
export interface Expected extends Outcome {
  /** The methods that came over the last dial. */
  readonly wire?: string
  /** For each dial that the server accepted or rejected, the close code that it had from the client. */
  readonly codes?: readonly number[]
}

/** One scene in all engines. */
export interface Row {
  readonly scene: string
  readonly scenario: Scenario
  /** In Node, and in every engine that has no column of its own. */
  readonly node: Expected
  /** In browsers, where they show less of HTTP than Node does. */
  readonly browser?: Expected
  /** In Firefox, where its own leniency shows; see `LENIENT` below. */
  readonly firefox?: Expected
}

const within = (least: number, most: number): number => expect.toSatisfy((ms: number) => ms >= least && ms <= most) as number

const failure = (name: string, code: string, retryable: boolean, delivery: string, hint: boolean, cause?: Failure): Failure => ({
  name,
  code,
  retryable,
  delivery,
  hint,
  cause
})

const handshake = (code: string, retryable: boolean, hint = true): Failure => failure('HandshakeError', code, retryable, 'not-sent', hint)
const exhausted = (cause: Failure): Failure => failure('RetriesExhaustedError', 'RETRIES_EXHAUSTED', true, 'not-sent', cause.hint, cause)
const UNAUTHORIZED = failure('UnauthorizedError', 'UNAUTHORIZED', false, 'not-sent', true)
const MISMATCH = failure('SubprotocolError', 'SUBPROTOCOL_MISMATCH', false, 'not-sent', true)
const CLOSED = failure('ClosedError', 'CLOSED', false, 'not-sent', false)
const TIMED_OUT = failure('RequestTimeoutError', 'REQUEST_TIMEOUT', true, 'unknown', false)
const TOO_LARGE = failure('ConnectionLostError', 'MESSAGE_TOO_LARGE', false, 'unknown', true)
const LOST = failure('ConnectionLostError', 'CONNECTION_LOST', true, 'unknown', false)
const LOST_FOR_GOOD: Failure = { ...LOST, cause: failure('ConnectionLostError', 'CONNECTION_LOST', false, 'not-sent', false) }

const READY = 'connecting initializing ready'
const SETUP = 'server/discover initialize notifications/initialized'
const SETUP_AGAIN = 'initialize notifications/initialized'

/** The first dial was the last. */
const fatal = (connect: Failure): Expected => ({ connect, states: 'connecting failed', delays: [], dials: 1, wire: '' })

/** Every dial failed, up to the cap of two retries. */
const retried = (cause: Failure): Expected => ({
  connect: exhausted(cause),
  states: 'connecting waiting connecting waiting connecting failed',
  delays: [10, 20],
  dials: 3,
  wire: ''
})

/** What a browser tells of every rejected upgrade. */
const OPAQUE = retried(handshake('CONNECT_FAILED', true))

const rejected = (status: number, node: Expected): Row => ({
  scene: `an upgrade that is rejected with ${String(status)}`,
  scenario: { path: `/status/${String(status)}` },
  node,
  browser: OPAQUE
})

const READY_AT_ONCE: Expected = { connect: 'ok', states: READY, delays: [], dials: 1, wire: SETUP }

// Where the server names no subprotocol though some were offered, Firefox opens the socket, with `protocol` ''; the others fail it, as the
// WHATWG standard has it. Where none were offered, Firefox opens it whatever the server names, and does not tell.
const LENIENT = {
  /** The client itself sees what is missing, as in Node. */
  missing: { ...fatal(MISMATCH), codes: [1000] },
  /** The redial without subprotocols opens, and no program could know on what. */
  foreign: { ...READY_AT_ONCE, dials: 2 }
}

const ACCEPT = { onMissingSubprotocol: 'accept' } as const

/** A break while `tools/call` and `tools/list` are in flight, and what comes of it. */
const broken = (closure: View['closure'], call: Failure, delay = 10): Expected => ({
  connect: 'ok',
  call,
  list: 'ok',
  states: `${READY} waiting ${READY}`,
  delays: [delay],
  closure,
  reconnected: { resent: 1, lost: 1 },
  dials: 2,
  wire: `${SETUP_AGAIN} tools/list`
})

const closedWith = (code: number, reason = ''): View['closure'] => ({ kind: 'close', code, reason, wasClean: true })

const passing = (code: number, call = LOST): Row => ({
  scene: `close code ${String(code)} in mid-call is retried`,
  scenario: { path: `/close/${String(code)}?after=tools/call`, act: 'call' },
  node: broken(closedWith(code), call)
})

const final = (code: number): Row => ({
  scene: `close code ${String(code)} in mid-call is fatal`,
  scenario: { path: `/close/${String(code)}?after=tools/call`, act: 'call' },
  node: {
    connect: 'ok',
    call: LOST_FOR_GOOD,
    list: LOST_FOR_GOOD,
    states: `${READY} failed`,
    delays: [],
    closure: closedWith(code),
    dials: 1
  }
})

const HEARTBEAT = { heartbeat: { interval: 100, timeout: 200 } }

/** A server that fell silent was noticed. */
const noticed = (wire: string, call?: Failure): Expected => ({
  connect: 'ok',
  call,
  states: `${READY} waiting ${READY}`,
  delays: [10],
  closure: { kind: 'heartbeat', code: 1006, wasClean: false },
  reconnected: { resent: 0, lost: 0 },
  dials: 2,
  wire
})

/** Settings of the rows about `close()`: what is longer than the closing has no part in it. */
const PATIENT = { connectTimeout: 60_000, closeTimeout: 1000, reconnect: { initialDelay: 200, maxDelay: 200 } }

/** The table: the same in every engine, except where a column of its own says otherwise. */
export const rows: readonly Row[] = [
  {
    scene: 'an upgrade without a response',
    scenario: { path: '/hang', options: { connectTimeout: 1000, reconnect: { maxRetries: 1 } } },
    node: {
      connect: exhausted(handshake('CONNECT_TIMEOUT', true)),
      states: 'connecting waiting connecting failed',
      delays: [10],
      dials: 2,
      wire: ''
    }
  },
  {
    scene: 'close() in the midst of a dial that hangs',
    scenario: { path: '/hang', act: 'close dialling', options: PATIENT },
    node: { connect: CLOSED, states: 'connecting closed', delays: [], closedAfter: within(0, 900), dials: 1, wire: '' }
  },
  {
    scene: 'close() while a retry is due',
    scenario: { path: '/status/503', act: 'close waiting', options: PATIENT },
    node: { connect: CLOSED, states: 'connecting waiting closed', delays: [200], closedAfter: within(0, 900), dials: 1, wire: '' }
  },
  {
    scene: 'close() of a connection that is ready',
    scenario: { path: '/legacy', act: 'close', options: PATIENT },
    node: { ...READY_AT_ONCE, states: `${READY} closing closed`, closedAfter: within(0, 900), codes: [1000] }
  },
  {
    scene: 'close() of a server that stopped reading',
    scenario: { path: '/deaf?after=notifications/nudge', act: 'close deaf', options: PATIENT },
    // Upper bounds of times are for machines under load; without our own limit it would be 9 s and more.
    node: {
      ...READY_AT_ONCE,
      states: `${READY} closing closed`,
      closedAfter: within(999, 5000),
      wire: `${SETUP} notifications/nudge`
    }
  },
  {
    scene: 'a port where nobody listens',
    scenario: { path: 'ws://127.0.0.1:65535/ws' },
    node: { ...retried(handshake('CONNECT_FAILED', true)), dials: 0 }
  },
  rejected(401, fatal(UNAUTHORIZED)),
  rejected(403, fatal(UNAUTHORIZED)),
  rejected(404, fatal(handshake('UNEXPECTED_STATUS', false))),
  rejected(426, fatal(handshake('UNEXPECTED_STATUS', false))),
  rejected(503, retried(handshake('UNEXPECTED_STATUS', true))),
  {
    scene: 'an upgrade that is rejected with 503 twice',
    scenario: { path: '/status/503?times=2' },
    node: { connect: 'ok', states: `connecting waiting connecting waiting ${READY}`, delays: [10, 20], dials: 3, wire: SETUP }
  },
  {
    scene: 'an upgrade that is rejected with 503 and Retry-After',
    scenario: { path: '/status/503?times=1&retry-after=1' },
    node: { connect: 'ok', states: `connecting waiting ${READY}`, delays: [within(1000, 1200)], dials: 2, wire: SETUP },
    browser: { connect: 'ok', states: `connecting waiting ${READY}`, delays: [10], dials: 2, wire: SETUP }
  },
  {
    scene: 'N20: no subprotocol',
    scenario: { path: '/no-subprotocol' },
    node: fatal(MISMATCH),
    browser: OPAQUE,
    firefox: LENIENT.missing
  },
  {
    scene: 'N20: no subprotocol, accepted',
    scenario: { path: '/no-subprotocol', options: ACCEPT },
    node: READY_AT_ONCE,
    browser: { ...READY_AT_ONCE, dials: 2 },
    firefox: READY_AT_ONCE
  },
  {
    scene: 'a foreign subprotocol',
    scenario: { path: '/wrong-subprotocol' },
    node: fatal(MISMATCH),
    browser: OPAQUE
  },
  {
    scene: 'a foreign subprotocol where a missing one is accepted',
    scenario: { path: '/wrong-subprotocol', options: ACCEPT },
    node: fatal(MISMATCH),
    // The second dial goes without subprotocols, uncounted.
    browser: { ...OPAQUE, dials: 4 },
    firefox: LENIENT.foreign
  },
  {
    scene: 'a server that opens the socket and says nothing',
    scenario: { path: '/silent', options: { handshakeTimeout: 300, reconnect: { maxRetries: 1 } } },
    node: {
      connect: exhausted(handshake('HANDSHAKE_TIMEOUT', true, true)),
      states: 'connecting initializing waiting connecting initializing failed',
      delays: [10],
      dials: 2,
      wire: 'server/discover initialize'
    }
  },
  {
    scene: 'a server that hangs up on server/discover',
    scenario: { path: '/drop?after=server/discover' },
    node: { connect: 'ok', states: `connecting initializing ${READY}`, delays: [], dials: 2, wire: SETUP_AGAIN }
  },
  {
    scene: 'a connection that is cut in mid-call',
    scenario: { path: '/drop?after=tools/call', act: 'call' },
    node: broken({ kind: 'close', code: 1006, reason: '', wasClean: false }, LOST)
  },
  {
    scene: 'a response that is larger than maxMessageBytes',
    scenario: { path: '/legacy', act: 'call', say: 3000, options: { maxMessageBytes: 2000 } },
    node: broken({ kind: 'close', code: 1009, reason: 'a message is larger than maxMessageBytes (2000)', wasClean: false }, TOO_LARGE)
  },
  ...[1000, 1001, 1011, 1012, 3000, 4000, 4401, 4408, 4429, 4500].map((code) => passing(code)),
  passing(1009, TOO_LARGE),
  {
    scene: 'close code 1013 in mid-call is retried later',
    scenario: { path: '/close/1013?after=tools/call', act: 'call' },
    node: broken(closedWith(1013), LOST, within(20, 24))
  },
  {
    scene: 'close code 1013 with retry-after in mid-call is retried when the server said',
    scenario: { path: '/close/1013/retry-after=1?after=tools/call', act: 'call' },
    node: broken(closedWith(1013, 'retry-after=1'), LOST, within(1000, 1200))
  },
  ...[1002, 1003, 1007, 1008, 1010, 4400, 4403, 4404].map(final),
  {
    scene: 'a server of the legacy era that stops reading while nothing is pending',
    scenario: { path: '/deaf?after=notifications/nudge', act: 'nudge', options: HEARTBEAT },
    node: noticed(SETUP_AGAIN)
  },
  {
    scene: 'a server of the modern era that stops reading while nothing is pending',
    scenario: { path: '/deaf?after=notifications/nudge&era=modern', act: 'nudge', options: HEARTBEAT },
    node: noticed('server/discover')
  },
  {
    scene: 'a server that stops reading under a call',
    scenario: { path: '/deaf?after=tools/call', act: 'call alone', options: HEARTBEAT },
    node: noticed(SETUP_AGAIN, TIMED_OUT)
  }
]
