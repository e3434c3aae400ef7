import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../helpers/free-port.js'
import { REDIS_PATH, startRedis } from '../helpers/redis-process.js'
import { withPrograms, type Program, type Side } from './processes.js'
import { rotated, type Measured } from './rounds.js'

/** How much of it. */
export interface ServerPlan {
  readonly rounds: number
  readonly requests: number
  readonly connections: number
}

/** What an MCP server of SDK v1 runs on. The first is the floor; the last needs a Redis. */
export const TRANSPORTS = ['thin', 'again', 'ours', 'session', 'redis'] as const
type Name = (typeof TRANSPORTS)[number]

/** What an MCP server is started with. */
export interface Listener {
  readonly transport: Name
  /** Where the store of its sessions is; `undefined`: it has none. */
  readonly redisUrl?: string | undefined
}

/** A server in its own process, and its crowd of clients. */
interface Pair {
  readonly server: Program
  readonly crowd: Program
  readonly target: { readonly url: string; readonly hasSession: boolean }
}

/** What was measured at a server. */
export interface AtServer {
  /** How many clients each of them had. */
  readonly connections: number
  readonly samples: Measured
}

/** Measures the same MCP server over a thin transport, once more over it, and over ours: without sessions, and with them. */
export async function measureServer(plan: ServerPlan): Promise<AtServer> {
  const redis = existsSync(REDIS_PATH) ? await openRedis() : undefined
  try {
    return await measureServers(plan, redis?.url)
  } finally {
    redis?.end()
  }
}

async function openRedis(): Promise<{ readonly url: string; readonly end: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-redis-'))
  const port = await freePort()
  const redis = await startRedis(port, folder)
  const end = (): void => {
    process.off('exit', end)
    redis.kill('SIGKILL')
    rmSync(folder, { recursive: true })
  }
  process.on('exit', end)
  return { url: `redis://127.0.0.1:${String(port)}`, end }
}

function measureServers(plan: ServerPlan, redisUrl: string | undefined): Promise<AtServer> {
  const transports = TRANSPORTS.filter((name) => name !== 'redis' || redisUrl !== undefined)
  const measured: Measured = Object.fromEntries(transports.map((name) => [name, {}]))
  const note = (name: Name, values: Record<string, number>): void => {
    for (const [key, value] of Object.entries(values)) (measured[name]![key] ??= []).push(value)
  }
  return withPrograms(async (start) => {
    const pairs = new Map<Name, Pair>()
    for (const name of transports) pairs.set(name, await startPair({ transport: name, ...(name === 'redis' && { redisUrl }) }, start))
    for (const [name, pair] of pairs) note(name, { heap: await heapEach(pair, plan) })
    // Unmeasured: a compiler at work would be a cost of the server's.
    for (const pair of pairs.values()) await requestEach(pair, plan)
    for (let round = 0; round < plan.rounds; round++)
      for (const name of rotated(transports, round)) {
        const pair = pairs.get(name)!
        note(name, { ...(await requestEach(pair, plan)), ...(await broadcast(pair)) })
      }
    for (const { crowd } of pairs.values()) await crowd.order('leave')
    return { connections: plan.connections, samples: measured }
  })
}

async function startPair(listener: Listener, start: (name: string, side: Side) => Program): Promise<Pair> {
  const server = start('mcp-server', 'server')
  const port = await server.order<number>('listen', listener)
  const crowd = start('crowd', 'client')
  const pair = {
    server,
    crowd,
    target: { url: `ws://127.0.0.1:${String(port)}/`, hasSession: ['session', 'redis'].includes(listener.transport) }
  }
  await crowd.order('connect', { ...pair.target, count: 1 })
  return pair
}

/** Bytes of heap for each idle connection, its MCP server included. */
async function heapEach({ server, crowd, target }: Pair, { connections }: ServerPlan): Promise<number> {
  const before = await server.order<number>('heap')
  await crowd.order('connect', { ...target, count: connections - 1 })
  return ((await server.order<number>('heap')) - before) / (connections - 1)
}

/** What the server takes for a request, with 64 in flight: µs of CPU, and commands that it has Redis carry out. */
async function requestEach({ server, crowd }: Pair, { requests }: ServerPlan): Promise<Record<string, number>> {
  const before = await costOf(server)
  await crowd.order('requests', { count: requests, open: 64 })
  const after = await costOf(server)
  const commands = after.commands === undefined ? {} : { commands: (after.commands - (before.commands ?? 0)) / requests }
  return { cpu: (after.cpu - before.cpu) / requests, ...commands }
}

/** One notification to all: ms until the last has it, and ms of CPU that the server takes. */
async function broadcast({ server, crowd }: Pair): Promise<{ time: number; broadcastCpu: number }> {
  await crowd.order('listen')
  const before = await costOf(server)
  const begun = await server.order<number>('broadcast')
  const heard = await crowd.order<number>('heard')
  return { time: heard - begun, broadcastCpu: ((await costOf(server)).cpu - before.cpu) / 1000 }
}

async function costOf(server: Program): Promise<{ cpu: number; commands?: number }> {
  const { user, system, commands } = await server.order<NodeJS.CpuUsage & { commands?: number }>('cost')
  return { cpu: user + system, ...(commands !== undefined && { commands }) }
}
