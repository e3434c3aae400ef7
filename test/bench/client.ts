// One peer in a process of its own. It measures what `main.ts` orders, and checks every answer.
import { heapUsed } from '../helpers/heap-used.js'
import type { Connection } from './connection.js'
import { many } from './many.js'
import { peerOf, type Folders } from './peers.js'
import { now, obey } from './processes.js'
import { percentile } from './statistics.js'

let connection: Connection
let reopened: Promise<(number | undefined)[]>

/** One request whose answer is checked. */
async function ask(text: string): Promise<void> {
  const { content } = await connection.request('echo', text)
  if (content[0]?.text !== text) throw new Error(`a wrong answer to ${text.slice(0, 40)}`)
}

/** Makes `count` requests, of which `open` are in flight at any time. */
const askMany = (count: number, open: number, textOf: (n: number) => string = String): Promise<void> =>
  many(count, open, (n) => ask(textOf(n)))

const microseconds = ({ user, system }: NodeJS.CpuUsage): number => user + system

/** The time of the wall and that of the CPU which something takes, in µs. */
async function timed(work: () => Promise<void>): Promise<{ wall: number; cpu: number }> {
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  await work()
  return { wall: (performance.now() - startedAt) * 1000, cpu: microseconds(process.cpuUsage(cpu)) }
}

/** How the client is opened. */
export interface Opening {
  readonly peer: string
  readonly url: string
  readonly folders: Folders
  readonly warmUp: number
}

obey({
  open: async ({ peer, url, folders, warmUp }: Opening) => {
    connection = await peerOf(peer).open(url, folders)
    for (let i = 0; i < warmUp / 10; i++) await ask(String(i))
    for (const inFlight of [64, 1024]) await askMany(warmUp / 2, inFlight)
    await flood(warmUp * 4)
  },

  roundTrip: async (count: number) => {
    const times: number[] = []
    for (let i = 0; i < count; i++) {
      const text = String(i)
      const startedAt = performance.now()
      await ask(text)
      times.push((performance.now() - startedAt) * 1000)
    }
    return { p50: percentile(times, 50), p99: percentile(times, 99) }
  },

  requests: async ({ count, open }: { readonly count: number; readonly open: number }) => {
    const { wall, cpu } = await timed(() => askMany(count, open))
    return { rate: (count / wall) * 1e6, cpu: cpu / count }
  },

  payload: async ({ bytes, count, open }: { readonly bytes: number; readonly count: number; readonly open: number }) => {
    const text = 'x'.repeat(bytes)
    const { wall } = await timed(() => askMany(count, open, () => text))
    return { rate: (bytes * count) / wall }
  },

  notifications: async (count: number) => {
    const { wall, cpu } = await timed(() => flood(count))
    return { rate: (count / wall) * 1e6, cpu: cpu / count }
  },

  pending: async (count: number) => {
    // Unmeasured: what is compiled and allocated once belongs to no request.
    await hold(200, () => 0)
    return { bytes: await hold(count, heapUsed) }
  },

  left: async (count: number) => {
    await askMany(1000, 64)
    const before = await heapUsed()
    await askMany(count, 64)
    return { kibibytes: ((await heapUsed()) - before) / 1024 }
  },

  /** Opens so many clients at once. What they do from now on, `reopened` tells. */
  openMany: async ({ peer, url, folders, count }: Opening & { readonly count: number }) => {
    const connections = await Promise.all(Array.from({ length: count }, () => peerOf(peer).open(url, folders)))
    reopened = Promise.all(connections.map(firstAnswerOf))
  },

  /** @returns When each of them had its first answer over a new connection; `undefined` if it never had. */
  reopened: () => reopened,

  close: () => connection.close()
})

/** How long a client has to come back. */
const PATIENCE = 60_000

function firstAnswerOf(client: Connection): Promise<number | undefined> {
  return new Promise((resolve) => {
    client.onReopened?.(() => void client.request('echo', 'back').then(() => resolve(now())))
    setTimeout(resolve, PATIENCE, undefined).unref()
  })
}

/** Has the server send so many notifications, and waits until the handler has seen them all. */
async function flood(count: number): Promise<void> {
  let seen = 0
  let sum = 0
  const all = new Promise<void>((resolve) => {
    connection.onNotification(({ data }) => {
      sum += data
      if (++seen === count) resolve()
    })
  })
  await connection.request('flood', String(count))
  await all
  if (sum !== (count * (count - 1)) / 2) throw new Error('wrong notifications')
}

/** @returns What one of so many pending requests holds, in bytes of heap. */
async function hold(count: number, heap: () => number | Promise<number>): Promise<number> {
  const pending = new Array<Promise<unknown>>(count).fill(Promise.resolve())
  const before = await heap()
  for (let i = 0; i < count; i++) pending[i] = connection.request('never', String(i))
  // Its answer tells that the server has read all requests, so that nothing of them is left in a buffer.
  await ask('after them')
  const during = await heap()
  await connection.request('release', '')
  await Promise.all(pending)
  return (during - before) / count
}
