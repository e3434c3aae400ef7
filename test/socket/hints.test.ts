import { describe, expect, it } from 'vitest'
import { hintForStatus, hintForSystemError } from '../../src/socket/hints.js'

describe('hintForStatus', () => {
  it.each([
    [200, /captive portal/],
    [400, /Upgrade and Connection/],
    [401, /auth\.token/],
    [403, /Origin or Host/],
    [404, /path/],
    [405, /GET/],
    [407, /option agent/],
    [429, /Retry-After/],
    [502, /cannot reach/],
    [503, /overloaded or restarting/],
    [504, /no answer/],
    [418, /check the URL/],
    [102, /check the URL/],
    [500, /The server failed/],
    [599, /The server failed/]
  ])('explains %i', (status, hint) => {
    expect(hintForStatus(status, false)).toMatch(hint)
  })

  it.each([
    [401, false, '', /wants credentials/],
    [401, true, '', /rejected the credentials that were sent/],
    [401, true, 'Missing API key', /wants credentials/],
    [403, false, '', /^A token is missing/],
    [403, true, '', /^The token has expired/],
    [400, false, 'no token', /wants credentials/],
    [400, true, 'bad token', /rejected the credentials/]
  ])('knows whether credentials were sent: %i, %j, %j', (status, hasCredentials, words, hint) => {
    expect(hintForStatus(status, hasCredentials, undefined, words)).toMatch(hint)
  })

  it.each([429, 500, 503])('does not say what the client does after %i: the options decide that', (status) => {
    expect(hintForStatus(status, false)).not.toContain('client')
  })

  it('names both causes of 426: the subprotocol, and a proxy that dropped the upgrade', () => {
    const hint = hintForStatus(426, false)
    expect(hint).toContain('another subprotocol')
    expect(hint).toContain('mcp.v1')
    expect(hint).toContain('proxy')
    expect(hint).toContain('proxy_set_header Upgrade $http_upgrade')
    expect(hint).toContain('Sec-WebSocket-Protocol')
  })

  it.each([300, 301, 302, 303, 307, 308, 399])('says that the redirect %i is not followed, and where it points', (status) => {
    const hint = hintForStatus(status, false, 'wss://new.example.com/ws')
    expect(hint).toContain('not followed')
    expect(hint).toContain('wss://new.example.com/ws')
  })

  it('does not take 304 for a redirect: it leads nowhere', () => {
    expect(hintForStatus(304, false)).toMatch(/check the URL/)
  })

  it('explains a redirect without a target', () => {
    expect(hintForStatus(302, false)).toContain('the new address')
  })
})

describe('hintForSystemError', () => {
  it.each([
    ['ECONNREFUSED', /Nothing listens/],
    ['ENOTFOUND', /does not resolve/],
    ['EAI_AGAIN', /is the network up/],
    ['ECONNRESET', /wss:\/\//],
    ['ETIMEDOUT', /firewall/],
    ['CERT_HAS_EXPIRED', /expired/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /another host name/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /self-signed.*tls\.ca/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /tls\.ca/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /tls\.ca/]
  ])('explains %s', (code, hint) => {
    expect(hintForSystemError(code, 'failed')).toMatch(hint)
  })

  it('knows plain text on a port that was dialled with TLS by the message alone', () => {
    expect(hintForSystemError('EPROTO', 'error:0A00010B:SSL routines::wrong version number')).toMatch(/use ws:\/\//)
  })

  it('says nothing about what it does not know', () => {
    expect(hintForSystemError('EWHATEVER', 'failed')).toBeUndefined()
  })
})
