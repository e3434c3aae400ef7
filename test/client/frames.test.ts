import { describe, expect, it } from 'vitest'
import { FakeClock, settle } from '../helpers/fake-clock.js'
import { LEGACY_RESULT } from '../helpers/fake-network.js'
import { useClient } from './use-client.js'
import { watch } from '../helpers/watch.js'

const NOTE = { jsonrpc: '2.0', method: 'notifications/x' }

describe('what is received liberally', () => {
  it('P3: is an array of messages, in order', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.request('tools/list'))
    const { id } = socket.asked('tools/list')
    socket.deliver([
      { ...NOTE, params: { n: 1 } },
      { jsonrpc: '2.0', id, result: { tools: [] } },
      { ...NOTE, params: { n: 2 } }
    ])
    await settle()
    expect(rig.notifications.map(({ params }) => params?.n)).toEqual([1, 2])
    expect(asked.value).toEqual({ tools: [] })
  })

  it('is a frame with white space around it', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.deliver(`  ${JSON.stringify(NOTE)}\r\n`)
    expect(rig.notifications).toHaveLength(1)
    expect(rig.errors).toEqual([])
  })

  it.each([
    ['\uFEFF', ''],
    ['', '\0'],
    ['\x1e', '\n\x1e']
  ])('P33: is a frame with %j before it and %j behind it', async (before, after) => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.deliver(before + JSON.stringify(NOTE) + after)
    expect(rig.notifications).toHaveLength(1)
    expect(rig.errors).toEqual([])
  })

  it('P34: is a member that is null in place of missing, in requests and in responses', async () => {
    const rig = useClient()
    const socket = await rig.legacy({ ...LEGACY_RESULT, instructions: null })
    const asked = watch(rig.client.request('tools/list'))
    socket.deliver({ jsonrpc: '2.0', id: socket.asked('tools/list').id, result: { tools: [] }, error: null })
    socket.deliver('{"jsonrpc":"2.0","id":8,"method":"ping","params":null}')
    await settle()
    expect(asked.value).toEqual({ tools: [] })
    expect(socket.sent.at(-1)).toEqual({ jsonrpc: '2.0', id: 8, result: {} })
    expect(rig.errors).toEqual([])
  })

  it.each(['', '\n', '  \r\n'])('P2: is an empty frame, which means nothing: %j', async (text) => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.deliver(text)
    expect(rig.errors).toEqual([])
  })

  it('is a response to an unknown id', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.deliver({ jsonrpc: '2.0', id: 424242, result: {} })
    socket.deliver({ jsonrpc: '2.0', id: 'what', error: { code: -1, message: 'x' } })
    expect(rig.errors).toEqual([])
    expect(rig.client.state).toBe('ready')
  })

  it('is an id of the wrong type, which matches nothing', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.request('tools/list'))
    const { id } = socket.asked('tools/list')
    socket.deliver({ jsonrpc: '2.0', id: String(id), result: {} })
    await settle()
    expect(asked.settled).toBe(false)
  })

  it('P12: is a result of any JSON type', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    for (const result of [null, 0, '', false, []]) {
      const asked = watch<unknown>(rig.client.request('vendor/x'))
      socket.respond('vendor/x', result)
      await settle()
      expect(asked).toMatchObject({ settled: true, value: result, error: undefined })
    }
  })

  it('is an error whose members are of the wrong type', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.request('vendor/x'))
    socket.deliver({ jsonrpc: '2.0', id: socket.asked('vendor/x').id, error: { code: 'EFAIL', message: 42 } })
    await settle()
    expect(asked.error).toMatchObject({ name: 'RpcError', code: 'RPC_ERROR' })
    expect(typeof (asked.error as Error).message).toBe('string')
    expect(Number.isInteger((asked.error as { rpcCode: number }).rpcCode)).toBe(true)
  })
})

