import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { McpWebSocketServer } from '../../../src/server/index.js'
import { WebSocketClientTransport } from '../../../src/transport/index.js'
import { serveTransport, type McpServerOptions, type SdkVersion } from '../../helpers/mcp-server.js'
import type { SdkMode } from '../../helpers/sdk-client.js'
import { until } from '../../helpers/until.js'
import { makeOwnCaller, makeSdkCaller, type Caller } from './callers.js'
import type { Program } from './programs.js'
import { Script, type Step } from './script.js'
import { Tap, type Cut, type Seen } from './tap.js'

/** An SDK on both sides: its client, and the server that it is made for. */
export interface Pairing {
  readonly mode: SdkMode
  readonly sdk: SdkVersion
  readonly era: 'legacy' | 'modern'
}

export const PAIRINGS: readonly Pairing[] = [
  { mode: 'v1', sdk: 'v1', era: 'legacy' },
  { mode: 'v2 legacy', sdk: 'v2', era: 'legacy' },
  { mode: 'v2 modern', sdk: 'v2', era: 'modern' }
]

/** Who is connected over WebSocket: the `Client` of the SDK on our transport, or our own client. */
export type Who = 'the SDK' | 'our client'

/** What MCP servers did. */
export interface Deeds {
  /** Marks of the calls that took effect. */
  readonly executed: string[]
  /** Tools whose handler was told that its call is no longer wanted. */
  readonly aborted: string[]
}

/** Everything that can be known of one run of a program. */
export interface Run {
  readonly steps: readonly Step[]
  /** See {@link Script.risky}. */
  readonly risky: ReadonlySet<string>
  /** What passed on the first connection, as the server saw it. */
  readonly seen: readonly Seen[]
  /** What the MCP servers did, over all connections. */
  readonly deeds: Deeds
  readonly connections: number
  /** What clients complained of without an owner; `onclose` counts. */
  readonly errors: readonly unknown[]
}

const QUICK = { initialDelay: 1, maxDelay: 5, jitter: false }

function useDeeds(): { readonly deeds: Deeds; readonly options: McpServerOptions } {
  const deeds: Deeds = { executed: [], aborted: [] }
  const options: McpServerOptions = {
    onExecuted: (_name, { mark }) => deeds.executed.push(String(mark)),
    onAborted: (name) => deeds.aborted.push(name)
  }
  return { deeds, options }
}

/** The reference: client and server of the SDK, in one process and without a wire. */
export async function runInMemory(program: Program, { mode, sdk }: Pairing): Promise<Run> {
  const { deeds, options } = useDeeds()
  const [ofClient, ofServer] = InMemoryTransport.createLinkedPair()
  const tap = new Tap(ofServer)
  serveTransport(sdk, tap, options)
  const caller = makeSdkCaller(mode)
  const { steps, risky } = await perform(program, caller, () => caller.connect(ofClient))
  const errors = [...caller.errors]
  await caller.close()
  return { steps, risky, seen: tap.seen, deeds, connections: 1, errors }
}

/**
 * The same over a real socket, between our transport or client and our server.
 * @param cut - Where the first connection breaks; the run then ends when there is a second one.
 */
export async function runOverWebSocket(program: Program, { mode, sdk, era }: Pairing, who: Who, cut?: Cut): Promise<Run> {
  const { deeds, options } = useDeeds()
  const taps: Tap[] = []
  const server = new McpWebSocketServer({
    allowUnauthenticated: true,
    onconnection: (transport, { request }) => {
      const plan = cut && taps.length === 0 ? { ...cut, act: () => request.socket.destroy() } : undefined
      const tap = new Tap(transport, plan)
      taps.push(tap)
      serveTransport(sdk, tap, options)
    }
  })
  await server.listen()
  const url = `ws://127.0.0.1:${String(server.address()?.port)}/ws`
  const { caller, connect, isReady } = who === 'the SDK' ? sdkOver(url, mode) : ownOver(url, era)
  try {
    const { steps, risky } = await perform(program, caller, connect)
    if (cut) await until(() => taps.length > 1 && isReady(), 'there is a second connection')
    const errors = [...caller.errors]
    return { steps, risky, seen: taps[0]?.seen ?? [], deeds, connections: taps.length, errors }
  } finally {
    await caller.close()
    await server.close({ grace: 0 })
  }
}

interface Dialling {
  readonly caller: Caller
  readonly connect: () => Promise<void>
  readonly isReady: () => boolean
}

function sdkOver(url: string, mode: SdkMode): Dialling {
  const caller = makeSdkCaller(mode)
  const transport = new WebSocketClientTransport(url, { reconnect: QUICK })
  return { caller, connect: () => caller.connect(transport), isReady: () => transport.state === 'ready' }
}

function ownOver(url: string, era: 'legacy' | 'modern'): Dialling {
  const caller = makeOwnCaller(url, era, QUICK)
  return { caller, connect: () => caller.client.connect(), isReady: () => caller.client.state === 'ready' }
}

const LONGEST = 15_000

async function perform(program: Program, caller: Caller, connect: () => Promise<void>): Promise<Script> {
  const script = new Script(caller)
  let timer: NodeJS.Timeout | undefined
  const hangs = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`hangs at step "${script.current}"`)), LONGEST)
  })
  const all = async (): Promise<void> => {
    await script.step('connect', async () => {
      await connect()
      return caller.describe()
    })
    await program.run(script)
    await script.step('the connection works', (client) => client.listResources())
  }
  try {
    await Promise.race([all(), hangs])
  } finally {
    clearTimeout(timer)
  }
  return script
}
