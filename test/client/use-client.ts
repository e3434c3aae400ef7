import { McpWebSocketClient } from '../../src/client/client.js'
import type { ClientEvents, StateChange } from '../../src/session/events.js'
import type { McpWebSocketClientOptions } from '../../src/types/options.js'
import { closeOrderly } from '../helpers/close-orderly.js'
import { endAfterTest } from '../helpers/end-after-test.js'
import { FakeClock } from '../helpers/fake-clock.js'
import { CAPABILITIES } from '../helpers/fixtures.js'
import { becomeLegacy, becomeModern, FakeNetwork, type FakeSocket } from '../helpers/fake-network.js'

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
  endAfterTest(clock, network, () => client.close())
  return rig
}

/** Closes the client, with a server that answers the close frame. */
export const closeClean = ({ client, network }: Rig): Promise<void> => closeOrderly(network, () => client.close())
