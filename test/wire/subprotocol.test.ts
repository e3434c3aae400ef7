import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bearerSubprotocol, judgeSubprotocol, MCP_SUBPROTOCOL } from '../../src/wire/subprotocol.js'

const tokenOf = (entry: string): string => Buffer.from(entry.slice('mcp.bearer.'.length), 'base64url').toString('utf8')

describe('bearerSubprotocol', () => {
  it.each([
    ['a', 'mcp.bearer.YQ'],
    ['ab', 'mcp.bearer.YWI'],
    ['abc', 'mcp.bearer.YWJj'],
    ['>>>???', 'mcp.bearer.Pj4-Pz8_'],
    ['schlüssel', 'mcp.bearer.c2NobMO8c3NlbA'],
    ['🔑', 'mcp.bearer.8J-UkQ'],
    ['', 'mcp.bearer.']
  ])('writes %j as %s', (token, entry) => {
    expect(bearerSubprotocol(token)).toBe(entry)
  })

  it('is a token of RFC 2616 that decodes to what it was, whatever the token', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (token) => {
        const entry = bearerSubprotocol(token)
        expect(entry).toMatch(/^mcp\.bearer\.[\w-]*$/)
        expect(tokenOf(entry)).toBe(Buffer.from(token, 'utf8').toString('utf8'))
      })
    )
  })
})

describe('judgeSubprotocol', () => {
  const offered = [MCP_SUBPROTOCOL, 'mcp', bearerSubprotocol('secret-token')]

  it.each(['mcp.v1', 'mcp'])('accepts %s, which was offered', (received) => {
    expect(judgeSubprotocol(offered, received, 'fail')).toBeUndefined()
    expect(judgeSubprotocol(offered, received, 'accept')).toBeUndefined()
  })

  it('shows the offer in its order, without the credentials, wherever they stand', () => {
    const error = judgeSubprotocol(['b', bearerSubprotocol('x'), 'a', 'mcp.bearer', bearerSubprotocol('')], 'c', 'fail')
    expect(error?.offered).toEqual(['b', 'a', 'mcp.bearer'])
  })

  it('does not accept the credentials as a choice, though they were offered', () => {
    expect(judgeSubprotocol(offered, bearerSubprotocol('secret-token'), 'accept')).toMatchObject({ offered: ['mcp.v1', 'mcp'] })
  })

  it.each(['fail', 'accept'] as const)('rejects a name that was not offered (%s)', (missing) => {
    const error = judgeSubprotocol(offered, 'graphql-ws', missing)
    expect(error).toMatchObject({ code: 'SUBPROTOCOL_MISMATCH', offered: ['mcp.v1', 'mcp'], received: 'graphql-ws' })
    expect(error?.message).toBe('the server chose the subprotocol "graphql-ws", which was not offered')
    expect(error).toMatchObject({ delivery: 'not-sent', retryable: false })
    expect(error?.hint).toContain('subprotocols')
  })

  it.each([undefined, ''])('rejects a server that named none (%j), and names the remedy', (received) => {
    const error = judgeSubprotocol(offered, received, 'fail')
    expect(error).toMatchObject({ code: 'SUBPROTOCOL_MISMATCH', offered: ['mcp.v1', 'mcp'] })
    expect(error).toMatchObject({ message: 'the server chose no subprotocol', delivery: 'not-sent', retryable: false })
    expect(error).toHaveProperty('received', undefined)
    expect(error?.hint).toContain("onMissingSubprotocol: 'accept'")
  })

  it.each([undefined, ''])('goes on with a server that named none (%j), if that is accepted', (received) => {
    expect(judgeSubprotocol(offered, received, 'accept')).toBeUndefined()
  })

  it('misses a choice where mcp.v1 alone was offered', () => {
    expect(judgeSubprotocol([MCP_SUBPROTOCOL], undefined, 'fail')).toMatchObject({ offered: ['mcp.v1'] })
  })

  it('misses nothing where nothing was offered, and still rejects a name', () => {
    expect(judgeSubprotocol([], undefined, 'fail')).toBeUndefined()
    expect(judgeSubprotocol([], 'mcp.v1', 'fail')).toMatchObject({ offered: [], received: 'mcp.v1' })
  })

  it('matches names by case, as RFC 6455 does', () => {
    expect(judgeSubprotocol(offered, 'MCP.V1', 'fail')).toBeDefined()
  })

  it.each([
    ['the token', (bearer: string) => bearer],
    ['the whole offer', (bearer: string) => ['mcp.v1', 'mcp', bearer].join(', ')]
  ])('never shows the token, even if the server sends back %s as its choice', (_what, received) => {
    const bearer = bearerSubprotocol('secret-token')
    const error = judgeSubprotocol(offered, received(bearer), 'fail')
    expect(error?.message).toContain('mcp.bearer.[redacted]')
    expect(JSON.stringify(error)).not.toContain(bearer.slice('mcp.bearer.'.length))
    expect(error?.message).not.toContain(bearer)
  })
})
