import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  transition,
  type Life,
  type LifecycleEvent,
  type LifecycleState,
  type RetryPolicy,
  type SocketClosed
} from '../../src/connection/lifecycle.js'
import { HandshakeError, UnauthorizedError, type Closure } from '../../src/errors.js'
import { closureOf } from '../helpers/fixtures.js'

const POLICY: RetryPolicy = { initialDelay: 1000, maxDelay: 20_000, growFactor: 2, jitter: false, enabled: true, maxRetries: 3 }

const lifeOf = (changes: Partial<Life> = {}): Life => ({
  attempt: 1,
  retries: 0,
  everReady: false,
  redials: [],
  silences: 0,
  reason: 'connect',
  refreshed: false,
  ...changes
})

const closed = (closure: Partial<Closure> = {}, changes: Partial<SocketClosed> = {}): SocketClosed => ({
  type: 'socketClosed',
  closure: closureOf(closure),
  refreshable: false,
  random: 0,
  ...changes
})

const rejection = new UnauthorizedError('401', { status: 401 })
const unauthorized = (changes: Partial<SocketClosed> = {}): SocketClosed =>
  closed({ kind: 'http', code: undefined, status: 401, error: rejection }, { refreshable: true, ...changes })

const IDLE: LifecycleState = { name: 'idle' }
const CLOSED: LifecycleState = { name: 'closed' }
const FAILED: LifecycleState = { name: 'failed', error: rejection, closure: closureOf() }

/** Leads a state through events. */
const after = (events: readonly LifecycleEvent[], from: LifecycleState = IDLE, policy = POLICY): LifecycleState =>
  events.reduce((state, event) => transition(state, event, policy), from)

const CONNECT: LifecycleEvent = { type: 'connect' }
const OPENED: LifecycleEvent = { type: 'socketOpened' }
const CONFIRMED: LifecycleEvent = { type: 'confirmed' }
const STABILIZED: LifecycleEvent = { type: 'stabilized' }
const TIMED_OUT: LifecycleEvent = { type: 'timedOut' }
const RECONNECT: LifecycleEvent = { type: 'reconnect' }
const left = (retryAfter: number, random = 0): LifecycleEvent => ({ type: 'left', closure: closureOf({ code: 1001, retryAfter }), random })
const TO_READY = [CONNECT, OPENED, CONFIRMED] as const

/** A state in one line: `#` the attempt, `r` the retries. */
function inWords(state: LifecycleState): string {
  if (state.name === 'failed') return `failed ${state.error.code}`
  if (!('life' in state)) return state.name
  const { attempt, retries, everReady, redials, reason, refreshed } = state.life
  const words = [state.name, `#${String(attempt)}`, `r${String(retries)}`]
  if (state.name === 'waiting') words.push(`${String(state.delay)}ms`)
  if (everReady) words.push('ever')
  if (redials.length > 0) words.push(`after:${redials.join()}`)
  if (reason === 'unauthorized') words.push('unauth')
  if (refreshed) words.push('refreshed')
  return words.join(' ')
}

