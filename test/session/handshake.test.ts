import { describe, expect, it } from 'vitest'
import { Handshake, LEGACY_VERSIONS, requestMeta, type HandshakeOutcome, type HandshakeStep } from '../../src/session/handshake.js'
import type { Era } from '../../src/session/agreement.js'

const PLACE = { url: 'wss://h/ws', redact: (text: string): string => text }
const INTRODUCTION = { clientInfo: { name: 'test', version: '1' }, capabilities: { roots: {} } }

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': { roots: {} }
} as const

const SILENCE: HandshakeOutcome = { timedOut: true }
const error = (code: number, message = 'no', data?: unknown): HandshakeOutcome => ({ error: { code, message, data } })
const legacy = (protocolVersion = '2025-11-25'): HandshakeOutcome => ({
  result: { protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 's', version: '1' } }
})
const modern = (...supportedVersions: string[]): HandshakeOutcome => ({ result: { supportedVersions, capabilities: {} } })
const MODERN = modern('2026-07-28')
const NOT_FOUND = error(-32601)

/** A step in one line. */
function inWords(step: HandshakeStep): string {
  if (step.do === 'fail') return 'fail'
  if (step.do === 'accept') return `accept ${step.agreement.era} ${step.agreement.version}`
  const version = step.params.protocolVersion
  return [step.method, ...(typeof version === 'string' ? [version] : [])].join(' ')
}

/** Leads one socket through its handshake. */
const meet = (handshake: Handshake, ...outcomes: HandshakeOutcome[]): string[] =>
  [handshake.begin(), ...outcomes.map((outcome) => handshake.next(outcome, PLACE))].map(inWords)

const handshakeOf = (protocol: 'auto' | Era): Handshake => new Handshake(INTRODUCTION, protocol)

const last = (steps: readonly HandshakeStep[]): HandshakeStep => steps.at(-1)!

describe('Handshake on the first socket', () => {
  const D = 'server/discover'
  const I = 'initialize 2025-11-25'
  const L = 'accept legacy 2025-11-25'
  const M = 'accept modern 2026-07-28'
  const R = 'fail'
  const unsupported = (...supported: unknown[]): HandshakeOutcome => error(-32022, 'unsupported', { supported, requested: '2026-07-28' })

  it.each<[string, 'auto' | Era, HandshakeOutcome[], string[]]>([
    ['auto meets a modern server', 'auto', [MODERN], [D, M]],
    ['auto meets a server of both eras', 'auto', [modern('2025-11-25', '2026-07-28')], [D, M]],
    ['auto meets a server newer than itself', 'auto', [modern('2099-01-01', '2026-07-28')], [D, M]],
    ['auto meets a legacy server', 'auto', [NOT_FOUND, legacy()], [D, I, L]],
    ['auto meets one that is not initialized yet', 'auto', [error(-32600), legacy()], [D, I, L]],
    ['auto meets one that finds the params invalid', 'auto', [error(-32602), legacy()], [D, I, L]],
    ['auto meets one that fails inside', 'auto', [error(-32603), legacy()], [D, I, L]],
    ['auto meets one with an error of its own', 'auto', [error(-32000), legacy()], [D, I, L]],
    ['auto meets the neighbour of a modern error', 'auto', [error(-32019), legacy()], [D, I, L]],
    ['auto meets the other neighbour', 'auto', [error(-32023), legacy()], [D, I, L]],
    ['auto meets silence', 'auto', [SILENCE, legacy()], [D, I, L]],
    ['auto meets a result that is none', 'auto', [{ result: {} }, legacy()], [D, I, L]],
    ['auto meets a null result', 'auto', [{ result: null }, legacy()], [D, I, L]],
    ['auto meets a header mismatch', 'auto', [error(-32020)], [D, R]],
    ['auto meets a missing capability', 'auto', [error(-32021)], [D, R]],
    ['auto meets -32022 with legacy versions', 'auto', [unsupported('2025-06-18', '2025-11-25'), legacy()], [D, I, L]],
    [
      'auto meets -32022 with one older version',
      'auto',
      [unsupported('2025-03-26'), legacy('2025-03-26')],
      [D, 'initialize 2025-03-26', 'accept legacy 2025-03-26']
    ],
    ['auto meets -32022 with unknown versions', 'auto', [unsupported('2099-01-01')], [D, R]],
    ['auto meets -32022 with junk among the versions', 'auto', [unsupported(7, null, '2024-11-05')], [D, 'initialize 2024-11-05']],
    ['auto meets -32022 that names no version', 'auto', [error(-32022)], [D, R]],
    ['auto meets -32022 with data that is no list', 'auto', [error(-32022, 'no', { supported: '2025-11-25' })], [D, R]],
    ['auto meets a discover result with legacy versions only', 'auto', [modern('2025-11-25'), legacy()], [D, I, L]],
    ['auto meets a discover result with unknown versions only', 'auto', [modern('2099-01-01')], [D, R]],
    ['auto meets a discover result with no version', 'auto', [modern()], [D, R]],
    ['auto meets silence twice', 'auto', [SILENCE, SILENCE], [D, I, R]],
    ['auto does not ask for the era twice on one socket', 'auto', [NOT_FOUND, NOT_FOUND], [D, I, R]],

    ['legacy asks for nothing modern', 'legacy', [legacy()], [I, L]],
    ['legacy does not probe when initialize is unknown', 'legacy', [NOT_FOUND], [I, R]],
    ['legacy meets silence', 'legacy', [SILENCE], [I, R]],

    ['modern meets a modern server', 'modern', [MODERN], [D, M]],
    ['modern does not fall back after an error', 'modern', [NOT_FOUND], [D, R]],
    ['modern does not fall back after silence', 'modern', [SILENCE], [D, R]],
    ['modern does not fall back to the versions of -32022', 'modern', [unsupported('2025-11-25')], [D, R]],
    ['modern does not fall back to a legacy discover result', 'modern', [modern('2025-11-25')], [D, R]],
    ['modern does not fall back after a result that is none', 'modern', [{ result: [] }], [D, R]]
  ])('%s', (_what, protocol, outcomes, steps) => {
    expect(meet(handshakeOf(protocol), ...outcomes)).toEqual(steps)
  })
})