describe('what is not a message', () => {
  it.each([
    'no JSON',
    '{',
    '42',
    '"text"',
    'null',
    '[]',
    '[1]',
    '{}',
    '{"jsonrpc":"1.0","method":"x"}',
    '{"jsonrpc":"2.0","method":5}',
    '{"jsonrpc":"2.0","id":null,"method":"x"}',
    '{"jsonrpc":"2.0","id":1.5,"method":"x"}',
    '{"jsonrpc":"2.0","method":"x","params":[]}',
    '{"jsonrpc":"2.0","id":1}',
    '{"jsonrpc":"2.0","id":99,"result":{},"error":{"code":1,"message":"x"}}'
  ])('P2: is told by the event error and harms nobody: %s', async (text) => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.request('tools/list'))
    socket.deliver(text)
    expect(rig.errors).toMatchObject([{ name: 'ProtocolError', code: 'INVALID_RESPONSE' }])
    expect(rig.client.state).toBe('ready')
    socket.respond('tools/list', { tools: [] })
    await settle()
    expect(asked.value).toEqual({ tools: [] })
  })

  it('fails the request that it seems to answer', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.request('tools/list'))
    socket.deliver({ jsonrpc: '2.0', id: socket.asked('tools/list').id })
    await settle()
    expect(asked.error).toMatchObject({ name: 'ProtocolError', code: 'INVALID_RESPONSE' })
    expect(rig.errors).toEqual([])
    expect(rig.client.pendingCount).toBe(0)
  })

  it.each([
    '{"jsonrpc":"2.0","id":8,"method":"ping","params":[1]}',
    '{"id":8,"method":"ping"}',
    '{"jsonrpc":"2.0","id":8,"method":5}',
    '{"jsonrpc":"2.0","id":8}'
  ])('P35: gets -32600 in response if its id can be read: %s', async (text) => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.deliver(text)
    expect(socket.sent.at(-1)).toMatchObject({ id: 8, error: { code: -32600 } })
    expect(rig.errors).toHaveLength(1)
  })

  it('P35: gets no response from a modern client, which must not respond to requests', async () => {
    const rig = useClient()
    const socket = await rig.modern()
    const { length } = socket.sent
    socket.deliver('{"jsonrpc":"2.0","id":8,"method":"ping","params":[1]}')
    expect(socket.sent).toHaveLength(length)
    expect(rig.errors).toHaveLength(1)
  })

  it('does not carry the payload into the error', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.deliver('{"secret": "hunter22"')
    expect(JSON.stringify(rig.errors)).not.toContain('hunter22')
    expect(rig.errors[0]?.message).not.toContain('hunter22')
  })

  it('P5: may be an error of nobody: id null or absent', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.deliver({ jsonrpc: '2.0', id: null, error: { code: -32700, message: 'what?' } })
    socket.deliver({ jsonrpc: '2.0', error: { code: -32700, message: 'what?' } })
    expect(rig.errors).toHaveLength(2)
    expect(rig.errors[0]?.message).toContain('what?')
  })
})

describe('what is sent', () => {
  it('P3: is one JSON-RPC object a frame, never an array', async () => {
    const rig = useClient()
    for (let n = 0; n < 5; n++) watch(rig.client.request('tools/list'))
    const socket = await rig.legacy()
    for (const message of socket.sent) expect(message).toMatchObject({ jsonrpc: '2.0' })
    expect(socket.methods.slice(-5)).toEqual(Array(5).fill('tools/list'))
  })

  it('has no line break in the frame', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    watch(rig.client.callTool({ name: 'a\nb\r\nc' }))
    expect(socket.texts.at(-1)).not.toMatch(/[\r\n]/)
  })
})

