import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import * as errors from '../src/errors.js'

const {
  ClosedError,
  ConnectionLostError,
  HandshakeError,
  McpWebSocketError,
  ProtocolError,
  QueueFullError,
  RequestTimeoutError,
  RetriesExhaustedError,
  RpcError,
  SubprotocolError,
  UnauthorizedError
} = errors

const closure: errors.Closure = { kind: 'close', code: 1006, wasClean: false, everReady: true }

/** One of each, with what tells it apart. */
const ALL: [string, errors.McpWebSocketError, errors.ErrorCode, keyof typeof errors][] = [
  ['HandshakeError', new HandshakeError('CONNECT_FAILED', 'm'), 'CONNECT_FAILED', 'isHandshakeError'],
  ['UnauthorizedError', new UnauthorizedError('m', { status: 401 }), 'UNAUTHORIZED', 'isUnauthorizedError'],
  [
    'SubprotocolError',
    new SubprotocolError('m', { offered: ['mcp.v1'], received: undefined }),
    'SUBPROTOCOL_MISMATCH',
    'isSubprotocolError'
  ],
  ['ConnectionLostError', new ConnectionLostError('CONNECTION_LOST', 'm', closure), 'CONNECTION_LOST', 'isConnectionLostError'],
  ['RequestTimeoutError', new RequestTimeoutError('tools/call', 5, 'unknown'), 'REQUEST_TIMEOUT', 'isRequestTimeoutError'],
  ['RpcError', new RpcError(-32601, 'm'), 'RPC_ERROR', 'isRpcError'],
  ['ProtocolError', new ProtocolError('INVALID_RESPONSE', 'm'), 'INVALID_RESPONSE', 'isProtocolError'],
  ['RetriesExhaustedError', new RetriesExhaustedError(3, undefined), 'RETRIES_EXHAUSTED', 'isRetriesExhaustedError'],
  ['QueueFullError', new QueueFullError('m', 'h'), 'QUEUE_FULL', 'isQueueFullError'],
  ['ClosedError', new ClosedError(), 'CLOSED', 'isClosedError']
]

const GUARDS = ALL.map(([, , , guard]) => guard)
type Guard = (value: unknown) => boolean

