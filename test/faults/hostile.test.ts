import { once } from 'node:events'
import { deflateRawSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { ClientEvents, McpWebSocketClientOptions, McpWebSocketError, Result } from '../../src/index.js'
import { bundle, useChild } from '../helpers/child.js'
import { everythingShown } from '../helpers/everything-shown.js'
import { nextEvent } from '../helpers/next-event.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'
import { useClient } from '../helpers/use-client.js'
import { responsesTo, ask, roundTrip, useLine } from './kit/line.js'
import { headerOf, reply, useRawServer, useRejectingServer, type Dial } from './kit/raw-server.js'
import { acceptDial, closeFrame, frame, OPCODE, textFrame, type RawPeer, type Upgrade } from './kit/wire.js'

// A server that means harm: floods, bombs, giants, traps in keys and ids, and settings that would inject something.

const MIB = 2 ** 20
/** Messages of one flood, of notifications twice as many. More behave the same and take longer: `FLOOD=500000` in the environment. */
const FLOOD = Number(process.env.FLOOD ?? 100_000)
/** Messages of which each costs the client more. */
const FEW = 20_000
const QUICK = { initialDelay: 5, maxDelay: 20 }

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)

/** Levels of arrays in a value, counted without recursion. */
function depthOf(value: unknown): number {
  let depth = 0
  for (let inner = value; Array.isArray(inner); inner = inner[0] as unknown) depth++
  return depth
}

interface Report {
  readonly seen: number
  readonly inOrder: boolean
  readonly errors: number
  /** The longest time by which a timer of 10 ms was late, and how often it fired. */
  readonly lag: number
  readonly ticks: number
  /** Bytes: in use, and the most that the process ever had. */
  readonly heap: number
  readonly peak: number
}

interface Change {
  readonly to: string
  readonly code?: number
  readonly peak: number
}

interface Victim {
  readonly dial: Dial
  readonly peer: RawPeer
  /** Writes as fast as the client reads. */
  readonly flood: (count: number, make: (n: number) => Buffer) => Promise<void>
  /** What the client saw since the last report. */
  readonly report: () => Promise<Report>
  /** The next change of state. */
  readonly change: () => Promise<Change>
}

/** A client in a process of its own, ready on a raw line, whose memory can be looked at. */
async function useVictim(options: Partial<McpWebSocketClientOptions> = {}, upgrade?: Upgrade): Promise<Victim> {
  const dials: Dial[] = []
  const peers: RawPeer[] = []
  const server = await useRawServer((dial) => {
    const peer = acceptDial(dial, upgrade)
    peer.serveHandshake()
    dials.push(dial)
    peers.push(peer)
  })
  const script = await bundle(new URL('./programs/hostile-client.ts', import.meta.url))
  const child = useChild(script, [server.url, JSON.stringify(options)], ['--expose-gc'])
  const next = async <T extends object>(isIt: (line: T) => boolean): Promise<T> => {
    for (;;) {
      const line = JSON.parse(await child.nextLine()) as T
      if (isIt(line)) return line
    }
  }
  await next(({ to }: { to?: string }) => to === 'ready')
  const [dial] = dials as [Dial]
  const [peer] = peers as [RawPeer]
  // What the client answers is read, as a server should, and not kept: the test's own memory is limited too.
  dial.socket.removeAllListeners('data').resume()
  return {
    dial,
    peer,
    flood: async (count, make) => {
      for (let n = 0; n < count;) {
        const batch: Buffer[] = []
        for (; n < count && batch.length < 1000; n++) batch.push(make(n))
        if (!dial.socket.write(Buffer.concat(batch))) await once(dial.socket, 'drain')
      }
    },
    report: () => {
      peer.write(textFrame({ method: 'notifications/report' }))
      return next<Report>((line) => 'seen' in line)
    },
    change: () => next((line: Change) => 'to' in line)
  }
}

