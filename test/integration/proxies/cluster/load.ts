import { expect } from 'vitest'
import type { McpWebSocketClient } from '../../../../src/index.js'
import { pause } from '../../../helpers/pause.js'
import { useClient, type Observed } from '../../../helpers/use-client.js'
import { RESUMING, useCluster, type Cluster } from './use-cluster.js'

/** What became of calls. */
interface Outcome {
  /** Keys of all calls, in their order. */
  readonly keys: readonly string[]
  readonly rejections: readonly string[]
  /** How long the slowest one took, in ms. */
  readonly slowest: number
}

/** Connects clients, of which some have sessions that survive their connection, and others plain `mcp.v1`. */
async function useCrowd(cluster: Cluster, resuming: number, plain: number): Promise<readonly Observed[]> {
  const crowd = Array.from({ length: resuming + plain }, (_, i) =>
    useClient({ url: cluster.network.url, ...RESUMING, resume: i < resuming })
  )
  await Promise.all(crowd.map(({ client }) => client.connect()))
  return crowd
}

/** Calls short tools in turn on each client, so many in a second, until told to stop. Resolves when all calls are settled. */
async function callInTurn(clients: readonly McpWebSocketClient[], perSecond: number, isEnough: () => boolean): Promise<Outcome> {
  const keys: string[] = []
  const rejections: string[] = []
  const calls: Promise<void>[] = []
  let slowest = 0
  const begin = performance.now()
  const callNext = async (number: number): Promise<void> => {
    const key = String(number)
    keys.push(key)
    const client = clients[number % clients.length]
    const calledAt = performance.now()
    // Half of them take a while, so that something is in flight at most times.
    const name = Math.floor(number / clients.length) % 2 === 0 ? 'echo' : 'count'
    try {
      await client?.callTool(
        { name, arguments: { key, message: key, steps: 1, every: 30 } },
        { onprogress: () => undefined, timeout: 30_000 }
      )
    } catch (error) {
      rejections.push(`call ${key} of client ${String(number % clients.length)}: ${String(error)}`)
    }
    slowest = Math.max(slowest, performance.now() - calledAt)
  }
  while (!isEnough()) {
    const due = ((performance.now() - begin) / 1000) * perSecond
    while (keys.length < due) calls.push(callNext(keys.length))
    await pause(5)
  }
  await Promise.all(calls)
  return { keys, rejections, slowest }
}

/** Restarts one node after the other, in order, for so many ms at least. @returns The exit codes. */
async function restartFor({ nodes }: Cluster, ms: number): Promise<(number | null)[]> {
  const codes: (number | null)[] = []
  const end = performance.now() + ms
  while (performance.now() < end)
    for (const node of nodes) {
      codes.push(await node.stop())
      await node.start()
    }
  return codes
}

/** Rolling restarts under load cost no call, and none is executed twice. */
export async function expectNoneLost(crowdSize: readonly [resuming: number, plain: number], perSecond: number, ms: number): Promise<void> {
  const cluster = await useCluster()
  const crowd = await useCrowd(cluster, ...crowdSize)
  const clients = crowd.map(({ client }) => client)
  const subprotocols = clients.map(({ subprotocol }) => subprotocol)
  expect(['mcp.v1.resume', 'mcp.v1'].map((name) => subprotocols.filter((each) => each === name).length)).toEqual(crowdSize)
  let isOver = false
  const called = callInTurn(clients, perSecond, () => isOver)
  const codes = await restartFor(cluster, ms)
  isOver = true
  const { keys, rejections, slowest } = await called
  console.log(`${String(keys.length)} calls, ${String(codes.length)} restarts, the slowest call took ${slowest.toFixed(0)} ms`)
  expect(rejections).toEqual([])
  expect([...cluster.executed].sort()).toEqual([...keys].sort())
  expect(codes.filter((code) => code !== 0)).toEqual([])
  expect(cluster.nodes.flatMap(({ said }) => said).filter((words) => 'error' in words)).toEqual([])
  expect(crowd.flatMap(({ errors }) => errors)).toEqual([])
}
