import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hasCredentials, secretsOfHeaders } from '../../src/socket/header-secrets.js'
import { collectSecrets as collect, isExposed, isLoopback, publicUrl, redact, redactStart } from '../../src/socket/secrets.js'

describe('isLoopback', () => {
  it.each([
    ['localhost', true],
    ['app.localhost', true],
    ['127.0.0.1', true],
    ['127.255.3.4', true],
    ['[::1]', true],
    ['0.0.0.0', false],
    ['10.0.0.1', false],
    ['128.0.0.1', false],
    ['127.0.0.1.example.com', false],
    ['x127.0.0.1', false],
    ['localhost.example.com', false],
    ['mylocalhost', false],
    ['[::2]', false],
    ['x[::1]', false],
    ['[::1]x', false],
    ['[fe80::1]', false],
    ['example.com', false],
    ['', false]
  ])('says of %j: %s', (hostname, expected) => {
    expect(isLoopback(hostname)).toBe(expected)
  })

  it('sees through the notations of an address that a URL normalizes', () => {
    const notations = ['ws://2130706433/', 'ws://0x7f.1/', 'ws://127.1/', 'ws://LOCALHOST/', 'ws://[0:0:0:0:0:0:0:1]/']
    expect(notations.map((url) => isLoopback(new URL(url).hostname))).toEqual([true, true, true, true, true])
  })
})

describe('isExposed', () => {
  it.each([
    ['ws://example.com/', true],
    ['ws://192.168.0.2:8080/ws', true],
    ['wss://example.com/', false],
    ['ws://localhost:8080/', false],
    ['ws://127.0.0.1/', false],
    ['ws://[::1]:9000/', false]
  ])('says of %s: %s', (url, expected) => {
    expect(isExposed(new URL(url))).toBe(expected)
  })
})

const collectSecrets = (url: URL, headers: Readonly<Record<string, string>>, tokens: readonly string[]): string[] =>
  collect(url, [...tokens, ...secretsOfHeaders(headers)])

describe('hasCredentials', () => {
  it.each<[Record<string, string>, boolean]>([
    [{}, false],
    [{ 'X-Trace': '1' }, false],
    [{ Authorization: 'Bearer x' }, true],
    [{ aUTHORIZATION: 'Bearer x' }, true],
    [{ cookie: 'a=b' }, true],
    [{ 'X-Authorization-Note': 'none' }, false],
    [{ 'X-Authorization': 'none' }, false],
    [{ 'Cookie-Note': 'none' }, false]
  ])('says of %o: %s', (headers, expected) => {
    expect(hasCredentials(headers)).toBe(expected)
  })
})

