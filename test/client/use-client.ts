import { afterEach, expect } from 'vitest'
import { McpWebSocketClient } from '../../src/client/client.js'
import type { ClientEvents, StateChange } from '../../src/session/events.js'
import type { McpWebSocketClientOptions } from '../../src/types/options.js'
import { FakeClock, settle } from '../helpers/fake-clock.js'
import { CAPABILITIES } from '../helpers/fixtures.js'
import { becomeLegacy, becomeModern, FakeNetwork, type FakeSocket } from '../helpers/fake-network.js'

/** What became of a promise so far. */
export interface Outcome<T> {
  settled: boolean
  value: T | undefined
  error: unknown
}

/** Watches a promise without waiting for it; its rejection counts as handled. */
export function watch<T>(promise: Promise<T>): Outcome<T> {
  const outcome: Outcome<T> = { settled: false, value: undefined, error: undefined }
  promise.then(
    (value) => Object.assign(outcome, { settled: true, value }),
    (error: unknown) => Object.assign(outcome, { settled: true, error })
  )
  return outcome
}

/** A client on a fake clock and a fake network, with what it told. */
export interface Rig {
  readonly client: McpWebSocketClient
  readonly clock: FakeClock
  readonly network: FakeNetwork
  readonly states: StateChange[]
  readonly errors: Error[]
  readonly notifications: ClientEvents['notification'][]
  readonly reconnections: ClientEvents['reconnected'][]
  /** Connects to a legacy server. */
  readonly legacy: (result?: object) => Promise<FakeSocket>
  /** Connects to a modern server. */
  readonly modern: (result?: object) => Promise<FakeSocket>
  /** Waits for the next dial of a client that is `waiting`; it is not answered yet. */
  readonly redial: () => Promise<FakeSocket>
  readonly relegacy: (result?: object) => Promise<FakeSocket>
  readonly remodern: (result?: object) => Promise<FakeSocket>
}

const rigs = new Set<Rig>()

/** Constructs a client; after the test it is closed, and nothing may be left of it. */
export function useClient(options: Partial<McpWebSocketClientOptions> = {}, clock = new FakeClock()): Rig {
  const network = new FakeNetwork()
  const client = new McpWebSocketClient(
    { url: 'ws://127.0.0.1/ws', capabilities: CAPABILITIES, ...options },
    { clock, openSocket: network.openSocket }
  )
  const states: StateChange[] = []
  const errors: Error[] = []
  const notifications: ClientEvents['notification'][] = []
  const reconnections: ClientEvents['reconnected'][] = []
  client.on('state', (change) => states.push(change))
  client.on('error', (error) => errors.push(error))
  client.on('notification', (notification) => notifications.push(notification))
  client.on('reconnected', (reconnected) => reconnections.push(reconnected))
  const redial = async (): Promise<FakeSocket> => {
    // Timers count whole milliseconds.
    await clock.advance(Math.ceil(states.at(-1)?.delay ?? 0))
    return network.last()
  }
  const rig: Rig = {
    client,
    clock,
    network,
    states,
    errors,
    notifications,
    reconnections,
    async legacy(result) {
      const connected = client.connect()
      const socket = await becomeLegacy(network, result)
      await connected
      return socket
    },
    async modern(result) {
      const connected = client.connect()
      const socket = await becomeModern(network, result)
      await connected
      return socket
    },
    redial,
    async relegacy(result) {
      await redial()
      return becomeLegacy(network, result)
    },
    async remodern(result) {
      await redial()
      return becomeModern(network, result)
    }
  }
  rigs.add(rig)
  return rig
}

/** Closes the client, with a server that answers the close frame. */
export async function closeClean({ client, network }: Rig): Promise<void> {
  const closed = client.close()
  for (const socket of network.sockets) if (socket.state === 'closing') socket.drop({ code: 1000, wasClean: true })
  await closed
  await settle()
}

afterEach(async () => {
  const used = [...rigs]
  rigs.clear()
  for (const rig of used) {
    await closeClean(rig)
    expect(rig.clock.pendingCount, 'timers that are left').toBe(0)
    expect(rig.network.openCount, 'sockets that are left').toBe(0)
  }
})