describe('the transition table', () => {
  const STATES: readonly LifecycleState[] = [
    IDLE,
    { name: 'connecting', life: lifeOf() },
    { name: 'initializing', life: lifeOf() },
    { name: 'ready', life: lifeOf({ everReady: true }) },
    { name: 'ready', life: lifeOf({ everReady: true, attempt: 0 }) },
    { name: 'waiting', life: lifeOf({ attempt: 2, retries: 1 }), delay: 1000, closure: closureOf() },
    { name: 'connecting', life: lifeOf({ attempt: 4, retries: 3 }) },
    { name: 'closing' },
    CLOSED,
    FAILED
  ]

  const EVENTS: Readonly<Record<string, LifecycleEvent>> = {
    connect: CONNECT,
    reconnect: RECONNECT,
    close: { type: 'close' },
    socketOpened: OPENED,
    confirmed: CONFIRMED,
    stabilized: STABILIZED,
    timedOut: TIMED_OUT,
    left: left(7000),
    'closed 1006': closed(),
    'closed 1006, override false': closed({}, { override: false }),
    'closed 1008': closed({ code: 1008 }),
    'closed 1008, override true': closed({ code: 1008 }, { override: true }),
    'closed 1013': closed({ code: 1013 }),
    'closed 4401': closed({ code: 4401 }),
    'closed, redial era': closed({}, { redial: 'era' }),
    'closed, redial protocols': closed({}, { redial: 'protocols' }),
    'closed 401, provider': unauthorized(),
    'closed 401, static token': unauthorized({ refreshable: false }),
    'closed 503': closed({ kind: 'http', code: undefined, status: 503, retryAfter: 7000 })
  }

  // `-` is the same object: nothing happened.
  it('is this', () => {
    const table = STATES.flatMap((state) => [
      inWords(state),
      ...Object.entries(EVENTS).map(([name, event]) => {
        const next = transition(state, event, POLICY)
        return `  ${name.padEnd(26)}${next === state ? '-' : inWords(next)}`
      })
    ])
    expect(`\n${table.join('\n')}\n`).toMatchInlineSnapshot(`
      "
      idle
        connect                   connecting #1 r0
        reconnect                 connecting #1 r0
        close                     closed
        socketOpened              -
        confirmed                 -
        stabilized                -
        timedOut                  -
        left                      -
        closed 1006               -
        closed 1006, override false-
        closed 1008               -
        closed 1008, override true-
        closed 1013               -
        closed 4401               -
        closed, redial era        -
        closed, redial protocols  -
        closed 401, provider      -
        closed 401, static token  -
        closed 503                -
      connecting #1 r0
        connect                   -
        reconnect                 connecting #1 r0
        close                     closed
        socketOpened              initializing #1 r0
        confirmed                 -
        stabilized                -
        timedOut                  -
        left                      -
        closed 1006               waiting #2 r1 1000ms
        closed 1006, override falsefailed CONNECTION_LOST
        closed 1008               failed CONNECTION_LOST
        closed 1008, override truewaiting #2 r1 1000ms
        closed 1013               waiting #2 r1 2000ms
        closed 4401               waiting #2 r1 1000ms unauth
        closed, redial era        connecting #1 r0 after:era
        closed, redial protocols  connecting #1 r0 after:protocols
        closed 401, provider      connecting #1 r0 after:token unauth refreshed
        closed 401, static token  failed UNAUTHORIZED
        closed 503                waiting #2 r1 7000ms
      initializing #1 r0
        connect                   -
        reconnect                 connecting #1 r0
        close                     closing
        socketOpened              -
        confirmed                 ready #1 r0 ever
        stabilized                -
        timedOut                  -
        left                      -
        closed 1006               waiting #2 r1 1000ms
        closed 1006, override falsefailed CONNECTION_LOST
        closed 1008               failed CONNECTION_LOST
        closed 1008, override truewaiting #2 r1 1000ms
        closed 1013               waiting #2 r1 2000ms
        closed 4401               waiting #2 r1 1000ms unauth
        closed, redial era        connecting #1 r0 after:era
        closed, redial protocols  connecting #1 r0 after:protocols
        closed 401, provider      connecting #1 r0 after:token unauth refreshed
        closed 401, static token  failed UNAUTHORIZED
        closed 503                waiting #2 r1 7000ms
      ready #1 r0 ever
        connect                   -
        reconnect                 connecting #1 r0 ever
        close                     closing
        socketOpened              -
        confirmed                 -
        stabilized                ready #0 r0 ever
        timedOut                  -
        left                      waiting #1 r0 7000ms ever
        closed 1006               waiting #2 r1 1000ms ever
        closed 1006, override falsefailed CONNECTION_LOST
        closed 1008               failed CONNECTION_LOST
        closed 1008, override truewaiting #2 r1 1000ms ever
        closed 1013               waiting #2 r1 2000ms ever
        closed 4401               waiting #2 r1 1000ms ever unauth
        closed, redial era        connecting #1 r0 ever after:era
        closed, redial protocols  connecting #1 r0 ever after:protocols
        closed 401, provider      connecting #1 r0 ever after:token unauth refreshed
        closed 401, static token  failed UNAUTHORIZED
        closed 503                waiting #2 r1 7000ms ever
      ready #0 r0 ever
        connect                   -
        reconnect                 connecting #1 r0 ever
        close                     closing
        socketOpened              -
        confirmed                 -
        stabilized                -
        timedOut                  -
        left                      waiting #1 r0 7000ms ever
        closed 1006               waiting #1 r1 1000ms ever
        closed 1006, override falsefailed CONNECTION_LOST
        closed 1008               failed CONNECTION_LOST
        closed 1008, override truewaiting #1 r1 1000ms ever
        closed 1013               waiting #1 r1 2000ms ever
        closed 4401               waiting #1 r1 1000ms ever unauth
        closed, redial era        connecting #0 r0 ever after:era
        closed, redial protocols  connecting #0 r0 ever after:protocols
        closed 401, provider      connecting #0 r0 ever after:token unauth refreshed
        closed 401, static token  failed UNAUTHORIZED
        closed 503                waiting #1 r1 7000ms ever
      waiting #2 r1 1000ms
        connect                   -
        reconnect                 connecting #1 r0
        close                     closed
        socketOpened              -
        confirmed                 -
        stabilized                -
        timedOut                  connecting #2 r1
        left                      -
        closed 1006               -
        closed 1006, override false-
        closed 1008               -
        closed 1008, override true-
        closed 1013               -
        closed 4401               -
        closed, redial era        -
        closed, redial protocols  -
        closed 401, provider      -
        closed 401, static token  -
        closed 503                -
      connecting #4 r3
        connect                   -
        reconnect                 connecting #1 r0
        close                     closed
        socketOpened              initializing #4 r3
        confirmed                 -
        stabilized                -
        timedOut                  -
        left                      -
        closed 1006               failed RETRIES_EXHAUSTED
        closed 1006, override falsefailed CONNECTION_LOST
        closed 1008               failed CONNECTION_LOST
        closed 1008, override truefailed RETRIES_EXHAUSTED
        closed 1013               failed RETRIES_EXHAUSTED
        closed 4401               failed RETRIES_EXHAUSTED
        closed, redial era        connecting #4 r3 after:era
        closed, redial protocols  connecting #4 r3 after:protocols
        closed 401, provider      connecting #4 r3 after:token unauth refreshed
        closed 401, static token  failed UNAUTHORIZED
        closed 503                failed RETRIES_EXHAUSTED
      closing
        connect                   -
        reconnect                 -
        close                     -
        socketOpened              -
        confirmed                 -
        stabilized                -
        timedOut                  closed
        left                      -
        closed 1006               closed
        closed 1006, override falseclosed
        closed 1008               closed
        closed 1008, override trueclosed
        closed 1013               closed
        closed 4401               closed
        closed, redial era        closed
        closed, redial protocols  closed
        closed 401, provider      closed
        closed 401, static token  closed
        closed 503                closed
      closed
        connect                   connecting #1 r0
        reconnect                 connecting #1 r0
        close                     -
        socketOpened              -
        confirmed                 -
        stabilized                -
        timedOut                  -
        left                      -
        closed 1006               -
        closed 1006, override false-
        closed 1008               -
        closed 1008, override true-
        closed 1013               -
        closed 4401               -
        closed, redial era        -
        closed, redial protocols  -
        closed 401, provider      -
        closed 401, static token  -
        closed 503                -
      failed UNAUTHORIZED
        connect                   connecting #1 r0
        reconnect                 connecting #1 r0
        close                     closed
        socketOpened              -
        confirmed                 -
        stabilized                -
        timedOut                  -
        left                      -
        closed 1006               -
        closed 1006, override false-
        closed 1008               -
        closed 1008, override true-
        closed 1013               -
        closed 4401               -
        closed, redial era        -
        closed, redial protocols  -
        closed 401, provider      -
        closed 401, static token  -
        closed 503                -
      "
    `)
  })

  it('is pure: the same result twice, and nothing given is changed', () => {
    for (const state of STATES) {
      for (const event of Object.values(EVENTS)) {
        const [before, policy] = [JSON.stringify([state, event]), Object.freeze({ ...POLICY })]
        const [first, second] = [transition(state, event, policy), transition(state, event, policy)]
        expect(inWords(second)).toBe(inWords(first))
        expect(JSON.stringify([state, event])).toBe(before)
      }
    }
  })
})

