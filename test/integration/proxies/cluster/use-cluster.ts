import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import type { McpWebSocketClientOptions } from '../../../../src/index.js'
import type { ServerMetrics } from '../../../../src/server/index.js'
import { useFaultProxy, type FaultProxy } from '../../../faults/kit/fault-proxy.js'
import { bundle, useChild, type Child } from '../../../helpers/child.js'
import { pause } from '../../../helpers/pause.js'
import { useRedisServer, type RedisServer } from '../../../helpers/redis-server.js'
import { quietPort, useProxy, type Proxy } from '../use-proxy.js'

/** A machine of the cluster: a process, which may be replaced by the next one on the same port. */
export interface ClusterNode {
  readonly metrics: () => Promise<ServerMetrics>
  /** Ends it with SIGKILL. */
  kill(): Promise<void>
  /** Starts it again after its end. Resolves once HAProxy sends clients to it. */
  start(): Promise<void>
  /** Ends it in order, with SIGTERM. @returns Its exit code. */
  stop(): Promise<number | null>
  /** What the processes of this node said, except for where metrics are. */
  readonly said: readonly Said[]
}

/** A call of a tool that took effect, or an error. */
export type Said = { readonly executed: string } | { readonly error: string }

/** Two nodes with a Redis behind HAProxy, and a network between it and the clients that can be made bad. */
export interface Cluster {
  readonly nodes: readonly [ClusterNode, ClusterNode]
  readonly redis: RedisServer
  readonly haproxy: Proxy
  readonly network: FaultProxy
  /** The calls that took effect, on all nodes, in no order. */
  readonly executed: readonly string[]
  /** The node that has the only session, and the other one. */
  owner: () => Promise<readonly [owner: ClusterNode, other: ClusterNode]>
}

/** Options of a client that comes back at once, and may come back to either node. */
export const RESUMING = {
  resume: true,
  auth: { token: 'ada' },
  reconnect: { initialDelay: 10, maxDelay: 200, maxRetries: Infinity }
} as const satisfies Partial<McpWebSocketClientOptions>

const NAMES = ['one', 'two'] as const

/** What HAProxy needs, so that nobody is sent to a node that is about to end, and no connection that stands is cut. */
const balancing = (second: number): string[] => [
  'balance roundrobin',
  'retries 3',
  // The next try goes to another node, at once.
  'option redispatch 1',
  'default-server check inter 100ms fall 1 rise 1',
  ...NAMES.map((name) => `http-request return status 200 if { path /up/${name} } { srv_is_up(mcp/${name}) }`),
  `server two 127.0.0.1:${String(second)}`
]

/** Starts a cluster; all of it is ended after the test. */
export async function useCluster(): Promise<Cluster> {
  const redis = await useRedisServer()
  const ports = [await quietPort(), await quietPort()] as const
  const nodes = [new NodeProcess(ports[0], redis.url), new NodeProcess(ports[1], redis.url)] as const
  await Promise.all(nodes.map((node) => node.start()))
  const haproxy = await useProxy('haproxy', { upstream: ports[0], lines: balancing(ports[1]) })
  for (const [i, node] of nodes.entries()) node.upUrl = haproxy.url.replace('ws:', 'http:').replace(/ws$/, `up/${String(NAMES[i])}`)
  await Promise.all(nodes.map((node) => node.seen()))
  const network = await useFaultProxy(Number(new URL(haproxy.url).port))
  return {
    nodes,
    redis,
    haproxy,
    network,
    get executed() {
      return nodes.flatMap(({ said }) => said).flatMap((words) => ('executed' in words ? [words.executed] : []))
    },
    owner: async () => {
      const { sessionsTotal } = await nodes[0].metrics()
      return sessionsTotal > 0 ? nodes : [nodes[1], nodes[0]]
    }
  }
}

class NodeProcess implements ClusterNode {
  /** Where HAProxy says whether it sends clients to this node; empty: there is no HAProxy yet. */
  upUrl = ''
  readonly #port: number
  readonly #redis: string
  readonly #children: Child[] = []
  #metricsPort = 0

  constructor(port: number, redis: string) {
    this.#port = port
    this.#redis = redis
  }

  get said(): readonly Said[] {
    return this.#children.flatMap(({ lines }) => lines.map((line) => JSON.parse(line) as Said)).filter((words) => !('metrics' in words))
  }

  async start(): Promise<void> {
    const child = useChild(await bundle(new URL('./node.ts', import.meta.url)), [String(this.#port), this.#redis])
    this.#children.push(child)
    this.#metricsPort = (JSON.parse(await child.nextLine()) as { metrics: number }).metrics
    await this.seen()
  }

  /** Resolves once HAProxy sends clients to it. */
  async seen(): Promise<void> {
    // HAProxy tells nobody by itself.
    while (this.upUrl !== '' && (await fetched(this.upUrl)).status !== 200) await pause(20)
  }

  async metrics(): Promise<ServerMetrics> {
    return JSON.parse((await fetched(`http://127.0.0.1:${String(this.#metricsPort)}/`)).body) as ServerMetrics
  }

  async kill(): Promise<void> {
    await this.#child.kill()
  }

  async stop(): Promise<number | null> {
    process.kill(this.#child.pid, 'SIGTERM')
    return this.#child.gone
  }

  get #child(): Child {
    const child = this.#children.at(-1)
    if (!child) throw new Error('the node was never started')
    return child
  }
}

/** Not `fetch`, which keeps its connection. */
async function fetched(url: string): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const request = get(url, { agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return { status: response.statusCode, body: await text(response) }
}
