import { describe, expect, it, vi } from 'vitest'
import { readUrl, resolveTarget, type TargetOptions } from '../../src/socket/target.js'
import { HandshakeError } from '../../src/errors.js'

const FIRST = { attempt: 1, reason: 'connect' } as const
const resolve = (options: Partial<TargetOptions>): ReturnType<typeof resolveTarget> =>
  resolveTarget({ url: 'wss://example.com/ws', subprotocols: [], ...options }, FIRST)

describe('the url', () => {
  it.each([
    ['ws://example.com/ws', 'ws://example.com/ws'],
    ['wss://example.com/ws?a=b', 'wss://example.com/ws?a=b'],
    ['http://example.com:8080/ws', 'ws://example.com:8080/ws'],
    ['https://example.com', 'wss://example.com/'],
    ['HTTPS://EXAMPLE.com/Path', 'wss://example.com/Path'],
    ['wss://example.com/ws#fragment', 'wss://example.com/ws'],
    ['http://httpd.example.com/http', 'ws://httpd.example.com/http']
  ])('%s becomes %s', (given, wanted) => {
    expect(readUrl(given).href).toBe(wanted)
  })

  it('may be a URL, which stays as it is', () => {
    const given = new URL('https://example.com/ws#x')
    expect(readUrl(given).href).toBe('wss://example.com/ws')
    expect(given.href).toBe('https://example.com/ws#x')
  })

  it.each(['', '/ws', 'example.com', 'ftp://example.com', 'file:///ws', 'javascript:1', 'ws://', undefined, null, 5, {}])(
    'may not be %j',
    (given) => {
      expect(() => readUrl(given as string)).toThrow(TypeError)
      expect(() => readUrl(given as string)).toThrow(/\burl\b/)
    }
  )

  it('does not show its query or password in the error', () => {
    expect(() => readUrl('ftp://user:hunter22@example.com/?token=secret-token')).toThrow(
      expect.objectContaining({ message: expect.not.stringMatching(/hunter22|secret-token/) as string }) as Error
    )
  })

  it.each([() => 'https://example.com/ws', () => Promise.resolve(new URL('wss://example.com/ws'))])(
    'may come from a function, now or later',
    async (url) => {
      expect((await resolve({ url })).url.href).toBe('wss://example.com/ws')
    }
  )

  it('from a function that throws is a failed attempt', async () => {
    const cause = new Error('no service')
    await expect(resolve({ url: () => Promise.reject(cause) })).rejects.toMatchObject({
      name: 'HandshakeError',
      code: 'CONNECT_FAILED',
      retryable: true,
      cause
    })
  })

  it('from a function passes its own error of this package on', async () => {
    const error = new HandshakeError('CONNECT_FAILED', 'mine')
    await expect(resolve({ url: () => Promise.reject(error) })).rejects.toBe(error)
  })

  it('from a function that gives nonsense is an error that names the option', async () => {
    await expect(resolve({ url: () => 'nonsense' })).rejects.toThrow(/url/)
  })
})

describe('the subprotocols', () => {
  it('begin with mcp.v1', async () => {
    expect((await resolve({})).protocols).toEqual(['mcp.v1'])
    expect((await resolve({ subprotocols: ['mcp', 'x'] })).protocols).toEqual(['mcp.v1', 'mcp', 'x'])
  })

  it.each([
    ['token', 'dG9rZW4'],
    ['a', 'YQ'],
    ['??>>', 'Pz8-Pg'],
    ['\u00ff\u00fe', 'w7_Dvg'],
    ['\u{1F600}', '8J-YgA']
  ])('end with the token %j in base64url without padding', async (token, encoded) => {
    const { protocols, headers } = await resolve({ auth: { token, via: 'subprotocol' }, subprotocols: ['mcp'] })
    expect(protocols).toEqual(['mcp.v1', 'mcp', `mcp.bearer.${encoded}`])
    expect(headers).toEqual({})
  })
})

