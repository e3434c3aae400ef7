import { describe, expect, it, vi } from 'vitest'
import { UnauthorizedError } from '../../src/errors.js'
import type { AuthOptions, TokenContext } from '../../src/types/options.js'
import { settle } from '../helpers/fake-clock.js'
import { becomeLegacy, type FakeSocket } from '../helpers/fake-network.js'
import { useClient } from './use-client.js'
import { watch } from '../helpers/watch.js'

const error401 = new UnauthorizedError('no', { status: 401 })
const rejectUpgrade = (socket: FakeSocket, status = 401): void => socket.drop({ kind: 'http', code: undefined, status, error: error401 })

const provider = (): ReturnType<typeof vi.fn<(context: TokenContext) => string>> => {
  let n = 0
  return vi.fn<(context: TokenContext) => string>(() => `token-${String(++n)}`)
}

describe('a token', () => {
  it('travels in the header Authorization', async () => {
    const rig = useClient({ auth: { token: 'secret-token' } })
    const socket = await rig.legacy()
    expect(socket.target.headers).toEqual({ Authorization: 'Bearer secret-token' })
    expect(socket.target.protocols).toEqual(['mcp.v1'])
  })

  it('travels as the last subprotocol when asked to', async () => {
    const rig = useClient({ auth: { token: 'secret-token', via: 'subprotocol' }, subprotocols: ['mcp'] })
    const socket = await rig.legacy()
    expect(socket.target.headers).toEqual({})
    expect(socket.target.protocols).toEqual(['mcp.v1', 'mcp', 'mcp.bearer.c2VjcmV0LXRva2Vu'])
  })

  it('travels as it is when the prefix is mcp.auth.', async () => {
    const rig = useClient({ auth: { token: 'secret-token', via: 'subprotocol', prefix: 'mcp.auth.' } })
    expect((await rig.legacy()).target.protocols).toEqual(['mcp.v1', 'mcp.auth.secret-token'])
  })

  it.each<[string, AuthOptions]>([
    ['with a line break, as from a file', { token: 'secret-token\n' }],
    ['with a line break, as a subprotocol', { token: 'secret-token\n', via: 'subprotocol' }],
    ['that is empty', { token: '' }],
    ['that no header can hold', { token: 'secret-token\u20ac' }],
    ['that no subprotocol can hold', { token: 'secret token', via: 'subprotocol', prefix: 'mcp.auth.' }]
  ])('A29: %s is refused by the constructor, which does not show it', (_what, auth) => {
    expect(() => useClient({ auth })).toThrow(TypeError)
    expect(() => useClient({ auth })).not.toThrow('secret')
  })

  it('may hold any character as a subprotocol', () => {
    expect(() => useClient({ auth: { token: 'secret-token\u20ac', via: 'subprotocol' } })).not.toThrow()
  })

  it('in auth and in headers is one too many', () => {
    expect(() => useClient({ auth: { token: 'secret-token' }, headers: { authorization: 'Bearer secret-token' } })).toThrow(
      'headers.Authorization is given twice'
    )
  })

  it('that is fixed ends the life at the first 401', async () => {
    const rig = useClient({ auth: { token: 'secret-token' } })
    const connected = watch(rig.client.connect())
    rejectUpgrade(await rig.network.last())
    await settle()
    expect(connected.error).toBe(error401)
    expect([rig.client.state, rig.network.dials]).toEqual(['failed', 1])
  })
})

