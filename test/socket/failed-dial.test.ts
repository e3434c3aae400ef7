import { describe, expect, it } from 'vitest'
import { HandshakeError, SubprotocolError, UnauthorizedError } from '../../src/errors.js'
import {
  closureOfFailedDial,
  closureOfRejectedUpgrade,
  closureOfWsError,
  MOST_BODY,
  type RejectedUpgrade
} from '../../src/socket/failed-dial.js'
import type { SocketClosure } from '../../src/socket/web-socket.js'
import type { Target } from '../../src/socket/web-socket.js'

const SECRET = 'secret-token'
const TARGET: Target = {
  url: new URL('wss://user:hunter22@example.com/ws?key=query'),
  protocols: ['mcp.v1', 'mcp'],
  headers: {},
  secrets: [SECRET]
}
const NOW = Date.parse('2026-11-21T06:00:00Z')

describe('a rejected upgrade', () => {
  const rejected = (response: Partial<RejectedUpgrade>, body: string | Uint8Array = '', target = TARGET): SocketClosure => {
    const whole = { statusCode: 500, statusMessage: 'Internal Server Error', headers: {}, complete: true, ...response }
    return closureOfRejectedUpgrade(whole, typeof body === 'string' ? new TextEncoder().encode(body) : body, target, NOW)
  }

  it('is an http closure with an error that says what was answered, and from where', () => {
    const closure = rejected({ statusCode: 404, statusMessage: 'Not Found' }, 'no such page')
    expect(closure).toEqual({
      kind: 'http',
      status: 404,
      retryAfter: undefined,
      wasClean: false,
      error: expect.any(HandshakeError) as Error
    })
    expect(closure.error).toMatchObject({
      code: 'UNEXPECTED_STATUS',
      message: 'wss://example.com/ws answered the WebSocket upgrade with HTTP 404 Not Found: no such page',
      status: 404,
      body: 'no such page',
      delivery: 'not-sent',
      hint: expect.stringContaining('Nothing is served at this path') as string
    })
  })

  it.each([
    ['Missing authentication header: x-api-key', ': Missing authentication header: x-api-key'],
    ['  \r\nno such path\r\ntry /ws', ': no such path'],
    ['{"error":"nope"}', ': {"error":"nope"}'],
    ['<html>nope', ''],
    ['{\n  "error": "nope"\n}', ''],
    ['x'.repeat(201), ''],
    ['', '']
  ])('shows the first line of a short body of text (%j)', (body, shown) => {
    expect(rejected({ statusCode: 404, statusMessage: '' }, body).error?.message).toBe(
      `wss://example.com/ws answered the WebSocket upgrade with HTTP 404${shown}`
    )
  })

  it.each<[string, RegExp]>([
    ['Missing authentication header: x-api-key', /auth\.token \(or headers\)/],
    ['Missing or invalid Sec-WebSocket-Key header', /proxies forward/],
    ['the moon is full', /The server says what is missing/],
    ['', /did not arrive as a WebSocket upgrade/]
  ])('has no hint that contradicts what a 400 says: %j', (body, hint) => {
    const given = rejected({ statusCode: 400 }, body).error?.hint
    expect(given).toMatch(hint)
  })

  it.each<[string, Partial<Target>, RegExp]>([
    ['nothing', {}, /wants credentials/],
    ['a header that is no credential', { headers: { 'X-Trace': 'a' } }, /wants credentials/],
    ['Authorization', { headers: { Authorization: 'Bearer x' } }, /rejected the credentials/],
    ['a key of a gateway', { headers: { 'X-API-Key': 'x' } }, /rejected the credentials/],
    ['a token in the offer', { protocols: ['mcp.v1', 'mcp.bearer.eA'] }, /rejected the credentials/],
    ['a user in the URL', { url: new URL('wss://ada@example.com') }, /rejected the credentials/],
    ['a token in the URL', { url: new URL('wss://example.com?access_token=x') }, /rejected the credentials/]
  ])('with 401 after a dial that carried %s has a hint that knows it', (_what, carried, hint) => {
    const target = { ...TARGET, url: new URL('wss://example.com/ws'), ...carried }
    expect(rejected({ statusCode: 401 }, '', target).error?.hint).toMatch(hint)
  })

  it.each(['', undefined])('needs no text behind the status (%j)', (statusMessage) => {
    expect(rejected({ statusCode: 404, statusMessage }).error?.message).toMatch(/with HTTP 404$/)
  })

  it('has the status 0 if the response has none', () => {
    expect(rejected({ statusCode: undefined })).toMatchObject({ status: 0, error: { status: 0, retryable: false } })
  })

  it.each([401, 403])('with %i is about the credentials', (statusCode) => {
    const { error } = rejected({ statusCode, headers: { 'www-authenticate': 'Bearer realm="x"' } })
    expect(error).toBeInstanceOf(UnauthorizedError)
    expect(error).toMatchObject({ code: 'UNAUTHORIZED', status: statusCode, wwwAuthenticate: 'Bearer realm="x"', retryable: false })
  })

  it.each([400, 402, 404, 407, 426])('with %i is not', (statusCode) => {
    expect(rejected({ statusCode }).error).not.toBeInstanceOf(UnauthorizedError)
  })

  it.each<[number, boolean]>([
    [200, false],
    [302, false],
    [400, false],
    [401, false],
    [407, false],
    [408, true],
    [409, false],
    [424, false],
    [425, true],
    [426, false],
    [428, false],
    [429, true],
    [430, false],
    [499, false],
    [500, true],
    [503, true],
    [599, true]
  ])('with %i may succeed later: %j', (statusCode, retryable) => {
    expect(rejected({ statusCode }).error?.retryable).toBe(retryable)
  })

  it('with a 101 that Node does not take for one breaks RFC 6455', () => {
    const closure = rejected({ statusCode: 101 })
    expect(closure).toEqual({ kind: 'network', wasClean: false, error: expect.any(HandshakeError) as Error })
    expect(closure.error).toMatchObject({
      code: 'HANDSHAKE_INVALID',
      message: 'wss://example.com/ws answered the upgrade in a way that breaks RFC 6455: no Upgrade or Connection header came with the 101',
      retryable: false,
      delivery: 'not-sent',
      hint: 'Is this the port of a WebSocket server?'
    })
    expect(closure.error).not.toHaveProperty('cause')
  })

  it.each([
    ['7', 7000],
    ['Sat, 21 Nov 2026 06:01:30 GMT', 90_000],
    ['soon', undefined]
  ])('may ask to wait: Retry-After: %s', (header, retryAfter) => {
    const closure = rejected({ statusCode: 503, headers: { 'retry-after': header } })
    expect(closure.retryAfter).toBe(retryAfter)
    expect((closure.error as { retryAfter?: number }).retryAfter).toBe(retryAfter)
  })

  describe('that redirects', () => {
    const hintOf = (location: string | undefined): string | undefined => rejected({ statusCode: 302, headers: { location } }).error?.hint

    it.each([
      ['https://other.example.com/mcp?token=x#y', 'https://other.example.com/mcp'],
      ['/mcp?token=x', 'wss://example.com/mcp'],
      ['wss://me:password@other.example.com/', 'wss://other.example.com/'],
      ['http://[', 'an unreadable address']
    ])('to %s names the address without what may be secret', (location, shown) => {
      expect(hintOf(location)).toContain(`use ${shown} as url`)
    })

    it('with a secret in the path does not show it', () => {
      expect(hintOf(`https://other.example.com/${SECRET}`)).toContain('use https://other.example.com/[redacted] as url')
    })

    it.each(['', undefined])('without an address (%j) names none', (location) => {
      expect(hintOf(location)).toMatch(/use (the new address)? ?as url/)
    })
  })

  describe('that quotes secrets', () => {
    it('shows none of them, wherever they stand', () => {
      const headers = { 'www-authenticate': `Bearer error="${SECRET}"`, location: `/${SECRET}` }
      const { error } = rejected({ statusCode: 401, statusMessage: `Bad ${SECRET}`, headers }, `you sent ${SECRET}, friend`)
      expect(error).toMatchObject({
        message: 'wss://example.com/ws answered the WebSocket upgrade with HTTP 401 Bad [redacted]: you sent [redacted], friend',
        wwwAuthenticate: 'Bearer error="[redacted]"',
        body: 'you sent [redacted], friend'
      })
      expect(JSON.stringify(error)).not.toMatch(/secret-token|hunter22|query/)
    })

    it('keeps the end of a body that came whole, though a secret begins so', () => {
      expect(rejected({}, 'what is a secret').error).toMatchObject({ body: 'what is a secret' })
    })

    it.each(Array.from({ length: SECRET.length }, (_, shown) => shown))(
      'shows nothing of one of which %i characters came before the response broke off',
      (shown) => {
        const { error } = rejected({ complete: false }, `got ${SECRET.slice(0, shown)}`)
        expect(error).toMatchObject({ body: 'got ' })
      }
    )

    it('shows nothing of one that was cut within a character', () => {
      const body = new TextEncoder().encode('got gehe\u00fcm')
      const target = { ...TARGET, secrets: ['gehe\u00fcmnis'] }
      expect(rejected({ complete: false }, body.subarray(0, -2), target).error).toMatchObject({ body: 'got ' })
    })
  })

  describe('with a long body', () => {
    const bodyOf = (text: string, complete = true): string | undefined => (rejected({ complete }, text).error as { body?: string }).body

    it('keeps its first 4096 characters', () => {
      expect(MOST_BODY).toBe(4096)
      expect(bodyOf('x'.repeat(4095))).toBe('x'.repeat(4095))
      expect(bodyOf('x'.repeat(4096))).toBe('x'.repeat(4096))
      expect(bodyOf(`${'x'.repeat(4096)}y`)).toBe('x'.repeat(4096))
    })

    it('may have been cut from 4096 bytes on, even in a response that is complete', () => {
      expect(bodyOf(`${'x'.repeat(4089)}secret`)).toBe(`${'x'.repeat(4089)}secret`)
      expect(bodyOf(`${'x'.repeat(4090)}secret`)).toBe('x'.repeat(4090))
    })

    it('cuts after the secrets are replaced', () => {
      expect(bodyOf(`${'x'.repeat(4090)}${SECRET}${'y'.repeat(4096)}`)).toBe(`${'x'.repeat(4090)}[redac`)
    })
  })
})

