import { beforeEach, describe, expect, it } from 'vitest'
import { RelayedHandshake } from '../../src/transport/relayed-handshake.js'
import type { HandshakeOutcome, HandshakeStep } from '../../src/session/handshake.js'
import type { JsonRpcRequest } from '../../src/types/json-rpc.js'

const INITIALIZE: JsonRpcRequest = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: { roots: {} }, clientInfo: { name: 'sdk', version: '1' }, _meta: { own: 1 } }
}
const RESULT = {
  protocolVersion: '2025-06-18',
  capabilities: {
    tools: { listChanged: true },
    resources: { subscribe: true, listChanged: false },
    experimental: { level: 3 },
    logging: {}
  },
  serverInfo: { name: 'server', version: '1' },
  instructions: 'Be kind.'
}
const META = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }

const modern = (method: string, meta: object = META): JsonRpcRequest => ({ jsonrpc: '2.0', id: 1, method, params: { _meta: { ...meta } } })
const PLACE = { url: 'wss://h/ws', redact: (text: string): string => text.replaceAll('secret', '[redacted]') }

let handshake: RelayedHandshake

beforeEach(() => {
  handshake = new RelayedHandshake()
})

function agree(result: object = RESULT): void {
  handshake.noteRequest(INITIALIZE)
  handshake.noteResponse({ jsonrpc: '2.0', id: 0, result: result as never })
}

const next = (outcome: HandshakeOutcome): HandshakeStep => handshake.next(outcome, PLACE)

describe('before anything was agreed', () => {
  it('nothing comes first', () => {
    expect(handshake.begin()).toBeUndefined()
    handshake.noteRequest(INITIALIZE)
    expect(handshake.begin()).toBeUndefined()
    expect(handshake.agreed).toBeUndefined()
  })

  it('an error response to initialize, and the response to another request, agree to nothing', () => {
    handshake.noteResponse({ jsonrpc: '2.0', id: 0, result: RESULT })
    handshake.noteRequest(INITIALIZE)
    handshake.noteResponse({ jsonrpc: '2.0', id: 0, error: { code: -32602, message: 'no' } })
    handshake.noteResponse({ jsonrpc: '2.0', id: 1, result: RESULT })
    expect(handshake.agreed).toBeUndefined()
  })

  it('the era probe decides nothing, nor does a legacy request with a _meta', () => {
    handshake.noteRequest(modern('server/discover'))
    handshake.noteRequest(modern('tools/list', { progressToken: 1 }))
    handshake.noteRequest({ jsonrpc: '2.0', id: 2, method: 'tools/list' })
    handshake.noteRequest({ jsonrpc: '2.0', id: 3, method: 'tools/list', params: { cursor: 'a' } })
    expect(handshake.agreed).toBeUndefined()
  })
})