/** How many dials follow until the life ends, when each ends in the same way. */
function dialsUntilFailed(start: LifecycleState, policy: RetryPolicy, endOfDial: readonly LifecycleEvent[]): [number, LifecycleState] {
  let state = start
  let dials = 0
  while (state.name !== 'failed') {
    if (state.name === 'waiting') state = transition(state, TIMED_OUT, policy)
    if (state.name !== 'connecting') throw new Error(`unexpected ${state.name}`)
    dials++
    state = after(endOfDial, state, policy)
  }
  return [dials, state]
}

describe('the count of dials', () => {
  const caps = fc.integer({ min: 1, max: 25 })

  it('is at most maxRetries + 1 from connect() on', () => {
    fc.assert(
      fc.property(caps, (maxRetries) => {
        const policy = { ...POLICY, maxRetries }
        const [dials, end] = dialsUntilFailed(transition(IDLE, CONNECT, policy), policy, [closed()])
        expect(dials).toBe(maxRetries + 1)
        expect(end).toMatchObject({ error: { code: 'RETRIES_EXHAUSTED', attempts: maxRetries + 1 } })
      })
    )
  })

  it('is maxRetries after a stable connection broke', () => {
    fc.assert(
      fc.property(caps, (maxRetries) => {
        const policy = { ...POLICY, maxRetries }
        const broken = after([...TO_READY, STABILIZED, closed()], IDLE, policy)
        expect(broken).toMatchObject({ name: 'waiting', life: { attempt: 1, retries: 1 } })
        const [dials, end] = dialsUntilFailed(broken, policy, [closed()])
        expect(dials).toBe(maxRetries)
        expect(end).toMatchObject({ error: { code: 'RETRIES_EXHAUSTED', attempts: maxRetries } })
      })
    )
  })

  it('goes on through connections that become ready and drop at once', () => {
    const [dials] = dialsUntilFailed(transition(IDLE, CONNECT, POLICY), POLICY, [OPENED, CONFIRMED, closed()])
    expect(dials).toBe(4)
  })

  it('starts anew with every stable connection', () => {
    let state = after(TO_READY)
    for (let turn = 0; turn < 20; turn++) state = after([STABILIZED, closed(), TIMED_OUT, OPENED, CONFIRMED], state)
    expect(state).toMatchObject({ name: 'ready', life: { attempt: 1, retries: 1 } })
  })

  it.each([
    ['an open socket', [OPENED]],
    ['ready', [OPENED, CONFIRMED]]
  ])('is not reset by %s alone', (_what, events) => {
    const state = after([CONNECT, closed(), TIMED_OUT, closed(), TIMED_OUT, ...events])
    expect(state).toMatchObject({ life: { attempt: 3, retries: 2 } })
  })

  it('never ends with maxRetries: Infinity, and the delays stay capped', () => {
    const policy = { ...POLICY, maxRetries: Infinity }
    let state = transition(IDLE, CONNECT, policy)
    for (let turn = 0; turn < 2000; turn++) state = after([closed(), TIMED_OUT], state, policy)
    expect(transition(state, closed(), policy)).toMatchObject({ name: 'waiting', delay: 20_000, life: { retries: 2001 } })
  })

  it('is reset by reconnect()', () => {
    const tired = after([CONNECT, closed(), TIMED_OUT, closed(), TIMED_OUT, closed(), TIMED_OUT])
    expect(tired).toMatchObject({ life: { attempt: 4, retries: 3 } })
    expect(transition(tired, RECONNECT, POLICY)).toMatchObject({ name: 'connecting', life: { attempt: 1, retries: 0 } })
  })
})

