import { withPrograms, type Program, type Side } from './processes.js'
import { rotated, type Measured } from './rounds.js'

/** How much of it. */
export interface ServerPlan {
  readonly rounds: number
  readonly requests: number
  readonly connections: number
}

/** What an MCP server of SDK v1 runs on. The first is the floor. */
export const TRANSPORTS = ['thin', 'again', 'ours'] as const
type Name = (typeof TRANSPORTS)[number]

/** A server in its own process, and its crowd of clients. */
interface Pair {
  readonly server: Program
  readonly crowd: Program
  readonly url: string
}

/** What was measured at a server. */
export interface AtServer {
  /** How many clients each of them had. */
  readonly connections: number
  readonly samples: Measured
}

/** Measures the same MCP server over a thin transport, once more over it, and over ours. */
export function measureServer(plan: ServerPlan): Promise<AtServer> {
  const measured: Measured = Object.fromEntries(TRANSPORTS.map((name) => [name, {}]))
  const note = (name: Name, values: Record<string, number>): void => {
    for (const [key, value] of Object.entries(values)) (measured[name]![key] ??= []).push(value)
  }
  return withPrograms(async (start) => {
    const pairs = new Map<Name, Pair>()
    for (const name of TRANSPORTS) pairs.set(name, await startPair(name, start))
    for (const [name, pair] of pairs) note(name, { heap: await heapEach(pair, plan) })
    // Unmeasured: a compiler at work would be a cost of the server's.
    for (const pair of pairs.values()) await cpuEach(pair, plan)
    for (let round = 0; round < plan.rounds; round++)
      for (const name of rotated(TRANSPORTS, round)) {
        const pair = pairs.get(name)!
        note(name, { cpu: await cpuEach(pair, plan), ...(await broadcast(pair)) })
      }
    for (const { crowd } of pairs.values()) await crowd.order('leave')
    return { connections: plan.connections, samples: measured }
  })
}

async function startPair(name: Name, start: (name: string, side: Side) => Program): Promise<Pair> {
  const server = start('mcp-server', 'server')
  const port = await server.order<number>('listen', name === 'ours' ? 'ours' : 'thin')
  const crowd = start('crowd', 'client')
  const url = `ws://127.0.0.1:${String(port)}/`
  await crowd.order('connect', { url, count: 1 })
  return { server, crowd, url }
}

/** Bytes of heap for each idle connection, its MCP server included. */
async function heapEach({ server, crowd, url }: Pair, { connections }: ServerPlan): Promise<number> {
  const before = await server.order<number>('heap')
  await crowd.order('connect', { url, count: connections - 1 })
  return ((await server.order<number>('heap')) - before) / (connections - 1)
}

/** µs of CPU that the server takes for a request, with 64 in flight. */
async function cpuEach({ server, crowd }: Pair, { requests }: ServerPlan): Promise<number> {
  const before = await cpuOf(server)
  await crowd.order('requests', { count: requests, open: 64 })
  return ((await cpuOf(server)) - before) / requests
}

/** One notification to all: ms until the last has it, and ms of CPU that the server takes. */
async function broadcast({ server, crowd }: Pair): Promise<{ time: number; broadcastCpu: number }> {
  await crowd.order('listen')
  const before = await cpuOf(server)
  const begun = await server.order<number>('broadcast')
  const heard = await crowd.order<number>('heard')
  return { time: heard - begun, broadcastCpu: ((await cpuOf(server)) - before) / 1000 }
}

async function cpuOf(server: Program): Promise<number> {
  const { user, system } = await server.order<NodeJS.CpuUsage>('cpu')
  return user + system
}
