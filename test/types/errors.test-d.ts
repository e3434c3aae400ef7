// What a program learns from the types of the errors. A test here has nothing to run: it fails when it does not compile.
import { assertType, describe, expectTypeOf, test } from 'vitest'
import {
  isClosedError,
  isConnectionLostError,
  isHandshakeError,
  isMcpWebSocketError,
  isProtocolError,
  isQueueFullError,
  isRequestTimeoutError,
  isRetriesExhaustedError,
  isRpcError,
  isSubprotocolError,
  isUnauthorizedError,
  ConnectionLostError,
  HandshakeError,
  type Closure,
  type ErrorCode
} from '../../src/index.js'

declare const error: unknown
declare const closure: Closure

describe('a guard', () => {
  test('tells which codes are left', () => {
    if (isMcpWebSocketError(error)) expectTypeOf(error.code).toEqualTypeOf<ErrorCode>()
    if (isUnauthorizedError(error)) expectTypeOf(error.code).toEqualTypeOf<'UNAUTHORIZED'>()
    if (isSubprotocolError(error)) expectTypeOf(error.code).toEqualTypeOf<'SUBPROTOCOL_MISMATCH'>()
    if (isConnectionLostError(error))
      expectTypeOf(error.code).toEqualTypeOf<'CONNECTION_LOST' | 'HEARTBEAT_TIMEOUT' | 'MESSAGE_TOO_LARGE'>()
    if (isRequestTimeoutError(error)) expectTypeOf(error.code).toEqualTypeOf<'REQUEST_TIMEOUT'>()
    if (isRpcError(error)) expectTypeOf(error.code).toEqualTypeOf<'RPC_ERROR'>()
    if (isProtocolError(error))
      expectTypeOf(error.code).toEqualTypeOf<
        'INITIALIZE_REFUSED' | 'INVALID_RESPONSE' | 'INVALID_OUTPUT' | 'SERVER_CHANGED' | 'RESTORE_FAILED'
      >()
    if (isRetriesExhaustedError(error)) expectTypeOf(error.code).toEqualTypeOf<'RETRIES_EXHAUSTED'>()
    if (isQueueFullError(error)) expectTypeOf(error.code).toEqualTypeOf<'QUEUE_FULL'>()
    if (isClosedError(error)) expectTypeOf(error.code).toEqualTypeOf<'CLOSED'>()
  })

  test('of a class with a child leaves the codes of both', () => {
    if (!isHandshakeError(error)) return
    if (error.code === 'UNAUTHORIZED' || error.code === 'TLS_FAILED') return
    expectTypeOf(error.code).toEqualTypeOf<
      'CONNECT_FAILED' | 'CONNECT_TIMEOUT' | 'HANDSHAKE_INVALID' | 'HANDSHAKE_TIMEOUT' | 'UNEXPECTED_STATUS' | 'INSECURE_TRANSPORT'
    >()
  })
})

describe('an error that a program makes', () => {
  test('has a code of its class', () => {
    expectTypeOf(new HandshakeError('TLS_FAILED', 'x').code).toEqualTypeOf<HandshakeError['code']>()
    // @ts-expect-error a code of another class
    assertType(new ConnectionLostError('CLOSED', 'x', closure))
  })
})