describe('the legacy era', () => {
  beforeEach(() => agree())

  it('is agreed by the response to initialize', () => {
    expect(handshake.agreed).toEqual({
      era: 'legacy',
      version: '2025-06-18',
      capabilities: RESULT.capabilities,
      serverInfo: RESULT.serverInfo,
      instructions: 'Be kind.'
    })
  })

  it('is replayed as it was said, but for the version, which was negotiated', () => {
    const params = { ...INITIALIZE.params, protocolVersion: '2025-06-18' }
    expect(handshake.begin()).toEqual({ do: 'request', method: 'initialize', params, probe: false })
  })

  it('is accepted again with another server info, and with more capabilities', () => {
    const more = { ...RESULT, serverInfo: { name: 'server', version: '2' }, capabilities: { ...RESULT.capabilities, prompts: {} } }
    const step = next({ result: more })
    expect(step).toMatchObject({ do: 'accept', agreement: { era: 'legacy', version: '2025-06-18', serverInfo: { version: '2' } } })
    // What the layer above knows is what it was told first: it cannot miss what it never saw.
    expect(next({ result: RESULT })).toMatchObject({ do: 'accept' })
  })

  it.each([
    ['tools', { ...RESULT.capabilities, tools: undefined }],
    ['tools.listChanged', { ...RESULT.capabilities, tools: {} }],
    ['tools.listChanged', { ...RESULT.capabilities, tools: { listChanged: false } }],
    ['resources.subscribe', { ...RESULT.capabilities, resources: { listChanged: true } }],
    ['experimental.level', { ...RESULT.capabilities, experimental: true }],
    ['experimental.level', { ...RESULT.capabilities, experimental: {} }],
    ['tools', undefined]
  ])('fails when the capability %s is lost', (name, capabilities) => {
    expect(next({ result: { ...RESULT, capabilities } })).toMatchObject({
      do: 'fail',
      error: {
        name: 'ProtocolError',
        code: 'SERVER_CHANGED',
        retryable: false,
        message: expect.stringContaining(`capability ${name}`) as string
      }
    })
  })

  it('is compared without regard to what lies deeper than any capability', () => {
    const nested = JSON.parse('{"a":'.repeat(50_000) + '1' + '}'.repeat(50_000)) as object
    agree({ ...RESULT, capabilities: { experimental: nested } })
    expect(next({ result: { ...RESULT, capabilities: { experimental: nested } } })).toMatchObject({ do: 'accept' })
    expect(next({ result: { ...RESULT, capabilities: { experimental: { a: {} } } } })).toMatchObject({ error: { code: 'SERVER_CHANGED' } })
  })

  it('keeps a capability that was denied, and one whose value changed', () => {
    const capabilities = { ...RESULT.capabilities, resources: { subscribe: true }, experimental: { level: 4 } }
    expect(next({ result: { ...RESULT, capabilities } })).toMatchObject({ do: 'accept' })
  })

  it.each([
    ['another version', { result: { ...RESULT, protocolVersion: '2025-11-25' } }],
    ['-32601: the modern era', { error: { code: -32601, message: 'unknown method' } }],
    ['-32022: the modern era', { error: { code: -32022, message: 'no', data: { supported: ['2026-07-28'] } } }],
    ['-32602: another version', { error: { code: -32602, message: 'invalid' } }],
    ['words about the version', { error: { code: -32603, message: 'internal', data: 'unsupported protocol version' } }]
  ])('fails with SERVER_CHANGED for %s', (_what, outcome) => {
    expect(next(outcome)).toMatchObject({ do: 'fail', error: { code: 'SERVER_CHANGED' } })
  })

  it.each([
    ['another error', { error: { code: -32603, message: 'not ready' } }],
    ['a response without a version', { result: {} }],
    ['a response that is no object', { result: null }]
  ])('fails with INITIALIZE_REFUSED for %s', (_what, outcome) => {
    expect(next(outcome)).toMatchObject({ do: 'fail', error: { code: 'INITIALIZE_REFUSED' } })
  })

  it('says in words what changed, and what to do', () => {
    const errorOf = (step: HandshakeStep): object | undefined => (step.do === 'fail' ? step.error : undefined)
    expect(errorOf(next({ result: { ...RESULT, protocolVersion: '2024-11-05' } }))).toMatchObject({
      message: 'after a reconnect the server is another one: it no longer speaks 2025-06-18',
      hint: 'Connect again, for a handshake with the new server.'
    })
    expect(errorOf(next({ error: { code: -32601, message: 'no such method' } }))).toMatchObject({
      message: 'after a reconnect the server is another one: it no longer speaks 2025-06-18: no such method'
    })
    expect(errorOf(next({ error: { code: -32603, message: 'not ready' } }))).toMatchObject({
      message: 'wss://h/ws rejected initialize: not ready'
    })
    expect(errorOf(next({ result: {} }))).toMatchObject({ message: 'wss://h/ws sent an invalid response to initialize' })
  })

  it('shows no secret that the server quotes', () => {
    expect(JSON.stringify(next({ error: { code: -32601, message: 'no secret' } }))).not.toContain('secret')
    expect(JSON.stringify(next({ error: { code: -32603, message: 'no secret' } }))).not.toContain('secret')
  })

  it('passes notifications/initialized on the socket of the handshake of the layer above only, and once', () => {
    expect(handshake.noteInitialized()).toBe(true)
    expect(handshake.noteInitialized()).toBe(false)
    agree()
    handshake.closed()
    expect(handshake.noteInitialized()).toBe(false)
  })

  it('stays when a later request speaks of versions', () => {
    handshake.noteRequest(modern('tools/list'))
    expect(handshake.agreed?.era).toBe('legacy')
  })

  it('is forgotten by a new life', () => {
    handshake.reset()
    expect(handshake.agreed).toBeUndefined()
    expect(handshake.begin()).toBeUndefined()
    expect(handshake.noteInitialized()).toBe(false)
    handshake.noteResponse({ jsonrpc: '2.0', id: 0, result: RESULT })
    expect(handshake.agreed).toBeUndefined()
  })
})

describe('the modern era', () => {
  it('is agreed by the first request that speaks it, and needs no words on a new socket', () => {
    handshake.noteRequest(modern('server/discover'))
    handshake.noteRequest(modern('tools/list', { ...META, progressToken: 5 }))
    const agreement = { era: 'modern', version: '2026-07-28', capabilities: {} }
    expect(handshake.agreed).toMatchObject(agreement)
    expect(handshake.begin()).toMatchObject({ do: 'accept', agreement })
  })

  it('is not confused by a probe that a legacy server answered with an error', () => {
    handshake.noteRequest(modern('server/discover'))
    agree()
    expect(handshake.agreed?.era).toBe('legacy')
  })

  it('is the same in a revision that is still to come', () => {
    handshake.noteRequest(modern('tools/list', { ...META, 'io.modelcontextprotocol/protocolVersion': '2027-01-01' }))
    expect(handshake.agreed).toMatchObject({ era: 'modern', version: '2027-01-01' })
  })

  it('adds to an internal request the _meta of the layer above', () => {
    expect(handshake.requestMeta()).toBeUndefined()
    handshake.noteRequest(modern('tools/list', { ...META, progressToken: 5, other: 1 }))
    expect(handshake.requestMeta()).toEqual(META)
  })
})