describe('the probe for the era', () => {
  it('carries the meta of a modern request and is a probe', () => {
    expect(handshakeOf('auto').begin()).toEqual({ do: 'request', method: 'server/discover', params: { _meta: META }, probe: true })
  })

  it('does not have the short time of a probe where only modern will do', () => {
    expect(handshakeOf('modern').begin()).toMatchObject({ method: 'server/discover', probe: false })
  })

  it('is followed by an initialize that is not a probe', () => {
    const handshake = handshakeOf('auto')
    handshake.begin()
    expect(handshake.next(NOT_FOUND, PLACE)).toEqual({
      do: 'request',
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', ...INTRODUCTION },
      probe: false
    })
  })
})

describe('-32022 that lists the very version that was offered', () => {
  const rejected = (...supported: string[]): HandshakeOutcome => error(-32022, 'unsupported', { supported })

  it('is met by the same offer once more, in both eras', () => {
    expect(meet(handshakeOf('auto'), rejected('2026-07-28'), MODERN)).toEqual([
      'server/discover',
      'server/discover',
      'accept modern 2026-07-28'
    ])
    expect(meet(handshakeOf('legacy'), rejected('2025-11-25'), legacy())).toEqual([
      'initialize 2025-11-25',
      'initialize 2025-11-25',
      'accept legacy 2025-11-25'
    ])
  })

  it('fails the handshake when it comes again', () => {
    expect(meet(handshakeOf('auto'), rejected('2026-07-28'), rejected('2026-07-28'))).toEqual([
      'server/discover',
      'server/discover',
      'fail'
    ])
  })

  it('is met anew on the next socket', () => {
    const handshake = handshakeOf('modern')
    meet(handshake, rejected('2026-07-28'), MODERN)
    handshake.closed(false)
    expect(meet(handshake, rejected('2026-07-28'), MODERN).at(-1)).toBe('accept modern 2026-07-28')
  })
})