describe('the end of a life', () => {
  const failure = new HandshakeError('CONNECT_FAILED', 'no server', { retryable: true })
  const unreachable = closed({ kind: 'network', code: undefined, error: failure })

  it.each([0, 3])('is the error of the attempt itself without reconnection (maxRetries %i)', (maxRetries) => {
    expect(after([CONNECT, unreachable], IDLE, { ...POLICY, enabled: false, maxRetries })).toEqual({
      name: 'failed',
      error: failure,
      closure: unreachable.closure
    })
  })

  it('is the error of the attempt itself without reconnection, though shouldReconnect wants to go on', () => {
    const wanted: SocketClosed = { ...unreachable, override: true }
    expect(after([CONNECT, wanted], IDLE, { ...POLICY, enabled: false })).toMatchObject({ name: 'failed', error: failure })
  })

  it('is a RetriesExhaustedError with maxRetries 0 too', () => {
    const end = after([CONNECT, unreachable], IDLE, { ...POLICY, maxRetries: 0 })
    expect(end).toMatchObject({ name: 'failed', error: { name: 'RetriesExhaustedError', attempts: 1 } })
  })

  it('is a RetriesExhaustedError around the last failure otherwise', () => {
    const end = after([CONNECT, closed({ code: 1011 }), TIMED_OUT, unreachable], IDLE, { ...POLICY, maxRetries: 1 })
    expect(end).toMatchObject({ name: 'failed', error: { name: 'RetriesExhaustedError', attempts: 2 } })
    expect(end).toHaveProperty('error.cause', failure)
  })

  it('is the error of a fatal closure itself, however many retries are left', () => {
    const fatal = closed({ kind: 'tls', code: undefined, error: failure })
    expect(after([CONNECT, fatal])).toEqual({ name: 'failed', error: failure, closure: fatal.closure })
  })

  it('makes an error for a closure that has none', () => {
    expect(after([CONNECT, OPENED, closed({ code: 1008 })])).toMatchObject({ error: { code: 'CONNECTION_LOST' } })
  })

  it('depends on whether the life was ever ready', () => {
    const notFound = (everReady: boolean): SocketClosed => closed({ kind: 'http', code: undefined, status: 404, everReady })
    expect(after([CONNECT, notFound(false)]).name).toBe('failed')
    expect(after([...TO_READY, closed(), TIMED_OUT, notFound(true)]).name).toBe('waiting')
  })
})

