import { describe, expect, test } from 'vitest'
import { createServer } from 'node:http'
import { McpWebSocketServer } from '../../src/server/index.js'

const make = (options: object): McpWebSocketServer =>
  new McpWebSocketServer({ allowUnauthenticated: true, onconnection: () => undefined, ...options })

const ADDRESS = { host: '0.0.0.0', allowedHosts: ['mcp.example.com'] }

describe('a server that every client could connect to', () => {
  test.each([
    ['on loopback', {}],
    ['on every address', ADDRESS],
    ['on a given server', { server: createServer() }]
  ])('%s is made only with allowUnauthenticated or authenticate', (_where, options) => {
    expect(() => make({ ...options, allowUnauthenticated: undefined })).toThrow(/^allowUnauthenticated /)
    expect(() => make({ ...options, allowUnauthenticated: false })).toThrow(/^allowUnauthenticated /)
    expect(() => make(options)).not.toThrow()
    expect(() => make({ ...options, allowUnauthenticated: undefined, authenticate: () => true })).not.toThrow()
  })

  test.each(['0.0.0.0', '::', '192.0.2.1', 'mcp.example.com', '127.0.0.1.example.com', 'localhost.example.com'])(
    'S2: on %s needs allowedHosts',
    (host) => {
      expect(() => make({ host })).toThrow(/^allowedHosts /)
      expect(() => make({ host, allowedHosts: ['mcp.example.com'] })).not.toThrow()
    }
  )

  test.each(['127.0.0.1', '127.1.2.3', '::1', 'localhost'])('on %s is known under the loopback names', (host) => {
    expect(() => make({ host })).not.toThrow()
  })
})

test.each([undefined, null, 8080, []])('%j in place of the options is a TypeError', (options) => {
  expect(() => new McpWebSocketServer(options as never)).toThrow(/^options must be an object$/)
})

test.each([
  ['server', [{}, 'http', null]],
  ['port', [-1, 65_536, 1.5, '8080', NaN]],
  ['host', ['', 1]],
  ['path', ['', 'ws', '/ws?x', '/ws#x', '/w s', 1, {}, ['/ws']]],
  ['authenticate', ['secret', {}, true]],
  ['allowUnauthenticated', ['true', 1]],
  ['authTimeout', [0, -1, '1', Infinity]],
  [
    'allowedOrigins',
    [
      ['*'],
      ['NULL'],
      ['file:///'],
      ['example.com'],
      ['https://example.com/'],
      ['https://EXAMPLE.com'],
      ['https://example.com:443'],
      ['https://*.example.com'],
      ['https://a.example.com', 'https://a.example.com'],
      'https://example.com',
      [/example/]
    ]
  ],
  ['allowedHosts', [['*'], ['https://example.com'], ['a b'], [''], ['example.com:'], 'example.com', [1]]],
  ['requireSubprotocol', ['no', 0]],
  ['extraSubprotocols', ['mcp', ['mcp.v1'], ['mcp.v1.resume'], ['a b'], [''], ['mcp.bearer.x'], ['mcp.auth.x'], ['mcp', 'mcp']]],
  ['resume', ['true', 1, null]],
  ['resume.ttl', [0, -1, '1', Infinity].map((ttl) => ({ resume: { ttl } }))],
  ['resume.maxMessages', [0, 1.5].map((maxMessages) => ({ resume: { maxMessages } }))],
  ['resume.maxBytes', [0, Infinity].map((maxBytes) => ({ resume: { maxBytes } }))],
  ['resume.maxDetached', [-1, 0.5].map((maxDetached) => ({ resume: { maxDetached } }))],
  ['resume.principal', ['sub', {}].map((principal) => ({ resume: { principal } }))],
  ['resume.store', ['redis', {}].map((store) => ({ resume: { store } }))],
  ['heartbeat', [true, 0, null, 'off']],
  ['heartbeat.interval', [{ interval: 0 }, { interval: '1' }, { interval: Infinity }].map((heartbeat) => ({ heartbeat }))],
  ['heartbeat.timeout', [{ timeout: -1 }, { timeout: NaN }].map((heartbeat) => ({ heartbeat }))],
  ['maxMessageBytes', [0, 1.5, '1', Infinity, 2 ** 29, 2 ** 32]],
  ['maxConnections', [0, -1]],
  ['maxInFlight', [0, null]],
  ['maxBufferedBytes', [0]],
  ['drainTimeout', [0]],
  ['onconnection', [undefined, 'f', {}]],
  ['onrejected', ['f', {}]],
  ['onerror', ['f', {}]]
])('a wrong %s is named', (name, values) => {
  for (const value of values) {
    const options = name.includes('.') ? (value as object) : { [name]: value }
    expect(() => make(options), JSON.stringify(value)).toThrow(TypeError)
    expect(() => make(options), JSON.stringify(value)).toThrow(
      value === undefined ? `${name} must be given` : new RegExp(`^${name.replace('.', '\\.')} must be `)
    )
  }
})

test.each([
  [{ allowOrigins: [] }, 'unknown option allowOrigins: did you mean allowedOrigins?'],
  [{ onConnections: 1 }, 'unknown option onConnections: did you mean onconnection?'],
  [{ heartbeat: { intervall: 1 } }, 'unknown option heartbeat.intervall: did you mean heartbeat.interval?'],
  [{ tls: {} }, 'unknown option tls'],
  [{ cors: true }, 'unknown option cors'],
  [{ timeout: 1 }, 'unknown option timeout'],
  [{ path: 'ws' }, 'path must be a function or a RegExp or a string that begins with a slash, without a query'],
  [
    { allowedOrigins: ['*'] },
    'allowedOrigins must be a function or a list of different origins, each written as browsers do: https://example.com'
  ]
])('a wrong option is named, and to an unknown one the nearest: %j', (options, message) => {
  expect(() => make(options)).toThrow(new TypeError(message))
})

test('a port beside a server is a contradiction', () => expect(() => make({ server: createServer(), port: 0 })).toThrow(/^port /))

test.each([
  [{ allowedOrigins: ['http://127.0.0.1:3000', 'https://example.com', 'chrome-extension://abcdef'] }],
  [{ allowedHosts: ['example.com', 'EXAMPLE.com:8443', '[::1]', '[2001:db8::1]:80', '192.0.2.1'] }],
  [{ extraSubprotocols: ['mcp', 'mcp.v2'] }],
  [{ heartbeat: false }],
  [{ resume: true }],
  [{ resume: false }],
  [{ resume: { ttl: 1, maxMessages: 1, maxBytes: 1, maxDetached: 0, principal: () => '' } }],
  [{ heartbeat: { interval: 0.5 } }],
  [{ allowedOrigins: ['null', 'file://', 'vscode-file://vscode-app', 'moz-extension://0a1b2c'] }],
  [{ allowedOrigins: () => true }],
  [{ path: '/' }],
  [{ path: /^\/tenants\/[^/]+\/ws$/ }],
  [{ path: () => true }],
  [{ allowedHosts: [] }]
])('%j is accepted', (options) => expect(() => make(options)).not.toThrow())