describe('the versions of the legacy era', () => {
  it('are offered newest first', () => {
    expect(LEGACY_VERSIONS).toEqual(['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05', '2024-10-07'])
  })

  it.each(LEGACY_VERSIONS)('are all accepted as a counter-offer (%s)', (version) => {
    expect(meet(handshakeOf('legacy'), legacy(version))).toEqual(['initialize 2025-11-25', `accept legacy ${version}`])
  })

  it.each(['2099-01-01', '2026-07-28', '', 'latest'])('are not extended by the counter-offer %j', (version) => {
    const handshake = handshakeOf('legacy')
    handshake.begin()
    const step = handshake.next(legacy(version), PLACE)
    expect(step).toMatchObject({ do: 'fail', error: { code: 'INITIALIZE_REFUSED' } })
    expect(step).toHaveProperty('error.message', expect.stringContaining(JSON.stringify(version)))
  })

  it.each<[string, HandshakeOutcome]>([
    ['an error that speaks of the version', error(-32603, 'Unsupported protocol version')],
    ['an error of GoMCP, which says it in data', error(-32603, 'Internal error', 'unsupported protocol version: 2025-11-25')],
    ['an error that lists what is supported', error(-32000, 'no', { supported: ['2025-06-18', '2025-03-26', '2024-11-05', '2024-10-07'] })],
    ['invalid params', error(-32602, 'Invalid params')],
    ['-32022', error(-32022, 'no')]
  ])('go down the whole ladder after %s', (_what, rejection) => {
    const steps = meet(handshakeOf('legacy'), rejection, rejection, rejection, rejection, rejection)
    expect(steps).toEqual([...LEGACY_VERSIONS.map((version) => `initialize ${version}`), 'fail'])
  })

  it('stop on the ladder where the server agrees', () => {
    const rejection = error(-32602, 'bad version')
    expect(meet(handshakeOf('legacy'), rejection, rejection, legacy('2025-03-26')).at(-1)).toBe('accept legacy 2025-03-26')
  })

  it('skip what the server does not list', () => {
    const rejection = error(-32602, 'Unsupported protocol version', { supported: ['2024-11-05', '2023-01-01'], requested: '2025-11-25' })
    expect(meet(handshakeOf('legacy'), rejection, rejection)).toEqual(['initialize 2025-11-25', 'initialize 2024-11-05', 'fail'])
  })

  it('are not tried against a list that holds none of them', () => {
    expect(meet(handshakeOf('legacy'), error(-32602, 'version', { supported: ['2023-01-01'] }))).toEqual(['initialize 2025-11-25', 'fail'])
  })

  it.each([error(-32603, 'out of memory'), error(-32000, 'go away', { reason: 'rude' }), error(-32600)])(
    'are not tried after an error about something else',
    (rejection) => {
      expect(meet(handshakeOf('legacy'), rejection)).toEqual(['initialize 2025-11-25', 'fail'])
    }
  )

  it('survive an error whose message is missing', () => {
    const rejection = { error: { code: -32000 } } as unknown as HandshakeOutcome
    expect(meet(handshakeOf('legacy'), rejection).at(-1)).toBe('fail')
  })

  it.each([{ result: {} }, { result: null }, { result: 'ok' }, { result: { protocolVersion: 7 } }])(
    'are not found in a response that is not a result (%o)',
    (outcome) => {
      expect(meet(handshakeOf('legacy'), outcome).at(-1)).toBe('fail')
    }
  )
})

describe('a failed handshake', () => {
  it('keeps what the server said as its cause', () => {
    const handshake = handshakeOf('legacy')
    handshake.begin()
    const step = handshake.next(error(-32000, 'too many clients', { limit: 3 }), PLACE)
    expect(step).toMatchObject({
      do: 'fail',
      error: {
        name: 'ProtocolError',
        code: 'INITIALIZE_REFUSED',
        message: 'wss://h/ws rejected initialize: too many clients',
        cause: { name: 'RpcError', rpcCode: -32000, data: { limit: 3 } }
      }
    })
  })

  it('has no cause where the server said nothing', () => {
    const handshake = handshakeOf('modern')
    handshake.begin()
    const step = handshake.next(SILENCE, PLACE)
    expect(step).toMatchObject({ error: { message: 'wss://h/ws did not respond to server/discover' } })
    expect(step).not.toHaveProperty('error.cause')
  })

  it('names what a modern server supports', () => {
    const handshake = handshakeOf('auto')
    handshake.begin()
    expect(handshake.next(modern('2099-01-01', '2098-01-01'), PLACE)).toHaveProperty(
      'error.message',
      'wss://h/ws supports only ["2099-01-01","2098-01-01"]'
    )
  })

  it('was not sent anything that it could have executed, and hints at the option', () => {
    const handshake = handshakeOf('legacy')
    handshake.begin()
    expect(handshake.next({ result: {} }, { ...PLACE, url: undefined })).toMatchObject({
      error: {
        message: 'the server sent an invalid response to initialize',
        hint: 'Is this an MCP server? Is the option protocol right?',
        delivery: 'not-sent'
      }
    })
  })

  it('shows no more than 200 characters of a list of versions', () => {
    const handshake = handshakeOf('modern')
    handshake.begin()
    const step = handshake.next(modern('x'.repeat(1000)), PLACE)
    expect(step).toHaveProperty('error.message', `wss://h/ws supports only ["${'x'.repeat(198)}`)
  })

  it('shows no secret that the server sent back, wherever it is', () => {
    const redact = (text: string): string => text.replaceAll('s3cret', '[redacted]')
    const handshake = handshakeOf('legacy')
    handshake.begin()
    const step = handshake.next(error(-32000, 'no s3cret', { token: 's3cret' }), { ...PLACE, redact })
    expect(step).toMatchObject({
      error: { message: 'wss://h/ws rejected initialize: no [redacted]', cause: { message: 'no [redacted]', data: '[redacted]' } }
    })
  })
})