describe('uncounted redials', () => {
  it.each(['era', 'protocols'] as const)('dial at once for %s, without counting, once a life', (redial) => {
    const first = after([CONNECT, OPENED, closed({}, { redial })])
    expect(first).toEqual({ name: 'connecting', life: lifeOf({ redials: [redial] }) })
    expect(after([OPENED, closed({}, { redial })], first)).toMatchObject({ name: 'waiting', life: { attempt: 2, retries: 1 } })
  })

  it.each([
    ['a stable connection', [OPENED, CONFIRMED, STABILIZED, closed(), TIMED_OUT]],
    ['reconnect()', [RECONNECT]]
  ])('stay used after %s', (_what, events) => {
    const used = after([CONNECT, closed({}, { redial: 'era' }), ...events])
    expect(used).toMatchObject({ name: 'connecting', life: { redials: ['era'] } })
    expect(transition(used, closed({}, { redial: 'era' }), POLICY).name).toBe('waiting')
  })

  it('are fresh in a new life', () => {
    const failed = after([CONNECT, closed({}, { redial: 'era' }), closed({ code: 1008 })])
    expect(failed.name).toBe('failed')
    expect(after([CONNECT, closed({}, { redial: 'era' })], failed)).toMatchObject({ name: 'connecting', life: { redials: ['era'] } })
  })

  it('do not stand in each other’s way', () => {
    const state = after([CONNECT, closed({}, { redial: 'protocols' }), closed({}, { redial: 'era' }), unauthorized()])
    expect(state).toMatchObject({ name: 'connecting', life: { attempt: 1, retries: 0, redials: ['protocols', 'era', 'token'] } })
  })

  it.each([{ maxRetries: 0 }, { enabled: false }])('happen without any retries too (%o)', (changes) => {
    expect(after([CONNECT, closed({}, { redial: 'era' })], IDLE, { ...POLICY, ...changes }).name).toBe('connecting')
  })
})