const systemError = (code: unknown, message = 'failed'): Error => Object.assign(new Error(message), { code })

describe('a dial that failed below HTTP', () => {
  const failed = (failure: unknown, target = TARGET): SocketClosure => closureOfFailedDial(failure, target, false, undefined)

  it('is a network closure, retryable, with the cause and a hint', () => {
    const cause = systemError('ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:1')
    const closure = failed(cause)
    expect(closure).toEqual({ kind: 'network', wasClean: false, error: expect.any(HandshakeError) as Error })
    expect(closure.error).toMatchObject({
      code: 'CONNECT_FAILED',
      message: 'no connection to wss://example.com/ws: connect ECONNREFUSED 127.0.0.1:1',
      retryable: true,
      delivery: 'not-sent',
      hint: 'Nothing listens on this port: is the server running?',
      cause
    })
  })

  it.each([
    ['CERT_HAS_EXPIRED', /expired/],
    ['CERT_NOT_YET_VALID', undefined],
    ['CRL_HAS_EXPIRED', undefined],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /self-signed/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /tls\.ca/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /tls\.ca/],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', undefined],
    ['HOSTNAME_MISMATCH', undefined],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /another host name/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', undefined],
    ['EPROTO', undefined]
  ])('with %s is a failure of TLS, which passes by itself as little as a wrong address', (code, hint) => {
    const cause = systemError(code, 'bad certificate')
    const closure = failed(cause)
    expect(closure).toEqual({ kind: 'tls', wasClean: false, error: expect.any(HandshakeError) as Error })
    expect(closure.error).toMatchObject({
      code: 'TLS_FAILED',
      message: 'no secure connection to wss://example.com/ws: bad certificate',
      retryable: false,
      delivery: 'not-sent',
      cause
    })
    if (hint) expect(closure.error?.hint).toMatch(hint)
    else expect(closure.error?.hint).toBeUndefined()
  })

  it('knows TLS towards a port of plain text', () => {
    const { kind, error } = failed(systemError('EPROTO', 'SSL routines:ssl3_get_record:wrong version number'))
    expect([kind, error?.hint]).toEqual(['tls', 'The server speaks plain text on this port: use ws://.'])
  })

  it('shows the reason that OpenSSL gives, and not its line of source', () => {
    const raw = '805C6345057F0000:error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../deps/openssl/ssl3_record.c:350:\n'
    const { message, cause } = failed(systemError('EPROTO', raw)).error!
    expect(message).toBe('no secure connection to wss://example.com/ws: wrong version number (SSL routines)')
    expect(cause).toHaveProperty('message', raw)
    expect(failed(systemError('EPROTO', `write EPROTO ${raw}`)).error!.message).toBe(message)
    expect(failed(systemError('ERR_OSSL_UNSUPPORTED', 'error:1E08010C:DECODER routines::unsupported')).error?.message).toMatch(
      /: unsupported \(DECODER routines\)$/
    )
  })

  it.each(['EPROTONOSUPPORT', 'EPROTOTYPE', 'XCERT_', 'ENOTFOUND', 'ERR_SOCKET_CLOSED', ''])('with %j is not one of TLS', (code) => {
    expect(failed(systemError(code)).kind).toBe('network')
  })

  it('against a server that does not speak HTTP is fatal, and shows none of the bytes that came', () => {
    const failure = Object.assign(systemError('HPE_INVALID_CONSTANT', 'Parse Error: Expected HTTP/'), { rawPacket: Buffer.from(SECRET) })
    const closure = failed(failure)
    expect(closure.kind).toBe('network')
    expect(closure.error).toMatchObject({
      code: 'HANDSHAKE_INVALID',
      message: 'wss://example.com/ws does not answer with HTTP: Parse Error: Expected HTTP/',
      retryable: false,
      delivery: 'not-sent',
      hint: 'Is this the port of a WebSocket server?'
    })
    expect(closure.error?.cause).toMatchObject({ message: 'Parse Error: Expected HTTP/', code: 'HPE_INVALID_CONSTANT' })
    expect(closure.error?.cause).not.toHaveProperty('rawPacket')
  })

  it('at several addresses tells of the first one', () => {
    const all = Object.assign(new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('other')]), { code: 'ECONNREFUSED' })
    expect(failed(all).error?.message).toBe('no connection to wss://example.com/ws: connect ECONNREFUSED ::1:1')
  })

  it.each<[string, unknown, string]>([
    ['a text', 'went wrong', 'went wrong'],
    ['an error without a message', new RangeError(), 'RangeError'],
    ['several errors without a message, the first of which is not an error', new AggregateError(['x']), 'AggregateError'],
    ['several errors with a message of their own', new AggregateError([new Error('x')], 'all failed'), 'all failed'],
    ['nothing', undefined, 'unknown failure'],
    ['something that is not an error', { message: 'x', code: 'EPROTO' }, 'unknown failure'],
    ['an error whose code is not a text', systemError(5, 'odd'), 'odd']
  ])('for %s has words all the same', (_what, failure, words) => {
    expect(failed(failure)).toMatchObject({ kind: 'network', error: { message: `no connection to wss://example.com/ws: ${words}` } })
  })

  it.each(['ECONNRESET', 'EPROTO', 'HPE_INVALID_HEADER_TOKEN'])('with %s shows no secret in its message', (code) => {
    expect(failed(systemError(code, `bad header ${SECRET}`)).error?.message).toMatch(/: bad header \[redacted\]$/)
  })
})

