import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { useFaultProxy, type FaultProxy, type Link } from './fault-proxy.js'
import { judgeDials, useJudge } from './judge.js'
import { frame, OPCODE, textFrame } from './wire.js'
import { afterTest } from '../../helpers/after-test.js'
import { until } from '../../helpers/until.js'
import { useClient } from '../../helpers/use-client.js'
import { listenOnLoopback } from '../../helpers/listen-on-loopback.js'
import { pause } from '../../helpers/pause.js'

// Who checks the checkers: the kit itself is tested here, so that a test of the client which uses it proves something.

interface Pair {
  readonly proxy: FaultProxy
  readonly link: Link
  readonly client: Socket
  readonly server: Socket
  /** What each end received so far. */
  readonly got: { up: string; down: string }
}

async function usePair(): Promise<Pair> {
  const got = { up: '', down: '' }
  const ends: Socket[] = []
  const target = createServer((socket) => ends.push(socket))
  const proxy = await useFaultProxy(await listenOnLoopback(target))
  const client = connect(proxy.port, '127.0.0.1')
  afterTest(() => void client.destroy())
  await until(() => ends.length === 1, 'the proxy passes the dial on')
  const [server] = ends as [Socket]
  for (const end of [client, server]) end.on('error', () => undefined)
  client.on('data', (chunk: Buffer) => (got.down += chunk.toString()))
  server.on('data', (chunk: Buffer) => (got.up += chunk.toString()))
  return { proxy, link: proxy.links[0]!, client, server, got }
}

describe('the fault proxy', () => {
  test('passes bytes on in both directions', async () => {
    const { client, server, got, link } = await usePair()
    client.write('hello')
    server.write('world')
    await until(() => got.up === 'hello' && got.down === 'world', 'both arrived')
    expect(link.bytes).toEqual({ up: 5, down: 5 })
  })

  test('keeps back what is stalled and delivers it in order when the stall ends', async () => {
    const { client, server, got, link } = await usePair()
    link.set('up', { stall: true })
    client.write('a')
    await until(() => link.bytes.up === 1, 'the first byte came')
    client.write('b')
    await until(() => link.bytes.up === 2, 'the second byte came')
    // The other direction still works.
    server.write('!')
    await until(() => got.down === '!', 'down')
    expect(got.up).toBe('')
    link.set('up', {})
    await until(() => got.up === 'ab', 'delivered')
  })

  test('delivers an end that came during a stall when the stall ends', async () => {
    const { client, server, got, link } = await usePair()
    const ended = once(server, 'end')
    link.set('up', { stall: true })
    client.end('end of all')
    await until(() => link.bytes.up === 10, 'taken')
    // Nothing tells when the end came in.
    await pause(30)
    link.set('up', {})
    await ended
    expect(got.up).toBe('end of all')
  })

  test('swallows everything in a black hole, the end of a side too', async () => {
    const { client, server, got, link } = await usePair()
    let ended = false
    server.on('end', () => (ended = true))
    link.blackhole()
    client.end('lost')
    await until(() => link.bytes.up === 4, 'taken')
    await pause(30)
    expect({ got: got.up, ended }).toEqual({ got: '', ended: false })
  })

  test('delays without overtaking, cuts writes small, corrupts', async () => {
    const { client, got, link } = await usePair()
    const start = performance.now()
    link.set('up', { delay: 20, jitter: 20, slice: 1, corrupt: (byte) => byte ^ 0x20 })
    for (const piece of ['ab', 'cd', 'ef']) client.write(piece)
    await until(() => got.up.length === 6, 'delivered')
    expect(got.up).toBe('ABCDEF')
    expect(performance.now() - start).toBeGreaterThanOrEqual(19)
  })

  test('delivers in order, however short the jitter', async () => {
    const { client, got, link } = await usePair()
    link.set('up', { delay: 1, jitter: 5 })
    const pieces = Array.from({ length: 200 }, (_, i) => `${String(i)},`)
    for (const piece of pieces) {
      client.write(piece)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => got.up.length === pieces.join('').length, 'delivered')
    expect(got.up).toBe(pieces.join(''))
  })

  test('acts after an exact number of bytes', async () => {
    const { client, got, link } = await usePair()
    link.after('up', 3, () => link.set('up', { stall: true }))
    client.write('abcdef')
    await until(() => link.bytes.up === 6, 'taken')
    expect(got.up.length).toBeLessThanOrEqual(3)
    await until(() => got.up === 'abc', 'the first three')
  })

  test.each(['rst', 'fin'] as const)('ends both sides by %s', async (how) => {
    const { client, server, link } = await usePair()
    const failures: string[] = []
    for (const end of [client, server]) end.on('error', (error: NodeJS.ErrnoException) => failures.push(error.code ?? ''))
    const closed = Promise.all([client, server].map((end) => new Promise((resolve) => end.on('close', resolve))))
    link.cut(how)
    await closed
    expect(failures).toEqual(how === 'rst' ? ['ECONNRESET', 'ECONNRESET'] : [])
    await until(() => link.closed, 'the link knows')
  })

  test('leaves no handle behind when it cuts what was about to end', async () => {
    const { link } = await usePair()
    const sockets = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length
    link.cut('fin')
    link.cut('rst')
    await until(() => sockets() === 0, 'all handles are closed')
  })

  test('resets dials while it is told to', async () => {
    const { proxy } = await usePair()
    proxy.resetting = true
    const socket = connect(proxy.port, '127.0.0.1')
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
    expect(proxy.links).toHaveLength(1)
  })
})

describe('the judge', () => {
  const schedule = { initialDelay: 50, maxDelay: 150, growFactor: 2, jitter: false, maxRetries: 3 }

  test('finds nothing in dials on schedule', () => {
    expect(judgeDials([0, 50, 150, 300], schedule)).toEqual([])
  })

  test.each([
    ['too early', [0, 50, 130], 2],
    ['too late', [0, 50, 5000], 2],
    ['one too many', [0, 50, 150, 300, 450], 4],
    ['at once', [0, 0], 1]
  ])('finds a dial that comes %s', (_what, dials, retry) => {
    expect(judgeDials(dials, schedule).map((violation) => violation.retry)).toEqual([retry])
  })

  test('holds a real client to its schedule', async () => {
    const judge = await useJudge()
    const { client } = useClient({ url: judge.url, reconnect: schedule })
    await client.connect().catch(() => undefined)
    expect(judge.dials).toHaveLength(4)
    expect(judge.verdict(schedule)).toEqual([])
    expect(judge.verdict({ ...schedule, initialDelay: 500, maxDelay: 500 })).toHaveLength(3)
  })
})

describe('frames', () => {
  test.each([0, 125, 126, 65_535, 65_536])('of %i bytes have the header of RFC 6455', (length) => {
    const header = length < 126 ? 2 : length < 65_536 ? 4 : 10
    expect(frame(OPCODE.binary, Buffer.alloc(length))).toHaveLength(header + length)
  })

  test('of text are final and unmasked', () => {
    expect(textFrame('hi')).toEqual(Buffer.from([0x81, 2, 0x68, 0x69]))
  })
})