describe.each(ALL)('%s', (name, error, code, guard) => {
  it('is an Error of the family, with a literal name and a stable code', () => {
    expect(error).toBeInstanceOf(Error)
    expect(error).toBeInstanceOf(McpWebSocketError)
    expect(error.name).toBe(name)
    expect(error.code).toBe(code)
    expect(typeof error.retryable).toBe('boolean')
    expect(error.message).not.toBe('')
    expect(String(error)).toMatch(new RegExp(`^${name}: `))
    expect(error.stack).toContain('errors.test')
  })

  it('is known by its guard and by no other, except that UnauthorizedError is a HandshakeError', () => {
    const known = GUARDS.filter((each) => (errors[each] as Guard)(error))
    expect(known).toEqual(name === 'UnauthorizedError' ? ['isHandshakeError', 'isUnauthorizedError'] : [guard])
    expect(errors.isMcpWebSocketError(error)).toBe(true)
  })

  it('A27: is known by its guard when it comes from another copy of the package', () => {
    const foreign = Object.assign(new Error(error.message), Object.fromEntries(Object.entries(error)), { name })
    expect((errors[guard] as Guard)(foreign)).toBe(true)
    expect(errors.isMcpWebSocketError(foreign)).toBe(true)
  })

  it('survives JSON with name, code, message and no stack', () => {
    const json = JSON.parse(JSON.stringify(error)) as Record<string, unknown>
    expect(json).toMatchObject({ name, code, message: error.message, retryable: error.retryable })
    expect(json).not.toHaveProperty('stack')
  })

  it('leads to the heading of its code in docs/errors.md, in JSON and when it is printed too', () => {
    const [, page = '', anchor = ''] = /^node_modules\/mcp-websocket-client\/(.*)#(.*)$/.exec(error.docs) ?? []
    const headings = readFileSync(new URL(`../${page}`, import.meta.url), 'utf8').match(/^### .*$/gm) ?? []
    expect(headings.map((heading) => heading.slice(4).toLowerCase())).toContain(anchor)
    expect(anchor).toBe(code.toLowerCase())
    expect(JSON.parse(JSON.stringify(error))).toHaveProperty('docs', error.docs)
    expect(inspect(error)).toContain(error.docs)
  })

  it('has no members without a value, except what a subclass promises', () => {
    for (const member of ['delivery', 'hint', 'status', 'body', 'retryAfter', 'wwwAuthenticate', 'data'] as const)
      if (Object.hasOwn(error, member)) expect(error).not.toHaveProperty(member, undefined)
  })
})

describe('the guards', () => {
  it.each(GUARDS)('%s knows no other value', (guard) => {
    for (const value of [undefined, null, 5, 'ClosedError', {}, { name: 'ClosedError' }, new Error('x'), new TypeError('x')])
      expect((errors[guard] as Guard)(value)).toBe(false)
  })

  it('isMcpWebSocketError knows no error of others that can be retried, such as one of v2 of the SDK of AWS', () => {
    expect(errors.isMcpWebSocketError(Object.assign(new Error('x'), { code: 'NetworkingError', retryable: true }))).toBe(false)
  })

  it('isMcpWebSocketError knows no system error', () => {
    expect(errors.isMcpWebSocketError(Object.assign(new Error('x'), { code: 'ECONNREFUSED' }))).toBe(false)
    expect(errors.isMcpWebSocketError({ code: 'CLOSED', retryable: false })).toBe(false)
  })
})

describe('cause', () => {
  it('is kept, and reduced to name, code and message in JSON', () => {
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED', secret: 'hunter22' })
    const error = new HandshakeError('CONNECT_FAILED', 'm', { cause })
    expect(error.cause).toBe(cause)
    const json = JSON.stringify(error)
    expect(JSON.parse(json)).toMatchObject({ cause: { name: 'Error', code: 'ECONNREFUSED', message: 'refused' } })
    expect(json).not.toContain('hunter22')
    expect(json).not.toContain('errors.test')
  })

  it('is not there when there was none', () => {
    expect(Object.hasOwn(new HandshakeError('CONNECT_FAILED', 'm'), 'cause')).toBe(false)
  })

  it('may be anything', () => {
    expect(() => JSON.stringify(new HandshakeError('CONNECT_FAILED', 'm', { cause: { circular: 1n } }))).not.toThrow()
  })
})

describe('the members of subclasses', () => {
  it('HandshakeError says what the server answered', () => {
    const details = { status: 503, body: 'later', retryAfter: 7000, wwwAuthenticate: 'Bearer', hint: 'h', retryable: true }
    expect(new HandshakeError('UNEXPECTED_STATUS', 'm', details)).toMatchObject(details)
    expect(new UnauthorizedError('m', { ...details, status: 401 })).toMatchObject({ ...details, status: 401, code: 'UNAUTHORIZED' })
    expect(new UnauthorizedError('m')).toBeInstanceOf(HandshakeError)
  })

  it('SubprotocolError says what was offered and received', () => {
    const error = new SubprotocolError('m', { offered: ['mcp.v1', 'mcp'], received: 'x', hint: 'h' })
    expect(error).toMatchObject({ offered: ['mcp.v1', 'mcp'], received: 'x', hint: 'h', retryable: false })
  })

  it('ConnectionLostError holds the closure, and is retryable unless a message was too large', () => {
    expect(new ConnectionLostError('CONNECTION_LOST', 'm', closure, { delivery: 'unknown' })).toMatchObject({
      closure,
      retryable: true,
      delivery: 'unknown'
    })
    expect(new ConnectionLostError('HEARTBEAT_TIMEOUT', 'm', closure).retryable).toBe(true)
    expect(new ConnectionLostError('MESSAGE_TOO_LARGE', 'm', closure).retryable).toBe(false)
  })

  it('RequestTimeoutError says in words whether a repetition is safe', () => {
    expect(new RequestTimeoutError('tools/call', 500, 'unknown').message).toMatch(/tools\/call.*500 ms.*may have been executed/)
    expect(new RequestTimeoutError('tools/call', 500, 'not-sent').message).toMatch(/never sent/)
    expect(new RequestTimeoutError('tools/call', 500, 'unknown')).toMatchObject({ method: 'tools/call', timeout: 500, delivery: 'unknown' })
  })

  it('RpcError holds the code and data of the peer, apart from its own code', () => {
    expect(new RpcError(-32000, 'm', { a: 1 })).toMatchObject({ code: 'RPC_ERROR', rpcCode: -32000, data: { a: 1 } })
    expect(Object.hasOwn(new RpcError(-32000, 'm'), 'data')).toBe(false)
    expect(new RpcError(-32000, 'm', null).data).toBeNull()
  })

  it('RetriesExhaustedError counts and explains', () => {
    const cause = new HandshakeError('CONNECT_FAILED', 'nobody listens', { hint: 'start it' })
    expect(new RetriesExhaustedError(11, cause)).toMatchObject({
      attempts: 11,
      cause,
      hint: 'start it',
      delivery: 'not-sent',
      retryable: true
    })
    expect(new RetriesExhaustedError(11, cause).message).toBe('gave up after 11 attempts: nobody listens')
    expect(new RetriesExhaustedError(1, cause).message).toBe('gave up after 1 attempt: nobody listens')
  })

  it('a text has a line each for the message, the hint and the delivery', () => {
    const details = { hint: 'Start it.', delivery: 'not-sent' } as const
    expect(String(new HandshakeError('CONNECT_FAILED', 'nobody listens', details)).split('\n')).toEqual([
      'HandshakeError: nobody listens',
      '  hint: Start it.',
      '  delivery: not-sent'
    ])
    expect(String(new HandshakeError('CONNECT_FAILED', 'nobody listens'))).toBe('HandshakeError: nobody listens')
  })

  it('ClosedError says whether the request may have been executed', () => {
    expect(new ClosedError('unknown')).toMatchObject({ delivery: 'unknown' })
    expect(Object.hasOwn(new ClosedError(), 'delivery')).toBe(false)
  })
})