describe('an agreement', () => {
  it('holds what a legacy server says of itself', () => {
    const handshake = handshakeOf('legacy')
    const result = {
      protocolVersion: '2025-06-18',
      capabilities: { tools: {} },
      serverInfo: { name: 's', version: '1' },
      instructions: 'be kind'
    }
    expect(last([handshake.begin(), handshake.next({ result }, PLACE)])).toEqual({
      do: 'accept',
      agreement: {
        era: 'legacy',
        version: '2025-06-18',
        serverInfo: { name: 's', version: '1' },
        capabilities: { tools: {} },
        instructions: 'be kind'
      }
    })
  })

  it('finds the name of a modern server in its meta', () => {
    const handshake = handshakeOf('modern')
    const serverInfo = { name: 'm', version: '2' }
    const result = {
      supportedVersions: ['2026-07-28'],
      capabilities: { prompts: {} },
      instructions: 'be brief',
      _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo }
    }
    expect(last([handshake.begin(), handshake.next({ result }, PLACE)])).toEqual({
      do: 'accept',
      agreement: { era: 'modern', version: '2026-07-28', serverInfo, capabilities: { prompts: {} }, instructions: 'be brief' }
    })
  })

  it.each<[string, object]>([
    ['nothing', {}],
    ['junk', { capabilities: 'all', instructions: 7, _meta: 'none' }],
    ['junk in meta', { capabilities: null, _meta: { 'io.modelcontextprotocol/serverInfo': 'me' } }]
  ])('is made with a modern server that says %s of itself', (_what, more) => {
    const handshake = handshakeOf('modern')
    const step = last([handshake.begin(), handshake.next({ result: { supportedVersions: ['2026-07-28'], ...more } }, PLACE)])
    expect(step).toEqual({
      do: 'accept',
      agreement: { era: 'modern', version: '2026-07-28', serverInfo: undefined, capabilities: {}, instructions: undefined }
    })
  })
})