describe('the ids of requests', () => {
  it.each([
    [0, 100_000_000],
    [0.5, 550_000_000],
    [1 - 2 ** -53, 999_999_999]
  ])('count up from a random start: chance %d', async (chance, start) => {
    const rig = useClient({}, Object.assign(new FakeClock(), { chance }))
    const socket = await rig.legacy()
    for (let n = 0; n < 3; n++) watch(rig.client.request('tools/list'))
    expect(socket.sent.slice(-3).map(({ id }) => id)).toEqual([start, start + 1, start + 2])
  })

  it('go on after a reconnect', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    watch(rig.client.callTool({ name: 'x' }))
    const { id } = first.asked('tools/call')
    first.drop()
    const socket = await rig.relegacy()
    watch(rig.client.callTool({ name: 'y' }))
    expect(socket.asked('tools/call').id).toBe((id as number) + 1)
  })

  it('of the client itself count down from 2^31 - 1, and are never used twice', async () => {
    const rig = useClient()
    const first = await rig.legacy()
    first.drop()
    const second = await rig.relegacy()
    const ids = [...first.sent, ...second.sent].flatMap(({ id }) => (id === undefined ? [] : [id]))
    expect(ids).toEqual([2 ** 31 - 1, 2 ** 31 - 2, 2 ** 31 - 3])
  })

  it('are not those of the server: both sides may use the same', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const asked = watch(rig.client.request('tools/list'))
    const { id } = socket.asked('tools/list')
    socket.deliver({ jsonrpc: '2.0', id, method: 'ping' })
    await settle()
    expect(socket.sent.at(-1)).toEqual({ jsonrpc: '2.0', id, result: {} })
    expect(asked.settled).toBe(false)
    socket.respond('tools/list', LEGACY_RESULT)
    await settle()
    expect(asked.settled).toBe(true)
  })
})

describe('frames that could not be read are not forgotten', () => {
  const FORBIDDEN = '{"message": "Forbidden", "connectionId": "abc", "requestId": "def"}'
  const START = JSON.stringify(FORBIDDEN.slice(0, 40))

  it('P36: they are the cause when the retries are used up', async () => {
    const rig = useClient({ reconnect: { maxRetries: 1, initialDelay: 1 } })
    const connected = watch(rig.client.connect())
    for (let dial = 0; dial < 2; dial++) {
      const socket = (await rig.network.last()).accept()
      socket.deliver(FORBIDDEN)
      socket.drop({ code: 1000, wasClean: true })
      await rig.clock.advance(1)
      // The second dial is the redial for the era, if the server hung up on the probe.
      if (dial === 0 && rig.network.dials === 2) (await rig.network.last()).accept().drop({ code: 1000 })
      await rig.clock.advance(1)
    }
    expect(connected.error).toMatchObject({
      code: 'RETRIES_EXHAUSTED',
      message: expect.stringContaining(`1 frame of the server could not be read; the last began with ${START}`) as string,
      cause: { code: 'CONNECTION_LOST', cause: { code: 'INVALID_RESPONSE' } }
    })
  })

  it('P36: they are the cause when the handshake takes too long', async () => {
    const rig = useClient({ reconnect: false, handshakeTimeout: 100, protocol: 'legacy' })
    const connected = watch(rig.client.connect())
    const socket = (await rig.network.last()).accept()
    socket.deliver(FORBIDDEN)
    socket.deliver('hello')
    await rig.clock.advance(100)
    expect(connected.error).toMatchObject({
      code: 'HANDSHAKE_TIMEOUT',
      message: expect.stringContaining('2 frames of the server could not be read; the last began with "hello"') as string,
      cause: { code: 'INVALID_RESPONSE' }
    })
  })

  it('P36: they are the cause of the timeout of a call', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    const call = watch(rig.client.callTool({ name: 'x' }, { timeout: 100 }))
    socket.deliver(FORBIDDEN)
    await rig.clock.advance(100)
    expect(call.error).toMatchObject({ code: 'REQUEST_TIMEOUT', cause: { code: 'INVALID_RESPONSE' } })
    expect((call.error as Error).message).toContain(START)
  })

  it('P36: they are forgotten with their socket', async () => {
    const rig = useClient()
    const socket = await rig.legacy()
    socket.deliver(FORBIDDEN)
    socket.drop()
    await rig.relegacy()
    const call = watch(rig.client.callTool({ name: 'x' }, { timeout: 100 }))
    await rig.clock.advance(100)
    expect(call.error).toMatchObject({ code: 'REQUEST_TIMEOUT' })
    expect(call.error).not.toHaveProperty('cause')
  })

  it('P36: no secret is in how they began, not even a part of one', async () => {
    const rig = useClient({ auth: { token: 'super-secret-token' } })
    const socket = await rig.legacy()
    const call = watch(rig.client.callTool({ name: 'x' }, { timeout: 100 }))
    socket.deliver('{"message": "no such token: super-secret-token"}')
    await rig.clock.advance(100)
    expect((call.error as Error).message).not.toContain('super')
  })
})
