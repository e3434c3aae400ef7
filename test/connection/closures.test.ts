import { describe, expect, it } from 'vitest'
import {
  askedDelay,
  describeClosure,
  isUnauthorizedCode,
  reasonForToken,
  judgeClosure,
  lateClosure,
  lostCode,
  mayLackSubprotocol,
  mayRejectOffer,
  REPLACED,
  tellsEra,
  unexpectedError,
  unreadError,
  withError,
  type Verdict
} from '../../src/connection/closures.js'
import { HandshakeError, ProtocolError, SubprotocolError, UnauthorizedError, type Closure } from '../../src/errors.js'
import { closureOf } from '../helpers/fixtures.js'

const verdicts = (closure: Partial<Closure>): Verdict[] =>
  [false, true].map((everReady) => judgeClosure(closureOf({ code: undefined, ...closure, everReady })))

describe('judgeClosure', () => {
  it.each<[number | undefined, Verdict, Verdict]>([
    // code, before the first ready, after it
    [undefined, 'retry', 'retry'],
    [1000, 'retry', 'retry'],
    [1001, 'retry', 'retry'],
    [1002, 'fatal', 'fatal'],
    [1003, 'fatal', 'fatal'],
    [1004, 'retry', 'retry'],
    [1005, 'retry', 'retry'],
    [1006, 'retry', 'retry'],
    [1007, 'fatal', 'fatal'],
    [1008, 'fatal', 'fatal'],
    [1009, 'retry', 'retry'],
    [1010, 'fatal', 'fatal'],
    [1011, 'retry', 'retry'],
    [1012, 'retry', 'retry'],
    [1013, 'retry', 'retry'],
    [1014, 'retry', 'retry'],
    [1015, 'retry', 'retry'],
    [3000, 'retry', 'retry'],
    [3999, 'retry', 'retry'],
    [4000, 'retry', 'retry'],
    [4399, 'retry', 'retry'],
    [4400, 'fatal', 'fatal'],
    [4401, 'retry', 'retry'],
    [4402, 'fatal', 'fatal'],
    [4403, 'fatal', 'fatal'],
    [4404, 'fatal', 'fatal'],
    [4407, 'fatal', 'fatal'],
    [4408, 'retry', 'retry'],
    [4409, 'fatal', 'fatal'],
    [4429, 'retry', 'retry'],
    [4499, 'fatal', 'fatal'],
    [4500, 'retry', 'retry'],
    [4999, 'retry', 'retry']
  ])('takes the close code %s for %s before the first ready and for %s after it', (code, before, after) => {
    expect(verdicts({ kind: 'close', code })).toEqual([before, after])
  })

  it.each<[number | undefined, Verdict, Verdict]>([
    [undefined, 'fatal', 'retry'],
    [200, 'fatal', 'retry'],
    [301, 'fatal', 'retry'],
    [302, 'fatal', 'retry'],
    [307, 'fatal', 'retry'],
    [400, 'fatal', 'retry'],
    [401, 'fatal', 'fatal'],
    [402, 'fatal', 'retry'],
    [403, 'fatal', 'fatal'],
    [404, 'fatal', 'retry'],
    [405, 'fatal', 'retry'],
    [407, 'fatal', 'retry'],
    [408, 'retry', 'retry'],
    [410, 'fatal', 'retry'],
    [425, 'retry', 'retry'],
    [426, 'fatal', 'retry'],
    [429, 'retry', 'retry'],
    [451, 'fatal', 'retry'],
    [499, 'fatal', 'retry'],
    [500, 'retry', 'retry'],
    [502, 'retry', 'retry'],
    [503, 'retry', 'retry'],
    [504, 'retry', 'retry'],
    [599, 'retry', 'retry']
  ])('takes the HTTP status %s for %s before the first ready and for %s after it', (status, before, after) => {
    expect(verdicts({ kind: 'http', status })).toEqual([before, after])
  })

  it.each<[string, Partial<Closure>, Verdict, Verdict]>([
    ['a subprotocol mismatch', { kind: 'subprotocol' }, 'fatal', 'fatal'],
    ['a TLS failure', { kind: 'tls' }, 'fatal', 'retry'],
    ['a timeout', { kind: 'timeout' }, 'retry', 'retry'],
    ['silence', { kind: 'heartbeat', code: 1006 }, 'retry', 'retry'],
    ['an unreachable host', { kind: 'network', error: new HandshakeError('CONNECT_FAILED', 'x', { retryable: true }) }, 'retry', 'retry'],
    ['a fault of this side', { kind: 'network', error: unexpectedError(new ReferenceError('x')) }, 'fatal', 'fatal'],
    ['a dial without details', { kind: 'network' }, 'retry', 'retry'],
    ['what is no HTTP', { kind: 'network', error: new HandshakeError('HANDSHAKE_INVALID', 'x') }, 'fatal', 'fatal'],
    ['credentials over plain text', { kind: 'network', error: new HandshakeError('INSECURE_TRANSPORT', 'x') }, 'fatal', 'fatal'],
    ['a rejected initialize', { kind: 'close', error: new ProtocolError('INITIALIZE_REFUSED', 'x') }, 'fatal', 'retry']
  ])('judges %s', (_what, closure, before, after) => {
    expect(verdicts(closure)).toEqual([before, after])
  })
})