describe('the headers', () => {
  it('hold the token', async () => {
    expect((await resolve({ auth: { token: 'secret-token' } })).headers).toEqual({ Authorization: 'Bearer secret-token' })
    expect((await resolve({ auth: { token: 'secret-token', via: 'header' } })).headers).toEqual({ Authorization: 'Bearer secret-token' })
  })

  it.each([{ 'x-a': '1' }, () => ({ 'x-a': '1' }), () => Promise.resolve({ 'x-a': '1' })])(
    'may be an object or a function',
    async (headers) => {
      expect((await resolve({ headers, auth: { token: 'secret-token' } })).headers).toEqual({
        'x-a': '1',
        Authorization: 'Bearer secret-token'
      })
    }
  )

  it('are not written into the object of the program', async () => {
    const headers = { 'x-a': '1' }
    await resolve({ headers, auth: { token: 'secret-token' } })
    expect(headers).toEqual({ 'x-a': '1' })
  })

  it('that fail to be provided are a failed attempt', async () => {
    await expect(resolve({ headers: () => Promise.reject(new Error('x')) })).rejects.toMatchObject({ code: 'CONNECT_FAILED' })
  })
})

describe('the offer', () => {
  const offered = async (options: Partial<TargetOptions>): Promise<readonly string[]> => (await resolve(options)).protocols

  it('is mcp.v1 and the subprotocols, or what stands in place of both', async () => {
    expect(await offered({})).toEqual(['mcp.v1'])
    expect(await offered({ subprotocols: ['mcp'] })).toEqual(['mcp.v1', 'mcp'])
    expect(await offered({ offer: ['mcp'] })).toEqual(['mcp'])
    expect(await offered({ offer: [] })).toEqual([])
  })

  it('ends with the token, whatever it is', async () => {
    const auth = { token: 'secret-token', via: 'subprotocol' } as const
    expect(await offered({ offer: ['mcp'], auth })).toEqual(['mcp', 'mcp.bearer.c2VjcmV0LXRva2Vu'])
    expect(await offered({ offer: [], auth: { ...auth, prefix: 'mcp.auth.' } })).toEqual(['mcp.auth.secret-token'])
    expect(await offered({ offer: ['mcp.auth.secret-token', 'mcp'] })).toEqual(['mcp', 'mcp.auth.secret-token'])
  })

  it('that holds a token is as secret as one, and travels in plain text no more', async () => {
    const { secrets } = await resolve({ offer: ['mcp', 'mcp.auth.secret-token'] })
    expect(secrets).toEqual(expect.arrayContaining(['mcp.auth.secret-token', 'secret-token']))
    await expect(resolve({ url: 'ws://example.com', offer: ['mcp.auth.secret-token'] })).rejects.toMatchObject({
      code: 'INSECURE_TRANSPORT'
    })
  })
})

describe('headers that a function returns wrongly', () => {
  it.each([{ 'x-key': 'a\n' }, { 'x-key': 5 }, 'x'])('(%j) are no passing trouble', async (headers) => {
    await expect(resolve({ headers: () => headers as never })).rejects.toMatchObject({ code: 'CONNECT_FAILED', retryable: false })
  })

  it('name where the dial went', async () => {
    await expect(resolve({ headers: () => Promise.reject(new Error('x')) })).rejects.toMatchObject({
      message: 'no connection to wss://example.com/ws: the option headers failed: x',
      retryable: true
    })
  })
})

describe('a token provider', () => {
  it('is given the context of the attempt', async () => {
    const token = vi.fn(() => 'secret-token')
    await resolveTarget({ url: 'wss://example.com', subprotocols: [], auth: { token } }, { attempt: 3, reason: 'unauthorized' })
    expect(token).toHaveBeenCalledExactlyOnceWith({ attempt: 3, reason: 'unauthorized' })
  })

  it('may say until when its token is good', async () => {
    const lifetimeWith = async (expiresAt?: number | Date): Promise<number | undefined> =>
      (await resolve({ auth: { token: () => ({ token: 'secret-token', expiresAt }) } })).lifetime
    expect(await lifetimeWith()).toBeUndefined()
    expect(await lifetimeWith(Date.now() + 60_000)).toBeGreaterThan(50_000)
    expect(await lifetimeWith(new Date(Date.now() + 60_000))).toBeLessThanOrEqual(60_000)
    expect((await resolve({ auth: { token: 'secret-token' } })).lifetime).toBeUndefined()
    const { headers, secrets } = await resolve({ auth: { token: () => Promise.resolve({ token: 'secret-token' }) } })
    expect(headers).toEqual({ Authorization: 'Bearer secret-token' })
    expect(secrets).toContain('secret-token')
  })

  it.each([Math.round(Date.now() / 1000), NaN, new Date(NaN), '2030-01-01', null])(
    'that gives %s as the time at which the token expires hears what is wrong',
    async (expiresAt) => {
      await expect(resolve({ auth: { token: () => ({ token: 'secret-token', expiresAt: expiresAt as number }) } })).rejects.toMatchObject({
        retryable: false,
        message: expect.stringContaining('must be a Date, or ms since 1970: multiply seconds by 1000') as string
      })
    }
  )

  it.each(['', 'a\nb', 'a\r', undefined, null, 5])('that gives %j is a failed attempt which does not show it', async (value) => {
    await expect(resolve({ auth: { token: () => value as string } })).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.stringContaining('auth.token') as string
    })
  })
})