describe('a dial that failed behind a 101', () => {
  const failed = (failure: unknown, chosen?: string): SocketClosure => closureOfFailedDial(failure, TARGET, true, chosen)

  it.each<[string, string | undefined]>([
    ['Server sent an invalid subprotocol', 'graphql-ws'],
    ['Server sent no subprotocol', undefined],
    ['Server sent a Subprotocol but none was requested', 'graphql-ws']
  ])('over the subprotocol is a subprotocol closure: %s', (message, chosen) => {
    const closure = failed(new Error(message), chosen)
    expect(closure).toEqual({ kind: 'subprotocol', wasClean: false, error: expect.any(SubprotocolError) as Error })
    expect(closure.error).toMatchObject({ offered: ['mcp.v1', 'mcp'], received: chosen })
  })

  it('over the subprotocol does not show a secret that the server chose', () => {
    expect(failed(new Error('Server sent an invalid subprotocol'), SECRET).error).toMatchObject({ received: '[redacted]' })
  })

  it.each<[string, string | undefined]>([
    ['Invalid Sec-WebSocket-Accept header', 'graphql-ws'],
    ['Invalid Sec-WebSocket-Accept header', 'mcp.v1'],
    // Only ws can say this, and only of a name that this package would accept.
    ['Server sent an invalid subprotocol', 'mcp.v1']
  ])('otherwise breaks RFC 6455: %s (%s)', (message, chosen) => {
    const cause = new Error(message)
    const closure = failed(cause, chosen)
    expect(closure).toEqual({ kind: 'network', wasClean: false, error: expect.any(HandshakeError) as Error })
    expect(closure.error).toMatchObject({
      code: 'HANDSHAKE_INVALID',
      message: `wss://example.com/ws answered the upgrade in a way that breaks RFC 6455: ${message}`,
      retryable: false,
      delivery: 'not-sent',
      cause
    })
  })

  it('is judged by the 101, even if the code is one of TLS or of the parser', () => {
    expect(failed(systemError('EPROTO')).kind).toBe('network')
    const { error } = failed(Object.assign(systemError('HPE_INTERNAL'), { rawPacket: Buffer.from(SECRET) }))
    expect(error?.message).toContain('breaks RFC 6455')
    expect(error?.cause).not.toHaveProperty('rawPacket')
  })
})

describe('a fault that ws found on an open socket', () => {
  it.each([
    ['WS_ERR_INVALID_UTF8', 1007],
    ['WS_ERR_INVALID_OPCODE', 1002],
    ['WS_ERR_UNEXPECTED_MASK', 1002]
  ])('%s closes with %i', (code, closeCode) => {
    expect(closureOfWsError(systemError(code), 100)).toEqual({
      kind: 'close',
      code: closeCode,
      reason: `the server broke the WebSocket protocol (${code})`,
      wasClean: false
    })
  })

  it('may be a message that is too large', () => {
    expect(closureOfWsError(systemError('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'), 100)).toEqual({
      kind: 'close',
      code: 1009,
      reason: 'a message is larger than maxMessageBytes (100)',
      wasClean: false
    })
  })

  it.each([systemError('ECONNRESET'), systemError('X_WS_ERR_'), systemError(undefined), new Error('x'), 'WS_ERR_INVALID_UTF8', undefined])(
    'is not: %s',
    (failure) => {
      expect(closureOfWsError(failure, 100)).toBeUndefined()
    }
  )
})