describe('a flood', () => {
  test('P27, S14: of notifications is heard in order, lets timers fire, and leaves nothing', async ({ annotate }) => {
    const { flood, report } = await useVictim()
    const note = (n: number): Buffer => textFrame({ method: 'notifications/message', params: { n, data: 'x'.repeat(50) } })
    await flood(1000, note)
    const before = await report()
    await flood(2 * FLOOD, note)
    const after = await report()
    await annotate(`late by ${after.lag.toFixed(0)} ms, peak +${((after.peak - before.peak) / MIB).toFixed(0)} MiB`)
    expect([before.seen, before.inOrder]).toEqual([1000, true])
    // The count began anew with the second flood.
    expect(after).toMatchObject({ seen: 2 * FLOOD, inOrder: true, errors: 0 })
    expect(after.ticks).toBeGreaterThan(5)
    expect(after.heap - before.heap).toBeLessThan(4 * MIB)
    expect(after.peak - before.peak).toBeLessThan(150 * MIB)
  })

  test.each<[what: string, count: number, make: (n: number) => Buffer, errors?: number]>([
    ['P7: of responses to unknown ids', FLOOD, (n) => textFrame({ id: n, result: {} })],
    ['P7: of errors to ids that are strings', FLOOD, (n) => textFrame({ id: `id-${String(n)}`, error: { code: 1, message: 'x' } })],
    ['P24: of progress that nobody asked for', FLOOD, (n) => progress(`token-${String(n)}`)],
    ['P23: of cancellations', FLOOD, (n) => textFrame({ method: 'notifications/cancelled', params: { requestId: n } })],
    ['P1: of frames that are no message', FEW, () => textFrame('no JSON'), FEW]
  ])('%s leaves nothing', async (_what, count, make, errors = 0) => {
    const { flood, report } = await useVictim()
    await flood(1000, make)
    const before = await report()
    await flood(count, make)
    const after = await report()
    expect(after.errors).toBe(errors)
    expect(after.heap - before.heap).toBeLessThan(4 * MIB)
  })

  /** The shortest response. */
  const ANSWER = '{"jsonrpc":"2.0","id":1000000,"result":{}}'

  test.each(['ping', 'vendor/unknown'])('S14: of requests by a server that waits for the responses leaves nothing: %s', async (method) => {
    const { dial, flood, report } = await useVictim()
    const ask = async (rounds: number): Promise<void> => {
      for (let round = 0; round < rounds; round++) {
        const enough = dial.socket.bytesRead + 1000 * ANSWER.length
        await flood(1000, (n) => textFrame({ id: 1_000_000 + n, method }))
        while (dial.socket.bytesRead < enough) await once(dial.socket, 'data')
      }
    }
    await ask(1)
    const before = await report()
    await ask(FEW / 1000)
    const after = await report()
    expect(after.heap - before.heap).toBeLessThan(4 * MIB)
  })
  function progress(progressToken: string): Buffer {
    return textFrame({ method: 'notifications/progress', params: { progressToken, progress: 1 } })
  }

  test('S14: of requests whose handlers hang is answered with 1013 beyond maxPending', async () => {
    const line = await useLine({ maxPending: 3 })
    const release: (() => void)[] = []
    line.client.setRequestHandler('vendor/slow', () => new Promise<Result>((resolve) => release.push(() => resolve({}))))
    for (let id = 1; id <= 10; id++) line.peer.write(textFrame({ id, method: 'vendor/slow' }))
    line.peer.write(textFrame({ id: 11, method: 'ping' }))
    await until(() => responsesTo(line.peer).length === 8, 'the error responses')
    expect(release).toHaveLength(3)
    expect(responsesTo(line.peer).map(({ id, error }) => [id, error?.code])).toEqual([4, 5, 6, 7, 8, 9, 10, 11].map((id) => [id, 1013]))
    for (const end of release) end()
    await until(() => responsesTo(line.peer).length === 11, 'the responses')
    // The limit has places again.
    line.peer.write(textFrame({ id: 12, method: 'ping' }))
    await until(() => responsesTo(line.peer).length === 12, 'the ping')
    expect(responsesTo(line.peer).slice(8)).toEqual([1, 2, 3, 12].map((id) => ({ jsonrpc: '2.0', id, result: {} })))
    // Requests of the client itself are not counted with them.
    await roundTrip(line)
  })

  test('S14: of requests by a server that reads no response ends that connection, and the next one works', async () => {
    const line = await useLine({ outbox: { maxBytes: MIB }, reconnect: QUICK })
    const { asked } = await ask(line)
    const first = line.peer
    const left = nextEvent(line.client, 'state', ({ from }) => from === 'ready')
    const ready = nextEvent(line.client, 'reconnected')
    line.dial.socket.pause()
    // Each response repeats the id: what comes back is as large as what was sent.
    const id = 'x'.repeat(MIB)
    for (let n = 0; n < 64 && line.client.state === 'ready'; n++) {
      first.write(textFrame({ id: `${String(n)}${id}`, method: 'ping' }))
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect((await left).closure).toMatchObject({ kind: 'close', code: 1006, wasClean: false })
    expect(await rejectionOf(asked)).toMatchObject({ code: 'CONNECTION_LOST', delivery: 'unknown' })
    await ready
    await roundTrip(line)
    expect(line.dialCount).toBe(2)
  })
})

describe('a flood of control frames', () => {
  test('S14: of pings by a server that reads no pong ends that connection, and the next one works', async () => {
    const line = await useLine({ outbox: { maxBytes: MIB }, reconnect: QUICK, heartbeat: false })
    const { dial } = line
    const left = nextEvent(line.client, 'state', ({ from }) => from === 'ready')
    const ready = nextEvent(line.client, 'reconnected')
    dial.socket.pause()
    const pings = Buffer.concat(Array<Buffer>(10_000).fill(frame(OPCODE.ping, 'x'.repeat(125))))
    // 52 MB: more than the buffers of both kernels and of the client may hold.
    for (let n = 0; n < 40 && line.client.state === 'ready'; n++) {
      if (!dial.socket.write(pings)) await Promise.race([once(dial.socket, 'drain'), left])
    }
    expect((await left).closure).toMatchObject({ kind: 'close', code: 1006, wasClean: false })
    await ready
    await roundTrip(line)
  })
})

describe('a message beyond maxMessageBytes', () => {
  test.each([
    ['50 MB, of which only the header comes', [frame(OPCODE.text, 'x', { claims: 50 * MIB })]],
    ['17 MB', [frame(OPCODE.text, Buffer.alloc(17 * MIB, 0x20))]],
    [
      '17 MB in parts',
      [...Array(17).keys()].map((n) => frame(n ? OPCODE.continuation : OPCODE.text, Buffer.alloc(MIB, 0x20), { fin: n === 16 }))
    ],
    ['17 MB of binary', [frame(OPCODE.binary, Buffer.alloc(17 * MIB, 0x20))]]
  ])('P14: of %s ends the connection with 1009, fails the largest request, and the next connection works', async (_size, frames) => {
    const line = await useLine({ reconnect: QUICK })
    const small = await ask(line)
    const large = line.client.callTool({ name: 'x'.repeat(1000) })
    const left = nextEvent(line.client, 'state', ({ from }) => from === 'ready')
    const ready = nextEvent(line.client, 'reconnected')
    line.peer.write(...frames)
    expect((await left).closure).toMatchObject({ kind: 'close', code: 1009, wasClean: false })
    expect(await rejectionOf(large)).toMatchObject({ code: 'MESSAGE_TOO_LARGE', delivery: 'unknown', retryable: false })
    expect(await rejectionOf(small.asked)).toMatchObject({ code: 'CONNECTION_LOST', delivery: 'unknown' })
    await ready
    await roundTrip(line)
  })

  test('P14: of 50 MB is accepted when the limit is raised', async () => {
    const line = await useLine({ maxMessageBytes: 64 * MIB })
    const { asked, id } = await ask(line)
    line.peer.write(textFrame({ id, result: { text: 'x'.repeat(50 * MIB) } }))
    expect(((await asked) as { text: string }).text).toHaveLength(50 * MIB)
  })
})

describe('compression', () => {
  const DEFLATE: Upgrade = {
    subprotocol: 'mcp.v1',
    headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_no_context_takeover' }
  }

  test('S7: that nobody asked for is rejected', async () => {
    const server = await useRawServer((dial) => acceptDial(dial, DEFLATE).serveHandshake())
    const { client } = useClient({ url: server.url })
    expect(await rejectionOf(client.connect())).toMatchObject({ name: 'HandshakeError', code: 'HANDSHAKE_INVALID' })
    expect(server.dials).toHaveLength(1)
  })

  test('S7: of a frame, without an agreement on it, is rejected', async () => {
    const line = await useLine()
    const failed = nextEvent(line.client, 'failed')
    line.peer.write(textFrame({ method: 'notifications/x' }, { rsv: 4 }))
    await failed
    expect(line.states.at(-1)?.closure).toMatchObject({ kind: 'close', code: 1002 })
    expect(line.notifications).toEqual([])
  })

  test('S7: that was asked for does not let a bomb in: 100 kB that would be 100 MB', async ({ annotate }) => {
    const bomb = deflateRawSync(Buffer.alloc(100 * MIB, 0x20))
    expect(bomb.length).toBeLessThan(120_000)
    const victim = await useVictim({ perMessageDeflate: true, reconnect: false }, DEFLATE)
    const before = await victim.report()
    victim.peer.write(frame(OPCODE.text, bomb, { rsv: 4 }))
    const after = await victim.change()
    await annotate(`peak +${((after.peak - before.peak) / MIB).toFixed(0)} MiB`)
    expect(after).toMatchObject({ to: 'failed', code: 1009 })
    expect(after.peak - before.peak).toBeLessThan(64 * MIB)
  })
})

describe('fragments', () => {
  test.each(['', 'x'])('S8: without end, each of %j, end the connection', async (part) => {
    const line = await useLine({ reconnect: QUICK })
    const left = nextEvent(line.client, 'state', ({ from }) => from === 'ready')
    const more = Buffer.concat(Array<Buffer>(10_000).fill(frame(OPCODE.continuation, part, { fin: false })))
    line.peer.write(frame(OPCODE.text, part, { fin: false }))
    for (let n = 0; n < 100 && line.client.state === 'ready'; n++) {
      line.peer.write(more)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect((await left).closure).toMatchObject({ kind: 'close', wasClean: false })
  })
})

describe('10,000 levels of JSON', () => {
  const DEEP = deep(10_000)

  test('P13, S9: in a result, a notification, a request and a progress report go through', async () => {
    const traced: number[] = []
    const line = await useLine({ trace: (_direction, text) => traced.push(text.length) })
    const handled: unknown[] = []
    line.client.setRequestHandler('vendor/deep', ({ params }) => ({ levels: handled.push(params?.deep) }))
    const heard: unknown[] = []
    const options = { onprogress: (report: object): void => void heard.push((report as { deep?: unknown }).deep) }
    const asked = line.client.request('vendor/x', { _meta: { progressToken: 5 } }, options)
    const { id } = await line.peer.next('vendor/x')
    line.peer.write(
      textFrame(`{"jsonrpc":"2.0","method":"notifications/x","params":{"deep":${DEEP}}}`),
      textFrame(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":5,"progress":1,"deep":${DEEP}}}`),
      textFrame(`{"jsonrpc":"2.0","id":1,"method":"vendor/deep","params":{"deep":${DEEP}}}`),
      textFrame(`{"jsonrpc":"2.0","id":${String(id)},"result":${DEEP}}`)
    )
    expect(depthOf(await asked)).toBe(10_000)
    await roundTrip(line)
    for (const value of [line.notifications[0]?.params?.deep, heard[0], handled[0]]) expect(depthOf(value)).toBe(10_000)
    expect(line.errors).toEqual([])
  })

  test.each([
    ['as a whole', DEEP],
    ['as a method', `{"jsonrpc":"2.0","method":${DEEP}}`],
    ['as an id', `{"jsonrpc":"2.0","id":${DEEP},"method":"ping"}`],
    ['as an error', `{"jsonrpc":"2.0","id":null,"error":${DEEP}}`],
    ['as params', `{"jsonrpc":"2.0","method":"x","params":${DEEP}}`]
  ])('P13: %s are no message', async (_where, text) => {
    const line = await useLine()
    line.peer.write(textFrame(text))
    await roundTrip(line)
    expect(line.errors).toMatchObject([{ code: 'INVALID_RESPONSE' }])
  })

  test('P13: as the type of a result, and as the state of a multi round-trip, fail that request alone', async () => {
    const line = await useLine()
    for (const member of [`"resultType":${DEEP}`, `"resultType":"input_required","inputRequests":{"a":{"method":${DEEP}}}`]) {
      const asked = line.client.callTool({ name: 'x' })
      const { id } = await line.peer.next('tools/call')
      line.peer.write(textFrame(`{"jsonrpc":"2.0","id":${String(id)},"result":{${member}}}`))
      expect(await rejectionOf(asked)).toMatchObject({ code: 'INVALID_RESPONSE' })
    }
    await roundTrip(line)
  })

  test('P13: that a handler returns are answered with -32603', async () => {
    const line = await useLine()
    line.client.setRequestHandler('vendor/x', () => ({ deep: JSON.parse(DEEP) as unknown }))
    line.peer.write(textFrame({ id: 1, method: 'vendor/x' }))
    await until(() => responsesTo(line.peer).length === 1, 'the response')
    expect(responsesTo(line.peer)).toMatchObject([{ id: 1, error: { code: -32603 } }])
  })

  // What the handshake does with each of these: `ready`, or the code of the failure.
  const handshakes: [where: string, response: string, outcome: string][] = [
    ['as capabilities', `"result":{"protocolVersion":"2025-11-25","capabilities":{"x":${DEEP}}}`, 'ready'],
    ['as the server’s info', `"result":{"protocolVersion":"2025-11-25","serverInfo":{"x":${DEEP}}}`, 'ready'],
    ['as the version', `"result":{"protocolVersion":${DEEP}}`, 'INITIALIZE_REFUSED'],
    ['as the data of an error', `"error":{"code":-32000,"message":"no","data":${DEEP}}`, 'INITIALIZE_REFUSED'],
    ['as the versions of an error', `"error":{"code":-32022,"message":"no","data":{"supported":${DEEP}}}`, 'INITIALIZE_REFUSED'],
    ['as the message of an error', `"error":{"code":-32000,"message":${DEEP}}`, 'INITIALIZE_REFUSED'],
    ['as the code of an error', `"error":{"code":${DEEP},"message":"no"}`, 'INITIALIZE_REFUSED']
  ]
  const traps: [where: string, response: string, outcome: string][] = [
    ['an error message of which no text can be made', '"error":{"code":1,"message":{"toString":1,"valueOf":1}}', 'INITIALIZE_REFUSED'],
    ['an error code of which no text can be made', '"error":{"code":{"toString":1,"valueOf":1},"message":"no"}', 'INITIALIZE_REFUSED'],
    ['a version of which no text can be made', '"result":{"protocolVersion":{"toString":1}}', 'INITIALIZE_REFUSED'],
    ['capabilities that are null', '"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":null,"prompts":1}}', 'ready']
  ]

  const discoveries: typeof handshakes = [
    ['as the versions', `"result":{"supportedVersions":${DEEP}}`, 'INITIALIZE_REFUSED'],
    ['as capabilities', `"result":{"supportedVersions":["2026-07-28"],"capabilities":{"x":${DEEP}}}`, 'ready'],
    ['as _meta', `"result":{"supportedVersions":["2026-07-28"],"_meta":{"io.modelcontextprotocol/serverInfo":{"x":${DEEP}}}}`, 'ready'],
    ['as the versions of an error', `"error":{"code":-32022,"message":"no","data":{"supported":${DEEP}}}`, 'INITIALIZE_REFUSED'],
    ['as the message of an error', `"error":{"code":-32022,"message":${DEEP}}`, 'INITIALIZE_REFUSED']
  ]
  const rows = [
    ...[...handshakes, ...traps].map((row) => ['legacy', ...row] as const),
    ...[...discoveries, ...traps.slice(0, 2)].map((row) => ['modern', ...row] as const)
  ]

  test.each(rows)('P13, P11: in a %s handshake, %s, end it as any other does', async (protocol, _where, response, outcome) => {
    const server = await useRawServer((dial) => {
      const peer = acceptDial(dial)
      void peer.next(protocol === 'legacy' ? 'initialize' : 'server/discover').then(({ id }) => {
        peer.write(textFrame(`{"jsonrpc":"2.0","id":${String(id)},${response}}`))
      })
    })
    const { client, errors } = useClient({
      url: server.url,
      protocol,
      handshakeTimeout: 1000,
      closeTimeout: 10,
      reconnect: { ...QUICK, maxRetries: 0 }
    })
    const failure = (await client.connect().catch((error: unknown) => error)) as McpWebSocketError | undefined
    const cause = failure?.cause as McpWebSocketError | undefined
    expect(failure === undefined ? client.state : failure.code === 'RETRIES_EXHAUSTED' ? cause?.code : failure.code).toBe(outcome)
    expect(errors).toEqual([])
    if (outcome !== 'ready') return
    // Now the two handshakes are compared.
    await client.reconnect()
    expect(client.state).toBe('ready')
  })

  test('P11: an endless message of a handshake error is cut short', async () => {
    const server = await useRawServer((dial) => {
      const peer = acceptDial(dial)
      void peer.next('initialize').then(({ id }) => peer.write(textFrame({ id, error: { code: 1, message: 'x'.repeat(MIB) } })))
    })
    const { client } = useClient({ url: server.url, protocol: 'legacy', closeTimeout: 10, reconnect: false })
    const failure = (await rejectionOf(client.connect())) as Error
    expect(failure).toMatchObject({ code: 'INITIALIZE_REFUSED' })
    expect(failure.message.length).toBeLessThan(10_000)
  })

  test('S14: a list of 300,000 tools in one page is a list', async () => {
    const line = await useLine()
    const asked = line.client.listTools()
    const { id } = await line.peer.next('tools/list')
    line.peer.write(textFrame(`{"jsonrpc":"2.0","id":${String(id)},"result":{"tools":[{}${',{}'.repeat(299_999)}]}}`))
    expect((await asked).tools).toHaveLength(300_000)
  })
})

describe('keys of the prototype', () => {
  const EVIL = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":1}'
  const KEYS = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']

  test('S10, P28: in results, notifications, progress, server requests and the handshake pollute nothing and stay as they are', async () => {
    const server = await useRawServer((dial) => {
      const peer = acceptDial(dial)
      void peer.next('initialize').then(({ id }) => {
        const info = `"capabilities":${EVIL},"serverInfo":${EVIL},"_meta":${EVIL}`
        peer.write(textFrame(`{"jsonrpc":"2.0","id":${String(id)},"result":{"protocolVersion":"2025-11-25",${info}}}`))
      })
      peers.push(peer)
    })
    const peers: RawPeer[] = []
    const { client, notifications, errors } = useClient({
      url: server.url,
      protocol: 'legacy',
      closeTimeout: 10,
      capabilities: { elicitation: { form: { applyDefaults: true } } }
    })
    client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: {} }))
    await client.connect()
    const peer = peers[0]!
    const asked = client.request('vendor/x', { _meta: { progressToken: '__proto__' } }, { onprogress: () => undefined })
    const { id } = await peer.next('vendor/x')
    const schema = '{"type":"object","properties":{"__proto__":{"default":{"polluted":1}},"constructor":{"default":1}}}'
    peer.write(
      textFrame(`{"jsonrpc":"2.0","method":"notifications/x","params":${EVIL}}`),
      textFrame(
        `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"__proto__","progress":1,"__proto__":{"polluted":1}}}`
      ),
      textFrame(`{"jsonrpc":"2.0","id":"__proto__","method":"elicitation/create","params":{"message":"?","requestedSchema":${schema}}}`)
    )
    await until(() => responsesTo(peer).length === 1, 'the response')
    peer.write(textFrame(`{"jsonrpc":"2.0","id":${String(id)},"result":${EVIL}}`))
    const result = await asked
    expect(JSON.stringify(result)).toBe(EVIL)
    expect(JSON.stringify(notifications[0]?.params)).toBe(EVIL)
    const [response] = responsesTo(peer) as [{ result: { content: object } }]
    expect(JSON.stringify(response.result.content)).toBe('{"__proto__":{"polluted":1},"constructor":1}')
    for (const value of [{}, client, client.serverInfo, client.serverCapabilities, result, client.stats()])
      expect((value as { polluted?: unknown }).polluted).toBeUndefined()
    expect(errors).toEqual([])
    await client.reconnect()
  })

  test.each(KEYS)('S10: as ids match nothing, and are answered as they came: %s', async (key) => {
    const line = await useLine()
    const { asked, id } = await ask(line)
    line.peer.write(
      textFrame({ id: key, result: {} }),
      textFrame({ id: key, error: { code: 1, message: 'x' } }),
      textFrame({ method: 'notifications/cancelled', params: { requestId: key } }),
      textFrame({ id: key, method: 'ping' })
    )
    await roundTrip(line)
    expect(responsesTo(line.peer)).toEqual([{ jsonrpc: '2.0', id: key, result: {} }])
    expect(line.errors).toEqual([])
    line.peer.write(textFrame({ id, result: { fine: true } }))
    expect(await asked).toEqual({ fine: true })
  })

  test.each(['[]', '{}', '[1]', 'true', 'false', '1.5', '{"toString":1}', '-0.1'])(
    'S11: ids that are %s match nothing and are told',
    async (id) => {
      const line = await useLine()
      line.peer.write(textFrame(`{"jsonrpc":"2.0","id":${id},"result":{}}`), textFrame(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`))
      await roundTrip(line)
      expect(line.errors).toMatchObject([{ code: 'INVALID_RESPONSE' }, { code: 'INVALID_RESPONSE' }])
      expect(responsesTo(line.peer)).toEqual([])
    }
  )
})

describe('an upgrade that is an attack', () => {
  const attacks: [what: string, head: string | Buffer, code: string][] = [
    ['a header of 10 MB', `HTTP/1.1 101 Switching Protocols\r\nX-Long: ${'x'.repeat(10 * MIB)}\r\n\r\n`, 'HANDSHAKE_INVALID'],
    ['a status line of 10 MB', `HTTP/1.1 401 ${'x'.repeat(10 * MIB)}\r\n\r\n`, 'HANDSHAKE_INVALID'],
    ['20,000 headers', `HTTP/1.1 401 No\r\n${'X: y\r\n'.repeat(20_000)}\r\n`, 'HANDSHAKE_INVALID'],
    ['bytes that are no HTTP', Buffer.alloc(MIB, 0xff), 'HANDSHAKE_INVALID']
  ]
  test.each(attacks)('N19, S16: with %s is rejected at once', async (_what, head, code) => {
    const server = await useRawServer(({ socket }) => socket.write(head))
    const { client } = useClient({ url: server.url })
    const failure = await rejectionOf(client.connect())
    expect(failure).toMatchObject({ name: 'HandshakeError', code })
    expect(everythingShown(failure).length).toBeLessThan(20_000)
    expect(server.dials).toHaveLength(1)
  })

  test('N10: with hints and no response, without end, ends at connectTimeout', async () => {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'.repeat(100)
    const server = await useRawServer(({ socket }) => {
      const timer = setInterval(() => socket.write(hints), 1)
      socket.on('close', () => clearInterval(timer))
    })
    const { client } = useClient({ url: server.url, connectTimeout: 200, reconnect: false })
    expect(await rejectionOf(client.connect())).toMatchObject({ code: 'CONNECT_TIMEOUT' })
    await until(() => server.dials[0]!.socket.destroyed, 'the client hangs up')
  })

  test('S13: with a subprotocol of 8 kB, made to be slow to read, is rejected at once', async () => {
    const server = await useRawServer((dial) => void acceptDial(dial, { subprotocol: `mcp.v1${' ,'.repeat(4000)}` }))
    const { client } = useClient({ url: server.url })
    const begun = performance.now()
    expect(await rejectionOf(client.connect())).toMatchObject({
      code: expect.stringMatching(/SUBPROTOCOL_MISMATCH|HANDSHAKE_INVALID/) as string
    })
    expect(performance.now() - begun).toBeLessThan(9000)
  })

  test('P14: a frame of 2^63 bytes, by its header, ends the life', async () => {
    const line = await useLine()
    const failed = nextEvent(line.client, 'failed')
    line.peer.write(Buffer.from([0x81, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))
    await failed
    expect(line.states.at(-1)?.closure).toMatchObject({ kind: 'close', code: 1002 })
  })

  const frames: [what: string, bytes: Buffer, closure: object][] = [
    ['of 10 MB', frame(OPCODE.close, Buffer.alloc(10 * MIB, 0x78)), { code: 1002 }],
    ['of one byte', frame(OPCODE.close, Buffer.from([3])), { code: 1002 }],
    ['in parts', frame(OPCODE.close, Buffer.from([3, 232]), { fin: false }), { code: 1002 }]
  ]
  test.each(frames)('C18: a close frame %s ends the life: the server speaks no WebSocket', async (_what, bytes, closure) => {
    const line = await useLine()
    const failed = nextEvent(line.client, 'failed')
    line.peer.write(bytes)
    await failed
    expect(line.states.at(-1)?.closure).toMatchObject({ kind: 'close', wasClean: false, ...closure })
  })

  test('S22: a close reason of 123 bytes is read whole, and one whose last character is cut in two ends the life with 1007', async () => {
    const line = await useLine({ reconnect: QUICK })
    const whole = `${'x'.repeat(119)}😀`
    const left = nextEvent(line.client, 'state', ({ from }) => from === 'ready')
    const ready = nextEvent(line.client, 'reconnected')
    line.peer.write(closeFrame(1011, whole))
    expect((await left).closure).toMatchObject({ kind: 'close', code: 1011, reason: whole })
    await ready
    const failed = nextEvent(line.client, 'failed')
    const cut = Buffer.concat([Buffer.from([0x03, 0xf3]), Buffer.from(`${'x'.repeat(121)}😀`).subarray(0, 123)])
    line.peer.write(frame(OPCODE.close, cut))
    await failed
    expect(line.states.at(-1)?.closure).toMatchObject({ kind: 'close', code: 1007 })
  })
})

describe('an injection', () => {
  const SECRET = 'hunter22-of-the-vault'
  const BAD: [name: string, value: string][] = [
    ['CR and LF', `${SECRET}\r\nX-Evil: 1`],
    ['LF', `${SECRET}\nX-Evil: 1`],
    ['CR', `${SECRET}\rX-Evil: 1`],
    ['NUL', `${SECRET}\0`],
    ['a character beyond Latin-1', `${SECRET}€`]
  ]
  const fixed: [place: string, options: (value: string) => Partial<McpWebSocketClientOptions>][] = [
    ['a header', (value) => ({ headers: { 'X-Key': value } })],
    ['the token', (value) => ({ auth: { token: value } })],
    ['a cookie', (value) => ({ headers: { Cookie: value } })]
  ]
  const provided: typeof fixed = [
    ['a header of a function', (value) => ({ headers: () => ({ 'X-Key': value }) })],
    ['the token of a function', (value) => ({ auth: { token: () => value } })]
  ]
  const rowsOf = (places: typeof fixed): (readonly [string, string, Partial<McpWebSocketClientOptions>])[] =>
    places.flatMap(([place, options]) => BAD.map(([name, value]) => [name, place, options(value)] as const))

  test.each(rowsOf(fixed))('S12: of %s in %s is a TypeError that does not show it', (_name, _place, options) => {
    const make = (): unknown => useClient({ url: 'ws://127.0.0.1:9/ws', ...options })
    expect(make).toThrow(TypeError)
    expect(make).not.toThrow(SECRET)
  })

  test.each(rowsOf(provided))(
    'S12: of %s in %s is rejected with an error that does not show it, and no byte reaches the server',
    async (_name, _place, options) => {
      const server = await useRejectingServer({ status: 404 })
      const { client, states } = useClient({ url: server.url, ...options })
      const failure = await rejectionOf(client.connect())
      expect(failure).toMatchObject({ name: 'HandshakeError', code: 'CONNECT_FAILED' })
      expect(everythingShown(failure, states)).not.toContain(SECRET)
      expect(server.dials).toHaveLength(0)
    }
  )

  test.each(BAD)('S12: of %s in a subprotocol is a TypeError that does not show it', (_name, value) => {
    const make = (): unknown => useClient({ url: 'ws://127.0.0.1:9/ws', subprotocols: [value] })
    expect(make).toThrow(TypeError)
    expect(make).toThrow(/subprotocols/)
    expect(make).not.toThrow(SECRET)
  })

  test.each(BAD)('S12: of %s in a token that travels as a subprotocol is rejected or encoded', async (name, value) => {
    const server = await useRejectingServer({ status: 404 })
    const { client } = useClient({ url: server.url, reconnect: false, auth: { token: () => value, via: 'subprotocol' } })
    const failure = await rejectionOf(client.connect())
    expect(everythingShown(failure)).not.toContain(SECRET)
    // What is no line of text is no token; anything else is safe in base64url.
    if (/[\r\n]/.test(value)) expect([name, server.dials.length]).toEqual([name, 0])
    else expect(headerOf(server.dials[0]!, 'Sec-WebSocket-Protocol')).toMatch(/^mcp\.v1, ?mcp\.bearer\.[\w-]+$/)
  })

  test.each([`X-Key\r\nX-Evil: 1`, 'X Key', 'X-Kéy', 'X-Key:', ''])('S12: in the name of a header is rejected: %j', async (name) => {
    const server = await useRejectingServer({ status: 404 })
    const { client } = useClient({ url: server.url, headers: () => ({ [name]: SECRET }) })
    const failure = await rejectionOf(client.connect())
    expect(failure).toMatchObject({ name: 'HandshakeError', code: 'CONNECT_FAILED' })
    expect(everythingShown(failure)).not.toContain(SECRET)
    expect(server.dials).toHaveLength(0)
  })

  test('S19: by the url does not leave the request line', async () => {
    const server = await useRejectingServer({ status: 404 })
    const { client } = useClient({ url: `${server.url}\r\nX-Evil: 1\r\n?q=a b\r\nc#${SECRET}`, reconnect: false })
    const failure = await rejectionOf(client.connect())
    expect(server.dials[0]?.head.split('\r\n')[0]).toBe('GET /wsX-Evil:%201?q=a%20bc HTTP/1.1')
    expect(headerOf(server.dials[0]!, 'X-Evil')).toBeUndefined()
    expect(everythingShown(failure)).not.toContain(SECRET)
  })

  test('S19: userinfo of the url travels as Basic credentials, and neither it nor the fragment in the request line', async () => {
    const server = await useRejectingServer({ status: 404 })
    const { client } = useClient({ url: `${server.url.replace('//', '//me%40home:hunter%2F22@')}#fragment`, reconnect: false })
    await rejectionOf(client.connect())
    expect(server.dials[0]?.head.split('\r\n')[0]).toBe('GET /ws HTTP/1.1')
    expect(headerOf(server.dials[0]!, 'Authorization')).toBe(`Basic ${Buffer.from('me@home:hunter/22').toString('base64')}`)
  })
})

describe('a redirect', () => {
  const targets: [where: string, location: (port: number) => string][] = [
    ['another port', (port) => `http://127.0.0.1:${String(port)}/ws`],
    ['another port, by ws:', (port) => `ws://127.0.0.1:${String(port)}/ws`],
    ['another scheme', (port) => `https://127.0.0.1:${String(port)}/ws`],
    ['another host', (port) => `//localhost:${String(port)}/ws`],
    ['another path', () => '/elsewhere'],
    ['nowhere', () => 'http://[']
  ]
  const rows = [301, 302, 303, 307, 308].flatMap((status) => targets.map(([where, location]) => [status, where, location] as const))

  test.each(rows)('S6: by %i to %s is not followed, and no credentials leave', async (status, _where, location) => {
    let reached = 0
    const target = await useRawServer(
      () => undefined,
      () => reached++
    )
    const server = await useRawServer((dial) => reply(dial, { status, headers: { Location: location(target.port) } }))
    const { client } = useClient({
      url: server.url,
      auth: { token: 'token-of-a-friend' },
      headers: { 'X-Api-Key': 'key-of-a-friend' },
      connectTimeout: 1000
    })
    expect(await rejectionOf(client.connect())).toMatchObject({ code: 'UNEXPECTED_STATUS', status })
    expect([server.dials.length, reached]).toEqual([1, 0])
  })
})

test('S10: nothing was added to the prototype of all objects', () => {
  const added: string[] = []
  // All enumerable keys, inherited ones too.
  for (const key in {} as ClientEvents) added.push(key)
  expect(added).toEqual([])
})