describe('a rejected token', () => {
  it('is asked for once more, and dialled with at once', () => {
    expect(after([CONNECT, unauthorized()])).toEqual({
      name: 'connecting',
      life: lifeOf({ redials: ['token'], reason: 'unauthorized', refreshed: true })
    })
  })

  it('is fatal the second time', () => {
    expect(after([CONNECT, unauthorized(), unauthorized()])).toMatchObject({ name: 'failed', error: { code: 'UNAUTHORIZED' } })
  })

  it('is fatal the second time after a short-lived connection too', () => {
    const events = [CONNECT, unauthorized(), OPENED, CONFIRMED, closed(), TIMED_OUT, unauthorized()]
    expect(after(events)).toMatchObject({ name: 'failed', error: { code: 'UNAUTHORIZED' } })
  })

  it('is fatal the first time if it is static', () => {
    expect(after([CONNECT, unauthorized({ refreshable: false })])).toMatchObject({ name: 'failed', error: { code: 'UNAUTHORIZED' } })
  })

  it('may be refreshed again after a stable connection, with a delay', () => {
    const stable = after([CONNECT, unauthorized(), OPENED, CONFIRMED, STABILIZED, closed(), TIMED_OUT])
    const refreshed = transition(stable, unauthorized(), POLICY)
    expect(refreshed).toMatchObject({ name: 'waiting', life: { reason: 'unauthorized', refreshed: true } })
    expect(after([TIMED_OUT, unauthorized()], refreshed)).toMatchObject({ name: 'failed', error: { code: 'UNAUTHORIZED' } })
  })

  it('is not refreshed when shouldReconnect says false', () => {
    expect(after([CONNECT, unauthorized({ override: false })])).toMatchObject({ name: 'failed', error: { code: 'UNAUTHORIZED' } })
  })

  it('is tried further if shouldReconnect says so', () => {
    const wanted = unauthorized({ override: true })
    expect(after([CONNECT, wanted]).name).toBe('connecting')
    expect(after([CONNECT, wanted, wanted])).toMatchObject({ name: 'waiting', life: { reason: 'unauthorized' } })
  })

  it.each([4401, 3000])('by close code %i asks for another one at the next, delayed attempt', (code) => {
    expect(after([...TO_READY, closed({ code })])).toMatchObject({ name: 'waiting', life: { reason: 'unauthorized', refreshed: false } })
  })

  it('is forgotten as a reason by a closure of another kind', () => {
    const state = after([...TO_READY, closed({ code: 4401 }), TIMED_OUT, closed()])
    expect(state).toMatchObject({ name: 'waiting', life: { reason: 'connect' } })
  })
})

describe('shouldReconnect', () => {
  it('retries what is fatal', () => {
    expect(after([CONNECT, closed({ code: 1008 }, { override: true })]).name).toBe('waiting')
  })

  it('stops what would be retried, with the error of the closure itself', () => {
    expect(after([...TO_READY, closed({ code: 1011 }, { override: false })])).toMatchObject({
      name: 'failed',
      error: { code: 'CONNECTION_LOST' }
    })
  })

  it('does not lift the cap', () => {
    const [dials] = dialsUntilFailed(transition(IDLE, CONNECT, POLICY), POLICY, [closed({ code: 1008 }, { override: true })])
    expect(dials).toBe(4)
  })

  it('does not shorten what the server asked for', () => {
    const busy = closed({ kind: 'http', code: undefined, status: 503, retryAfter: 9000 }, { override: true })
    expect(after([CONNECT, busy])).toMatchObject({ name: 'waiting', delay: 9000 })
  })
})