describe('Handshake on the sockets after the first', () => {
  const D = 'server/discover'

  it('replays initialize with the version that was negotiated', () => {
    const handshake = handshakeOf('auto')
    meet(handshake, NOT_FOUND, legacy('2025-06-18'))
    expect(meet(handshake, legacy('2025-06-18'))).toEqual(['initialize 2025-06-18', 'accept legacy 2025-06-18'])
  })

  it('adopts the counter-offer of a replaced server for the socket after it', () => {
    const handshake = handshakeOf('auto')
    meet(handshake, NOT_FOUND, legacy('2025-06-18'))
    meet(handshake, legacy('2025-03-26'))
    expect(meet(handshake)).toEqual(['initialize 2025-03-26'])
  })

  it('asks a modern server first for discover again', () => {
    const handshake = handshakeOf('auto')
    meet(handshake, MODERN)
    expect(meet(handshake, MODERN)).toEqual([D, 'accept modern 2026-07-28'])
  })

  it.each<[string, HandshakeOutcome]>([
    ['an error', NOT_FOUND],
    ['silence', SILENCE],
    ['a result that is none', { result: {} }]
  ])('goes to initialize when a modern server answers with %s', (_what, outcome) => {
    const handshake = handshakeOf('auto')
    meet(handshake, MODERN)
    expect(meet(handshake, outcome, legacy())).toEqual([D, 'initialize 2025-11-25', 'accept legacy 2025-11-25'])
    expect(meet(handshake)).toEqual(['initialize 2025-11-25'])
  })

  it.each([-32601, -32022])('probes once when a legacy server answers initialize with the error %i', (code) => {
    const handshake = handshakeOf('auto')
    meet(handshake, NOT_FOUND, legacy())
    expect(meet(handshake, error(code), MODERN)).toEqual(['initialize 2025-11-25', D, 'accept modern 2026-07-28'])
    expect(meet(handshake)).toEqual([D])
  })

  it('does not probe twice: a server that knows neither fails the handshake', () => {
    const handshake = handshakeOf('auto')
    meet(handshake, NOT_FOUND, legacy())
    expect(meet(handshake, NOT_FOUND, NOT_FOUND, NOT_FOUND)).toEqual(['initialize 2025-11-25', D, 'initialize 2025-11-25', 'fail'])
  })

  it('does not probe a legacy server after another error', () => {
    const handshake = handshakeOf('auto')
    meet(handshake, NOT_FOUND, legacy())
    expect(meet(handshake, error(-32000))).toEqual(['initialize 2025-11-25', 'fail'])
  })

  it('takes a closure instead of a response to the probe for legacy', () => {
    const handshake = handshakeOf('auto')
    meet(handshake)
    handshake.closed(true)
    expect(meet(handshake, legacy())).toEqual(['initialize 2025-11-25', 'accept legacy 2025-11-25'])
  })

  it('learns nothing from a closure that tells nothing', () => {
    const handshake = handshakeOf('auto')
    meet(handshake)
    handshake.closed(false)
    expect(meet(handshake)).toEqual([D])
  })

  it('learns nothing from a closure after the response', () => {
    const handshake = handshakeOf('auto')
    meet(handshake, MODERN)
    handshake.closed(true)
    expect(meet(handshake)).toEqual([D])
    const second = handshakeOf('auto')
    meet(second, NOT_FOUND, legacy('2025-03-26'))
    second.closed(true)
    expect(meet(second)).toEqual(['initialize 2025-03-26'])
  })

  it('probes on the next socket when a remembered legacy server hangs up on initialize', () => {
    const handshake = handshakeOf('auto')
    meet(handshake, NOT_FOUND, legacy())
    meet(handshake)
    handshake.closed(true)
    expect(meet(handshake, MODERN)).toEqual([D, 'accept modern 2026-07-28'])
  })

  it.each(['legacy', 'modern'] as const)('is not swayed by closures where the era is fixed: %s', (era) => {
    const handshake = handshakeOf(era)
    const first = meet(handshake)
    handshake.closed(true)
    expect(meet(handshake)).toEqual(first)
  })

  it('offers the whole ladder again on each socket', () => {
    const handshake = handshakeOf('legacy')
    const rejection = error(-32602, 'version')
    meet(handshake, rejection, rejection)
    handshake.closed(false)
    expect(meet(handshake, rejection)).toEqual(['initialize 2025-11-25', 'initialize 2025-06-18'])
  })

  it('forgets what was agreed once the server rejects it, and not for a result that says nothing', () => {
    const forgetful = handshakeOf('auto')
    meet(forgetful, NOT_FOUND, legacy('2025-06-18'))
    expect(meet(forgetful, error(-32000))).toEqual(['initialize 2025-06-18', 'fail'])
    expect(meet(forgetful)).toEqual([D])
    const mindful = handshakeOf('auto')
    meet(mindful, NOT_FOUND, legacy('2025-06-18'))
    expect(meet(mindful, { result: {} })).toEqual(['initialize 2025-06-18', 'fail'])
    expect(meet(mindful)).toEqual(['initialize 2025-06-18'])
  })

  it('remembers in the next life that the server is silent about probes, until it is a modern one', () => {
    const handshake = handshakeOf('auto')
    meet(handshake, SILENCE, legacy())
    handshake.reset()
    expect(meet(handshake, NOT_FOUND, MODERN)).toEqual(['initialize 2025-11-25', D, 'accept modern 2026-07-28'])
    handshake.reset()
    expect(meet(handshake)).toEqual([D])
  })

  it('asks in the next life of a legacy server that rejects the probe again', () => {
    const handshake = handshakeOf('auto')
    meet(handshake, NOT_FOUND, legacy())
    handshake.reset()
    expect(meet(handshake)).toEqual([D])
  })

  it('forgets the era with the life', () => {
    const handshake = handshakeOf('auto')
    meet(handshake, NOT_FOUND, legacy('2025-03-26'))
    handshake.reset()
    expect(meet(handshake, NOT_FOUND)).toEqual([D, 'initialize 2025-11-25'])
  })
})

describe('requestMeta', () => {
  it('says who asks and in which version', () => {
    expect(requestMeta(INTRODUCTION)).toEqual(META)
  })

  it('says the log level only when one was set', () => {
    expect(requestMeta(INTRODUCTION, 'warning')).toEqual({ ...META, 'io.modelcontextprotocol/logLevel': 'warning' })
  })
})