describe('a token provider', () => {
  it('is called for every attempt with its number and reason', async () => {
    const token = provider()
    const rig = useClient({ auth: { token } })
    watch(rig.client.connect())
    ;(await rig.network.last()).drop()
    ;(await rig.redial()).drop()
    const third = await rig.redial()
    expect(token.mock.calls).toEqual([
      [{ attempt: 1, reason: 'connect' }],
      [{ attempt: 2, reason: 'connect' }],
      [{ attempt: 3, reason: 'connect' }]
    ])
    expect(third.target.headers.Authorization).toBe('Bearer token-3')
  })

  it('counts from 1 for the first dial after a stable connection', async () => {
    const token = provider()
    const rig = useClient({ auth: { token } })
    await rig.legacy()
    await rig.clock.advance(5000)
    ;(await rig.network.last()).drop()
    await rig.redial()
    expect(token.mock.lastCall).toEqual([{ attempt: 1, reason: 'connect' }])
  })

  it('is asked once more at once after a 401, and that dial does not count', async () => {
    const token = provider()
    const rig = useClient({ auth: { token }, reconnect: { jitter: false } })
    const connected = watch(rig.client.connect())
    rejectUpgrade(await rig.network.last())
    expect(rig.client.state).toBe('connecting')
    const socket = await rig.network.last()
    expect(token.mock.lastCall).toEqual([{ attempt: 1, reason: 'unauthorized' }])
    expect(socket.target.headers.Authorization).toBe('Bearer token-2')
    socket.drop()
    expect(rig.states.at(-1)).toMatchObject({ to: 'waiting', delay: 1000, attempt: 2 })
    await rig.relegacy()
    expect(connected.settled).toBe(true)
    expect(token.mock.lastCall).toEqual([{ attempt: 2, reason: 'connect' }])
  })

  it('is asked once more even under reconnect: false', async () => {
    const rig = useClient({ auth: { token: provider() }, reconnect: false })
    const connected = watch(rig.client.connect())
    rejectUpgrade(await rig.network.last())
    await becomeLegacy(rig.network)
    expect(connected).toMatchObject({ settled: true, error: undefined })
  })

  it('ends the life with the second 401', async () => {
    const token = provider()
    const rig = useClient({ auth: { token } })
    const connected = watch(rig.client.connect())
    rejectUpgrade(await rig.network.last())
    rejectUpgrade(await rig.network.last())
    await settle()
    expect(connected.error).toBe(error401)
    expect(token).toHaveBeenCalledTimes(2)
  })

  it('ends the life with a second 401 before resetAfter of ready', async () => {
    const rig = useClient({ auth: { token: provider() } })
    watch(rig.client.connect())
    rejectUpgrade(await rig.network.last())
    ;(await becomeLegacy(rig.network)).drop()
    rejectUpgrade(await rig.redial())
    expect(rig.client.state).toBe('failed')
  })

  it('is asked again for a 401 after a stable connection', async () => {
    const token = provider()
    const rig = useClient({ auth: { token } })
    watch(rig.client.connect())
    rejectUpgrade(await rig.network.last())
    await becomeLegacy(rig.network)
    await rig.clock.advance(5000)
    ;(await rig.network.last()).drop()
    rejectUpgrade(await rig.redial())
    expect(rig.client.state).not.toBe('failed')
    await rig.redial()
    expect(token.mock.lastCall).toMatchObject([{ reason: 'unauthorized' }])
  })

  it('is asked with the reason connect once its token was accepted, also by reconnect()', async () => {
    const token = provider()
    const rig = useClient({ auth: { token } })
    watch(rig.client.connect())
    rejectUpgrade(await rig.network.last())
    await becomeLegacy(rig.network)
    watch(rig.client.reconnect())
    await rig.network.last()
    expect(token.mock.lastCall).toEqual([{ attempt: 1, reason: 'connect' }])
  })

  it('A28: has its one second chance after a 403 too, as servers on Starlette say that to a token that has expired', async () => {
    const token = provider()
    const rig = useClient({ auth: { token } })
    const connected = watch(rig.client.connect())
    rejectUpgrade(await rig.network.last(), 403)
    const second = await rig.network.last()
    expect(token.mock.calls).toEqual([[{ attempt: 1, reason: 'connect' }], [{ attempt: 1, reason: 'unauthorized' }]])
    rejectUpgrade(second, 403)
    await settle()
    expect(connected.error).toBe(error401)
    expect([rig.client.state, rig.network.dials]).toEqual(['failed', 2])
  })

  it('that is fixed ends the life at the first 403', async () => {
    const rig = useClient({ auth: { token: 'secret-token' } })
    watch(rig.client.connect())
    rejectUpgrade(await rig.network.last(), 403)
    expect([rig.client.state, rig.network.dials]).toEqual(['failed', 1])
  })

  it.each([4401, 3000])('is asked with the reason unauthorized at the next attempt, which is delayed, after code %i', async (code) => {
    const token = provider()
    const rig = useClient({ auth: { token } })
    ;(await rig.legacy()).drop({ code })
    expect(rig.client.state).toBe('waiting')
    await rig.redial()
    expect(token.mock.lastCall).toEqual([{ attempt: 2, reason: 'unauthorized' }])
  })

  it('that throws costs an attempt, which is retried', async () => {
    const problem = new Error('keychain locked')
    const token = vi.fn<() => string>().mockImplementationOnce(() => {
      throw problem
    })
    token.mockReturnValue('secret-token')
    const rig = useClient({ auth: { token } })
    watch(rig.client.connect())
    await settle()
    expect(rig.client.state).toBe('waiting')
    expect(rig.states.at(-1)?.closure?.error).toMatchObject({ code: 'CONNECT_FAILED', retryable: true, cause: problem })
    await rig.relegacy()
    expect(rig.client.state).toBe('ready')
  })

  it('that rejects costs an attempt, which is retried', async () => {
    const token = vi.fn<() => Promise<string>>().mockRejectedValueOnce(new Error('offline'))
    token.mockResolvedValue('secret-token')
    const rig = useClient({ auth: { token } })
    watch(rig.client.connect())
    await settle()
    expect(rig.client.state).toBe('waiting')
    await rig.relegacy()
    expect(rig.client.state).toBe('ready')
  })

  it.each(['', 'two\r\nlines', undefined])('that gives no token (%j) ends the life: it would give none the next time', async (value) => {
    const rig = useClient({ auth: { token: () => value as string } })
    await expect(rig.client.connect()).rejects.toMatchObject({ code: 'CONNECT_FAILED', retryable: false })
    expect([rig.client.state, rig.network.dials]).toEqual(['failed', 0])
  })

  it('that is slower than connectTimeout costs an attempt, and what it gives then is not used', async () => {
    let give: (token: string) => void = () => undefined
    const rig = useClient({ auth: { token: () => new Promise<string>((resolve) => (give = resolve)) }, connectTimeout: 100 })
    watch(rig.client.connect())
    await rig.clock.advance(100)
    expect(rig.states.at(-1)).toMatchObject({ to: 'waiting', closure: { error: { code: 'CONNECT_TIMEOUT' } } })
    give('too-late')
    await settle()
    expect(rig.network.dials).toBe(0)
  })
})

