import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tokenSubprotocol, judgeSubprotocol, MCP_SUBPROTOCOL } from '../../src/wire/subprotocol.js'

const tokenOf = (entry: string): string => Buffer.from(entry.slice('mcp.bearer.'.length), 'base64url').toString('utf8')

describe('tokenSubprotocol', () => {
  it.each([
    ['a', 'mcp.bearer.YQ'],
    ['ab', 'mcp.bearer.YWI'],
    ['abc', 'mcp.bearer.YWJj'],
    ['>>>???', 'mcp.bearer.Pj4-Pz8_'],
    ['schlüssel', 'mcp.bearer.c2NobMO8c3NlbA'],
    ['🔑', 'mcp.bearer.8J-UkQ'],
    ['', 'mcp.bearer.']
  ])('writes %j as %s', (token, entry) => {
    expect(tokenSubprotocol(token)).toBe(entry)
  })

  it('is a token of RFC 2616 that decodes to what it was, whatever the token', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (token) => {
        const entry = tokenSubprotocol(token)
        expect(entry).toMatch(/^mcp\.bearer\.[\w-]*$/)
        expect(tokenOf(entry)).toBe(Buffer.from(token, 'utf8').toString('utf8'))
      })
    )
  })
})

describe('tokenSubprotocol', () => {
  it('writes a token as it is behind mcp.auth.', () => {
    expect(tokenSubprotocol('a.b-c~', 'mcp.auth.')).toBe('mcp.auth.a.b-c~')
  })

  it.each(['a b', 'a,b', 'a=', 'ü', ''])('refuses %j there, as no subprotocol may hold it', (token) => {
    expect(() => tokenSubprotocol(token, 'mcp.auth.')).toThrow('use auth.prefix "mcp.bearer."')
  })
})

describe('judgeSubprotocol', () => {
  const offered = [MCP_SUBPROTOCOL, 'mcp', tokenSubprotocol('secret-token')]

  it.each(['mcp.v1', 'mcp'])('accepts %s, which was offered', (received) => {
    expect(judgeSubprotocol(offered, received, 'fail', 'wss://h/ws')).toBeUndefined()
    expect(judgeSubprotocol(offered, received, 'accept', 'wss://h/ws')).toBeUndefined()
  })

  it('shows the offer in its order, without the credentials, wherever they stand', () => {
    const error = judgeSubprotocol(['b', tokenSubprotocol('x'), 'a', 'mcp.bearer', tokenSubprotocol('')], 'c', 'fail', 'wss://h/ws')
    expect(error?.offered).toEqual(['b', 'a', 'mcp.bearer'])
  })

  it('does not accept the credentials as a choice, though they were offered', () => {
    expect(judgeSubprotocol(offered, tokenSubprotocol('secret-token'), 'accept', 'wss://h/ws')).toMatchObject({
      offered: ['mcp.v1', 'mcp']
    })
  })

  it.each(['fail', 'accept'] as const)('rejects a name that was not offered (%s)', (missing) => {
    const error = judgeSubprotocol(offered, 'graphql-ws', missing, 'wss://h/ws')
    expect(error).toMatchObject({ code: 'SUBPROTOCOL_MISMATCH', offered: ['mcp.v1', 'mcp'], received: 'graphql-ws' })
    expect(error?.message).toBe('wss://h/ws chose the subprotocol "graphql-ws", which was not offered (offered: mcp.v1, mcp)')
    expect(error).toMatchObject({ delivery: 'not-sent', retryable: false })
    expect(error?.hint).toContain('subprotocols')
  })

  it.each([undefined, ''])('rejects a server that named none (%j), and names the remedy', (received) => {
    const error = judgeSubprotocol(offered, received, 'fail', 'wss://h/ws')
    expect(error).toMatchObject({ code: 'SUBPROTOCOL_MISMATCH', offered: ['mcp.v1', 'mcp'] })
    expect(error).toMatchObject({
      message: 'wss://h/ws chose no subprotocol (offered: mcp.v1, mcp)',
      delivery: 'not-sent',
      retryable: false
    })
    expect(error).toHaveProperty('received', undefined)
    expect(error?.hint).toContain("onMissingSubprotocol: 'accept'")
  })

  it.each([undefined, ''])('goes on with a server that named none (%j), if that is accepted', (received) => {
    expect(judgeSubprotocol(offered, received, 'accept', 'wss://h/ws')).toBeUndefined()
  })

  it('misses a choice where mcp.v1 alone was offered', () => {
    expect(judgeSubprotocol([MCP_SUBPROTOCOL], undefined, 'fail', 'wss://h/ws')).toMatchObject({ offered: ['mcp.v1'] })
  })

  it('misses nothing where nothing was offered, and still rejects a name', () => {
    expect(judgeSubprotocol([], undefined, 'fail', 'wss://h/ws')).toBeUndefined()
    expect(judgeSubprotocol([], 'mcp.v1', 'fail', 'wss://h/ws')).toMatchObject({ offered: [], received: 'mcp.v1' })
  })

  it('matches names by case, as RFC 6455 does', () => {
    expect(judgeSubprotocol(offered, 'MCP.V1', 'fail', 'wss://h/ws')).toBeDefined()
  })

  it.each([
    ['the token', (bearer: string) => bearer],
    ['the whole offer', (bearer: string) => ['mcp.v1', 'mcp', bearer].join(', ')]
  ])('never shows the token, even if the server sends back %s as its choice', (_what, received) => {
    const bearer = tokenSubprotocol('secret-token')
    const error = judgeSubprotocol(offered, received(bearer), 'fail', 'wss://h/ws')
    expect(error?.message).toContain('mcp.bearer.[redacted]')
    expect(JSON.stringify(error)).not.toContain(bearer.slice('mcp.bearer.'.length))
    expect(error?.message).not.toContain(bearer)
  })

  it.each<[string, string[], string, string]>([
    ['the value to add to subprotocols', ['mcp.v1', 'mcp'], 'graphql-ws', "set subprotocols: ['mcp', 'graphql-ws']"],
    ['the value to add to an offer', ['mcp'], 'graphql-ws', "set offer: ['mcp', 'graphql-ws']"],
    ['the value to offer', [], 'mcp', "set offer: ['mcp']"],
    ['the option that misleads a server that repeats the offer', ['mcp.v1', 'mcp'], 'mcp.v1, mcp', 'leave the option subprotocols out']
  ])('names %s', (_what, offer, received, words) => {
    expect(judgeSubprotocol(offer, received, 'fail', 'wss://h/ws')?.hint).toContain(words)
  })

  it('misses nothing where only a token was offered', () => {
    expect(judgeSubprotocol([tokenSubprotocol('x')], undefined, 'fail', 'wss://h/ws')).toBeUndefined()
  })

  it('never shows a token that stands in the offer as it is', () => {
    const error = judgeSubprotocol(['mcp', 'mcp.auth.secret-token'], 'mcp,mcp.auth.secret-token', 'fail', 'wss://h/ws')
    expect(error).toMatchObject({ offered: ['mcp'], received: 'mcp,mcp.auth.[redacted]' })
  })
})
