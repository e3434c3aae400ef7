import { describe, expect, test } from 'vitest'
import { McpWebSocketError } from '../../src/errors.js'
import { describeError } from '../../src/cli/describe-error.js'
import { inFlags, ofFlag } from '../../src/cli/in-flags.js'
import { wordsOf } from '../../src/probe/advice.js'
import { hintForStatus, hintForSystemError } from '../../src/socket/hints.js'
import { judgeSubprotocol } from '../../src/wire/subprotocol.js'

const hintFor = (offered: string[], chosen: string | undefined): string => judgeSubprotocol(offered, chosen, 'fail', 'x')?.hint ?? ''

describe('a hint', () => {
  test.each([
    [hintForStatus(401, false), 'The server wants credentials: give --token (better: MCP_WS_TOKEN) or --header.'],
    [hintForStatus(426, false), /other than those offered|than those offered \(mcp\.v1 and --subprotocol, or --offer\)/],
    [hintForStatus(400, false, undefined, 'no key'), 'The server says what is missing: check the URL, --header and --subprotocol.'],
    [hintFor(['mcp.v1'], undefined), /^If it is an MCP server, give --accept-missing-subprotocol;/],
    [hintFor(['mcp.v1', 'a'], 'b'), 'If it carries MCP, give --subprotocol a --subprotocol b.'],
    [hintFor(['mcp'], 'b'), 'If it carries MCP, give --offer mcp,b.'],
    [hintFor(['mcp.v1', 'a'], 'mcp.v1,a'), /leave --subprotocol out/],
    [hintForSystemError('DEPTH_ZERO_SELF_SIGNED_CERT', ''), 'The certificate is self-signed: pass it as --ca.'],
    [hintForSystemError('ERR_OSSL_UNSUPPORTED', ''), 'This side cannot use its own TLS settings: check --ca, --cert and --key.'],
    ['Use wss://, or auth.allowInsecure in a trusted network.', 'Use wss://, or --allow-insecure in a trusted network.']
  ])('speaks of flags: %s', (hint = '', text) => {
    expect(inFlags(hint)).toMatch(text)
  })
})

test('the remedy of a probe speaks of flags', () => {
  const change = {
    url: 'ws://a/ws',
    via: 'subprotocol',
    subprotocols: ['a', 'b'],
    onMissingSubprotocol: 'accept',
    protocol: 'legacy'
  } as const
  expect(inFlags(wordsOf(change).join(', '))).toBe(
    'the URL ws://a/ws, --token-via subprotocol, --subprotocol a --subprotocol b, --accept-missing-subprotocol, --protocol legacy'
  )
  expect(inFlags(wordsOf({ offer: [] }).join())).toBe("--offer ''")
  expect(inFlags(wordsOf({ offer: ['mcp'] }).join())).toBe('--offer mcp')
})

test.each([
  ['allowedOrigins must be a list', '--allow-origin must be a list'],
  ['path must be a function or a RegExp or a string', '--path must be a string'],
  ['auth.token must be a string', '--token must be a string'],
  ['auth.token must be a non-empty string without line breaks or a function', '--token must be a non-empty string without line breaks'],
  ['headers.X-Key must be a non-empty string', '--header X-Key must be a non-empty string'],
  [
    'headers.Upgrade belongs to the upgrade; for subprotocols there is the option offer',
    '--header Upgrade belongs to the upgrade; for subprotocols there is --offer'
  ],
  ['offer is the whole list: leave subprotocols and resume out', '--offer is the whole list: leave --subprotocol and --resume out'],
  ['url must be an absolute URL', 'url must be an absolute URL']
])('a wrong option is told as a flag: %s', (problem, text) => expect(ofFlag(problem)).toBe(text))

test.each([
  ['the connection broke; whether the request was executed is unknown', false],
  ['x got no response within 5 ms: it may have been executed', false],
  ['the server sent no result', true]
])('what may have been executed is said once: %s', (message, isAdded) => {
  const error = new McpWebSocketError('CONNECTION_LOST', message, { delivery: 'unknown' })
  expect(describeError(error).split('\n')).toHaveLength(isAdded ? 2 : 1)
})