describe('collectSecrets', () => {
  const plain = new URL('wss://example.com/ws')

  it('takes tokens, with and without their scheme', () => {
    const secrets = collectSecrets(plain, { Authorization: 'Bearer abc123' }, ['token-42'])
    expect(secrets).toEqual(expect.arrayContaining(['abc123', 'Bearer abc123', 'token-42']))
  })

  it.each(['Authorization', 'cookie', 'X-Api-Key', 'Ocp-Apim-Subscription', 'X-Whatever'])(
    'takes the header %s for a secret, as any may be the key of a gateway',
    (name) => {
      expect(collectSecrets(plain, { [name]: 'hush-hush' }, [])).toContain('hush-hush')
    }
  )

  it('finds none in a bare URL', () => {
    expect(collectSecrets(plain, {}, [])).toEqual([])
  })

  it('takes the password as it is written and as it is meant, and what HTTP makes of it', () => {
    const secrets = collectSecrets(new URL('wss://user:p%40ssw%C3%B6rd@example.com/'), {}, [])
    expect(secrets).toEqual(
      expect.arrayContaining(['p%40ssw%C3%B6rd', 'p@sswörd', Buffer.from('user:p@sswörd', 'utf8').toString('base64')])
    )
  })

  it.each([
    ['a user without a password, which is a token', 'token-user@', ['token-user', btoa('token-user:')]],
    ['a password without a user', ':password@', ['password', btoa(':password')]],
    ['a password, but not its user', 'the-user:password@', ['password', btoa('the-user:password')]]
  ])('takes %s, and what HTTP makes of it', (_what, userinfo, expected) => {
    const secrets = collectSecrets(new URL(`wss://${userinfo}example.com/`), {}, [])
    expect(secrets.filter((secret) => !secret.includes('%')).sort()).toEqual(expected.sort())
  })

  it('survives a password that is not valid percent-encoding', () => {
    expect(collectSecrets(new URL('wss://user:100%sure@example.com/'), {}, [])).toContain('100%sure')
  })

  it('takes every part of the query, decoded and as it is written, with and without a name', () => {
    const secrets = collectSecrets(new URL('wss://example.com/ws?key=value%2D1&value-2&=value-3&a=b=c-d-e-f'), {}, [])
    expect(secrets).toEqual(expect.arrayContaining(['value%2D1', 'value-1', 'value-2', 'value-3', 'b=c-d-e-f']))
  })

  it('takes the forms in which servers quote what they received', () => {
    expect(collectSecrets(plain, {}, ['a+b/c"=d<']).sort()).toEqual(
      [
        'a+b/c"=d<',
        'a%2Bb%2Fc%22%3Dd%3C', // in a URL
        'a%2bb%2fc%22%3dd%3c',
        'a+b/c\\"=d<', // in JSON
        'a+b\\/c\\"=d<',
        'a+b/c&quot;=d&lt;' // in HTML
      ].sort()
    )
  })

  it('takes the parts of a Cookie, the password of Basic, and a user without a password', () => {
    const secrets = collectSecrets(
      new URL('wss://token-as-user@example.com'),
      {
        Cookie: 'sid=session-1; theme=dark-blue',
        Authorization: `Basic ${btoa('me:pass:word-1')}`
      },
      []
    )
    expect(secrets).toEqual(expect.arrayContaining(['session-1', 'dark-blue', 'pass:word-1', 'token-as-user']))
    expect(secrets).not.toContain('me')
    expect(secrets).not.toContain('me:pass:word-1')
  })

  it('takes a header of another name or scheme as a whole, and without its scheme', () => {
    const headers = { 'X-Cookie': 'a=session-2; b=other-2', 'X-Key': 'Basically c2VjcmV0OnNlY3JldC0z' }
    expect(
      collectSecrets(plain, headers, [])
        .filter((secret) => !secret.includes('%'))
        .sort()
    ).toEqual(['a=session-2; b=other-2', 'Basically c2VjcmV0OnNlY3JldC0z', 'c2VjcmV0OnNlY3JldC0z'].sort())
  })

  it('takes the parts of a Cookie whose pairs stand close together, and values that hold "="', () => {
    expect(collectSecrets(plain, { cookie: 'a=first=1;b=second' }, [])).toEqual(expect.arrayContaining(['first=1', 'second']))
  })

  it.each([
    ['&', '&amp;'],
    ['<', '&lt;'],
    ['>', '&gt;'],
    ['"', '&quot;'],
    ["'", '&#39;']
  ])('takes %s as HTML has it', (character, entity) => {
    expect(collectSecrets(plain, {}, [`secret${character}`])).toContain(`secret${entity}`)
  })

  it('escapes each character once', () => {
    expect(collectSecrets(plain, {}, [`it's <"a&b">`])).toContain('it&#39;s &lt;&quot;a&amp;b&quot;&gt;')
  })

  it('takes a Basic header that holds no Base64 as a whole', () => {
    expect(collectSecrets(plain, { Authorization: 'Basic ***no-base64***' }, [])).toContain('***no-base64***')
  })

  it('leaves out what is shorter than six characters, and names none twice', () => {
    expect(collectSecrets(plain, { cookie: 'abcdef' }, ['12345', '123456', 'abcdef']).sort()).toEqual(['123456', 'abcdef'])
  })

  it('counts characters before encoding: five of them are too few, even if a URL makes them longer', () => {
    expect(collectSecrets(plain, {}, ['a"b/c'])).toEqual([])
    expect(collectSecrets(plain, { 'x-a': 'abcde', 'x-b': 'abcdef' }, [])).toEqual(['abcdef'])
  })

  it.each(['Basic', 'BASIC', 'basic'])('takes the password of %s alone, whatever stands in it', (scheme) => {
    const of = (credentials: string): string[] => collectSecrets(plain, { Authorization: `${scheme} ${btoa(credentials)}` }, [])
    expect(of('somebody:two\nlines:and more')).toContain('two\nlines:and more')
    expect(of('nobody-without-a-password')).not.toContain('nobody-without-a-password')
    expect(of('nobody-without-a-password:')).not.toContain('nobody-without-a-password')
  })

  it('takes neither the name of a Cookie nor that of a parameter', () => {
    const secrets = collectSecrets(new URL('wss://example.com/?parameter=value-1'), { cookie: 'session=value-2' }, [])
    expect(secrets).not.toContain('parameter')
    expect(secrets).not.toContain('session')
  })

  it('takes a user name only if it stands alone', () => {
    expect(collectSecrets(new URL('wss://somebody:password@example.com/'), {}, [])).not.toContain('somebody')
    expect(collectSecrets(new URL('wss://some%2Dbody@example.com/'), {}, [])).toContain('some-body')
  })

  it('survives half of a surrogate pair', () => {
    expect(collectSecrets(plain, {}, ['half-\ud83d-pair'])).toContain('half-\ud83d-pair')
  })

  it('never throws, and takes every token that is long enough', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 6 }), (token) => {
        expect(collectSecrets(plain, { 'x-key': token }, [token])).toContain(token)
      })
    )
  })

  it('puts the longest first, so that no secret survives in part', () => {
    const secrets = collectSecrets(plain, {}, ['secret', 'secret-and-more'])
    expect(secrets).toEqual(['secret-and-more', 'secret'])
    expect(redact('got secret-and-more', secrets)).toBe('got [redacted]')
  })
})