describe('isUnauthorizedCode', () => {
  it.each([
    [4401, true],
    [3000, true],
    [4403, false],
    [1008, false],
    [1000, false],
    [undefined, false]
  ])('says of %s: %s', (code, expected) => {
    expect(isUnauthorizedCode(code)).toBe(expected)
  })
})

describe('a token provider', () => {
  it.each<[string, Partial<Closure>, string]>([
    ['HTTP 401', { kind: 'http', status: 401 }, 'unauthorized'],
    ['HTTP 403', { kind: 'http', status: 403 }, 'unauthorized'],
    ['HTTP 503', { kind: 'http', status: 503 }, 'connect'],
    ['close code 4401', { code: 4401 }, 'unauthorized'],
    ['close code 3000', { code: 3000 }, 'unauthorized'],
    ['a broken connection', { code: 1006 }, 'connect'],
    ['a dial of which the engine hides how it failed', { kind: 'network', code: 1006 }, 'retry'],
    ['a dial of which the engine shows how it failed', { kind: 'network' }, 'connect']
  ])('hears after %s why it is asked: %j', (_what, closure, expected) => {
    expect(reasonForToken({ kind: 'close', wasClean: false, everReady: true, ...closure })).toBe(expected)
  })
})

describe('tellsEra', () => {
  it.each<[string, Partial<Closure>, boolean]>([
    ['a plain close', { code: 1000 }, true],
    ['a broken connection', { code: 1006 }, true],
    ['a close by policy', { code: 1008 }, true],
    ['a protocol error', { code: 1002 }, true],
    ['a failing server', { code: 1011 }, true],
    ['a bad request', { code: 4400 }, true],
    ['a close without a code', { code: undefined }, true],
    ['an expired token', { code: 4401 }, false],
    ['an unauthorized close of the registry', { code: 3000 }, false],
    ['a forbidden client', { code: 4403 }, false],
    ['a failed handshake of this side', { code: undefined, error: new ProtocolError('INITIALIZE_REFUSED', 'x') }, false],
    ['a rejected upgrade', { kind: 'http', code: undefined, status: 400 }, false],
    ['a network failure', { kind: 'network', code: undefined }, false],
    ['a timeout', { kind: 'timeout', code: undefined }, false],
    ['silence', { kind: 'heartbeat' }, false],
    ['a TLS failure', { kind: 'tls', code: undefined }, false],
    ['a subprotocol mismatch', { kind: 'subprotocol', code: undefined }, false]
  ])('judges %s', (_what, closure, expected) => {
    expect(tellsEra(closureOf(closure))).toBe(expected)
  })
})

