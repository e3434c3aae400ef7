import { expect, it } from 'vitest'
import { useTransport } from './use-transport.js'

const changed = { jsonrpc: '2.0', method: 'notifications/tools/list_changed' }
const isNotification = (message: object): boolean => 'method' in message && !('id' in message)

it.each([
  ['true', true, 2],
  ['false', false, 0]
])('with notifications: %s, those of the server and of a reconnect are delivered or not', async (_name, notifications, expected) => {
  const rig = useTransport({ notifications })
  const first = await rig.legacy()
  first.deliver(changed)
  await rig.relegacy(first)
  expect(rig.messages.filter(isNotification).map(({ method }) => method)).toEqual(Array(expected).fill(changed.method))
})

it('without notifications, requests and responses arrive as ever, and a request that is given up is still known', async () => {
  const rig = useTransport({ notifications: false })
  const socket = await rig.legacy()
  socket.deliver({ jsonrpc: '2.0', id: 5, method: 'roots/list' })
  socket.deliver({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 5 } })
  await rig.request(1, 'tools/list')
  socket.respond('tools/list', { tools: [] })
  expect(rig.messages.map(({ id }) => id)).toEqual([5, 1])
  await rig.transport.send({ jsonrpc: '2.0', method: 'notifications/progress' }, { relatedRequestId: 5 })
  expect(socket.methods).not.toContain('notifications/progress')
})

it('says that it may be asked for the era of its server, for the AI SDK', () => {
  expect(useTransport().transport.supportsProtocolVersionDiscovery).toBe(true)
})