describe('redact', () => {
  it('replaces every occurrence of every secret', () => {
    expect(redact('abcdef, ghijkl, abcdef', ['abcdef', 'ghijkl'])).toBe('[redacted], [redacted], [redacted]')
  })

  it('takes secrets literally, not as patterns', () => {
    expect(redact('a.c abc $& a$c', ['a.c', 'a$c'])).toBe('[redacted] abc $& [redacted]')
  })

  it('leaves a text without secrets as it is', () => {
    expect(redact('nothing here', ['abcdef'])).toBe('nothing here')
    expect(redact('nothing here', [])).toBe('nothing here')
  })
})

describe('redactStart', () => {
  const secret = 'eyJhbGciOi.secret'
  const cuts = Array.from({ length: secret.length }, (_, shown) => shown)

  it.each(cuts)('shows nothing of a secret that is cut after %i characters', (shown) => {
    expect(redactStart(`token: ${secret.slice(0, shown)}`, [secret])).toBe('token: ')
  })

  it.each(cuts)('shows nothing of a secret that is cut after %i characters, behind whole ones', (shown) => {
    expect(redactStart(secret.repeat(3) + secret.slice(0, shown), [secret])).toBe('[redacted]'.repeat(3))
  })

  it('replaces secrets that are not cut, and keeps what stands behind them', () => {
    expect(redactStart(`${secret}${secret}abc`, [secret])).toBe('[redacted][redacted]abc')
  })

  it('looks for the beginning of every secret', () => {
    expect(redactStart('x-abc', ['uvwxyz', 'abcdef'])).toBe('x-')
    expect(redactStart('x-uvw', ['uvwxyz', 'abcdef'])).toBe('x-')
  })

  it('gives up an innocent last letter, as it may be the first one of a secret', () => {
    expect(redactStart('Service unavailable', [secret])).toBe('Service unavailabl')
  })

  it('leaves a text without secrets as it is', () => {
    expect(redactStart('nothing here', [])).toBe('nothing here')
    expect(redactStart('', [secret])).toBe('')
  })

  it('shows no part of a token, wherever a server cuts the text that quotes it', () => {
    const token = fc.string({ minLength: 6, maxLength: 40, unit: fc.constantFrom('A', 'B', 'C', 'D', '/', '+', '"', '%') })
    fc.assert(
      fc.property(token, fc.nat(60), (token, length) => {
        const secrets = collectSecrets(new URL('wss://example.com/'), {}, [token])
        const shown = redactStart(`you sent: ${token} (bad)`.slice(0, length), secrets)
        expect(shown.replaceAll('[redacted]', '')).not.toMatch(/[A-D/+"%]/)
      })
    )
  })
})

describe('publicUrl', () => {
  it.each([
    ['wss://user:password@example.com:8443/ws?token=abc#part', 'wss://example.com:8443/ws'],
    ['ws://[::1]:9000/', 'ws://[::1]:9000/'],
    ['wss://example.com', 'wss://example.com/']
  ])('shows %s as %s', (url, shown) => {
    expect(publicUrl(new URL(url))).toBe(shown)
  })
})
