import { settle } from './fake-clock.js'
import type { FakeNetwork } from './fake-network.js'

/** Closes what runs on a fake network, with a server that answers the close frame. */
export async function closeOrderly(network: FakeNetwork, close: () => unknown): Promise<void> {
  const closed = close()
  for (const socket of network.sockets) if (socket.state === 'closing') socket.drop({ code: 1000, wasClean: true })
  await closed
  await settle()
}