describe('credentials over plain text', () => {
  const OPEN = 'ws://example.com/ws'
  const INSECURE = { name: 'HandshakeError', code: 'INSECURE_TRANSPORT', delivery: 'not-sent' }

  it.each([
    ['a token', { auth: { token: 'secret-token' } }],
    ['a token among the subprotocols', { auth: { token: 'secret-token', via: 'subprotocol' as const } }],
    ['Authorization', { headers: { Authorization: 'Basic x' } }],
    ['authorization from a function', { headers: () => ({ authorization: 'Basic x' }) }],
    ['Cookie', { headers: { cookie: 'a=b' } }]
  ])('are not sent: %s', async (_what, options) => {
    await expect(resolve({ url: OPEN, ...options })).rejects.toMatchObject(INSECURE)
    await expect(resolve({ url: 'http://example.com/ws', ...options })).rejects.toMatchObject(INSECURE)
  })

  it.each(['ws://user:hunter22@example.com/', 'ws://user@example.com/'])('are not sent: userinfo in %s', async (url) => {
    await expect(resolve({ url })).rejects.toMatchObject(INSECURE)
  })

  it('are not sent, and not even asked for', async () => {
    const token = vi.fn(() => 'secret-token')
    await expect(resolve({ url: OPEN, auth: { token } })).rejects.toMatchObject(INSECURE)
    await expect(resolve({ url: OPEN, auth: { token }, headers: { cookie: 'a' } })).rejects.toMatchObject(INSECURE)
    expect(token).not.toHaveBeenCalled()
  })

  it('are not sent, and the error does not show the query', async () => {
    const dial = resolve({ url: 'ws://user:hunter22@example.com/ws?key=secret-token', auth: { token: 'other-secret' } })
    await expect(dial).rejects.toMatchObject({ message: expect.not.stringMatching(/hunter22|secret/) as string })
  })

  it.each(['ws://localhost/', 'ws://127.0.0.1:1/', 'ws://127.9.9.9/', 'ws://[::1]/', 'ws://app.localhost/', 'http://localhost/'])(
    'may go to this machine: %s',
    async (url) => {
      expect((await resolve({ url, auth: { token: 'secret-token' } })).headers.Authorization).toBe('Bearer secret-token')
    }
  )

  it.each(['ws://localhost.example.com/', 'ws://127.0.0.1.example.com/', 'ws://0.0.0.0/', 'ws://[::2]/', 'ws://notlocalhost/'])(
    'may not go to what only looks like this machine: %s',
    async (url) => {
      await expect(resolve({ url, auth: { token: 'secret-token' } })).rejects.toMatchObject(INSECURE)
    }
  )

  it('may go anywhere with allowInsecure, or over wss', async () => {
    await expect(resolve({ url: OPEN, auth: { token: 'secret-token', allowInsecure: true } })).resolves.toBeDefined()
    await expect(resolve({ auth: { token: 'secret-token' } })).resolves.toBeDefined()
  })

  it('are not those headers that hold none', async () => {
    await expect(resolve({ url: OPEN, headers: { 'x-trace': '1' } })).resolves.toBeDefined()
  })
})

describe('the secrets of a target', () => {
  it('are none where nothing is secret', async () => {
    expect((await resolve({ subprotocols: ['mcp'] })).secrets).toEqual([])
  })

  it('are token, its encoded form, credentials of headers, password and query values', async () => {
    const { secrets } = await resolve({
      url: 'wss://user:hunter22@example.com/?key=querysecret',
      auth: { token: 'secret-token', via: 'subprotocol' },
      headers: { cookie: 'session=cookiesecret', 'x-api-key': 'headersecret' }
    })
    expect(secrets).toEqual(
      expect.arrayContaining([
        'secret-token',
        'mcp.bearer.c2VjcmV0LXRva2Vu',
        'hunter22',
        'querysecret',
        'session=cookiesecret',
        'headersecret'
      ])
    )
  })
})