describe('mayLackSubprotocol', () => {
  const none = new SubprotocolError('x', { offered: ['mcp.v1'], received: undefined })
  const other = new SubprotocolError('x', { offered: ['mcp.v1'], received: 'other' })
  it.each<[string, Partial<Closure>, boolean, boolean]>([
    // closure, in an engine that shows HTTP, in one that hides it
    ['a dial that failed', { kind: 'network' }, false, true],
    ['a server that named none', { kind: 'subprotocol', error: none }, true, false],
    ['a server that named another', { kind: 'subprotocol', error: other }, false, false],
    ['a close', { kind: 'close' }, false, false]
  ])('judges %s', (_what, closure, shown, hidden) => {
    expect([true, false].map((seesHttp) => mayLackSubprotocol(closureOf(closure), seesHttp))).toEqual([shown, hidden])
  })
})

describe('mayRejectOffer', () => {
  it.each<[string, Partial<Closure>, boolean, boolean]>([
    // closure, in an engine that shows HTTP, in one that hides it
    ['a dial that failed', { kind: 'network' }, false, true],
    ['a server that chose what was not offered', { kind: 'subprotocol' }, true, true],
    ['a close', { kind: 'close' }, false, false],
    ...[400, 404, 406, 426, 499].map((status): [string, Partial<Closure>, boolean, boolean] => [
      `the status ${String(status)}`,
      { kind: 'http', status },
      true,
      true
    ]),
    ...[301, 401, 403, 408, 425, 429, 500, 503].map((status): [string, Partial<Closure>, boolean, boolean] => [
      `the status ${String(status)}`,
      { kind: 'http', status },
      false,
      false
    ])
  ])('judges %s', (_what, closure, shown, hidden) => {
    const judged = (everReady: boolean): boolean[] =>
      [true, false].map((seesHttp) => mayRejectOffer({ ...closureOf(closure), everReady }, seesHttp))
    expect(judged(false)).toEqual([shown, hidden])
    // It took the offer once.
    expect(judged(true)).toEqual([false, false])
  })
})

describe('askedDelay', () => {
  it.each<[string, Partial<Closure>, number]>([
    ['nothing', { code: 1006 }, 0],
    ['a hint', { kind: 'http', code: undefined, status: 503, retryAfter: 7000 }, 7000],
    ['a hint of 0', { kind: 'http', code: undefined, status: 503, retryAfter: 0 }, 0],
    ['1013 alone', { code: 1013 }, 1600],
    ['1013 with a longer hint', { code: 1013, retryAfter: 5000 }, 5000],
    ['1012 alone', { code: 1012 }, 0]
  ])('reads %s', (_what, closure, expected) => {
    expect(askedDelay(closureOf(closure), 800)).toBe(expected)
  })
})

describe('describeClosure', () => {
  it.each<[Partial<Closure>, string]>([
    [{ kind: 'heartbeat', code: 1006 }, 'wss://h/ws fell silent'],
    [{ kind: 'http', error: new HandshakeError('UNEXPECTED_STATUS', 'it answered with HTTP 404') }, 'it answered with HTTP 404'],
    [{ code: 1011 }, 'the connection to wss://h/ws closed with code 1011'],
    [{ code: 1011, reason: '' }, 'the connection to wss://h/ws closed with code 1011'],
    [{ code: 1008, reason: 'say "please"' }, 'the connection to wss://h/ws closed with code 1008 "say \\"please\\""'],
    [{ kind: 'network', code: undefined }, 'the connection to wss://h/ws broke']
  ])('puts %o into words', (closure, words) => {
    expect(describeClosure(closureOf(closure), 'wss://h/ws')).toBe(words)
  })
})

