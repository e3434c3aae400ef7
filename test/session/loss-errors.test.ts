import { describe, expect, it } from 'vitest'
import { lostError, tooLargeError, unaddressedError } from '../../src/session/loss-errors.js'
import { RetriesExhaustedError } from '../../src/errors.js'
import { closureOf, requestOf } from '../helpers/fixtures.js'

describe('lostError', () => {
  it('says in words for a model that the request may have been executed', () => {
    const closure = closureOf({ code: 1011 })
    const error = lostError(closure)
    expect(error).toMatchObject({ name: 'ConnectionLostError', code: 'CONNECTION_LOST', delivery: 'unknown' })
    expect(error.closure).toBe(closure)
    expect(error.message).toBe(
      'the connection to the server closed with code 1011; whether the request was executed is unknown: check before you repeat it'
    )
    expect(error.cause).toBeUndefined()
  })

  it('names silence by its own code', () => {
    expect(lostError(closureOf({ kind: 'heartbeat' })).code).toBe('HEARTBEAT_TIMEOUT')
  })

  it('carries the failure that ended the life', () => {
    const cause = new RetriesExhaustedError(3, undefined)
    expect(lostError(closureOf(), cause).cause).toBe(cause)
  })
})

describe('tooLargeError', () => {
  it('names the request, its size and the remedy, and is not worth a repetition', () => {
    const closure = closureOf({ code: 1009, reason: 'too big' })
    const error = tooLargeError(closure, requestOf({ method: 'tools/call', size: 5000 }))
    expect(error).toMatchObject({ code: 'MESSAGE_TOO_LARGE', delivery: 'unknown', retryable: false })
    expect(error.closure).toBe(closure)
    expect(error.message).toContain('code 1009 "too big"')
    expect(error.message).toContain('tools/call')
    expect(error.message).toContain('5000 characters')
    expect(error.hint).toContain('maxMessageBytes')
  })
})

describe('unaddressedError', () => {
  it('says what the server complained about', () => {
    expect(
      unaddressedError({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'Parse of error' } }, (text) => text.replace(' of', ''))
    ).toMatchObject({
      name: 'ProtocolError',
      code: 'INVALID_RESPONSE',
      message: 'the server sent a response without an id: Parse error'
    })
  })

  it('describes a result too', () => {
    expect(unaddressedError({ jsonrpc: '2.0', id: 1, result: {} }, (text) => text).message).toContain('a result')
  })
})