describe('the other providers', () => {
  it('url and headers are evaluated for every attempt', async () => {
    let n = 0
    const rig = useClient({ url: () => `ws://127.0.0.1/${String(++n)}`, headers: () => Promise.resolve({ 'x-n': String(n) }) })
    watch(rig.client.connect())
    const first = await rig.network.last()
    first.drop()
    const second = await rig.redial()
    expect([first.target.url.pathname, second.target.url.pathname]).toEqual(['/1', '/2'])
    expect([first.target.headers, second.target.headers]).toEqual([{ 'x-n': '1' }, { 'x-n': '2' }])
  })

  it.each(['url', 'headers'] as const)('%s that throws costs an attempt, which is retried', async (option) => {
    const rig = useClient({
      [option]: () => {
        throw new Error('no')
      }
    })
    watch(rig.client.connect())
    await settle()
    expect(rig.states.at(-1)).toMatchObject({ to: 'waiting', closure: { error: { code: 'CONNECT_FAILED', retryable: true } } })
  })
})

describe('credentials over plain text', () => {
  it('are fatal before any provider runs', async () => {
    const token = provider()
    const rig = useClient({ url: 'ws://example.com/ws', auth: { token } })
    await expect(rig.client.connect()).rejects.toMatchObject({ code: 'INSECURE_TRANSPORT' })
    expect(token).not.toHaveBeenCalled()
    expect([rig.network.dials, rig.client.state]).toEqual([0, 'failed'])
  })

  it('are sent with allowInsecure', async () => {
    const rig = useClient({ url: 'ws://example.com/ws', auth: { token: 'secret-token', allowInsecure: true } })
    const socket = await rig.legacy()
    expect(socket.target.headers.Authorization).toBe('Bearer secret-token')
  })
})