describe('withError', () => {
  it('is the error of the closure itself, if it has one', () => {
    const error = new UnauthorizedError('no')
    expect(withError(closureOf({ kind: 'http', status: 401, error })).error).toBe(error)
    const mismatch = new SubprotocolError('no', { offered: [], received: undefined })
    expect(withError(closureOf({ kind: 'subprotocol', error: mismatch })).error).toBe(mismatch)
  })

  it('is a ConnectionLostError that carries the closure otherwise', () => {
    const closure = closureOf({ code: 1011, reason: 'oops' })
    const error = withError(closure, 'wss://h/ws').error
    expect(error).toMatchObject({
      name: 'ConnectionLostError',
      code: 'CONNECTION_LOST',
      message: 'the connection to wss://h/ws closed with code 1011 "oops"',
      retryable: true
    })
    expect(error).toHaveProperty('closure', closure)
  })

  it('names silence by its own code', () => {
    expect(withError(closureOf({ kind: 'heartbeat' })).error).toMatchObject({
      code: 'HEARTBEAT_TIMEOUT',
      message: 'the server fell silent'
    })
    expect(lostCode(closureOf({ kind: 'heartbeat' }))).toBe('HEARTBEAT_TIMEOUT')
    expect(lostCode(closureOf({ kind: 'network' }))).toBe('CONNECTION_LOST')
  })
})

describe('withError', () => {
  it('has a hint when a server hangs up before it was ever ready', () => {
    expect(withError(closureOf({ code: 1000, everReady: false })).error.hint).toContain('before MCP was ready')
    expect(withError(closureOf({ code: 1000, everReady: true })).error.hint).toBeUndefined()
    expect(withError(closureOf({ kind: 'heartbeat', everReady: false })).error.hint).toBeUndefined()
    expect(withError(closureOf({ code: 1011, everReady: false })).error.hint).toBeUndefined()
  })

  it('names what may explain the closure, with its hint', () => {
    const cause = unreadError(2, '{"message": "Forbidden"')
    const { error } = withError(closureOf({ code: 1000 }), 'wss://h/ws', cause)
    expect(error.message).toBe(`the connection to wss://h/ws closed with code 1000; ${cause.message}`)
    expect(error).toMatchObject({ cause, hint: cause.hint })
  })
})

describe('unexpectedError', () => {
  it('has the code of no failed dial, the exception as its cause, and is worth no retry', () => {
    const cause = new ReferenceError('TextEncoder is not defined')
    expect(unexpectedError(cause, 'wss://h/ws')).toMatchObject({
      code: 'UNEXPECTED_ERROR',
      message: 'no connection to wss://h/ws: TextEncoder is not defined',
      cause,
      retryable: false,
      delivery: 'not-sent'
    })
  })
})

describe('unreadError', () => {
  it('says how many frames there were, and how the last one began', () => {
    expect(unreadError(1, 'hello').message).toBe('1 frame of the server could not be read; the last began with "hello"')
    expect(unreadError(3, '{"a"').message).toBe('3 frames of the server could not be read; the last began with "{\\"a\\""')
  })
})

describe('lateClosure', () => {
  it.each([
    ['CONNECT_TIMEOUT', 'no connection to ws://h/ws within 500 ms'],
    ['HANDSHAKE_TIMEOUT', 'connected, but MCP was not ready at ws://h/ws within 500 ms']
  ] as const)('is a timeout that is worth a retry (%s)', (code, message) => {
    const closure = lateClosure(code, 500, 'ws://h/ws')
    expect(closure).toMatchObject({ kind: 'timeout', wasClean: false })
    expect(closure.error).toMatchObject({ name: 'HandshakeError', code, message, retryable: true, delivery: 'not-sent' })
    expect(closure.error?.hint).toMatch(code === 'CONNECT_TIMEOUT' ? /firewall.*function/ : /does not respond to MCP/)
    expect(judgeClosure({ ...closure, everReady: false })).toBe('retry')
  })
})

describe('REPLACED', () => {
  it('is an orderly close by this side', () => {
    expect(REPLACED).toEqual({ kind: 'close', code: 1000, reason: 'reconnect', wasClean: true, everReady: true })
  })
})
