import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import type { McpWebSocketClientOptions } from '../../../src/index.js'
import { afterTest } from '../../helpers/after-test.js'
import type { Direction } from './fault-proxy.js'
import { useProgram, useRemoteClient, type Program, type RemoteClient } from './program.js'

const run = promisify(execFile)

const PROGRAMS = ['ip', 'iptables', 'conntrack', 'tc', 'sysctl']

/** What a lab of networks needs and this machine lacks; `undefined` if it can be built. In CI nothing may be missing. */
export function lackOfNetlab(): string | undefined {
  const lack = findLack()
  if (lack === undefined) return undefined
  if (process.env.CI === 'true' && process.getuid?.() === 0) throw new Error(`Network namespaces cannot be tested: ${lack}.`)
  console.warn(`\n*** SKIPPED: the tests in network namespaces. Missing: ${lack}. ***\n`)
  return lack
}

function findLack(): string | undefined {
  if (process.platform !== 'linux') return 'Linux'
  if (process.getuid?.() !== 0) return 'the rights of root'
  const folders = (process.env.PATH ?? '').split(':')
  const absent = PROGRAMS.filter((name) => !folders.some((folder) => existsSync(`${folder}/${name}`)))
  if (absent.length > 0) return `${absent.join(', ')} (Debian: apt-get install iproute2 iptables conntrack procps)`
  const name = nextName('try')
  try {
    execFileSync('ip', ['netns', 'add', name], { stdio: 'pipe' })
    execFileSync('ip', ['netns', 'delete', name], { stdio: 'pipe' })
    return undefined
  } catch (error) {
    return `the permission to make network namespaces (${String(error)})`
  }
}

let count = 0

/** A name that no other process uses. */
const nextName = (role: string): string => `mcpws-${String(process.pid)}-${String(++count)}-${role}`

/** One network of its own: nothing in it can be seen from outside, its addresses neither. */
class Namespace {
  readonly #name: string

  private constructor(name: string) {
    this.#name = name
  }

  /** Made now, removed after the test. */
  static async make(role: string): Promise<Namespace> {
    const name = nextName(role)
    await run('ip', ['netns', 'add', name])
    afterTest(async () => {
      await run('ip', ['netns', 'delete', name])
    })
    const namespace = new Namespace(name)
    await namespace.ip('link set lo up')
    return namespace
  }

  /** What starts a program in here, and becomes it. */
  get inside(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#name]
  }

  /** Runs `ip` in here. */
  async ip(words: string): Promise<void> {
    await run('ip', ['-n', this.#name, ...words.split(' ')])
  }

  /** Runs a program in here; its arguments are words, no shell reads them. */
  async exec(words: string): Promise<void> {
    const [command = '', ...args] = [...this.inside, ...words.split(' ')]
    await run(command, args)
  }

  /** Connects two networks with a cable whose ends have these names and addresses. */
  async wire(name: string, address: string, peer: Namespace, peerName: string, peerAddress: string): Promise<void> {
    await this.ip(`link add ${name} type veth peer name ${peerName} netns ${peer.#name}`)
    await this.ip(`address add ${address}/24 dev ${name}`)
    await peer.ip(`address add ${peerAddress}/24 dev ${peerName}`)
    await this.ip(`link set ${name} up`)
    await peer.ip(`link set ${peerName} up`)
  }
}

/** An MCP server in a network of its own, and in another one a client that reaches it. */
export interface Netlab {
  readonly port: number
  readonly server: Program
  readonly client: RemoteClient
  /** Packets that travel this way vanish; `match` says which ones, in words of iptables. */
  drop(direction: Direction, match?: string): Promise<void>
  /** Packets to the server are answered by ICMP: the host cannot be reached. */
  reject(): Promise<void>
  /** Undoes `drop` and `reject`. */
  restore(): Promise<void>
  /** Pulls the cable, or plugs it in. */
  link(state: 'up' | 'down'): Promise<void>
  /** Bounds what the server can send. */
  slow(bitsPerSecond: number): Promise<void>
  /** Gives the client's machine another address. */
  move(): Promise<void>
}

/** Options of the client, but for the URL. */
export type LabOptions = Omit<McpWebSocketClientOptions, 'url'>

// Addresses may be the same in every lab: each is a world of its own.
const SERVER = '10.199.1.1'
const CLIENT = '10.199.1.2'
const OTHER = '10.199.1.3'

/** Builds a lab, removed after the test: the two networks are connected by one cable. */
export async function useNetlab(options: LabOptions): Promise<Netlab> {
  const near = await Namespace.make('client')
  const far = await Namespace.make('server')
  await near.wire('cable', CLIENT, far, 'cable', SERVER)
  return equip(near, far, SERVER, options)
}

/** A lab with a router between the two networks that hides the client behind its own address. */
export interface NatLab extends Netlab {
  /** The router forgets every connection. */
  forget(): Promise<void>
}

/**
 * Builds a lab with a router.
 * @param strict - The router drops packets of connections that it does not know, instead of taking them for new ones.
 */
export async function useNatLab({ strict }: { readonly strict: boolean }, options: LabOptions): Promise<NatLab> {
  const near = await Namespace.make('client')
  const router = await Namespace.make('router')
  const far = await Namespace.make('server')
  const server = '10.199.2.2'
  await near.wire('cable', CLIENT, router, 'near', '10.199.1.1')
  await router.wire('far', '10.199.2.1', far, 'cable', server)
  await near.ip('route add default via 10.199.1.1')
  await router.exec('sysctl -w net.ipv4.ip_forward=1')
  // A random port: what is taken for a new connection by the router is one to the server too.
  await router.exec('iptables -w -t nat -A POSTROUTING -o far -j MASQUERADE --random')
  if (strict) {
    await router.exec('sysctl -w net.netfilter.nf_conntrack_tcp_loose=0')
    for (const chain of ['INPUT', 'FORWARD']) await router.exec(`iptables -w -A ${chain} -m conntrack --ctstate INVALID -j DROP`)
  }
  return { ...(await equip(near, far, server, options)), forget: () => router.exec('conntrack -F') }
}

/** Lets server and client start in their networks, at the same time. */
async function equip(near: Namespace, far: Namespace, address: string, options: LabOptions): Promise<Netlab> {
  const [server, client] = await Promise.all([useProgram('server', far.inside), useRemoteClient(near.inside)])
  const port = (await server.ask('listen', address)) as number
  await client.open({ ...options, url: `ws://${address}:${String(port)}/ws` })
  return {
    port,
    server,
    client,
    // Where they arrive: a packet that its own machine drops is a failure that the sender hears of.
    drop: (direction, match = '-p tcp') => (direction === 'up' ? far : near).exec(`iptables -w -A INPUT ${match} -j DROP`),
    reject: () => far.exec('iptables -w -A INPUT -p tcp -j REJECT --reject-with icmp-host-unreachable'),
    restore: async () => {
      for (const side of [near, far]) await side.exec('iptables -w -F INPUT')
    },
    link: (state) => far.ip(`link set cable ${state}`),
    slow: (bitsPerSecond) => far.exec(`tc qdisc add dev cable root tbf rate ${String(bitsPerSecond)}bit burst 16kb latency 2000ms`),
    move: async () => {
      await near.ip(`address delete ${CLIENT}/24 dev cable`)
      await near.ip(`address add ${OTHER}/24 dev cable`)
    }
  }
}
