import { describe, expect, test } from 'vitest'
import { lackOfNetlab, useNatLab, useNetlab, type LabOptions, type Netlab } from './kit/netlab.js'
import type { RemoteClient, TimedChange } from './kit/program.js'
import { rejectionOf } from '../helpers/rejection-of.js'
import { until } from '../helpers/until.js'

// Real networks, made bad by the kernel's own means.

const HEARTBEAT = { interval: 200, timeout: 200 }
const QUICK = { heartbeat: HEARTBEAT, reconnect: { initialDelay: 50, maxDelay: 100, maxRetries: Infinity }, connectTimeout: 500 }

/** A lab whose client is ready. */
async function useReadyLab(options: LabOptions = QUICK): Promise<Netlab> {
  const lab = await useNetlab(options)
  await lab.client.connect()
  return lab
}

/** Calls a tool that answers with so many letters. */
async function ask(client: RemoteClient, letters = 1): Promise<number> {
  const { content } = await client.callTool({ name: 'echo', arguments: { message: 'x', repeat: letters } })
  return (content as { text: string }[])[0]!.text.length
}

/** How many pings reached the server. */
const pings = async ({ server }: Netlab): Promise<number> => (await server.ask('pings')) as number

/** The first change to a state, once it came. */
async function reached({ states }: RemoteClient, name: string, after = 0): Promise<TimedChange> {
  const find = (): TimedChange | undefined => states.slice(after).find(({ to }) => to === name)
  await until(() => find() !== undefined, `the client is ${name}`)
  return find()!
}

/** How the client lost its connection, which it must. */
const lossOf = async (client: RemoteClient): Promise<TimedChange> => reached(client, 'waiting')

const pathOf = ({ states }: RemoteClient): string[] => states.map(({ to }) => to)

const DEAD = { from: 'ready', closure: { kind: 'heartbeat', wasClean: false, everReady: true } }
const STRAIGHT = ['connecting', 'initializing', 'ready']

