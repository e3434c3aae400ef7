import { test } from 'vitest'
import { dial } from './raw-peer.js'
import { useServer } from './use-server.js'

test('S15: a connection that never finishes its request is hung up on', { timeout: 30_000 }, async () => {
  const { port } = await useServer()
  const peer = await dial(port)
  peer.write('GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\n')
  await peer.gone
})