describe('the delay', () => {
  it('grows from retry to retry up to the cap', () => {
    const policy = { ...POLICY, maxRetries: 8 }
    const delays: number[] = []
    let state = transition(IDLE, CONNECT, policy)
    for (let turn = 0; turn < 8; turn++) {
      const waiting = transition(state, closed(), policy)
      if (waiting.name === 'waiting') delays.push(waiting.delay)
      state = transition(waiting, TIMED_OUT, policy)
    }
    expect(delays).toEqual([1000, 2000, 4000, 8000, 16_000, 20_000, 20_000, 20_000])
  })

  it('uses the chance that comes with the event', () => {
    const jittered = { ...POLICY, jitter: true }
    expect(after([CONNECT, closed({}, { random: 0.5 })], IDLE, jittered)).toMatchObject({ delay: 550 })
  })

  it('is never left out after an orderly close', () => {
    expect(after([...TO_READY, STABILIZED, closed({ code: 1000, wasClean: true })])).toMatchObject({ name: 'waiting', delay: 1000 })
  })

  it.each([
    [1, 2000],
    [3, 4000]
  ])('is at least twice the first one after 1013 (retry %i: %i ms)', (retry, delay) => {
    const before = Array.from({ length: retry - 1 }, () => [closed(), TIMED_OUT]).flat()
    expect(after([CONNECT, ...before, closed({ code: 1013 })])).toMatchObject({ name: 'waiting', delay })
  })
})

describe('a server that is left', () => {
  it.each([
    [1000, 0.5, 1100],
    [3, 0, 3],
    [1e12, 0.5, 300_000]
  ])('is not dialled before the time that it asked for (%d ms), nor much later, and that is no retry', (asked, random, delay) => {
    const state = after([...TO_READY, STABILIZED, left(asked, random)])
    expect(state).toMatchObject({ name: 'waiting', delay, closure: { code: 1001 }, life: { attempt: 1, retries: 0, everReady: true } })
    expect(after([TIMED_OUT], state)).toMatchObject({ name: 'connecting', life: { attempt: 1, retries: 0 } })
  })
})

describe('a random walk', () => {
  const closures: fc.Arbitrary<Partial<Closure>> = fc.oneof(
    fc.record({ code: fc.constantFrom(1000, 1006, 1008, 1013, 4401, 4429) }),
    fc.record({ kind: fc.constant('http' as const), code: fc.constant(undefined), status: fc.constantFrom(401, 403, 404, 429, 503) }),
    fc.record({ kind: fc.constantFrom('network' as const, 'timeout' as const, 'heartbeat' as const, 'tls' as const) })
  )
  const events: fc.Arbitrary<LifecycleEvent> = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(CONNECT, OPENED, CONFIRMED, TIMED_OUT) },
    { weight: 1, arbitrary: fc.constantFrom(STABILIZED, RECONNECT, left(7000), { type: 'close' } as const) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(
          closures,
          fc.record({
            override: fc.constantFrom(undefined, undefined, true, false),
            redial: fc.constantFrom(undefined, undefined, 'era' as const, 'protocols' as const),
            refreshable: fc.boolean(),
            random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
          })
        )
        .map(([closure, changes]) => closed(closure, changes))
    }
  )

  it('keeps within the cap, redials each kind once a life, and never waits for no time', () => {
    fc.assert(
      fc.property(fc.array(events, { maxLength: 80, size: 'max' }), fc.nat(4), (walk, maxRetries) => {
        const policy = { ...POLICY, jitter: true, maxRetries }
        let state: LifecycleState = IDLE
        for (const event of walk) {
          const before: LifecycleState = state
          state = transition(before, event, policy)
          if (!('life' in state)) continue
          const { retries, attempt, redials } = state.life
          expect(retries).toBeLessThanOrEqual(maxRetries)
          expect(attempt).toBeGreaterThanOrEqual(retries)
          expect(attempt).toBeLessThanOrEqual(retries + 1)
          expect(new Set(redials).size).toBe(redials.length)
          if (state.name === 'waiting') expect(state.delay).toBeGreaterThanOrEqual(100)
          if (state.name === 'ready') expect(state.life.everReady).toBe(true)
          if ('life' in before && before.life.everReady) expect(state.life.everReady).toBe(true)
        }
      })
    )
  })
})