describe.skipIf(lackOfNetlab() !== undefined)('in a network', () => {
  test.each([
    ['H1: no packet gets through', ['up', 'down']],
    ['H2: no packet of the client gets through', ['up']],
    ['H2: no packet of the server gets through', ['down']]
  ] as const)('%s: noticed after interval + timeout, abandoned at once, and followed by a reconnect', async (_row, directions) => {
    const lab = await useReadyLab()
    const { client } = lab
    // The last byte that comes is later than this.
    const since = client.states.find(({ to }) => to === 'initializing')!.at
    for (const direction of directions) await lab.drop(direction)
    const loss = await lossOf(client)
    expect(loss).toMatchObject(DEAD)
    expect(loss.at - since).toBeGreaterThanOrEqual(HEARTBEAT.interval + HEARTBEAT.timeout - 2)
    await lab.restore()
    await reached(client, 'ready', client.states.indexOf(loss))
    expect(await ask(client)).toBe(1)
  })

  test('H3: a message whose end is swallowed after 20 kB never surfaces, and the silence is noticed', async () => {
    const lab = await useReadyLab({ ...QUICK, requestTimeout: 300 })
    const { client } = lab
    await lab.drop('down', '-m connbytes --connbytes 20000: --connbytes-dir both --connbytes-mode bytes')
    expect(await rejectionOf(ask(client, 1_000_000))).toMatchObject({ name: 'RequestTimeoutError', delivery: 'unknown' })
    expect(await lossOf(client)).toMatchObject(DEAD)
    const { bytesReceived } = (await client.ask('stats')) as { bytesReceived: number }
    expect(bytesReceived).toBeLessThan(20_000)
    expect(client.errors).toEqual([])
  })

  test('H6: a strict NAT that forgets the connection is noticed as silence, and dialled through anew', async () => {
    const lab = await useNatLab({ strict: true }, QUICK)
    const { client } = lab
    await client.connect()
    await lab.forget()
    expect(await lossOf(client)).toMatchObject(DEAD)
    await reached(client, 'ready', STRAIGHT.length)
  })

  test('H7: a NAT that takes the connection for a new one ends it with 1006 at once, and it is dialled anew', async () => {
    const lab = await useNatLab({ strict: false }, { ...QUICK, heartbeat: { interval: 200, timeout: 10_000 } })
    const { client } = lab
    await client.connect()
    const since = client.states.at(-1)!.at
    await lab.forget()
    const loss = await lossOf(client)
    expect(loss).toMatchObject({ from: 'ready', closure: { kind: 'close', code: 1006, wasClean: false } })
    expect(loss.at - since).toBeLessThan(10_000)
    await reached(client, 'ready', STRAIGHT.length)
  })

  test('H8: a cable that is back before the heartbeat gives up costs nothing: the connection survives, and a call completes on it', async () => {
    const lab = await useReadyLab({ ...QUICK, heartbeat: { interval: 100, timeout: 5000 } })
    const { client } = lab
    const outage = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 700))
    // Without a call: a ping waits in the pulled cable.
    await lab.link('down')
    await outage()
    await lab.link('up')
    expect(await ask(client)).toBe(1)
    await lab.link('down')
    const call = ask(client)
    await outage()
    await lab.link('up')
    expect(await call).toBe(1)
    expect(pathOf(client)).toEqual(STRAIGHT)
  })

  test('H9: a third of all packets lost slows calls and pings down, and kills nothing', async () => {
    const lab = await useReadyLab({ ...QUICK, heartbeat: { interval: 50, timeout: 3000 } })
    const { client } = lab
    // Every third one, not one in three by chance: a long row of lost packets would be a dead network, not a bad one.
    for (const direction of ['up', 'down'] as const) await lab.drop(direction, '-m statistic --mode nth --every 3 --packet 0')
    for (const size of [10, 1000, 20_000]) expect(await ask(client, size)).toBe(size)
    // Without a call, too: each of these pings may be lost at first, or its response.
    const wanted = (await pings(lab)) + 4
    while ((await pings(lab)) < wanted);
    expect(pathOf(client)).toEqual(STRAIGHT)
  })

  test('H10: a message that takes much longer than interval + timeout arrives, as its bytes are life', async () => {
    const lab = await useReadyLab({ ...QUICK, heartbeat: { interval: 100, timeout: 300 } })
    const { client } = lab
    await lab.slow(4_000_000)
    // No call is pending, which would put the verdict off; and the response to a ping queues behind the message.
    await lab.server.ask('notify', 1_000_000)
    await until(() => client.notifications.length === 1, 'the message arrives')
    expect(await ask(client, 100_000)).toBe(100_000)
    expect(pathOf(client)).toEqual(STRAIGHT)
  })

  test('H22: a machine that gets another address notices the silence, and dials from the new one', async () => {
    const lab = await useReadyLab()
    const { client } = lab
    await lab.move()
    const loss = await lossOf(client)
    expect(loss).toMatchObject(DEAD)
    await reached(client, 'ready', STRAIGHT.length)
    expect(await ask(client)).toBe(1)
  })

  test('N3: a dial whose packets vanish ends at connectTimeout', async () => {
    const { client, ...lab } = await useNetlab({ connectTimeout: 300, reconnect: false })
    await lab.drop('up')
    const begun = performance.now()
    const error = await rejectionOf(client.connect())
    const took = performance.now() - begun
    expect(error).toMatchObject({ name: 'HandshakeError', code: 'CONNECT_TIMEOUT', retryable: true, delivery: 'not-sent' })
    expect(took).toBeGreaterThanOrEqual(299)
    expect(took).toBeLessThan(9000)
  })

  test('N4: a host that cannot be reached fails the dial at once, is retried, and the reason is kept', async () => {
    const { client, ...lab } = await useNetlab({ connectTimeout: 5000, reconnect: { initialDelay: 10, maxDelay: 20, maxRetries: 2 } })
    await lab.reject()
    const error = await rejectionOf(client.connect())
    expect(error).toMatchObject({ code: 'RETRIES_EXHAUSTED', attempts: 3, cause: { code: 'CONNECT_FAILED' } })
    expect(JSON.stringify(error)).toContain('EHOSTUNREACH')
    expect(pathOf(client)).toEqual(['connecting', 'waiting', 'connecting', 'waiting', 'connecting', 'failed'])
    // The client recovers as from any other loss.
    await lab.restore()
    await client.connect()
  })
})
