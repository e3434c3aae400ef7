import { expect, it } from 'vitest'
import { McpWebSocketClient } from '../src/client.js'
import { FakeClock } from './helpers/fake-clock.js'
import { becomeLegacy, FakeNetwork } from './helpers/fake-network.js'

it('connects', async () => {
  const clock = new FakeClock()
  const network = new FakeNetwork()
  const client = new McpWebSocketClient({ url: 'ws://127.0.0.1/ws' }, { clock, openSocket: network.openSocket })
  const connected = client.connect()
  const socket = await becomeLegacy(network)
  await connected
  expect(client.era).toBe('legacy')
  expect(socket.target.protocols).toEqual(['mcp.v1'])
  const closed = client.close()
  socket.drop({ code: 1000 })
  await closed
  expect(clock.pendingCount).toBe(0)
})
